//! What the web asks of the service, besides what is known already.

use std::pin::Pin;

use serde::Serialize;
use utoipa::ToSchema;

use crate::hub::{Ledger, MeterState, Trouble};

/// Something that takes a while.
pub type Wait<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// What knows the configuration, and can do something about it.
pub trait Service: Send + Sync + 'static {
    /// What is wrong with this configuration; nothing if it can be used.
    fn check(&self, toml: &str) -> Vec<ConfigProblem>;

    /// Reads the configuration's file again and does what it says.
    fn reload(&self) -> Wait<'_, Result<(), Trouble>>;

    /// Connects to a destination of this kind, as its table of the configuration says, and proves
    /// that it could deliver, without leaving anything behind. Only one that is kept in the
    /// configuration at the same address gets the secrets that the environment names.
    fn test_destination<'a>(
        &'a self,
        kind: &'a str,
        settings: serde_json::Value,
        is_kept: bool,
    ) -> Wait<'a, Result<(), Trouble>>;

    /// What a schedule would cost the battery of this meter.
    fn cost(&self, meter: &MeterState, schedule: &str) -> Result<Ledger, Trouble>;
}

/// Something in a configuration that cannot stay like this.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct ConfigProblem {
    /// Counted from 1; 0 where it is about the whole.
    pub line: usize,
    /// Counted from 1, in characters.
    pub column: usize,
    /// In characters.
    pub length: usize,
    /// What is wrong.
    #[schema(example = "unknown key `shedule`")]
    pub message: String,
    /// What to do.
    #[schema(example = "did you mean `schedule`?")]
    pub help: String,
    /// The place with what is wrong underlined, as the command line shows it.
    pub rendered: String,
}

//! What a destination is.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use heatmeter_history::{Meter, Stored};
use jiff::Timestamp;

/// A place that polls are delivered to.
pub trait Destination: Send + 'static {
    /// Delivers these polls in order. Done when the other side has acknowledged all of them;
    /// after an error all of them are delivered again.
    fn deliver(
        &mut self,
        polls: &[Stored],
        meters: &Known,
    ) -> impl Future<Output = Result<(), DeliveryError>> + Send;

    /// Connects and proves that it may write, without leaving anything behind: the button "test".
    fn test(&mut self) -> impl Future<Output = Result<(), DeliveryError>> + Send;

    /// Waits until something new is known of whether it can be reached, without delivering anything;
    /// for ever where only a delivery tells.
    fn standing(&mut self) -> impl Future<Output = Result<(), DeliveryError>> + Send {
        std::future::pending()
    }

    /// How many polls are best delivered at once.
    fn batch(&self) -> usize {
        100
    }
}

/// The meters that polls are of, by serial number.
pub type Known = BTreeMap<String, Arc<Meter>>;

/// Why a delivery failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct DeliveryError {
    /// What was seen, in one sentence.
    pub message: String,
    /// What to do about it.
    pub help: String,
    /// Whether trying the same polls again can never help: the other side understood and refused
    /// these very polls. What changed settings on either side can mend is not final.
    pub is_final: bool,
    /// How long the other side asked to be left alone.
    pub retry_after: Option<Duration>,
}

impl DeliveryError {
    /// Something that may pass: what was seen, and what to do about it.
    pub fn trouble(message: impl Into<String>, help: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            help: help.into(),
            is_final: false,
            retry_after: None,
        }
    }

    /// The other side understood these polls and will never take them.
    pub fn refused(message: impl Into<String>, help: impl Into<String>) -> Self {
        Self {
            is_final: true,
            ..Self::trouble(message, help)
        }
    }
}

/// How it goes with a destination.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// How many polls wait.
    pub pending: u64,
    /// When the last one was acknowledged.
    pub delivered_at: Option<Timestamp>,
    /// How many were acknowledged since the start.
    pub delivered: u64,
    /// How many the other side understood and refused.
    pub refused: u64,
    /// What keeps it from being delivered, until it is.
    pub trouble: Option<DeliveryError>,
}

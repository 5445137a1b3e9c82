//! Which history a command is about: the one of a configuration, or a file.

use std::path::PathBuf;

use clap::ValueHint;
use heatmeter_gateway::config::Config;
use heatmeter_gateway::history::Archive;
use heatmeter_gateway::service::Options;

use crate::cmd::run;
use crate::failure::Failure;

/// The way to a history, for every command that takes one.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Kept {
    /// The gateway's configuration, which says where its history is
    #[arg(
        long,
        value_name = "FILE",
        value_hint = ValueHint::FilePath,
        conflicts_with = "history",
        help_heading = "History"
    )]
    config: Option<PathBuf>,

    /// The history's file itself
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, help_heading = "History")]
    history: Option<PathBuf>,
}

impl Kept {
    /// Opens it to look at it; a service may go on writing.
    pub(crate) fn open(&self) -> Result<Archive, Failure> {
        Ok(Archive::open(&self.path()?)?)
    }

    fn path(&self) -> Result<PathBuf, Failure> {
        if let Some(path) = &self.history {
            return Ok(path.clone());
        }
        let file = match &self.config {
            Some(file) => file.clone(),
            None => run::usual()?,
        };
        let config = Config::load(&file).map_err(|error| run::wrong(error, &file))?;
        let usual = Options::new(Some(file)).history;
        Ok(config.history.path.unwrap_or(usual))
    }
}

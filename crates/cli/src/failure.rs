//! What can go wrong, with a code for machines, a sentence for people and the next thing to do.

use std::io;

use heatmeter_client::PortError;
use heatmeter_gateway::history::HistoryError;
use heatmeter_gateway::service::ServiceError;
use heatmeter_simulator::ServeError;
use kamstrup_kmp::Verdict;
use serde::Serialize;

use crate::exit::Exit;

/// Why a command did not do what it was asked for.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// What was asked for makes no sense.
    #[error("{message}")]
    Usage { message: String, help: String },

    /// The port cannot be used.
    #[error(transparent)]
    Port(#[from] PortError),

    /// The port is there, and the meter's answer is not.
    #[error("{}", .verdict.message())]
    Verdict { verdict: Verdict, port: String },

    /// The meter answers, and its clock stays as it was.
    #[error("the meter did not take the new time: its clock says {says}")]
    ClockNotTaken { port: String, says: String },

    /// There are bytes to decode, and no frame among them.
    #[error("no frame among these {bytes} bytes")]
    NoFrame { bytes: u64 },

    /// The simulated meter cannot be served.
    #[error("{error}{}", source_of(.error))]
    Serve {
        #[from]
        error: ServeError,
    },

    /// Something in a configuration is wrong; the text shows it all.
    #[error("{text}")]
    Config { file: String, text: String },

    /// The gateway cannot run.
    #[error(transparent)]
    Service(#[from] ServiceError),

    /// The history cannot be looked at, or not be copied.
    #[error(transparent)]
    History(#[from] HistoryError),

    /// Standard output is gone. If its reader just had enough, this is no failure.
    #[error("cannot write to standard output: {0}")]
    Output(io::Error),

    /// Nobody expected this.
    #[error("{what}: {source}")]
    Unexpected { what: String, source: io::Error },
}

impl Failure {
    pub(crate) fn usage(message: impl Into<String>, help: impl Into<String>) -> Self {
        Self::Usage {
            message: message.into(),
            help: help.into(),
        }
    }

    pub(crate) fn unexpected(what: impl Into<String>, source: io::Error) -> Self {
        Self::Unexpected {
            what: what.into(),
            source,
        }
    }

    pub(crate) fn exit(&self) -> Exit {
        match self {
            Self::Usage { .. } | Self::Serve { .. } | Self::Config { .. } => Exit::Usage,
            Self::Service(error) if error.is_about_the_machine() => Exit::Port,
            Self::History(error) if error.is_about_rights() => Exit::Port,
            Self::History(error) if error.is_about_the_choice() => Exit::Usage,
            Self::Port(error) => error.verdict().into(),
            Self::Verdict { verdict, .. } => (*verdict).into(),
            Self::ClockNotTaken { .. } => Verdict::NotSupported.into(),
            Self::NoFrame { .. } => Verdict::Noise.into(),
            Self::Output(error) if error.kind() == io::ErrorKind::BrokenPipe => Exit::Ok,
            Self::Service(_) | Self::History(_) | Self::Output(_) | Self::Unexpected { .. } => {
                Exit::Unexpected
            }
        }
    }

    /// Whether there is anything to say about it.
    pub(crate) fn is_silent(&self) -> bool {
        matches!(self, Self::Output(error) if error.kind() == io::ErrorKind::BrokenPipe)
    }

    /// What is printed about it with `--json`.
    pub(crate) fn report(&self) -> Report {
        Report {
            error: Problem {
                code: self.code(),
                message: self.to_string(),
                help: self.help(),
            },
            port: self.port(),
            time: None,
        }
    }

    /// The stable name: that of the verdict, or `usage`, or `unexpected`.
    pub(crate) fn code(&self) -> &'static str {
        match self {
            Self::Usage { .. } | Self::Serve { .. } => "usage",
            Self::Config { .. } => "configuration",
            Self::Service(_) => "service",
            Self::History(_) => "history",
            Self::Port(error) => error.verdict().code(),
            Self::Verdict { verdict, .. } => verdict.code(),
            Self::ClockNotTaken { .. } => Verdict::NotSupported.code(),
            Self::NoFrame { .. } => Verdict::Noise.code(),
            Self::Output(_) | Self::Unexpected { .. } => "unexpected",
        }
    }

    pub(crate) fn help(&self) -> String {
        match self {
            Self::Usage { help, .. } => help.clone(),
            Self::Config { file, .. } => {
                format!("`heatmeter check-config {file}` says the same; --example shows every key")
            }
            Self::Service(error) => error.help(),
            Self::History(error) => error.help(),
            Self::Port(error) => error.help(),
            Self::Verdict { verdict, .. } => verdict.help().to_owned(),
            Self::ClockNotTaken { .. } => {
                "this meter may not let its clock be set through the eye; ask your supplier"
                    .to_owned()
            }
            Self::NoFrame { .. } => {
                "a frame begins with 80 (to the meter) or 40 (from it) and ends with 0d".to_owned()
            }
            Self::Serve {
                error: ServeError::Listen { .. },
            } => "choose another address, or port 0 to take a free one".to_owned(),
            Self::Serve {
                error: ServeError::Link { .. },
            } => "choose a path in a folder that you may write to and where nothing stands yet"
                .to_owned(),
            Self::Serve { .. } => {
                "look at the system's limits for open files and terminals".to_owned()
            }
            Self::Output(_) => "look at the disk or the program that reads the output".to_owned(),
            Self::Unexpected { .. } => {
                "please report this with what `-vv` shows, if it comes again".to_owned()
            }
        }
    }

    fn port(&self) -> Option<String> {
        match self {
            Self::Port(error) => Some(error.port().to_owned()),
            Self::Verdict { port, .. } | Self::ClockNotTaken { port, .. } => Some(port.clone()),
            _ => None,
        }
    }
}

/// A failure as JSON.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    error: Problem,
    port: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    time: Option<String>,
}

impl Report {
    /// Adds the time, for where one failure follows another.
    pub(crate) fn at(self, time: String) -> Self {
        Self {
            time: Some(time),
            ..self
        }
    }
}

/// What stands under `error` in JSON.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Problem {
    pub(crate) code: &'static str,
    pub(crate) message: String,
    pub(crate) help: String,
}

impl From<Verdict> for Problem {
    fn from(verdict: Verdict) -> Self {
        Self {
            code: verdict.code(),
            message: verdict.message().to_owned(),
            help: verdict.help().to_owned(),
        }
    }
}

fn source_of(error: &ServeError) -> String {
    std::error::Error::source(error).map_or_else(String::new, |source| format!(": {source}"))
}

//! Why the service cannot run.

use std::io;
use std::net::SocketAddr;

use heatmeter_history::HistoryError;

/// Why the service cannot start, or ended.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServiceError {
    /// The web's address cannot be had.
    #[error("cannot listen on {address}: {}", said(source))]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the system says.
        source: io::Error,
    },
    /// The history cannot be used.
    #[error(transparent)]
    History(#[from] HistoryError),
    /// The system does not let us hear signals.
    #[error("cannot hear signals: {0}")]
    Signals(io::Error),
    /// A part that nothing works without has ended.
    #[error("{0} has ended")]
    Ended(&'static str),
}

impl ServiceError {
    /// What to do.
    pub fn help(&self) -> String {
        match self {
            Self::Listen { address, source } => match source.kind() {
                io::ErrorKind::AddrInUse => {
                    "Another program listens there, perhaps another heatmeter. End it, or choose \
                     another `listen` in [web]."
                        .to_owned()
                }
                io::ErrorKind::PermissionDenied => format!(
                    "Choose a port above 1023 as `listen` in [web]; {} is for root only.",
                    address.port()
                ),
                _ => "Choose an address of this machine as `listen` in [web].".to_owned(),
            },
            Self::History(error) => error.help(),
            Self::Signals(_) | Self::Ended(_) => {
                "Start it again; please report it if it happens twice.".to_owned()
            }
        }
    }

    /// Whether somebody else listens there.
    pub(super) fn is_taken(&self) -> bool {
        matches!(self, Self::Listen { source, .. } if source.kind() == io::ErrorKind::AddrInUse)
    }

    /// Whether it is about something of the machine that is missing or taken: the exit code 3.
    pub fn is_about_the_machine(&self) -> bool {
        matches!(self, Self::Listen { .. } | Self::History(_))
    }
}

/// What the system says, in words that people know.
fn said(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::AddrInUse => "it is taken".to_owned(),
        io::ErrorKind::PermissionDenied => "the system does not allow it".to_owned(),
        io::ErrorKind::AddrNotAvailable => "this machine does not have that address".to_owned(),
        _ => error.to_string(),
    }
}

//! Why a port cannot be used, with what is known about it.

use std::fmt;
use std::io;
use std::path::Path;
use std::time::Duration;

use kamstrup_kmp::Verdict;
use kamstrup_kmp::line::LineSettings;

use crate::holder::Holder;
use crate::line::short_form;
use crate::list::{Access, Machine};

/// A port that cannot be opened, or that went away.
///
/// Every variant carries one of the `port_*` verdicts; [`help`](Self::help) names the next step.
/// Messages name the port as it was given.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PortError {
    /// There is nothing of that name, or it is no serial port.
    #[error("there is no serial port {port}: {reason}")]
    Missing {
        /// The port as it was given.
        port: String,
        /// What was found instead.
        reason: Missing,
    },

    /// The port is there, and we have no right to open it.
    #[error("no permission to open {port}{}", .group.as_ref().map_or_else(String::new, |group| {
        format!(": it belongs to the group {group}")
    }))]
    Denied {
        /// The port as it was given.
        port: String,
        /// The group whose members may open it, if there is one.
        group: Option<String>,
    },

    /// Somebody else uses the port.
    #[error("{port} is in use{}", by(.holders))]
    Busy {
        /// The port as it was given.
        port: String,
        /// Who uses it, as far as we may see.
        holders: Vec<Holder>,
    },

    /// The other end cannot be reached, or does not do what it has to.
    #[error("cannot reach {port}: {reason}")]
    Unreachable {
        /// The port as it was given.
        port: String,
        /// What went wrong.
        reason: Unreachable,
    },

    /// The port was open and went away.
    #[error("lost {port}: {reason}")]
    Lost {
        /// The port as it was given.
        port: String,
        /// How it went.
        reason: Lost,
    },
}

impl PortError {
    /// The port as it was given.
    pub fn port(&self) -> &str {
        match self {
            Self::Missing { port, .. }
            | Self::Denied { port, .. }
            | Self::Busy { port, .. }
            | Self::Unreachable { port, .. }
            | Self::Lost { port, .. } => port,
        }
    }

    /// Which of the verdicts this is.
    pub const fn verdict(&self) -> Verdict {
        match self {
            Self::Missing { .. } => Verdict::PortMissing,
            Self::Denied { .. } => Verdict::PortDenied,
            Self::Busy { .. } => Verdict::PortBusy,
            Self::Unreachable { .. } => Verdict::PortUnreachable,
            Self::Lost { .. } => Verdict::PortLost,
        }
    }

    /// The next thing to do.
    pub fn help(&self) -> String {
        match self {
            Self::Missing {
                reason: Missing::NotSerial(_),
                ..
            } => "`heatmeter ports` lists the serial ports of this machine".to_owned(),
            Self::Missing {
                reason: Missing::Recording(_),
                ..
            } => "check the file's name; a recording is made with --record FILE".to_owned(),
            Self::Missing { .. } => "plug the head in and look at `heatmeter ports`; in a \
                 container, pass the device on (--device)"
                .to_owned(),
            Self::Denied {
                group: Some(group), ..
            } => format!(
                "join the group with `sudo usermod -aG {group} $USER`, then log out and in again; \
                 a service gets SupplementaryGroups={group}, a container --group-add {group}"
            ),
            Self::Denied { port, group: None } => format!(
                "only its owner may open it: look at `ls -lL {port}`, or let a udev rule give it \
                 to a group (MODE=\"0660\", GROUP=\"dialout\")"
            ),
            Self::Busy { holders, .. } => match holders.as_slice() {
                [] => "end the other program that uses it, or wait until it is done".to_owned(),
                [holder, ..] => format!(
                    "end {}, or wait until it is done; two programs cannot share one head",
                    holder.command
                ),
            },
            Self::Unreachable { reason, .. } => reason.help().to_owned(),
            Self::Lost {
                reason: Lost::Diverged(_),
                ..
            } => "play the recording back with the request it was made with".to_owned(),
            Self::Lost { .. } => "check plug, cable and network; heatmeter opens the port again \
                 by itself as soon as it is back"
                .to_owned(),
        }
    }

    /// What it means that a bridge hung up before anything else happened.
    pub(crate) fn hung_up(port: &str, said: Option<String>) -> Self {
        let port = port.to_owned();
        match said {
            // The words of ser2net when its one client is already there.
            Some(said) if said.to_ascii_lowercase().contains("in use") => Self::Busy {
                port,
                holders: Vec::new(),
            },
            said => Self::Unreachable {
                port,
                reason: Unreachable::HungUp(said),
            },
        }
    }

    /// What an error while reading or writing means for the port.
    pub(crate) fn lost(port: &str, error: &io::Error) -> Self {
        let reason = match error.kind() {
            io::ErrorKind::UnexpectedEof => Lost::Closed,
            // Only a recording has an opinion of what is sent.
            io::ErrorKind::InvalidData => Lost::Diverged(error.to_string()),
            _ => Lost::Failed(error.to_string()),
        };
        Self::Lost {
            port: port.to_owned(),
            reason,
        }
    }

    /// What an error while opening `path` means; looks at the machine for who and why.
    pub(crate) fn opening(port: &str, path: &Path, error: &io::Error) -> Self {
        // From errno-base.h: serial2net drivers and udev races give all of these for "not there".
        const ENXIO: i32 = 6;
        const EIO: i32 = 5;
        const ENODEV: i32 = 19;
        const EBUSY: i32 = 16;

        let machine = Machine::this();
        let port = port.to_owned();
        match (error.kind(), error.raw_os_error()) {
            (io::ErrorKind::NotFound, _) => Self::Missing {
                port,
                reason: Missing::NoSuchFile,
            },
            (_, Some(ENXIO | ENODEV | EIO)) => Self::Missing {
                port,
                reason: Missing::NoDevice,
            },
            (io::ErrorKind::PermissionDenied, _) => Self::Denied {
                port,
                group: match machine.access(path) {
                    Access::Denied { group } => group,
                    Access::Allowed => None,
                },
            },
            (_, Some(EBUSY)) | (io::ErrorKind::ResourceBusy, _) => Self::Busy {
                port,
                holders: machine.holders(path),
            },
            _ => Self::Missing {
                port,
                reason: Missing::NotSerial(error.to_string()),
            },
        }
    }
}

/// What is there instead of a serial port.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Missing {
    /// No file of that name.
    NoSuchFile,
    /// The file is there, the device behind it is not.
    NoDevice,
    /// Something else than a serial port.
    NotSerial(String),
    /// A recording that cannot be played back.
    Recording(String),
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoSuchFile => write!(f, "nothing of that name exists"),
            Self::NoDevice => write!(f, "the name exists, the device behind it does not answer"),
            Self::NotSerial(found) => write!(f, "expected a serial port, found: {found}"),
            Self::Recording(problem) => write!(f, "{problem}"),
        }
    }
}

/// Why the other end of a port cannot be reached.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Unreachable {
    /// The host is there and nothing listens on that TCP port.
    Refused,
    /// Nothing came back in this time.
    TimedOut(Duration),
    /// The name cannot be resolved.
    NotResolved(String),
    /// Another error of the network.
    Network(String),
    /// The other end does not speak RFC 2217.
    NotRfc2217(String),
    /// The bridge took the connection only to close it, with these words if it gave any.
    HungUp(Option<String>),
    /// The line cannot be set as it has to be.
    Settings {
        /// What was asked for.
        asked: LineSettings,
        /// What the port says it has now.
        found: String,
    },
}

impl Unreachable {
    fn help(&self) -> &'static str {
        match self {
            Self::Refused => {
                "check the TCP port and that the bridge's serial server is switched on"
            }
            Self::TimedOut(_) | Self::Network(_) => {
                "check the address and that the bridge is switched on and in the same network"
            }
            Self::NotResolved(_) => "check the name, or use the IP address",
            Self::NotRfc2217(_) => {
                "use socket:// for a raw bridge and set 1200 baud 8N2 there, or switch the bridge \
                 to RFC 2217"
            }
            Self::HungUp(Some(_)) => "the bridge itself says why; its log may tell more",
            Self::HungUp(None) => {
                "most bridges serve one client at a time: end the other one, or look into the \
                 bridge's log"
            }
            Self::Settings { .. } => {
                "the adapter or bridge must be able to do 1200 baud, 8 data bits, no parity and 2 \
                 stop bits; try another one"
            }
        }
    }
}

impl fmt::Display for Unreachable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused => write!(f, "connection refused"),
            Self::TimedOut(after) => {
                write!(f, "no answer within {:.1} s", after.as_secs_f64())
            }
            Self::NotResolved(problem) => write!(f, "unknown host: {problem}"),
            Self::Network(problem) => write!(f, "{problem}"),
            Self::NotRfc2217(found) => write!(f, "expected an RFC 2217 server, found {found}"),
            Self::HungUp(None) => write!(f, "the bridge hung up at once"),
            Self::HungUp(Some(said)) => write!(f, "the bridge hung up and said `{said}`"),
            Self::Settings { asked, found } => {
                write!(
                    f,
                    "asked for {}, the port stays at {found}",
                    short_form(*asked)
                )
            }
        }
    }
}

/// How a port went away.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Lost {
    /// The other end closed it, or the adapter was unplugged.
    Closed,
    /// Reading or writing failed.
    Failed(String),
    /// A recording was played back and the session went another way than then.
    Diverged(String),
    /// A request could not be written in this time.
    WriteStuck(Duration),
}

impl fmt::Display for Lost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Closed => write!(f, "the other end closed it"),
            Self::Failed(problem) | Self::Diverged(problem) => write!(f, "{problem}"),
            Self::WriteStuck(after) => {
                write!(f, "writing was stuck for {:.1} s", after.as_secs_f64())
            }
        }
    }
}

fn by(holders: &[Holder]) -> String {
    if holders.is_empty() {
        return String::new();
    }
    let names: Vec<String> = holders.iter().map(Holder::to_string).collect();
    format!(" by {}", names.join(", "))
}

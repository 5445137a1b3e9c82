//! Why a history cannot be used, or not at this moment.

use std::io;
use std::path::{Path, PathBuf};

use rusqlite::ErrorCode;

/// Why the history cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HistoryError {
    /// The writer has ended.
    #[error("the history is closed")]
    Closed,
    /// Nothing can be written now; the poll waits in memory until it can.
    #[error("the history cannot be written now ({reason}); the poll waits in memory")]
    Waits {
        /// What the database says.
        reason: String,
    },
    /// Nothing can be written now, and as many polls as may wait in memory.
    #[error(
        "the history cannot be written now ({reason}), and {waiting} polls wait already; this one is lost"
    )]
    Lost {
        /// What the database says.
        reason: String,
        /// How many polls wait.
        waiting: usize,
    },
    /// Nothing can be written now, and this is not kept for later.
    #[error("the history cannot be written now ({reason})")]
    Unwritten {
        /// What the database says.
        reason: String,
    },
    /// Another program has it.
    #[error("another heatmeter is using the history {}", path.display())]
    InUse {
        /// The file.
        path: PathBuf,
    },
    /// The operating system does not let us.
    #[error("cannot open the history {}: {source}", path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The file cannot be looked at.
    #[error("cannot read the history {}: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The file may be read and not written.
    #[error("the history {} cannot be written", path.display())]
    ReadOnly {
        /// The file.
        path: PathBuf,
    },
    /// The file belongs to something else.
    #[error("{} is not a history of heatmeter", path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
    },
    /// A newer version wrote it.
    #[error("the history {} was written by a newer heatmeter: its layout is {found}, this one knows {known}", path.display())]
    Newer {
        /// The file.
        path: PathBuf,
        /// The layout it has.
        found: u32,
        /// The newest layout that is known here.
        known: u32,
    },
    /// A file that should be written is there already.
    #[error("{} exists already", path.display())]
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// A file cannot be written.
    #[error("cannot write {}: {source}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// What was read is damaged.
    #[error("the history is damaged")]
    Damaged,
    /// The database cannot do it.
    #[error("the history's database says: {0}")]
    Database(#[from] rusqlite::Error),
}

impl HistoryError {
    /// Whether the operating system, or somebody else, stands in the way.
    pub fn is_about_rights(&self) -> bool {
        match self {
            Self::Open { source, .. } | Self::Unreadable { source, .. } => {
                source.kind() != io::ErrorKind::NotFound
            }
            Self::InUse { .. } | Self::ReadOnly { .. } | Self::Write { .. } => true,
            _ => false,
        }
    }

    /// Whether another file should have been named.
    pub fn is_about_the_choice(&self) -> bool {
        match self {
            Self::Open { source, .. } | Self::Unreadable { source, .. } => {
                source.kind() == io::ErrorKind::NotFound
            }
            Self::Foreign { .. } | Self::Newer { .. } | Self::Exists { .. } => true,
            _ => false,
        }
    }

    /// What to do about it.
    pub fn help(&self) -> String {
        match self {
            Self::Closed => "the service is ending; nothing to do".to_owned(),
            Self::Waits { .. } | Self::Lost { .. } | Self::Unwritten { .. } => {
                "make room on the disk, or look at what is wrong with it; what waits is then written"
                    .to_owned()
            }
            Self::InUse { .. } => {
                "end the other one, or give each a history of its own (`path` under [history])"
                    .to_owned()
            }
            Self::Open { path, source } => match source.kind() {
                io::ErrorKind::NotFound => format!(
                    "make the folder {}, or choose another `path` under [history]",
                    folder(path).display()
                ),
                _ => format!(
                    "give the service's user the right to write in {}",
                    folder(path).display()
                ),
            },
            Self::Unreadable { source, .. } => match source.kind() {
                io::ErrorKind::NotFound => {
                    "name the file, or the gateway's configuration; the gateway makes its history \
                     when it first runs"
                        .to_owned()
                }
                _ => "do this as the user that the service runs as, or as root".to_owned(),
            },
            Self::ReadOnly { path } => format!(
                "give the service's user the right to write {} and in its folder",
                path.display()
            ),
            Self::Foreign { .. } => {
                "choose another `path` under [history]; this file was left alone".to_owned()
            }
            Self::Newer { .. } => {
                "install the newer version again, or restore the backup from before the upgrade"
                    .to_owned()
            }
            Self::Exists { .. } => "choose another name, or delete the file first".to_owned(),
            Self::Write { .. } => "choose a folder that you may write to and with room".to_owned(),
            Self::Database(error) if is_full(error) => "make room on the disk".to_owned(),
            Self::Damaged | Self::Database(_) => {
                "look at the disk; the service takes over what is readable of a damaged history"
                    .to_owned()
            }
        }
    }
}

/// The folder a file lies in.
pub(crate) fn folder(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

/// Whether there is no room.
pub(crate) fn is_full(error: &rusqlite::Error) -> bool {
    error.sqlite_error_code() == Some(ErrorCode::DiskFull)
}

/// Whether the file is damaged.
pub(crate) fn is_damage(error: &rusqlite::Error) -> bool {
    matches!(
        error.sqlite_error_code(),
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase)
    )
}

/// Whether the file may be read, and what SQLite needs beside it not be made.
pub(crate) fn is_about_rights(error: &rusqlite::Error) -> bool {
    matches!(
        error.sqlite_error_code(),
        Some(ErrorCode::ReadOnly | ErrorCode::CannotOpen | ErrorCode::PermissionDenied)
    )
}

/// Whether it is about the disk or the file, and not about what should be written.
pub(crate) fn is_about_the_disk(error: &rusqlite::Error) -> bool {
    matches!(
        error.sqlite_error_code(),
        Some(
            ErrorCode::DiskFull
                | ErrorCode::DatabaseCorrupt
                | ErrorCode::NotADatabase
                | ErrorCode::SystemIoFailure
                | ErrorCode::ReadOnly
                | ErrorCode::CannotOpen
                | ErrorCode::DatabaseBusy
                | ErrorCode::DatabaseLocked
                | ErrorCode::PermissionDenied
                | ErrorCode::OutOfMemory
        )
    )
}

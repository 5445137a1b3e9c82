//! The file: who may have it, whether it is whole.

use std::fs::{File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use rusqlite::Connection;

use crate::error::{HistoryError, is_damage};
use crate::history::{Opened, Settings};
use crate::salvage;
use crate::schema;

/// A history's file, ours alone for as long as this lives.
#[derive(Debug)]
pub(crate) struct HistoryFile {
    path: PathBuf,
    /// The lock ends with the process, however that ends. It is a file of its own because closing
    /// the database's file anywhere in the process would take SQLite's own locks away.
    _lock: File,
}

impl HistoryFile {
    /// Takes the file and sees to it that it is whole.
    pub(crate) fn open(
        path: &Path,
        settings: &Settings,
    ) -> Result<(Self, Connection, Opened), HistoryError> {
        let lock = lock(path)?;
        let file = Self {
            path: path.to_owned(),
            _lock: lock,
        };
        salvage::finish(path)?;
        if !may_write(path)? {
            let connection = file.connect(settings)?;
            return Ok((file, connection, Opened::Fresh));
        }
        if schema::is_text(path).map_err(|source| open_error(path, source))? {
            return Err(HistoryError::Foreign {
                path: path.to_owned(),
            });
        }
        let checked = file.connect(settings).and_then(|connection| {
            let is_small = file.size() <= settings.check_at_once;
            let is_whole = !is_small || is_whole(&connection)?;
            Ok(is_whole.then_some(connection))
        });
        match checked {
            Ok(Some(connection)) => return Ok((file, connection, Opened::Whole)),
            Ok(None) => {}
            Err(HistoryError::Database(error)) if is_damage(&error) => {
                tracing::error!("the history is damaged: {error}");
            }
            Err(error) => return Err(error),
        }
        let opened = file.salvage()?;
        let connection = file.connect(settings)?;
        Ok((file, connection, opened))
    }

    /// A connection that writes.
    pub(crate) fn connect(&self, settings: &Settings) -> Result<Connection, HistoryError> {
        let connection = schema::open(&self.path)?;
        if let Some(largest) = settings.largest {
            let size: u32 = connection.pragma_query_value(None, "page_size", |row| row.get(0))?;
            let pages = i64::try_from(largest / u64::from(size)).unwrap_or(i64::MAX);
            connection.query_row(&format!("PRAGMA max_page_count = {pages}"), [], |_| Ok(()))?;
        }
        Ok(connection)
    }

    /// Whether it is whole; looked at anew, past what a connection remembers of it.
    pub(crate) fn examine(&self) -> Result<bool, HistoryError> {
        let connection = schema::open_to_read(&self.path)?;
        Ok(is_whole(&connection)?)
    }

    /// Takes over what is readable into a new file and keeps the old one beside it. Nobody here may
    /// have it open.
    pub(crate) fn salvage(&self) -> Result<Opened, HistoryError> {
        let (kept, polls) = salvage::salvage(&self.path)?;
        tracing::error!(
            "{polls} polls of the damaged history were taken over; it is kept as {}",
            kept.display()
        );
        Ok(Opened::Salvaged { kept, polls })
    }

    fn size(&self) -> u64 {
        self.path.metadata().map_or(0, |data| data.len())
    }
}

/// Whether SQLite finds nothing wrong with the file.
pub(crate) fn is_whole(connection: &Connection) -> rusqlite::Result<bool> {
    let finding: String = connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
    if finding != "ok" {
        tracing::error!("the history is damaged: {finding}");
    }
    Ok(finding == "ok")
}

/// Brings everything into the file itself and closes it; no `-wal` is left.
pub(crate) fn close(connection: Connection) -> rusqlite::Result<()> {
    connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
    connection.close().map_err(|(_, error)| error)
}

/// A file beside this one, with something added to its name.
pub(crate) fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    name.into()
}

fn lock(path: &Path) -> Result<File, HistoryError> {
    let lock = beside(path, ".lock");
    let file = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&lock)
        .map_err(|source| open_error(path, source))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(HistoryError::InUse {
            path: path.to_owned(),
        }),
        Err(TryLockError::Error(source)) => Err(open_error(path, source)),
    }
}

/// Whether there is something at the path, and we may write it.
fn may_write(path: &Path) -> Result<bool, HistoryError> {
    match File::options().write(true).open(path) {
        Ok(file) => {
            let data = file.metadata().map_err(|source| open_error(path, source))?;
            Ok(data.len() > 0)
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error)
            if matches!(
                error.kind(),
                io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem
            ) =>
        {
            Err(HistoryError::ReadOnly {
                path: path.to_owned(),
            })
        }
        Err(source) => Err(open_error(path, source)),
    }
}

fn open_error(path: &Path, source: io::Error) -> HistoryError {
    HistoryError::Open {
        path: path.to_owned(),
        source,
    }
}

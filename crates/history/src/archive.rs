//! A history that is only looked at, also while a service writes it: for backup and export.

use std::fs;
use std::io::{self, Write};
use std::path::Path;

use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection, OpenFlags};

use crate::error::{HistoryError, is_about_rights};
use crate::export::{Cursor, Format, Selection};
use crate::file::beside;
use crate::poll::Meter;
use crate::{reader, schema};

/// So many pages are copied between two reports of progress.
const PAGES: i32 = 256;

/// A history that is only looked at.
#[derive(Debug)]
pub struct Archive {
    connection: Connection,
}

impl Archive {
    /// Opens the file to look at it.
    pub fn open(path: &Path) -> Result<Self, HistoryError> {
        let looked = match look_at(path, schema::open_to_look) {
            // Beside a file that nobody has open, SQLite wants to make another; where we may not, the
            // file alone is all there is.
            Err(HistoryError::Database(_)) if !beside(path, "-wal").exists() => {
                look_at(path, alone)
            }
            other => other,
        };
        match looked {
            Ok(connection) => Ok(Self { connection }),
            Err(HistoryError::Database(error)) => Err(why_not(path, error)),
            Err(error) => Err(error),
        }
    }

    /// All meters there were.
    pub fn meters(&self) -> Result<Vec<Meter>, HistoryError> {
        Ok(reader::meters(&self.connection)?)
    }

    /// Looks at the whole file, at what its indexes say, too; a large one takes a while.
    pub fn check(&self) -> Result<(), HistoryError> {
        check(&self.connection)
    }

    /// Writes polls, meter by meter, each in the order of their times; tells how many.
    pub fn export(
        &self,
        selection: &Selection,
        format: Format,
        out: &mut impl Write,
    ) -> Result<u64, ExportError> {
        format.begin(out)?;
        let mut count = 0;
        let mut cursor = Cursor::new(selection.clone());
        loop {
            let next = cursor.next(&self.connection).map_err(HistoryError::from)?;
            let Some((meter, polls)) = next else { break };
            for stored in &polls {
                format.poll(out, &meter, stored)?;
                count += 1;
            }
        }
        out.flush()?;
        Ok(count)
    }

    /// Copies everything as it is at this moment into one new file, and checks that; whoever writes
    /// meanwhile is not kept waiting. Reports how many pages of how many are copied.
    pub fn backup(&self, to: &Path, mut report: impl FnMut(u64, u64)) -> Result<(), HistoryError> {
        if to.exists() {
            return Err(HistoryError::Exists {
                path: to.to_owned(),
            });
        }
        let unfinished = beside(to, ".unfinished");
        let cannot_write = |source| HistoryError::Write {
            path: to.to_owned(),
            source,
        };
        // Says better than the database why it cannot be.
        fs::File::create(&unfinished).map_err(cannot_write)?;
        let copied = self.copy(&unfinished, &mut report);
        if copied.is_err() {
            // It is of no use, and the error says what is wrong.
            drop(fs::remove_file(&unfinished));
        }
        copied?;
        fs::rename(&unfinished, to).map_err(cannot_write)
    }

    fn copy(&self, to: &Path, report: &mut impl FnMut(u64, u64)) -> Result<(), HistoryError> {
        let mut target = Connection::open(to)?;
        // One moment for the whole copy: without it each change would begin the copy anew.
        let moment = self.connection.unchecked_transaction()?;
        reader::newest_id(&moment)?;
        {
            let backup = Backup::new(&moment, &mut target)?;
            loop {
                let step = backup.step(PAGES)?;
                let progress = backup.progress();
                let total = u64::try_from(progress.pagecount).unwrap_or(0);
                let left = u64::try_from(progress.remaining).unwrap_or(0);
                report(total.saturating_sub(left), total);
                if step == StepResult::Done {
                    break;
                }
            }
        }
        // One file, without companions.
        target.pragma_update(None, "journal_mode", "delete")?;
        check(&target)?;
        target.close().map_err(|(_, error)| error)?;
        Ok(())
    }
}

/// Why an export broke off.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ExportError {
    /// The history cannot be read.
    #[error(transparent)]
    History(#[from] HistoryError),
    /// What is written cannot be.
    #[error(transparent)]
    Output(#[from] io::Error),
}

fn check(connection: &Connection) -> Result<(), HistoryError> {
    let finding: String =
        connection.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))?;
    if finding == "ok" {
        return Ok(());
    }
    tracing::error!("the history is damaged: {finding}");
    Err(HistoryError::Damaged)
}

fn look_at(
    path: &Path,
    open: impl Fn(&Path) -> rusqlite::Result<Connection>,
) -> Result<Connection, HistoryError> {
    let connection = open(path)?;
    schema::check_history(&connection, path)?;
    Ok(connection)
}

/// A connection to a file that nobody changes.
fn alone(path: &Path) -> rusqlite::Result<Connection> {
    let mut name = path.display().to_string().replace('%', "%25");
    name = name.replace('?', "%3f").replace('#', "%23");
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI;
    Connection::open_with_flags(format!("file:{name}?immutable=1"), flags)
}

/// What the system says about a file that the database could not open. Asked only then: to open and
/// close a file beside SQLite takes away the locks that this process has on it.
fn why_not(path: &Path, error: rusqlite::Error) -> HistoryError {
    let path = path.to_owned();
    match schema::is_text(&path) {
        Ok(true) => HistoryError::Foreign { path },
        Ok(false) if is_about_rights(&error) => HistoryError::Unreadable {
            path,
            source: io::ErrorKind::PermissionDenied.into(),
        },
        Ok(false) => HistoryError::Database(error),
        Err(source) => HistoryError::Unreadable { path, source },
    }
}

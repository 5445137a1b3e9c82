//! A history that is only looked at, also while a service writes it: for backup and export.

use std::fs;
use std::io::{self, Write};
use std::path::Path;

use jiff::Timestamp;
use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection, OpenFlags};

use crate::error::HistoryError;
use crate::export::Format;
use crate::file::beside;
use crate::poll::{Meter, Stored};
use crate::{reader, schema};

/// So many pages are copied between two reports of progress.
const PAGES: i32 = 256;

/// So many polls are read at once.
const POLLS: usize = 500;

/// A history that is only looked at.
#[derive(Debug)]
pub struct Archive {
    connection: Connection,
}

/// Which polls are exported.
#[derive(Clone, Debug)]
pub struct Selection {
    /// Of this meter only.
    pub serial: Option<String>,
    /// From this moment on.
    pub from: Timestamp,
    /// Before this moment.
    pub to: Timestamp,
}

impl Default for Selection {
    fn default() -> Self {
        Self {
            serial: None,
            from: Timestamp::MIN,
            to: Timestamp::MAX,
        }
    }
}

impl Archive {
    /// Opens the file to look at it.
    pub fn open(path: &Path) -> Result<Self, HistoryError> {
        let is_text = schema::is_text(path).map_err(|source| HistoryError::Open {
            path: path.to_owned(),
            source,
        })?;
        if is_text {
            return Err(HistoryError::Foreign {
                path: path.to_owned(),
            });
        }
        let mut connection = schema::open_to_read(path)?;
        let mut owner = schema::check_history(&connection, path);
        // Beside a file that nobody has open, SQLite wants to make another; where we may not, the
        // file alone is all there is.
        if matches!(owner, Err(HistoryError::Database(_))) && !beside(path, "-wal").exists() {
            connection = alone(path)?;
            owner = schema::check_history(&connection, path);
        }
        owner.map(|()| Self { connection })
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
        for meter in reader::meters(&self.connection).map_err(HistoryError::from)? {
            if selection
                .serial
                .as_ref()
                .is_some_and(|serial| *serial != meter.serial)
            {
                continue;
            }
            let mut from = selection.from;
            loop {
                let polls = self.polls(&meter.serial, from, selection.to)?;
                for stored in &polls {
                    format.poll(out, &meter, stored)?;
                    count += 1;
                }
                let Some(last) = polls.last().filter(|_| polls.len() == POLLS) else {
                    break;
                };
                let step = jiff::SignedDuration::from_millis(1);
                from = last.poll.at.saturating_add(step).unwrap_or(Timestamp::MAX);
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

    fn polls(
        &self,
        serial: &str,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<Vec<Stored>, HistoryError> {
        Ok(reader::polls(&self.connection, serial, from, to, POLLS)?)
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

/// A connection to a file that nobody changes.
fn alone(path: &Path) -> Result<Connection, HistoryError> {
    let mut name = path.display().to_string().replace('%', "%25");
    name = name.replace('?', "%3f").replace('#', "%23");
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI;
    Ok(Connection::open_with_flags(
        format!("file:{name}?immutable=1"),
        flags,
    )?)
}

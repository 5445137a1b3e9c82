//! The layout of the file and how an older one becomes the newest.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use rusqlite::{Connection, OpenFlags, TransactionBehavior};

use crate::error::HistoryError;

/// Marks a SQLite file as ours: `HeaM`.
const APPLICATION_ID: i32 = 0x4865_614D;

/// What turns each layout into the next, from an empty file on. Never changed, only added to.
const STEPS: &[&str] = &[include_str!("schema/1.sql")];

/// The newest layout.
pub(crate) fn newest() -> u32 {
    u32::try_from(STEPS.len()).unwrap_or(u32::MAX)
}

/// A connection that writes. The layout is the newest one afterwards.
pub(crate) fn open(path: &Path) -> Result<Connection, HistoryError> {
    let mut connection = Connection::open_with_flags(
        path,
        OpenFlags::SQLITE_OPEN_READ_WRITE
            | OpenFlags::SQLITE_OPEN_CREATE
            | OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )?;
    check_owner(&connection, path)?;
    // A power cut after a commit must not take it back. Small caches: this runs on small machines.
    connection.pragma_update(None, "journal_mode", "wal")?;
    connection.pragma_update(None, "synchronous", "full")?;
    connection.pragma_update(None, "cache_size", -1024)?;
    connection.pragma_update(None, "wal_autocheckpoint", 500)?;
    connection.pragma_update(None, "journal_size_limit", 4 << 20)?;
    connection.set_prepared_statement_cache_capacity(32);
    migrate(&mut connection)?;
    Ok(connection)
}

/// A connection that only reads.
pub(crate) fn open_to_read(path: &Path) -> Result<Connection, HistoryError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.pragma_update(None, "cache_size", -512)?;
    connection.set_prepared_statement_cache_capacity(16);
    Ok(connection)
}

/// A connection for a program that only looks, perhaps while nobody else has the file open. One that may
/// not write would leave the files behind that SQLite makes beside it.
pub(crate) fn open_to_look(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.pragma_update(None, "query_only", true)?;
    connection.pragma_update(None, "cache_size", -512)?;
    Ok(connection)
}

/// Refuses what is not ours or too new for us. An empty file is nobody's.
pub(crate) fn check_owner(connection: &Connection, path: &Path) -> Result<(), HistoryError> {
    let owner: i32 = connection.pragma_query_value(None, "application_id", |row| row.get(0))?;
    let tables: u32 =
        connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    if owner != APPLICATION_ID && tables > 0 {
        return Err(HistoryError::Foreign {
            path: path.to_owned(),
        });
    }
    let found = layout(connection)?;
    if found > newest() {
        return Err(HistoryError::Newer {
            path: path.to_owned(),
            found,
            known: newest(),
        });
    }
    Ok(())
}

/// Refuses what is no history at all, too.
pub(crate) fn check_history(connection: &Connection, path: &Path) -> Result<(), HistoryError> {
    check_owner(connection, path)?;
    if layout(connection)? == 0 {
        return Err(HistoryError::Foreign {
            path: path.to_owned(),
        });
    }
    Ok(())
}

/// Whether the file holds text, so that it is somebody's and no damaged database.
pub(crate) fn is_text(path: &Path) -> io::Result<bool> {
    let mut start = Vec::new();
    File::open(path)?.take(4096).read_to_end(&mut start)?;
    let text = match std::str::from_utf8(&start) {
        Ok(_) => true,
        // Cut off within a letter.
        Err(error) => error.error_len().is_none(),
    };
    Ok(!start.is_empty() && text && !start.contains(&0))
}

fn layout(connection: &Connection) -> rusqlite::Result<u32> {
    connection.pragma_query_value(None, "user_version", |row| row.get(0))
}

fn migrate(connection: &mut Connection) -> rusqlite::Result<()> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let found = layout(&transaction)?;
    let steps = STEPS.iter().zip(1_u32..).skip(found as usize);
    let mut changed = false;
    for (step, layout) in steps {
        transaction.execute_batch(step)?;
        transaction.pragma_update(None, "user_version", layout)?;
        transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
        tracing::info!("the history's layout is {layout} now");
        changed = true;
    }
    if changed {
        transaction.commit()?;
    }
    Ok(())
}

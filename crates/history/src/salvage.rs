//! What is done with a damaged file: what is readable goes into a new one, the old one is kept
//! beside it.
//!
//! The new file is made under another name and takes the path only when it is complete, in steps
//! that are finished after a crash wherever it came.

use std::fs::{self, File};
use std::io;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

use rusqlite::types::Value;
use rusqlite::{Connection, OpenFlags, Result, ToSql, params_from_iter};

use crate::error::{HistoryError, folder};
use crate::file::beside;
use crate::poll::PollId;
use crate::reader;
use crate::schema;
use crate::write::Batch;

/// So many polls are read together; where that fails, half as many, down to each by itself.
const TOGETHER: i64 = 256;

/// More damaged files than this are not kept: something is wrong with the disk.
const MOST_KEPT: u32 = 9;

/// All chunks that can be: until the year 2140.
const HOUR_CHUNKS: i64 = 62_500;
const DAY_CHUNKS: i64 = 2_000;

/// Small tables, and the order of their rows.
const TABLES: [(&str, &str); 5] = [
    ("meters", "id"),
    ("places", "name"),
    ("outages", "meter, began"),
    ("breaks", "meter, register, at"),
    ("latest", "meter, register"),
];

/// Takes over what is readable. Tells where the damaged file is now, and how many polls are in the
/// new one.
pub(crate) fn salvage(path: &Path) -> core::result::Result<(PathBuf, u64), HistoryError> {
    let unfinished = beside(path, ".salvaging");
    remove(&unfinished)?;
    let target = schema::open(&unfinished)?;
    target.pragma_update(None, "synchronous", "off")?;
    let polls = match source(path) {
        Ok(source) => copy(&source, &target)?,
        Err(_) => 0,
    };
    target.pragma_update(None, "synchronous", "full")?;
    crate::file::close(target)?;
    let finished = beside(path, ".salvaged");
    rename(&unfinished, &finished)?;
    sync_folder(path);
    Ok((finish(path)?.unwrap_or_default(), polls))
}

/// Puts a salvaged file into its place, if there is one, and tells where the damaged one is now.
pub(crate) fn finish(path: &Path) -> core::result::Result<Option<PathBuf>, HistoryError> {
    let finished = beside(path, ".salvaged");
    if !finished.exists() {
        remove(&beside(path, ".salvaging"))?;
        return Ok(None);
    }
    let kept = free_name(path)?;
    // What is left of the old file's journal must not meet the new file.
    let journal = beside(path, "-wal");
    if journal.exists() {
        rename(&journal, &beside(&kept, "-wal"))?;
    }
    remove_one(&beside(path, "-shm"))?;
    if path.exists() {
        rename(path, &kept)?;
    }
    rename(&finished, path)?;
    sync_folder(path);
    Ok(Some(kept))
}

/// A connection that reads what it can. SQLite refuses a file that was cut off, unless it is told that
/// somebody repairs it.
fn source(path: &Path) -> Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.pragma_update(None, "writable_schema", true)?;
    Ok(connection)
}

fn copy(source: &Connection, target: &Connection) -> Result<u64> {
    target.execute_batch("BEGIN")?;
    for (table, order) in TABLES {
        copy_rows(source, target, &format!("{table} ORDER BY {order}"), &[])?;
    }
    // The polls tell once more what lasts.
    target.execute("DELETE FROM outages WHERE ended IS NULL", [])?;
    let meters = target
        .prepare("SELECT id FROM meters")?
        .query_map([], |row| row.get(0))?
        .collect::<Result<Vec<i64>>>()?;
    for meter in meters {
        for (table, all) in [("hours", HOUR_CHUNKS), ("days", DAY_CHUNKS)] {
            let rows = format!(
                "{table} WHERE meter = ? AND chunk = ? ORDER BY meter, chunk, register, slot, unit"
            );
            for chunk in chunks(source, table, meter).unwrap_or(0..=all) {
                copy_rows(source, target, &rows, &[&meter, &chunk])?;
            }
        }
    }
    target.execute_batch("COMMIT")?;

    let mut polls = 0;
    let newest = newest_id(source);
    let mut from = 1;
    while from <= newest {
        target.execute_batch("BEGIN")?;
        let mut batch = Batch::new(target);
        for _ in 0..16 {
            let to = newest.min(from + TOGETHER - 1);
            polls += copy_polls(source, &mut batch, (from, to))?;
            from = to + 1;
        }
        batch.finish()?;
        target.execute_batch("COMMIT")?;
    }
    Ok(polls)
}

/// Between which chunks a table has rows of a meter; nothing where that cannot be read.
fn chunks(source: &Connection, table: &str, meter: i64) -> Option<RangeInclusive<i64>> {
    let outermost = |which| {
        let question = format!("SELECT {which}(chunk) FROM {table} WHERE meter = ?");
        source
            .query_row(&question, [meter], |row| row.get::<_, Option<i64>>(0))
            .ok()
            .map(Option::unwrap_or_default)
    };
    Some(outermost("min")?..=outermost("max")?)
}

/// Copies rows of a table from both ends, as far as they are readable. What the layout does not
/// allow is damage and left out.
fn copy_rows(
    source: &Connection,
    target: &Connection,
    rows: &str,
    parameters: &[&dyn ToSql],
) -> Result<()> {
    let table = rows.split(' ').next().unwrap_or(rows);
    let backwards = format!("{} DESC", rows.replace(", ", " DESC, "));
    for rows in [rows, &backwards] {
        let Ok(mut select) = source.prepare_cached(&format!("SELECT * FROM {rows}")) else {
            return Ok(());
        };
        let width = select.column_count();
        let places = vec!["?"; width].join(",");
        let mut insert =
            target.prepare_cached(&format!("INSERT OR IGNORE INTO {table} VALUES ({places})"))?;
        let Ok(mut found) = select.query(parameters) else {
            return Ok(());
        };
        let is_complete = loop {
            let row = match found.next() {
                Ok(Some(row)) => row,
                Ok(None) => break true,
                Err(_) => break false,
            };
            let values = (0..width)
                .map(|column| row.get(column))
                .collect::<Result<Vec<Value>>>();
            let Ok(values) = values else { continue };
            match insert.execute(params_from_iter(values)) {
                Err(error) if crate::error::is_about_the_disk(&error) => return Err(error),
                _ => {}
            }
        };
        if is_complete {
            break;
        }
    }
    Ok(())
}

/// Copies polls that are readable with all of their readings, each to the place where it stood.
fn copy_polls(source: &Connection, batch: &mut Batch<'_>, (from, to): (i64, i64)) -> Result<u64> {
    match reader::between(source, PollId(from), PollId(to)) {
        Ok(found) => {
            let mut polls = 0;
            for stored in found {
                match batch.poll_again(stored.id, &stored.poll) {
                    Ok(()) => polls += 1,
                    Err(error) if crate::error::is_about_the_disk(&error) => return Err(error),
                    Err(error) => tracing::warn!("poll {} is left out: {error}", stored.poll.id()),
                }
            }
            Ok(polls)
        }
        Err(_) if from < to => {
            let middle = from + (to - from) / 2;
            Ok(copy_polls(source, batch, (from, middle))?
                + copy_polls(source, batch, (middle + 1, to))?)
        }
        Err(_) => Ok(0),
    }
}

/// The greatest id that any table still tells.
fn newest_id(source: &Connection) -> i64 {
    [
        "SELECT max(id) FROM polls",
        "SELECT max(poll) FROM readings",
        "SELECT max(acknowledged) FROM places",
    ]
    .into_iter()
    .filter_map(|question| {
        let answer = source.query_row(question, [], |row| row.get::<_, Option<i64>>(0));
        answer.ok().flatten()
    })
    .max()
    .unwrap_or(0)
}

fn free_name(path: &Path) -> core::result::Result<PathBuf, HistoryError> {
    let first = beside(path, ".damaged");
    let names = (2..=MOST_KEPT).map(|n| beside(path, &format!(".damaged-{n}")));
    std::iter::once(first.clone())
        .chain(names)
        .find(|name| !name.exists())
        .ok_or(HistoryError::Exists { path: first })
}

fn rename(from: &Path, to: &Path) -> core::result::Result<(), HistoryError> {
    fs::rename(from, to).map_err(|source| HistoryError::Write {
        path: to.to_owned(),
        source,
    })
}

/// Removes a database that was not finished.
fn remove(path: &Path) -> core::result::Result<(), HistoryError> {
    for ending in ["-wal", "-shm", ""] {
        remove_one(&beside(path, ending))?;
    }
    Ok(())
}

fn remove_one(path: &Path) -> core::result::Result<(), HistoryError> {
    match fs::remove_file(path) {
        Err(source) if source.kind() != io::ErrorKind::NotFound => Err(HistoryError::Write {
            path: path.to_owned(),
            source,
        }),
        _ => Ok(()),
    }
}

/// Has the folder remember its names; where that cannot be, there is nothing to be done about it.
fn sync_folder(path: &Path) {
    if let Ok(folder) = File::open(folder(path)) {
        drop(folder.sync_all());
    }
}

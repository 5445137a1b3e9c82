//! Retention: what is deleted, and in which steps.

use std::time::Duration;

use jiff::Timestamp;
use rusqlite::{Connection, Result, params};

/// So many polls are deleted in one transaction, so that nobody waits long for the writer.
const STEP: i64 = 500;

/// How long polls are kept. Roll-ups and what explains gaps are kept for ever.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Keep {
    /// Polls that every destination has acknowledged.
    pub readings: Duration,
    /// Polls that a destination still waits for, if that is longer.
    pub undelivered: Duration,
}

/// Before which moment polls are deleted, in milliseconds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cutoff {
    readings: i64,
    undelivered: i64,
}

impl Keep {
    pub(crate) fn cutoff(self, now: Timestamp) -> Cutoff {
        let before = |keep: Duration| {
            let keep = i64::try_from(keep.as_millis()).unwrap_or(i64::MAX);
            now.as_millisecond().saturating_sub(keep)
        };
        let readings = before(self.readings);
        Cutoff {
            readings,
            undelivered: before(self.undelivered).min(readings),
        }
    }
}

/// Deletes some polls and tells how many; none is left when it is none. The newest poll stays in any
/// case: ids must go on growing.
pub(crate) fn step(connection: &Connection, cutoff: &Cutoff) -> Result<u64> {
    let mut ids = connection.prepare_cached(
        "SELECT p.id FROM meters m JOIN polls p ON p.meter = m.id
         WHERE p.at < ?1 AND p.id < (SELECT max(id) FROM polls)
         AND (p.at < ?2 OR p.id <= (SELECT coalesce(min(acknowledged), p.id) FROM places))
         LIMIT ?3",
    )?;
    let ids = ids
        .query_map(params![cutoff.readings, cutoff.undelivered, STEP], |row| {
            row.get::<_, i64>(0)
        })?
        .collect::<Result<Vec<_>>>()?;
    let mut readings = connection.prepare_cached("DELETE FROM readings WHERE poll = ?")?;
    let mut polls = connection.prepare_cached("DELETE FROM polls WHERE id = ?")?;
    for id in &ids {
        readings.execute([id])?;
        polls.execute([id])?;
    }
    Ok(ids.len() as u64)
}

//! What is read: who the meters are, what was polled, what is still to be delivered.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Result, Row, params};

use crate::history::{Extent, Latest};
use crate::poll::{Line, Meter, Poll, PollId, Stored};
use crate::row::{self, Millisecond, VerdictCode};

const POLL: &str = "SELECT p.id, m.serial, p.at, p.verdict, p.requests, p.retries, p.bytes_sent,
    p.bytes_received, p.microseconds FROM polls p JOIN meters m ON m.id = p.meter";

/// All meters there were.
pub(crate) fn meters(connection: &Connection) -> Result<Vec<Meter>> {
    connection
        .prepare_cached("SELECT serial, model, type, software FROM meters ORDER BY serial")?
        .query_map([], |row| {
            Ok(Meter {
                serial: row.get(0)?,
                model: row.get(1)?,
                type_code: row.get(2)?,
                software: row.get(3)?,
            })
        })?
        .collect()
}

/// What the gate remembered of a meter.
pub(crate) fn memory(connection: &Connection, serial: &str) -> Result<Option<String>> {
    let memory = connection
        .prepare_cached("SELECT memory FROM meters WHERE serial = ?")?
        .query_row([serial], |row| row.get(0))
        .optional()?;
    Ok(memory.flatten())
}

/// The greatest id there is.
pub(crate) fn newest_id(connection: &Connection) -> Result<PollId> {
    connection.query_row("SELECT coalesce(max(id), 0) FROM polls", [], |row| {
        row.get(0).map(PollId)
    })
}

/// The poll of a meter that was recorded last.
pub(crate) fn newest(connection: &Connection, serial: &str) -> Result<Option<Stored>> {
    let polls = polls_where(
        connection,
        "WHERE p.id = (SELECT max(p.id) FROM polls p JOIN meters m ON m.id = p.meter
         WHERE m.serial = ?)",
        params![serial],
    )?;
    Ok(polls.into_iter().next())
}

/// Polls of a meter in the order of their times: from one moment on, before another, at most so many.
pub(crate) fn polls(
    connection: &Connection,
    serial: &str,
    from: Timestamp,
    to: Timestamp,
    limit: usize,
) -> Result<Vec<Stored>> {
    polls_where(
        connection,
        "WHERE m.serial = ?1 AND p.at >= ?2 AND p.at < ?3 ORDER BY p.at LIMIT ?4",
        params![
            serial,
            from.as_millisecond(),
            to.as_millisecond(),
            count(limit)
        ],
    )
}

/// The latest reading of every register of a meter, in the order of their numbers.
pub(crate) fn latest(connection: &Connection, serial: &str) -> Result<Vec<Latest>> {
    connection
        .prepare_cached(
            "SELECT l.register, l.quality, l.unit, l.exponent, l.mantissa, l.text, l.reason, l.at
             FROM latest l JOIN meters m ON m.id = l.meter WHERE m.serial = ? ORDER BY l.register",
        )?
        .query_map([serial], latest_of)?
        .collect()
}

/// How many polls are looked through for what was the latest before one of them.
const LOOKED_THROUGH: usize = 10_000;

/// The latest reading of every register of a meter before this poll, in the order of their numbers.
pub(crate) fn latest_before(
    connection: &Connection,
    serial: &str,
    poll: &Stored,
) -> Result<Vec<Latest>> {
    // One that was not read since is still the latest.
    let mut all: BTreeMap<_, _> = latest(connection, serial)?
        .into_iter()
        .filter(|latest| latest.at < poll.poll.at)
        .map(|latest| (latest.reading.register, latest))
        .collect();
    // Of each group, the row with the greatest id.
    let mut others = connection.prepare_cached(
        "SELECT r.register, r.quality, r.unit, r.exponent, r.mantissa, r.text, r.reason, p.at,
         max(p.id) FROM (SELECT p.id, p.at FROM polls p JOIN meters m ON m.id = p.meter
         WHERE m.serial = ? AND p.id < ? ORDER BY p.id DESC LIMIT ?) p
         JOIN readings r ON r.poll = p.id AND r.quality IS NOT 'unanswered' GROUP BY r.register",
    )?;
    let others = others.query_map(params![serial, poll.id.0, count(LOOKED_THROUGH)], latest_of)?;
    for latest in others {
        let latest = latest?;
        all.insert(latest.reading.register, latest);
    }
    Ok(all.into_values().collect())
}

fn latest_of(row: &Row<'_>) -> Result<Latest> {
    Ok(Latest {
        reading: row::reading(row, 0)?,
        at: row.get::<_, Millisecond>(7)?.0,
    })
}

/// Up to where a place has acknowledged; nothing if nobody asked about it before.
pub(crate) fn acknowledged(connection: &Connection, place: &str) -> Result<Option<PollId>> {
    connection
        .prepare_cached("SELECT acknowledged FROM places WHERE name = ?")?
        .query_row([place], |row| row.get(0).map(PollId))
        .optional()
}

/// All places and up to where they have acknowledged.
pub(crate) fn places(connection: &Connection) -> Result<Vec<(String, PollId)>> {
    connection
        .prepare_cached("SELECT name, acknowledged FROM places ORDER BY name")?
        .query_map([], |row| Ok((row.get(0)?, PollId(row.get(1)?))))?
        .collect()
}

/// The polls after this one, in the order in which they were recorded.
pub(crate) fn after(connection: &Connection, id: PollId, limit: usize) -> Result<Vec<Stored>> {
    polls_where(
        connection,
        "WHERE p.id > ? ORDER BY p.id LIMIT ?",
        params![id.0, count(limit)],
    )
}

/// The polls between these, both included.
pub(crate) fn between(connection: &Connection, from: PollId, to: PollId) -> Result<Vec<Stored>> {
    polls_where(
        connection,
        "WHERE p.id BETWEEN ? AND ? ORDER BY p.id",
        params![from.0, to.0],
    )
}

/// How many polls there are after this one.
pub(crate) fn count_after(connection: &Connection, id: PollId) -> Result<u64> {
    connection
        .prepare_cached("SELECT count(*) FROM polls WHERE id > ?")?
        .query_row([id.0], |row| row.get::<_, i64>(0))
        .map(i64::unsigned_abs)
}

/// How much there is.
pub(crate) fn extent(connection: &Connection) -> Result<Extent> {
    connection.query_row(
        "SELECT (SELECT page_count * page_size FROM pragma_page_count, pragma_page_size),
         (SELECT count(*) FROM polls),
         (SELECT min((SELECT min(p.at) FROM polls p WHERE p.meter = m.id)) FROM meters m)",
        [],
        |row| {
            let since: Option<Millisecond> = row.get(2)?;
            Ok(Extent {
                bytes: row.get::<_, i64>(0)?.unsigned_abs(),
                polls: row.get::<_, i64>(1)?.unsigned_abs(),
                since: since.map(|Millisecond(at)| at),
            })
        },
    )
}

fn polls_where(
    connection: &Connection,
    which: &str,
    parameters: impl rusqlite::Params,
) -> Result<Vec<Stored>> {
    let mut polls = connection
        .prepare_cached(&format!("{POLL} {which}"))?
        .query_map(parameters, stored)?
        .collect::<Result<Vec<_>>>()?;
    let mut readings = connection.prepare_cached(
        "SELECT register, quality, unit, exponent, mantissa, text, reason FROM readings
         WHERE poll = ? ORDER BY register",
    )?;
    for stored in &mut polls {
        stored.poll.readings = readings
            .query_map([stored.id.0], |row| row::reading(row, 0))?
            .collect::<Result<_>>()?;
    }
    Ok(polls)
}

fn stored(row: &Row<'_>) -> Result<Stored> {
    let unsigned = |column| row.get::<_, i64>(column).map(i64::unsigned_abs);
    let line = Line {
        requests: row.get(4)?,
        retries: row.get(5)?,
        bytes_sent: unsigned(6)?,
        bytes_received: unsigned(7)?,
        took: Duration::from_micros(unsigned(8)?),
    };
    Ok(Stored {
        id: PollId(row.get(0)?),
        poll: Poll {
            serial: row.get(1)?,
            at: row.get::<_, Millisecond>(2)?.0,
            verdict: row.get::<_, VerdictCode>(3)?.0,
            readings: Vec::new(),
            line,
        },
    })
}

fn count(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}

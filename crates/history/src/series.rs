//! What a chart shows: a register over a span of time in a given number of points, and where nothing
//! was read.
//!
//! Short spans are drawn from the readings, long ones from the roll-ups, and what was read before
//! the oldest reading that is kept from the roll-ups of hours.

use heatmeter_catalog::RegisterId;
use jiff::Timestamp;
use kamstrup_kmp::{Decimal, Unit, Verdict, convert, convert_rounded};
use rusqlite::{Connection, Result, params};

use crate::gaps;
use crate::rollup::{self, Level, Rollup};
use crate::row::{self, Millisecond};
use crate::write;

/// From this width of a point on, in milliseconds, roll-ups of hours are fine enough.
const HOURS_FROM: i64 = 15 * 60_000;

/// A register over a span of time.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Series {
    /// The unit of all numbers: that of the latest reading.
    pub unit: Option<Unit>,
    /// Where something was read, in order: at most as many as were asked for.
    pub points: Vec<Point>,
    /// Where nothing was read for longer than usual, in order. No point lies within.
    pub gaps: Vec<Gap>,
}

/// All that was read in one stretch of a series.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Point {
    /// The time of its last reading.
    pub at: Timestamp,
    /// Its last reading.
    pub last: Decimal,
    /// Its least.
    pub min: Decimal,
    /// Its greatest.
    pub max: Decimal,
}

/// A time in which nothing was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gap {
    /// The last reading before it.
    pub from: Timestamp,
    /// The first one after it.
    pub to: Timestamp,
    /// What polls came to for most of it; nothing where there were none, or where they were
    /// answered without this register.
    pub verdict: Option<Verdict>,
}

/// Which part of which register.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stretch {
    pub(crate) register: RegisterId,
    pub(crate) from: Timestamp,
    pub(crate) to: Timestamp,
}

/// What was read, and how long its slot is: nothing for a reading itself.
pub(crate) struct Piece {
    pub(crate) rollup: Rollup,
    pub(crate) level: Option<Level>,
}

impl Piece {
    /// The length of its slot in milliseconds; none for a reading.
    pub(crate) fn length(&self) -> i64 {
        self.level.map_or(0, Level::length)
    }
}

/// Reads a series of at most so many points.
pub(crate) fn series(
    connection: &Connection,
    serial: &str,
    stretch: Stretch,
    points: usize,
) -> Result<Series> {
    let Some(meter) = write::meter_id(connection, serial)? else {
        return Ok(Series::default());
    };
    let Some(unit) = unit(connection, meter, stretch.register)? else {
        return Ok(Series::default());
    };
    let length = stretch.to.as_millisecond() - stretch.from.as_millisecond();
    let points = i64::try_from(points.max(1)).unwrap_or(i64::MAX);
    if length <= 0 {
        return Ok(Series {
            unit: Some(unit),
            ..Series::default()
        });
    }
    let width = (length.saturating_add(points - 1) / points).max(1);
    let pieces = pieces(connection, meter, stretch, unit, width)?;
    let gaps = gaps::gaps(connection, meter, stretch, &pieces, width)?;
    Ok(Series {
        unit: Some(unit),
        points: bucketed(&pieces, stretch.from, width),
        gaps,
    })
}

/// The unit of a register's latest number.
pub(crate) fn unit(
    connection: &Connection,
    meter: i64,
    register: RegisterId,
) -> Result<Option<Unit>> {
    let mut statement = connection
        .prepare_cached("SELECT good_unit FROM latest WHERE meter = ? AND register = ?")?;
    let mut rows = statement.query(params![meter, register.0])?;
    match rows.next()? {
        Some(row) => Ok(row.get::<_, Option<u8>>(0)?.map(Unit)),
        None => Ok(None),
    }
}

fn pieces(
    connection: &Connection,
    meter: i64,
    stretch: Stretch,
    unit: Unit,
    width: i64,
) -> Result<Vec<Piece>> {
    let level = match width {
        width if width >= Level::Day.length() => Some(Level::Day),
        width if width >= HOURS_FROM => Some(Level::Hour),
        _ => None,
    };
    if let Some(level) = level {
        return rolled_up(connection, meter, stretch, unit, level);
    }
    let Some(oldest) = oldest_reading(connection, meter)? else {
        return rolled_up(connection, meter, stretch, unit, Level::Hour);
    };
    let mut pieces = Vec::new();
    if stretch.from < oldest {
        let until = Level::Hour.slot(oldest) * Level::Hour.length();
        let before = Stretch {
            to: Timestamp::from_millisecond(until)
                .unwrap_or(oldest)
                .min(stretch.to),
            ..stretch
        };
        pieces = rolled_up(connection, meter, before, unit, Level::Hour)?;
    }
    pieces.extend(readings(connection, meter, stretch, unit)?);
    Ok(pieces)
}

fn rolled_up(
    connection: &Connection,
    meter: i64,
    stretch: Stretch,
    unit: Unit,
    level: Level,
) -> Result<Vec<Piece>> {
    // The span is half open: a slot that begins at its end does not belong to it.
    let Ok(end) = stretch.to.checked_sub(jiff::SignedDuration::from_millis(1)) else {
        return Ok(Vec::new());
    };
    let range = rollup::outermost(connection, meter)?;
    let Some((oldest, newest)) = range else {
        return Ok(Vec::new());
    };
    let slots = (
        level.slot(stretch.from.max(oldest)),
        level.slot(end.min(newest)),
    );
    let found = rollup::between(connection, level, meter, stretch.register, slots)?;
    let pieces = found.into_iter().filter_map(|(from, rollup)| {
        Some(Piece {
            rollup: in_unit(&rollup, from, unit)?,
            level: Some(level),
        })
    });
    Ok(pieces.collect())
}

fn readings(
    connection: &Connection,
    meter: i64,
    stretch: Stretch,
    unit: Unit,
) -> Result<Vec<Piece>> {
    let mut statement = connection.prepare_cached(
        "SELECT p.at, r.unit, r.exponent, r.mantissa
         FROM polls p CROSS JOIN readings r ON r.poll = p.id AND r.register = ?2
         WHERE p.meter = ?1 AND p.at >= ?3 AND p.at < ?4
         AND r.quality IS NULL AND r.exponent IS NOT NULL ORDER BY p.at",
    )?;
    let mut rows = statement.query(params![
        meter,
        stretch.register.0,
        stretch.from.as_millisecond(),
        stretch.to.as_millisecond()
    ])?;
    let mut pieces = Vec::new();
    while let Some(row) = rows.next()? {
        let Millisecond(at) = row.get(0)?;
        let from = row.get::<_, Option<u8>>(1)?.map_or(Unit::NONE, Unit);
        let number = row::number(row, 2)?;
        if let Some(number) = number.and_then(|number| shown_in(number, from, unit)) {
            pieces.push(Piece {
                rollup: Rollup::of(at, number),
                level: None,
            });
        }
    }
    Ok(pieces)
}

fn oldest_reading(connection: &Connection, meter: i64) -> Result<Option<Timestamp>> {
    let oldest: Option<Millisecond> = connection
        .prepare_cached("SELECT min(at) FROM polls WHERE meter = ?")?
        .query_row([meter], |row| row.get(0))?;
    Ok(oldest.map(|Millisecond(at)| at))
}

fn bucketed(pieces: &[Piece], from: Timestamp, width: i64) -> Vec<Point> {
    let bucket = |at: Timestamp| (at.as_millisecond() - from.as_millisecond()).div_euclid(width);
    let mut rollups: Vec<Rollup> = Vec::new();
    for piece in pieces {
        match rollups.last_mut() {
            Some(last) if bucket(last.last.0) == bucket(piece.rollup.last.0) => {
                last.extend(&piece.rollup);
            }
            _ => rollups.push(piece.rollup),
        }
    }
    let points = rollups.iter().map(|rollup| Point {
        at: rollup.last.0,
        last: rollup.last.1,
        min: rollup.low,
        max: rollup.high,
    });
    points.collect()
}

fn in_unit(rollup: &Rollup, from: Unit, to: Unit) -> Option<Rollup> {
    let moment = |(at, number)| Some((at, shown_in(number, from, to)?));
    Some(Rollup {
        first: moment(rollup.first)?,
        last: moment(rollup.last)?,
        low: shown_in(rollup.low, from, to)?,
        high: shown_in(rollup.high, from, to)?,
    })
}

/// A number in another unit, where the meter's changed. A chart may round what has no exact decimal.
fn shown_in(number: Decimal, from: Unit, to: Unit) -> Option<Decimal> {
    if from == to {
        return Some(number);
    }
    convert(number, from, to)
        .or_else(|_| convert_rounded(number, from, to, number.exponent().saturating_sub(3)))
        .ok()
}

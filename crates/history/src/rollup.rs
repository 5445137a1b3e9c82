//! Roll-ups: what a register did in an hour and in a day, so that long spans are drawn from few rows.
//!
//! Merging a number in twice changes nothing: a roll-up that survived damage takes the polls that
//! survived once more.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use heatmeter_catalog::RegisterId;
use jiff::Timestamp;
use kamstrup_kmp::{Decimal, Unit};
use rusqlite::{Connection, Result, Row, params};

use crate::row::Mantissa;

/// How long a slot is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Level {
    /// An hour of UTC.
    Hour,
    /// A day of UTC.
    Day,
}

/// What a register did in one slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Rollup {
    pub(crate) first: (Timestamp, Decimal),
    pub(crate) last: (Timestamp, Decimal),
    pub(crate) low: Decimal,
    pub(crate) high: Decimal,
}

/// Which slot of which register.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Slot {
    pub(crate) level: Level,
    pub(crate) meter: i64,
    pub(crate) register: RegisterId,
    pub(crate) unit: Unit,
    pub(crate) number: i64,
}

/// The roll-ups that a transaction changes: each is read and written once, however many polls
/// there are.
#[derive(Debug, Default)]
pub(crate) struct Rollups(HashMap<Slot, Rollup>);

impl Level {
    pub(crate) const ALL: [Self; 2] = [Self::Hour, Self::Day];

    /// The length of a slot in milliseconds.
    pub(crate) const fn length(self) -> i64 {
        match self {
            Self::Hour => 3_600_000,
            Self::Day => 24 * 3_600_000,
        }
    }

    /// How many slots lie together.
    pub(crate) const fn chunk(self) -> i64 {
        match self {
            Self::Hour => 24,
            Self::Day => 32,
        }
    }

    /// The slot that a moment lies in.
    pub(crate) fn slot(self, at: Timestamp) -> i64 {
        at.as_millisecond().div_euclid(self.length())
    }

    const fn read(self) -> &'static str {
        match self {
            Self::Hour => {
                "SELECT unit, slot, exponent, first_after, first, last_after, last, low, high
                 FROM hours WHERE meter = ?1 AND chunk = ?2 AND register = ?3
                 AND slot BETWEEN ?4 AND ?5"
            }
            Self::Day => {
                "SELECT unit, slot, exponent, first_after, first, last_after, last, low, high
                 FROM days WHERE meter = ?1 AND chunk = ?2 AND register = ?3
                 AND slot BETWEEN ?4 AND ?5"
            }
        }
    }

    const fn write(self) -> &'static str {
        match self {
            Self::Hour => "INSERT OR REPLACE INTO hours VALUES (?,?,?,?,?,?,?,?,?,?,?,?)",
            Self::Day => "INSERT OR REPLACE INTO days VALUES (?,?,?,?,?,?,?,?,?,?,?,?)",
        }
    }
}

impl Rollup {
    /// A single number.
    pub(crate) fn of(at: Timestamp, number: Decimal) -> Self {
        Self {
            first: (at, number),
            last: (at, number),
            low: number,
            high: number,
        }
    }

    fn merge(&mut self, at: Timestamp, number: Decimal) {
        if at < self.first.0 {
            self.first = (at, number);
        }
        if at >= self.last.0 {
            self.last = (at, number);
        }
        self.low = self.low.min(number);
        self.high = self.high.max(number);
    }

    /// Takes in the roll-up of a later slot.
    pub(crate) fn extend(&mut self, later: &Self) {
        self.last = later.last;
        self.low = self.low.min(later.low);
        self.high = self.high.max(later.high);
    }

    /// All numbers at the finest resolution among them; nothing if one does not fit.
    fn aligned(&self) -> Option<(i8, [i128; 4])> {
        let numbers = [self.first.1, self.last.1, self.low, self.high];
        let exponent = numbers.iter().map(|number| number.exponent()).min()?;
        let mut mantissas = [0; 4];
        for (mantissa, number) in mantissas.iter_mut().zip(numbers) {
            *mantissa = number.rescale(exponent)?.mantissa();
        }
        Some((exponent, mantissas))
    }
}

impl Rollups {
    /// Takes in a number that counts.
    pub(crate) fn take(
        &mut self,
        connection: &Connection,
        slot: Slot,
        at: Timestamp,
        number: Decimal,
    ) -> Result<()> {
        match self.0.entry(slot) {
            Entry::Occupied(mut known) => known.get_mut().merge(at, number),
            Entry::Vacant(new) => {
                let known = slot.load(connection)?;
                let rollup = new.insert(known.unwrap_or_else(|| Rollup::of(at, number)));
                rollup.merge(at, number);
            }
        }
        Ok(())
    }

    /// Writes all of them.
    pub(crate) fn write(&mut self, connection: &Connection) -> Result<()> {
        for (slot, rollup) in self.0.drain() {
            slot.store(connection, &rollup)?;
        }
        Ok(())
    }
}

impl Slot {
    fn load(self, connection: &Connection) -> Result<Option<Rollup>> {
        let (chunk, slot) = self.place();
        let mut statement = connection.prepare_cached(self.level.read())?;
        let mut rows = statement.query(params![self.meter, chunk, self.register.0, slot, slot])?;
        while let Some(row) = rows.next()? {
            if row.get::<_, u8>(0)? == self.unit.0 {
                return rollup(row, self.level, chunk).map(|(_, rollup)| Some(rollup));
            }
        }
        Ok(None)
    }

    fn store(self, connection: &Connection, rollup: &Rollup) -> Result<()> {
        let Some((exponent, [first, last, low, high])) = rollup.aligned() else {
            // No meter moves by 38 digits within a day; the readings themselves are kept.
            tracing::warn!("register {} has no roll-up: {rollup:?}", self.register);
            return Ok(());
        };
        let begin = self.number * self.level.length();
        let (chunk, slot) = self.place();
        connection
            .prepare_cached(self.level.write())?
            .execute(params![
                self.meter,
                chunk,
                self.register.0,
                slot,
                self.unit.0,
                exponent,
                rollup.first.0.as_millisecond() - begin,
                Mantissa(first),
                rollup.last.0.as_millisecond() - begin,
                Mantissa(last),
                Mantissa(low),
                Mantissa(high),
            ])
            .map(|_| ())
    }

    fn place(self) -> (i64, i64) {
        let chunk = self.level.chunk();
        (self.number.div_euclid(chunk), self.number.rem_euclid(chunk))
    }
}

/// A register's roll-ups in these slots, both included, in order, each with its unit.
pub(crate) fn between(
    connection: &Connection,
    level: Level,
    meter: i64,
    register: RegisterId,
    slots: (i64, i64),
) -> Result<Vec<(Unit, Rollup)>> {
    let size = level.chunk();
    let mut statement = connection.prepare_cached(level.read())?;
    let mut found = Vec::new();
    let (from, to) = slots;
    for chunk in from.div_euclid(size)..=to.div_euclid(size) {
        let first = (from - chunk * size).max(0);
        let last = (to - chunk * size).min(size - 1);
        let mut rows = statement.query(params![meter, chunk, register.0, first, last])?;
        while let Some(row) = rows.next()? {
            found.push(rollup(row, level, chunk)?);
        }
    }
    Ok(found)
}

/// Between which moments a meter has roll-ups, to the chunk of days.
pub(crate) fn outermost(
    connection: &Connection,
    meter: i64,
) -> Result<Option<(Timestamp, Timestamp)>> {
    let (first, last): (Option<i64>, Option<i64>) = connection
        .prepare_cached(
            "SELECT (SELECT min(chunk) FROM days WHERE meter = ?1),
                    (SELECT max(chunk) FROM days WHERE meter = ?1)",
        )?
        .query_row([meter], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let begin = |chunk: i64| chunk * Level::Day.chunk() * Level::Day.length();
    Ok(first.zip(last).map(|(first, last)| {
        let from = Timestamp::from_millisecond(begin(first)).unwrap_or(Timestamp::MIN);
        let to = Timestamp::from_millisecond(begin(last + 1) - 1).unwrap_or(Timestamp::MAX);
        (from, to)
    }))
}

fn rollup(row: &Row<'_>, level: Level, chunk: i64) -> Result<(Unit, Rollup)> {
    let unit = Unit(row.get(0)?);
    let slot: i64 = row.get(1)?;
    let exponent: i8 = row.get(2)?;
    let begin = (chunk * level.chunk() + slot) * level.length();
    let moment = |column| -> Result<Timestamp> {
        let after: i64 = row.get(column)?;
        Timestamp::from_millisecond(begin.saturating_add(after))
            .map_err(|_| rusqlite::Error::IntegralValueOutOfRange(column, after))
    };
    let number = |column| -> Result<Decimal> {
        let Mantissa(mantissa) = row.get(column)?;
        Ok(Decimal::new(mantissa, exponent))
    };
    let rollup = Rollup {
        first: (moment(3)?, number(4)?),
        last: (moment(5)?, number(6)?),
        low: number(7)?,
        high: number(8)?,
    };
    Ok((unit, rollup))
}

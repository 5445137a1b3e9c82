//! A counter at a moment, found in roll-ups however old it is.

use heatmeter_catalog::RegisterId;
use jiff::{SignedDuration, Timestamp};
use kamstrup_kmp::{Decimal, Unit, convert};
use rusqlite::{Connection, Result, params};

use crate::rollup::{self, Level, Rollup};
use crate::row::{self, Millisecond};
use crate::{series, write};

/// A register of a meter that counts, in the unit of its latest reading.
pub(crate) struct Counter<'c> {
    connection: &'c Connection,
    meter: i64,
    register: RegisterId,
    unit: Unit,
    /// Between which moments there are readings.
    range: (Timestamp, Timestamp),
}

/// A reading of it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Seen {
    pub(crate) at: Timestamp,
    value: Decimal,
}

impl<'c> Counter<'c> {
    /// Nothing if it was never read.
    pub(crate) fn open(
        connection: &'c Connection,
        serial: &str,
        register: RegisterId,
    ) -> Result<Option<Self>> {
        let Some(meter) = write::meter_id(connection, serial)? else {
            return Ok(None);
        };
        let unit = series::unit(connection, meter, register)?;
        let range = rollup::outermost(connection, meter)?;
        Ok(unit.zip(range).map(|(unit, range)| Self {
            connection,
            meter,
            register,
            unit,
            range,
        }))
    }

    pub(crate) fn unit(&self) -> Unit {
        self.unit
    }

    /// Where counting from a moment on begins: the reading nearest to it, or the last one before.
    pub(crate) fn start(&self, at: Timestamp, reach: SignedDuration) -> Result<Option<Seen>> {
        match self.nearest(at, reach)? {
            Some(seen) => Ok(Some(seen)),
            None => self.last_until(at),
        }
    }

    /// Where counting up to a moment ends: the reading nearest to it, or the last one before, if
    /// that is later than what was counted already.
    pub(crate) fn end(
        &self,
        at: Timestamp,
        reach: SignedDuration,
        counted: Option<Seen>,
    ) -> Result<Option<Seen>> {
        let nearest = self.nearest(at, reach)?;
        match nearest.filter(|seen| seen.is_after(counted)) {
            Some(seen) => Ok(Some(seen)),
            None => self.latest(at, counted),
        }
    }

    /// The last reading up to a moment, if it is later than what was counted already.
    pub(crate) fn latest(&self, at: Timestamp, counted: Option<Seen>) -> Result<Option<Seen>> {
        let last = self.last_until(at)?;
        Ok(last.filter(|seen| seen.is_after(counted)))
    }

    /// The first reading of all, unless it is later than this.
    pub(crate) fn first_until(&self, at: Timestamp) -> Result<Option<Seen>> {
        let until = Level::Day.slot(at.min(self.range.1));
        let size = Level::Day.chunk();
        let mut from = Level::Day.slot(self.range.0);
        while from <= until {
            let to = until.min(from + size);
            let days = self.rollups(Level::Day, (from, to))?;
            if let Some(day) = days.first() {
                return Ok(Some(Seen::of(day.first)).filter(|seen| seen.at <= at));
            }
            from = to + 1;
        }
        Ok(None)
    }

    /// How much it counted from one reading to another, and whether nothing happened to it
    /// meanwhile.
    pub(crate) fn counted(&self, begin: Seen, end: Seen) -> Result<(Option<Decimal>, bool)> {
        let mut statement = self.connection.prepare_cached(
            "SELECT before_unit, before_exponent, before_mantissa, unit, exponent, mantissa
             FROM breaks WHERE meter = ? AND register = ? AND at > ? AND at <= ?",
        )?;
        let mut rows = statement.query(params![
            self.meter,
            self.register.0,
            begin.at.as_millisecond(),
            end.at.as_millisecond()
        ])?;
        let mut amount = end.value.checked_sub(begin.value);
        let mut is_sound = true;
        while let Some(row) = rows.next()? {
            is_sound = false;
            let number = |column: usize| -> Result<Option<Decimal>> {
                let unit = Unit(row.get(column)?);
                let number = row::number(row, column + 1)?;
                Ok(number.and_then(|number| self.in_its_unit(number, unit)))
            };
            let step = number(0)?
                .zip(number(3)?)
                .and_then(|(before, after)| before.checked_sub(after));
            amount = amount
                .zip(step)
                .and_then(|(amount, step)| amount.checked_add(step));
        }
        // The clock may have been set back in between.
        Ok((amount.filter(|amount| !amount.is_negative()), is_sound))
    }

    /// The reading nearest to a moment, at most so far away from it; the earlier of two.
    fn nearest(&self, at: Timestamp, reach: SignedDuration) -> Result<Option<Seen>> {
        let steps = [
            (SignedDuration::from_hours(2), Level::Hour),
            (SignedDuration::from_hours(36), Level::Hour),
            (reach, Level::Day),
        ];
        for (step, level) in steps {
            let step = step.min(reach);
            let from = at.saturating_sub(step).unwrap_or(Timestamp::MIN);
            let to = at.saturating_add(step).unwrap_or(Timestamp::MAX);
            let (from, to) = (from.max(self.range.0), to.min(self.range.1));
            let slots = (level.slot(from), level.slot(to));
            let mut seen: Vec<_> = self
                .rollups(level, slots)?
                .iter()
                .flat_map(|rollup| [Seen::of(rollup.first), Seen::of(rollup.last)])
                .collect();
            if at.as_millisecond() % Level::Hour.length() != 0 {
                // The moment lies within an hour: the readings themselves, while they are kept.
                seen.extend(self.readings_of_the_hour(at)?);
            }
            let distance = |seen: &Seen| seen.at.duration_since(at).abs();
            seen.retain(|seen| from <= seen.at && seen.at <= to);
            // The lower end does not count: no reading is nearest to two ends.
            seen.retain(|seen| distance(seen) < reach || distance(seen) == reach && seen.at > at);
            if let Some(nearest) = seen
                .into_iter()
                .min_by_key(|seen| (distance(seen), seen.at))
            {
                return Ok(Some(nearest));
            }
            if step == reach {
                break;
            }
        }
        Ok(None)
    }

    /// The last reading up to a moment.
    fn last_until(&self, at: Timestamp) -> Result<Option<Seen>> {
        if at < self.range.0 {
            return Ok(None);
        }
        let size = Level::Day.chunk();
        let oldest = Level::Day.slot(self.range.0);
        let mut to = Level::Day.slot(at.min(self.range.1));
        while to >= oldest {
            let from = oldest.max(to - size);
            for day in self.rollups(Level::Day, (from, to))?.iter().rev() {
                if day.last.0 <= at {
                    return Ok(Some(Seen::of(day.last)));
                }
                let hours = (Level::Hour.slot(day.first.0), Level::Hour.slot(at));
                let mut seen: Vec<_> = self
                    .rollups(Level::Hour, hours)?
                    .iter()
                    .flat_map(|rollup| [Seen::of(rollup.first), Seen::of(rollup.last)])
                    .collect();
                seen.extend(self.readings_of_the_hour(at)?);
                seen.retain(|seen| seen.at <= at);
                if let Some(last) = seen.into_iter().max_by_key(|seen| seen.at) {
                    return Ok(Some(last));
                }
            }
            to = from - 1;
        }
        Ok(None)
    }

    fn rollups(&self, level: Level, slots: (i64, i64)) -> Result<Vec<Rollup>> {
        let found = rollup::between(self.connection, level, self.meter, self.register, slots)?;
        let rollups = found.into_iter().filter_map(|(unit, rollup)| {
            let moment = |(at, number)| Some((at, self.in_its_unit(number, unit)?));
            Some(Rollup {
                first: moment(rollup.first)?,
                last: moment(rollup.last)?,
                ..rollup
            })
        });
        Ok(rollups.collect())
    }

    fn readings_of_the_hour(&self, at: Timestamp) -> Result<Vec<Seen>> {
        let begin = Level::Hour.slot(at) * Level::Hour.length();
        let mut statement = self.connection.prepare_cached(
            "SELECT p.at, r.unit, r.exponent, r.mantissa
             FROM polls p CROSS JOIN readings r ON r.poll = p.id AND r.register = ?2
             WHERE p.meter = ?1 AND p.at >= ?3 AND p.at < ?4
             AND r.quality IS NULL AND r.exponent IS NOT NULL",
        )?;
        let mut rows = statement.query(params![
            self.meter,
            self.register.0,
            begin,
            begin + Level::Hour.length()
        ])?;
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            let Millisecond(at) = row.get(0)?;
            let unit = row.get::<_, Option<u8>>(1)?.map_or(Unit::NONE, Unit);
            let number = row::number(row, 2)?;
            let value = number.and_then(|number| self.in_its_unit(number, unit));
            found.extend(value.map(|value| Seen { at, value }));
        }
        Ok(found)
    }

    /// Exactly, or not at all.
    fn in_its_unit(&self, number: Decimal, unit: Unit) -> Option<Decimal> {
        if unit == self.unit {
            return Some(number);
        }
        convert(number, unit, self.unit).ok()
    }
}

impl Seen {
    fn of((at, value): (Timestamp, Decimal)) -> Self {
        Self { at, value }
    }

    fn is_after(&self, counted: Option<Self>) -> bool {
        counted.is_none_or(|counted| counted.at < self.at)
    }
}

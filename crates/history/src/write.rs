//! What is written, within one transaction: polls with everything that follows from them.

use std::collections::HashMap;

use heatmeter_catalog::reading::{Quality, Reading};
use heatmeter_catalog::{Register, RegisterId, register};
use jiff::Timestamp;
use kamstrup_kmp::{Decimal, Unit, Verdict, convert};
use rusqlite::{Connection, OptionalExtension, Result, params};

use crate::poll::{Meter, Poll, PollId};
use crate::rollup::{Level, Rollups, Slot};
use crate::row::{self, Mantissa, ReadingColumns, VerdictCode};

/// A transaction that polls are written in. What they change more than once is written at its end.
pub(crate) struct Batch<'c> {
    connection: &'c Connection,
    rollups: Rollups,
    latest: HashMap<(i64, RegisterId), Latest>,
    meters: HashMap<String, i64>,
}

/// A register's latest reading, and its latest number that counted.
#[derive(Clone, Debug)]
struct Latest {
    at: Timestamp,
    reading: Reading,
    good: Option<Good>,
}

#[derive(Clone, Copy, Debug)]
struct Good {
    at: Timestamp,
    unit: Unit,
    number: Decimal,
}

impl<'c> Batch<'c> {
    /// Within a transaction that has begun.
    pub(crate) fn new(connection: &'c Connection) -> Self {
        Self {
            connection,
            rollups: Rollups::default(),
            latest: HashMap::new(),
            meters: HashMap::new(),
        }
    }

    /// Writes a poll, unless it is there already; tells where it stands, and whether it is new.
    pub(crate) fn poll(&mut self, poll: &Poll) -> Result<(PollId, bool)> {
        let meter = self.meter(&poll.serial)?;
        let at = poll.at.as_millisecond();
        let known = self
            .connection
            .prepare_cached("SELECT id FROM polls WHERE meter = ? AND at = ?")?
            .query_row([meter, at], |row| row.get(0))
            .optional()?;
        if let Some(id) = known {
            return Ok((PollId(id), false));
        }
        let id = self.insert(None, meter, poll)?;
        Ok((id, true))
    }

    /// Writes a poll to the place where it stood before.
    pub(crate) fn poll_again(&mut self, id: PollId, poll: &Poll) -> Result<()> {
        let meter = self.meter(&poll.serial)?;
        self.insert(Some(id), meter, poll).map(|_| ())
    }

    /// Writes what was gathered. The transaction can be committed then.
    pub(crate) fn finish(mut self) -> Result<()> {
        self.rollups.write(self.connection)?;
        for ((meter, register), latest) in &self.latest {
            latest.store(self.connection, *meter, *register)?;
        }
        Ok(())
    }

    fn insert(&mut self, id: Option<PollId>, meter: i64, poll: &Poll) -> Result<PollId> {
        let line = poll.line;
        self.connection
            .prepare_cached("INSERT INTO polls VALUES (?,?,?,?,?,?,?,?,?)")?
            .execute(params![
                id.map(|id| id.0),
                meter,
                poll.at.as_millisecond(),
                VerdictCode(poll.verdict),
                line.requests,
                line.retries,
                integer(line.bytes_sent),
                integer(line.bytes_received),
                i64::try_from(line.took.as_micros()).unwrap_or(i64::MAX),
            ])?;
        let id = self.connection.last_insert_rowid();
        {
            let mut insert = self
                .connection
                .prepare_cached("INSERT OR REPLACE INTO readings VALUES (?,?,?,?,?,?,?,?)")?;
            for reading in &poll.readings {
                let columns = ReadingColumns::from(reading);
                insert.execute(params![
                    id,
                    reading.register.0,
                    columns.quality,
                    columns.unit,
                    columns.exponent,
                    columns.mantissa,
                    columns.text,
                    columns.reason,
                ])?;
            }
        }
        let at = whole_milliseconds(poll.at);
        for reading in &poll.readings {
            self.follow(meter, at, reading)?;
        }
        self.outage(meter, at, poll.verdict)?;
        Ok(PollId(id))
    }

    /// Roll-ups, the latest value, and what a counter did.
    fn follow(&mut self, meter: i64, at: Timestamp, reading: &Reading) -> Result<()> {
        // That no answer came does not change what the last one was.
        if reading.quality == Quality::Unanswered {
            return Ok(());
        }
        let good = reading
            .number()
            .filter(|_| reading.quality == Quality::Good)
            .map(|number| Good {
                at,
                unit: reading.unit.unwrap_or(Unit::NONE),
                number,
            });
        let key = (meter, reading.register);
        let known = match self.latest.get(&key) {
            Some(known) => Some(known.clone()),
            None => Latest::load(self.connection, meter, reading.register)?,
        };
        let before = known.and_then(|known| known.good);
        if let Some(good) = good {
            for level in Level::ALL {
                let slot = Slot {
                    level,
                    meter,
                    register: reading.register,
                    unit: good.unit,
                    number: level.slot(at),
                };
                self.rollups.take(self.connection, slot, at, good.number)?;
            }
            if let Some(before) = before
                && before.at < at
                && register(reading.register).is_some_and(Register::is_counter)
                && !before.leads_to(&good)
            {
                self.interrupt(meter, reading.register, &before, &good)?;
            }
        }
        // The last one that was recorded, even if the clock was set back since.
        let latest = Latest {
            at,
            reading: reading.clone(),
            good: good.or(before),
        };
        self.latest.insert(key, latest);
        Ok(())
    }

    fn interrupt(
        &self,
        meter: i64,
        register: RegisterId,
        before: &Good,
        after: &Good,
    ) -> Result<()> {
        self.connection
            .prepare_cached("INSERT OR REPLACE INTO breaks VALUES (?,?,?,?,?,?,?,?,?)")?
            .execute(params![
                meter,
                register.0,
                after.at.as_millisecond(),
                before.unit.0,
                before.number.exponent(),
                Mantissa(before.number.mantissa()),
                after.unit.0,
                after.number.exponent(),
                Mantissa(after.number.mantissa()),
            ])
            .map(|_| ())
    }

    fn outage(&self, meter: i64, at: Timestamp, verdict: Verdict) -> Result<()> {
        let open: Option<(i64, String)> = self
            .connection
            .prepare_cached(
                "SELECT began, verdict FROM outages WHERE meter = ? AND ended IS NULL
                 ORDER BY began DESC LIMIT 1",
            )?
            .query_row([meter], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()?;
        let at = at.as_millisecond();
        if let Some((began, lasting)) = open {
            if lasting == verdict.code() {
                return Ok(());
            }
            self.connection
                .prepare_cached("UPDATE outages SET ended = ? WHERE meter = ? AND began = ?")?
                .execute(params![at.max(began), meter, began])?;
        }
        if verdict != Verdict::Ok {
            self.connection
                .prepare_cached("INSERT OR REPLACE INTO outages VALUES (?,?,?,NULL)")?
                .execute(params![meter, at, verdict.code()])?;
        }
        Ok(())
    }

    fn meter(&mut self, serial: &str) -> Result<i64> {
        if let Some(id) = self.meters.get(serial) {
            return Ok(*id);
        }
        let id = if let Some(id) = meter_id(self.connection, serial)? {
            id
        } else {
            self.connection
                .execute("INSERT INTO meters (serial) VALUES (?)", [serial])?;
            self.connection.last_insert_rowid()
        };
        self.meters.insert(serial.to_owned(), id);
        Ok(id)
    }
}

impl Latest {
    fn load(connection: &Connection, meter: i64, register: RegisterId) -> Result<Option<Self>> {
        connection
            .prepare_cached(
                "SELECT register, quality, unit, exponent, mantissa, text, reason, at,
                 good_at, good_unit, good_exponent, good_mantissa
                 FROM latest WHERE meter = ? AND register = ?",
            )?
            .query_row(params![meter, register.0], |row| {
                let good_at: Option<row::Millisecond> = row.get(8)?;
                let good_unit: Option<u8> = row.get(9)?;
                let good = good_at.zip(good_unit).zip(row::number(row, 10)?);
                Ok(Self {
                    reading: row::reading(row, 0)?,
                    at: row.get::<_, row::Millisecond>(7)?.0,
                    good: good.map(|((at, unit), number)| Good {
                        at: at.0,
                        unit: Unit(unit),
                        number,
                    }),
                })
            })
            .optional()
    }

    fn store(&self, connection: &Connection, meter: i64, register: RegisterId) -> Result<()> {
        let columns = ReadingColumns::from(&self.reading);
        let good = self.good;
        connection
            .prepare_cached("INSERT OR REPLACE INTO latest VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?)")?
            .execute(params![
                meter,
                register.0,
                self.at.as_millisecond(),
                columns.quality,
                columns.unit,
                columns.exponent,
                columns.mantissa,
                columns.text,
                columns.reason,
                good.map(|good| good.at.as_millisecond()),
                good.map(|good| good.unit.0),
                good.map(|good| good.number.exponent()),
                good.map(|good| Mantissa(good.number.mantissa())),
            ])
            .map(|_| ())
    }
}

impl Good {
    /// Whether a counter can have gone from here to there without anything happening to it.
    fn leads_to(&self, after: &Self) -> bool {
        self.unit == after.unit && self.number <= after.number
            || self.unit != after.unit
                && convert(self.number, self.unit, after.unit)
                    .is_ok_and(|number| number <= after.number)
    }
}

/// The number of a meter's row.
pub(crate) fn meter_id(connection: &Connection, serial: &str) -> Result<Option<i64>> {
    connection
        .prepare_cached("SELECT id FROM meters WHERE serial = ?")?
        .query_row([serial], |row| row.get(0))
        .optional()
}

/// Keeps who a meter is. What is not known this time stays as it was.
pub(crate) fn introduce(connection: &Connection, meter: &Meter) -> Result<()> {
    connection
        .prepare_cached(
            "INSERT INTO meters (serial, model, type, software) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT (serial) DO UPDATE SET
             model = coalesce(?2, model), type = coalesce(?3, type),
             software = coalesce(?4, software)",
        )?
        .execute(params![
            meter.serial,
            meter.model,
            meter.type_code,
            meter.software
        ])
        .map(|_| ())
}

/// Keeps what the gate remembers of a meter.
pub(crate) fn remember(connection: &Connection, serial: &str, memory: &str) -> Result<()> {
    connection
        .prepare_cached(
            "INSERT INTO meters (serial, memory) VALUES (?1, ?2)
             ON CONFLICT (serial) DO UPDATE SET memory = ?2",
        )?
        .execute([serial, memory])
        .map(|_| ())
}

/// A place that was never asked about starts with the next poll, or with the first there is.
pub(crate) fn open_place(connection: &Connection, place: &str, from_the_start: bool) -> Result<()> {
    connection
        .prepare_cached(
            "INSERT OR IGNORE INTO places
             SELECT ?1, CASE WHEN ?2 THEN 0 ELSE coalesce(max(id), 0) END FROM polls",
        )?
        .execute(params![place, from_the_start])
        .map(|_| ())
}

/// A place has everything up to this poll. What it has it keeps.
pub(crate) fn acknowledge(connection: &Connection, place: &str, upto: PollId) -> Result<()> {
    connection
        .prepare_cached(
            "INSERT INTO places VALUES (?1, ?2)
             ON CONFLICT (name) DO UPDATE SET acknowledged = max(acknowledged, ?2)",
        )?
        .execute(params![place, upto.0])
        .map(|_| ())
}

/// A place is no longer delivered to.
pub(crate) fn forget_place(connection: &Connection, place: &str) -> Result<()> {
    connection
        .execute("DELETE FROM places WHERE name = ?", [place])
        .map(|_| ())
}

fn integer(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn whole_milliseconds(at: Timestamp) -> Timestamp {
    Timestamp::from_millisecond(at.as_millisecond()).unwrap_or(at)
}

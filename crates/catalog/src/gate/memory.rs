//! What the gate remembers: of each meter by its serial number, of each register its shape and its
//! last good value.

use core::time::Duration;
use std::collections::BTreeMap;

use kamstrup_kmp::{Decimal, Instant, Record, RegisterId, Unit, convert};

use super::limits::{Limits, Reach};
use super::nature::{FLOW, POWER};
use crate::model::Amount;

/// What is remembered of one meter, to be stored over a restart.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MeterMemory {
    /// Its serial number, if it ever said it.
    pub serial: Option<String>,
    /// Its registers, by their numbers.
    pub registers: Vec<RegisterMemory>,
}

/// What is remembered of one register, to be stored over a restart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegisterMemory {
    /// Which register.
    pub register: RegisterId,
    /// Its unit.
    pub unit: Unit,
    /// Its number of bytes.
    pub length: u8,
    /// Its decimal exponent.
    pub exponent: i8,
    /// The last good number; nothing for texts and dates.
    pub value: Option<Decimal>,
    /// How long ago that was.
    pub age: Duration,
    /// The largest number, without its sign, that was confirmed beyond the limits of the model.
    pub beyond: Option<Decimal>,
    /// The largest difference confirmed between the two things that a meter says about T1 - T2.
    pub gap: Option<Decimal>,
}

/// How a register looks on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Shape {
    pub(super) unit: Unit,
    pub(super) length: u8,
    pub(super) exponent: i8,
}

impl Shape {
    pub(super) const fn of(record: &Record) -> Self {
        Self {
            unit: record.unit,
            length: record.length,
            exponent: record.scale.exponent(),
        }
    }

    /// The smallest step of a number of this shape.
    pub(super) const fn step(self) -> Decimal {
        Decimal::new(1, self.exponent)
    }
}

/// A moment that may lie before the caller's start of time.
#[derive(Clone, Copy, Debug)]
pub(super) struct Seen {
    at: Instant,
    before: Duration,
}

impl Seen {
    pub(super) const fn at(at: Instant) -> Self {
        Self {
            at,
            before: Duration::ZERO,
        }
    }

    pub(super) const fn age(self, now: Instant) -> Duration {
        now.since(self.at).saturating_add(self.before)
    }
}

/// One register of a meter.
#[derive(Clone, Debug)]
pub(super) struct Known {
    pub(super) shape: Shape,
    pub(super) value: Option<Decimal>,
    pub(super) seen: Seen,
    pub(super) beyond: Option<Decimal>,
    pub(super) gap: Option<Decimal>,
}

impl Known {
    /// The largest number, without its sign, that is no surprise although it is beyond the limits.
    pub(super) fn tolerated(&self) -> Option<Decimal> {
        self.beyond?.checked_mul(MARGIN)
    }

    /// The largest gap that is no surprise although the resolutions do not explain it.
    pub(super) fn tolerated_gap(&self) -> Option<Decimal> {
        self.gap?.checked_mul(MARGIN)
    }

    pub(super) fn amount(&self) -> Option<Amount> {
        self.value.map(|value| Amount {
            value,
            unit: self.shape.unit,
        })
    }
}

/// One meter.
#[derive(Clone, Debug, Default)]
pub(super) struct Meter {
    pub(super) serial: Option<String>,
    pub(super) known: BTreeMap<RegisterId, Known>,
    /// What was held, and when: a later poll may confirm it.
    pub(super) held: BTreeMap<RegisterId, (Record, Instant)>,
    /// The serial number that was held.
    pub(super) held_serial: Option<String>,
}

impl Meter {
    pub(super) fn with_serial(serial: String) -> Self {
        Self {
            serial: Some(serial),
            ..Self::default()
        }
    }

    pub(super) fn has_serial(&self, serial: &str) -> bool {
        self.serial.as_deref() == Some(serial)
    }

    /// Remembers a record that is believed.
    pub(super) fn remember(&mut self, record: &Record, now: Instant) {
        let shape = Shape::of(record);
        let value = record.value.as_number();
        let seen = Seen::at(now);
        self.known
            .entry(record.register)
            .and_modify(|known| {
                if known.shape.unit != shape.unit {
                    (known.beyond, known.gap) = (None, None);
                }
                (known.shape, known.value, known.seen) = (shape, value, seen);
            })
            .or_insert(Known {
                shape,
                value,
                seen,
                beyond: None,
                gap: None,
            });
        self.held.remove(&record.register);
    }

    /// Forgets what waits to be confirmed: the meter is gone.
    pub(super) fn forget_held(&mut self) {
        self.held.clear();
        self.held_serial = None;
    }

    /// What the meter can reach: its model's limits, or more where that was confirmed.
    pub(super) fn reach(&self, limits: &Limits) -> Reach {
        let confirmed = |id, unit| {
            let known = self.known.get(&id)?;
            convert(known.tolerated()?, known.shape.unit, unit).ok()
        };
        Reach::new(
            limits,
            confirmed(FLOW, Unit::CUBIC_METRE_PER_HOUR),
            confirmed(POWER, Unit::KW),
        )
    }

    pub(super) fn snapshot(&self, now: Instant) -> MeterMemory {
        let registers = self
            .known
            .iter()
            .map(|(id, known)| known.snapshot(*id, now))
            .collect();
        MeterMemory {
            serial: self.serial.clone(),
            registers,
        }
    }

    pub(super) fn restore(memory: MeterMemory, away: Duration, now: Instant) -> Self {
        let known = memory.registers.into_iter().map(|stored| {
            let shape = Shape {
                unit: stored.unit,
                length: stored.length,
                exponent: stored.exponent,
            };
            let seen = Seen {
                at: now,
                before: stored.age.saturating_add(away),
            };
            let (value, beyond, gap) = (stored.value, stored.beyond, stored.gap);
            (
                stored.register,
                Known {
                    shape,
                    value,
                    seen,
                    beyond,
                    gap,
                },
            )
        });
        Self {
            serial: memory.serial,
            known: known.collect(),
            ..Self::default()
        }
    }
}

impl Known {
    pub(super) fn snapshot(&self, register: RegisterId, now: Instant) -> RegisterMemory {
        RegisterMemory {
            register,
            unit: self.shape.unit,
            length: self.shape.length,
            exponent: self.shape.exponent,
            value: self.value,
            age: self.seen.age(now),
            beyond: self.beyond,
            gap: self.gap,
        }
    }
}

/// What was confirmed once may be exceeded by a quarter without another second look.
const MARGIN: Decimal = Decimal::new(125, -2);

//! Finds what is surprising about the values of one poll.

use core::time::Duration;
use std::collections::{BTreeMap, BTreeSet};

use kamstrup_kmp::{Decimal, Instant, Record, RegisterId, Unit};

use super::gap::Gap;
use super::limits::{Limits, Overflow, Reach};
use super::memory::{Known, Meter, Shape};
use super::nature::{Nature, Triple, coarse, counting_unit, units};
use super::physics::{advance, outside};
use super::surprise::Surprise;
use super::wrap::Wrap;
use crate::model::Amount;

/// What came of one round of requests, and when.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sight<'a> {
    pub(super) records: &'a [Record],
    pub(super) at: Instant,
}

impl<'a> Sight<'a> {
    pub(super) fn get(self, id: RegisterId) -> Option<&'a Record> {
        self.records.iter().find(|record| record.register == id)
    }

    pub(super) fn valid(self, limits: &Limits, id: RegisterId) -> Option<&'a Record> {
        self.get(id).filter(|record| is_valid(limits, record))
    }
}

/// The number of a record, with its unit.
pub(super) fn amount(record: &Record) -> Option<Amount> {
    record.value.as_number().map(|value| Amount {
        value,
        unit: record.unit,
    })
}

/// Whether a record carries a value and not the meter's word for having none.
pub(super) fn is_valid(limits: &Limits, record: &Record) -> bool {
    let sentinel = amount(record).and_then(|found| limits.sentinel(record.register, found));
    record.value.is_valid() && sentinel.is_none()
}

/// Everything surprising in what was seen of a meter.
pub(super) fn judge(
    meter: &Meter,
    limits: &Limits,
    sight: Sight<'_>,
) -> BTreeMap<RegisterId, Surprise> {
    let judge = Judge {
        meter,
        limits,
        reach: meter.reach(limits),
        sight,
    };
    let ids: BTreeSet<RegisterId> = sight.records.iter().map(|record| record.register).collect();
    let mut surprises: BTreeMap<RegisterId, Surprise> = ids
        .into_iter()
        .filter_map(|id| Some((id, judge.surprise(sight.get(id)?)?)))
        .collect();
    for triple in Triple::ALL {
        if triple.members().iter().any(|id| surprises.contains_key(id)) {
            continue;
        }
        if let Some(surprise) = judge.contradiction(triple) {
            surprises.extend(triple.members().map(|id| (id, surprise.clone())));
        }
    }
    surprises
}

struct Judge<'a> {
    meter: &'a Meter,
    limits: &'a Limits,
    reach: Reach,
    sight: Sight<'a>,
}

impl Judge<'_> {
    fn surprise(&self, record: &Record) -> Option<Surprise> {
        let known = self.meter.known.get(&record.register);
        let nature = Nature::of(record.register);
        if let Some(surprise) = shape(known, nature, record) {
            return Some(surprise);
        }
        let found = amount(record).filter(|_| is_valid(self.limits, record))?;
        match nature {
            Nature::Counter { .. } => self.counter(known, nature, record, found),
            Nature::Gauge { .. } => {
                let (least, most, unit) = outside(self.reach, nature, found.value, found.unit)?;
                let confirmed = known.and_then(Known::tolerated);
                if confirmed.is_some_and(|most| found.value.abs() <= most) {
                    return None;
                }
                let (least, most) = (Amount { value: least, unit }, Amount { value: most, unit });
                Some(Surprise::OutOfRange { found, least, most })
            }
            Nature::Serial => known?
                .value
                .filter(|last| *last != found.value)
                .map(|last| Surprise::Serial {
                    found: found.value.to_string(),
                    remembered: last.to_string(),
                }),
            Nature::Plain => None,
        }
    }

    fn counter(
        &self,
        known: Option<&Known>,
        nature: Nature,
        record: &Record,
        found: Amount,
    ) -> Option<Surprise> {
        let last = known.and_then(Known::amount);
        let from = last.map_or(Decimal::ZERO, |last| last.value);
        if found.value < from {
            return match last {
                Some(_) if self.wrapped(known, record, found) => None,
                Some(remembered) => Some(Surprise::WentBack { found, remembered }),
                None => Some(Surprise::BelowZero { found }),
            };
        }
        let elapsed = known
            .filter(|_| last.is_some())
            .map_or(LIFE, |known| known.seen.age(self.sight.at));
        match advance(self.reach, nature, record, from, found.value, elapsed) {
            Ok(None) => None,
            Ok(Some(growth)) => {
                let most = growth.amount(record.unit, record.scale.exponent());
                Some(Surprise::TooFast {
                    found,
                    remembered: last,
                    elapsed,
                    most,
                })
            }
            Err(Overflow) => Some(Surprise::Incomparable { found }),
        }
    }

    /// Whether a counter that drops its upper digits began anew, by the word of the one that keeps
    /// them.
    fn wrapped(&self, known: Option<&Known>, record: &Record, found: Amount) -> bool {
        let fits = || {
            let id = coarse(record.register)?;
            let coarse = self.sight.valid(self.limits, id)?;
            let wrap = Wrap {
                fine: (known?, found),
                coarse: (self.meter.known.get(&id)?, amount(coarse)?),
            };
            Some(self.surprise(coarse).is_none() && wrap.fits(id, self.reach, self.sight.at)?)
        };
        fits().unwrap_or(false)
    }

    fn contradiction(&self, triple: Triple) -> Option<Surprise> {
        let gap = Gap::of(self.limits, self.sight, triple)?;
        let known = self.meter.known.get(&triple.difference);
        let confirmed = known.and_then(Known::tolerated_gap);
        let allowed = confirmed.map_or(gap.resolution, |most| most.max(gap.resolution));
        (gap.size.abs() > allowed).then_some(Surprise::Contradiction {
            register: triple.difference,
            found: gap.found,
            expected: gap.expected,
        })
    }
}

/// A meter lives no longer than this: a counter seen for the first time has had so much time.
const LIFE: Duration = Duration::from_hours(40 * 365 * 24);

fn shape(known: Option<&Known>, nature: Nature, record: &Record) -> Option<Surprise> {
    let found = Shape::of(record);
    let Some(known) = known else {
        // An input counts whatever is connected to it.
        let expected = units(record.register).filter(|_| !nature.is_foreign())?;
        let quantity = record.unit.quantity();
        let fits = expected.iter().any(|unit| unit.quantity() == quantity)
            || counting_unit(record.register, record.unit) == Unit::HOUR;
        return (!fits).then_some(Surprise::Quantity {
            found: record.unit,
            expected,
        });
    };
    let remembered = known.shape;
    if found.unit != remembered.unit {
        return Some(Surprise::Unit {
            found: found.unit,
            remembered: remembered.unit,
        });
    }
    // A meter that has no value to give may give it in any length.
    if !record.value.is_valid() {
        return None;
    }
    if found.length != remembered.length {
        return Some(Surprise::Length {
            found: found.length,
            remembered: remembered.length,
        });
    }
    (found.exponent != remembered.exponent).then_some(Surprise::Exponent {
        found: found.exponent,
        remembered: remembered.exponent,
    })
}

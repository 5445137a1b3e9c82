//! Decides on the values of a poll by one look or two, and remembers what is good.

use std::collections::BTreeSet;

use kamstrup_kmp::{Decimal, Record, RegisterId, Value};

use super::Checked;
use super::confirm::confirms;
use super::gap::Gap;
use super::judge::{Sight, amount, judge};
use super::limits::Limits;
use super::memory::Meter;
use super::nature::{SERIAL, Triple, coarse};
use super::quality::{Fault, Held, Notice, Quality, Reading};
use super::surprise::Surprise;

/// The registers to read again before anything of this poll can be believed.
pub(super) fn doubts(meter: &Meter, limits: &Limits, sight: Sight<'_>) -> BTreeSet<RegisterId> {
    judge(meter, limits, sight)
        .iter()
        .filter(|(id, surprise)| !confirmed_since(meter, limits, **id, surprise, sight))
        .flat_map(|(id, surprise)| belonging(meter, sight, *id, surprise))
        .collect()
}

/// Whether anything that contradicts the memory was seen twice.
pub(super) fn any_confirmed(
    meter: &Meter,
    limits: &Limits,
    first: Sight<'_>,
    second: Sight<'_>,
) -> bool {
    let again = judge(meter, limits, second);
    judge(meter, limits, first).iter().any(|(id, surprise)| {
        tells_a_change(surprise)
            && again.contains_key(id)
            && confirms(limits, meter.reach(limits), *id, surprise, (first, second))
    })
}

/// Gives every value of a poll its quality.
pub(super) fn settle(
    meter: &mut Meter,
    limits: &Limits,
    (first, second): (Sight<'_>, Option<Sight<'_>>),
    asked: &[RegisterId],
) -> Checked {
    let surprises = judge(meter, limits, first);
    let again = second
        .map(|second| judge(meter, limits, second))
        .unwrap_or_default();
    let decisions: Vec<Decision<'_>> = in_order(first, asked)
        .map(|(id, record)| {
            let Some(record) = record else {
                return Decision::missing(id);
            };
            let reread = second.and_then(|second| Some((second.get(id)?, second)));
            let decide = Decide {
                meter,
                limits,
                first,
                surprise: surprises.get(&id),
            };
            decide.decide(record, reread, again.contains_key(&id))
        })
        .collect();

    let mut checked = Checked::default();
    for decision in decisions {
        checked.notices.extend(decision.notice());
        checked.readings.push(decision.carry_out(meter, limits));
    }
    checked
}

/// Holds a whole poll, because it may be another meter's.
pub(super) fn hold_all(held: &Held, first: Sight<'_>, asked: &[RegisterId]) -> Vec<Reading> {
    in_order(first, asked)
        .map(|(register, record)| Reading {
            register,
            quality: record.map_or(Quality::Unsupported, |_| Quality::Held(held.clone())),
            record: record.cloned(),
        })
        .collect()
}

/// What to do about one register.
struct Decision<'a> {
    register: RegisterId,
    /// The record to deliver, and the look that brought it.
    record: Option<(&'a Record, Sight<'a>)>,
    surprise: Option<&'a Surprise>,
    end: End<'a>,
}

/// How a surprise ended.
enum End<'a> {
    None,
    Outvoted,
    Accepted,
    Held {
        second: Option<(&'a Record, Sight<'a>)>,
    },
}

impl Decision<'_> {
    const fn missing(register: RegisterId) -> Self {
        Self {
            register,
            record: None,
            surprise: None,
            end: End::None,
        }
    }

    fn notice(&self) -> Option<Notice> {
        let (register, surprise) = (self.register, self.surprise?.clone());
        // Three registers contradict each other; the difference speaks for them.
        if matches!(surprise, Surprise::Contradiction { register: speaks, .. } if speaks != register)
        {
            return None;
        }
        match self.end {
            End::Outvoted => Some(Notice::Outvoted { register, surprise }),
            End::Accepted => Some(Notice::Accepted { register, surprise }),
            End::None | End::Held { .. } => None,
        }
    }

    fn carry_out(self, meter: &mut Meter, limits: &Limits) -> Reading {
        let register = self.register;
        let Some((record, sight)) = self.record else {
            return Reading {
                register,
                quality: Quality::Unsupported,
                record: None,
            };
        };
        let quality = match (self.end, self.surprise) {
            (End::Held { second }, Some(surprise)) => {
                let (last, seen) = second.unwrap_or((record, sight));
                meter.held.insert(register, (last.clone(), seen.at));
                Quality::Held(Held {
                    surprise: surprise.clone(),
                    second: second.map(|(record, _)| record.value.clone()),
                })
            }
            (End::Accepted, Some(surprise)) => {
                let quality = quality(limits, record);
                if quality == Quality::Good {
                    meter.remember(record, sight.at);
                    widen(meter, limits, register, surprise, sight);
                }
                quality
            }
            _ => {
                let quality = quality(limits, record);
                if quality == Quality::Good {
                    meter.remember(record, sight.at);
                }
                quality
            }
        };
        Reading {
            register,
            quality,
            record: Some(record.clone()),
        }
    }
}

struct Decide<'a, 'b> {
    meter: &'b Meter,
    limits: &'b Limits,
    first: Sight<'a>,
    surprise: Option<&'a Surprise>,
}

impl<'a> Decide<'a, '_> {
    fn decide(
        self,
        record: &'a Record,
        reread: Option<(&'a Record, Sight<'a>)>,
        surprising_again: bool,
    ) -> Decision<'a> {
        let Self {
            meter,
            limits,
            first,
            surprise,
        } = self;
        let id = record.register;
        let decision = |record, end| Decision {
            register: id,
            record: Some(record),
            surprise,
            end,
        };
        let same =
            |surprise, second| confirms(limits, meter.reach(limits), id, surprise, (first, second));
        match (surprise, reread) {
            // Read again for the sake of another: values that belong together come from one look.
            (None, Some(second)) if !surprising_again => decision(second, End::None),
            (None, _) => decision((record, first), End::None),
            (Some(surprise), Some((again, second))) if !surprising_again => {
                let end = if same(surprise, second) {
                    End::None
                } else {
                    End::Outvoted
                };
                decision((again, second), end)
            }
            (Some(surprise), Some(again)) => {
                let (_, second) = again;
                let confirmed =
                    same(surprise, second) || confirmed_since(meter, limits, id, surprise, second);
                if confirmed {
                    decision(again, End::Accepted)
                } else {
                    decision(
                        (record, first),
                        End::Held {
                            second: Some(again),
                        },
                    )
                }
            }
            (Some(surprise), None) => {
                let confirmed = confirmed_since(meter, limits, id, surprise, first);
                let end = if confirmed {
                    End::Accepted
                } else {
                    End::Held { second: None }
                };
                decision((record, first), end)
            }
        }
    }
}

/// Whether what was held in an earlier poll says the same.
fn confirmed_since(
    meter: &Meter,
    limits: &Limits,
    id: RegisterId,
    surprise: &Surprise,
    sight: Sight<'_>,
) -> bool {
    let Some((_, at)) = meter.held.get(&id) else {
        return false;
    };
    let together: Vec<Record> = meter
        .held
        .values()
        .filter(|held| held.1 == *at)
        .map(|held| held.0.clone())
        .collect();
    let held = Sight {
        records: &together,
        at: *at,
    };
    confirms(limits, meter.reach(limits), id, surprise, (held, sight))
}

/// A surprising register with what has to be read with it to decide.
fn belonging(
    meter: &Meter,
    sight: Sight<'_>,
    id: RegisterId,
    surprise: &Surprise,
) -> BTreeSet<RegisterId> {
    let mut all = BTreeSet::from([id]);
    if let Some(triple) = Triple::of(id) {
        all.extend(
            triple
                .members()
                .into_iter()
                .filter(|member| sight.get(*member).is_some()),
        );
    }
    // Without it, a wrap looks like a counter that went back.
    if let Some(coarse) = coarse(id).filter(|coarse| meter.known.contains_key(coarse)) {
        all.insert(coarse);
    }
    if tells_a_change(surprise) && meter.serial.is_some() {
        all.insert(SERIAL);
    }
    all
}

/// Whether another meter would look like this.
const fn tells_a_change(surprise: &Surprise) -> bool {
    matches!(
        surprise,
        Surprise::Unit { .. }
            | Surprise::Length { .. }
            | Surprise::Exponent { .. }
            | Surprise::WentBack { .. }
            | Surprise::TooFast {
                remembered: Some(_),
                ..
            }
    )
}

/// Moves a limit to where it was confirmed to be exceeded.
fn widen(
    meter: &mut Meter,
    limits: &Limits,
    id: RegisterId,
    surprise: &Surprise,
    sight: Sight<'_>,
) {
    let Some(known) = meter.known.get_mut(&id) else {
        return;
    };
    match surprise {
        Surprise::OutOfRange { .. } => known.beyond = known.value.map(Decimal::abs),
        Surprise::Contradiction { register, .. } if *register == id => {
            let gap = Triple::of(id).and_then(|triple| Gap::of(limits, sight, triple));
            known.gap = gap.map(|gap| gap.size.abs());
        }
        _ => {}
    }
}

fn quality(limits: &Limits, record: &Record) -> Quality {
    if let Value::Invalid(invalid) = &record.value {
        return Quality::Invalid(Fault::Problem(invalid.problem));
    }
    let sentinel = amount(record)
        .and_then(|found| Some((found, limits.sentinel(record.register, found)?.meaning)));
    match sentinel {
        Some((found, meaning)) => Quality::Invalid(Fault::Sentinel { found, meaning }),
        None => Quality::Good,
    }
}

/// What was asked for, then what came besides; each register once.
fn in_order<'a>(
    sight: Sight<'a>,
    asked: &[RegisterId],
) -> impl Iterator<Item = (RegisterId, Option<&'a Record>)> {
    let mut seen = BTreeSet::new();
    let ids: Vec<_> = asked
        .iter()
        .copied()
        .chain(sight.records.iter().map(|record| record.register))
        .filter(|id| seen.insert(*id))
        .collect();
    ids.into_iter().map(move |id| (id, sight.get(id)))
}

//! Whether a second look saw the same surprising thing.

use core::time::Duration;

use kamstrup_kmp::{Decimal, Record, RegisterId, Value};

use super::gap::Gap;
use super::judge::Sight;
use super::limits::{Limits, Overflow, Reach};
use super::memory::Shape;
use super::nature::{Nature, Triple};
use super::physics::{advance, outside};
use super::surprise::Surprise;

/// Whether a later look saw the surprising thing again: the same shape, and a value that is the same
/// or moved as physics allows.
pub(super) fn confirms(
    limits: &Limits,
    reach: Reach,
    id: RegisterId,
    surprise: &Surprise,
    (earlier, later): (Sight<'_>, Sight<'_>),
) -> bool {
    let (Some(first), Some(second)) = (earlier.get(id), later.get(id)) else {
        return false;
    };
    if Shape::of(first) != Shape::of(second) {
        return false;
    }
    if let Surprise::Contradiction { register, .. } = surprise {
        let gaps = Triple::of(*register).and_then(|triple| {
            Some((
                Gap::of(limits, earlier, triple)?,
                Gap::of(limits, later, triple)?,
            ))
        });
        return gaps.is_some_and(|(one, other)| near(one.size, other.size, Some(one.resolution)));
    }
    let elapsed = later.at.since(earlier.at);
    match (&first.value, &second.value) {
        (Value::Number(from), Value::Number(to)) => {
            let ten_steps = Shape::of(first).step().checked_mul(Decimal::new(10, 0));
            match Nature::of(id) {
                nature @ Nature::Counter { .. } => {
                    from <= to && advances(reach, nature, first, *from, *to, elapsed)
                }
                nature @ Nature::Gauge { .. } => {
                    let within = |number| outside(reach, nature, number, first.unit).is_none();
                    within(*from) && within(*to) || near(*from, *to, ten_steps)
                }
                Nature::Serial | Nature::Plain => from == to,
            }
        }
        (Value::Date(_), Value::Date(_))
        | (Value::Time(_), Value::Time(_))
        | (Value::DateTime(_), Value::DateTime(_))
        | (Value::MonthDay(_), Value::MonthDay(_))
        | (Value::Invalid(_), Value::Invalid(_)) => true,
        (one, other) => one == other,
    }
}

/// Whether a counter can have moved so between two readings. What nothing limits (events, pulses)
/// counts no more than once a second.
fn advances(
    reach: Reach,
    nature: Nature,
    record: &Record,
    from: Decimal,
    to: Decimal,
    elapsed: Duration,
) -> bool {
    match reach.growth(record.register, nature, record.unit, elapsed) {
        Ok(Some(_)) => matches!(advance(reach, nature, record, from, to, elapsed), Ok(None)),
        Ok(None) => {
            let seconds = i128::from(elapsed.as_secs().saturating_add(1));
            to.checked_sub(from)
                .is_some_and(|grew| grew <= Decimal::new(seconds, 0))
        }
        Err(Overflow) => from == to,
    }
}

/// Whether two readings of a restless value, seconds apart, may be one: within an allowance or a
/// sixteenth.
fn near(one: Decimal, other: Decimal, allowance: Option<Decimal>) -> bool {
    let close = || {
        let apart = one.checked_sub(other)?.abs();
        Some(apart <= allowance? || apart.checked_mul(Decimal::new(16, 0))? <= one.abs())
    };
    one == other || close().unwrap_or(false)
}

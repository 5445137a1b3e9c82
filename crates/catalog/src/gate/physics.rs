//! How far a value can be or move.

use core::time::Duration;

use kamstrup_kmp::{Decimal, Record, Unit, convert, convert_rounded};

use super::limits::{Growth, Overflow, Reach};
use super::memory::Shape;
use super::nature::{Nature, counting_unit};
use crate::model::Amount;

/// The limit a counter broke on its way up, if any.
pub(super) fn advance(
    reach: Reach,
    nature: Nature,
    record: &Record,
    from: Decimal,
    to: Decimal,
    elapsed: Duration,
) -> Result<Option<Growth>, Overflow> {
    let Some(growth) = reach.growth(record.register, nature, record.unit, elapsed)? else {
        return Ok(None);
    };
    let unit = counting_unit(record.register, record.unit);
    let grew = to.checked_sub(from).ok_or(Overflow)?;
    let broken = |grew: Decimal| {
        let grew = convert(grew, unit, growth.base).map_err(|_| Overflow)?;
        let grew = grew.checked_mul(growth.times).ok_or(Overflow)?;
        Ok(grew > growth.most)
    };
    // Both counts are cut off at their resolution.
    let step = Shape::of(record).step();
    let broke = broken(grew)? && broken(grew.checked_sub(step).ok_or(Overflow)?)?;
    Ok(broke.then_some(growth))
}

/// The range a gauge is outside of, if it is.
pub(super) fn outside(
    reach: Reach,
    nature: Nature,
    value: Decimal,
    unit: Unit,
) -> Option<(Decimal, Decimal, Unit)> {
    let (least, most, base) = reach.range(nature, unit)?;
    let inside = convert(value, unit, base).is_ok_and(|value| least <= value && value <= most);
    (!inside).then_some((least, most, base))
}

impl Growth {
    /// The limit in a unit people can compare.
    pub(super) fn amount(self, unit: Unit, exponent: i8) -> Option<Amount> {
        let number = convert_rounded(self.rounded_up()?, self.base, unit, exponent).ok()?;
        Some(Amount {
            value: number,
            unit,
        })
    }

    /// The limit as a whole number of its base unit.
    pub(super) fn rounded_up(self) -> Option<Decimal> {
        let product = self.most.rescale(self.most.exponent().min(0))?.mantissa();
        let scale = 10_i128.checked_pow(self.most.exponent().min(0).unsigned_abs().into())?;
        let divisor = scale.checked_mul(self.times.mantissa())?;
        Some(Decimal::new(
            product.checked_div(divisor)?.checked_add(1)?,
            0,
        ))
    }
}

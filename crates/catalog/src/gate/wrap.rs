//! Counters in high resolution that drop their upper digits.
//!
//! Nobody documents at which power of ten they begin anew: 10 000 000 Wh on a 403, by one user's
//! report. The coarse counter beside them tells how far they really ran, once round or more often.

use kamstrup_kmp::{Decimal, Instant, Quantity, RegisterId, Unit, convert};

use super::limits::Reach;
use super::memory::Known;
use super::nature::Nature;
use crate::model::Amount;

/// A counter that fell, and the coarse one of the same poll: what is remembered, what was found.
pub(super) struct Wrap<'a> {
    pub(super) fine: (&'a Known, Amount),
    pub(super) coarse: (&'a Known, Amount),
}

impl Wrap<'_> {
    /// Whether the fine counter ran as far as the coarse one, if it began anew at a power of ten;
    /// nothing where that cannot be computed.
    pub(super) fn fits(&self, coarse: RegisterId, reach: Reach, now: Instant) -> Option<bool> {
        let unit = self.fine.1.unit;
        let base = base(unit)?;
        let in_base = |value, unit| convert(value, unit, base).ok();

        let remembered = self.fine.0.value?;
        let fell = in_base(remembered.checked_sub(self.fine.1.value)?, unit)?;
        let coarse_unit = self.coarse.1.unit;
        let ran = in_base(
            self.coarse.1.value.checked_sub(self.coarse.0.value?)?,
            coarse_unit,
        )?;
        let step = in_base(self.coarse.0.shape.step(), coarse_unit)?;
        let mut tolerance = step.checked_add(step)?;
        // The two may have been seen last in different polls.
        let apart = self
            .fine
            .0
            .seen
            .age(now)
            .abs_diff(self.coarse.0.seen.age(now));
        if !apart.is_zero() {
            let growth = reach
                .growth(coarse, Nature::of(coarse), coarse_unit, apart)
                .ok()??;
            tolerance = tolerance.checked_add(growth.rounded_up()?)?;
        }

        let digits = remembered
            .mantissa()
            .unsigned_abs()
            .checked_ilog10()?
            .checked_add(1)?;
        Some((digits..digits.saturating_add(MORE_DIGITS)).any(|digits| {
            let fits = || {
                let size = Decimal::new(10_i128.checked_pow(digits)?, remembered.exponent());
                let size = in_base(size, unit)?;
                // A tolerance that explains any fall explains none.
                let telling = tolerance.checked_mul(Decimal::new(8, 0))? <= size;
                let (over, short) = rest(ran.checked_add(fell)?, size)?;
                Some(telling && over.min(short) <= tolerance)
            };
            fits().unwrap_or(false)
        }))
    }
}

/// What is left of an amount when a size is taken off it as often as it fits, and what is missing
/// from there to the next time.
fn rest(amount: Decimal, size: Decimal) -> Option<(Decimal, Decimal)> {
    let exponent = amount.exponent().min(size.exponent());
    let size = size.rescale(exponent)?;
    let over = amount
        .rescale(exponent)?
        .mantissa()
        .checked_rem_euclid(size.mantissa())?;
    let over = Decimal::new(over, exponent);
    Some((over, size.checked_sub(over)?))
}

/// How many digits more than its last value the counter may have.
const MORE_DIGITS: u32 = 3;

fn base(unit: Unit) -> Option<Unit> {
    match unit.quantity() {
        Quantity::Energy => Some(Unit::J),
        Quantity::Volume => Some(Unit::CUBIC_METRE),
        _ => None,
    }
}

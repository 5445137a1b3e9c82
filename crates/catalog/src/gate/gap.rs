//! T1, T2 and dT: three values that say two things.

use kamstrup_kmp::{Decimal, Unit};

use super::judge::{Sight, amount};
use super::limits::Limits;
use super::memory::Shape;
use super::nature::Triple;
use crate::model::Amount;

/// What a meter says about T1 - T2, twice.
pub(super) struct Gap {
    /// The difference sent.
    pub(super) found: Amount,
    /// The difference of the temperatures sent.
    pub(super) expected: Amount,
    /// The second less the first.
    pub(super) size: Decimal,
    /// How much of it the three resolutions explain.
    pub(super) resolution: Decimal,
}

impl Gap {
    /// Nothing where one of the three is missing, invalid or in another unit.
    pub(super) fn of(limits: &Limits, sight: Sight<'_>, triple: Triple) -> Option<Self> {
        let [inlet, outlet, difference] = triple.members().map(|id| {
            sight
                .valid(limits, id)
                .and_then(|record| Some((amount(record)?, Shape::of(record).step())))
        });
        let ((inlet, a), (outlet, b), (found, c)) = (inlet?, outlet?, difference?);
        let celsius = inlet.unit == Unit::CELSIUS && outlet.unit == Unit::CELSIUS;
        if !celsius || found.unit != Unit::KELVIN {
            return None;
        }
        let expected = inlet.value.checked_sub(outlet.value)?;
        Some(Self {
            found,
            expected: Amount {
                value: expected,
                unit: found.unit,
            },
            size: expected.checked_sub(found.value)?,
            resolution: a.checked_add(b)?.checked_add(c)?,
        })
    }
}

//! What a meter can possibly measure, and what that allows its values to do.

use core::time::Duration;

use kamstrup_kmp::{Decimal, Quantity, RegisterId, Unit, convert};

use super::nature::{Nature, counting_unit};
use crate::model::{Amount, Limit, Model, Sentinel};

/// What a meter can possibly measure.
///
/// Made [from a model](Limits::from), or given by whoever knows the meter better than its family
/// tells: a house connection is far smaller than the largest MULTICAL 603.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// No flow is larger, in m³/h.
    pub largest_flow: Decimal,
    /// No power is larger, in kW.
    pub largest_power: Decimal,
    /// The lowest and the highest temperature of the sensors, in °C.
    pub sensor_range: (Decimal, Decimal),
    /// Values that stand for a fault.
    pub sentinels: &'static [Sentinel],
}

/// For a meter nobody knows: the largest meters with a flow sensor of qp 50 m³/h, and what that
/// flow carries when it is cooled down by 85 K. A larger meter is not held, it costs second reads
/// until its flow and power have been confirmed once.
impl Default for Limits {
    fn default() -> Self {
        Self {
            largest_flow: Decimal::new(100, 0),
            largest_power: Decimal::new(10_000, 0),
            sensor_range: (Decimal::new(-40, 0), Decimal::new(250, 0)),
            sentinels: &[],
        }
    }
}

impl From<&Model> for Limits {
    fn from(model: &Model) -> Self {
        let general = Self::default();
        let limits = &model.limits;
        let most = |limit: Option<Limit>, unit| limit.and_then(|limit| amount_in(limit.most, unit));
        let range = limits.temperature.and_then(|range| {
            let least = amount_in(range.least, Unit::CELSIUS)?;
            Some((least, amount_in(range.most, Unit::CELSIUS)?))
        });
        Self {
            largest_flow: most(limits.flow, Unit::CUBIC_METRE_PER_HOUR)
                .unwrap_or(general.largest_flow),
            largest_power: most(limits.power, Unit::KW).unwrap_or(general.largest_power),
            sensor_range: range.unwrap_or(general.sensor_range),
            sentinels: model.sentinels,
        }
    }
}

impl Limits {
    /// What a value stands for, if it is a sentinel of its register.
    pub(super) fn sentinel(
        &self,
        register: RegisterId,
        value: Amount,
    ) -> Option<&'static Sentinel> {
        self.sentinels.iter().find(|sentinel| {
            let listed = sentinel.value;
            sentinel.register == register
                && convert(value.value, value.unit, listed.unit) == Ok(listed.value)
        })
    }
}

/// The limits of one meter, as far as its own confirmed readings have not moved them.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reach {
    flow: Decimal,
    power: Decimal,
    least: Decimal,
    most: Decimal,
}

/// How far a counter may run: what it grew, times `times`, is at most `most`, in `base`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Growth {
    pub(super) base: Unit,
    pub(super) times: Decimal,
    pub(super) most: Decimal,
}

/// A meter adds to its counters from time to time and in one go: every 2 to 64 s on a 403.
const INTEGRATION: Duration = Duration::from_secs(64);

const MILLISECONDS_PER_SECOND: i64 = 1000;
const MILLISECONDS_PER_HOUR: i64 = 3_600_000;

impl Reach {
    pub(super) fn new(limits: &Limits, flow: Option<Decimal>, power: Option<Decimal>) -> Self {
        Self {
            flow: flow.map_or(limits.largest_flow, |flow| flow.max(limits.largest_flow)),
            power: power.map_or(limits.largest_power, |power| {
                power.max(limits.largest_power)
            }),
            least: limits.sensor_range.0,
            most: limits.sensor_range.1,
        }
    }

    /// The same for what another meter measures: the pulse inputs.
    fn of(self, nature: Nature) -> Self {
        if !nature.is_foreign() {
            return self;
        }
        let general = Limits::default();
        Self {
            flow: self.flow.max(general.largest_flow),
            power: self.power.max(general.largest_power),
            ..self
        }
    }

    /// The smallest and largest possible value of a gauge, with their unit.
    pub(super) fn range(self, nature: Nature, unit: Unit) -> Option<(Decimal, Decimal, Unit)> {
        let reach = self.of(nature);
        let both = |most: Decimal, unit| Some((negative(most)?, most, unit));
        match unit.quantity() {
            Quantity::VolumeFlow => both(reach.flow, Unit::CUBIC_METRE_PER_HOUR),
            Quantity::MassFlow => both(reach.mass_flow()?, Unit::TONNE_PER_HOUR),
            Quantity::Power => both(reach.power, Unit::KW),
            Quantity::Temperature => Some((reach.least, reach.most, Unit::CELSIUS)),
            Quantity::TemperatureDifference => {
                both(reach.most.checked_sub(reach.least)?, Unit::KELVIN)
            }
            _ => None,
        }
    }

    /// How far a counter may run in so long a time; `Ok(None)` where nothing limits it, an error
    /// where the limit is beyond arithmetic.
    pub(super) fn growth(
        self,
        register: RegisterId,
        nature: Nature,
        unit: Unit,
        elapsed: Duration,
    ) -> Result<Option<Growth>, Overflow> {
        let reach = self.of(nature);
        let time = milliseconds(elapsed.saturating_add(INTEGRATION)).ok_or(Overflow)?;
        let (base, rate, period) = match counting_unit(register, unit).quantity() {
            Quantity::Energy => {
                let watts = reach
                    .power
                    .checked_mul(Decimal::new(1, 3))
                    .ok_or(Overflow)?;
                (Unit::J, watts, MILLISECONDS_PER_SECOND)
            }
            Quantity::Volume => (Unit::CUBIC_METRE, reach.flow, MILLISECONDS_PER_HOUR),
            Quantity::Mass => (
                Unit::TONNE,
                reach.mass_flow().ok_or(Overflow)?,
                MILLISECONDS_PER_HOUR,
            ),
            Quantity::VolumeTemperature => {
                let hottest = reach.most.abs().max(reach.least.abs());
                let rate = reach.flow.checked_mul(hottest).ok_or(Overflow)?;
                (Unit::CUBIC_METRE_CELSIUS, rate, MILLISECONDS_PER_HOUR)
            }
            // The meter's clock and ours may differ by a hundredth.
            Quantity::Duration => (Unit::SECOND, Decimal::new(101, -2), MILLISECONDS_PER_SECOND),
            _ => return Ok(None),
        };
        let most = rate.checked_mul(time).ok_or(Overflow)?;
        Ok(Some(Growth {
            base,
            times: Decimal::from(period),
            most,
        }))
    }

    /// No liquid in a heating system is heavier than 1.1 t/m³.
    fn mass_flow(self) -> Option<Decimal> {
        self.flow.checked_mul(Decimal::new(11, -1))
    }
}

/// A number has more than 38 digits.
#[derive(Clone, Copy, Debug)]
pub(super) struct Overflow;

/// The number with the other sign.
pub(super) fn negative(number: Decimal) -> Option<Decimal> {
    Decimal::ZERO.checked_sub(number)
}

fn milliseconds(duration: Duration) -> Option<Decimal> {
    i128::try_from(duration.as_millis())
        .ok()
        .map(|count| Decimal::new(count, 0))
}

fn amount_in(amount: Amount, unit: Unit) -> Option<Decimal> {
    convert(amount.value, amount.unit, unit).ok()
}

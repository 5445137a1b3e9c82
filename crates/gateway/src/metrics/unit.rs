//! Prometheus' base units, and how a value gets into one.

use kamstrup_kmp::{Decimal, Quantity, Unit, convert};

/// The value in the base unit of what it measures, and what that is called in a metric's name; none
/// for what is no measurement.
pub(super) fn base(number: Decimal, unit: Option<Unit>) -> Option<(f64, &'static str)> {
    let Some(unit) = unit else {
        return Some((number.to_f64(), ""));
    };
    let (base, name) = match unit.quantity() {
        Quantity::Energy => (Unit::J, "joules"),
        Quantity::Power => (Unit::W, "watts"),
        Quantity::Temperature => (Unit::CELSIUS, "celsius"),
        Quantity::TemperatureDifference => (Unit::KELVIN, "kelvin"),
        Quantity::Volume => (Unit::CUBIC_METRE, "cubic_meters"),
        Quantity::VolumeFlow => (Unit::CUBIC_METRE_PER_HOUR, "cubic_meters_per_hour"),
        Quantity::VolumeTemperature => (Unit::CUBIC_METRE_CELSIUS, "cubic_meter_celsius"),
        Quantity::Mass => {
            let (tonnes, _) = in_unit(number, unit, Unit::TONNE, "")?;
            return Some((tonnes * 1e6, "grams"));
        }
        Quantity::Duration => (Unit::SECOND, "seconds"),
        Quantity::Voltage => (Unit::V, "volts"),
        Quantity::Current => (Unit::A, "amperes"),
        Quantity::ReactiveEnergy => (Unit::VARH, "varh"),
        Quantity::ReactivePower => (Unit::VAR, "vars"),
        Quantity::Pressure => {
            let (bar, _) = in_unit(number, unit, Unit::BAR, "")?;
            return Some((bar * 1e5, "pascals"));
        }
        Quantity::Number | Quantity::Bits => return Some((number.to_f64(), "")),
        // Dates, text and addresses are no measurements; what is not known cannot be named.
        _ => return None,
    };
    in_unit(number, unit, base, name)
}

fn in_unit(
    number: Decimal,
    from: Unit,
    to: Unit,
    name: &'static str,
) -> Option<(f64, &'static str)> {
    convert(number, from, to)
        .ok()
        .map(|number| (number.to_f64(), name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_come_in_base_units() {
        let energy = base(Decimal::new(84_817, -3), Some(Unit::GJ));
        assert_eq!(energy, Some((84_817_000_000.0, "joules")));
        let flow = base(Decimal::new(432, 0), Some(Unit::LITRE_PER_HOUR));
        assert_eq!(flow, Some((0.432, "cubic_meters_per_hour")));
        let hours = base(Decimal::new(2, 0), Some(Unit::HOUR));
        assert_eq!(hours, Some((7200.0, "seconds")));
        assert_eq!(base(Decimal::new(1, 0), Some(Unit::DATE1)), None);
        assert_eq!(base(Decimal::new(1, 0), Some(Unit(200))), None);
    }
}

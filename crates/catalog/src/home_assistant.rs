//! How Home Assistant spells units.
//!
//! Its sensor platform accepts fixed spellings per device class (`homeassistant/const.py`, release
//! 2026.11); a unit it does not know must not be sent together with a device class.

use crate::{HomeAssistant, Quantity, Unit};

/// Home Assistant's spelling of a unit, or `None` where it has no such unit.
pub fn home_assistant_unit(unit: Unit) -> Option<&'static str> {
    SPELLINGS
        .iter()
        .find(|(code, _)| *code == unit.0)
        .map(|(_, spelling)| *spelling)
}

impl HomeAssistant {
    /// The classes that fit a value in the unit the meter sent it in.
    ///
    /// A pulse input is a water meter's or an electricity meter's, as it was programmed: its unit
    /// decides. A device class that does not go with the unit is left out, because Home Assistant
    /// would refuse the sensor.
    #[must_use]
    pub fn in_unit(self, unit: Unit) -> Self {
        let device_class = self.device_class.and_then(|class| {
            let wanted = match class {
                "energy" => Quantity::Energy,
                "reactive_energy" => Quantity::ReactiveEnergy,
                "water" if unit.quantity() == Quantity::Energy => return Some("energy"),
                "volume" | "water" => Quantity::Volume,
                "volume_flow_rate" => Quantity::VolumeFlow,
                "power" => Quantity::Power,
                "reactive_power" => Quantity::ReactivePower,
                "temperature" => Quantity::Temperature,
                "temperature_delta" => Quantity::TemperatureDifference,
                "pressure" => Quantity::Pressure,
                "voltage" => Quantity::Voltage,
                "current" => Quantity::Current,
                "duration" => Quantity::Duration,
                // Dates and the like have no unit.
                _ => return Some(class),
            };
            let fits = unit.quantity() == wanted && home_assistant_unit(unit).is_some();
            fits.then_some(class)
        });
        Self {
            device_class,
            ..self
        }
    }
}

/// By the unit codes of the protocol. Absent on purpose: apparent energy, tonnes, scaled units,
/// dates and the like.
const SPELLINGS: [(u8, &str); 45] = [
    (1, "Wh"),
    (2, "kWh"),
    (3, "MWh"),
    (4, "GWh"),
    (5, "J"),
    (6, "kJ"),
    (7, "MJ"),
    (8, "GJ"),
    (9, "cal"),
    (10, "kcal"),
    (11, "Mcal"),
    (12, "Gcal"),
    (13, "varh"),
    (14, "kvarh"),
    (21, "W"),
    (22, "kW"),
    (23, "MW"),
    (24, "GW"),
    (25, "var"),
    (26, "kvar"),
    (29, "VA"),
    (30, "kVA"),
    (33, "V"),
    (34, "A"),
    (35, "kV"),
    (37, "°C"),
    (38, "K"),
    (39, "L"),
    (40, "m³"),
    (41, "L/h"),
    (42, "m³/h"),
    (46, "h"),
    (52, "bar"),
    (58, "min"),
    (60, "s"),
    (61, "ms"),
    (62, "d"),
    (67, "Hz"),
    (68, "°"),
    (69, "%"),
    (70, "gal"),
    (71, "gal/min"),
    (85, "%"),
    (86, "%"),
    (87, "m/s"),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{register_by_key, registers};

    #[test]
    fn cubic_metres_and_litres_have_the_spelling_home_assistant_accepts() {
        assert_eq!(home_assistant_unit(Unit(40)), Some("m³"));
        assert_eq!(home_assistant_unit(Unit(41)), Some("L/h"));
        assert_eq!(home_assistant_unit(Unit(42)), Some("m³/h"));
        assert_eq!(home_assistant_unit(Unit(37)), Some("°C"));
    }

    #[test]
    fn twenty_one_is_watt_and_twenty_five_is_var() {
        assert_eq!(home_assistant_unit(Unit(21)), Some("W"));
        assert_eq!(home_assistant_unit(Unit(25)), Some("var"));
    }

    #[test]
    fn a_pulse_input_in_kilowatt_hours_is_an_electricity_meter() {
        let input = register_by_key("input_a").unwrap().home_assistant;
        assert_eq!(input.in_unit(Unit::CUBIC_METRE).device_class, Some("water"));
        assert_eq!(input.in_unit(Unit::KWH).device_class, Some("energy"));
        assert_eq!(input.in_unit(Unit::NUMBER).device_class, None);
    }

    #[test]
    fn a_class_home_assistant_would_refuse_in_this_unit_is_left_out() {
        let energy = register_by_key("heat_energy").unwrap().home_assistant;
        assert_eq!(energy.in_unit(Unit::GJ).device_class, Some("energy"));
        assert_eq!(energy.in_unit(Unit::TEN_GJ).device_class, None);
        assert_eq!(
            energy.in_unit(Unit::TEN_GJ).state_class,
            Some("total_increasing")
        );
        let date = register_by_key("max_flow_year_date")
            .unwrap()
            .home_assistant;
        assert_eq!(date.in_unit(Unit::DATE1).device_class, Some("date"));
    }

    #[test]
    fn units_without_a_counterpart_have_none() {
        for code in [0, 17, 43, 44, 47, 48, 51, 54, 59, 79, 200] {
            assert_eq!(home_assistant_unit(Unit(code)), None, "unit {code}");
        }
    }

    #[test]
    fn a_register_with_a_class_that_needs_a_unit_has_only_units_home_assistant_knows() {
        for register in registers() {
            let class = register.home_assistant.device_class;
            if class.is_none_or(|class| ["date", "timestamp", "enum"].contains(&class)) {
                continue;
            }
            for unit in register.units {
                assert!(
                    home_assistant_unit(*unit).is_some(),
                    "{} in {unit:?}",
                    register.key
                );
            }
        }
    }
}

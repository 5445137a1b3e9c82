//! How Home Assistant spells units.
//!
//! Its sensor platform accepts fixed spellings per device class (`homeassistant/const.py`, release 2026.11); a unit it
//! does not know must not be sent together with a device class.

use crate::Unit;

/// Home Assistant's spelling of a unit, or `None` where it has no such unit.
pub fn home_assistant_unit(unit: Unit) -> Option<&'static str> {
    SPELLINGS
        .iter()
        .find(|(code, _)| *code == unit.0)
        .map(|(_, spelling)| *spelling)
}

/// By the unit codes of the protocol. Absent on purpose: apparent energy, tonnes, scaled units, dates and the like.
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
    use crate::registers;

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

//! Registers: what each number means, how often it is worth asking for, and how it is shown.
//!
//! The facts stand in `meters/registers.toml`, with the place each comes from.

use crate::data::{REGISTERS, REGISTERS_BY_KEY};
use crate::nearest::nearest;
use crate::{Labels, Language, RegisterId, Unit};

/// All registers known to the catalogue, in the order of their numbers.
pub fn registers() -> &'static [Register] {
    &REGISTERS
}

/// The register with this number.
pub fn register(id: RegisterId) -> Option<&'static Register> {
    let position = REGISTERS
        .binary_search_by_key(&id.0, |register| register.id.0)
        .ok()?;
    REGISTERS.get(position)
}

/// The register with this key, exactly.
pub fn register_by_key(key: &str) -> Option<&'static Register> {
    let position = REGISTERS_BY_KEY
        .binary_search_by_key(&key, |&position| REGISTERS[usize::from(position)].key)
        .ok()?;
    REGISTERS.get(usize::from(REGISTERS_BY_KEY[position]))
}

/// The key that was probably meant by a misspelt one.
pub fn nearest_key(key: &str) -> Option<&'static str> {
    nearest(key, REGISTERS.iter().map(|register| register.key))
}

/// What the catalogue knows about one register.
#[derive(Debug, PartialEq, Eq)]
pub struct Register {
    /// The number the meter knows it by.
    pub id: RegisterId,
    /// The name scripts, MQTT and configuration know it by. Never changes once published.
    pub key: &'static str,
    /// What sort of thing it holds.
    pub kind: Kind,
    /// Units seen or documented for it, the most usual first. The frame's own unit always wins.
    pub units: &'static [Unit],
    /// How often it is worth asking for.
    pub tier: Tier,
    /// Whether it is shown unless somebody turns it off.
    pub default: bool,
    /// Whether its highest digits are cut off, so that it starts again at zero now and then.
    pub wraps: bool,
    /// How Home Assistant classes it.
    pub home_assistant: HomeAssistant,
    /// Material Design icon, with the `mdi:` prefix.
    pub icon: &'static str,
    /// The entity golles/ha-kamstrup_403 has for it, if any.
    pub seed: Option<Seed>,
    /// Where the facts come from.
    pub sources: &'static [&'static str],
    /// How sure they are.
    pub confidence: Confidence,
    /// Its name in every language.
    pub labels: Labels,
}

impl Register {
    /// Its name in one language.
    pub fn label(&self, language: Language) -> &'static str {
        self.labels.get(language)
    }

    /// Whether the value only ever grows, except when the meter is replaced or where it [wraps].
    ///
    /// [wraps]: Self::wraps
    pub fn is_counter(&self) -> bool {
        self.home_assistant.state_class == Some("total_increasing")
    }
}

/// What sort of thing a register holds, more finely than its unit tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Thermal or active electrical energy, counted up.
    Energy,
    /// Reactive electrical energy, counted up.
    ReactiveEnergy,
    /// Volume of heating or cooling water, counted up.
    Volume,
    /// Water counted by a pulse input or by a water meter itself.
    Water,
    /// Mass of heating water, counted up.
    Mass,
    /// Volume times temperature, counted up: for volume-weighted mean temperatures.
    VolumeTemperature,
    /// Flow of volume at this moment, or an extreme of it.
    Flow,
    /// Thermal or active electrical power at this moment, or an extreme of it.
    Power,
    /// Reactive electrical power.
    ReactivePower,
    /// Temperature, or a mean or extreme of it.
    Temperature,
    /// Difference of two temperatures.
    TemperatureDifference,
    /// Pressure.
    Pressure,
    /// Voltage.
    Voltage,
    /// Current.
    Current,
    /// Time that adds up, such as operating hours.
    Hours,
    /// Length of time that is set or measured.
    Duration,
    /// Time left until something runs out.
    Remaining,
    /// Events, counted up.
    Events,
    /// A dimensionless measured figure.
    Ratio,
    /// A number or text that names or configures something and is not measured.
    Identifier,
    /// Day.
    Date,
    /// Day and month that come every year.
    YearDay,
    /// Time of day.
    Clock,
    /// Day and time.
    DateTime,
    /// Flags, one per bit or per digit.
    Flags,
    /// A number whose meaning is not known.
    Unknown,
}

/// How often a register is worth asking for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Tier {
    /// Moves all the time: with every poll.
    Poll,
    /// Moves slowly or is seldom looked at: once an hour is enough.
    Hourly,
    /// Moves at most once a day.
    Daily,
    /// Fixed for the life of the meter or its configuration: once per connection.
    Once,
}

/// How Home Assistant classes a register's sensor. `None` leaves the attribute out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HomeAssistant {
    /// `device_class` of the sensor.
    pub device_class: Option<&'static str>,
    /// `state_class` of the sensor.
    pub state_class: Option<&'static str>,
    /// `entity_category` of the sensor.
    pub entity_category: Option<&'static str>,
}

/// What golles/ha-kamstrup_403 has for a register: adopted entities keep this name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seed {
    /// Its English entity name, without the device's name in front.
    pub name: &'static str,
    /// Whether that entity is enabled in a fresh installation.
    pub enabled: bool,
}

/// How sure a fact is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Confidence {
    /// Stated by the manufacturer.
    Documented,
    /// Seen in a frame captured from a meter.
    Captured,
    /// Stated or done by a public project.
    Project,
    /// Our conclusion; nobody confirmed it.
    Inferred,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_register_is_found_by_number_and_by_key() {
        assert_eq!(registers().len(), 228);
        for known in registers() {
            assert_eq!(register(known.id), Some(known));
            assert_eq!(register_by_key(known.key), Some(known));
        }
        assert_eq!(register(RegisterId(59)), None);
        assert_eq!(register_by_key("heat_enery"), None);
        assert_eq!(nearest_key("heat_enery"), Some("heat_energy"));
    }

    #[test]
    fn no_two_registers_have_the_same_label_in_a_language() {
        for language in Language::ALL {
            let mut labels: Vec<_> = registers().iter().map(|r| r.label(language)).collect();
            labels.sort_unstable();
            let repeated = labels.windows(2).find(|pair| pair[0] == pair[1]);
            assert_eq!(repeated, None, "{language}");
        }
    }

    #[test]
    fn the_seed_has_thirty_five_entities_seven_of_them_enabled() {
        let seeded: Vec<_> = registers().iter().filter(|r| r.seed.is_some()).collect();
        assert_eq!(seeded.len(), 35);
        let enabled = seeded
            .iter()
            .filter(|r| r.seed.is_some_and(|seed| seed.enabled))
            .count();
        assert_eq!(enabled, 7);
        let name = |id| {
            register(RegisterId(id))
                .and_then(|r| r.seed)
                .map(|seed| seed.name)
        };
        assert_eq!(name(60), Some("Heat Energy (E1)"));
        assert_eq!(name(99), Some("Infoevent"));
        assert_eq!(name(141), Some("MinFlow_M"));
        assert_eq!(name(127), Some("MaxPowerDate_Y"));
    }

    #[test]
    fn what_polls_carry_by_default_fits_into_one_request_on_a_heat_meter() {
        let model = crate::model("403").unwrap();
        let polled = model
            .known_registers()
            .filter(|register| register.default && register.tier == Tier::Poll);
        assert_eq!(polled.count(), 8);
    }

    #[test]
    fn a_serial_number_is_no_measurement() {
        let serial = register_by_key("serial_number").unwrap().home_assistant;
        assert_eq!((serial.device_class, serial.state_class), (None, None));
        assert_eq!(serial.entity_category, Some("diagnostic"));
    }
}

//! Models: which registers a meter family has, what to ask first, and what it can possibly say.
//!
//! One file per family in `meters/`. A list of registers says what a family may answer, not what
//! one meter does: a meter leaves out what its programming does not have.

use kamstrup_kmp::Decimal;

use crate::data::MODELS;
use crate::identity::IdentityRule;
use crate::info::InfoTable;
use crate::register::{Confidence, HomeAssistant, Register, Tier, register};
use crate::{RegisterId, Unit};

/// All families, in alphabetical order of their slugs.
pub fn models() -> &'static [Model] {
    &MODELS
}

/// The family with this slug, name or alias, in any case: `multical-403`, `MULTICAL 403`, `403`.
pub fn model(name: &str) -> Option<&'static Model> {
    MODELS.iter().find(|model| {
        model.slug.eq_ignore_ascii_case(name)
            || model.name.eq_ignore_ascii_case(name)
            || model
                .aliases
                .iter()
                .any(|alias| alias.eq_ignore_ascii_case(name))
    })
}

/// A family of meters that share registers.
#[derive(Debug)]
pub struct Model {
    /// Name for scripts: `multical-403`.
    pub slug: &'static str,
    /// Name for people: `MULTICAL 403`.
    pub name: &'static str,
    /// Other names people use.
    pub aliases: &'static [&'static str],
    /// What it measures.
    pub medium: Medium,
    /// The type code our simulator answers in its place; no real meter is claimed to answer it.
    pub simulated_type: Option<u16>,
    /// What tells this family.
    pub identity: &'static [IdentityRule],
    /// What it may answer, in the order of the numbers.
    pub registers: &'static [RegisterId],
    /// Those of `registers` that are only our conclusion from related meters.
    pub inferred: &'static [RegisterId],
    /// What to ask when nothing is asked for: one request.
    pub usual: &'static [RegisterId],
    /// Where this family differs from what the register itself says.
    pub overrides: &'static [Override],
    /// What its info codes mean.
    pub info: Option<&'static InfoTable>,
    /// What it can possibly measure.
    pub limits: Limits,
    /// Values that stand for a fault.
    pub sentinels: &'static [Sentinel],
    /// How often its battery allows reading.
    pub battery: Option<Battery>,
}

impl PartialEq for Model {
    /// There is one of each name.
    fn eq(&self, other: &Self) -> bool {
        self.slug == other.slug
    }
}

impl Eq for Model {}

impl Model {
    /// The family of meters nobody knows: every register that heat meters share.
    pub fn unknown() -> &'static Self {
        &MODELS[crate::data::UNKNOWN_MODEL]
    }

    /// Whether the family is known to have, or believed to have, this register.
    pub fn has(&self, id: RegisterId) -> bool {
        self.registers
            .binary_search_by_key(&id.0, |id| id.0)
            .is_ok()
    }

    /// What the catalogue knows about each of its registers.
    pub fn known_registers(&self) -> impl Iterator<Item = &'static Register> + use<'_> {
        self.registers.iter().filter_map(|id| register(*id))
    }

    /// How often a register of this family is worth asking for.
    pub fn tier(&self, register: &Register) -> Tier {
        self.differing(register)
            .and_then(|differing| differing.tier)
            .unwrap_or(register.tier)
    }

    /// The units a register of this family is usual in.
    pub fn units(&self, register: &Register) -> &'static [Unit] {
        self.differing(register)
            .and_then(|differing| differing.units)
            .unwrap_or(register.units)
    }

    /// How Home Assistant classes a register of this family.
    pub fn home_assistant(&self, register: &Register) -> HomeAssistant {
        let own = self
            .differing(register)
            .and_then(|differing| differing.device_class);
        HomeAssistant {
            device_class: own.or(register.home_assistant.device_class),
            ..register.home_assistant
        }
    }

    /// Whether a register of this family is shown unless somebody turns it off.
    pub fn shows(&self, register: &Register) -> bool {
        self.differing(register)
            .and_then(|differing| differing.default)
            .unwrap_or(register.default)
    }

    /// The sentinels of one register.
    pub fn sentinels_of(&self, id: RegisterId) -> impl Iterator<Item = &'static Sentinel> + use<> {
        self.sentinels
            .iter()
            .filter(move |sentinel| sentinel.register == id)
    }

    fn differing(&self, register: &Register) -> Option<&'static Override> {
        self.overrides
            .iter()
            .find(|differing| differing.register == register.id)
    }
}

/// What a meter measures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Medium {
    /// Heating or cooling energy.
    Heat,
    /// Drinking water.
    Water,
    /// Electricity.
    Electricity,
}

/// Where a family differs from what a register says in general.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Override {
    /// The register it is about.
    pub register: RegisterId,
    /// Its units in this family.
    pub units: Option<&'static [Unit]>,
    /// Its Home Assistant device class in this family.
    pub device_class: Option<&'static str>,
    /// Its tier in this family.
    pub tier: Option<Tier>,
    /// Whether this family shows it by default.
    pub default: Option<bool>,
}

/// An exact figure with its unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Amount {
    /// The figure, to the last digit.
    pub value: Decimal,
    /// What it counts.
    pub unit: Unit,
}

/// What a family can possibly measure. What is not known is not limited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// No flow is larger.
    pub flow: Option<Limit>,
    /// No power is larger.
    pub power: Option<Limit>,
    /// The range of the temperature sensors.
    pub temperature: Option<Range>,
}

/// The largest possible figure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    /// The figure.
    pub most: Amount,
    /// Where it comes from.
    pub source: &'static str,
    /// How sure it is.
    pub confidence: Confidence,
}

/// The smallest and the largest possible figure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Range {
    /// The smallest.
    pub least: Amount,
    /// The largest.
    pub most: Amount,
    /// Where they come from.
    pub source: &'static str,
    /// How sure they are.
    pub confidence: Confidence,
}

/// A value that stands for a fault and is not a measurement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sentinel {
    /// The register that shows it.
    pub register: RegisterId,
    /// The value, to the last digit.
    pub value: Amount,
    /// What it stands for, in English, for logs.
    pub meaning: &'static str,
    /// Where this comes from.
    pub source: &'static str,
    /// How sure it is.
    pub confidence: Confidence,
}

/// How often the battery allows reading.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Battery {
    /// Readings in an hour on which the stated life of the battery rests.
    pub readings_per_hour: u16,
    /// Years the manufacturer states for that, the shortest and the longest over batteries and
    /// modes.
    pub years: Option<(u8, u8)>,
    /// Where this comes from.
    pub source: &'static str,
    /// How sure it is.
    pub confidence: Confidence,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::register_by_key;

    #[test]
    fn every_family_asks_its_usual_registers_in_one_request() {
        for model in models() {
            assert!((1..=8).contains(&model.usual.len()), "{}", model.slug);
            for id in model.usual {
                assert!(
                    model.has(*id),
                    "{} asks {id:?} without having it",
                    model.slug
                );
            }
        }
    }

    #[test]
    fn a_family_is_found_by_slug_name_and_alias_in_any_case() {
        for name in [
            "multical-403",
            "MULTICAL 403",
            "Multical 403",
            "403",
            "mc403",
        ] {
            assert_eq!(
                model(name).map(|model| model.slug),
                Some("multical-403"),
                "{name}"
            );
        }
        assert!(model("multical-999").is_none());
    }

    #[test]
    fn the_energy_of_a_403_in_high_resolution_is_in_watt_hours() {
        let model = model("403").unwrap();
        let register = register_by_key("heat_energy_high_res").unwrap();
        assert_eq!(model.units(register), [Unit(1)]);
        assert!(register.units.len() > 1);
    }

    #[test]
    fn the_volume_of_a_water_meter_is_water() {
        let register = register_by_key("volume").unwrap();
        let class = |name| model(name).unwrap().home_assistant(register).device_class;
        assert_eq!(class("water"), Some("water"));
        assert_eq!(class("403"), Some("volume"));
    }

    #[test]
    fn a_meter_nobody_knows_may_have_every_register() {
        assert_eq!(Model::unknown().registers.len(), crate::registers().len());
        assert_eq!(Model::unknown().slug, "unknown");
    }

    #[test]
    fn a_sensor_of_a_403_that_reads_185_is_broken() {
        let model = model("403").unwrap();
        let values: Vec<_> = model
            .sentinels_of(RegisterId(86))
            .map(|s| s.value)
            .collect();
        let open = Amount {
            value: Decimal::new(18500, -2),
            unit: Unit::CELSIUS,
        };
        assert!(values.contains(&open), "{values:?}");
    }
}

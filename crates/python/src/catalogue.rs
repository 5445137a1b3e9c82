//! The catalogue: registers and models, and how Home Assistant classes them.

use std::collections::BTreeMap;

use heatmeter_catalog::{
    self as catalog, HomeAssistant, Language, Medium, Model as InnerModel,
    Register as InnerRegister, RegisterId, Tier, Unit,
};
use pyo3::exceptions::PyKeyError;
use pyo3::prelude::*;

use crate::info::{InfoFlag, labels};

/// What the catalogue knows about one register.
#[pyclass(frozen, eq, module = "kamstrup_kmp")]
#[derive(PartialEq, Eq)]
pub(crate) struct Register(&'static InnerRegister);

#[pymethods]
impl Register {
    /// The number the meter knows it by.
    #[getter]
    fn id(&self) -> u16 {
        self.0.id.0
    }

    /// The name scripts know it by.
    #[getter]
    fn key(&self) -> &'static str {
        self.0.key
    }

    /// What sort of thing it holds: `energy`, `flow`, `date` and so on.
    #[getter]
    fn kind(&self) -> String {
        snake_case(&format!("{:?}", self.0.kind))
    }

    /// How often it is worth asking for: `poll`, `hourly`, `daily` or `once`.
    #[getter]
    fn tier(&self) -> &'static str {
        tier_name(self.0.tier)
    }

    /// Symbols of its units, the most usual first.
    #[getter]
    fn units(&self) -> Vec<&'static str> {
        symbols(self.0.units)
    }

    /// Whether it is shown unless somebody turns it off.
    #[getter]
    fn default(&self) -> bool {
        self.0.default
    }

    /// Whether its highest digits are cut off, so that it starts again at zero now and then.
    #[getter]
    fn wraps(&self) -> bool {
        self.0.wraps
    }

    /// Whether the value only ever grows.
    #[getter]
    fn is_counter(&self) -> bool {
        self.0.is_counter()
    }

    /// How Home Assistant classes it.
    #[getter]
    fn classes(&self) -> Classes {
        Classes(self.0.home_assistant)
    }

    /// Material Design icon.
    #[getter]
    fn icon(&self) -> &'static str {
        self.0.icon
    }

    /// The name golles/ha-kamstrup_403 gives its entity, if it has one.
    #[getter]
    fn seed_name(&self) -> Option<&'static str> {
        self.0.seed.map(|seed| seed.name)
    }

    /// Whether that entity is enabled in a fresh installation of it.
    #[getter]
    fn seed_enabled(&self) -> bool {
        self.0.seed.is_some_and(|seed| seed.enabled)
    }

    /// Its name in every language.
    #[getter]
    fn labels(&self) -> BTreeMap<&'static str, String> {
        labels(|language| self.0.label(language).to_owned())
    }

    fn __repr__(&self) -> String {
        format!("<Register {} {}>", self.0.id, self.0.key)
    }
}

/// How Home Assistant classes a sensor.
#[pyclass(frozen, eq, module = "kamstrup_kmp")]
#[derive(PartialEq, Eq)]
pub(crate) struct Classes(HomeAssistant);

#[pymethods]
impl Classes {
    #[getter]
    fn device_class(&self) -> Option<&'static str> {
        self.0.device_class
    }

    #[getter]
    fn state_class(&self) -> Option<&'static str> {
        self.0.state_class
    }

    #[getter]
    fn entity_category(&self) -> Option<&'static str> {
        self.0.entity_category
    }

    /// The classes that fit a value in the unit the meter sent it in.
    fn in_unit(&self, unit_code: u8) -> Self {
        Self(self.0.in_unit(Unit(unit_code)))
    }
}

/// A family of meters that share registers.
#[pyclass(frozen, module = "kamstrup_kmp")]
pub(crate) struct Model(pub(crate) &'static InnerModel);

#[pymethods]
impl Model {
    /// Name for scripts: `multical-403`.
    #[getter]
    fn slug(&self) -> &'static str {
        self.0.slug
    }

    /// Name for people: `MULTICAL 403`.
    #[getter]
    fn name(&self) -> &'static str {
        self.0.name
    }

    /// `heat`, `water` or `electricity`.
    #[getter]
    fn medium(&self) -> &'static str {
        match self.0.medium {
            Medium::Heat => "heat",
            Medium::Water => "water",
            Medium::Electricity => "electricity",
        }
    }

    /// What it may answer, in the order of the numbers.
    #[getter]
    fn registers(&self) -> Vec<u16> {
        numbers(self.0.registers)
    }

    /// Those of `registers` that are only concluded from related meters.
    #[getter]
    fn inferred(&self) -> Vec<u16> {
        numbers(self.0.inferred)
    }

    /// What to ask when nothing is asked for.
    #[getter]
    fn usual(&self) -> Vec<u16> {
        numbers(self.0.usual)
    }

    /// Readings in an hour on which the stated life of the battery rests, if it is stated.
    #[getter]
    fn battery_readings_per_hour(&self) -> Option<u16> {
        self.0.battery.map(|battery| battery.readings_per_hour)
    }

    /// Whether the family has, or is believed to have, this register.
    fn has(&self, register: u16) -> bool {
        self.0.has(RegisterId(register))
    }

    /// How often a register of this family is worth asking for.
    fn tier(&self, register: u16) -> PyResult<&'static str> {
        Ok(tier_name(self.0.tier(known(register)?)))
    }

    /// Codes of the units a register of this family is usual in.
    fn unit_codes(&self, register: u16) -> PyResult<Vec<u16>> {
        let units = self.0.units(known(register)?);
        // Wider than a code is, because a vector of u8 would become bytes.
        Ok(units.iter().map(|unit| unit.0.into()).collect())
    }

    /// How Home Assistant classes a register of this family.
    fn classes(&self, register: u16) -> PyResult<Classes> {
        Ok(Classes(self.0.home_assistant(known(register)?)))
    }

    /// Whether a register of this family is shown unless somebody turns it off.
    fn shows(&self, register: u16) -> PyResult<bool> {
        Ok(self.0.shows(known(register)?))
    }

    /// The registers that carry info codes.
    #[getter]
    fn info_registers(&self) -> Vec<u16> {
        let words = self.0.info.map(|table| table.words).unwrap_or_default();
        words.iter().map(|word| word.register.0).collect()
    }

    /// Every flag the family may raise, each once.
    #[getter]
    fn info_flags(&self) -> Vec<InfoFlag> {
        let words = self.0.info.map(|table| table.words).unwrap_or_default();
        let mut flags: Vec<InfoFlag> = Vec::new();
        for entry in words.iter().flat_map(|word| word.entries) {
            if !flags.iter().any(|flag| flag.key == entry.flag.key) {
                flags.push(InfoFlag::known(entry.flag));
            }
        }
        flags
    }

    /// The flags set in an info register; None if the register carries none.
    fn decode_info(&self, register: u16, raw: u64) -> Option<Vec<InfoFlag>> {
        let found = self.0.info?.decode(RegisterId(register), raw)?;
        Some(found.iter().map(InfoFlag::found).collect())
    }

    fn __eq__(&self, other: &Self) -> bool {
        self.0.slug == other.0.slug
    }

    fn __hash__(&self) -> u64 {
        use std::hash::{DefaultHasher, Hash, Hasher};
        let mut hasher = DefaultHasher::new();
        self.0.slug.hash(&mut hasher);
        hasher.finish()
    }

    fn __repr__(&self) -> String {
        format!("<Model {}>", self.0.slug)
    }
}

/// All registers of the catalogue, in the order of their numbers.
#[pyfunction]
pub(crate) fn registers() -> Vec<Register> {
    catalog::registers().iter().map(Register).collect()
}

/// The register with this number.
#[pyfunction]
pub(crate) fn register(id: u16) -> Option<Register> {
    catalog::register(RegisterId(id)).map(Register)
}

/// The register with this key.
#[pyfunction]
pub(crate) fn register_by_key(key: &str) -> Option<Register> {
    catalog::register_by_key(key).map(Register)
}

/// The key that was probably meant by a misspelt one.
#[pyfunction]
pub(crate) fn nearest_key(key: &str) -> Option<&'static str> {
    catalog::nearest_key(key)
}

/// All families of meters.
#[pyfunction]
pub(crate) fn models() -> Vec<Model> {
    catalog::models().iter().map(Model).collect()
}

/// The family with this slug, name or alias.
#[pyfunction]
pub(crate) fn model(name: &str) -> Option<Model> {
    catalog::model(name).map(Model)
}

/// The family of meters nobody knows.
#[pyfunction]
pub(crate) fn unknown_model() -> Model {
    Model(InnerModel::unknown())
}

/// Codes of the languages that labels are written in.
#[pyfunction]
pub(crate) fn languages() -> Vec<&'static str> {
    Language::ALL.into_iter().map(Language::code).collect()
}

/// The symbol of a unit code, if it has one.
#[pyfunction]
pub(crate) fn unit_symbol(unit_code: u8) -> Option<&'static str> {
    Unit(unit_code).symbol()
}

/// Home Assistant's spelling of a unit code, if it has such a unit.
#[pyfunction]
pub(crate) fn home_assistant_unit(unit_code: u8) -> Option<&'static str> {
    catalog::home_assistant_unit(Unit(unit_code))
}

fn known(register: u16) -> PyResult<&'static InnerRegister> {
    catalog::register(RegisterId(register)).ok_or_else(|| PyKeyError::new_err(register))
}

fn tier_name(tier: Tier) -> &'static str {
    match tier {
        Tier::Poll => "poll",
        Tier::Hourly => "hourly",
        Tier::Daily => "daily",
        Tier::Once => "once",
    }
}

fn numbers(ids: &[RegisterId]) -> Vec<u16> {
    ids.iter().map(|id| id.0).collect()
}

fn symbols(units: &[Unit]) -> Vec<&'static str> {
    units.iter().filter_map(|unit| unit.symbol()).collect()
}

fn snake_case(name: &str) -> String {
    let mut text = String::new();
    for letter in name.chars() {
        if letter.is_uppercase() && !text.is_empty() {
            text.push('_');
        }
        text.extend(letter.to_lowercase());
    }
    text
}

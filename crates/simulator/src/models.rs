//! The models that can be simulated, and the units they count energy in.
//!
//! A model is named by its number; what the catalogue knows about it stands under the same name,
//! and what registers it has stands in [`crate::table`].

use core::fmt;
use core::str::FromStr;

use kamstrup_kmp::{RegisterId, Unit};

use crate::table::entries;

/// A meter that can be simulated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Model {
    /// MULTICAL 302.
    M302,
    /// MULTICAL 303.
    M303,
    /// MULTICAL 402.
    M402,
    /// MULTICAL 403.
    M403,
    /// MULTICAL 601.
    M601,
    /// MULTICAL 602.
    M602,
    /// MULTICAL 603.
    M603,
}

impl Model {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::M302,
        Self::M303,
        Self::M402,
        Self::M403,
        Self::M601,
        Self::M602,
        Self::M603,
    ];

    /// The name the catalogue uses, such as `multical-403`.
    pub const fn slug(self) -> &'static str {
        match self {
            Self::M302 => "multical-302",
            Self::M303 => "multical-303",
            Self::M402 => "multical-402",
            Self::M403 => "multical-403",
            Self::M601 => "multical-601",
            Self::M602 => "multical-602",
            Self::M603 => "multical-603",
        }
    }

    /// The number on its front, such as 403.
    pub const fn number(self) -> u16 {
        match self {
            Self::M302 => 302,
            Self::M303 => 303,
            Self::M402 => 402,
            Self::M403 => 403,
            Self::M601 => 601,
            Self::M602 => 602,
            Self::M603 => 603,
        }
    }

    /// The unit it counts energy in unless configured otherwise.
    pub const fn usual_energy_unit(self) -> EnergyUnit {
        match self {
            Self::M302 => EnergyUnit::KilowattHours,
            Self::M402 | Self::M403 | Self::M602 => EnergyUnit::Gigajoules,
            Self::M303 | Self::M601 | Self::M603 => EnergyUnit::MegawattHours,
        }
    }

    /// The registers it has, in ascending order.
    pub fn registers(self) -> impl Iterator<Item = RegisterId> {
        entries(self, self.usual_energy_unit())
            .into_iter()
            .map(|entry| entry.id)
    }

    /// Newer meters show the info code as eight digits and keep it as bits too.
    pub(crate) const fn is_new(self) -> bool {
        matches!(self, Self::M303 | Self::M403 | Self::M603)
    }
}

impl fmt::Display for Model {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MULTICAL {}", self.number())
    }
}

/// `403`, `multical-403` and `MULTICAL 403` all name the same model.
impl FromStr for Model {
    type Err = UnknownModel;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        let number = name.to_ascii_lowercase();
        let number = number.strip_prefix("multical").unwrap_or(&number);
        let number = number.trim_start_matches(['-', ' ', '_']);
        Self::ALL
            .into_iter()
            .find(|model| model.number().to_string() == number)
            .ok_or_else(|| UnknownModel {
                found: name.to_owned(),
            })
    }
}

/// A name that is no model we simulate.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{found:?} cannot be simulated; expected one of 302, 303, 402, 403, 601, 602, 603")]
pub struct UnknownModel {
    /// The name given.
    pub found: String,
}

/// What a meter counts energy in; meters are programmed to one of these.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum EnergyUnit {
    /// Kilowatt-hours without decimals.
    KilowattHours,
    /// Megawatt-hours with three decimals.
    MegawattHours,
    /// Gigajoules, with three decimals on the 403 and two on the others.
    Gigajoules,
    /// Gigacalories with three decimals.
    Gigacalories,
}

impl EnergyUnit {
    /// All of them.
    pub const ALL: [Self; 4] = [
        Self::KilowattHours,
        Self::MegawattHours,
        Self::Gigajoules,
        Self::Gigacalories,
    ];

    /// The unit as it is written.
    pub const fn symbol(self) -> &'static str {
        match self {
            Self::KilowattHours => "kWh",
            Self::MegawattHours => "MWh",
            Self::Gigajoules => "GJ",
            Self::Gigacalories => "Gcal",
        }
    }

    pub(crate) const fn unit(self) -> Unit {
        match self {
            Self::KilowattHours => Unit::KWH,
            Self::MegawattHours => Unit::MWH,
            Self::Gigajoules => Unit::GJ,
            Self::Gigacalories => Unit::GCAL,
        }
    }

    /// The power of ten of the last digit shown.
    pub(crate) const fn exponent(self, model: Model) -> i8 {
        match (self, model) {
            (Self::KilowattHours, _) => 0,
            (Self::Gigajoules, model) if !matches!(model, Model::M403) => -2,
            _ => -3,
        }
    }
}

/// By symbol, in any case.
impl FromStr for EnergyUnit {
    type Err = UnknownEnergyUnit;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|unit| unit.symbol().eq_ignore_ascii_case(name))
            .ok_or_else(|| UnknownEnergyUnit {
                found: name.to_owned(),
            })
    }
}

/// A name that is no unit a heat meter counts in.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{found:?} is no energy unit of a meter; expected kWh, MWh, GJ or Gcal")]
pub struct UnknownEnergyUnit {
    /// The name given.
    pub found: String,
}

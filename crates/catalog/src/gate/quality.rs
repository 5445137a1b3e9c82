//! Values with their quality, and what there is to say about them.

use core::fmt;

use kamstrup_kmp::{Problem, Record, RegisterId, Value};

use super::nature::name;
use super::surprise::Surprise;
use crate::model::Amount;

/// What came of asking for one register.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reading {
    pub(super) register: RegisterId,
    pub(super) quality: Quality,
    pub(super) record: Option<Record>,
}

impl Reading {
    /// Which register.
    pub const fn register(&self) -> RegisterId {
        self.register
    }

    /// What its value is worth.
    pub const fn quality(&self) -> &Quality {
        &self.quality
    }

    /// The value with its unit, if it is good. Nothing else may be shown as a measurement.
    pub fn good(&self) -> Option<&Record> {
        self.record
            .as_ref()
            .filter(|_| self.quality == Quality::Good)
    }

    /// What the meter's answer said, whatever its quality: for diagnostics only.
    pub const fn raw(&self) -> Option<&Record> {
        self.record.as_ref()
    }
}

/// What a value is worth.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Quality {
    /// Nothing speaks against it.
    Good,
    /// The meter left the register out of its answer.
    Unsupported,
    /// The meter itself says that this is no value.
    Invalid(Fault),
    /// Implausible, and not confirmed by a second reading.
    Held(Held),
}

impl Quality {
    /// The name by which scripts know it.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Unsupported => "unsupported",
            Self::Invalid(_) => "invalid",
            Self::Held(_) => "held",
        }
    }
}

impl fmt::Display for Quality {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Good => f.write_str("good"),
            Self::Unsupported => f.write_str("the meter does not have this register"),
            Self::Invalid(fault) => fault.fmt(f),
            Self::Held(held) => held.fmt(f),
        }
    }
}

/// How a meter says that it has no value.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// The bytes have no meaning in the register's unit, such as an impossible date.
    Problem(Problem),
    /// The value is one that stands for a fault.
    Sentinel {
        /// The value sent.
        found: Amount,
        /// What it stands for.
        meaning: &'static str,
    },
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Problem(problem) => problem.fmt(f),
            Self::Sentinel { found, meaning } => write!(f, "{meaning}: the meter sends {found}"),
        }
    }
}

/// Why a value is held.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// What was found, and what was expected.
    pub surprise: Surprise,
    /// What the second reading said, if there was one.
    pub second: Option<Value>,
}

impl fmt::Display for Held {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.second {
            Some(second) => write!(f, "{}; a second reading says {second}", self.surprise),
            None => write!(
                f,
                "{}; a second reading did not come through",
                self.surprise
            ),
        }
    }
}

/// Something people should be told, whatever they look at.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Notice {
    /// Another meter answers. Its values begin anew; what is known of the other is kept.
    MeterChanged {
        /// The serial number until now.
        from: String,
        /// The serial number from now on.
        to: String,
    },
    /// A surprising value was confirmed and is now what to expect.
    Accepted {
        /// Which register.
        register: RegisterId,
        /// What was surprising.
        surprise: Surprise,
    },
    /// A surprising value was not confirmed; a second reading gave a sound one.
    Outvoted {
        /// Which register.
        register: RegisterId,
        /// What was surprising.
        surprise: Surprise,
    },
}

impl Notice {
    /// The name by which scripts know it.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::MeterChanged { .. } => "meter_changed",
            Self::Accepted { .. } => "accepted",
            Self::Outvoted { .. } => "outvoted",
        }
    }
}

impl fmt::Display for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::MeterChanged { from, to } => {
                write!(f, "meter changed from serial {from} to {to}")
            }
            Self::Accepted { register, surprise } => {
                write!(f, "{}: {}", name(*register), surprise.change())
            }
            Self::Outvoted { register, surprise } => {
                write!(
                    f,
                    "{}: {surprise}; a second reading was sound",
                    name(*register)
                )
            }
        }
    }
}

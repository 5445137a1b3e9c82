//! What the catalogue says about a register, as far as the gate needs it.

use kamstrup_kmp::{Quantity, RegisterId, Unit};

use crate::register::{Kind, register};

/// The serial number.
pub(super) const SERIAL: RegisterId = RegisterId(1001);

/// Flow now: what it was confirmed to reach also limits the volume counters.
pub(super) const FLOW: RegisterId = RegisterId(74);

/// Power now: what it was confirmed to reach also limits the energy counters.
pub(super) const POWER: RegisterId = RegisterId(80);

/// How a value may move.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Nature {
    /// Only up, and no faster than physics allows.
    Counter {
        /// Whether it counts another meter's pulses.
        foreign: bool,
    },
    /// Anywhere within what can be measured.
    Gauge {
        /// Whether another meter measures it.
        foreign: bool,
    },
    /// Never, as long as it is the same meter.
    Serial,
    /// Nothing is known.
    Plain,
}

impl Nature {
    pub(super) fn of(id: RegisterId) -> Self {
        let Some(register) = register(id) else {
            return Self::Plain;
        };
        match register.kind {
            _ if id == SERIAL => Self::Serial,
            _ if DIFFERENCES.contains(&id) => Self::Plain,
            Kind::Water => Self::Counter { foreign: true },
            _ if register.is_counter() => Self::Counter { foreign: false },
            Kind::Flow | Kind::Power | Kind::Temperature | Kind::TemperatureDifference => {
                Self::Gauge {
                    foreign: id == POWER_INPUT,
                }
            }
            _ => Self::Plain,
        }
    }

    pub(super) const fn is_foreign(self) -> bool {
        matches!(
            self,
            Self::Counter { foreign: true } | Self::Gauge { foreign: true }
        )
    }
}

/// Inlet temperature, outlet temperature and their difference, which say one thing twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Triple {
    pub(super) inlet: RegisterId,
    pub(super) outlet: RegisterId,
    pub(super) difference: RegisterId,
}

impl Triple {
    pub(super) const ALL: [Self; 2] = [Self::new(86, 87, 89), Self::new(398, 399, 400)];

    pub(super) fn of(id: RegisterId) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|triple| triple.members().contains(&id))
    }

    pub(super) const fn members(self) -> [RegisterId; 3] {
        [self.inlet, self.outlet, self.difference]
    }

    const fn new(inlet: u16, outlet: u16, difference: u16) -> Self {
        Self {
            inlet: RegisterId(inlet),
            outlet: RegisterId(outlet),
            difference: RegisterId(difference),
        }
    }
}

/// The counter that shows the upper digits of one that drops them.
pub(super) fn coarse(fine: RegisterId) -> Option<RegisterId> {
    let wraps = register(fine).is_some_and(|register| register.wraps);
    let pair = COARSE
        .iter()
        .find(|(wrapping, _)| wraps && *wrapping == fine);
    pair.map(|(_, coarse)| *coarse)
}

/// The units the catalogue has for a register, if it has any.
pub(super) fn units(id: RegisterId) -> Option<&'static [Unit]> {
    register(id)
        .map(|register| register.units)
        .filter(|units| !units.is_empty())
}

/// What a counter counts in: some water meters send their hours as a plain number.
pub(super) fn counting_unit(id: RegisterId, unit: Unit) -> Unit {
    let hours = register(id)
        .is_some_and(|register| register.kind == Kind::Hours && !register.units.is_empty());
    if hours && unit.quantity() == Quantity::Number {
        Unit::HOUR
    } else {
        unit
    }
}

/// The register's key, or its number where it has none.
pub(super) fn name(id: RegisterId) -> String {
    register(id).map_or_else(
        || format!("register {id}"),
        |register| register.key.to_owned(),
    )
}

/// Differences between two counters, which may shrink: dE, cE, dV and cV.
const DIFFERENCES: [RegisterId; 4] = [
    RegisterId(178),
    RegisterId(179),
    RegisterId(180),
    RegisterId(181),
];

/// What the meter on pulse input B measures.
const POWER_INPUT: RegisterId = RegisterId(372);

/// Counters in high resolution, with those that keep the digits that these drop.
const COARSE: [(RegisterId, RegisterId); 5] = [
    (RegisterId(266), RegisterId(60)),
    (RegisterId(267), RegisterId(63)),
    (RegisterId(155), RegisterId(60)),
    (RegisterId(239), RegisterId(68)),
    (RegisterId(223), RegisterId(68)),
];

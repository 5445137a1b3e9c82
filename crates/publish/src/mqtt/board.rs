//! What there is to announce: the meters of this gateway and how each is.

use std::collections::BTreeSet;
use std::sync::Arc;

use heatmeter_catalog::reading::Reading;
use heatmeter_catalog::{Model, RegisterId};
use heatmeter_history::Meter;
use kamstrup_kmp::Verdict;

/// All meters of a gateway, as it sees them now.
#[derive(Clone, Debug, Default)]
#[expect(clippy::exhaustive_structs, reason = "the gateway fills it")]
pub struct Board {
    /// Every meter that has said who it is.
    pub meters: Vec<Arc<MeterCard>>,
    /// How many lines have not begun: what is known of their meters from before is not told yet.
    pub starting: usize,
    /// How many meters of the configuration have not said who they are. While there is one, nobody
    /// knows which meters are gone, and no device is removed.
    pub unidentified: usize,
    /// The serial numbers of all meters that this gateway ever read: only their devices are removed.
    pub known: BTreeSet<String>,
}

impl Board {
    /// The registers that are read of a meter at all, as far as that is known.
    pub(super) fn registers(&self, serial: &str) -> Option<&[RegisterId]> {
        let mut meters = self.meters.iter();
        let card = meters.find(|card| card.meter.serial == serial)?;
        Some(card.registers.as_slice()).filter(|registers| !registers.is_empty())
    }
}

/// One meter.
#[derive(Clone, Debug)]
#[expect(clippy::exhaustive_structs, reason = "the gateway fills it")]
pub struct MeterCard {
    /// Who it is.
    pub meter: Arc<Meter>,
    /// What people call it.
    pub name: String,
    /// What it is.
    pub model: Option<&'static Model>,
    /// The registers that its schedule reads at all, whether there is a reading yet or not: what
    /// is not among them is removed from Home Assistant.
    pub registers: Vec<RegisterId>,
    /// The latest reading of each, as far as there is one.
    pub readings: Vec<Reading>,
    /// What came of its last poll; none before the first.
    pub verdict: Option<Verdict>,
}

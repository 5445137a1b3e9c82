//! What the gate remembers, as text that is stored over a restart.

use std::time::Duration;

use heatmeter_catalog::RegisterId;
use heatmeter_catalog::gate::{Gate, MeterMemory, RegisterMemory};
use jiff::Timestamp;
use kamstrup_kmp::{Decimal, Instant, Unit};
use serde::{Deserialize, Serialize};

/// Everything that a line wants to know again after a restart.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Memory {
    /// Which slot of the configuration it was.
    slot: String,
    /// Its port.
    #[serde(default)]
    port: String,
    /// When it was written, in milliseconds.
    at: i64,
    /// The meter that answered, then those that did before.
    meters: Vec<MeterText>,
}

#[derive(Debug, Serialize, Deserialize)]
struct MeterText {
    serial: Option<String>,
    registers: Vec<RegisterText>,
}

#[derive(Debug, Serialize, Deserialize)]
struct RegisterText {
    register: u16,
    unit: u8,
    length: u8,
    exponent: i8,
    value: Option<String>,
    seconds_ago: u64,
    beyond: Option<String>,
    gap: Option<String>,
}

impl Memory {
    pub(super) fn of(
        slot: &str,
        port: &str,
        gate: &Gate,
        gate_time: Instant,
        now: Timestamp,
    ) -> Self {
        Self {
            slot: slot.to_owned(),
            port: port.to_owned(),
            at: now.as_millisecond(),
            meters: gate
                .snapshot(gate_time)
                .into_iter()
                .map(MeterText::from)
                .collect(),
        }
    }

    /// The memory of this slot, if the text is one.
    pub(super) fn parse(text: &str, slot: &str) -> Option<Self> {
        let memory: Self = serde_json::from_str(text).ok()?;
        (memory.slot == slot).then_some(memory)
    }

    /// Whether the meter was read through this port.
    pub(super) fn is_of_port(&self, port: &str) -> bool {
        self.port == port
    }

    pub(super) fn text(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// In milliseconds.
    pub(super) fn written_at(&self) -> i64 {
        self.at
    }

    /// The gate as it was; its counters have had time to move since.
    pub(super) fn gate(self, gate_time: Instant, now: Timestamp) -> Gate {
        let away = now.as_millisecond().saturating_sub(self.at);
        let away = Duration::from_millis(u64::try_from(away).unwrap_or_default());
        let meters = self.meters.into_iter().map(MeterMemory::from);
        Gate::restore(meters, away, gate_time)
    }
}

impl From<MeterMemory> for MeterText {
    fn from(meter: MeterMemory) -> Self {
        let text = |number: Option<Decimal>| number.map(|number| number.to_string());
        Self {
            serial: meter.serial,
            registers: meter
                .registers
                .into_iter()
                .map(|known| RegisterText {
                    register: known.register.0,
                    unit: known.unit.0,
                    length: known.length,
                    exponent: known.exponent,
                    value: text(known.value),
                    seconds_ago: known.age.as_secs(),
                    beyond: text(known.beyond),
                    gap: text(known.gap),
                })
                .collect(),
        }
    }
}

impl From<MeterText> for MeterMemory {
    fn from(meter: MeterText) -> Self {
        let number = |text: Option<String>| text.and_then(|text| text.parse().ok());
        Self {
            serial: meter.serial,
            registers: meter
                .registers
                .into_iter()
                .map(|known| RegisterMemory {
                    register: RegisterId(known.register),
                    unit: Unit(known.unit),
                    length: known.length,
                    exponent: known.exponent,
                    value: number(known.value),
                    age: Duration::from_secs(known.seconds_ago),
                    beyond: number(known.beyond),
                    gap: number(known.gap),
                })
                .collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_stored_comes_back_whole() {
        let known = RegisterMemory {
            register: RegisterId(60),
            unit: Unit::GJ,
            length: 4,
            exponent: -3,
            value: Some(Decimal::new(1_234_567, -3)),
            age: Duration::from_secs(90),
            beyond: None,
            gap: Some(Decimal::new(-5, -2)),
        };
        let meter = MeterMemory {
            serial: Some("84968362".to_owned()),
            registers: vec![known],
        };
        let text = MeterText::from(meter.clone());
        let text: MeterText = serde_json::from_str(&serde_json::to_string(&text).unwrap()).unwrap();
        assert_eq!(MeterMemory::from(text), meter);
        assert!(Memory::parse("not a memory", "house").is_none());
    }
}

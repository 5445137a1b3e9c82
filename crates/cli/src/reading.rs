//! A register's value as it is shown: as JSON, and as a row of a table.

use anstyle::Style;
use heatmeter_catalog::gate;
use heatmeter_catalog::{Language, Model, register};
use kamstrup_kmp::{Record, RegisterId, Unit, Value};
use serde::Serialize;

use crate::output::style;
use crate::output::table::{Align, Cell, Table};

/// One register of a reading.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Reading {
    /// Its number.
    pub(crate) register: u16,
    /// Its name for scripts, if the catalogue has one.
    pub(crate) key: Option<&'static str>,
    /// Exactly what the meter sent; dates and times as ISO 8601.
    pub(crate) value: Option<String>,
    /// Its unit of measure.
    pub(crate) unit: Option<String>,
    /// Whether the value counts.
    pub(crate) quality: Quality,
    /// Why it does not, where there is more to say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) reason: Option<String>,
    /// What the value says in words: the flags of an info code.
    #[serde(skip)]
    pub(crate) meaning: Vec<String>,
}

/// Whether a value counts. `Unanswered` is our addition to the four of the interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Quality {
    /// Checked and plausible.
    Good,
    /// The meter does not have the register.
    Unsupported,
    /// The meter itself says that there is no value.
    Invalid,
    /// Implausible, read a second time, and not confirmed.
    Held,
    /// No answer came for this register, while others were answered.
    Unanswered,
}

impl Reading {
    /// A value as the meter sent it.
    pub(crate) fn of(record: &Record, model: Option<&Model>) -> Self {
        let reading = Self::without(record.register, Quality::Good);
        match &record.value {
            Value::Invalid(invalid) => Self {
                unit: unit(record.unit),
                quality: Quality::Invalid,
                reason: Some(invalid.problem.to_string()),
                ..reading
            },
            value => Self {
                value: Some(value.to_string()),
                unit: unit(record.unit),
                meaning: meaning(record.register, value, model),
                ..reading
            },
        }
    }

    /// A value as the gate judged it.
    pub(crate) fn checked(reading: &gate::Reading, model: Option<&Model>) -> Self {
        if let Some(record) = reading.good() {
            return Self::of(record, model);
        }
        let quality = match reading.quality() {
            gate::Quality::Good | gate::Quality::Unsupported => {
                return Self::without(reading.register(), Quality::Unsupported);
            }
            gate::Quality::Invalid(_) => Quality::Invalid,
            gate::Quality::Held(_) => Quality::Held,
        };
        Self {
            unit: reading.raw().and_then(|record| unit(record.unit)),
            reason: Some(reading.quality().to_string()),
            ..Self::without(reading.register(), quality)
        }
    }

    /// A register that got no answer, while others did.
    pub(crate) fn unanswered(register: RegisterId) -> Self {
        Self::without(register, Quality::Unanswered)
    }

    /// A register without a value.
    fn without(register: RegisterId, quality: Quality) -> Self {
        Self {
            register: register.0,
            key: heatmeter_catalog::register(register).map(|register| register.key),
            value: None,
            unit: None,
            quality,
            reason: None,
            meaning: Vec::new(),
        }
    }

    /// What the register is called.
    pub(crate) fn label(&self) -> String {
        label(RegisterId(self.register))
    }

    /// The value's text, or a dash.
    pub(crate) fn value_cell(&self) -> Cell {
        match &self.value {
            Some(value) => Cell::new(value.as_str()),
            None => Cell::styled(self.quality.style(), "–"),
        }
    }

    /// Why there is no value, or what it means.
    fn remark(&self) -> String {
        let standing = match self.quality {
            Quality::Good => return self.meaning.join(", "),
            Quality::Unsupported => "this meter does not have it",
            Quality::Invalid => "invalid",
            Quality::Held => "held",
            Quality::Unanswered => "no answer",
        };
        match &self.reason {
            Some(reason) => format!("{standing}: {reason}"),
            None => standing.to_owned(),
        }
    }
}

impl Quality {
    /// The name by which scripts know it.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Unsupported => "unsupported",
            Self::Invalid => "invalid",
            Self::Held => "held",
            Self::Unanswered => "unanswered",
        }
    }

    pub(crate) fn style(self) -> Style {
        match self {
            Self::Good => Style::new(),
            Self::Unsupported => style::DIM,
            Self::Invalid | Self::Unanswered => style::BAD,
            Self::Held => style::FAIR,
        }
    }
}

/// Readings under each other: label, value, unit, and what is to be said about it.
pub(crate) fn table(readings: &[Reading]) -> Table {
    let mut table = Table::new([Align::Left, Align::Point, Align::Left, Align::Left]);
    for reading in readings {
        let style = match reading.quality {
            Quality::Good => style::FAIR,
            other => other.style(),
        };
        table.row([
            Cell::new(reading.label()),
            reading.value_cell(),
            Cell::styled(style::DIM, reading.unit.clone().unwrap_or_default()),
            Cell::styled(style, reading.remark()),
        ]);
    }
    table
}

/// What a register is called, for people.
pub(crate) fn label(id: RegisterId) -> String {
    register(id).map_or_else(
        || format!("Register {id}"),
        |register| register.label(Language::En).to_owned(),
    )
}

/// How a unit is written; its code where nobody knows what it is.
fn unit(unit: Unit) -> Option<String> {
    Some(unit.to_string()).filter(|text| !text.is_empty())
}

/// The flags of an info code in words.
fn meaning(id: RegisterId, value: &Value, model: Option<&Model>) -> Vec<String> {
    let raw = match value {
        Value::Bits(bits) => u64::try_from(*bits).ok(),
        Value::Number(number) if number.exponent() == 0 => u64::try_from(number.mantissa()).ok(),
        _ => None,
    };
    let table = model.and_then(|model| model.info);
    raw.zip(table)
        .and_then(|(raw, table)| table.decode(id, raw))
        .unwrap_or_default()
        .iter()
        .map(ToString::to_string)
        .collect()
}

#[cfg(test)]
mod tests {
    use kamstrup_kmp::Scale;

    use super::*;

    fn record(register: u16, unit: Unit, scale: u8, bytes: &[u8]) -> Record {
        Record {
            register: RegisterId(register),
            unit,
            length: u8::try_from(bytes.len()).unwrap(),
            scale: Scale(scale),
            value: Value::decode(unit, Scale(scale), bytes),
        }
    }

    #[test]
    fn json_has_the_keys_of_the_interface_in_their_order() {
        let good = Reading::of(&record(60, Unit::GJ, 0x43, &[0, 1, 0x4b, 0x51]), None);
        assert_eq!(
            serde_json::to_string(&good).unwrap(),
            r#"{"register":60,"key":"heat_energy","value":"84.817","unit":"GJ","quality":"good"}"#
        );
        let missing = Reading::without(RegisterId(65_000), Quality::Unsupported);
        assert_eq!(
            serde_json::to_string(&missing).unwrap(),
            r#"{"register":65000,"key":null,"value":null,"unit":null,"quality":"unsupported"}"#
        );
    }

    #[test]
    fn zero_keeps_its_decimals() {
        let power = Reading::of(&record(80, Unit::KW, 0x41, &[0, 0]), None);
        assert_eq!(power.value.as_deref(), Some("0.0"));
    }

    #[test]
    fn a_date_that_does_not_exist_is_no_value() {
        let date = Reading::of(&record(138, Unit::DATE1, 0, &[0, 0, 0, 0]), None);
        assert_eq!((date.value, date.quality), (None, Quality::Invalid));
        assert_eq!(date.reason.as_deref(), Some("no such date: 0"));
    }

    #[test]
    fn an_unknown_unit_says_its_code() {
        let value = Reading::of(&record(60, Unit(200), 0, &[7]), None);
        assert_eq!(value.unit.as_deref(), Some("unit 200"));
    }
}

//! A register's value as every face tells it: the command line's JSON, the HTTP API, MQTT, exports.
//!
//! The gate says whether a value counts; this says so to people and programs. The JSON is fixed by
//! the outside surface: `register`, `key`, `value`, `unit`, `quality`, and `reason` where there is
//! more to say.

use core::fmt;

use kamstrup_kmp::{Decimal, Record, RegisterId, Unit, Value};
use serde::ser::SerializeStruct;
use serde::{Serialize, Serializer};

use crate::{Language, Model, gate, register};

/// One register of a poll.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reading {
    /// Its number.
    pub register: RegisterId,
    /// What the meter sent, if that counts.
    pub value: Option<Content>,
    /// Its unit of measure.
    pub unit: Option<Unit>,
    /// Whether the value counts.
    pub quality: Quality,
    /// Why it does not, where there is more to say.
    pub reason: Option<String>,
}

/// What a register holds.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "a value is a number or it is text")]
pub enum Content {
    /// A number, exactly as sent; the bits of an info code are one, too.
    Number(Decimal),
    /// Everything else as it is shown: dates and times as ISO 8601, versions, names.
    Text(String),
}

/// Whether a value counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(
    clippy::exhaustive_enums,
    reason = "every face must know what to do with each"
)]
pub enum Quality {
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
    pub fn of(record: &Record) -> Self {
        let reading = Self {
            unit: Some(record.unit),
            ..Self::without(record.register, Quality::Good)
        };
        match &record.value {
            Value::Invalid(invalid) => Self {
                quality: Quality::Invalid,
                reason: Some(invalid.problem.to_string()),
                ..reading
            },
            value => Self {
                value: Some(Content::of(value)),
                ..reading
            },
        }
    }

    /// A value as the gate judged it.
    pub fn checked(reading: &gate::Reading) -> Self {
        if let Some(record) = reading.good() {
            return Self::of(record);
        }
        let quality = match reading.quality() {
            gate::Quality::Good | gate::Quality::Unsupported => {
                return Self::without(reading.register(), Quality::Unsupported);
            }
            gate::Quality::Invalid(_) => Quality::Invalid,
            gate::Quality::Held(_) => Quality::Held,
        };
        Self {
            unit: reading.raw().map(|record| record.unit),
            reason: Some(reading.quality().to_string()),
            ..Self::without(reading.register(), quality)
        }
    }

    /// A register without a value.
    pub fn without(register: RegisterId, quality: Quality) -> Self {
        Self {
            register,
            value: None,
            unit: None,
            quality,
            reason: None,
        }
    }

    /// Its name for scripts, if the catalogue has one.
    pub fn key(&self) -> Option<&'static str> {
        register(self.register).map(|register| register.key)
    }

    /// What it is called, for people.
    pub fn label(&self, language: Language) -> String {
        register(self.register).map_or_else(
            || format!("Register {}", self.register),
            |register| register.label(language).to_owned(),
        )
    }

    /// Its value, if that is a number that counts.
    pub fn number(&self) -> Option<Decimal> {
        match self.value {
            Some(Content::Number(number)) => Some(number),
            _ => None,
        }
    }

    /// How its unit is written; the code where nobody knows what it is, nothing where there is none.
    pub fn unit_text(&self) -> Option<String> {
        let text = self.unit?.to_string();
        Some(text).filter(|text| !text.is_empty())
    }

    /// The flags of an info code in words; empty for everything else.
    pub fn meaning(&self, model: Option<&Model>) -> Vec<crate::Info> {
        let raw = self
            .number()
            .filter(|number| number.exponent() == 0)
            .and_then(|number| u64::try_from(number.mantissa()).ok());
        raw.zip(model.and_then(|model| model.info))
            .and_then(|(raw, table)| table.decode(self.register, raw))
            .unwrap_or_default()
    }
}

impl Serialize for Reading {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let fields = 5 + usize::from(self.reason.is_some());
        let mut object = serializer.serialize_struct("Reading", fields)?;
        object.serialize_field("register", &self.register.0)?;
        object.serialize_field("key", &self.key())?;
        object.serialize_field("value", &self.value.as_ref().map(Content::to_string))?;
        object.serialize_field("unit", &self.unit_text())?;
        object.serialize_field("quality", self.quality.word())?;
        match &self.reason {
            Some(reason) => object.serialize_field("reason", reason)?,
            None => object.skip_field("reason")?,
        }
        object.end()
    }
}

impl Content {
    fn of(value: &Value) -> Self {
        match value {
            Value::Number(number) => Self::Number(*number),
            Value::Bits(bits) => match i128::try_from(*bits) {
                Ok(bits) => Self::Number(Decimal::new(bits, 0)),
                Err(_) => Self::Text(bits.to_string()),
            },
            other => Self::Text(other.to_string()),
        }
    }
}

impl fmt::Display for Content {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => number.fmt(f),
            Self::Text(text) => f.write_str(text),
        }
    }
}

impl Quality {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::Good,
        Self::Unsupported,
        Self::Invalid,
        Self::Held,
        Self::Unanswered,
    ];

    /// The name by which programs know it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Unsupported => "unsupported",
            Self::Invalid => "invalid",
            Self::Held => "held",
            Self::Unanswered => "unanswered",
        }
    }
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
        let good = Reading::of(&record(60, Unit::GJ, 0x43, &[0, 1, 0x4b, 0x51]));
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
        let power = Reading::of(&record(80, Unit::KW, 0x41, &[0, 0]));
        assert_eq!(power.value.unwrap().to_string(), "0.0");
    }

    #[test]
    fn a_date_that_does_not_exist_is_no_value() {
        let date = Reading::of(&record(138, Unit::DATE1, 0, &[0, 0, 0, 0]));
        assert_eq!((date.value, date.quality), (None, Quality::Invalid));
        assert_eq!(date.reason.as_deref(), Some("no such date: 0"));
    }

    #[test]
    fn an_unknown_unit_says_its_code() {
        let value = Reading::of(&record(60, Unit(200), 0, &[7]));
        assert_eq!(value.unit_text().as_deref(), Some("unit 200"));
    }
}

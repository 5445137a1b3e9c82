//! Polls as text for other programs: comma-separated values, or one JSON object a line.

use std::io::{self, Write};

use crate::json::PollJson;
use crate::poll::{Meter, Stored};

/// How polls are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(
    clippy::exhaustive_enums,
    reason = "the outside surface names these two"
)]
pub enum Format {
    /// One line for each reading, with a head line.
    Csv,
    /// One [`PollJson`] a line.
    Jsonl,
}

impl Format {
    /// The name by which programs know it; also how a file's name ends.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Jsonl => "jsonl",
        }
    }

    /// The one with this name.
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Csv, Self::Jsonl]
            .into_iter()
            .find(|format| format.word() == word)
    }

    /// What a server calls it.
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Csv => "text/csv; charset=utf-8",
            Self::Jsonl => "application/x-ndjson",
        }
    }

    /// Writes what comes before the first poll.
    pub fn begin(self, out: &mut impl Write) -> io::Result<()> {
        match self {
            Self::Csv => writeln!(
                out,
                "id,time,serial,verdict,register,key,value,unit,quality,reason"
            ),
            Self::Jsonl => Ok(()),
        }
    }

    /// Writes a poll. In CSV one without readings has a line, too: it tells that there was none.
    pub fn poll(self, out: &mut impl Write, meter: &Meter, stored: &Stored) -> io::Result<()> {
        let poll = &stored.poll;
        if self == Self::Jsonl {
            serde_json::to_writer(&mut *out, &PollJson::new(meter, poll))?;
            return writeln!(out);
        }
        let of_the_poll = [
            poll.id(),
            poll.at.to_string(),
            poll.serial.clone(),
            poll.verdict.code().to_owned(),
        ];
        if poll.readings.is_empty() {
            return row(out, of_the_poll.iter().map(String::as_str).chain([""; 6]));
        }
        for reading in &poll.readings {
            let register = reading.register.0.to_string();
            let value = reading.value.as_ref().map(ToString::to_string);
            let unit = reading.unit_text();
            let of_the_reading = [
                register.as_str(),
                reading.key().unwrap_or_default(),
                value.as_deref().unwrap_or_default(),
                unit.as_deref().unwrap_or_default(),
                reading.quality.word(),
                reading.reason.as_deref().unwrap_or_default(),
            ];
            row(
                out,
                of_the_poll.iter().map(String::as_str).chain(of_the_reading),
            )?;
        }
        Ok(())
    }
}

/// One line as RFC 4180 has it.
fn row<'a>(out: &mut impl Write, fields: impl Iterator<Item = &'a str>) -> io::Result<()> {
    for (position, field) in fields.enumerate() {
        if position > 0 {
            write!(out, ",")?;
        }
        if field.contains([',', '"', '\n', '\r']) {
            write!(out, "\"{}\"", field.replace('"', "\"\""))?;
        } else {
            write!(out, "{field}")?;
        }
    }
    writeln!(out)
}

//! Polls as text for other programs: comma-separated values, or one JSON object a line.

use std::collections::VecDeque;
use std::io::{self, Write};

use jiff::{SignedDuration, Timestamp};
use rusqlite::Connection;

use crate::error::HistoryError;
use crate::history::History;
use crate::json::PollJson;
use crate::poll::{Meter, Stored};
use crate::reader;

/// So many polls are read at once, so that an export needs no more memory however long it is.
const POLLS: usize = 100;

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

/// Which polls are exported.
#[derive(Clone, Debug)]
pub struct Selection {
    /// Of this meter only.
    pub serial: Option<String>,
    /// From this moment on.
    pub from: Timestamp,
    /// Before this moment.
    pub to: Timestamp,
}

/// An export of a history that is in use, for whoever writes it as fast as somebody takes it.
#[derive(Debug)]
pub struct Export {
    history: History,
    cursor: Cursor,
}

/// How far an export has come: meter by meter, each in the order of its times.
#[derive(Clone, Debug)]
pub(crate) struct Cursor {
    selection: Selection,
    /// The meters that are not over yet; none before they were looked up.
    meters: Option<VecDeque<Meter>>,
    /// Where the first of them goes on.
    from: Timestamp,
}

impl Default for Selection {
    fn default() -> Self {
        Self {
            serial: None,
            from: Timestamp::MIN,
            to: Timestamp::MAX,
        }
    }
}

impl Export {
    pub(crate) fn new(history: History, selection: Selection) -> Self {
        Self {
            history,
            cursor: Cursor::new(selection),
        }
    }

    /// Some more polls of one meter; nothing after the last ones.
    pub async fn next(&mut self) -> Result<Option<(Meter, Vec<Stored>)>, HistoryError> {
        let mut cursor = self.cursor.clone();
        let read = move |connection: &Connection| {
            let next = cursor.next(connection)?;
            Ok((cursor, next))
        };
        let (cursor, next) = self.history.read(read).await?;
        self.cursor = cursor;
        Ok(next)
    }
}

impl Cursor {
    pub(crate) fn new(selection: Selection) -> Self {
        Self {
            from: selection.from,
            selection,
            meters: None,
        }
    }

    /// Reads what comes next.
    pub(crate) fn next(
        &mut self,
        connection: &Connection,
    ) -> rusqlite::Result<Option<(Meter, Vec<Stored>)>> {
        let Selection { serial, from, to } = &self.selection;
        let meters = match &mut self.meters {
            Some(meters) => meters,
            none => none.insert(
                reader::meters(connection)?
                    .into_iter()
                    .filter(|meter| serial.as_ref().is_none_or(|serial| *serial == meter.serial))
                    .collect(),
            ),
        };
        let Some(meter) = meters.front().cloned() else {
            return Ok(None);
        };
        let polls = reader::polls(connection, &meter.serial, self.from, *to, POLLS)?;
        self.from = match polls.last() {
            Some(last) if polls.len() == POLLS => {
                let step = SignedDuration::from_millis(1);
                last.poll.at.saturating_add(step).unwrap_or(Timestamp::MAX)
            }
            _ => {
                meters.pop_front();
                *from
            }
        };
        Ok(Some((meter, polls)))
    }
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

//! What a meter's retained messages say.
//!
//! A poll asks for some registers only: often for those that move, seldom for the others. The state
//! that is said after it has the latest value of all of them, as of that poll and in the order of the
//! polls, so that whoever sees one message sees the meter.

use std::collections::BTreeMap;
use std::sync::Arc;

use heatmeter_catalog::reading::{Content, Quality, Reading};
use heatmeter_catalog::{Info, Language, Model, RegisterId, model};
use heatmeter_history::{Latest, Meter, Poll};
use jiff::Timestamp;
use kamstrup_kmp::Verdict;
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

/// What is known of a meter after a poll.
#[derive(Clone, Debug, Default)]
pub(super) struct Known {
    meter: Option<Arc<Meter>>,
    readings: BTreeMap<RegisterId, Reading>,
    read_at: Option<Timestamp>,
    last: Option<Poll>,
    /// The connection on which it was delivered.
    delivered_on: Option<u64>,
}

impl Known {
    /// What earlier polls said.
    pub(super) fn earlier(meter: Meter, latest: Vec<Latest>) -> Self {
        Self {
            meter: Some(Arc::new(meter)),
            read_at: latest.iter().map(|latest| latest.at).max(),
            readings: latest
                .into_iter()
                .map(|latest| (latest.reading.register, latest.reading))
                .collect(),
            last: None,
            delivered_on: None,
        }
    }

    /// Whether it was delivered on this connection.
    pub(super) fn is_delivered_on(&self, connection: u64) -> bool {
        self.delivered_on == Some(connection)
    }

    /// It was delivered on this connection.
    pub(super) fn deliver_on(&mut self, connection: u64) {
        self.delivered_on = Some(connection);
    }

    /// After a further poll. What is neither in it nor among the registers that are read at all, if those
    /// are known, is not told any more: nobody would see that it stands still.
    pub(super) fn take(
        &mut self,
        poll: &Poll,
        meter: Option<&Arc<Meter>>,
        read: Option<&[RegisterId]>,
    ) {
        if let Some(meter) = meter {
            self.meter = Some(Arc::clone(meter));
        }
        if let Some(read) = read {
            self.readings.retain(|register, _| read.contains(register));
        }
        for reading in &poll.readings {
            // That no answer came does not change what the last one was.
            if reading.quality != Quality::Unanswered {
                self.readings.insert(reading.register, reading.clone());
            }
        }
        if poll.verdict == Verdict::Ok {
            self.read_at = Some(poll.at);
        }
        self.last = Some(poll.clone());
    }

    /// What came of the last poll.
    pub(super) fn verdict(&self) -> Option<Verdict> {
        self.last.as_ref().map(|last| last.verdict)
    }

    /// The message with the values.
    pub(super) fn state(&self) -> Option<String> {
        Some(json(&State(self, self.last.as_ref()?)))
    }

    /// The message with everything else.
    pub(super) fn diagnostics(&self, language: Language) -> Option<String> {
        let last = self.last.as_ref()?;
        let model = self
            .meter
            .as_ref()
            .and_then(|meter| model(meter.model.as_deref()?));
        let infos = self.infos(model);
        let words = |infos: &Vec<Info>| match infos.as_slice() {
            [] => "OK".to_owned(),
            some => {
                let words: Vec<_> = some.iter().map(|info| in_words(info, language)).collect();
                words.join(", ")
            }
        };
        let line = last.line;
        let is_ok = last.verdict == Verdict::Ok;
        let answered = line.requests.saturating_sub(line.retries);
        Some(json(&Diagnostics {
            id: last.id(),
            verdict: last.verdict.code(),
            message: last.verdict.message(),
            help: last.verdict.help(),
            info: infos.as_ref().map(words),
            flags: infos
                .as_ref()
                .map(|infos| infos.iter().map(Info::key).collect()),
            problem: infos
                .as_ref()
                .map(|infos| infos.iter().any(Info::is_problem)),
            line_quality: if is_ok && line.requests > 0 {
                100 * answered / line.requests
            } else {
                0
            },
            requests: line.requests,
            retries: line.retries,
            seconds: line.took.as_secs_f64(),
        }))
    }

    /// The flags that the meter raises; nothing if none of its info codes is known.
    fn infos(&self, model: Option<&Model>) -> Option<Vec<Info>> {
        let words = model?.info?.words;
        let read: Vec<_> = words
            .iter()
            .filter_map(|word| self.readings.get(&word.register))
            .filter(|reading| reading.number().is_some())
            .collect();
        if read.is_empty() {
            return None;
        }
        // Two registers may say the same thing in different codings.
        let mut found: Vec<Info> = Vec::new();
        for info in read.iter().flat_map(|reading| reading.meaning(model)) {
            if !found.iter().any(|known| known.key() == info.key()) {
                found.push(info);
            }
        }
        Some(found)
    }
}

/// A register's key in the messages: its name, or its number where it has none.
pub(super) fn key(register: RegisterId) -> String {
    heatmeter_catalog::register(register).map_or_else(
        || format!("register_{}", register.0),
        |register| register.key.to_owned(),
    )
}

fn in_words(info: &Info, language: Language) -> String {
    match info {
        Info::Known(entry) => entry.flag.label(language).to_owned(),
        other => other.to_string(),
    }
}

struct State<'a>(&'a Known, &'a Poll);

impl Serialize for State<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self(known, last) = self;
        let mut object = serializer.serialize_map(Some(known.readings.len() + 3))?;
        for (register, reading) in &known.readings {
            object.serialize_entry(&key(*register), &exactly(reading))?;
        }
        object.serialize_entry("read_at", &known.read_at.map(|at| at.to_string()))?;
        object.serialize_entry("verdict", last.verdict.code())?;
        object.serialize_entry("id", &last.id())?;
        object.end()
    }
}

/// A value as it is written: a number to its last digit, text, or null where nothing counts.
fn exactly(reading: &Reading) -> Option<Box<RawValue>> {
    if reading.quality != Quality::Good {
        return None;
    }
    let text = match reading.value.as_ref()? {
        Content::Number(number) => number.to_string(),
        Content::Text(text) => json(text),
    };
    // Decimals are written the way JSON writes numbers.
    RawValue::from_string(text).ok()
}

#[derive(Serialize)]
struct Diagnostics {
    id: String,
    verdict: &'static str,
    message: &'static str,
    help: &'static str,
    info: Option<String>,
    flags: Option<Vec<String>>,
    problem: Option<bool>,
    line_quality: u32,
    requests: u32,
    retries: u32,
    seconds: f64,
}

/// What we serialize are maps with keys of text: that cannot fail.
fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

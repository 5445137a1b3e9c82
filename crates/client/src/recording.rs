//! The file format of a recorded session: JSON lines, one header, then what went over the line.
//!
//! ```text
//! {"heatmeter_recording":1,"port":"/dev/ttyUSB0","line":"1200 8N2","started":"2026-11-22T16:35:30Z"}
//! {"t":0.000412,"dir":"out","hex":"803f100100 3cb25f0d"}
//! {"t":0.304233,"dir":"in","hex":"403f10003c0804430001"}
//! {"t":0.331000,"note":"verdict","text":"ok"}
//! ```
//!
//! Times are seconds since the first line was written. A recording shows the meter's serial number
//! to whoever reads it.

mod mask;

use std::fmt;
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::time::Duration;

use kamstrup_kmp::line::LineSettings;
use serde::{Deserialize, Serialize};

use crate::line::short_form;

pub use mask::mask_serial;

/// The version that is written, and the only one that is read.
pub(crate) const VERSION: u32 = 1;

/// No line is longer, in bytes.
pub(crate) const LINE_MAX: usize = 2048;

/// Recordings end at this size and are not read beyond it, in bytes. A reading every minute takes
/// some 25 MB a month.
pub(crate) const FILE_MAX: u64 = 64 << 20;

/// A recording read from a file.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Recording {
    /// What was recorded.
    pub header: Header,
    /// What happened, in order.
    pub entries: Vec<Entry>,
}

impl Recording {
    /// Reads a recording. The first thing that is wrong is named with file and line.
    pub fn load(file: &Path) -> Result<Self, RecordingError> {
        let wrong = |line, problem| RecordingError {
            file: file.to_owned(),
            line,
            problem,
        };
        let source =
            File::open(file).map_err(|error| wrong(0, Problem::Read(error.to_string())))?;
        Self::read(BufReader::new(source)).map_err(|(line, problem)| wrong(line, problem))
    }

    /// Reads a recording that is in memory; none if that is not one.
    pub fn parse(text: &[u8]) -> Option<Self> {
        Self::read(text).ok()
    }

    fn read(source: impl BufRead) -> Result<Self, (usize, Problem)> {
        let mut source = source.take(FILE_MAX);
        let mut header = None;
        let mut entries: Vec<Entry> = Vec::new();
        let mut line = Vec::new();
        for number in 1.. {
            line.clear();
            let read = source
                .by_ref()
                .take(LINE_MAX as u64 + 1)
                .read_until(b'\n', &mut line)
                .map_err(|error| (number, Problem::Read(error.to_string())))?;
            if read == 0 {
                break;
            }
            if read > LINE_MAX {
                return Err((number, Problem::LineTooLong));
            }
            if line.iter().all(u8::is_ascii_whitespace) {
                continue;
            }
            if header.is_none() {
                header = Some(parse_header(&line).map_err(|problem| (number, problem))?);
                continue;
            }
            let entry = match parse_entry(number, &line) {
                // Cut off by a full disk or a lost power supply: what stands before it counts.
                Err(_) if !line.ends_with(b"\n") => break,
                result => result.map_err(|problem| (number, problem))?,
            };
            if let Some(before) = entries.last().filter(|before| before.at > entry.at) {
                return Err((
                    number,
                    Problem::TimeGoesBack {
                        before: before.at,
                        found: entry.at,
                    },
                ));
            }
            entries.push(entry);
        }
        match header {
            Some(header) => Ok(Self { header, entries }),
            None => Err((1, Problem::Empty)),
        }
    }
}

/// The text of a recording of what was kept elsewhere, its times counted from its beginning.
pub fn recording_text<'a>(
    header: &Header,
    events: impl IntoIterator<Item = (Duration, &'a Event)>,
) -> String {
    events
        .into_iter()
        .fold(format_header(header), |text, (at, event)| {
            text + &format_entry(at, event)
        })
}

/// What a recording says about itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Header {
    #[serde(rename = "heatmeter_recording")]
    version: u32,
    /// The port as it was given.
    pub port: String,
    /// The line's settings in short form.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<String>,
    /// The wall-clock time at the beginning, as the caller knows it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started: Option<String>,
}

impl Header {
    /// A header for a port.
    pub fn new(port: impl Into<String>) -> Self {
        Self {
            version: VERSION,
            port: port.into(),
            line: None,
            started: None,
        }
    }

    /// Adds the line's settings.
    #[must_use]
    pub fn line(self, line: LineSettings) -> Self {
        Self {
            line: Some(short_form(line)),
            ..self
        }
    }

    /// Adds the wall-clock time.
    #[must_use]
    pub fn started(self, started: impl Into<String>) -> Self {
        Self {
            started: Some(started.into()),
            ..self
        }
    }
}

/// One line of a recording.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Entry {
    /// The number of the line in its file, from 1.
    pub line: usize,
    /// When it happened, since the recording began.
    pub at: Duration,
    /// What happened.
    pub event: Event,
}

/// What a line of a recording tells.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// Bytes went over the line.
    Bytes(Direction, Vec<u8>),
    /// Something else happened, with words to it.
    Note(Note, String),
}

/// Which way bytes went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    /// To the meter.
    Out,
    /// From the meter.
    In,
}

/// What a note is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Note {
    /// The port was opened.
    Open,
    /// The port was closed on purpose.
    Close,
    /// The port went away.
    Lost,
    /// The line was set anew.
    Line,
    /// An operation ended.
    Verdict,
    /// The recording itself ends before the session does.
    End,
    /// Something a later version writes.
    #[serde(other)]
    Other,
}

/// A recording that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}{}: {problem}", .file.display(), line_number(*.line))]
pub struct RecordingError {
    file: PathBuf,
    line: usize,
    problem: Problem,
}

impl RecordingError {
    /// The line that is wrong, from 1; 0 if the file could not be opened.
    pub fn line(&self) -> usize {
        self.line
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Problem {
    Read(String),
    Empty,
    Header(String),
    Version(u32),
    LineTooLong,
    Entry(String),
    Hex(String),
    Time(String),
    TimeGoesBack { before: Duration, found: Duration },
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Read(problem) => write!(f, "{problem}"),
            Self::Empty => write!(f, "expected a recording, found an empty file"),
            Self::Header(problem) => write!(
                f,
                "expected a header with `heatmeter_recording` and `port`, found something else: \
                 {problem}"
            ),
            Self::Version(found) => {
                write!(f, "expected format version {VERSION}, found {found}")
            }
            Self::LineTooLong => write!(f, "expected at most {LINE_MAX} bytes, found more"),
            Self::Entry(problem) => write!(
                f,
                "expected `t` with `dir` and `hex`, or `t` with `note`, found something else: \
                 {problem}"
            ),
            Self::Hex(found) => {
                write!(f, "expected pairs of hexadecimal digits, found `{found}`")
            }
            Self::Time(found) => write!(f, "expected `t` in seconds from 0, found {found}"),
            Self::TimeGoesBack { before, found } => write!(
                f,
                "expected a time from {:.6} s on, found {:.6} s",
                before.as_secs_f64(),
                found.as_secs_f64()
            ),
        }
    }
}

/// A line as it is written.
#[derive(Serialize, Deserialize)]
struct Line {
    t: f64,
    #[serde(flatten)]
    content: Content,
}

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Content {
    Bytes {
        dir: Direction,
        hex: String,
    },
    Note {
        note: Note,
        #[serde(default)]
        text: String,
    },
}

/// The text of an entry, with its line end.
pub(crate) fn format_entry(at: Duration, event: &Event) -> String {
    let content = match event {
        Event::Bytes(dir, bytes) => Content::Bytes {
            dir: *dir,
            hex: hex(bytes),
        },
        Event::Note(note, text) => Content::Note {
            note: *note,
            text: text.clone(),
        },
    };
    json_line(&Line {
        t: (at.as_secs_f64() * 1e6).round() / 1e6,
        content,
    })
}

/// The text of a header, with its line end.
pub(crate) fn format_header(header: &Header) -> String {
    json_line(header)
}

/// Bytes as they stand in a recording.
pub(crate) fn hex(bytes: &[u8]) -> String {
    use fmt::Write;

    bytes
        .iter()
        .fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
            // Writing to a string cannot fail.
            let _ = write!(text, "{byte:02x}");
            text
        })
}

fn json_line(value: &impl Serialize) -> String {
    // Neither type has a map with keys that are no strings, the only thing that could fail.
    let mut line = serde_json::to_string(value).unwrap_or_default();
    line.push('\n');
    line
}

fn parse_header(line: &[u8]) -> Result<Header, Problem> {
    #[derive(Deserialize)]
    struct Version {
        heatmeter_recording: u32,
    }

    let Version {
        heatmeter_recording,
    } = serde_json::from_slice(line).map_err(|error| Problem::Header(error.to_string()))?;
    if heatmeter_recording != VERSION {
        return Err(Problem::Version(heatmeter_recording));
    }
    serde_json::from_slice(line).map_err(|error| Problem::Header(error.to_string()))
}

fn parse_entry(number: usize, line: &[u8]) -> Result<Entry, Problem> {
    let Line { t, content } =
        serde_json::from_slice(line).map_err(|error| Problem::Entry(error.to_string()))?;
    let at = Duration::try_from_secs_f64(t).map_err(|_| Problem::Time(t.to_string()))?;
    let event = match content {
        Content::Bytes { dir, hex } => Event::Bytes(dir, parse_hex(&hex)?),
        Content::Note { note, text } => Event::Note(note, text),
    };
    Ok(Entry {
        line: number,
        at,
        event,
    })
}

fn parse_hex(text: &str) -> Result<Vec<u8>, Problem> {
    let digits: Vec<u8> = text.bytes().filter(|byte| *byte != b' ').collect();
    digits
        .chunks(2)
        .map(|pair| {
            let pair = str::from_utf8(pair).unwrap_or_default();
            let valid = pair.len() == 2 && pair.bytes().all(|digit| digit.is_ascii_hexdigit());
            u8::from_str_radix(pair, 16)
                .ok()
                .filter(|_| valid)
                .ok_or_else(|| Problem::Hex(pair.to_owned()))
        })
        .collect()
}

fn line_number(line: usize) -> String {
    if line == 0 {
        String::new()
    } else {
        format!(", line {line}")
    }
}

#[cfg(test)]
mod tests;

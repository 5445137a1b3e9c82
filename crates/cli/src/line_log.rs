//! Where the record of a line goes: into a file, onto standard error, or both.
//!
//! A file gets every piece as it came, with its time. People get one line for each request and one for
//! all that came back on it: a line per byte is what makes logs of other readers unreadable.

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use heatmeter_client::{Header, Recorder};
use kamstrup_kmp::message::Request;
use kamstrup_kmp::session::Attempt;
use serde::Deserialize;

use crate::args::Line;
use crate::failure::Failure;
use crate::wall_clock;

/// What writes the exchanges of a line down, and what shows them, as far as either was asked for.
pub(crate) fn recorder(
    line: &Line,
    verbose: u8,
) -> Result<(Option<Recorder>, Option<Shown>), Failure> {
    let shown = (verbose > 1).then(Shown::default);
    if line.record.is_none() && shown.is_none() {
        return Ok((None, None));
    }
    let sink = LineLog::new(line.record.as_deref(), shown.clone()).map_err(|error| {
        let file = line.record.as_deref().unwrap_or("the recording".as_ref());
        Failure::usage(
            format!("cannot write {}: {error}", file.display()),
            "choose a file in a folder that you may write to",
        )
    })?;
    let header = Header::new(line.port.to_string()).started(wall_clock::utc());
    let recorder = Recorder::to(sink, &header)
        .map_err(|error| Failure::unexpected("cannot begin the recording", error))?;
    Ok((Some(recorder), shown))
}

/// Logs one request and what came of it.
pub(crate) fn attempt(attempt: &Attempt) {
    let request = match &attempt.request {
        Request::GetRegister(batch) => {
            let ids: Vec<String> = batch.ids().iter().map(ToString::to_string).collect();
            format!("GetRegister {}", ids.join(" "))
        }
        Request::GetType => "GetType".to_owned(),
        Request::GetSerialNo => "GetSerialNo".to_owned(),
        Request::SetClock(moment) => format!("SetClock {moment}"),
        other => format!("command {:#04x}", other.command()),
    };
    tracing::info!(
        "{request}: {}, {} bytes sent, {} received, {:.2} s",
        attempt.verdict.code(),
        attempt.sent,
        attempt.received,
        attempt.took.as_secs_f64()
    );
}

/// A place for recordings; without a file and not shown it is none.
#[derive(Debug)]
pub(crate) struct LineLog {
    file: Option<File>,
    shown: Option<Shown>,
}

impl LineLog {
    /// Writes to a new file, if one is named, and shows what is written, if there is somebody to show
    /// it to.
    pub(crate) fn new(file: Option<&Path>, shown: Option<Shown>) -> io::Result<Self> {
        Ok(Self {
            file: file.map(File::create).transpose()?,
            shown,
        })
    }
}

impl Write for LineLog {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if let Some(shown) = &self.shown {
            shown.take(bytes);
        }
        match &mut self.file {
            Some(file) => file.write_all(bytes).map(|()| bytes.len()),
            None => Ok(bytes.len()),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.as_mut().map_or(Ok(()), Write::flush)
    }
}

/// What goes over the line, on standard error.
#[derive(Clone, Debug, Default)]
pub(crate) struct Shown {
    received: Arc<Mutex<String>>,
}

impl Shown {
    /// Shows what came in since the last request.
    pub(crate) fn flush(&self) {
        let received =
            std::mem::take(&mut *self.received.lock().unwrap_or_else(PoisonError::into_inner));
        if !received.is_empty() {
            tracing::debug!("received {received}");
        }
    }

    /// Takes one line of a recording.
    fn take(&self, line: &[u8]) {
        match serde_json::from_slice(line) {
            Ok(Entry {
                dir: Some("in"),
                hex: Some(hex),
            }) => {
                let mut received = self.received.lock().unwrap_or_else(PoisonError::into_inner);
                // A line that never stops talking must not fill the memory.
                if received.len() < SHOWN_MAX {
                    received.push_str(hex);
                }
            }
            Ok(Entry {
                dir: Some("out"),
                hex: Some(hex),
            }) => {
                self.flush();
                tracing::debug!("sent {hex}");
            }
            _ => {}
        }
    }
}

impl Drop for Shown {
    fn drop(&mut self) {
        self.flush();
    }
}

/// No more digits are shown of what one request brought.
const SHOWN_MAX: usize = 4096;

/// What is read of a line of a recording.
#[derive(Deserialize)]
struct Entry<'a> {
    dir: Option<&'a str>,
    hex: Option<&'a str>,
}

//! Writes down every exchange, so that a failure in somebody's cellar can be looked at elsewhere.

use std::fmt;
use std::fs::File;
use std::io::{self, Write};
use std::path::Path;
use std::time::Duration;

use tokio::time::Instant;

use crate::recording::{self, Direction, Event, FILE_MAX, Header, Note};

/// Longer pieces are split into several lines.
const BYTES_PER_LINE: usize = 256;

/// Longer notes are cut.
const NOTE_MAX: usize = 400;

/// Writes a recording (see [`Recording`](crate::Recording) for the format).
///
/// A full disk or a reached size limit ends the recording, never the session: it is reported once,
/// in the log and through [`failure`](Self::failure). Each line is handed to the system at once, so
/// that a crash loses nothing.
pub struct Recorder {
    sink: Box<dyn Write + Send>,
    started: Instant,
    written: u64,
    failure: Option<String>,
}

impl Recorder {
    /// Starts a recording in a file, which is replaced if it exists.
    pub fn create(file: &Path, header: &Header) -> io::Result<Self> {
        Self::to(File::create(file)?, header)
    }

    /// Starts a recording that goes anywhere.
    pub fn to(mut sink: impl Write + Send + 'static, header: &Header) -> io::Result<Self> {
        let line = recording::format_header(header);
        sink.write_all(line.as_bytes())?;
        sink.flush()?;
        Ok(Self {
            sink: Box::new(sink),
            started: Instant::now(),
            written: line.len() as u64,
            failure: None,
        })
    }

    /// Bytes went to the meter.
    pub fn sent(&mut self, bytes: &[u8]) {
        self.bytes(Direction::Out, bytes);
    }

    /// Bytes came from the meter.
    pub fn received(&mut self, bytes: &[u8]) {
        self.bytes(Direction::In, bytes);
    }

    /// Something else happened.
    pub fn note(&mut self, note: Note, text: &str) {
        let end = text.floor_char_boundary(NOTE_MAX);
        let event = Event::Note(note, text[..end].to_owned());
        self.write(self.started.elapsed(), &event);
    }

    /// Why the recording ended early, if it did.
    pub fn failure(&self) -> Option<&str> {
        self.failure.as_deref()
    }

    fn bytes(&mut self, direction: Direction, bytes: &[u8]) {
        let at = self.started.elapsed();
        for piece in bytes.chunks(BYTES_PER_LINE) {
            self.write(at, &Event::Bytes(direction, piece.to_vec()));
        }
    }

    fn write(&mut self, at: Duration, event: &Event) {
        if self.failure.is_some() {
            return;
        }
        let line = recording::format_entry(at, event);
        self.written += line.len() as u64;
        // Room is kept for the line that says why it ends.
        if self.written > FILE_MAX - recording::LINE_MAX as u64 {
            let text = format!(
                "the recording has reached its limit of {} MiB",
                FILE_MAX >> 20
            );
            let end = recording::format_entry(at, &Event::Note(Note::End, text.clone()));
            let _ = self
                .sink
                .write_all(end.as_bytes())
                .and_then(|()| self.sink.flush());
            self.fail(text);
            return;
        }
        if let Err(error) = self
            .sink
            .write_all(line.as_bytes())
            .and_then(|()| self.sink.flush())
        {
            self.fail(error.to_string());
        }
    }

    fn fail(&mut self, problem: String) {
        tracing::warn!(%problem, "recording stopped, reading goes on");
        self.failure = Some(problem);
    }
}

impl fmt::Debug for Recorder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recorder")
            .field("written", &self.written)
            .field("failure", &self.failure)
            .finish_non_exhaustive()
    }
}

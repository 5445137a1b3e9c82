//! Plays a recording back: the meter's side of a session that has once taken place.
//!
//! What was received comes again with the timing it had after the request before it. What is sent
//! must be what was sent then; the first difference is an error that names the place.

use std::future;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use super::end_of_stream;
use crate::error::{Missing, PortError};
use crate::recording::{Direction, Entry, Event, Note, Recording, hex};

/// A recording as a port.
#[derive(Debug)]
pub(super) struct Replay {
    file: PathBuf,
    entries: Vec<Entry>,
    /// The entry that comes next, and how many of its bytes have been read.
    next: usize,
    offset: usize,
    /// A moment and the recorded time that belongs to it: the last request.
    anchor: (Instant, Duration),
    speed: f64,
}

/// What is looked at when something is to come from the meter's side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Within {
    /// Up to the verdict: what was found later, whoever asked has not waited for.
    Task,
    /// Up to the next request.
    Silence,
}

impl Replay {
    /// Reads the recording. `speed` 2.0 plays it twice as fast, infinity at once.
    pub(super) fn open(name: &str, file: &Path, speed: f64) -> Result<Self, PortError> {
        let recording = Recording::load(file).map_err(|error| PortError::Missing {
            port: name.to_owned(),
            reason: Missing::Recording(error.to_string()),
        })?;
        let start = recording
            .entries
            .first()
            .map_or(Duration::ZERO, |entry| entry.at);
        Ok(Self {
            file: file.to_owned(),
            entries: recording.entries,
            next: 0,
            offset: 0,
            anchor: (Instant::now(), start),
            speed,
        })
    }

    pub(super) async fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self.due(Within::Task) {
            Some(due) => {
                sleep_until(due).await;
                self.take(buffer)
            }
            // Silence, until something is sent.
            None => future::pending().await,
        }
    }

    /// Gives whatever comes before the next request, however late it came then: who asks what is
    /// waiting asks before a request, and was told all of it when the session was recorded.
    pub(super) fn try_read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self.due(Within::Silence) {
            Some(_) => self.take(buffer),
            None => Err(io::ErrorKind::WouldBlock.into()),
        }
    }

    pub(super) fn write_all(&mut self, data: &[u8]) -> io::Result<()> {
        let mut rest = data;
        while !rest.is_empty() {
            let Some((line, at, expected)) = self.next_request() else {
                return Err(self.differs(
                    self.entries.last().map_or(1, |entry| entry.line),
                    &format!("nothing was sent after this, now `{}` is", hex(rest)),
                ));
            };
            let (now, later) = rest.split_at(expected.len().min(rest.len()));
            if now != expected {
                return Err(self.differs(
                    line,
                    &format!("then `{}` was sent, now `{}` is", hex(&expected), hex(now)),
                ));
            }
            rest = later;
            self.anchor = (Instant::now(), at);
            self.next += 1;
            self.offset = 0;
        }
        Ok(())
    }

    /// Goes on after the point where the recorded port was lost, as reopening it did then.
    pub(super) fn reopened(mut self) -> Self {
        self.offset = 0;
        let at = self
            .entries
            .get(self.next)
            .map_or(self.anchor.1, |entry| entry.at);
        self.anchor = (Instant::now(), at);
        self
    }

    /// When the next thing comes from the meter's side, if it comes without a request.
    fn due(&mut self, within: Within) -> Option<Instant> {
        loop {
            let entry = self.entries.get(self.next)?;
            match &entry.event {
                Event::Bytes(Direction::In, bytes) if self.offset < bytes.len() => break,
                Event::Note(Note::Lost, _) => break,
                Event::Bytes(Direction::Out, _) => return None,
                Event::Note(Note::Verdict, _) if within == Within::Task => return None,
                Event::Bytes(Direction::In, _) | Event::Note(..) => {
                    self.next += 1;
                    self.offset = 0;
                }
            }
        }
        let (then, recorded) = self.anchor;
        let after = self.entries[self.next]
            .at
            .saturating_sub(recorded)
            .as_secs_f64()
            / self.speed;
        Some(then + Duration::try_from_secs_f64(after).unwrap_or_default())
    }

    /// Takes what [`due`](Self::due) has found.
    fn take(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let Some(Event::Bytes(Direction::In, bytes)) =
            self.entries.get(self.next).map(|entry| &entry.event)
        else {
            self.next += 1;
            return Err(end_of_stream());
        };
        let waiting = bytes.get(self.offset..).unwrap_or_default();
        let count = waiting.len().min(buffer.len());
        buffer[..count].copy_from_slice(&waiting[..count]);
        self.offset += count;
        Ok(count)
    }

    /// The bytes that were sent next. What was received before and is not read yet is skipped, as
    /// a session skips what is left on the line before it asks.
    fn next_request(&mut self) -> Option<(usize, Duration, Vec<u8>)> {
        while let Some(entry) = self.entries.get(self.next) {
            if let Event::Bytes(Direction::Out, bytes) = &entry.event {
                return Some((entry.line, entry.at, bytes.clone()));
            }
            self.next += 1;
        }
        None
    }

    fn differs(&self, line: usize, how: &str) -> io::Error {
        io::Error::new(
            io::ErrorKind::InvalidData,
            format!(
                "{}, line {line}: the session differs from the recorded one: {how}",
                self.file.display()
            ),
        )
    }
}

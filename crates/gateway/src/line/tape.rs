//! Writes down what goes over a line during one poll, for whoever wants to see bytes.

use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use heatmeter_client::{Header, Recorder, Recording};
use jiff::Timestamp;
use kamstrup_kmp::Verdict;

use crate::hub::Exchange;

/// No more bytes of text are kept of one poll: noise without end must not fill the memory.
const MAX: usize = 64 << 10;

/// What goes over a line, from now on.
#[derive(Clone, Debug, Default)]
pub(super) struct Tape(Arc<Mutex<Vec<u8>>>);

impl Tape {
    /// A tape, and what writes on it.
    pub(super) fn begin(port: &str) -> (Self, Option<Recorder>) {
        let tape = Self::default();
        // Memory can always be written to.
        let recorder = Recorder::to(tape.clone(), &Header::new(port)).ok();
        (tape, recorder)
    }

    /// What is on it, as an exchange that began then.
    pub(super) fn exchange(
        &self,
        at: Timestamp,
        verdict: Verdict,
        took: Duration,
        attempts: u32,
    ) -> Exchange {
        let written = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        let events = Recording::parse(&written)
            .map(|recording| recording.entries)
            .unwrap_or_default()
            .into_iter()
            .map(|entry| (entry.at, entry.event))
            .collect();
        Exchange {
            at,
            verdict,
            took,
            attempts,
            events,
        }
    }
}

impl Write for Tape {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // Whole lines or nothing: half a line cannot be read.
        if kept.len() + bytes.len() <= MAX {
            kept.extend_from_slice(bytes);
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

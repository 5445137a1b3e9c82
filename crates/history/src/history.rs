//! The handle that everybody uses.

use std::path::{Path, PathBuf};

use heatmeter_catalog::reading::Reading;
use jiff::Timestamp;
use tokio::sync::watch;

use crate::poll::{Meter, Poll, PollId, Stored};

/// How a history is opened.
#[derive(Clone, Debug, Default)]
pub struct Settings {}

/// What was found when it was opened.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Opened {
    /// There was none.
    Fresh,
    /// It was whole.
    Whole,
    /// It was damaged: the readable polls were taken over, the old file kept.
    Salvaged {
        /// Where the damaged file is now.
        kept: PathBuf,
        /// How many polls were taken over.
        polls: u64,
    },
}

/// How the history is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Health {
    /// Polls are kept.
    #[default]
    Fine,
    /// The disk is full: polls wait in memory, as many as fit, and are written when there is room.
    DiskFull {
        /// How many polls wait.
        waiting: usize,
    },
    /// Nothing can be written, for another reason.
    Failing {
        /// What the database says.
        reason: String,
        /// How many polls wait.
        waiting: usize,
    },
}

/// The latest value of a register.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Latest {
    /// The value.
    pub reading: Reading,
    /// The time of its poll.
    pub at: Timestamp,
}

/// Something new in the history.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Change {
    /// The newest poll.
    pub newest: PollId,
}

/// Why the history cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HistoryError {
    /// The writer has ended.
    #[error("the history is closed")]
    Closed,
}

/// A history that is open. Clones are the same one.
#[derive(Clone, Debug)]
pub struct History {}

#[expect(clippy::unused_async, unused_variables, reason = "to be written")]
impl History {
    /// Opens the file, or makes it.
    pub async fn open(path: &Path, settings: Settings) -> Result<(Self, Opened), HistoryError> {
        unimplemented!()
    }

    /// Keeps who a meter is. Before its first poll.
    pub async fn introduce(&self, meter: Meter) -> Result<(), HistoryError> {
        unimplemented!()
    }

    /// Keeps a poll; done when it is on disk. A poll of the same meter and millisecond is the same.
    pub async fn record(&self, poll: Poll) -> Result<PollId, HistoryError> {
        unimplemented!()
    }

    /// Tells when there is something new.
    pub fn changes(&self) -> watch::Receiver<Change> {
        unimplemented!()
    }

    /// Tells how the history is; ends when the writer has ended.
    pub fn health(&self) -> watch::Receiver<Health> {
        unimplemented!()
    }

    /// All meters there were.
    pub async fn meters(&self) -> Result<Vec<Meter>, HistoryError> {
        unimplemented!()
    }

    /// The newest poll of a meter, whatever came of it.
    pub async fn newest(&self, serial: &str) -> Result<Option<Stored>, HistoryError> {
        unimplemented!()
    }

    /// The latest reading of every register of a meter.
    pub async fn latest(&self, serial: &str) -> Result<Vec<Latest>, HistoryError> {
        unimplemented!()
    }

    /// The oldest polls that a place has not acknowledged, at most so many, in order. A place that
    /// is asked for the first time starts with the next poll, unless `from_the_start`.
    pub async fn pending(
        &self,
        place: &str,
        from_the_start: bool,
        limit: usize,
    ) -> Result<Vec<Stored>, HistoryError> {
        unimplemented!()
    }

    /// The place has everything up to this poll.
    pub async fn acknowledge(&self, place: &str, upto: PollId) -> Result<(), HistoryError> {
        unimplemented!()
    }

    /// How many polls wait for a place.
    pub async fn backlog(&self, place: &str) -> Result<u64, HistoryError> {
        unimplemented!()
    }

    /// Keeps what the gate remembers of a meter, as text of its own.
    pub async fn remember(&self, serial: &str, memory: String) -> Result<(), HistoryError> {
        unimplemented!()
    }

    /// What the gate remembered.
    pub async fn recall(&self, serial: &str) -> Result<Option<String>, HistoryError> {
        unimplemented!()
    }

    /// Writes everything and closes; no `-wal` file is left. Other clones answer `Closed` from then on.
    pub async fn close(self) -> Result<(), HistoryError> {
        unimplemented!()
    }
}

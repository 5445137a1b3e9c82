//! What is kept of a meter: who it is, and what came of each poll.

use std::time::Duration;

use heatmeter_catalog::reading::Reading;
use jiff::Timestamp;
use kamstrup_kmp::Verdict;

/// A meter, known by its serial number: never by its port or by the machine that reads it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Meter {
    /// The serial number, as the meter sends it.
    pub serial: String,
    /// What it is, where the catalogue knows.
    pub model: Option<String>,
    /// What it answers when asked for its type.
    pub type_code: Option<u16>,
    /// The version of its software.
    pub software: Option<String>,
}

/// What came of one poll of one meter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Poll {
    /// Which meter.
    pub serial: String,
    /// When it was asked. To the millisecond: with the serial number it is the poll's id.
    pub at: Timestamp,
    /// [`Verdict::Ok`] if the meter answered anything of what was asked for.
    pub verdict: Verdict,
    /// One for every register asked for; none where the meter did not answer.
    pub readings: Vec<Reading>,
    /// What it cost.
    pub line: Line,
}

/// What a poll cost the meter and the line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Line {
    /// Requests sent.
    pub requests: u32,
    /// How many of them were sent again.
    pub retries: u32,
    /// Bytes sent.
    pub bytes_sent: u64,
    /// Bytes received.
    pub bytes_received: u64,
    /// From the first byte sent to the last one received.
    pub took: Duration,
}

/// Where a poll stands in the history: later ones have greater numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PollId(pub i64);

/// A poll in the history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    /// Its place.
    pub id: PollId,
    /// What came of it.
    pub poll: Poll,
}

impl Poll {
    /// The id by which receivers know a poll that comes twice: the same on every gateway and after
    /// every restart.
    pub fn id(&self) -> String {
        format!("{}-{}", self.serial, self.at.as_millisecond())
    }
}

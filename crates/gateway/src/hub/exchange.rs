//! What went over a line, for whoever wants to see bytes; and how much of it since the start.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use heatmeter_client::Event;
use heatmeter_history::Poll;
use jiff::Timestamp;
use kamstrup_kmp::Verdict;

/// One poll or attempt as it went over the line.
#[derive(Clone, Debug)]
pub struct Exchange {
    /// When it began.
    pub at: Timestamp,
    /// What came of it.
    pub verdict: Verdict,
    /// How long it took.
    pub took: Duration,
    /// How often a request was sent.
    pub attempts: u32,
    /// Bytes and notes, each with its time since `at`.
    pub events: Vec<(Duration, Event)>,
}

/// The last exchanges of a line.
#[derive(Clone, Debug, Default)]
pub(super) struct Kept(VecDeque<Exchange>);

impl Kept {
    /// How many are kept.
    const MAX: usize = 50;

    pub(super) fn push(&mut self, exchange: Exchange) {
        if self.0.len() == Self::MAX {
            self.0.pop_front();
        }
        self.0.push_back(exchange);
    }

    pub(super) fn all(&self) -> Vec<Exchange> {
        self.0.iter().cloned().collect()
    }
}

/// What a line has carried since the start.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Traffic {
    /// Polls, by the code of what came of them.
    pub polls: BTreeMap<&'static str, u64>,
    /// Requests sent.
    pub requests: u64,
    /// How many of them were sent again.
    pub retries: u64,
    /// Bytes sent.
    pub bytes_sent: u64,
    /// Bytes received.
    pub bytes_received: u64,
    /// Time on the line.
    pub took: Duration,
}

impl Traffic {
    pub(super) fn add(&mut self, poll: &Poll) {
        *self.polls.entry(poll.verdict.code()).or_default() += 1;
        self.requests += u64::from(poll.line.requests);
        self.retries += u64::from(poll.line.retries);
        self.bytes_sent += poll.line.bytes_sent;
        self.bytes_received += poll.line.bytes_received;
        self.took += poll.line.took;
    }
}

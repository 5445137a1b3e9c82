//! The history of meters in one SQLite file: every poll, roll-ups for long spans, and the outbox of
//! what destinations have not acknowledged yet.
//!
//! One thread writes; readers have connections of their own. Nothing here reads a clock.

#![forbid(unsafe_code)]

mod history;
mod json;
mod poll;

pub use history::{Change, Health, History, HistoryError, Latest, Opened, Settings};
pub use json::{MeterJson, PollJson};
pub use poll::{Line, Meter, Poll, PollId, Stored};

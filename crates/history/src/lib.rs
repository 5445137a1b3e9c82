//! The history of meters in one SQLite file: every poll, roll-ups for long spans, and the outbox of
//! what destinations have not acknowledged yet.
//!
//! One thread writes; readers have connections of their own. Nothing here reads a clock.

#![forbid(unsafe_code)]

mod amounts;
mod archive;
mod counter;
mod error;
mod export;
mod file;
mod gaps;
mod history;
mod json;
mod poll;
mod pool;
mod prune;
mod reader;
mod rollup;
mod row;
mod salvage;
mod schema;
mod series;
mod write;
mod writer;

pub use amounts::{Amounts, Bar, Bars, By, Comparison};
pub use archive::{Archive, ExportError};
pub use error::HistoryError;
pub use export::{Export, Format, Selection};
pub use history::{Change, Extent, Health, History, Latest, Opened, Settings};
pub use json::{MeterJson, PollJson};
pub use poll::{Line, Meter, Poll, PollId, Stored};
pub use prune::Keep;
pub use series::{Gap, Point, Series};

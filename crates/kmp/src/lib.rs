//! The Kamstrup Meter Protocol (KMP), as heat meters speak it through their optical eye.
//!
//! This crate does no I/O, reads no clock and starts no thread: bytes and the time go in, bytes, a
//! moment to wake up and events come out.
#![no_std]
#![forbid(unsafe_code)]
#![deny(missing_docs)]
#![cfg_attr(
    not(test),
    deny(
        clippy::arithmetic_side_effects,
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::panic,
        clippy::unwrap_used
    )
)]

extern crate alloc;
#[cfg(test)]
extern crate std;

mod clock;
mod datetime;
mod decimal;
pub mod frame;
pub mod line;
pub mod message;
mod register;
pub mod responder;
pub mod session;
mod unit;
mod value;
mod verdict;

pub use clock::Instant;
pub use datetime::{Date, DateTime, MonthDay, Time};
pub use decimal::{Decimal, ParseDecimalError};
pub use register::{RawRecord, Record, RecordError, Records, RegisterId};
pub use unit::{ConvertError, Quantity, Unit, convert, convert_rounded};
pub use value::{EncodeError, Invalid, Problem, Scale, Value};
pub use verdict::Verdict;

//! The Kamstrup Meter Protocol (KMP), as heat meters speak it through their optical eye.
//!
//! This crate does no I/O, reads no clock, starts no thread and panics on no input: bytes and the time
//! go in; bytes, a moment to wake up and events come out. Whoever owns the serial port, the socket or
//! the test drives it.
//!
//! - [`session::Session`] asks a meter and finds its answers in whatever comes back: start here.
//! - [`responder::Responder`] is its mirror, the answering side.
//! - [`frame`] and [`message`] are what both are made of, [`logger`] is for the meter's own history.
//! - [`Record`], [`Value`], [`Decimal`] and [`Unit`] are what registers hold, exactly as sent.
//! - [`Verdict`] says what came of it when there is no answer, and what to do next.
//!
//! Facts come from the vendor's document 5512-447 (rev. M1, 2009, for MULTICAL 601 and 801), from
//! captures, and from public readers; each constant names its source.
//!
//! # The run loop
//!
//! One rule: **after every call that gives the session something, poll it until it waits.** In steps:
//!
//! 1. Read what has been waiting in the line's buffers and feed it in: it answers nothing that will be
//!    asked.
//! 2. [`start`](session::Session::start) a [`Task`](session::Task), with the time.
//! 3. [`poll`](session::Session::poll) and do what it says: set up the line, write bytes in one go, take
//!    the event. After [`Done`](session::Event::Done) the task is over.
//! 4. At [`Wait`](line::Output::Wait), read from the line until bytes come or the moment has come, and
//!    [`handle`](session::Session::handle) what it was. Then go to 3.
//!
//! Time is any clock that does not go back, counted from any start ([`Instant`]). A task ends by its own
//! deadline whatever the line does, so the loop needs no time-out of its own.
//!
//! ```
//! use std::time::{Duration, Instant as Clock};
//!
//! use kamstrup_kmp::line::{Input, Output};
//! use kamstrup_kmp::session::{Event, Outcome, Session, Task};
//! use kamstrup_kmp::{Instant, RegisterId, Verdict};
//!
//! /// What owns the line. A serial port, a socket or a test can be one.
//! trait Port {
//!     fn write(&mut self, bytes: &[u8]);
//!     /// Waits up to `timeout` for bytes.
//!     fn read(&mut self, buffer: &mut [u8], timeout: Duration) -> usize;
//! }
//!
//! fn run(port: &mut impl Port, session: &mut Session, task: Task) -> Outcome {
//!     let start = Clock::now();
//!     let now = || Instant::from_start(start.elapsed());
//!     let mut buffer = [0; 256];
//!     let waiting = port.read(&mut buffer, Duration::ZERO);
//!     session.handle(Input::Receive(&buffer[..waiting]), now());
//!     session.start(task, now());
//!     loop {
//!         match session.poll() {
//!             Output::Configure(settings) => println!("the line must run at {} baud", settings.baud),
//!             Output::Transmit(bytes) => port.write(&bytes),
//!             Output::Event(Event::Done(outcome)) => return outcome,
//!             Output::Event(event) => println!("{event:?}"),
//!             Output::Wait(until) => match port.read(&mut buffer, until.since(now())) {
//!                 0 => session.handle(Input::Timeout, now()),
//!                 length => session.handle(Input::Receive(&buffer[..length]), now()),
//!             },
//!             Output::Idle => unreachable!("a task runs until it is done"),
//!         }
//!     }
//! }
//!
//! /// A MULTICAL 403 that tells its clock (register 1002) and nothing else, as captured.
//! struct Captured(Vec<u8>);
//!
//! impl Port for Captured {
//!     fn write(&mut self, bytes: &[u8]) {
//!         assert_eq!(bytes, [0x80, 0x3f, 0x10, 0x01, 0x03, 0xea, 0x4c, 0xb7, 0x0d]);
//!         self.0.extend([0x40, 0x3f, 0x10, 0x03, 0xea, 0x2f, 0x04, 0x00]);
//!         self.0.extend([0x00, 0x03, 0x0e, 0x33, 0xb2, 0x32, 0x0d]);
//!     }
//!
//!     fn read(&mut self, buffer: &mut [u8], _: Duration) -> usize {
//!         let bytes = std::mem::take(&mut self.0);
//!         buffer[..bytes.len()].copy_from_slice(&bytes);
//!         bytes.len()
//!     }
//! }
//!
//! let task = Task::read(&[RegisterId(1002)]);
//! let outcome = run(&mut Captured(Vec::new()), &mut Session::default(), task);
//! assert_eq!(outcome.verdict, Verdict::Ok);
//! assert_eq!(outcome.records[0].value.to_string(), "20:02:43");
//! ```
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
pub mod logger;
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

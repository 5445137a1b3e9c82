//! Real brokers and databases for the tests, as Debian packages them: each in a temporary folder, on
//! a free port of loopback, ended with the value that started it, also when the test panics.
//!
//! A program that is not installed is a failure that names its package; nothing is skipped.

#![forbid(unsafe_code)]

mod certificates;
mod mosquitto;
mod program;

pub use certificates::Certificates;
pub use mosquitto::{Mosquitto, Options};
pub use program::{Program, find, free_port};

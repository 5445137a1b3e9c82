//! Real brokers and databases for the tests, as Debian packages them: each in a temporary folder, on
//! a free port of loopback, ended with the value that started it, also when the test panics.
//!
//! A program that is not installed is a failure that names its package; nothing is skipped.

#![forbid(unsafe_code)]

mod certificates;
mod http;
mod influx;
mod mosquitto;
mod postgres;
mod program;
mod prometheus;
mod proxy;
mod subscriber;
mod victoria;

pub use certificates::Certificates;
pub use http::{Answer, ask, encode, tell};
pub use influx::Influx;
pub use mosquitto::{Access, Mosquitto, Options};
pub use postgres::Postgres;
pub use program::{Program, find, free_port};
pub use prometheus::Prometheus;
pub use proxy::Proxy;
pub use subscriber::{Heard, Said, Subscriber, say};
pub use victoria::Victoria;

//! MQTT: the state of each meter, announced to Home Assistant.

mod board;
mod settings;

pub use board::{Board, MeterCard};
pub use settings::{Protocol, Settings, Tls};

//! Simulated Kamstrup meters: a house behind a meter behind an optical eye at the end of a line,
//! and every fault such a line can have.
//!
//! For trying heatmeter without hardware, for its tests, and for testing other readers. The parts,
//! from the inside out:
//!
//! - a house with weather, radiators and showers, whose flow, temperatures, power and counters agree
//!   with each other and with the physics of EN 1434 at any speed;
//! - a meter with the registers, units and lengths of a [`Model`];
//! - an eye that falls asleep, faults that hit a given share of the answers, a wire at 1200 baud;
//! - [`SimulatedMeter`]: all of it without I/O, for a fake clock;
//! - [`serve_tcp`] and [`serve_pty`]: the same at a real port.
//!
//! Everything is fixed by the [`Config`] and its seed; nothing reads a clock but the servers.

#![forbid(unsafe_code)]

mod climate;
mod config;
mod demand;
mod eye;
mod faults;
mod house;
mod journal;
mod meter;
mod models;
mod period;
mod pty;
mod serve;
mod simulated;
mod spoil;
mod table;
mod water;
mod wire;

pub use config::Config;
pub use faults::{Fault, FaultError, FaultKind, FaultSet};
pub use journal::{Exchange, Journal};
pub use models::{EnergyUnit, Model, UnknownEnergyUnit, UnknownModel};
pub use serve::{Handle, ServeError, Server, serve_pty, serve_tcp};
pub use simulated::SimulatedMeter;
pub use spoil::LineEvent;
pub use wire::wire_time;

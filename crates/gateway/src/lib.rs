//! The heatmeter service as a library: one configuration, a schedule per meter, history,
//! destinations, and the web.

#![forbid(unsafe_code)]

pub mod check;
pub mod clock;
pub mod config;
pub mod duration;
pub mod hub;
pub mod ledger;
mod line;
pub mod metrics;
pub mod ports;
pub mod schedule;
pub mod service;
pub mod web;
mod zone;

// For commands that look at a history without running the service.
pub use heatmeter_history as history;

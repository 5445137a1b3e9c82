//! The heatmeter service as a library: one configuration, a schedule per meter, history,
//! destinations, and the web.

#![forbid(unsafe_code)]

pub mod hub;
pub mod metrics;
pub mod ports;
pub mod web;

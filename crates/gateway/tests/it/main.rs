//! The gateway's behaviour, one module each.

mod config;
#[path = "../support/posted.rs"]
mod posted;
mod schedule;
mod service;
mod web;

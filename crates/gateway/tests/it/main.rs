//! The gateway's behaviour, one module each.

mod config;
mod schedule;
mod service;
mod web;

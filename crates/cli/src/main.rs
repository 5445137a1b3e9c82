//! The `heatmeter` command: reads Kamstrup meters through their optical eye, helps to place the
//! head, explains frames and simulates meters.
//!
//! What it prints with `--json`, its exit codes and the verdicts are an interface; everything else
//! is for people and may change.

mod args;
mod cmd;
mod exit;
mod explain;
mod failure;
mod hex;
mod kept;
mod line_log;
mod memory;
mod meter;
mod output;
mod poll;
mod reading;
mod schedule;
mod wall_clock;
mod who;

use std::process::ExitCode;

fn main() -> ExitCode {
    match args::parse(std::env::args_os()) {
        Ok(args) => cmd::run(args).into(),
        Err(exit) => exit.into(),
    }
}

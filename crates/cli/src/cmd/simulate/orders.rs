//! Orders to a simulated meter while it runs, one a line on standard input: for tests and for trying
//! out what a reader does when something changes.

use std::io;
use std::str::FromStr;
use std::thread;

use heatmeter_simulator::{Fault, Handle};
use serde::Serialize;
use tokio::sync::mpsc;

use crate::failure::Failure;
use crate::output::Console;

/// Follows orders and answers each, until standard input ends.
pub(super) async fn follow(meter: &Handle, console: &Console) -> Result<(), Failure> {
    let mut lines = lines();
    while let Some(line) = lines.recv().await {
        let line = line.trim();
        if line.is_empty() {
            continue;
        }
        match line.parse::<Order>() {
            Ok(order) => {
                order.carry_out(meter);
                console.json(&Done {
                    order: line,
                    done: true,
                })?;
            }
            Err(message) => {
                let help = "fault KIND=RATE ..., echo on, echo off, wake, clear".to_owned();
                console.json(&Failure::usage(message, help).report())?;
            }
        }
    }
    Ok(())
}

#[derive(Debug, PartialEq)]
enum Order {
    Faults(Vec<Fault>),
    Echo(bool),
    Wake,
}

impl Order {
    fn carry_out(self, meter: &Handle) {
        match self {
            Self::Faults(faults) => meter.set_faults(faults),
            Self::Echo(echo) => meter.set_echo(echo),
            Self::Wake => meter.wake(),
        }
    }
}

impl FromStr for Order {
    type Err = String;

    fn from_str(line: &str) -> Result<Self, Self::Err> {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words[..] {
            ["fault", ref faults @ ..] if !faults.is_empty() => faults
                .iter()
                .map(|fault| fault.parse().map_err(|error| format!("{error}")))
                .collect::<Result<_, _>>()
                .map(Self::Faults),
            ["clear"] => Ok(Self::Faults(Vec::new())),
            ["echo", "on"] => Ok(Self::Echo(true)),
            ["echo", "off"] => Ok(Self::Echo(false)),
            ["wake"] => Ok(Self::Wake),
            _ => Err(format!("there is no order {line:?}")),
        }
    }
}

#[derive(Serialize)]
struct Done<'a> {
    order: &'a str,
    done: bool,
}

/// The lines of standard input. It can only be waited for by blocking: that takes a thread, which the
/// end of the program ends.
fn lines() -> mpsc::Receiver<String> {
    let (lines, received) = mpsc::channel(16);
    thread::spawn(move || {
        for line in io::stdin().lines().map_while(Result::ok) {
            if lines.blocking_send(line).is_err() {
                return;
            }
        }
    });
    received
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn orders_are_read_and_others_refused() {
        let fault = |text: &str| text.parse::<Fault>().unwrap();
        assert_eq!(
            "fault silence=1  drop=0.2".parse(),
            Ok(Order::Faults(vec![fault("silence=1"), fault("drop=0.2")]))
        );
        assert_eq!("clear".parse(), Ok(Order::Faults(Vec::new())));
        assert_eq!("echo on".parse(), Ok(Order::Echo(true)));
        assert_eq!("wake".parse(), Ok(Order::Wake));
        for line in ["fault", "fault silence", "echo", "sing"] {
            assert!(line.parse::<Order>().is_err(), "{line}");
        }
    }
}

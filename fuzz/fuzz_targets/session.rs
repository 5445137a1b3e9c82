//! Any sequence of operations on a session: it always says what to do next, never waits beyond a
//! task's deadline, never goes round without time passing, and accounts for each register once.
#![no_main]

use std::time::Duration;

use arbitrary::Arbitrary;
use kamstrup_kmp::frame::{Address, Direction, Frame};
use kamstrup_kmp::line::{Input, Output};
use kamstrup_kmp::message::Request;
use kamstrup_kmp::session::{Event, Session, Task};
use kamstrup_kmp::{Instant, RegisterId};
use libfuzzer_sys::fuzz_target;

#[derive(Arbitrary, Debug)]
enum Operation {
    Read {
        registers: Vec<u8>,
        seconds: u8,
    },
    Ask {
        command: u8,
        seconds: u8,
    },
    GetType {
        attempts: u8,
    },
    Receive(Vec<u8>),
    /// A sound answer with these data.
    Answer {
        command: u8,
        data: Vec<u8>,
    },
    Echo,
    Pass {
        milliseconds: u16,
    },
    Wake,
    Reconnect,
}

fuzz_target!(|operations: Vec<Operation>| {
    let mut session = Session::default();
    let mut now = Duration::from_secs(1);
    let mut deadline = None;
    let mut asked = Vec::new();
    let mut last_sent = Vec::new();
    for operation in operations {
        let at = Instant::from_start(now);
        match operation {
            Operation::Read { registers, seconds } => {
                asked = registers
                    .iter()
                    .map(|&id| RegisterId(u16::from(id)))
                    .collect();
                let limit = Duration::from_secs(seconds.into());
                deadline = Some(now + limit);
                session.start(Task::read(&asked).within(limit), at);
                asked.sort();
                asked.dedup();
            }
            Operation::Ask { command, seconds } => {
                asked.clear();
                let limit = Duration::from_secs(seconds.into());
                deadline = Some(now + limit);
                session.start(
                    Task::ask(Request::Raw {
                        command,
                        data: vec![1, 2],
                    })
                    .within(limit),
                    at,
                );
            }
            Operation::GetType { attempts } => {
                asked.clear();
                let task = Task::ask(Request::GetType).with_attempts(attempts.into());
                deadline = Some(now + task.time_limit());
                session.start(task, at);
            }
            Operation::Receive(bytes) => session.handle(Input::Receive(&bytes), at),
            Operation::Answer { command, data } => {
                let mut wire = Vec::new();
                let (direction, address) = (Direction::FromMeter, Address::METER);
                Frame {
                    direction,
                    address,
                    command,
                    data: &data,
                }
                .encode(&mut wire);
                session.handle(Input::Receive(&wire), at);
            }
            Operation::Echo => session.handle(Input::Receive(&last_sent), at),
            Operation::Pass { milliseconds } => {
                now += Duration::from_millis(milliseconds.into());
                session.handle(Input::Timeout, Instant::from_start(now));
            }
            Operation::Wake => {
                if let Output::Wait(until) = session.clone().poll() {
                    now = now.max(until.since_start());
                }
                session.handle(Input::Timeout, Instant::from_start(now));
            }
            Operation::Reconnect => {
                session.reconnected();
                deadline = None;
            }
        }
        for turn in 0.. {
            assert!(turn < 100, "goes round without time passing");
            match session.poll() {
                Output::Transmit(bytes) => {
                    assert!(!bytes.is_empty());
                    last_sent = bytes;
                }
                Output::Event(Event::Done(outcome)) => {
                    assert!(deadline.take().is_some(), "a task was under way");
                    let mut told: Vec<_> = outcome.records.iter().map(|r| r.register).collect();
                    told.extend(outcome.unsupported.iter().chain(&outcome.unanswered));
                    told.sort();
                    assert_eq!(told, asked);
                }
                Output::Wait(until) => {
                    let deadline = deadline.expect("a task is under way");
                    assert!(until.since_start() <= deadline, "waits beyond the deadline");
                    break;
                }
                Output::Idle => {
                    assert_eq!(deadline, None);
                    break;
                }
                _ => {}
            }
        }
    }
});

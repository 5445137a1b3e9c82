//! A reader of a simulated meter under a fake clock: polls, looks twice where the gate wants to, and
//! opens the line again when it was lost, as the faces of the product do.

use std::time::Duration;

use heatmeter_catalog::gate::{Gate, Limits, Look, Notice, Poll, Quality};
use heatmeter_simulator::{Config, Fault, FaultKind, LineEvent, Model, SimulatedMeter};
use kamstrup_kmp::line::{Input, Output};
use kamstrup_kmp::session::{Event, Outcome, Session, Task};
use kamstrup_kmp::{Instant, Record, RegisterId, Value, Verdict};

/// What is read each time: one request.
pub(crate) const USUAL: [RegisterId; 8] = [
    RegisterId(60),
    RegisterId(68),
    RegisterId(74),
    RegisterId(80),
    RegisterId(86),
    RegisterId(87),
    RegisterId(89),
    RegisterId(1001),
];

/// From the start of a poll to that of the next.
const INTERVAL: Duration = Duration::from_mins(1);
/// How long a poll may take.
const LIMIT: Duration = Duration::from_secs(20);
/// How long the port stays closed after it was lost.
const PAUSE: Duration = Duration::from_millis(250);

pub(crate) struct Line {
    meter: SimulatedMeter,
    session: Session,
    now: Instant,
    kind: FaultKind,
    verdicts: Vec<Verdict>,
    gate: Gate,
    limits: Limits,
}

/// What came of one poll.
pub(crate) struct Polled {
    /// What a reader is given.
    pub(crate) good: Vec<Record>,
    /// What of it the meter never said.
    pub(crate) wrong: Vec<Record>,
    /// What is held back, with the reason.
    pub(crate) held: Vec<(RegisterId, String)>,
    /// Values that a second reading outvoted.
    pub(crate) outvoted: u64,
    /// A second reading was needed.
    pub(crate) read_again: bool,
    /// How exchanges ended.
    pub(crate) verdicts: Vec<Verdict>,
    pub(crate) took: Duration,
}

impl Line {
    pub(crate) fn new(kind: FaultKind, rate: f64, seed: u64) -> Self {
        let fault = Fault::new(kind, rate).expect("a share");
        let config = Config::new(Model::M403)
            .seed(seed)
            .echo(kind == FaultKind::EchoMangled)
            .pace(true)
            .strict(true)
            .faults([fault]);
        Self {
            meter: SimulatedMeter::new(config),
            session: Session::default(),
            now: Instant::default(),
            kind,
            verdicts: Vec::new(),
            gate: Gate::new(),
            limits: Limits::from(
                heatmeter_catalog::model("multical-403").expect("a model of the catalogue"),
            ),
        }
    }

    pub(crate) fn spoiled(&self) -> u64 {
        self.meter.journal().spoiled_by(self.kind)
    }

    /// Reads the usual registers, a second time what the gate wonders about, then waits for the next
    /// poll.
    pub(crate) fn poll(&mut self) -> Polled {
        let start = self.now;
        let records = self.read(&USUAL, LIMIT);
        let mut read_again = false;
        let checked = match self.gate.first(&self.limits, &Poll::of(&records), self.now) {
            Look::Checked(checked) => checked,
            Look::Doubtful(doubt) => {
                read_again = true;
                let wanted = doubt.reread().to_vec();
                let again = self.read(&wanted, LIMIT.saturating_sub(self.now.since(start)));
                self.gate.second(doubt, &Poll::of(&again), self.now)
            }
        };
        let good: Vec<Record> = checked
            .readings
            .iter()
            .filter_map(|r| r.good().cloned())
            .collect();
        let held = checked
            .readings
            .iter()
            .filter_map(|reading| match reading.quality() {
                Quality::Held(reason) => Some((reading.register(), reason.to_string())),
                _ => None,
            });
        let outvoted = checked
            .notices
            .iter()
            .filter(|n| matches!(n, Notice::Outvoted { .. }))
            .count();
        let polled = Polled {
            wrong: self.untrue(&good, start),
            held: held.collect(),
            good,
            outvoted: outvoted as u64,
            read_again,
            took: self.now.since(start),
            verdicts: std::mem::take(&mut self.verdicts),
        };
        self.now = self.now.max(start.after(INTERVAL));
        polled
    }

    /// Reads registers within a time; opens the line again if it is lost.
    fn read(&mut self, registers: &[RegisterId], limit: Duration) -> Vec<Record> {
        self.take_what_waits();
        self.session
            .start(Task::read(registers).within(limit), self.now);
        self.run().records
    }

    /// Which of these values the meter did not mean in any answer since `start`.
    fn untrue(&self, records: &[Record], start: Instant) -> Vec<Record> {
        let meant = |register: RegisterId, value: &Value| {
            let recent = self
                .meter
                .journal()
                .kept()
                .rev()
                .take_while(|exchange| exchange.at >= start);
            recent
                .flat_map(|exchange| &exchange.truth)
                .any(|t| t.register == register && t.value == *value)
        };
        records
            .iter()
            .filter(|record| !meant(record.register, &record.value))
            .cloned()
            .collect()
    }

    /// Runs the task to its end.
    fn run(&mut self) -> Outcome {
        let mut bytes = Vec::new();
        loop {
            let wake_at = match self.session.poll() {
                Output::Transmit(request) => {
                    self.meter.receive(&request, self.now);
                    continue;
                }
                Output::Event(Event::Attempt(attempt)) => {
                    self.verdicts.push(attempt.verdict);
                    continue;
                }
                Output::Event(Event::Done(outcome)) => return outcome,
                Output::Wait(until) => until,
                Output::Configure(_) => continue,
                other => panic!("{other:?} while a task runs"),
            };
            self.meter.poll_transmit(self.now, &mut bytes);
            if !bytes.is_empty() {
                self.session.handle(Input::Receive(&bytes), self.now);
                bytes.clear();
                continue;
            }
            if self.line_was_lost() {
                self.now = self.now.after(PAUSE);
                self.session.interrupted(self.now);
                continue;
            }
            let next = self
                .meter
                .next_wakeup()
                .map_or(wake_at, |next| next.min(wake_at));
            self.now = self.now.max(next);
            if self.now >= wake_at {
                self.session.handle(Input::Timeout, self.now);
            }
        }
    }

    fn line_was_lost(&mut self) -> bool {
        match self.meter.poll_event(self.now) {
            Some(LineEvent::PortGone(gone)) => self.now = self.now.after(gone),
            Some(_) => {}
            None => return false,
        }
        true
    }

    /// What a driver does before a task: feeds in what has been waiting in the line's buffers.
    fn take_what_waits(&mut self) {
        let mut bytes = Vec::new();
        while self.meter.poll_event(self.now).is_some() {
            self.session.reconnected();
        }
        self.meter.poll_transmit(self.now, &mut bytes);
        self.session.handle(Input::Receive(&bytes), self.now);
    }
}

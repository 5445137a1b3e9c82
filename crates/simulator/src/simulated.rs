//! A whole simulated meter: house, meter, eye, wire and faults, without I/O and without a clock.
//!
//! Bytes and the time go in; bytes, events of the line and the moment to be woken come out. Under a
//! fake clock years of reading fit into a test; [`crate::serve`] puts sockets and a real clock
//! around it.

use core::time::Duration;

use kamstrup_kmp::frame::{Address, FrameError};
use kamstrup_kmp::message::Request;
use kamstrup_kmp::responder::{Heard, Reply, Responder};
use kamstrup_kmp::{Instant, Record, RegisterId};
use oorandom::Rand64;

use crate::climate::Seconds;
use crate::config::Config;
use crate::eye::Eye;
use crate::faults::{Dice, Fault, FaultKind};
use crate::house::seconds_of;
use crate::journal::{Exchange, Journal};
use crate::meter::Meter;
use crate::spoil::{self, Item, LineEvent, Means, Plan, pick};
use crate::wire::{Inbound, Outbound, wire_time};

/// A simulated meter at the end of a line.
///
/// ```
/// use std::time::Duration;
/// use heatmeter_simulator::{Config, Model, SimulatedMeter};
/// use kamstrup_kmp::Instant;
///
/// let mut meter = SimulatedMeter::new(Config::new(Model::M403));
/// let now = Instant::from_start(Duration::from_secs(1));
/// // GetType
/// meter.receive(&[0x80, 0x3f, 0x01, 0x05, 0x8a, 0x0d], now);
/// let mut answer = Vec::new();
/// meter.poll_transmit(now, &mut answer);
/// assert_eq!(answer[..3], [0x40, 0x3f, 0x01]);
/// ```
#[derive(Clone, Debug)]
pub struct SimulatedMeter {
    config: Config,
    meter: Meter,
    eye: Eye,
    dice: Dice,
    journal: Journal,
    responder: Responder,
    inbound: Inbound,
    outbound: Outbound,
    noise: Option<Noise>,
    echo_damage: Option<Rand64>,
    /// Strict: until when nothing is heard after something that got no answer.
    deaf_until: Instant,
    /// When the last byte came in.
    last_heard: Option<Instant>,
}

impl SimulatedMeter {
    /// A meter whose time begins at zero.
    pub fn new(config: Config) -> Self {
        let mut meter = Self {
            meter: Meter::new(&config),
            eye: Eye::new(
                config.sleep_after,
                config.wake_after,
                config.traffic_keeps_awake,
            ),
            dice: Dice::new(config.seed, &config.faults),
            journal: Journal::new(config.journal_length),
            responder: responder(&config),
            inbound: Inbound::new(config.pace),
            outbound: Outbound::new(config.pace),
            noise: None,
            echo_damage: None,
            deaf_until: Instant::default(),
            last_heard: None,
            config,
        };
        meter.prepare_echo();
        meter
    }

    /// Takes bytes that were sent to the meter.
    pub fn receive(&mut self, bytes: &[u8], now: Instant) {
        if !bytes.is_empty() {
            self.inbound.push(bytes, now);
            self.advance(now);
        }
    }

    /// Appends the bytes that are due by now. Stops before an event of the line: ask for that with
    /// [`Self::poll_event`], then go on.
    pub fn poll_transmit(&mut self, now: Instant, out: &mut Vec<u8>) {
        self.advance(now);
        while !self.outbound.at_event(now) {
            match self.outbound.pop(now) {
                Some(Item::Byte(byte)) => out.push(byte),
                Some(Item::Event(_)) | None => break,
            }
        }
        if let Some(noise) = &mut self.noise {
            noise.append(now, out);
            if noise.next >= noise.until {
                self.noise = None;
            }
        }
    }

    /// What happens to the line now, if anything. What was on its way is lost with it.
    pub fn poll_event(&mut self, now: Instant) -> Option<LineEvent> {
        self.advance(now);
        if !self.outbound.at_event(now) {
            return None;
        }
        match self.outbound.pop(now) {
            Some(Item::Event(event)) => {
                self.hang_up();
                Some(event)
            }
            _ => None,
        }
    }

    /// When to ask again, if nothing is received before.
    pub fn next_wakeup(&self) -> Option<Instant> {
        let noise = self.noise.as_ref().map(|noise| noise.next);
        [self.inbound.next(), self.outbound.next(), noise]
            .into_iter()
            .flatten()
            .min()
    }

    /// Presses a key on the meter.
    pub fn wake(&mut self, now: Instant) {
        self.eye.press(now);
    }

    /// These faults hit from the next exchange on, and no others.
    pub fn set_faults(&mut self, faults: Vec<Fault>) {
        self.dice = Dice::new(self.config.seed, &faults);
        self.config.faults = faults;
        self.prepare_echo();
    }

    /// The head returns what is sent, or does not.
    pub fn set_echo(&mut self, echo: bool) {
        self.config.echo = echo;
    }

    /// The line was closed: what is on its way is lost.
    pub fn hang_up(&mut self) {
        self.inbound.clear();
        self.outbound.clear();
        self.noise = None;
        self.responder = responder(&self.config);
        self.prepare_echo();
    }

    /// What really happened.
    pub fn journal(&self) -> &Journal {
        &self.journal
    }

    /// The registers that the meter has, in ascending order.
    pub fn registers(&self) -> impl Iterator<Item = RegisterId> {
        self.meter.registers()
    }

    /// What the meter would answer now, without a line in between.
    pub fn read(&mut self, registers: &[RegisterId], now: Instant) -> Vec<Record> {
        self.live(now);
        self.meter.records(registers)
    }

    /// Handles what has arrived by now.
    fn advance(&mut self, now: Instant) {
        while let Some((at, bytes)) = self.inbound.pop(now) {
            self.noise = None;
            self.echo(&bytes, at);
            self.hear(&bytes, at);
        }
    }

    fn echo(&mut self, bytes: &[u8], at: Instant) {
        if let Some(rng) = &mut self.echo_damage {
            let mangled: Vec<u8> = bytes.iter().map(|&byte| spoil::mangle(byte, rng)).collect();
            self.outbound.echo(mangled, at);
        } else if self.config.echo {
            self.outbound.echo(bytes.iter().copied(), at);
        }
    }

    fn hear(&mut self, bytes: &[u8], at: Instant) {
        let before = self.last_heard.replace(at);
        let mut rest = bytes;
        loop {
            if self.config.strict && (at < self.deaf_until || self.outbound.is_busy(at)) {
                return;
            }
            let (answered, since) = match self.responder.hear(&mut rest, at) {
                Some(Heard::Request(request)) => (self.exchange(request, at), at),
                // Noticed with the next byte, but it was over when the pause grew too long.
                Some(Heard::Broken(FrameError::Truncated { .. })) => {
                    (false, before.unwrap_or(at).after(Responder::LONGEST_GAP))
                }
                Some(_) => (false, at),
                None => return,
            };
            if self.config.strict && !answered {
                self.deaf_until = since.after(DEAF_AFTER_INVALID);
                // What it throws away it does not remember either.
                self.responder = responder(&self.config);
            }
        }
    }

    /// Answers a request as the meter and the faults have it. Returns whether the meter answered.
    fn exchange(&mut self, request: Request, at: Instant) -> bool {
        if !self.eye.is_awake(at) {
            self.journal.miss();
            return false;
        }
        self.live(at);
        let number = self.journal.exchanges();
        let mut faults = self.dice.throw(number);
        let reply = self.meter.answer(&request);
        let truth = match &reply {
            Some(Reply::Registers(records)) => records.clone(),
            _ => Vec::new(),
        };
        let answered = reply.is_some();
        let mut rng = self.dice.damage(number);
        let others = if faults.contains(FaultKind::OtherAnswer) {
            self.others(&request, &mut rng)
        } else {
            Vec::new()
        };
        let means = Means {
            rng,
            late: &self.config.late,
            gone_for: self.config.gone_for,
            others,
        };
        // A value that does not fit its register is a mistake in `models`; a test reads them all.
        let plan = spoil::plan(reply, &mut faults, means).unwrap_or_else(|error| {
            tracing::error!(%error, "a value does not fit its register");
            Plan::default()
        });
        self.outbound.abandon(at);
        let ends = self.outbound.send(&plan, at.after(self.config.turnaround));
        if plan.then_noise {
            let rng = self.dice.damage(number);
            self.noise = Some(Noise {
                rng,
                next: ends,
                until: ends.after(self.config.noise_for),
            });
        }
        self.journal.record(Exchange {
            number,
            at,
            request,
            truth,
            faults,
        });
        self.prepare_echo();
        if answered {
            self.eye.answered(at);
        }
        answered
    }

    /// One to three registers that were not asked for.
    fn others(&self, request: &Request, rng: &mut Rand64) -> Vec<Record> {
        let asked = match request {
            Request::GetRegister(batch) => batch.ids(),
            _ => &[],
        };
        let mut ids: Vec<RegisterId> = self
            .meter
            .registers()
            .filter(|id| !asked.contains(id))
            .collect();
        let first = pick(rng, ids.len());
        ids.rotate_left(first);
        ids.truncate(1 + pick(rng, 3));
        self.meter.records(&ids)
    }

    /// The dice of the next exchange decide about the echo of its request.
    fn prepare_echo(&mut self) {
        let next = self.journal.exchanges();
        let mangled = self.dice.throw(next).contains(FaultKind::EchoMangled);
        self.echo_damage = mangled.then(|| self.dice.echo(next));
    }

    fn live(&mut self, now: Instant) {
        self.meter.advance(simulated(&self.config, now));
    }
}

/// How long a meter does not listen after something it did not understand (vendor document
/// 5512-447, section 2.1).
const DEAF_AFTER_INVALID: Duration = Duration::from_millis(1600);

fn responder(config: &Config) -> Responder {
    let responder = Responder::new(Address::METER);
    if config.strict {
        responder.with_longest_gap(Responder::LONGEST_GAP)
    } else {
        responder
    }
}

#[allow(clippy::cast_possible_truncation)] // saturates; the house stops at the end of 2099
fn simulated(config: &Config, now: Instant) -> Seconds {
    let passed = now.since_start().as_secs_f64() * config.speed;
    seconds_of(config.start).saturating_add(passed as Seconds)
}

/// Random bytes at the speed of the wire.
#[derive(Clone, Debug)]
struct Noise {
    rng: Rand64,
    next: Instant,
    until: Instant,
}

impl Noise {
    fn append(&mut self, now: Instant, out: &mut Vec<u8>) {
        while self.next <= now && self.next < self.until {
            out.push(spoil::noise(&mut self.rng));
            self.next = self.next.after(wire_time(1));
        }
    }
}

#[cfg(test)]
mod tests;

//! A line in memory: a session at one end, a script of a meter at the other.

use std::collections::BTreeMap;
use std::time::Duration;

use kamstrup_kmp::frame::Address;
use kamstrup_kmp::line::{Input, LineSettings, Output};
use kamstrup_kmp::message::{Batch, MeterType, Request, Software};
use kamstrup_kmp::responder::{Heard, Reply, Responder};
use kamstrup_kmp::session::{Attempt, Config, Event, Outcome, Session, Task};
use kamstrup_kmp::{Decimal, Instant, Record, RegisterId, Scale, Unit, Value};

/// What comes back for a request: pieces of bytes, each so long after the request's last byte.
pub(crate) type Pieces = Vec<(Duration, Vec<u8>)>;

pub(crate) struct Line<M> {
    pub(crate) session: Session,
    pub(crate) now: Duration,
    /// When each request left, and its bytes.
    pub(crate) sent: Vec<(Duration, Vec<u8>)>,
    pub(crate) attempts: Vec<Attempt>,
    meter: M,
    on_the_way: BTreeMap<(Duration, usize), Vec<u8>>,
    /// A meter answers in turn.
    last_due: Duration,
}

impl<M: FnMut(usize, &Request, &[u8]) -> Pieces> Line<M> {
    /// The meter is called with the number of the request (from 0), the request and its bytes.
    pub(crate) fn new(meter: M) -> Self {
        Self {
            session: Session::new(Config::default()),
            now: Duration::ZERO,
            sent: Vec::new(),
            attempts: Vec::new(),
            meter,
            on_the_way: BTreeMap::new(),
            last_due: Duration::ZERO,
        }
    }

    pub(crate) fn run(&mut self, task: Task) -> Outcome {
        self.deliver_due();
        self.session.start(task, Instant::from_start(self.now));
        loop {
            match self.session.poll() {
                Output::Configure(settings) => assert_eq!(settings, LineSettings::KMP),
                Output::Transmit(bytes) => self.transmit(bytes),
                Output::Event(Event::Attempt(attempt)) => self.attempts.push(attempt),
                Output::Event(Event::Done(outcome)) => return outcome,
                Output::Event(other) => panic!("unknown event {other:?}"),
                Output::Wait(until) => self.wait(until),
                Output::Idle => panic!("idle with a task under way"),
            }
        }
    }

    pub(crate) fn read(&mut self, registers: &[u16]) -> Outcome {
        let ids: Vec<_> = registers.iter().copied().map(RegisterId).collect();
        self.run(Task::read(&ids))
    }

    /// Lets time pass with no task under way: what comes in waits in the line's buffers.
    pub(crate) fn rest(&mut self, duration: Duration) {
        self.now += duration;
    }

    /// Puts bytes on the line as if the meter had sent them at this moment.
    pub(crate) fn stray(&mut self, at: Duration, bytes: &[u8]) {
        self.on_the_way.insert((at, usize::MAX), bytes.to_vec());
    }

    fn transmit(&mut self, bytes: Vec<u8>) {
        let through = self.now + LineSettings::KMP.time_for(bytes.len());
        let mut heard = Responder::new(Address::METER);
        let mut input = bytes.as_slice();
        let Some(Heard::Request(request)) = heard.hear(&mut input, Instant::from_start(self.now))
        else {
            panic!("a session sends sound requests, not {bytes:02x?}");
        };
        let number = self.sent.len();
        for (delay, piece) in (self.meter)(number, &request, &bytes) {
            self.last_due = self.last_due.max(through + delay);
            let key = (self.last_due, self.on_the_way.len() + number * 1000);
            self.on_the_way.insert(key, piece);
        }
        self.sent.push((self.now, bytes));
    }

    fn wait(&mut self, until: Instant) {
        let wake = until.since_start();
        assert!(wake >= self.now, "asked to wake up in the past");
        match self.on_the_way.first_key_value() {
            Some((&(at, _), _)) if at <= wake => {
                let (_, piece) = self.on_the_way.pop_first().unwrap();
                self.now = self.now.max(at);
                self.session
                    .handle(Input::Receive(&piece), Instant::from_start(self.now));
            }
            _ => {
                self.now = wake;
                self.session.handle(Input::Timeout, until);
            }
        }
    }

    /// What a driver does before it starts a task: reads what has been waiting.
    fn deliver_due(&mut self) {
        while let Some(entry) = self.on_the_way.first_entry() {
            if entry.key().0 > self.now {
                break;
            }
            let piece = entry.remove();
            self.session
                .handle(Input::Receive(&piece), Instant::from_start(self.now));
        }
    }
}

/// A meter that has these registers with their number as value, and answers at once.
pub(crate) fn honest(has: &'static [u16]) -> impl FnMut(usize, &Request, &[u8]) -> Pieces {
    move |_, request, _| at_once(answer(request, has, 0))
}

/// What a meter with these registers answers; each value is the register's number plus `offset`.
pub(crate) fn answer(request: &Request, has: &[u16], offset: u16) -> Vec<u8> {
    let reply = match request {
        Request::GetType => Reply::Type(MeterType {
            code: 1,
            software: Software(0x0701),
        }),
        Request::GetSerialNo => Reply::SerialNo(12_345_678),
        Request::SetClock(_) => Reply::Acknowledge,
        Request::GetRegister(batch) => Reply::Registers(records(batch, has, offset)),
        other => panic!("not scripted: {other:?}"),
    };
    reply.encode(Address::METER).unwrap()
}

pub(crate) fn at_once(bytes: Vec<u8>) -> Pieces {
    after(0, bytes)
}

pub(crate) fn after(milliseconds: u64, bytes: Vec<u8>) -> Pieces {
    vec![(Duration::from_millis(milliseconds), bytes)]
}

pub(crate) fn values(outcome: &Outcome) -> Vec<(u16, String)> {
    outcome
        .records
        .iter()
        .map(|r| (r.register.0, r.value.to_string()))
        .collect()
}

pub(crate) fn expected(registers: &[u16]) -> Vec<(u16, String)> {
    registers.iter().map(|&id| (id, id.to_string())).collect()
}

fn records(batch: &Batch, has: &[u16], offset: u16) -> Vec<Record> {
    let has_it = |id: &&RegisterId| has.contains(&id.0);
    batch
        .ids()
        .iter()
        .filter(has_it)
        .map(|&register| Record {
            register,
            unit: Unit::GJ,
            length: 4,
            scale: Scale(0),
            value: Value::Number(Decimal::from(u32::from(register.0 + offset))),
        })
        .collect()
}

//! A `kamstrup_kmp` session reads simulated meters under a fake clock, over sound and bad lines.
//!
//! The full table of faults stands with the product's tests; this is the simulator's own proof that
//! what it plays is what a session understands, and that its journal tells right from wrong.

use std::time::Duration;

use heatmeter_simulator::{Config, Fault, FaultKind, LineEvent, Model, SimulatedMeter, wire_time};
use kamstrup_kmp::line::{Input, Output};
use kamstrup_kmp::session::{Event, Outcome, Session, Task};
use kamstrup_kmp::{Instant, Record, RegisterId, Verdict};

const USUAL: [u16; 8] = [60, 68, 74, 80, 86, 87, 89, 1001];

struct Reader {
    meter: SimulatedMeter,
    session: Session,
    now: Instant,
}

impl Reader {
    fn new(config: Config) -> Self {
        Self {
            meter: SimulatedMeter::new(config),
            session: Session::default(),
            now: Instant::default(),
        }
    }

    fn read(&mut self, registers: &[u16]) -> Option<Outcome> {
        let ids: Vec<RegisterId> = registers.iter().copied().map(RegisterId).collect();
        self.session.start(Task::read(&ids), self.now);
        self.run()
    }

    /// Runs the task to its end; `None` if the line went away under it.
    fn run(&mut self) -> Option<Outcome> {
        let mut bytes = Vec::new();
        loop {
            let wake_at = match self.session.poll() {
                Output::Configure(_) | Output::Event(Event::Attempt(_)) => continue,
                Output::Transmit(request) => {
                    self.meter.receive(&request, self.now);
                    continue;
                }
                Output::Event(Event::Done(outcome)) => return Some(outcome),
                Output::Wait(until) => until,
                other => panic!("{other:?} while a task runs"),
            };
            bytes.clear();
            self.meter.poll_transmit(self.now, &mut bytes);
            match self.meter.poll_event(self.now) {
                Some(LineEvent::PortGone(gone)) => self.now = self.now.after(gone),
                Some(_) => {}
                None if bytes.is_empty() => {
                    let next = self
                        .meter
                        .next_wakeup()
                        .map_or(wake_at, |next| next.min(wake_at));
                    self.now = self.now.max(next);
                    if self.now >= wake_at {
                        self.session.handle(Input::Timeout, self.now);
                    }
                    continue;
                }
                None => {
                    self.session.handle(Input::Receive(&bytes), self.now);
                    continue;
                }
            }
            self.session.reconnected();
            return None;
        }
    }

    fn wrong(&self, outcome: &Outcome) -> Vec<Record> {
        let journal = self.meter.journal();
        let wrong = |record: &&Record| !journal.said(record.register, &record.value);
        outcome.records.iter().filter(wrong).cloned().collect()
    }
}

fn config() -> Config {
    Config::new(Model::M403)
}

#[test]
fn every_model_is_read_whole() {
    for model in Model::ALL {
        let mut reader = Reader::new(Config::new(model));
        let registers: Vec<u16> = model.registers().map(|id| id.0).collect();
        let outcome = reader.read(&registers).unwrap();
        assert_eq!(outcome.verdict, Verdict::Ok, "{model}");
        assert_eq!(outcome.records.len(), registers.len(), "{model}");
        assert!(reader.wrong(&outcome).is_empty(), "{model}");
    }
}

#[test]
fn registers_a_model_lacks_are_unsupported_and_cost_nothing_else() {
    let outcome = Reader::new(config()).read(&[60, 155, 68, 4711]).unwrap();
    assert_eq!(outcome.records.len(), 2);
    assert_eq!(outcome.unsupported, [RegisterId(155), RegisterId(4711)]);
}

#[test]
fn a_paced_read_of_eight_takes_what_its_bytes_take() {
    for echo in [false, true] {
        let mut reader = Reader::new(config().pace(true).echo(echo).strict(true));
        let line = reader.read(&USUAL).unwrap().line;
        let echoed = if echo { line.bytes_sent } else { 0 };
        let bytes = line.bytes_sent + line.bytes_received - echoed;
        let needed = wire_time(usize::try_from(bytes).unwrap());
        assert!(
            line.took <= needed.mul_f64(1.02),
            "{:?} for {needed:?}",
            line.took
        );
        assert!(
            line.took >= needed.mul_f64(0.99),
            "{:?} for {needed:?}",
            line.took
        );
    }
}

#[test]
fn a_sleeping_meter_is_found_asleep_and_wakes_by_a_key() {
    let mut reader = Reader::new(config().sleep_after(Duration::from_mins(4)));
    assert_eq!(reader.read(&USUAL).unwrap().verdict, Verdict::Ok);
    reader.now = reader.now.after(Duration::from_mins(5));
    assert_eq!(reader.read(&USUAL).unwrap().verdict, Verdict::Asleep);
    reader.meter.wake(reader.now);
    assert_eq!(reader.read(&USUAL).unwrap().verdict, Verdict::Ok);
}

#[test]
fn a_fault_in_every_answer_has_its_verdict() {
    for (kind, verdicts) in [
        (FaultKind::Silence, &[Verdict::Silent][..]),
        (FaultKind::WrongCrc, &[Verdict::CrcMismatch]),
        (FaultKind::Truncate, &[Verdict::Truncated]),
        (FaultKind::Ack, &[Verdict::UnexpectedAnswer]),
        (FaultKind::OtherAnswer, &[Verdict::UnexpectedAnswer]),
        (FaultKind::EchoMangled, &[Verdict::EchoMangled]),
        (FaultKind::WrongProtocol, &[Verdict::WrongProtocol]),
    ] {
        let fault = Fault::new(kind, 1.0).unwrap();
        for seed in 0..10 {
            let mut reader = Reader::new(config().seed(seed).faults([fault]));
            let verdict = reader.read(&USUAL).unwrap().verdict;
            assert!(
                verdicts.contains(&verdict),
                "{kind}, seed {seed}: {verdict:?}"
            );
        }
    }
}

#[test]
fn no_fault_but_a_forged_checksum_gets_a_wrong_value_through() {
    for kind in FaultKind::ALL {
        let fault = Fault::new(kind, 0.3).unwrap();
        let config = config()
            .seed(7)
            .faults([fault])
            .echo(true)
            .speed(30.0)
            .journal_length(256);
        let mut reader = Reader::new(config);
        let (mut wrong, mut right) = (0, 0);
        for _ in 0..200 {
            if let Some(outcome) = reader.read(&USUAL) {
                wrong += reader.wrong(&outcome).len();
                right += outcome.records.len();
            }
            reader.now = reader.now.after(Duration::from_secs(10));
        }
        assert!(reader.meter.journal().spoiled_by(kind) > 30, "{kind}");
        assert!(right > 400, "{kind}: {right} right values");
        assert_eq!(
            wrong > 0,
            kind == FaultKind::CrcForged,
            "{kind}: {wrong} wrong values"
        );
    }
}

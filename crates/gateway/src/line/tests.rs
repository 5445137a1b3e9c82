//! A line with a simulated meter at its end.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicI64, Ordering};

use heatmeter_client::{Direction, Event as OnTheLine};
use heatmeter_history::Settings;
use heatmeter_simulator::{
    self as simulator, Fault, FaultKind, Handle, Model as Simulated, serve_tcp,
};
use jiff::SignedDuration;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{broadcast, oneshot};
use tokio::task::JoinHandle;

use super::*;
use crate::hub::Event;

/// By when something happens on a busy machine, or never does.
const PATIENCE: Duration = Duration::from_mins(1);

const ENERGY: RegisterId = RegisterId(60);
const VOLUME: RegisterId = RegisterId(68);

/// A gateway's middle, with a clock that the test sets.
struct Bench {
    hub: Hub,
    events: broadcast::Receiver<Event>,
    history: History,
    clock: &'static AtomicI64,
    turns: Arc<Mutex<()>>,
    _folder: TempDir,
}

impl Bench {
    /// It is half past noon.
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("history.db");
        let (history, _) = History::open(&file, Settings::default()).await.unwrap();
        let hub = Hub::new();
        let noon: Timestamp = "2026-11-26T12:30:00Z".parse().unwrap();
        Self {
            events: hub.events(),
            hub,
            history,
            clock: Box::leak(Box::new(AtomicI64::new(noon.as_millisecond()))),
            turns: Arc::default(),
            _folder: folder,
        }
    }

    fn line(&self, settings: MeterSettings, begin: Begin) -> Running {
        self.line_of(settings, begin, false)
    }

    fn line_of(&self, settings: MeterSettings, begin: Begin, is_shared: bool) -> Running {
        let around = Surroundings {
            hub: self.hub.clone(),
            history: self.history.clone(),
            clock: Clock::set_by(self.clock),
            time_zone: TimeZone::UTC,
            meter_speed: 1.0,
            turns: Arc::clone(&self.turns),
            is_shared,
        };
        let stop = CancellationToken::new();
        let task = tokio::spawn(run(settings, around, begin, stop.clone()));
        Running { stop, task }
    }

    /// Sets the clock so far ahead, or back, and lets the line look at it.
    async fn jump(&self, by: SignedDuration) {
        let by = i64::try_from(by.as_millis()).unwrap();
        self.clock.fetch_add(by, Ordering::Relaxed);
        time::pause();
        time::advance(LOOK + Duration::from_secs(1)).await;
        time::resume();
    }

    /// The next event that is one.
    async fn event<T>(&mut self, what: &str, is_it: impl Fn(&Event) -> Option<T>) -> T {
        let waiting = async {
            loop {
                if let Some(it) = is_it(&self.events.recv().await.unwrap()) {
                    return it;
                }
            }
        };
        time::timeout(PATIENCE, waiting)
            .await
            .unwrap_or_else(|_| panic!("it never came that {what}"))
    }

    async fn poll(&mut self) -> Arc<Poll> {
        self.event("there is a poll", |event| match event {
            Event::Poll { poll, .. } => Some(Arc::clone(poll)),
            _ => None,
        })
        .await
    }

    async fn state(&mut self, what: &str, is_so: impl Fn(&MeterState) -> bool) -> Arc<MeterState> {
        self.event(what, |event| match event {
            Event::Meter(state) if is_so(state) => Some(Arc::clone(state)),
            _ => None,
        })
        .await
    }

    /// What comes of reading now.
    async fn read(
        &self,
        slot: &str,
        registers: Option<Vec<RegisterId>>,
    ) -> Result<Arc<Poll>, Trouble> {
        let (answer, outcome) = oneshot::channel();
        let answer = Some(answer);
        assert!(
            self.hub
                .order(slot, Order::Read { registers, answer })
                .await
        );
        time::timeout(PATIENCE, outcome)
            .await
            .expect("an answer")
            .unwrap()
    }

    /// What has happened so far is of no interest.
    fn forget(&mut self) {
        while self.events.try_recv().is_ok() {}
    }

    /// No poll comes while the line has every opportunity.
    async fn is_left_in_peace(&mut self) {
        self.jump(SignedDuration::ZERO).await;
        time::sleep(Duration::from_millis(200)).await;
        while let Ok(event) = self.events.try_recv() {
            assert!(!matches!(event, Event::Poll { .. }), "{event:?}");
        }
    }
}

struct Running {
    stop: CancellationToken,
    task: JoinHandle<()>,
}

impl Running {
    async fn stop(self) {
        self.stop.cancel();
        time::timeout(PATIENCE, self.task)
            .await
            .expect("it ends")
            .unwrap();
    }
}

/// A simulated meter behind TCP, at a standstill.
struct Meter403 {
    port: String,
    handle: Handle,
    task: JoinHandle<()>,
}

impl Meter403 {
    async fn start() -> Self {
        Self::with(40_300_001, 0).await
    }

    async fn with(serial: u32, port: u16) -> Self {
        let config = simulator::Config::new(Simulated::M403)
            .speed(0.0)
            .serial(serial);
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let server = serve_tcp(config, address).await.unwrap();
        Self {
            port: server.listening().to_owned(),
            handle: server.handle(),
            task: tokio::spawn(async move {
                server.run(std::future::pending()).await.unwrap();
            }),
        }
    }

    fn number(&self) -> u16 {
        self.port.rsplit_once(':').unwrap().1.parse().unwrap()
    }

    /// Its port is closed from now on.
    async fn end(self) {
        self.task.abort();
        drop(self.task.await);
    }
}

fn settings(slot: &str, port: &str) -> MeterSettings {
    MeterSettings {
        slot: slot.to_owned(),
        name: slot.to_owned(),
        port: port.parse().unwrap(),
        model: None,
        schedule: "hourly at :59:50".parse().unwrap(),
        registers: None,
        mains_powered: false,
        timeout: Some(Duration::from_millis(300)),
        serial: None,
    }
}

#[expect(
    clippy::unnecessary_wraps,
    reason = "compared with moments that may be none"
)]
fn at(text: &str) -> Option<Timestamp> {
    Some(format!("2026-11-26T{text}Z").parse().unwrap())
}

#[tokio::test]
async fn who_has_just_been_set_up_is_read_at_once_and_then_by_the_schedule() {
    let mut bench = Bench::new().await;
    let meter = Meter403::start().await;
    let line = bench.line(settings("house", &meter.port), Begin::AtOnce);
    let poll = bench.poll().await;
    assert_eq!((poll.verdict, Some(poll.at)), (Verdict::Ok, at("12:30:00")));
    let state = bench
        .state("it waits", |state| state.next_at > Some(poll.at))
        .await;
    assert_eq!(state.next_at, at("12:59:50"));
    assert_eq!(state.ledger.wake_ups, 1);
    line.stop().await;
}

#[tokio::test]
async fn a_meter_that_is_read_by_day_only_is_not_stale_at_night() {
    let mut bench = Bench::new().await;
    let meter = Meter403::start().await;
    let by_day = MeterSettings {
        schedule: "*/30 8-20 * * *".parse().unwrap(),
        ..settings("house", &meter.port)
    };
    let line = bench.line(by_day, Begin::AtOnce);
    let state = bench.state("it is read", |state| state.read_at.is_some());
    assert_eq!(state.await.stale_at, at("13:32:00"));
    bench.poll().await;
    bench.jump(SignedDuration::from_hours(8)).await;
    let state = bench.state("it is read", |state| state.read_at == at("20:30:00"));
    let morning = at("08:32:00").map(|at| at + SignedDuration::from_hours(24));
    assert_eq!(state.await.stale_at, morning);
    line.stop().await;
}

#[tokio::test]
async fn polls_that_were_slept_through_are_made_up_for_by_one() {
    let mut bench = Bench::new().await;
    let meter = Meter403::start().await;
    let line = bench.line(settings("house", &meter.port), Begin::NextTime);
    bench
        .state("it waits", |state| state.next_at == at("12:59:50"))
        .await;
    bench.is_left_in_peace().await;
    bench.jump(SignedDuration::from_mins(215)).await;
    let poll = bench.poll().await;
    assert_eq!(Some(poll.at), at("16:05:00"));
    bench
        .state("it is planned anew", |state| {
            state.next_at == at("16:59:50")
        })
        .await;
    bench.is_left_in_peace().await;
    line.stop().await;
}

#[tokio::test]
async fn a_clock_that_is_set_back_is_followed() {
    let mut bench = Bench::new().await;
    let meter = Meter403::start().await;
    let line = bench.line(settings("house", &meter.port), Begin::NextTime);
    bench
        .state("it waits", |state| state.next_at == at("12:59:50"))
        .await;
    bench.jump(SignedDuration::from_hours(-3)).await;
    bench
        .state("it is planned anew", |state| {
            state.next_at == at("09:59:50")
        })
        .await;
    bench.is_left_in_peace().await;
    line.stop().await;
}

#[tokio::test]
async fn a_start_does_not_wake_a_meter_that_was_read_as_its_schedule_asks() {
    let mut bench = Bench::new().await;
    let meter = Meter403::start().await;
    let line = bench.line(settings("house", &meter.port), Begin::IfDue);
    let first = bench.poll().await;
    line.stop().await;
    let asked = meter.handle.journal().exchanges();

    bench.jump(SignedDuration::from_mins(10)).await;
    bench.forget();
    let line = bench.line(settings("house", &meter.port), Begin::IfDue);
    let state = bench
        .state("it waits", |state| state.next_at == at("12:59:50"))
        .await;
    // It is known as before.
    assert_eq!(state.verdict, Some(Verdict::Ok));
    assert_eq!(
        (state.read_at, state.tried_at),
        (Some(first.at), Some(first.at))
    );
    assert!(!state.registers.is_empty() && !state.readings.is_empty());
    bench.is_left_in_peace().await;
    line.stop().await;
    assert_eq!(meter.handle.journal().exchanges(), asked);

    // Through another port it is not known whether it answers.
    let other = Meter403::start().await;
    let line = bench.line(settings("house", &other.port), Begin::IfDue);
    assert_eq!(bench.poll().await.verdict, Verdict::Ok);
    line.stop().await;

    // One that is overdue is read.
    bench.jump(SignedDuration::from_mins(30)).await;
    let line = bench.line(settings("house", &other.port), Begin::IfDue);
    assert_eq!(Some(bench.poll().await.at), at("13:10:00"));
    line.stop().await;
}

#[tokio::test]
async fn who_reads_the_same_shares_a_poll_and_who_reads_something_else_has_one() {
    let mut bench = Bench::new().await;
    let meter = Meter403::start().await;
    let line = bench.line(settings("house", &meter.port), Begin::AtOnce);
    let first = bench.poll().await;
    let again = bench.read("house", None).await.unwrap();
    assert_eq!(again, first);
    let chosen = bench
        .read("house", Some(vec![ENERGY, VOLUME]))
        .await
        .unwrap();
    let read: Vec<_> = chosen
        .readings
        .iter()
        .map(|reading| reading.register)
        .collect();
    assert_eq!(read, [ENERGY, VOLUME]);
    line.stop().await;
}

#[tokio::test]
async fn a_meter_that_is_known_has_registers_whatever_was_read_first() {
    let mut bench = Bench::new().await;
    let meter = Meter403::start().await;
    let line = bench.line(settings("house", &meter.port), Begin::NextTime);
    bench
        .state("it waits", |state| state.next_at.is_some())
        .await;
    bench.read("house", Some(vec![ENERGY])).await.unwrap();
    let known = bench
        .state("it is known", |state| state.meter.is_some())
        .await;
    assert!(known.registers.len() > 5, "{:?}", known.registers);
    line.stop().await;
}

/// Between a meter and its reader: keeps questions for the meter's type to itself.
async fn without_type(meter: &Meter403) -> (String, JoinHandle<()>) {
    const GET_TYPE: u8 = 0x01;
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let port = format!("socket://{}", listener.local_addr().unwrap());
    let behind = meter.number();
    let task = tokio::spawn(async move {
        loop {
            let (mut reader, _) = listener.accept().await.unwrap();
            let mut meter = TcpStream::connect((Ipv4Addr::LOCALHOST, behind))
                .await
                .unwrap();
            let (mut asked, mut answered) = ([0; 256], [0; 256]);
            loop {
                tokio::select! {
                    Ok(count) = reader.read(&mut asked) => {
                        if count == 0 {
                            break;
                        }
                        if asked.get(2) != Some(&GET_TYPE) {
                            meter.write_all(&asked[..count]).await.unwrap();
                        }
                    }
                    Ok(count) = meter.read(&mut answered) => {
                        if count == 0 {
                            break;
                        }
                        reader.write_all(&answered[..count]).await.unwrap();
                    }
                    else => break,
                }
            }
        }
    });
    (port, task)
}

#[tokio::test]
async fn a_meter_that_does_not_say_its_type_this_time_is_what_it_was() {
    let mut bench = Bench::new().await;
    let meter = Meter403::start().await;
    let line = bench.line(settings("house", &meter.port), Begin::AtOnce);
    bench.poll().await;
    let before = bench
        .state("it waits", |state| state.doing == Doing::Waiting)
        .await;
    let model = before.model.expect("it said what it is");
    line.stop().await;

    let (port, between) = without_type(&meter).await;
    let line = bench.line(settings("house", &port), Begin::AtOnce);
    assert_eq!(bench.poll().await.verdict, Verdict::Ok);
    let after = bench
        .state("it waits", |state| state.doing == Doing::Waiting)
        .await;
    assert_eq!(after.model.map(|model| model.slug), Some(model.slug));
    assert_eq!(after.registers, before.registers);
    assert_eq!(after.meter, before.meter);
    line.stop().await;
    between.abort();
}

#[tokio::test]
async fn a_meter_of_a_model_that_nobody_knows_keeps_its_registers_over_a_restart() {
    let mut bench = Bench::new().await;
    let meter = Meter403::start().await;
    let (port, between) = without_type(&meter).await;
    let line = bench.line(settings("house", &port), Begin::AtOnce);
    bench.poll().await;
    let before = bench
        .state("it waits", |state| state.doing == Doing::Waiting)
        .await;
    line.stop().await;
    let line = bench.line(settings("house", &port), Begin::NextTime);
    let after = bench
        .state("it is back", |state| state.meter.is_some())
        .await;
    assert!(!after.registers.is_empty());
    assert_eq!(after.registers, before.registers);
    line.stop().await;
    between.abort();
}

#[tokio::test]
async fn a_silent_meter_costs_its_poll_and_keeps_its_readings() {
    let mut bench = Bench::new().await;
    let meter = Meter403::start().await;
    let line = bench.line(settings("house", &meter.port), Begin::AtOnce);
    bench.poll().await;
    let silence = Fault::new(FaultKind::Silence, 1.0).unwrap();
    meter.handle.set_faults(vec![silence]);
    bench.jump(SignedDuration::from_mins(30)).await;
    let poll = bench.poll().await;
    assert!(
        matches!(poll.verdict, Verdict::Silent | Verdict::Asleep),
        "{poll:?}"
    );
    assert!(poll.readings.is_empty());
    let state = bench
        .state("it waits", |state| state.next_at == at("13:59:50"))
        .await;
    assert_eq!(state.read_at, at("12:30:00"));
    assert!(!state.readings.is_empty(), "the last ones are shown still");
    assert_eq!(state.verdict_since, at("13:00:00"));
    // The poll is kept, so that nobody wonders about the gap.
    let kept = bench.history.newest("40300001").await.unwrap().unwrap();
    assert_eq!((kept.poll.at, kept.poll.verdict), (poll.at, poll.verdict));

    meter.handle.set_faults(Vec::new());
    bench.jump(SignedDuration::from_mins(60)).await;
    assert_eq!(bench.poll().await.verdict, Verdict::Ok);
    line.stop().await;
}

#[tokio::test]
async fn a_port_that_went_away_is_opened_again() {
    let mut bench = Bench::new().await;
    let meter = Meter403::start().await;
    let (port, number) = (meter.port.clone(), meter.number());
    let line = bench.line(settings("house", &port), Begin::AtOnce);
    bench.poll().await;
    meter.end().await;
    bench.jump(SignedDuration::from_mins(30)).await;
    let lost = bench.poll().await;
    assert!(
        matches!(lost.verdict, Verdict::PortLost | Verdict::PortUnreachable),
        "{lost:?}"
    );
    let state = bench
        .state("it waits", |state| state.next_at == at("13:59:50"))
        .await;
    let trouble = state.trouble.as_ref().expect("what is with the port");
    assert!(!trouble.help.is_empty());

    // Another meter is there when it comes back.
    let _other = Meter403::with(40_300_002, number).await;
    bench.jump(SignedDuration::from_mins(60)).await;
    let poll = bench.poll().await;
    assert_eq!(
        (poll.verdict, poll.serial.as_str()),
        (Verdict::Ok, "40300002")
    );
    let state = bench
        .state("it waits", |state| state.next_at == at("14:59:50"))
        .await;
    assert!(
        state.readings.values().all(|(_, at)| *at == poll.at),
        "nothing of the other one is left"
    );
    line.stop().await;
}

#[tokio::test]
async fn the_values_of_a_meter_that_is_not_expected_are_nobodys() {
    let mut bench = Bench::new().await;
    let meter = Meter403::start().await;
    let expecting = MeterSettings {
        serial: Some("12345678".to_owned()),
        ..settings("house", &meter.port)
    };
    let line = bench.line(expecting, Begin::AtOnce);
    let state = bench
        .state("it is refused", |state| state.verdict.is_some())
        .await;
    assert_eq!(state.verdict, Some(Verdict::UnexpectedAnswer));
    let trouble = state.trouble.clone().unwrap();
    assert!(trouble.message.contains("40300001") && trouble.message.contains("12345678"));
    assert!(state.readings.is_empty() && state.meter.is_none());
    assert!(bench.history.meters().await.unwrap().is_empty());
    line.stop().await;
}

#[tokio::test]
async fn meters_on_one_port_take_turns() {
    let mut bench = Bench::new().await;
    // It serves one reader at a time and turns others away.
    let meter = Meter403::start().await;
    let lines = ["one", "two"]
        .map(|slot| bench.line_of(settings(slot, &meter.port), Begin::NextTime, true));
    for slot in ["one", "two"] {
        while bench
            .hub
            .meter(slot)
            .is_none_or(|state| state.next_at.is_none())
        {
            time::sleep(Duration::from_millis(5)).await;
        }
    }
    // Orders for different registers are not shared.
    for register in [60, 68, 74, 80] {
        for slot in ["one", "two"] {
            let registers = Some(vec![RegisterId(register)]);
            let order = Order::Read {
                registers,
                answer: None,
            };
            assert!(bench.hub.order(slot, order).await);
        }
    }
    let mut turns = Vec::new();
    for _ in 0..8 {
        let (slot, verdict) = bench
            .event("everybody has turns", |event| match event {
                Event::Poll { slot, poll } => Some((slot.clone(), poll.verdict)),
                _ => None,
            })
            .await;
        assert_eq!(
            verdict,
            Verdict::Ok,
            "{slot} found somebody else on the line"
        );
        turns.push(slot);
    }
    for pair in turns.windows(2) {
        assert_ne!(pair[0], pair[1], "{turns:?}");
    }
    for line in lines {
        line.stop().await;
    }
}

#[tokio::test]
async fn polls_pause_while_the_head_is_aligned() {
    let mut bench = Bench::new().await;
    let meter = Meter403::start().await;
    let line = bench.line(settings("house", &meter.port), Begin::AtOnce);
    bench.poll().await;
    assert!(bench.hub.order("house", Order::Align).await);
    let state = bench
        .state("it is aligned", |state| state.doing == Doing::Aligning)
        .await;
    assert_eq!(state.next_at, None);
    let attempt = bench
        .event("there is an attempt", |event| match event {
            Event::Align { attempt, .. } => Some(attempt.clone()),
            _ => None,
        })
        .await;
    assert_eq!((attempt.number, attempt.verdict), (1, Verdict::Ok));
    let refused = bench.read("house", None).await.unwrap_err();
    assert!(refused.message.contains("aligned"), "{refused:?}");
    assert!(bench.hub.order("house", Order::StopAligning).await);
    let why = bench
        .event("it is over", |event| match event {
            Event::AlignEnded { why, .. } => Some(*why),
            _ => None,
        })
        .await;
    assert_eq!(why, "asked");
    let state = bench
        .state("it waits", |state| state.next_at.is_some())
        .await;
    assert_eq!(
        (state.doing, state.next_at),
        (Doing::Waiting, at("12:59:50"))
    );
    bench.read("house", None).await.unwrap();
    line.stop().await;
}

#[tokio::test]
async fn what_went_over_the_line_can_be_seen() {
    let mut bench = Bench::new().await;
    let meter = Meter403::start().await;
    let line = bench.line(settings("house", &meter.port), Begin::AtOnce);
    let poll = bench.poll().await;
    let exchanges = bench.hub.exchanges("house");
    let [exchange] = exchanges.as_slice() else {
        panic!("{exchanges:?}");
    };
    assert_eq!((exchange.at, exchange.verdict), (poll.at, Verdict::Ok));
    let bytes = |wanted| {
        let events = exchange.events.iter().filter_map(|(_, event)| match event {
            OnTheLine::Bytes(direction, bytes) if *direction == wanted => Some(bytes.len()),
            _ => None,
        });
        u64::try_from(events.sum::<usize>()).unwrap()
    };
    assert_eq!(bytes(Direction::Out), poll.line.bytes_sent);
    assert_eq!(bytes(Direction::In), poll.line.bytes_received);
    line.stop().await;
}

#[tokio::test]
async fn a_line_stops_in_the_middle_of_a_poll() {
    let mut bench = Bench::new().await;
    // Nobody answers there, and the connection stands.
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let port = format!("socket://{}", listener.local_addr().unwrap());
    let patient = MeterSettings {
        timeout: Some(Duration::from_hours(1)),
        ..settings("house", &port)
    };
    let line = bench.line(patient, Begin::AtOnce);
    bench
        .state("it reads", |state| state.doing == Doing::Reading)
        .await;
    let (answer, outcome) = oneshot::channel();
    let order = Order::Read {
        registers: None,
        answer: Some(answer),
    };
    assert!(bench.hub.order("house", order).await);
    time::sleep(Duration::from_millis(50)).await;
    line.stop().await;
    let refused = outcome.await;
    assert!(!matches!(refused, Ok(Ok(_))), "{refused:?}");
}

#[tokio::test]
async fn a_history_that_is_gone_costs_no_value() {
    let mut bench = Bench::new().await;
    let meter = Meter403::start().await;
    let line = bench.line(settings("house", &meter.port), Begin::AtOnce);
    bench.poll().await;
    bench.history.clone().close().await.unwrap();
    let poll = bench.read("house", Some(vec![ENERGY])).await.unwrap();
    assert_eq!(poll.verdict, Verdict::Ok);
    line.stop().await;
}

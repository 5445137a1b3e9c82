//! A month of the gateway's life with everything that goes wrong on three lines: it goes on, it does not
//! grow, it tells no wrong value, and there is no hole in the history that nobody explains.
//!
//! Time is tokio's, moved by hand: in small steps while somebody reads, else to the next poll at once. So
//! the line's timeouts are what they always are, and a month is over in a minute. The ports, the history
//! and the HTTP of the destination are real.
//!
//! `HEATMETER_SOAK_DAYS` and `HEATMETER_SOAK_SEED` choose another length and other faults.

#[path = "support/posted.rs"]
mod posted;

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::str::FromStr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use heatmeter_catalog::reading::{Quality, Reading};
use heatmeter_gateway::clock::Clock;
use heatmeter_gateway::config::Config;
use heatmeter_gateway::hub::{Doing, Event, Hub};
use heatmeter_gateway::service::{Options, Service};
use heatmeter_history::{History, Poll};
use heatmeter_simulator as simulator;
use heatmeter_simulator::{Fault, FaultKind, Handle, Model, serve_pty, serve_tcp};
use jiff::{SignedDuration, Timestamp};
use kamstrup_kmp::Verdict;
use oorandom::Rand64;
use tokio::io::{AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{broadcast, oneshot};
use tokio::time;
use tokio_util::sync::CancellationToken;

const DAYS: u32 = 30;
const SEED: u128 = 20_261_126;

/// Time goes on by so much while somebody reads.
const STEP: Duration = Duration::from_millis(50);

/// In each step everybody who has something to do gets on with it this often.
const TURNS: u32 = 6;

/// What the meter still sends when nobody reads any more, it has sent by then: answers that are late,
/// that drip, and noise.
const LAST_BYTES: Duration = Duration::from_secs(90);
const STRIDE: Duration = Duration::from_secs(10);

/// So many steps are made before it is waited for what the history's thread has to do.
const STEPS: u32 = 8;

/// By then a poll has begun that is due.
const BEGUN: SignedDuration = SignedDuration::from_secs(5);

/// Every hour there is a new throw of the dice for each line. One in so many is a bad one.
const BAD_HOURS: u64 = 8;

/// How often each kind hits an exchange in a good hour, and how often one kind does in a bad one.
const GOOD: f64 = 0.004;
const BAD: f64 = 0.8;

/// The history's and the allocator's caches have filled by then.
const WARM: u32 = 10;

/// A line with a simulated meter at its end.
struct Line {
    slot: &'static str,
    serial: u32,
    handle: Handle,
    /// How many exchanges the meter had before the poll that comes next.
    exchanges: u64,
    polls: Vec<(Timestamp, Verdict)>,
}

#[tokio::test(start_paused = true)]
async fn a_month_of_faults() {
    let days = chosen("HEATMETER_SOAK_DAYS").unwrap_or(DAYS);
    let seed = chosen("HEATMETER_SOAK_SEED").unwrap_or(SEED);
    eprintln!("HEATMETER_SOAK_DAYS={days} HEATMETER_SOAK_SEED={seed}");
    let mut dice = Rand64::new(seed);
    // While somebody waits outside of the runtime, its clock stands still: only we move it.
    let (_standing, stand) = oneshot::channel::<()>();
    let waiting = tokio::task::spawn_blocking(move || drop(stand.blocking_recv()));
    let errors = Said::listen();

    let folder = tempfile::tempdir().unwrap();
    let (mut lines, ports) = lines(folder.path(), seed).await;
    let hook = Hook::start(seed).await;
    let clock = Clock::fast(START.parse().unwrap(), 1.0);
    let start = clock.now();
    let mut options = Options::new(None);
    options.history = folder.path().join("history.db");
    options.clock = clock;
    let text = configuration(&ports, hook.address);
    let config = Config::parse(&text, "soak.toml", &|_| None).unwrap();
    let service = Service::prepare(config, options).await.unwrap();
    let hub = service.hub();
    let mut events = hub.events();
    let stop = CancellationToken::new();
    let running = tokio::spawn(service.run(stop.clone()));

    // At first they get to know each other.
    until_idle(&hub, &clock).await;
    take(&mut events, &mut lines);
    for line in &lines {
        assert_eq!(
            line.polls.last().map(|poll| poll.1),
            Some(Verdict::Ok),
            "{}",
            line.slot
        );
    }

    let end = start + SignedDuration::from_hours(24) * i32::try_from(days).unwrap();
    let mut memory = Vec::new();
    let mut moments = BTreeSet::new();
    while let Some(next) = next_poll(&hub).filter(|next| *next < end) {
        moments.insert(next);
        for line in &lines {
            line.handle.set_faults(faults(&mut dice));
        }
        let ahead = Duration::try_from(next.duration_since(clock.now())).unwrap();
        time::advance(ahead + Duration::from_millis(1)).await;
        until_idle(&hub, &clock).await;
        take(&mut events, &mut lines);
        assert!(!running.is_finished(), "the service goes on");
        for state in hub.meters().values() {
            assert!(!state.registers.is_empty(), "{} has registers", state.slot);
        }
        if moments.len() % 24 == 0 {
            memory.push(resident());
        }
    }

    hook.be_good();
    until_delivered(&hub).await;
    stop.cancel();
    while !running.is_finished() {
        work(STEP).await;
    }
    running.await.unwrap().unwrap();
    let said = errors.all();
    assert_eq!(said, "", "nothing was restarted, and nothing was lost");

    report(&lines, &memory);
    for line in &lines {
        no_hole(line, &moments);
    }
    let history_file = folder.path().join("history.db");
    everything_is_kept_and_delivered(&history_file, &lines, &hook).await;
    flat(&memory);
    drop(waiting);
}

const START: &str = "2026-01-12T07:00:00Z";

fn chosen<T: FromStr>(name: &str) -> Option<T> {
    std::env::var(name).ok()?.parse().ok()
}

/// Three meters: two behind bridges, one behind a serial port, of which one falls asleep.
async fn lines(folder: &Path, seed: u128) -> (Vec<Line>, Vec<String>) {
    let seed = u64::try_from(seed & u128::from(u64::MAX)).unwrap();
    let loopback = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let meter = |model, serial| {
        simulator::Config::new(model)
            .seed(seed + u64::from(serial))
            .serial(serial)
            .journal_length(1024)
    };
    let sleeper = meter(Model::M603, 60_300_002)
        .sleep_after(Duration::from_hours(20))
        .wake_after(Duration::from_hours(3));
    let link = folder.join("ttyMeter");
    let servers = [
        (
            "house",
            40_300_001,
            serve_tcp(meter(Model::M403, 40_300_001), loopback).await,
        ),
        ("flat", 60_300_002, serve_tcp(sleeper, loopback).await),
        (
            "shed",
            40_200_003,
            serve_pty(meter(Model::M402, 40_200_003).echo(true), Some(&link)),
        ),
    ];
    let mut lines = Vec::new();
    let mut ports = Vec::new();
    for (slot, serial, server) in servers {
        let server = server.unwrap();
        ports.push(server.listening().to_owned());
        lines.push(Line {
            slot,
            serial,
            handle: server.handle(),
            exchanges: 0,
            polls: Vec::new(),
        });
        tokio::spawn(server.run(std::future::pending()));
    }
    (lines, ports)
}

fn configuration(ports: &[String], hook: SocketAddr) -> String {
    format!(
        "time_zone = \"UTC\"\n[web]\nlisten = \"127.0.0.1:0\"\n\
         [[meter]]\nname = \"House\"\nport = \"{}\"\n\
         [[meter]]\nname = \"Flat\"\nport = \"{}\"\n\
         [[meter]]\nname = \"Shed\"\nport = \"{}\"\n\
         [[webhook]]\nurl = \"http://{hook}/\"\n",
        ports[0], ports[1], ports[2]
    )
}

/// All kinds, but values that are wrong under a right checksum: no reader can tell every one of those,
/// and what the gate makes of them is tested where the gate is.
fn faults(dice: &mut Rand64) -> Vec<Fault> {
    let kinds: Vec<_> = FaultKind::ALL
        .into_iter()
        .filter(|kind| *kind != FaultKind::CrcForged)
        .collect();
    let worst = if dice.rand_range(0..BAD_HOURS) == 0 {
        let count = u64::try_from(kinds.len()).unwrap();
        usize::try_from(dice.rand_range(0..count)).ok()
    } else {
        None
    };
    let rates = kinds.iter().enumerate().map(|(index, kind)| {
        let rate = if Some(index) == worst { BAD } else { GOOD };
        Fault::new(*kind, rate).unwrap()
    });
    rates.collect()
}

/// Lets everybody work, and time go on.
async fn work(step: Duration) {
    // Outside of the runtime's time, so that other threads have worked, too.
    let glance = tokio::task::spawn_blocking(|| std::thread::sleep(Duration::from_micros(200)));
    glance.await.unwrap();
    time::advance(step).await;
}

/// The same, of what needs no other thread: sockets and timers.
async fn work_here(step: Duration) {
    for _ in 0..TURNS {
        tokio::task::yield_now().await;
    }
    time::advance(step).await;
}

/// Until every line waits for a poll that is yet to come.
async fn until_idle(hub: &Hub, clock: &Clock) {
    for step in 1.. {
        if step % STEPS == 0 {
            work(STEP).await;
        } else {
            work_here(STEP).await;
        }
        let meters = hub.meters();
        let now = clock.now();
        let waits = meters.values().all(|state| {
            state.doing == Doing::Waiting && state.next_at.is_some_and(|next| next > now)
        });
        if waits && !meters.is_empty() {
            break;
        }
    }
    for _ in 0..LAST_BYTES.as_secs() / STRIDE.as_secs() {
        work(STRIDE).await;
    }
}

async fn until_delivered(hub: &Hub) {
    // The supplier may be in its longest pause.
    for _ in 0..100_000 {
        work(STEP).await;
        let supplies = hub.supplies();
        if supplies
            .iter()
            .all(|supply| supply.progress.borrow().pending == 0)
        {
            return;
        }
    }
    panic!("not everything is delivered: {:?}", hub.supplies());
}

fn next_poll(hub: &Hub) -> Option<Timestamp> {
    hub.meters()
        .values()
        .filter_map(|state| state.next_at)
        .min()
}

/// Takes what was polled, and holds it against what the meters meant.
fn take(events: &mut broadcast::Receiver<Event>, lines: &mut [Line]) {
    loop {
        match events.try_recv() {
            Ok(Event::Poll { slot, poll }) => {
                let line = lines.iter_mut().find(|line| line.slot == slot).unwrap();
                line.take(&poll);
            }
            Ok(_) => {}
            Err(broadcast::error::TryRecvError::Empty) => return,
            Err(error) => panic!("{error}"),
        }
    }
}

impl Line {
    fn take(&mut self, poll: &Poll) {
        let journal = self.handle.journal();
        let serial = self.serial.to_string();
        assert_eq!(poll.serial, serial, "a meter is never taken for another");
        let meant: Vec<Reading> = journal
            .kept()
            .filter(|exchange| exchange.number >= self.exchanges)
            .flat_map(|exchange| &exchange.truth)
            .map(Reading::of)
            .collect();
        for reading in poll
            .readings
            .iter()
            .filter(|it| it.quality == Quality::Good)
        {
            let is_it = |truth: &Reading| {
                truth.register == reading.register
                    && truth.value == reading.value
                    && truth.unit == reading.unit
            };
            if !meant.iter().any(is_it) {
                for exchange in journal.kept() {
                    let matching = exchange
                        .truth
                        .iter()
                        .map(Reading::of)
                        .any(|truth| is_it(&truth));
                    let faults: Vec<_> = exchange.faults.iter().collect();
                    if exchange.number >= self.exchanges || matching {
                        eprintln!(
                            "{} {:?} {:?} {faults:?} {matching}",
                            exchange.number, exchange.at, exchange.request
                        );
                    }
                }
                panic!(
                    "{} at {}: {reading:?} is not what the meter meant",
                    self.slot, poll.at
                );
            }
        }
        self.exchanges = journal.exchanges();
        self.polls.push((poll.at, poll.verdict));
    }
}

/// Each moment of the schedule has one poll, with a reading or a verdict.
fn no_hole(line: &Line, moments: &BTreeSet<Timestamp>) {
    // The first was before the schedule.
    let polls = &line.polls[1..];
    assert_eq!(polls.len(), moments.len(), "{}", line.slot);
    for (moment, (at, verdict)) in moments.iter().zip(polls) {
        let after = at.duration_since(*moment);
        assert!(
            after >= SignedDuration::ZERO && after < BEGUN,
            "{}: the poll of {moment} is at {at}, {}",
            line.slot,
            verdict.code()
        );
    }
}

async fn everything_is_kept_and_delivered(file: &Path, lines: &[Line], hook: &Hook) {
    let (history, _) = History::open(file, heatmeter_history::Settings::default())
        .await
        .unwrap();
    for line in lines {
        let serial = line.serial.to_string();
        let kept = history
            .polls(&serial, Timestamp::MIN, Timestamp::MAX, 1 << 20)
            .await
            .unwrap();
        let polls: Vec<_> = kept
            .iter()
            .map(|stored| (stored.poll.at, stored.poll.verdict))
            .collect();
        assert_eq!(polls, line.polls, "{}", line.slot);
        let delivered = hook
            .ids
            .lock()
            .unwrap()
            .get(&serial)
            .cloned()
            .unwrap_or_default();
        let expected: Vec<_> = kept.iter().map(|stored| stored.poll.id()).collect();
        assert_eq!(delivered, expected, "{}", line.slot);
    }
    history.close().await.unwrap();
}

fn report(lines: &[Line], memory: &[u64]) {
    for line in lines {
        let mut verdicts: BTreeMap<&str, u32> = BTreeMap::new();
        for (_, verdict) in &line.polls {
            *verdicts.entry(verdict.code()).or_default() += 1;
        }
        let journal = line.handle.journal();
        eprintln!(
            "{}: {} polls {verdicts:?}; {} exchanges, {} spoiled, {} unheard",
            line.slot,
            line.polls.len(),
            journal.exchanges(),
            journal.spoiled(),
            journal.unheard()
        );
        for kind in FaultKind::ALL {
            eprint!("{kind} {}, ", journal.spoiled_by(kind));
        }
        eprintln!();
    }
    eprintln!("kB of memory at the end of each day: {memory:?}");
}

/// The last days take as much memory as those after the beginning.
fn flat(memory: &[u64]) {
    let warm = usize::try_from(WARM).unwrap();
    let Some(warmed) = memory.get(warm..).filter(|rest| rest.len() >= 4) else {
        return;
    };
    let mean = |days: &[u64]| days.iter().sum::<u64>() / u64::try_from(days.len()).unwrap();
    let part = warmed.len() / 4;
    let (early, late) = (mean(&warmed[..part]), mean(&warmed[warmed.len() - part..]));
    assert!(late * 10 <= early * 11, "it grew from {early} to {late} kB");
}

/// What this process has in memory, in kB.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.unwrap().trim_end_matches("kB").trim().parse().unwrap()
}

/// Takes polls that are posted to it, if it is in the mood.
struct Hook {
    address: SocketAddr,
    /// What came, by serial number: each poll once, whatever was repeated.
    ids: Arc<Mutex<BTreeMap<String, Vec<String>>>>,
    moody: Arc<Mutex<Option<Rand64>>>,
}

impl Hook {
    async fn start(seed: u128) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let hook = Self {
            address: listener.local_addr().unwrap(),
            ids: Arc::default(),
            moody: Arc::new(Mutex::new(Some(Rand64::new(seed)))),
        };
        let (ids, moody) = (Arc::clone(&hook.ids), Arc::clone(&hook.moody));
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                tokio::spawn(answer(stream, Arc::clone(&ids), Arc::clone(&moody)));
            }
        });
        hook
    }

    fn be_good(&self) {
        *self.moody.lock().unwrap() = None;
    }
}

async fn answer(
    stream: TcpStream,
    ids: Arc<Mutex<BTreeMap<String, Vec<String>>>>,
    moody: Arc<Mutex<Option<Rand64>>>,
) -> Option<()> {
    let mut stream = BufReader::new(stream);
    loop {
        let body = posted::body(&mut stream).await?;
        let mood = moody
            .lock()
            .unwrap()
            .as_mut()
            .map_or(9, |dice| dice.rand_range(0..10));
        match mood {
            // Gone in the middle.
            0 => return None,
            1 => {
                let refusal = b"HTTP/1.1 503 \r\ncontent-length: 0\r\n\r\n";
                stream.get_mut().write_all(refusal).await.ok()?;
                continue;
            }
            _ => {}
        }
        let poll: serde_json::Value = serde_json::from_slice(&body).unwrap();
        let id = poll["id"].as_str().unwrap().to_owned();
        let (serial, _) = id.split_once('-').unwrap();
        {
            let mut ids = ids.lock().unwrap();
            let of_meter = ids.entry(serial.to_owned()).or_default();
            if !of_meter.contains(&id) {
                of_meter.push(id);
            }
        }
        if mood == 2 {
            // Taken, and the answer is lost.
            return None;
        }
        let thanks = b"HTTP/1.1 204 \r\n\r\n";
        stream.get_mut().write_all(thanks).await.ok()?;
    }
}

/// What is logged as an error.
#[derive(Clone, Default)]
struct Said(Arc<Mutex<Vec<u8>>>);

impl Said {
    fn listen() -> Self {
        let said = Self::default();
        let writer = said.clone();
        tracing_subscriber::fmt()
            .with_max_level(tracing_subscriber::filter::LevelFilter::ERROR)
            .with_ansi(false)
            .with_writer(move || writer.clone())
            .init();
        said
    }

    fn all(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().unwrap()).into_owned()
    }
}

impl Write for Said {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

//! kill -9 of the whole gateway at 200 random moments, while several meters are read as fast as they
//! answer and everything goes on to a webhook.
//!
//! Acknowledged is what the API has answered or the webhook has taken: it is in the history afterwards,
//! once, and as it was told.

#[path = "../crates/cli/tests/support/mod.rs"]
mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::hash::{BuildHasher, RandomState};
use std::io::{BufReader, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::thread::{self, sleep};
use std::time::{Duration, Instant};

use heatmeter_history::{Archive, Format, HistoryError, Selection};
use jiff::Timestamp;
use rustix::process::Signal;
use serde_json::Value;
use support::hook::message;
use support::{Hook, LIMIT, Running, Simulated};
use tempfile::TempDir;

const KILLS: u32 = 200;

/// So many gateways are killed side by side, each with meters and a history of its own.
const GATEWAYS: u32 = 4;

const METERS: [&str; 3] = ["40300001", "40300002", "40300003"];

/// A gateway that listens is killed within this time.
const WITHIN: u64 = 400_000;

/// One that has just been started, within this.
const BEFORE_IT_LISTENS: u64 = 60_000;

/// Polls by their ids.
type Polls = BTreeMap<String, Value>;

/// Numbers from a seed.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit
    }

    fn microseconds_below(&mut self, limit: u64) -> Duration {
        Duration::from_micros(self.below(limit))
    }
}

#[test]
fn nothing_acknowledged_is_lost_or_doubled_however_often_it_is_killed() {
    let seed = RandomState::new().hash_one("moments") | 1;
    eprintln!("seed {seed}");
    let began = Instant::now();
    let acknowledged: usize = thread::scope(|scope| {
        let houses: Vec<_> = (0..GATEWAYS)
            .map(|n| scope.spawn(move || House::new(seed ^ (u64::from(n) << 32)).suffer()))
            .collect();
        let of_each = houses.into_iter().map(|house| house.join().unwrap());
        of_each.sum()
    });
    eprintln!(
        "{KILLS} kills, {acknowledged} acknowledged polls, {:?}",
        began.elapsed()
    );
    assert!(
        acknowledged > KILLS as usize,
        "{acknowledged} polls in all are no writing"
    );
}

/// A gateway to be killed, and everything around it, which lives on.
struct House {
    random: Random,
    folder: TempDir,
    port: u16,
    hook: Hook,
    /// What was found in the history after each kill.
    kept: Polls,
    /// How many polls the webhook had taken at the last kill.
    taken: usize,
    _meters: Vec<Simulated>,
}

impl House {
    fn new(seed: u64) -> Self {
        let meter = |serial| Simulated::tcp(&["--speed", "60", "--serial", serial]);
        let meters = METERS.map(meter);
        let house = Self {
            random: Random(seed),
            folder: tempfile::tempdir().unwrap(),
            port: heatmeter_servers::free_port(),
            hook: Hook::start(),
            kept: Polls::new(),
            taken: 0,
            _meters: Vec::new(),
        };
        let mut configuration = format!(
            "[web]\nlisten = \"127.0.0.1:{}\"\n\
             [[webhook]]\nname = \"hook\"\nurl = \"{}\"\n",
            house.port,
            house.hook.url()
        );
        for (serial, meter) in METERS.iter().zip(&meters) {
            let port = meter.port();
            write!(
                configuration,
                "[[meter]]\nname = \"m{serial}\"\nport = \"{port}\"\n"
            )
            .unwrap();
        }
        fs::write(house.folder.path().join("heatmeter.toml"), configuration).unwrap();
        Self {
            _meters: meters.into(),
            ..house
        }
    }

    /// Kills its gateway again and again, then lets one live; tells how many polls were acknowledged.
    fn suffer(mut self) -> usize {
        let mut acknowledged = 0;
        for _ in 0..KILLS / GATEWAYS {
            let began = Timestamp::now();
            let told = self.one_life();
            acknowledged += told.iter().map(|told| told.polls.len()).sum::<usize>();
            self.check(began, &told);
        }
        self.last_life();
        acknowledged
    }

    /// Starts the gateway, has it read, and kills it; gives what it told of each meter until then.
    fn one_life(&mut self) -> Vec<Told> {
        let mut gateway = self.start();
        if self.random.below(8) == 0 {
            sleep(self.random.microseconds_below(BEFORE_IT_LISTENS));
            end(&mut gateway, Signal::KILL);
            return Vec::new();
        }
        gateway.json();
        let moment = self.random.microseconds_below(WITHIN);
        thread::scope(|scope| {
            let port = self.port;
            let askers: Vec<_> = METERS
                .iter()
                .map(|serial| scope.spawn(move || Told::of(port, serial)))
                .collect();
            sleep(moment);
            end(&mut gateway, Signal::KILL);
            askers.into_iter().map(|it| it.join().unwrap()).collect()
        })
    }

    /// Compares what was told since then with what is there, and looks at the file.
    fn check(&mut self, since: Timestamp, told: &[Told]) {
        let taken = self.hook.taken();
        let archive = match Archive::open(&self.history()) {
            // Killed before its history had a layout; the next start makes it.
            Err(HistoryError::Unreadable { .. } | HistoryError::Foreign { .. })
                if self.kept.is_empty() =>
            {
                assert!(told.iter().all(|told| told.polls.is_empty()));
                assert!(taken.is_empty());
                return;
            }
            opened => opened.unwrap(),
        };
        archive.check().unwrap();
        let found = exported(&archive, since);
        for told in told {
            for poll in &told.polls {
                assert_eq!(found.get(id(poll)), Some(poll), "the API told it");
            }
            let polls = found.values().filter(|poll| is_of(poll, told.serial));
            // One that nobody asked for comes with every start, and one with every hour.
            assert!(
                polls.count() <= told.asked + 2,
                "more polls of {} than were asked for",
                told.serial
            );
        }
        self.kept.extend(found);
        for poll in &taken[self.taken..] {
            assert_eq!(self.kept.get(id(poll)), Some(poll), "the webhook took it");
        }
        self.taken = taken.len();
    }

    /// Starts it once more and waits until everything is delivered; then looks at all of it.
    fn last_life(&mut self) {
        let mut gateway = self.start();
        gateway.json();
        let began = Instant::now();
        loop {
            let taken = self.hook.taken();
            let taken: BTreeSet<_> = taken.iter().map(id).collect();
            if self.kept.keys().all(|id| taken.contains(id.as_str())) {
                break;
            }
            assert!(
                began.elapsed() < LIMIT,
                "not everything is delivered; the gateway says:\n{}",
                gateway.errors()
            );
            sleep(Duration::from_millis(50));
        }
        end(&mut gateway, Signal::TERM);

        let archive = Archive::open(&self.history()).unwrap();
        archive.check().unwrap();
        let all = exported(&archive, Timestamp::MIN);
        for (id, poll) in &self.kept {
            assert_eq!(all.get(id), Some(poll), "it was there after a kill");
        }
        // What a kill kept the gateway from noting is delivered again at once; nothing else is, and
        // nothing is left out.
        let mut order: Vec<Value> = self.hook.taken();
        let taken = order.len();
        order.dedup();
        let again = taken - order.len();
        assert!(again <= (KILLS / GATEWAYS) as usize, "{again} came again");
        for serial in METERS {
            let delivered: Vec<_> = order.iter().filter(|poll| is_of(poll, serial)).collect();
            let all = all.values().filter(|poll| is_of(poll, serial));
            let expected: Vec<_> = all.take(delivered.len()).collect();
            assert_eq!(delivered, expected, "in order");
        }
        eprintln!("{taken} polls delivered, {again} of them again");
    }

    fn start(&self) -> Running {
        let file = self.folder.path().join("heatmeter.toml");
        Running::start(&["run", "--json", "--config", file.to_str().unwrap()])
    }

    fn history(&self) -> PathBuf {
        self.folder.path().join("history.db")
    }
}

/// What the API told of one meter.
struct Told {
    serial: &'static str,
    asked: usize,
    polls: Vec<Value>,
}

impl Told {
    /// Asks for one reading after the other until the gateway is dead.
    fn of(port: u16, serial: &'static str) -> Self {
        let mut told = Self {
            serial,
            asked: 0,
            polls: Vec::new(),
        };
        let Ok(stream) = TcpStream::connect(("127.0.0.1", port)) else {
            return told;
        };
        let mut reader = BufReader::new(&stream);
        // One after the other: polls of the same registers would share one.
        for register in ["power", "heat_energy"].iter().cycle() {
            let body = format!("{{\"registers\":[\"{register}\"]}}");
            let request = format!(
                "POST /api/meters/m{serial}/read HTTP/1.1\r\nHost: 127.0.0.1\r\n\
                 Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
                body.len()
            );
            told.asked += 1;
            if (&stream).write_all(request.as_bytes()).is_err() {
                break;
            }
            let Some((status, body)) = message(&mut reader) else {
                break;
            };
            if status.contains(" 200 ") {
                told.polls.push(serde_json::from_slice(&body).unwrap());
            }
        }
        told
    }
}

fn end(gateway: &mut Running, signal: Signal) {
    gateway.signal(signal);
    let code = gateway.end();
    let errors = gateway.errors();
    assert_eq!(code, (signal == Signal::TERM).then_some(0), "{errors}");
    for word in ["damaged", "panicked", "ended badly"] {
        assert!(!errors.contains(word), "{errors}");
    }
}

/// Everything in the history from this moment on.
fn exported(archive: &Archive, from: Timestamp) -> Polls {
    let selection = Selection {
        from,
        ..Selection::default()
    };
    let mut lines = Vec::new();
    let count = archive
        .export(&selection, Format::Jsonl, &mut lines)
        .unwrap();
    let polls: Polls = serde_json::Deserializer::from_slice(&lines)
        .into_iter::<Value>()
        .map(|poll| poll.unwrap())
        .map(|poll| (id(&poll).to_owned(), poll))
        .collect();
    assert_eq!(polls.len() as u64, count, "each once");
    polls
}

fn id(poll: &Value) -> &str {
    poll["id"].as_str().unwrap()
}

fn is_of(poll: &Value, serial: &str) -> bool {
    poll["meter"]["serial"] == serial
}

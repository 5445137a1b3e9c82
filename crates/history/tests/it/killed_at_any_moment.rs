//! Kill -9 at 200 random moments under writes.
//!
//! The process that is killed is this test program again, with nothing to do but
//! [`the_writer_that_is_killed`].

use std::collections::BTreeMap;
use std::hash::{BuildHasher, RandomState};
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use heatmeter_history::{History, Opened, Poll, PollId};
use jiff::{SignedDuration, Timestamp};
use kamstrup_kmp::{Decimal, Unit};

use crate::bench_meter::{ENERGY, POWER, Place, at, number, poll, settings};

const KILLS: u32 = 200;
const SERIALS: [&str; 3] = ["1", "2", "3"];
/// Tells the writer which file.
const FILE: &str = "HEATMETER_TEST_WRITES_TO";

fn nth(serial: &str, n: i64) -> Poll {
    let time = at("2026-01-01T00:00:00Z") + SignedDuration::from_mins(n);
    let counter = Decimal::new(i128::from(n), -3).to_string();
    let readings = vec![
        number(ENERGY, Unit::KWH, &counter),
        number(POWER, Unit::KW, "1.5"),
    ];
    poll(serial, time, readings)
}

/// The number of a meter's newest poll.
async fn newest(history: &History, serial: &str) -> i64 {
    let newest = history.newest(serial).await.unwrap();
    newest.map_or(-1, |stored| {
        let since = stored.poll.at.duration_since(at("2026-01-01T00:00:00Z"));
        since.as_mins()
    })
}

/// Writes for as long as it lives, and prints what is acknowledged. Does nothing unless it is told
/// where.
#[test]
fn the_writer_that_is_killed() {
    let Some(path) = std::env::var_os(FILE) else {
        return;
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let (history, opened) = History::open(Path::new(&path), settings()).await.unwrap();
        assert!(!matches!(opened, Opened::Salvaged { .. }), "{opened:?}");
        let mut writers = tokio::task::JoinSet::new();
        for serial in SERIALS {
            let history = history.clone();
            writers.spawn(async move {
                let mut n = newest(&history, serial).await + 1;
                loop {
                    let id = history.record(nth(serial, n)).await.unwrap();
                    say(&format!("kept {serial} {n}"));
                    if n % 5 == 0 {
                        history.acknowledge("place", id).await.unwrap();
                        say(&format!("delivered 0 {}", id.0));
                    }
                    n += 1;
                }
            });
        }
        writers.join_all().await;
    });
}

fn say(line: &str) {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}").unwrap();
    out.flush().unwrap();
}

fn writer(path: &Path) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "--nocapture", "--test-threads=1"])
        .arg("killed_at_any_moment::the_writer_that_is_killed")
        .env(FILE, path)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

/// Numbers from a seed.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit
    }
}

#[test]
fn nothing_acknowledged_is_lost_and_nothing_doubled() {
    let seed = RandomState::new().hash_one("moments") | 1;
    eprintln!("seed {seed}");
    let mut random = Random(seed);
    let place = Place::new();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let mut kept = BTreeMap::from(SERIALS.map(|serial| (serial.to_owned(), -1)));
    let mut checked = BTreeMap::new();
    let mut delivered = 0;
    for kill in 0..KILLS {
        let mut child = writer(&place.path);
        let out = BufReader::new(child.stdout.take().unwrap());
        let enough = random.below(25);
        let mut answers = 0;
        let mut is_killed = false;
        // What was printed before the kill is still in the pipe after it.
        for line in out.lines() {
            let line = line.unwrap();
            let words: Vec<_> = line.split(' ').collect();
            match words[..] {
                ["kept", serial, n] => {
                    kept.insert(serial.to_owned(), n.parse::<i64>().unwrap());
                    answers += 1;
                }
                ["delivered", _, id] => delivered = delivered.max(id.parse().unwrap()),
                _ => continue,
            }
            if answers >= enough && !is_killed {
                std::thread::sleep(Duration::from_micros(random.below(3000)));
                child.kill().unwrap();
                is_killed = true;
            }
        }
        child.wait().unwrap();
        assert!(is_killed, "kill {kill}: the writer ended by itself");
        if kill + 1 == KILLS {
            // Once more from the first one on.
            checked.clear();
        }
        runtime.block_on(check(&place, &kept, delivered, &mut checked));
    }
    assert!(kept.values().all(|n| *n > i64::from(KILLS)), "{kept:?}");
}

/// Checks the file, and of each meter's polls those that were not checked before.
async fn check(
    place: &Place,
    kept: &BTreeMap<String, i64>,
    delivered: i64,
    checked: &mut BTreeMap<String, i64>,
) {
    let connection = rusqlite::Connection::open(&place.path).unwrap();
    let integrity: String = connection
        .query_row("PRAGMA integrity_check", [], |row| row.get(0))
        .unwrap();
    assert_eq!(integrity, "ok");
    connection.close().unwrap();
    let (history, opened) = History::open(&place.path, settings()).await.unwrap();
    assert_eq!(opened, Opened::Whole);
    let mut count = 0;
    for (serial, kept) in kept {
        let first = checked.get(serial).copied().unwrap_or(0);
        let polls = history
            .polls(serial, nth(serial, first).at, Timestamp::MAX, usize::MAX)
            .await
            .unwrap();
        let last = newest(&history, serial).await;
        assert!(last >= *kept, "{kept} was acknowledged, {last} is there");
        assert_eq!(polls.len(), usize::try_from(last + 1 - first).unwrap());
        for (n, stored) in (first..).zip(&polls) {
            assert_eq!(stored.poll, nth(serial, n));
        }
        count += u64::try_from(last + 1).unwrap();
        checked.insert(serial.clone(), last.max(0));
        // What follows from polls is as new as they are.
        let latest = history.latest(serial).await.unwrap();
        if let Some(newest) = polls.last() {
            assert!(latest.iter().all(|latest| latest.at == newest.poll.at));
        }
    }
    assert_eq!(history.extent().await.unwrap().polls, count);
    let places = history.places().await.unwrap();
    let cursor = places.first().map_or(PollId(0), |(_, id)| *id);
    assert!(cursor >= PollId(delivered));
    history.close().await.unwrap();
}

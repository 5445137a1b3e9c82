//! How fast the history is, and how large: ten years of a poll a minute of eight registers.
//!
//! The file is made once, in some minutes, and takes a gigabyte and a half of the folder for temporary
//! files while this runs.

use std::path::Path;
use std::time::{Duration, Instant};

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use heatmeter_catalog::RegisterId;
use heatmeter_catalog::reading::{Content, Quality, Reading};
use heatmeter_history::{Bars, By, History, Line, Poll, Settings};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use kamstrup_kmp::{Decimal, Unit, Verdict};
use tokio::runtime::Runtime;

const YEARS: i64 = 10;
const MINUTES: i64 = YEARS * 365 * 24 * 60;
const REGISTERS: [(u16, Unit, bool); 8] = [
    (60, Unit::KWH, true),
    (68, Unit::CUBIC_METRE, true),
    (1004, Unit::HOUR, true),
    (80, Unit::KW, false),
    (86, Unit::CELSIUS, false),
    (87, Unit::CELSIUS, false),
    (89, Unit::KELVIN, false),
    (74, Unit::LITRE_PER_HOUR, false),
];

fn begin() -> Timestamp {
    "2016-01-01T00:00:00Z".parse().expect("a timestamp")
}

fn minute(serial: &str, n: i64) -> Poll {
    let readings = (0_i64..)
        .zip(REGISTERS)
        .map(|(k, (register, unit, counts))| {
            // A counter, or something that goes up and down by the hour and the day.
            let wave = (n / 60 * (k + 3)) % 41 + (n / 1440) % 29;
            let mantissa = if counts { n / 7 * (k + 1) } else { 200 + wave };
            Reading {
                register: RegisterId(register),
                value: Some(Content::Number(Decimal::new(i128::from(mantissa), -1))),
                unit: Some(unit),
                quality: Quality::Good,
                reason: None,
            }
        });
    Poll {
        serial: serial.to_owned(),
        at: begin() + SignedDuration::from_mins(n),
        verdict: Verdict::Ok,
        readings: readings.collect(),
        line: Line {
            requests: 1,
            retries: 0,
            bytes_sent: 25,
            bytes_received: 101,
            took: Duration::from_millis(1190),
        },
    }
}

async fn fill(path: &Path) -> History {
    let (history, _) = History::open(path, Settings::default())
        .await
        .expect("a new history");
    let started = Instant::now();
    for from in (0..MINUTES).step_by(20_000) {
        let polls = (from..MINUTES.min(from + 20_000)).map(|n| minute("84968362", n));
        history.record_all(polls.collect()).await.expect("room");
    }
    let seconds = started.elapsed().as_secs_f64();
    let extent = history.extent().await.expect("an extent");
    let polls = u32::try_from(MINUTES).unwrap_or(u32::MAX);
    let bytes = u32::try_from(extent.bytes / 1024).unwrap_or(u32::MAX);
    eprintln!(
        "{polls} polls of {} registers: {:.0} polls/s in one go, {:.1} bytes a reading, {} MiB",
        REGISTERS.len(),
        f64::from(polls) / seconds,
        f64::from(bytes) * 1024.0 / f64::from(polls) / 8.0,
        bytes / 1024
    );
    history
}

fn history(c: &mut Criterion) {
    let runtime = Runtime::new().expect("a runtime");
    let folder = tempfile::tempdir().expect("a folder");
    let history = runtime.block_on(fill(&folder.path().join("history.db")));
    let now = begin() + SignedDuration::from_mins(MINUTES);
    let day = SignedDuration::from_hours(24);
    let mut group = c.benchmark_group("history");
    group.sample_size(20);

    let chart = |span: SignedDuration| {
        let range = (now - span, now);
        let series = history.series("84968362", RegisterId(80), range, 1000);
        runtime.block_on(series).expect("a series")
    };
    for (name, days) in [
        ("day", 1),
        ("week", 7),
        ("month", 30),
        ("year", 365),
        ("ten_years", 3650),
    ] {
        group.bench_function(format!("chart_of_a_{name}_in_1000_points"), |b| {
            b.iter(|| chart(day * days));
        });
    }
    let amounts = |by, span| {
        let bars = Bars {
            register: RegisterId(60),
            by,
            from: now - span,
            to: now,
            time_zone: TimeZone::get("Europe/Copenhagen").expect("a time zone"),
            now,
        };
        runtime
            .block_on(history.amounts("84968362", bars))
            .expect("amounts")
    };
    group.bench_function("hours_of_a_month", |b| {
        b.iter(|| amounts(By::Hour, day * 30));
    });
    group.bench_function("days_of_a_year", |b| b.iter(|| amounts(By::Day, day * 365)));
    group.bench_function("months_of_ten_years", |b| {
        b.iter(|| amounts(By::Month, day * 3650));
    });
    let mut next = MINUTES;
    group.bench_function("record_a_poll", |b| {
        b.iter_batched(
            || {
                next += 1;
                minute("84968362", next)
            },
            |poll| runtime.block_on(history.record(poll)).expect("room"),
            BatchSize::PerIteration,
        );
    });
    group.finish();
    runtime.block_on(history.close()).expect("closed");
}

criterion_group!(benches, history);
criterion_main!(benches);

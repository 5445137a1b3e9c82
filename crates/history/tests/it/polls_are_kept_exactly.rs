use std::time::Duration;

use heatmeter_catalog::RegisterId;
use heatmeter_catalog::reading::{Content, Quality, Reading};
use heatmeter_history::{History, HistoryError, Line, Opened, Poll, Settings};
use jiff::Timestamp;
use kamstrup_kmp::{Decimal, Unit, Verdict};
use proptest::prelude::*;

use crate::bench_meter::{ENERGY, POWER, Place, at, energy, failed, meter, number, poll};

#[tokio::test]
async fn a_poll_is_there_after_a_restart_and_no_wal_is_left() {
    let place = Place::new();
    let (history, opened) = History::open(&place.path, Settings::default())
        .await
        .unwrap();
    assert_eq!(opened, Opened::Fresh);
    history.introduce(meter("84968362")).await.unwrap();
    let poll = energy("84968362", "2026-11-22T16:59:50Z", "1234.567");
    let id = history.record(poll.clone()).await.unwrap();
    assert_eq!(history.changes().borrow().newest, id);
    history
        .remember("84968362", "gate".to_owned())
        .await
        .unwrap();
    let clone = history.clone();
    history.close().await.unwrap();
    assert_eq!(place.files(), ["history.db", "history.db.lock"]);
    assert!(matches!(clone.meters().await, Err(HistoryError::Closed)));
    assert!(matches!(
        clone.record(poll.clone()).await,
        Err(HistoryError::Closed)
    ));

    let history = place.open().await;
    assert_eq!(*history.opened().borrow(), Opened::Whole);
    assert_eq!(history.meters().await.unwrap(), [meter("84968362")]);
    let newest = history.newest("84968362").await.unwrap().unwrap();
    assert_eq!((newest.id, newest.poll), (id, poll));
    assert_eq!(history.changes().borrow().newest, id);
    let memory = history.recall("84968362").await.unwrap();
    assert_eq!(memory.as_deref(), Some("gate"));
    assert_eq!(history.recall("1").await.unwrap(), None);
    assert_eq!(history.newest("1").await.unwrap(), None);
}

#[tokio::test]
async fn the_same_meter_and_millisecond_is_the_same_poll() {
    let place = Place::new();
    let history = place.open().await;
    let first = energy("1", "2026-11-22T16:59:50.001Z", "10");
    let id = history.record(first.clone()).await.unwrap();
    let again = energy("1", "2026-11-22T16:59:50.001999Z", "99");
    assert_eq!(history.record(again).await.unwrap(), id);
    let other = energy("2", "2026-11-22T16:59:50.001Z", "10");
    assert!(history.record(other).await.unwrap() > id);
    assert_eq!(history.newest("1").await.unwrap().unwrap().poll, first);
}

#[tokio::test]
async fn the_latest_reading_of_each_register_counts_however_old() {
    let place = Place::new();
    let history = place.open().await;
    let both = vec![
        number(ENERGY, Unit::KWH, "100.0"),
        number(POWER, Unit::KW, "3.2"),
    ];
    let early = at("2026-11-22T15:59:50Z");
    history.record(poll("1", early, both)).await.unwrap();
    history
        .record(energy("1", "2026-11-22T16:59:50Z", "103.5"))
        .await
        .unwrap();
    history
        .record(failed("1", "2026-11-22T17:59:50Z", Verdict::EchoOnly))
        .await
        .unwrap();
    let latest = history.latest("1").await.unwrap();
    let shown: Vec<_> = latest
        .iter()
        .map(|latest| (latest.reading.number().unwrap().to_string(), latest.at))
        .collect();
    assert_eq!(
        shown,
        [
            ("103.5".to_owned(), at("2026-11-22T16:59:50Z")),
            ("3.2".to_owned(), early)
        ]
    );
    let newest = history.newest("1").await.unwrap().unwrap();
    assert_eq!(newest.poll.verdict, Verdict::EchoOnly);
}

#[tokio::test]
async fn a_meter_that_tells_less_stays_who_it_was() {
    let place = Place::new();
    let history = place.open().await;
    history.introduce(meter("1")).await.unwrap();
    let mut newer = meter("1");
    newer.model = None;
    newer.software = Some("H1".to_owned());
    history.introduce(newer.clone()).await.unwrap();
    newer.model = meter("1").model;
    assert_eq!(history.meters().await.unwrap(), [newer]);
}

fn any_reading() -> impl Strategy<Value = Reading> {
    let number =
        (any::<i128>(), any::<bool>(), any::<i8>()).prop_map(|(mantissa, short, exponent)| {
            let mantissa = if short { mantissa % 1000 } else { mantissa };
            Content::Number(Decimal::new(mantissa, exponent))
        });
    let value = proptest::option::of(prop_oneof![number, ".{0,20}".prop_map(Content::Text)]);
    let quality = proptest::sample::select(Quality::ALL.to_vec());
    let unit = proptest::option::of(any::<u8>().prop_map(Unit));
    let reason = proptest::option::of(".{0,20}");
    (any::<u16>(), value, unit, quality, reason).prop_map(
        |(register, value, unit, quality, reason)| Reading {
            register: RegisterId(register),
            value,
            unit,
            quality,
            reason,
        },
    )
}

fn any_poll() -> impl Strategy<Value = Poll> {
    let line = (
        any::<u32>(),
        any::<u32>(),
        0..1_u64 << 62,
        0..1_u64 << 62,
        0..1_u64 << 50,
    );
    let readings = proptest::collection::vec(any_reading(), 0..12);
    let verdict = proptest::sample::select(Verdict::ALL.to_vec());
    let at = -5_000_000_000_000_i64..5_000_000_000_000;
    (at, verdict, readings, line).prop_map(|(at, verdict, mut readings, line)| {
        readings.sort_by_key(|reading| reading.register);
        readings.dedup_by_key(|reading| reading.register);
        Poll {
            serial: "1".to_owned(),
            at: Timestamp::from_millisecond(at).unwrap(),
            verdict,
            readings,
            line: Line {
                requests: line.0,
                retries: line.1,
                bytes_sent: line.2,
                bytes_received: line.3,
                took: Duration::from_micros(line.4),
            },
        }
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn whatever_was_read_comes_back_digit_by_digit(
        polls in proptest::collection::vec(any_poll(), 1..8),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let place = Place::new();
            let history = place.open().await;
            history.pending("all", true, 0).await.unwrap();
            history.record_all(polls.clone()).await.unwrap();
            let mut seen = std::collections::BTreeSet::new();
            let expected: Vec<_> = polls.iter().filter(|poll| seen.insert(poll.at)).collect();
            let back = history.pending("all", true, 100).await.unwrap();
            // Equal numbers may look different: what is printed must be the same, too.
            let texts: Vec<_> = back.iter().map(|stored| format!("{:?}", stored.poll)).collect();
            let expected: Vec<_> = expected.iter().map(|poll| format!("{poll:?}")).collect();
            assert_eq!(texts, expected);
            history.close().await.unwrap();
        });
    }
}

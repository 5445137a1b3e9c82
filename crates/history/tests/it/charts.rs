use std::time::Duration;

use heatmeter_history::{Gap, History, Keep, Poll, Series};
use jiff::{SignedDuration, Timestamp};
use kamstrup_kmp::{Decimal, Unit, Verdict};

use crate::bench_meter::{ENERGY, POWER, Place, at, energy, failed, number, poll};

/// A power for every so many minutes.
fn every(minutes: i64, from: &str, count: i64, power: impl Fn(i64) -> i64) -> Vec<Poll> {
    let begin = at(from);
    (0..count)
        .map(|n| {
            let value = Decimal::new(i128::from(power(n)), -1).to_string();
            let time = begin + SignedDuration::from_mins(n * minutes);
            poll("1", time, vec![number(POWER, Unit::KW, &value)])
        })
        .collect()
}

async fn chart(history: &History, from: &str, to: &str, points: usize) -> Series {
    history
        .series("1", POWER, (at(from), at(to)), points)
        .await
        .unwrap()
}

fn shown(series: &Series) -> Vec<(String, [String; 3])> {
    let row = |time: Timestamp| time.strftime("%d %H:%M").to_string();
    series
        .points
        .iter()
        .map(|point| {
            let numbers = [point.min, point.max, point.last].map(|n| n.to_string());
            (row(point.at), numbers)
        })
        .collect()
}

#[tokio::test]
async fn a_point_has_the_least_the_greatest_and_the_last_of_its_stretch() {
    let place = Place::new();
    let history = place.open().await;
    let polls = every(10, "2026-11-22T00:00:00Z", 12, |n| (n * 7) % 12);
    history.record_all(polls).await.unwrap();
    let series = chart(&history, "2026-11-22T00:00:00Z", "2026-11-22T02:00:00Z", 2).await;
    let text = |min: &str, max: &str, last: &str| [min, max, last].map(ToOwned::to_owned);
    assert_eq!(
        shown(&series),
        [
            ("22 00:50".to_owned(), text("0.0", "1.1", "1.1")),
            ("22 01:50".to_owned(), text("0.1", "1.0", "0.5")),
        ]
    );
    assert_eq!((series.unit, series.gaps), (Some(Unit::KW), vec![]));
}

#[tokio::test]
async fn roll_ups_and_readings_draw_the_same_picture() {
    let place = Place::new();
    let history = place.open().await;
    let polls = every(15, "2026-10-01T00:00:00Z", 4 * 24 * 40, |n| (n * n) % 97);
    history.record_all(polls.clone()).await.unwrap();
    let (from, to) = ("2026-10-01T00:00:00Z", "2026-11-10T00:00:00Z");
    for points in [40, 960] {
        let series = chart(&history, from, to, points).await;
        let chunk = polls.len() / points;
        let expected: Vec<_> = polls
            .chunks(chunk)
            .map(|polls| {
                let numbers = polls.iter().filter_map(|poll| poll.readings[0].number());
                let range = (numbers.clone().min(), numbers.max());
                let last = polls.last().unwrap();
                (last.at, range.0, range.1, last.readings[0].number())
            })
            .collect();
        let found: Vec<_> = series
            .points
            .iter()
            .map(|p| (p.at, Some(p.min), Some(p.max), Some(p.last)))
            .collect();
        assert_eq!(found, expected);
    }
}

#[tokio::test]
async fn a_missed_poll_is_a_gap_and_its_verdict_explains_it() {
    let place = Place::new();
    let history = place.open().await;
    let mut polls = every(60, "2026-11-22T00:59:50Z", 6, |n| n);
    polls.push(failed("1", "2026-11-22T06:59:50Z", Verdict::Silent));
    polls.push(failed("1", "2026-11-22T07:59:50Z", Verdict::EchoOnly));
    polls.push(failed("1", "2026-11-22T08:59:50Z", Verdict::EchoOnly));
    polls.extend(every(60, "2026-11-22T09:59:50Z", 3, |n| n));
    // The service was away.
    polls.extend(every(60, "2026-11-22T15:59:50Z", 3, |n| n));
    // Answered, without this register.
    polls.push(energy("1", "2026-11-22T18:59:50Z", "7"));
    polls.extend(every(60, "2026-11-22T19:59:50Z", 2, |n| n));
    history.record_all(polls).await.unwrap();
    let series = chart(
        &history,
        "2026-11-22T00:00:00Z",
        "2026-11-22T21:00:00Z",
        100,
    )
    .await;
    let gap = |from: &str, to: &str, verdict| Gap {
        from: at(&format!("2026-11-22T{from}:59:50Z")),
        to: at(&format!("2026-11-22T{to}:59:50Z")),
        verdict,
    };
    let expected = [
        gap("05", "09", Some(Verdict::EchoOnly)),
        gap("11", "15", None),
        gap("17", "19", None),
    ];
    assert_eq!(series.gaps, expected);
    assert_eq!(series.points.len(), 14);
    // A chart of hours has the same gaps.
    let series = chart(&history, "2026-11-22T00:00:00Z", "2026-11-22T21:00:00Z", 30).await;
    assert_eq!(series.gaps, expected);
}

#[tokio::test]
async fn a_schedule_that_was_changed_makes_no_gaps() {
    let place = Place::new();
    let history = place.open().await;
    let mut polls = every(60, "2026-11-20T00:59:50Z", 48, |n| n);
    polls.extend(every(5, "2026-11-22T00:59:50Z", 12 * 24, |n| n));
    polls.extend(every(60, "2026-11-23T01:59:50Z", 48, |n| n));
    history.record_all(polls).await.unwrap();
    for points in [50, 1000] {
        let (from, to) = ("2026-11-20T00:00:00Z", "2026-11-25T02:00:00Z");
        assert_eq!(chart(&history, from, to, points).await.gaps, []);
    }
}

#[tokio::test]
async fn a_gap_that_lasts_is_told_up_to_the_last_try() {
    let place = Place::new();
    let history = place.open().await;
    let mut polls = every(60, "2026-11-22T00:59:50Z", 6, |n| n);
    polls.push(failed("1", "2026-11-22T06:59:50Z", Verdict::Asleep));
    polls.push(failed("1", "2026-11-22T08:59:50Z", Verdict::Asleep));
    history.record_all(polls).await.unwrap();
    let series = chart(&history, "2026-11-22T00:00:00Z", "2026-11-23T00:00:00Z", 9).await;
    let gap = Gap {
        from: at("2026-11-22T05:59:50Z"),
        to: at("2026-11-22T08:59:50Z"),
        verdict: Some(Verdict::Asleep),
    };
    assert_eq!(series.gaps, [gap]);
    // A window within the gap shows nothing but it.
    let series = chart(&history, "2026-11-22T06:30:00Z", "2026-11-22T08:45:00Z", 9).await;
    assert_eq!(series.points, []);
    assert_eq!(series.gaps.len(), 1);
    assert_eq!(series.gaps[0].verdict, Some(Verdict::Asleep));
}

#[tokio::test]
async fn what_was_deleted_is_still_drawn_from_roll_ups() {
    let place = Place::new();
    let history = place.open().await;
    let polls = every(10, "2026-11-01T00:00:00Z", 6 * 24 * 20, |n| n % 100);
    history.record_all(polls).await.unwrap();
    history
        .record(failed("1", "2026-11-21T00:00:00Z", Verdict::Silent))
        .await
        .unwrap();
    let keep = Keep {
        readings: Duration::from_hours(24),
        undelivered: Duration::from_hours(24),
    };
    let deleted = history
        .prune(at("2026-11-21T00:00:00Z"), keep)
        .await
        .unwrap();
    assert_eq!(deleted, 6 * 24 * 19);
    assert_eq!(history.extent().await.unwrap().polls, 6 * 24 + 1);
    let series = chart(
        &history,
        "2026-11-19T20:00:00Z",
        "2026-11-20T04:00:00Z",
        1000,
    )
    .await;
    // Four hours of which there are roll-ups, four hours with a reading every ten minutes.
    assert_eq!(series.points.len(), 4 + 24);
    assert_eq!(series.gaps, []);
    let long = chart(&history, "2026-11-01T00:00:00Z", "2026-11-21T00:00:00Z", 20).await;
    assert_eq!(long.points.len(), 20);
}

#[tokio::test]
async fn only_numbers_that_count_are_drawn() {
    use heatmeter_catalog::reading::{Quality, Reading};
    let place = Place::new();
    let history = place.open().await;
    let mut polls = every(60, "2026-11-22T00:59:50Z", 3, |n| n);
    polls[1].readings = vec![Reading::without(POWER, Quality::Held)];
    history.record_all(polls).await.unwrap();
    let series = chart(&history, "2026-11-22T00:00:00Z", "2026-11-23T00:00:00Z", 9).await;
    assert_eq!(series.points.len(), 2);
    let nothing = history
        .series(
            "1",
            ENERGY,
            (at("2026-11-22T00:00:00Z"), at("2026-11-23T00:00:00Z")),
            9,
        )
        .await
        .unwrap();
    assert_eq!(nothing, Series::default());
}

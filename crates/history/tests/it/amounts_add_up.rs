use heatmeter_history::{Amounts, Bars, By, History, Poll};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use kamstrup_kmp::{Decimal, Unit, Verdict};
use proptest::prelude::*;

use crate::bench_meter::{ENERGY, Place, at, energy, failed, number, poll};

/// A counter that counts one kilowatt-hour an hour, read ten seconds before each hour.
fn hourly(from: &str, hours: i64) -> Vec<Poll> {
    let begin = at(from) - SignedDuration::from_secs(10);
    (0..=hours)
        .map(|hour| {
            let time = begin + SignedDuration::from_hours(hour);
            let counter = (1000 + hour).to_string();
            poll("1", time, vec![number(ENERGY, Unit::KWH, &counter)])
        })
        .collect()
}

async fn amounts(history: &History, by: By, from: &str, to: &str) -> Amounts {
    let bars = Bars {
        register: ENERGY,
        by,
        from: at(from),
        to: at(to),
        time_zone: TimeZone::get("Europe/Copenhagen").unwrap(),
        now: at("2027-12-01T00:00:00Z"),
    };
    history.amounts("1", bars).await.unwrap()
}

/// Each bar's amount, `-` where there is none, with a `~` where it is not complete.
fn shown(amounts: &Amounts) -> Vec<String> {
    amounts
        .bars
        .iter()
        .map(|bar| {
            let amount = bar
                .amount
                .map_or("-".to_owned(), |amount| amount.to_string());
            let mark = if bar.complete { "" } else { "~" };
            format!("{mark}{amount}")
        })
        .collect()
}

#[tokio::test]
async fn a_day_has_23_or_25_hours_when_the_clock_is_changed() {
    let place = Place::new();
    let history = place.open().await;
    let polls = hourly("2026-03-01T00:00:00Z", 24 * 245);
    history.record_all(polls).await.unwrap();
    let days = |from, to| amounts(&history, By::Day, from, to);
    let spring = days("2026-03-28T12:00:00Z", "2026-03-30T12:00:00Z").await;
    assert_eq!(shown(&spring), ["24", "23", "24"]);
    assert_eq!(spring.unit, Some(Unit::KWH));
    let autumn = days("2026-10-24T12:00:00Z", "2026-10-26T12:00:00Z").await;
    assert_eq!(shown(&autumn), ["24", "25", "24"]);
    assert_eq!(autumn.bars[1].from, at("2026-10-24T22:00:00Z"));
    let hours = amounts(
        &history,
        By::Hour,
        "2026-10-24T22:00:00Z",
        "2026-10-25T23:00:00Z",
    )
    .await;
    assert_eq!(shown(&hours), ["1"; 25]);
    let months = amounts(
        &history,
        By::Month,
        "2026-03-01T00:00:00Z",
        "2026-06-30T12:00:00Z",
    )
    .await;
    // March in Copenhagen begins an hour before the first reading.
    assert_eq!(shown(&months), ["742", "720", "744", "720"]);
}

#[tokio::test]
async fn a_missed_poll_leaves_a_bar_empty_and_the_next_one_carries_it() {
    let place = Place::new();
    let history = place.open().await;
    let mut polls = hourly("2026-11-22T00:00:00Z", 6);
    polls[3] = failed("1", "2026-11-22T02:59:50Z", Verdict::Silent);
    history.record_all(polls).await.unwrap();
    let hours = amounts(
        &history,
        By::Hour,
        "2026-11-22T00:00:00Z",
        "2026-11-22T06:00:00Z",
    )
    .await;
    assert_eq!(shown(&hours), ["1", "1", "~-", "~2", "1", "1"]);
}

#[tokio::test]
async fn a_bar_that_is_not_over_has_what_was_counted_so_far() {
    let place = Place::new();
    let history = place.open().await;
    history
        .record_all(hourly("2026-11-21T23:00:00Z", 15))
        .await
        .unwrap();
    let bars = Bars {
        register: ENERGY,
        by: By::Day,
        from: at("2026-11-21T12:00:00Z"),
        to: at("2026-11-22T14:10:00Z"),
        time_zone: TimeZone::get("Europe/Copenhagen").unwrap(),
        now: at("2026-11-22T14:10:00Z"),
    };
    // The history begins at midnight: of the day before nothing is known.
    let days = history.amounts("1", bars).await.unwrap();
    assert_eq!(shown(&days), ["~-", "~15"]);
}

#[tokio::test]
async fn a_counter_that_goes_back_counts_nothing_in_that_step() {
    let place = Place::new();
    let history = place.open().await;
    let counters = ["100", "101", "103", "0", "2", "3"];
    for (hour, counter) in (0..).zip(counters) {
        let time = format!("2026-11-22T0{hour}:00:00Z");
        history.record(energy("1", &time, counter)).await.unwrap();
    }
    let (from, to) = ("2026-11-22T00:00:00Z", "2026-11-22T05:00:00Z");
    let hours = amounts(&history, By::Hour, from, to).await;
    assert_eq!(shown(&hours), ["1", "2", "~0", "2", "1"]);
    let days = amounts(&history, By::Day, from, to).await;
    assert_eq!(shown(&days), ["~6"]);
}

#[tokio::test]
async fn a_counter_that_changes_its_unit_goes_on() {
    let place = Place::new();
    let history = place.open().await;
    history
        .record(energy("1", "2026-11-22T00:00:00Z", "1000"))
        .await
        .unwrap();
    for (time, counter) in [
        ("2026-11-22T01:00:00Z", "3.6036"),
        ("2026-11-22T02:00:00Z", "3.6072"),
    ] {
        let reading = number(ENERGY, Unit::GJ, counter);
        history
            .record(poll("1", at(time), vec![reading]))
            .await
            .unwrap();
    }
    let hours = amounts(
        &history,
        By::Hour,
        "2026-11-22T00:00:00Z",
        "2026-11-22T02:00:00Z",
    )
    .await;
    assert_eq!(hours.unit, Some(Unit::GJ));
    assert_eq!(shown(&hours), ["0.0036", "0.0036"]);
}

#[tokio::test]
async fn today_is_compared_with_the_same_time_of_last_year() {
    let place = Place::new();
    let history = place.open().await;
    history
        .record_all(hourly("2025-11-01T00:00:00Z", 24 * 400))
        .await
        .unwrap();
    let now = "2026-11-26T15:30:00+01:00[Europe/Copenhagen]"
        .parse()
        .unwrap();
    let found = history.comparison("1", ENERGY, now).await.unwrap();
    let shown = |amount: Option<Decimal>| amount.unwrap().to_string();
    assert_eq!(shown(found.today), "15");
    assert_eq!(shown(found.today_last_year), "15");
    assert_eq!(shown(found.month), (25 * 24 + 15).to_string());
    // The history begins an hour after that month began.
    assert_eq!(shown(found.month_last_year), (25 * 24 + 14).to_string());
    let early = "2025-11-26T15:30:00+01:00[Europe/Copenhagen]"
        .parse()
        .unwrap();
    let found = history.comparison("1", ENERGY, early).await.unwrap();
    assert_eq!(found.today_last_year, None);
    assert_eq!(found.month_last_year, None);
}

#[tokio::test]
async fn half_a_month_is_compared_with_nothing_and_said_to_be_half() {
    let place = Place::new();
    let history = place.open().await;
    history
        .record_all(hourly("2025-11-10T16:00:00Z", 24 * 400))
        .await
        .unwrap();
    let compared = async |now: &str| {
        let now = now.parse().unwrap();
        history.comparison("1", ENERGY, now).await.unwrap()
    };
    let shown = |amount: Option<Decimal>| amount.unwrap().to_string();
    // Whoever begins in the afternoon sees what has been counted, and since when.
    let first = compared("2025-11-10T20:30:00+01:00[Europe/Copenhagen]").await;
    assert_eq!(shown(first.today), "3");
    assert_eq!(shown(first.month), "3");
    assert_eq!(first.today_since, Some(at("2025-11-10T15:59:50Z")));
    assert_eq!(first.month_since, Some(at("2025-11-10T15:59:50Z")));
    let next = compared("2025-11-11T20:30:00+01:00[Europe/Copenhagen]").await;
    assert_eq!(shown(next.today), "20");
    assert_eq!(next.today_since, None);
    assert_eq!(next.month_since, Some(at("2025-11-10T15:59:50Z")));
    // A year later that month was not read from its beginning, and that day was.
    let later = compared("2026-11-26T20:30:00+01:00[Europe/Copenhagen]").await;
    assert_eq!(shown(later.today_last_year), "20");
    assert_eq!(later.month_last_year, None);
    assert_eq!(later.month_since, None);
}

#[tokio::test]
async fn a_time_that_was_not_read_last_year_is_compared_with_nothing() {
    let place = Place::new();
    let history = place.open().await;
    let mut polls = hourly("2025-10-01T00:00:00Z", 24 * 50);
    polls.extend(hourly("2026-10-01T00:00:00Z", 24 * 60));
    history.record_all(polls).await.unwrap();
    let now = "2026-11-26T20:30:00+01:00[Europe/Copenhagen]";
    let found = history.comparison("1", ENERGY, now.parse().unwrap()).await;
    let found = found.unwrap();
    assert!(found.today.is_some() && found.month.is_some());
    assert_eq!(found.today_last_year, None);
    assert_eq!(found.month_last_year, None);
}

#[tokio::test]
async fn a_time_zone_with_half_hours_is_exact_while_readings_are_kept() {
    let place = Place::new();
    let history = place.open().await;
    let begin = at("2026-11-20T00:00:00Z");
    let polls = (0..3 * 96).map(|quarter: i64| {
        let time: Timestamp = begin + SignedDuration::from_mins(quarter * 15);
        let counter = (quarter * quarter).to_string();
        poll("1", time, vec![number(ENERGY, Unit::KWH, &counter)])
    });
    history.record_all(polls.collect()).await.unwrap();
    let bars = Bars {
        register: ENERGY,
        by: By::Day,
        from: at("2026-11-21T12:00:00Z"),
        to: at("2026-11-21T12:00:01Z"),
        time_zone: TimeZone::get("Asia/Kolkata").unwrap(),
        now: at("2026-12-01T00:00:00Z"),
    };
    // From 18:30 to 18:30 UTC: quarters 74 and 170.
    let days = history.amounts("1", bars).await.unwrap();
    assert_eq!(shown(&days), [(170 * 170 - 74 * 74).to_string()]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Whatever polls there were: nothing is invented, nothing is lost.
    #[test]
    fn bars_add_up_to_what_was_counted(
        steps in proptest::collection::vec((1_i64..20_000, 0_i64..50), 1..80),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let place = Place::new();
            let history = place.open().await;
            let (mut time, mut counter) = (at("2026-03-01T00:00:00Z"), 0);
            let mut polls = Vec::new();
            for (seconds, counted) in steps {
                time += SignedDuration::from_secs(seconds);
                counter += counted;
                let reading = number(ENERGY, Unit::KWH, &counter.to_string());
                polls.push(poll("1", time, vec![reading]));
            }
            let value = |poll: &Poll| poll.readings[0].number().unwrap();
            let all = value(polls.last().unwrap()).checked_sub(value(&polls[0])).unwrap();
            history.record_all(polls).await.unwrap();
            let to = time + SignedDuration::from_hours(24 * 32);
            for by in [By::Hour, By::Day, By::Month, By::Year] {
                let found = amounts(&history, by, "2026-02-28T12:00:00Z", &to.to_string()).await;
                let sum = found.bars.iter().filter_map(|bar| bar.amount);
                let sum = sum.fold(Decimal::ZERO, |sum, amount| sum.checked_add(amount).unwrap());
                assert_eq!(sum, all, "{by:?}");
            }
        });
    }
}

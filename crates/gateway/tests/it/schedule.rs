//! Schedules follow the clock on the wall, also on the days on which it is set.

use heatmeter_gateway::schedule::Schedule;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, Zoned};
use proptest::prelude::*;

fn next(schedule: &str, after: &str) -> String {
    let schedule: Schedule = schedule.parse().unwrap();
    let after: Zoned = after.parse().unwrap();
    let next = schedule.next(&after);
    next.strftime("%Y-%m-%d %H:%M:%S %:z").to_string()
}

const COPENHAGEN: &str = "[Europe/Copenhagen]";

fn at(text: &str) -> String {
    format!("{text}{COPENHAGEN}")
}

#[test]
fn moments_are_those_of_the_wall_clock() {
    let noon = at("2026-01-12T12:07:30");
    for (schedule, expected) in [
        ("hourly", "12:59:50"),
        ("hourly at :05", "13:05:00"),
        ("hourly at :07:30", "13:07:30"),
        ("hourly at :07:31", "12:07:31"),
        ("every 15 min", "12:15:00"),
        ("every 10s", "12:07:40"),
        ("every 2 h", "14:00:00"),
        ("15,45 * * * *", "12:15:00"),
        ("*/20 13-14 * * *", "13:00:00"),
    ] {
        let expected = format!("2026-01-12 {expected} +01:00");
        assert_eq!(next(schedule, &noon), expected, "{schedule}");
    }
    assert_eq!(next("daily at 06:00", &noon), "2026-01-13 06:00:00 +01:00");
    assert_eq!(next("0 6 * * 0", &noon), "2026-01-18 06:00:00 +01:00");
    assert_eq!(next("0 6 1 3 *", &noon), "2026-03-01 06:00:00 +01:00");
    assert_eq!(next("0 0 29 2 *", &noon), "2028-02-29 00:00:00 +01:00");
    assert_eq!(
        next("every 8 s", &at("2026-01-12T23:59:55")),
        "2026-01-13 00:00:00 +01:00"
    );
}

#[test]
fn an_hour_that_comes_twice_is_read_twice_and_one_that_is_skipped_is_not() {
    // 2026-10-25: 03:00 becomes 02:00.
    let first = "2026-10-25T02:30:00+02:00[Europe/Copenhagen]";
    assert_eq!(next("hourly", first), "2026-10-25 02:59:50 +02:00");
    let second = "2026-10-25T02:59:50+02:00[Europe/Copenhagen]";
    assert_eq!(next("hourly", second), "2026-10-25 02:59:50 +01:00");
    // 2026-03-29: 02:00 becomes 03:00.
    assert_eq!(
        next("hourly", &at("2026-03-29T01:59:50")),
        "2026-03-29 03:59:50 +02:00"
    );
    assert_eq!(
        next("daily at 02:30", &at("2026-03-29T01:00:00")),
        "2026-03-29 03:30:00 +02:00"
    );
    assert_eq!(
        next("every 12 h", &at("2026-03-29T01:00:00")),
        "2026-03-29 12:00:00 +02:00"
    );
}

#[test]
fn what_is_written_is_read_again() {
    for text in [
        "hourly at :59:50",
        "every 15 min",
        "every 30 s",
        "daily at 06:00",
        "daily at 23:59:50",
        "*/5 * * * 1-5",
    ] {
        let schedule: Schedule = text.parse().unwrap();
        assert_eq!(schedule.to_string().parse(), Ok(schedule.clone()), "{text}");
    }
    assert_eq!(Schedule::default().to_string(), "hourly at :59:50");
}

#[test]
fn what_is_no_schedule_says_why() {
    let problem = |text: &str| text.parse::<Schedule>().unwrap_err().to_string();
    assert!(problem("sometimes").contains("`sometimes`"));
    assert!(problem("every 7 min").contains("420 s"));
    assert!(problem("every 1 s").contains("at least 5 s"));
    assert!(problem("61 * * * *").contains("minute"));
    assert!(problem("0 0 31 2 *").contains("no day"));
    assert!(problem("hourly at :60").contains("expected a schedule"));
}

#[test]
fn polls_a_day_are_counted() {
    let per_day = |text: &str| text.parse::<Schedule>().unwrap().polls_per_day();
    assert!((per_day("hourly") - 24.0).abs() < 1e-9);
    assert!((per_day("every 15 min") - 96.0).abs() < 1e-9);
    assert!((per_day("0 6 * * *") - 1.0).abs() < 1e-9);
    assert!((per_day("*/10 * * * *") - 144.0).abs() < 1e-9);
    // Never none: what a schedule comes to is divided by.
    assert!((per_day("0 0 29 2 *") - 1.0 / 1461.0).abs() < 1e-9);
}

#[test]
fn a_clock_that_is_set_by_half_an_hour_is_followed_too() {
    // Lord Howe Island, 2026-10-04: 02:00 becomes 02:30.
    let before = "2026-10-04T01:50:00+10:30[Australia/Lord_Howe]";
    assert_eq!(next("hourly at :15", before), "2026-10-04 03:15:00 +11:00");
    // 2026-04-05: 02:00 becomes 01:30.
    let before = "2026-04-05T01:50:00+11:00[Australia/Lord_Howe]";
    assert_eq!(next("hourly at :45", before), "2026-04-05 01:45:00 +10:30");
}

#[test]
fn five_fields_without_an_hour_go_on_through_an_hour_that_comes_twice() {
    let first = "2026-10-25T02:45:00+02:00[Europe/Copenhagen]";
    assert_eq!(next("*/15 * * * *", first), "2026-10-25 02:00:00 +01:00");
    assert_eq!(next("30 2 * * *", first), "2026-10-26 02:30:00 +01:00");
}

#[test]
fn a_misspelt_word_is_recognised() {
    let help = |text: &str| text.parse::<Schedule>().unwrap_err().help();
    assert_eq!(help("hourley at :59"), "did you mean `hourly`?");
    assert!(help("sometimes").contains("`every 15 min`"));
}

proptest! {
    #[test]
    fn the_next_moment_is_later_and_none_lies_before_it(
        second in 1_700_000_000_i64..1_900_000_000,
        schedule in 0..6_usize,
        zone in 0..4_usize,
    ) {
        let schedule = ["hourly", "hourly at :15", "every 15 min", "every 6 h", "daily at 02:30", "*/20 * * * *"][schedule];
        let zone = ["Europe/Copenhagen", "Australia/Lord_Howe", "UTC", "America/St_Johns"][zone];
        let schedule: Schedule = schedule.parse().unwrap();
        let after = Timestamp::from_second(second).unwrap().to_zoned(TimeZone::get(zone).unwrap());
        let next = schedule.next(&after);
        prop_assert!(next > after);
        // From anywhere between the two it is the same.
        let between = after.checked_add(SignedDuration::from_secs((next.timestamp().as_second() - second) / 2)).unwrap();
        if between < next {
            prop_assert_eq!(schedule.next(&between), next);
        }
    }
}

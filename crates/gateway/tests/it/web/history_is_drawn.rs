//! Lines and bars of what was read, and what was counted against last year.

use std::time::Duration;

use hyper::StatusCode;
use jiff::Timestamp;
use kamstrup_kmp::{Decimal, Unit};

use super::site::{SERIAL, TestSite, meter, number, poll};

/// An hourly history: the counter grows by 0.100 GJ an hour, the power is that of the hour.
async fn record(site: &TestSite, from: Timestamp, hours: i128) {
    site.history.introduce(meter()).await.unwrap();
    let polls = (0..hours).map(|hour| {
        let seconds = u64::try_from(hour * 3600).unwrap();
        let mut poll = poll(from + Duration::from_secs(seconds));
        poll.readings = vec![
            number(
                "heat_energy",
                Decimal::new(50_000 + 100 * hour, -3),
                Unit::GJ,
            ),
            number("power", Decimal::new(hour % 24 * 10, -1), Unit::KW),
        ];
        poll
    });
    site.history.record_all(polls.collect()).await.unwrap();
}

#[tokio::test]
async fn a_line_has_exact_numbers_and_lists_of_one_length() {
    let site = TestSite::start().await;
    let from: Timestamp = "2026-03-01T00:00:00Z".parse().unwrap();
    record(&site, from, 48).await;
    let path = format!(
        "/api/meters/{SERIAL}/history?key=power&from=2026-03-01T00:00:00Z&to=1772496000&points=100"
    );
    let answered = site.get(&path).send().await;
    assert_eq!(answered.status, StatusCode::OK, "{}", answered.text());
    assert!(
        answered.text().contains("[0.0,1.0,2.0,"),
        "{}",
        answered.text()
    );
    let line = answered.json();
    assert_eq!(line["unit"], "kW");
    let length = |list: &str| line[list].as_array().unwrap().len();
    assert_eq!(length("times"), 48);
    for list in ["last", "min", "max"] {
        assert_eq!(length(list), 48, "{list}");
    }
    assert_eq!(line["times"][1], 1_772_326_800);
}

#[tokio::test]
async fn a_line_is_broken_where_nothing_was_read() {
    let site = TestSite::start().await;
    let from: Timestamp = "2026-03-01T00:00:00Z".parse().unwrap();
    record(&site, from, 24).await;
    record(&site, "2026-03-03T00:00:00Z".parse().unwrap(), 24).await;
    let path = "/api/meters/house/history?key=power&from=2026-03-01T00:00:00Z\
                &to=2026-03-04T00:00:00Z&points=500";
    let line = site.get(path).send().await.json();
    assert_eq!(line["gaps"][0]["to"], "2026-03-03T00:00:00Z");
    let last = line["last"].as_array().unwrap();
    let breaks: Vec<usize> = (0..last.len())
        .filter(|place| last[*place].is_null())
        .collect();
    assert_eq!(breaks, [24]);
    let times = line["times"].as_array().unwrap();
    let seconds: Vec<f64> = times.iter().map(|time| time.as_f64().unwrap()).collect();
    assert!(seconds.is_sorted());
}

#[tokio::test]
async fn bars_add_up_in_the_gateways_time_zone() {
    let site = TestSite::start().await;
    let mut general = (*site.hub.general()).clone();
    general.time_zone = jiff::tz::TimeZone::get("Europe/Copenhagen").unwrap();
    site.hub.set_general(general);
    record(&site, "2026-03-01T00:00:00Z".parse().unwrap(), 24 * 10).await;
    let path = "/api/meters/house/amounts?key=heat_energy&by=day&from=2026-03-03T12:00:00Z\
                &to=2026-03-05T12:00:00Z";
    let bars = site.get(path).send().await.json();
    assert_eq!(bars["unit"], "GJ");
    assert_eq!(bars["bars"].as_array().unwrap().len(), 3);
    assert_eq!(bars["bars"][0]["from"], "2026-03-02T23:00:00Z");
    assert_eq!(bars["bars"][0]["amount"], "2.400");
    assert_eq!(bars["bars"][0]["complete"], true);
}

#[tokio::test]
async fn a_register_that_nobody_knows_is_named_with_its_neighbour() {
    let site = TestSite::start().await;
    let answered = site
        .get("/api/meters/house/history?key=heat_enery")
        .send()
        .await;
    assert_eq!(answered.status, StatusCode::BAD_REQUEST);
    let help = answered.json()["error"]["help"].to_string();
    assert!(help.contains("`heat_energy`"), "{help}");
    let answered = site
        .get("/api/meters/house/amounts?key=power&by=day")
        .send()
        .await;
    assert_eq!(answered.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn today_is_compared_with_last_year() {
    let site = TestSite::start().await;
    let year_and_a_bit = Duration::from_hours(24 * 400);
    let from = Timestamp::now() - year_and_a_bit;
    record(&site, from, 24 * 400 + 1).await;
    let meter = site.get("/api/meters/house").send().await.json();
    let compared = meter["energy"].as_array().unwrap();
    let heat = compared
        .iter()
        .find(|counter| counter["key"] == "heat_energy");
    let heat = heat.unwrap_or_else(|| panic!("{meter:#}"));
    assert_eq!(heat["unit"], "GJ");
    for amount in ["month", "month_last_year"] {
        assert!(heat[amount].is_string(), "{heat:#}");
    }
    let status = site.get("/api/status").send().await.json();
    assert_eq!(status["history"]["polls"], 24 * 400 + 1);
    assert!(status["history"]["bytes"].as_u64().unwrap() > 100_000);
}

#[tokio::test]
async fn the_beginning_of_time_is_a_moment_like_any_other() {
    let site = TestSite::start().await;
    for path in [
        "history?key=power&to=-377705023201",
        "amounts?key=heat_energy&by=year&to=-377705023201",
    ] {
        let path = format!("/api/meters/{SERIAL}/{path}");
        let answered = site.get(&path).send().await;
        assert_eq!(answered.status, StatusCode::OK, "{}", answered.text());
    }
}

#[tokio::test]
async fn bars_are_told_whole_or_refused() {
    let site = TestSite::start().await;
    record(&site, "2026-03-01T00:00:00Z".parse().unwrap(), 24).await;
    let bars = |by: &str| {
        let path = format!(
            "/api/meters/{SERIAL}/amounts?key=heat_energy&by={by}&from=1980-01-01T00:00:00Z&to=2026-03-02T00:00:00Z"
        );
        site.get(&path).send()
    };
    assert_eq!(bars("month").await.status, StatusCode::OK);
    assert_eq!(bars("hour").await.status, StatusCode::BAD_REQUEST);
}

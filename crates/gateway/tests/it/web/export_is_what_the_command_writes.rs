//! The history as a file: byte by byte what `heatmeter export` writes, whoever may have it, and no more
//! in memory than is on its way.

use std::time::Duration;

use heatmeter_gateway::web::{Access, Token};
use heatmeter_history::{Archive, Format, Selection};
use http_body_util::BodyExt;
use hyper::StatusCode;
use jiff::Timestamp;

use super::client::PATIENCE;
use super::site::{SERIAL, TestSite, meter, poll};

const FROM: &str = "2026-03-01T00:00:00Z";

/// So many polls, one a minute.
async fn record(site: &TestSite, count: u64) {
    let from: Timestamp = FROM.parse().unwrap();
    site.history.introduce(meter()).await.unwrap();
    for from_minute in (0..count).step_by(1000) {
        let minutes = from_minute..count.min(from_minute + 1000);
        let polls = minutes.map(|minute| poll(from + Duration::from_mins(minute)));
        site.history.record_all(polls.collect()).await.unwrap();
    }
}

/// What the command writes.
fn written(site: &TestSite, selection: &Selection, format: Format) -> String {
    let archive = Archive::open(site.history.path()).unwrap();
    let mut out = Vec::new();
    archive.export(selection, format, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

fn of_the_meter() -> Selection {
    Selection {
        serial: Some(SERIAL.to_owned()),
        ..Selection::default()
    }
}

#[tokio::test]
async fn both_formats_are_what_the_command_writes() {
    let site = TestSite::start().await;
    // More than one portion, and not a whole number of them.
    record(&site, 234).await;
    let mut other = poll(FROM.parse().unwrap());
    other.serial = "7".to_owned();
    site.history.record(other).await.unwrap();
    for format in [Format::Csv, Format::Jsonl] {
        let path = format!("/api/meters/house/export?format={}", format.word());
        let answered = site.get(&path).send().await;
        assert_eq!(answered.status, StatusCode::OK);
        assert_eq!(answered.header("content-type"), format.media_type());
        let name = format!("filename=\"heatmeter-{SERIAL}.{}\"", format.word());
        assert!(answered.header("content-disposition").ends_with(&name));
        let expected = written(&site, &of_the_meter(), format);
        assert!(expected.lines().count() >= 234);
        assert_eq!(answered.text(), expected);
    }
}

#[tokio::test]
async fn a_span_begins_with_its_first_moment_and_ends_before_its_last() {
    let site = TestSite::start().await;
    record(&site, 10).await;
    let path = format!(
        "/api/meters/{SERIAL}/export?format=jsonl&from=2026-03-01T00:02:00Z&to=2026-03-01T00:05:00Z"
    );
    let answered = site.get(&path).send().await;
    let times: Vec<String> = answered
        .text()
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap())
        .map(|poll| poll["time"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(
        times,
        [
            "2026-03-01T00:02:00Z",
            "2026-03-01T00:03:00Z",
            "2026-03-01T00:04:00Z"
        ]
    );
}

#[tokio::test]
async fn a_meter_that_is_no_longer_read_is_known_by_its_number() {
    let site = TestSite::start().await;
    let mut old = poll(FROM.parse().unwrap());
    old.serial = "7".to_owned();
    site.history.record(old).await.unwrap();
    let answered = site.get("/api/meters/7/export").send().await;
    assert!(answered.text().contains("\n7-"), "{}", answered.text());
    let answered = site.get("/api/meters/8/export").send().await;
    assert_eq!(answered.code(), "no_such_meter");
    let answered = site.get("/api/meters/7/export?format=xlsx").send().await;
    assert_eq!(answered.status, StatusCode::BAD_REQUEST);
    assert_eq!(answered.code(), "bad_request");
}

#[tokio::test]
async fn without_polls_there_is_the_head_line_alone() {
    let site = TestSite::start().await;
    let answered = site.get("/api/meters/house/export").send().await;
    assert_eq!(answered.status, StatusCode::OK);
    assert_eq!(answered.text().lines().count(), 1);
}

#[tokio::test]
async fn it_asks_for_the_token_as_everything_does() {
    const TOKEN: &str = "a-token-of-some-length";
    let site = TestSite::with(Access::with_token(Token::new(TOKEN).unwrap())).await;
    let ask = || site.get("/api/meters/house/export");
    assert_eq!(ask().send().await.status, StatusCode::UNAUTHORIZED);
    let bearer = format!("Bearer {TOKEN}");
    let answered = ask().header("authorization", &bearer).send().await;
    assert_eq!(answered.status, StatusCode::OK);
}

/// Who takes it slowly keeps neither the polls in memory nor the others from reading, and misses
/// nothing that comes meanwhile.
#[tokio::test]
async fn a_slow_taker_gets_what_came_meanwhile() {
    let site = TestSite::start().await;
    record(&site, 20_000).await;
    let response = site.get("/api/meters/house/export").begin().await;
    // Far more than fits into the buffers between us: it cannot have been read to its end.
    let late: Timestamp = "2026-04-01T00:00:00Z".parse().unwrap();
    site.history.record(poll(late)).await.unwrap();
    let status = site.get("/api/status").send().await;
    assert_eq!(status.status, StatusCode::OK);
    let body = tokio::time::timeout(PATIENCE, response.into_body().collect());
    let body = body.await.expect("all of it").unwrap().to_bytes();
    let text = std::str::from_utf8(&body).unwrap();
    assert!(text.contains(&late.to_string()));
    assert_eq!(text, written(&site, &of_the_meter(), Format::Csv));
}

#[tokio::test]
async fn it_breaks_off_when_the_gateway_stops() {
    let site = TestSite::start().await;
    record(&site, 20_000).await;
    let response = site.get("/api/meters/house/export").begin().await;
    site.stop.cancel();
    let body = tokio::time::timeout(PATIENCE, response.into_body().collect());
    // Whoever takes it must not believe that this was all.
    assert!(body.await.expect("an end").is_err());
}

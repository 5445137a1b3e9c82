//! What went over a line can be looked at, and taken along without the meter's number.

use std::time::Duration;

use heatmeter_client::{Direction, Event, Note, Recording};
use heatmeter_gateway::hub::Exchange;
use hyper::StatusCode;
use jiff::Timestamp;
use kamstrup_kmp::Verdict;
use kamstrup_kmp::frame::{self, Address, Frame};

use super::site::{SERIAL, TestSite};

fn exchange(at: Timestamp) -> Exchange {
    let number: u32 = SERIAL.parse().unwrap();
    let mut answer = Vec::new();
    Frame {
        direction: frame::Direction::FromMeter,
        address: Address::METER,
        command: 0x02,
        data: &number.to_be_bytes(),
    }
    .encode(&mut answer);
    let request = vec![0x80, 0x3f, 0x02, 0x35, 0xe9, 0x0d];
    let ms = Duration::from_millis;
    Exchange {
        at,
        verdict: Verdict::Ok,
        took: ms(190),
        attempts: 1,
        events: vec![
            (ms(0), Event::Bytes(Direction::Out, request)),
            (ms(140), Event::Bytes(Direction::In, answer)),
            (ms(190), Event::Note(Note::Verdict, "ok".to_owned())),
        ],
    }
}

#[tokio::test]
async fn the_newest_exchange_comes_first() {
    let site = TestSite::start().await;
    let at: Timestamp = "2026-11-26T12:00:00Z".parse().unwrap();
    for number in 0..60 {
        let later = at + Duration::from_secs(number);
        site.hub.keep_exchange("house", exchange(later));
    }
    let answered = site.get("/api/meters/house/exchanges").send().await;
    let exchanges = answered.json();
    assert_eq!(exchanges.as_array().unwrap().len(), 50);
    assert_eq!(exchanges[0]["at"], "2026-11-26T12:00:59Z");
    let lines = &exchanges[0]["lines"];
    assert_eq!(lines[0]["hex"], "80 3f 02 35 e9 0d");
    assert_eq!(lines[1]["direction"], "from");
    assert_eq!(lines[2]["text"], "ok");
}

#[tokio::test]
async fn a_recording_can_be_read_and_does_not_tell_the_number() {
    let site = TestSite::start().await;
    let answered = site.get("/api/meters/house/recording").send().await;
    assert_eq!(answered.status, StatusCode::NOT_FOUND);
    assert_eq!(answered.code(), "nothing_recorded");

    let at: Timestamp = "2026-11-26T12:00:00Z".parse().unwrap();
    site.hub.keep_exchange("house", exchange(at));
    let minute = Duration::from_mins(1);
    site.hub.keep_exchange("house", exchange(at + minute));
    let answered = site.get("/api/meters/house/recording").send().await;
    assert_eq!(answered.status, StatusCode::OK);
    let number: u32 = SERIAL.parse().unwrap();
    assert!(!answered.text().contains(&format!("{number:08x}")));

    let file = site.folder.path().join("recording.jsonl");
    std::fs::write(&file, &answered.body).unwrap();
    let recording = Recording::load(&file).unwrap();
    assert_eq!(recording.entries.len(), 6);
    assert_eq!(recording.entries[3].at, minute);
}

//! Read now, and align: what is asked for reaches the line, and its answer comes back.

use std::sync::Arc;

use heatmeter_catalog::RegisterId;
use heatmeter_gateway::hub::{Doing, Order, Trouble};
use hyper::StatusCode;
use kamstrup_kmp::Verdict;
use serde_json::json;

use super::site::{SERIAL, TestSite, house, poll};

#[tokio::test]
async fn a_poll_is_asked_for_and_answered() {
    let mut site = TestSite::start().await;
    let path = format!("/api/meters/{SERIAL}/read");
    let ask = site.post(&path).json(&json!({"registers": ["flow", 60]}));
    let line = async {
        let Some(Order::Read { registers, answer }) = site.orders.recv().await else {
            panic!("expected an order to read");
        };
        let poll = poll("2026-11-26T12:00:00.250Z".parse().unwrap());
        answer.unwrap().send(Ok(Arc::new(poll))).unwrap();
        registers
    };
    let (answered, registers) = tokio::join!(ask.send(), line);
    assert_eq!(registers, Some(vec![RegisterId(74), RegisterId(60)]));
    assert_eq!(answered.status, StatusCode::OK);
    let poll = answered.json();
    assert_eq!(poll["id"], "40300001-1795694400250");
    assert_eq!(poll["meter"]["model"], "MULTICAL 403");
    assert_eq!(poll["readings"][0]["value"], "84.817");
}

#[tokio::test]
async fn why_a_meter_was_not_read_is_told() {
    let mut site = TestSite::start().await;
    let ask = site.post("/api/meters/house/read").json(&json!({}));
    let hub = site.hub.clone();
    let line = async {
        let Some(Order::Read { answer, .. }) = site.orders.recv().await else {
            panic!("expected an order to read");
        };
        let mut state = house();
        state.verdict = Some(Verdict::PortMissing);
        hub.tell(state);
        let trouble = Trouble {
            message: "There is no /dev/ttyUSB0.".to_owned(),
            help: "Plug the head in.".to_owned(),
        };
        answer.unwrap().send(Err(trouble)).unwrap();
    };
    let (answered, ()) = tokio::join!(ask.send(), line);
    assert_eq!(answered.status, StatusCode::BAD_GATEWAY);
    assert_eq!(answered.code(), "port_missing");
    assert_eq!(answered.json()["error"]["help"], "Plug the head in.");
}

#[tokio::test]
async fn nothing_is_read_while_somebody_aligns() {
    let site = TestSite::start().await;
    let mut state = house();
    state.doing = Doing::Aligning;
    site.hub.tell(state);
    let ask = site.post("/api/meters/house/read").json(&json!({}));
    let answered = ask.send().await;
    assert_eq!(answered.status, StatusCode::CONFLICT);
    assert_eq!(answered.code(), "aligning");
}

#[tokio::test]
async fn a_register_that_does_not_exist_is_named_with_its_neighbour() {
    let site = TestSite::start().await;
    let ask = site.post("/api/meters/house/read");
    let answered = ask.json(&json!({"registers": ["heat_enery"]})).send().await;
    assert_eq!(answered.status, StatusCode::BAD_REQUEST);
    let help = answered.json()["error"]["help"].to_string();
    assert!(help.contains("`heat_energy`"), "{help}");
}

#[tokio::test]
async fn aligning_starts_and_stops() {
    let mut site = TestSite::start().await;
    let answered = site.post("/api/meters/house/align").send().await;
    assert_eq!(answered.status, StatusCode::ACCEPTED);
    assert!(matches!(site.orders.recv().await, Some(Order::Align)));
    let answered = site.ask("DELETE", "/api/meters/house/align").send().await;
    assert_eq!(answered.status, StatusCode::ACCEPTED);
    let order = site.orders.recv().await;
    assert!(matches!(order, Some(Order::StopAligning)));
}

#[tokio::test]
async fn a_line_that_is_gone_is_said_to_be() {
    let mut site = TestSite::start().await;
    site.orders.close();
    let answered = site.post("/api/meters/house/align").send().await;
    assert_eq!(answered.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(answered.code(), "no_line");
}

#[tokio::test]
async fn each_register_is_read_once_and_not_a_thousand_of_them() {
    let mut site = TestSite::start().await;
    let ask = site
        .post("/api/meters/house/read")
        .json(&json!({"registers": ["flow", 60, 74, "flow"]}));
    let line = async {
        let Some(Order::Read { registers, answer }) = site.orders.recv().await else {
            panic!("expected an order to read");
        };
        let poll = poll("2026-11-26T12:00:00Z".parse().unwrap());
        answer.unwrap().send(Ok(Arc::new(poll))).unwrap();
        registers
    };
    let (_, registers) = tokio::join!(ask.send(), line);
    assert_eq!(registers, Some(vec![RegisterId(74), RegisterId(60)]));

    let many: Vec<u16> = (1..=1000).collect();
    let ask = site
        .post("/api/meters/house/read")
        .json(&json!({"registers": many}));
    assert_eq!(ask.send().await.status, StatusCode::BAD_REQUEST);
}

//! The buttons of the set-up.

use std::net::{Ipv4Addr, SocketAddr};

use heatmeter_gateway::hub::Order;
use heatmeter_simulator::{Config, Model, serve_tcp};
use hyper::StatusCode;
use serde_json::json;

use super::site::{TestSite, poll};

#[tokio::test]
async fn a_destination_is_tried_with_the_secrets_of_the_file() {
    let site = TestSite::start().await;
    let settings = json!({"host": "broker", "password": "********"});
    let ask = site.post("/api/destinations/test");
    let ask = ask.json(&json!({"kind": "mqtt", "settings": settings}));
    assert_eq!(ask.send().await.json(), json!({"ok": true}));
    let (kind, settings) = site.service.tested.lock().unwrap().pop().unwrap();
    assert_eq!(kind, "mqtt");
    assert_eq!(settings["password"], "hunter2");
}

#[tokio::test]
async fn a_secret_of_the_file_does_not_go_to_another_address() {
    let site = TestSite::start().await;
    for settings in [
        json!({"host": "mine", "password": "********"}),
        json!({"host": "broker", "port": 1884, "password": "********"}),
        json!({"host": "mine", "password_file": "/etc/heatmeter/password"}),
    ] {
        let ask = site.post("/api/destinations/test");
        let ask = ask.json(&json!({"kind": "mqtt", "settings": settings}));
        let answered = ask.send().await;
        assert_eq!(answered.status, StatusCode::BAD_REQUEST, "{settings}");
        let help = answered.json()["error"]["help"].take();
        assert!(help.as_str().unwrap().contains("Type the secret"), "{help}");
    }
    assert!(site.service.tested.lock().unwrap().is_empty());
}

#[tokio::test]
async fn why_a_destination_does_not_work_is_told() {
    let site = TestSite::start().await;
    let ask = site.post("/api/destinations/test");
    let ask = ask.json(&json!({"kind": "mqtt", "settings": {"host": "nobody"}}));
    let answered = ask.send().await;
    assert_eq!(answered.status, StatusCode::FAILED_DEPENDENCY);
    assert_eq!(answered.json()["error"]["help"], "Mend it.");
}

#[tokio::test]
async fn a_port_says_who_is_behind_it() {
    let loopback = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let meter = serve_tcp(Config::new(Model::M403), loopback).await.unwrap();
    let port = meter.listening().to_owned();
    let playing = tokio::spawn(meter.run(std::future::pending()));
    let site = TestSite::start().await;
    let ask = site.post("/api/ports/test").json(&json!({"port": port}));
    let answered = ask.send().await;
    playing.abort();
    let tested = answered.json();
    assert_eq!(tested["verdict"]["code"], "ok", "{tested:#}");
    assert_eq!(tested["meter"]["model"], "MULTICAL 403");
    assert_eq!(tested["meter"]["serial"], "40300001");
    assert!(!tested["readings"].as_array().unwrap().is_empty());
}

#[tokio::test]
async fn a_port_that_is_not_there_says_what_to_do() {
    let site = TestSite::start().await;
    let ask = site.post("/api/ports/test");
    let ask = ask.json(&json!({"port": "/dev/serial/by-id/nothing"}));
    let tested = ask.send().await.json();
    assert_eq!(tested["verdict"]["code"], "port_missing");
    assert_eq!(tested["meter"], json!(null));
}

#[tokio::test]
async fn a_port_that_is_in_use_is_asked_through_its_line() {
    let mut site = TestSite::start().await;
    let ask = site.post("/api/ports/test");
    let ask = ask.json(&json!({"port": "socket://127.0.0.1:1"}));
    let line = async {
        let Some(Order::Read { answer, .. }) = site.orders.recv().await else {
            panic!("expected an order to read");
        };
        let poll = poll("2026-11-26T12:00:00Z".parse().unwrap());
        answer.unwrap().send(Ok(poll.into())).unwrap();
    };
    let (answered, ()) = tokio::join!(ask.send(), line);
    let tested = answered.json();
    assert_eq!(tested["meter"]["serial"], "40300001");
    assert_eq!(tested["readings"][0]["value"], "84.817");
}

#[tokio::test]
async fn a_recording_is_no_port() {
    let site = TestSite::start().await;
    for port in ["replay:///etc/passwd", "COM1", ""] {
        let ask = site.post("/api/ports/test").json(&json!({"port": port}));
        assert_eq!(ask.send().await.status, StatusCode::BAD_REQUEST, "{port}");
    }
}

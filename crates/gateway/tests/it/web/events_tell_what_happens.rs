//! Whoever listens gets everything first and then what happens.

use std::sync::Arc;

use heatmeter_gateway::hub::{Attempt, Event};
use hyper::StatusCode;
use kamstrup_kmp::Verdict;

use super::client::Events;
use super::site::{SERIAL, TestSite, house, poll, stranger};

fn attempt(number: u64, next_step: &str) -> Event {
    Event::Align {
        slot: "house".to_owned(),
        attempt: Attempt {
            number,
            verdict: Verdict::EchoOnly,
            score: 20,
            next_step: next_step.to_owned(),
            next_step_code: Some("wake"),
            milliseconds: 140,
        },
    }
}

#[tokio::test]
async fn a_listener_gets_everything_first() {
    let site = TestSite::start().await;
    site.hub.tell(stranger());
    let mut events = Events::listen(site.get("/api/events")).await;
    let (first, status) = events.next().await.unwrap();
    assert_eq!(first, "status");
    assert_eq!(status["configured"], true);
    let (_, house) = events.next().await.unwrap();
    assert_eq!(house["id"], SERIAL);
    let (_, shed) = events.next().await.unwrap();
    assert_eq!(shed["id"], "shed");
}

#[tokio::test]
async fn what_happens_is_told_in_its_order() {
    let site = TestSite::start().await;
    let mut events = Events::listen(site.get("/api/events")).await;
    events.next_of("meter").await;

    let mut state = house();
    state.verdict = Some(Verdict::Silent);
    site.hub.tell(state);
    assert_eq!(events.next_of("meter").await["verdict"]["code"], "silent");

    site.hub.announce(Event::Poll {
        slot: "house".to_owned(),
        poll: Arc::new(poll("2026-11-26T12:00:00Z".parse().unwrap())),
    });
    let told = events.next_of("poll").await;
    assert_eq!(told["id"], SERIAL);
    assert_eq!(told["time"], "2026-11-26T12:00:00Z");

    site.hub.announce(attempt(7, "Turn the head half round."));
    let told = events.next_of("align").await;
    assert_eq!(told["id"], SERIAL);
    assert_eq!(told["verdict"]["code"], "echo_only");
    assert_eq!(told["score"], 20);
    assert_eq!(told["next_step_code"], "wake");

    let slot = "house".to_owned();
    site.hub.announce(Event::AlignEnded { slot, why: "asked" });
    assert_eq!(events.next_of("align_ended").await["why"], "asked");

    site.hub.remove("house");
    assert_eq!(events.next_of("removed").await["slot"], "house");
}

#[tokio::test]
async fn a_listener_who_fell_behind_gets_everything_again() {
    let site = TestSite::start().await;
    let mut events = Events::listen(site.get("/api/events")).await;
    events.next_of("meter").await;
    // More than any buffer on the way takes, told without a pause in which it could be sent.
    for number in 0..5000 {
        site.hub.announce(attempt(number, &"x".repeat(100)));
    }
    site.hub.tell(stranger());
    let shed = loop {
        let meter = events.next_of("meter").await;
        if meter["slot"] == "shed" {
            break meter;
        }
    };
    assert_eq!(shed["verdict"]["code"], "port_missing");
}

#[tokio::test]
async fn only_so_many_may_listen() {
    let site = TestSite::start().await;
    let mut listeners = Vec::new();
    for _ in 0..32 {
        listeners.push(Events::listen(site.get("/api/events")).await);
    }
    let answered = site.get("/api/events").send().await;
    assert_eq!(answered.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(answered.code(), "too_many_listeners");
    drop(listeners.pop());
    // Its place is free as soon as the server has noticed.
    while site.get("/api/events").begin().await.status() != StatusCode::OK {
        site.hub.announce(Event::Status);
    }
}

#[tokio::test]
async fn streams_end_when_the_gateway_does() {
    let site = TestSite::start().await;
    let mut events = Events::listen(site.get("/api/events")).await;
    events.next_of("meter").await;
    site.stop.cancel();
    while events.next().await.is_some() {}
    site.serving.await.unwrap();
}

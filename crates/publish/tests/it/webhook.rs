//! The webhook, with a server that answers in all ways.

use std::time::Duration;

use heatmeter_publish::webhook::{Settings, Webhook};
use heatmeter_publish::{DeliveryError, Destination};
use kamstrup_kmp::Verdict;
use serde_json::{Value, json};

use crate::outbox::{Outbox, known, poll, poll_of, stored, until_empty};
use crate::receiver::{Receiver, Reply};

const FINE: Reply = Reply::Status(204, "", "");

fn webhook(receiver: &Receiver) -> Webhook {
    Webhook::new(Settings::new(receiver.url())).unwrap()
}

/// What a delivery comes to when it is answered so.
async fn outcome(reply: Reply) -> Result<(), DeliveryError> {
    let receiver = Receiver::start(move |_| reply).await;
    webhook(&receiver)
        .deliver(&[stored(poll(0))], &known())
        .await
}

#[tokio::test]
async fn a_poll_comes_as_json_with_its_id_and_a_signature() {
    let receiver = Receiver::start(|_| FINE).await;
    let settings = Settings {
        headers: vec![("X-House".to_owned(), "north".to_owned())],
        secret: Some("It's a Secret to Everybody".to_owned()),
        ..Settings::new(receiver.url().replace("127", "me:pass%21@127"))
    };
    let mut webhook = Webhook::new(settings).unwrap();
    webhook.deliver(&[stored(poll(0))], &known()).await.unwrap();
    let request = receiver.requests().remove(0);
    assert_eq!(request.line, "POST /hook HTTP/1.1");
    let header = |name: &str| request.headers.get(name).map(String::as_str);
    assert_eq!(header("content-type"), Some("application/json"));
    assert_eq!(header("idempotency-key"), Some("84968362-1795176000000"));
    assert_eq!(header("x-house"), Some("north"));
    assert_eq!(header("authorization"), Some("Basic bWU6cGFzcyE="));
    let signature = header("x-heatmeter-signature").unwrap();
    assert_eq!(signature.len(), "sha256=".len() + 64, "{signature}");
    let body: Value = serde_json::from_str(&request.body).unwrap();
    assert_eq!(body["id"], "84968362-1795176000000");
    assert_eq!(body["meter"]["model"], "MULTICAL 403");
    let energy = json!({
        "register": 60, "key": "heat_energy", "value": "84.000", "unit": "GJ", "quality": "good"
    });
    assert_eq!(body["readings"][0], energy);
}

#[tokio::test]
async fn a_poll_without_an_answer_comes_too() {
    let receiver = Receiver::start(|_| FINE).await;
    let mut silent = poll_of(0, Vec::new());
    silent.verdict = Verdict::Silent;
    webhook(&receiver)
        .deliver(&[stored(silent)], &known())
        .await
        .unwrap();
    let body: Value = serde_json::from_str(&receiver.requests()[0].body).unwrap();
    assert_eq!(body["verdict"], "silent");
    assert_eq!(body["readings"], json!([]));
}

#[tokio::test]
async fn several_come_one_by_one_or_as_an_array() {
    for array in [false, true] {
        let receiver = Receiver::start(|_| FINE).await;
        let outbox = Outbox::new().await;
        outbox.history.pending("webhook", false, 1).await.unwrap();
        outbox.record(0..5).await;
        let settings = Settings {
            array,
            ..Settings::new(receiver.url())
        };
        let supplier = outbox
            .supply("webhook", Webhook::new(settings).unwrap())
            .await;
        until_empty(&mut supplier.progress(), 5).await;
        let bodies: Vec<Value> = receiver
            .requests()
            .iter()
            .map(|request| serde_json::from_str(&request.body).unwrap())
            .collect();
        let polls = if array {
            bodies[0].as_array().unwrap()
        } else {
            &bodies
        };
        let ids: Vec<_> = polls
            .iter()
            .map(|poll| poll["id"].as_str().unwrap())
            .collect();
        let expected: Vec<_> = (0..5).map(|number| poll(number).id()).collect();
        assert_eq!(ids, expected);
    }
}

#[tokio::test]
async fn the_status_decides_whether_it_is_tried_again() {
    for status in [200, 201, 202, 204] {
        outcome(Reply::Status(status, "", "")).await.unwrap();
    }
    for status in [400, 413, 422] {
        let error = outcome(Reply::Status(status, "", "no such field"))
            .await
            .unwrap_err();
        assert!(
            error.is_final && error.message.contains("no such field"),
            "{error}"
        );
    }
    for status in [401, 403, 404, 405, 409, 418, 500, 502] {
        let error = outcome(Reply::Status(status, "", "")).await.unwrap_err();
        assert!(!error.is_final, "{status}: {error}");
        assert!(!error.help.is_empty(), "{status}");
    }
    for status in [429, 503] {
        let error = outcome(Reply::Status(status, "Retry-After: 7\r\n", ""))
            .await
            .unwrap_err();
        assert_eq!(error.retry_after, Some(Duration::from_secs(7)));
    }
}

#[tokio::test]
async fn a_redirection_is_told_and_not_followed() {
    let elsewhere = Receiver::start(|_| FINE).await;
    let location = format!("Location: {}\r\n", elsewhere.url());
    let location: &'static str = location.leak();
    let error = outcome(Reply::Status(307, location, "")).await.unwrap_err();
    assert!(error.message.contains(&elsewhere.url()), "{error}");
    assert!(!error.is_final);
    assert!(elsewhere.requests().is_empty());
}

#[tokio::test]
async fn half_an_answer_is_none() {
    let error = outcome(Reply::Half).await.unwrap_err();
    assert!(error.message.contains("broke"), "{error}");
}

#[tokio::test]
async fn a_connection_that_died_unnoticed_costs_one_attempt() {
    // The first request is answered; after that the connection is dead, and nobody says so.
    let receiver = Receiver::start(|number| if number == 1 { Reply::Silence } else { FINE }).await;
    let settings = Settings {
        timeout: Duration::from_secs(10),
        ..Settings::new(receiver.url())
    };
    let mut webhook = Webhook::new(settings).unwrap();
    webhook.deliver(&[stored(poll(0))], &known()).await.unwrap();
    let error = webhook
        .deliver(&[stored(poll(1))], &known())
        .await
        .unwrap_err();
    assert!(
        error.message.contains("did not answer within 10 s"),
        "{error}"
    );
    webhook.deliver(&[stored(poll(1))], &known()).await.unwrap();
    let connections: Vec<_> = receiver.requests().iter().map(|r| r.connection).collect();
    assert_eq!(connections[2], connections[1] + 1);
}

#[tokio::test]
async fn a_test_asks_without_posting() {
    let receiver = Receiver::start(|_| Reply::Status(405, "", "")).await;
    webhook(&receiver).test().await.unwrap();
    assert_eq!(receiver.requests()[0].line, "HEAD /hook HTTP/1.1");
    let receiver = Receiver::start(|_| Reply::Status(401, "", "")).await;
    let error = webhook(&receiver).test().await.unwrap_err();
    assert!(error.message.contains("does not let us in"), "{error}");
    let url = format!("http://127.0.0.1:{}/", heatmeter_servers::free_port());
    let error = Webhook::new(Settings::new(url))
        .unwrap()
        .test()
        .await
        .unwrap_err();
    assert!(error.message.starts_with("nobody listens at"), "{error}");
    let unknown = Settings::new("http://no-such-host.invalid/");
    let error = Webhook::new(unknown).unwrap().test().await.unwrap_err();
    assert!(error.message.contains("nobody knows the host"), "{error}");
}

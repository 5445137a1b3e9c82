//! A delivered poll is the meter's retained state, to the last digit.

use heatmeter_catalog::reading::{Content, Quality, Reading};
use heatmeter_catalog::{RegisterId, Unit};
use heatmeter_publish::mqtt::Settings;
use heatmeter_servers::{Mosquitto, Options};
use kamstrup_kmp::{Decimal, Verdict};

use super::support::{
    Gateway, Listener, PROTOCOLS, SERIAL, board, card, energy, failed, kept, poll, reading,
    settings,
};

const STATE: &str = "heatmeter/84968362/state";
const DIAGNOSTICS: &str = "heatmeter/84968362/diagnostics";

#[tokio::test]
async fn numbers_are_as_exact_as_the_meter_sent_them() {
    for protocol in PROTOCOLS {
        let broker = Mosquitto::start(&Options::default());
        let mut gateway = Gateway::start(Settings {
            protocol,
            ..settings(broker.port())
        });
        let mut held = reading(86, Unit::CELSIUS, Content::Number(Decimal::new(1, 0)));
        held.value = None;
        held.quality = Quality::Held;
        let readings = vec![
            reading(
                60,
                Unit::GJ,
                Content::Number(Decimal::new(12_345_678_901_234_567_890, -3)),
            ),
            reading(80, Unit::KW, Content::Number(Decimal::new(0, -1))),
            held,
            reading(124, Unit::DATE1, Content::Text("2026-11-22".to_owned())),
        ];
        gateway.deliver(&[poll(SERIAL, 1, readings)]).await;
        let state = kept(&broker).await.remove(STATE).unwrap();
        assert_eq!(
            state,
            r#"{"heat_energy":12345678901234567.890,"power":0.0,"flow_temperature":null,"max_flow_year":"2026-11-22","read_at":"2026-11-26T00:00:10Z","verdict":"ok","id":"84968362-1795651210000"}"#,
        );
    }
}

#[tokio::test]
async fn a_poll_of_a_few_registers_leaves_the_others_as_they_were() {
    let broker = Mosquitto::start(&Options::default());
    let mut gateway = Gateway::start(settings(broker.port()));
    let power = reading(80, Unit::KW, Content::Number(Decimal::new(42, -1)));
    gateway
        .deliver(&[
            poll(SERIAL, 1, vec![energy(1000), power]),
            poll(SERIAL, 2, vec![energy(2000)]),
            failed(SERIAL, 3, Verdict::Silent),
        ])
        .await;
    let kept = kept(&broker).await;
    assert_eq!(
        kept[STATE],
        r#"{"heat_energy":2.000,"power":4.2,"read_at":"2026-11-26T00:00:20Z","verdict":"silent","id":"84968362-1795651230000"}"#,
    );
    let diagnostics: serde_json::Value = serde_json::from_str(&kept[DIAGNOSTICS]).unwrap();
    assert_eq!(diagnostics["verdict"], "silent");
    assert_eq!(diagnostics["line_quality"], 0);
}

#[tokio::test]
async fn a_register_without_an_answer_keeps_its_value() {
    let broker = Mosquitto::start(&Options::default());
    let mut gateway = Gateway::start(settings(broker.port()));
    let unanswered = Reading {
        value: None,
        quality: Quality::Unanswered,
        ..energy(0)
    };
    gateway
        .deliver(&[
            poll(SERIAL, 1, vec![energy(1000)]),
            poll(SERIAL, 2, vec![unanswered]),
        ])
        .await;
    assert!(kept(&broker).await[STATE].starts_with(r#"{"heat_energy":1.000,"read_at":"#));
}

#[tokio::test]
async fn a_register_that_is_not_read_any_more_is_not_told_any_more() {
    let broker = Mosquitto::start(&Options::default());
    let mut house = card(SERIAL);
    house.registers = vec![RegisterId(60)];
    let mut gateway = Gateway::with(settings(broker.port()), board([house]));
    let power = reading(80, Unit::KW, Content::Number(Decimal::new(42, -1)));
    gateway
        .deliver(&[poll(SERIAL, 1, vec![energy(1000), power])])
        .await;
    assert!(kept(&broker).await[STATE].starts_with(r#"{"heat_energy":1.000,"power":4.2,"#));
    gateway
        .deliver(&[poll(SERIAL, 2, vec![energy(2000)])])
        .await;
    assert!(kept(&broker).await[STATE].starts_with(r#"{"heat_energy":2.000,"read_at":"#));
}

#[tokio::test]
async fn an_info_code_is_told_in_words() {
    let broker = Mosquitto::start(&Options::default());
    let mut gateway = Gateway::start(settings(broker.port()));
    let info = reading(369, Unit::NUMBER, Content::Number(Decimal::new(8, 0)));
    gateway.deliver(&[poll(SERIAL, 1, vec![info])]).await;
    let diagnostics = kept(&broker).await.remove(DIAGNOSTICS).unwrap();
    let diagnostics: serde_json::Value = serde_json::from_str(&diagnostics).unwrap();
    assert_eq!(diagnostics["flags"], serde_json::json!(["t1_above_range"]));
    assert_eq!(diagnostics["problem"], true);
    assert!(diagnostics["info"].as_str().unwrap().len() > 5);
}

#[tokio::test]
async fn availability_follows_the_meter() {
    for protocol in PROTOCOLS {
        let broker = Mosquitto::start(&Options::default());
        let listener = Listener::start(&broker).await;
        let settings = Settings {
            protocol,
            ..settings(broker.port())
        };
        let gateway = Gateway::with(settings, board([card(SERIAL)]));
        let topic = "heatmeter/84968362/availability";
        listener.wait_for(topic, "online").await;
        for (verdict, word) in [(Verdict::Silent, "offline"), (Verdict::Ok, "online")] {
            let mut card = card(SERIAL);
            card.verdict = Some(verdict);
            gateway.board.send_replace(board([card]));
            listener.wait_for(topic, word).await;
        }
    }
}

#[tokio::test]
async fn the_broker_says_that_the_gateway_is_gone_and_the_gateway_that_it_leaves() {
    for protocol in PROTOCOLS {
        let broker = Mosquitto::start(&Options::default());
        let listener = Listener::start(&broker).await;
        let settings = Settings {
            protocol,
            ..settings(broker.port())
        };
        let gateway = Gateway::start(settings.clone());
        listener.wait_for("heatmeter/status", "online").await;
        drop(gateway);
        listener.wait_for("heatmeter/status", "offline").await;

        let gateway = Gateway::start(settings);
        listener.wait_for("heatmeter/status", "online").await;
        gateway.service.close().await;
        listener.wait_for("heatmeter/status", "offline").await;
        assert_eq!(kept(&broker).await["heatmeter/status"], "offline");
    }
}

#[tokio::test]
async fn a_broker_that_forgot_everything_is_told_again() {
    let mut broker = Mosquitto::start(&Options::default());
    let mut gateway = Gateway::with(settings(broker.port()), board([card(SERIAL)]));
    gateway
        .deliver(&[poll(SERIAL, 1, vec![energy(1000)])])
        .await;
    broker.kill9();
    broker.restart();
    let listener = Listener::start(&broker).await;
    listener.wait_for("heatmeter/status", "online").await;
    listener
        .wait_for("heatmeter/84968362/availability", "online")
        .await;
    let discovery = "homeassistant/device/kamstrup_84968362/config";
    listener.json(discovery, 0, |_| true).await;
    let kept = kept(&broker).await;
    assert!(kept[STATE].contains("84968362-1795651210000"), "{kept:?}");
    assert!(kept.contains_key(DIAGNOSTICS));
}

//! What Home Assistant is told, and when it is told again.

use heatmeter_catalog::reading::Quality;
use heatmeter_catalog::{Language, RegisterId};
use heatmeter_publish::mqtt::Settings;
use heatmeter_servers::{Mosquitto, Options};
use serde_json::{Value, json};

use super::support::{
    Gateway, Listener, PROTOCOLS, SERIAL, board, card, energy, json as json_of, kept, poll,
    settings,
};

const ANNOUNCEMENT: &str = "homeassistant/device/kamstrup_84968362/config";
const FLOW: RegisterId = RegisterId(74);

/// What Home Assistant 2026.5 to 2026.11 accepts at each level (`components/mqtt/schemas.py`).
const ROOT: [&str; 16] = [
    "device",
    "origin",
    "components",
    "availability",
    "availability_mode",
    "availability_topic",
    "availability_template",
    "payload_available",
    "payload_not_available",
    "state_topic",
    "command_topic",
    "qos",
    "encoding",
    "message_expiry_interval",
    "dev",
    "o",
];
const DEVICE: [&str; 12] = [
    "identifiers",
    "connections",
    "name",
    "manufacturer",
    "model",
    "model_id",
    "hw_version",
    "sw_version",
    "serial_number",
    "suggested_area",
    "configuration_url",
    "via_device",
];
const ORIGIN: [&str; 3] = ["name", "sw_version", "support_url"];
/// Those of all platforms, and of each.
const COMPONENT: [&str; 15] = [
    "platform",
    "unique_id",
    "name",
    "icon",
    "entity_category",
    "enabled_by_default",
    "availability",
    "availability_mode",
    "json_attributes_topic",
    "json_attributes_template",
    "default_entity_id",
    "entity_picture",
    "qos",
    "encoding",
    "device_class",
];
const SENSOR: [&str; 8] = [
    "state_topic",
    "value_template",
    "state_class",
    "unit_of_measurement",
    "suggested_display_precision",
    "options",
    "expire_after",
    "force_update",
];
const BINARY_SENSOR: [&str; 6] = [
    "state_topic",
    "value_template",
    "payload_on",
    "payload_off",
    "off_delay",
    "expire_after",
];
const BUTTON: [&str; 4] = [
    "command_topic",
    "command_template",
    "payload_press",
    "retain",
];

async fn announced(settings: Settings, broker: &Mosquitto) -> Value {
    let listener = Listener::start(broker).await;
    let _gateway = Gateway::with(settings, board([card(SERIAL)]));
    listener.json(ANNOUNCEMENT, 0, |_| true).await
}

fn keys(object: &Value) -> Vec<&str> {
    object
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect()
}

#[tokio::test]
async fn a_403_is_announced_with_what_it_has() {
    let broker = Mosquitto::start(&Options::default());
    let mut announced = announced(settings(broker.port()), &broker).await;
    announced["origin"]["sw_version"] = json!("[version]");
    insta::assert_json_snapshot!("a_403", announced);
}

#[tokio::test]
async fn every_key_is_one_that_home_assistant_accepts() {
    let broker = Mosquitto::start(&Options::default());
    let page = Some("http://127.0.0.1:8403".to_owned());
    let settings = Settings {
        page,
        ..settings(broker.port())
    };
    let announced = announced(settings, &broker).await;
    assert!(keys(&announced).iter().all(|key| ROOT.contains(key)));
    assert!(
        keys(&announced["device"])
            .iter()
            .all(|key| DEVICE.contains(key))
    );
    assert!(
        keys(&announced["origin"])
            .iter()
            .all(|key| ORIGIN.contains(key))
    );
    for (id, component) in announced["components"].as_object().unwrap() {
        let own: &[&str] = match component["platform"].as_str().unwrap() {
            "sensor" => &SENSOR,
            "binary_sensor" => &BINARY_SENSOR,
            "button" => &BUTTON,
            other => panic!("{id} is a {other}"),
        };
        for key in keys(component) {
            assert!(
                COMPONENT.contains(&key) || own.contains(&key),
                "{id}: {key}"
            );
        }
        let unique = format!("kamstrup_{SERIAL}_{id}");
        assert_eq!(component["unique_id"], json!(unique));
    }
}

#[tokio::test]
async fn names_are_in_the_language_of_the_configuration() {
    let broker = Mosquitto::start(&Options::default());
    let announced = announced(
        Settings {
            language: Language::De,
            ..settings(broker.port())
        },
        &broker,
    )
    .await;
    let components = &announced["components"];
    assert_eq!(components["heat_energy"]["name"], "Wärmeenergie");
    assert_eq!(components["read_now"]["name"], "Jetzt lesen");
}

#[tokio::test]
async fn a_birth_is_answered_with_everything() {
    for protocol in PROTOCOLS {
        let broker = Mosquitto::start(&Options::default());
        let listener = Listener::start(&broker).await;
        let settings = Settings {
            protocol,
            ..settings(broker.port())
        };
        let mut gateway = Gateway::with(settings, board([card(SERIAL)]));
        gateway
            .deliver(&[poll(SERIAL, 1, vec![energy(1000)])])
            .await;
        listener.json(ANNOUNCEMENT, 0, |_| true).await;
        let before = listener.count();
        listener.say("homeassistant/status", "online", false).await;
        let after = listener
            .find("the state after the birth", |heard| {
                let after = heard.get(before..)?;
                let state = "heatmeter/84968362/state";
                after
                    .iter()
                    .any(|said| said.topic == state)
                    .then(|| after.to_vec())
            })
            .await;
        let topics: Vec<_> = after.iter().map(|said| said.topic.as_str()).collect();
        assert_eq!(
            topics[..4],
            [
                "homeassistant/status",
                ANNOUNCEMENT,
                "heatmeter/84968362/availability",
                "heatmeter/84968362/state",
            ]
        );
    }
}

#[tokio::test]
async fn a_register_that_is_not_read_any_more_is_removed_and_then_left_out() {
    let broker = Mosquitto::start(&Options::default());
    let listener = Listener::start(&broker).await;
    let gateway = Gateway::with(settings(broker.port()), board([card(SERIAL)]));
    let first = listener.json(ANNOUNCEMENT, 0, |_| true).await;
    assert_eq!(first["components"]["flow"]["state_class"], "measurement");

    // It is taken out of the configuration, which takes a restart.
    drop(gateway);
    listener.wait_for("heatmeter/status", "offline").await;
    let mut less = card(SERIAL);
    less.registers.retain(|id| *id != FLOW);
    less.readings.retain(|reading| reading.register != FLOW);
    let before = listener.count();
    let _gateway = Gateway::with(settings(broker.port()), board([less]));
    let removal = json!({"platform": "sensor"});
    listener
        .json(ANNOUNCEMENT, before, |said| {
            said["components"]["flow"] == removal
        })
        .await;

    // Home Assistant may have been away. It removes what it has seen since its start.
    let before = listener.count();
    listener.say("homeassistant/status", "online", false).await;
    let said = listener
        .find("the announcement without it", |heard| {
            let after = heard.get(before..)?;
            let said: Vec<_> = after
                .iter()
                .filter(|said| said.topic == ANNOUNCEMENT)
                .collect();
            let said: Vec<_> = said
                .iter()
                .map(|said| json_of(said)["components"].clone())
                .collect();
            (said.len() == 3).then_some(said)
        })
        .await;
    let revived = json!({"flow": {"platform": "sensor", "unique_id": "kamstrup_84968362_flow"}});
    assert_eq!(said[0], revived);
    assert_eq!(said[1], json!({"flow": removal}));
    assert!(said[2].get("flow").is_none() && said[2].get("power").is_some());
    let kept: Value = serde_json::from_str(&kept(&broker).await[ANNOUNCEMENT]).unwrap();
    assert!(kept["components"].get("flow").is_none());
}

#[tokio::test]
async fn a_register_without_a_reading_yet_stays_as_it_was_announced() {
    let broker = Mosquitto::start(&Options::default());
    let listener = Listener::start(&broker).await;
    let gateway = Gateway::with(settings(broker.port()), board([card(SERIAL)]));
    let first = listener.json(ANNOUNCEMENT, 0, |_| true).await;
    drop(gateway);
    listener.wait_for("heatmeter/status", "offline").await;
    let before = listener.count();
    let mut fresh = card(SERIAL);
    fresh.readings.clear();
    let _gateway = Gateway::with(settings(broker.port()), board([fresh]));
    let second = listener.json(ANNOUNCEMENT, before, |_| true).await;
    assert_eq!(first["components"], second["components"]);
}

#[tokio::test]
async fn a_value_that_does_not_count_changes_nothing_about_its_entity() {
    let broker = Mosquitto::start(&Options::default());
    let listener = Listener::start(&broker).await;
    let mut held = card(SERIAL);
    let gateway = Gateway::with(settings(broker.port()), board([held.clone()]));
    let first = listener.json(ANNOUNCEMENT, 0, |_| true).await;
    for reading in &mut held.readings {
        reading.quality = Quality::Held;
        reading.value = None;
    }
    held.name = "Cellar".to_owned();
    gateway.board.send_replace(board([held]));
    let second = listener
        .json(ANNOUNCEMENT, 0, |said| said["device"]["name"] == "Cellar")
        .await;
    assert_eq!(first["components"], second["components"]);
}

#[tokio::test]
async fn a_meter_that_is_gone_from_the_configuration_is_removed() {
    let broker = Mosquitto::start(&Options::default());
    let listener = Listener::start(&broker).await;
    let mut gateway = Gateway::with(settings(broker.port()), board([card(SERIAL)]));
    gateway
        .deliver(&[poll(SERIAL, 1, vec![energy(1000)])])
        .await;
    listener.json(ANNOUNCEMENT, 0, |_| true).await;
    drop(gateway);
    listener.wait_for("heatmeter/status", "offline").await;

    // As long as a meter has not said who it is, it may be this one.
    let mut other = board([card("11111111")]);
    other.known.insert(SERIAL.to_owned());
    other.unidentified = 1;
    let gateway = Gateway::with(settings(broker.port()), other.clone());
    let before = listener.count();
    listener
        .json("homeassistant/device/kamstrup_11111111/config", 0, |_| true)
        .await;
    assert!(
        listener.heard()[before..]
            .iter()
            .all(|said| said.topic != ANNOUNCEMENT)
    );

    other.unidentified = 0;
    gateway.board.send_replace(other);
    listener.wait_for(ANNOUNCEMENT, "").await;
    listener
        .wait_for("heatmeter/84968362/diagnostics", "")
        .await;
    let kept = kept(&broker).await;
    assert!(kept.keys().all(|topic| !topic.contains(SERIAL)), "{kept:?}");
}

#[tokio::test]
async fn a_meter_of_another_gateway_is_left_alone() {
    let broker = Mosquitto::start(&Options::default());
    let listener = Listener::start(&broker).await;
    let _first = Gateway::with(settings(broker.port()), board([card(SERIAL)]));
    listener.json(ANNOUNCEMENT, 0, |_| true).await;
    let _second = Gateway::with(settings(broker.port()), board([card("11111111")]));
    listener
        .json("homeassistant/device/kamstrup_11111111/config", 0, |_| true)
        .await;
    // Whoever comes now finds both.
    let third = Settings {
        base_topic: "other".to_owned(),
        ..settings(broker.port())
    };
    let _third = Gateway::with(third, board([card("22222222")]));
    listener
        .json("homeassistant/device/kamstrup_22222222/config", 0, |_| true)
        .await;
    let kept = kept(&broker).await;
    let devices = kept.keys().filter(|topic| topic.contains("/device/"));
    assert_eq!(devices.count(), 3, "{kept:?}");
}

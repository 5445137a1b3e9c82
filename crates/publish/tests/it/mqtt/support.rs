//! What the tests of MQTT share: meters, polls, and somebody who listens.

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use heatmeter_catalog::reading::{Content, Quality, Reading};
use heatmeter_catalog::{RegisterId, Unit, model};
use heatmeter_history::{Line, Meter, Poll, PollId, Stored};
use heatmeter_publish::mqtt::{Board, MeterCard, Past, Protocol, Service, Settings, start};
use heatmeter_publish::{DeliveryError, Destination, Known, mqtt};
use heatmeter_servers::{Heard, Mosquitto, Said, Subscriber, say};
use jiff::Timestamp;
use kamstrup_kmp::{Decimal, Verdict};
use serde_json::Value;
use tokio::sync::watch;
use tokio::{task, time};

pub(super) const SERIAL: &str = "84968362";
pub(super) const PROTOCOLS: [Protocol; 2] = [Protocol::V5, Protocol::V3];

/// By when something happens on a busy machine, or never does.
const LIMIT: Duration = Duration::from_mins(2);

/// A gateway's side of MQTT.
pub(super) struct Gateway {
    pub(super) mqtt: mqtt::Mqtt,
    pub(super) service: Service,
    pub(super) board: watch::Sender<Board>,
}

impl Gateway {
    pub(super) fn start(settings: Settings) -> Self {
        Self::with(settings, Board::default())
    }

    pub(super) fn with(settings: Settings, board: Board) -> Self {
        let board = watch::Sender::new(board);
        let (mqtt, service) = start(settings, board.subscribe(), Past::default()).unwrap();
        Self {
            mqtt,
            service,
            board,
        }
    }

    pub(super) async fn deliver(&mut self, polls: &[Stored]) {
        self.try_to_deliver(polls).await.unwrap();
    }

    pub(super) async fn try_to_deliver(&mut self, polls: &[Stored]) -> Result<(), DeliveryError> {
        let meters = Known::from([(SERIAL.to_owned(), Arc::new(meter(SERIAL)))]);
        self.mqtt.deliver(polls, &meters).await
    }
}

pub(super) fn settings(port: u16) -> Settings {
    Settings {
        port: Some(port),
        ..Settings::new("127.0.0.1")
    }
}

pub(super) fn meter(serial: &str) -> Meter {
    Meter {
        serial: serial.to_owned(),
        model: Some("MULTICAL 403".to_owned()),
        type_code: Some(0x0803),
        software: Some("G1".to_owned()),
    }
}

/// A card with what a 403 reads by default, all of it good.
pub(super) fn card(serial: &str) -> MeterCard {
    let model = model("403").unwrap();
    let registers: Vec<_> = model
        .known_registers()
        .filter(|register| model.shows(register))
        .collect();
    MeterCard {
        meter: Arc::new(meter(serial)),
        name: "House".to_owned(),
        model: Some(model),
        registers: registers.iter().map(|register| register.id).collect(),
        readings: registers
            .iter()
            .map(|register| {
                let unit = model.units(register).first().copied();
                let unit = unit.unwrap_or(Unit::NUMBER);
                let content = match register.home_assistant.device_class {
                    Some("date") => Content::Text("2026-11-22".to_owned()),
                    _ => Content::Number(Decimal::new(1234, -2)),
                };
                reading(register.id.0, unit, content)
            })
            .collect(),
        verdict: Some(Verdict::Ok),
    }
}

pub(super) fn board(cards: impl IntoIterator<Item = MeterCard>) -> Board {
    let meters: Vec<_> = cards.into_iter().map(Arc::new).collect();
    Board {
        known: meters
            .iter()
            .map(|card| card.meter.serial.clone())
            .collect(),
        meters,
        starting: 0,
        unidentified: 0,
    }
}

pub(super) fn reading(register: u16, unit: Unit, value: Content) -> Reading {
    Reading {
        register: RegisterId(register),
        value: Some(value),
        unit: Some(unit),
        quality: Quality::Good,
        reason: None,
    }
}

pub(super) fn energy(mantissa: i128) -> Reading {
    reading(60, Unit::GJ, Content::Number(Decimal::new(mantissa, -3)))
}

/// The polls of a meter come every ten seconds.
pub(super) fn poll(serial: &str, number: i64, readings: Vec<Reading>) -> Stored {
    Stored {
        id: PollId(number),
        poll: Poll {
            serial: serial.to_owned(),
            at: Timestamp::from_second(1_795_651_200 + number * 10).unwrap(),
            verdict: Verdict::Ok,
            readings,
            line: Line {
                requests: 2,
                took: Duration::from_millis(1190),
                ..Line::default()
            },
        },
    }
}

pub(super) fn failed(serial: &str, number: i64, verdict: Verdict) -> Stored {
    let mut stored = poll(serial, number, Vec::new());
    stored.poll.verdict = verdict;
    stored
}

/// What was said, as JSON.
pub(super) fn json(said: &Said) -> Value {
    serde_json::from_str(&said.payload).unwrap()
}

/// Somebody who listens to everything, for as long as it takes, and can say something, too.
pub(super) struct Listener {
    port: u16,
    heard: watch::Receiver<Vec<Said>>,
    /// How often a subscription was accepted.
    subscribed: watch::Receiver<u32>,
    _subscriber: Subscriber,
}

impl Listener {
    pub(super) async fn start(broker: &Mosquitto) -> Self {
        let port = broker.port();
        let (hear, heard) = watch::channel(Vec::new());
        let (count, subscribed) = watch::channel(0);
        let ear = Subscriber::start(port, move |heard| match heard {
            Heard::Said(said) => hear.send_modify(|heard| heard.push(said)),
            Heard::Subscribed => count.send_modify(|count| *count += 1),
        });
        let mut listener = Self {
            port,
            heard,
            subscribed,
            _subscriber: ear,
        };
        listener.wait_for_subscription(1).await;
        listener
    }

    pub(super) async fn wait_for_subscription(&mut self, count: u32) {
        let wait = self.subscribed.wait_for(|so_far| *so_far >= count);
        time::timeout(LIMIT, wait).await.unwrap().unwrap();
    }

    /// Waits until something can be found in what was heard.
    pub(super) async fn find<T>(&self, what: &str, look: impl Fn(&[Said]) -> Option<T>) -> T {
        let mut heard = self.heard.clone();
        let search = async {
            loop {
                if let Some(found) = look(&heard.borrow_and_update()) {
                    return found;
                }
                heard.changed().await.unwrap();
            }
        };
        let Ok(found) = time::timeout(LIMIT, search).await else {
            panic!("never heard: {what}; but {:#?}", self.heard.borrow());
        };
        found
    }

    /// Waits until this was said last of a topic.
    pub(super) async fn wait_for(&self, topic: &str, payload: &str) {
        self.find(&format!("{payload} on {topic}"), |heard| {
            let last = heard.iter().rev().find(|said| said.topic == topic)?;
            (last.payload == payload).then_some(())
        })
        .await;
    }

    /// The first JSON on a topic that fits, of what comes after so many others.
    pub(super) async fn json(
        &self,
        topic: &str,
        after: usize,
        fits: impl Fn(&Value) -> bool,
    ) -> Value {
        self.find(topic, |heard| {
            heard
                .iter()
                .skip(after)
                .filter(|said| said.topic == topic && !said.payload.is_empty())
                .map(json)
                .find(&fits)
        })
        .await
    }

    /// How much was heard.
    pub(super) fn count(&self) -> usize {
        self.heard.borrow().len()
    }

    pub(super) fn heard(&self) -> Vec<Said> {
        self.heard.borrow().clone()
    }

    pub(super) async fn say(&self, topic: &str, payload: &str, retain: bool) {
        let (port, topic, payload) = (self.port, topic.to_owned(), payload.to_owned());
        let saying = task::spawn_blocking(move || say(port, &topic, &payload, retain));
        saying.await.unwrap();
    }
}

/// What a newcomer hears: what the broker keeps.
pub(super) async fn kept(broker: &Mosquitto) -> BTreeMap<String, String> {
    let listener = Listener::start(broker).await;
    // What is kept comes before what is said later.
    listener.say("end", "", false).await;
    listener
        .find("the end", |heard| {
            heard.iter().any(|said| said.topic == "end").then_some(())
        })
        .await;
    let heard = listener.heard().into_iter();
    heard
        .filter(|said| said.retained)
        .map(|said| (said.topic, said.payload))
        .collect()
}

/// Waits for what must come soon.
pub(super) async fn soon<T>(what: impl Future<Output = T>) -> T {
    time::timeout(LIMIT, what).await.unwrap()
}

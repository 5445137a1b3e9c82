//! What the tests of MQTT share: meters, polls, and somebody who listens.

use std::collections::BTreeMap;
use std::future::Future;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use heatmeter_catalog::reading::{Content, Quality, Reading};
use heatmeter_catalog::{RegisterId, Unit, model};
use heatmeter_history::{Line, Meter, Poll, PollId, Stored};
use heatmeter_publish::mqtt::{Board, MeterCard, Past, Protocol, Service, Settings, start};
use heatmeter_publish::{DeliveryError, Destination, Known, mqtt};
use heatmeter_servers::Mosquitto;
use jiff::Timestamp;
use kamstrup_kmp::{Decimal, Verdict};
use rumqttc_v5::{AsyncClient, MqttOptions, PublishOptions, QoS};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time;

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

/// Something heard.
#[derive(Clone, Debug)]
pub(super) struct Said {
    pub(super) topic: String,
    pub(super) payload: String,
    pub(super) retained: bool,
}

impl Said {
    pub(super) fn json(&self) -> Value {
        serde_json::from_str(&self.payload).unwrap()
    }
}

/// Somebody who listens to everything, for as long as it takes, and can say something, too.
pub(super) struct Listener {
    client: AsyncClient,
    heard: watch::Receiver<Vec<Said>>,
    /// How often a subscription was accepted.
    subscribed: watch::Receiver<u32>,
    _tasks: JoinSet<()>,
}

impl Listener {
    pub(super) async fn start(broker: &Mosquitto) -> Self {
        let port = broker.port();
        let (hear, heard) = watch::channel(Vec::new());
        let (count, subscribed) = watch::channel(0);
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            loop {
                // Whatever ends the connection: what arrived before was heard.
                drop(listen(port, &hear, &count).await);
                time::sleep(Duration::from_millis(20)).await;
            }
        });
        let options = MqttOptions::new("", ("127.0.0.1", port));
        let (client, mut line) = AsyncClient::builder(options).capacity(16).build();
        tasks.spawn(async move {
            loop {
                if line.poll().await.is_err() {
                    time::sleep(Duration::from_millis(20)).await;
                }
            }
        });
        let mut listener = Self {
            client,
            heard,
            subscribed,
            _tasks: tasks,
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
                .map(Said::json)
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
        let options = PublishOptions::new(QoS::AtLeastOnce).retain(retain);
        let notice = self
            .client
            .publish_tracked(topic, payload.to_owned(), options)
            .await
            .unwrap();
        notice.wait_completion_async().await.unwrap();
    }
}

/// One connection of a listener, in the few bytes of MQTT 3.1.1 that it takes. A client would drop what
/// it has read when it finds the connection broken, and nobody must miss anything here: what mosquitto
/// hands on with quality of service 0 before it acknowledges arrives, even if it is then killed.
async fn listen(
    port: u16,
    hear: &watch::Sender<Vec<Said>>,
    count: &watch::Sender<u32>,
) -> io::Result<()> {
    const CONNECT: &[u8] = b"\x10\x0c\x00\x04MQTT\x04\x02\x00\x00\x00\x00";
    const SUBSCRIBE_TO_ALL: &[u8] = b"\x82\x06\x00\x01\x00\x01#\x00";
    const PUBLISH: u8 = 3;
    const SUBACK: u8 = 9;
    let mut stream = BufReader::new(TcpStream::connect(("127.0.0.1", port)).await?);
    stream.write_all(CONNECT).await?;
    stream.write_all(SUBSCRIBE_TO_ALL).await?;
    loop {
        let first = stream.read_u8().await?;
        let mut length = 0;
        for shift in [0, 7, 14, 21] {
            let byte = stream.read_u8().await?;
            length |= usize::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                break;
            }
        }
        let mut body = vec![0; length];
        stream.read_exact(&mut body).await?;
        match first >> 4 {
            PUBLISH => {
                let topic = usize::from(u16::from_be_bytes([body[0], body[1]]));
                let payload = body.split_off(2 + topic);
                hear.send_modify(|heard| {
                    heard.push(Said {
                        topic: String::from_utf8(body.split_off(2)).unwrap(),
                        payload: String::from_utf8(payload).unwrap(),
                        retained: first & 1 == 1,
                    });
                });
            }
            SUBACK => count.send_modify(|count| *count += 1),
            _ => {}
        }
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

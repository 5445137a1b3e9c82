//! MQTT: the state of each meter, announced to Home Assistant, and the command to read now.
//!
//! One connection serves two: the [`Mqtt`] destination, which delivers polls in order and waits for
//! the broker to acknowledge each, and a task that keeps telling what is true now: who is there, and
//! what each meter has. The topics are described in `docs/mqtt.md`.

mod announcer;
mod board;
mod commands;
mod discovery;
mod link;
mod names;
mod settings;
mod state;
mod topics;
mod trouble;
mod version;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use heatmeter_history::{History, HistoryError, Stored};
use tokio::sync::{Mutex, Notify, mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::{self, Instant};

use self::announcer::{Announcer, Delivered, Kept};
use self::commands::Commands;
use self::link::{Keeper, Link};
use self::state::Known;
use self::topics::Topics;
use self::version::{Heard, Message, V3, V5};
use crate::{DeliveryError, Destination, tls};

pub use self::board::{Board, MeterCard};
pub use self::settings::{Protocol, Settings, Tls};

/// How long the farewell may take.
const FAREWELL: Duration = Duration::from_secs(2);

/// Connects to a broker and stays connected. Wrong certificate files are an error at once; a broker
/// that is not there is tried again and again.
///
/// It must be called within a tokio runtime.
///
/// The board is what the gateway knows of its meters at any time, and what was delivered before comes
/// from [`Past::of`].
pub fn start(
    settings: Settings,
    board: watch::Receiver<Board>,
    past: Past,
) -> Result<(Mqtt, Service), DeliveryError> {
    let tls = settings.client_config()?;
    let topics = Topics::new(&settings);
    let delivered: Delivered = Arc::new(Mutex::new(past.0));
    let (mut commands, orders) = Commands::new(board.clone());
    let (keep, kept) = mpsc::unbounded_channel();
    let births = Arc::new(Notify::new());

    let hear = {
        let (topics, births) = (topics.clone(), Arc::clone(&births));
        move |heard: Heard| {
            if let Some(meter) = topics.commanded(&heard.topic) {
                commands.take(meter, heard.retained, Instant::now());
            } else if heard.topic == topics.birth() && heard.payload == b"online" {
                births.notify_one();
            } else if let Some(meter) = topics.announced(&heard.topic).filter(|_| heard.retained) {
                let kept = Kept {
                    meter: meter.to_owned(),
                    payload: heard.payload,
                };
                // Without an announcer there is nobody to tell.
                drop(keep.send(kept));
            }
        }
    };
    let (keeper, link) = Keeper::new(settings.clone(), tls, hear);
    let announcer = Announcer::new(
        settings.clone(),
        board.clone(),
        Arc::clone(&delivered),
        kept,
        births,
    );
    let service = Service {
        orders,
        link: link.clone(),
        topics: topics.clone(),
        keeper: Task(tokio::spawn(keeper.run())),
        announcer: Task(tokio::spawn(announcer.run(link.clone()))),
    };
    let mqtt = Mqtt {
        settings,
        topics,
        link,
        board,
        delivered,
    };
    Ok((mqtt, service))
}

/// The connection. Dropping it breaks it off, and the broker then says that we are gone.
#[derive(Debug)]
pub struct Service {
    orders: mpsc::Receiver<String>,
    link: Link,
    topics: Topics,
    keeper: Task,
    announcer: Task,
}

impl Service {
    /// The serial number of the next meter that somebody wants to be read now; nothing once the connection
    /// is no longer kept, or nothing is announced any more, which does not come of itself.
    pub async fn next_order(&mut self) -> Option<String> {
        if self.keeper.0.is_finished() || self.announcer.0.is_finished() {
            return None;
        }
        tokio::select! {
            serial = self.orders.recv() => serial,
            _ = &mut self.keeper.0 => None,
            _ = &mut self.announcer.0 => None,
        }
    }

    /// Says goodbye. What was delivered stays with the broker.
    pub async fn close(mut self) {
        self.announcer.0.abort();
        let goodbye = Message::retained(self.topics.status(), "offline");
        let farewell = async {
            if let Some(session) = self.link.session_after(None).await {
                // Whether it arrives or not, we go.
                drop(session.say(goodbye).await.acknowledged().await);
            }
            self.link.leave().await;
            if !self.keeper.0.is_finished() {
                drop((&mut self.keeper.0).await);
            }
        };
        // A broker that is away is left without a word; it has our will.
        drop(time::timeout(FAREWELL, farewell).await);
    }
}

/// A task that ends with its owner.
#[derive(Debug)]
struct Task(JoinHandle<()>);

impl Drop for Task {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// The destination of polls.
#[derive(Debug)]
pub struct Mqtt {
    settings: Settings,
    topics: Topics,
    link: Link,
    board: watch::Receiver<Board>,
    delivered: Delivered,
}

impl Destination for Mqtt {
    async fn deliver(
        &mut self,
        polls: &[Stored],
        meters: &crate::Known,
    ) -> Result<(), DeliveryError> {
        let session = self.link.session().await?;
        // Before that, nobody knows which registers are read.
        let board = match self.board.wait_for(|board| board.starting == 0).await {
            Ok(board) => board.clone(),
            Err(_) => return Err(trouble::closed()),
        };
        let mut delivered = self.delivered.lock().await;
        // Should the connection break, all of them are delivered again, as of before.
        let mut after: BTreeMap<String, Known> = BTreeMap::new();
        let mut pending = Vec::new();
        for Stored { poll, .. } in polls {
            let known = after
                .entry(poll.serial.clone())
                .or_insert_with(|| delivered.get(&poll.serial).cloned().unwrap_or_default());
            let read = board.registers(&poll.serial);
            known.take(poll, meters.get(&poll.serial), read);
            // There is a state: a poll was taken.
            let payload = known.state().unwrap_or_default();
            let message = Message::retained(self.topics.state(&poll.serial), payload);
            pending.push((message.topic.clone(), session.say(message).await));
        }
        for (serial, known) in &after {
            let payload = known.diagnostics(self.settings.language);
            let topic = self.topics.diagnostics(serial);
            let message = Message::retained(topic, payload.unwrap_or_default());
            pending.push((message.topic.clone(), session.say(message).await));
        }
        for (topic, pending) in pending {
            pending
                .acknowledged()
                .await
                .map_err(|refused| trouble::of_refusal(refused, &topic, &self.settings))?;
        }
        for known in after.values_mut() {
            known.deliver_on(session.number());
        }
        delivered.extend(after);
        Ok(())
    }

    async fn test(&mut self) -> Result<(), DeliveryError> {
        self.settings.test().await
    }

    async fn standing(&mut self) -> Result<(), DeliveryError> {
        self.link.news().await
    }
}

impl Settings {
    /// Connects and proves that it may write, without leaving anything behind: the button "test".
    pub async fn test(&self) -> Result<(), DeliveryError> {
        let tls = self.client_config()?;
        match self.protocol {
            Protocol::V5 => link::try_out::<V5>(self, tls).await,
            Protocol::V3 => link::try_out::<V3>(self, tls).await,
        }
    }

    /// Finds certificate files that cannot be used, without connecting.
    pub fn check(&self) -> Result<(), DeliveryError> {
        self.client_config().map(drop)
    }

    fn client_config(&self) -> Result<Option<Arc<rustls::ClientConfig>>, DeliveryError> {
        let Some(tls) = &self.tls else {
            return Ok(None);
        };
        let identity = tls.identity.as_ref();
        let identity = identity.map(|(cert, key)| (cert.as_path(), key.as_path()));
        tls::client_config(tls.ca_file.as_deref(), identity).map(Some)
    }
}

/// What was delivered before a restart: of each meter the last poll, and what earlier ones said.
#[derive(Debug, Default)]
pub struct Past(BTreeMap<String, Known>);

impl Past {
    /// Reads it from the history: what this place has acknowledged.
    pub async fn of(history: &History, place: &str) -> Result<Self, HistoryError> {
        let oldest = history.pending(place, false, 1).await?.into_iter().next();
        let mut past = BTreeMap::new();
        for meter in history.meters().await? {
            let serial = meter.serial.clone();
            let newest = history.newest(&serial).await?;
            // What waits is told when it is delivered, in its turn.
            let (latest, newest) = match &oldest {
                Some(oldest) => (
                    history.latest_before(&serial, oldest).await?,
                    newest.filter(|newest| newest.id < oldest.id),
                ),
                None => (history.latest(&serial).await?, newest),
            };
            let mut known = Known::earlier(meter, latest);
            if let Some(newest) = newest {
                known.take(&newest.poll, None, None);
            }
            past.insert(serial, known);
        }
        Ok(Self(past))
    }
}

#[cfg(test)]
mod tests {
    use heatmeter_catalog::RegisterId;
    use heatmeter_catalog::reading::{Content, Quality, Reading};
    use heatmeter_history::{Line, Poll, PollId, Settings};
    use jiff::Timestamp;
    use kamstrup_kmp::{Decimal, Unit, Verdict};
    use serde_json::{Value, json};

    use super::*;

    const ENERGY: RegisterId = RegisterId(60);
    const POWER: RegisterId = RegisterId(80);

    struct Place {
        history: History,
        _folder: tempfile::TempDir,
    }

    impl Place {
        async fn new() -> Self {
            let folder = tempfile::tempdir().unwrap();
            let file = folder.path().join("history.db");
            let (history, _) = History::open(&file, Settings::default()).await.unwrap();
            // The place is known before its first poll.
            history.pending("mqtt", false, 1).await.unwrap();
            Self {
                history,
                _folder: folder,
            }
        }

        async fn record(&self, second: i64, readings: &[(RegisterId, i128)]) -> PollId {
            let readings = readings.iter().map(|(register, number)| Reading {
                value: Some(Content::Number(Decimal::new(*number, 0))),
                unit: Some(Unit::KWH),
                ..Reading::without(*register, Quality::Good)
            });
            let poll = Poll {
                serial: "7".to_owned(),
                at: Timestamp::from_second(second).unwrap(),
                verdict: Verdict::Ok,
                readings: readings.collect(),
                line: Line::default(),
            };
            self.history.record(poll).await.unwrap()
        }

        async fn past(&self) -> Known {
            let past = Past::of(&self.history, "mqtt").await.unwrap();
            past.0["7"].clone()
        }
    }

    fn state(known: &Known) -> Value {
        serde_json::from_str(&known.state().unwrap()).unwrap()
    }

    #[tokio::test]
    async fn after_a_restart_all_that_was_delivered_is_known() {
        let place = Place::new().await;
        place.record(1, &[(ENERGY, 10), (POWER, 1)]).await;
        let last = place.record(2, &[(POWER, 2)]).await;
        place.history.acknowledge("mqtt", last).await.unwrap();
        let expected = json!({
            "heat_energy": 10, "power": 2, "read_at": "1970-01-01T00:00:02Z", "verdict": "ok", "id": "7-2000",
        });
        assert_eq!(state(&place.past().await), expected);
    }

    #[tokio::test]
    async fn what_waits_is_not_told_before_its_turn() {
        let place = Place::new().await;
        let delivered = place.record(1, &[(ENERGY, 10), (POWER, 1)]).await;
        place.history.acknowledge("mqtt", delivered).await.unwrap();
        place.record(2, &[(POWER, 2)]).await;
        place.record(3, &[(ENERGY, 30)]).await;
        let mut known = place.past().await;
        assert_eq!(known.state(), None, "it is retained at the broker already");
        let waiting = place.history.pending("mqtt", false, 1).await.unwrap();
        known.take(&waiting[0].poll, None, None);
        let expected = json!({
            "heat_energy": 10, "power": 2, "read_at": "1970-01-01T00:00:02Z", "verdict": "ok", "id": "7-2000",
        });
        assert_eq!(state(&known), expected);
    }

    #[tokio::test]
    async fn without_a_meter_there_is_no_past() {
        let place = Place::new().await;
        let past = Past::of(&place.history, "mqtt").await.unwrap();
        assert!(past.0.is_empty());
    }
}

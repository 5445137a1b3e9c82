//! The destinations at work: a supplier for each, and the broker's board.

use std::collections::BTreeMap;

use heatmeter_history::History;
use heatmeter_publish::influx::Influx;
use heatmeter_publish::postgres::Postgres;
use heatmeter_publish::webhook::Webhook;
use heatmeter_publish::{
    DeliveryError, Destination, Place, Supplier, influx, mqtt, postgres, webhook,
};

use super::boards::Boards;
use crate::clock::Clock;
use crate::config::{Config, Named};
use crate::hub::{Event, Hub, Supply};

/// The broker's place in the outbox.
const MQTT: &str = "mqtt";

#[derive(Debug)]
pub(super) struct Destinations {
    hub: Hub,
    history: History,
    clock: Clock,
    running: BTreeMap<String, Running>,
}

#[derive(Debug)]
struct Running {
    settings: Settings,
    supplier: Supplier,
    /// Tells the web when something has changed.
    teller: tokio::task::JoinHandle<()>,
    broker: Option<Boards>,
}

/// The settings of one destination, to be compared with later ones.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Settings {
    Mqtt(Box<mqtt::Settings>),
    Influx(influx::Settings),
    Postgres(postgres::Settings),
    Webhook(webhook::Settings),
}

impl Settings {
    fn kind(&self) -> &'static str {
        match self {
            Self::Mqtt(_) => "mqtt",
            Self::Influx(_) => "influx",
            Self::Postgres(_) => "postgres",
            Self::Webhook(_) => "webhook",
        }
    }
}

impl Destinations {
    pub(super) fn new(hub: &Hub, history: &History, clock: Clock) -> Self {
        Self {
            hub: hub.clone(),
            history: history.clone(),
            clock,
            running: BTreeMap::new(),
        }
    }

    /// Supplies what the configuration names; what is unchanged is not touched.
    pub(super) async fn apply(&mut self, config: &Config) {
        let wanted = wanted(config);
        let ending: Vec<_> = self
            .running
            .extract_if(.., |name, running| {
                wanted.get(name) != Some(&running.settings)
            })
            .collect();
        for (_, running) in ending {
            running.stop().await;
        }
        self.forget(&wanted).await;
        for (name, settings) in wanted {
            if self.running.contains_key(&name) {
                continue;
            }
            self.begin(&name, settings).await;
        }
        self.tell();
    }

    /// Starts again whatever has ended by itself, which nothing does.
    pub(super) async fn look(&mut self) {
        let ended: Vec<_> = self
            .running
            .extract_if(.., |_, running| running.has_ended())
            .collect();
        let is_news = !ended.is_empty();
        for (name, running) in ended {
            tracing::error!(
                name,
                "a destination ended and is started again; please report this"
            );
            let settings = running.settings.clone();
            running.stop().await;
            self.begin(&name, settings).await;
        }
        if is_news {
            self.tell();
        }
    }

    pub(super) async fn stop(&mut self) {
        for running in std::mem::take(&mut self.running).into_values() {
            running.stop().await;
        }
    }

    async fn begin(&mut self, name: &str, settings: Settings) {
        match self.start(name, settings).await {
            Ok(running) => {
                self.running.insert(name.to_owned(), running);
            }
            // The configuration was checked; what changed since then is told.
            Err(error) => tracing::error!(name, help = error.help, "{error}"),
        }
    }

    /// A place that is no longer named holds nothing back.
    async fn forget(&self, wanted: &BTreeMap<String, Settings>) {
        for (place, _) in self.history.places().await.unwrap_or_default() {
            if wanted.contains_key(&place) {
                continue;
            }
            match self.history.forget_place(&place).await {
                Ok(()) => tracing::info!(place, "no longer a destination; its outbox is forgotten"),
                Err(error) => tracing::warn!(place, %error, "cannot forget a destination"),
            }
        }
    }

    fn tell(&self) {
        let supplies = self.running.iter().map(|(name, running)| Supply {
            name: name.clone(),
            kind: running.settings.kind(),
            progress: running.supplier.progress(),
        });
        self.hub.set_supplies(supplies.collect());
    }

    async fn start(&self, name: &str, settings: Settings) -> Result<Running, DeliveryError> {
        let mut broker = None;
        let supplier = match settings.clone() {
            Settings::Mqtt(settings) => {
                let past = mqtt::Past::of(&self.history, name)
                    .await
                    .unwrap_or_default();
                let boards = Boards::start(&self.hub, &self.history);
                let (destination, service) = mqtt::start(*settings, boards.watch(), past)?;
                broker = Some(boards.with(service));
                self.supply(name, destination).await
            }
            Settings::Influx(settings) => self.supply(name, Influx::new(settings)?).await,
            Settings::Postgres(settings) => self.supply(name, Postgres::new(&settings)?).await,
            Settings::Webhook(settings) => self.supply(name, Webhook::new(settings)?).await,
        };
        let (hub, mut progress) = (self.hub.clone(), supplier.progress());
        let teller = tokio::spawn(async move {
            while progress.changed().await.is_ok() {
                hub.announce(Event::Status);
            }
        });
        Ok(Running {
            settings,
            supplier,
            teller,
            broker,
        })
    }

    async fn supply(&self, name: &str, destination: impl Destination) -> Supplier {
        let clock = self.clock;
        let place = Place::new(name);
        Supplier::start(self.history.clone(), place, destination, move || {
            clock.now()
        })
        .await
    }
}

impl Running {
    fn has_ended(&self) -> bool {
        self.supplier.has_ended() || self.broker.as_ref().is_some_and(Boards::has_ended)
    }

    async fn stop(self) {
        self.supplier.stop().await;
        if let Some(broker) = self.broker {
            broker.stop().await;
        }
        self.teller.abort();
    }
}

fn wanted(config: &Config) -> BTreeMap<String, Settings> {
    fn all<T: Clone>(
        named: &[Named<T>],
        settings: impl Fn(T) -> Settings,
    ) -> impl Iterator<Item = (String, Settings)> {
        let all = named
            .iter()
            .map(|named| (named.name.clone(), settings(named.settings.clone())));
        all.collect::<Vec<_>>().into_iter()
    }
    let mqtt = config
        .mqtt
        .clone()
        .map(|settings| (MQTT.to_owned(), Settings::Mqtt(Box::new(settings))));
    mqtt.into_iter()
        .chain(all(&config.influx, Settings::Influx))
        .chain(all(&config.postgres, Settings::Postgres))
        .chain(all(&config.webhooks, Settings::Webhook))
        .collect()
}

//! The connection to the broker: made, kept, made again.
//!
//! Every connection begins without a session, and nothing is said before the broker has accepted the
//! subscriptions: whoever hears that we are there can give us commands. What is under way when a
//! connection breaks is lost for whoever said it, who then says it again; nothing of an old
//! connection is said on a new one.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::sync::Arc;
use std::time::Duration;

use rustls::ClientConfig;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time;
use tracing::{info, warn};

use super::settings::{Protocol, Settings};
use super::topics::Topics;
use super::trouble;
use super::version::{Event, Heard, Message, Refused, V3, V5, Version};
use crate::DeliveryError;

/// The first pause after a connection broke; each further one is twice as long.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
/// The longest pause.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// How many messages may wait for the connection to take them.
const WAITING: usize = 64;

/// For whoever has something to say. Clones use the same connection.
#[derive(Clone, Debug)]
pub(super) struct Link {
    state: watch::Receiver<State>,
    orders: mpsc::Sender<Order>,
}

/// A connection that stands, or stood a moment ago.
#[derive(Clone, Debug)]
pub(super) struct Session {
    number: u64,
    orders: mpsc::Sender<Order>,
}

/// Something said that the broker has not acknowledged yet.
#[derive(Debug)]
pub(super) struct Pending(oneshot::Receiver<Result<(), Refused>>);

/// How the connection is.
#[derive(Clone, Debug, PartialEq, Eq)]
enum State {
    /// The first attempt is under way.
    Beginning,
    /// It stands; connections are counted.
    Up(u64),
    /// It does not; attempts are counted, too.
    Down(u64, DeliveryError),
}

#[derive(Debug)]
enum Order {
    Say {
        /// The connection it is meant for.
        session: u64,
        message: Message,
        done: oneshot::Sender<Result<(), Refused>>,
    },
    Leave,
}

impl Link {
    /// Waits until the connection stands, or until another attempt has failed.
    pub(super) async fn session(&mut self) -> Result<Session, DeliveryError> {
        let mut failed = match &*self.state.borrow_and_update() {
            State::Down(attempt, _) => Some(*attempt),
            _ => None,
        };
        loop {
            match &*self.state.borrow_and_update() {
                State::Up(number) => {
                    return Ok(Session {
                        number: *number,
                        orders: self.orders.clone(),
                    });
                }
                State::Down(attempt, trouble) if failed != Some(*attempt) => {
                    return Err(trouble.clone());
                }
                State::Down(attempt, _) => failed = Some(*attempt),
                State::Beginning => {}
            }
            if self.state.changed().await.is_err() {
                return Err(trouble::closed());
            }
        }
    }

    /// Waits until the connection stands or has failed, since that was last looked at.
    pub(super) async fn news(&mut self) -> Result<(), DeliveryError> {
        loop {
            if self.state.changed().await.is_err() {
                // Whoever waits is told to stop.
                return std::future::pending().await;
            }
            match &*self.state.borrow_and_update() {
                State::Up(_) => return Ok(()),
                State::Down(_, trouble) => return Err(trouble.clone()),
                State::Beginning => {}
            }
        }
    }

    /// Waits for the next connection that stands, after this one.
    pub(super) async fn session_after(&mut self, last: Option<u64>) -> Option<Session> {
        loop {
            if let State::Up(number) = &*self.state.borrow_and_update()
                && Some(*number) != last
            {
                return Some(Session {
                    number: *number,
                    orders: self.orders.clone(),
                });
            }
            self.state.changed().await.ok()?;
        }
    }

    /// Says goodbye to the broker: the line ends when it has.
    pub(super) async fn leave(&self) {
        // Nobody there is fine, too.
        drop(self.orders.send(Order::Leave).await);
    }
}

impl Session {
    /// Which connection it is.
    pub(super) fn number(&self) -> u64 {
        self.number
    }

    /// Says something. In order, and acknowledged later.
    pub(super) async fn say(&self, message: Message) -> Pending {
        let (done, pending) = oneshot::channel();
        let order = Order::Say {
            session: self.number,
            message,
            done,
        };
        // If nobody takes it, nobody answers: it is lost.
        drop(self.orders.send(order).await);
        Pending(pending)
    }
}

impl Pending {
    /// Waits until the broker has acknowledged it.
    pub(super) async fn acknowledged(self) -> Result<(), Refused> {
        self.0.await.unwrap_or(Err(Refused::Lost))
    }
}

/// Keeps a connection until told to leave. Runs as a task of its own.
pub(super) struct Keeper {
    settings: Settings,
    tls: Option<Arc<ClientConfig>>,
    id: String,
    state: watch::Sender<State>,
    orders: mpsc::Receiver<Order>,
    heard: Box<dyn FnMut(Heard) + Send>,
}

impl Keeper {
    /// What is heard is handed to a function that must not wait.
    pub(super) fn new(
        settings: Settings,
        tls: Option<Arc<ClientConfig>>,
        heard: impl FnMut(Heard) + Send + 'static,
    ) -> (Self, Link) {
        let (state, watched) = watch::channel(State::Beginning);
        let (sender, orders) = mpsc::channel(WAITING);
        let keeper = Self {
            id: client_id(),
            settings,
            tls,
            state,
            orders,
            heard: Box::new(heard),
        };
        let link = Link {
            state: watched,
            orders: sender,
        };
        (keeper, link)
    }

    pub(super) async fn run(self) {
        match self.settings.protocol {
            Protocol::V5 => self.keep::<V5>().await,
            Protocol::V3 => self.keep::<V3>().await,
        }
    }

    async fn keep<V: Version>(mut self) {
        let mut pause = FIRST_PAUSE;
        let mut last_trouble = None;
        for attempt in 1.. {
            let end = self.connection::<V>(attempt).await;
            let Some(trouble) = end else {
                return;
            };
            if matches!(*self.state.borrow(), State::Up(_)) {
                pause = FIRST_PAUSE;
                last_trouble = None;
            }
            if last_trouble.as_ref() != Some(&trouble) {
                warn!("MQTT: {trouble}. {}", trouble.help);
            }
            self.state
                .send_replace(State::Down(attempt, trouble.clone()));
            last_trouble = Some(trouble);
            time::sleep(pause).await;
            pause = LONGEST_PAUSE.min(pause * 2);
        }
    }

    /// One connection from its beginning to its end: what ended it, or nothing if we left.
    async fn connection<V: Version>(&mut self, number: u64) -> Option<DeliveryError> {
        let topics = Topics::new(&self.settings);
        let will = Message::retained(topics.status(), "offline");
        let (client, mut line) = V::open(&self.settings, &self.id, self.tls.clone(), Some(will));
        let (connected, is_connected) = oneshot::channel();
        let mut connected = Some(connected);
        let Self {
            settings,
            state,
            orders,
            heard,
            ..
        } = self;
        let is_leaving = watch::Sender::new(false);

        let listen = async {
            loop {
                match V::next(&mut line).await {
                    Ok(Event::Connected) => drop(connected.take().map(|told| told.send(()))),
                    Ok(Event::Heard(said)) => heard(said),
                    Ok(Event::Other) => {}
                    Err(_) if *is_leaving.borrow() => return None,
                    Err(broken) => return Some(trouble::of(broken, settings)),
                }
            }
        };
        let speak = async {
            // Nobody is told anything before the line says that it is connected.
            if is_connected.await.is_err() {
                return std::future::pending().await;
            }
            let filters = topics.subscriptions(settings.discovery);
            match V::subscribe(&client, &filters).await {
                // The line knows why.
                Err(_) => return std::future::pending().await,
                Ok(refused) => {
                    if let Some(trouble) = trouble::of_subscriptions(&refused, &topics, settings) {
                        return Some(trouble);
                    }
                }
            }
            info!("MQTT: connected to {}", settings.broker());
            state.send_replace(State::Up(number));
            while let Some(order) = orders.recv().await {
                match order {
                    Order::Say {
                        session,
                        message,
                        done,
                    } if session == number => match V::publish(&client, message).await {
                        Ok(notice) => drop(tokio::spawn(async move {
                            // Whoever said it may not wait for the answer.
                            drop(done.send(V::acknowledged(notice).await));
                        })),
                        Err(refused) => drop(done.send(Err(refused))),
                    },
                    // Meant for another connection: lost.
                    Order::Say { .. } => {}
                    Order::Leave => {
                        is_leaving.send_replace(true);
                        V::disconnect(&client).await;
                        return std::future::pending().await;
                    }
                }
            }
            None
        };
        tokio::select! {
            end = listen => end,
            end = speak => end,
        }
    }
}

/// A name for this connection that no other gateway has: brokers know clients by it.
fn client_id() -> String {
    format!("heatmeter-{:08x}", RandomState::new().hash_one(0) >> 32)
}

/// One connection that says one message which nobody keeps, and ends.
pub(super) async fn try_out<V: Version>(
    settings: &Settings,
    tls: Option<Arc<ClientConfig>>,
) -> Result<(), DeliveryError> {
    let (client, mut line) = V::open(settings, &client_id(), tls, None);
    let message = Message {
        topic: Topics::new(settings).test(),
        payload: String::new(),
        retain: false,
    };
    let topic = message.topic.clone();
    let mut publishing = None;
    loop {
        let acknowledged = async {
            match publishing.as_mut() {
                Some(notice) => notice.await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            // The broker may close the connection right after its answer.
            biased;
            answer = acknowledged => {
                let answer: Result<(), Refused> = answer;
                V::disconnect(&client).await;
                while V::next(&mut line).await.is_ok() {}
                return answer.map_err(|refused| trouble::of_refusal(refused, &topic, settings));
            }
            event = V::next(&mut line) => match event {
                Ok(Event::Connected) => {
                    let (client, message) = (client.clone(), message.clone());
                    publishing = Some(Box::pin(async move {
                        let notice = V::publish(&client, message).await?;
                        V::acknowledged(notice).await
                    }));
                }
                Ok(_) => {}
                Err(broken) => return Err(trouble::of(broken, settings)),
            }
        }
    }
}

//! Says who is there: the gateway, its meters, and to Home Assistant what each of them has.
//!
//! What is said is retained, and said again on every connection, because a broker may forget, and
//! when Home Assistant tells that it has started. What others retained is read once, when a
//! connection begins; what is said later, by whomever, is not answered: two gateways that quarrel
//! about a meter would never end.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use kamstrup_kmp::Verdict;
use tokio::sync::{Mutex, Notify, mpsc, watch};
use tokio::time::{self, Instant};
use tracing::warn;

use super::board::{Board, MeterCard};
use super::discovery::Announcement;
use super::link::{Link, Session};
use super::settings::Settings;
use super::state::Known;
use super::topics::{Topics, part};
use super::trouble;
use super::version::{Message, Refused};

/// How long a connection is listened to before anything is announced: by then the broker has told
/// what it keeps.
const LISTENING: Duration = Duration::from_secs(1);
/// The shortest time between two announcements of a meter. Home Assistant drops parts of one that
/// comes while it is busy with the one before (2026.11, `discovery.py`).
const SETTLING: Duration = Duration::from_secs(5);

/// What was delivered last, by serial number. Whoever says a state holds it until that is
/// acknowledged: an older one never comes after a newer one.
pub(super) type Delivered = Arc<Mutex<BTreeMap<String, Known>>>;

/// An announcement that the broker keeps.
#[derive(Debug)]
pub(super) struct Kept {
    /// The meter, as it is in topics.
    pub(super) meter: String,
    pub(super) payload: Vec<u8>,
}

pub(super) struct Announcer {
    settings: Settings,
    topics: Topics,
    board: watch::Receiver<Board>,
    delivered: Delivered,
    kept: mpsc::UnboundedReceiver<Kept>,
    births: Arc<Notify>,
    /// What was said on this connection, by topic.
    said: BTreeMap<String, String>,
    /// The announcements, as they were said or found, by the meter as it is in topics.
    announced: BTreeMap<String, Announcement>,
    /// When each meter may be announced.
    due: BTreeMap<String, Instant>,
    /// When the others may.
    listened: Instant,
    /// What was warned about.
    warned: BTreeSet<String>,
}

impl Announcer {
    /// Births are those of Home Assistant.
    pub(super) fn new(
        settings: Settings,
        board: watch::Receiver<Board>,
        delivered: Delivered,
        kept: mpsc::UnboundedReceiver<Kept>,
        births: Arc<Notify>,
    ) -> Self {
        Self {
            topics: Topics::new(&settings),
            settings,
            board,
            delivered,
            kept,
            births,
            said: BTreeMap::new(),
            announced: BTreeMap::new(),
            due: BTreeMap::new(),
            listened: Instant::now(),
            warned: BTreeSet::new(),
        }
    }

    /// Goes on until the link ends.
    pub(super) async fn run(mut self, mut link: Link) {
        let mut last = None;
        let mut session: Option<Session> = None;
        loop {
            let due = self.next_due().filter(|_| session.is_some());
            let wait = time::sleep_until(due.unwrap_or_else(Instant::now));
            let outcome = tokio::select! {
                next = link.session_after(last) => {
                    let Some(next) = next else {
                        return;
                    };
                    last = Some(next.number());
                    let outcome = self.greet(&next).await;
                    session = Some(next);
                    outcome
                }
                Ok(()) = self.board.changed() => Ok(()),
                Some(kept) = self.kept.recv() => {
                    self.find(&kept);
                    Ok(())
                }
                () = self.births.notified() => match &session {
                    Some(standing) => self.welcome(standing).await,
                    None => Ok(()),
                },
                () = wait, if due.is_some() => Ok(()),
            };
            let outcome = match (&session, outcome) {
                (Some(standing), Ok(())) => self.tell(standing).await,
                (_, outcome) => outcome,
            };
            if outcome.is_err() {
                session = None;
            }
        }
    }

    /// The beginning of a connection: the broker may have forgotten everything.
    async fn greet(&mut self, session: &Session) -> Result<(), Lost> {
        self.said.clear();
        self.due.clear();
        self.listened = Instant::now() + LISTENING;
        self.say(
            session,
            vec![Message::retained(self.topics.status(), "online")],
        )
        .await?;
        let number = session.number();
        self.repeat(session, |known| !known.is_delivered_on(number))
            .await
    }

    /// Home Assistant has started: it is told everything. What it still has from before its start
    /// and should not, it removes only after it was told of it once more.
    async fn welcome(&mut self, session: &Session) -> Result<(), Lost> {
        let cards = self.board.borrow().meters.clone();
        for card in &cards {
            let meter = part(&card.meter.serial);
            let Some(announcement) = self.announced.get(&meter).cloned() else {
                continue;
            };
            let rest = announcement.without_removals();
            let topic = self.topics.announcement(&card.meter.serial);
            let removals = announcement.removals();
            if !removals.is_empty() {
                let passing = |announcement: Announcement| Message {
                    topic: topic.clone(),
                    payload: announcement.message(&card.meter.serial, &self.topics),
                    retain: false,
                };
                let mut messages = vec![passing(announcement.revived(&card.meter.serial))];
                // One at a time: it drops the rest of a message that comes while it is busy with
                // something in it.
                messages.extend(removals.iter().map(|key| passing(announcement.only(key))));
                self.say(session, messages).await?;
            }
            let payload = rest.message(&card.meter.serial, &self.topics);
            self.announced.insert(meter.clone(), rest);
            self.due.insert(meter, Instant::now() + SETTLING);
            self.said.remove(&topic);
            self.say(session, vec![Message::retained(topic, payload)])
                .await?;
            self.said
                .remove(&self.topics.availability(&card.meter.serial));
        }
        self.say_availability(session, &cards).await?;
        self.repeat(session, |_| true).await
    }

    /// Everything that is not as it was said.
    async fn tell(&mut self, session: &Session) -> Result<(), Lost> {
        let board = self.board.borrow_and_update().clone();
        self.say_availability(session, &board.meters).await?;
        if !self.settings.discovery || Instant::now() < self.listened {
            return Ok(());
        }
        for card in &board.meters {
            self.announce(session, card).await?;
        }
        if board.unidentified == 0 {
            self.remove_others(session, &board).await?;
        }
        Ok(())
    }

    async fn say_availability(
        &mut self,
        session: &Session,
        cards: &[Arc<MeterCard>],
    ) -> Result<(), Lost> {
        let mut messages = Vec::new();
        for card in cards {
            let serial = &card.meter.serial;
            let mut verdict = card.verdict;
            if verdict.is_none() {
                // Before the first poll after a start, what came of the last one before it holds.
                let delivered = self.delivered.lock().await;
                verdict = delivered.get(serial).and_then(Known::verdict);
            }
            let word = match verdict {
                Some(Verdict::Ok) => "online",
                Some(_) => "offline",
                None => continue,
            };
            messages.push(Message::retained(self.topics.availability(serial), word));
        }
        self.say(session, messages).await
    }

    async fn announce(&mut self, session: &Session, card: &MeterCard) -> Result<(), Lost> {
        let meter = part(&card.meter.serial);
        let now = Instant::now();
        if self.due.get(&meter).is_some_and(|due| now < *due) {
            return Ok(());
        }
        let before = self.announced.get(&meter);
        let announcement = Announcement::of(card, &self.settings, &self.topics, before);
        let topic = self.topics.announcement(&card.meter.serial);
        let payload = announcement.message(&card.meter.serial, &self.topics);
        if self.said.get(&topic) == Some(&payload) {
            return Ok(());
        }
        self.due.insert(meter.clone(), now + SETTLING);
        self.announced.insert(meter, announcement);
        self.say(session, vec![Message::retained(topic, payload)])
            .await
    }

    /// Removes the meters that were ours and are no longer in the configuration.
    async fn remove_others(&mut self, session: &Session, board: &Board) -> Result<(), Lost> {
        let here: BTreeSet<String> = board
            .meters
            .iter()
            .map(|card| part(&card.meter.serial))
            .collect();
        let known: BTreeSet<String> = board.known.iter().map(|serial| part(serial)).collect();
        let others: Vec<String> = self
            .announced
            .keys()
            .filter(|meter| !here.contains(*meter))
            .cloned()
            .collect();
        for meter in others {
            if !known.contains(&meter) {
                self.warn(&format!(
                    "the meter {meter} is announced with {} and was never read by this gateway:                      is there another gateway with the same base_topic? Each needs its own",
                    self.topics.status()
                ));
                continue;
            }
            let mut delivered = self.delivered.clone().lock_owned().await;
            delivered.retain(|serial, _| part(serial) != meter);
            let topics = [
                self.topics.announcement(&meter),
                self.topics.availability(&meter),
                self.topics.state(&meter),
                self.topics.diagnostics(&meter),
            ];
            for topic in &topics {
                self.said.remove(topic);
            }
            let messages = topics.map(|topic| Message::retained(topic, "")).into();
            self.say(session, messages).await?;
            self.announced.remove(&meter);
        }
        Ok(())
    }

    /// Says again what was delivered last.
    async fn repeat(
        &mut self,
        session: &Session,
        which: impl Fn(&Known) -> bool,
    ) -> Result<(), Lost> {
        let delivered = self.delivered.clone().lock_owned().await;
        let mut messages = Vec::new();
        for (serial, known) in delivered.iter().filter(|(_, known)| which(known)) {
            let said = [
                (self.topics.state(serial), known.state()),
                (
                    self.topics.diagnostics(serial),
                    known.diagnostics(self.settings.language),
                ),
            ];
            for (topic, payload) in said {
                self.said.remove(&topic);
                messages.extend(payload.map(|payload| Message::retained(topic, payload)));
            }
        }
        self.say(session, messages).await
    }

    /// What an earlier life of ours, or another gateway, has announced.
    fn find(&mut self, kept: &Kept) {
        if let Some(found) = Announcement::read(&kept.payload, &self.topics) {
            // What we have said on this connection is newer.
            let topic = self.topics.announcement(&kept.meter);
            if !self.said.contains_key(&topic) {
                self.announced.insert(kept.meter.clone(), found);
            }
        }
    }

    /// When there is something to say that had to wait.
    fn next_due(&self) -> Option<Instant> {
        let now = Instant::now();
        if !self.settings.discovery {
            return None;
        }
        std::iter::once(&self.listened)
            .chain(self.due.values())
            .filter(|due| **due > now)
            .min()
            .copied()
    }

    /// Says what is not said already, in order, and waits until all of it is acknowledged.
    async fn say(&mut self, session: &Session, messages: Vec<Message>) -> Result<(), Lost> {
        let mut pending = Vec::new();
        for message in messages {
            if message.retain && self.said.get(&message.topic) == Some(&message.payload) {
                continue;
            }
            pending.push((message.clone(), session.say(message).await));
        }
        for (message, pending) in pending {
            match pending.acknowledged().await {
                Ok(()) => {}
                Err(Refused::Lost) => return Err(Lost),
                // Saying it once more would not help.
                Err(refused) => {
                    let trouble = trouble::of_refusal(refused, &message.topic, &self.settings);
                    self.warn(&format!("{trouble}. {}", trouble.help));
                }
            }
            if message.retain {
                self.said.insert(message.topic, message.payload);
            }
        }
        Ok(())
    }

    fn warn(&mut self, text: &str) {
        if self.warned.insert(text.to_owned()) {
            warn!("MQTT: {text}");
        }
    }
}

/// The connection is gone; there will be another.
#[derive(Clone, Copy, Debug)]
struct Lost;

//! One meter of the configuration at work: polls by its schedule and by order, alignment, and what is
//! told about both.
//!
//! A line ends only when it is stopped. Whatever comes of a poll is recorded, told to the hub, and
//! followed by the next one.

mod align;
mod memory;
mod poll;
mod queue;
mod tape;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use heatmeter_catalog::{Model, RegisterId};
use heatmeter_client::{Client, Meter, OpenOptions, Rounds};
use heatmeter_history::{History, Poll};
use jiff::{Timestamp, Zoned, tz::TimeZone};
use kamstrup_kmp::Verdict;
use kamstrup_kmp::session::Config;
use tokio::sync::{Mutex, mpsc};
use tokio::time;
use tokio_util::sync::CancellationToken;

use crate::clock::Clock;
use crate::config::MeterSettings;
use crate::hub::{Doing, Hub, MeterState, Order, Trouble};
use crate::ledger::Book;
use memory::Memory;
use queue::{Answer, Queue};

/// So many orders may wait for a line.
const ORDERS: usize = 16;

/// Orders to read the same, closer together than this, share one poll.
const SAME_POLL: Duration = Duration::from_secs(5);

/// The clock is looked at this often while nothing is done: it may have been set, or the machine asleep.
const LOOK: Duration = Duration::from_secs(20);

/// How late a poll may be: others may have their turn before it.
const ON_THE_LINE: Duration = Duration::from_mins(2);

/// What a line works with.
#[derive(Clone, Debug)]
pub(crate) struct Surroundings {
    pub(crate) hub: Hub,
    pub(crate) history: History,
    pub(crate) clock: Clock,
    pub(crate) time_zone: TimeZone,
    /// How many seconds pass for the meters in one of ours.
    pub(crate) meter_speed: f64,
    /// Whose turn it is on the port. Several meters on one port take turns.
    pub(crate) turns: Arc<Mutex<()>>,
    /// Whether others use the port, so that it is given up after each poll.
    pub(crate) is_shared: bool,
}

/// When a line polls for the first time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Begin {
    /// At once: somebody has just set it up and is waiting for it.
    AtOnce,
    /// At once if the schedule has asked for a poll since the last good one, else when it does. A
    /// program that is started again and again must not wake the meter each time.
    IfDue,
    /// When the schedule asks for a poll: the last one may have ended the line.
    NextTime,
}

/// Runs one meter's line until it is stopped.
pub(crate) async fn run(
    settings: MeterSettings,
    around: Surroundings,
    begin: Begin,
    stop: CancellationToken,
) {
    let (line, orders) = mpsc::channel(ORDERS);
    around.hub.take_orders(&settings.slot, line);
    let mut line = Line::new(settings, around, begin).await;
    line.work(Queue::new(orders), stop).await;
}

struct Line {
    settings: MeterSettings,
    around: Surroundings,
    meter: Meter,
    rounds: Option<Rounds>,
    /// In which opening of the port the meter has said its serial number, and that number.
    identified: Option<(u64, String)>,
    state: MeterState,
    book: Book,
    /// When it is read next.
    next: Timestamp,
    /// The clock when it was last looked at.
    seen: Timestamp,
    /// Whether the history knows who the meter is.
    is_introduced: bool,
    /// The last poll that was answered.
    latest: Option<Latest>,
}

/// A poll that others may share.
struct Latest {
    registers: Option<Vec<RegisterId>>,
    poll: Arc<Poll>,
    ended: time::Instant,
}

impl Line {
    async fn new(settings: MeterSettings, around: Surroundings, begin: Begin) -> Self {
        let config = Config {
            answer_timeout: settings.timeout.unwrap_or(Duration::from_secs(2)),
            ..Config::default()
        };
        let client = Client::with_options(settings.port.clone(), OpenOptions::default(), config);
        let mut meter = Meter::new(client)
            .with_model(settings.model)
            .at_speed(around.meter_speed);
        let now = around.clock.now();
        let mut state = state(&settings);
        let mut is_same_port = false;
        if let Some((serial, memory)) = remembered(&settings.slot, &around.history).await {
            is_same_port = memory.is_of_port(&state.port);
            let gate = memory.gate(meter.gate_time(), now);
            meter = meter.with_gate(gate);
            poll::recall(&mut state, &serial, &around.history).await;
        }
        let mut book = Book::default();
        book.mains(settings.mains_powered);
        state.ledger = book.ledger(now, &settings.schedule);
        let next_after = |moment: Timestamp| {
            let local = Zoned::new(moment, around.time_zone.clone());
            settings.schedule.next(&local).timestamp()
        };
        let next = match (begin, state.read_at.filter(|_| is_same_port)) {
            (Begin::NextTime, _) => next_after(now),
            // A clock that was set back does not make the last poll one of the future.
            (Begin::IfDue, Some(read_at)) => next_after(read_at.min(now)).max(now),
            (Begin::IfDue, None) | (Begin::AtOnce, _) => now,
        };
        Self {
            settings,
            meter,
            rounds: None,
            identified: None,
            state,
            book,
            next,
            seen: now,
            is_introduced: false,
            latest: None,
            around,
        }
    }

    async fn work(&mut self, mut queue: Queue, stop: CancellationToken) {
        self.state.next_at = Some(self.next);
        self.tell();
        loop {
            let pause = self.around.clock.until(self.next).min(LOOK);
            tokio::select! {
                biased;
                () = stop.cancelled() => return,
                order = queue.next() => match order {
                    Some(Order::Read { registers, answer }) => {
                        self.read_to_order(registers, answer, &mut queue, &stop).await;
                    }
                    Some(Order::Align) => self.align(&mut queue, &stop).await,
                    Some(_) => {}
                    None => return,
                },
                () = time::sleep(pause) => self.look_at_the_clock(&mut queue, &stop).await,
            }
        }
    }

    /// Reads if it is time to. A clock that was set is followed; polls that were slept through are made
    /// up for by one.
    async fn look_at_the_clock(&mut self, queue: &mut Queue, stop: &CancellationToken) {
        let now = self.around.clock.now();
        let went_back = now < self.seen;
        self.seen = now;
        if now >= self.next {
            // What came of it was told.
            drop(self.poll_unless(None, queue, stop).await);
            self.plan();
        } else if went_back {
            self.plan();
        }
    }

    async fn read_to_order(
        &mut self,
        registers: Option<Vec<RegisterId>>,
        answer: Option<Answer>,
        queue: &mut Queue,
        stop: &CancellationToken,
    ) {
        let recent = self
            .latest
            .as_ref()
            .filter(|latest| latest.registers == registers && latest.ended.elapsed() < SAME_POLL)
            .map(|latest| Ok(Arc::clone(&latest.poll)));
        let outcome = match recent {
            Some(outcome) => outcome,
            None => self.poll_unless(registers, queue, stop).await,
        };
        if let Some(answer) = answer {
            // Whoever asked may have gone.
            drop(answer.send(outcome));
        }
    }

    /// A poll, given up when the service stops. Whoever orders the same meanwhile shares it.
    async fn poll_unless(
        &mut self,
        registers: Option<Vec<RegisterId>>,
        queue: &mut Queue,
        stop: &CancellationToken,
    ) -> Result<Arc<Poll>, Trouble> {
        let outcome = tokio::select! {
            biased;
            () = stop.cancelled() => Err(Trouble {
                message: "The gateway stops.".to_owned(),
                help: "Ask again when it runs.".to_owned(),
            }),
            outcome = self.poll(registers.clone()) => outcome,
            () = queue.take_while_reading(registers.as_deref()) => {
                unreachable!("orders are taken until the poll is over")
            }
        };
        queue.share(&outcome);
        outcome
    }

    /// When to read next, as of now.
    fn plan(&mut self) {
        let now = self.around.clock.now();
        let local = Zoned::new(now, self.around.time_zone.clone());
        self.next = self.settings.schedule.next(&local).timestamp();
        self.seen = now;
        self.state.next_at = Some(self.next);
        self.state.ledger = self.book.ledger(now, &self.settings.schedule);
        self.tell();
    }

    fn tell(&mut self) {
        self.state.stale_at = self.stale_at();
        self.around.hub.tell(self.state.clone());
    }

    /// After two polls that should have been, by the schedule and not on average: one that reads by day
    /// only leaves nights out.
    fn stale_at(&self) -> Option<Timestamp> {
        let read_at = self.state.read_at?;
        let mut due = Zoned::new(read_at, self.around.time_zone.clone());
        for _ in 0..2 {
            due = self.settings.schedule.next(&due);
        }
        due.timestamp().checked_add(ON_THE_LINE).ok()
    }

    fn do_now(&mut self, doing: Doing) {
        self.state.doing = doing;
        self.tell();
    }
}

/// The rounds in which this model is read: those that are under way, if they are for it.
fn rounds_of<'a>(
    rounds: &'a mut Option<Rounds>,
    settings: &MeterSettings,
    speed: f64,
    model: Option<&'static Model>,
) -> &'a mut Rounds {
    let model = model.unwrap_or_else(Model::unknown);
    let current = rounds.take().filter(|rounds| rounds.are_for(model));
    let interval = Duration::from_hours(24).div_f64(settings.schedule.polls_per_day());
    rounds.insert(current.unwrap_or_else(|| Rounds::new(model, interval).at_speed(speed)))
}

/// A slot of which nothing is known yet.
pub(crate) fn state(settings: &MeterSettings) -> MeterState {
    MeterState {
        slot: settings.slot.clone(),
        name: settings.name.clone(),
        port: settings.port.to_string(),
        meter: None,
        model: settings.model,
        is_simulated: false,
        verdict: None::<Verdict>,
        trouble: None,
        verdict_since: None,
        tried_at: None,
        read_at: None,
        next_at: None,
        stale_at: None,
        registers: settings.registers.clone().unwrap_or_default(),
        readings: std::collections::BTreeMap::new(),
        ledger: crate::hub::Ledger::default(),
        doing: Doing::Waiting,
    }
}

/// Which meter was on this slot before the restart, and what the gate remembers of it.
async fn remembered(slot: &str, history: &History) -> Option<(String, Memory)> {
    let mut newest: Option<(String, Memory)> = None;
    for meter in history.meters().await.ok()? {
        let text = history.recall(&meter.serial).await.ok().flatten();
        let Some(memory) = text.and_then(|text| Memory::parse(&text, slot)) else {
            continue;
        };
        if newest
            .as_ref()
            .is_none_or(|(_, found)| found.written_at() < memory.written_at())
        {
            newest = Some((meter.serial, memory));
        }
    }
    newest
}

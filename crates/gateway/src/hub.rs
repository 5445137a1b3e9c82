//! What the gateway knows at this moment, for whoever shows it; and the orders that people give.
//!
//! The lines write here, the web and the destinations read. One meter of the configuration is a
//! slot: it has a name before anybody knows its serial number.

mod exchange;
mod general;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use heatmeter_catalog::reading::Reading;
use heatmeter_catalog::{Model, RegisterId};
use heatmeter_history::{Meter, Poll};
use jiff::Timestamp;
use kamstrup_kmp::Verdict;
use tokio::sync::{broadcast, mpsc, oneshot, watch};

pub use exchange::{Exchange, Traffic};
pub use general::{General, Supply};

use exchange::Kept;

/// What is known of all slots. Clones are the same hub.
#[derive(Clone, Debug)]
pub struct Hub {
    slots: watch::Sender<BTreeMap<String, Arc<MeterState>>>,
    events: broadcast::Sender<Event>,
    orders: watch::Sender<BTreeMap<String, mpsc::Sender<Order>>>,
    general: watch::Sender<Arc<General>>,
    supplies: watch::Sender<Arc<Vec<Supply>>>,
    lines: Arc<Mutex<BTreeMap<String, LineMemory>>>,
}

/// What is remembered of a slot's line.
#[derive(Debug, Default)]
struct LineMemory {
    kept: Kept,
    traffic: Traffic,
}

/// One meter of the configuration.
#[derive(Clone, Debug)]
pub struct MeterState {
    /// The slot's name in the configuration: what its address in the API is.
    pub slot: String,
    /// What people call it.
    pub name: String,
    /// Its port, as configured.
    pub port: String,
    /// Who it is, once it said so.
    pub meter: Option<Meter>,
    /// What it is: as configured, or as identified.
    pub model: Option<&'static Model>,
    /// Whether it is a simulated one.
    pub is_simulated: bool,
    /// What came of the last poll; none before the first.
    pub verdict: Option<Verdict>,
    /// What the port's error says, where the verdict is about the port.
    pub trouble: Option<Trouble>,
    /// Since when the verdict is what it is.
    pub verdict_since: Option<Timestamp>,
    /// The last poll, whatever came of it.
    pub tried_at: Option<Timestamp>,
    /// The last poll that was answered.
    pub read_at: Option<Timestamp>,
    /// The next one by the schedule; none while it is paused.
    pub next_at: Option<Timestamp>,
    /// When its readings are older than the schedule explains, unless new ones come.
    pub stale_at: Option<Timestamp>,
    /// The registers that its schedule reads at all, whether there is a reading yet or not.
    pub registers: Vec<RegisterId>,
    /// The latest reading of each of them, and its time.
    pub readings: BTreeMap<RegisterId, (Reading, Timestamp)>,
    /// What the schedule costs the meter's battery.
    pub ledger: Ledger,
    /// What the line is busy with.
    pub doing: Doing,
}

impl MeterState {
    /// Whether its line is at work, so that what was known of the meter before is here, too.
    pub fn has_begun(&self) -> bool {
        // While its head is aligned it has no next poll.
        self.next_at.is_some() || self.doing == Doing::Aligning
    }

    /// Whether its readings are older than the schedule explains.
    pub fn is_stale(&self, now: Timestamp) -> bool {
        self.stale_at.is_some_and(|at| at < now)
    }
}

/// What is the matter, and what to do, in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trouble {
    /// What was seen.
    pub message: String,
    /// The next thing to do.
    pub help: String,
}

/// What a line is busy with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Doing {
    /// Waits for the next poll.
    #[default]
    Waiting,
    /// Reads.
    Reading,
    /// Helps somebody to align the head.
    Aligning,
}

/// What reading costs the meter's battery, against the documented one reading an hour.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Ledger {
    /// Wake-ups in the last 24 hours.
    pub wake_ups: u32,
    /// Seconds of optical traffic in the last 24 hours.
    pub seconds: f64,
    /// Wake-ups a day by the schedule.
    pub planned_wake_ups: f64,
    /// Seconds a day by the schedule, by what polls have taken so far.
    pub planned_seconds: f64,
    /// Seconds a day that the manufacturer reckons with: 24 readings.
    pub documented_seconds: f64,
    /// Whether the schedule takes so much more that its owner should know.
    pub is_draining: bool,
    /// Whether the meter is fed by the mains, so that nothing is spent.
    pub is_mains: bool,
}

/// Something happened.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Event {
    /// A slot's state changed.
    Meter(Arc<MeterState>),
    /// A slot is no longer in the configuration.
    Removed {
        /// Its name.
        slot: String,
    },
    /// A poll is over and kept.
    Poll {
        /// The slot.
        slot: String,
        /// What came of it.
        poll: Arc<Poll>,
    },
    /// An attempt of an alignment.
    Align {
        /// The slot.
        slot: String,
        /// What came of it.
        attempt: Attempt,
    },
    /// An alignment is over.
    AlignEnded {
        /// The slot.
        slot: String,
        /// Why: `asked`, `nobody_looks`, `time_is_over`.
        why: &'static str,
    },
    /// A destination or the history changed its state; ask for it.
    Status,
}

/// One attempt of an alignment.
#[derive(Clone, Debug)]
pub struct Attempt {
    /// Counted from 1.
    pub number: u64,
    /// What came of it.
    pub verdict: Verdict,
    /// 0 to 100.
    pub score: u8,
    /// What to try next.
    pub next_step: String,
    /// Names that, for translations.
    pub next_step_code: Option<&'static str>,
    /// How long the answer took.
    pub milliseconds: u64,
}

/// What somebody wants of a line.
#[derive(Debug)]
#[non_exhaustive]
pub enum Order {
    /// Read now: these registers, or what the schedule reads.
    Read {
        /// None is what the schedule reads.
        registers: Option<Vec<RegisterId>>,
        /// Where the outcome goes; nobody may wait for it.
        answer: Option<oneshot::Sender<Result<Arc<Poll>, Trouble>>>,
    },
    /// Begin to align, or go on for longer: repeated by whoever looks at it, at least every 20 s.
    Align,
    /// Stop aligning.
    StopAligning,
}

impl Default for Hub {
    fn default() -> Self {
        Self::new()
    }
}

impl Hub {
    /// A hub without slots.
    pub fn new() -> Self {
        Self {
            slots: watch::Sender::default(),
            events: broadcast::Sender::new(256),
            orders: watch::Sender::default(),
            general: watch::Sender::default(),
            supplies: watch::Sender::default(),
            lines: Arc::default(),
        }
    }

    /// How the gateway speaks to people.
    pub fn general(&self) -> Arc<General> {
        Arc::clone(&self.general.borrow())
    }

    /// The destinations.
    pub fn supplies(&self) -> Arc<Vec<Supply>> {
        Arc::clone(&self.supplies.borrow())
    }

    /// The last exchanges of a slot's line, the oldest first.
    pub fn exchanges(&self, slot: &str) -> Vec<Exchange> {
        let lines = self.lines();
        lines
            .get(slot)
            .map(|line| line.kept.all())
            .unwrap_or_default()
    }

    /// What each slot's line has carried since the start.
    pub fn traffic(&self) -> BTreeMap<String, Traffic> {
        let lines = self.lines();
        lines
            .iter()
            .map(|(slot, line)| (slot.clone(), line.traffic.clone()))
            .collect()
    }

    /// All slots, by name.
    pub fn meters(&self) -> BTreeMap<String, Arc<MeterState>> {
        self.slots.borrow().clone()
    }

    /// A slot by its name or its meter's serial number.
    pub fn meter(&self, id: &str) -> Option<Arc<MeterState>> {
        let slots = self.slots.borrow();
        slots.get(id).cloned().or_else(|| {
            slots
                .values()
                .find(|state| state.meter.as_ref().is_some_and(|meter| meter.serial == id))
                .cloned()
        })
    }

    /// Everything that happens from now on.
    pub fn events(&self) -> broadcast::Receiver<Event> {
        self.events.subscribe()
    }

    /// Gives an order to a slot's line; false if there is no such slot.
    pub async fn order(&self, slot: &str, order: Order) -> bool {
        let line = self.orders.borrow().get(slot).cloned();
        match line {
            Some(line) => line.send(order).await.is_ok(),
            None => false,
        }
    }

    /// The slots whose line nobody works at.
    pub fn without_line(&self) -> Vec<String> {
        let orders = self.orders.borrow();
        let slots = self.slots.borrow();
        let is_alive = |slot: &String| orders.get(slot).is_some_and(|line| !line.is_closed());
        slots
            .keys()
            .filter(|slot| !is_alive(slot))
            .cloned()
            .collect()
    }

    /// Tells the state of a slot.
    pub fn tell(&self, state: MeterState) {
        let state = Arc::new(state);
        self.slots.send_modify(|slots| {
            slots.insert(state.slot.clone(), Arc::clone(&state));
        });
        self.announce(Event::Meter(state));
    }

    /// Tells what happened. That nobody listens is fine.
    pub fn announce(&self, event: Event) {
        if let Event::Poll { slot, poll } = &event {
            let mut lines = self.lines();
            lines.entry(slot.clone()).or_default().traffic.add(poll);
        }
        drop(self.events.send(event));
    }

    /// Keeps what went over a slot's line, for a while.
    pub fn keep_exchange(&self, slot: &str, exchange: Exchange) {
        let mut lines = self.lines();
        lines
            .entry(slot.to_owned())
            .or_default()
            .kept
            .push(exchange);
    }

    /// Tells how to speak to people from now on.
    pub fn set_general(&self, general: General) {
        self.general.send_replace(Arc::new(general));
        self.announce(Event::Status);
    }

    /// Tells which destinations there are from now on.
    pub fn set_supplies(&self, supplies: Vec<Supply>) {
        self.supplies.send_replace(Arc::new(supplies));
        self.announce(Event::Status);
    }

    /// A line takes orders for a slot from now on.
    pub fn take_orders(&self, slot: &str, line: mpsc::Sender<Order>) {
        self.orders.send_modify(|orders| {
            orders.insert(slot.to_owned(), line);
        });
    }

    /// A slot is gone.
    pub fn remove(&self, slot: &str) {
        self.orders.send_modify(|orders| {
            orders.remove(slot);
        });
        self.slots.send_modify(|slots| {
            slots.remove(slot);
        });
        self.lines().remove(slot);
        self.announce(Event::Removed {
            slot: slot.to_owned(),
        });
    }

    fn lines(&self) -> MutexGuard<'_, BTreeMap<String, LineMemory>> {
        // Nothing in it can be half done.
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

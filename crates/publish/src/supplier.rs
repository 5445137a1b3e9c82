//! Delivers the outbox of one place for as long as the service runs.
//!
//! Polls go out in order, a batch at a time, and are acknowledged in the history once the other side
//! has acknowledged them. What fails is tried again after a pause that grows. A poll that the other
//! side understood and refused is passed over as soon as a later one is taken: before that, nobody
//! knows whether it is this poll that is refused or all of them.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::sync::Arc;
use std::time::Duration;

use heatmeter_history::{Change, History, HistoryError, PollId, Stored};
use jiff::Timestamp;
use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;
use tokio::time;

use crate::destination::{DeliveryError, Destination, Known, Progress};

/// How long a delivery that is under way when the service stops may still take.
const GRACE: Duration = Duration::from_secs(2);

/// How many polls are read from the history at least. Whether a poll is refused for its own sake is
/// seen among so many.
const PORTION: usize = 100;

/// If all of them are refused, more are looked at, up to so many: one that is taken may be behind them.
const LARGEST_PORTION: usize = 64 * PORTION;

/// Whoever asks to be left alone for longer is asked again all the same.
const LONGEST_REST: Duration = Duration::from_hours(1);

/// Where in the outbox a destination stands, and how patient it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The name under which the history keeps what it has acknowledged.
    pub name: String,
    /// Whether a new place gets everything that the history holds, rather than what comes.
    pub from_the_start: bool,
    /// How long it waits after a failure.
    pub pauses: Pauses,
}

/// The pauses after failures: each is twice as long as the one before. Between half of that and all
/// of it is waited, so that many gateways do not come back at the same moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pauses {
    /// After the first failure.
    pub first: Duration,
    /// At most.
    pub longest: Duration,
}

/// Supplies one destination until it is stopped or dropped.
#[derive(Debug)]
pub struct Supplier {
    progress: watch::Receiver<Progress>,
    nudge: Arc<Notify>,
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl Place {
    /// A place that is supplied with what comes from now on.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            from_the_start: false,
            pauses: Pauses::default(),
        }
    }
}

impl Default for Pauses {
    fn default() -> Self {
        Self {
            first: Duration::from_secs(1),
            longest: Duration::from_mins(5),
        }
    }
}

impl Supplier {
    /// Begins to supply. When it returns, the history knows the place: every poll recorded from then
    /// on will be delivered.
    pub async fn start<D: Destination>(
        history: History,
        place: Place,
        destination: D,
        now: impl Fn() -> Timestamp + Send + 'static,
    ) -> Self {
        // A history that cannot be read now is told about by the run below.
        let seen = history
            .pending(&place.name, place.from_the_start, 1)
            .await
            .is_ok();
        let pending = history.backlog(&place.name).await.unwrap_or_default();
        tracing::debug!(place = place.name, seen, pending, "supplying");
        let (tell, progress) = watch::channel(Progress {
            pending,
            ..Progress::default()
        });
        let (stop, stopped) = watch::channel(false);
        let nudge = Arc::new(Notify::new());
        let run = Run {
            changes: history.changes(),
            history,
            pause: place.pauses.first,
            portion: PORTION,
            place,
            destination,
            now,
            tell,
            nudge: Arc::clone(&nudge),
            stopped,
            complained: None,
        };
        Self {
            progress,
            nudge,
            stop,
            task: tokio::spawn(run.run()),
        }
    }

    /// How it goes.
    pub fn progress(&self) -> watch::Receiver<Progress> {
        self.progress.clone()
    }

    /// Tries again now instead of after the pause.
    pub fn nudge(&self) {
        self.nudge.notify_one();
    }

    /// Whether it has ended without being told to.
    pub fn has_ended(&self) -> bool {
        self.task.is_finished()
    }

    /// Stops: a delivery that is under way has a moment to end, and is made again after the next
    /// start if it does not.
    pub async fn stop(self) {
        self.stop.send_replace(true);
        if let Err(error) = self.task.await {
            tracing::error!(%error, "a supplier ended badly");
        }
    }
}

struct Run<D, N> {
    history: History,
    changes: watch::Receiver<Change>,
    place: Place,
    destination: D,
    now: N,
    tell: watch::Sender<Progress>,
    nudge: Arc<Notify>,
    stopped: watch::Receiver<bool>,
    /// The pause after the next failure.
    pause: Duration,
    /// How many polls are read from the history next time.
    portion: usize,
    /// What was last written to the log, so that it is there once.
    complained: Option<String>,
}

/// Why a run ends.
struct End;

impl<D: Destination, N: Fn() -> Timestamp + Send + 'static> Run<D, N> {
    async fn run(mut self) {
        while self.turn().await.is_ok() {}
        tracing::debug!(place = self.place.name, "no longer supplying");
    }

    /// Delivers what there is, then waits for more or for the time to try again.
    async fn turn(&mut self) -> Result<(), End> {
        self.changes.borrow_and_update();
        self.count().await?;
        let limit = self.destination.batch().max(self.portion);
        let read = self
            .history
            .pending(&self.place.name, self.place.from_the_start, limit)
            .await;
        let polls = match read {
            Ok(polls) if polls.is_empty() => return self.wait_for_polls().await,
            Ok(polls) => polls,
            Err(error) => {
                let error = unreadable(error)?;
                return self.wait_after(error).await;
            }
        };
        let meters = match self.history.meters().await {
            Ok(meters) => meters
                .into_iter()
                .map(|meter| (meter.serial.clone(), Arc::new(meter)))
                .collect(),
            Err(error) => {
                let error = unreadable(error)?;
                return self.wait_after(error).await;
            }
        };
        match self.deliver(&polls, &meters).await? {
            Ok(()) => {
                self.portion = PORTION;
                Ok(())
            }
            Err(error) => {
                if error.is_final && polls.len() >= self.portion {
                    self.portion = (self.portion * 2).min(LARGEST_PORTION);
                }
                self.wait_after(error).await
            }
        }
    }

    /// Delivers these polls in order, as many at once as the other side takes.
    async fn deliver(
        &mut self,
        polls: &[Stored],
        meters: &Known,
    ) -> Result<Result<(), DeliveryError>, End> {
        let batch = self.destination.batch().max(1);
        let mut size = batch;
        let mut rest = polls;
        // Refused since the last one that was taken, with the reason.
        let mut refused: Vec<(String, DeliveryError)> = Vec::new();
        while !rest.is_empty() {
            let (part, later) = rest.split_at(size.min(rest.len()));
            match self.attempt(part, meters).await? {
                Ok(()) => {
                    for (poll, error) in refused.drain(..) {
                        self.pass_over(&poll, &error);
                    }
                    if let Some(last) = part.last() {
                        self.acknowledge(last.id, part.len()).await?;
                    }
                    size = (size * 2).min(batch);
                    rest = later;
                }
                Err(error) if error.is_final && part.len() > 1 => size = part.len() / 2,
                Err(error) if error.is_final => {
                    refused.extend(part.iter().map(|stored| (stored.poll.id(), error.clone())));
                    rest = later;
                }
                Err(error) => return Ok(Err(error)),
            }
        }
        Ok(match refused.pop() {
            Some((_, error)) => Err(error),
            None => Ok(()),
        })
    }

    /// One delivery. When the service stops meanwhile, it may end if it is quick.
    async fn attempt(
        &mut self,
        polls: &[Stored],
        meters: &Known,
    ) -> Result<Result<(), DeliveryError>, End> {
        let stopped = &mut self.stopped;
        let grace = async {
            until_stopped(stopped).await;
            time::sleep(GRACE).await;
        };
        tokio::select! {
            biased;
            outcome = self.destination.deliver(polls, meters) => Ok(outcome),
            () = grace => Err(End),
        }
    }

    async fn acknowledge(&mut self, upto: PollId, polls: usize) -> Result<(), End> {
        // What is delivered but not noted as such is delivered again: better than to lose it.
        if let Err(error) = self.history.acknowledge(&self.place.name, upto).await {
            let error = unreadable(error)?;
            tracing::warn!(place = self.place.name, %error, "cannot note what was delivered");
        }
        if self.complained.take().is_some() {
            tracing::info!(place = self.place.name, "delivers again");
        }
        self.pause = self.place.pauses.first;
        let at = (self.now)();
        self.tell.send_modify(|progress| {
            progress.delivered += u64::try_from(polls).unwrap_or(u64::MAX);
            progress.delivered_at = Some(at);
            progress.trouble = None;
        });
        self.count().await?;
        if *self.stopped.borrow() {
            return Err(End);
        }
        Ok(())
    }

    fn pass_over(&self, poll: &str, error: &DeliveryError) {
        tracing::warn!(place = self.place.name, poll, %error, "refused, and passed over");
        self.tell.send_modify(|progress| progress.refused += 1);
    }

    /// Tells how many polls wait.
    async fn count(&mut self) -> Result<(), End> {
        match self.history.backlog(&self.place.name).await {
            Ok(pending) => {
                self.tell.send_if_modified(|progress| {
                    let is_new = progress.pending != pending;
                    progress.pending = pending;
                    is_new
                });
                Ok(())
            }
            Err(HistoryError::Closed) => Err(End),
            Err(_) => Ok(()),
        }
    }

    async fn wait_for_polls(&mut self) -> Result<(), End> {
        tokio::select! {
            () = until_stopped(&mut self.stopped) => Err(End),
            changed = self.changes.changed() => changed.map_err(|_| End),
            standing = self.destination.standing() => {
                match standing {
                    Ok(()) => {
                        if self.complained.take().is_some() {
                            tracing::info!(place = self.place.name, "can be reached again");
                        }
                        self.tell.send_modify(|progress| progress.trouble = None);
                    }
                    Err(error) => {
                        self.complain(&error);
                        self.tell.send_modify(|progress| progress.trouble = Some(error));
                    }
                }
                Ok(())
            }
        }
    }

    /// Says in the log what is the matter, once.
    fn complain(&mut self, error: &DeliveryError) {
        if self.complained.as_ref() != Some(&error.message) {
            tracing::warn!(place = self.place.name, help = error.help, "{error}");
            self.complained = Some(error.message.clone());
        }
    }

    async fn wait_after(&mut self, error: DeliveryError) -> Result<(), End> {
        self.complain(&error);
        let rest = error.retry_after.unwrap_or_default().min(LONGEST_REST);
        let pause = spread(self.pause).max(rest);
        let is_final = error.is_final;
        self.pause = (self.pause * 2).min(self.place.pauses.longest);
        self.tell
            .send_modify(|progress| progress.trouble = Some(error));
        let end = time::sleep(pause);
        tokio::pin!(end);
        loop {
            tokio::select! {
                () = until_stopped(&mut self.stopped) => return Err(End),
                () = self.nudge.notified() => return Ok(()),
                () = &mut end => return Ok(()),
                changed = self.changes.changed() => {
                    changed.map_err(|_| End)?;
                    // Whether this one is taken decides about the refused ones before it.
                    if is_final {
                        return Ok(());
                    }
                    self.count().await?;
                }
            }
        }
    }
}

/// Also when whoever could stop it is gone.
async fn until_stopped(stopped: &mut watch::Receiver<bool>) {
    drop(stopped.wait_for(|stopped| *stopped).await);
}

/// The history's trouble as the destination's, unless the history is closed.
fn unreadable(error: HistoryError) -> Result<DeliveryError, End> {
    match error {
        HistoryError::Closed => Err(End),
        error => Ok(DeliveryError::trouble(
            format!("the history cannot be read: {error}"),
            "See the state of the history.",
        )),
    }
}

/// Somewhere between half of it and all of it.
fn spread(pause: Duration) -> Duration {
    // Every RandomState has keys of its own, and it is there without another library.
    let share = RandomState::new().hash_one(pause) % 512;
    pause.mul_f64(0.5 + f64::from(u16::try_from(share).unwrap_or_default()) / 1024.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_are_spread() {
        let pause = Duration::from_secs(64);
        let pauses: Vec<_> = (0..100).map(|_| spread(pause)).collect();
        assert!(pauses.iter().all(|p| (pause / 2..=pause).contains(p)));
        assert!(pauses.iter().any(|p| *p != pauses[0]));
    }
}

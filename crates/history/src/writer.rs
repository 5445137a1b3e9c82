//! The one thread that writes. What waits while it is busy goes into one transaction, so that the
//! disk is waited for once.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError};

use rusqlite::{Connection, TransactionBehavior};
use tokio::sync::{OwnedSemaphorePermit, oneshot, watch};

use crate::error::{HistoryError, is_about_the_disk, is_damage, is_full};
use crate::file::{self, HistoryFile};
use crate::history::{Change, Health, Opened, Settings};
use crate::poll::{Meter, Poll, PollId};
use crate::pool::Pool;
use crate::prune::{self, Cutoff};
use crate::write::{self, Batch};

/// At most so many orders go into one transaction.
const GROUP: usize = 256;

/// Something to do, and who waits for it.
pub(crate) struct Order {
    pub(crate) work: Work,
    pub(crate) answer: oneshot::Sender<Result<Done, HistoryError>>,
    /// Bounds how many orders there are.
    pub(crate) _room: OwnedSemaphorePermit,
}

/// What is to be done.
pub(crate) enum Work {
    Introduce(Meter),
    Record(Vec<Poll>),
    OpenPlace {
        place: String,
        from_the_start: bool,
    },
    Acknowledge {
        place: String,
        upto: PollId,
    },
    ForgetPlace(String),
    Remember {
        serial: String,
        memory: String,
    },
    Prune(Cutoff),
    /// A reader met damage.
    Examine,
    Close,
}

/// What came of it.
pub(crate) enum Done {
    Nothing,
    Polls(Vec<PollId>),
    Deleted(u64),
}

/// The writer's side of the channels.
pub(crate) struct Writer {
    pub(crate) file: HistoryFile,
    pub(crate) settings: Settings,
    pub(crate) orders: Receiver<Order>,
    pub(crate) readers: Arc<Pool>,
    pub(crate) changes: watch::Sender<Change>,
    pub(crate) health: watch::Sender<Health>,
    pub(crate) opened: watch::Sender<Opened>,
    /// None while it cannot be opened.
    pub(crate) connection: Option<Connection>,
    /// What could not be written yet, the oldest first.
    pub(crate) waiting: VecDeque<Poll>,
}

impl Writer {
    pub(crate) fn run(mut self) {
        loop {
            let first = if self.waiting.is_empty() {
                self.orders
                    .recv()
                    .map_err(|_| RecvTimeoutError::Disconnected)
            } else {
                self.orders.recv_timeout(self.settings.try_again_after)
            };
            let mut group = match first {
                Ok(order) => vec![order],
                Err(RecvTimeoutError::Timeout) => {
                    self.catch_up();
                    continue;
                }
                Err(RecvTimeoutError::Disconnected) => break,
            };
            group.extend(self.orders.try_iter().take(GROUP - 1));
            let close = group
                .iter()
                .position(|order| matches!(order.work, Work::Close))
                .map(|position| group.split_off(position));
            self.serve(group);
            if let Some(close) = close {
                self.end(close);
                return;
            }
        }
        self.end(Vec::new());
    }

    fn serve(&mut self, group: Vec<Order>) {
        let (examinations, group): (Vec<_>, Vec<_>) = group
            .into_iter()
            .partition(|order| matches!(order.work, Work::Examine));
        if !examinations.is_empty() {
            let result = self.examine();
            for order in examinations {
                let result = result.as_ref().map(|()| Done::Nothing);
                drop(order.answer.send(result.map_err(|_| HistoryError::Closed)));
            }
        }
        if group.is_empty() {
            return;
        }
        if self.waiting.is_empty() || self.catch_up() {
            self.commit(group);
            return;
        }
        // Polls queue behind those that wait; what needs no room may well succeed.
        let (polls, others): (Vec<_>, Vec<_>) = group
            .into_iter()
            .partition(|order| matches!(order.work, Work::Record(_)));
        let reason = match &*self.health.borrow() {
            Health::Failing { reason, .. } => reason.clone(),
            _ => "the disk is full".to_owned(),
        };
        self.put_off(polls, &reason, None);
        if !others.is_empty() {
            self.commit(others);
            self.catch_up();
        }
    }

    /// Does all of it in one transaction and answers.
    fn commit(&mut self, group: Vec<Order>) {
        let works: Vec<_> = group.iter().map(|order| &order.work).collect();
        match self.attempt(&works) {
            Ok(done) => {
                for (order, done) in group.into_iter().zip(done) {
                    // Whoever asked may have gone.
                    drop(order.answer.send(Ok(done)));
                }
            }
            Err(HistoryError::Database(error)) if !is_about_the_disk(&error) => {
                if group.len() > 1 {
                    // One of them cannot be written: the others can.
                    for order in group {
                        self.commit(vec![order]);
                    }
                    return;
                }
                tracing::error!("this cannot be written: {error}");
                for order in group {
                    let reason = error.to_string();
                    drop(order.answer.send(Err(HistoryError::Unwritten { reason })));
                }
            }
            Err(error) => self.put_off(group, &error.to_string(), Some(&error)),
        }
    }

    /// Has polls wait, and fails anything else. How it is is told before the answers.
    fn put_off(&mut self, group: Vec<Order>, reason: &str, error: Option<&HistoryError>) {
        let mut answers = Vec::with_capacity(group.len());
        for order in group {
            let reason = reason.to_owned();
            let error = match order.work {
                Work::Record(polls) => {
                    let room = self.settings.may_wait.saturating_sub(self.waiting.len());
                    let fits = polls.len() <= room;
                    self.waiting.extend(polls.into_iter().take(room));
                    if fits {
                        HistoryError::Waits { reason }
                    } else {
                        let waiting = self.waiting.len();
                        HistoryError::Lost { reason, waiting }
                    }
                }
                _ => HistoryError::Unwritten { reason },
            };
            answers.push((order.answer, error));
        }
        self.report(error);
        for (answer, error) in answers {
            drop(answer.send(Err(error)));
        }
    }

    /// Writes what waits; false if that is still not possible.
    fn catch_up(&mut self) -> bool {
        let mut together = GROUP;
        while !self.waiting.is_empty() {
            let some = self.waiting.len().min(together);
            let polls: Vec<_> = self.waiting.drain(..some).collect();
            let work = Work::Record(polls);
            let result = self.attempt(&[&work]);
            let Work::Record(polls) = work else {
                return false;
            };
            match result {
                Ok(_) => {}
                Err(HistoryError::Database(error)) if !is_about_the_disk(&error) => {
                    if some == 1 {
                        tracing::error!("a poll cannot be written: {error}");
                    } else {
                        // One of them cannot be written: the others can.
                        self.wait_again(polls);
                        together = 1;
                    }
                }
                Err(error) => {
                    self.wait_again(polls);
                    self.report(Some(&error));
                    return false;
                }
            }
        }
        if *self.health.borrow() != Health::Fine {
            tracing::info!("the history is written again");
            self.health.send_replace(Health::Fine);
        }
        true
    }

    /// Puts polls back to where they were taken from.
    fn wait_again(&mut self, polls: Vec<Poll>) {
        for poll in polls.into_iter().rev() {
            self.waiting.push_front(poll);
        }
    }

    /// One transaction. A damaged file is salvaged first and the transaction tried again.
    fn attempt(&mut self, works: &[&Work]) -> Result<Vec<Done>, HistoryError> {
        match self.transact(works) {
            Err(HistoryError::Database(error)) if is_damage(&error) => {
                tracing::error!("the history is damaged: {error}");
                self.salvage()?;
                self.transact(works)
            }
            Err(HistoryError::Database(error)) => {
                if is_about_the_disk(&error) && !is_full(&error) {
                    self.connection = None;
                }
                Err(HistoryError::Database(error))
            }
            other => other,
        }
    }

    fn transact(&mut self, works: &[&Work]) -> Result<Vec<Done>, HistoryError> {
        let connection = match &mut self.connection {
            Some(connection) => connection,
            none => none.insert(self.file.connect(&self.settings)?),
        };
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let mut batch = Batch::new(&transaction);
        let mut newest = None;
        let mut done = Vec::with_capacity(works.len());
        for work in works {
            done.push(match work {
                Work::Introduce(meter) => {
                    write::introduce(&transaction, meter)?;
                    Done::Nothing
                }
                Work::Record(polls) => {
                    let mut ids = Vec::with_capacity(polls.len());
                    for poll in polls {
                        let (id, is_new) = batch.poll(poll)?;
                        newest = newest.max(Some(id).filter(|_| is_new));
                        ids.push(id);
                    }
                    Done::Polls(ids)
                }
                Work::OpenPlace {
                    place,
                    from_the_start,
                } => {
                    write::open_place(&transaction, place, *from_the_start)?;
                    Done::Nothing
                }
                Work::Acknowledge { place, upto } => {
                    write::acknowledge(&transaction, place, *upto)?;
                    Done::Nothing
                }
                Work::ForgetPlace(place) => {
                    write::forget_place(&transaction, place)?;
                    Done::Nothing
                }
                Work::Remember { serial, memory } => {
                    write::remember(&transaction, serial, memory)?;
                    Done::Nothing
                }
                Work::Prune(cutoff) => Done::Deleted(prune::step(&transaction, cutoff)?),
                Work::Examine | Work::Close => Done::Nothing,
            });
        }
        batch.finish()?;
        transaction.commit()?;
        if let Some(newest) = newest {
            self.changes.send_replace(Change { newest });
        }
        Ok(done)
    }

    /// Looks whether the file is damaged, and salvages it if so.
    fn examine(&mut self) -> Result<(), HistoryError> {
        match self.file.examine() {
            Ok(true) => Ok(()),
            Err(HistoryError::Database(error)) if is_damage(&error) => self.salvage(),
            Ok(false) => self.salvage(),
            Err(error) => Err(error),
        }
    }

    fn salvage(&mut self) -> Result<(), HistoryError> {
        self.connection = None;
        self.readers.forget();
        let opened = self.file.salvage()?;
        self.readers.forget();
        self.opened.send_replace(opened);
        Ok(())
    }

    /// Tells how it is: after an error, or with another number of polls that wait.
    fn report(&self, error: Option<&HistoryError>) {
        let waiting = self.waiting.len();
        let before = self.health.borrow().clone();
        let health = match (error, before.clone()) {
            // Without polls that wait nobody would try again and find that it is fine.
            _ if waiting == 0 => Health::Fine,
            (Some(HistoryError::Database(error)), _) if is_full(error) => {
                Health::DiskFull { waiting }
            }
            (Some(error), _) => Health::Failing {
                reason: error.to_string(),
                waiting,
            },
            (None, Health::Failing { reason, .. }) => Health::Failing { reason, waiting },
            (None, _) => Health::DiskFull { waiting },
        };
        if before == Health::Fine && health != before {
            tracing::error!("the history cannot be written: {health:?}");
        }
        self.health.send_replace(health);
    }

    /// Writes a last time what waits, and closes.
    fn end(mut self, close: Vec<Order>) {
        let is_written = self.catch_up();
        let waiting = self.waiting.len();
        if !is_written {
            tracing::error!("{waiting} polls could not be written and are lost");
        }
        let closed = match self.connection.take() {
            Some(connection) => file::close(connection),
            None => Ok(()),
        };
        if let Err(error) = &closed {
            tracing::warn!("the history was not closed cleanly: {error}");
        }
        // Who is told that it is closed may open it again.
        drop(self.file);
        let mut closed = Some(closed);
        for order in close {
            let result = match order.work {
                Work::Close if !is_written => Err(HistoryError::Lost {
                    reason: "it ends".to_owned(),
                    waiting,
                }),
                Work::Close => match closed.take() {
                    Some(Err(error)) => Err(error.into()),
                    _ => Ok(Done::Nothing),
                },
                _ => Err(HistoryError::Closed),
            };
            drop(order.answer.send(result));
        }
    }
}

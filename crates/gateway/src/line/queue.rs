//! Orders to a line that is busy: those that ask for what is under way share its outcome, the others
//! wait for their turn, and nobody waits for ever.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use heatmeter_catalog::RegisterId;
use heatmeter_history::Poll;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{self, Instant};

use crate::hub::{Order, Trouble};

/// Whoever waits longer for a turn is told that the line is busy.
const PATIENCE: Duration = Duration::from_secs(20);

/// No more wait than these.
const WAITING: usize = 16;

/// Where the outcome of a poll goes.
pub(super) type Answer = oneshot::Sender<Result<Arc<Poll>, Trouble>>;

/// The orders of one line.
#[derive(Debug)]
pub(super) struct Queue {
    orders: mpsc::Receiver<Order>,
    waiting: VecDeque<(Instant, Order)>,
    sharing: Vec<Answer>,
}

impl Queue {
    pub(super) fn new(orders: mpsc::Receiver<Order>) -> Self {
        Self {
            orders,
            waiting: VecDeque::new(),
            sharing: Vec::new(),
        }
    }

    /// The next order; none when nobody can give one any more.
    pub(super) async fn next(&mut self) -> Option<Order> {
        match self.waiting.pop_front() {
            Some((_, order)) => Some(order),
            None => self.orders.recv().await,
        }
    }

    /// Takes orders while a poll of these registers is under way, until it is dropped.
    pub(super) async fn take_while_reading(&mut self, registers: Option<&[RegisterId]>) {
        loop {
            let oldest = self.waiting.front().map(|(since, _)| *since + PATIENCE);
            let impatient = async {
                match oldest {
                    Some(moment) => time::sleep_until(moment).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                order = self.orders.recv() => match order {
                    Some(order) => self.take(order, registers),
                    None => std::future::pending().await,
                },
                () = impatient => {
                    if let Some((_, order)) = self.waiting.pop_front() {
                        refuse(order, busy());
                    }
                }
            }
        }
    }

    /// Tells what came of the poll to everybody who shares it.
    pub(super) fn share(&mut self, outcome: &Result<Arc<Poll>, Trouble>) {
        for answer in self.sharing.drain(..) {
            // Whoever asked may have gone.
            drop(answer.send(outcome.clone()));
        }
    }

    fn take(&mut self, order: Order, registers: Option<&[RegisterId]>) {
        match order {
            Order::Read {
                registers: asked,
                answer,
            } if asked.as_deref() == registers => self.sharing.extend(answer),
            // Nothing is being aligned.
            Order::StopAligning => {}
            order if self.waiting.len() == WAITING => refuse(order, busy()),
            order => self.waiting.push_back((Instant::now(), order)),
        }
    }
}

/// Tells whoever wants something read why that is not done.
pub(super) fn refuse(order: Order, why: Trouble) {
    if let Order::Read {
        answer: Some(answer),
        ..
    } = order
    {
        // Whoever asked may have gone.
        drop(answer.send(Err(why)));
    }
}

fn busy() -> Trouble {
    Trouble {
        message: "The line is busy with something else.".to_owned(),
        help: "Ask again in half a minute.".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(
        registers: Option<Vec<RegisterId>>,
    ) -> (Order, oneshot::Receiver<Result<Arc<Poll>, Trouble>>) {
        let (answer, answered) = oneshot::channel();
        let answer = Some(answer);
        (Order::Read { registers, answer }, answered)
    }

    #[tokio::test(start_paused = true)]
    async fn the_same_is_shared_and_something_else_waits_for_twenty_seconds() {
        let (line, orders) = mpsc::channel(4);
        let mut queue = Queue::new(orders);
        let (same, shared) = order(None);
        let (other, waited) = order(Some(vec![RegisterId(60)]));
        line.send(same).await.unwrap();
        line.send(other).await.unwrap();
        line.send(Order::StopAligning).await.unwrap();
        let began = Instant::now();
        let waited = tokio::select! {
            () = queue.take_while_reading(None) => unreachable!("it goes on for ever"),
            waited = waited => waited.unwrap(),
        };
        assert!(began.elapsed() >= PATIENCE);
        assert!(waited.unwrap_err().message.contains("busy"));
        queue.share(&Err(busy()));
        assert!(shared.await.unwrap().is_err());
        assert!(queue.waiting.is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn what_waited_comes_next() {
        let (line, orders) = mpsc::channel(4);
        let mut queue = Queue::new(orders);
        line.send(Order::Align).await.unwrap();
        let poll = time::sleep(Duration::from_secs(2));
        tokio::select! {
            () = queue.take_while_reading(None) => unreachable!("it goes on for ever"),
            () = poll => {}
        }
        assert!(matches!(queue.next().await, Some(Order::Align)));
        drop(line);
        assert!(queue.next().await.is_none());
    }
}

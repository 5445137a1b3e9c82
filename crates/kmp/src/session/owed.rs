//! Which answers are still on their way.
//!
//! A network between, or a slow meter, can hand over an answer after it was given up, and two answers
//! to the same registers look alike. Nothing in a frame tells which request it answers. So while
//! answers are owed, registers are asked for in another order each time: a meter answers in the order
//! asked, and the order tells the answers apart. What is older than an answered request will not be
//! answered any more: a meter answers in turn.

use alloc::collections::{BTreeSet, VecDeque};
use alloc::vec::Vec;
use core::time::Duration;

use crate::clock::Instant;
use crate::frame::{Address, Frame};
use crate::message::{Batch, Request, command};
use crate::register::RegisterId;
use crate::session::AskAnswer;
use crate::session::exchange::answer_to;

/// The requests that were sent and not answered, oldest first.
#[derive(Clone, Debug, Default)]
pub(super) struct Owed {
    requests: VecDeque<Sent>,
    task: u64,
    /// How many orders were used since nothing was owed.
    orders: usize,
}

#[derive(Clone, Debug)]
struct Sent {
    /// What was wanted.
    asked: Request,
    /// How it was put.
    wire: Request,
    at: Instant,
    task: u64,
}

/// An answer, and the request that it belongs to.
pub(super) struct Settled {
    pub(super) asked: Request,
    pub(super) answer: AskAnswer,
    /// The request was sent by the task under way.
    pub(super) is_current: bool,
}

impl Owed {
    /// Beyond this no answer is on its way any more.
    const LATEST: Duration = Duration::from_secs(30);
    /// More are never sent within that time.
    const MOST: usize = 32;
    /// So many registers have orders enough.
    const DISTINCT: usize = 6;
    /// What meters have, to ask for beside a few registers.
    const COMPANIONS: [u16; 8] = [1001, 1004, 68, 60, 74, 99, 86, 1002];

    pub(super) fn begin_task(&mut self, now: Instant) {
        self.task = self.task.wrapping_add(1);
        self.requests
            .retain(|sent| now.since(sent.at) < Self::LATEST);
    }

    /// Puts a request so that its answer cannot be taken for one that is owed. Costs nothing while
    /// nothing is owed.
    pub(super) fn put(&mut self, asked: &Request, seen: &BTreeSet<RegisterId>) -> Request {
        if self.requests.is_empty() {
            self.orders = 0;
            return asked.clone();
        }
        let Request::GetRegister(batch) = asked else {
            return asked.clone();
        };
        let mut ids = batch.ids().to_vec();
        for companion in seen.iter().copied().chain(Self::COMPANIONS.map(RegisterId)) {
            if ids.len() < Self::DISTINCT && !ids.contains(&companion) {
                ids.push(companion);
            }
        }
        let mut order = ids.clone();
        for _ in 0..Self::MOST {
            // A large prime takes neighbouring numbers to orders far apart.
            self.orders = self.orders.wrapping_add(7919);
            order = permutation(&ids, self.orders);
            if !self
                .requests
                .iter()
                .any(|sent| is_confusable(&sent.wire, &order, seen))
            {
                break;
            }
        }
        Batch::new(&order).map_or_else(|| asked.clone(), Request::GetRegister)
    }

    pub(super) fn sent(&mut self, asked: Request, wire: Request, at: Instant) {
        if self.requests.len() >= Self::MOST {
            self.requests.pop_front();
        }
        self.requests.push_back(Sent {
            asked,
            wire,
            at,
            task: self.task,
        });
    }

    /// The last request was answered, in a way that nobody could read, or was never sent.
    pub(super) fn forget_last(&mut self) {
        self.requests.pop_back();
    }

    pub(super) fn forget_all(&mut self) {
        self.requests.clear();
    }

    /// Finds the request that a sound frame answers.
    pub(super) fn settle(&mut self, frame: &Frame<'_>, address: Address) -> Option<Settled> {
        let answer_of = |sent: &Sent| answer_to(&sent.wire, address, frame);
        let fits = |sent: &Sent| answer_of(sent).is_some_and(|answer| follows(&answer, &sent.wire));
        let newest = self.requests.iter().rposition(fits);
        let (place, through) = match self.requests.iter().position(fits) {
            // The order tells which one it was.
            Some(oldest) if frame.command == command::GET_REGISTER => (oldest, oldest),
            // Types and serial numbers are the same each time: good for the newest, certain for the
            // oldest only.
            Some(oldest) => (newest?, oldest),
            // A meter that answers in an order of its own is believed in what it was asked last.
            None => {
                let last = self
                    .requests
                    .iter()
                    .rposition(|sent| answer_of(sent).is_some())?;
                (last, last)
            }
        };
        let sent = self.requests.get(place)?;
        let settled = Settled {
            asked: sent.asked.clone(),
            answer: answer_of(sent)?,
            is_current: sent.task == self.task,
        };
        // What is older has been answered, or never will be.
        self.requests.drain(..=through);
        Some(settled)
    }

    /// The single byte that acknowledges the last request.
    pub(super) fn settle_acknowledgement(&mut self) -> Option<Settled> {
        let sets_clock = |sent: &&Sent| matches!(sent.wire, Request::SetClock(_));
        let last = self.requests.back().filter(sets_clock)?;
        let settled = Settled {
            asked: last.asked.clone(),
            answer: AskAnswer::Acknowledged,
            is_current: last.task == self.task,
        };
        self.requests.clear();
        Some(settled)
    }
}

/// Whether the registers of an answer stand in the order asked for; some may be left out.
fn follows(answer: &AskAnswer, request: &Request) -> bool {
    let (AskAnswer::Registers(records), Request::GetRegister(batch)) = (answer, request) else {
        return true;
    };
    is_subsequence(records.iter().map(|record| record.register), batch.ids())
}

/// Whether the answer to a request that is owed could be one to these registers in this order.
fn is_confusable(owed: &Request, order: &[RegisterId], seen: &BTreeSet<RegisterId>) -> bool {
    let Request::GetRegister(batch) = owed else {
        return false;
    };
    let answered = |id: &RegisterId| seen.is_empty() || seen.contains(id);
    is_subsequence(batch.ids().iter().copied().filter(answered), order)
}

fn is_subsequence(mut part: impl Iterator<Item = RegisterId>, whole: &[RegisterId]) -> bool {
    let mut whole = whole.iter();
    part.all(|wanted| whole.any(|id| *id == wanted))
}

/// One of the orders of these registers, by its number.
fn permutation(ids: &[RegisterId], number: usize) -> Vec<RegisterId> {
    let mut left = ids.to_vec();
    let mut order = Vec::with_capacity(left.len());
    let mut number = number;
    while !left.is_empty() {
        let place = number.checked_rem(left.len()).unwrap_or(0);
        number = number.checked_div(left.len()).unwrap_or(0);
        order.push(left.remove(place));
    }
    order
}

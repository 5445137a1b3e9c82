//! Which answers are still on their way.
//!
//! A network between, or a slow meter, can hand over an answer after it was given up. Two answers to
//! the same registers look alike, so the order decides: a meter answers in turn. An answer belongs to
//! the oldest request that it fits; if that was sent by an earlier task, it is not this one's.

use alloc::collections::VecDeque;
use core::time::Duration;

use crate::clock::Instant;
use crate::frame::{Address, Frame};
use crate::message::Request;
use crate::session::AskAnswer;
use crate::session::exchange::answer_to;

/// The requests that were sent and not answered, oldest first.
#[derive(Clone, Debug, Default)]
pub(super) struct Owed {
    requests: VecDeque<Sent>,
    task: u64,
}

#[derive(Clone, Debug)]
struct Sent {
    request: Request,
    at: Instant,
    task: u64,
}

/// An answer, and the request that it belongs to.
pub(super) struct Settled {
    pub(super) request: Request,
    pub(super) answer: AskAnswer,
    /// The request was sent by the task under way.
    pub(super) is_current: bool,
}

impl Owed {
    /// Beyond this no answer is on its way any more.
    const LATEST: Duration = Duration::from_secs(30);
    /// More are never sent within that time.
    const MOST: usize = 32;

    pub(super) fn begin_task(&mut self, now: Instant) {
        self.task = self.task.wrapping_add(1);
        self.requests
            .retain(|sent| now.since(sent.at) < Self::LATEST);
    }

    pub(super) fn sent(&mut self, request: Request, at: Instant) {
        if self.requests.len() >= Self::MOST {
            self.requests.pop_front();
        }
        self.requests.push_back(Sent {
            request,
            at,
            task: self.task,
        });
    }

    /// Whether an answer may come that nothing waits for.
    pub(super) fn expects_any(&self) -> bool {
        !self.requests.is_empty()
    }

    /// The last request was answered, in a way that nobody could read, or never will be.
    pub(super) fn forget_last(&mut self) {
        self.requests.pop_back();
    }

    pub(super) fn forget_all(&mut self) {
        self.requests.clear();
    }

    /// Finds the request that a sound frame answers. What is older will not be answered any more.
    pub(super) fn settle(&mut self, frame: &Frame<'_>, address: Address) -> Option<Settled> {
        let (place, answer) =
            self.requests.iter().enumerate().find_map(|(place, sent)| {
                Some((place, answer_to(&sent.request, address, frame)?))
            })?;
        let sent = self.requests.drain(..=place).next_back()?;
        Some(Settled {
            request: sent.request,
            answer,
            is_current: sent.task == self.task,
        })
    }

    /// The single byte that acknowledges the last request.
    pub(super) fn settle_acknowledgement(&mut self) -> Option<Settled> {
        let last = self
            .requests
            .back()
            .filter(|sent| matches!(sent.request, Request::SetClock(_)))?;
        let settled = Settled {
            request: last.request.clone(),
            answer: AskAnswer::Acknowledged,
            is_current: last.task == self.task,
        };
        self.requests.clear();
        Some(settled)
    }
}

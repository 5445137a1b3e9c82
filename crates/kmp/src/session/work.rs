//! What a task still has to ask.

use alloc::collections::{BTreeMap, VecDeque};
use alloc::vec::Vec;

use crate::clock::Instant;
use crate::message::{Batch, Request};
use crate::register::{Record, RegisterId};
use crate::session::{AskAnswer, Goal, LineStats, Memory, Outcome};
use crate::verdict::Verdict;

/// The next step of a task.
pub(super) enum Next {
    Request(Request),
    Finished,
}

/// A task's requests, and what came of them.
#[derive(Clone, Debug)]
pub(super) struct Work {
    /// What was asked for, in order.
    registers: Vec<RegisterId>,
    pending: VecDeque<Pending>,
    attempts: u32,
    records: BTreeMap<RegisterId, Record>,
    unsupported: Vec<RegisterId>,
    unanswered: Vec<RegisterId>,
    answer: Option<AskAnswer>,
    asked_nothing: bool,
}

/// A request that is not answered yet.
#[derive(Clone, Debug)]
struct Pending {
    request: Request,
    /// How often it was sent.
    sent: u32,
    /// How often nothing but silence came back.
    silences: u32,
    /// How often the meter answered a probe right after it was silent to this.
    refusals: u32,
    /// After so many silences in a row it is worth asking whether the meter is there at all.
    doubt_after: u32,
}

impl Work {
    pub(super) fn new(goal: Goal, attempts: u32, memory: &Memory, now: Instant) -> Self {
        let mut work = Self {
            registers: Vec::new(),
            pending: VecDeque::new(),
            attempts,
            records: BTreeMap::new(),
            unsupported: Vec::new(),
            unanswered: Vec::new(),
            answer: None,
            asked_nothing: goal == Goal::Read(Vec::new()),
        };
        match goal {
            Goal::Ask(request) => work.pending.push_back(Pending::new(request)),
            Goal::Read(registers) => {
                let (mut mute, mut wanted): (Vec<_>, Vec<_>) = registers
                    .iter()
                    .copied()
                    .partition(|id| memory.is_mute(*id, now));
                if wanted.is_empty() {
                    // Memory alone is no answer.
                    core::mem::swap(&mut mute, &mut wanted);
                }
                work.pending
                    .extend(wanted.chunks(Batch::MAX).filter_map(Pending::registers));
                work.unsupported = mute;
                work.registers = registers;
            }
        }
        work
    }

    pub(super) fn next(&self) -> Next {
        self.pending.front().map_or(Next::Finished, |pending| {
            Next::Request(pending.request.clone())
        })
    }

    /// Whether this is the request that waits for its answer.
    pub(super) fn awaits(&self, request: &Request) -> bool {
        self.pending
            .front()
            .is_some_and(|pending| pending.request == *request)
    }

    /// Whether the request was sent before.
    pub(super) fn is_repeat(&self) -> bool {
        self.pending.front().is_some_and(|pending| pending.sent > 0)
    }

    /// Whether it must be found out if the meter is there at all, or only silent to what it was asked.
    pub(super) fn wants_probe(&self) -> bool {
        self.pending.front().is_some_and(Pending::is_doubtful)
    }

    pub(super) fn accept(&mut self, answer: AskAnswer, memory: &mut Memory) {
        let Some(mut pending) = self.pending.pop_front() else {
            return;
        };
        let Request::GetRegister(batch) = &pending.request else {
            self.answer = Some(answer);
            return;
        };
        let AskAnswer::Registers(mut records) = answer else {
            return;
        };
        memory
            .seen
            .extend(records.iter().map(|record| record.register));
        // Others may have been asked for beside, to tell answers apart.
        let place = |record: &Record| batch.ids().iter().position(|id| *id == record.register);
        records.retain(|record| place(record).is_some());
        records.sort_by_key(place);
        if self.registers.is_empty() {
            self.answer = Some(AskAnswer::Registers(records));
            return;
        }
        let missing: Vec<_> = batch
            .ids()
            .iter()
            .copied()
            .filter(|id| !records.iter().any(|r| r.register == *id))
            .collect();
        self.records
            .extend(records.into_iter().map(|record| (record.register, record)));
        // A meter leaves out what it does not have; what it had before, it has.
        let (doubtful, unsupported): (Vec<_>, Vec<_>) =
            missing.into_iter().partition(|id| memory.seen.contains(id));
        self.unsupported.extend(unsupported);
        pending.sent = pending.sent.saturating_add(1);
        match Pending::registers(&doubtful) {
            Some(again) if pending.sent < self.attempts => {
                self.pending.push_front(Pending {
                    sent: pending.sent,
                    ..again
                });
            }
            Some(_) => self.unsupported.extend(doubtful),
            None => {}
        }
    }

    /// The request got no answer. `answered` tells whether the task got any answer before.
    pub(super) fn fail(&mut self, verdict: Verdict, answered: bool) {
        let Some(pending) = self.pending.front_mut() else {
            return;
        };
        pending.sent = pending.sent.saturating_add(1);
        if matches!(verdict, Verdict::Silent | Verdict::EchoOnly) {
            pending.silences = pending.silences.saturating_add(1);
        }
        // Where a probe is due, it decides.
        if pending.sent >= self.attempts && !pending.is_doubtful() {
            self.abandon_front(answered);
        }
    }

    /// The meter is there, so its silence may be about what it was asked.
    pub(super) fn probe_answered(&mut self, memory: &mut Memory, now: Instant) {
        let Some(pending) = self.pending.front_mut() else {
            return;
        };
        if pending.silences < pending.doubt_after {
            return;
        }
        match *pending.ids() {
            [] => {}
            [alone] => {
                pending.silences = 0;
                pending.refusals = pending.refusals.saturating_add(1);
                if pending.refusals > 1 && !memory.seen.contains(&alone) {
                    self.pending.pop_front();
                    memory.note_mute(alone, now);
                    self.unsupported.push(alone);
                } else if pending.sent >= self.attempts {
                    self.abandon_front(true);
                }
            }
            ref several => {
                let (first, second) = several.split_at(several.len().div_ceil(2));
                let halves = [Pending::half(second), Pending::half(first)];
                self.pending.pop_front();
                for half in halves.into_iter().flatten() {
                    self.pending.push_front(half);
                }
            }
        }
    }

    /// The meter did not answer the probe either: it is not about what it was asked.
    pub(super) fn probe_failed(&mut self, answered: bool) {
        if let Some(pending) = self.pending.front_mut() {
            pending.silences = 0;
            if pending.sent >= self.attempts {
                self.abandon_front(answered);
            }
        }
    }

    pub(super) fn outcome(&mut self, line: LineStats) -> Outcome {
        for pending in core::mem::take(&mut self.pending) {
            self.unanswered.extend(pending.ids());
        }
        let mut records = core::mem::take(&mut self.records);
        let records: Vec<_> = self
            .registers
            .iter()
            .filter_map(|id| records.remove(id))
            .collect();
        let found = !records.is_empty() || self.answer.is_some();
        let verdict = if found || self.asked_nothing {
            Verdict::Ok
        } else if !self.unsupported.is_empty() && self.unanswered.is_empty() {
            Verdict::NotSupported
        } else {
            Verdict::Silent
        };
        Outcome {
            verdict,
            records,
            unsupported: in_order(&self.registers, &self.unsupported),
            unanswered: in_order(&self.registers, &self.unanswered),
            answer: self.answer.take(),
            line,
        }
    }

    /// Gives up the first request; with a meter that never answered, all of them.
    fn abandon_front(&mut self, answered: bool) {
        let given_up = if answered { 1 } else { self.pending.len() };
        for pending in self.pending.drain(..given_up.min(self.pending.len())) {
            self.unanswered.extend(pending.ids());
        }
    }
}

impl Pending {
    const fn new(request: Request) -> Self {
        Self {
            request,
            sent: 0,
            silences: 0,
            refusals: 0,
            doubt_after: 2,
        }
    }

    /// A part of a batch that the meter was silent to: one more silence is enough to doubt it.
    fn half(ids: &[RegisterId]) -> Option<Self> {
        Self::registers(ids).map(|half| Self {
            doubt_after: 1,
            ..half
        })
    }

    /// Whether it was silent to registers so often that a probe has to tell why.
    const fn is_doubtful(&self) -> bool {
        matches!(self.request, Request::GetRegister(_)) && self.silences >= self.doubt_after
    }

    fn ids(&self) -> &[RegisterId] {
        match &self.request {
            Request::GetRegister(batch) => batch.ids(),
            _ => &[],
        }
    }

    fn registers(ids: &[RegisterId]) -> Option<Self> {
        Batch::new(ids).map(|batch| Self::new(Request::GetRegister(batch)))
    }
}

fn in_order(order: &[RegisterId], ids: &[RegisterId]) -> Vec<RegisterId> {
    order
        .iter()
        .copied()
        .filter(|id| ids.contains(id))
        .collect()
}

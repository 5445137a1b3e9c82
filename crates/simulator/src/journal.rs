//! What really happened: the true values of each answer and the faults that hit it.
//!
//! With it a test can hold every value that a reader reports against what the meter said.

use std::collections::VecDeque;

use kamstrup_kmp::message::Request;
use kamstrup_kmp::{Instant, Record, RegisterId, Value};

use crate::faults::{FaultKind, FaultSet};

/// One request that the meter heard.
#[derive(Clone, Debug, PartialEq)]
pub struct Exchange {
    /// Counted from 0.
    pub number: u64,
    /// When the request was complete.
    pub at: Instant,
    /// The request.
    pub request: Request,
    /// The registers as the meter meant them, whatever the faults made of them.
    pub truth: Vec<Record>,
    /// The faults that hit the answer.
    pub faults: FaultSet,
}

/// The last exchanges, and counts of all.
#[derive(Clone, Debug)]
pub struct Journal {
    length: usize,
    kept: VecDeque<Exchange>,
    exchanges: u64,
    spoiled: u64,
    by_kind: [u64; FaultKind::ALL.len()],
    unheard: u64,
}

impl Journal {
    pub(crate) fn new(length: usize) -> Self {
        Self {
            length,
            kept: VecDeque::with_capacity(length.min(1024)),
            exchanges: 0,
            spoiled: 0,
            by_kind: [0; FaultKind::ALL.len()],
            unheard: 0,
        }
    }

    /// The exchanges kept, the newest last.
    pub fn kept(&self) -> impl DoubleEndedIterator<Item = &Exchange> {
        self.kept.iter()
    }

    /// The exchange heard last, if any is kept.
    pub fn last(&self) -> Option<&Exchange> {
        self.kept.back()
    }

    /// Whether the meter meant this value of this register in any exchange kept.
    pub fn said(&self, register: RegisterId, value: &Value) -> bool {
        self.kept.iter().rev().any(|exchange| {
            exchange
                .truth
                .iter()
                .any(|record| record.register == register && record.value == *value)
        })
    }

    /// How many requests the meter heard.
    pub fn exchanges(&self) -> u64 {
        self.exchanges
    }

    /// How many answers any fault hit.
    pub fn spoiled(&self) -> u64 {
        self.spoiled
    }

    /// How many answers this kind of fault hit.
    pub fn spoiled_by(&self, kind: FaultKind) -> u64 {
        self.by_kind[kind as usize]
    }

    /// How many requests reached the meter while it slept or, if strict, did not listen.
    pub fn unheard(&self) -> u64 {
        self.unheard
    }

    pub(crate) fn record(&mut self, exchange: Exchange) {
        self.exchanges += 1;
        self.spoiled += u64::from(!exchange.faults.is_empty());
        for kind in exchange.faults.iter() {
            self.by_kind[kind as usize] += 1;
        }
        if self.length == 0 {
            return;
        }
        if self.kept.len() == self.length {
            self.kept.pop_front();
        }
        self.kept.push_back(exchange);
    }

    pub(crate) fn miss(&mut self) {
        self.unheard += 1;
    }
}

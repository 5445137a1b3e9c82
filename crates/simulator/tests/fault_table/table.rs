//! Rows of the table, and how they are written down.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::time::Duration;

use heatmeter_simulator::FaultKind;
use kamstrup_kmp::{RegisterId, Verdict};

use crate::poller::{Line, Polled, USUAL};

/// What polls under one kind of fault came to.
pub(crate) struct Row {
    pub(crate) kind: FaultKind,
    pub(crate) polls: u64,
    pub(crate) spoiled: u64,
    pub(crate) right: u64,
    pub(crate) wrong: u64,
    /// Polls that brought every value.
    pub(crate) whole: u64,
    pub(crate) held: u64,
    pub(crate) outvoted: u64,
    pub(crate) read_again: u64,
    verdicts: BTreeMap<&'static str, u64>,
    /// Of wrong values: how many of each register, and how far they were off.
    let_through: BTreeMap<RegisterId, u64>,
    /// Of held values: the first reason of each kind.
    reasons: BTreeMap<String, (u64, String)>,
    took: Duration,
    longest: Duration,
}

impl Row {
    pub(crate) fn new(kind: FaultKind) -> Self {
        Self {
            kind,
            polls: 0,
            spoiled: 0,
            right: 0,
            wrong: 0,
            whole: 0,
            held: 0,
            outvoted: 0,
            read_again: 0,
            let_through: BTreeMap::new(),
            reasons: BTreeMap::new(),
            verdicts: BTreeMap::new(),
            took: Duration::ZERO,
            longest: Duration::ZERO,
        }
    }

    pub(crate) fn add(&mut self, poll: &Polled) {
        let (read, wrong) = (poll.good.len() as u64, poll.wrong.len() as u64);
        self.polls += 1;
        self.wrong += wrong;
        self.right += read - wrong;
        self.whole += u64::from(poll.good.len() == USUAL.len() && wrong == 0);
        self.held += poll.held.len() as u64;
        self.outvoted += poll.outvoted;
        self.read_again += u64::from(poll.read_again);
        self.took += poll.took;
        self.longest = self.longest.max(poll.took);
        for record in &poll.wrong {
            *self.let_through.entry(record.register).or_default() += 1;
        }
        for (register, reason) in &poll.held {
            // Figures differ each time; the words are the kind of reason.
            let words = reason
                .chars()
                .filter(|c| !c.is_ascii_digit())
                .collect::<String>();
            let entry = self
                .reasons
                .entry(words)
                .or_insert_with(|| (0, format!("{register}: {reason}")));
            entry.0 += 1;
        }
        for verdict in poll
            .verdicts
            .iter()
            .filter(|verdict| **verdict != Verdict::Ok)
        {
            *self.verdicts.entry(verdict.code()).or_default() += 1;
        }
    }

    pub(crate) fn finish(&mut self, line: &Line) {
        self.spoiled += line.spoiled();
    }

    fn mean_seconds(&self) -> f64 {
        self.took.as_secs_f64() / self.polls as f64
    }

    /// How exchanges failed, the most frequent first, in per cent.
    fn failures(&self) -> String {
        let all: u64 = self.verdicts.values().sum();
        let mut sorted: Vec<(&str, u64)> = self
            .verdicts
            .iter()
            .map(|(code, count)| (*code, *count))
            .collect();
        sorted.sort_by_key(|&(code, count)| (std::cmp::Reverse(count), code));
        let share = |(code, count)| format!("{code} {:.1}%", percent(count, all));
        sorted.into_iter().map(share).collect::<Vec<_>>().join(", ")
    }
}

pub(crate) fn session_table(rows: &[Row]) -> String {
    let mut table = String::from(
        "8 registers of a MULTICAL 403 each minute, 20 s a poll at most, one answer in five spoiled,\n\
         through session and gate\n\n\
         fault             spoiled   right   wrong    held   polls   whole  seconds  longest  exchanges that failed\n",
    );
    for row in rows {
        writeln!(
            table,
            "{:<17} {:>7} {:>7} {:>7} {:>7} {:>7} {:>6.2}% {:>8.2} {:>8.2}  {}",
            row.kind.name(),
            row.spoiled,
            row.right,
            row.wrong,
            row.held,
            row.polls,
            percent(row.whole, row.polls),
            row.mean_seconds(),
            row.longest.as_secs_f64(),
            row.failures(),
        )
        .expect("a string takes everything");
    }
    table
}

/// Damage that no checksum shows, and what the gate made of it.
pub(crate) fn gate_table(row: &Row) -> String {
    let mut table = format!(
        "Values of one answer in five damaged under a checksum made right again\n\n\
         answers spoiled    {:>7}\n\
         polls              {:>7}\n\
         polls read again   {:>7}\n\
         values right       {:>7}\n\
         values outvoted    {:>7}  by a second reading\n\
         values held        {:>7}\n\
         values let through {:>7}  a change within physics cannot be seen:\n",
        row.spoiled, row.polls, row.read_again, row.right, row.outvoted, row.held, row.wrong,
    );
    for (register, count) in &row.let_through {
        let label = heatmeter_catalog::register(*register).map_or("", |register| register.key);
        writeln!(table, "{count:>26}  {label}").expect("a string takes everything");
    }
    table.push_str("\nheld, with one example of each reason:\n");
    let mut reasons: Vec<_> = row.reasons.values().collect();
    reasons.sort_by_key(|(count, reason)| (std::cmp::Reverse(*count), reason));
    for (count, reason) in reasons.into_iter().take(12) {
        writeln!(table, "{count:>26}  {reason}").expect("a string takes everything");
    }
    table
}

fn percent(part: u64, whole: u64) -> f64 {
    part as f64 * 100.0 / whole as f64
}

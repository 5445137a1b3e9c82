//! The wire: when bytes arrive, come back and go out.
//!
//! At 1200 baud 8N2 a byte takes 11 bits, 9.17 ms (vendor document 5512-447, section 3.1; seen in a
//! live log). Paced, a byte is there when its last bit is, both ways, and every moment is computed
//! from the beginning of its run of bytes, so that no rounding adds up. Unpaced, bytes are there at
//! once, which is how a meter behind a fast bridge with a large buffer looks.

use std::collections::VecDeque;

use core::time::Duration;

use kamstrup_kmp::Instant;

use crate::spoil::{Item, Plan};

/// How long so many bytes take at 1200 baud with a start bit, 8 bits and two stop bits.
pub fn wire_time(bytes: usize) -> Duration {
    let bits = u64::try_from(bytes).unwrap_or(u64::MAX).saturating_mul(11);
    let whole = Duration::from_secs(bits / 1200);
    whole + Duration::from_nanos(bits % 1200 * 1_000_000_000 / 1200)
}

/// Bytes on their way to the meter.
#[derive(Clone, Debug)]
pub(crate) struct Inbound {
    pace: bool,
    pieces: VecDeque<(Instant, Vec<u8>)>,
    /// The run of bytes without a gap that the line is busy with: its start and length so far.
    run: Instant,
    run_length: usize,
}

impl Inbound {
    pub(crate) fn new(pace: bool) -> Self {
        Self {
            pace,
            pieces: VecDeque::new(),
            run: Instant::default(),
            run_length: 0,
        }
    }

    pub(crate) fn push(&mut self, bytes: &[u8], now: Instant) {
        if !self.pace {
            self.pieces.push_back((now, bytes.to_vec()));
            return;
        }
        if self.run.after(wire_time(self.run_length)) < now {
            self.run = now;
            self.run_length = 0;
        }
        for &byte in bytes {
            self.run_length += 1;
            self.pieces
                .push_back((self.run.after(wire_time(self.run_length)), vec![byte]));
        }
    }

    pub(crate) fn next(&self) -> Option<Instant> {
        self.pieces.front().map(|(at, _)| *at)
    }

    /// What has arrived by now, piece by piece.
    pub(crate) fn pop(&mut self, now: Instant) -> Option<(Instant, Vec<u8>)> {
        self.pieces.pop_front_if(|(at, _)| *at <= now)
    }

    pub(crate) fn clear(&mut self) {
        self.pieces.clear();
        self.run_length = 0;
    }
}

/// Bytes, and events of the line, on their way from the meter.
#[derive(Clone, Debug)]
pub(crate) struct Outbound {
    pace: bool,
    /// What the head returns. It shares the wire with nothing: light and wire go both ways.
    echo: VecDeque<(Instant, u8)>,
    /// Answers in the order they begin. They never overlap: there is one light.
    answers: VecDeque<Transmission>,
}

#[derive(Clone, Debug)]
struct Transmission {
    begins: Instant,
    ends: Instant,
    items: VecDeque<(Instant, Item)>,
}

impl Outbound {
    pub(crate) fn new(pace: bool) -> Self {
        Self {
            pace,
            echo: VecDeque::new(),
            answers: VecDeque::new(),
        }
    }

    pub(crate) fn echo(&mut self, bytes: impl IntoIterator<Item = u8>, at: Instant) {
        self.echo.extend(bytes.into_iter().map(|byte| (at, byte)));
    }

    /// Sends a planned answer from `start` on, or as soon after as those before it are through: a meter
    /// answers in turn. Returns when its last byte is there.
    pub(crate) fn send(&mut self, plan: &Plan, start: Instant) -> Instant {
        let mut paused = Duration::ZERO;
        let mut bytes = 0;
        let mut offsets = Vec::with_capacity(plan.steps.len());
        for step in &plan.steps {
            paused += step.pause;
            bytes += usize::from(self.pace && matches!(step.item, Item::Byte(_)));
            offsets.push(paused + wire_time(bytes));
        }
        let Some(&length) = offsets.last() else {
            return start;
        };
        // A late answer does not hold the light before its first byte.
        let lead = plan.steps.first().map_or(Duration::ZERO, |step| step.pause);
        let through = self.answers.back().map_or(start, |answer| answer.ends);
        let start = start.after(lead).max(through);
        let items = plan
            .steps
            .iter()
            .zip(&offsets)
            .map(|(step, &offset)| (start.after(offset.saturating_sub(lead)), step.item))
            .collect();
        let ends = start.after(length.saturating_sub(lead));
        self.answers.push_back(Transmission {
            begins: start,
            ends,
            items,
        });
        ends
    }

    /// Whether the meter is sending a byte. Between two bytes of a slow answer it is not.
    pub(crate) fn is_busy(&self, now: Instant) -> bool {
        self.pace
            && self
                .answers
                .iter()
                .filter(|answer| answer.begins <= now)
                .filter_map(|answer| answer.items.iter().find(|(at, _)| *at > now))
                .any(|(at, _)| at.since(now) < wire_time(1))
    }

    /// Gives up the answer that has begun and not ended: a new request has been heard.
    pub(crate) fn abandon(&mut self, now: Instant) {
        for answer in &mut self.answers {
            if answer.begins <= now && now < answer.ends {
                answer.items.retain(|(at, _)| *at <= now);
                answer.ends = now;
            }
        }
        self.answers.retain(|answer| !answer.items.is_empty());
    }

    pub(crate) fn next(&self) -> Option<Instant> {
        let echo = self.echo.front().map(|(at, _)| *at);
        let answer = self.answers.front().and_then(|answer| answer.items.front());
        match (echo, answer.map(|(at, _)| *at)) {
            (Some(echo), Some(answer)) => Some(echo.min(answer)),
            (echo, answer) => echo.or(answer),
        }
    }

    /// What is due by now, in order of time; the echo first.
    pub(crate) fn pop(&mut self, now: Instant) -> Option<Item> {
        let next = self.next().filter(|next| *next <= now)?;
        if let Some((_, byte)) = self.echo.pop_front_if(|(at, _)| *at == next) {
            return Some(Item::Byte(byte));
        }
        let answer = self.answers.front_mut()?;
        let (_, item) = answer.items.pop_front()?;
        if answer.items.is_empty() {
            self.answers.pop_front();
        }
        Some(item)
    }

    /// Whether an event of the line is what comes next, and due.
    pub(crate) fn at_event(&self, now: Instant) -> bool {
        let answer = self.answers.front().and_then(|answer| answer.items.front());
        let echo = self.echo.front().map(|(at, _)| *at);
        match answer {
            Some((at, Item::Event(_))) => *at <= now && echo.is_none_or(|echo| echo > *at),
            _ => false,
        }
    }

    pub(crate) fn clear(&mut self) {
        self.echo.clear();
        self.answers.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spoil::Step;

    fn at(nanos: u64) -> Instant {
        Instant::from_start(Duration::from_nanos(nanos))
    }

    fn plan(bytes: &[u8], pause: Duration) -> Plan {
        let steps = bytes.iter().enumerate().map(|(index, &byte)| Step {
            pause: if index == 0 { pause } else { Duration::ZERO },
            item: Item::Byte(byte),
        });
        Plan {
            steps: steps.collect(),
            then_noise: false,
        }
    }

    #[test]
    fn twelve_hundred_bytes_take_eleven_seconds() {
        assert_eq!(wire_time(0), Duration::ZERO);
        assert_eq!(wire_time(1), Duration::from_nanos(9_166_666));
        assert_eq!(wire_time(1200), Duration::from_secs(11));
        assert_eq!(wire_time(12_000_000), Duration::from_secs(110_000));
    }

    #[test]
    fn bytes_written_at_once_arrive_one_after_the_other() {
        let mut inbound = Inbound::new(true);
        inbound.push(&[1, 2], at(0));
        // Written while the line is busy: follows without a gap and without rounding.
        inbound.push(&[3], at(10_000_000));
        inbound.push(&[4], at(90_000_000));
        let mut arrivals = Vec::new();
        while let Some((moment, _)) = inbound.pop(at(u64::MAX)) {
            arrivals.push(moment.since_start().as_nanos());
        }
        assert_eq!(arrivals, [9_166_666, 18_333_333, 27_500_000, 99_166_666]);
    }

    #[test]
    fn answers_come_in_turn_however_late_the_first_is() {
        let mut outbound = Outbound::new(true);
        let late = outbound.send(&plan(&[1; 10], Duration::from_secs(2)), at(0));
        let next = outbound.send(&plan(&[2; 10], Duration::ZERO), at(1_000_000_000));
        assert_eq!(next, late.after(wire_time(10)));
        let mut order = Vec::new();
        while let Some(Item::Byte(byte)) = outbound.pop(at(u64::MAX)) {
            order.push(byte);
        }
        assert_eq!(order, [[1; 10], [2; 10]].concat());
    }

    #[test]
    fn a_new_request_ends_the_answer_that_has_begun_and_no_other() {
        let mut outbound = Outbound::new(true);
        outbound.send(&plan(&[1; 10], Duration::ZERO), at(0));
        outbound.send(&plan(&[2; 10], Duration::from_secs(5)), at(0));
        outbound.abandon(at(30_000_000));
        let mut left = Vec::new();
        while let Some(Item::Byte(byte)) = outbound.pop(at(u64::MAX)) {
            left.push(byte);
        }
        assert_eq!(left, [&[1; 3][..], &[2; 10]].concat());
    }

    #[test]
    fn a_meter_is_busy_while_a_byte_is_on_the_wire() {
        let mut outbound = Outbound::new(true);
        let mut slow = plan(&[1, 2], Duration::ZERO);
        slow.steps[1].pause = Duration::from_millis(900);
        outbound.send(&slow, at(0));
        let busy = |millis: u64| outbound.is_busy(at(millis * 1_000_000));
        assert_eq!([5, 500, 915, 920].map(busy), [true, false, true, false]);
    }

    #[test]
    fn unpaced_answers_are_there_at_once() {
        let mut outbound = Outbound::new(false);
        outbound.send(&plan(&[1, 2, 3], Duration::ZERO), at(5));
        assert_eq!(outbound.next(), Some(at(5)));
        let bytes: Vec<_> = core::iter::from_fn(|| outbound.pop(at(5))).collect();
        assert_eq!(bytes, [Item::Byte(1), Item::Byte(2), Item::Byte(3)]);
    }
}

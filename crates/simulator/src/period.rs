//! What a meter keeps over a time: averages weighted by volume, and the largest and smallest flow
//! and power with their moments.
//!
//! A Kamstrup takes its extremes not from single measurements but from means over an averaging
//! time, register 268 where the meter has one (1-1440 minutes); we take 60 unless told. Its
//! averages of T1 and T2 are what E8 and E9 over V1 give, weighted by volume. [inferred: the
//! public register lists name the registers only]

use crate::climate::Seconds;
use crate::house::{CELL, Flow, Totals, datetime_of};
use kamstrup_kmp::DateTime;

/// The counters as they stood when a span began.
#[derive(Debug, Clone)]
pub(crate) struct Period {
    at_start: Totals,
}

impl Period {
    pub(crate) fn begin(totals: Totals) -> Self {
        Self { at_start: totals }
    }

    /// Mean inlet and outlet temperature in hundredths, unless nothing has flowed.
    pub(crate) fn averages(&self, now: &Totals) -> Option<(u32, u32)> {
        let volume = now.volume - self.at_start.volume;
        if volume == 0 {
            return None;
        }
        let mean = |sum: i64| u32::try_from((sum + volume / 2) / volume).unwrap_or(0);
        Some((
            mean(now.volume_inlet - self.at_start.volume_inlet),
            mean(now.volume_outlet - self.at_start.volume_outlet),
        ))
    }
}

/// A value and the beginning of the averaging time it was reached in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Extreme {
    pub(crate) value: i64,
    pub(crate) at: DateTime,
}

/// The extremes of a month or a year: l/h and mW. Before the first averaging time is over they
/// are zero at the beginning of the span.
#[derive(Debug, Clone)]
pub(crate) struct Extremes {
    any: bool,
    pub(crate) max_flow: Extreme,
    pub(crate) min_flow: Extreme,
    pub(crate) max_power: Extreme,
    pub(crate) min_power: Extreme,
}

impl Extremes {
    pub(crate) fn begin(at: Seconds) -> Self {
        let nothing = Extreme {
            value: 0,
            at: datetime_of(at),
        };
        Self {
            any: false,
            max_flow: nothing,
            min_flow: nothing,
            max_power: nothing,
            min_power: nothing,
        }
    }

    pub(crate) fn take(&mut self, litres_per_hour: i64, milliwatts: i64, begun: Seconds) {
        let first = !self.any;
        self.any = true;
        let keep = |kept: &mut Extreme, value: i64, better: bool| {
            if better || first {
                *kept = Extreme {
                    value,
                    at: datetime_of(begun),
                };
            }
        };
        let (flow, power) = (litres_per_hour, milliwatts);
        let better = flow > self.max_flow.value;
        keep(&mut self.max_flow, flow, better);
        let better = flow < self.min_flow.value;
        keep(&mut self.min_flow, flow, better);
        let better = power > self.max_power.value;
        keep(&mut self.max_power, power, better);
        let better = power < self.min_power.value;
        keep(&mut self.min_power, power, better);
    }
}

/// The running averaging time, aligned to the clock.
#[derive(Debug, Clone)]
pub(crate) struct Window {
    minutes: u16,
    flow: i64,
    power: i64,
    cells: i64,
}

impl Window {
    pub(crate) fn new(minutes: u16) -> Self {
        Self {
            minutes: minutes.clamp(1, 1440),
            flow: 0,
            power: 0,
            cells: 0,
        }
    }

    pub(crate) fn minutes(&self) -> u16 {
        self.minutes
    }

    pub(crate) fn seconds(&self) -> Seconds {
        i64::from(self.minutes) * 60
    }

    /// Mean flow and power when the cell before `next` was the last of an averaging time.
    pub(crate) fn add(&mut self, flow: &Flow, next: i64) -> Option<(i64, i64)> {
        self.flow += i64::from(flow.litres_per_hour);
        self.power += flow.milliwatts;
        self.cells += 1;
        if next * CELL % self.seconds() != 0 {
            return None;
        }
        let mean = |sum: i64| (sum + self.cells / 2) / self.cells;
        let means = (mean(self.flow), mean(self.power));
        *self = Self::new(self.minutes);
        Some(means)
    }
}

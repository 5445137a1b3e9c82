//! What reading costs the meter's battery.
//!
//! The technical description of the MULTICAL 403 (10.4) reckons its battery's life with at most one
//! reading of data an hour. How much an optical second takes is not published, so the ledger compares
//! what is done with what is documented and does not promise years.

use std::collections::VecDeque;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::hub::Ledger;
use crate::schedule::Schedule;

/// Readings a day that the manufacturer reckons with.
pub const DOCUMENTED_PER_DAY: f64 = 24.0;

/// A full poll of the usual registers takes about so long, until polls have shown what they take.
const USUAL_SECONDS: f64 = 1.2;

/// The owner should know when the schedule takes this many times what is documented: from a poll every
/// quarter of an hour on it is more.
const DRAINING: f64 = 4.0;

/// What one line has done in the last 24 hours.
#[derive(Clone, Debug, Default)]
pub struct Book {
    entries: VecDeque<Entry>,
    is_mains: bool,
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    at: Timestamp,
    wake_ups: u32,
    seconds: f64,
}

impl Book {
    /// Whether the meter is fed by the mains, so that nothing is spent.
    pub fn mains(&mut self, is_mains: bool) {
        self.is_mains = is_mains;
    }

    /// Takes note of traffic.
    pub fn note(&mut self, at: Timestamp, wake_ups: u32, seconds: f64) {
        // Of an alignment's many attempts only sums are kept.
        match self.entries.back_mut() {
            Some(last) if at.duration_since(last.at).abs() < SignedDuration::from_mins(1) => {
                last.wake_ups += wake_ups;
                last.seconds += seconds;
            }
            _ => self.entries.push_back(Entry {
                at,
                wake_ups,
                seconds,
            }),
        }
    }

    /// What it comes to, and what this schedule will.
    pub fn ledger(&mut self, now: Timestamp, schedule: &Schedule) -> Ledger {
        let day = SignedDuration::from_hours(24);
        self.entries
            .retain(|entry| now.duration_since(entry.at).abs() <= day);
        let wake_ups = self.entries.iter().map(|entry| entry.wake_ups).sum();
        let seconds: f64 = self.entries.iter().map(|entry| entry.seconds).sum();
        Ledger {
            wake_ups,
            seconds,
            ..self.what_if(schedule)
        }
    }

    /// What another schedule would cost.
    pub fn what_if(&self, schedule: &Schedule) -> Ledger {
        let mut ledger = cost(schedule, self.seconds_of_a_poll());
        ledger.is_draining &= !self.is_mains;
        ledger.is_mains = self.is_mains;
        ledger
    }

    fn seconds_of_a_poll(&self) -> f64 {
        let (seconds, wake_ups) = self
            .entries
            .iter()
            .fold((0.0, 0), |(seconds, count), entry| {
                (seconds + entry.seconds, count + entry.wake_ups)
            });
        if wake_ups == 0 {
            USUAL_SECONDS
        } else {
            seconds / f64::from(wake_ups)
        }
    }
}

/// What a schedule costs, if each poll takes so long.
pub fn cost(schedule: &Schedule, seconds_of_a_poll: f64) -> Ledger {
    let polls = schedule.polls_per_day();
    Ledger {
        wake_ups: 0,
        seconds: 0.0,
        planned_wake_ups: polls,
        planned_seconds: polls * seconds_of_a_poll,
        documented_seconds: DOCUMENTED_PER_DAY * seconds_of_a_poll,
        is_draining: polls > DOCUMENTED_PER_DAY * DRAINING,
        is_mains: false,
    }
}

/// What the owner should be told about a schedule, if anything.
pub fn warning(schedule: &Schedule) -> Option<String> {
    let polls = schedule.polls_per_day();
    (polls > DOCUMENTED_PER_DAY * DRAINING).then(|| {
        let between = Duration::from_hours(24).div_f64(polls);
        format!(
            "a poll every {} is {:.0} times what the manufacturer reckons the battery with: one an hour",
            crate::duration::format(between),
            polls / DOCUMENTED_PER_DAY
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_added_up_and_then_forgotten() {
        let mut book = Book::default();
        let start = Timestamp::UNIX_EPOCH;
        let hours = |hours| start + SignedDuration::from_hours(hours);
        for hour in 0..30 {
            book.note(hours(hour), 1, 2.0);
        }
        let schedule = Schedule::default();
        let ledger = book.ledger(hours(29), &schedule);
        assert_eq!(ledger.wake_ups, 25);
        assert!((ledger.planned_seconds - 48.0).abs() < 1e-9);
        assert!((ledger.documented_seconds - 48.0).abs() < 1e-9);
        assert!(!ledger.is_draining);
        assert_eq!(book.ledger(hours(100), &schedule).wake_ups, 0);
    }

    #[test]
    fn a_schedule_that_drains_the_battery_is_told() {
        let every_minute: Schedule = "every 1 min".parse().unwrap();
        assert!(warning(&every_minute).unwrap().contains("60 times"));
        assert_eq!(warning(&"every 15 min".parse().unwrap()), None);
        let mut book = Book::default();
        assert!(
            book.ledger(Timestamp::UNIX_EPOCH, &every_minute)
                .is_draining
        );
        book.mains(true);
        assert!(!book.what_if(&every_minute).is_draining);
    }
}

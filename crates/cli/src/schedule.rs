//! When to read: on a steady schedule.

use std::time::Duration;

use tokio::time::{Instant, sleep_until};

/// Moments that lie one interval apart, counted from the first, however long each reading takes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Schedule {
    next: Instant,
    interval: Duration,
}

impl Schedule {
    /// The first moment is now.
    pub(crate) fn new(interval: Duration) -> Self {
        Self {
            next: Instant::now(),
            interval,
        }
    }

    /// Waits for the next moment. Those that have passed meanwhile are left out.
    pub(crate) async fn wait(&mut self) {
        self.next = following(self.next, self.interval, Instant::now());
        sleep_until(self.next).await;
    }
}

/// The first moment after `last` by whole intervals that is not past.
fn following(last: Instant, interval: Duration, now: Instant) -> Instant {
    if interval.is_zero() {
        return now;
    }
    let next = last + interval;
    let late = now.saturating_duration_since(next);
    let missed = late.as_nanos().div_ceil(interval.as_nanos());
    next + interval * u32::try_from(missed).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_schedule_does_not_drift_and_leaves_out_what_has_passed() {
        let start = Instant::now();
        let seconds = |seconds: u64| Duration::from_secs(seconds);
        let at = |now| following(start, seconds(10), start + now) - start;
        assert_eq!(at(seconds(3)), seconds(10));
        assert_eq!(at(seconds(10)), seconds(10));
        assert_eq!(at(seconds(11)), seconds(20));
        assert_eq!(at(seconds(35)), seconds(40));
        assert_eq!(
            following(start, Duration::ZERO, start + seconds(3)),
            start + seconds(3)
        );
    }
}

//! The time, from the one place that knows it.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;

/// Tells the time: the machine's, or one that runs faster, for simulations.
#[derive(Clone, Copy, Debug)]
pub struct Clock(Kind);

#[derive(Clone, Copy, Debug)]
enum Kind {
    System,
    Fast {
        base: Timestamp,
        started: Instant,
        speed: f64,
    },
    /// Says what a test has set, in milliseconds.
    #[cfg(test)]
    Set(&'static std::sync::atomic::AtomicI64),
}

impl Clock {
    /// The machine's clock, with all its jumps.
    pub fn system() -> Self {
        Self(Kind::System)
    }

    /// A clock that says `base` now and runs so many times as fast as time does.
    pub fn fast(base: Timestamp, speed: f64) -> Self {
        Self(Kind::Fast {
            base,
            started: Instant::now(),
            speed,
        })
    }

    /// A clock that a test sets.
    #[cfg(test)]
    pub(crate) fn set_by(milliseconds: &'static std::sync::atomic::AtomicI64) -> Self {
        Self(Kind::Set(milliseconds))
    }

    /// The time.
    pub fn now(&self) -> Timestamp {
        match self.0 {
            Kind::System => Timestamp::now(),
            Kind::Fast {
                base,
                started,
                speed,
            } => {
                let gone = started.elapsed().mul_f64(speed);
                let gone = SignedDuration::try_from(gone).unwrap_or(SignedDuration::MAX);
                base.checked_add(gone).unwrap_or(Timestamp::MAX)
            }
            #[cfg(test)]
            Kind::Set(milliseconds) => {
                let milliseconds = milliseconds.load(std::sync::atomic::Ordering::Relaxed);
                Timestamp::from_millisecond(milliseconds).unwrap_or_default()
            }
        }
    }

    /// How many seconds of this clock pass in one.
    pub fn speed(&self) -> f64 {
        match self.0 {
            Kind::System => 1.0,
            #[cfg(test)]
            Kind::Set(_) => 1.0,
            Kind::Fast { speed, .. } => speed,
        }
    }

    /// How long to wait until the clock says so; zero if it does.
    pub fn until(&self, moment: Timestamp) -> Duration {
        let left = moment.duration_since(self.now());
        Duration::try_from(left)
            .unwrap_or_default()
            .div_f64(self.speed())
    }
}

/// Whether a clock goes as time does, from one look at it to the next.
#[derive(Debug, Default)]
pub(crate) struct Pace(Option<(Timestamp, Instant)>);

impl Pace {
    /// A clock that is kept right by others may be set by so much an hour.
    const SLACK: SignedDuration = SignedDuration::from_mins(1);

    /// Whether it was not set, nor the machine asleep, since the last look. The first one cannot tell.
    pub(crate) fn is_steady(&mut self, clock: Clock) -> bool {
        let (now, looked) = (clock.now(), Instant::now());
        let before = self.0.replace((now, looked));
        before.is_some_and(|(then, at)| {
            let gone = (looked - at).mul_f64(clock.speed());
            let gone = SignedDuration::try_from(gone).unwrap_or(SignedDuration::MAX);
            let shown = now.duration_since(then);
            shown
                .checked_sub(gone)
                .is_some_and(|off| off.abs() <= Self::SLACK)
        })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicI64, Ordering};

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_clock_that_was_set_is_not_steady() {
        let shown: &AtomicI64 = Box::leak(Box::new(AtomicI64::new(0)));
        let clock = Clock::set_by(shown);
        let mut pace = Pace::default();
        let hour = |milliseconds| {
            shown.fetch_add(milliseconds, Ordering::Relaxed);
            tokio::time::advance(Duration::from_hours(1))
        };
        assert!(!pace.is_steady(clock), "nobody knows yet");
        hour(3_600_000).await;
        assert!(pace.is_steady(clock));
        hour(10 * 365 * 86_400_000).await;
        assert!(!pace.is_steady(clock), "it was set ahead by years");
        hour(3_600_500).await;
        assert!(pace.is_steady(clock));
        hour(0).await;
        assert!(!pace.is_steady(clock), "it was set back");
    }
}

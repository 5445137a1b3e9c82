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

//! The optical eye's sleep.
//!
//! Without a well-placed magnet a meter listens only for some minutes after a key press: about 4 on
//! a 403, about 30 on a 402 or 602. Owners of a 403 found that polling alone did not keep it awake.

use core::time::Duration;

use kamstrup_kmp::Instant;

/// Whether the meter listens.
#[derive(Clone, Debug)]
pub(crate) struct Eye {
    sleep_after: Option<Duration>,
    wake_after: Option<Duration>,
    traffic_keeps_awake: bool,
    pressed: Instant,
}

impl Eye {
    /// An eye woken by a key press at the very start.
    pub(crate) fn new(
        sleep_after: Option<Duration>,
        wake_after: Option<Duration>,
        traffic_keeps_awake: bool,
    ) -> Self {
        Self {
            sleep_after,
            wake_after,
            traffic_keeps_awake,
            pressed: Instant::default(),
        }
    }

    /// Somebody presses a key.
    pub(crate) fn press(&mut self, now: Instant) {
        self.pressed = now;
    }

    /// The meter has answered.
    pub(crate) fn answered(&mut self, now: Instant) {
        if self.traffic_keeps_awake {
            self.pressed = now;
        }
    }

    pub(crate) fn is_awake(&mut self, now: Instant) -> bool {
        let Some(sleep_after) = self.sleep_after else {
            return true;
        };
        let since = now.since(self.pressed);
        if since < sleep_after {
            return true;
        }
        let Some(asleep_for) = self.wake_after else {
            return false;
        };
        // The keys pressed meanwhile, each after so much sleep.
        let round = (sleep_after + asleep_for).max(Duration::from_nanos(1));
        let rounds = since.as_nanos() / round.as_nanos();
        let rest = since.as_nanos() % round.as_nanos();
        let rest = Duration::from_nanos(u64::try_from(rest).unwrap_or(u64::MAX));
        if rounds > 0 {
            self.pressed = Instant::from_start(now.since_start().saturating_sub(rest));
        }
        rest < sleep_after
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Instant {
        Instant::from_start(Duration::from_secs(seconds))
    }

    fn minutes(minutes: u64) -> Duration {
        Duration::from_mins(minutes)
    }

    #[test]
    fn sleeps_after_its_time_and_wakes_by_a_key() {
        let mut eye = Eye::new(Some(minutes(4)), None, false);
        assert!(eye.is_awake(at(239)));
        eye.answered(at(239));
        assert!(!eye.is_awake(at(240)));
        assert!(!eye.is_awake(at(100_000)));
        eye.press(at(100_001));
        assert!(eye.is_awake(at(100_240)));
        assert!(!eye.is_awake(at(100_241)));
    }

    #[test]
    fn traffic_keeps_it_awake_only_where_told() {
        let mut eye = Eye::new(Some(minutes(4)), None, true);
        for minute in 1..100 {
            assert!(eye.is_awake(at(minute * 60)));
            eye.answered(at(minute * 60));
        }
        assert!(!eye.is_awake(at(99 * 60 + 240)));
    }

    #[test]
    fn a_key_is_pressed_again_and_again() {
        let mut eye = Eye::new(Some(minutes(4)), Some(minutes(6)), false);
        let awake: Vec<bool> = (0..30)
            .map(|minute| eye.is_awake(at(minute * 60)))
            .collect();
        let expected: Vec<bool> = (0..30).map(|minute| minute % 10 < 4).collect();
        assert_eq!(awake, expected);
    }

    #[test]
    fn never_sleeps_unless_told() {
        assert!(Eye::new(None, None, false).is_awake(at(u64::from(u32::MAX))));
    }
}

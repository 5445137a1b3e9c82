//! How a simulated meter is set up.

use core::ops::RangeInclusive;
use core::time::Duration;

use kamstrup_kmp::{Date, DateTime, Time};

use crate::faults::Fault;
use crate::models::{EnergyUnit, Model};

/// Everything that can be chosen about a simulated meter. The rest follows from the seed.
///
/// ```
/// use heatmeter_simulator::{Config, Model};
///
/// let config = Config::new(Model::M403).seed(7).speed(60.0).echo(true).pace(true);
/// # let _ = config;
/// ```
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own")]
#[derive(Clone, Debug)]
pub struct Config {
    pub(crate) model: Model,
    pub(crate) seed: u64,
    pub(crate) start: DateTime,
    pub(crate) lived_since: Option<DateTime>,
    pub(crate) speed: f64,
    pub(crate) serial: Option<u32>,
    pub(crate) energy_unit: Option<EnergyUnit>,
    pub(crate) averaging_minutes: u16,
    pub(crate) echo: bool,
    pub(crate) pace: bool,
    pub(crate) turnaround: Duration,
    pub(crate) strict: bool,
    pub(crate) sleep_after: Option<Duration>,
    pub(crate) wake_after: Option<Duration>,
    pub(crate) traffic_keeps_awake: bool,
    pub(crate) faults: Vec<Fault>,
    pub(crate) late: RangeInclusive<Duration>,
    pub(crate) noise_for: Duration,
    pub(crate) gone_for: Duration,
    pub(crate) journal_length: usize,
}

impl Config {
    /// A meter of this model with a sound line: seed 1, real time, no echo, no pacing.
    pub fn new(model: Model) -> Self {
        Self {
            model,
            seed: 1,
            start: DEFAULT_START,
            lived_since: None,
            speed: 1.0,
            serial: None,
            energy_unit: None,
            averaging_minutes: 60,
            echo: false,
            pace: false,
            turnaround: Duration::ZERO,
            strict: false,
            sleep_after: None,
            wake_after: None,
            traffic_keeps_awake: false,
            faults: Vec::new(),
            late: Duration::from_secs(2)..=Duration::from_secs(6),
            noise_for: Duration::from_secs(30),
            gone_for: Duration::from_secs(3),
            journal_length: 64,
        }
    }

    /// Which house, which weather, and which answers the faults hit.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// What the meter's clock says when the simulation starts: its local time, without summer
    /// time. 2026-01-12 07:00 unless set. The house has lived since 1 January of that year.
    #[must_use]
    pub fn start(mut self, start: DateTime) -> Self {
        self.start = start;
        self
    }

    /// Since when somebody lives in the house, if that is before the start. Two meters of one seed
    /// that have been lived with since the same day agree on everything, whenever they are started:
    /// the history that one of them gives goes on with the other.
    #[must_use]
    pub fn lived_since(mut self, day: DateTime) -> Self {
        self.lived_since = Some(day);
        self
    }

    /// How many simulated seconds pass in one second. The line's timing is not affected.
    #[must_use]
    pub fn speed(mut self, speed: f64) -> Self {
        self.speed = if speed.is_finite() {
            speed.max(0.0)
        } else {
            1.0
        };
        self
    }

    /// The serial number; unless set, the model's number followed by the seed.
    #[must_use]
    pub fn serial(mut self, serial: u32) -> Self {
        self.serial = Some(serial);
        self
    }

    /// The unit that the meter counts energy in; unless set, the model's usual one.
    #[must_use]
    pub fn energy_unit(mut self, unit: EnergyUnit) -> Self {
        self.energy_unit = Some(unit);
        self
    }

    /// Over how many minutes flow and power are averaged for their extremes, 1 to 1440.
    #[must_use]
    pub fn averaging_minutes(mut self, minutes: u16) -> Self {
        self.averaging_minutes = minutes.clamp(1, 1440);
        self
    }

    /// Whether the head returns what is sent.
    #[must_use]
    pub fn echo(mut self, echo: bool) -> Self {
        self.echo = echo;
        self
    }

    /// Whether bytes take the time they take at 1200 baud 8N2.
    #[must_use]
    pub fn pace(mut self, pace: bool) -> Self {
        self.pace = pace;
        self
    }

    /// How long the meter thinks before its answer begins; not at all unless set.
    #[must_use]
    pub fn turnaround(mut self, turnaround: Duration) -> Self {
        self.turnaround = turnaround;
        self
    }

    /// Whether the vendor's timing rules are kept to the letter: a request with a gap of more than
    /// 27 ms is dropped, what comes while the meter sends is not heard, and for 1.6 s after
    /// something that gets no answer nothing is heard either.
    #[must_use]
    pub fn strict(mut self, strict: bool) -> Self {
        self.strict = strict;
        self
    }

    /// After what time the eye sleeps, counted from the last key press; the start is one.
    #[must_use]
    pub fn sleep_after(mut self, duration: impl Into<Option<Duration>>) -> Self {
        self.sleep_after = duration.into();
        self
    }

    /// After what time asleep somebody presses a key.
    #[must_use]
    pub fn wake_after(mut self, duration: impl Into<Option<Duration>>) -> Self {
        self.wake_after = duration.into();
        self
    }

    /// Whether each answer counts as a key press. Owners of a 403 report that it does not.
    #[must_use]
    pub fn traffic_keeps_awake(mut self, keeps: bool) -> Self {
        self.traffic_keeps_awake = keeps;
        self
    }

    /// What goes wrong, and how often. Faults add to those already set.
    #[must_use]
    pub fn faults(mut self, faults: impl IntoIterator<Item = Fault>) -> Self {
        self.faults.extend(faults);
        self
    }

    /// How late the fault `late` is.
    #[must_use]
    pub fn late(mut self, late: RangeInclusive<Duration>) -> Self {
        self.late = late;
        self
    }

    /// How long the fault `noise-endless` goes on unless the next request ends it.
    #[must_use]
    pub fn noise_for(mut self, duration: Duration) -> Self {
        self.noise_for = duration;
        self
    }

    /// How long the fault `port-gone` takes the port away.
    #[must_use]
    pub fn gone_for(mut self, duration: Duration) -> Self {
        self.gone_for = duration;
        self
    }

    /// How many exchanges the journal keeps.
    #[must_use]
    pub fn journal_length(mut self, exchanges: usize) -> Self {
        self.journal_length = exchanges;
        self
    }
}

/// A Monday morning in winter: showers and radiators at work.
const DEFAULT_START: DateTime = match (Date::new(2026, 1, 12), Time::new(7, 0, 0)) {
    (Some(date), Some(time)) => DateTime::new(date, time),
    _ => panic!("the default start is a date"),
};

//! A year of history that goes on with the simulated meter that is read now.
//!
//! It is what the gateway would have kept had it read the simulated house every hour: from the same
//! house, through the same types. Two times nothing was read, so that gaps can be seen.

use std::time::Duration;

use heatmeter_catalog::reading::Reading;
use heatmeter_catalog::{RegisterId, Tier};
use heatmeter_client::Rounds;
use heatmeter_gateway::service::ServiceError;
use heatmeter_history::{History, Line, Meter, Poll};
use heatmeter_simulator::{Config, Model, SimulatedMeter};
use jiff::{SignedDuration, Timestamp, ToSpan};
use kamstrup_kmp::{DateTime, Instant, Verdict};

use crate::failure::Failure;
use crate::wall_clock;

/// So many months, so that each day of this month has its day of last year.
const MONTHS: i64 = 13;

const HOUR: Duration = Duration::from_hours(1);

/// In the last two days it was read this often, for the charts of hours.
const OFTEN: Duration = Duration::from_mins(5);

/// So many polls are written at once.
const AT_ONCE: usize = 1000;

/// The months before now.
pub(super) struct Past {
    began: Timestamp,
    now: Timestamp,
    /// What the meter's clock said when it began.
    clock: DateTime,
    config: Config,
}

impl Past {
    /// The months before now in the house of this seed.
    pub(super) fn new(seed: u64, pace: f64) -> Result<Self, Failure> {
        let now = wall_clock::local();
        Self::of(seed, pace, &now).ok_or_else(|| {
            Failure::usage(
                format!("the clock of this computer says {}", now.date()),
                "set it: a meter's clock knows the years 2000 to 2099 only",
            )
        })
    }

    fn of(seed: u64, pace: f64, now: &jiff::Zoned) -> Option<Self> {
        let began = now.checked_sub(MONTHS.months()).ok()?.start_of_day().ok()?;
        Some(Self {
            began: began.timestamp(),
            now: now.timestamp(),
            clock: wall_clock::to_meter(began.datetime())?,
            config: Config::new(Model::M403).seed(seed).speed(pace).pace(true),
        })
    }

    /// The meter as it is now.
    pub(super) fn goes_on(&self) -> Config {
        let passed = self.now.duration_since(self.began).as_secs();
        let seconds = self.clock.seconds_since_epoch().saturating_add(passed);
        let now = DateTime::from_seconds_since_epoch(seconds).unwrap_or(self.clock);
        self.config.clone().start(now).lived_since(self.clock)
    }

    /// Writes it all; tells how many polls.
    pub(super) async fn write(self, history: &History) -> Result<usize, Failure> {
        // The house computes for a second or two; whoever waits for Ctrl-C must not wait for that.
        let (meter, polls) = tokio::task::spawn_blocking(move || self.make())
            .await
            .map_err(|error| Failure::unexpected("the history was not made", error.into()))?;
        history.introduce(meter).await.map_err(ServiceError::from)?;
        let count = polls.len();
        let mut polls = polls.into_iter().peekable();
        while polls.peek().is_some() {
            let some = polls.by_ref().take(AT_ONCE).collect();
            history.record_all(some).await.map_err(ServiceError::from)?;
        }
        Ok(count)
    }

    fn make(&self) -> (Meter, Vec<Poll>) {
        let config = self.config.clone().speed(1.0).start(self.clock);
        let mut simulated = SimulatedMeter::new(config);
        let serial = serial(&mut simulated);
        let registers = registers();
        let mut polls = Vec::new();
        let mut at = self.began;
        let mut day = None;
        while at < self.now {
            let passed = Duration::try_from(at.duration_since(self.began)).unwrap_or_default();
            let today = passed.as_secs() / 86_400;
            let is_new_day = day.replace(today) != Some(today);
            let due: Vec<RegisterId> = registers
                .iter()
                .filter(|(_, tier)| *tier <= Tier::Hourly || is_new_day)
                .map(|(id, _)| *id)
                .collect();
            polls.push(if let Some(verdict) = outage(today, passed) {
                failed(&serial, at, verdict)
            } else {
                let records = simulated.read(&due, Instant::from_start(passed));
                let readings = records.iter().map(Reading::of).collect();
                answered(&serial, at, readings)
            });
            let left = self.now.duration_since(at);
            let step = if left > SignedDuration::from_hours(48) {
                HOUR
            } else {
                OFTEN
            };
            at = at.saturating_add(step).unwrap_or(Timestamp::MAX);
        }
        (meter(serial), polls)
    }
}

/// What is read of such a meter, and how often.
fn registers() -> Vec<(RegisterId, Tier)> {
    let Some(model) = heatmeter_catalog::model("403") else {
        return Vec::new();
    };
    let tier = |id| heatmeter_catalog::register(id).map(|register| (id, model.tier(register)));
    Rounds::new(model, HOUR)
        .registers()
        .filter_map(tier)
        .collect()
}

/// When nothing was read, and why: a head that had slipped, and a plug that somebody had pulled.
fn outage(day: u64, passed: Duration) -> Option<Verdict> {
    let hour = passed.as_secs() / 3600 % 24;
    match (day, hour) {
        (97, 14..) | (98, ..20) => Some(Verdict::EchoOnly),
        (371, 9..13) => Some(Verdict::PortLost),
        _ => None,
    }
}

fn answered(serial: &str, at: Timestamp, readings: Vec<Reading>) -> Poll {
    let requests = u32::try_from(readings.len().div_ceil(8)).unwrap_or(1);
    Poll {
        serial: serial.to_owned(),
        at,
        verdict: Verdict::Ok,
        line: Line {
            requests,
            retries: 0,
            bytes_sent: 24 * u64::from(requests),
            bytes_received: 9 * readings.len() as u64,
            took: Duration::from_millis(900) * requests,
        },
        readings,
    }
}

fn failed(serial: &str, at: Timestamp, verdict: Verdict) -> Poll {
    Poll {
        serial: serial.to_owned(),
        at,
        verdict,
        readings: Vec::new(),
        line: Line::default(),
    }
}

fn meter(serial: String) -> Meter {
    let model = heatmeter_catalog::model("403");
    Meter {
        serial,
        model: model.map(|model| model.name.to_owned()),
        type_code: model.and_then(|model| model.simulated_type),
        software: None,
    }
}

/// Its serial number, as it tells it.
fn serial(simulated: &mut SimulatedMeter) -> String {
    const SERIAL_NUMBER: RegisterId = RegisterId(1001);

    let records = simulated.read(&[SERIAL_NUMBER], Instant::default());
    let number = records.first().map(|record| record.value.to_string());
    number.unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> jiff::Zoned {
        "2026-11-26T12:34:56+01:00[Europe/Copenhagen]"
            .parse()
            .unwrap()
    }

    #[test]
    fn counters_only_grow_and_the_meter_of_now_goes_on_with_them() {
        const ENERGY: RegisterId = RegisterId(60);

        let past = Past::of(7, 10.0, &now()).unwrap();
        let (meter, polls) = past.make();
        assert_eq!(meter.serial, "40300007");
        assert!((9_500..11_000).contains(&polls.len()), "{}", polls.len());
        let counted = |poll: &Poll| {
            let energy = poll
                .readings
                .iter()
                .find(|reading| reading.register == ENERGY);
            energy.and_then(Reading::number)
        };
        let energies: Vec<_> = polls.iter().filter_map(counted).collect();
        assert!(energies.is_sorted());
        let live = SimulatedMeter::new(past.goes_on()).read(&[ENERGY], Instant::default());
        let live = Reading::of(&live[0]).number().unwrap();
        let last = *energies.last().unwrap();
        assert!(last <= live, "{last} and then {live}");
        // Five minutes of a house in winter are less than this.
        let more = live.checked_sub(last).unwrap().to_f64();
        assert!(more < 0.1, "{last} and then {live}");
    }

    #[test]
    fn there_are_gaps_and_they_say_why() {
        let past = Past::of(1, 10.0, &now()).unwrap();
        let (_, polls) = past.make();
        let count = |verdict| polls.iter().filter(|poll| poll.verdict == verdict).count();
        assert_eq!(count(Verdict::EchoOnly), 30);
        assert_eq!(count(Verdict::PortLost), 4);
        assert!(polls.is_sorted_by_key(|poll| poll.at));
    }
}

//! What to read of a meter each time: slow registers less often, and what it lacks no more.

use std::collections::BTreeMap;
use std::time::Duration;

use heatmeter_catalog::reading::{Quality, Reading};
use heatmeter_catalog::{Model, RegisterId, Tier};
use tokio::time::Instant;

/// Registers, each with how often it is worth reading.
#[derive(Clone, Debug)]
pub struct Rounds {
    /// The model that the registers were chosen for.
    model: &'static str,
    interval: Duration,
    speed: f64,
    registers: Vec<(RegisterId, Tier)>,
    read: BTreeMap<RegisterId, Instant>,
    /// How often in a row the meter said that it does not have it.
    missing: BTreeMap<RegisterId, u8>,
}

impl Rounds {
    /// The registers that people want to see of a model.
    pub fn new(model: &'static Model, interval: Duration) -> Self {
        let registers = model
            .known_registers()
            .filter(|register| model.shows(register) || model.usual.contains(&register.id))
            .map(|register| (register.id, model.tier(register)));
        let mut rounds = Self {
            model: model.slug,
            interval,
            speed: 1.0,
            registers: registers.collect(),
            read: BTreeMap::new(),
            missing: BTreeMap::new(),
        };
        // In the order in which people read them: the usual ones first.
        let place = |id: RegisterId| model.usual.iter().position(|usual| *usual == id);
        rounds
            .registers
            .sort_by_key(|(id, _)| place(*id).unwrap_or(usize::MAX));
        rounds
    }

    /// Tells that the meter lives faster than we do: interval and periods are its own.
    #[must_use]
    pub fn at_speed(mut self, speed: f64) -> Self {
        self.speed = speed;
        self
    }

    /// Whether they were chosen for this model.
    pub fn are_for(&self, model: &Model) -> bool {
        self.model == model.slug
    }

    /// Those that are due.
    pub fn due(&self) -> Vec<RegisterId> {
        self.due_at(Instant::now())
    }

    /// Takes note of what came of reading.
    pub fn done(&mut self, readings: &[Reading]) {
        let now = Instant::now();
        for reading in readings {
            let id = reading.register;
            let missing = self.missing.entry(id).or_default();
            match reading.quality {
                Quality::Unsupported => *missing = missing.saturating_add(1),
                Quality::Unanswered => continue,
                Quality::Good | Quality::Invalid | Quality::Held => *missing = 0,
            }
            self.read.insert(id, now);
        }
    }

    /// Those that are read with every poll and that the meter has.
    pub fn every_time(&self) -> Vec<RegisterId> {
        self.registers
            .iter()
            .filter(|(id, tier)| {
                *tier == Tier::Poll && self.missing.get(id).is_none_or(|&times| times == 0)
            })
            .map(|(id, _)| *id)
            .collect()
    }

    /// All of them, the usual ones first.
    pub fn registers(&self) -> impl Iterator<Item = RegisterId> + '_ {
        self.registers.iter().map(|(id, _)| *id)
    }

    /// The port was opened again: what is read once is read again.
    pub fn begin_anew(&mut self) {
        self.read.clear();
        self.missing.clear();
    }

    fn due_at(&self, now: Instant) -> Vec<RegisterId> {
        self.registers
            .iter()
            .filter(|(id, _)| self.missing.get(id).is_none_or(|times| *times < 2))
            .filter(|(id, tier)| self.is_due(*id, *tier, now))
            .map(|(id, _)| *id)
            .collect()
    }

    fn is_due(&self, id: RegisterId, tier: Tier, now: Instant) -> bool {
        let Some(last) = self.read.get(&id) else {
            return true;
        };
        let period = match tier {
            Tier::Poll => return true,
            Tier::Hourly => Duration::from_hours(1),
            Tier::Daily => Duration::from_hours(24),
            Tier::Once => return false,
        };
        // At the reading that is nearest to it.
        let gone = now.saturating_duration_since(*last).mul_f64(self.speed);
        gone + self.interval / 2 >= period
    }
}

#[cfg(test)]
mod tests {
    use heatmeter_catalog::{register, register_by_key};

    use super::*;

    fn unanswered(id: RegisterId) -> Reading {
        Reading::without(id, Quality::Unanswered)
    }

    #[test]
    fn slow_registers_are_read_once_an_hour_and_fixed_ones_once() {
        let model = heatmeter_catalog::model("403").unwrap();
        let mut rounds = Rounds::new(model, Duration::from_mins(15));
        let due = |rounds: &Rounds, after| -> Vec<_> {
            let ids = rounds.due_at(Instant::now() + after);
            ids.into_iter()
                .map(|id| register(id).unwrap().key)
                .collect()
        };
        let first = due(&rounds, Duration::ZERO);
        assert!(first.contains(&"heat_energy") && first.contains(&"serial_number"));
        assert!(first.contains(&"hour_counter"));

        let readings: Vec<_> = rounds.due().into_iter().map(unanswered).collect();
        rounds.done(&readings);
        assert_eq!(due(&rounds, Duration::ZERO), first, "nothing was read");

        let good = |id| Reading::without(id, Quality::Good);
        let readings: Vec<_> = rounds.due().into_iter().map(good).collect();
        rounds.done(&readings);
        let soon = due(&rounds, Duration::from_mins(15));
        assert!(soon.contains(&"heat_energy"));
        assert!(!soon.contains(&"hour_counter") && !soon.contains(&"serial_number"));
        let later = due(&rounds, Duration::from_hours(1));
        assert!(later.contains(&"hour_counter") && !later.contains(&"serial_number"));
        assert_eq!(rounds.every_time().len(), soon.len());
    }

    #[test]
    fn a_meter_that_lives_faster_has_shorter_hours() {
        let model = heatmeter_catalog::model("403").unwrap();
        let mut rounds = Rounds::new(model, Duration::from_mins(15)).at_speed(60.0);
        let readings: Vec<_> = rounds
            .due()
            .into_iter()
            .map(|id| Reading::without(id, Quality::Good))
            .collect();
        rounds.done(&readings);
        let hours = register_by_key("hour_counter").unwrap().id;
        let due = |after| rounds.due_at(Instant::now() + after).contains(&hours);
        assert!(!due(Duration::from_secs(45)));
        assert!(due(Duration::from_mins(1)));
    }

    #[test]
    fn what_a_meter_lacks_twice_is_not_asked_for_any_more() {
        let model = heatmeter_catalog::model("403").unwrap();
        let mut rounds = Rounds::new(model, Duration::ZERO);
        let missing = RegisterId(266);
        for _ in 0..2 {
            assert!(rounds.due().contains(&missing));
            rounds.done(&[Reading::without(missing, Quality::Unsupported)]);
        }
        assert!(!rounds.due().contains(&missing));
        rounds.begin_anew();
        assert!(rounds.due().contains(&missing));
    }
}

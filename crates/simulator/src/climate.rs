//! What the house has no say in: the weather, and when its people want hot water.
//!
//! Everything is a function of the seed and the time alone: noise is looked up by position, not
//! drawn from a running stream, so that any moment can be asked for without living through the
//! ones before. Only `+ - * /` are used; see [`crate::water`] for why.

use oorandom::Rand64;

/// Seconds of simulated local time since 2000-01-01 00:00:00, without summer time.
pub(crate) type Seconds = i64;

pub(crate) const HOUR: Seconds = 3600;
pub(crate) const DAY: Seconds = 24 * HOUR;

/// Weather and habits of one seed.
#[derive(Debug, Clone)]
pub(crate) struct Climate {
    seed: u64,
    people: u32,
}

/// One hot-water draw.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Draw {
    /// Second of the day.
    pub(crate) start: u32,
    pub(crate) seconds: u32,
    /// Heat taken from the district heating side.
    pub(crate) watts: u16,
}

impl Climate {
    pub(crate) fn new(seed: u64) -> Self {
        let people = 1 + pick(&mut stream(seed, Noise::House, 0), 4);
        Self { seed, people }
    }

    /// Outdoor temperature in °C: a year, a day, and weather over days and hours.
    pub(crate) fn outdoor(&self, at: Seconds) -> f64 {
        // Coldest about 20 January, warmest half a year later.
        let season = -wave(fraction(at - 20 * DAY, 31_556_952) + 0.25);
        // Warmest about 15 o'clock; summer days swing more.
        let hour = wave(fraction(at - 9 * HOUR, DAY));
        9.0 + 9.0 * season
            + (2.5 + 1.5 * season) * hour
            + 4.0 * self.smooth(Noise::Fronts, at, 3 * DAY)
            + 1.8 * self.smooth(Noise::Showers, at, 9 * HOUR)
    }

    /// Hunting of the radiator valves, about 1.
    pub(crate) fn valves(&self, at: Seconds) -> f64 {
        1.0 + 0.06 * self.smooth(Noise::Valves, at, 600)
    }

    /// Supply temperature the plant sends out, in °C.
    pub(crate) fn supply(&self, at: Seconds) -> f64 {
        let cold = (10.0 - self.outdoor(at)).clamp(0.0, 25.0);
        67.0 + 0.9 * cold + 1.5 * self.smooth(Noise::Plant, at, 2 * HOUR)
    }

    /// The hot-water draws of a day, counted from 2000-01-01, in no order. They may overlap.
    pub(crate) fn draws(&self, day: i64) -> Vec<Draw> {
        let mut rng = stream(self.seed, Noise::HotWater, day);
        let mut draws = Vec::with_capacity(48);
        for _ in 0..self.people {
            if pick(&mut rng, 100) < 75 {
                let from = if pick(&mut rng, 3) < 2 { 6 } else { 20 };
                draws.push(Draw {
                    start: from * 3600 + pick(&mut rng, 2 * 3600),
                    seconds: 240 + pick(&mut rng, 300),
                    watts: short(20_000 + pick(&mut rng, 8_000)),
                });
            }
            for _ in 0..4 + pick(&mut rng, 8) {
                draws.push(Draw {
                    start: 6 * 3600 + pick(&mut rng, 17 * 3600),
                    seconds: 15 + pick(&mut rng, 75),
                    watts: short(7_000 + pick(&mut rng, 11_000)),
                });
            }
        }
        draws
    }

    /// Length of the spell of air in the flow sensor that begins on this day: its start and end
    /// as seconds of the day. About two a year.
    pub(crate) fn air_in_sensor(&self, day: i64) -> Option<(u32, u32)> {
        let mut rng = stream(self.seed, Noise::Air, day);
        (pick(&mut rng, 180) == 0).then(|| {
            let start = pick(&mut rng, 18 * 3600);
            (start, start + 600 + pick(&mut rng, 2 * 3600))
        })
    }

    /// A number below `below` that belongs to the house, such as its age.
    pub(crate) fn of_house(&self, which: i64, below: u32) -> u32 {
        pick(&mut stream(self.seed, Noise::House, 1 + which), below)
    }

    /// Noise between -1 and 1 with a knot every `period`, smooth in between.
    fn smooth(&self, noise: Noise, at: Seconds, period: Seconds) -> f64 {
        let knot = at.div_euclid(period);
        let x = fraction(at, period);
        let (from, to) = (self.knot(noise, knot), self.knot(noise, knot + 1));
        from + (to - from) * x * x * (3.0 - 2.0 * x)
    }

    fn knot(&self, noise: Noise, index: i64) -> f64 {
        stream(self.seed, noise, index).rand_float() * 2.0 - 1.0
    }
}

/// The independent sources of chance; their numbers are part of what a seed means.
#[derive(Debug, Clone, Copy)]
enum Noise {
    House = 1,
    Fronts = 2,
    Showers = 3,
    Valves = 4,
    Plant = 5,
    HotWater = 6,
    Air = 7,
}

fn stream(seed: u64, noise: Noise, index: i64) -> Rand64 {
    let position = (noise as u64) << 56 ^ index.cast_unsigned();
    let mut rng = Rand64::new(u128::from(seed) << 64 | u128::from(position));
    // Neighbouring seeds start close together; one step tears them apart.
    rng.rand_u64();
    rng
}

#[allow(clippy::cast_possible_truncation)] // below `below`, which is u32
fn pick(rng: &mut Rand64, below: u32) -> u32 {
    rng.rand_range(0..u64::from(below)) as u32
}

fn short(watts: u32) -> u16 {
    u16::try_from(watts).unwrap_or(u16::MAX)
}

#[allow(clippy::cast_precision_loss)] // far below 2^52
fn fraction(at: Seconds, period: Seconds) -> f64 {
    at.rem_euclid(period) as f64 / period as f64
}

/// A sine over turns, by Bhāskara's approximation (within 0.0017).
fn wave(turns: f64) -> f64 {
    let turns = if turns >= 1.0 { turns - 1.0 } else { turns };
    let (half, sign) = if turns < 0.5 {
        (turns * 2.0, 1.0)
    } else {
        (turns * 2.0 - 1.0, -1.0)
    };
    let bow = half * (1.0 - half);
    sign * 16.0 * bow / (5.0 - 4.0 * bow)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn winters_are_cold_and_summers_warm() {
        for seed in 0..20 {
            let climate = Climate::new(seed);
            let mean = |day: i64| {
                let hours = (0..30 * 24).map(|hour| climate.outdoor(day * DAY + hour * HOUR));
                hours.sum::<f64>() / (30.0 * 24.0)
            };
            let (january, july) = (mean(5), mean(185));
            assert!((-6.0..6.0).contains(&january), "{january}");
            assert!((13.0..24.0).contains(&july), "{july}");
        }
    }

    #[test]
    fn weather_is_smooth() {
        let climate = Climate::new(7);
        for minute in 0..100_000 {
            let (a, b) = (
                climate.outdoor(minute * 60),
                climate.outdoor(minute * 60 + 60),
            );
            assert!((a - b).abs() < 0.05, "{a} then {b}");
        }
    }

    #[test]
    fn afternoons_are_warmer_than_nights() {
        let climate = Climate::new(3);
        let warmer = (0..365)
            .filter(|day| {
                climate.outdoor(day * DAY + 15 * HOUR) > climate.outdoor(day * DAY + 3 * HOUR)
            })
            .count();
        assert!(warmer > 300, "{warmer}");
    }

    #[test]
    fn draws_differ_between_days_and_seeds_and_repeat_exactly() {
        let climate = Climate::new(1);
        assert_eq!(climate.draws(100), Climate::new(1).draws(100));
        assert_ne!(climate.draws(100), climate.draws(101));
        assert_ne!(climate.draws(100), Climate::new(2).draws(100));
        assert!((0..365).all(|day| climate.draws(day).len() >= 4));
    }
}

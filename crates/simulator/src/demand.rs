//! What the house asks of the heating, hour by hour and day by day.
//!
//! Weather changes over hours, so its part is worked out at the ends of each hour and taken as
//! straight in between; hot water comes and goes within seconds and is laid out cell by cell.

use crate::climate::{Climate, DAY, HOUR, Seconds};
use crate::house::CELL;

/// Radiators (W) and supply temperature at both ends of an hour; valves every ten minutes.
#[derive(Debug, Clone, Default)]
pub(crate) struct Knots {
    radiators: [f64; 2],
    supply: [f64; 2],
    valves: [f64; 7],
}

impl Knots {
    pub(crate) fn new(climate: &Climate, loss: f64, at: Seconds) -> Self {
        let ends = [at, at + HOUR];
        let mut valves = [0.0; 7];
        let mut knot = at;
        for valve in &mut valves {
            *valve = climate.valves(knot);
            knot += 600;
        }
        Self {
            radiators: ends.map(|at| radiators(climate, loss, at)),
            supply: ends.map(|at| climate.supply(at)),
            valves,
        }
    }

    pub(crate) fn at(&self, at: Seconds) -> (f64, f64) {
        // Below 3600, so that neither type loses anything.
        let in_hour = u16::try_from(at.rem_euclid(HOUR)).unwrap_or(0);
        let part = usize::from(in_hour / 600);
        let y = f64::from(in_hour % 600) * (1.0 / 600.0);
        let valve = self.valves[part] + (self.valves[part + 1] - self.valves[part]) * y;
        let x = f64::from(in_hour) * (1.0 / 3600.0);
        let between = |ends: &[f64; 2]| ends[0] + (ends[1] - ends[0]) * x;
        (between(&self.radiators) * valve, between(&self.supply))
    }
}

/// Heat the radiators want, W: loss to the outside less what sun and people give, with the
/// thermostats set back at night and warming up in the morning.
fn radiators(climate: &Climate, loss: f64, at: Seconds) -> f64 {
    let hour = at.rem_euclid(DAY) / HOUR;
    let set = match hour {
        0..=4 => 17.5,
        5 => 19.0,
        6..=7 => 22.0,
        8..=20 => 20.5,
        21..=22 => 19.5,
        _ => 18.0,
    };
    let gains = if (10..=17).contains(&hour) { 4.0 } else { 2.5 };
    (loss * (set - gains - climate.outdoor(at))).max(0.0)
}

/// The hot water and the mishaps of one day.
#[derive(Debug, Clone)]
pub(crate) struct Today {
    day: i64,
    /// W in each cell.
    hot_water: Vec<u16>,
    air: (u32, u32),
}

impl Default for Today {
    fn default() -> Self {
        Self {
            day: -1,
            hot_water: Vec::new(),
            air: (0, 0),
        }
    }
}

impl Today {
    pub(crate) fn new(climate: &Climate, day: i64) -> Self {
        let mut hot_water = vec![0_u16; CELLS_PER_DAY];
        for draw in climate.draws(day) {
            let (first, last) = (draw.start / 10, (draw.start + draw.seconds) / 10);
            let cells = first as usize..=last as usize;
            for watts in hot_water.get_mut(cells).into_iter().flatten() {
                *watts = watts.saturating_add(draw.watts);
            }
        }
        Self {
            day,
            hot_water,
            air: climate.air_in_sensor(day).unwrap_or((0, 0)),
        }
    }

    pub(crate) fn holds(&self, at: Seconds) -> bool {
        self.day == at / DAY
    }

    pub(crate) fn hot_water(&self, at: Seconds) -> u16 {
        let cell = usize::try_from(at % DAY / CELL).unwrap_or(0);
        self.hot_water.get(cell).copied().unwrap_or(0)
    }

    pub(crate) fn air(&self, at: Seconds) -> bool {
        let second = at % DAY;
        (i64::from(self.air.0)..i64::from(self.air.1)).contains(&second)
    }
}

const CELLS_PER_DAY: usize = 8_640;
const _: () = assert!(CELL == 10 && DAY == CELL * 8_640);

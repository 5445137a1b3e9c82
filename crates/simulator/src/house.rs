//! The house behind the meter: heat demand, flow and temperatures, and what the meter counts.
//!
//! Time runs on a fixed grid of [`CELL`] seconds. In each cell the flow is a whole number of
//! litres per hour and the temperatures are whole hundredths of a degree; power follows from them
//! by [`water::power_milliwatts`], and every counter is an integer sum over the finished cells.
//! So whoever asks, at whatever speed and in whatever steps, finds the same numbers, and energy
//! is exactly the integral of power, volume that of flow, E8 and E9 those of flow times
//! temperature.
//!
//! A house is simulated from 1 January of the year it is started in, on top of counters that stand
//! for its earlier years, so that the year's and the month's extremes are there from the beginning.

use kamstrup_kmp::{Date, DateTime};

use crate::climate::{Climate, DAY, HOUR, Seconds};
use crate::demand::{Knots, Today};
use crate::period::{Extremes, Period, Window};
use crate::water;

/// Grid of the simulation in seconds.
pub(crate) const CELL: Seconds = 10;

/// One house, from the seed it was built of to the cell it has reached.
#[derive(Debug, Clone)]
pub(crate) struct House {
    climate: Climate,
    /// W per K between indoors and outdoors.
    loss: f64,
    /// Finished cells since 2000-01-01.
    cell: i64,
    today: Today,
    this_hour: Knots,
    /// °C of the water in the pipes at the meter.
    inlet: f64,
    outlet: f64,
    bypass_open: bool,
    flow: Flow,
    info: Info,
    totals: Totals,
    window: Window,
    hour: Period,
    day: Period,
    month: Period,
    year: Period,
    extremes_month: Extremes,
    extremes_year: Extremes,
}

/// What the meter measures in one cell.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Flow {
    pub(crate) litres_per_hour: u32,
    /// Hundredths of °C.
    pub(crate) inlet: u32,
    pub(crate) outlet: u32,
    pub(crate) milliwatts: i64,
}

/// What the meter has counted, in the units the grid gives without rounding.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Totals {
    /// Heat in mJ.
    pub(crate) energy: i64,
    /// 1/3600 l.
    pub(crate) volume: i64,
    /// Volume times inlet and outlet temperature, 1/3600 l · 0.01 °C.
    pub(crate) volume_inlet: i64,
    pub(crate) volume_outlet: i64,
    /// 1/3600 l · 0.01 kg/m³.
    pub(crate) mass: i64,
    /// Seconds since the meter was taken into use, and those with an info code.
    pub(crate) operating: i64,
    pub(crate) in_error: i64,
}

/// The info code and how often it has changed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Info {
    /// Air in the flow sensor V1: no flow is measured while it lasts.
    pub(crate) air: bool,
    pub(crate) events: u32,
}

impl House {
    /// A house at `start` that has been lived in from the beginning of the year of `since` at the
    /// latest; the time is the meter's local time, without summer time.
    pub(crate) fn lived_in(
        seed: u64,
        since: DateTime,
        start: DateTime,
        averaging_minutes: u16,
    ) -> Self {
        let climate = Climate::new(seed);
        let start = seconds_of(start);
        let new_year = first_of_year(start.min(seconds_of(since)));
        let years = 2 + climate.of_house(0, 8);
        let totals = earlier_years(&climate, years);
        let mut house = Self {
            loss: 110.0 + f64::from(climate.of_house(1, 90)),
            cell: new_year / CELL,
            today: Today::default(),
            this_hour: Knots::default(),
            inlet: 60.0,
            outlet: 30.0,
            bypass_open: false,
            flow: Flow {
                inlet: 6_000,
                outlet: 3_000,
                ..Flow::default()
            },
            info: Info {
                air: false,
                events: 2 * climate.of_house(2, 2 * years),
            },
            totals,
            window: Window::new(averaging_minutes),
            hour: Period::begin(totals),
            day: Period::begin(totals),
            month: Period::begin(totals),
            year: Period::begin(totals),
            extremes_month: Extremes::begin(new_year),
            extremes_year: Extremes::begin(new_year),
            climate,
        };
        house.advance(start);
        house
    }

    /// Lives on to `until`. What lies before the time already reached is no change.
    pub(crate) fn advance(&mut self, until: Seconds) {
        let target = until.min(LAST) / CELL;
        while self.cell < target {
            self.step();
        }
    }

    /// Flow, temperatures and power of the cell finished last.
    pub(crate) fn flow(&self) -> Flow {
        self.flow
    }

    pub(crate) fn totals(&self) -> Totals {
        self.totals
    }

    pub(crate) fn info(&self) -> Info {
        self.info
    }

    /// Extremes since the first of the month.
    pub(crate) fn extremes_month(&self) -> &Extremes {
        &self.extremes_month
    }

    /// Extremes since the first of January.
    pub(crate) fn extremes_year(&self) -> &Extremes {
        &self.extremes_year
    }

    pub(crate) fn averaging_minutes(&self) -> u16 {
        self.window.minutes()
    }

    /// Mean inlet and outlet temperature in hundredths, weighted by volume as E8 and E9 give it;
    /// the present temperatures as long as nothing has flowed.
    pub(crate) fn averages(&self, over: Over) -> (u32, u32) {
        let period = match over {
            Over::Hour => &self.hour,
            Over::Day => &self.day,
            Over::Month => &self.month,
            Over::Year => &self.year,
        };
        period
            .averages(&self.totals)
            .unwrap_or((self.flow.inlet, self.flow.outlet))
    }

    fn step(&mut self) {
        let at = self.cell * CELL;
        if at % HOUR == 0 {
            self.turn(at);
        }
        let demand = self.demand(at);
        let flow = self.measure(&demand);
        self.flow = flow;
        self.totals.add(&flow, self.info.air);
        self.cell += 1;
        if let Some((litres_per_hour, milliwatts)) = self.window.add(&flow, self.cell) {
            let begun = self.cell * CELL - self.window.seconds();
            self.extremes_month.take(litres_per_hour, milliwatts, begun);
            self.extremes_year.take(litres_per_hour, milliwatts, begun);
        }
    }

    /// An hour begins, and perhaps a day, a month and a year.
    fn turn(&mut self, at: Seconds) {
        self.this_hour = Knots::new(&self.climate, self.loss, at);
        self.hour = Period::begin(self.totals);
        if at % DAY != 0 && self.today.holds(at) {
            return;
        }
        self.today = Today::new(&self.climate, at / DAY);
        if at % DAY != 0 {
            return;
        }
        self.day = Period::begin(self.totals);
        let date = datetime_of(at).date;
        if date.day() == 1 {
            self.month = Period::begin(self.totals);
            self.extremes_month = Extremes::begin(at);
            if date.month() == 1 {
                self.year = Period::begin(self.totals);
                self.extremes_year = Extremes::begin(at);
            }
        }
    }

    /// Flows the house asks for, in l/h, and the temperature they come back with.
    fn demand(&mut self, at: Seconds) -> Demand {
        let (radiators, supply) = self.this_hour.at(at);
        let hot_water = f64::from(self.today.hot_water(at));
        let back = 25.0 + (radiators / 450.0).min(17.0);
        // W over Wh/(l K); pipes gone cold let the valves open, but not without end.
        let through_radiators = radiators / (WH_PER_LITRE * (self.inlet - back).max(8.0));
        let through_exchanger = hot_water / (WH_PER_LITRE * (self.inlet - 23.0).max(25.0));
        self.bypass_open = if self.bypass_open {
            self.inlet < 50.0
        } else {
            self.inlet < 40.0
        };
        let through_bypass = if self.bypass_open { 45.0 } else { 0.0 };
        let total = through_radiators + through_exchanger + through_bypass;
        let mixed = if total > 0.0 {
            (through_radiators * back
                + through_exchanger * 23.0
                + through_bypass * (self.inlet - 3.0))
                / total
        } else {
            self.outlet
        };
        Demand {
            litres_per_hour: total,
            supply,
            mixed,
        }
    }

    /// Lets the water move through the pipes and reads it as the meter does.
    fn measure(&mut self, demand: &Demand) -> Flow {
        // A flow sensor has a smallest flow; below it stands still.
        let wanted = water::round(demand.litres_per_hour);
        let moving = u32::try_from(wanted)
            .ok()
            .filter(|&flow| flow >= 3)
            .unwrap_or(0);
        let litres = f64::from(moving) * (1.0 / 360.0);
        self.inlet += (demand.supply - self.inlet) * (litres * (1.0 / 12.0)).min(1.0);
        self.outlet += (demand.mixed - self.outlet) * (litres * (1.0 / 3.0)).min(1.0);
        // The cellar takes its share: with 3 h and 1 h.
        self.inlet -= (self.inlet - 18.0) * (1.0 / 1080.0);
        self.outlet -= (self.outlet - 18.0) * (1.0 / 360.0);
        let inlet = hundredths(self.inlet);
        let outlet = hundredths(self.outlet).min(inlet);
        let litres_per_hour = if self.info.air { 0 } else { moving };
        let milliwatts = water::power_milliwatts(litres_per_hour, inlet, outlet);
        self.set_air(self.today.air(self.cell * CELL));
        Flow {
            litres_per_hour,
            inlet,
            outlet,
            milliwatts,
        }
    }

    fn set_air(&mut self, air: bool) {
        if air != self.info.air {
            self.info = Info {
                air,
                events: self.info.events + 1,
            };
        }
    }
}

/// A span over which the meter keeps averages: the running one, not the last finished.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Over {
    Hour,
    Day,
    Month,
    Year,
}

impl Totals {
    fn add(&mut self, flow: &Flow, in_error: bool) {
        let volume = i64::from(flow.litres_per_hour) * CELL;
        self.energy += flow.milliwatts * CELL;
        self.volume += volume;
        self.volume_inlet += volume * i64::from(flow.inlet);
        self.volume_outlet += volume * i64::from(flow.outlet);
        if volume > 0 {
            self.mass += volume * water::density_centigrams(flow.outlet).cast_signed();
        }
        self.operating += CELL;
        if in_error {
            self.in_error += CELL;
        }
    }
}

/// A moment as seconds of the simulation; what lies outside 2000 to 2099 counts as its edge.
pub(crate) fn seconds_of(at: DateTime) -> Seconds {
    at.seconds_since_epoch().clamp(0, LAST)
}

/// The local date and time of a moment of the simulation.
pub(crate) fn datetime_of(at: Seconds) -> DateTime {
    // Every second up to LAST is a date of four digits.
    DateTime::from_seconds_since_epoch(at.clamp(0, LAST))
        .unwrap_or(DateTime::new(Date::EPOCH, kamstrup_kmp::Time::default()))
}

fn first_of_year(at: Seconds) -> Seconds {
    let year = datetime_of(at).date.year();
    Date::new(year, 1, 1).map_or(0, |date| date.days_since_epoch() * DAY)
}

/// 2099-12-31 23:59:50: the meter's two digits of the year end here, and so does the simulation.
const LAST: Seconds = 36_525 * DAY - CELL;

/// Wh that a litre gives per kelvin, near enough to choose a flow by.
const WH_PER_LITRE: f64 = 1.145;

struct Demand {
    litres_per_hour: f64,
    supply: f64,
    mixed: f64,
}

/// Counters of the years before the simulation begins, at 72/34 °C throughout.
fn earlier_years(climate: &Climate, years: u32) -> Totals {
    let litres = i64::from(years) * (180_000 + i64::from(climate.of_house(3, 140_000)));
    let volume = litres * 3600;
    let (inlet, outlet) = (7_200, 3_400);
    // mW of 1 l/h are mWh of each litre.
    let energy = water::power_milliwatts(1_000, inlet, outlet) * 36 / 10 * litres;
    Totals {
        energy,
        volume,
        volume_inlet: volume * i64::from(inlet),
        volume_outlet: volume * i64::from(outlet),
        mass: volume * water::density_centigrams(outlet).cast_signed(),
        operating: i64::from(years) * 8_766 * HOUR,
        in_error: i64::from(years) * HOUR,
    }
}

fn hundredths(celsius: f64) -> u32 {
    u32::try_from(water::round(celsius * 100.0)).unwrap_or(0)
}

#[cfg(test)]
mod tests;

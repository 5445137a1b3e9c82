//! The meter: answers requests with what the house has done so far.
//!
//! Counters are cut off at the resolution of the display, as counters are; measured values are
//! rounded. `T1 - T2` is exactly the difference of the two temperatures shown in the same answer.
//! Refusals are silence (vendor document 5512-447, sections 6.2.3 and 6.2.4; for unknown commands
//! inferred): the protocol has no error answer.

use kamstrup_kmp::message::{MeterType, Request, Software};
use kamstrup_kmp::responder::Reply;
use kamstrup_kmp::{DateTime, Decimal, MonthDay, Record, RegisterId, Scale, Unit, Value};

use crate::climate::Seconds;
use crate::config::Config;
use crate::house::{House, datetime_of, seconds_of};
use crate::models::Model;
use crate::period::Extreme;
use crate::table::{Entry, Part, Source, Span, Which, entries};

/// A meter in its house.
#[derive(Clone, Debug)]
pub(crate) struct Meter {
    model: Model,
    serial: u32,
    kind: MeterType,
    entries: Vec<Entry>,
    house: House,
    /// Simulated time now; the house's grid lags behind it by less than a cell.
    now: Seconds,
    /// What SetClock has added to the clock.
    clock_offset: Seconds,
}

impl Meter {
    pub(crate) fn new(config: &Config) -> Self {
        let model = config.model;
        let energy_unit = config.energy_unit.unwrap_or(model.usual_energy_unit());
        Self {
            model,
            serial: config
                .serial
                .unwrap_or_else(|| default_serial(model, config.seed)),
            kind: MeterType {
                code: type_code(model),
                software: Software(0x0701),
            },
            entries: entries(model, energy_unit),
            house: House::lived_in(
                config.seed,
                config.lived_since.unwrap_or(config.start),
                config.start,
                config.averaging_minutes,
            ),
            now: seconds_of(config.start),
            clock_offset: 0,
        }
    }

    /// Lets the house live until this simulated moment.
    pub(crate) fn advance(&mut self, now: Seconds) {
        self.now = self.now.max(now);
        self.house.advance(self.now);
    }

    /// The answer, or `None` where a meter keeps silent.
    pub(crate) fn answer(&mut self, request: &Request) -> Option<Reply> {
        match request {
            Request::GetType => Some(Reply::Type(self.kind)),
            Request::GetSerialNo => Some(Reply::SerialNo(self.serial)),
            Request::GetRegister(batch) => Some(Reply::Registers(self.records(batch.ids()))),
            Request::SetClock(moment) => {
                self.clock_offset = seconds_of(*moment) - self.now;
                Some(Reply::Acknowledge)
            }
            _ => None,
        }
    }

    /// Those of the registers that the meter has, in the order asked for.
    pub(crate) fn records(&self, ids: &[RegisterId]) -> Vec<Record> {
        let entry = |id: &RegisterId| {
            let index = self
                .entries
                .binary_search_by_key(id, |entry| entry.id)
                .ok()?;
            self.entries.get(index)
        };
        ids.iter()
            .filter_map(entry)
            .map(|entry| self.record(entry))
            .collect()
    }

    /// All registers of the meter.
    pub(crate) fn registers(&self) -> impl Iterator<Item = RegisterId> {
        self.entries.iter().map(|entry| entry.id)
    }

    fn record(&self, entry: &Entry) -> Record {
        let value = self.value(entry);
        let scale = match &value {
            Value::Number(number) => Scale::new(number.is_negative(), number.exponent()),
            _ => None,
        };
        Record {
            register: entry.id,
            unit: entry.unit,
            length: entry.length,
            scale: scale.unwrap_or_default(),
            value,
        }
    }

    fn value(&self, entry: &Entry) -> Value {
        let flow = self.house.flow();
        let totals = self.house.totals();
        let number = |mantissa: i128| Value::Number(Decimal::new(mantissa, entry.exponent));
        let counted =
            |total: i64, one: i128| number(i128::from(total) * ten_to(-entry.exponent) / one);
        let kilowatts = |milliwatts: i64| number(rounded(milliwatts, 6 + entry.exponent));
        let celsius = |hundredths: u32| number(rounded(hundredths.into(), 2 + entry.exponent));
        match entry.source {
            Source::Energy => counted(totals.energy, millijoules(entry.unit)),
            Source::EnergyHighRes => {
                let shown = i128::from(totals.energy) * ten_to(-entry.exponent) / 3_600_000;
                number(shown % (HIGH_RES_WRAP * ten_to(-entry.exponent)))
            }
            Source::Volume => counted(totals.volume, 3_600_000),
            Source::VolumeHighRes if entry.unit == Unit::LITRE => {
                number(i128::from(totals.volume) / 3600 % HIGH_RES_WRAP)
            }
            Source::VolumeHighRes => {
                let shown = i128::from(totals.volume) * ten_to(-entry.exponent) / 3_600_000;
                number(shown % 100_000_000)
            }
            // 1/3600 l · 0.01 °C in m³ °C
            Source::VolumeInlet => counted(totals.volume_inlet, 360_000_000),
            Source::VolumeOutlet => counted(totals.volume_outlet, 360_000_000),
            // 1/3600 l · 0.01 g/l in t
            Source::Mass => counted(totals.mass, 360_000_000_000),
            Source::Flow => number(flow.litres_per_hour.into()),
            Source::Power => kilowatts(flow.milliwatts),
            Source::Inlet => celsius(flow.inlet),
            Source::Outlet => celsius(flow.outlet),
            Source::Difference => {
                // Of what is shown, so that the three agree at any resolution.
                let shown = |hundredths: u32| rounded(hundredths.into(), 2 + entry.exponent);
                number(shown(flow.inlet) - shown(flow.outlet))
            }
            Source::Hours => number((totals.operating / 3600).into()),
            Source::ErrorHours => number((totals.in_error / 3600).into()),
            Source::InfoCode => number(self.info_code()),
            Source::InfoBits => Value::Bits(if self.house.info().air { 0x100 } else { 0 }),
            Source::InfoEvents => number(self.house.info().events.into()),
            Source::SerialNo => number(self.serial.into()),
            // Manufacturer's number after DIN 43863-5: 6 for heat, KAM, block 01, serial number.
            Source::SerialText => Value::Text(format!("6KAM01{:08}", self.serial)),
            // Printed in PyKMP's tests for a 303 or 603; what it says in detail is not public.
            Source::TypeText => Value::Text("02K52AC1A7CZ".to_owned()),
            Source::Clock => Value::Time(self.clock().time),
            Source::Date => Value::Date(self.clock().date),
            Source::DateTime => Value::DateTime(self.clock()),
            Source::TargetDate => MonthDay::new(1, 1).map_or_else(|| number(101), Value::MonthDay),
            Source::AveragingMinutes => number(self.house.averaging_minutes().into()),
            Source::AverageInlet(over) => celsius(self.house.averages(over).0),
            Source::AverageOutlet(over) => celsius(self.house.averages(over).1),
            Source::Extreme(span, which, part) => {
                let extreme = self.extreme(span, which);
                match (part, which) {
                    (Part::Date, _) => Value::Date(extreme.at.date),
                    (Part::Time, _) => Value::Time(extreme.at.time),
                    (Part::Value, Which::MaxFlow | Which::MinFlow) => number(extreme.value.into()),
                    (Part::Value, _) => kilowatts(extreme.value),
                }
            }
            Source::Fixed(bits) if entry.unit == Unit::BITS => Value::Bits(bits.into()),
            Source::Fixed(value) => number(value.into()),
        }
    }

    /// Air in flow sensor V1: weight 4096 in the sum of a 602; digit 5 of eight shows 3 on a 403
    /// (602 TD 5512-931 p49, 403 TD p92).
    fn info_code(&self) -> i128 {
        match (self.house.info().air, self.model.is_new()) {
            (false, _) => 0,
            (true, false) => 4096,
            (true, true) => 3000,
        }
    }

    fn extreme(&self, span: Span, which: Which) -> Extreme {
        let extremes = match span {
            Span::Month => self.house.extremes_month(),
            Span::Year => self.house.extremes_year(),
        };
        match which {
            Which::MaxFlow => extremes.max_flow,
            Which::MinFlow => extremes.min_flow,
            Which::MaxPower => extremes.max_power,
            Which::MinPower => extremes.min_power,
        }
    }

    fn clock(&self) -> DateTime {
        let mut now = self.now + self.clock_offset;
        if self.model == Model::M601 {
            // The clock of a tapped 601 counted whole minutes.
            now -= now.rem_euclid(60);
        }
        datetime_of(now)
    }
}

/// Wh or l at which a high-resolution register begins again. [inferred: a user read 6 655 807 Wh
/// with about 60 GJ on the display, which is what this gives; where other models wrap is unknown]
const HIGH_RES_WRAP: i128 = 10_000_000;

/// The catalogue gives simulated meters type codes of their own.
fn type_code(model: Model) -> u16 {
    heatmeter_catalog::model(model.slug())
        .and_then(|known| known.simulated_type)
        .unwrap_or(0)
}

/// Eight digits: the model, then the seed. Real serials of these models begin otherwise.
fn default_serial(model: Model, seed: u64) -> u32 {
    let seed = u32::try_from(seed % 100_000).unwrap_or(0);
    u32::from(model.number()) * 100_000 + seed
}

const fn millijoules(unit: Unit) -> i128 {
    match unit {
        Unit::GJ => 1_000_000_000_000,
        Unit::GCAL => 4_186_800_000_000,
        Unit::KWH => 3_600_000_000,
        _ => 3_600_000_000_000, // MWh
    }
}

/// Ten to the `power`; to nothing below zero, which no register here asks for.
fn ten_to(power: i8) -> i128 {
    10_i128.pow(u8::try_from(power).unwrap_or(0).into())
}

/// Drops so many decimal digits, rounding half up.
fn rounded(value: i64, digits: i8) -> i128 {
    let unit = ten_to(digits);
    (i128::from(value) + unit / 2).div_euclid(unit)
}

#[cfg(test)]
mod tests;

//! A meter for the tests of the gate: a MULTICAL 403 whose values agree with each other.

#![allow(
    dead_code,
    unreachable_pub,
    reason = "every test file uses a part of this"
)]

use core::time::Duration;

use heatmeter_catalog::gate::{Checked, Doubt, Gate, Limits, Look, Poll, Quality, Reading};
use heatmeter_catalog::model;
use kamstrup_kmp::{Decimal, Instant, Record, RegisterId, Scale, Unit, Value};

pub const ENERGY: RegisterId = RegisterId(60);
pub const VOLUME: RegisterId = RegisterId(68);
pub const FLOW: RegisterId = RegisterId(74);
pub const POWER: RegisterId = RegisterId(80);
pub const INLET: RegisterId = RegisterId(86);
pub const OUTLET: RegisterId = RegisterId(87);
pub const DIFFERENCE: RegisterId = RegisterId(89);
pub const E8: RegisterId = RegisterId(97);
pub const EVENTS: RegisterId = RegisterId(113);
pub const FINE_ENERGY: RegisterId = RegisterId(266);
pub const SERIAL: RegisterId = RegisterId(1001);
pub const DATE: RegisterId = RegisterId(1003);
pub const HOURS: RegisterId = RegisterId(1004);

/// 30 m³/h, and what that carries when it is cooled down by 185 K; sensors and their faults as those
/// of a MULTICAL 403.
pub fn limits() -> Limits {
    Limits {
        largest_flow: Decimal::new(30, 0),
        largest_power: Decimal::new(6460, 0),
        sensor_range: (Decimal::ZERO, Decimal::new(185, 0)),
        sentinels: model("403").expect("the catalogue has it").sentinels,
    }
}

pub fn at(seconds: u64) -> Instant {
    Instant::from_start(Duration::from_secs(seconds))
}

pub fn number(register: RegisterId, unit: Unit, length: u8, number: &str) -> Record {
    let number: Decimal = number.parse().expect("a decimal number");
    let scale = Scale::new(number.is_negative(), number.exponent()).expect("a small exponent");
    Record {
        register,
        unit,
        length,
        scale,
        value: Value::Number(number),
    }
}

pub fn energy(value: &str) -> Record {
    number(ENERGY, Unit::GJ, 4, value)
}

pub fn fine_energy(value: &str) -> Record {
    number(FINE_ENERGY, Unit::WH, 4, value)
}

pub fn volume(value: &str) -> Record {
    number(VOLUME, Unit::CUBIC_METRE, 4, value)
}

pub fn flow(value: &str) -> Record {
    number(FLOW, Unit::LITRE_PER_HOUR, 4, value)
}

pub fn power(value: &str) -> Record {
    number(POWER, Unit::KW, 4, value)
}

pub fn inlet(value: &str) -> Record {
    number(INLET, Unit::CELSIUS, 2, value)
}

pub fn outlet(value: &str) -> Record {
    number(OUTLET, Unit::CELSIUS, 2, value)
}

pub fn difference(value: &str) -> Record {
    number(DIFFERENCE, Unit::KELVIN, 2, value)
}

pub fn hours(value: &str) -> Record {
    number(HOURS, Unit::HOUR, 4, value)
}

pub fn events(value: &str) -> Record {
    number(EVENTS, Unit::NUMBER, 2, value)
}

pub fn serial(value: &str) -> Record {
    number(SERIAL, Unit::NUMBER, 4, value)
}

/// Any record, from the bytes a meter would send.
pub fn raw(register: RegisterId, unit: Unit, scale: Scale, bytes: &[u8]) -> Record {
    let length = u8::try_from(bytes.len()).expect("a short value");
    Record {
        register,
        unit,
        length,
        scale,
        value: Value::decode(unit, scale, bytes),
    }
}

/// A gate with its limits, and the shortest way to ask it.
pub struct Line {
    pub gate: Gate,
    pub limits: Limits,
}

impl Line {
    pub fn new() -> Self {
        Self {
            gate: Gate::new(),
            limits: limits(),
        }
    }

    /// One that has seen these records at second 0.
    pub fn having_seen(records: &[Record]) -> Self {
        let mut line = Self::new();
        let checked = line.passes(records, 0);
        assert!(checked.notices.is_empty(), "{:?}", checked.notices);
        line
    }

    pub fn look(&mut self, records: &[Record], seconds: u64) -> Look {
        self.gate
            .first(&self.limits, &Poll::of(records), at(seconds))
    }

    /// A poll with nothing to doubt.
    #[track_caller]
    pub fn passes(&mut self, records: &[Record], seconds: u64) -> Checked {
        match self.look(records, seconds) {
            Look::Checked(checked) => checked,
            Look::Doubtful(doubt) => panic!("doubted: {:?}", doubt.reread()),
        }
    }

    /// A poll that wants these registers read again.
    #[track_caller]
    pub fn doubts(&mut self, records: &[Record], seconds: u64, reread: &[RegisterId]) -> Doubt {
        match self.look(records, seconds) {
            Look::Checked(checked) => panic!("not doubted: {:?}", checked.readings),
            Look::Doubtful(doubt) => {
                assert_eq!(doubt.reread(), reread);
                doubt
            }
        }
    }

    pub fn again(&mut self, doubt: Doubt, records: &[Record], seconds: u64) -> Checked {
        self.gate.second(doubt, &Poll::of(records), at(seconds))
    }
}

#[track_caller]
pub fn reading(checked: &Checked, register: RegisterId) -> &Reading {
    let found = checked
        .readings
        .iter()
        .find(|reading| reading.register() == register);
    found.expect("the register is among the readings")
}

/// The good value of a register, as text; nothing if it is not good.
#[track_caller]
pub fn good(checked: &Checked, register: RegisterId) -> Option<String> {
    reading(checked, register)
        .good()
        .map(|record| record.value.to_string())
}

#[track_caller]
pub fn held(checked: &Checked, register: RegisterId) -> String {
    match reading(checked, register).quality() {
        Quality::Held(held) => held.to_string(),
        other => panic!("{} where held was expected", other.code()),
    }
}

pub fn notices(checked: &Checked) -> Vec<String> {
    checked.notices.iter().map(ToString::to_string).collect()
}

/// A seeded source of numbers (`SplitMix64`).
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `end`.
    pub fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    /// A place in a list of so many.
    pub fn index(&mut self, length: u64) -> usize {
        usize::try_from(self.below(length)).expect("a short list")
    }

    pub fn byte(&mut self) -> u8 {
        self.next().to_le_bytes()[0]
    }
}

/// A house with a MULTICAL 403: counters in fine units, so that all its registers agree.
pub struct House {
    pub seconds: u64,
    joules: u128,
    millilitres: u128,
    /// Millilitres times °C.
    inlet_sum: u128,
    flow_litres_per_hour: u64,
    watts: u64,
    inlet_centidegrees: u64,
    outlet_centidegrees: u64,
    events: u64,
}

impl House {
    pub fn new() -> Self {
        Self {
            seconds: 0,
            joules: 84_817_000_000,
            millilitres: 712_345_000,
            inlet_sum: 45_000_000_000,
            flow_litres_per_hour: 120,
            watts: 4_200,
            inlet_centidegrees: 6_512,
            outlet_centidegrees: 3_498,
            events: 3,
        }
    }

    /// Lives on for so long, in any way that is possible.
    pub fn live(&mut self, seconds: u64, random: &mut Random) {
        self.seconds += seconds;
        self.flow_litres_per_hour = random.below(30_001);
        self.inlet_centidegrees = 100 + random.below(18_300);
        self.outlet_centidegrees = 100 + random.below(self.inlet_centidegrees - 99);
        self.watts = random.below(6_460_001);
        let millilitres = u128::from(self.flow_litres_per_hour * seconds) * 10 / 36;
        self.millilitres += millilitres;
        self.inlet_sum += millilitres * u128::from(self.inlet_centidegrees) / 100;
        self.joules += u128::from(self.watts) * u128::from(seconds);
        self.events += random.below(3);
    }

    /// All its registers.
    pub fn records(&self) -> Vec<Record> {
        let Self {
            inlet_centidegrees: t1,
            outlet_centidegrees: t2,
            ..
        } = *self;
        let plain = |register, unit, length, exponent: i8, mantissa: u128| {
            let mantissa = i128::try_from(mantissa).expect("a small number");
            let scale = Scale::new(false, exponent).expect("a small exponent");
            let value = Value::Number(Decimal::new(mantissa, exponent));
            Record {
                register,
                unit,
                length,
                scale,
                value,
            }
        };
        vec![
            plain(ENERGY, Unit::GJ, 4, -3, self.joules / 1_000_000),
            plain(VOLUME, Unit::CUBIC_METRE, 4, -3, self.millilitres / 1_000),
            plain(
                FLOW,
                Unit::LITRE_PER_HOUR,
                2,
                0,
                self.flow_litres_per_hour.into(),
            ),
            plain(POWER, Unit::KW, 4, -1, u128::from(self.watts) / 100),
            plain(INLET, Unit::CELSIUS, 2, -2, t1.into()),
            plain(OUTLET, Unit::CELSIUS, 2, -2, t2.into()),
            plain(DIFFERENCE, Unit::KELVIN, 2, -2, (t1 - t2).into()),
            plain(
                E8,
                Unit::CUBIC_METRE_CELSIUS,
                4,
                0,
                self.inlet_sum / 1_000_000,
            ),
            plain(EVENTS, Unit::NUMBER, 2, 0, self.events.into()),
            plain(FINE_ENERGY, Unit::WH, 4, 0, self.joules / 3600 % 10_000_000),
            plain(SERIAL, Unit::NUMBER, 4, 0, 84_968_362),
            plain(HOURS, Unit::HOUR, 4, 0, (self.seconds / 3600).into()),
        ]
    }
}

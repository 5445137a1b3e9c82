//! Which registers a simulated model has, and in which unit, length and resolution it shows them.
//!
//! Register sets follow the manufacturer's lists for 601, 602, 402 and 302 and public readers of
//! 403, 603 and 303; registers for sensors and inputs this house does not have are left out, as a
//! meter leaves out what its programming lacks. Lengths follow captures: 601 and 602 always send
//! 4 bytes; newer meters send temperatures and power in 2 and counters in 4, the flow of some in 2
//! and of others in 4, the date with time in 7, single settings in 1.

use kamstrup_kmp::{RegisterId, Unit};

use crate::house::Over;
use crate::models::{EnergyUnit, Model};

/// One register of a model.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) id: RegisterId,
    pub(crate) source: Source,
    pub(crate) unit: Unit,
    pub(crate) length: u8,
    pub(crate) exponent: i8,
}

/// Where the value of a register comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    Energy,
    /// Energy whose upper digits are cut off.
    EnergyHighRes,
    Volume,
    VolumeHighRes,
    VolumeInlet,
    VolumeOutlet,
    Mass,
    Flow,
    Power,
    Inlet,
    Outlet,
    Difference,
    Hours,
    ErrorHours,
    InfoCode,
    InfoBits,
    InfoEvents,
    SerialNo,
    SerialText,
    TypeText,
    Clock,
    Date,
    DateTime,
    TargetDate,
    AveragingMinutes,
    AverageInlet(Over),
    AverageOutlet(Over),
    Extreme(Span, Which, Part),
    /// The same number for ever.
    Fixed(u32),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Span {
    Month,
    Year,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Which {
    MaxFlow,
    MinFlow,
    MaxPower,
    MinPower,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    Value,
    Date,
    Time,
}

/// The registers of a model, in ascending order.
pub(crate) fn entries(model: Model, energy: EnergyUnit) -> Vec<Entry> {
    let mut table = Table {
        model,
        energy,
        entries: Vec::with_capacity(100),
    };
    table.shared();
    match model {
        Model::M403 => {
            table.info_events();
            table.extremes(&MONTH_AND_YEAR);
            table.averages(&[146, 147, 149, 150]);
            table.high_res(266);
        }
        Model::M302 => {
            table.info_events();
            table.meter_type();
            table.extremes(&MONTH_AND_YEAR.map(|(span, ids)| (span, [ids[0], 0, ids[2], 0])));
            table.averages(&[146, 147, 149, 150, 229, 230]);
            table.high_res(266);
            table.high_res(267);
            table.customer();
            table.fixed(&[(153, 31_419), (154, 0x4D2C), (168, 0)]);
            // Addresses on the M-Bus: the primary one in one byte.
            table.push(184, Source::Fixed(1), Unit::NUMBER, 1, 0);
            table.push(185, Source::SerialNo, Unit::NUMBER, 4, 0);
            table.push(239, Source::VolumeHighRes, Unit::LITRE, 4, 0);
        }
        Model::M402 | Model::M601 | Model::M602 => {
            table.info_events();
            table.extremes(&MONTH_AND_YEAR);
            table.averages(&[146, 147, 149, 150]);
            table.customer();
            table.tariffs();
            table.inputs();
            table.high_res(155);
            table.fixed(&[(152, 32_419), (153, 42_100), (168, 0)]);
            if model == Model::M402 {
                table.averages(&[229, 230]);
                table.push(223, Source::VolumeHighRes, Unit::CUBIC_METRE, 4, -4);
            } else {
                table.meter_type();
                table.other_energies();
                table.second_flow();
                table.push(75, Source::Fixed(0), Unit::LITRE_PER_HOUR, 4, 0);
                table.push(72, Source::Mass, Unit::TONNE, 4, -2);
                table.push(175, Source::ErrorHours, Unit::HOUR, 4, 0);
                // 0xA1AA is what a real 601 answered.
                table.fixed(&[(154, 0xA1AA), (157, 0), (158, 0)]);
                table.push(234, Source::Fixed(10), Unit::LITRE_PER_PULSE, 4, 0);
                table.push(235, Source::Fixed(10), Unit::LITRE_PER_PULSE, 4, 0);
            }
        }
        Model::M303 | Model::M603 => table.newest(),
    }
    let mut entries = table.entries;
    entries.sort_by_key(|entry| entry.id);
    entries
}

/// Register ids of max flow, min flow, max power and min power: first the date, the value follows.
const MONTH_AND_YEAR: [(Span, [u16; 4]); 2] = [
    (Span::Year, [123, 125, 127, 129]),
    (Span::Month, [138, 140, 142, 144]),
];

struct Table {
    model: Model,
    energy: EnergyUnit,
    entries: Vec<Entry>,
}

impl Table {
    /// What every heat meter has.
    fn shared(&mut self) {
        self.energy(60, Source::Energy);
        self.energy(63, Source::Fixed(0)); // cooling
        self.push(68, Source::Volume, Unit::CUBIC_METRE, 4, -2);
        self.push(
            74,
            Source::Flow,
            Unit::LITRE_PER_HOUR,
            self.flow_length(),
            0,
        );
        self.push(80, Source::Power, Unit::KW, self.length(), -1);
        self.push(86, Source::Inlet, Unit::CELSIUS, self.length(), -2);
        self.push(87, Source::Outlet, Unit::CELSIUS, self.length(), -2);
        self.push(89, Source::Difference, Unit::KELVIN, self.length(), -2);
        self.push(97, Source::VolumeInlet, Unit::CUBIC_METRE_CELSIUS, 4, 0);
        self.push(110, Source::VolumeOutlet, Unit::CUBIC_METRE_CELSIUS, 4, 0);
        self.push(99, Source::InfoCode, Unit::NUMBER, 4, 0);

        self.push(1001, Source::SerialNo, Unit::NUMBER, 4, 0);
        self.push(1002, Source::Clock, Unit::CLOCK, 4, 0);
        self.push(1003, Source::Date, Unit::DATE1, 4, 0);
        self.push(1004, Source::Hours, Unit::HOUR, 4, 0);
    }

    fn info_events(&mut self) {
        self.push(113, Source::InfoEvents, Unit::NUMBER, 4, 0);
    }

    fn meter_type(&mut self) {
        let number = Source::Fixed(u32::from(self.model.number()));
        self.push(1005, number, Unit::NUMBER, 4, 0);
    }

    fn newest(&mut self) {
        self.extremes(&MONTH_AND_YEAR);
        let times = [(Span::Year, 383), (Span::Month, 387)];
        for (span, first) in times {
            for (id, which) in (first..).zip(WHICH) {
                let time = Source::Extreme(span, which, Part::Time);
                self.push(id, time, Unit::CLOCK, 4, 0);
            }
        }
        for (id, source) in [
            (379, Source::AverageInlet(Over::Day)),
            (380, Source::AverageOutlet(Over::Day)),
            (381, Source::AverageInlet(Over::Hour)),
            (382, Source::AverageOutlet(Over::Hour)),
        ] {
            self.push(id, source, Unit::CELSIUS, 2, -2);
        }
        self.push(398, Source::Inlet, Unit::CELSIUS, 2, -1);
        self.push(399, Source::Outlet, Unit::CELSIUS, 2, -1);
        self.push(400, Source::Difference, Unit::KELVIN, 2, -1);
        self.high_res(266);
        self.other_energies();
        self.push(72, Source::Mass, Unit::TONNE, 4, -2);
        self.push(175, Source::ErrorHours, Unit::HOUR, 4, 0);
        self.push(239, Source::VolumeHighRes, Unit::LITRE, 4, 0);
        self.push(254, Source::TypeText, Unit::ASCII, 12, 0);
        self.push(257, Source::Fixed(100), Unit::PULSE_PER_LITRE, 4, 0);
        self.push(259, Source::Fixed(15), Unit::CUBIC_METRE_PER_HOUR, 2, -1);
        self.push(268, Source::AveragingMinutes, Unit::MINUTE, 2, 0);
        self.push(279, Source::SerialText, Unit::ASCII, 14, 0);
        self.push(327, Source::TargetDate, Unit::DATE3, 4, 0);
        self.push(338, Source::Fixed(0), Unit::BITS, 1, 0);
        self.push(348, Source::DateTime, Unit::DATE_TIME_DST, 7, 0);
        self.push(369, Source::InfoBits, Unit::BITS, 4, 0);
        self.push(1032, Source::Fixed(0), Unit::NUMBER, 1, 0);
        self.fixed(&[(154, 0x0BAD), (222, 1), (228, 0), (368, 0)]);
        if self.model == Model::M603 {
            self.second_flow();
            self.tariffs();
            self.inputs();
            self.energy(362, Source::Fixed(0));
            self.push(224, Source::Fixed(0), Unit::CUBIC_METRE, 4, -2);
            self.push(225, Source::Fixed(0), Unit::CUBIC_METRE, 4, -2);
        }
    }

    fn extremes(&mut self, spans: &[(Span, [u16; 4])]) {
        for &(span, ids) in spans {
            for (id, which) in ids.into_iter().zip(WHICH) {
                if id == 0 {
                    continue;
                }
                self.push(
                    id,
                    Source::Extreme(span, which, Part::Date),
                    Unit::DATE1,
                    4,
                    0,
                );
                let value = Source::Extreme(span, which, Part::Value);
                match which {
                    Which::MaxFlow | Which::MinFlow => {
                        self.push(id + 1, value, Unit::LITRE_PER_HOUR, self.flow_length(), 0);
                    }
                    Which::MaxPower | Which::MinPower => {
                        self.push(id + 1, value, Unit::KW, self.length(), -1);
                    }
                }
            }
        }
    }

    fn averages(&mut self, ids: &[u16]) {
        for &id in ids {
            let source = match id {
                146 => Source::AverageInlet(Over::Year),
                147 => Source::AverageOutlet(Over::Year),
                149 => Source::AverageInlet(Over::Month),
                150 => Source::AverageOutlet(Over::Month),
                // 229 and 230 average over the "auto integration" of 302 and 402; an hour here.
                229 => Source::AverageInlet(Over::Hour),
                _ => Source::AverageOutlet(Over::Hour),
            };
            self.push(id, source, Unit::CELSIUS, self.length(), -2);
        }
    }

    /// In Wh, with a decimal on those that answer 155 as a real 602 did.
    fn high_res(&mut self, id: u16) {
        let (source, exponent) = match id {
            267 => (Source::Fixed(0), 0), // cooling
            155 => (Source::EnergyHighRes, -1),
            _ => (Source::EnergyHighRes, 0),
        };
        self.push(id, source, Unit::WH, 4, exponent);
    }

    fn other_energies(&mut self) {
        for id in [61, 62, 94, 95, 96] {
            self.energy(id, Source::Fixed(0));
        }
    }

    fn second_flow(&mut self) {
        self.push(69, Source::Fixed(0), Unit::CUBIC_METRE, 4, -2);
        self.push(73, Source::Fixed(0), Unit::TONNE, 4, -2);
    }

    fn tariffs(&mut self) {
        self.energy(64, Source::Fixed(0));
        self.energy(65, Source::Fixed(0));
        if !self.model.is_new() {
            self.energy(66, Source::Fixed(0));
            self.energy(67, Source::Fixed(0));
        }
    }

    fn inputs(&mut self) {
        self.push(84, Source::Fixed(0), Unit::CUBIC_METRE, 4, -2);
        self.push(85, Source::Fixed(0), Unit::CUBIC_METRE, 4, -2);
        if !self.model.is_new() {
            self.fixed(&[(104, 0), (114, 0)]);
        }
    }

    /// Target date and customer number, of which the lower half is the serial number.
    fn customer(&mut self) {
        self.push(98, Source::TargetDate, Unit::DATE3, 4, 0);
        self.push(112, Source::Fixed(0), Unit::NUMBER, 4, 0);
        self.push(1010, Source::SerialNo, Unit::NUMBER, 4, 0);
    }

    fn fixed(&mut self, values: &[(u16, u32)]) {
        for &(id, value) in values {
            self.push(id, Source::Fixed(value), Unit::NUMBER, 4, 0);
        }
    }

    fn energy(&mut self, id: u16, source: Source) {
        self.push(
            id,
            source,
            self.energy.unit(),
            4,
            self.energy.exponent(self.model),
        );
    }

    fn push(&mut self, id: u16, source: Source, unit: Unit, length: u8, exponent: i8) {
        self.entries.push(Entry {
            id: RegisterId(id),
            source,
            unit,
            length,
            exponent,
        });
    }

    /// Bytes of a temperature or a power.
    fn length(&self) -> u8 {
        if matches!(self.model, Model::M601 | Model::M602) {
            4
        } else {
            2
        }
    }

    fn flow_length(&self) -> u8 {
        if matches!(self.model, Model::M402 | Model::M603) {
            4
        } else {
            self.length()
        }
    }
}

const WHICH: [Which; 4] = [
    Which::MaxFlow,
    Which::MinFlow,
    Which::MaxPower,
    Which::MinPower,
];

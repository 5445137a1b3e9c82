use super::*;
use kamstrup_kmp::message::Batch;
use kamstrup_kmp::{Date, Time};
use proptest::prelude::*;

use crate::models::EnergyUnit;
use crate::water;

fn meter(model: Model) -> Meter {
    Meter::new(&Config::new(model))
}

fn one(meter: &Meter, register: u16) -> Record {
    meter
        .records(&[RegisterId(register)])
        .pop()
        .unwrap_or_else(|| panic!("no register {register}"))
}

fn number(meter: &Meter, register: u16) -> Decimal {
    one(meter, register).value.as_number().unwrap()
}

fn mantissa(meter: &Meter, register: u16) -> i128 {
    number(meter, register).mantissa()
}

fn moment(year: u16, month: u8, day: u8, hour: u8, minute: u8, second: u8) -> DateTime {
    DateTime::new(
        Date::new(year, month, day).unwrap(),
        Time::new(hour, minute, second).unwrap(),
    )
}

fn assert_every_register_reads_back(meter: &Meter) {
    let ids: Vec<RegisterId> = meter.registers().collect();
    for record in meter.records(&ids) {
        let mut bytes = Vec::new();
        record
            .encode(&mut bytes)
            .unwrap_or_else(|error| panic!("{record:?}: {error}"));
        let back = Value::decode(record.unit, record.scale, &bytes[5..]);
        let register = record.register;
        assert_eq!(
            (back, bytes[4]),
            (record.value, record.scale.0),
            "{register}"
        );
    }
}

#[test]
fn every_register_of_every_model_reads_back_in_every_unit() {
    for model in Model::ALL {
        for unit in EnergyUnit::ALL {
            assert_every_register_reads_back(&Meter::new(&Config::new(model).energy_unit(unit)));
        }
    }
}

#[test]
fn every_register_reads_back_at_any_time_of_the_year() {
    let start = moment(2026, 1, 1, 0, 0, 0);
    for model in [Model::M403, Model::M603] {
        let mut meter = Meter::new(&Config::new(model).start(start));
        for day in [0, 1, 45, 200, 364, 365] {
            meter.advance(seconds_of(start) + day * 86_400 + 4_711);
            assert_every_register_reads_back(&meter);
        }
    }
}

#[test]
fn registers_are_in_ascending_order_and_none_twice() {
    for model in Model::ALL {
        let ids: Vec<RegisterId> = model.registers().collect();
        assert!(
            ids.windows(2).all(|pair| pair[0] < pair[1]),
            "{model}: {ids:?}"
        );
    }
}

#[test]
fn the_catalogue_knows_every_register_and_its_usual_ones_are_there() {
    for model in Model::ALL {
        let known = heatmeter_catalog::model(model.slug()).unwrap();
        let ids: Vec<u16> = model.registers().map(|id| id.0).collect();
        for id in &ids {
            let in_catalogue = known.registers.iter().any(|known| known.0 == *id);
            assert!(
                in_catalogue,
                "{model} has no register {id} in the catalogue"
            );
        }
        for usual in known.usual {
            assert!(
                ids.contains(&usual.0),
                "{model} is usually asked for {}",
                usual.0
            );
        }
    }
}

#[test]
fn the_catalogue_recognises_a_simulated_meter() {
    for model in Model::ALL {
        let Some(Reply::Type(kind)) = meter(model).answer(&Request::GetType) else {
            panic!()
        };
        assert!(heatmeter_catalog::is_simulated(kind.code), "{model}");
        assert_eq!(kind.software.to_string(), "G1");
    }
}

#[test]
fn lengths_are_those_of_captures() {
    let length = |model, register| one(&meter(model), register).length;
    // kmp-006 to kmp-014
    for register in [74, 80, 86, 87, 89, 139] {
        assert_eq!(length(Model::M403, register), 2, "{register}");
    }
    for register in [60, 68, 138, 1002] {
        assert_eq!(length(Model::M403, register), 4, "{register}");
    }
    for model in [Model::M601, Model::M602] {
        let meter = meter(model);
        let ids: Vec<RegisterId> = meter.registers().collect();
        assert!(
            meter.records(&ids).iter().all(|record| record.length == 4),
            "{model}"
        );
    }
    for model in [Model::M303, Model::M603] {
        assert_eq!(length(model, 348), 7);
        assert_eq!(length(model, 254), 12);
        assert_eq!(length(model, 1032), 1);
    }
    // kmp-057: temperatures in 2 and flow in 4 bytes within one answer
    assert_eq!((length(Model::M603, 87), length(Model::M603, 74)), (2, 4));
}

#[test]
fn units_and_decimals_follow_the_configuration() {
    let energy = |model, unit: Option<EnergyUnit>| {
        let config = Config::new(model);
        let meter = Meter::new(&match unit {
            Some(unit) => config.energy_unit(unit),
            None => config,
        });
        let record = one(&meter, 60);
        (record.unit, record.scale.exponent())
    };
    assert_eq!(energy(Model::M403, None), (Unit::GJ, -3));
    assert_eq!(energy(Model::M402, None), (Unit::GJ, -2));
    assert_eq!(energy(Model::M601, None), (Unit::MWH, -3));
    assert_eq!(energy(Model::M302, None), (Unit::KWH, 0));
    assert_eq!(
        energy(Model::M403, Some(EnergyUnit::MegawattHours)),
        (Unit::MWH, -3)
    );
    assert_eq!(
        energy(Model::M603, Some(EnergyUnit::Gigacalories)),
        (Unit::GCAL, -3)
    );
}

#[test]
fn one_energy_in_all_units_is_the_same_heat() {
    let wh = |unit| {
        let meter = Meter::new(&Config::new(Model::M603).energy_unit(unit));
        let record = one(&meter, 60);
        let energy = record.value.as_number().unwrap();
        kamstrup_kmp::convert_rounded(energy, record.unit, Unit::WH, 0)
            .unwrap()
            .mantissa()
    };
    let values = EnergyUnit::ALL.map(wh);
    let (most, least) = (values.iter().max().unwrap(), values.iter().min().unwrap());
    // 10 MJ, the coarsest of the displays, are 2778 Wh.
    assert!(most - least < 2_800, "{values:?}");
}

#[test]
fn answers_come_in_the_order_asked_and_unknown_registers_are_left_out() {
    let meter = meter(Model::M403);
    let ids = |asked: &[u16]| {
        let asked: Vec<RegisterId> = asked.iter().copied().map(RegisterId).collect();
        meter
            .records(&asked)
            .iter()
            .map(|record| record.register.0)
            .collect::<Vec<_>>()
    };
    assert_eq!(ids(&[1001, 60, 86, 68]), [1001, 60, 86, 68]);
    assert_eq!(ids(&[60, 4711, 68, 155]), [60, 68]);
    assert_eq!(ids(&[60, 60]), [60, 60]);
    assert!(ids(&[9999]).is_empty());
}

#[test]
fn unknown_commands_are_met_with_silence() {
    let mut meter = meter(Model::M403);
    for command in [0x07, 0x11, 0x9b, 0xa0, 0xb8, 0xff] {
        assert_eq!(
            meter.answer(&Request::Raw {
                command,
                data: vec![1, 2, 3]
            }),
            None
        );
    }
}

#[test]
fn the_clock_follows_the_simulation_and_can_be_set() {
    let start = moment(2026, 11, 22, 23, 59, 58);
    let mut meter = Meter::new(&Config::new(Model::M603).start(start));
    let shown =
        |meter: &Meter| [348, 1003, 1002].map(|register| one(meter, register).value.to_string());
    assert_eq!(
        shown(&meter),
        ["2026-11-22T23:59:58", "2026-11-22", "23:59:58"]
    );
    meter.advance(seconds_of(start) + 3);
    assert_eq!(
        shown(&meter),
        ["2026-11-23T00:00:01", "2026-11-23", "00:00:01"]
    );
    let set = Request::SetClock(moment(2030, 2, 28, 12, 0, 0));
    assert_eq!(meter.answer(&set), Some(Reply::Acknowledge));
    meter.advance(seconds_of(start) + 63);
    assert_eq!(
        shown(&meter),
        ["2030-02-28T12:01:00", "2030-02-28", "12:01:00"]
    );
}

#[test]
fn the_clock_of_a_601_counts_whole_minutes() {
    let start = moment(2026, 3, 1, 10, 30, 59);
    let meter = Meter::new(&Config::new(Model::M601).start(start));
    assert_eq!(one(&meter, 1002).value.to_string(), "10:30:00");
}

#[test]
fn high_resolution_energy_is_the_energy_without_its_upper_digits() {
    let mut meter = Meter::new(&Config::new(Model::M403).energy_unit(EnergyUnit::KilowattHours));
    let start = meter.now;
    for hour in 0..2_000 {
        meter.advance(start + hour * 3_600);
        let (energy, high_res) = (mantissa(&meter, 60), mantissa(&meter, 266));
        assert!(high_res < 10_000_000);
        assert_eq!(energy % 10_000, high_res / 1_000);
    }
}

#[test]
fn serial_numbers_have_eight_digits_and_can_be_chosen() {
    assert_eq!(one(&meter(Model::M403), 1001).value.to_string(), "40300001");
    let chosen = Meter::new(&Config::new(Model::M603).serial(84_968_362));
    assert_eq!(one(&chosen, 1001).value.to_string(), "84968362");
    assert_eq!(one(&chosen, 279).value.to_string(), "6KAM0184968362");
}

/// A seed with air in the sensor in January 2026.
const AIRY: u64 = 18;

#[test]
fn air_in_the_sensor_shows_in_the_info_code_of_each_generation() {
    for (model, code) in [
        (Model::M602, 4096),
        (Model::M403, 3000),
        (Model::M603, 3000),
    ] {
        let start = moment(2026, 1, 1, 0, 0, 0);
        let mut meter = Meter::new(&Config::new(model).seed(AIRY).start(start));
        let mut now = seconds_of(start);
        while !meter.house.info().air {
            now += 300;
            meter.advance(now);
            assert!(now < seconds_of(start) + 30 * 86_400, "no air in January");
        }
        assert_eq!(mantissa(&meter, 99), code);
        assert_eq!((mantissa(&meter, 74), mantissa(&meter, 80)), (0, 0));
        if model == Model::M603 {
            assert_eq!(one(&meter, 369).value, Value::Bits(0x100));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(30))]

    #[test]
    fn what_one_answer_shows_agrees(seed in 0_u64..500, day in 0_i64..60, second in 0_i64..86_400) {
        let start = moment(2026, 1, 1, 0, 0, 0);
        let mut meter = Meter::new(&Config::new(Model::M603).seed(seed).start(start));
        let before = [60, 68, 97, 110, 72, 1004].map(|register| mantissa(&meter, register));
        meter.advance(seconds_of(start) + day * 86_400 + second);

        let [inlet, outlet, difference] = [86, 87, 89].map(|register| mantissa(&meter, register));
        prop_assert_eq!(inlet - outlet, difference);
        let tenths = [398, 399, 400].map(|register| mantissa(&meter, register));
        prop_assert_eq!(tenths[0] - tenths[1], tenths[2]);

        // Power is what flow and temperatures give, rounded to 0.1 kW.
        let hundredths = |shown: i128| u32::try_from(shown).unwrap();
        let flow = u32::try_from(mantissa(&meter, 74)).unwrap();
        let watts = water::power_milliwatts(flow, hundredths(inlet), hundredths(outlet));
        prop_assert_eq!(mantissa(&meter, 80), (i128::from(watts) + 50_000) / 100_000);

        // Counters never go back, and hours pass.
        let after = [60, 68, 97, 110, 72, 1004].map(|register| mantissa(&meter, register));
        prop_assert!(before.iter().zip(&after).all(|(before, after)| before <= after));
        prop_assert_eq!(after[5] - before[5], i128::from((day * 86_400 + second) / 3_600));

        // The year's maximum is not below the month's, nor its minimum above; a month has none
        // before its first averaging time of an hour is over.
        let is_month_begun = second >= 3_600 || ![31, 59].contains(&day);
        prop_assert!(mantissa(&meter, 124) >= mantissa(&meter, 139));
        prop_assert!(!is_month_begun || mantissa(&meter, 130) <= mantissa(&meter, 145));
    }

    #[test]
    fn a_request_of_up_to_eight_registers_is_answered(ids in prop::collection::vec(any::<u16>(), 1..=8)) {
        let ids: Vec<RegisterId> = ids.into_iter().map(RegisterId).collect();
        let reply = meter(Model::M602).answer(&Request::GetRegister(Batch::new(&ids).unwrap()));
        prop_assert!(matches!(reply, Some(Reply::Registers(_))));
    }
}

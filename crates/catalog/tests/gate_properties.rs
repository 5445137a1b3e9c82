//! What holds for any history, any damage and any record at all.
//!
//! Seeds are fixed; a failure names the seed and the step.

#![allow(
    unused_must_use,
    reason = "a poll that passes or is doubted is a statement of its own"
)]

mod gate_meter;

use core::time::Duration;

use gate_meter::*;
use heatmeter_catalog::gate::{Checked, Gate, Limits, Look, Notice, Poll, Quality};
use kamstrup_kmp::{Decimal, Record, RegisterId, Scale, Unit, Value};

/// A house that has been read every hour for a while, before and after the last hour.
fn hour(random: &mut Random) -> (Line, Vec<Record>, Vec<Record>) {
    let mut house = House::new();
    house.live(3600, random);
    let mut line = Line {
        gate: Gate::new(),
        limits: limits(),
    };
    let before = house.records();
    line.passes(&before, house.seconds);
    house.live(3600, random);
    (line, before, house.records())
}

const NOW: u64 = 7200;
const AGAIN: u64 = 7202;

/// The record with its value replaced by random bytes.
fn damage_value(record: &Record, random: &mut Random) -> Record {
    let bytes: Vec<u8> = (0..record.length).map(|_| random.byte()).collect();
    raw(record.register, record.unit, record.scale, &bytes)
}

/// The record with one byte of its header changed: unit, length or exponent.
fn damage_header(record: &Record, random: &mut Random) -> Record {
    let Value::Number(number) = record.value else {
        panic!("a number")
    };
    let bytes = number.mantissa().to_be_bytes();
    let tail = |length: usize| &bytes[bytes.len() - length..];
    let length = usize::from(record.length);
    let other = 1 + random.byte() % 255;
    match random.below(3) {
        0 => raw(
            record.register,
            Unit(record.unit.0 ^ other),
            record.scale,
            tail(length),
        ),
        1 => {
            let scale = Scale(record.scale.0 ^ (1 + other % 127));
            raw(record.register, record.unit, scale, tail(length))
        }
        _ => {
            let wrong = 1 + (length + usize::from(other) % 7) % 8;
            let wrong = if wrong == length { length + 1 } else { wrong };
            raw(record.register, record.unit, record.scale, tail(wrong))
        }
    }
}

/// Whether a register may say this after the hour before, worked out without the gate.
fn is_possible(before: &Record, found: &Record) -> bool {
    let (Value::Number(before), Value::Number(value)) = (&before.value, &found.value) else {
        return false;
    };
    let steps = value.mantissa() - before.mantissa();
    let value = value.mantissa();
    match found.register.0 {
        // 6460 kW for 3664 s in MJ, and one more.
        60 => (0..=23_670).contains(&steps),
        // 30 m³/h for 3664 s in l, and one more.
        68 => (0..=30_534).contains(&steps),
        74 => (-30_000..=30_000).contains(&value),
        80 => (-64_600..=64_600).contains(&value),
        97 => (0..=5_649).contains(&steps),
        113 => steps >= 0,
        1001 => steps == 0,
        1004 => (0..=2).contains(&steps),
        _ => panic!("not checked here"),
    }
}

/// The registers whose limits are their own affair.
const ALONE: [RegisterId; 8] = [ENERGY, VOLUME, FLOW, POWER, E8, EVENTS, SERIAL, HOURS];

fn replace(records: &[Record], by: &Record) -> Vec<Record> {
    let swap = |record: &Record| {
        if record.register == by.register {
            by
        } else {
            record
        }
        .clone()
    };
    records.iter().map(swap).collect()
}

/// What a meter answers to the second question, one register of it damaged.
fn again(doubt: &[RegisterId], records: &[Record]) -> Vec<Record> {
    records
        .iter()
        .filter(|record| doubt.contains(&record.register))
        .cloned()
        .collect()
}

#[test]
fn a_plausible_history_is_never_held_and_costs_no_second_reading() {
    for seed in 0..200 {
        let mut random = Random(seed);
        let mut house = House::new();
        let mut line = Line::new();
        for step in 0..60 {
            let longest = [3, 60, 3600, 100_000, 3_000_000][random.index(5)];
            house.live(random.below(longest), &mut random);
            let records = house.records();
            let Look::Checked(checked) = line.look(&records, house.seconds) else {
                panic!("doubted at seed {seed}, step {step}: {records:?}")
            };
            assert!(
                checked.notices.is_empty(),
                "seed {seed}: {:?}",
                checked.notices
            );
            for (reading, record) in checked.readings.iter().zip(&records) {
                assert_eq!(reading.good(), Some(record), "seed {seed}, step {step}");
            }
        }
    }
}

#[test]
fn a_damaged_header_is_always_read_again() {
    for seed in 0..2000 {
        let mut random = Random(seed);
        let (mut line, _, sound) = hour(&mut random);
        let victim = &sound[random.index(12)];
        let damaged = damage_header(victim, &mut random);
        let Look::Doubtful(doubt) = line.look(&replace(&sound, &damaged), NOW) else {
            // A meter that has no value gives it in any length.
            // 10⁰ and 10⁻⁰ are one.
            let harmless = !damaged.value.is_valid() || damaged.value == victim.value;
            assert!(harmless, "seed {seed}: {damaged:?}");
            continue;
        };
        assert!(doubt.reread().contains(&victim.register), "seed {seed}");
        let second = again(doubt.reread(), &sound);
        let checked = line.again(doubt, &second, AGAIN);
        assert_sound(&checked, &sound, seed);
        assert!(!checked.notices.is_empty(), "seed {seed}");
    }
}

#[test]
fn a_value_beyond_the_limits_is_read_again_and_the_sound_one_delivered() {
    let mut doubted = 0;
    for seed in 0..6_000 {
        let mut random = Random(seed);
        let (mut line, before, sound) = hour(&mut random);
        let victim = ALONE[random.index(8)];
        let place = sound
            .iter()
            .position(|record| record.register == victim)
            .unwrap();
        let damaged = damage_value(&sound[place], &mut random);
        match line.look(&replace(&sound, &damaged), NOW) {
            Look::Checked(_) => {
                assert!(
                    is_possible(&before[place], &damaged),
                    "seed {seed}: {damaged:?}"
                );
            }
            Look::Doubtful(doubt) => {
                doubted += 1;
                assert!(
                    !is_possible(&before[place], &damaged),
                    "seed {seed}: {damaged:?}"
                );
                assert!(doubt.reread().contains(&victim), "seed {seed}");
                let second = again(doubt.reread(), &sound);
                let checked = line.again(doubt, &second, AGAIN);
                assert_sound(&checked, &sound, seed);
            }
        }
    }
    assert!(doubted > 4_000, "{doubted}");
}

#[test]
fn a_value_damaged_twice_differently_is_never_delivered_unless_it_is_possible() {
    let mut held = 0;
    for seed in 0..6_000 {
        let mut random = Random(seed);
        let (mut line, before, sound) = hour(&mut random);
        let victim = [ENERGY, VOLUME, E8, SERIAL, HOURS][random.index(5)];
        let place = sound
            .iter()
            .position(|record| record.register == victim)
            .unwrap();
        let first = damage_value(&sound[place], &mut random);
        let Look::Doubtful(doubt) = line.look(&replace(&sound, &first), NOW) else {
            continue;
        };
        let second = damage_value(&sound[place], &mut random);
        let records = again(doubt.reread(), &replace(&sound, &second));
        let checked = line.again(doubt, &records, AGAIN);
        match reading(&checked, victim).good() {
            Some(good) => assert!(is_possible(&before[place], good), "seed {seed}: {good:?}"),
            None => held += 1,
        }
    }
    assert!(held > 5_000, "{held}");
}

#[test]
fn the_same_damage_twice_is_believed_and_said() {
    for seed in 0..2000 {
        let mut random = Random(seed);
        let (mut line, _, sound) = hour(&mut random);
        let victim = &sound[random.index(10)];
        let damaged = if seed % 2 == 0 {
            damage_header(victim, &mut random)
        } else {
            damage_value(victim, &mut random)
        };
        let spoiled = replace(&sound, &damaged);
        let Look::Doubtful(doubt) = line.look(&spoiled, NOW) else {
            continue;
        };
        let records = again(doubt.reread(), &spoiled);
        let checked = line.again(doubt, &records, AGAIN);
        assert_ne!(
            reading(&checked, victim.register).quality().code(),
            "held",
            "seed {seed}"
        );
        let accepted = |notice: &Notice| matches!(notice, Notice::Accepted { .. });
        assert!(
            checked.notices.iter().any(accepted),
            "seed {seed}: {:?}",
            checked.notices
        );
    }
}

#[test]
fn whatever_comes_the_gate_answers() {
    let registers = [
        60, 63, 68, 72, 74, 80, 84, 86, 87, 89, 97, 113, 155, 180, 239, 266, 1001, 1003, 1004, 9,
    ];
    let mut random = Random(1);
    for round in 0..2000_u64 {
        let mut gate = Gate::new();
        let limits = if round % 2 == 0 {
            limits()
        } else {
            Limits::default()
        };
        for _ in 0..12 {
            let mut records = || -> Vec<Record> {
                let count = random.below(12);
                (0..count)
                    .map(|_| {
                        let register = registers[random.index(20)];
                        let units = [
                            1, 2, 3, 5, 8, 12, 37, 38, 39, 40, 41, 43, 46, 48, 51, 54, 57,
                        ];
                        let unit = match random.below(3) {
                            0 => random.byte(),
                            _ => units[random.index(17)],
                        };
                        let length = random.below(18);
                        let bytes: Vec<u8> = match random.below(3) {
                            0 => (0..length).map(|_| 0xff).collect(),
                            1 => (0..length).map(|_| 0).collect(),
                            _ => (0..length).map(|_| random.byte()).collect(),
                        };
                        raw(
                            RegisterId(register),
                            Unit(unit),
                            Scale(random.byte()),
                            &bytes,
                        )
                    })
                    .collect()
            };
            let (mut first, second) = (records(), records());
            // Numbers no meter can send, but a caller can make.
            if let Some(record) = first.first_mut() {
                let exponent = random.byte().cast_signed();
                record.value = Value::Number(Decimal::new(i128::MIN, exponent));
            }
            let reach = 1 << (random.below(60) + 1);
            let now = at(random.below(reach));
            let asked = [ENERGY, RegisterId(4242)];
            let poll = Poll {
                asked: &asked,
                records: &first,
                serial: None,
            };
            let checked = match gate.first(&limits, &poll, now) {
                Look::Checked(checked) => checked,
                Look::Doubtful(doubt) => {
                    let second: Vec<_> = if random.below(2) == 0 {
                        first.clone()
                    } else {
                        second
                    };
                    gate.second(doubt, &Poll::of(&second), now)
                }
            };
            // Whatever there is to say can be said.
            for reading in &checked.readings {
                assert!(!reading.quality().to_string().is_empty());
            }
            for notice in &checked.notices {
                assert!(!notice.to_string().is_empty());
            }
            let away = Duration::from_secs(random.next());
            gate = Gate::restore(gate.snapshot(now), away, now);
        }
    }
}

/// The figures of the module's documentation.
#[test]
fn what_random_values_get_past_the_gate_is_what_the_documentation_says() {
    let rounds = 10_000;
    let mut passed = [0_u32; 5];
    let victims = [ENERGY, FLOW, INLET, OUTLET, DIFFERENCE];
    let mut random = Random(7);
    let (line, _, sound) = hour(&mut random);
    for (victim, passed) in victims.iter().zip(&mut passed) {
        let record = sound
            .iter()
            .find(|record| record.register == *victim)
            .unwrap();
        for _ in 0..rounds {
            let damaged = damage_value(record, &mut random);
            let mut gate = line.gate.clone();
            let look = gate.first(&line.limits, &Poll::of(&replace(&sound, &damaged)), at(NOW));
            if let Look::Checked(checked) = look
                && *reading(&checked, *victim).quality() == Quality::Good
            {
                *passed += 1;
            }
        }
    }
    eprintln!("of {rounds} random values each: {victims:?} {passed:?}");
    let [energy, flow, temperatures @ ..] = passed;
    assert!(energy <= 1, "{energy}");
    assert!((4_400..4_750).contains(&flow), "{flow}");
    assert!(
        temperatures.iter().all(|passed| *passed <= 5),
        "{temperatures:?}"
    );
}

#[track_caller]
fn assert_sound(checked: &Checked, sound: &[Record], seed: u64) {
    for record in sound {
        let reading = reading(checked, record.register);
        assert_eq!(
            reading.good(),
            Some(record),
            "seed {seed}: {}",
            reading.quality()
        );
    }
}

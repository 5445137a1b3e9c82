//! What is remembered is remembered of one meter, and survives a restart.

#![allow(
    unused_must_use,
    reason = "a poll that passes or is doubted is a statement of its own"
)]

mod gate_meter;

use core::time::Duration;

use gate_meter::*;
use heatmeter_catalog::gate::{Gate, Look, Poll};

const HOUR: Duration = Duration::from_hours(1);

fn line() -> Line {
    Line::having_seen(&[energy("84.817"), serial("84968362")])
}

#[test]
fn a_changed_meter_is_accepted_once_confirmed_and_begins_anew() {
    let mut line = line();
    let new = [energy("0.012"), serial("12345678")];
    let doubt = line.doubts(&new, 3600, &[ENERGY, SERIAL]);
    let checked = line.again(doubt, &new, 3602);
    assert_eq!(good(&checked, ENERGY).as_deref(), Some("0.012"));
    assert_eq!(
        notices(&checked),
        ["meter changed from serial 84968362 to 12345678"]
    );
    assert_eq!(line.gate.serial(), Some("12345678"));
    line.passes(&[energy("0.013"), serial("12345678")], 7200);
}

#[test]
fn the_memory_of_the_old_meter_is_kept_under_its_own_serial_number() {
    let mut line = line();
    let new = [energy("0.012"), serial("12345678")];
    let doubt = line.doubts(&new, 3600, &[ENERGY, SERIAL]);
    let _ = line.again(doubt, &new, 3602);
    // It comes back: its counter may not have gone back meanwhile.
    let old = [energy("84.000"), serial("84968362")];
    let doubt = line.doubts(&old, 7200, &[ENERGY, SERIAL]);
    let checked = line.again(doubt, &old, 7202);
    assert_eq!(
        notices(&checked),
        [
            "meter changed from serial 12345678 to 84968362",
            "heat_energy: counter went back from 84.817 GJ to 84.000 GJ",
        ]
    );
}

#[test]
fn a_serial_number_that_is_not_confirmed_was_damage() {
    let mut line = line();
    let doubt = line.doubts(&[energy("84.818"), serial("84968363")], 3600, &[SERIAL]);
    let checked = line.again(doubt, &[serial("84968362")], 3602);
    assert_eq!(good(&checked, ENERGY).as_deref(), Some("84.818"));
    assert_eq!(good(&checked, SERIAL).as_deref(), Some("84968362"));
    assert_eq!(
        notices(&checked),
        [
            "serial_number: serial number 84968363 found, 84968362 expected as last time; a second \
          reading was sound"
        ]
    );
}

#[test]
fn while_it_is_open_which_meter_answers_everything_is_held() {
    let mut line = line();
    let new = [energy("84.900"), serial("12345678")];
    let doubt = line.doubts(&new, 3600, &[SERIAL]);
    let checked = line.again(doubt, &[], 3602);
    for register in [ENERGY, SERIAL] {
        assert_eq!(
            held(&checked, register),
            "serial number 12345678 found, 84968362 expected as last time; a second reading did \
             not come through"
        );
    }
    // The next poll says the same: that is the confirmation.
    let checked = line.passes(&new, 7200);
    assert_eq!(good(&checked, ENERGY).as_deref(), Some("84.900"));
    assert_eq!(
        notices(&checked),
        ["meter changed from serial 84968362 to 12345678"]
    );
}

#[test]
fn counters_that_jump_have_the_serial_number_asked_too() {
    let mut line = line();
    let doubt = line.doubts(&[energy("0.012")], 3600, &[ENERGY, SERIAL]);
    let checked = line.again(doubt, &[energy("0.012"), serial("12345678")], 3602);
    assert_eq!(
        notices(&checked),
        ["meter changed from serial 84968362 to 12345678"]
    );
    assert_eq!(good(&checked, ENERGY).as_deref(), Some("0.012"));
    assert_eq!(checked.readings.len(), 1);
}

#[test]
fn a_damaged_serial_number_in_a_second_reading_changes_no_meter() {
    let mut line = line();
    let doubt = line.doubts(&[energy("0.012")], 3600, &[ENERGY, SERIAL]);
    let checked = line.again(doubt, &[energy("84.818"), serial("12345678")], 3602);
    assert_eq!(good(&checked, ENERGY).as_deref(), Some("84.818"));
    assert_eq!(line.gate.serial(), Some("84968362"));
}

#[test]
fn the_serial_number_may_come_from_its_own_command() {
    let mut line = Line::new();
    let records = [energy("84.817")];
    let poll = |records, serial| Poll {
        asked: &[],
        records,
        serial: Some(serial),
    };
    let first = line
        .gate
        .first(&line.limits, &poll(&records, 84_968_362), at(0));
    assert!(matches!(first, Look::Checked(_)));
    assert_eq!(line.gate.serial(), Some("84968362"));
    let look = line
        .gate
        .first(&line.limits, &poll(&records, 12_345_678), at(3600));
    let Look::Doubtful(doubt) = look else {
        panic!("another meter")
    };
    assert_eq!(doubt.reread(), [SERIAL]);
    let checked = line.gate.second(doubt, &poll(&[], 84_968_362), at(3602));
    assert_eq!(good(&checked, ENERGY).as_deref(), Some("84.817"));
    assert_eq!(checked.notices[0].code(), "outvoted");
}

#[test]
fn a_counter_is_remembered_over_a_restart() {
    let stored = line().gate.snapshot(at(3600));
    // The new process counts time from its own start.
    let mut line = Line {
        gate: Gate::restore(stored.clone(), HOUR, at(5)),
        limits: limits(),
    };
    assert_eq!(line.gate.serial(), Some("84968362"));
    line.doubts(&[energy("84.816")], 6, &[ENERGY, SERIAL]);
    // Two hours, 6460 kW: 46.5 GJ and a little.
    line.doubts(&[energy("132.000")], 6, &[ENERGY, SERIAL]);
    line.passes(&[energy("131.000")], 6);
    assert_eq!(
        line.gate.remembered(ENERGY, at(66)).unwrap().age,
        Duration::from_mins(1)
    );
    assert_eq!(stored.len(), 1);
}

#[test]
fn former_meters_are_remembered_over_a_restart() {
    let mut line = line();
    let new = [energy("0.012"), serial("12345678")];
    let doubt = line.doubts(&new, 3600, &[ENERGY, SERIAL]);
    let _ = line.again(doubt, &new, 3602);
    let stored = line.gate.snapshot(at(3602));
    let serials: Vec<_> = stored.iter().map(|meter| meter.serial.as_deref()).collect();
    assert_eq!(serials, [Some("12345678"), Some("84968362")]);
    let restored = Gate::restore(stored.clone(), Duration::ZERO, at(0));
    assert_eq!(restored.snapshot(at(0)), stored);
}

#[test]
fn a_wrong_guess_of_the_time_away_costs_a_second_reading_and_no_value() {
    let stored = line().gate.snapshot(at(0));
    let mut line = Line {
        gate: Gate::restore(stored, Duration::ZERO, at(0)),
        limits: limits(),
    };
    let doubt = line.doubts(&[energy("90.000")], 1, &[ENERGY, SERIAL]);
    let checked = line.again(doubt, &[energy("90.000"), serial("84968362")], 3);
    assert_eq!(good(&checked, ENERGY).as_deref(), Some("90.000"));
}

#[test]
fn time_that_runs_backwards_is_no_time_at_all() {
    let mut line = Line::new();
    line.passes(&[energy("84.817")], 10_000);
    line.passes(&[energy("84.817")], 0);
    line.passes(&[energy("84.900")], 0);
}

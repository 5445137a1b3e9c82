//! A value that looks other than last time, or other than its register can, is read a second time.

#![allow(
    unused_must_use,
    reason = "a poll that passes or is doubted is a statement of its own"
)]

mod gate_meter;

use std::slice::from_ref;

use gate_meter::*;
use heatmeter_catalog::gate::Quality;
use kamstrup_kmp::{RegisterId, Scale, Unit};

#[test]
fn a_unit_other_than_last_time_is_read_again() {
    let mut line = Line::having_seen(&[energy("84.817")]);
    let found = number(ENERGY, Unit::MWH, 4, "84.818");
    let doubt = line.doubts(&[found], 3600, &[ENERGY]);
    let checked = line.again(doubt, &[energy("84.818")], 3602);
    assert_eq!(good(&checked, ENERGY).as_deref(), Some("84.818"));
    assert_eq!(
        notices(&checked),
        ["heat_energy: unit MWh found, GJ expected as last time; a second reading was sound"]
    );
}

#[test]
fn a_length_other_than_last_time_is_read_again() {
    let mut line = Line::having_seen(&[inlet("53.65")]);
    let doubt = line.doubts(&[number(INLET, Unit::CELSIUS, 4, "53.65")], 60, &[INLET]);
    let checked = line.again(doubt, &[], 62);
    assert_eq!(
        held(&checked, INLET),
        "4 bytes found, 2 expected as last time; a second reading did not come through"
    );
}

#[test]
fn an_exponent_other_than_last_time_is_read_again() {
    let mut line = Line::having_seen(&[energy("84.817")]);
    let found = number(ENERGY, Unit::GJ, 4, "84817");
    let doubt = line.doubts(from_ref(&found), 3600, &[ENERGY]);
    let checked = line.again(doubt, &[found], 3602);
    assert_eq!(
        notices(&checked),
        ["heat_energy: exponent changed from -3 to 0"]
    );
}

#[test]
fn a_changed_unit_is_accepted_once_confirmed_and_said_out_loud() {
    let mut line = Line::having_seen(&[energy("84.817")]);
    let found = number(ENERGY, Unit::MWH, 4, "23.561");
    let doubt = line.doubts(from_ref(&found), 3600, &[ENERGY]);
    let checked = line.again(doubt, from_ref(&found), 3602);
    assert_eq!(good(&checked, ENERGY).as_deref(), Some("23.561"));
    assert_eq!(
        notices(&checked),
        ["heat_energy: unit changed from GJ to MWh"]
    );
    // From now on that is what to expect.
    line.passes(&[found], 7200);
    line.doubts(&[energy("84.818")], 10_800, &[ENERGY]);
}

#[test]
fn at_first_sight_a_unit_must_measure_what_the_register_holds() {
    let mut line = Line::new();
    let found = number(ENERGY, Unit::CELSIUS, 4, "84.817");
    let doubt = line.doubts(&[found], 0, &[ENERGY]);
    let checked = line.again(doubt, &[], 2);
    assert_eq!(
        held(&checked, ENERGY),
        "unit °C found, GJ, MWh, kWh or Gcal expected; a second reading did not come through"
    );
    // Units the catalogue does not list but that measure the same are no surprise.
    line.passes(&[number(ENERGY, Unit::MJ, 4, "84817")], 60);
}

#[test]
fn an_input_may_count_anything() {
    let mut line = Line::new();
    line.passes(&[number(RegisterId(84), Unit::KWH, 4, "1234.5")], 0);
    line.passes(&[number(RegisterId(85), Unit::NUMBER, 4, "77")], 0);
}

#[test]
fn the_hours_of_a_water_meter_may_be_a_plain_number() {
    let mut line = Line::having_seen(&[number(HOURS, Unit::NUMBER, 4, "5152")]);
    line.passes(&[number(HOURS, Unit::NUMBER, 4, "5153")], 3600);
    line.doubts(&[number(HOURS, Unit::NUMBER, 4, "5253")], 7200, &[HOURS]);
}

#[test]
fn a_register_nobody_knows_is_only_held_to_its_own_shape() {
    let strange = RegisterId(4242);
    let mut line = Line::having_seen(&[number(strange, Unit(200), 4, "5")]);
    line.passes(&[number(strange, Unit(200), 4, "4000000000")], 1);
    line.doubts(&[number(strange, Unit(201), 4, "5")], 2, &[strange]);
}

#[test]
fn an_impossible_date_is_invalid_and_never_a_surprise() {
    let date = |digits: u32| raw(DATE, Unit::DATE1, Scale(0), &digits.to_be_bytes());
    let mut line = Line::having_seen(&[date(261_122)]);
    let checked = line.passes(&[date(269_999)], 3600);
    assert_eq!(reading(&checked, DATE).quality().code(), "invalid");
    let checked = line.passes(&[date(261_123)], 7200);
    assert_eq!(good(&checked, DATE).as_deref(), Some("2026-11-23"));
}

#[test]
fn an_invalid_value_in_the_wrong_unit_is_damage_and_read_again() {
    // The unit byte of a temperature turned into that of a date.
    let mut line = Line::having_seen(&[inlet("53.65")]);
    let found = raw(INLET, Unit::DATE1, Scale(0x42), &[0x14, 0xf5]);
    let doubt = line.doubts(&[found], 60, &[INLET]);
    let checked = line.again(doubt, &[inlet("53.65")], 62);
    assert_eq!(good(&checked, INLET).as_deref(), Some("53.65"));
}

#[test]
fn a_value_that_turns_invalid_and_back_is_no_surprise_and_leaves_the_memory_alone() {
    let mut line = Line::having_seen(&[energy("84.817")]);
    let nothing = raw(ENERGY, Unit::GJ, Scale(0), &[]);
    let checked = line.passes(&[nothing], 3600);
    assert!(matches!(
        reading(&checked, ENERGY).quality(),
        Quality::Invalid(_)
    ));
    assert_eq!(
        reading(&checked, ENERGY).quality().to_string(),
        "no value: 0 bytes found"
    );
    line.passes(&[energy("84.820")], 7200);
    line.passes(&[raw(ENERGY, Unit::GJ, Scale(0), &[])], 10_800);
    line.doubts(&[energy("84.819")], 14_400, &[ENERGY]);
}

//! A counter goes up, and no faster than physics allows.

#![allow(
    unused_must_use,
    reason = "a poll that passes or is doubted is a statement of its own"
)]

mod gate_meter;

use gate_meter::*;
use kamstrup_kmp::{RegisterId, Unit};

#[test]
fn a_counter_that_goes_back_is_read_again() {
    let mut line = Line::having_seen(&[energy("84.817")]);
    let doubt = line.doubts(&[energy("84.816")], 3600, &[ENERGY]);
    let checked = line.again(doubt, &[energy("84.816")], 3602);
    assert_eq!(good(&checked, ENERGY).as_deref(), Some("84.816"));
    assert_eq!(
        notices(&checked),
        ["heat_energy: counter went back from 84.817 GJ to 84.816 GJ"]
    );
}

#[test]
fn energy_runs_no_faster_than_the_largest_power() {
    // 6460 kW make 23.256 GJ in an hour, and 0.414 GJ in one integration period.
    let mut line = Line::having_seen(&[energy("84.817")]);
    line.passes(&[energy("108.073")], 3600);
    let doubt = line.doubts(&[energy("131.745")], 7200, &[ENERGY]);
    let checked = line.again(doubt, &[], 7202);
    assert_eq!(
        held(&checked, ENERGY),
        "counter at 131.745 GJ found, at most 23.669 GJ more than 108.073 GJ expected after \
         60 min; a second reading did not come through"
    );
}

#[test]
fn volume_runs_no_faster_than_the_largest_flow() {
    let mut line = Line::having_seen(&[volume("712.34")]);
    line.passes(&[volume("742.34")], 3600);
    line.doubts(&[volume("773.90")], 7200, &[VOLUME]);
}

#[test]
fn volume_times_temperature_runs_no_faster_than_the_hottest_water_at_the_largest_flow() {
    // 30 m³/h of 185 °C.
    let sum = |value| number(E8, Unit::CUBIC_METRE_CELSIUS, 4, value);
    let mut line = Line::having_seen(&[sum("45000")]);
    line.passes(&[sum("50550")], 3600);
    line.doubts(&[sum("56210")], 7200, &[E8]);
}

#[test]
fn mass_runs_no_faster_than_the_largest_flow_of_heavy_brine() {
    let mass = |value| number(RegisterId(72), Unit::TONNE, 4, value);
    let mut line = Line::having_seen(&[mass("700.00")]);
    line.passes(&[mass("733.00")], 3600);
    line.doubts(&[mass("770.00")], 7200, &[RegisterId(72)]);
}

#[test]
fn the_hour_counter_runs_with_the_clock() {
    let mut line = Line::having_seen(&[hours("5152")]);
    line.passes(&[hours("5153")], 60);
    line.passes(&[hours("5154")], 3700);
    line.doubts(&[hours("5157")], 7300, &[HOURS]);
}

#[test]
fn an_event_counter_goes_forward_at_any_speed() {
    let mut line = Line::having_seen(&[events("3")]);
    line.passes(&[events("4000")], 60);
    let doubt = line.doubts(&[events("3999")], 120, &[EVENTS]);
    let checked = line.again(doubt, &[events("3998")], 122);
    assert_eq!(
        held(&checked, EVENTS),
        "counter at 3999 found, at least 4000 expected as last time; a second reading says 3998"
    );
}

#[test]
fn a_counter_may_stand_still_at_any_distance_in_time() {
    let mut line = Line::having_seen(&[energy("84.817"), hours("5152")]);
    line.passes(&[energy("84.817"), hours("5152")], 0);
    line.passes(&[energy("84.817"), hours("5152")], 40_000_000);
}

#[test]
fn a_counter_is_measured_against_the_life_of_a_meter_at_first_sight() {
    // 6460 kW for 40 years are 8.15 PJ.
    let mut line = Line::new();
    line.doubts(&[number(ENERGY, Unit::TEN_GJ, 4, "900000")], 0, &[ENERGY]);
    line.doubts(&[energy("-0.001")], 0, &[ENERGY]);
    line.doubts(&[hours("353950")], 0, &[HOURS]);
    line.passes(&[energy("4294967.295"), hours("300000")], 0);
}

#[test]
fn a_difference_of_counters_may_shrink() {
    let difference = |value| number(RegisterId(180), Unit::CUBIC_METRE, 4, value);
    let mut line = Line::having_seen(&[difference("1.25")]);
    line.passes(&[difference("1.20")], 3600);
}

#[test]
fn a_counter_in_high_resolution_may_begin_anew_where_the_coarse_one_agrees() {
    let mut line = Line::having_seen(&[energy("84.817"), fine_energy("9999000")]);
    // 2000 Wh are 0.0072 GJ.
    let checked = line.passes(&[energy("84.824"), fine_energy("1000")], 3600);
    assert_eq!(good(&checked, FINE_ENERGY).as_deref(), Some("1000"));
    // 25 000 000 Wh are 90 GJ: round twice, in a summer without readings.
    line.passes(&[energy("174.824"), fine_energy("5001000")], 5_000_000);
    line.passes(&[energy("264.824"), fine_energy("1000")], 10_000_000);
}

#[test]
fn a_counter_in_high_resolution_that_goes_back_alone_is_read_again() {
    let mut line = Line::having_seen(&[energy("84.817"), fine_energy("9999000")]);
    let reread = [ENERGY, FINE_ENERGY];
    line.doubts(&[energy("84.824"), fine_energy("7000000")], 3600, &reread);
    line.doubts(&[energy("84.817"), fine_energy("1000000")], 3600, &reread);
    line.doubts(&[fine_energy("1000")], 3600, &reread);
}

#[test]
fn a_wrap_seen_without_the_coarse_counter_is_settled_by_reading_both() {
    let mut line = Line::having_seen(&[energy("84.817"), fine_energy("9999000")]);
    let doubt = line.doubts(&[fine_energy("1000")], 3600, &[ENERGY, FINE_ENERGY]);
    let checked = line.again(doubt, &[energy("84.824"), fine_energy("1001")], 3602);
    assert_eq!(good(&checked, FINE_ENERGY).as_deref(), Some("1001"));
    assert!(checked.notices.is_empty(), "{:?}", checked.notices);
}

#[test]
fn a_wrap_counts_only_by_the_word_of_a_coarse_counter_that_is_sound_itself() {
    let mut line = Line::having_seen(&[energy("84.817"), fine_energy("9999000")]);
    let damaged = number(ENERGY, Unit::MWH, 4, "84.824");
    line.doubts(
        &[damaged, fine_energy("1000")],
        3600,
        &[ENERGY, FINE_ENERGY],
    );
}

#[test]
fn what_cannot_be_computed_is_a_surprise_and_no_panic() {
    let huge = |value: &str| number(ENERGY, Unit::GJ, 15, value);
    let mut line = Line::new();
    line.doubts(
        &[huge("1329227995784915872903807060280344575")],
        0,
        &[ENERGY],
    );
}

//! A measurement stays within what the meter can measure, and agrees with what it says twice.

#![allow(
    unused_must_use,
    reason = "a poll that passes or is doubted is a statement of its own"
)]

mod gate_meter;

use gate_meter::*;
use heatmeter_catalog::gate::{Gate, Limits};
use heatmeter_catalog::{Model, model};
use kamstrup_kmp::{Decimal, RegisterId, Unit};

#[test]
fn a_flow_beyond_the_largest_is_read_again() {
    let mut line = Line::having_seen(&[flow("120")]);
    line.passes(&[flow("30000")], 60);
    let doubt = line.doubts(&[flow("30001")], 120, &[FLOW]);
    let checked = line.again(doubt, &[flow("125")], 122);
    assert_eq!(good(&checked, FLOW).as_deref(), Some("125"));
    assert_eq!(
        notices(&checked),
        ["flow: 30001 l/h found, -30 m³/h to 30 m³/h expected; a second reading was sound"]
    );
}

#[test]
fn a_power_beyond_the_largest_is_read_again_and_a_negative_one_is_cooling() {
    let mut line = Line::having_seen(&[power("4.2")]);
    line.passes(&[power("-35.0")], 60);
    line.doubts(&[power("6460.1")], 120, &[POWER]);
    line.doubts(&[power("-6460.1")], 120, &[POWER]);
}

#[test]
fn a_temperature_outside_the_range_of_the_sensor_is_read_again() {
    let mut line = Line::having_seen(&[inlet("65.12")]);
    line.doubts(&[inlet("185.01")], 60, &[INLET]);
    line.doubts(&[inlet("-0.01")], 60, &[INLET]);
    line.doubts(
        &[number(RegisterId(146), Unit::CELSIUS, 2, "200.00")],
        60,
        &[RegisterId(146)],
    );
    line.doubts(&[difference("185.01")], 60, &[DIFFERENCE]);
}

#[test]
fn a_difference_that_contradicts_the_temperatures_has_all_three_read_again() {
    let mut line = Line::new();
    // The three resolutions explain 0.03 K.
    line.passes(&[inlet("65.12"), outlet("34.98"), difference("30.17")], 0);
    let damaged = [inlet("65.12"), outlet("34.98"), difference("30.18")];
    let doubt = line.doubts(&damaged, 60, &[INLET, OUTLET, DIFFERENCE]);
    let checked = line.again(
        doubt,
        &[inlet("65.20"), outlet("35.00"), difference("30.20")],
        62,
    );
    assert_eq!(good(&checked, INLET).as_deref(), Some("65.20"));
    assert_eq!(good(&checked, OUTLET).as_deref(), Some("35.00"));
    assert_eq!(good(&checked, DIFFERENCE).as_deref(), Some("30.20"));
    assert_eq!(
        notices(&checked),
        [
            "temperature_difference: difference 30.18 K found, 30.14 K expected from the \
          temperatures; a second reading was sound"
        ]
    );
}

#[test]
fn a_contradiction_that_is_not_settled_holds_all_three() {
    let mut line = Line::new();
    let doubt = line.doubts(
        &[inlet("65.12"), outlet("34.98"), difference("61.30")],
        0,
        &[INLET, OUTLET, DIFFERENCE],
    );
    let checked = line.again(
        doubt,
        &[inlet("99.12"), outlet("34.98"), difference("30.14")],
        2,
    );
    for register in [INLET, OUTLET, DIFFERENCE] {
        assert!(held(&checked, register).starts_with("difference 61.30 K found"));
    }
}

#[test]
fn a_contradiction_that_the_meter_stands_by_is_accepted_and_learned() {
    let mut line = Line::new();
    let says = |dt: &str| [inlet("20.00"), outlet("30.00"), difference(dt)];
    let doubt = line.doubts(&says("10.00"), 0, &[INLET, OUTLET, DIFFERENCE]);
    let checked = line.again(doubt, &says("10.00"), 2);
    assert_eq!(
        notices(&checked),
        [
            "temperature_difference: difference is 10.00 K where the temperatures differ by \
          -10.00 K"
        ]
    );
    line.passes(&says("10.00"), 60);
    line.passes(&[inlet("20.00"), outlet("32.00"), difference("12.00")], 120);
}

#[test]
fn a_difference_below_zero_is_cooling() {
    let mut line = Line::new();
    line.passes(&[inlet("12.00"), outlet("18.00"), difference("-6.00")], 0);
}

#[test]
fn a_sensor_fault_is_invalid_no_surprise_and_no_party_to_a_contradiction() {
    let mut line = Line::having_seen(&[inlet("65.12"), outlet("34.98"), difference("30.14")]);
    let checked = line.passes(&[inlet("185.00"), outlet("34.98"), difference("0.00")], 60);
    let quality = reading(&checked, INLET).quality();
    assert_eq!(quality.code(), "invalid");
    assert_eq!(
        quality.to_string(),
        "sensor above its range or disconnected: the meter sends 185.00 °C"
    );
    assert_eq!(reading(&checked, INLET).good(), None);
    assert_eq!(good(&checked, OUTLET).as_deref(), Some("34.98"));
    let checked = line.passes(&[inlet("0.00"), outlet("34.98"), difference("0.00")], 120);
    assert_eq!(reading(&checked, INLET).quality().code(), "invalid");
    let known = line.gate.remembered(INLET, at(120)).unwrap();
    assert_eq!(known.value, Some(Decimal::new(6512, -2)));
    line.passes(&[inlet("65.00"), outlet("34.98"), difference("30.02")], 180);
}

#[test]
fn a_meter_larger_than_its_limit_costs_second_readings_once() {
    let mut line = Line {
        gate: Gate::default(),
        limits: Limits::from(Model::unknown()),
    };
    let flow = |value| number(FLOW, Unit::CUBIC_METRE_PER_HOUR, 4, value);
    line.passes(&[flow("99.0"), volume("1000.0")], 0);
    let doubt = line.doubts(&[flow("400.0"), volume("1100.0")], 3600, &[FLOW]);
    let checked = line.again(doubt, &[flow("404.0")], 3602);
    assert_eq!(good(&checked, FLOW).as_deref(), Some("404.0"));
    assert_eq!(
        notices(&checked),
        ["flow: value is 400.0 m³/h, outside -100 m³/h to 100 m³/h"]
    );
    // The volume may follow, and the flow may rise by a quarter.
    line.passes(&[flow("500.0"), volume("1500.0")], 7200);
    line.doubts(&[flow("506.0")], 10_800, &[FLOW]);
}

#[test]
fn the_limits_of_a_family_come_from_the_catalogue() {
    let model = model("403").unwrap();
    let limits = Limits::from(model);
    assert_eq!(limits.largest_flow, model.limits.flow.unwrap().most.value);
    assert_eq!(limits.largest_power, model.limits.power.unwrap().most.value);
    assert_eq!(limits.sensor_range, (Decimal::ZERO, Decimal::new(185, 0)));
    assert_eq!(limits.sentinels, model.sentinels);
}

#[test]
fn what_a_family_does_not_say_is_limited_generously() {
    let unknown = Limits::from(Model::unknown());
    assert_eq!(
        Limits {
            sentinels: &[],
            ..unknown
        },
        Limits::default()
    );
    assert_eq!(
        unknown.sentinels.len(),
        4,
        "a broken sensor is one in any family"
    );
}

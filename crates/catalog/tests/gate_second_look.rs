//! A surprise is decided by a second reading: outvoted, accepted or held.

#![allow(
    unused_must_use,
    reason = "a poll that passes or is doubted is a statement of its own"
)]

mod gate_meter;

use gate_meter::*;
use heatmeter_catalog::gate::{Look, Notice, Poll, Quality};
use kamstrup_kmp::{RegisterId, Unit};

#[test]
fn the_first_values_of_a_meter_are_good_without_a_second_reading() {
    let mut line = Line::new();
    let checked = line.passes(&House::new().records(), 0);
    assert!(
        checked
            .readings
            .iter()
            .all(|reading| *reading.quality() == Quality::Good)
    );
    assert!(checked.notices.is_empty());
}

#[test]
fn a_register_left_out_is_unsupported_and_the_order_is_that_of_the_question() {
    let mut line = Line::new();
    let asked = [FINE_ENERGY, VOLUME, ENERGY];
    let records = [energy("84.817"), flow("120"), volume("712.34")];
    let poll = Poll {
        asked: &asked,
        records: &records,
        serial: None,
    };
    let Look::Checked(checked) = line.gate.first(&line.limits, &poll, at(0)) else {
        panic!("nothing is doubtful")
    };
    let found: Vec<_> = checked
        .readings
        .iter()
        .map(|r| (r.register(), r.quality().code()))
        .collect();
    assert_eq!(
        found,
        [
            (FINE_ENERGY, "unsupported"),
            (VOLUME, "good"),
            (ENERGY, "good"),
            (FLOW, "good")
        ]
    );
    assert_eq!(reading(&checked, FINE_ENERGY).raw(), None);
}

#[test]
fn a_damaged_first_and_a_sound_second_reading_deliver_the_sound_value() {
    let mut line = Line::having_seen(&[energy("84.817"), volume("712.34")]);
    let doubt = line.doubts(&[energy("9999.999"), volume("712.35")], 3600, &[ENERGY]);
    let checked = line.again(doubt, &[energy("84.820")], 3602);
    assert_eq!(good(&checked, ENERGY).as_deref(), Some("84.820"));
    assert_eq!(good(&checked, VOLUME).as_deref(), Some("712.35"));
    assert!(matches!(
        checked.notices[..],
        [Notice::Outvoted {
            register: ENERGY,
            ..
        }]
    ));
}

#[test]
fn a_value_damaged_twice_differently_is_held_with_what_was_said() {
    let mut line = Line::having_seen(&[energy("84.817")]);
    let doubt = line.doubts(&[energy("9999.999")], 3600, &[ENERGY]);
    let checked = line.again(doubt, &[energy("4.817")], 3602);
    assert_eq!(
        held(&checked, ENERGY),
        "counter at 9999.999 GJ found, at most 23.669 GJ more than 84.817 GJ expected after \
         60 min; a second reading says 4.817"
    );
    assert_eq!(good(&checked, ENERGY), None);
    assert_eq!(reading(&checked, ENERGY).raw(), Some(&energy("9999.999")));
    // The last good value stays.
    line.passes(&[energy("84.821")], 7200);
}

#[test]
fn a_counter_moved_on_between_two_readings_is_the_same_reading() {
    let mut line = Line::having_seen(&[energy("84.817")]);
    let doubt = line.doubts(&[energy("0.001")], 3600, &[ENERGY]);
    let checked = line.again(doubt, &[energy("0.002")], 3602);
    assert_eq!(good(&checked, ENERGY).as_deref(), Some("0.002"));
    let doubt = line.doubts(&[energy("999.001")], 7200, &[ENERGY]);
    let checked = line.again(doubt, &[energy("999.000")], 7202);
    assert_eq!(reading(&checked, ENERGY).quality().code(), "held");
}

#[test]
fn a_second_reading_that_did_not_come_holds_only_what_was_surprising() {
    let mut line = Line::having_seen(&[energy("84.817"), volume("712.34")]);
    let doubt = line.doubts(&[energy("9999.999"), volume("712.35")], 3600, &[ENERGY]);
    let checked = line.again(doubt, &[], 3602);
    assert!(held(&checked, ENERGY).ends_with("a second reading did not come through"));
    assert_eq!(good(&checked, VOLUME).as_deref(), Some("712.35"));
}

#[test]
fn what_was_held_is_accepted_when_a_later_poll_says_the_same() {
    let mut line = Line::having_seen(&[energy("84.817")]);
    let doubt = line.doubts(&[energy("9999.990")], 3600, &[ENERGY]);
    let checked = line.again(doubt, &[], 3602);
    assert_eq!(reading(&checked, ENERGY).quality().code(), "held");
    // Without a third reading: two frames have said it.
    let checked = line.passes(&[energy("9999.999")], 7200);
    assert_eq!(good(&checked, ENERGY).as_deref(), Some("9999.999"));
    assert_eq!(
        notices(&checked),
        ["heat_energy: counter ran from 84.817 GJ to 9999.999 GJ in 2 h"]
    );
}

#[test]
fn what_was_held_is_forgotten_when_a_sound_value_comes() {
    let mut line = Line::having_seen(&[energy("84.817")]);
    let doubt = line.doubts(&[energy("9999.990")], 3600, &[ENERGY]);
    let _ = line.again(doubt, &[], 3602);
    line.passes(&[energy("84.820")], 7200);
    line.doubts(&[energy("9999.990")], 10_800, &[ENERGY]);
}

#[test]
fn what_is_held_with_another_value_each_time_stays_held() {
    let mut line = Line::having_seen(&[energy("84.817")]);
    for (poll, found) in ["999.000", "777.000", "888.888", "600.000"]
        .into_iter()
        .enumerate()
    {
        let seconds = 3600 * (u64::try_from(poll).unwrap() + 1);
        let doubt = line.doubts(&[energy(found)], seconds, &[ENERGY]);
        let checked = line.again(doubt, &[], seconds + 2);
        assert_eq!(reading(&checked, ENERGY).quality().code(), "held");
    }
}

#[test]
fn a_value_read_again_for_the_sake_of_another_comes_from_the_same_look() {
    let mut line = Line::having_seen(&[inlet("65.12"), outlet("34.98"), difference("30.14")]);
    let first = [inlet("200.00"), outlet("34.98"), difference("30.14")];
    let doubt = line.doubts(&first, 60, &[INLET, OUTLET, DIFFERENCE]);
    let checked = line.again(
        doubt,
        &[inlet("70.00"), outlet("40.00"), difference("30.00")],
        62,
    );
    assert_eq!(good(&checked, OUTLET).as_deref(), Some("40.00"));
    assert_eq!(good(&checked, DIFFERENCE).as_deref(), Some("30.00"));
}

#[test]
fn a_sound_value_is_not_lost_to_a_damaged_second_reading() {
    let mut line = Line::having_seen(&[inlet("65.12"), outlet("34.98"), difference("30.14")]);
    let first = [inlet("200.00"), outlet("34.98"), difference("30.14")];
    let doubt = line.doubts(&first, 60, &[INLET, OUTLET, DIFFERENCE]);
    let damaged = number(OUTLET, Unit::GJ, 2, "34.98");
    let checked = line.again(doubt, &[inlet("65.12"), damaged, difference("30.14")], 62);
    assert_eq!(good(&checked, INLET).as_deref(), Some("65.12"));
    assert_eq!(good(&checked, OUTLET).as_deref(), Some("34.98"));
}

#[test]
fn a_register_sent_twice_is_read_once() {
    let mut line = Line::having_seen(&[energy("84.817")]);
    let checked = line.passes(&[energy("84.818"), energy("1.000")], 3600);
    assert_eq!(checked.readings.len(), 1);
    assert_eq!(good(&checked, ENERGY).as_deref(), Some("84.818"));
}

#[test]
fn names_for_scripts_are_those_of_the_contract() {
    let mut line = Line::having_seen(&[energy("84.817"), inlet("65.12")]);
    let asked = [ENERGY, INLET, VOLUME, RegisterId(4242)];
    let records = [energy("1.000"), inlet("185.00"), volume("712.34")];
    let poll = Poll {
        asked: &asked,
        records: &records,
        serial: None,
    };
    let Look::Doubtful(doubt) = line.gate.first(&line.limits, &poll, at(60)) else {
        panic!("the energy went back")
    };
    let checked = line.gate.second(doubt, &Poll::default(), at(62));
    let codes: Vec<_> = checked
        .readings
        .iter()
        .map(|r| r.quality().code())
        .collect();
    assert_eq!(codes, ["held", "invalid", "good", "unsupported"]);
}

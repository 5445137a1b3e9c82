use std::time::Duration;

use kamstrup_kmp::line::LineSettings;
use kamstrup_kmp::message::Request;

use crate::line::{Line, after, answer, at_once, expected, honest, values};

#[test]
fn one_byte_time_lies_between_an_answer_and_the_next_request() {
    const HAS: [u16; 9] = [1, 2, 3, 4, 5, 6, 7, 8, 9];
    let mut line = Line::new(honest(&HAS));
    line.read(&HAS);
    let answered = line.sent[0].0 + LineSettings::KMP.time_for(line.sent[0].1.len());
    assert_eq!(line.sent[1].0, answered + LineSettings::KMP.byte_time());
}

#[test]
fn a_meter_has_1_6_seconds_to_begin_its_answer() {
    let mut line =
        Line::new(|_, request: &Request, _: &[u8]| after(1600, answer(request, &[60], 0)));
    let outcome = line.read(&[60]);
    assert_eq!(values(&outcome), expected(&[60]));
    assert_eq!(outcome.line.requests, 1);
}

#[test]
fn after_damage_the_line_is_left_alone_for_1_6_seconds() {
    let mut line = Line::new(|number, request: &Request, _: &[u8]| {
        let mut bytes = answer(request, &[60], 0);
        if number == 0 {
            bytes[9] ^= 0x01;
        }
        at_once(bytes)
    });
    line.read(&[60]);
    let damage = line.sent[0].0 + LineSettings::KMP.time_for(line.sent[0].1.len());
    assert!(line.sent[1].0 >= damage + Duration::from_millis(1600));
}

#[test]
fn this_holds_into_the_next_task() {
    let mut line = Line::new(|number, request: &Request, _: &[u8]| {
        let mut bytes = answer(request, &[60], 0);
        if number == 0 {
            bytes[9] ^= 0x01;
        }
        at_once(bytes)
    });
    let ids = [kamstrup_kmp::RegisterId(60)];
    let task = kamstrup_kmp::session::Task::read(&ids).within(Duration::from_millis(300));
    line.run(task);
    let damage = line.sent[0].0 + LineSettings::KMP.time_for(line.sent[0].1.len());
    line.read(&[60]);
    assert!(line.sent[1].0 >= damage + Duration::from_millis(1600));
}

use std::time::Duration;

use kamstrup_kmp::message::Request;
use kamstrup_kmp::{RegisterId, Verdict};

use crate::line::{Line, Pieces, answer, at_once, expected, values};

const ASKED: [u16; 8] = [60, 68, 74, 80, 86, 87, 89, 155];

/// Says nothing at all when it is asked for register 155.
fn shy(_: usize, request: &Request, _: &[u8]) -> Pieces {
    match request {
        Request::GetRegister(batch) if batch.ids().contains(&RegisterId(155)) => Vec::new(),
        other => at_once(answer(other, &ASKED, 0)),
    }
}

#[test]
fn the_register_is_found_and_the_others_are_read() {
    let mut line = Line::new(shy);
    let outcome = line.read(&ASKED);
    assert_eq!(outcome.verdict, Verdict::Ok);
    assert_eq!(values(&outcome), expected(&ASKED[..7]));
    assert_eq!(outcome.unsupported, [RegisterId(155)]);
    assert!(
        outcome.line.took < Duration::from_secs(20),
        "{:?}",
        outcome.line.took
    );
}

#[test]
fn it_is_remembered_for_minutes_and_once_found_again_for_a_day() {
    let mut line = Line::new(shy);
    line.read(&ASKED);
    let again = line.read(&ASKED);
    assert_eq!(again.unsupported, [RegisterId(155)]);
    assert_eq!(again.line.requests, 1);
    line.rest(Duration::from_mins(11));
    assert!(
        line.read(&ASKED).line.requests > 1,
        "asked again after ten minutes"
    );
    line.rest(Duration::from_hours(23));
    assert_eq!(line.read(&ASKED).line.requests, 1);
    line.rest(Duration::from_hours(2));
    assert!(
        line.read(&ASKED).line.requests > 1,
        "asked again after a day"
    );
}

#[test]
fn memory_alone_is_no_answer() {
    let mut line = Line::new(shy);
    line.read(&[155]);
    assert!(line.read(&[155]).line.requests > 0);
}

#[test]
fn a_few_lost_answers_do_not_make_a_register_unsupported() {
    // The first three answers to GetRegister are lost; the probes between get through.
    let mut lost = 0;
    let mut line = Line::new(move |_, request: &Request, _: &[u8]| {
        if matches!(request, Request::GetRegister(_)) && lost < 3 {
            lost += 1;
            return Vec::new();
        }
        at_once(answer(request, &ASKED, 0))
    });
    let outcome = line.read(&[60]);
    assert_eq!(values(&outcome), expected(&[60]));
    assert_eq!(outcome.unsupported, []);
}

#[test]
fn alone_it_is_unsupported_too() {
    let mut line = Line::new(shy);
    let outcome = line.read(&[155]);
    assert_eq!(outcome.verdict, Verdict::NotSupported);
    assert_eq!(outcome.unsupported, [RegisterId(155)]);
}

#[test]
fn a_meter_that_is_not_there_is_silent_and_not_halved() {
    let mut line = Line::new(|_, _: &Request, _: &[u8]| Vec::new());
    let outcome = line.read(&ASKED);
    assert_eq!(outcome.verdict, Verdict::Silent);
    assert_eq!(outcome.unanswered.len(), 8);
    assert!(outcome.unsupported.is_empty());
    assert!(line.sent.len() <= 7, "{} requests", line.sent.len());
}

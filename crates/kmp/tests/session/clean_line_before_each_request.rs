use std::time::Duration;

use kamstrup_kmp::message::Request;

use crate::line::{Line, answer, at_once, expected, honest, values};

#[test]
fn what_has_been_waiting_answers_nothing() {
    let mut line = Line::new(honest(&[60]));
    line.read(&[60]);
    // A full answer with another value lies in the buffer when the next poll comes.
    let stale = answer(&request_60(), &[60], 7);
    line.stray(line.now + Duration::from_secs(1), &stale);
    line.rest(Duration::from_hours(1));
    assert_eq!(values(&line.read(&[60])), expected(&[60]));
}

#[test]
fn a_stale_answer_that_trickles_in_before_the_request_is_dropped() {
    let mut line = Line::new(|number, request: &Request, _: &[u8]| {
        at_once(answer(request, &[60], if number == 0 { 7 } else { 0 }))
    });
    line.read(&[60]);
    line.rest(Duration::from_secs(5));
    let stale = answer(&request_60(), &[60], 7);
    for (place, byte) in stale.iter().enumerate() {
        let at = line.now + Duration::from_millis(5) * u32::try_from(place).unwrap();
        line.stray(at, &[*byte]);
    }
    // The first of them is there when the task starts, so the line is not clean.
    assert_eq!(values(&line.read(&[60])), expected(&[60]));
}

#[test]
fn a_line_that_was_idle_is_used_at_once() {
    let mut line = Line::new(honest(&[60]));
    line.rest(Duration::from_secs(9));
    line.read(&[60]);
    assert_eq!(line.sent[0].0, Duration::from_secs(9));
}

#[test]
fn a_line_that_is_never_quiet_is_used_all_the_same() {
    let mut line = Line::new(|_, request: &Request, _: &[u8]| at_once(answer(request, &[60], 0)));
    for millisecond in (0..3300).step_by(5) {
        line.stray(Duration::from_millis(millisecond), &[0xff]);
    }
    let outcome = line.read(&[60]);
    assert_eq!(values(&outcome), expected(&[60]));
}

fn request_60() -> Request {
    let ids = [kamstrup_kmp::RegisterId(60)];
    Request::GetRegister(kamstrup_kmp::message::Batch::new(&ids).unwrap())
}

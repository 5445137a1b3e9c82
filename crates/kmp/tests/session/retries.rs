use std::time::Duration;

use kamstrup_kmp::message::Request;
use kamstrup_kmp::session::Task;
use kamstrup_kmp::{RegisterId, Verdict};

use crate::line::{Line, answer, at_once, expected, values};

#[test]
fn a_damaged_answer_is_asked_for_again_and_never_used() {
    let mut line = Line::new(|number, request: &Request, _: &[u8]| {
        let mut bytes = answer(request, &[60], 0);
        if number == 0 {
            bytes[9] ^= 0x01;
        }
        at_once(bytes)
    });
    let outcome = line.read(&[60]);
    assert_eq!(values(&outcome), expected(&[60]));
    assert_eq!(line.attempts[0].verdict, Verdict::CrcMismatch);
    assert_eq!((outcome.line.requests, outcome.line.retries), (2, 1));
}

#[test]
fn a_truncated_answer_is_followed_by_a_whole_one() {
    let mut line = Line::new(|number, request: &Request, _: &[u8]| {
        let mut bytes = answer(request, &[60], 0);
        if number == 0 {
            bytes.truncate(7);
        }
        at_once(bytes)
    });
    let outcome = line.read(&[60]);
    assert_eq!(values(&outcome), expected(&[60]));
    assert_eq!(line.attempts[0].verdict, Verdict::Truncated);
}

#[test]
fn a_failed_batch_keeps_what_other_batches_brought() {
    const HAS: [u16; 9] = [1, 2, 3, 4, 5, 6, 7, 8, 9];
    let mut line = Line::new(|number, request: &Request, _: &[u8]| {
        let mut bytes = answer(request, &HAS, 0);
        if number > 0 {
            bytes[9] ^= 0x01;
        }
        at_once(bytes)
    });
    let outcome = line.read(&HAS);
    assert_eq!(outcome.verdict, Verdict::Ok);
    assert_eq!(values(&outcome), expected(&HAS[..8]));
    assert_eq!(outcome.unanswered, [RegisterId(9)]);
}

#[test]
fn noise_before_the_answer_costs_nothing() {
    let mut line = Line::new(|_, request: &Request, _: &[u8]| {
        let noise = vec![0xff, 0x40, 0x12, 0x0d, 0x55, 0x1b];
        vec![
            (Duration::from_millis(20), noise),
            (Duration::from_millis(1200), answer(request, &[60], 0)),
        ]
    });
    let outcome = line.read(&[60]);
    assert_eq!(values(&outcome), expected(&[60]));
    assert_eq!(outcome.line.requests, 1);
}

#[test]
fn nothing_is_asked_more_often_than_told() {
    for attempts in 1..8 {
        for request in [Request::GetType, Request::GetSerialNo] {
            let mut line = Line::new(|_, _: &Request, _: &[u8]| Vec::new());
            let task = Task::ask(request)
                .with_attempts(attempts)
                .within(Duration::from_mins(5));
            let outcome = line.run(task);
            assert_eq!(outcome.verdict, Verdict::Silent);
            assert_eq!(outcome.line.requests, attempts);
        }
        let mut line = Line::new(|_, _: &Request, _: &[u8]| Vec::new());
        let task = Task::read(&[RegisterId(60)])
            .with_attempts(attempts)
            .within(Duration::from_mins(5));
        let outcome = line.run(task);
        // After every second silence a probe asks if the meter is there.
        assert_eq!(outcome.line.requests, attempts + attempts / 2);
        assert_eq!(outcome.line.retries, attempts - 1);
    }
}

use kamstrup_kmp::RegisterId;
use kamstrup_kmp::Verdict;
use kamstrup_kmp::message::{Batch, Request};

use crate::line::{Line, answer, at_once, expected, honest, values};

#[test]
fn a_missing_register_costs_only_itself_wherever_it_stands() {
    for missing in [60, 266, 68, 1001] {
        let all = [60, 266, 68, 1001];
        let mut line = Line::new(move |_, request: &Request, _: &[u8]| {
            let has: Vec<u16> = all.into_iter().filter(|&id| id != missing).collect();
            at_once(answer(request, &has, 0))
        });
        let outcome = line.read(&all);
        let there: Vec<u16> = all.into_iter().filter(|&id| id != missing).collect();
        assert_eq!(outcome.verdict, Verdict::Ok);
        assert_eq!(values(&outcome), expected(&there));
        assert_eq!(outcome.unsupported, [RegisterId(missing)]);
        assert_eq!(line.sent.len(), 1);
    }
}

#[test]
fn a_meter_that_has_nothing_of_it_is_not_a_failure_of_the_line() {
    let mut line = Line::new(honest(&[]));
    let outcome = line.read(&[60, 68]);
    assert_eq!(outcome.verdict, Verdict::NotSupported);
    assert_eq!(outcome.unsupported, [RegisterId(60), RegisterId(68)]);
    assert_eq!(outcome.line.retries, 0);
}

#[test]
fn order_does_not_matter() {
    let mut line = Line::new(|_, request: &Request, _: &[u8]| {
        let Request::GetRegister(batch) = request else {
            panic!("{request:?}")
        };
        let mut turned = batch.ids().to_vec();
        turned.reverse();
        let turned = Request::GetRegister(Batch::new(&turned).unwrap());
        at_once(answer(&turned, &[60, 68, 80], 0))
    });
    assert_eq!(values(&line.read(&[60, 68, 80])), expected(&[60, 68, 80]));
}

#[test]
fn an_answer_to_something_else_is_not_taken() {
    let mut line = Line::new(|number, request: &Request, _: &[u8]| {
        if number > 0 {
            return at_once(answer(request, &[60], 0));
        }
        let other = Request::GetRegister(Batch::new(&[RegisterId(68)]).unwrap());
        at_once(answer(&other, &[68], 0))
    });
    let outcome = line.read(&[60]);
    assert_eq!(line.attempts[0].verdict, Verdict::UnexpectedAnswer);
    assert_eq!(values(&outcome), expected(&[60]));
}

#[test]
fn a_register_that_was_there_before_is_asked_for_again() {
    let mut line = Line::new(|number, request: &Request, _: &[u8]| {
        let has: &[u16] = if number == 1 { &[60] } else { &[60, 68] };
        at_once(answer(request, has, 0))
    });
    assert_eq!(values(&line.read(&[60, 68])), expected(&[60, 68]));
    let outcome = line.read(&[60, 68]);
    assert_eq!(values(&outcome), expected(&[60, 68]));
    assert_eq!(outcome.unsupported, []);
    assert_eq!(outcome.line.requests, 2);
}

#[test]
fn a_register_asked_for_twice_is_read_once() {
    let mut line = Line::new(honest(&[60]));
    let outcome = line.read(&[60, 60, 60]);
    assert_eq!(values(&outcome), expected(&[60]));
    assert_eq!(outcome.line.bytes_sent, 9);
}

#[test]
fn more_than_eight_registers_take_as_few_requests_as_can_be() {
    const HAS: [u16; 17] = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17];
    let mut line = Line::new(honest(&HAS));
    let outcome = line.read(&HAS);
    assert_eq!(values(&outcome), expected(&HAS));
    assert_eq!(outcome.line.requests, 3);
}

#[test]
fn nothing_asked_is_nothing_sent() {
    let mut line = Line::new(honest(&[]));
    let outcome = line.read(&[]);
    assert_eq!(outcome.verdict, Verdict::Ok);
    assert_eq!(outcome.line.requests, 0);
}

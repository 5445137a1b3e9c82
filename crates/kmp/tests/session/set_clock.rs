use std::time::Duration;

use kamstrup_kmp::message::Request;
use kamstrup_kmp::session::{AskAnswer, Task};
use kamstrup_kmp::{Date, DateTime, Time, Verdict};

use crate::line::{Line, honest};

fn task() -> Task {
    let moment = DateTime::new(Date::new(2014, 5, 8).unwrap(), Time::new(3, 5, 0).unwrap());
    Task::ask(Request::SetClock(moment))
}

#[test]
fn a_lone_acknowledgement_is_believed() {
    let mut line = Line::new(honest(&[]));
    assert_eq!(line.run(task()).answer, Some(AskAnswer::Acknowledged));
    let printed = [
        0x80, 0x3f, 0x09, 0x00, 0x02, 0x24, 0xdc, 0x00, 0x00, 0x77, 0x24, 0x23, 0x5d, 0x0d,
    ];
    assert_eq!(
        line.sent[0].1, printed,
        "the request as sniffed from a MULTICAL 601"
    );
}

#[test]
fn an_acknowledgement_among_noise_is_not() {
    let mut line =
        Line::new(|_, _: &Request, _: &[u8]| vec![(Duration::ZERO, vec![0x91, 0x06, 0x33])]);
    let outcome = line.run(task());
    assert_eq!(outcome.answer, None);
    assert_eq!(outcome.verdict, Verdict::Noise);
}

#[test]
fn a_refusal_is_silence() {
    let mut line = Line::new(|_, _: &Request, _: &[u8]| Vec::new());
    let outcome = line.run(task());
    assert_eq!(outcome.answer, None);
    assert_eq!(outcome.verdict, Verdict::Silent);
}

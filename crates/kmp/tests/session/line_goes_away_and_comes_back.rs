use std::time::Duration;

use kamstrup_kmp::line::{Input, Output};
use kamstrup_kmp::message::{Batch, Request};
use kamstrup_kmp::session::{Event, Session, Task};
use kamstrup_kmp::{Instant, RegisterId, Verdict};

use crate::line::answer;

fn at(milliseconds: u64) -> Instant {
    Instant::from_start(Duration::from_millis(milliseconds))
}

/// What a session has to say until it waits.
fn outputs(session: &mut Session) -> Vec<Output<Event>> {
    let mut outputs = Vec::new();
    loop {
        match session.poll() {
            output @ (Output::Wait(_) | Output::Idle) => {
                outputs.push(output);
                return outputs;
            }
            output => outputs.push(output),
        }
    }
}

#[test]
fn what_was_under_way_is_asked_for_again_at_once_on_a_line_set_up_anew() {
    let ids = [RegisterId(60)];
    let mut session = Session::default();
    session.start(Task::read(&ids), at(0));
    let request = outputs(&mut session)
        .into_iter()
        .find_map(|output| match output {
            Output::Transmit(bytes) => Some(bytes),
            _ => None,
        });

    session.interrupted(at(500));
    let again = outputs(&mut session);
    assert!(matches!(again[0], Output::Configure(_)), "{again:?}");
    let Output::Event(Event::Attempt(lost)) = &again[1] else {
        panic!("{again:?}")
    };
    assert_eq!(lost.verdict, Verdict::PortLost);
    assert_eq!(again[2], Output::Transmit(request.unwrap()));

    let asked = Request::GetRegister(Batch::new(&ids).unwrap());
    session.handle(Input::Receive(&answer(&asked, &[60], 0)), at(700));
    let done = outputs(&mut session)
        .into_iter()
        .find_map(|output| match output {
            Output::Event(Event::Done(outcome)) => Some(outcome),
            _ => None,
        });
    let outcome = done.unwrap();
    assert_eq!((outcome.verdict, outcome.records.len()), (Verdict::Ok, 1));
    assert_eq!(outcome.line.requests, 2);
}

#[test]
fn a_line_that_goes_away_between_tasks_is_only_set_up_anew() {
    let mut session = Session::default();
    outputs(&mut session);
    session.interrupted(at(10));
    let after = outputs(&mut session);
    assert!(
        matches!(after[..], [Output::Configure(_), Output::Idle]),
        "{after:?}"
    );
}

#[test]
fn a_request_that_was_not_taken_yet_goes_out_once() {
    let mut session = Session::default();
    session.start(Task::read(&[RegisterId(60)]), at(0));
    session.interrupted(at(0));
    let sent = outputs(&mut session)
        .iter()
        .filter(|o| matches!(o, Output::Transmit(_)))
        .count();
    assert_eq!(sent, 1);
}

#[test]
fn a_port_that_is_lost_again_and_again_is_not_a_silent_meter() {
    let mut session = Session::default();
    session.start(
        Task::read(&[RegisterId(60)]).within(Duration::from_secs(3)),
        at(0),
    );
    for n in 1..30 {
        outputs(&mut session);
        session.interrupted(at(n * 100));
    }
    session.handle(Input::Timeout, at(3000));
    let verdicts: Vec<_> = outputs(&mut session)
        .into_iter()
        .filter_map(|output| match output {
            Output::Event(Event::Done(outcome)) => Some(outcome.verdict),
            _ => None,
        })
        .collect();
    assert_eq!(verdicts, [Verdict::PortLost]);
}

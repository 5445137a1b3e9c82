use std::time::Duration;

use kamstrup_kmp::message::Request;

use crate::line::{Line, after, answer, at_once, values};

/// Each answer carries the number of the request it answers.
fn numbered(number: usize, request: &Request) -> Vec<u8> {
    answer(request, &[60], u16::try_from(number).unwrap())
}

#[test]
fn an_answer_later_than_the_whole_task_is_never_taken_for_that_of_the_next() {
    // Request 0 is answered after 7 s, when its task is over; all others at once.
    for gap in [0, 1, 3, 5, 8, 40] {
        let mut line = Line::new(|number, request: &Request, _: &[u8]| {
            if number == 0 {
                after(7000, numbered(number, request))
            } else {
                at_once(numbered(number, request))
            }
        });
        let ids = [kamstrup_kmp::RegisterId(60)];
        let task = kamstrup_kmp::session::Task::read(&ids);
        line.run(task.clone().within(Duration::from_secs(2)));
        line.rest(Duration::from_secs(gap));
        for _ in 0..5 {
            let first = line.sent.len();
            let outcome = line.run(task.clone());
            let value: usize = values(&outcome)[0].1.parse().unwrap();
            assert!(
                value - 60 >= first,
                "request {} was answered after request {first} was sent",
                value - 60
            );
        }
    }
}

#[test]
fn a_late_answer_within_the_task_is_as_good_as_any() {
    let mut line = Line::new(|number, request: &Request, _: &[u8]| {
        if number == 0 {
            after(3500, numbered(number, request))
        } else {
            Vec::new()
        }
    });
    let outcome = line.read(&[60]);
    assert_eq!(values(&outcome), [(60, "60".to_string())]);
}

#[test]
fn a_meter_that_is_always_late_is_read_without_lag() {
    // Every answer comes 4 s after its request: later than the session waits, earlier than it gives up.
    let mut line =
        Line::new(|number, request: &Request, _: &[u8]| after(4000, numbered(number, request)));
    for _ in 0..20 {
        let first = line.sent.len();
        let outcome = line.read(&[60]);
        for (_, value) in values(&outcome) {
            let number = value.parse::<usize>().unwrap() - 60;
            assert!(
                number >= first,
                "the answer to request {number} was taken in a task that began with {first}"
            );
        }
    }
}

use std::time::Duration;

use kamstrup_kmp::RegisterId;
use kamstrup_kmp::message::Request;
use kamstrup_kmp::session::Task;
use proptest::prelude::*;

use crate::line::{Line, Pieces, after, answer, at_once, values};

/// What the meter has.
const HAS: [u16; 9] = [60, 68, 74, 80, 86, 99, 1001, 1002, 1004];

/// Each answer carries the number of the request it answers.
fn numbered(number: usize, request: &Request) -> Vec<u8> {
    answer(request, &HAS, u16::try_from(number).unwrap())
}

/// The numbers of the requests whose answers were taken, and that of the first request of the task.
fn read_60<M>(line: &mut Line<M>, limit: Duration) -> (Vec<usize>, usize)
where
    M: FnMut(usize, &Request, &[u8]) -> Pieces,
{
    let first = line.sent.len();
    let outcome = line.run(Task::read(&[RegisterId(60)]).within(limit));
    let number = |(_, value): (u16, String)| value.parse::<usize>().unwrap() - 60;
    (values(&outcome).into_iter().map(number).collect(), first)
}

#[test]
fn an_answer_later_than_its_task_is_not_taken_for_that_of_the_next() {
    // Request 0 is answered after 7 s, when its task is over; all others at once.
    for gap in [0, 1, 3, 5, 8, 40] {
        let mut line = Line::new(|number, request: &Request, _: &[u8]| match number {
            0 => after(7000, numbered(number, request)),
            _ => at_once(numbered(number, request)),
        });
        read_60(&mut line, Duration::from_secs(2));
        line.rest(Duration::from_secs(gap));
        for _ in 0..5 {
            let (taken, first) = read_60(&mut line, Duration::from_secs(20));
            assert_eq!(taken.len(), 1, "after a gap of {gap} s");
            assert!(taken[0] >= first, "after a gap of {gap} s");
        }
    }
}

#[test]
fn a_late_answer_within_the_task_is_as_good_as_any() {
    let mut line = Line::new(|number, request: &Request, _: &[u8]| match number {
        0 => after(3500, numbered(number, request)),
        _ => Vec::new(),
    });
    assert_eq!(read_60(&mut line, Duration::from_secs(20)).0, [0]);
}

#[test]
fn a_meter_that_is_always_late_is_read_without_lag() {
    // Every answer comes 4 s after its request: later than the session waits, earlier than it gives up.
    let mut line =
        Line::new(|number, request: &Request, _: &[u8]| after(4000, numbered(number, request)));
    for _ in 0..20 {
        let (taken, first) = read_60(&mut line, Duration::from_secs(20));
        assert_eq!(taken.len(), 1);
        assert!(taken[0] >= first);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// Answers come in turn, each up to 9 s late; tasks follow each other without a pause.
    #[test]
    fn no_task_takes_the_answer_of_another(
        delays in prop::collection::vec(200_u64..9000, 60),
        limits in prop::collection::vec(1_u64..20, 12),
    ) {
        let mut line = Line::new(|number, request: &Request, _: &[u8]| {
            after(delays[number % delays.len()], numbered(number, request))
        });
        for limit in limits {
            let (taken, first) = read_60(&mut line, Duration::from_secs(limit));
            for number in taken {
                prop_assert!(number >= first, "request {number} was sent before {first}, the first of the task");
            }
        }
    }
}

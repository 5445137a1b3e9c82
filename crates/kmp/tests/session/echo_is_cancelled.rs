use std::time::Duration;

use kamstrup_kmp::Verdict;
use kamstrup_kmp::message::Request;
use kamstrup_kmp::session::Task;

use crate::line::{Line, Pieces, answer, expected, values};

/// The echo comes before the answer, as pieces of `size`.
fn echoing(size: usize) -> impl FnMut(usize, &Request, &[u8]) -> Pieces {
    move |_, request, sent| {
        let mut all = sent.to_vec();
        all.extend(answer(request, &[60, 68], 0));
        all.chunks(size)
            .map(|piece| (Duration::ZERO, piece.to_vec()))
            .collect()
    }
}

#[test]
fn echo_and_answer_may_come_in_pieces_of_any_size() {
    for size in 1..60 {
        let mut line = Line::new(echoing(size));
        let outcome = line.read(&[60, 68]);
        assert_eq!(values(&outcome), expected(&[60, 68]), "pieces of {size}");
        assert_eq!(outcome.line.requests, 1);
    }
}

#[test]
fn a_damaged_echo_does_not_hide_the_answer() {
    for place in 0..11 {
        for bit in 0..8 {
            let mut line = Line::new(move |_, request: &Request, sent: &[u8]| {
                let mut echo = sent.to_vec();
                echo[place] ^= 1 << bit;
                let mut pieces = vec![(Duration::ZERO, echo)];
                pieces.push((Duration::from_millis(50), answer(request, &[60, 68], 0)));
                pieces
            });
            let outcome = line.read(&[60, 68]);
            assert_eq!(
                values(&outcome),
                expected(&[60, 68]),
                "bit {bit} of byte {place}"
            );
        }
    }
}

#[test]
fn an_echo_whose_start_byte_turned_into_that_of_an_answer_is_none() {
    for task in [
        Task::ask(Request::GetType),
        Task::read(&[kamstrup_kmp::RegisterId(60)]),
    ] {
        let mut line = Line::new(|_, _: &Request, sent: &[u8]| {
            let mut echo = sent.to_vec();
            echo[0] = 0x40;
            vec![(Duration::ZERO, echo)]
        });
        let outcome = line.run(task);
        assert_eq!(outcome.verdict, Verdict::EchoMangled);
        assert_eq!(outcome.answer, None);
    }
}

#[test]
fn a_zero_and_a_stop_byte_before_the_answer_are_ignored() {
    let mut line = Line::new(|_, request: &Request, _: &[u8]| {
        let mut bytes = vec![0x00, 0x0d];
        bytes.extend(answer(request, &[60], 0));
        vec![(Duration::ZERO, bytes)]
    });
    assert_eq!(values(&line.read(&[60])), expected(&[60]));
}

#[test]
fn a_lone_zero_before_the_echo_leaves_the_echo_clean() {
    let mut line = Line::new(|_, _: &Request, sent: &[u8]| {
        let mut bytes = vec![0x00];
        bytes.extend(sent);
        vec![(Duration::ZERO, bytes)]
    });
    assert_eq!(line.read(&[60]).verdict, Verdict::EchoOnly);
}

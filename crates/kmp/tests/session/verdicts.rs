use std::time::Duration;

use kamstrup_kmp::Verdict;
use kamstrup_kmp::message::Request;
use kamstrup_kmp::session::Task;

use crate::line::{Line, Pieces, answer, at_once};

/// The verdict of reading registers from a line that always gives this back.
fn verdict_of(back: impl FnMut(usize, &Request, &[u8]) -> Pieces) -> Verdict {
    Line::new(back).read(&[60, 68, 80, 86, 87, 99]).verdict
}

#[test]
fn nothing_is_silence() {
    assert_eq!(verdict_of(|_, _, _| Vec::new()), Verdict::Silent);
    assert_eq!(verdict_of(|_, _, _| at_once(vec![0x00])), Verdict::Silent);
}

#[test]
fn what_was_sent_is_an_echo() {
    assert_eq!(
        verdict_of(|_, _, sent| at_once(sent.to_vec())),
        Verdict::EchoOnly
    );
}

#[test]
fn a_damaged_copy_of_what_was_sent_is_a_mangled_echo() {
    // As reported for a head too near to the meter: begins and ends like the request.
    let reported = [
        0x80, 0x02, 0x12, 0xf0, 0x00, 0x02, 0x00, 0x00, 0x42, 0x00, 0x60, 0x03, 0xc0, 0x03, 0xc8,
        0x1a, 0x00, 0x0d,
    ];
    assert_eq!(
        verdict_of(move |_, _, _| at_once(reported.to_vec())),
        Verdict::EchoMangled
    );
    let halved =
        |_: usize, _: &Request, sent: &[u8]| at_once(sent.iter().copied().step_by(2).collect());
    assert_eq!(verdict_of(halved), Verdict::EchoMangled);
    let smeared =
        |_: usize, _: &Request, sent: &[u8]| at_once(sent.iter().map(|byte| byte & 0xfe).collect());
    assert_eq!(verdict_of(smeared), Verdict::EchoMangled);
    let cut = |_: usize, _: &Request, sent: &[u8]| at_once(sent[..5].to_vec());
    assert_eq!(verdict_of(cut), Verdict::EchoMangled);
}

#[test]
fn bytes_without_a_frame_are_noise() {
    let noise = |_: usize, _: &Request, _: &[u8]| {
        at_once((0..200_u8).map(|n| n.wrapping_mul(89) | 0x81).collect())
    };
    assert_eq!(verdict_of(noise), Verdict::Noise);
    let endless = |_: usize, _: &Request, _: &[u8]| {
        (0..4000_u32)
            .map(|n| (Duration::from_millis(9) * n, vec![(n * 97 % 251) as u8]))
            .collect()
    };
    assert_eq!(verdict_of(endless), Verdict::Noise);
}

#[test]
fn damage_is_a_checksum_error_and_breaking_off_is_not() {
    let damaged = |_: usize, request: &Request, _: &[u8]| {
        let mut bytes = answer(request, &[60, 68], 0);
        bytes[10] ^= 0x10;
        at_once(bytes)
    };
    assert_eq!(verdict_of(damaged), Verdict::CrcMismatch);
    let broken_off = |_: usize, request: &Request, _: &[u8]| {
        at_once(answer(request, &[60, 68], 0)[..9].to_vec())
    };
    assert_eq!(verdict_of(broken_off), Verdict::Truncated);
}

#[test]
fn a_sound_answer_to_something_else_is_unexpected() {
    let other = |_: usize, _: &Request, _: &[u8]| at_once(answer(&Request::GetSerialNo, &[], 0));
    assert_eq!(verdict_of(other), Verdict::UnexpectedAnswer);
    let acknowledge = |_: usize, _: &Request, _: &[u8]| at_once(vec![0x06]);
    assert_eq!(verdict_of(acknowledge), Verdict::UnexpectedAnswer);
}

#[test]
fn text_and_other_meters_protocols_are_recognised() {
    let identification = |_: usize, _: &Request, _: &[u8]| at_once(b"/KAM0MCC\r\n".repeat(2));
    assert_eq!(verdict_of(identification), Verdict::WrongProtocol);
    // "/KAM0MCC" at seven bits with even parity.
    let parity = |byte: u8| byte | if byte.count_ones() % 2 == 1 { 0x80 } else { 0 };
    let seven_bits = move |_: usize, _: &Request, _: &[u8]| {
        at_once(
            b"0507109 1296626 0032673 0006811\r"
                .iter()
                .map(|&byte| parity(byte))
                .collect(),
        )
    };
    assert_eq!(verdict_of(seven_bits), Verdict::WrongProtocol);
    let sml = |_: usize, _: &Request, _: &[u8]| {
        at_once(vec![0x1b, 0x1b, 0x1b, 0x1b, 1, 1, 1, 1, 0x76, 5])
    };
    assert_eq!(verdict_of(sml), Verdict::WrongProtocol);
}

#[test]
fn silence_after_answers_is_a_sleeping_eye() {
    for echoes in [false, true] {
        let mut line = Line::new(move |number, request: &Request, sent: &[u8]| match number {
            0 => at_once(answer(request, &[60], 0)),
            _ if echoes => at_once(sent.to_vec()),
            _ => Vec::new(),
        });
        assert_eq!(line.read(&[60]).verdict, Verdict::Ok);
        line.rest(Duration::from_mins(4));
        assert_eq!(line.read(&[60]).verdict, Verdict::Asleep);
    }
}

#[test]
fn the_verdict_is_what_most_attempts_say() {
    let mut line = Line::new(|number, _: &Request, sent: &[u8]| {
        if number == 1 {
            Vec::new()
        } else {
            at_once(sent.to_vec())
        }
    });
    let outcome = line.run(Task::ask(Request::GetType).with_attempts(3));
    assert_eq!(outcome.verdict, Verdict::EchoOnly);
}

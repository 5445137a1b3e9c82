use std::time::Duration;

use kamstrup_kmp::message::Request;
use kamstrup_kmp::session::Task;
use kamstrup_kmp::{RegisterId, Verdict};

use crate::line::{Line, Pieces, after, answer, at_once, expected, values};

const USUAL: [u16; 8] = [60, 68, 74, 80, 86, 87, 89, 1001];

/// A line that spoils everything until it is well.
#[derive(Clone, Copy, Debug)]
enum Trouble {
    Silence,
    Echo,
    Noise,
    Truncation,
    Damage,
}

fn spoilt(trouble: Trouble, request: &Request, sent: &[u8]) -> Pieces {
    let mut sound = answer(request, &USUAL, 0);
    match trouble {
        Trouble::Silence => Vec::new(),
        Trouble::Echo => at_once(sent.to_vec()),
        Trouble::Noise => at_once(vec![0x91; 30]),
        Trouble::Truncation => {
            sound.truncate(6);
            at_once(sound)
        }
        Trouble::Damage => {
            let last = sound.len() - 2;
            sound[last] ^= 0x10;
            at_once(sound)
        }
    }
}

#[test]
fn the_first_poll_after_any_trouble_reads_the_meter() {
    use Trouble::{Damage, Echo, Noise, Silence, Truncation};
    for trouble in [Silence, Echo, Noise, Truncation, Damage] {
        for pause in [0, 1, 5, 9, 10, 15, 30] {
            for registers in [&USUAL[..], &USUAL[..2], &USUAL[..1]] {
                for polls in [1, 4, 9] {
                    let switch = std::cell::Cell::new(false);
                    let mut line = Line::new(|_, request: &Request, sent: &[u8]| {
                        if switch.get() {
                            let mut bytes = if matches!(trouble, Echo) {
                                sent.to_vec()
                            } else {
                                Vec::new()
                            };
                            bytes.extend(answer(request, &USUAL, 0));
                            return after(200, bytes);
                        }
                        spoilt(trouble, request, sent)
                    });
                    for _ in 0..polls {
                        assert_ne!(line.read(registers).verdict, Verdict::Ok, "{trouble:?}");
                        line.rest(Duration::from_secs(pause));
                    }
                    switch.set(true);
                    let outcome = line.read(registers);
                    let context =
                        format!("{trouble:?}, {polls} polls, pause {pause} s, {registers:?}");
                    assert_eq!(values(&outcome), expected(registers), "{context}");
                }
            }
        }
    }
}

#[test]
fn a_task_that_has_no_time_to_ask_says_what_is_known_of_the_line() {
    let mut line =
        Line::new(|_, request: &Request, sent: &[u8]| spoilt(Trouble::Damage, request, sent));
    let task = Task::read(&[RegisterId(60)]);
    assert_eq!(
        line.run(task.clone().within(Duration::from_secs(1)))
            .verdict,
        Verdict::CrcMismatch
    );
    let outcome = line.run(task.within(Duration::from_millis(100)));
    assert_eq!(outcome.line.requests, 0);
    assert_eq!(outcome.verdict, Verdict::CrcMismatch);
}

#[test]
fn zeros_without_end_are_noise() {
    let mut line = Line::new(|_, _: &Request, _: &[u8]| at_once(vec![0; 2000]));
    assert_eq!(line.read(&[60]).verdict, Verdict::Noise);
}

#[test]
fn noise_that_leaves_no_time_to_ask_is_noise() {
    let mut line =
        Line::new(|_, request: &Request, sent: &[u8]| spoilt(Trouble::Silence, request, sent));
    for millisecond in 0..1000 {
        line.stray(Duration::from_millis(millisecond), &[0x91]);
    }
    let outcome = line.run(Task::read(&[RegisterId(60)]).within(Duration::from_millis(900)));
    assert_eq!(outcome.line.requests, 0);
    assert_eq!(outcome.verdict, Verdict::Noise);
}

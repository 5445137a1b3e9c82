use std::time::Duration;

use kamstrup_kmp::line::{Input, Output};
use kamstrup_kmp::message::Request;
use kamstrup_kmp::session::{Event, Session, Task};
use kamstrup_kmp::{Instant, RegisterId};
use proptest::prelude::*;

use crate::line::{Line, answer};

#[test]
fn a_byte_every_900_milliseconds_for_ever_does_not_hold_it() {
    let mut line = Line::new(|_, request: &Request, _: &[u8]| {
        let dripping = answer(request, &[60], 0).into_iter().cycle().take(100);
        let every = |(n, byte)| (Duration::from_millis(900) * n, vec![byte]);
        (1_u32..).zip(dripping).map(every).collect()
    });
    let limit = Duration::from_secs(20);
    let ids = [RegisterId(60)];
    let outcome = line.run(Task::read(&ids).within(limit));
    assert!(outcome.line.took <= limit, "{:?}", outcome.line.took);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(if cfg!(debug_assertions) { 200 } else { 2000 }))]

    /// Whatever comes, in whatever pieces, whenever: the task is over when its time is.
    #[test]
    fn any_stream_of_bytes_ends_by_the_deadline(
        pieces in prop::collection::vec((0_u64..2500, prop::collection::vec(any_byte(), 0..40)), 0..200),
        seconds in 1_u64..30,
        count in 1_u16..20,
    ) {
        let mut session = Session::default();
        let ids: Vec<_> = (60..60 + count).map(RegisterId).collect();
        let limit = Duration::from_secs(seconds);
        let mut now = Duration::from_secs(1000);
        let deadline = now + limit;
        session.start(Task::read(&ids).within(limit), Instant::from_start(now));
        let mut pieces = pieces.into_iter().map(|(gap, bytes)| (Duration::from_millis(gap), bytes));
        let mut next = pieces.next().map(|(gap, bytes)| (now + gap, bytes));
        let outcome = loop {
            match session.poll() {
                Output::Event(Event::Done(outcome)) => break outcome,
                Output::Wait(until) => {
                    let until = until.since_start();
                    prop_assert!(until <= deadline, "waits beyond the deadline");
                    match next.take() {
                        Some((at, bytes)) if at <= until => {
                            now = now.max(at);
                            session.handle(Input::Receive(&bytes), Instant::from_start(now));
                            next = pieces.next().map(|(gap, bytes)| (now + gap, bytes));
                        }
                        later => {
                            next = later;
                            prop_assert!(until > now || session_is_done(&mut session.clone()), "no progress");
                            now = until;
                            session.handle(Input::Timeout, Instant::from_start(now));
                        }
                    }
                }
                Output::Idle => prop_assert!(false, "idle before the end"),
                _ => {}
            }
        };
        prop_assert!(outcome.line.took <= limit);
        prop_assert_eq!(
            outcome.records.len() + outcome.unsupported.len() + outcome.unanswered.len(),
            ids.len()
        );
    }
}

fn session_is_done(session: &mut Session) -> bool {
    !matches!(session.poll(), Output::Wait(_))
}

/// Bytes that mean something to the protocol come often.
fn any_byte() -> impl Strategy<Value = u8> {
    prop_oneof![
        any::<u8>(),
        prop::sample::select(vec![0x40, 0x80, 0x0d, 0x06, 0x1b, 0x3f, 0x10, 0x00])
    ]
}

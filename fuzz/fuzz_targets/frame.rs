//! Any bytes, in any pieces: what is found does not depend on the pieces, sound frames come back when
//! they are written again, and their messages and log pages are read or refused.
#![no_main]

use kamstrup_kmp::frame::{Decoder, Found};
use kamstrup_kmp::logger;
use kamstrup_kmp::message::{Answer, Request};
use libfuzzer_sys::fuzz_target;

const LIMIT: usize = 512;

fuzz_target!(|input: (Vec<u8>, Vec<u8>)| {
    let (bytes, sizes) = input;
    let mut whole = Decoder::with_limit(LIMIT);
    let mut rest = bytes.as_slice();
    let mut expected = Vec::new();
    while let Some(found) = whole.next(&mut rest) {
        check(&found);
        expected.push(format!("{found:?}"));
    }

    let mut pieces = Decoder::with_limit(LIMIT);
    let mut rest = bytes.as_slice();
    let mut seen = Vec::new();
    let mut sizes = sizes.iter().cycle();
    while !rest.is_empty() {
        let size = usize::from(sizes.next().copied().unwrap_or(1)).clamp(1, rest.len());
        let (mut piece, after) = rest.split_at(size);
        rest = after;
        while let Some(found) = pieces.next(&mut piece) {
            seen.push(format!("{found:?}"));
        }
    }
    assert_eq!(seen, expected);
    assert_eq!(pieces.skipped(), whole.skipped());
    assert_eq!(
        pieces.abandon().map(|f| format!("{f:?}")),
        whole.abandon().map(|f| format!("{f:?}"))
    );
});

fn check(found: &Found<'_>) {
    let Found::Frame(frame) = found else { return };
    assert!(frame.data.len() <= LIMIT);
    let mut wire = Vec::new();
    frame.encode(&mut wire);
    let mut rest = wire.as_slice();
    assert_eq!(
        Decoder::with_limit(LIMIT).next(&mut rest),
        Some(found.clone())
    );

    if let Ok(request) = Request::decode(frame) {
        assert_eq!(request.encode(frame.address), wire);
    }
    if let Ok(Answer::Registers(records)) = Answer::decode(frame) {
        for record in records.flatten() {
            let _ = record.decode().value.to_string();
        }
    }
    let _ = logger::decode_request(frame);
    if let Some(Ok(logger::LogAnswer::Page(page))) = logger::decode_answer(frame) {
        assert!(page.rows.len() <= frame.data.len());
    }
}

//! Every capture of `meters/` decodes to what stands beside it.

use heatmeter_catalog::{Capture, CaptureKind, Logger, Reading, captures};
use kamstrup_kmp::frame::{Address, Decoder, Direction, Found, Frame, FrameError};
use kamstrup_kmp::logger::{self, LogAnswer, LogPage};
use kamstrup_kmp::message::{Answer, Request, command};
use kamstrup_kmp::{RegisterId, Unit, Value};

#[test]
fn all_captures_of_the_collection_are_here() {
    let collected = captures()
        .iter()
        .filter(|capture| capture.id.starts_with("kmp-"));
    assert_eq!(collected.count(), 71);
}

#[test]
fn every_request_says_what_stands_beside_it() {
    for capture in captures() {
        let Some(bytes) = capture.request else {
            continue;
        };
        let found = Owned::of(bytes);
        if let Some(error) = capture.expected.request_error {
            assert_eq!(found.error(), Some(error), "{}", capture.id);
            continue;
        }
        let frame = found.frame(capture.id);
        assert_eq!(frame.direction, Direction::ToMeter, "{}", capture.id);
        assert_eq!(
            encoded(&frame),
            bytes,
            "{} is encoded differently",
            capture.id
        );
        check_request(capture, &frame);
    }
}

#[test]
fn every_answer_says_what_stands_beside_it() {
    for capture in captures()
        .iter()
        .filter(|capture| capture.kind != CaptureKind::Partial)
    {
        let Some(bytes) = capture.response else {
            continue;
        };
        let found = Owned::of(bytes);
        if let Some(error) = capture.expected.response_error {
            assert_eq!(found.error(), Some(error), "{}", capture.id);
            continue;
        }
        if matches!(found, Owned::Acknowledge) {
            let sets_clock = capture
                .request
                .is_some_and(|bytes| bytes[2] == command::SET_CLOCK);
            assert!(sets_clock, "{}", capture.id);
            continue;
        }
        let frame = found.frame(capture.id);
        assert_eq!(frame.direction, Direction::FromMeter, "{}", capture.id);
        assert_eq!(
            encoded(&frame),
            bytes,
            "{} is encoded differently",
            capture.id
        );
        check_answer(capture, &frame);
    }
}

#[test]
fn a_part_of_an_answer_is_never_taken_for_an_answer() {
    let partial = captures()
        .iter()
        .filter(|capture| capture.kind == CaptureKind::Partial);
    for capture in partial {
        let bytes = capture
            .response
            .expect("a partial capture is part of an answer");
        assert!(
            matches!(Owned::of(bytes), Owned::Nothing | Owned::Broken(_)),
            "{}",
            capture.id
        );
        assert!(!capture.expected.reported.is_empty(), "{}", capture.id);
    }
}

fn check_request(capture: &Capture, frame: &Frame<'_>) {
    let expected = &capture.expected;
    match Request::decode(frame) {
        Ok(Request::GetRegister(batch)) => assert_eq!(batch.ids(), expected.asks, "{}", capture.id),
        Ok(Request::SetClock(moment)) => {
            assert_eq!(
                Some(moment.to_string().as_str()),
                expected.set_clock,
                "{}",
                capture.id
            );
        }
        _ => assert!(
            expected.asks.is_empty() && expected.set_clock.is_none(),
            "{}",
            capture.id
        ),
    }
    if let Some(logger) = &expected.logger {
        assert_eq!(frame.command, logger.command, "{}", capture.id);
    }
}

fn check_answer(capture: &Capture, frame: &Frame<'_>) {
    let (id, expected) = (capture.id, &capture.expected);
    match Answer::decode(frame).unwrap_or_else(|error| panic!("{id}: {error}")) {
        Answer::Type(meter) => {
            assert_eq!(Some(meter.code), expected.type_code, "{id}");
            assert_eq!(
                Some(meter.software.to_string().as_str()),
                expected.software,
                "{id}"
            );
        }
        Answer::SerialNo(serial) => assert_eq!(Some(serial), expected.serial, "{id}"),
        Answer::Registers(records) => {
            let found: Vec<_> = records
                .map(|record| {
                    record
                        .unwrap_or_else(|error| panic!("{id}: {error}"))
                        .decode()
                })
                .collect();
            assert_eq!(found.len(), expected.readings.len(), "{id}");
            for (record, reading) in found.iter().zip(expected.readings) {
                check_reading(id, record.register, record.unit, &record.value, reading);
            }
        }
        Answer::Raw { .. } => {
            let logger = expected
                .logger
                .as_ref()
                .unwrap_or_else(|| panic!("{id} is not explained"));
            check_logger(id, frame, logger);
        }
        _ => panic!("{id}: an answer of a new sort"),
    }
}

fn check_reading(id: &str, register: RegisterId, unit: Unit, value: &Value, reading: &Reading) {
    assert_eq!(register, reading.register, "{id}");
    assert_eq!(
        value.to_string(),
        reading.value,
        "{id}, register {register}"
    );
    assert_eq!(unit.symbol(), reading.unit, "{id}, register {register}");
    assert_eq!(
        value.is_valid(),
        reading.quality == "good",
        "{id}, register {register}"
    );
}

/// Compares the answer of a logger.
fn check_logger(id: &str, frame: &Frame<'_>, expected: &Logger) {
    assert_eq!(frame.command, expected.command, "{id}");
    let answer = logger::decode_answer(frame).unwrap_or_else(|| panic!("{id} is no log"));
    match answer.unwrap_or_else(|error| panic!("{id}: {error}")) {
        LogAnswer::Configuration(found) => {
            assert_eq!(Some(found.logger), expected.logger, "{id}");
            assert_eq!(Some(found.depth), expected.depth, "{id}");
            assert_eq!(found.registers, expected.registers, "{id}");
        }
        LogAnswer::Page(page) => check_page(id, &page, expected),
        other => panic!("{id}: a log of a new sort: {other:?}"),
    }
}

fn check_page(id: &str, page: &LogPage, expected: &Logger) {
    assert_eq!(Some(page.logger), expected.logger, "{id}");
    assert_eq!(Some(page.newest), expected.newest, "{id}");
    assert_eq!(Some(page.info.flags), expected.info, "{id}");
    if page.info.is_empty_log() {
        assert_eq!(page.rows, [], "{id}: the row of an empty log is none");
        return;
    }
    assert_eq!(page.rows.first().map(|row| row.id), expected.first, "{id}");
    assert_eq!(page.rows.len(), expected.rows.len(), "{id}");
    for (row, wanted) in page.rows.iter().zip(expected.rows) {
        let registers: Vec<_> = row.records.iter().map(|record| record.register).collect();
        assert_eq!(registers, expected.registers, "{id}");
        let values: Vec<_> = row
            .records
            .iter()
            .map(|record| record.value.to_string())
            .collect();
        assert_eq!(values, *wanted, "{id}");
    }
}

/// What a decoder found in some bytes, first.
enum Owned {
    Nothing,
    Acknowledge,
    Broken(FrameError),
    Frame {
        direction: Direction,
        address: Address,
        command: u8,
        data: Vec<u8>,
    },
}

impl Owned {
    fn of(mut bytes: &[u8]) -> Self {
        match Decoder::new().next(&mut bytes) {
            None => Self::Nothing,
            Some(Found::Acknowledge) => Self::Acknowledge,
            Some(Found::Broken { error, .. }) => Self::Broken(error),
            Some(Found::Frame(frame)) => Self::Frame {
                direction: frame.direction,
                address: frame.address,
                command: frame.command,
                data: frame.data.to_vec(),
            },
        }
    }

    fn frame(&self, id: &str) -> Frame<'_> {
        match self {
            Self::Frame {
                direction,
                address,
                command,
                data,
            } => Frame {
                direction: *direction,
                address: *address,
                command: *command,
                data,
            },
            Self::Broken(error) => panic!("{id}: {error}"),
            _ => panic!("{id}: no frame found"),
        }
    }

    fn error(&self) -> Option<&'static str> {
        match self {
            Self::Broken(FrameError::CrcMismatch { .. }) => Some("crc_mismatch"),
            Self::Broken(_) => Some("another error"),
            _ => None,
        }
    }
}

fn encoded(frame: &Frame<'_>) -> Vec<u8> {
    let mut wire = Vec::new();
    frame.encode(&mut wire);
    wire
}

//! Every capture of `meters/` decodes to what stands beside it.
//!
//! The records of logger commands are read here by hand, after the layouts of vendor document
//! 5512-447 section 6.3 and of jktjkt/PyKMP, so that the expected values in the files are checked
//! by something that is not the code under test.

use heatmeter_catalog::{Capture, CaptureKind, Logger, Reading, captures};
use kamstrup_kmp::frame::{Address, Decoder, Direction, Found, Frame, FrameError};
use kamstrup_kmp::message::{Answer, Request, command};
use kamstrup_kmp::{RegisterId, Scale, Unit, Value};

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
        Answer::Raw { data, .. } => {
            let logger = expected
                .logger
                .as_ref()
                .unwrap_or_else(|| panic!("{id} is not explained"));
            check_logger(id, frame.command, data, logger);
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

/// Reads the answer to a logger command.
fn check_logger(id: &str, command: u8, data: &[u8], expected: &Logger) {
    assert_eq!(command, expected.command, "{id}");
    let mut rest = Bytes(data);
    if command == 0xb8 {
        let sub_command = rest.number(1);
        assert_eq!(
            Some(sub_command),
            expected.sub_command.map(u64::from),
            "{id}"
        );
        assert_eq!(Some(rest.number(1)), expected.logger.map(u64::from), "{id}");
        if sub_command == 5 {
            check_configuration(id, rest, expected);
            return;
        }
        let (entries, registers) = (rest.number(2), rest.number(1));
        assert_eq!(Some(rest.number(4)), expected.first.map(u64::from), "{id}");
        assert_eq!(Some(rest.number(4)), expected.newest.map(u64::from), "{id}");
        assert_eq!(Some(rest.number(2)), expected.info.map(u64::from), "{id}");
        assert_eq!(entries, expected.rows.len() as u64, "{id}");
        check_rows(id, &mut rest, registers, expected, false);
    } else {
        assert_eq!(Some(rest.number(1)), expected.logger.map(u64::from), "{id}");
        let registers = rest.number(1);
        assert_eq!(Some(rest.number(2)), expected.first.map(u64::from), "{id}");
        check_rows(id, &mut rest, registers, expected, true);
        rest.number(2);
        assert_eq!(Some(rest.number(2)), expected.newest.map(u64::from), "{id}");
        assert_eq!(Some(rest.number(1)), expected.info.map(u64::from), "{id}");
    }
    assert!(rest.0.is_empty(), "{id}: {:02x?} is left over", rest.0);
}

fn check_configuration(id: &str, mut rest: Bytes<'_>, expected: &Logger) {
    // Two dates with a format byte each, a format byte and the records per interval, another one
    // and the interval.
    rest.number(10);
    assert_eq!(Some(rest.number(2)), expected.depth.map(u64::from), "{id}");
    let count = rest.number(1);
    let found: Vec<_> = (0..count).map(|_| rest.number(2)).collect();
    let wanted: Vec<_> = expected
        .registers
        .iter()
        .map(|register| u64::from(register.0))
        .collect();
    assert_eq!(found, wanted, "{id}");
    assert!(rest.0.is_empty(), "{id}: {:02x?} is left over", rest.0);
}

/// The first row has each value's format in front of it, later ones have values only, behind a
/// number if `numbered`.
fn check_rows(id: &str, rest: &mut Bytes<'_>, registers: u64, expected: &Logger, numbered: bool) {
    assert_eq!(registers, expected.registers.len() as u64, "{id}");
    let mut formats = Vec::new();
    for (row, wanted) in expected.rows.iter().enumerate() {
        if row > 0 && numbered {
            rest.number(2);
        }
        for (column, register) in expected.registers.iter().enumerate() {
            if row == 0 {
                assert_eq!(rest.number(2), u64::from(register.0), "{id}");
                formats.push((rest.number(1), rest.number(1), rest.number(1)));
            }
            let (unit, length, scale) = formats[column];
            let [unit, scale] = [unit, scale].map(|byte| u8::try_from(byte).expect("one byte"));
            let bytes = rest.take(usize::try_from(length).expect("one byte"));
            let value = Value::decode(Unit(unit), Scale(scale), bytes);
            assert_eq!(value.to_string(), wanted[column], "{id}, row {row}");
        }
    }
}

/// Bytes that are taken from the front.
struct Bytes<'a>(&'a [u8]);

impl<'a> Bytes<'a> {
    fn take(&mut self, length: usize) -> &'a [u8] {
        let (taken, rest) = self.0.split_at(length);
        self.0 = rest;
        taken
    }

    fn number(&mut self, length: usize) -> u64 {
        self.take(length)
            .iter()
            .fold(0, |number, byte| number << 8 | u64::from(*byte))
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

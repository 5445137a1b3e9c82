//! Captures in the files of the families.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::problem::{File, Problems};
use super::registers::Registers;
use super::schema::{CaptureRow, LoggerRow, ModelFile, ReadingRow, Text};
use super::{option, slice, words};

/// All captures by name, as Rust source.
#[derive(Default)]
pub(super) struct Captures {
    by_id: BTreeMap<String, (String, String)>,
}

impl Captures {
    /// Checks the captures of one file.
    pub(super) fn check(
        &mut self,
        file: &File<'_>,
        model: &ModelFile,
        registers: &Registers,
        problems: &mut Problems,
    ) {
        for row in &model.capture {
            let id = row.id.get_ref();
            let source = row.write(model.slug.get_ref(), registers, file, problems);
            let place = format!("meters/{}:{}", file.name(), file.line(row.id.span().start));
            if let Some((_, first)) = self.by_id.get(id) {
                let reason = format!("capture \"{id}\" stands twice, the first time at {first}");
                problems.add(file, row.id.span().start, reason);
            } else {
                self.by_id.insert(id.clone(), (source, place));
            }
        }
    }

    /// Writes the table.
    pub(super) fn write(&self, out: &mut String) {
        let count = self.by_id.len();
        let _ = writeln!(out, "pub(crate) static CAPTURES: [Capture; {count}] = [");
        for (capture, _) in self.by_id.values() {
            let _ = writeln!(out, "{capture},");
        }
        let _ = writeln!(out, "];");
    }
}

impl CaptureRow {
    fn write(
        &self,
        model: &str,
        registers: &Registers,
        file: &File<'_>,
        problems: &mut Problems,
    ) -> String {
        let id = self.id.get_ref();
        if self.request.is_none() && self.response.is_none() {
            let reason = format!("capture \"{id}\" has neither a request nor a response");
            problems.add(file, self.id.span().start, reason);
        }
        let mut bytes = |field: Option<&Text>, what: &str| {
            option(field.map(|text| hex(text, id, what, file, problems)))
        };
        let request = bytes(self.request.as_ref(), "request");
        let response = bytes(self.response.as_ref(), "response");
        let mut error = |field: Option<&Text>| {
            option(field.map(|word| {
                words::one_of(words::FRAME_ERRORS, "frame error", word, file, problems);
                format!("{:?}", word.get_ref())
            }))
        };
        let request_error = error(self.request_error.as_ref());
        let response_error = error(self.response_error.as_ref());
        let quoted = |text: Option<&String>| option(text.map(|text| format!("{text:?}")));
        format!(
            "Capture {{ id: {id:?}, model: {model:?}, kind: {kind}, source: {source:?}, \
             note: {note}, request: {request}, response: {response}, expected: Expected {{ \
             request_error: {request_error}, response_error: {response_error}, asks: {asks}, \
             type_code: {type_code:?}, software: {software}, serial: {serial:?}, \
             set_clock: {set_clock}, readings: {readings}, reported: {reported}, \
             logger: {logger} }} }}",
            kind = words::variant(
                words::CAPTURE_KINDS,
                "capture kind",
                &self.kind,
                file,
                problems
            ),
            source = self.source,
            note = quoted(self.note.as_ref()),
            asks = ids(&self.asks),
            type_code = self.type_code,
            software = quoted(self.software.as_ref()),
            serial = self.serial,
            set_clock = quoted(self.set_clock.as_ref()),
            readings = readings(&self.readings, registers, file, problems),
            reported = readings(&self.reported, registers, file, problems),
            logger = option(self.logger.as_ref().map(LoggerRow::write)),
        )
    }
}

impl ReadingRow {
    fn write(&self, registers: &Registers, file: &File<'_>, problems: &mut Problems) -> String {
        if let Some(unit) = &self.unit {
            words::unit(unit, file, problems);
        }
        let quality = self.quality.as_ref().map_or("good", |quality| {
            words::one_of(words::QUALITIES, "quality", quality, file, problems);
            quality.get_ref()
        });
        format!(
            "Reading {{ register: RegisterId({}), value: {:?}, unit: {}, quality: {quality:?} }}",
            registers
                .id(&self.register, file, problems)
                .unwrap_or_default(),
            self.value.get_ref(),
            option(
                self.unit
                    .as_ref()
                    .map(|unit| format!("{:?}", unit.get_ref()))
            ),
        )
    }
}

impl LoggerRow {
    fn write(&self) -> String {
        format!(
            "Logger {{ command: {}, sub_command: {:?}, logger: {:?}, registers: {}, first: {:?}, \
             newest: {:?}, depth: {:?}, info: {:?}, rows: {} }}",
            self.command,
            self.sub_command,
            self.logger,
            ids(&self.registers),
            self.first,
            self.newest,
            self.depth,
            self.info,
            slice(&self.rows, |row| format!("&{row:?}")),
        )
    }
}

fn readings(
    rows: &[ReadingRow],
    registers: &Registers,
    file: &File<'_>,
    problems: &mut Problems,
) -> String {
    slice(rows, |row| row.write(registers, file, problems))
}

fn ids(numbers: &[u16]) -> String {
    slice(numbers, |number| format!("RegisterId({number})"))
}

/// Bytes written as hexadecimal digits, with or without spaces between bytes.
fn hex(text: &Text, id: &str, what: &str, file: &File<'_>, problems: &mut Problems) -> String {
    let digits: Option<Vec<u8>> = text
        .get_ref()
        .chars()
        .filter(|character| *character != ' ')
        .map(|character| {
            character
                .to_digit(16)
                .and_then(|digit| u8::try_from(digit).ok())
        })
        .collect();
    let reason = match &digits {
        None => "is not hexadecimal",
        Some(digits) if digits.is_empty() => "is empty",
        Some(digits) if digits.len() % 2 != 0 => "has half a byte",
        Some(_) => "",
    };
    if !reason.is_empty() {
        let reason = format!("{what} of capture \"{id}\" {reason}");
        problems.add(file, text.span().start, reason);
    }
    let digits = digits.unwrap_or_default();
    let bytes: Vec<u8> = digits
        .chunks_exact(2)
        .map(|pair| pair[0] << 4 | pair[1])
        .collect();
    format!("&{bytes:?}")
}

//! Explains frames: what they say, or what is wrong with them.

use std::fmt::Write as _;

use kamstrup_kmp::frame::{Direction, Found, Frame, FrameError};
use kamstrup_kmp::logger::{self, LogAnswer, LogConfiguration, LogPage, LogRequest};
use kamstrup_kmp::message::{Answer, MeterType, Request, command_name};
use kamstrup_kmp::{Record, RegisterId};
use serde::Serialize;

use crate::failure::Problem;
use crate::output::style::{self, styled};
use crate::reading::{self, Reading};

/// One frame, or the lone byte of an acknowledgement.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Explanation {
    direction: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    address: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cid: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    command: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    crc: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    registers: Option<Registers>,
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    meter_type: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    software: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    serial: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    set_clock: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    log: Option<Log>,
    /// What stands behind the command, where nobody knows what it means.
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<Problem>,
}

impl Explanation {
    /// Explains what a decoder has found.
    pub(crate) fn of(found: &Found<'_>) -> Self {
        match found {
            Found::Acknowledge => Self {
                direction: direction(Direction::FromMeter),
                command: Some("Acknowledge"),
                ..Self::default()
            },
            Found::Frame(frame) => Self::of_frame(frame),
            Found::Broken {
                direction,
                body,
                error,
            } => Self::of_broken(*direction, body, *error),
        }
    }

    /// Whether something is wrong with it.
    pub(crate) fn is_broken(&self) -> bool {
        self.error.is_some()
    }

    /// The explanation for people.
    pub(crate) fn text(&self) -> String {
        let arrow = if self.direction == "to_meter" {
            "→ to meter  "
        } else {
            "← from meter"
        };
        let command = match (self.command, self.cid) {
            (Some(name), Some(cid)) => format!("{name} ({cid:#04x})"),
            (Some(name), None) => name.to_owned(),
            (None, Some(cid)) => format!("unknown command {cid:#04x}"),
            (None, None) => String::new(),
        };
        let mut text = format!("{arrow}  {}", styled(style::STRONG, command));
        if let Some(address) = self.address {
            let _ = write!(
                text,
                "  {}",
                styled(style::DIM, format!("address {address:#04x}"))
            );
        }
        match (&self.error, self.crc) {
            (Some(problem), _) => {
                let _ = write!(
                    text,
                    "  {}\n  {}\n  {}: {}",
                    styled(style::ERROR, problem.code),
                    problem.message,
                    styled(style::HELP, "help"),
                    problem.help
                );
            }
            (None, Some(crc)) => {
                let _ = write!(text, "  {}", styled(style::GOOD, format!("crc {crc}")));
            }
            (None, None) => {}
        }
        let mut lines = self.details();
        if let Some(registers) = &self.registers {
            lines.extend(registers.lines());
        }
        if let Some(log) = &self.log {
            lines.extend(log.lines());
        }
        for line in lines {
            let _ = write!(text, "\n  {line}");
        }
        text
    }

    fn of_frame(frame: &Frame<'_>) -> Self {
        let mut explained = Self {
            direction: direction(frame.direction),
            address: Some(frame.address.0),
            cid: Some(frame.command),
            command: command_name(frame.command),
            crc: Some("ok"),
            ..Self::default()
        };
        match frame.direction {
            Direction::ToMeter => explained.request(frame),
            Direction::FromMeter => explained.answer(frame),
        }
        explained
    }

    fn of_broken(going: Direction, body: &[u8], error: FrameError) -> Self {
        let (code, help) = match error {
            FrameError::CrcMismatch { .. } => (
                "crc_mismatch",
                "at least one byte is damaged; no value of this frame can be trusted",
            ),
            FrameError::BadEscape { .. } => (
                "bad_escape",
                "a byte behind the escape 1b is damaged, or the dump was already unescaped",
            ),
            FrameError::TooShort { .. } => (
                "too_short",
                "bytes are missing, or a damaged byte looks like a stop byte (0d)",
            ),
            FrameError::TooLong { .. } => (
                "too_long",
                "a stop byte (0d) is damaged or missing, or this is no frame at all",
            ),
            FrameError::Interrupted { .. } | FrameError::Truncated { .. } => (
                "truncated",
                "give the whole frame, up to its stop byte (0d); if this is all that came, the answer broke off on the line",
            ),
            _ => ("broken", "the frame is damaged"),
        };
        let crc = matches!(error, FrameError::CrcMismatch { .. }).then_some("mismatch");
        Self {
            direction: direction(going),
            address: body.first().copied(),
            cid: body.get(1).copied(),
            command: body.get(1).and_then(|&cid| command_name(cid)),
            crc,
            error: Some(Problem {
                code,
                message: error.to_string(),
                help: help.to_owned(),
            }),
            ..Self::default()
        }
    }

    fn request(&mut self, frame: &Frame<'_>) {
        if let Some(request) = logger::decode_request(frame) {
            match request {
                Ok(request) => self.log = Some(Log::Request(log_request(&request))),
                Err(error) => self.malformed(&error),
            }
            return;
        }
        match Request::decode(frame) {
            Ok(Request::GetType | Request::GetSerialNo) => {}
            Ok(Request::GetRegister(batch)) => {
                self.registers = Some(Registers::Asked(batch.ids().iter().map(asked).collect()));
            }
            Ok(Request::SetClock(moment)) => self.set_clock = Some(moment.to_string()),
            Ok(_) => self.data = Some(hex(frame.data)),
            Err(error) => self.malformed(&error),
        }
    }

    fn answer(&mut self, frame: &Frame<'_>) {
        if let Some(answer) = logger::decode_answer(frame) {
            match answer {
                Ok(LogAnswer::Configuration(found)) => {
                    self.log = Some(Log::Configuration(found.into()))
                }
                Ok(LogAnswer::Page(found)) => self.log = Some(Log::Page(found.into())),
                Ok(_) => self.data = Some(hex(frame.data)),
                Err(error) => self.malformed(&error),
            }
            return;
        }
        match Answer::decode(frame) {
            Ok(Answer::Type(MeterType { code, software })) => {
                self.meter_type = Some(format!("{code:#06x}"));
                self.software = software.is_available().then(|| software.to_string());
            }
            Ok(Answer::SerialNo(serial)) => self.serial = Some(serial.to_string()),
            Ok(Answer::Registers(records)) => {
                let mut readings = Vec::new();
                for record in records {
                    match record {
                        Ok(raw) => readings.push(Reading::of(&raw.decode(), None)),
                        Err(error) => self.malformed(&error),
                    }
                }
                self.registers = Some(Registers::Read(readings));
            }
            Ok(_) => self.data = Some(hex(frame.data)),
            Err(error) => self.malformed(&error),
        }
    }

    /// The checksum is right and the contents make no sense.
    fn malformed(&mut self, error: &impl ToString) {
        self.error = Some(Problem {
            code: "malformed",
            message: error.to_string(),
            help: "the checksum is right, so this is what was sent; please report the frame"
                .to_owned(),
        });
    }

    fn details(&self) -> Vec<String> {
        [
            ("type", &self.meter_type),
            ("software", &self.software),
            ("serial number", &self.serial),
            ("sets the clock to", &self.set_clock),
            ("data", &self.data),
        ]
        .into_iter()
        .filter_map(|(name, value)| Some(format!("{name} {}", value.as_deref()?)))
        .collect()
    }
}

/// Registers in a frame: those asked for, or those answered.
#[derive(Clone, Debug, Serialize)]
#[serde(untagged)]
enum Registers {
    Asked(Vec<Asked>),
    Read(Vec<Reading>),
}

impl Registers {
    fn lines(&self) -> Vec<String> {
        match self {
            Self::Asked(asked) => asked
                .iter()
                .map(|asked| {
                    let number = styled(style::DIM, format!("{:>5}", asked.register));
                    format!("{number}  {}", reading::label(RegisterId(asked.register)))
                })
                .collect(),
            Self::Read(readings) if readings.is_empty() => {
                vec!["the meter has none of the registers asked for".to_owned()]
            }
            Self::Read(readings) => reading::table(readings).lines(),
        }
    }
}

/// A register that is asked for.
#[derive(Clone, Debug, Serialize)]
struct Asked {
    register: u16,
    key: Option<&'static str>,
}

fn asked(id: &RegisterId) -> Asked {
    Asked {
        register: id.0,
        key: heatmeter_catalog::register(*id).map(|register| register.key),
    }
}

/// What a logger is asked, or what it answers.
#[derive(Clone, Debug, Serialize)]
#[serde(untagged)]
enum Log {
    Request(LogAsked),
    Configuration(LogKept),
    Page(LogRead),
}

#[derive(Clone, Debug, Default, Serialize)]
struct LogAsked {
    logger: u8,
    #[serde(skip_serializing_if = "Option::is_none")]
    first: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    offset: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    time: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    entries: Option<u16>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    registers: Vec<Asked>,
}

#[derive(Clone, Debug, Serialize)]
struct LogKept {
    logger: u8,
    depth: u16,
    interval: u8,
    target_dates: [Option<String>; 2],
    registers: Vec<Asked>,
}

#[derive(Clone, Debug, Serialize)]
struct LogRead {
    logger: u8,
    newest: u32,
    info: u16,
    info_text: Vec<&'static str>,
    rows: Vec<LogRow>,
}

#[derive(Clone, Debug, Serialize)]
struct LogRow {
    id: u32,
    registers: Vec<Reading>,
}

impl Log {
    fn lines(&self) -> Vec<String> {
        let names = |registers: &[Asked]| {
            registers
                .iter()
                .map(|asked| {
                    asked
                        .key
                        .map_or_else(|| asked.register.to_string(), str::to_owned)
                })
                .collect::<Vec<_>>()
                .join(", ")
        };
        match self {
            Self::Request(asked) => {
                let mut line = format!("logger {}", asked.logger);
                if let Some(entries) = asked.entries {
                    let _ = write!(line, ", {entries} entries");
                }
                if let Some(first) = asked.first {
                    let _ = write!(line, " from {first} on");
                }
                if let Some(offset) = asked.offset {
                    let _ = write!(line, ", {offset} behind the newest");
                }
                if let Some(time) = &asked.time {
                    let _ = write!(line, ", from {time}");
                }
                let registers = names(&asked.registers);
                [line, registers]
                    .into_iter()
                    .filter(|line| !line.is_empty())
                    .collect()
            }
            Self::Configuration(kept) => vec![
                format!(
                    "logger {}, {} entries deep, interval {}",
                    kept.logger, kept.depth, kept.interval
                ),
                names(&kept.registers),
            ],
            Self::Page(page) => {
                let mut lines = vec![format!(
                    "logger {}, newest entry {}",
                    page.logger, page.newest
                )];
                lines.extend(page.info_text.iter().map(|&text| text.to_owned()));
                for row in &page.rows {
                    lines.push(styled(style::STRONG, format!("entry {}", row.id)));
                    lines.extend(reading::table(&row.registers).lines());
                }
                lines
            }
        }
    }
}

impl From<LogConfiguration> for LogKept {
    fn from(found: LogConfiguration) -> Self {
        Self {
            logger: found.logger,
            depth: found.depth,
            interval: found.interval,
            target_dates: found.target_dates.map(|day| day.map(|day| day.to_string())),
            registers: found.registers.iter().map(asked).collect(),
        }
    }
}

impl From<LogPage> for LogRead {
    fn from(page: LogPage) -> Self {
        let readings = |records: &[Record]| {
            records
                .iter()
                .map(|record| Reading::of(record, None))
                .collect()
        };
        Self {
            logger: page.logger,
            newest: page.newest,
            info: page.info.flags,
            info_text: page.info.meanings().collect(),
            rows: page
                .rows
                .iter()
                .map(|row| LogRow {
                    id: row.id,
                    registers: readings(&row.records),
                })
                .collect(),
        }
    }
}

fn log_request(request: &LogRequest) -> LogAsked {
    let ids = |registers: &[RegisterId]| registers.iter().map(asked).collect();
    match request {
        LogRequest::FromId {
            logger,
            id,
            entries,
            registers,
        } => LogAsked {
            logger: *logger,
            first: Some(*id),
            entries: Some(*entries),
            registers: ids(registers),
            ..LogAsked::default()
        },
        LogRequest::FromNewest {
            logger,
            offset,
            entries,
            registers,
        } => LogAsked {
            logger: *logger,
            offset: Some(*offset),
            entries: Some(*entries),
            registers: ids(registers),
            ..LogAsked::default()
        },
        LogRequest::Records {
            logger,
            registers,
            records,
            time,
            record,
            ..
        } => LogAsked {
            logger: *logger,
            first: record.map(u32::from),
            time: time.map(|time| time.to_string()),
            entries: Some((*records).into()),
            registers: ids(registers),
            ..LogAsked::default()
        },
        LogRequest::Configuration { logger } => LogAsked {
            logger: *logger,
            ..LogAsked::default()
        },
        _ => LogAsked::default(),
    }
}

fn direction(direction: Direction) -> &'static str {
    match direction {
        Direction::ToMeter => "to_meter",
        Direction::FromMeter => "from_meter",
    }
}

fn hex(bytes: &[u8]) -> String {
    let bytes: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    bytes.join(" ")
}

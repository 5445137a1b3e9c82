//! Explains frames: what they say, or what is wrong with them.

mod log;

use std::fmt::Write as _;

use heatmeter_catalog::reading::Reading;
use kamstrup_kmp::RegisterId;
use kamstrup_kmp::frame::{Direction, Found, Frame, FrameError};
use kamstrup_kmp::logger;
use kamstrup_kmp::message::{Answer, MeterType, Request, command_name};
use serde::Serialize;

use log::Log;

use crate::failure::Problem;
use crate::output::style::{self, styled};
use crate::reading;

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
                Ok(request) => self.log = Some(Log::asked(&request)),
                Err(error) => self.malformed(&error),
            }
            return;
        }
        match Request::decode(frame) {
            Ok(Request::GetType | Request::GetSerialNo) => {}
            Ok(Request::GetRegister(batch)) => {
                self.registers = Some(Registers::Asked(
                    batch.ids().iter().copied().map(asked).collect(),
                ));
            }
            Ok(Request::SetClock(moment)) => self.set_clock = Some(moment.to_string()),
            Ok(_) => self.data = Some(hex(frame.data)),
            Err(error) => self.malformed(&error),
        }
    }

    fn answer(&mut self, frame: &Frame<'_>) {
        if let Some(answer) = logger::decode_answer(frame) {
            match answer {
                Ok(answer) => self.log = Log::answered(&answer),
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
                        Ok(raw) => readings.push(Reading::of(&raw.decode())),
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
            Self::Read(readings) => reading::table(readings, None).lines(),
        }
    }
}

/// A register that is asked for.
#[derive(Clone, Debug, Serialize)]
struct Asked {
    register: u16,
    key: Option<&'static str>,
}

fn asked(id: RegisterId) -> Asked {
    Asked {
        register: id.0,
        key: heatmeter_catalog::register(id).map(|register| register.key),
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

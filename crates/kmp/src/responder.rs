//! The answering side: what a meter does with the bytes it hears.
//!
//! The mirror of a session. It finds requests in what comes in, and writes answers; what the
//! registers hold and when bytes go out is its owner's business.

use alloc::vec::Vec;
use core::time::Duration;

use crate::clock::Instant;
use crate::frame::{Address, Decoder, Direction, Found, Frame, FrameError};
use crate::message::{MessageError, MeterType, Request, command};
use crate::register::Record;
use crate::value::EncodeError;

/// Finds requests in a stream of bytes, as a meter does.
#[derive(Clone, Debug)]
pub struct Responder {
    address: Address,
    decoder: Decoder,
    longest_gap: Option<Duration>,
    last_byte: Option<Instant>,
}

/// What a [`Responder`] heard.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Heard {
    /// A request to this meter.
    Request(Request),
    /// A sound frame to this meter whose message makes no sense.
    Nonsense(MessageError),
    /// Something that began as a frame.
    Broken(FrameError),
}

impl Responder {
    /// The longest pause inside a request that a meter takes (vendor document 5512-447, section 2.1).
    pub const LONGEST_GAP: Duration = Duration::from_millis(27);

    /// A responder that hears what is meant for `address`.
    pub const fn new(address: Address) -> Self {
        Self {
            address,
            decoder: Decoder::with_limit(256),
            longest_gap: None,
            last_byte: None,
        }
    }

    /// Drops requests with a longer pause between two bytes, as meters do.
    #[must_use]
    pub const fn with_longest_gap(mut self, gap: Duration) -> Self {
        self.longest_gap = Some(gap);
        self
    }

    /// Takes bytes off the front of `input` until something was heard or all is taken.
    pub fn hear(&mut self, input: &mut &[u8], now: Instant) -> Option<Heard> {
        let too_late = self
            .longest_gap
            .zip(self.last_byte)
            .is_some_and(|(gap, last)| now.since(last) > gap);
        if input.is_empty() {
            return None;
        }
        self.last_byte = Some(now);
        if too_late && let Some(Found::Broken { error, .. }) = self.decoder.abandon() {
            return Some(Heard::Broken(error));
        }
        while let Some(found) = self.decoder.next(input) {
            match found {
                Found::Frame(frame)
                    if frame.direction == Direction::ToMeter && frame.address == self.address =>
                {
                    return Some(match Request::decode(&frame) {
                        Ok(request) => Heard::Request(request),
                        Err(error) => Heard::Nonsense(error),
                    });
                }
                // Answers of others, and requests to others, are none of a meter's business.
                Found::Frame(_) | Found::Acknowledge => {}
                Found::Broken { error, .. } => return Some(Heard::Broken(error)),
            }
        }
        None
    }
}

/// An answer, for writing.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reply {
    /// Answers GetType.
    Type(MeterType),
    /// Answers GetSerialNo.
    SerialNo(u32),
    /// Answers GetRegister with what the meter has of it.
    Registers(Vec<Record>),
    /// Acknowledges a command that has no answer.
    Acknowledge,
    /// Answers any command.
    Raw {
        /// The command.
        command: u8,
        /// What stands behind it.
        data: Vec<u8>,
    },
}

impl Reply {
    /// The reply as it goes over the wire.
    pub fn encode(&self, address: Address) -> Result<Vec<u8>, EncodeError> {
        let mut data = Vec::new();
        let command = match self {
            Self::Acknowledge => return Ok(alloc::vec![0x06]),
            Self::Type(MeterType { code, software }) => {
                data.extend(code.to_be_bytes());
                data.extend(software.0.to_be_bytes());
                command::GET_TYPE
            }
            Self::SerialNo(serial) => {
                data.extend(serial.to_be_bytes());
                command::GET_SERIAL_NO
            }
            Self::Registers(records) => {
                for record in records {
                    record.encode(&mut data)?;
                }
                command::GET_REGISTER
            }
            Self::Raw { command, data: raw } => {
                data.extend_from_slice(raw);
                *command
            }
        };
        let mut wire = Vec::new();
        Frame {
            direction: Direction::FromMeter,
            address,
            command,
            data: &data,
        }
        .encode(&mut wire);
        Ok(wire)
    }
}

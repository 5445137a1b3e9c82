//! Frames: how messages stand on the wire.
//!
//! `start, destination, command, data, CRC (2), stop`. Between start and stop the bytes that mean
//! something to the line are replaced by an escape and their complement; the checksum is CRC-16 with
//! polynomial 0x1021 and initial value 0, over destination to data, before escaping (vendor document
//! 5512-447, sections 3.1 and 3.2).
//!
//! Contract: no input makes anything here panic, and a [`Decoder`] never holds more than its limit.

use alloc::vec::Vec;
use core::fmt;

use crc::{CRC_16_XMODEM, Crc, Table};

/// Which way a frame goes. The start byte says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Direction {
    /// A request.
    ToMeter,
    /// An answer.
    FromMeter,
}

impl Direction {
    const fn start(self) -> u8 {
        match self {
            Self::ToMeter => wire::START_TO_METER,
            Self::FromMeter => wire::START_FROM_METER,
        }
    }
}

/// The destination of a request and the source of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Address(pub u8);

impl Address {
    /// The meter itself.
    pub const METER: Self = Self(0x3f);
    /// A logger in the top module, and the built-in one of MULTICAL 801.
    pub const TOP_MODULE: Self = Self(0x7f);
    /// A logger in the base module.
    pub const BASE_MODULE: Self = Self(0xbf);
}

/// A sound frame: its checksum was right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame<'a> {
    /// Which way it goes.
    pub direction: Direction,
    /// Whom it is for, or whom it is from.
    pub address: Address,
    /// The command, called CID in vendor documents.
    pub command: u8,
    /// What follows the command.
    pub data: &'a [u8],
}

impl Frame<'_> {
    /// Writes the frame as it goes over the wire.
    ///
    /// ```
    /// use kamstrup_kmp::frame::{Address, Direction, Frame};
    ///
    /// let request = Frame { direction: Direction::ToMeter, address: Address::METER, command: 0x01, data: &[] };
    /// let mut wire = Vec::new();
    /// request.encode(&mut wire);
    /// assert_eq!(wire, [0x80, 0x3f, 0x01, 0x05, 0x8a, 0x0d]);
    /// ```
    pub fn encode(&self, out: &mut Vec<u8>) {
        let mut digest = CRC.digest();
        digest.update(&[self.address.0, self.command]);
        digest.update(self.data);
        let [high, low] = digest.finalize().to_be_bytes();

        out.reserve(self.data.len().saturating_add(8));
        out.push(self.direction.start());
        for &byte in [self.address.0, self.command]
            .iter()
            .chain(self.data)
            .chain(&[high, low])
        {
            if wire::RESERVED.contains(&byte) {
                out.push(wire::ESCAPE);
                out.push(!byte);
            } else {
                out.push(byte);
            }
        }
        out.push(wire::STOP);
    }
}

/// Finds frames in a stream of bytes.
///
/// Bytes may come in pieces of any size; what is found does not depend on the pieces. A start byte
/// inside a frame ends that frame and begins another one: after a damaged frame the decoder is in
/// step again with the next start byte.
///
/// ```
/// use kamstrup_kmp::frame::{Decoder, Found};
///
/// let mut decoder = Decoder::new();
/// let mut bytes: &[u8] = &[0x00, 0x40, 0x3f, 0x10, 0x07, 0x9a, 0x0d];
/// let Some(Found::Frame(frame)) = decoder.next(&mut bytes) else { panic!("a frame expected") };
/// assert_eq!(frame.command, 0x10);
/// assert!(bytes.is_empty());
/// ```
#[derive(Clone, Debug)]
pub struct Decoder {
    state: State,
    body: Vec<u8>,
    limit: usize,
    /// Bytes since the start byte, as they came.
    taken: usize,
    skipped: u64,
    /// The body is still that of the frame that a start byte broke off.
    interrupted: bool,
}

/// What a [`Decoder`] found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found<'a> {
    /// A sound frame.
    Frame(Frame<'a>),
    /// The single byte with which a meter acknowledges a command that has no answer.
    Acknowledge,
    /// Something that began as a frame.
    Broken {
        /// Which way it would have gone, by its start byte.
        direction: Direction,
        /// What came of it behind the start byte, escapes resolved.
        body: &'a [u8],
        /// What is wrong with it.
        error: FrameError,
    },
}

impl Decoder {
    /// The longest message that is taken by default: the largest logger answers stay below it.
    pub const DEFAULT_LIMIT: usize = 2048;

    /// A decoder for messages of up to [`Self::DEFAULT_LIMIT`] bytes.
    pub const fn new() -> Self {
        Self::with_limit(Self::DEFAULT_LIMIT)
    }

    /// A decoder for messages of up to `limit` bytes from destination to checksum.
    pub const fn with_limit(limit: usize) -> Self {
        Self {
            state: State::Outside,
            body: Vec::new(),
            limit,
            taken: 0,
            skipped: 0,
            interrupted: false,
        }
    }

    /// Takes bytes off the front of `input` until something is found or all is taken.
    pub fn next<'d>(&'d mut self, input: &mut &[u8]) -> Option<Found<'d>> {
        if core::mem::take(&mut self.interrupted) {
            self.body.clear();
        }
        let step = loop {
            if let State::Inside(_) = self.state {
                self.take_plain(input);
            }
            let (&byte, rest) = input.split_first()?;
            *input = rest;
            if let Some(step) = self.push(byte) {
                break step;
            }
        };
        Some(match step {
            Step::Acknowledge => Found::Acknowledge,
            Step::Broken(direction, error) => Found::Broken {
                direction,
                body: &self.body,
                error,
            },
            Step::End(direction) => self.finish(direction),
        })
    }

    /// Gives up the frame that has begun, if any: the line is quiet and no more will come.
    pub fn abandon(&mut self) -> Option<Found<'_>> {
        let direction = self.begun()?;
        self.state = State::Outside;
        let error = FrameError::Truncated {
            received: self.taken,
        };
        Some(Found::Broken {
            direction,
            body: &self.body,
            error,
        })
    }

    /// The direction of the frame that has begun and not ended.
    pub const fn begun(&self) -> Option<Direction> {
        match self.state {
            State::Outside => None,
            State::Inside(direction) | State::Escaped(direction) => Some(direction),
        }
    }

    /// How many bytes outside frames were dropped so far. A lone `00` does not count: meters send it
    /// unasked; nor does a stop byte.
    pub const fn skipped(&self) -> u64 {
        self.skipped
    }

    /// Takes everything up to the next byte that means something to the line.
    fn take_plain(&mut self, input: &mut &[u8]) {
        let plain = input
            .iter()
            .position(|byte| wire::SPECIAL.contains(byte))
            .unwrap_or(input.len());
        let room = self.limit.saturating_sub(self.body.len());
        let (now, rest) = input
            .split_at_checked(plain.min(room))
            .unwrap_or((input, &[]));
        self.body.extend_from_slice(now);
        self.taken = self.taken.saturating_add(now.len());
        *input = rest;
    }

    fn push(&mut self, byte: u8) -> Option<Step> {
        let direction = match byte {
            wire::START_TO_METER => Some(Direction::ToMeter),
            wire::START_FROM_METER => Some(Direction::FromMeter),
            _ => None,
        };
        if let Some(direction) = direction {
            let before = self.begun();
            let dropped = core::mem::replace(&mut self.taken, 1);
            self.state = State::Inside(direction);
            if before.is_some() {
                self.interrupted = true;
            } else {
                self.body.clear();
            }
            return before.map(|before| Step::Broken(before, FrameError::Interrupted { dropped }));
        }
        match self.state {
            State::Outside => match byte {
                wire::ACKNOWLEDGE => Some(Step::Acknowledge),
                wire::STOP | 0x00 => None,
                _ => {
                    self.skipped = self.skipped.saturating_add(1);
                    None
                }
            },
            State::Inside(direction) => {
                self.taken = self.taken.saturating_add(1);
                match byte {
                    wire::STOP => {
                        self.state = State::Outside;
                        Some(Step::End(direction))
                    }
                    wire::ESCAPE => {
                        self.state = State::Escaped(direction);
                        None
                    }
                    _ => self.store(byte, direction),
                }
            }
            State::Escaped(direction) => {
                self.taken = self.taken.saturating_add(1);
                if wire::RESERVED.contains(&!byte) {
                    self.store(!byte, direction)
                } else {
                    self.state = State::Outside;
                    Some(Step::Broken(
                        direction,
                        FrameError::BadEscape {
                            found: byte,
                            dropped: self.taken,
                        },
                    ))
                }
            }
        }
    }

    fn store(&mut self, byte: u8, direction: Direction) -> Option<Step> {
        if self.body.len() >= self.limit {
            self.state = State::Outside;
            return Some(Step::Broken(
                direction,
                FrameError::TooLong {
                    limit: self.limit,
                    dropped: self.taken,
                },
            ));
        }
        self.state = State::Inside(direction);
        self.body.push(byte);
        None
    }

    fn finish(&self, direction: Direction) -> Found<'_> {
        let body = self.body.as_slice();
        let split = body.split_first_chunk().and_then(|(head, rest)| {
            Some((head, rest.split_last_chunk::<{ wire::CRC_LENGTH }>()?))
        });
        let Some((&[address, command], (data, &checksum))) = split else {
            let error = FrameError::TooShort { found: body.len() };
            return Found::Broken {
                direction,
                body,
                error,
            };
        };
        let covered = body.len().saturating_sub(wire::CRC_LENGTH);
        let expected = CRC.checksum(body.get(..covered).unwrap_or_default());
        let found = u16::from_be_bytes(checksum);
        if expected != found {
            let error = FrameError::CrcMismatch {
                expected,
                found,
                dropped: self.taken,
            };
            return Found::Broken {
                direction,
                body,
                error,
            };
        }
        Found::Frame(Frame {
            direction,
            address: Address(address),
            command,
            data,
        })
    }
}

impl Default for Decoder {
    fn default() -> Self {
        Self::new()
    }
}

/// What is wrong with something that began as a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FrameError {
    /// The checksum is not that of the bytes.
    CrcMismatch {
        /// The checksum of the bytes that came.
        expected: u16,
        /// The checksum that came with them.
        found: u16,
        /// Bytes dropped, from the start byte on.
        dropped: usize,
    },
    /// An escape is followed by a byte that is not the complement of a reserved one.
    BadEscape {
        /// The byte behind the escape.
        found: u8,
        /// Bytes dropped, from the start byte on.
        dropped: usize,
    },
    /// The frame has no room for an address, a command and a checksum.
    TooShort {
        /// Bytes found between start and stop, escapes resolved.
        found: usize,
    },
    /// The frame is longer than any message.
    TooLong {
        /// Bytes that a message may have.
        limit: usize,
        /// Bytes dropped, from the start byte on.
        dropped: usize,
    },
    /// A start byte came inside the frame; a new frame begins with it.
    Interrupted {
        /// Bytes dropped, from the first start byte on.
        dropped: usize,
    },
    /// The line went quiet before the stop byte.
    Truncated {
        /// Bytes received, from the start byte on.
        received: usize,
    },
}

impl fmt::Display for FrameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CrcMismatch {
                expected, found, ..
            } => {
                write!(
                    f,
                    "wrong checksum: {found:04x} found, {expected:04x} expected"
                )
            }
            Self::BadEscape { found, .. } => {
                write!(
                    f,
                    "bad escape: 1b {found:02x} found, 1b followed by 7f, bf, f2, f9 or e4 expected"
                )
            }
            Self::TooShort { found } => {
                write!(
                    f,
                    "frame too short: {found} bytes between start and stop found, at least 4 expected"
                )
            }
            Self::TooLong { limit, .. } => write!(
                f,
                "frame too long: more than {limit} bytes without a stop byte"
            ),
            Self::Interrupted { dropped } => {
                write!(
                    f,
                    "a new frame begins inside an unfinished one: {dropped} bytes dropped"
                )
            }
            Self::Truncated { received } => {
                write!(
                    f,
                    "the frame breaks off after {received} bytes, a stop byte (0d) expected"
                )
            }
        }
    }
}

impl core::error::Error for FrameError {}

/// The bytes that mean something to the line.
mod wire {
    pub(super) const START_TO_METER: u8 = 0x80;
    pub(super) const START_FROM_METER: u8 = 0x40;
    pub(super) const STOP: u8 = 0x0d;
    pub(super) const ACKNOWLEDGE: u8 = 0x06;
    pub(super) const ESCAPE: u8 = 0x1b;
    /// What may not stand inside a frame as it is. An unescaped 06 is let through by the decoder: the
    /// checksum decides.
    pub(super) const RESERVED: [u8; 5] =
        [START_TO_METER, START_FROM_METER, STOP, ACKNOWLEDGE, ESCAPE];
    /// What ends a run of plain bytes inside a frame.
    pub(super) const SPECIAL: [u8; 4] = [START_TO_METER, START_FROM_METER, STOP, ESCAPE];
    pub(super) const CRC_LENGTH: usize = 2;
}

static CRC: Crc<u16, Table<16>> = Crc::<u16, Table<16>>::new(&CRC_16_XMODEM);

#[derive(Clone, Copy, Debug)]
enum State {
    Outside,
    Inside(Direction),
    Escaped(Direction),
}

enum Step {
    Acknowledge,
    Broken(Direction, FrameError),
    End(Direction),
}

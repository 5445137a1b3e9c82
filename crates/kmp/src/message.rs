//! Messages: what requests ask and answers say.
//!
//! Commands and layouts: vendor document 5512-447, section 6.2; the list of command names also from
//! public readers. Only what reads is offered by name, and [`Request::SetClock`]; nothing here
//! switches anything off in a meter.

use alloc::vec::Vec;
use core::fmt;

use crate::datetime::{Date, DateTime, Time};
use crate::frame::{Address, Direction, Frame};
use crate::register::{Records, RegisterId};

/// What can be asked of a meter.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Request {
    /// The type of meter and its software.
    GetType,
    /// The serial number. Register 1001 holds it too, and saves the exchange.
    GetSerialNo,
    /// The values of one to eight registers.
    GetRegister(Batch),
    /// Sets date and time. The only request that changes anything.
    SetClock(DateTime),
    /// Any other command, its data as it stands behind the command byte.
    Raw {
        /// The command.
        command: u8,
        /// Its data.
        data: Vec<u8>,
    },
}

impl Request {
    /// The command byte.
    pub const fn command(&self) -> u8 {
        match self {
            Self::GetType => command::GET_TYPE,
            Self::GetSerialNo => command::GET_SERIAL_NO,
            Self::GetRegister(_) => command::GET_REGISTER,
            Self::SetClock(_) => command::SET_CLOCK,
            Self::Raw { command, .. } => *command,
        }
    }

    /// The request as it goes over the wire.
    ///
    /// A meter's clock has two digits for the year: [`Self::SetClock`] is for the years 2000 to 2099.
    pub fn encode(&self, address: Address) -> Vec<u8> {
        let (command, data) = (self.command(), self.data());
        let mut wire = Vec::new();
        Frame {
            direction: Direction::ToMeter,
            address,
            command,
            data: &data,
        }
        .encode(&mut wire);
        wire
    }

    /// Reads the request in a frame to a meter.
    pub fn decode(frame: &Frame<'_>) -> Result<Self, MessageError> {
        if frame.direction != Direction::ToMeter {
            return Err(MessageError::WrongDirection);
        }
        let data = frame.data;
        match frame.command {
            command::GET_TYPE => expect_length(data, 0).map(|()| Self::GetType),
            command::GET_SERIAL_NO => expect_length(data, 0).map(|()| Self::GetSerialNo),
            command::GET_REGISTER => {
                let (&count, ids) = data.split_first().ok_or(MessageError::Length {
                    expected: 3,
                    found: 0,
                })?;
                expect_length(ids, usize::from(count).saturating_mul(2))?;
                let ids: Vec<_> = ids
                    .as_chunks()
                    .0
                    .iter()
                    .map(|id| RegisterId(u16::from_be_bytes(*id)))
                    .collect();
                Batch::new(&ids)
                    .map(Self::GetRegister)
                    .ok_or(MessageError::BatchSize { found: ids.len() })
            }
            command::SET_CLOCK => {
                let (day, clock) = data.split_first_chunk().unwrap_or((&[0; 4], &[]));
                let clock: [u8; 4] = clock.try_into().map_err(|_| MessageError::Length {
                    expected: 8,
                    found: data.len(),
                })?;
                set_clock(u32::from_be_bytes(*day), u32::from_be_bytes(clock)).map(Self::SetClock)
            }
            command => Ok(Self::Raw {
                command,
                data: data.to_vec(),
            }),
        }
    }

    /// Whether a frame says the same as this request, whichever way it seems to go.
    ///
    /// Heads return what was sent. One damaged bit turns the start byte of such an echo into that of
    /// an answer, under a checksum that still holds.
    pub fn is_echoed_by(&self, frame: &Frame<'_>, address: Address) -> bool {
        frame.address == address && frame.command == self.command() && frame.data == self.data()
    }

    /// What stands behind the command.
    fn data(&self) -> Vec<u8> {
        match self {
            Self::GetType | Self::GetSerialNo => Vec::new(),
            Self::GetRegister(batch) => {
                let mut data = alloc::vec![batch.length];
                data.extend(batch.ids().iter().flat_map(|id| id.0.to_be_bytes()));
                data
            }
            Self::SetClock(DateTime { date, time, .. }) => {
                let year = date.year().rem_euclid(100).into();
                let mut data = clock_digits(year, date.month(), date.day());
                data.extend(clock_digits(
                    time.hour().into(),
                    time.minute(),
                    time.second(),
                ));
                data
            }
            Self::Raw { data, .. } => data.clone(),
        }
    }
}

/// One to eight registers, asked for in one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Batch {
    ids: [RegisterId; Self::MAX],
    length: u8,
}

impl Batch {
    /// What a meter answers at most in one go.
    pub const MAX: usize = 8;

    /// The given registers, if they are one to eight.
    pub fn new(ids: &[RegisterId]) -> Option<Self> {
        let mut batch = Self {
            ids: [RegisterId(0); Self::MAX],
            length: u8::try_from(ids.len()).ok()?,
        };
        batch.ids.get_mut(..ids.len())?.copy_from_slice(ids);
        (!ids.is_empty()).then_some(batch)
    }

    /// The registers, in the order asked for.
    pub fn ids(&self) -> &[RegisterId] {
        self.ids.get(..self.length.into()).unwrap_or_default()
    }
}

/// What an answer says.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Answer<'a> {
    /// The type of meter and its software.
    Type(MeterType),
    /// The serial number.
    SerialNo(u32),
    /// The registers that the meter has, of those asked for.
    Registers(Records<'a>),
    /// The answer to any other command.
    Raw {
        /// The command.
        command: u8,
        /// What stands behind it.
        data: &'a [u8],
    },
}

impl<'a> Answer<'a> {
    /// Reads the answer in a frame from a meter. Records are checked when they are walked through.
    pub fn decode(frame: &Frame<'a>) -> Result<Self, MessageError> {
        if frame.direction != Direction::FromMeter {
            return Err(MessageError::WrongDirection);
        }
        match frame.command {
            command::GET_TYPE => match *frame.data {
                [a, b, c, d] => Ok(Self::Type(MeterType {
                    code: u16::from_be_bytes([a, b]),
                    software: Software(u16::from_be_bytes([c, d])),
                })),
                _ => Err(MessageError::Length {
                    expected: 4,
                    found: frame.data.len(),
                }),
            },
            command::GET_SERIAL_NO => match *frame.data {
                [a, b, c, d] => Ok(Self::SerialNo(u32::from_be_bytes([a, b, c, d]))),
                _ => Err(MessageError::Length {
                    expected: 4,
                    found: frame.data.len(),
                }),
            },
            command::GET_REGISTER => Ok(Self::Registers(Records::new(frame.data))),
            command => Ok(Self::Raw {
                command,
                data: frame.data,
            }),
        }
    }
}

/// The answer to GetType.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct MeterType {
    /// A code for the type of meter. Only those of MULTICAL 601 and of electricity meters are public.
    pub code: u16,
    /// The software in the meter.
    pub software: Software,
}

/// The edition of a meter's software: a letter and a number, such as `F1`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Software(pub u16);

impl Software {
    /// Whether the meter says which one it is.
    pub const fn is_available(self) -> bool {
        self.0 != 0
    }
}

impl fmt::Display for Software {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [letter, number] = self.0.to_be_bytes();
        match letter {
            1..=26 => write!(
                f,
                "{}{number}",
                char::from(b'A'.saturating_add(letter).saturating_sub(1))
            ),
            _ => write!(f, "{:#06x}", self.0),
        }
    }
}

/// Why the message in a sound frame cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum MessageError {
    /// A request was expected and an answer found, or the other way round.
    WrongDirection,
    /// The data are of another length.
    Length {
        /// Bytes expected.
        expected: usize,
        /// Bytes found.
        found: usize,
    },
    /// A request asks for no register or for more than eight.
    BatchSize {
        /// Registers found.
        found: usize,
    },
    /// A clock is set to a moment that does not exist.
    NoSuchMoment {
        /// The digits of the date.
        date: u32,
        /// The digits of the time.
        time: u32,
    },
}

impl fmt::Display for MessageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::WrongDirection => f.write_str("the frame goes the other way"),
            Self::Length { expected, found } => {
                write!(
                    f,
                    "wrong length of data: {found} bytes found, {expected} expected"
                )
            }
            Self::BatchSize { found } => write!(f, "{found} registers asked for, 1 to 8 expected"),
            Self::NoSuchMoment { date, time } => {
                write!(f, "no such date and time: {date:06} {time:06}")
            }
        }
    }
}

impl core::error::Error for MessageError {}

/// What a command is called, whichever document or reader names it.
pub const fn command_name(command: u8) -> Option<&'static str> {
    Some(match command {
        command::GET_TYPE => "GetType",
        command::GET_SERIAL_NO => "GetSerialNo",
        0x07 => "Reset",
        command::SET_CLOCK => "SetClock",
        command::GET_REGISTER => "GetRegister",
        0x11 => "PutRegister",
        0x12 => "PutRegisterExtended",
        0x9b => "GetEventStatus",
        0x9c => "ClearEventStatus",
        0x9d => "EventStatusAck",
        0xa0 => "GetLogTimePresent",
        0xa1 => "GetLogLastPresent",
        0xa2 => "GetLogIdPresent",
        0xa3 => "GetLogTimePast",
        0xb4 => "PutLogConfiguration",
        0xb5 => "GetLogConfiguration",
        0xb6 => "PutBlock",
        0xb7 => "GetBlock",
        0xb8 => "LoggerReadOut",
        _ => return None,
    })
}

/// Commands that this crate speaks.
pub mod command {
    /// Type of meter and software.
    pub const GET_TYPE: u8 = 0x01;
    /// Serial number.
    pub const GET_SERIAL_NO: u8 = 0x02;
    /// Sets the clock; acknowledged by a single byte.
    pub const SET_CLOCK: u8 = 0x09;
    /// Values of registers.
    pub const GET_REGISTER: u8 = 0x10;
}

const fn expect_length(data: &[u8], expected: usize) -> Result<(), MessageError> {
    if data.len() == expected {
        Ok(())
    } else {
        Err(MessageError::Length {
            expected,
            found: data.len(),
        })
    }
}

/// Three pairs of decimal digits as a 32-bit integer.
fn clock_digits(first: u32, second: u8, third: u8) -> Vec<u8> {
    let digits = first
        .saturating_mul(10_000)
        .saturating_add(u32::from(second).saturating_mul(100))
        .saturating_add(third.into());
    digits.to_be_bytes().to_vec()
}

fn set_clock(day_digits: u32, clock_digits: u32) -> Result<DateTime, MessageError> {
    let moment = || {
        let pair = |digits: u32, place: u32| {
            u8::try_from(digits.checked_div(place)?.checked_rem(100)?).ok()
        };
        let year = u16::try_from(day_digits / 10_000)
            .ok()
            .filter(|&year| year < 100)?;
        let hour = u8::try_from(clock_digits / 10_000).ok()?;
        Some(DateTime::new(
            Date::new(
                year.checked_add(2000)?,
                pair(day_digits, 100)?,
                pair(day_digits, 1)?,
            )?,
            Time::new(hour, pair(clock_digits, 100)?, pair(clock_digits, 1)?)?,
        ))
    };
    moment().ok_or(MessageError::NoSuchMoment {
        date: day_digits,
        time: clock_digits,
    })
}

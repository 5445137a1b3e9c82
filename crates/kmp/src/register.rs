//! Registers: the numbered values of a meter, as they stand in an answer.
//!
//! Layout of one record: id (2 bytes), unit, length of the value, scale, value; high byte first
//! (vendor document 5512-447, section 4.1). Meters leave out what they do not have, so a record is
//! known by its id, never by its place.

use alloc::vec::Vec;
use core::fmt;

use crate::unit::Unit;
use crate::value::{EncodeError, Scale, Value};

/// The number of a register.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RegisterId(pub u16);

impl fmt::Display for RegisterId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// One register with its value, as a meter sent it or will send it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Record {
    /// Which register.
    pub register: RegisterId,
    /// The unit of the value.
    pub unit: Unit,
    /// How many bytes the value has on the wire.
    pub length: u8,
    /// Sign and exponent on the wire.
    pub scale: Scale,
    /// The value.
    pub value: Value,
}

impl Record {
    /// Writes the record as it stands in an answer.
    pub fn encode(&self, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        let mut value = Vec::with_capacity(usize::from(self.length));
        let scale = self.value.encode(self.unit, self.length, &mut value)?;
        let [high, low] = self.register.0.to_be_bytes();
        out.extend_from_slice(&[high, low, self.unit.0, self.length, scale.0]);
        out.extend_from_slice(&value);
        Ok(())
    }
}

/// One register in the bytes of an answer, not yet decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RawRecord<'a> {
    /// Which register.
    pub register: RegisterId,
    /// The unit of the value.
    pub unit: Unit,
    /// Sign and exponent.
    pub scale: Scale,
    /// The bytes of the value.
    pub bytes: &'a [u8],
}

impl RawRecord<'_> {
    /// Gives the bytes their meaning. Numbers need no allocation.
    pub fn value(&self) -> Value {
        Value::decode(self.unit, self.scale, self.bytes)
    }

    /// The record with its value.
    pub fn decode(&self) -> Record {
        Record {
            register: self.register,
            unit: self.unit,
            // The length came in one byte.
            length: u8::try_from(self.bytes.len()).unwrap_or(u8::MAX),
            scale: self.scale,
            value: self.value(),
        }
    }
}

/// The registers of an answer, one after the other.
///
/// A record that does not end within the answer is an error, after which nothing follows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Records<'a> {
    rest: &'a [u8],
    offset: usize,
}

impl<'a> Records<'a> {
    /// The records in the data of an answer to GetRegister.
    pub const fn new(data: &'a [u8]) -> Self {
        Self {
            rest: data,
            offset: 0,
        }
    }
}

impl<'a> Iterator for Records<'a> {
    type Item = Result<RawRecord<'a>, RecordError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let available = self.rest.len();
        let offset = self.offset;
        let Some((&[high, low, unit, length, scale], after)) = self.rest.split_first_chunk() else {
            self.rest = &[];
            return Some(Err(RecordError {
                offset,
                expected: field::HEADER,
                found: available,
            }));
        };
        let Some((bytes, rest)) = after.split_at_checked(length.into()) else {
            self.rest = &[];
            let expected = field::HEADER.saturating_add(length.into());
            return Some(Err(RecordError {
                offset,
                expected,
                found: available,
            }));
        };
        self.rest = rest;
        self.offset = offset
            .saturating_add(field::HEADER)
            .saturating_add(length.into());
        Some(Ok(RawRecord {
            register: RegisterId(u16::from_be_bytes([high, low])),
            unit: Unit(unit),
            scale: Scale(scale),
            bytes,
        }))
    }
}

/// The layout of a record.
mod field {
    /// Id, unit, length and scale.
    pub(super) const HEADER: usize = 5;
}

/// A record does not end within its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RecordError {
    /// Where in the data of the answer the record begins.
    pub offset: usize,
    /// Bytes that the record has by its own account.
    pub expected: usize,
    /// Bytes that are left.
    pub found: usize,
}

impl fmt::Display for RecordError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            offset,
            expected,
            found,
        } = self;
        write!(
            f,
            "the register record at byte {offset} of the data needs {expected} bytes, {found} are left"
        )
    }
}

impl core::error::Error for RecordError {}

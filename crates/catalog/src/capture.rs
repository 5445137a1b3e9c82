//! Captures: frames seen on real lines, printed in documents or made for tests, and what they have
//! to decode to.
//!
//! They stand in the file of the family they belong to. One test decodes each of them.

use crate::RegisterId;
use crate::data::CAPTURES;

/// All captures, in the order of their names.
pub fn captures() -> &'static [Capture] {
    &CAPTURES
}

/// A request, the answer to it, or both.
#[derive(Debug)]
pub struct Capture {
    /// Its name.
    pub id: &'static str,
    /// Slug of the family it belongs to.
    pub model: &'static str,
    /// What sort of evidence it is.
    pub kind: CaptureKind,
    /// Where it was published.
    pub source: &'static str,
    /// What is worth knowing about it.
    pub note: Option<&'static str>,
    /// Bytes to the meter.
    pub request: Option<&'static [u8]>,
    /// Bytes from the meter.
    pub response: Option<&'static [u8]>,
    /// What they say.
    pub expected: Expected,
}

/// What sort of evidence a capture is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CaptureKind {
    /// Printed by its source as traffic of a meter.
    Real,
    /// The source lost zero bytes or shows a part; rebuilt, with the checksum of the source
    /// matching.
    Reconstructed,
    /// Only the request is known.
    RequestOnly,
    /// Only a part of the answer is known.
    Partial,
    /// The meter did not answer.
    NoAnswer,
    /// From a document of the manufacturer.
    Document,
    /// From the tests of a project whose author reads such meters.
    AuthorTest,
    /// Its source does not say where it comes from.
    OriginNotStated,
    /// Made for a test of another project.
    Synthetic,
    /// Made by us.
    Constructed,
}

/// What a capture has to decode to. What is not stated is not checked.
#[derive(Debug)]
pub struct Expected {
    /// Code of the error the request has to cause.
    pub request_error: Option<&'static str>,
    /// Code of the error the answer has to cause.
    pub response_error: Option<&'static str>,
    /// Registers the request asks for.
    pub asks: &'static [RegisterId],
    /// Type code in the answer.
    pub type_code: Option<u16>,
    /// Software revision in the answer: `F1`.
    pub software: Option<&'static str>,
    /// Serial number in the answer to `GetSerialNo`.
    pub serial: Option<u32>,
    /// Day and time the request sets, as ISO 8601.
    pub set_clock: Option<&'static str>,
    /// Register values in the answer, in its order.
    pub readings: &'static [Reading],
    /// Values the source reports but whose bytes it does not show.
    pub reported: &'static [Reading],
    /// What a logger command carries.
    pub logger: Option<Logger>,
}

/// A register's value as it is shown.
#[derive(Debug, PartialEq, Eq)]
pub struct Reading {
    /// The register.
    pub register: RegisterId,
    /// Its value: exactly the digits sent, dates and times as ISO 8601.
    pub value: &'static str,
    /// Symbol of its unit, if it has one.
    pub unit: Option<&'static str>,
    /// `good` or `invalid`.
    pub quality: &'static str,
}

/// What a logger command carries.
#[derive(Debug, PartialEq, Eq)]
pub struct Logger {
    /// Command: `0xb8`, `0xa0` and so on.
    pub command: u8,
    /// Sub-command of `0xb8`.
    pub sub_command: Option<u8>,
    /// Number of the logger.
    pub logger: Option<u8>,
    /// Registers it delivers.
    pub registers: &'static [RegisterId],
    /// Number of the first record delivered.
    pub first: Option<u32>,
    /// Number of the newest record in the meter.
    pub newest: Option<u32>,
    /// Records the logger can hold.
    pub depth: Option<u16>,
    /// Info bits of the answer.
    pub info: Option<u16>,
    /// Records: the values in the order of `registers`, raw digits or ISO 8601.
    pub rows: &'static [&'static [&'static str]],
}

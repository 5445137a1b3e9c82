//! What makes a value worth a second look, in words.

use core::fmt;
use core::time::Duration;

use kamstrup_kmp::{RegisterId, Unit};

use super::words::{Elapsed, Name, Names};
use crate::model::Amount;

/// Why a value was not believed at once.
///
/// Printed as what was found and what was expected; [`Surprise::change`] says the same of something
/// that turned out to be true.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Surprise {
    /// Another unit than last time.
    Unit {
        /// The unit found.
        found: Unit,
        /// The unit last time.
        remembered: Unit,
    },
    /// Seen for the first time, in a unit that measures something else than the register holds.
    Quantity {
        /// The unit found.
        found: Unit,
        /// The units the catalogue has for the register.
        expected: &'static [Unit],
    },
    /// Another number of bytes than last time.
    Length {
        /// Bytes found.
        found: u8,
        /// Bytes last time.
        remembered: u8,
    },
    /// Another decimal exponent than last time.
    Exponent {
        /// The exponent found.
        found: i8,
        /// The exponent last time.
        remembered: i8,
    },
    /// A counter is lower than last time.
    WentBack {
        /// The count found.
        found: Amount,
        /// The count last time.
        remembered: Amount,
    },
    /// A counter, seen for the first time, is negative.
    BelowZero {
        /// The count found.
        found: Amount,
    },
    /// A counter ran further than the largest flow or power, or the clock, allows.
    TooFast {
        /// The count found.
        found: Amount,
        /// The count last time; nothing where the counter is seen for the first time.
        remembered: Option<Amount>,
        /// How long it had for that.
        elapsed: Duration,
        /// How far it could have run, where that can be said in its unit.
        most: Option<Amount>,
    },
    /// Beyond what the meter can measure.
    OutOfRange {
        /// The value found.
        found: Amount,
        /// The smallest value possible.
        least: Amount,
        /// The largest value possible.
        most: Amount,
    },
    /// Inlet, outlet and difference of temperature do not fit together.
    Contradiction {
        /// The register of the difference.
        register: RegisterId,
        /// The difference sent.
        found: Amount,
        /// The difference of the two temperatures sent.
        expected: Amount,
    },
    /// Another serial number than last time.
    Serial {
        /// The serial number found.
        found: String,
        /// The serial number last time.
        remembered: String,
    },
    /// Too large or too fine to be compared with anything.
    Incomparable {
        /// The value found.
        found: Amount,
    },
}

impl Surprise {
    /// What happened, once it is confirmed: `unit changed from GJ to MWh`.
    pub fn change(&self) -> impl fmt::Display + '_ {
        Change(self)
    }
}

impl fmt::Display for Surprise {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unit { found, remembered } => {
                write!(
                    f,
                    "unit {} found, {} expected as last time",
                    Name(*found),
                    Name(*remembered)
                )
            }
            Self::Quantity { found, expected } => {
                write!(
                    f,
                    "unit {} found, {} expected",
                    Name(*found),
                    Names(expected)
                )
            }
            Self::Length { found, remembered } => {
                write!(f, "{found} bytes found, {remembered} expected as last time")
            }
            Self::Exponent { found, remembered } => {
                write!(
                    f,
                    "exponent {found} found, {remembered} expected as last time"
                )
            }
            Self::WentBack { found, remembered } => {
                write!(
                    f,
                    "counter at {found} found, at least {remembered} expected as last time"
                )
            }
            Self::BelowZero { found } => {
                write!(f, "counter at {found} found, no less than 0 expected")
            }
            Self::TooFast {
                found,
                remembered,
                elapsed,
                most,
            } => {
                write!(f, "counter at {found} found")?;
                match most {
                    Some(most) => write!(f, ", at most {most} ")?,
                    None => f.write_str(", less ")?,
                }
                let elapsed = Elapsed(*elapsed);
                match remembered {
                    Some(remembered) => {
                        write!(f, "more than {remembered} expected after {elapsed}")
                    }
                    None => write!(f, "expected in the life of a meter"),
                }
            }
            Self::OutOfRange { found, least, most } => {
                write!(f, "{found} found, {least} to {most} expected")
            }
            Self::Contradiction {
                found, expected, ..
            } => {
                write!(
                    f,
                    "difference {found} found, {expected} expected from the temperatures"
                )
            }
            Self::Serial { found, remembered } => {
                write!(
                    f,
                    "serial number {found} found, {remembered} expected as last time"
                )
            }
            Self::Incomparable { found } => {
                write!(f, "{found} found, a value that can be compared expected")
            }
        }
    }
}

struct Change<'a>(&'a Surprise);

impl fmt::Display for Change<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Surprise::Unit { found, remembered } => {
                write!(
                    f,
                    "unit changed from {} to {}",
                    Name(*remembered),
                    Name(*found)
                )
            }
            Surprise::Quantity { found, expected } => {
                write!(f, "unit is {}, not {}", Name(*found), Names(expected))
            }
            Surprise::Length { found, remembered } => {
                write!(f, "length changed from {remembered} to {found} bytes")
            }
            Surprise::Exponent { found, remembered } => {
                write!(f, "exponent changed from {remembered} to {found}")
            }
            Surprise::WentBack { found, remembered } => {
                write!(f, "counter went back from {remembered} to {found}")
            }
            Surprise::BelowZero { found } => write!(f, "counter is at {found}, below zero"),
            Surprise::TooFast {
                found,
                remembered: Some(remembered),
                elapsed,
                ..
            } => {
                write!(
                    f,
                    "counter ran from {remembered} to {found} in {}",
                    Elapsed(*elapsed)
                )
            }
            Surprise::TooFast { found, .. } => {
                write!(
                    f,
                    "counter is at {found}, more than expected in the life of a meter"
                )
            }
            Surprise::OutOfRange { found, least, most } => {
                write!(f, "value is {found}, outside {least} to {most}")
            }
            Surprise::Contradiction {
                found, expected, ..
            } => {
                write!(
                    f,
                    "difference is {found} where the temperatures differ by {expected}"
                )
            }
            Surprise::Serial { found, remembered } => {
                write!(f, "serial number changed from {remembered} to {found}")
            }
            Surprise::Incomparable { found } => {
                write!(f, "value is {found}, which can be compared with nothing")
            }
        }
    }
}

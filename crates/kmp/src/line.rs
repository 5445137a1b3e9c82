//! What a machine that speaks over a line asks of whoever owns the line.
//!
//! A session is driven through these types; a sibling protocol (the ASCII one of older meters, whose
//! line changes speed inside an exchange) can be driven by the same loop, for it has the same words.

use alloc::vec::Vec;
use core::time::Duration;

use crate::clock::Instant;

/// What goes into a machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Input<'a> {
    /// Bytes came in.
    Receive(&'a [u8]),
    /// The moment asked for has come.
    Timeout,
}

/// What comes out of a machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output<E> {
    /// The line must have these settings from now on.
    Configure(LineSettings),
    /// Write these bytes, in one go: meters drop a request with a pause in it.
    Transmit(Vec<u8>),
    /// Something happened.
    Event(E),
    /// Nothing to do until bytes come in or this moment has come.
    Wait(Instant),
    /// Nothing to do until something new is started.
    Idle,
}

/// Speed and character format of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct LineSettings {
    /// Bits per second.
    pub baud: u32,
    /// Bits per character.
    pub data_bits: u8,
    /// The parity bit, if any.
    pub parity: Parity,
    /// Stop bits, 1 or 2.
    pub stop_bits: u8,
}

impl LineSettings {
    /// What the optical eye of KMP meters speaks: 1200 baud, 8 data bits, no parity, 2 stop bits
    /// (vendor document 5512-447, section 3.1).
    pub const KMP: Self = Self {
        baud: 1200,
        data_bits: 8,
        parity: Parity::None,
        stop_bits: 2,
    };

    /// How long one character takes.
    ///
    /// ```
    /// use kamstrup_kmp::line::LineSettings;
    ///
    /// assert_eq!(LineSettings::KMP.byte_time().as_micros(), 9166);
    /// ```
    pub fn byte_time(self) -> Duration {
        let parity = match self.parity {
            Parity::None => 0,
            Parity::Even | Parity::Odd => 1,
        };
        let bits = 1_u32
            .saturating_add(self.data_bits.into())
            .saturating_add(parity)
            .saturating_add(self.stop_bits.into());
        let nanoseconds = u64::from(bits)
            .saturating_mul(1_000_000_000)
            .checked_div(self.baud.into());
        Duration::from_nanos(nanoseconds.unwrap_or(0))
    }

    /// How long so many characters take.
    pub fn time_for(self, bytes: usize) -> Duration {
        self.byte_time()
            .saturating_mul(u32::try_from(bytes).unwrap_or(u32::MAX))
    }
}

/// The parity bit of a character.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Parity {
    /// None is sent.
    None,
    /// The number of ones is even.
    Even,
    /// The number of ones is odd.
    Odd,
}

//! How the line behind a port is set: speed, framing and the two modem lines that feed optical heads.

use core::fmt;
use core::time::Duration;

/// Speed and framing of a serial line, and whether the lines that power optical heads are on.
///
/// `Display` gives the usual short form, for example `1200 8N2`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct LineSettings {
    /// Bits per second.
    pub baud: u32,
    /// Data bits per byte.
    pub data_bits: DataBits,
    /// The parity bit.
    pub parity: Parity,
    /// Stop bits per byte.
    pub stop_bits: StopBits,
    /// DTR, from which Kamstrup's RS232 head is fed.
    pub dtr: bool,
    /// RTS, from which some USB heads are fed.
    pub rts: bool,
}

impl LineSettings {
    /// What KMP uses on the optical eye: 1200 baud, 8 data bits, no parity, 2 stop bits
    /// (vendor document 5512-447, section 3.1), both modem lines on.
    pub const KMP: Self = Self {
        baud: 1200,
        data_bits: DataBits::Eight,
        parity: Parity::None,
        stop_bits: StopBits::Two,
        dtr: true,
        rts: true,
    };

    /// The same settings at another speed.
    #[must_use]
    pub const fn at(self, baud: u32) -> Self {
        Self { baud, ..self }
    }

    /// The time that `bytes` bytes occupy the wire.
    ///
    /// Nothing on an asynchronous runtime can wait for the last bit (`tcdrain` blocks), so whoever
    /// needs that moment computes it.
    pub fn wire_time(&self, bytes: usize) -> Duration {
        let bits_per_byte = 1 // the start bit
            + match self.data_bits {
                DataBits::Seven => 7,
                DataBits::Eight => 8,
            }
            + u64::from(self.parity != Parity::None)
            + match self.stop_bits {
                StopBits::One => 1,
                StopBits::Two => 2,
            };
        let bits = bits_per_byte.saturating_mul(bytes as u64);
        Duration::from_nanos(bits.saturating_mul(1_000_000_000) / u64::from(self.baud.max(1)))
    }
}

impl Default for LineSettings {
    fn default() -> Self {
        Self::KMP
    }
}

impl fmt::Display for LineSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let data_bits = match self.data_bits {
            DataBits::Seven => 7,
            DataBits::Eight => 8,
        };
        let parity = match self.parity {
            Parity::None => 'N',
            Parity::Even => 'E',
            Parity::Odd => 'O',
        };
        let stop_bits = match self.stop_bits {
            StopBits::One => 1,
            StopBits::Two => 2,
        };
        write!(f, "{} {data_bits}{parity}{stop_bits}", self.baud)
    }
}

/// Data bits per byte. Complete: meters use no others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DataBits {
    /// Seven, as the older ASCII protocol has it.
    Seven,
    /// Eight, as KMP has it.
    Eight,
}

/// The parity bit. Complete: meters use no others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Parity {
    /// No parity bit.
    None,
    /// An even number of ones.
    Even,
    /// An odd number of ones.
    Odd,
}

/// Stop bits per byte. Complete: meters use no others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum StopBits {
    /// One.
    One,
    /// Two, as meters send them.
    Two,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_form() {
        assert_eq!(LineSettings::KMP.to_string(), "1200 8N2");
        let ascii = LineSettings {
            baud: 300,
            data_bits: DataBits::Seven,
            parity: Parity::Even,
            ..LineSettings::KMP
        };
        assert_eq!(ascii.to_string(), "300 7E2");
    }

    #[test]
    fn a_byte_takes_eleven_bits_at_8n2() {
        assert_eq!(LineSettings::KMP.wire_time(12), Duration::from_millis(110));
        assert_eq!(
            LineSettings::KMP.at(2400).wire_time(24),
            Duration::from_millis(110)
        );
        assert_eq!(
            LineSettings::KMP.at(0).wire_time(usize::MAX),
            Duration::from_nanos(u64::MAX)
        );
    }
}

//! What belongs to a serial line besides speed and framing, which the protocol defines.

use kamstrup_kmp::line::{LineSettings, Parity};

/// The modem lines that some optical heads are fed from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ModemLines {
    /// DTR, from which Kamstrup's RS232 head lives (MULTICAL III manual 5810-133, page 8).
    pub dtr: bool,
    /// RTS, from which some USB heads live.
    pub rts: bool,
}

impl ModemLines {
    /// Both on.
    pub const ON: Self = Self {
        dtr: true,
        rts: true,
    };
}

/// Speed and framing as people write them: `1200 8N2`.
pub(crate) fn short_form(line: LineSettings) -> String {
    let parity = match line.parity {
        Parity::None => 'N',
        Parity::Even => 'E',
        Parity::Odd => 'O',
    };
    format!("{} {}{parity}{}", line.baud, line.data_bits, line.stop_bits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_forms() {
        assert_eq!(short_form(LineSettings::KMP), "1200 8N2");
        let ascii = LineSettings {
            baud: 300,
            data_bits: 7,
            parity: Parity::Even,
            ..LineSettings::KMP
        };
        assert_eq!(short_form(ascii), "300 7E2");
    }
}

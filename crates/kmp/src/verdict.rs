//! Verdicts: what came of an exchange, in the same words on every face of the product.

use core::fmt;

/// Everything that can come of an exchange with a meter.
///
/// The code is what machines read and never changes; message and help are for people. A transport
/// finds the `Port…` verdicts, a session all the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Verdict {
    /// The meter answered.
    Ok,
    /// There is no such port.
    PortMissing,
    /// The operating system does not let us open the port.
    PortDenied,
    /// Another program holds the port.
    PortBusy,
    /// The host or bridge cannot be reached.
    PortUnreachable,
    /// The port went away while it was in use.
    PortLost,
    /// Not one byte came back.
    Silent,
    /// Only what was sent came back.
    EchoOnly,
    /// What was sent came back damaged, and nothing else.
    EchoMangled,
    /// Bytes came back that are no frame.
    Noise,
    /// Frames came back whose checksum is wrong.
    CrcMismatch,
    /// An answer began and did not end.
    Truncated,
    /// A sound answer came back, to something else than what was asked.
    UnexpectedAnswer,
    /// The meter answered and has nothing of what was asked.
    NotSupported,
    /// The meter answered before and is silent now: its optical eye sleeps.
    Asleep,
    /// What came back is another protocol.
    WrongProtocol,
}

impl Verdict {
    /// All verdicts.
    pub const ALL: [Self; 16] = [
        Self::Ok,
        Self::PortMissing,
        Self::PortDenied,
        Self::PortBusy,
        Self::PortUnreachable,
        Self::PortLost,
        Self::Silent,
        Self::EchoOnly,
        Self::EchoMangled,
        Self::Noise,
        Self::CrcMismatch,
        Self::Truncated,
        Self::UnexpectedAnswer,
        Self::NotSupported,
        Self::Asleep,
        Self::WrongProtocol,
    ];

    /// The stable name, such as `echo_only`.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::PortMissing => "port_missing",
            Self::PortDenied => "port_denied",
            Self::PortBusy => "port_busy",
            Self::PortUnreachable => "port_unreachable",
            Self::PortLost => "port_lost",
            Self::Silent => "silent",
            Self::EchoOnly => "echo_only",
            Self::EchoMangled => "echo_mangled",
            Self::Noise => "noise",
            Self::CrcMismatch => "crc_mismatch",
            Self::Truncated => "truncated",
            Self::UnexpectedAnswer => "unexpected_answer",
            Self::NotSupported => "not_supported",
            Self::Asleep => "asleep",
            Self::WrongProtocol => "wrong_protocol",
        }
    }

    /// The verdict with this code.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|verdict| verdict.code() == code)
    }

    /// What happened, in one sentence.
    pub const fn message(self) -> &'static str {
        match self {
            Self::Ok => "The meter answered.",
            Self::PortMissing => "There is no such port.",
            Self::PortDenied => "You may not open this port.",
            Self::PortBusy => "Another program is using this port.",
            Self::PortUnreachable => "The host or serial bridge does not answer.",
            Self::PortLost => "The port went away during the exchange.",
            Self::Silent => "The meter did not answer: not one byte came back.",
            Self::EchoOnly => "Only the head's own echo came back, no answer from the meter.",
            Self::EchoMangled => {
                "Only a damaged echo of the request came back, no answer from the meter."
            }
            Self::Noise => "Bytes came back, but no frame of a meter among them.",
            Self::CrcMismatch => {
                "The meter answers, but its answers arrive damaged (wrong checksum)."
            }
            Self::Truncated => "The meter's answer began but broke off.",
            Self::UnexpectedAnswer => "The meter answered something else than what was asked.",
            Self::NotSupported => "The meter answered, but it has none of the registers asked for.",
            Self::Asleep => {
                "The meter answered before and is silent now: its optical eye has gone to sleep."
            }
            Self::WrongProtocol => "What answers does not speak the Kamstrup Meter Protocol.",
        }
    }

    /// What to do next.
    pub const fn help(self) -> &'static str {
        match self {
            Self::Ok => "Nothing to do.",
            Self::PortMissing => {
                "Plug the head in and run `heatmeter ports`; use the /dev/serial/by-id/... path, it stays the same."
            }
            Self::PortDenied => {
                "Add your user to the group that owns the port (often dialout: `sudo usermod -aG dialout $USER`), then log in again."
            }
            Self::PortBusy => {
                "Stop the other program, or let it share the meter; `heatmeter ports` shows who holds the port."
            }
            Self::PortUnreachable => {
                "Check the address and port number, that the bridge is powered and on the network, and that no firewall is between."
            }
            Self::PortLost => {
                "Check the USB plug and cable, or the bridge's network; heatmeter opens the port again by itself."
            }
            Self::Silent => {
                "Press a key on the meter to wake its eye, then run `heatmeter align`: turn the head half round, lower it by 2 mm, check that its magnet holds it."
            }
            Self::EchoOnly => {
                "The head works, the meter does not hear it or sleeps: press a key on the meter, then run `heatmeter align` and turn the head half round."
            }
            Self::EchoMangled => {
                "The head is blinded by its own light: put a sheet of paper between head and meter or move the head a few millimetres, with `heatmeter align` running."
            }
            Self::Noise => {
                "Shade the head from sunlight and lamps, check that the line runs at 1200 baud 8N2, and run `heatmeter align`."
            }
            Self::CrcMismatch => {
                "The head is nearly right: move it a few millimetres, clean the eye, shade it from light, with `heatmeter align` running."
            }
            Self::Truncated => {
                "Move the head a few millimetres with `heatmeter align` running; over a network bridge, check that it does not cut or delay data."
            }
            Self::UnexpectedAnswer => {
                "Check that no other program or meter talks on the same line; a network bridge must serve one client only."
            }
            Self::NotSupported => {
                "Ask for other registers: `heatmeter read PORT --all` shows what this meter has."
            }
            Self::Asleep => {
                "Press a key on the meter to wake it. If it falls asleep again after minutes, the head's magnet does not hold the eye open: turn the head half round."
            }
            Self::WrongProtocol => {
                "This may be an older meter (MULTICAL III, 66, 401) or another make; heatmeter reads meters that speak KMP (402, 403, 601, 602, 603, 302, 303, 801, 803)."
            }
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.message())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_unique_and_read_back() {
        for verdict in Verdict::ALL {
            assert_eq!(Verdict::from_code(verdict.code()), Some(verdict));
        }
        assert_eq!(Verdict::from_code("check_the_ir_connection"), None);
    }

    #[test]
    fn each_message_is_one_sentence() {
        for verdict in Verdict::ALL {
            let message = verdict.message();
            assert!(message.ends_with('.'), "{message}");
            assert!(!message.contains(". "), "{message}");
            assert!(verdict.help().ends_with('.'), "{}", verdict.help());
        }
    }
}

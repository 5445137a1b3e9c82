//! Exit codes. Scripts rely on them.

use std::process::ExitCode;

use kamstrup_kmp::Verdict;

/// How the command ends. Complete: the codes are part of the outside interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// All right.
    Ok = 0,
    /// Something failed that nobody expected to.
    Unexpected = 1,
    /// Wrong usage or configuration.
    Usage = 2,
    /// The port is missing, denied, busy, unreachable or lost.
    Port = 3,
    /// Silence.
    Silence = 4,
    /// Only an echo.
    Echo = 5,
    /// Nothing usable.
    Garbled = 6,
    /// The meter has none of what was asked for.
    NotSupported = 7,
    /// Another protocol.
    WrongProtocol = 8,
}

impl From<Verdict> for Exit {
    fn from(verdict: Verdict) -> Self {
        match verdict {
            Verdict::Ok => Self::Ok,
            Verdict::PortMissing
            | Verdict::PortDenied
            | Verdict::PortBusy
            | Verdict::PortUnreachable
            | Verdict::PortLost => Self::Port,
            Verdict::Silent | Verdict::Asleep => Self::Silence,
            Verdict::EchoOnly | Verdict::EchoMangled => Self::Echo,
            Verdict::Noise
            | Verdict::CrcMismatch
            | Verdict::Truncated
            | Verdict::UnexpectedAnswer => Self::Garbled,
            Verdict::NotSupported => Self::NotSupported,
            Verdict::WrongProtocol => Self::WrongProtocol,
            // A verdict added later belongs into the list above.
            _ => Self::Unexpected,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_verdict_has_the_exit_code_of_the_contract() {
        let codes: Vec<_> = Verdict::ALL
            .into_iter()
            .map(|verdict| (verdict.code(), Exit::from(verdict) as u8))
            .collect();
        assert_eq!(
            codes,
            [
                ("ok", 0),
                ("port_missing", 3),
                ("port_denied", 3),
                ("port_busy", 3),
                ("port_unreachable", 3),
                ("port_lost", 3),
                ("silent", 4),
                ("echo_only", 5),
                ("echo_mangled", 5),
                ("noise", 6),
                ("crc_mismatch", 6),
                ("truncated", 6),
                ("unexpected_answer", 6),
                ("not_supported", 7),
                ("asleep", 4),
                ("wrong_protocol", 8),
            ]
        );
    }
}

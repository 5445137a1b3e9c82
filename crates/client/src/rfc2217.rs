//! The client's side of RFC 2217: a serial line with its settings inside a telnet connection.
//!
//! Sans-IO. Bytes from the network go into [`Rfc2217::receive`], which gives back the meter's
//! bytes; what has to be sent, requests and negotiation alike, comes out of
//! [`Rfc2217::transmit`]. Any byte stream is fine: nothing panics, and memory stays bounded.
//!
//! ```
//! use heatmeter_client::ModemLines;
//! use heatmeter_client::rfc2217::{Progress, Rfc2217};
//! use kamstrup_kmp::line::LineSettings;
//!
//! let mut line = Rfc2217::new(LineSettings::KMP, ModemLines::ON);
//! assert!(line.transmit().starts_with(&[0xff, 0xfb])); // the opening negotiation
//! let mut from_meter = Vec::new();
//! line.receive(&[0x40, 0xff, 0xff, 0x0d], &mut from_meter);
//! assert_eq!(from_meter, [0x40, 0xff, 0x0d]);
//! assert_eq!(line.progress(), Progress::Negotiating);
//! ```

use std::fmt;

use kamstrup_kmp::line::{LineSettings, Parity};

use crate::line::ModemLines;
use crate::telnet::{self, Event, IAC, Parser, Verb};

/// Transmit binary (RFC 856): without it a telnet line may touch CR and the eighth bit.
const BINARY: u8 = 0;
/// Suppress go-ahead (RFC 858).
const SUPPRESS_GO_AHEAD: u8 = 3;
/// COM-PORT-OPTION (RFC 2217, section 2).
const COM_PORT: u8 = 44;

/// The options we want to be used, in each direction.
const OURS: [u8; 3] = [BINARY, SUPPRESS_GO_AHEAD, COM_PORT];

/// What a client opens with: both directions binary and without go-ahead, and our COM-PORT-OPTION.
const OPENING: [u8; 15] = [
    IAC,
    Verb::Will as u8,
    BINARY,
    IAC,
    Verb::Do as u8,
    BINARY,
    IAC,
    Verb::Will as u8,
    SUPPRESS_GO_AHEAD,
    IAC,
    Verb::Do as u8,
    SUPPRESS_GO_AHEAD,
    IAC,
    Verb::Will as u8,
    COM_PORT,
];

/// Answers that nobody fetches are not piled up beyond this.
const REPLIES_MAX: usize = 1024;

/// Commands to the server (RFC 2217, section 3); its answer is the number plus 100.
mod command {
    pub(super) const SET_BAUD_RATE: u8 = 1;
    pub(super) const SET_DATA_SIZE: u8 = 2;
    pub(super) const SET_PARITY: u8 = 3;
    pub(super) const SET_STOP_SIZE: u8 = 4;
    pub(super) const SET_CONTROL: u8 = 5;
    pub(super) const SET_LINE_STATE_MASK: u8 = 10;
    pub(super) const SET_MODEM_STATE_MASK: u8 = 11;
    pub(super) const ANSWER: u8 = 100;
}

/// Values of SET-CONTROL (RFC 2217, section 3).
mod control {
    pub(super) const NO_FLOW_CONTROL: u8 = 1;
    pub(super) const DTR_ON: u8 = 8;
    pub(super) const DTR_OFF: u8 = 9;
    pub(super) const RTS_ON: u8 = 11;
    pub(super) const RTS_OFF: u8 = 12;
}

/// An RFC 2217 client without its connection.
#[derive(Clone, Debug)]
pub struct Rfc2217 {
    settings: LineSettings,
    modem_lines: ModemLines,
    parser: Parser,
    local: [Negotiated; OURS.len()],
    remote: [Negotiated; OURS.len()],
    confirmed: Confirmed,
    outgoing: Vec<u8>,
    /// The last data byte was a CR on a line that is not binary.
    after_carriage_return: bool,
    /// How much of our opening negotiation has come back unchanged.
    echoed: Option<usize>,
}

impl Rfc2217 {
    /// A client that wants these settings. The opening negotiation is ready to be sent.
    pub fn new(settings: LineSettings, modem_lines: ModemLines) -> Self {
        let mut client = Self {
            settings,
            modem_lines,
            parser: Parser::default(),
            local: [Negotiated::Asked; OURS.len()],
            remote: [Negotiated::Asked; OURS.len()],
            confirmed: Confirmed::default(),
            outgoing: OPENING.to_vec(),
            after_carriage_return: false,
            echoed: Some(0),
        };
        // The server gives no COM-PORT information before it is asked to use ours.
        client.remote[2] = Negotiated::No;
        client
    }

    /// Takes bytes from the network and appends the meter's bytes among them to `data`.
    pub fn receive(&mut self, bytes: &[u8], data: &mut Vec<u8>) {
        for &byte in bytes {
            self.watch_for_echo(byte);
            match self.parser.push(byte) {
                Some(Event::Data(byte)) => {
                    let padding = self.after_carriage_return && byte == 0;
                    self.after_carriage_return =
                        byte == b'\r' && self.remote[0] == Negotiated::Refused;
                    if !padding {
                        data.push(byte);
                    }
                }
                Some(Event::Negotiation(verb, option)) => self.negotiated(verb, option),
                Some(Event::Subnegotiation(COM_PORT, [answer, value @ ..])) => {
                    self.confirmed.note(*answer, value);
                }
                Some(Event::Subnegotiation(..)) | None => {}
            }
        }
    }

    /// Queues bytes for the meter.
    pub fn send(&mut self, data: &[u8]) {
        if self.local[0] == Negotiated::Refused {
            // Network virtual terminal: a CR that is no line end is followed by NUL (RFC 854).
            for &byte in data {
                telnet::escape(&[byte], &mut self.outgoing);
                if byte == b'\r' {
                    self.outgoing.push(0);
                }
            }
        } else {
            telnet::escape(data, &mut self.outgoing);
        }
    }

    /// Asks for other settings. [`progress`](Self::progress) tells when they are in force.
    pub fn configure(&mut self, settings: LineSettings) {
        self.settings = settings;
        self.confirmed = Confirmed::default();
        if self.local[2] == Negotiated::Yes {
            self.ask_for_settings();
        }
    }

    /// What has to go to the network now; empty if nothing.
    pub fn transmit(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.outgoing)
    }

    /// How far the negotiation has come.
    pub fn progress(&self) -> Progress {
        let asked = self.settings;
        if self.local[2] == Negotiated::Refused {
            return Progress::NoComPort;
        }
        let Confirmed {
            baud: Some(baud),
            data_bits: Some(data_bits),
            parity: Some(parity),
            stop_bits: Some(stop_bits),
            ..
        } = self.confirmed
        else {
            return Progress::Negotiating;
        };
        if (baud, data_bits, parity) != (asked.baud, asked.data_bits, parity_code(asked)) {
            return Progress::Differs(self.confirmed.to_string());
        }
        Progress::Ready {
            two_stop_bits_refused: stop_bits != asked.stop_bits,
        }
    }

    /// What the other end did while the negotiation did not come to its end.
    pub fn diagnosis(&self) -> &'static str {
        if self.echoed == Some(OPENING.len()) {
            "our own bytes echoed (a raw bridge with an optical head)"
        } else if self.local[2] == Negotiated::Yes {
            "a server that does not confirm the line's settings"
        } else if self.local.contains(&Negotiated::Yes) || self.remote.contains(&Negotiated::Yes) {
            "a telnet server without COM-PORT-OPTION"
        } else {
            "no answer to the telnet negotiation"
        }
    }

    fn negotiated(&mut self, verb: Verb, option: u8) {
        let index = OURS.iter().position(|ours| *ours == option);
        let (states, agree, refuse) = match verb {
            Verb::Do | Verb::Dont => (&mut self.local, Verb::Will, Verb::Wont),
            Verb::Will | Verb::Wont => (&mut self.remote, Verb::Do, Verb::Dont),
        };
        let wanted = matches!(verb, Verb::Do | Verb::Will);
        let Some(state) = index.and_then(|index| states.get_mut(index)) else {
            if wanted {
                self.reply(refuse, option);
            }
            return;
        };

        // Only a change is answered, or two sides could acknowledge each other for ever (RFC 854).
        let before = *state;
        *state = if wanted {
            Negotiated::Yes
        } else {
            Negotiated::Refused
        };
        match (before, wanted) {
            (Negotiated::No | Negotiated::Refused, true) => self.reply(agree, option),
            (Negotiated::Yes, false) => self.reply(refuse, option),
            _ => {}
        }
        if verb == Verb::Do && option == COM_PORT && before != Negotiated::Yes {
            self.ask_for_settings();
        }
    }

    fn reply(&mut self, verb: Verb, option: u8) {
        if self.outgoing.len() < REPLIES_MAX {
            telnet::negotiate(verb, option, &mut self.outgoing);
        }
    }

    fn ask_for_settings(&mut self) {
        let asked = self.settings;
        let dtr = if self.modem_lines.dtr {
            control::DTR_ON
        } else {
            control::DTR_OFF
        };
        let rts = if self.modem_lines.rts {
            control::RTS_ON
        } else {
            control::RTS_OFF
        };

        // What decides about readiness comes last, so that the rest is done when it is confirmed.
        let commands: [(u8, &[u8]); 9] = [
            (command::SET_LINE_STATE_MASK, &[0]),
            (command::SET_MODEM_STATE_MASK, &[0]),
            (command::SET_CONTROL, &[control::NO_FLOW_CONTROL]),
            (command::SET_CONTROL, &[dtr]),
            (command::SET_CONTROL, &[rts]),
            (command::SET_DATA_SIZE, &[asked.data_bits]),
            (command::SET_PARITY, &[parity_code(asked)]),
            (command::SET_STOP_SIZE, &[asked.stop_bits]),
            (command::SET_BAUD_RATE, &asked.baud.to_be_bytes()),
        ];
        if self.outgoing.len() < REPLIES_MAX {
            for (command, value) in commands {
                telnet::subnegotiate(COM_PORT, command, value, &mut self.outgoing);
            }
        }
    }

    fn watch_for_echo(&mut self, byte: u8) {
        self.echoed = match self.echoed {
            Some(seen) if seen == OPENING.len() => Some(seen),
            Some(seen) if OPENING.get(seen) == Some(&byte) => Some(seen + 1),
            _ => None,
        };
    }
}

/// How far the negotiation with an RFC 2217 server has come.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Progress {
    /// Answers are still missing.
    Negotiating,
    /// The line has the settings that were asked for.
    Ready {
        /// Except for the stop bits. Meters tolerate one stop bit, so this is no reason to give
        /// up (facts: many clients open 8N1 and still work).
        two_stop_bits_refused: bool,
    },
    /// The server refuses COM-PORT-OPTION.
    NoComPort,
    /// The server keeps other settings, these.
    Differs(String),
}

/// Where one option stands in one direction (RFC 1143, without its queue: we never change our mind).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Negotiated {
    No,
    Asked,
    Yes,
    Refused,
}

/// What the server says the line has.
#[derive(Clone, Copy, Debug, Default)]
struct Confirmed {
    baud: Option<u32>,
    data_bits: Option<u8>,
    parity: Option<u8>,
    stop_bits: Option<u8>,
}

impl Confirmed {
    fn note(&mut self, answer: u8, value: &[u8]) {
        match (answer.checked_sub(command::ANSWER), value) {
            (Some(command::SET_BAUD_RATE), &[a, b, c, d]) => {
                self.baud = Some(u32::from_be_bytes([a, b, c, d]));
            }
            (Some(command::SET_DATA_SIZE), &[bits]) => self.data_bits = Some(bits),
            (Some(command::SET_PARITY), &[parity]) => self.parity = Some(parity),
            (Some(command::SET_STOP_SIZE), &[bits]) => self.stop_bits = Some(bits),
            _ => {}
        }
    }
}

impl fmt::Display for Confirmed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parity = match self.parity {
            Some(1) => 'N',
            Some(2) => 'O',
            Some(3) => 'E',
            Some(4) => 'M',
            Some(5) => 'S',
            _ => '?',
        };
        let stop_bits = match self.stop_bits {
            Some(1) => "1",
            Some(2) => "2",
            Some(3) => "1.5",
            _ => "?",
        };
        write!(
            f,
            "{} {}{parity}{stop_bits}",
            self.baud.unwrap_or_default(),
            self.data_bits.unwrap_or_default()
        )
    }
}

fn parity_code(settings: LineSettings) -> u8 {
    match settings.parity {
        Parity::None => 1,
        Parity::Odd => 2,
        Parity::Even => 3,
    }
}

#[cfg(test)]
mod tests;

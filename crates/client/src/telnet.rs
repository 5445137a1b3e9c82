//! Telnet framing (RFC 854, 855): tells data bytes from commands in a byte stream.
//!
//! Sans-IO, bounded memory, no panic whatever comes in. What the options mean stands in
//! [`rfc2217`](crate::rfc2217).

/// Interpret as command: the byte that announces a command (RFC 854).
pub(crate) const IAC: u8 = 0xff;

const SUBNEGOTIATION_END: u8 = 0xf0;
const SUBNEGOTIATION_BEGIN: u8 = 0xfa;

/// Longer subnegotiations are dropped. The longest one of RFC 2217 that matters has six bytes;
/// a server's signature (free text) may be longer and is of no use.
const SUBNEGOTIATION_MAX: usize = 64;

/// Who is to do what with an option (RFC 854, RFC 1143).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Verb {
    /// The sender wants to use the option.
    Will = 0xfb,
    /// The sender will not.
    Wont = 0xfc,
    /// The sender wants the other side to use it.
    Do = 0xfd,
    /// The sender wants the other side not to.
    Dont = 0xfe,
}

impl Verb {
    fn from_byte(byte: u8) -> Option<Self> {
        [Self::Will, Self::Wont, Self::Do, Self::Dont]
            .into_iter()
            .find(|verb| *verb as u8 == byte)
    }
}

/// What a byte completed.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Event<'a> {
    Data(u8),
    Negotiation(Verb, u8),
    /// Option code and what followed it, unescaped.
    Subnegotiation(u8, &'a [u8]),
}

/// Splits a stream into data and commands, one byte at a time.
#[derive(Clone, Debug, Default)]
pub(crate) struct Parser {
    state: State,
    subnegotiation: Vec<u8>,
    overlong: bool,
}

#[derive(Clone, Copy, Debug, Default)]
enum State {
    #[default]
    Data,
    Command,
    Option(Verb),
    Subnegotiation,
    SubnegotiationCommand,
}

impl Parser {
    /// Takes the next byte of the stream.
    pub(crate) fn push(&mut self, byte: u8) -> Option<Event<'_>> {
        match (self.state, byte) {
            (State::Data, IAC) => self.state = State::Command,
            (State::Data, _) => return Some(Event::Data(byte)),

            (State::Command, IAC) => {
                self.state = State::Data;
                return Some(Event::Data(IAC));
            }
            (State::Command | State::SubnegotiationCommand, SUBNEGOTIATION_BEGIN) => {
                self.state = State::Subnegotiation;
                self.subnegotiation.clear();
                self.overlong = false;
            }
            (State::Command, _) => {
                // Commands without an option (no operation, are you there, ...) need no answer.
                self.state = Verb::from_byte(byte).map_or(State::Data, State::Option);
            }

            (State::Option(verb), option) => {
                self.state = State::Data;
                return Some(Event::Negotiation(verb, option));
            }

            (State::Subnegotiation, IAC) => self.state = State::SubnegotiationCommand,
            (State::Subnegotiation, _) => self.collect(byte),

            (State::SubnegotiationCommand, IAC) => {
                self.state = State::Subnegotiation;
                self.collect(IAC);
            }
            (State::SubnegotiationCommand, SUBNEGOTIATION_END) => {
                self.state = State::Data;
                return match self.subnegotiation.split_first() {
                    Some((option, rest)) if !self.overlong => {
                        Some(Event::Subnegotiation(*option, rest))
                    }
                    _ => None,
                };
            }
            (State::SubnegotiationCommand, _) => {
                // Not allowed there: the end was lost, the command stands for itself.
                self.state = Verb::from_byte(byte).map_or(State::Data, State::Option);
            }
        }
        None
    }

    fn collect(&mut self, byte: u8) {
        if self.subnegotiation.len() < SUBNEGOTIATION_MAX {
            self.subnegotiation.push(byte);
        } else {
            self.overlong = true;
        }
    }
}

/// Appends `data` with every IAC doubled.
pub(crate) fn escape(data: &[u8], out: &mut Vec<u8>) {
    for &byte in data {
        if byte == IAC {
            out.push(IAC);
        }
        out.push(byte);
    }
}

/// Appends a negotiation command.
pub(crate) fn negotiate(verb: Verb, option: u8, out: &mut Vec<u8>) {
    out.extend([IAC, verb as u8, option]);
}

/// Appends a subnegotiation.
pub(crate) fn subnegotiate(option: u8, command: u8, value: &[u8], out: &mut Vec<u8>) {
    out.extend([IAC, SUBNEGOTIATION_BEGIN, option, command]);
    escape(value, out);
    out.extend([IAC, SUBNEGOTIATION_END]);
}

/// Whether a connection that starts with these bytes greets in telnet.
pub(crate) fn looks_like_negotiation(first: &[u8]) -> bool {
    matches!(first, [IAC, verb, _, ..] if Verb::from_byte(*verb).is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(bytes: &[u8]) -> (Vec<u8>, Vec<String>) {
        let mut parser = Parser::default();
        let (mut data, mut commands) = (Vec::new(), Vec::new());
        for &byte in bytes {
            match parser.push(byte) {
                Some(Event::Data(byte)) => data.push(byte),
                Some(command) => commands.push(format!("{command:?}")),
                None => {}
            }
        }
        (data, commands)
    }

    #[test]
    fn every_byte_survives_escaping() {
        let all: Vec<u8> = (0..=255).collect();
        let mut escaped = Vec::new();
        escape(&all, &mut escaped);
        assert_eq!(escaped.len(), 257);
        assert_eq!(parse(&escaped), (all, Vec::new()));
    }

    #[test]
    fn commands_are_taken_out_of_the_data() {
        let (data, commands) = parse(&[
            1, IAC, 0xfd, 0, 2, IAC, 0xf1, 3, IAC, 0xfa, 44, 101, 0, IAC, IAC, IAC, 0xf0, 4,
        ]);
        assert_eq!(data, [1, 2, 3, 4]);
        assert_eq!(
            commands,
            ["Negotiation(Do, 0)", "Subnegotiation(44, [101, 0, 255])"]
        );
    }

    #[test]
    fn an_endless_subnegotiation_costs_bounded_memory_and_is_dropped() {
        let mut stream = vec![IAC, 0xfa, 44];
        stream.extend(std::iter::repeat_n(7, 100_000));
        let mut parser = Parser::default();
        for &byte in &stream {
            assert_eq!(parser.push(byte), None);
        }
        assert!(parser.subnegotiation.capacity() <= 2 * SUBNEGOTIATION_MAX);
        assert_eq!(parser.push(IAC), None);
        assert_eq!(parser.push(0xf0), None);
        assert_eq!(parser.push(9), Some(Event::Data(9)));
    }

    #[test]
    fn a_command_inside_a_subnegotiation_ends_it() {
        let (data, commands) = parse(&[IAC, 0xfa, 44, 1, IAC, 0xfb, 3, 5]);
        assert_eq!(
            (data, commands),
            (vec![5], vec!["Negotiation(Will, 3)".to_owned()])
        );
    }
}

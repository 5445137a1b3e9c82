//! The ways to a meter: one enum that reads, writes and sets the line, whatever is behind it.
//!
//! All of them keep the same rules: [`read`](Transport::read) may be cancelled at any time without
//! losing a byte; the end of the stream is an error and never an empty read; nothing waits for
//! the last bit to leave the wire (that call blocks a runtime thread); dropping closes.

mod replay;
mod rfc2217;
mod serial;
mod tcp;

use std::io;
use std::time::Duration;

use kamstrup_kmp::line::LineSettings;

use self::replay::Replay;
use self::rfc2217::Rfc2217Line;
use self::serial::Serial;
use self::tcp::Tcp;

use crate::error::{PortError, Unreachable};
use crate::line::ModemLines;
use crate::port::Port;

/// An open port.
#[derive(Debug)]
pub struct Transport {
    /// The port as it was given.
    name: String,
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    Serial(Serial),
    Tcp(Tcp),
    Rfc2217(Box<Rfc2217Line>),
    Replay(Replay),
}

/// How a port is to be opened.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct OpenOptions {
    /// What the line is set to, where it can be set from here.
    pub line: LineSettings,
    /// What the modem lines are set to, where there are any.
    pub modem_lines: ModemLines,
    /// How long connecting and negotiating may take.
    pub timeout: Duration,
    /// How much faster than recorded a recording is played back; infinity for at once.
    pub replay_speed: f64,
}

impl Default for OpenOptions {
    fn default() -> Self {
        Self {
            line: LineSettings::KMP,
            modem_lines: ModemLines::ON,
            timeout: Duration::from_secs(5),
            replay_speed: 1.0,
        }
    }
}

impl Transport {
    /// Opens a port. Cancelling leaves nothing open.
    pub async fn open(port: &Port, options: &OpenOptions) -> Result<Self, PortError> {
        let name = port.to_string();
        let kind = match port {
            Port::Serial(path) => Kind::Serial(Serial::open(&name, path, options)?),
            Port::Tcp(address) => Kind::Tcp(Tcp::connect(&name, address, options.timeout).await?),
            Port::Rfc2217(address) => Kind::Rfc2217(Box::new(
                Rfc2217Line::connect(&name, address, options).await?,
            )),
            Port::Replay(file) => Kind::Replay(Replay::open(&name, file, options.replay_speed)?),
        };
        Ok(Self { name, kind })
    }

    /// Waits for bytes and reads them; at least one, or an error. Cancel safe.
    pub async fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match &mut self.kind {
            Kind::Serial(serial) => serial.read(buffer).await,
            Kind::Tcp(tcp) => tcp.read(buffer).await,
            Kind::Rfc2217(line) => line.read(buffer).await,
            Kind::Replay(replay) => replay.read(buffer).await,
        }
    }

    /// Reads what is already there; [`io::ErrorKind::WouldBlock`] if that is nothing.
    pub fn try_read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match &mut self.kind {
            Kind::Serial(serial) => serial.try_read(buffer),
            Kind::Tcp(tcp) => tcp.try_read(buffer),
            Kind::Rfc2217(line) => line.try_read(buffer),
            Kind::Replay(replay) => replay.try_read(buffer),
        }
    }

    /// Writes all of `data`, in one go if the system takes it. Not cancel safe: whoever gives up
    /// waiting must close the port, because nobody knows how much has gone out.
    pub async fn write_all(&mut self, data: &[u8]) -> io::Result<()> {
        match &mut self.kind {
            Kind::Serial(serial) => serial.write_all(data).await,
            Kind::Tcp(tcp) => tcp.write_all(data).await,
            Kind::Rfc2217(line) => line.write_all(data).await,
            Kind::Replay(replay) => replay.write_all(data),
        }
    }

    /// Sets the line while it is open. Bytes still on their way out are not waited for: let
    /// [`LineSettings::time_for`] pass after writing.
    ///
    /// # Errors
    ///
    /// The port keeps other settings; a raw TCP bridge always does. Or it is lost.
    pub async fn configure(&mut self, line: LineSettings) -> Result<(), PortError> {
        let refused = match &mut self.kind {
            Kind::Serial(serial) => serial.configure(line),
            Kind::Tcp(_) => Ok(Some(Unreachable::Settings {
                asked: line,
                found: "what the raw bridge is set to".to_owned(),
            })),
            Kind::Rfc2217(bridge) => bridge.configure(line).await,
            Kind::Replay(_) => Ok(None),
        };
        match refused {
            Ok(None) => Ok(()),
            Ok(Some(reason)) => Err(PortError::Unreachable {
                port: self.name.clone(),
                reason,
            }),
            Err(error) => Err(self.lost(&error)),
        }
    }

    /// Whether a raw TCP connection began with a telnet negotiation: the bridge is then in telnet
    /// mode, which changes some of the bytes, and `rfc2217://` or raw mode is what was wanted.
    pub fn greets_in_telnet(&self) -> bool {
        matches!(&self.kind, Kind::Tcp(tcp) if tcp.greets_in_telnet())
    }

    /// Ends the use of this transport. A recording is handed back at the place it has come to,
    /// because opening it anew would begin at its start.
    pub(crate) fn close(self) -> Option<Self> {
        match self.kind {
            Kind::Replay(replay) => Some(Self {
                name: self.name,
                kind: Kind::Replay(replay.reopened()),
            }),
            Kind::Serial(_) | Kind::Tcp(_) | Kind::Rfc2217(_) => None,
        }
    }

    /// What an error of this transport means for its port. Close it then.
    pub fn lost(&mut self, error: &io::Error) -> PortError {
        let said = match &mut self.kind {
            Kind::Tcp(tcp) => tcp.last_words(error),
            Kind::Rfc2217(line) => line.last_words(error),
            Kind::Serial(_) | Kind::Replay(_) => None,
        };
        match said {
            Some(said) => PortError::hung_up(&self.name, Some(said)),
            None => PortError::lost(&self.name, error),
        }
    }
}

/// The one error for the end of a stream.
fn end_of_stream() -> io::Error {
    io::Error::new(
        io::ErrorKind::UnexpectedEof,
        "the other end closed the connection",
    )
}

/// Turns an empty read, which means the end, into an error.
fn at_least_one(read: usize) -> io::Result<usize> {
    if read == 0 {
        Err(end_of_stream())
    } else {
        Ok(read)
    }
}

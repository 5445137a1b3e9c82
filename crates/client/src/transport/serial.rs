//! A serial port of this machine. The only place that knows the serial crate.
//!
//! Never `flush` or `shutdown` here: tokio-serial runs the blocking `tcdrain` for both, which at
//! 1200 baud stalls a runtime thread for the length of the request.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use kamstrup_kmp::line::{LineSettings, Parity};
use rustix::fs::{Mode, OFlags};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_serial::{ClearBuffer, SerialPort, SerialStream};

use super::{OpenOptions, at_least_one};
use crate::error::{Missing, PortError, Unreachable};
use crate::line::short_form;
use crate::list::Machine;

/// Major numbers of pseudo terminals (Linux `Documentation/admin-guide/devices.txt`).
const PSEUDO_TERMINALS: std::ops::RangeInclusive<u32> = 136..=143;

#[derive(Debug)]
pub(super) struct Serial {
    stream: SerialStream,
    /// A pseudo terminal has no wire: the kernel keeps it at 8 data bits without parity.
    pseudo: bool,
}

impl Serial {
    /// Opens exclusively, sets the line and checks that the settings are in force.
    pub(super) fn open(name: &str, path: &Path, options: &OpenOptions) -> Result<Self, PortError> {
        if let Some(holder) = Machine::this().lock_file_holder(path) {
            return Err(PortError::Busy {
                port: name.to_owned(),
                holders: vec![holder],
            });
        }
        // Exclusive, and without flow control, unless told otherwise. The framing is set below.
        let builder = tokio_serial::new(path.to_string_lossy(), options.line.baud).exclusive(true);
        let stream = SerialStream::open(&builder).map_err(|error| refused(name, path, &error))?;
        let pseudo = fs::metadata(path)
            .is_ok_and(|file| PSEUDO_TERMINALS.contains(&rustix::fs::major(file.rdev())));

        let mut serial = Self { stream, pseudo };
        match serial.prepare(options) {
            Ok(None) => Ok(serial),
            Ok(Some(reason)) => Err(PortError::Unreachable {
                port: name.to_owned(),
                reason,
            }),
            Err(error) => Err(PortError::lost(name, &error)),
        }
    }

    pub(super) async fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.stream.read(buffer).await.and_then(at_least_one)
    }

    pub(super) fn try_read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.stream.try_read(buffer).and_then(at_least_one)
    }

    pub(super) async fn write_all(&mut self, data: &[u8]) -> io::Result<()> {
        self.stream.write_all(data).await
    }

    /// Sets the line, reads the settings back and tells if they did not stick.
    pub(super) fn configure(&mut self, line: LineSettings) -> io::Result<Option<Unreachable>> {
        let (Some(data_bits), Some(stop_bits)) =
            (data_bits(line.data_bits), stop_bits(line.stop_bits))
        else {
            let found = "what it had: no serial port can do that".to_owned();
            return Ok(Some(Unreachable::Settings { asked: line, found }));
        };
        self.stream.set_data_bits(data_bits)?;
        self.stream.set_parity(match line.parity {
            Parity::None => tokio_serial::Parity::None,
            Parity::Even => tokio_serial::Parity::Even,
            Parity::Odd => tokio_serial::Parity::Odd,
        })?;
        self.stream.set_stop_bits(stop_bits)?;
        self.stream.set_baud_rate(line.baud)?;

        let found = self.settings()?;
        let expected = if self.pseudo {
            LineSettings {
                data_bits: found.data_bits,
                parity: found.parity,
                ..line
            }
        } else {
            line
        };
        Ok((found != expected).then(|| Unreachable::Settings {
            asked: line,
            found: short_form(found),
        }))
    }

    /// What has to be done once, after opening.
    fn prepare(&mut self, options: &OpenOptions) -> io::Result<Option<Unreachable>> {
        tolerate_missing_lines(
            self.stream
                .write_data_terminal_ready(options.modem_lines.dtr),
        )?;
        tolerate_missing_lines(self.stream.write_request_to_send(options.modem_lines.rts))?;
        self.configure(options.line)
    }

    fn settings(&self) -> io::Result<LineSettings> {
        Ok(LineSettings {
            baud: self.stream.baud_rate()?,
            data_bits: match self.stream.data_bits()? {
                tokio_serial::DataBits::Five => 5,
                tokio_serial::DataBits::Six => 6,
                tokio_serial::DataBits::Seven => 7,
                tokio_serial::DataBits::Eight => 8,
            },
            parity: match self.stream.parity()? {
                tokio_serial::Parity::None => Parity::None,
                tokio_serial::Parity::Odd => Parity::Odd,
                tokio_serial::Parity::Even => Parity::Even,
            },
            stop_bits: match self.stream.stop_bits()? {
                tokio_serial::StopBits::One => 1,
                tokio_serial::StopBits::Two => 2,
            },
        })
    }
}

impl Drop for Serial {
    fn drop(&mut self) {
        // Closing waits up to 30 s for bytes that cannot leave (closing_wait in setserial(8)).
        if let Err(error) = self.stream.clear(ClearBuffer::All) {
            tracing::debug!(%error, "could not discard what was left in the port");
        }
    }
}

/// Pseudo terminals and some adapters have no modem lines; that is no failure.
fn tolerate_missing_lines(result: tokio_serial::Result<()>) -> io::Result<()> {
    match result.map_err(io::Error::from) {
        // ENOTTY, which the serial crate has no kind for. A port that is going away fails next.
        Err(error) if error.kind() == io::ErrorKind::Other => {
            tracing::debug!(%error, "the port has no modem lines");
            Ok(())
        }
        result => result,
    }
}

/// The serial crate keeps only some error numbers, so the system is asked again for the others.
fn refused(name: &str, path: &Path, error: &tokio_serial::Error) -> PortError {
    match error.kind() {
        tokio_serial::ErrorKind::NoDevice => PortError::Busy {
            port: name.to_owned(),
            holders: Machine::this().holders(path),
        },
        tokio_serial::ErrorKind::Io(kind) => PortError::opening(name, path, &kind.into()),
        _ => {
            let flags = OFlags::RDWR | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
            match rustix::fs::open(path, flags, Mode::empty()) {
                Err(number) => PortError::opening(name, path, &number.into()),
                Ok(_) => PortError::Missing {
                    port: name.to_owned(),
                    reason: Missing::NotSerial(error.to_string()),
                },
            }
        }
    }
}

fn data_bits(bits: u8) -> Option<tokio_serial::DataBits> {
    match bits {
        5 => Some(tokio_serial::DataBits::Five),
        6 => Some(tokio_serial::DataBits::Six),
        7 => Some(tokio_serial::DataBits::Seven),
        8 => Some(tokio_serial::DataBits::Eight),
        _ => None,
    }
}

fn stop_bits(bits: u8) -> Option<tokio_serial::StopBits> {
    match bits {
        1 => Some(tokio_serial::StopBits::One),
        2 => Some(tokio_serial::StopBits::Two),
        _ => None,
    }
}

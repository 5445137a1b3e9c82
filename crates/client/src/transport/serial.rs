//! A serial port of this machine. The only place that knows the serial crate.
//!
//! Never `flush` or `shutdown` here: tokio-serial runs the blocking `tcdrain` for both, which at
//! 1200 baud stalls a runtime thread for the length of the request.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use rustix::fs::{Mode, OFlags};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_serial::{ClearBuffer, FlowControl, SerialPort, SerialStream};

use super::at_least_one;
use crate::error::{Missing, PortError, Unreachable};
use crate::line::{DataBits, LineSettings, Parity, StopBits};
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
    pub(super) fn open(name: &str, path: &Path, line: LineSettings) -> Result<Self, PortError> {
        if let Some(holder) = Machine::this().lock_file_holder(path) {
            return Err(PortError::Busy {
                port: name.to_owned(),
                holders: vec![holder],
            });
        }
        let stream = tokio_serial::new(path.to_string_lossy(), line.baud)
            .data_bits(data_bits(line.data_bits))
            .parity(parity(line.parity))
            .stop_bits(stop_bits(line.stop_bits))
            .flow_control(FlowControl::None)
            .exclusive(true);
        let stream = SerialStream::open(&stream).map_err(|error| refused(name, path, &error))?;
        let pseudo = fs::metadata(path)
            .is_ok_and(|file| PSEUDO_TERMINALS.contains(&rustix::fs::major(file.rdev())));

        let mut serial = Self { stream, pseudo };
        serial
            .feed_the_head(line)
            .map_err(|error| PortError::lost(name, &error))?;
        if let Some(found) = serial
            .deviation(line)
            .map_err(|error| PortError::lost(name, &error))?
        {
            return Err(PortError::Unreachable {
                port: name.to_owned(),
                reason: Unreachable::Settings { asked: line, found },
            });
        }
        Ok(serial)
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

    pub(super) fn configure(&mut self, line: LineSettings) -> io::Result<()> {
        self.stream.set_data_bits(data_bits(line.data_bits))?;
        self.stream.set_parity(parity(line.parity))?;
        self.stream.set_stop_bits(stop_bits(line.stop_bits))?;
        self.stream.set_baud_rate(line.baud)?;
        self.feed_the_head(line)?;
        match self.deviation(line)? {
            None => Ok(()),
            Some(found) => Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                Unreachable::Settings { asked: line, found }.to_string(),
            )),
        }
    }

    fn feed_the_head(&mut self, line: LineSettings) -> io::Result<()> {
        tolerate_missing_lines(self.stream.write_data_terminal_ready(line.dtr))?;
        tolerate_missing_lines(self.stream.write_request_to_send(line.rts))
    }

    /// Reads the settings back and gives them if they are not those that were asked for.
    fn deviation(&self, line: LineSettings) -> io::Result<Option<String>> {
        let found = LineSettings {
            baud: self.stream.baud_rate()?,
            data_bits: match self.stream.data_bits()? {
                tokio_serial::DataBits::Seven => DataBits::Seven,
                tokio_serial::DataBits::Eight => DataBits::Eight,
                other => return Ok(Some(format!("{other} data bits"))),
            },
            parity: match self.stream.parity()? {
                tokio_serial::Parity::None => Parity::None,
                tokio_serial::Parity::Odd => Parity::Odd,
                tokio_serial::Parity::Even => Parity::Even,
            },
            stop_bits: match self.stream.stop_bits()? {
                tokio_serial::StopBits::One => StopBits::One,
                tokio_serial::StopBits::Two => StopBits::Two,
            },
            ..line
        };
        let expected = if self.pseudo {
            LineSettings {
                data_bits: found.data_bits,
                parity: found.parity,
                ..line
            }
        } else {
            line
        };
        Ok((found != expected).then(|| found.to_string()))
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
        Err(error) if matches!(error.kind(), io::ErrorKind::Other) => {
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

fn data_bits(bits: DataBits) -> tokio_serial::DataBits {
    match bits {
        DataBits::Seven => tokio_serial::DataBits::Seven,
        DataBits::Eight => tokio_serial::DataBits::Eight,
    }
}

fn parity(parity: Parity) -> tokio_serial::Parity {
    match parity {
        Parity::None => tokio_serial::Parity::None,
        Parity::Even => tokio_serial::Parity::Even,
        Parity::Odd => tokio_serial::Parity::Odd,
    }
}

fn stop_bits(bits: StopBits) -> tokio_serial::StopBits {
    match bits {
        StopBits::One => tokio_serial::StopBits::One,
        StopBits::Two => tokio_serial::StopBits::Two,
    }
}

//! A TCP connection that speaks RFC 2217: the sans-IO filter with a socket.

use std::io;
use std::time::Duration;

use kamstrup_kmp::line::LineSettings;
use tokio::io::Interest;
use tokio::time::{Instant, timeout_at};

use super::OpenOptions;
use super::tcp::{Greeting, Tcp, is_hang_up};
use crate::error::{PortError, Unreachable};
use crate::port::Address;
use crate::rfc2217::{Progress, Rfc2217};

/// How long changed settings may take to be confirmed on an open line.
const CONFIRMATION: Duration = Duration::from_secs(2);

/// How much of a meter's data may wait for a reader.
const DATA_MAX: usize = 4096;

#[derive(Debug)]
pub(super) struct Rfc2217Line {
    tcp: Tcp,
    filter: Rfc2217,
    /// The meter's bytes that nobody has read yet, from `read_from` on.
    data: Vec<u8>,
    read_from: usize,
    /// What the filter wants to send and the socket has not taken, from `sent` on.
    outgoing: Vec<u8>,
    sent: usize,
    greeting: Greeting,
}

impl Rfc2217Line {
    pub(super) async fn connect(
        name: &str,
        address: &Address,
        options: &OpenOptions,
    ) -> Result<Self, PortError> {
        let deadline = Instant::now() + options.timeout;
        let mut line = Self {
            tcp: Tcp::connect(name, address, options.timeout).await?,
            filter: Rfc2217::new(options.line, options.modem_lines),
            data: Vec::new(),
            read_from: 0,
            outgoing: Vec::new(),
            sent: 0,
            greeting: Greeting::default(),
        };
        let unreachable = |reason| PortError::Unreachable {
            port: name.to_owned(),
            reason,
        };
        match line.settle(options.line, deadline).await {
            Ok(None) => Ok(line),
            Ok(Some(reason)) => Err(unreachable(reason)),
            Err(error) if is_hang_up(&error) => {
                Err(PortError::hung_up(name, line.last_words(&error)))
            }
            Err(error) => Err(unreachable(Unreachable::Network(error.to_string()))),
        }
    }

    pub(super) async fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let read = self.take(buffer);
            if read > 0 {
                return Ok(read);
            }
            self.exchange().await?;
        }
    }

    pub(super) fn try_read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        // A peer that only ever negotiates must not hold a function that does not wait.
        for _ in 0..16 {
            let read = self.take(buffer);
            if read > 0 {
                return Ok(read);
            }
            let mut bytes = [0; 512];
            let read = self.tcp.try_read(&mut bytes)?;
            self.received(&bytes[..read]);
            self.push_out()?;
        }
        Err(io::ErrorKind::WouldBlock.into())
    }

    pub(super) async fn write_all(&mut self, data: &[u8]) -> io::Result<()> {
        self.filter.send(data);
        while !self.push_out()? {
            self.tcp.ready(Interest::WRITABLE).await?;
        }
        Ok(())
    }

    /// Sets the line behind the bridge, and tells if the bridge does not confirm it.
    pub(super) async fn configure(
        &mut self,
        line: LineSettings,
    ) -> io::Result<Option<Unreachable>> {
        self.filter.configure(line);
        self.settle(line, Instant::now() + CONFIRMATION).await
    }

    /// The words that were all that ever came before this error, if it is a hang-up.
    pub(super) fn last_words(&mut self, error: &io::Error) -> Option<String> {
        let mut bytes = [0; 512];
        while is_hang_up(error) && !self.greeting.more {
            let Ok(read) = self.tcp.try_read(&mut bytes) else {
                break;
            };
            self.received(&bytes[..read]);
        }
        self.greeting.text().filter(|_| is_hang_up(error))
    }

    /// Negotiates until the settings are in force, or tells why they are not.
    async fn settle(
        &mut self,
        line: LineSettings,
        deadline: Instant,
    ) -> io::Result<Option<Unreachable>> {
        let started = Instant::now();
        self.push_out()?;
        loop {
            match self.filter.progress() {
                Progress::Ready {
                    two_stop_bits_refused,
                } => {
                    if two_stop_bits_refused {
                        tracing::warn!("the bridge keeps one stop bit, most meters tolerate that");
                    }
                    return Ok(None);
                }
                Progress::NoComPort => {
                    return Ok(Some(Unreachable::NotRfc2217(
                        "a telnet server that refuses COM-PORT-OPTION".to_owned(),
                    )));
                }
                Progress::Differs(found) => {
                    return Ok(Some(Unreachable::Settings { asked: line, found }));
                }
                Progress::Negotiating => {}
            }
            self.data_is_bounded();
            // A peer that always has something to say would keep a timeout from being looked at.
            let in_time = Instant::now() < deadline;
            match timeout_at(deadline, self.exchange()).await {
                Ok(result) if in_time => result?,
                _ => {
                    return Ok(Some(Unreachable::NotRfc2217(format!(
                        "{} within {:.1} s",
                        self.filter.diagnosis(),
                        started.elapsed().as_secs_f64()
                    ))));
                }
            }
        }
    }

    /// What comes while the line is being set is kept for the reader, but not without end.
    fn data_is_bounded(&mut self) {
        if self.data.len() - self.read_from > DATA_MAX {
            self.data.clear();
            self.read_from = 0;
        }
    }

    /// Waits until something came in or an answer could go out. Cancel safe.
    async fn exchange(&mut self) -> io::Result<()> {
        let mut bytes = [0; 512];
        if self.sent < self.outgoing.len() {
            // An answer is stuck. Keep reading meanwhile, or two full buffers would block each
            // other for ever.
            tokio::task::consume_budget().await;
            self.tcp
                .ready(Interest::READABLE | Interest::WRITABLE)
                .await?;
            match self.tcp.try_read(&mut bytes) {
                Ok(read) => self.received(&bytes[..read]),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Err(error),
            }
        } else {
            let read = self.tcp.read(&mut bytes).await?;
            self.received(&bytes[..read]);
        }
        self.push_out().map(drop)
    }

    fn received(&mut self, bytes: &[u8]) {
        let before = self.data.len();
        self.filter.receive(bytes, &mut self.data);
        self.greeting.note(&self.data[before..]);
    }

    /// Gives the socket as much of what is to be sent as it takes; true if that was all.
    ///
    /// The filter is asked again only when everything has gone out: it bounds its own answers, so
    /// a peer that never reads cannot make them pile up here.
    fn push_out(&mut self) -> io::Result<bool> {
        loop {
            if self.sent == self.outgoing.len() {
                self.sent = 0;
                self.outgoing = self.filter.transmit();
                if self.outgoing.is_empty() {
                    return Ok(true);
                }
            }
            match self.tcp.try_write(&self.outgoing[self.sent..])? {
                0 => return Ok(false),
                written => self.sent += written,
            }
        }
    }

    fn take(&mut self, buffer: &mut [u8]) -> usize {
        let waiting = &self.data[self.read_from..];
        let count = waiting.len().min(buffer.len());
        buffer[..count].copy_from_slice(&waiting[..count]);
        self.read_from += count;
        if self.read_from == self.data.len() {
            self.data.clear();
            self.read_from = 0;
        }
        count
    }
}

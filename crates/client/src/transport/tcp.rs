//! A raw TCP connection to a serial bridge.

use std::io::{self, Read};
use std::time::Duration;

use socket2::{SockRef, TcpKeepalive};
use tokio::io::{AsyncReadExt, AsyncWriteExt, Interest};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout_at};

use super::at_least_one;
use crate::error::{PortError, Unreachable};
use crate::port::Address;
use crate::telnet;

/// A connection on which nothing moves is probed after this time. Meters are read rarely, and
/// routers forget idle connections after minutes.
const KEEP_ALIVE_AFTER: Duration = Duration::from_secs(30);
const KEEP_ALIVE_INTERVAL: Duration = Duration::from_secs(10);
const KEEP_ALIVE_PROBES: u32 = 3;

/// Bytes that stay unacknowledged this long mean that the peer is gone; without it the kernel
/// goes on for a quarter of an hour.
const UNACKNOWLEDGED: Duration = Duration::from_secs(20);

/// How much of the beginning is kept to tell why a bridge hung up.
const GREETING_MAX: usize = 120;

#[derive(Debug)]
pub(super) struct Tcp {
    stream: TcpStream,
    greeting: Greeting,
}

impl Tcp {
    pub(super) async fn connect(
        name: &str,
        address: &Address,
        timeout: Duration,
    ) -> Result<Self, PortError> {
        let stream = connect(address, timeout)
            .await
            .map_err(|reason| PortError::Unreachable {
                port: name.to_owned(),
                reason,
            })?;
        Ok(Self {
            stream,
            greeting: Greeting::default(),
        })
    }

    pub(super) async fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.stream.read(buffer).await.and_then(at_least_one)?;
        self.greeting.note(&buffer[..read]);
        Ok(read)
    }

    pub(super) fn try_read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        // Past tokio, which says "nothing there" until its event loop has had a turn.
        let read = (&*SockRef::from(&self.stream))
            .read(buffer)
            .and_then(at_least_one)?;
        self.greeting.note(&buffer[..read]);
        Ok(read)
    }

    pub(super) async fn write_all(&mut self, data: &[u8]) -> io::Result<()> {
        self.stream.write_all(data).await
    }

    /// Writes what goes without waiting; cancel safe because it cannot be cancelled.
    pub(super) fn try_write(&mut self, data: &[u8]) -> io::Result<usize> {
        match self.stream.try_write(data) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(0),
            result => result,
        }
    }

    pub(super) async fn ready(&self, interest: Interest) -> io::Result<()> {
        self.stream.ready(interest).await.map(drop)
    }

    pub(super) fn greets_in_telnet(&self) -> bool {
        telnet::looks_like_negotiation(&self.greeting.bytes)
    }

    /// The words that were all that ever came before this error, if it is a hang-up.
    pub(super) fn last_words(&mut self, error: &io::Error) -> Option<String> {
        let mut buffer = [0; GREETING_MAX];
        // Whoever writes into a closing connection learns of it before the last words are read.
        while is_hang_up(error) && !self.greeting.more && self.try_read(&mut buffer).is_ok() {}
        self.greeting.text().filter(|_| is_hang_up(error))
    }
}

/// The first bytes of a connection. Bridges say there in words why they hang up at once.
#[derive(Debug, Default)]
pub(super) struct Greeting {
    bytes: Vec<u8>,
    pub(super) more: bool,
}

impl Greeting {
    pub(super) fn note(&mut self, bytes: &[u8]) {
        let room = GREETING_MAX - self.bytes.len();
        self.more |= bytes.len() > room;
        self.bytes.extend(bytes.iter().take(room));
    }

    /// The line of text that is all that ever came, if it is one.
    pub(super) fn text(&self) -> Option<String> {
        let text = str::from_utf8(&self.bytes).ok()?.trim();
        let readable = !self.more
            && text.chars().filter(char::is_ascii_alphabetic).count() >= 4
            && !text
                .chars()
                .any(|c| c.is_control() && !c.is_ascii_whitespace());
        readable.then(|| text.split_whitespace().collect::<Vec<_>>().join(" "))
    }
}

/// Whether the other end closed the connection. A server that closes with something still unread
/// resets it instead, which is how a busy bridge answers a client that speaks first.
pub(super) fn is_hang_up(error: &io::Error) -> bool {
    use io::ErrorKind::{BrokenPipe, ConnectionReset, UnexpectedEof};

    matches!(error.kind(), BrokenPipe | ConnectionReset | UnexpectedEof)
}

/// Tries the addresses of a host one after the other; each gets its share of the time.
async fn connect(address: &Address, timeout: Duration) -> Result<TcpStream, Unreachable> {
    let deadline = Instant::now() + timeout;
    let host = address.host.as_str();
    let addresses: Vec<_> = timeout_at(deadline, tokio::net::lookup_host((host, address.port)))
        .await
        .map_err(|_elapsed| Unreachable::TimedOut(timeout))?
        .map_err(|error| Unreachable::NotResolved(error.to_string()))?
        .collect();

    let mut problem = Unreachable::NotResolved("it has no address".to_owned());
    let mut left = u32::try_from(addresses.len()).unwrap_or(u32::MAX);
    for address in addresses {
        let share = deadline.saturating_duration_since(Instant::now()) / left;
        left -= 1;
        match tokio::time::timeout(share, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => {
                keep_alive(&stream).map_err(|error| Unreachable::Network(error.to_string()))?;
                return Ok(stream);
            }
            Ok(Err(error)) if error.kind() == io::ErrorKind::ConnectionRefused => {
                problem = Unreachable::Refused;
            }
            Ok(Err(error)) => problem = Unreachable::Network(error.to_string()),
            Err(_elapsed) => problem = Unreachable::TimedOut(timeout),
        }
    }
    Err(problem)
}

fn keep_alive(stream: &TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let socket = SockRef::from(stream);
    socket.set_tcp_keepalive(
        &TcpKeepalive::new()
            .with_time(KEEP_ALIVE_AFTER)
            .with_interval(KEEP_ALIVE_INTERVAL)
            .with_retries(KEEP_ALIVE_PROBES),
    )?;
    #[cfg(target_os = "linux")]
    socket.set_tcp_user_timeout(Some(UNACKNOWLEDGED))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(pieces: &[&[u8]]) -> Option<String> {
        let mut greeting = Greeting::default();
        for piece in pieces {
            greeting.note(piece);
        }
        greeting.text()
    }

    #[tokio::test]
    async fn a_dead_peer_is_noticed_in_seconds() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = Address {
            host: "127.0.0.1".to_owned(),
            port: listener.local_addr().unwrap().port(),
        };
        let stream = connect(&address, Duration::from_secs(5)).await.unwrap();
        let socket = SockRef::from(&stream);
        assert!(socket.keepalive().unwrap() && stream.nodelay().unwrap());
        assert_eq!(socket.tcp_keepalive_time().unwrap(), KEEP_ALIVE_AFTER);
        assert_eq!(socket.tcp_user_timeout().unwrap(), Some(UNACKNOWLEDGED));
    }

    #[test]
    fn words_before_a_hang_up_are_kept() {
        assert_eq!(
            said(&[b"Port already", b" in use\r\n"]).as_deref(),
            Some("Port already in use")
        );
    }

    #[test]
    fn meter_data_is_not_taken_for_words() {
        assert_eq!(
            said(&[b"\x40\x3f\x10\x00\x3c\x08\x04\x43\x00\x01\x4b\x51\x71\xed\x0d"]),
            None
        );
        assert_eq!(said(&[b""]), None);
        assert_eq!(said(&[&[b'a'; GREETING_MAX], b"a"]), None);
    }
}

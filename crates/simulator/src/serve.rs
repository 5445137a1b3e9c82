//! A simulated meter at a real port: TCP like a serial bridge, or a pseudo-terminal.
//!
//! A server is made first and run afterwards, so that whoever starts it can say where it listens.
//! It serves one client at a time: as ser2net does, a second one is turned away. The meter lives on
//! between clients. `SIGUSR1` presses a key on it.

use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use core::future::Future;
use core::time::Duration;

use kamstrup_kmp::Instant;
use tokio::io::AsyncReadExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::signal::unix::{SignalKind, signal};

use crate::config::Config;
use crate::faults::Fault;
use crate::journal::Journal;
use crate::pty::{Link, Pty};
use crate::simulated::SimulatedMeter;
use crate::spoil::LineEvent;

/// Listens on a TCP address; port 0 takes a free one.
pub async fn serve_tcp(config: Config, address: SocketAddr) -> Result<Server, ServeError> {
    let listener = listen(address).await?;
    let bound = |source| ServeError::Listen { address, source };
    let address = listener.local_addr().map_err(bound)?;
    Ok(Server {
        listening: format!("socket://{address}"),
        front: Front::Tcp { listener, address },
        shared: Shared::new(config),
    })
}

/// Opens a pseudo-terminal, and puts a symbolic link to it at `link` if one is given. Has to be
/// called within a tokio runtime.
pub fn serve_pty(config: Config, link: Option<&Path>) -> Result<Server, ServeError> {
    let pty = Pty::open().map_err(ServeError::Pty)?;
    let link = link.map(|path| place(path, &pty)).transpose()?;
    let listening = link
        .as_ref()
        .map_or(pty.path(), Link::path)
        .display()
        .to_string();
    Ok(Server {
        listening,
        front: Front::Pty { pty, link },
        shared: Shared::new(config),
    })
}

/// A simulated meter that is ready to be served.
#[derive(Debug)]
pub struct Server {
    listening: String,
    front: Front,
    shared: Shared,
}

impl Server {
    /// Where a reader finds it: `socket://127.0.0.1:40001`, `/dev/pts/7` or the link.
    pub fn listening(&self) -> &str {
        &self.listening
    }

    /// A handle on the meter, for while the server runs.
    pub fn handle(&self) -> Handle {
        Handle {
            shared: self.shared.clone(),
        }
    }

    /// Serves until `stop` is done, then closes the port and removes the link.
    pub async fn run(self, stop: impl Future<Output = ()>) -> Result<(), ServeError> {
        let Self { front, shared, .. } = self;
        let key = shared.clone();
        let serving = async {
            match front {
                Front::Tcp { listener, address } => run_tcp(listener, address, &shared).await,
                Front::Pty { pty, link } => run_pty(pty, link, &shared).await,
            }
        };
        tokio::select! {
            result = serving => result,
            never = press_keys(&key) => match never {},
            () = stop => Ok(()),
        }
    }
}

/// A hand on the meter while it is served.
#[derive(Clone, Debug)]
pub struct Handle {
    shared: Shared,
}

impl Handle {
    /// Presses a key on the meter.
    pub fn wake(&self) {
        let now = self.shared.now();
        self.shared.meter().wake(now);
    }

    /// These faults hit from the next exchange on, and no others.
    pub fn set_faults(&self, faults: Vec<Fault>) {
        self.shared.meter().set_faults(faults);
    }

    /// The head returns what is sent, or does not.
    pub fn set_echo(&self, echo: bool) {
        self.shared.meter().set_echo(echo);
    }

    /// What really happened so far.
    pub fn journal(&self) -> Journal {
        self.shared.meter().journal().clone()
    }
}

/// Why a meter cannot be served.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServeError {
    /// The address cannot be listened on.
    #[error("cannot listen on {address}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why.
        source: io::Error,
    },
    /// There is no pseudo-terminal to be had.
    #[error("cannot open a pseudo-terminal")]
    Pty(#[source] io::Error),
    /// The link cannot be put where it should be.
    #[error("cannot put a link at {}", path.display())]
    Link {
        /// Where it should be.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

#[derive(Debug)]
enum Front {
    Tcp {
        listener: TcpListener,
        address: SocketAddr,
    },
    Pty {
        pty: Pty,
        link: Option<Link>,
    },
}

/// The meter and its clock.
#[derive(Clone, Debug)]
struct Shared {
    meter: Arc<Mutex<SimulatedMeter>>,
    started: tokio::time::Instant,
}

impl Shared {
    fn new(config: Config) -> Self {
        Self {
            meter: Arc::new(Mutex::new(SimulatedMeter::new(config))),
            started: tokio::time::Instant::now(),
        }
    }

    fn meter(&self) -> MutexGuard<'_, SimulatedMeter> {
        self.meter.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now(&self) -> Instant {
        Instant::from_start(self.started.elapsed())
    }

    async fn sleep_until(&self, moment: Option<Instant>) {
        match moment {
            Some(moment) => {
                tokio::time::sleep_until(self.started + moment.since_start()).await;
            }
            None => core::future::pending().await,
        }
    }
}

/// One end of a line that bytes come and go through.
trait Line {
    /// Waits for bytes; none means that the client has gone.
    async fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize>;

    /// Sends what the client takes. Light does not wait: what it does not take in time is lost.
    async fn write(&mut self, bytes: &[u8]) -> io::Result<()>;
}

/// Plays the meter to one client until the line ends: by the client, or by an event.
async fn play(line: &mut impl Line, shared: &Shared) -> Option<LineEvent> {
    let mut received = [0; 1024];
    let mut due = Vec::new();
    loop {
        due.clear();
        let (event, wakeup) = {
            let mut meter = shared.meter();
            let now = shared.now();
            meter.poll_transmit(now, &mut due);
            (meter.poll_event(now), meter.next_wakeup())
        };
        if !due.is_empty()
            && let Err(error) = line.write(&due).await
        {
            tracing::debug!(%error, "the client has gone");
            return None;
        }
        if event.is_some() {
            return event;
        }
        tokio::select! {
            read = line.read(&mut received) => match read {
                Ok(0) => return None,
                Ok(count) => {
                    let now = shared.now();
                    shared.meter().receive(&received[..count], now);
                }
                Err(error) => {
                    tracing::debug!(%error, "the client has gone");
                    return None;
                }
            },
            () = shared.sleep_until(wakeup) => {}
        }
    }
}

async fn run_tcp(
    mut listener: TcpListener,
    address: SocketAddr,
    shared: &Shared,
) -> Result<(), ServeError> {
    loop {
        let stream = match listener.accept().await {
            Ok((stream, client)) => {
                tracing::debug!(%client, "connected");
                stream
            }
            Err(error) => {
                // Out of descriptors, or the client was faster away than we were here.
                tracing::warn!(%error, "cannot accept a client");
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "cannot turn off Nagle's algorithm");
        }
        let event = play(
            &mut Tcp {
                stream,
                listener: &listener,
            },
            shared,
        )
        .await;
        shared.meter().hang_up();
        if let Some(LineEvent::PortGone(duration)) = event {
            drop(listener);
            tokio::time::sleep(duration).await;
            listener = listen(address).await?;
        }
    }
}

async fn run_pty(mut pty: Pty, link: Option<Link>, shared: &Shared) -> Result<(), ServeError> {
    let mut link = link;
    loop {
        let event = play(&mut pty, shared).await;
        shared.meter().hang_up();
        // A terminal has no peer that could close: for its reader both look the same.
        let gone = match event {
            Some(LineEvent::PortGone(duration)) => duration,
            Some(LineEvent::PeerClose) | None => Duration::ZERO,
        };
        let path = link.take().map(Link::remove);
        drop(pty);
        tokio::time::sleep(gone).await;
        pty = Pty::open().map_err(ServeError::Pty)?;
        link = path.map(|path| place(&path, &pty)).transpose()?;
    }
}

struct Tcp<'a> {
    stream: TcpStream,
    listener: &'a TcpListener,
}

impl Line for Tcp<'_> {
    async fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            tokio::select! {
                // A client that comes back at once finds that it has left.
                biased;
                read = self.stream.read(buffer) => return read,
                second = self.listener.accept() => {
                    if let Ok((_, client)) = second {
                        tracing::info!(%client, "turned away: the meter serves another client");
                    }
                }
            }
        }
    }

    async fn write(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            match self.stream.try_write(bytes) {
                Ok(count) => bytes = &bytes[count..],
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    match tokio::time::timeout(PATIENCE, self.stream.writable()).await {
                        Ok(writable) => writable?,
                        Err(_) => break,
                    }
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

impl Line for Pty {
    async fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        Self::read(self, buffer).await
    }

    async fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        match tokio::time::timeout(PATIENCE, Self::write(self, bytes)).await {
            Ok(result) => result,
            Err(_) => Ok(()),
        }
    }
}

/// How long a client may not take what it is sent.
const PATIENCE: Duration = Duration::from_secs(1);

async fn listen(address: SocketAddr) -> Result<TcpListener, ServeError> {
    TcpListener::bind(address)
        .await
        .map_err(|source| ServeError::Listen { address, source })
}

fn place(path: &Path, pty: &Pty) -> Result<Link, ServeError> {
    Link::place(path, pty.path()).map_err(|source| ServeError::Link {
        path: path.to_owned(),
        source,
    })
}

async fn press_keys(shared: &Shared) -> core::convert::Infallible {
    match signal(SignalKind::user_defined1()) {
        Ok(mut signals) => {
            while signals.recv().await.is_some() {
                let now = shared.now();
                shared.meter().wake(now);
            }
        }
        Err(error) => tracing::warn!(%error, "SIGUSR1 will not press a key"),
    }
    core::future::pending().await
}

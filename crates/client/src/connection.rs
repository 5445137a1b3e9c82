//! A port that is kept open: opened when it is needed, closed on every failure, opened again by
//! the same name, with pauses that grow.

use std::ops::ControlFlow;
use std::time::Duration;

use kamstrup_kmp::line::{Input, LineSettings, Output};
use tokio::time::{Instant, sleep_until, timeout_at};

use crate::error::{Lost, PortError, Unreachable};
use crate::line::short_form;
use crate::port::Port;
use crate::recorder::Recorder;
use crate::recording::Note;
use crate::transport::{OpenOptions, Transport};

/// The pause after the first failure; it doubles with each further one.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
/// No pause is longer.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// More than this is not cleared away before a task starts: a line that never stops talking would
/// otherwise never be asked.
const DRAIN_MAX: usize = 64 * 1024;

/// The least time that opening is given, however near the deadline is.
const OPEN_MIN: Duration = Duration::from_millis(250);

/// A protocol as a machine without I/O, in the words of [`kamstrup_kmp::line`].
///
/// [`kamstrup_kmp::session::Session`] is one; the older ASCII protocol, whose line changes its speed
/// inside an exchange, can be driven just so.
pub trait Protocol {
    /// What the machine tells while it runs.
    type Event;

    /// Takes bytes or the passing of time.
    fn handle(&mut self, input: Input<'_>, now: kamstrup_kmp::Instant);

    /// What to do next.
    fn poll(&mut self) -> Output<Self::Event>;
}

impl Protocol for kamstrup_kmp::session::Session {
    type Event = kamstrup_kmp::session::Event;

    fn handle(&mut self, input: Input<'_>, now: kamstrup_kmp::Instant) {
        Self::handle(self, input, now);
    }

    fn poll(&mut self) -> Output<Self::Event> {
        Self::poll(self)
    }
}

/// The port's state changed. Each change is told once, however often the port is tried meanwhile.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Change {
    /// The port cannot be opened, or went away.
    Lost(PortError),
    /// It works again.
    Recovered {
        /// For how long it did not.
        after: Duration,
    },
}

/// A port that is opened lazily and reopened by itself.
#[derive(Debug)]
pub struct Connection {
    port: Port,
    options: OpenOptions,
    epoch: Instant,
    transport: Option<Transport>,
    /// A recording between being closed and opened again.
    parked: Option<Transport>,
    /// What the line is set to.
    line: LineSettings,
    /// How often the port was opened.
    openings: u64,
    /// Something was begun on the line and not seen to its end.
    halfway: bool,
    /// The port did its work at least once.
    has_worked: bool,
    failures: u32,
    not_before: Instant,
    last_error: Option<PortError>,
    down_since: Option<Instant>,
    change: Option<Change>,
    recorder: Option<Recorder>,
}

impl Connection {
    /// A connection to this port. Nothing is opened yet.
    pub fn new(port: Port, options: OpenOptions) -> Self {
        let now = Instant::now();
        Self {
            port,
            options,
            epoch: now,
            transport: None,
            parked: None,
            line: options.line,
            openings: 0,
            halfway: false,
            has_worked: false,
            failures: 0,
            not_before: now,
            last_error: None,
            down_since: None,
            change: None,
            recorder: None,
        }
    }

    /// The port as it was given.
    pub fn port(&self) -> &Port {
        &self.port
    }

    /// The time, as the machines that this connection drives are told it.
    pub fn now(&self) -> kamstrup_kmp::Instant {
        kamstrup_kmp::Instant::from_start(self.epoch.elapsed())
    }

    /// Whether the port is open.
    pub fn is_open(&self) -> bool {
        self.transport.is_some()
    }

    /// How often the port has been opened.
    pub fn openings(&self) -> u64 {
        self.openings
    }

    /// Whether a raw TCP bridge greeted in telnet; see [`Transport::greets_in_telnet`].
    pub fn greets_in_telnet(&self) -> bool {
        self.transport
            .as_ref()
            .is_some_and(Transport::greets_in_telnet)
    }

    /// How often in a row the port could not be opened or was lost.
    pub fn failures(&self) -> u32 {
        self.failures
    }

    /// Writes everything down from now on; `None` ends that.
    pub fn record(&mut self, recorder: Option<Recorder>) -> Option<Recorder> {
        std::mem::replace(&mut self.recorder, recorder)
    }

    /// The recorder, to see how it fares or to leave a note.
    pub fn recorder(&mut self) -> Option<&mut Recorder> {
        self.recorder.as_mut()
    }

    /// The latest change of the port's state, once.
    pub fn take_change(&mut self) -> Option<Change> {
        self.change.take()
    }

    /// The port did what it is there for: pauses start anew, and a loss counts as over.
    pub fn works(&mut self) {
        self.has_worked = true;
        self.failures = 0;
        self.last_error = None;
        if let Some(since) = self.down_since.take() {
            let after = since.elapsed();
            tracing::debug!(port = %self.port, ?after, "port recovered");
            self.change = Some(Change::Recovered { after });
        }
    }

    /// Whether the port did its work at least once.
    pub fn has_worked(&self) -> bool {
        self.has_worked
    }

    /// Closes the port on purpose. The next use opens it again.
    pub fn close(&mut self) {
        if self.transport.is_some() {
            self.note(Note::Close, "");
        }
        self.shut();
    }

    /// Opens the port if it is closed. A pause that is not over is waited for, until the deadline.
    pub async fn open(&mut self, deadline: Instant) -> Result<(), PortError> {
        if self.halfway {
            // The last user gave up inside a request, or while the line was being set.
            self.close();
        }
        if self.transport.is_some() {
            return Ok(());
        }
        sleep_until(self.not_before.min(deadline)).await;
        if let Some(error) = self
            .last_error
            .clone()
            .filter(|_| deadline < self.not_before)
        {
            return Err(error);
        }

        let timeout = deadline
            .saturating_duration_since(Instant::now())
            .max(OPEN_MIN);
        let options = OpenOptions {
            timeout: timeout.min(self.options.timeout),
            ..self.options
        };
        let opened = match self.parked.take() {
            Some(transport) => Ok(transport),
            None => Transport::open(&self.port, &options).await,
        };
        match opened {
            Ok(transport) => {
                tracing::debug!(port = %self.port, "port opened");
                self.transport = Some(transport);
                self.line = options.line;
                self.openings += 1;
                let text = format!("{} {}", self.port, short_form(options.line));
                self.note(Note::Open, &text);
                Ok(())
            }
            Err(error) => Err(self.failed(error)),
        }
    }

    /// Reads away what is already waiting and gives it to `protocol`, which expects nothing now.
    pub fn drain(&mut self, protocol: &mut impl Protocol) -> Result<(), PortError> {
        let mut buffer = [0; 512];
        let mut drained = 0;
        while let Some(transport) = &mut self.transport {
            match transport.try_read(&mut buffer) {
                Ok(read) => {
                    self.received(&buffer[..read]);
                    protocol.handle(Input::Receive(&buffer[..read]), self.now());
                    drained += read;
                    if drained >= DRAIN_MAX {
                        break;
                    }
                }
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => break,
                Err(error) => return Err(self.lost(&error)),
            }
        }
        Ok(())
    }

    /// Drives `protocol` until `observe` has what it wants, or the port is lost. The port must be
    /// open; the protocol keeps its deadline itself, writing is given up at this one.
    pub async fn drive<P: Protocol, T>(
        &mut self,
        protocol: &mut P,
        deadline: Instant,
        mut observe: impl FnMut(&mut Self, P::Event) -> ControlFlow<T>,
    ) -> Result<Option<T>, PortError> {
        let mut buffer = [0; 512];
        loop {
            match protocol.poll() {
                Output::Event(event) => {
                    if let ControlFlow::Break(result) = observe(self, event) {
                        return Ok(Some(result));
                    }
                }
                Output::Configure(line) => self.configure(line, deadline).await?,
                Output::Transmit(bytes) => self.write(&bytes, deadline).await?,
                Output::Idle => return Ok(None),
                Output::Wait(until) => {
                    let until = self.to_tokio(until);
                    // A line that always has something to say would keep the clock from being
                    // looked at.
                    let waited = if until <= Instant::now() {
                        Ok(None)
                    } else {
                        self.read(&mut buffer, until).await
                    };
                    match waited? {
                        Some(read) => {
                            protocol.handle(Input::Receive(&buffer[..read]), self.now());
                        }
                        None => protocol.handle(Input::Timeout, self.now()),
                    }
                }
            }
        }
    }

    /// Reads until a moment; `None` if nothing came.
    async fn read(
        &mut self,
        buffer: &mut [u8],
        until: Instant,
    ) -> Result<Option<usize>, PortError> {
        let Some(transport) = &mut self.transport else {
            return Err(self.gone());
        };
        match timeout_at(until, transport.read(buffer)).await {
            Ok(Ok(read)) => {
                self.received(&buffer[..read]);
                Ok(Some(read))
            }
            Ok(Err(error)) => Err(self.lost(&error)),
            Err(_elapsed) => Ok(None),
        }
    }

    async fn write(&mut self, bytes: &[u8], deadline: Instant) -> Result<(), PortError> {
        let Some(transport) = &mut self.transport else {
            return Err(self.gone());
        };
        if let Some(recorder) = &mut self.recorder {
            recorder.sent(bytes);
        }
        let started = Instant::now();
        self.halfway = true;
        let written = timeout_at(deadline, transport.write_all(bytes)).await;
        self.halfway = false;
        match written {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(self.lost(&error)),
            Err(_elapsed) => {
                let port = self.port.to_string();
                let reason = Lost::WriteStuck(started.elapsed());
                Err(self.failed(PortError::Lost { port, reason }))
            }
        }
    }

    async fn configure(&mut self, line: LineSettings, deadline: Instant) -> Result<(), PortError> {
        if line == self.line {
            return Ok(());
        }
        let Some(transport) = &mut self.transport else {
            return Err(self.gone());
        };
        let started = Instant::now();
        self.halfway = true;
        let configured = timeout_at(deadline, transport.configure(line)).await;
        self.halfway = false;
        match configured {
            Ok(Ok(())) => {
                self.line = line;
                self.note(Note::Line, &short_form(line));
                Ok(())
            }
            Ok(Err(error)) => Err(self.failed(error)),
            Err(_elapsed) => {
                let port = self.port.to_string();
                let reason = Unreachable::TimedOut(started.elapsed());
                Err(self.failed(PortError::Unreachable { port, reason }))
            }
        }
    }

    fn received(&mut self, bytes: &[u8]) {
        if let Some(recorder) = &mut self.recorder {
            recorder.received(bytes);
        }
    }

    fn note(&mut self, note: Note, text: &str) {
        if let Some(recorder) = &mut self.recorder {
            recorder.note(note, text);
        }
    }

    fn lost(&mut self, error: &std::io::Error) -> PortError {
        let error = match &mut self.transport {
            Some(transport) => transport.lost(error),
            None => PortError::lost(&self.port.to_string(), error),
        };
        self.failed(error)
    }

    /// What a protocol gets that is driven over a closed port.
    fn gone(&mut self) -> PortError {
        self.last_error.clone().unwrap_or_else(|| PortError::Lost {
            port: self.port.to_string(),
            reason: Lost::Closed,
        })
    }

    /// The port failed: it is closed, and left alone for a while.
    fn failed(&mut self, error: PortError) -> PortError {
        self.note(Note::Lost, &error.to_string());
        self.shut();
        let doublings = self.failures.min(16);
        let pause = FIRST_PAUSE
            .saturating_mul(1 << doublings)
            .min(LONGEST_PAUSE);
        self.failures = self.failures.saturating_add(1);
        self.not_before = Instant::now() + pause;
        self.last_error = Some(error.clone());
        if self.down_since.is_none() {
            tracing::debug!(port = %self.port, %error, "port lost");
            self.down_since = Some(Instant::now());
            self.change = Some(Change::Lost(error.clone()));
        }
        error
    }

    fn shut(&mut self) {
        self.halfway = false;
        self.parked = self.transport.take().and_then(Transport::close);
    }

    fn to_tokio(&self, moment: kamstrup_kmp::Instant) -> Instant {
        let now = Instant::now();
        self.epoch
            .checked_add(moment.since_start())
            // Too far away to be a moment: as good as never, and a wake-up a day costs nothing.
            .unwrap_or(now + Duration::from_hours(24))
    }
}

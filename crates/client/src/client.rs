//! A meter behind a port: give it a task, get what came of it.

use std::ops::ControlFlow;
use std::time::Duration;

use kamstrup_kmp::Verdict;
use kamstrup_kmp::line::{Input, Output};
use kamstrup_kmp::session::{Attempt, Config, Event, Outcome, Session, Task};
use tokio::time::Instant;

use crate::connection::{Change, Connection};
use crate::error::{Lost, PortError, Unreachable};
use crate::port::Port;
use crate::recorder::Recorder;
use crate::recording::Note;
use crate::transport::OpenOptions;

/// So often a port that never worked is opened, and lost again, before that is reported.
const HANG_UPS_MAX: u64 = 5;

/// Ten years: longer than any task is waited for.
const LONGEST: Duration = Duration::from_hours(24 * 3650);

/// Reads one meter over one port.
///
/// The port is opened with the first task and stays open. It is closed on every failure and on
/// drop, and opened again with pauses that grow from 250 ms to 30 s. A port that cannot be opened in
/// the first place is reported at once; one that was lost is waited for until the task's deadline,
/// and the task goes on where it was.
///
/// Giving up waiting for a task (dropping its future) is allowed at any time.
///
/// ```no_run
/// use heatmeter_client::{Client, Port};
/// use kamstrup_kmp::RegisterId;
/// use kamstrup_kmp::session::Task;
///
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let port: Port = "/dev/serial/by-id/usb-FTDI_FT232R-if00-port0".parse()?;
/// let mut client = Client::new(port);
/// let outcome = client.run(Task::read(&[RegisterId(60)])).await?;
/// for record in outcome.records {
///     println!("{record:?}");
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Client {
    connection: Connection,
    session: Session,
    /// Which opening of the port the session knows.
    opening: u64,
}

/// What a client tells while it works on a task.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Notice {
    /// One request was answered, or was not.
    Attempt(Attempt),
    /// The port was lost, or works again.
    Port(Change),
}

impl Client {
    /// A client for a meter with the usual settings. Nothing is opened yet.
    pub fn new(port: Port) -> Self {
        Self::with_options(port, OpenOptions::default(), Config::default())
    }

    /// A client with its own settings. The session's line settings are those that count.
    pub fn with_options(port: Port, options: OpenOptions, config: Config) -> Self {
        let options = OpenOptions {
            line: config.line,
            ..options
        };
        Self {
            connection: Connection::new(port, options),
            session: Session::new(config),
            opening: 0,
        }
    }

    /// Works on a task and gives its outcome, at the latest a second after its time limit.
    ///
    /// # Errors
    ///
    /// The port cannot be opened, or was lost before anything was read.
    pub async fn run(&mut self, task: Task) -> Result<Outcome, PortError> {
        self.run_observed(task, |_| ()).await
    }

    /// The same, and tells what happens on the way.
    pub async fn run_observed(
        &mut self,
        task: Task,
        mut observe: impl FnMut(Notice),
    ) -> Result<Outcome, PortError> {
        let started = Instant::now();
        // A limit beyond what the clock can count is none.
        let deadline = started
            .checked_add(task.time_limit())
            .unwrap_or_else(|| started + LONGEST);
        let result = self.work(task, deadline, &mut observe).await;
        self.tell_change(&mut observe);
        let verdict = match &result {
            Ok(outcome) => outcome.verdict,
            Err(error) => error.verdict(),
        };
        if let Some(recorder) = self.connection.recorder() {
            recorder.note(Note::Verdict, verdict.code());
        }
        tracing::debug!(
            port = %self.connection.port(),
            verdict = verdict.code(),
            took = ?started.elapsed(),
            "task done"
        );
        result
    }

    /// The port's connection: its state, its recorder.
    pub fn connection(&mut self) -> &mut Connection {
        &mut self.connection
    }

    /// The session: what it knows of the meter.
    pub fn session(&self) -> &Session {
        &self.session
    }

    /// Writes everything down from now on.
    pub fn record(&mut self, recorder: Recorder) {
        self.connection.record(Some(recorder));
    }

    /// Closes the port. The next task opens it again.
    pub fn close(&mut self) {
        self.connection.close();
    }

    async fn work(
        &mut self,
        task: Task,
        deadline: Instant,
        observe: &mut impl FnMut(Notice),
    ) -> Result<Outcome, PortError> {
        // A line that was idle may have died meanwhile; the first thing that notices is the drain.
        loop {
            self.ready(deadline, observe).await?;
            if self.opening != self.connection.openings() {
                self.opening = self.connection.openings();
                self.session.reconnected();
            }
            match self.connection.drain(&mut self.session) {
                Ok(()) => break,
                Err(error) if self.may_come_back(&error, deadline) => self.tell_change(observe),
                Err(error) => return Err(error),
            }
        }

        let now = self.connection.now();
        let left = deadline.saturating_duration_since(Instant::now());
        self.session.start(task.within(left), now);
        loop {
            let driven = self
                .connection
                .drive(
                    &mut self.session,
                    deadline,
                    |connection, event| match event {
                        Event::Attempt(attempt) => {
                            if attempt.verdict == Verdict::Ok {
                                connection.works();
                            }
                            if let Some(change) = connection.take_change() {
                                observe(Notice::Port(change));
                            }
                            observe(Notice::Attempt(attempt));
                            ControlFlow::Continue(())
                        }
                        Event::Done(outcome) => ControlFlow::Break(outcome),
                        _ => ControlFlow::Continue(()),
                    },
                )
                .await;
            match driven {
                Ok(Some(outcome)) => {
                    self.connection.works();
                    return Ok(outcome);
                }
                // A session is idle only after it has told its outcome.
                Ok(None) => {
                    return Err(PortError::Lost {
                        port: self.connection.port().to_string(),
                        reason: Lost::Failed("the session ended without an outcome".to_owned()),
                    });
                }
                Err(error) if self.may_come_back(&error, deadline) => {
                    self.tell_change(observe);
                    if let Err(error) = self.ready(deadline, observe).await {
                        return self.what_was_read(deadline).ok_or(error);
                    }
                    self.opening = self.connection.openings();
                    self.session.interrupted(self.connection.now());
                }
                Err(error) => return self.what_was_read(deadline).ok_or(error),
            }
        }
    }

    /// Has the port open, or waits for one that worked before to come back.
    async fn ready(
        &mut self,
        deadline: Instant,
        observe: &mut impl FnMut(Notice),
    ) -> Result<(), PortError> {
        loop {
            match self.connection.open(deadline).await {
                Ok(()) => return Ok(()),
                Err(error) if self.may_come_back(&error, deadline) => self.tell_change(observe),
                Err(error) => return Err(error),
            }
        }
    }

    /// Whether it is worth waiting for the port.
    ///
    /// One that cannot be opened and never worked is reported at once: most likely its name is
    /// wrong. So is a bridge that says why it hangs up, and one that hangs up again and again.
    fn may_come_back(&self, error: &PortError, deadline: Instant) -> bool {
        let has_a_chance = match error {
            PortError::Lost {
                reason: Lost::Diverged(_),
                ..
            } => false,
            _ if self.connection.has_worked() => true,
            PortError::Lost { .. } => self.connection.openings() < HANG_UPS_MAX,
            PortError::Missing { .. } | PortError::Denied { .. } => self.connection.openings() > 0,
            PortError::Unreachable { reason, .. } => {
                self.connection.openings() > 0 && !matches!(reason, Unreachable::HungUp(_))
            }
            PortError::Busy { .. } => false,
        };
        has_a_chance && Instant::now() < deadline
    }

    /// The outcome of a task whose time is over, if there is anything in it.
    fn what_was_read(&mut self, deadline: Instant) -> Option<Outcome> {
        if Instant::now() < deadline {
            return None;
        }
        let now = self.connection.now();
        self.session.handle(Input::Timeout, now);
        loop {
            match self.session.poll() {
                Output::Event(Event::Done(outcome)) => {
                    return Some(outcome).filter(|outcome| outcome.verdict == Verdict::Ok);
                }
                Output::Wait(_) | Output::Idle => return None,
                _ => {}
            }
        }
    }

    fn tell_change(&mut self, observe: &mut impl FnMut(Notice)) {
        if let Some(change) = self.connection.take_change() {
            observe(Notice::Port(change));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn can_be_spawned(_: impl Future + Send) {}

    #[test]
    fn a_task_can_be_run_on_any_thread() {
        let mut client = Client::new(Port::Serial("/dev/ttyNothing".into()));
        can_be_spawned(client.run(Task::read(&[])));
    }
}

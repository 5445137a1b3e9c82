//! The smallest request there is, over and over: does the meter hear us, do we hear it?
//!
//! Unlike a reading, each attempt stands for itself. Its session knows nothing of those before: that the
//! meter answered earlier proves nothing while the head is moved, and an answer that comes late is as
//! good as one in time.

use std::ops::ControlFlow;
use std::time::Duration;

use kamstrup_kmp::Verdict;
use kamstrup_kmp::message::{MeterType, Request};
use kamstrup_kmp::session::{self, AskAnswer, Config, Event, Outcome, Session, Task};
use tokio::time::Instant;

use crate::connection::Connection;
use crate::error::PortError;
use crate::port::Port;
use crate::recorder::Recorder;
use crate::transport::OpenOptions;

/// Asks a meter for its type, once for each attempt.
#[derive(Debug)]
pub struct Probe {
    connection: Connection,
    config: Config,
}

impl Probe {
    /// Nothing is opened yet. Without a timeout it waits not longer than a meter may take: the next
    /// attempt is worth more than a late answer.
    pub fn new(port: Port, answer_timeout: Option<Duration>) -> Self {
        let config = Config {
            answer_timeout: answer_timeout.unwrap_or(Config::QUIET),
            ..Config::default()
        };
        Self {
            connection: Connection::new(port, OpenOptions::default()),
            config,
        }
    }

    /// Writes everything down from now on.
    pub fn record(&mut self, recorder: Option<Recorder>) {
        self.connection.record(recorder);
    }

    /// Sends one request and says what came of it.
    pub async fn attempt(&mut self) -> Attempt {
        self.attempt_observed(|_| ()).await
    }

    /// The same, and tells what the session says of it.
    pub async fn attempt_observed(&mut self, observe: impl FnMut(&session::Attempt)) -> Attempt {
        let started = Instant::now();
        let limit = LIMIT.max(self.config.answer_timeout + LIMIT / 2);
        match self.ask(limit, observe).await {
            Ok(outcome) => Attempt {
                verdict: outcome.verdict,
                took: outcome.line.took,
                meter_type: match outcome.answer {
                    Some(AskAnswer::Type(meter_type)) => Some(meter_type),
                    _ => None,
                },
                trouble: None,
            },
            Err(error) => Attempt {
                verdict: error.verdict(),
                took: started.elapsed(),
                meter_type: None,
                trouble: Some(error),
            },
        }
    }

    async fn ask(
        &mut self,
        limit: Duration,
        mut observe: impl FnMut(&session::Attempt),
    ) -> Result<Outcome, PortError> {
        let deadline = Instant::now() + limit;
        let mut session = Session::new(self.config);
        self.connection.open(deadline).await?;
        self.connection.drain(&mut session)?;
        let left = deadline.saturating_duration_since(Instant::now());
        let task = Task::ask(Request::GetType).with_attempts(1).within(left);
        session.start(task, self.connection.now());
        let done = self
            .connection
            .drive(&mut session, deadline, |connection, event| match event {
                Event::Attempt(attempt) => {
                    observe(&attempt);
                    ControlFlow::Continue(())
                }
                Event::Done(outcome) => {
                    connection.works();
                    ControlFlow::Break(outcome)
                }
                _ => ControlFlow::Continue(()),
            })
            .await?;
        Ok(done.unwrap_or_else(nothing))
    }
}

/// What came of one request.
#[derive(Clone, Debug)]
pub struct Attempt {
    /// What was seen.
    pub verdict: Verdict,
    /// How long it took.
    pub took: Duration,
    /// Who the meter says it is, if it answered.
    pub meter_type: Option<MeterType>,
    /// What is the matter with the port, if that is it.
    pub trouble: Option<PortError>,
}

/// An answer of six bytes has long come or will not.
const LIMIT: Duration = Duration::from_secs(3);

/// A session tells its outcome before it has nothing more to do; this is for the one that does not.
fn nothing() -> Outcome {
    Outcome {
        verdict: Verdict::Silent,
        records: Vec::new(),
        unsupported: Vec::new(),
        unanswered: Vec::new(),
        answer: None,
        line: session::LineStats::default(),
    }
}

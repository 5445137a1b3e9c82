//! The smallest request there is, over and over: does the meter hear us, do we hear it?
//!
//! Unlike a reading, each attempt stands for itself. Its session knows nothing of those before: that the
//! meter answered earlier proves nothing while the head is moved, and an answer that comes late is as
//! good as one in time.

use std::ops::ControlFlow;
use std::time::Duration;

use heatmeter_client::{Connection, OpenOptions, PortError};
use kamstrup_kmp::Verdict;
use kamstrup_kmp::message::{MeterType, Request};
use kamstrup_kmp::session::{AskAnswer, Config, Event, Outcome, Session, Task};
use tokio::time::Instant;

use crate::args::Line;
use crate::failure::Failure;
use crate::line_log::{self, Shown};

/// Asks a meter for its type, once for each attempt.
pub(crate) struct Probe {
    connection: Connection,
    config: Config,
    port: String,
    shown: Option<Shown>,
}

impl Probe {
    /// Nothing is opened yet.
    pub(crate) fn new(line: &Line, verbose: u8) -> Result<Self, Failure> {
        let (recorder, shown) = line_log::recorder(line, verbose)?;
        let mut connection = Connection::new(line.port.clone(), OpenOptions::default());
        connection.record(recorder);
        let config = Config {
            // Not longer than a meter may take: the next attempt is worth more than a late answer.
            answer_timeout: line.timeout.unwrap_or(Config::QUIET),
            ..Config::default()
        };
        Ok(Self {
            connection,
            config,
            port: line.port.to_string(),
            shown,
        })
    }

    /// The port as it is shown.
    pub(crate) fn port(&self) -> &str {
        &self.port
    }

    /// Sends one request and says what came of it.
    pub(crate) async fn attempt(&mut self) -> Attempt {
        let started = Instant::now();
        let limit = LIMIT.max(self.config.answer_timeout + LIMIT / 2);
        match self.ask(limit).await {
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

    async fn ask(&mut self, limit: Duration) -> Result<Outcome, PortError> {
        let deadline = Instant::now() + limit;
        let mut session = Session::new(self.config);
        self.connection.open(deadline).await?;
        self.connection.drain(&mut session)?;
        let left = deadline.saturating_duration_since(Instant::now());
        let task = Task::ask(Request::GetType).with_attempts(1).within(left);
        session.start(task, self.connection.now());
        let shown = &self.shown;
        let done = self
            .connection
            .drive(&mut session, deadline, |connection, event| match event {
                Event::Attempt(attempt) => {
                    if let Some(shown) = shown {
                        shown.flush();
                    }
                    line_log::attempt(&attempt);
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
pub(crate) struct Attempt {
    pub(crate) verdict: Verdict,
    pub(crate) took: Duration,
    pub(crate) meter_type: Option<MeterType>,
    /// What is the matter with the port, if that is it.
    pub(crate) trouble: Option<PortError>,
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
        line: kamstrup_kmp::session::LineStats::default(),
    }
}

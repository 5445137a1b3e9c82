//! A meter behind a port, and what is known of it: who it is and what it answers.
//!
//! Reading it spares its battery: one small request tells the model, after that only registers are
//! asked for, and the serial number comes along where a request has room for it.

use std::time::Duration;

pub(crate) use heatmeter_catalog::gate::Notice as Said;
use heatmeter_catalog::gate::{self, Checked, Gate, Limits, Look};
use heatmeter_catalog::{IDENTIFYING, Identity, Model, RegisterId, identify};
use heatmeter_client::{Change, Client, Notice, OpenOptions, PortError};
use kamstrup_kmp::message::{Batch, MeterType, Request};
use kamstrup_kmp::session::{AskAnswer, Config, LineStats, Outcome, Task};
use kamstrup_kmp::{Instant as Moment, Record, Verdict};
use tokio::time::Instant;

use crate::args::Line;
use crate::failure::Failure;
use crate::line_log::{self, Shown};
use crate::output::Progress;
use crate::reading::Reading;
use crate::who::Who;

/// The register that holds the serial number, as GetSerialNo does.
pub(crate) const SERIAL_NUMBER: RegisterId = RegisterId(1001);

/// After so many questions for its type without an answer a meter is not asked again.
const INTRODUCTIONS_MAX: u8 = 3;

/// A meter behind a port.
pub(crate) struct Meter {
    client: Client,
    port: String,
    said: Option<MeterType>,
    /// The opening of the port in which it was asked who it is.
    introduced: Option<u64>,
    /// How often it was asked that and did not say.
    unsaid: u8,
    identity: Identity,
    /// Judges what is read, and remembers what it has to be compared with.
    gate: Gate,
    started: Instant,
    /// How many seconds pass for the meter in one of ours: more than one if it is simulated so.
    speed: f64,
    /// What the user says it is.
    given: Option<&'static Model>,
    /// The port was lost or came back since this was last looked at.
    changes: Vec<Change>,
    /// Shows what goes over the line.
    shown: Option<Shown>,
    /// Tells why it takes so long.
    progress: Progress,
}

impl Meter {
    /// Nothing is opened yet.
    pub(crate) fn new(line: &Line, verbose: u8) -> Result<Self, Failure> {
        let config = Config {
            answer_timeout: line.timeout.unwrap_or(Duration::from_secs(2)),
            ..Config::default()
        };
        let options = OpenOptions::default();
        let mut client = Client::with_options(line.port.clone(), options, config);
        let (recorder, shown) = line_log::recorder(line, verbose)?;
        if let Some(recorder) = recorder {
            client.record(recorder);
        }
        Ok(Self {
            client,
            port: line.port.to_string(),
            said: None,
            introduced: None,
            unsaid: 0,
            identity: Identity::default(),
            gate: Gate::new(),
            started: Instant::now(),
            speed: 1.0,
            given: None,
            changes: Vec::new(),
            shown,
            progress: Progress::default(),
        })
    }

    /// Takes the meter for this model, whatever it says.
    #[must_use]
    pub(crate) fn with_model(mut self, model: Option<&'static Model>) -> Self {
        self.given = model;
        self
    }

    /// Tells that the meter lives faster than we do.
    #[must_use]
    pub(crate) fn at_speed(mut self, speed: f64) -> Self {
        self.speed = speed;
        self
    }

    /// Tells people who wait for it why it takes so long.
    #[must_use]
    pub(crate) fn telling(mut self, progress: Progress) -> Self {
        self.progress = progress;
        self
    }

    /// The port as it is shown.
    pub(crate) fn port(&self) -> &str {
        &self.port
    }

    /// What it is, as far as anybody knows.
    pub(crate) fn model(&self) -> Option<&'static Model> {
        self.given.or_else(|| identify(&self.identity))
    }

    /// Whether it said who it is since the port was opened, or the user did.
    pub(crate) fn is_introduced(&mut self) -> bool {
        let opening = self.openings();
        self.given.is_some() || self.introduced == Some(opening)
    }

    /// How often the port was opened.
    pub(crate) fn openings(&mut self) -> u64 {
        self.client.connection().openings()
    }

    /// Who it is.
    pub(crate) fn who(&self) -> Who {
        Who {
            model: self.model().map(|model| model.name),
            serial: self.gate.serial().map(str::to_owned),
            ..Who::of(self.said)
        }
    }

    /// Asks it who it is. That it does not say so is no failure: some meters only answer registers.
    pub(crate) async fn introduce(&mut self, limit: Duration) -> Result<Introduction, PortError> {
        let task = Task::ask(Request::GetType).with_attempts(2).within(limit);
        let outcome = self.run(task).await?;
        match outcome.answer {
            Some(AskAnswer::Type(meter_type)) => self.introduced_as(meter_type),
            _ => self.unsaid = self.unsaid.saturating_add(1),
        }
        Ok(Introduction {
            verdict: outcome.verdict,
            line: outcome.line,
        })
    }

    /// Reads registers, and the serial number with them where that costs no request. What is implausible
    /// is read a second time.
    pub(crate) async fn read(
        &mut self,
        registers: &[RegisterId],
        limit: Duration,
        attempts: Option<u32>,
    ) -> Result<Reply, PortError> {
        let budget = Budget::new(limit);
        let mut asked = registers.to_vec();
        let has_room = !asked.len().is_multiple_of(Batch::MAX);
        if self.gate.serial().is_none() && has_room && !asked.contains(&SERIAL_NUMBER) {
            asked.push(SERIAL_NUMBER);
        }
        let mut task = Task::read(&asked).within(limit);
        if let Some(attempts) = attempts {
            task = task.with_attempts(attempts);
        }
        let outcome = self.run(task).await?;
        let mut line = outcome.line;
        let checked = self.check(&asked, &outcome, budget, &mut line).await;
        for record in checked.readings.iter().filter_map(gate::Reading::good) {
            self.learn(record);
        }
        if !outcome.records.is_empty() && self.unsaid >= INTRODUCTIONS_MAX {
            // A meter that answers registers and never its type does not know that question.
            self.introduced = Some(self.openings());
        }
        Ok(Reply::new(registers, &outcome, checked, line, self.model()))
    }

    /// Has the gate look at what was read, and reads again what it doubts.
    async fn check(
        &mut self,
        asked: &[RegisterId],
        outcome: &Outcome,
        budget: Budget,
        line: &mut LineStats,
    ) -> Checked {
        let limits = self.model().map_or_else(Limits::default, Limits::from);
        let answered = answered_for(asked, outcome);
        let poll = gate::Poll {
            asked: &answered,
            records: &outcome.records,
            serial: None,
        };
        let doubt = match self.gate.first(&limits, &poll, self.gate_time()) {
            Look::Checked(checked) => return checked,
            Look::Doubtful(doubt) => doubt,
        };
        tracing::info!("reading again what is implausible: {:?}", doubt.reread());
        let task = Task::read(doubt.reread()).within(budget.left());
        let again = self.run(task).await.ok();
        if let Some(again) = &again {
            line.add(again.line);
        }
        let reread = again
            .as_ref()
            .map(|again| answered_for(doubt.reread(), again));
        let poll = gate::Poll {
            asked: reread.as_deref().unwrap_or_default(),
            records: again.as_ref().map_or(&[], |again| &again.records),
            serial: None,
        };
        self.gate.second(doubt, &poll, self.gate_time())
    }

    /// The time by which the gate judges what is possible.
    fn gate_time(&self) -> Moment {
        Moment::from_start(self.started.elapsed().mul_f64(self.speed))
    }

    /// Runs a task and logs what happens.
    pub(crate) async fn run(&mut self, task: Task) -> Result<Outcome, PortError> {
        let (changes, shown) = (&mut self.changes, &self.shown);
        let progress = &mut self.progress;
        let mut lost = None;
        let result = self
            .client
            .run_observed(task, |notice| match notice {
                Notice::Attempt(attempt) => {
                    if let Some(shown) = shown {
                        shown.flush();
                    }
                    line_log::attempt(&attempt);
                    if attempt.verdict != Verdict::Ok {
                        let seen = attempt.verdict.code();
                        progress.show(&format!("no good answer yet ({seen}), asking again ..."));
                    }
                }
                Notice::Port(change) => {
                    if let Change::Lost(error @ PortError::Lost { .. }) = &change {
                        lost = Some(error.clone());
                    }
                    changes.push(change);
                }
                _ => {}
            })
            .await;
        self.progress.clear();
        // A port that was there and went away is lost, however it looks while it is gone.
        result.map_err(|error| lost.unwrap_or(error))
    }

    /// Closes the port. The next request opens it again.
    pub(crate) fn close(&mut self) {
        self.client.close();
    }

    /// What became of the port since the last call.
    pub(crate) fn take_changes(&mut self) -> Vec<Change> {
        std::mem::take(&mut self.changes)
    }

    fn introduced_as(&mut self, meter_type: MeterType) {
        self.said = Some(meter_type);
        // Behind a port that was opened again there may be another meter.
        self.identity = Identity {
            type_code: Some(meter_type.code),
            software: Some(meter_type.software.0),
            ..Identity::default()
        };
        self.introduced = Some(self.openings());
        self.unsaid = 0;
    }

    fn learn(&mut self, record: &Record) {
        if IDENTIFYING.contains(&record.register) {
            self.identity
                .learn(record.register, &record.value.to_string());
        }
    }
}

/// What came of reading registers.
#[derive(Clone, Debug)]
pub(crate) struct Reply {
    /// [`Verdict::Ok`] if the meter had anything of what was asked for.
    pub(crate) verdict: Verdict,
    /// One for every register asked for, in that order.
    pub(crate) readings: Vec<Reading>,
    /// What people should be told.
    pub(crate) notices: Vec<Said>,
    pub(crate) line: LineStats,
}

impl Reply {
    fn new(
        asked: &[RegisterId],
        outcome: &Outcome,
        checked: Checked,
        line: LineStats,
        model: Option<&Model>,
    ) -> Self {
        let find = |id| {
            checked
                .readings
                .iter()
                .find(|reading| reading.register() == id)
        };
        let readings = asked
            .iter()
            .map(|&id| match find(id) {
                Some(reading) => Reading::checked(reading, model),
                None => Reading::unanswered(id),
            })
            .collect();
        let is_answered =
            |id: &RegisterId| outcome.records.iter().any(|record| record.register == *id);
        let verdict = match outcome.verdict {
            // The serial number that came along does not count as an answer.
            Verdict::Ok if !asked.iter().any(is_answered) => {
                if asked.iter().any(|id| outcome.unanswered.contains(id)) {
                    Verdict::Silent
                } else {
                    Verdict::NotSupported
                }
            }
            verdict => verdict,
        };
        Self {
            verdict,
            readings,
            notices: checked.notices,
            line,
        }
    }
}

/// The registers of which the meter said whether it has them.
fn answered_for(asked: &[RegisterId], outcome: &Outcome) -> Vec<RegisterId> {
    let mut answered = asked.to_vec();
    answered.retain(|id| !outcome.unanswered.contains(id));
    answered
}

/// What came of asking a meter who it is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Introduction {
    pub(crate) verdict: Verdict,
    pub(crate) line: LineStats,
}

/// Time that is given away bit by bit.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Budget {
    end: Instant,
}

impl Budget {
    pub(crate) fn new(limit: Duration) -> Self {
        Self {
            end: Instant::now() + limit,
        }
    }

    pub(crate) fn left(self) -> Duration {
        self.end.saturating_duration_since(Instant::now())
    }
}

//! A meter behind a port, and what is known of it: who it is, what it answers, and what the gate says
//! of that.
//!
//! Reading it spares its battery: one small request tells the model, after that only registers are
//! asked for, and the serial number comes along where a request has room for it.

use std::time::Duration;

use heatmeter_catalog::gate::{self, Checked, Gate, Limits, Look};
use heatmeter_catalog::reading::{Quality, Reading};
use heatmeter_catalog::{IDENTIFYING, Identity, Model, RegisterId, identify};
use kamstrup_kmp::message::{Batch, MeterType, Request};
use kamstrup_kmp::session::{AskAnswer, LineStats, Outcome, Task};
use kamstrup_kmp::{Instant as Moment, Record, Verdict};
use tokio::time::Instant;

use crate::client::{Client, Notice};
use crate::connection::Change;
use crate::error::PortError;

/// The register that holds the serial number, as GetSerialNo does.
const SERIAL_NUMBER: RegisterId = RegisterId(1001);

/// After so many questions for its type without an answer a meter is not asked again.
const INTRODUCTIONS_MAX: u8 = 3;

/// The most that is asked of a meter that has not said a word yet.
const ATTEMPTS_WITHOUT_A_SIGN: u32 = 3;

/// How long a poll may take without a deadline of its own, and what each request after the first adds.
const USUAL_LIMIT: Duration = Duration::from_secs(20);
const LONGER_FOR_A_REQUEST: Duration = Duration::from_secs(5);

/// A meter behind a port.
#[derive(Debug)]
pub struct Meter {
    client: Client,
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
}

/// A poll that was answered.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Answered {
    /// One for every register asked for, in that order.
    pub readings: Vec<Reading>,
    /// What people should be told about the values.
    pub notices: Vec<gate::Notice>,
    /// What it cost.
    pub line: LineStats,
}

/// A poll that was not.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PollError {
    /// The port cannot be used.
    #[error(transparent)]
    Port(#[from] PortError),
    /// The port is there, and the meter's answer is not.
    #[error("{}", .verdict.message())]
    Verdict {
        /// What was seen instead.
        verdict: Verdict,
        /// What it cost.
        line: LineStats,
    },
}

impl PollError {
    /// What came of it, in a word.
    pub fn verdict(&self) -> Verdict {
        match self {
            Self::Port(error) => error.verdict(),
            Self::Verdict { verdict, .. } => *verdict,
        }
    }

    /// The next thing to do.
    pub fn help(&self) -> String {
        match self {
            Self::Port(error) => error.help(),
            Self::Verdict { verdict, .. } => verdict.help().to_owned(),
        }
    }

    /// What it cost the line.
    pub fn line(&self) -> LineStats {
        match self {
            Self::Port(_) => LineStats::default(),
            Self::Verdict { line, .. } => *line,
        }
    }
}

impl Meter {
    /// Nothing is opened yet.
    pub fn new(client: Client) -> Self {
        Self {
            client,
            said: None,
            introduced: None,
            unsaid: 0,
            identity: Identity::default(),
            gate: Gate::new(),
            started: Instant::now(),
            speed: 1.0,
            given: None,
        }
    }

    /// Takes the meter for this model, whatever it says.
    #[must_use]
    pub fn with_model(mut self, model: Option<&'static Model>) -> Self {
        self.given = model;
        self
    }

    /// Tells that the meter lives faster than we do.
    #[must_use]
    pub fn at_speed(mut self, speed: f64) -> Self {
        self.speed = speed;
        self
    }

    /// Judges with what a gate remembers from before.
    #[must_use]
    pub fn with_gate(mut self, gate: Gate) -> Self {
        self.gate = gate;
        self
    }

    /// Another meter is there, and what the gate remembers is not about it.
    pub fn forget(&mut self) {
        self.gate = Gate::new();
    }

    /// What it is, as far as anybody knows.
    pub fn model(&self) -> Option<&'static Model> {
        self.given.or_else(|| identify(&self.identity))
    }

    /// What it said when it was asked for its type.
    pub fn said(&self) -> Option<MeterType> {
        self.said
    }

    /// Its serial number, once it was read.
    pub fn serial(&self) -> Option<&str> {
        self.gate.serial()
    }

    /// What judges its values.
    pub fn gate(&self) -> &Gate {
        &self.gate
    }

    /// The time by which the gate judges what is possible.
    pub fn gate_time(&self) -> Moment {
        Moment::from_start(self.started.elapsed().mul_f64(self.speed))
    }

    /// Whether it said who it is since the port was opened, or the user did.
    pub fn is_introduced(&mut self) -> bool {
        let opening = self.openings();
        self.given.is_some() || self.introduced == Some(opening)
    }

    /// How often the port was opened.
    pub fn openings(&mut self) -> u64 {
        self.client.connection().openings()
    }

    /// What reads it.
    pub fn client(&mut self) -> &mut Client {
        &mut self.client
    }

    /// Closes the port. The next request opens it again.
    pub fn close(&mut self) {
        self.client.close();
    }

    /// Who the meter is, if that has to be asked, then the registers that `choose` names once it is
    /// known which model it is about, within one span of time.
    ///
    /// Without a deadline it takes up to 20 s, and 5 s more for every request after the first.
    ///
    /// # Errors
    ///
    /// Nothing of what was asked for was answered.
    pub async fn poll(
        &mut self,
        deadline: Option<Duration>,
        choose: impl FnOnce(Option<&'static Model>) -> Vec<RegisterId>,
        mut observe: impl FnMut(Notice),
    ) -> Result<Answered, PollError> {
        let budget = Budget::new(deadline.unwrap_or(USUAL_LIMIT));
        let mut line = LineStats::default();
        let mut attempts = None;
        let mut seen = None;
        if !self.is_introduced() {
            // The other half is for the registers.
            let introduction = self.introduce(budget.left() / 2, &mut observe).await?;
            line.add(introduction.line);
            let verdict = introduction.verdict;
            let no_sign = matches!(
                verdict,
                Verdict::Silent | Verdict::EchoOnly | Verdict::Asleep
            );
            seen = Some(verdict);
            attempts = no_sign.then_some(ATTEMPTS_WITHOUT_A_SIGN);
        }
        let asked = choose(self.model());
        let limit = match deadline {
            Some(_) => budget.left(),
            None => budget.left() + longer_for(asked.len()),
        };
        let reply = self.read(&asked, limit, attempts, &mut observe).await?;
        line.add(reply.line);
        if reply.verdict != Verdict::Ok {
            // Silence tells less than whatever came before it.
            let verdict = match (reply.verdict, seen) {
                (Verdict::Silent, Some(Verdict::Ok)) => Verdict::Asleep,
                (Verdict::Silent, Some(before)) => before,
                (verdict, _) => verdict,
            };
            return Err(PollError::Verdict { verdict, line });
        }
        Ok(Answered {
            readings: reply.readings,
            notices: reply.notices,
            line,
        })
    }

    /// Asks it who it is. That it does not say so is no failure: some meters only answer registers.
    pub async fn introduce(
        &mut self,
        limit: Duration,
        observe: impl FnMut(Notice),
    ) -> Result<Introduction, PortError> {
        let task = Task::ask(Request::GetType).with_attempts(2).within(limit);
        let outcome = self.run(task, observe).await?;
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
    pub async fn read(
        &mut self,
        registers: &[RegisterId],
        limit: Duration,
        attempts: Option<u32>,
        mut observe: impl FnMut(Notice),
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
        let outcome = self.run(task, &mut observe).await?;
        let mut line = outcome.line;
        let checked = self
            .check(&asked, &outcome, budget, &mut line, observe)
            .await;
        for record in checked.readings.iter().filter_map(gate::Reading::good) {
            self.learn(record);
        }
        if !outcome.records.is_empty() && self.unsaid >= INTRODUCTIONS_MAX {
            // A meter that answers registers and never its type does not know that question.
            self.introduced = Some(self.openings());
        }
        Ok(Reply::new(registers, &outcome, &checked, line))
    }

    /// Has the gate look at what was read, and reads again what it doubts.
    async fn check(
        &mut self,
        asked: &[RegisterId],
        outcome: &Outcome,
        budget: Budget,
        line: &mut LineStats,
        observe: impl FnMut(Notice),
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
        let again = self.run(task, observe).await.ok();
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

    /// Runs a task. What happens on the way is told; a port that was there and went away is lost,
    /// however it looks while it is gone.
    ///
    /// # Errors
    ///
    /// The port cannot be used.
    pub async fn run(
        &mut self,
        task: Task,
        mut observe: impl FnMut(Notice),
    ) -> Result<Outcome, PortError> {
        let mut lost = None;
        let result = self
            .client
            .run_observed(task, |notice| {
                if let Notice::Port(Change::Lost(error @ PortError::Lost { .. })) = &notice {
                    lost = Some(error.clone());
                }
                observe(notice);
            })
            .await;
        result.map_err(|error| lost.unwrap_or(error))
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
#[non_exhaustive]
pub struct Reply {
    /// [`Verdict::Ok`] if the meter had anything of what was asked for.
    pub verdict: Verdict,
    /// One for every register asked for, in that order.
    pub readings: Vec<Reading>,
    /// What people should be told.
    pub notices: Vec<gate::Notice>,
    /// What it cost.
    pub line: LineStats,
}

impl Reply {
    fn new(asked: &[RegisterId], outcome: &Outcome, checked: &Checked, line: LineStats) -> Self {
        let find = |id| {
            checked
                .readings
                .iter()
                .find(|reading| reading.register() == id)
        };
        let readings = asked
            .iter()
            .map(|&id| match find(id) {
                Some(reading) => Reading::checked(reading),
                None => Reading::without(id, Quality::Unanswered),
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
            notices: checked.notices.clone(),
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
#[non_exhaustive]
pub struct Introduction {
    /// What came of it.
    pub verdict: Verdict,
    /// What it cost.
    pub line: LineStats,
}

/// Time that is given away bit by bit.
#[derive(Clone, Copy, Debug)]
struct Budget {
    end: Instant,
}

impl Budget {
    fn new(limit: Duration) -> Self {
        Self {
            end: Instant::now() + limit,
        }
    }

    fn left(self) -> Duration {
        self.end.saturating_duration_since(Instant::now())
    }
}

fn longer_for(registers: usize) -> Duration {
    let more = registers.div_ceil(Batch::MAX).saturating_sub(1);
    LONGER_FOR_A_REQUEST * u32::try_from(more).unwrap_or(u32::MAX)
}

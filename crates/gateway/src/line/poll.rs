//! One poll: read, judge, record, tell.

use std::sync::Arc;
use std::time::Duration;

use heatmeter_catalog::reading::{Quality, Reading};
use heatmeter_catalog::{Model, RegisterId, is_simulated};
use heatmeter_client::{Answered, Notice, PollError, Rounds};
use heatmeter_history::{self as history, History, HistoryError, Poll, Stored};
use jiff::Timestamp;
use kamstrup_kmp::Verdict;
use kamstrup_kmp::message::Request;
use kamstrup_kmp::session::{AskAnswer, LineStats, Task};
use tokio::time::Instant;

use super::memory::Memory;
use super::tape::Tape;
use super::{Latest, Line, rounds_of};
use crate::hub::{Doing, Event, MeterState, Trouble};

/// The register that holds the serial number.
const SERIAL_NUMBER: RegisterId = RegisterId(1001);

/// How long a meter that keeps its serial number out of the registers is asked for it.
const ASKED_FOR_SERIAL: Duration = Duration::from_secs(5);

/// What came of asking.
struct Over {
    at: Timestamp,
    verdict: Verdict,
    trouble: Option<Trouble>,
    readings: Vec<Reading>,
    line: LineStats,
    /// The serial number of the meter that answered, if it has said that in this opening of the port.
    serial: Option<String>,
}

impl Line {
    /// Reads these registers, or those that are due, and tells everybody what came of it.
    pub(super) async fn poll(
        &mut self,
        registers: Option<Vec<RegisterId>>,
    ) -> Result<Arc<Poll>, Trouble> {
        let turns = Arc::clone(&self.around.turns);
        let _turn = turns.lock().await;
        self.do_now(Doing::Reading);
        let mut over = self.ask(registers.clone()).await;
        if over.verdict == Verdict::Ok {
            self.learn_who_it_is(&mut over).await;
        }
        if self.around.is_shared || matches!(over.verdict, Verdict::Silent | Verdict::Asleep) {
            // A connection that died without a word looks like silence. Opening anew tells.
            self.meter.close();
        }
        self.state.doing = Doing::Waiting;
        let outcome = self.conclude(over).await;
        self.tell();
        if let Ok(poll) = &outcome {
            self.around.hub.announce(Event::Poll {
                slot: self.settings.slot.clone(),
                poll: Arc::clone(poll),
            });
            self.latest = Some(Latest {
                registers,
                poll: Arc::clone(poll),
                ended: Instant::now(),
            });
        }
        outcome
    }

    async fn ask(&mut self, registers: Option<Vec<RegisterId>>) -> Over {
        // To the millisecond, as the history and the poll's id have it.
        let now = self.around.clock.now();
        let at = Timestamp::from_millisecond(now.as_millisecond()).unwrap_or(now);
        let began = Instant::now();
        let (tape, recorder) = Tape::begin(&self.settings.port.to_string());
        if let Some(recorder) = recorder {
            self.meter.client().record(recorder);
        }
        let opening = self.meter.openings();
        // Behind a port that was opened again there may be another meter; one that is closed will be.
        let is_open = self.meter.client().connection().is_open();
        let known = self
            .identified
            .take_if(|(identified, _)| is_open && *identified == opening);
        let says_who_it_is = known.is_some();
        let Self {
            meter,
            rounds,
            settings,
            around,
            state,
            ..
        } = self;
        let mut attempts = 0;
        let result = meter
            .poll(
                None,
                |model| {
                    let by_schedule = || {
                        if let Some(chosen) = &settings.registers {
                            return chosen.clone();
                        }
                        // A meter that does not say its type this time still is what it was.
                        let model = model.or(state.model);
                        rounds_of(rounds, settings, around.clock.speed(), model).due()
                    };
                    let mut asked = registers.unwrap_or_else(by_schedule);
                    if !says_who_it_is && !asked.contains(&SERIAL_NUMBER) {
                        asked.push(SERIAL_NUMBER);
                    }
                    asked
                },
                |notice| {
                    if matches!(notice, Notice::Attempt(_)) {
                        attempts += 1;
                    }
                },
            )
            .await;
        let mut over = Over::new(at, result);
        let has_said = over
            .readings
            .iter()
            .any(|reading| reading.register == SERIAL_NUMBER && reading.quality == Quality::Good);
        over.serial = if has_said {
            self.meter.serial().map(str::to_owned)
        } else {
            self.identified = known.filter(|_| self.meter.openings() == opening);
            self.identified.as_ref().map(|(_, serial)| serial.clone())
        };
        if let (Some(rounds), Verdict::Ok) = (&mut self.rounds, over.verdict) {
            rounds.done(&over.readings);
        }
        let exchange = tape.exchange(at, over.verdict, began.elapsed(), attempts);
        self.around.hub.keep_exchange(&self.settings.slot, exchange);
        self.book
            .note(at, over.line.requests.min(1), over.line.took.as_secs_f64());
        over
    }

    /// Takes note of which meter answered. One that is not the expected one has no values for us.
    async fn learn_who_it_is(&mut self, over: &mut Over) {
        let mut serial = over.serial.take();
        if serial.is_none() {
            let task = Task::ask(Request::GetSerialNo).within(ASKED_FOR_SERIAL);
            if let Ok(outcome) = self.meter.run(task, |_| ()).await {
                over.line.add(outcome.line);
                if let Some(AskAnswer::SerialNo(number)) = outcome.answer {
                    serial = Some(number.to_string());
                }
            }
        }
        let Some(serial) = serial else {
            over.refuse(
                "The meter does not say its serial number.",
                "Values are kept by serial number. Read it with `heatmeter read PORT serial_number` \
                 and report the meter, see docs/adding-a-meter.md.",
            );
            return;
        };
        if self.meter.serial().is_some_and(|judged| judged != serial) {
            self.meter.forget();
            over.refuse(
                format!("Another meter answers: {serial}. Its values were judged as those of the other one."),
                "Nothing to do: the next poll is about the new one.",
            );
            return;
        }
        self.identified = Some((self.meter.openings(), serial.clone()));
        if let Some(expected) = self.settings.serial.as_ref().filter(|it| **it != serial) {
            over.refuse(
                format!("The meter on this port is {serial}, and {expected} is expected."),
                "Put the head on the right meter, or change `serial` in the configuration.",
            );
            return;
        }
        let said = self.meter.said();
        let before = self.state.meter.as_ref();
        let is_another = before.is_some_and(|before| before.serial != serial);
        // What it does not say this time it has said before.
        let known = before.filter(|_| !is_another);
        if is_another || self.meter.model().is_some() {
            self.state.model = self.meter.model();
        }
        let meter = history::Meter {
            model: self.state.model.map(|model| model.name.to_owned()),
            type_code: said
                .map(|said| said.code)
                .or_else(|| known.and_then(|known| known.type_code)),
            software: said
                .map(|said| said.software)
                .filter(|software| software.is_available())
                .map(|software| software.to_string())
                .or_else(|| known.and_then(|known| known.software.clone())),
            serial,
        };
        if is_another {
            tracing::warn!(
                slot = self.settings.slot,
                serial = meter.serial,
                "another meter answers"
            );
            self.state.readings.clear();
            if let Some(rounds) = &mut self.rounds {
                rounds.begin_anew();
            }
        }
        if self.state.meter.as_ref() != Some(&meter) || !self.is_introduced {
            let introduced = self.around.history.introduce(meter.clone()).await;
            // Tried again with the next poll.
            self.is_introduced = introduced.is_ok();
            if let Err(error) = introduced {
                tracing::warn!(%error, "cannot note who the meter is");
            }
            self.state.is_simulated = meter.type_code.is_some_and(is_simulated);
            self.state.meter = Some(meter);
        }
    }

    /// Records the poll and takes it into the state.
    async fn conclude(&mut self, over: Over) -> Result<Arc<Poll>, Trouble> {
        let now = self.around.clock.now();
        if self.state.verdict != Some(over.verdict) {
            self.state.verdict_since = Some(over.at);
            say(&self.settings.slot, &over, self.state.verdict);
        }
        self.state.verdict = Some(over.verdict);
        self.state.trouble.clone_from(&over.trouble);
        self.state.tried_at = Some(over.at);
        self.state.ledger = self.book.ledger(now, &self.settings.schedule);
        if over.verdict == Verdict::Ok {
            self.state.read_at = Some(over.at);
            self.take_readings(&over);
        }
        // What happened is told even of a meter that never said who it is; only that has no place in
        // the history.
        let Some(meter) = &self.state.meter else {
            return Err(over.trouble_of());
        };
        let poll = Poll {
            serial: meter.serial.clone(),
            at: over.at,
            verdict: over.verdict,
            readings: over.readings.clone(),
            line: cost(over.line),
        };
        match self.around.history.record(poll.clone()).await {
            Ok(_) => {}
            Err(error @ HistoryError::Waits { .. }) => tracing::debug!(%error, "a poll waits"),
            Err(error) => tracing::error!(%error, "a poll is not kept"),
        }
        if over.verdict != Verdict::Ok {
            self.around.hub.announce(Event::Poll {
                slot: self.settings.slot.clone(),
                poll: Arc::new(poll),
            });
            return Err(over.trouble_of());
        }
        let memory = Memory::of(
            &self.settings.slot,
            &self.state.port,
            self.meter.gate(),
            self.meter.gate_time(),
            now,
        );
        let kept = self.around.history.remember(&poll.serial, memory.text());
        if let Err(error) = kept.await {
            tracing::debug!(%error, "what the gate remembers is not kept");
        }
        Ok(Arc::new(poll))
    }

    fn take_readings(&mut self, over: &Over) {
        if self.settings.registers.is_none() {
            // Also after a poll of chosen registers: a meter that is known has registers.
            let speed = self.around.clock.speed();
            let rounds = rounds_of(&mut self.rounds, &self.settings, speed, self.state.model);
            self.state.registers = rounds.registers().collect();
        }
        let registers = &self.state.registers;
        // What is no longer read is no longer shown.
        self.state.readings.retain(|id, _| registers.contains(id));
        let readings = &mut self.state.readings;
        for reading in &over.readings {
            let is_shown = registers.contains(&reading.register);
            // That no answer came does not change what the last one was.
            if is_shown && reading.quality != Quality::Unanswered {
                readings.insert(reading.register, (reading.clone(), over.at));
            }
        }
    }
}

impl Over {
    fn new(at: Timestamp, result: Result<Answered, PollError>) -> Self {
        match result {
            Ok(answered) => {
                for notice in &answered.notices {
                    tracing::info!("{notice}");
                }
                Self {
                    at,
                    verdict: Verdict::Ok,
                    trouble: None,
                    readings: answered.readings,
                    line: answered.line,
                    serial: None,
                }
            }
            Err(error) => Self {
                at,
                verdict: error.verdict(),
                // A verdict speaks for itself, in the language of whoever is told.
                trouble: match &error {
                    PollError::Port(error) => Some(Trouble {
                        message: sentence(&error.to_string()),
                        help: sentence(&error.help()),
                    }),
                    _ => None,
                },
                readings: Vec::new(),
                line: error.line(),
                serial: None,
            },
        }
    }

    /// What was read is not what was wanted.
    fn refuse(&mut self, message: impl Into<String>, help: impl Into<String>) {
        self.verdict = Verdict::UnexpectedAnswer;
        self.readings.clear();
        self.trouble = Some(Trouble {
            message: message.into(),
            help: help.into(),
        });
    }

    fn trouble_of(&self) -> Trouble {
        self.trouble.clone().unwrap_or_else(|| Trouble {
            message: self.verdict.message().to_owned(),
            help: self.verdict.help().to_owned(),
        })
    }
}

/// Takes up what was last read of a meter before a restart.
pub(super) async fn recall(state: &mut MeterState, serial: &str, history: &History) {
    let meters = history.meters().await.unwrap_or_default();
    let Some(meter) = meters.into_iter().find(|meter| meter.serial == serial) else {
        return;
    };
    state.model = state
        .model
        .or_else(|| meter.model.as_deref().and_then(heatmeter_catalog::model));
    state.is_simulated = meter.type_code.is_some_and(is_simulated);
    if state.registers.is_empty() {
        let model = state.model.unwrap_or_else(Model::unknown);
        let rounds = Rounds::new(model, Duration::ZERO);
        state.registers = rounds.registers().collect();
    }
    for latest in history.latest(serial).await.unwrap_or_default() {
        if !state.registers.contains(&latest.reading.register) {
            continue;
        }
        state
            .readings
            .insert(latest.reading.register, (latest.reading, latest.at));
    }
    state.read_at = state.readings.values().map(|(_, at)| *at).max();
    if let Ok(Some(Stored { poll, .. })) = history.newest(serial).await {
        state.verdict = Some(poll.verdict);
        state.verdict_since = Some(poll.at);
        state.tried_at = Some(poll.at);
    }
    state.meter = Some(meter);
}

/// A change of the verdict is said once in the log.
fn say(slot: &str, over: &Over, before: Option<Verdict>) {
    match (over.verdict, before) {
        (Verdict::Ok, None) => tracing::info!(slot, "the meter answers"),
        (Verdict::Ok, Some(_)) => tracing::info!(slot, "the meter answers again"),
        (verdict, _) => {
            let Trouble { message, help } = over.trouble_of();
            tracing::warn!(slot, verdict = verdict.code(), "{message} {help}");
        }
    }
}

fn cost(line: LineStats) -> history::Line {
    history::Line {
        requests: line.requests,
        retries: line.retries,
        bytes_sent: line.bytes_sent,
        bytes_received: line.bytes_received,
        took: line.took,
    }
}

/// Begins with a capital and ends with a full stop.
fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let mut sentence: String = letters
        .next()
        .map(|first| first.to_uppercase().chain(letters).collect())
        .unwrap_or_default();
    if !sentence.ends_with(['.', '!', '?']) {
        sentence.push('.');
    }
    sentence
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_is_a_sentence() {
        assert_eq!(sentence("the port is gone"), "The port is gone.");
        assert_eq!(sentence("Is it?"), "Is it?");
        assert_eq!(sentence(""), ".");
    }
}

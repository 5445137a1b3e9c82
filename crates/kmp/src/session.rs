//! A session: asks a meter, and finds the answers in whatever comes back.
//!
//! One [`Session`] per line. It runs one [`Task`] at a time; a task is a few exchanges, an exchange
//! is one request and what comes back until the answer is there or the line has been quiet for as
//! long as the vendor wants. The rules of time are those of the vendor document 5512-447, section
//! 2.1: an answer begins within 1.6 s; after anything that went wrong, 1.6 s pass before the next
//! request; one byte time lies between an answer and the next request.

mod evidence;
mod exchange;
mod owed;
mod work;

use alloc::boxed::Box;
use alloc::collections::{BTreeMap, BTreeSet, VecDeque};
use alloc::vec::Vec;
use core::time::Duration;

use crate::clock::Instant;
use crate::frame::Address;
use crate::line::{Input, LineSettings, Output};
use crate::message::{MeterType, Request};
use crate::register::{Record, RegisterId};
use crate::verdict::Verdict;

use exchange::Exchange;
use owed::{Owed, Settled};
use work::{Next, Work};

/// How a session deals with its line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Config {
    /// Whom to ask.
    pub address: Address,
    /// What the line must be set to.
    pub line: LineSettings,
    /// How long to wait for the first byte of an answer, from the last byte of the request on.
    ///
    /// A meter takes up to 1.6 s; a network between needs more.
    pub answer_timeout: Duration,
    /// How often to ask the same before giving up, as far as the task's deadline allows.
    pub attempts: u32,
}

impl Config {
    /// The vendor's time for an answer to begin, and to leave the line alone after a failure.
    pub const QUIET: Duration = Duration::from_millis(1600);
}

impl Default for Config {
    fn default() -> Self {
        Self {
            address: Address::METER,
            line: LineSettings::KMP,
            answer_timeout: Duration::from_secs(2),
            attempts: 5,
        }
    }
}

/// Something to find out from the meter, by a deadline.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Task {
    goal: Goal,
    time_limit: Duration,
    attempts: Option<u32>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Goal {
    Read(Vec<RegisterId>),
    Ask(Request),
}

impl Task {
    /// Reads any number of registers, eight to a request.
    ///
    /// What a meter leaves out is reported as unsupported. A request that gets no answer at all while
    /// the meter answers others is halved until the register that silences the meter stands alone.
    pub fn read(registers: &[RegisterId]) -> Self {
        let mut known = BTreeSet::new();
        let unique: Vec<_> = registers
            .iter()
            .copied()
            .filter(|id| known.insert(*id))
            .collect();
        let batches =
            u32::try_from(unique.len().div_ceil(crate::message::Batch::MAX)).unwrap_or(u32::MAX);
        let more = Duration::from_secs(5).saturating_mul(batches.saturating_sub(1));
        let time_limit = Duration::from_secs(20).saturating_add(more);
        Self {
            goal: Goal::Read(unique),
            time_limit,
            attempts: None,
        }
    }

    /// Sends one request and waits for its answer.
    pub const fn ask(request: Request) -> Self {
        Self {
            goal: Goal::Ask(request),
            time_limit: Duration::from_secs(20),
            attempts: None,
        }
    }

    /// Ends the task after so long at the latest, whatever the line does.
    #[must_use]
    pub const fn within(mut self, time_limit: Duration) -> Self {
        self.time_limit = time_limit;
        self
    }

    /// Asks at most so often for the same.
    #[must_use]
    pub const fn with_attempts(mut self, attempts: u32) -> Self {
        self.attempts = Some(attempts);
        self
    }

    /// The longest time that the task takes.
    pub const fn time_limit(&self) -> Duration {
        self.time_limit
    }
}

/// What a session tells while it runs.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// One request was answered, or was not.
    Attempt(Attempt),
    /// The task is over.
    Done(Outcome),
}

/// One request and what came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// What was asked.
    pub request: Request,
    /// What came of it.
    pub verdict: Verdict,
    /// Bytes sent.
    pub sent: usize,
    /// Bytes received, the echo included.
    pub received: u64,
    /// From the request to its answer, or to giving up.
    pub took: Duration,
}

/// What came of a task.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// [`Verdict::Ok`] if anything asked for is there; else what was found instead.
    pub verdict: Verdict,
    /// The registers that were read, in the order asked for.
    pub records: Vec<Record>,
    /// Registers that the meter does not have.
    pub unsupported: Vec<RegisterId>,
    /// Registers that got no answer before the attempts or the time ran out.
    pub unanswered: Vec<RegisterId>,
    /// The answer to [`Task::ask`].
    pub answer: Option<AskAnswer>,
    /// What it took.
    pub line: LineStats,
}

/// The answer to one request.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AskAnswer {
    /// To [`Request::GetType`].
    Type(MeterType),
    /// To [`Request::GetSerialNo`].
    SerialNo(u32),
    /// To [`Request::GetRegister`].
    Registers(Vec<Record>),
    /// To [`Request::SetClock`].
    Acknowledged,
    /// To [`Request::Raw`]: what stands behind the command.
    Raw(Vec<u8>),
}

/// What a task cost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LineStats {
    /// Requests sent.
    pub requests: u32,
    /// How many of them repeated one that was not answered.
    pub retries: u32,
    /// Bytes sent.
    pub bytes_sent: u64,
    /// Bytes received, the echo included.
    pub bytes_received: u64,
    /// From start to end.
    pub took: Duration,
}

impl LineStats {
    /// Adds what another task cost.
    pub fn add(&mut self, other: Self) {
        self.requests = self.requests.saturating_add(other.requests);
        self.retries = self.retries.saturating_add(other.retries);
        self.bytes_sent = self.bytes_sent.saturating_add(other.bytes_sent);
        self.bytes_received = self.bytes_received.saturating_add(other.bytes_received);
        self.took = self.took.saturating_add(other.took);
    }
}

/// The asking side of a line. See the crate's chapter on the run loop for how to drive it.
#[derive(Clone, Debug)]
pub struct Session {
    config: Config,
    outputs: VecDeque<Output<Event>>,
    task: Option<Running>,
    memory: Memory,
}

impl Session {
    /// A session on a line of its own.
    pub fn new(config: Config) -> Self {
        Self {
            config,
            outputs: VecDeque::from([Output::Configure(config.line)]),
            task: None,
            memory: Memory::default(),
        }
    }

    /// Starts a task; one that still runs is given up without an event.
    ///
    /// Bytes that were waiting in the line's buffers must have been fed in before: they answer
    /// nothing that this task asks.
    pub fn start(&mut self, task: Task, now: Instant) {
        if self
            .outputs
            .iter()
            .any(|output| matches!(output, Output::Transmit(_)))
        {
            // It was never taken, so nothing answers it.
            self.memory.owed.forget_last();
        }
        self.outputs
            .retain(|output| matches!(output, Output::Configure(_)));
        let attempts = task.attempts.unwrap_or(self.config.attempts).max(1);
        self.memory.owed.begin_task(now);
        let mut running = Running {
            work: Work::new(task.goal, attempts, &self.memory, now),
            started: now,
            deadline: now.after(task.time_limit),
            phase: Phase::Over,
            stats: LineStats::default(),
            tally: Vec::new(),
            answered: false,
        };
        running.proceed(&self.config, &mut self.memory, &mut self.outputs, now);
        self.task = Some(running);
        self.clear_when_over();
    }

    /// Takes bytes or the passing of time.
    pub fn handle(&mut self, input: Input<'_>, now: Instant) {
        if let Input::Receive(bytes) = input
            && !bytes.is_empty()
        {
            self.memory.last_byte = Some(now);
            if let Some(task) = &mut self.task {
                task.receive(
                    bytes,
                    &self.config,
                    &mut self.memory,
                    &mut self.outputs,
                    now,
                );
            }
        }
        if let Some(task) = &mut self.task {
            task.tick(&self.config, &mut self.memory, &mut self.outputs, now);
        }
        self.clear_when_over();
    }

    /// What to do next. Call it until it says [`Output::Wait`] or [`Output::Idle`].
    pub fn poll(&mut self) -> Output<Event> {
        if let Some(output) = self.outputs.pop_front() {
            return output;
        }
        match &self.task {
            Some(task) => Output::Wait(task.wake_at()),
            None => Output::Idle,
        }
    }

    /// Whether the meter answered an earlier task of this session.
    pub const fn has_answered(&self) -> bool {
        self.memory.answered_task
    }

    /// Tells the session that the line is a new one: the port was opened again.
    ///
    /// What is known of the meter stays; what was under way on the old line is forgotten.
    pub fn reconnected(&mut self) {
        self.task = None;
        self.outputs = VecDeque::from([Output::Configure(self.config.line)]);
        self.memory.ready_at = None;
        self.memory.owed.forget_all();
    }

    /// Tells the session that the line went away under its task and is back: what was under way is
    /// lost, and is asked for again at once.
    pub fn interrupted(&mut self, now: Instant) {
        self.outputs
            .retain(|output| matches!(output, Output::Event(_)));
        self.outputs.push_front(Output::Configure(self.config.line));
        self.memory.owed.forget_all();
        if let Some(task) = &mut self.task {
            task.interrupt(&self.config, &mut self.memory, &mut self.outputs, now);
        }
        self.memory.ready_at = None;
        self.clear_when_over();
    }

    fn clear_when_over(&mut self) {
        if self
            .task
            .as_ref()
            .is_some_and(|task| matches!(task.phase, Phase::Over))
        {
            self.task = None;
        }
    }
}

impl Default for Session {
    fn default() -> Self {
        Self::new(Config::default())
    }
}

/// What a session knows from one task to the next.
#[derive(Clone, Debug, Default)]
struct Memory {
    last_byte: Option<Instant>,
    /// Before this moment the meter throws requests away.
    ready_at: Option<Instant>,
    owed: Owed,
    answered_task: bool,
    /// What the last task failed with.
    last_failure: Option<Verdict>,
    /// Registers that the meter has sent.
    seen: BTreeSet<RegisterId>,
    /// Registers that silence the meter when they are asked for.
    mute: BTreeMap<RegisterId, Mute>,
}

impl Memory {
    /// Whether this register is known to silence the meter. What was found once is soon asked again,
    /// what was found again a day later.
    fn is_mute(&self, register: RegisterId, now: Instant) -> bool {
        self.mute.get(&register).is_some_and(|mute| {
            let trusted = if mute.times > 1 {
                Duration::from_hours(24)
            } else {
                Duration::from_mins(10)
            };
            now.since(mute.since) < trusted
        })
    }

    fn note_mute(&mut self, register: RegisterId, now: Instant) {
        let times = self
            .mute
            .get(&register)
            .map_or(1, |mute| mute.times.saturating_add(1));
        self.mute.insert(register, Mute { since: now, times });
    }
}

/// When a register was found to silence the meter, and how often.
#[derive(Clone, Copy, Debug)]
struct Mute {
    since: Instant,
    times: u32,
}

#[derive(Clone, Debug)]
struct Running {
    work: Work,
    started: Instant,
    deadline: Instant,
    phase: Phase,
    stats: LineStats,
    tally: Vec<Verdict>,
    answered: bool,
}

#[derive(Clone, Debug)]
enum Phase {
    /// Waits for a quiet line; bytes that come in are nobody's.
    Clearing {
        request: Request,
        purpose: Purpose,
        until: Instant,
        at_last: Instant,
    },
    /// Waits for the answer.
    Listening {
        exchange: Box<Exchange>,
        purpose: Purpose,
    },
    /// Nothing left to do.
    Over,
}

/// Why a request is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Purpose {
    /// The task asks for it.
    Work,
    /// To find out if the meter is there.
    Probe,
}

impl Running {
    /// On a line that does not become quiet, another byte comes within this time.
    const NEXT_DRIP: Duration = Duration::from_secs(1);

    /// Goes to the next request, or ends the task.
    fn proceed(
        &mut self,
        config: &Config,
        memory: &mut Memory,
        outputs: &mut Outputs,
        now: Instant,
    ) {
        let request = match self.work.next() {
            Next::Request(request) if now < self.deadline => request,
            _ => return self.end(memory, outputs, now),
        };
        let (request, purpose) = if self.work.wants_probe() {
            (Request::GetType, Purpose::Probe)
        } else {
            (request, Purpose::Work)
        };
        let after_answer = memory
            .last_byte
            .map(|last| last.after(config.line.byte_time()));
        let until = [after_answer, memory.ready_at, Some(now)]
            .into_iter()
            .flatten()
            .max()
            .unwrap_or(now);
        let at_last = now
            .after(Config::QUIET)
            .after(Self::NEXT_DRIP)
            .min(self.deadline);
        self.phase = Phase::Clearing {
            request,
            purpose,
            until,
            at_last,
        };
        self.tick(config, memory, outputs, now);
    }

    fn tick(&mut self, config: &Config, memory: &mut Memory, outputs: &mut Outputs, now: Instant) {
        match &self.phase {
            Phase::Over => {}
            _ if now >= self.deadline => self.give_up(memory, outputs, now),
            Phase::Clearing {
                request,
                purpose,
                until,
                at_last,
            } if now >= (*until).min(*at_last) => {
                let (request, purpose) = (request.clone(), *purpose);
                self.transmit(request, purpose, config, memory, outputs, now);
            }
            Phase::Listening { exchange, .. } if now >= exchange.until() => {
                self.fail(memory, outputs, now);
                self.proceed(config, memory, outputs, now);
            }
            Phase::Clearing { .. } | Phase::Listening { .. } => {}
        }
    }

    fn transmit(
        &mut self,
        request: Request,
        purpose: Purpose,
        config: &Config,
        memory: &mut Memory,
        outputs: &mut Outputs,
        now: Instant,
    ) {
        let put = memory.owed.put(&request, &memory.seen);
        memory.owed.sent(request.clone(), put.clone(), now);
        let exchange = Box::new(Exchange::new(request, put, config, now));
        let wire = exchange.wire();
        self.stats.requests = self.stats.requests.saturating_add(1);
        if purpose == Purpose::Work && self.work.is_repeat() {
            self.stats.retries = self.stats.retries.saturating_add(1);
        }
        self.stats.bytes_sent = self.stats.bytes_sent.saturating_add(wire.len() as u64);
        outputs.push_back(Output::Transmit(wire.to_vec()));
        self.phase = Phase::Listening { exchange, purpose };
    }

    fn receive(
        &mut self,
        bytes: &[u8],
        config: &Config,
        memory: &mut Memory,
        outputs: &mut Outputs,
        now: Instant,
    ) {
        self.stats.bytes_received = self.stats.bytes_received.saturating_add(bytes.len() as u64);
        match &mut self.phase {
            Phase::Clearing { until, .. } => {
                // On a line that drips, the best moment is right behind a byte.
                let ready = memory.ready_at.is_none_or(|ready| now >= ready);
                let behind = if ready {
                    config.line.byte_time()
                } else {
                    Self::NEXT_DRIP
                };
                *until = now.after(behind).max(if ready { now } else { *until });
            }
            Phase::Listening { exchange, .. } => {
                let Some(settled) = exchange.receive(bytes, &mut memory.owed, now) else {
                    return;
                };
                if self.accept(settled, memory, outputs, now) {
                    self.proceed(config, memory, outputs, now);
                }
            }
            Phase::Over => {}
        }
    }

    /// Takes an answer to a request of this task; whether that ends the exchange under way.
    fn accept(
        &mut self,
        settled: Settled,
        memory: &mut Memory,
        outputs: &mut Outputs,
        now: Instant,
    ) -> bool {
        let Phase::Listening { exchange, .. } = &self.phase else {
            return false;
        };
        self.answered = true;
        memory.ready_at = None;
        let is_for_work = self.work.awaits(&settled.asked);
        if !is_for_work && *exchange.asked() != settled.asked {
            return false;
        }
        let attempt = exchange.attempt(Verdict::Ok, now);
        outputs.push_back(Output::Event(Event::Attempt(attempt)));
        if is_for_work {
            self.work.accept(settled.answer, memory);
        } else {
            self.work.probe_answered(memory, now);
        }
        true
    }

    /// The exchange under way has failed.
    fn fail(&mut self, memory: &mut Memory, outputs: &mut Outputs, now: Instant) {
        let Phase::Listening { exchange, purpose } = &mut self.phase else {
            return;
        };
        let verdict = exchange.verdict();
        outputs.push_back(Output::Event(Event::Attempt(
            exchange.attempt(verdict, now),
        )));
        if exchange.answer_came() {
            memory.owed.forget_last();
        }
        memory.ready_at = Some(exchange.quiet_until());
        self.tally.push(verdict);
        match purpose {
            Purpose::Work => self.work.fail(verdict, self.answered),
            Purpose::Probe => self.work.probe_failed(self.answered),
        }
    }

    fn interrupt(
        &mut self,
        config: &Config,
        memory: &mut Memory,
        outputs: &mut Outputs,
        now: Instant,
    ) {
        // The port's failure is not the meter's: the attempts stay for that.
        if let Phase::Listening { exchange, .. } = &self.phase {
            let attempt = exchange.attempt(Verdict::PortLost, now);
            outputs.push_back(Output::Event(Event::Attempt(attempt)));
            self.tally.push(Verdict::PortLost);
        }
        memory.ready_at = None;
        memory.last_byte = None;
        self.proceed(config, memory, outputs, now);
    }

    fn give_up(&mut self, memory: &mut Memory, outputs: &mut Outputs, now: Instant) {
        if matches!(self.phase, Phase::Listening { .. }) {
            self.fail(memory, outputs, now);
        }
        self.end(memory, outputs, now);
    }

    fn end(&mut self, memory: &mut Memory, outputs: &mut Outputs, now: Instant) {
        self.phase = Phase::Over;
        self.stats.took = now.since(self.started);
        let mut outcome = self.work.outcome(self.stats);
        if outcome.verdict == Verdict::Silent {
            // Nothing was read; say what was found instead.
            outcome.verdict = self.failure(memory);
        }
        memory.answered_task |= self.answered;
        if outcome.verdict != Verdict::Ok {
            memory.last_failure = Some(outcome.verdict);
        }
        outputs.push_back(Output::Event(Event::Done(outcome)));
    }

    /// What the failed exchanges have in common: the most frequent verdict, of equally frequent ones
    /// the one nearest to an answer.
    fn failure(&self, memory: &Memory) -> Verdict {
        let otherwise = if self.stats.bytes_received > 0 {
            Verdict::Noise
        } else {
            // There was no time to ask; the line is as it was.
            memory.last_failure.unwrap_or(Verdict::Silent)
        };
        let count = |verdict: Verdict| self.tally.iter().filter(|&&v| v == verdict).count();
        let verdict = evidence::NEAREST_LAST
            .into_iter()
            .filter(|&verdict| count(verdict) > 0)
            .max_by_key(|&verdict| count(verdict))
            .unwrap_or(otherwise);
        let falls_asleep = memory.answered_task && !self.answered && self.stats.requests > 0;
        match verdict {
            Verdict::Silent | Verdict::EchoOnly if falls_asleep => Verdict::Asleep,
            other => other,
        }
    }

    fn wake_at(&self) -> Instant {
        match &self.phase {
            Phase::Clearing { until, at_last, .. } => (*until).min(*at_last).min(self.deadline),
            Phase::Listening { exchange, .. } => exchange.until().min(self.deadline),
            Phase::Over => self.deadline,
        }
    }
}

type Outputs = VecDeque<Output<Event>>;

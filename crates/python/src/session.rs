//! The session: bytes and the time go in, bytes, moments and events come out.

use std::collections::VecDeque;
use std::time::Duration;

use kamstrup_kmp::frame::Address;
use kamstrup_kmp::line::{Input, LineSettings, Output, Parity};
use kamstrup_kmp::message::Request;
use kamstrup_kmp::session::{Config, Event, Session as Inner, Task};
use kamstrup_kmp::{Instant, RegisterId};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::outcome::{Attempt, Outcome};

/// Asks a meter and finds its answers in whatever comes back. Does no I/O.
#[pyclass(module = "kamstrup_kmp")]
pub(crate) struct Session {
    inner: Inner,
    /// What was found when bytes came in, and is not polled yet.
    ahead: VecDeque<Output<Event>>,
    /// The moment the caller waits for.
    waits_until: Option<Instant>,
}

#[pymethods]
impl Session {
    #[new]
    #[pyo3(signature = (*, answer_timeout = 2.0, attempts = 5, address = 0x3f))]
    fn new(answer_timeout: f64, attempts: u32, address: u8) -> PyResult<Self> {
        Ok(Self {
            inner: Inner::new(Config {
                address: Address(address),
                answer_timeout: seconds("answer_timeout", answer_timeout)?,
                attempts,
                ..Config::default()
            }),
            ahead: VecDeque::new(),
            waits_until: None,
        })
    }

    /// Starts reading registers. A task that still runs is given up.
    #[pyo3(signature = (registers, now, *, time_limit = None, attempts = None))]
    #[expect(clippy::needless_pass_by_value, reason = "extracted from Python")]
    fn start_read(
        &mut self,
        registers: Vec<u16>,
        now: f64,
        time_limit: Option<f64>,
        attempts: Option<u32>,
    ) -> PyResult<()> {
        if registers.is_empty() {
            return Err(PyValueError::new_err("no register was asked for"));
        }
        let registers: Vec<_> = registers.iter().copied().map(RegisterId).collect();
        self.start(Task::read(&registers), now, time_limit, attempts)
    }

    /// Starts asking for the type of meter.
    #[pyo3(signature = (now, *, time_limit = None, attempts = None))]
    fn start_get_type(
        &mut self,
        now: f64,
        time_limit: Option<f64>,
        attempts: Option<u32>,
    ) -> PyResult<()> {
        self.start(Task::ask(Request::GetType), now, time_limit, attempts)
    }

    /// Starts asking for the serial number.
    #[pyo3(signature = (now, *, time_limit = None, attempts = None))]
    fn start_get_serial(
        &mut self,
        now: f64,
        time_limit: Option<f64>,
        attempts: Option<u32>,
    ) -> PyResult<()> {
        self.start(Task::ask(Request::GetSerialNo), now, time_limit, attempts)
    }

    /// Takes bytes that came in; True if there is something to poll for, False if the moment that is
    /// waited for will do. Bytes come one by one, so that this saves waking up for each of them.
    fn handle_receive(&mut self, data: &[u8], now: f64) -> PyResult<bool> {
        self.inner.handle(Input::Receive(data), moment(now)?);
        loop {
            match self.inner.poll() {
                Output::Wait(until) => {
                    let sooner = self.waits_until.is_none_or(|waits| until < waits);
                    return Ok(sooner || !self.ahead.is_empty());
                }
                Output::Idle => return Ok(true),
                output => self.ahead.push_back(output),
            }
        }
    }

    /// Takes the passing of time.
    fn handle_timeout(&mut self, now: f64) -> PyResult<()> {
        self.inner.handle(Input::Timeout, moment(now)?);
        Ok(())
    }

    /// What to do next. Call it until it returns `Wait` or `Idle`.
    fn poll<'py>(&mut self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let output = match self.ahead.pop_front() {
            Some(output) => output,
            None => self.inner.poll(),
        };
        Ok(match output {
            Output::Configure(settings) => Bound::new(py, Configure(settings))?.into_any(),
            Output::Transmit(data) => Bound::new(py, Transmit(data))?.into_any(),
            Output::Wait(until) => {
                self.waits_until = Some(until);
                let until = until.since_start().as_secs_f64();
                Bound::new(py, Wait { until })?.into_any()
            }
            Output::Idle => Bound::new(py, Idle)?.into_any(),
            Output::Event(Event::Attempt(attempt)) => Bound::new(py, Attempt(attempt))?.into_any(),
            Output::Event(Event::Done(outcome)) => {
                let outcome = Py::new(py, Outcome(outcome))?;
                Bound::new(py, Done { outcome })?.into_any()
            }
            // The enum may grow; an event nobody knows needs no action.
            Output::Event(_) => return self.poll(py),
        })
    }

    /// Tells that the line is a new one: the port was opened again.
    fn reconnected(&mut self) {
        self.ahead.clear();
        self.inner.reconnected();
    }

    /// Whether the meter answered an earlier task of this session.
    #[getter]
    fn has_answered(&self) -> bool {
        self.inner.has_answered()
    }
}

impl Session {
    fn start(
        &mut self,
        mut task: Task,
        now: f64,
        time_limit: Option<f64>,
        attempts: Option<u32>,
    ) -> PyResult<()> {
        if let Some(limit) = time_limit {
            task = task.within(seconds("time_limit", limit)?);
        }
        if let Some(attempts) = attempts {
            task = task.with_attempts(attempts);
        }
        let now = moment(now)?;
        self.ahead
            .retain(|output| matches!(output, Output::Configure(_)));
        self.inner.start(task, now);
        Ok(())
    }
}

/// The line must have these settings from now on.
#[pyclass(frozen, module = "kamstrup_kmp")]
pub(crate) struct Configure(LineSettings);

#[pymethods]
impl Configure {
    /// Bits per second.
    #[getter]
    fn baud(&self) -> u32 {
        self.0.baud
    }

    /// Bits per character.
    #[getter]
    fn data_bits(&self) -> u8 {
        self.0.data_bits
    }

    /// `N`, `E` or `O`.
    #[getter]
    fn parity(&self) -> &'static str {
        match self.0.parity {
            Parity::None => "N",
            Parity::Even => "E",
            Parity::Odd => "O",
        }
    }

    /// 1 or 2.
    #[getter]
    fn stop_bits(&self) -> u8 {
        self.0.stop_bits
    }
}

/// Write these bytes, in one go.
#[pyclass(frozen, module = "kamstrup_kmp")]
pub(crate) struct Transmit(Vec<u8>);

#[pymethods]
impl Transmit {
    /// The bytes.
    #[getter]
    fn data<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, &self.0)
    }
}

/// Nothing to do until bytes come in or this moment has come.
#[pyclass(frozen, get_all, module = "kamstrup_kmp")]
pub(crate) struct Wait {
    /// The moment, on the caller's clock.
    until: f64,
}

/// The task is over.
#[pyclass(frozen, get_all, module = "kamstrup_kmp")]
pub(crate) struct Done {
    /// What came of it.
    outcome: Py<Outcome>,
}

/// Nothing to do until something new is started.
#[pyclass(frozen, module = "kamstrup_kmp")]
pub(crate) struct Idle;

pub(crate) fn seconds(name: &str, value: f64) -> PyResult<Duration> {
    Duration::try_from_secs_f64(value).map_err(|_| {
        PyValueError::new_err(format!(
            "{name} is {value}, expected a number of seconds, 0 or more"
        ))
    })
}

pub(crate) fn moment(now: f64) -> PyResult<Instant> {
    seconds("now", now).map(Instant::from_start)
}

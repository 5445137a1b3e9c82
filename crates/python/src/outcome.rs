//! What a session tells: single attempts, and what came of a task.

use kamstrup_kmp::message::{Request, command_name};
use kamstrup_kmp::session::{self, AskAnswer};
use pyo3::prelude::*;

use crate::record::Record;
use crate::verdict;

/// One request was answered, or was not.
#[pyclass(frozen, module = "kamstrup_kmp")]
pub(crate) struct Attempt(pub(crate) session::Attempt);

#[pymethods]
impl Attempt {
    /// The vendor's name of the command, such as `GetRegister`.
    #[getter]
    fn request(&self) -> String {
        let command = self.0.request.command();
        command_name(command).map_or_else(|| format!("{command:#04x}"), str::to_owned)
    }

    /// The registers asked for.
    #[getter]
    fn registers(&self) -> Vec<u16> {
        match &self.0.request {
            Request::GetRegister(batch) => batch.ids().iter().map(|id| id.0).collect(),
            _ => Vec::new(),
        }
    }

    /// What came of it.
    #[getter]
    fn verdict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        verdict::member(py, self.0.verdict)
    }

    /// Bytes sent.
    #[getter]
    fn sent(&self) -> usize {
        self.0.sent
    }

    /// Bytes received, the echo included.
    #[getter]
    fn received(&self) -> u64 {
        self.0.received
    }

    /// Seconds from the request to its answer, or to giving up.
    #[getter]
    fn took(&self) -> f64 {
        self.0.took.as_secs_f64()
    }

    fn __repr__(&self) -> String {
        let verdict = self.0.verdict.code();
        format!(
            "<Attempt {} {verdict} in {:.3} s>",
            self.request(),
            self.took()
        )
    }
}

/// What came of a task.
#[pyclass(frozen, module = "kamstrup_kmp")]
pub(crate) struct Outcome(pub(crate) session::Outcome);

#[pymethods]
impl Outcome {
    /// `Verdict.OK` if anything asked for is there; else what was found instead.
    #[getter]
    fn verdict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        verdict::member(py, self.0.verdict)
    }

    /// The registers that were read, in the order asked for.
    #[getter]
    fn records(&self) -> Vec<Record> {
        self.0.records.iter().cloned().map(Record).collect()
    }

    /// Registers that the meter does not have.
    #[getter]
    fn unsupported(&self) -> Vec<u16> {
        self.0.unsupported.iter().map(|id| id.0).collect()
    }

    /// Registers that got no answer before the attempts or the time ran out.
    #[getter]
    fn unanswered(&self) -> Vec<u16> {
        self.0.unanswered.iter().map(|id| id.0).collect()
    }

    /// The answer to `start_get_type`.
    #[getter]
    fn meter_type(&self) -> Option<MeterType> {
        match &self.0.answer {
            Some(AskAnswer::Type(meter_type)) => Some(MeterType {
                code: meter_type.code,
                software_code: meter_type.software.0,
                software: meter_type
                    .software
                    .is_available()
                    .then(|| meter_type.software.to_string()),
            }),
            _ => None,
        }
    }

    /// The answer to `start_get_serial`.
    #[getter]
    fn serial(&self) -> Option<u32> {
        match &self.0.answer {
            Some(AskAnswer::SerialNo(serial)) => Some(*serial),
            _ => None,
        }
    }

    /// What it took.
    #[getter]
    fn line(&self) -> LineStats {
        LineStats(self.0.line)
    }

    fn __repr__(&self) -> String {
        format!(
            "<Outcome {}: {} records, {} unsupported, {} unanswered>",
            self.0.verdict.code(),
            self.0.records.len(),
            self.0.unsupported.len(),
            self.0.unanswered.len(),
        )
    }
}

/// What a meter says about its type.
#[pyclass(frozen, get_all, module = "kamstrup_kmp")]
pub(crate) struct MeterType {
    /// The type code, raw.
    code: u16,
    /// The software's edition, raw.
    software_code: u16,
    /// The software's edition, such as `F1`, if the meter tells.
    software: Option<String>,
}

/// What a task cost.
#[pyclass(frozen, module = "kamstrup_kmp")]
pub(crate) struct LineStats(session::LineStats);

#[pymethods]
impl LineStats {
    /// Requests sent.
    #[getter]
    fn requests(&self) -> u32 {
        self.0.requests
    }

    /// How many of them repeated one that was not answered.
    #[getter]
    fn retries(&self) -> u32 {
        self.0.retries
    }

    /// Bytes sent.
    #[getter]
    fn bytes_sent(&self) -> u64 {
        self.0.bytes_sent
    }

    /// Bytes received, the echo included.
    #[getter]
    fn bytes_received(&self) -> u64 {
        self.0.bytes_received
    }

    /// Seconds from start to end.
    #[getter]
    fn took(&self) -> f64 {
        self.0.took.as_secs_f64()
    }
}

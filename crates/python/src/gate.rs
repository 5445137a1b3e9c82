//! The gate: holds back what a meter cannot have meant, until a second reading has decided.

use std::time::Duration;

use heatmeter_catalog::gate::{
    Checked as InnerChecked, Doubt as InnerDoubt, Gate as Inner, Limits, Look, MeterMemory, Poll,
    Reading as InnerReading, RegisterMemory,
};
use heatmeter_catalog::{Model as InnerModel, RegisterId, Unit};
use kamstrup_kmp::Decimal;
use pyo3::exceptions::{PyRuntimeError, PyValueError};
use pyo3::prelude::*;

use crate::catalogue::Model;
use crate::record::Record;
use crate::session::{moment, seconds};

/// The memory behind one line, against which every value is judged.
#[pyclass(module = "kamstrup_kmp")]
pub(crate) struct Gate(Inner);

#[pymethods]
impl Gate {
    /// A gate that remembers nothing.
    #[new]
    fn new() -> Self {
        Self(Inner::new())
    }

    /// Takes up what `snapshot` gave, `away` seconds ago by a clock that runs while the process does
    /// not.
    #[staticmethod]
    #[expect(clippy::needless_pass_by_value, reason = "extracted from Python")]
    fn restore(meters: Vec<MeterState>, away: f64, now: f64) -> PyResult<Self> {
        let meters: Vec<_> = meters
            .iter()
            .map(MeterState::memory)
            .collect::<PyResult<_>>()?;
        let (away, now) = (seconds("away", away)?, moment(now)?);
        Ok(Self(Inner::restore(meters, away, now)))
    }

    /// Everything worth storing over a restart, as lists and dicts that JSON can hold.
    fn snapshot(&self, now: f64) -> PyResult<Vec<MeterState>> {
        let meters = self.0.snapshot(moment(now)?);
        Ok(meters.into_iter().map(MeterState::from).collect())
    }

    /// The serial number of the meter that answers.
    #[getter]
    fn serial(&self) -> Option<&str> {
        self.0.serial()
    }

    /// Looks at what was read: `Checked`, or `Doubt` where something has to be read again.
    #[expect(clippy::needless_pass_by_value, reason = "extracted from Python")]
    fn first<'py>(
        &mut self,
        py: Python<'py>,
        model: Option<PyRef<'py, Model>>,
        asked: Vec<u16>,
        records: Vec<PyRef<'py, Record>>,
        now: f64,
    ) -> PyResult<Bound<'py, PyAny>> {
        let model = model.map_or_else(InnerModel::unknown, |model| model.0);
        let (asked, records) = (ids(&asked), inner(&records));
        let poll = Poll {
            asked: &asked,
            records: &records,
            serial: None,
        };
        match self.0.first(&Limits::from(model), &poll, moment(now)?) {
            Look::Checked(checked) => Ok(Bound::new(py, Checked::from(checked))?.into_any()),
            Look::Doubtful(doubt) => Ok(Bound::new(py, Doubt(Some(doubt)))?.into_any()),
        }
    }

    /// Decides by what the second reading gave; nothing, if it gave nothing.
    #[expect(clippy::needless_pass_by_value, reason = "extracted from Python")]
    fn second(
        &mut self,
        doubt: &Bound<'_, Doubt>,
        asked: Vec<u16>,
        records: Vec<PyRef<'_, Record>>,
        now: f64,
    ) -> PyResult<Checked> {
        let now = moment(now)?;
        let doubt = doubt.borrow_mut().0.take();
        let doubt = doubt.ok_or_else(|| PyRuntimeError::new_err("this doubt is settled"))?;
        let (asked, records) = (ids(&asked), inner(&records));
        let poll = Poll {
            asked: &asked,
            records: &records,
            serial: None,
        };
        Ok(self.0.second(doubt, &poll, now).into())
    }
}

/// What has to be read a second time before it can be believed.
#[pyclass(module = "kamstrup_kmp")]
pub(crate) struct Doubt(Option<InnerDoubt>);

#[pymethods]
impl Doubt {
    /// The registers to read again; none once it is settled.
    #[getter]
    fn reread(&self) -> Vec<u16> {
        let registers = self.0.as_ref().map(InnerDoubt::reread).unwrap_or_default();
        registers.iter().map(|id| id.0).collect()
    }
}

/// A poll with a quality for every value.
#[pyclass(frozen, get_all, module = "kamstrup_kmp")]
pub(crate) struct Checked {
    /// Every register asked for, in the order asked.
    readings: Vec<Reading>,
    /// What people should be told, in English.
    notices: Vec<String>,
}

impl From<InnerChecked> for Checked {
    fn from(checked: InnerChecked) -> Self {
        Self {
            readings: checked.readings.into_iter().map(Reading).collect(),
            notices: checked.notices.iter().map(ToString::to_string).collect(),
        }
    }
}

/// What came of asking for one register, and what it is worth.
#[pyclass(frozen, module = "kamstrup_kmp")]
#[derive(Clone)]
pub(crate) struct Reading(InnerReading);

#[pymethods]
impl Reading {
    /// The register's number.
    #[getter]
    fn register(&self) -> u16 {
        self.0.register().0
    }

    /// `good`, `unsupported`, `invalid` or `held`.
    #[getter]
    fn quality(&self) -> &'static str {
        self.0.quality().code()
    }

    /// The quality in words, in English: what was surprising about a value that is held.
    #[getter]
    fn reason(&self) -> String {
        self.0.quality().to_string()
    }

    /// The value, if it is good. Nothing else may be shown as a measurement.
    #[getter]
    fn record(&self) -> Option<Record> {
        self.0.good().cloned().map(Record)
    }

    /// What the meter's answer said, whatever its quality: for diagnostics only.
    #[getter]
    fn raw(&self) -> Option<Record> {
        self.0.raw().cloned().map(Record)
    }

    fn __repr__(&self) -> String {
        format!("<Reading {} {}>", self.register(), self.quality())
    }
}

/// What is remembered of one meter, as a dict.
#[derive(FromPyObject, IntoPyObject)]
#[pyo3(from_item_all)]
pub(crate) struct MeterState {
    serial: Option<String>,
    registers: Vec<RegisterState>,
}

#[derive(FromPyObject, IntoPyObject)]
#[pyo3(from_item_all)]
struct RegisterState {
    register: u16,
    unit: u8,
    length: u8,
    exponent: i8,
    value: Option<String>,
    age: f64,
    beyond: Option<String>,
    gap: Option<String>,
}

impl MeterState {
    fn memory(&self) -> PyResult<MeterMemory> {
        Ok(MeterMemory {
            serial: self.serial.clone(),
            registers: self
                .registers
                .iter()
                .map(RegisterState::memory)
                .collect::<PyResult<_>>()?,
        })
    }
}

impl From<MeterMemory> for MeterState {
    fn from(meter: MeterMemory) -> Self {
        Self {
            serial: meter.serial,
            registers: meter
                .registers
                .into_iter()
                .map(RegisterState::from)
                .collect(),
        }
    }
}

impl RegisterState {
    fn memory(&self) -> PyResult<RegisterMemory> {
        Ok(RegisterMemory {
            register: RegisterId(self.register),
            unit: Unit(self.unit),
            length: self.length,
            exponent: self.exponent,
            value: decimal(self.value.as_deref())?,
            age: seconds("age", self.age)?,
            beyond: decimal(self.beyond.as_deref())?,
            gap: decimal(self.gap.as_deref())?,
        })
    }
}

impl From<RegisterMemory> for RegisterState {
    fn from(known: RegisterMemory) -> Self {
        let text = |number: Option<Decimal>| number.map(|number| number.to_string());
        Self {
            register: known.register.0,
            unit: known.unit.0,
            length: known.length,
            exponent: known.exponent,
            value: text(known.value),
            age: Duration::as_secs_f64(&known.age),
            beyond: text(known.beyond),
            gap: text(known.gap),
        }
    }
}

fn decimal(text: Option<&str>) -> PyResult<Option<Decimal>> {
    text.map(|text| {
        text.parse()
            .map_err(|_| PyValueError::new_err(format!("{text:?} is no decimal number")))
    })
    .transpose()
}

fn ids(numbers: &[u16]) -> Vec<RegisterId> {
    numbers.iter().copied().map(RegisterId).collect()
}

fn inner(records: &[PyRef<'_, Record>]) -> Vec<kamstrup_kmp::Record> {
    records.iter().map(|record| record.0.clone()).collect()
}

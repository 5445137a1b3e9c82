//! Records, and what their values are in Python.

use kamstrup_kmp::{DateTime, Decimal, Record as Inner, Unit, Value};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDate, PyDateTime, PyTime};

/// One register with its value, as the meter sent it.
#[pyclass(frozen, eq, hash, module = "kamstrup_kmp")]
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) struct Record(pub(crate) Inner);

#[pymethods]
impl Record {
    /// The register's number.
    #[getter]
    fn register(&self) -> u16 {
        self.0.register.0
    }

    /// The name scripts know the register by, if the catalogue knows it.
    #[getter]
    fn key(&self) -> Option<&'static str> {
        heatmeter_catalog::register(self.0.register).map(|register| register.key)
    }

    /// Decimal, date, time, datetime, str or int; None if the bytes have no meaning.
    #[getter]
    fn value<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        Ok(match &self.0.value {
            Value::Number(number) => Some(decimal(py, &number.to_string())?),
            Value::Date(date) => {
                match PyDate::new(py, date.year().into(), date.month(), date.day()) {
                    Ok(date) => Some(date.into_any()),
                    // Years that Python's calendar does not have.
                    Err(_) => None,
                }
            }
            Value::Time(time) => {
                let time = PyTime::new(py, time.hour(), time.minute(), time.second(), 0, None)?;
                Some(time.into_any())
            }
            Value::DateTime(moment) => date_time(py, *moment),
            Value::Bits(bits) => Some(bits.into_pyobject(py)?.into_any()),
            Value::Invalid(_) => None,
            other => Some(other.to_string().into_pyobject(py)?.into_any()),
        })
    }

    /// The value as text: exactly the digits sent, dates and times as ISO 8601.
    #[getter]
    fn text(&self) -> String {
        self.0.value.to_string()
    }

    /// The symbol of the unit the meter sent, if it has one.
    #[getter]
    fn unit(&self) -> Option<&'static str> {
        self.0.unit.symbol()
    }

    /// The code of the unit the meter sent.
    #[getter]
    fn unit_code(&self) -> u8 {
        self.0.unit.0
    }

    /// `good` or `invalid`.
    #[getter]
    fn quality(&self, py: Python<'_>) -> PyResult<&'static str> {
        Ok(if self.value(py)?.is_some() {
            "good"
        } else {
            "invalid"
        })
    }

    /// What is wrong with the value, if its quality is `invalid`.
    #[getter]
    fn problem(&self, py: Python<'_>) -> PyResult<Option<String>> {
        Ok(match (&self.0.value, self.value(py)?) {
            (_, Some(_)) => None,
            (Value::Invalid(invalid), None) => Some(invalid.problem.to_string()),
            (other, None) => Some(format!("no such date: {other}")),
        })
    }

    fn __repr__(&self) -> String {
        let unit = self.0.unit.symbol().unwrap_or("no unit");
        format!("<Record {} {} {unit}>", self.0.register, self.0.value)
    }
}

/// An amount in another unit, exactly; None if the units do not measure the same or it would not be
/// exact.
#[pyfunction]
pub(crate) fn convert<'py>(
    py: Python<'py>,
    amount: &Bound<'py, PyAny>,
    from_code: u8,
    to_code: u8,
) -> PyResult<Option<Bound<'py, PyAny>>> {
    let amount: Decimal = amount
        .call_method1("__format__", ("f",))?
        .extract::<String>()?
        .parse()
        .map_err(|_| PyValueError::new_err(format!("{amount} is no decimal number")))?;
    kamstrup_kmp::convert(amount, Unit(from_code), Unit(to_code))
        .ok()
        .map(|converted| decimal(py, &converted.to_string()))
        .transpose()
}

fn decimal<'py>(py: Python<'py>, text: &str) -> PyResult<Bound<'py, PyAny>> {
    static DECIMAL: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    DECIMAL.import(py, "decimal", "Decimal")?.call1((text,))
}

/// The meter's own time, naive as the meter shows it.
fn date_time(py: Python<'_>, moment: DateTime) -> Option<Bound<'_, PyAny>> {
    let (date, time) = (moment.date, moment.time);
    PyDateTime::new(
        py,
        date.year().into(),
        date.month(),
        date.day(),
        time.hour(),
        time.minute(),
        time.second(),
        0,
        None,
    )
    .ok()
    .map(Bound::into_any)
}

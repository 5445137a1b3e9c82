//! Verdicts. In Python they are the members of an enum that the package defines.

use kamstrup_kmp::Verdict;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;

/// Every verdict as (code, message, help).
#[pyfunction]
pub(crate) fn verdicts() -> Vec<(&'static str, &'static str, &'static str)> {
    Verdict::ALL
        .iter()
        .map(|verdict| (verdict.code(), verdict.message(), verdict.help()))
        .collect()
}

/// The member of the package's enum.
pub(crate) fn member(py: Python<'_>, verdict: Verdict) -> PyResult<Bound<'_, PyAny>> {
    static ENUM: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    ENUM.import(py, "kamstrup_kmp._verdict", "Verdict")?
        .call1((verdict.code(),))
}

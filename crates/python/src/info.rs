//! What the flags of info codes mean.

use std::collections::BTreeMap;

use heatmeter_catalog::{Info, InfoFlag as Known, Language, Severity};
use pyo3::prelude::*;

/// Something a meter reports about itself.
#[pyclass(frozen, eq, hash, get_all, module = "kamstrup_kmp")]
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) struct InfoFlag {
    /// Name for scripts, such as `t1_above_range`; one made of its place if it is not known.
    pub(crate) key: String,
    /// Whether a person should look at the meter.
    pub(crate) is_problem: bool,
    /// Whether the catalogue knows it.
    pub(crate) is_known: bool,
    /// Its meaning in every language.
    pub(crate) labels: BTreeMap<&'static str, String>,
}

#[pymethods]
impl InfoFlag {
    fn __repr__(&self) -> String {
        format!("<InfoFlag {}>", self.key)
    }
}

impl InfoFlag {
    pub(crate) fn known(flag: &Known) -> Self {
        Self {
            key: flag.key.to_owned(),
            is_problem: flag.severity == Severity::Problem,
            is_known: true,
            labels: labels(|language| flag.label(language).to_owned()),
        }
    }

    pub(crate) fn found(info: &Info) -> Self {
        match info {
            Info::Known(entry) => Self::known(entry.flag),
            unknown => Self {
                key: unknown.key(),
                is_problem: unknown.is_problem(),
                is_known: false,
                labels: labels(|_| unknown.to_string()),
            },
        }
    }
}

pub(crate) fn labels(text: impl Fn(Language) -> String) -> BTreeMap<&'static str, String> {
    Language::ALL
        .into_iter()
        .map(|language| (language.code(), text(language)))
        .collect()
}

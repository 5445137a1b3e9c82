//! Telling which family a meter belongs to.

use std::collections::BTreeMap;

use heatmeter_catalog::{self as catalog, Identity, RegisterId};
use pyo3::prelude::*;

use crate::catalogue::Model;

/// Registers whose content tells the family of meters whose type code does not.
#[pyfunction]
#[pyo3(name = "identifying_registers")]
pub(crate) fn identifying_registers() -> Vec<u16> {
    catalog::IDENTIFYING.iter().map(|id| id.0).collect()
}

/// The family of a meter, by what it said about itself; None where nothing known fits.
#[pyfunction]
#[pyo3(signature = (type_code = None, software_code = None, texts = None))]
pub(crate) fn identify(
    type_code: Option<u16>,
    software_code: Option<u16>,
    texts: Option<BTreeMap<u16, String>>,
) -> Option<Model> {
    let mut identity = Identity {
        type_code,
        software: software_code,
        ..Identity::default()
    };
    for (id, text) in texts.unwrap_or_default() {
        identity.learn(RegisterId(id), &text);
    }
    catalog::identify(&identity).map(Model)
}

/// Whether a type code is one only heatmeter's own simulator answers.
#[pyfunction]
pub(crate) fn is_simulated(type_code: u16) -> bool {
    catalog::is_simulated(type_code)
}

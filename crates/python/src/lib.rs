//! The Python module `kamstrup_kmp._core`: what the protocol and the catalogue know, for Python.
//!
//! It does no I/O, reads no clock, starts no thread and keeps no state of its own; the package
//! around it, `python/kamstrup_kmp`, adds the types of Python's own and a driver for asyncio. The
//! stub `_core.pyi` states the types, and a test compares it with what is here.

use pyo3::prelude::*;

mod catalogue;
mod gate;
mod identity;
mod info;
mod outcome;
mod record;
mod session;
mod verdict;

/// The compiled part of `kamstrup_kmp`; import from the package, not from here.
#[pymodule]
mod _core {
    #[pymodule_export]
    use crate::catalogue::{
        Classes, Model, Register, home_assistant_unit, languages, model, models, nearest_key,
        register, register_by_key, registers, unit_symbol, unknown_model,
    };
    #[pymodule_export]
    use crate::gate::{Checked, Doubt, Gate, Reading};
    #[pymodule_export]
    use crate::identity::{identify, identifying_registers, is_simulated};
    #[pymodule_export]
    use crate::info::InfoFlag;
    #[pymodule_export]
    use crate::outcome::{Attempt, LineStats, MeterType, Outcome};
    #[pymodule_export]
    use crate::record::{Record, convert};
    #[pymodule_export]
    use crate::session::{Configure, Done, Idle, Session, Transmit, Wait};
    #[pymodule_export]
    use crate::verdict::verdicts;

    #[pymodule_export]
    #[allow(non_upper_case_globals)]
    const __version__: &str = env!("CARGO_PKG_VERSION");
}

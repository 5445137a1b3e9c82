//! What Kamstrup meters are, as data: registers, models, info codes and captures.
//!
//! Everything a person or a program wants to know about a meter without talking to it stands once,
//! in the files of `meters/`, and is compiled into this crate: what register 60 is called in
//! Finnish, which registers a MULTICAL 403 has, how often each is worth asking for, what bit 9 of
//! its info code means. There is no protocol in here; bytes are the business of `kamstrup-kmp`. A
//! data file that does not make sense fails the build with file, line and reason.
//!
//! ```
//! use heatmeter_catalog::{Language, model, register_by_key};
//!
//! let energy = register_by_key("heat_energy").expect("every heat meter has it");
//! assert_eq!(energy.id.0, 60);
//! assert_eq!(energy.label(Language::De), "Wärmeenergie");
//!
//! let model = model("403").expect("the catalogue has a file for it");
//! assert_eq!(model.name, "MULTICAL 403");
//! assert!(model.usual.contains(&energy.id));
//! ```

#![forbid(unsafe_code)]

mod capture;
mod data;
pub mod gate;
mod home_assistant;
mod identity;
mod info;
mod language;
mod model;
mod nearest;
pub mod reading;
mod register;

pub use capture::{Capture, CaptureKind, Expected, Logger, Reading, captures};
pub use home_assistant::home_assistant_unit;
pub use identity::{Condition, IDENTIFYING, Identity, IdentityRule, identify, is_simulated};
pub use info::{Coding, Info, InfoEntry, InfoFlag, InfoTable, InfoWord, Severity, info_tables};
pub use kamstrup_kmp::{Quantity, RegisterId, Unit};
pub use language::{Labels, Language, UnknownLanguage};
pub use model::{
    Amount, Battery, Limit, Limits, Medium, Model, Override, Range, Sentinel, model, models,
};
pub use nearest::nearest;
pub use register::{
    Confidence, HomeAssistant, Kind, Register, Seed, Tier, nearest_key, register, register_by_key,
    registers,
};

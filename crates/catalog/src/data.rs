//! The tables the build script made of `meters/`.

// Nobody reads the numbers of a table that a program wrote.
#![allow(clippy::unreadable_literal)]

use kamstrup_kmp::Decimal;

use crate::capture::{Capture, CaptureKind, Expected, Logger, Reading};
use crate::identity::{Condition, IdentityRule};
use crate::info::{Coding, InfoEntry, InfoFlag, InfoTable, InfoWord, Severity};
use crate::model::{Amount, Battery, Limit, Limits, Medium, Model, Override, Range, Sentinel};
use crate::register::{Confidence, HomeAssistant, Kind, Register, Seed, Tier};
use crate::{Labels, RegisterId, Unit};

include!(concat!(env!("OUT_DIR"), "/catalog.rs"));

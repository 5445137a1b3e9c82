//! How amounts, units and lengths of time are written for people.

use core::fmt::{self, Display};
use core::time::Duration;

use kamstrup_kmp::Unit;

use crate::model::Amount;

/// As people write it: `84.817 GJ`.
impl Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.unit.symbol() {
            Some(symbol) => write!(f, "{} {symbol}", self.value),
            None => self.value.fmt(f),
        }
    }
}

/// A unit's name, also where it has no symbol.
pub(super) struct Name(pub(super) Unit);

impl Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.symbol() {
            Some(symbol) => f.write_str(symbol),
            None => write!(f, "code {}", self.0.0),
        }
    }
}

/// Units to choose from: `GJ, MWh or kWh`.
pub(super) struct Names<'a>(pub(super) &'a [Unit]);

impl Display for Names<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, unit) in self.0.iter().enumerate() {
            match position {
                0 => {}
                _ if position + 1 == self.0.len() => f.write_str(" or ")?,
                _ => f.write_str(", ")?,
            }
            Name(*unit).fmt(f)?;
        }
        Ok(())
    }
}

/// A length of time in the unit people would use.
pub(super) struct Elapsed(pub(super) Duration);

impl Display for Elapsed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0.as_secs();
        match seconds {
            0..120 => write!(f, "{seconds} s"),
            120..7200 => write!(f, "{} min", seconds / 60),
            7200..172_800 => write!(f, "{} h", seconds / 3600),
            _ => write!(f, "{} days", seconds / 86_400),
        }
    }
}

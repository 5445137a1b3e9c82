//! What is printed, where and in what colours.
//!
//! Standard output carries the result and nothing else; with `--json` that is one object per line.
//! Everything that is said beside it goes to standard error.

pub(crate) mod columns;
mod progress;
pub(crate) mod screen;
pub(crate) mod sparkline;
pub(crate) mod style;
pub(crate) mod table;
pub(crate) mod vzlogger;

use std::fmt::Display;
use std::io::{self, IsTerminal, Write};

use anstream::ColorChoice;
use serde::Serialize;

pub(crate) use progress::Progress;
pub(crate) use screen::Screen;

use crate::failure::Failure;

/// Standard output, in one of its two forms.
pub(crate) struct Console {
    json: bool,
    out: io::Stdout,
}

impl Console {
    pub(crate) fn new(json: bool, color: Color) -> Self {
        // Whatever is printed through anstream keeps or loses its colours by this.
        match color {
            Color::Auto => ColorChoice::Auto,
            Color::Always => ColorChoice::Always,
            Color::Never => ColorChoice::Never,
        }
        .write_global();
        Self {
            json,
            out: io::stdout(),
        }
    }

    pub(crate) fn is_json(&self) -> bool {
        self.json
    }

    /// Whether lines that are already there can be written over.
    pub(crate) fn is_live(&self) -> bool {
        !self.json
            && self.out.is_terminal()
            && std::env::var_os("TERM").is_none_or(|name| name != "dumb")
    }

    /// Prints an object on a line of its own, at once.
    pub(crate) fn json(&self, object: &impl Serialize) -> Result<(), Failure> {
        let line = serde_json::to_string(object)
            .map_err(|error| Failure::unexpected("cannot write JSON", error.into()))?;
        self.line(line)
    }

    /// Prints a line, at once.
    pub(crate) fn line(&self, text: impl Display) -> Result<(), Failure> {
        let mut out = anstream::AutoStream::auto(self.out.lock());
        writeln!(out, "{text}")
            .and_then(|()| out.flush())
            .map_err(Failure::Output)
    }

    /// Prints bytes as they are.
    pub(crate) fn raw(&self, bytes: &[u8]) -> Result<(), Failure> {
        let mut out = self.out.lock();
        out.write_all(bytes)
            .and_then(|()| out.flush())
            .map_err(Failure::Output)
    }

    /// Says why the command failed: the object on standard output, or words on standard error.
    pub(crate) fn failure(&self, failure: &Failure) {
        if failure.is_silent() {
            return;
        }
        if self.json && self.json(&failure.report()).is_ok() {
            return;
        }
        if let Failure::Config { text, .. } = failure {
            // Each problem says itself that it is an error.
            let _ = writeln!(anstream::stderr().lock(), "{text}\n");
        } else {
            say(
                style::ERROR,
                &format!("error[{}]", failure.code()),
                &failure.to_string(),
            );
        }
        say(style::HELP, "help", &failure.help());
    }
}

/// How many columns a line may have: those of the terminal, or as many as it needs where there is none.
pub(crate) fn terminal_width() -> usize {
    if io::stdout().is_terminal() {
        screen::size().0
    } else {
        usize::MAX
    }
}

/// Says something beside the result, on standard error.
pub(crate) fn note(text: impl Display) {
    say(style::NOTE, "note", &text.to_string());
}

/// Says on standard error what needs attention but stops nothing.
pub(crate) fn warn(text: impl Display) {
    say(style::WARNING, "warning", &text.to_string());
}

/// Whether to use colours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Color {
    /// On a terminal, unless `NO_COLOR` is set.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

fn say(style: anstyle::Style, label: &str, text: &str) {
    // Where standard error is closed there is nobody to tell.
    let _ = writeln!(
        anstream::stderr().lock(),
        "{style}{label}{style:#}: {}",
        continued(text)
    );
}

/// A sentence as it follows a colon: in lower case, without its full stop.
fn continued(text: &str) -> String {
    let text = text.strip_suffix('.').unwrap_or(text);
    let mut letters = text.chars();
    match (letters.next(), letters.next()) {
        // A word in capitals keeps them.
        (Some(first), Some(second)) if first.is_uppercase() && second.is_lowercase() => {
            first.to_lowercase().chain(text.chars().skip(1)).collect()
        }
        (Some(first), Some(' ')) if first.is_uppercase() => {
            first.to_lowercase().chain(text.chars().skip(1)).collect()
        }
        _ => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sentence_behind_a_colon_begins_small_and_has_no_full_stop() {
        assert_eq!(continued("The meter answered."), "the meter answered");
        assert_eq!(continued("A key was pressed."), "a key was pressed");
        assert_eq!(continued("USB adapter is gone"), "USB adapter is gone");
        assert_eq!(continued(""), "");
    }
}

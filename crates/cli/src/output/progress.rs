//! A line on standard error that tells why it takes so long, and is gone when it no longer does.

use std::io::{self, IsTerminal, Write};

use super::style::{self, styled};

/// Tells people on a terminal what is going on; nobody else.
#[derive(Debug, Default)]
pub(crate) struct Progress {
    enabled: bool,
    shown: bool,
}

impl Progress {
    /// For a command that logs nothing by itself.
    pub(crate) fn new(verbose: u8) -> Self {
        let is_dumb = std::env::var_os("TERM").is_some_and(|name| name == "dumb");
        Self {
            enabled: verbose == 0 && io::stderr().is_terminal() && !is_dumb,
            shown: false,
        }
    }

    /// Shows this in place of what was shown before.
    pub(crate) fn show(&mut self, text: &str) {
        if self.enabled {
            self.shown = true;
            let mut err = anstream::stderr().lock();
            // It is a courtesy; whether it arrives matters to nobody.
            let _ = write!(err, "{BEGIN}{}", styled(style::DIM, text)).and_then(|()| err.flush());
        }
    }

    /// Takes it away.
    pub(crate) fn clear(&mut self) {
        if std::mem::take(&mut self.shown) {
            let mut err = io::stderr().lock();
            let _ = write!(err, "{BEGIN}").and_then(|()| err.flush());
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.clear();
    }
}

/// To the begin of the line, and clears it.
const BEGIN: &str = "\r\x1b[K";

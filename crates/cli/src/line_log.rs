//! Where the record of a line goes: into a file, onto standard error, or both.
//!
//! A file gets every piece as it came, with its time. People get one line for each request and one for
//! all that came back on it: a line per byte is what makes logs of other readers unreadable.

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use serde::Deserialize;

/// A place for recordings; without a file and not shown it is none.
#[derive(Debug)]
pub(crate) struct LineLog {
    file: Option<File>,
    shown: Option<Shown>,
}

impl LineLog {
    /// Writes to a new file, if one is named, and shows what is written, if there is somebody to show
    /// it to.
    pub(crate) fn new(file: Option<&Path>, shown: Option<Shown>) -> io::Result<Self> {
        Ok(Self {
            file: file.map(File::create).transpose()?,
            shown,
        })
    }
}

impl Write for LineLog {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if let Some(shown) = &self.shown {
            shown.take(bytes);
        }
        match &mut self.file {
            Some(file) => file.write_all(bytes).map(|()| bytes.len()),
            None => Ok(bytes.len()),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.as_mut().map_or(Ok(()), Write::flush)
    }
}

/// What goes over the line, on standard error.
#[derive(Clone, Debug, Default)]
pub(crate) struct Shown {
    received: Arc<Mutex<String>>,
}

impl Shown {
    /// Shows what came in since the last request.
    pub(crate) fn flush(&self) {
        let received =
            std::mem::take(&mut *self.received.lock().unwrap_or_else(PoisonError::into_inner));
        if !received.is_empty() {
            tracing::debug!("received {received}");
        }
    }

    /// Takes one line of a recording.
    fn take(&self, line: &[u8]) {
        match serde_json::from_slice(line) {
            Ok(Entry {
                dir: Some("in"),
                hex: Some(hex),
            }) => {
                let mut received = self.received.lock().unwrap_or_else(PoisonError::into_inner);
                // A line that never stops talking must not fill the memory.
                if received.len() < SHOWN_MAX {
                    received.push_str(hex);
                }
            }
            Ok(Entry {
                dir: Some("out"),
                hex: Some(hex),
            }) => {
                self.flush();
                tracing::debug!("sent {hex}");
            }
            _ => {}
        }
    }
}

impl Drop for Shown {
    fn drop(&mut self) {
        self.flush();
    }
}

/// No more digits are shown of what one request brought.
const SHOWN_MAX: usize = 4096;

/// What is read of a line of a recording.
#[derive(Deserialize)]
struct Entry<'a> {
    dir: Option<&'a str>,
    hex: Option<&'a str>,
}

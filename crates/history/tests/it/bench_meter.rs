//! Meters and polls for the tests.

use std::path::PathBuf;
use std::time::Duration;

use heatmeter_catalog::RegisterId;
use heatmeter_catalog::reading::{Content, Quality, Reading};
use heatmeter_history::{History, Line, Meter, Poll, Settings};
use jiff::Timestamp;
use kamstrup_kmp::{Decimal, Unit, Verdict};
use tempfile::TempDir;

pub(crate) const ENERGY: RegisterId = RegisterId(60);
pub(crate) const POWER: RegisterId = RegisterId(80);

/// A history in a folder of its own, with settings for tests.
pub(crate) struct Place {
    pub(crate) folder: TempDir,
    pub(crate) path: PathBuf,
}

impl Place {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("history.db");
        Self { folder, path }
    }

    pub(crate) async fn open(&self) -> History {
        History::open(&self.path, settings()).await.unwrap().0
    }

    /// The names of the files there are, in order.
    pub(crate) fn files(&self) -> Vec<String> {
        let mut names: Vec<_> = std::fs::read_dir(self.folder.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }
}

/// Tries again soon.
pub(crate) fn settings() -> Settings {
    Settings {
        try_again_after: Duration::from_millis(20),
        ..Settings::default()
    }
}

pub(crate) fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

pub(crate) fn meter(serial: &str) -> Meter {
    Meter {
        serial: serial.to_owned(),
        model: Some("MULTICAL 403".to_owned()),
        type_code: Some(0x0403),
        software: Some("G1".to_owned()),
    }
}

pub(crate) fn number(register: RegisterId, unit: Unit, text: &str) -> Reading {
    Reading {
        register,
        value: Some(Content::Number(text.parse::<Decimal>().unwrap())),
        unit: Some(unit),
        quality: Quality::Good,
        reason: None,
    }
}

/// A poll that the meter answered.
pub(crate) fn poll(serial: &str, at: Timestamp, readings: Vec<Reading>) -> Poll {
    Poll {
        serial: serial.to_owned(),
        at,
        verdict: Verdict::Ok,
        readings,
        line: Line {
            requests: 1,
            retries: 0,
            bytes_sent: 29,
            bytes_received: 101,
            took: Duration::from_millis(1190),
        },
    }
}

/// A poll of the energy counter alone.
pub(crate) fn energy(serial: &str, time: &str, counter: &str) -> Poll {
    poll(serial, at(time), vec![number(ENERGY, Unit::KWH, counter)])
}

/// A poll that came to nothing.
pub(crate) fn failed(serial: &str, time: &str, verdict: Verdict) -> Poll {
    Poll {
        verdict,
        ..poll(serial, at(time), Vec::new())
    }
}

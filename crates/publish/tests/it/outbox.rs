//! A history in a temporary folder, with polls to deliver.

use std::sync::Arc;
use std::time::Duration;

use heatmeter_catalog::RegisterId;
use heatmeter_catalog::reading::{Content, Quality, Reading};
use heatmeter_history::{History, Line, Meter, Poll, PollId, Settings, Stored};
use heatmeter_publish::{Destination, Known, Pauses, Place, Progress, Supplier};
use jiff::Timestamp;
use kamstrup_kmp::{Decimal, Unit, Verdict};
use tempfile::TempDir;
use tokio::sync::watch;
use tokio::time;

pub(crate) const SERIAL: &str = "84968362";

/// 2026-11-20 12:00:00 UTC.
const NOON: i64 = 1_795_176_000_000;

/// By when something happens on a busy machine, or never does.
const LIMIT: Duration = Duration::from_mins(2);

pub(crate) struct Outbox {
    pub(crate) history: History,
    _folder: TempDir,
}

impl Outbox {
    pub(crate) async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("history.db");
        let (history, _) = History::open(&path, Settings::default()).await.unwrap();
        history.introduce(meter()).await.unwrap();
        Self {
            history,
            _folder: folder,
        }
    }

    pub(crate) async fn record(&self, numbers: impl IntoIterator<Item = u32>) {
        for number in numbers {
            self.history.record(poll(number)).await.unwrap();
        }
    }

    /// Supplies a destination of that name, with short pauses.
    pub(crate) async fn supply(&self, name: &str, destination: impl Destination) -> Supplier {
        let place = Place {
            pauses: Pauses {
                first: Duration::from_millis(5),
                longest: Duration::from_millis(100),
            },
            ..Place::new(name)
        };
        self.supply_at(place, destination).await
    }

    pub(crate) async fn supply_at(&self, place: Place, destination: impl Destination) -> Supplier {
        Supplier::start(self.history.clone(), place, destination, Timestamp::now).await
    }
}

/// Waits until it goes as said.
pub(crate) async fn until(
    progress: &mut watch::Receiver<Progress>,
    is_so: impl FnMut(&Progress) -> bool,
) -> Progress {
    if let Ok(found) = time::timeout(LIMIT, progress.wait_for(is_so)).await {
        return found.expect("it supplies").clone();
    }
    panic!("it never came, but: {:?}", progress.borrow());
}

/// Waits until everything is delivered.
pub(crate) async fn until_empty(progress: &mut watch::Receiver<Progress>, delivered: u64) {
    until(progress, |p| p.pending == 0 && p.delivered >= delivered).await;
}

pub(crate) fn meter() -> Meter {
    Meter {
        serial: SERIAL.to_owned(),
        model: Some("MULTICAL 403".to_owned()),
        type_code: Some(0x4301),
        software: Some("G1".to_owned()),
    }
}

pub(crate) fn known() -> Known {
    [(SERIAL.to_owned(), Arc::new(meter()))].into()
}

/// A poll a minute, with an energy that tells its number and a power.
pub(crate) fn poll(number: u32) -> Poll {
    poll_of(
        number,
        vec![
            reading(60, Unit::GJ, Decimal::new(84_000 + i128::from(number), -3)),
            reading(80, Unit::KW, Decimal::new(0, -1)),
        ],
    )
}

pub(crate) fn poll_of(number: u32, readings: Vec<Reading>) -> Poll {
    let at = NOON + i64::from(number) * 60_000;
    Poll {
        serial: SERIAL.to_owned(),
        at: Timestamp::from_millisecond(at).unwrap(),
        verdict: Verdict::Ok,
        readings,
        line: Line::default(),
    }
}

pub(crate) fn stored(poll: Poll) -> Stored {
    Stored {
        id: PollId(1),
        poll,
    }
}

pub(crate) fn reading(register: u16, unit: Unit, number: Decimal) -> Reading {
    Reading {
        value: Some(Content::Number(number)),
        unit: Some(unit),
        ..Reading::without(RegisterId(register), Quality::Good)
    }
}

pub(crate) fn text(register: u16, unit: Unit, text: &str) -> Reading {
    Reading {
        value: Some(Content::Text(text.to_owned())),
        unit: Some(unit),
        ..Reading::without(RegisterId(register), Quality::Good)
    }
}

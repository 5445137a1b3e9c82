//! The handle that everybody uses.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::{Arc, mpsc};
use std::time::Duration;

use heatmeter_catalog::RegisterId;
use heatmeter_catalog::reading::Reading;
use jiff::{Timestamp, Zoned};
use rusqlite::Connection;
use tokio::sync::{Semaphore, oneshot, watch};

use crate::amounts::{self, Amounts, Bars, Comparison};
use crate::error::{HistoryError, is_damage};
use crate::export::{Export, Selection};
use crate::file::HistoryFile;
use crate::poll::{Meter, Poll, PollId, Stored};
use crate::pool::Pool;
use crate::prune::Keep;
use crate::reader;
use crate::series::{self, Series, Stretch};
use crate::writer::{Done, Order, Work, Writer};

/// So many orders may wait for the writer.
const QUEUE: usize = 256;

/// How a history is opened.
#[derive(Clone, Debug)]
pub struct Settings {
    /// How many polls may wait in memory while nothing can be written. Those that came first are
    /// kept.
    pub may_wait: usize,
    /// How long to wait before writing is tried again.
    pub try_again_after: Duration,
    /// A file of at most so many bytes is checked for damage before it is used; a larger one when
    /// somebody meets the damage.
    pub check_at_once: u64,
    /// How many bytes the file may have; as many as there is room for without it.
    pub largest: Option<u64>,
}

/// What was found when it was opened.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Opened {
    /// There was none.
    #[default]
    Fresh,
    /// It was whole.
    Whole,
    /// It was damaged: the readable polls were taken over, the old file kept.
    Salvaged {
        /// Where the damaged file is now.
        kept: PathBuf,
        /// How many polls were taken over.
        polls: u64,
    },
}

/// How the history is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Health {
    /// Polls are kept.
    #[default]
    Fine,
    /// The disk is full: polls wait in memory, as many as fit, and are written when there is room.
    DiskFull {
        /// How many polls wait.
        waiting: usize,
    },
    /// Nothing can be written, for another reason.
    Failing {
        /// What the database says.
        reason: String,
        /// How many polls wait.
        waiting: usize,
    },
}

/// The latest value of a register.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Latest {
    /// The value.
    pub reading: Reading,
    /// The time of its poll.
    pub at: Timestamp,
}

/// How much the history holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Extent {
    /// The size of its file.
    pub bytes: u64,
    /// How many polls are kept one by one.
    pub polls: u64,
    /// The oldest of them.
    pub since: Option<Timestamp>,
}

/// Something new in the history.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Change {
    /// The newest poll.
    pub newest: PollId,
}

/// A history that is open. Clones are the same one.
#[derive(Clone, Debug)]
pub struct History {
    orders: mpsc::Sender<Order>,
    room: Arc<Semaphore>,
    readers: Arc<Pool>,
    changes: watch::Receiver<Change>,
    health: watch::Receiver<Health>,
    opened: watch::Receiver<Opened>,
    path: Arc<Path>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            // About 2 MB, three weeks of hourly polls of four meters.
            may_wait: 2000,
            try_again_after: Duration::from_secs(10),
            check_at_once: 32 << 20,
            largest: None,
        }
    }
}

impl History {
    /// Opens the file, or makes it.
    pub async fn open(path: &Path, settings: Settings) -> Result<(Self, Opened), HistoryError> {
        let path = path.to_owned();
        tokio::task::spawn_blocking(move || Self::start(&path, settings))
            .await
            .map_err(|_| HistoryError::Closed)?
    }

    /// Keeps who a meter is. Before its first poll.
    pub async fn introduce(&self, meter: Meter) -> Result<(), HistoryError> {
        self.order(Work::Introduce(meter)).await.map(|_| ())
    }

    /// Keeps a poll; done when it is on disk. A poll of the same meter and millisecond is the same.
    ///
    /// While nothing can be written the answer is [`HistoryError::Waits`]: the poll is written when
    /// that is possible again, and needs not be recorded once more.
    pub async fn record(&self, poll: Poll) -> Result<PollId, HistoryError> {
        let ids = self.record_all(vec![poll]).await?;
        ids.into_iter().next().ok_or(HistoryError::Closed)
    }

    /// Keeps many polls, all or none: a year in one go.
    pub async fn record_all(&self, polls: Vec<Poll>) -> Result<Vec<PollId>, HistoryError> {
        match self.order(Work::Record(polls)).await? {
            Done::Polls(ids) => Ok(ids),
            _ => Ok(Vec::new()),
        }
    }

    /// Tells when there is something new.
    pub fn changes(&self) -> watch::Receiver<Change> {
        self.changes.clone()
    }

    /// Tells how the history is; ends when the writer has ended.
    pub fn health(&self) -> watch::Receiver<Health> {
        self.health.clone()
    }

    /// What was found when it was opened, or later: damage shows when it is met.
    pub fn opened(&self) -> watch::Receiver<Opened> {
        self.opened.clone()
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// All meters there were.
    pub async fn meters(&self) -> Result<Vec<Meter>, HistoryError> {
        self.read(reader::meters).await
    }

    /// The poll of a meter that was recorded last, whatever came of it.
    pub async fn newest(&self, serial: &str) -> Result<Option<Stored>, HistoryError> {
        let serial = serial.to_owned();
        self.read(move |connection| reader::newest(connection, &serial))
            .await
    }

    /// The latest reading of every register of a meter.
    pub async fn latest(&self, serial: &str) -> Result<Vec<Latest>, HistoryError> {
        let serial = serial.to_owned();
        self.read(move |connection| reader::latest(connection, &serial))
            .await
    }

    /// What was the latest reading of every register of a meter before this poll. What was read only
    /// more than 10,000 polls earlier, and again since, is left out.
    pub async fn latest_before(
        &self,
        serial: &str,
        poll: &Stored,
    ) -> Result<Vec<Latest>, HistoryError> {
        let (serial, poll) = (serial.to_owned(), poll.clone());
        self.read(move |connection| reader::latest_before(connection, &serial, &poll))
            .await
    }

    /// Polls of a meter in the order of their times: from one moment on, before another, at most so
    /// many. To go on, ask from a millisecond after the last one.
    pub async fn polls(
        &self,
        serial: &str,
        from: Timestamp,
        to: Timestamp,
        limit: usize,
    ) -> Result<Vec<Stored>, HistoryError> {
        let serial = serial.to_owned();
        self.read(move |connection| reader::polls(connection, &serial, from, to, limit))
            .await
    }

    /// A register from one moment to another in at most so many points, for a chart.
    pub async fn series(
        &self,
        serial: &str,
        register: RegisterId,
        (from, to): (Timestamp, Timestamp),
        points: usize,
    ) -> Result<Series, HistoryError> {
        let serial = serial.to_owned();
        let stretch = Stretch { register, from, to };
        self.read(move |connection| series::series(connection, &serial, stretch, points))
            .await
    }

    /// How much a counter counted, by hour, day, month or year. At most 10,000 bars.
    pub async fn amounts(&self, serial: &str, bars: Bars) -> Result<Amounts, HistoryError> {
        let serial = serial.to_owned();
        self.read(move |connection| amounts::amounts(connection, &serial, &bars))
            .await
    }

    /// Today and this month against the same days of last year.
    pub async fn comparison(
        &self,
        serial: &str,
        register: RegisterId,
        now: Zoned,
    ) -> Result<Comparison, HistoryError> {
        let serial = serial.to_owned();
        self.read(move |connection| amounts::comparison(connection, &serial, register, &now))
            .await
    }

    /// Begins to export polls.
    pub fn export(&self, selection: Selection) -> Export {
        Export::new(self.clone(), selection)
    }

    /// How much there is.
    pub async fn extent(&self) -> Result<Extent, HistoryError> {
        self.read(reader::extent).await
    }

    /// The oldest polls that a place has not acknowledged, at most so many, in order. A place that
    /// is asked for the first time starts with the next poll, unless `from_the_start`.
    pub async fn pending(
        &self,
        place: &str,
        from_the_start: bool,
        limit: usize,
    ) -> Result<Vec<Stored>, HistoryError> {
        let name = place.to_owned();
        let pending = move |connection: &Connection| {
            let Some(id) = reader::acknowledged(connection, &name)? else {
                return Ok(None);
            };
            reader::after(connection, id, limit).map(Some)
        };
        if let Some(polls) = self.read(pending.clone()).await? {
            return Ok(polls);
        }
        let place = place.to_owned();
        self.order(Work::OpenPlace {
            place,
            from_the_start,
        })
        .await?;
        self.read(pending).await.map(Option::unwrap_or_default)
    }

    /// The place has everything up to this poll.
    pub async fn acknowledge(&self, place: &str, upto: PollId) -> Result<(), HistoryError> {
        let place = place.to_owned();
        self.order(Work::Acknowledge { place, upto })
            .await
            .map(|_| ())
    }

    /// How many polls wait for a place; none for one that was never asked about.
    pub async fn backlog(&self, place: &str) -> Result<u64, HistoryError> {
        let place = place.to_owned();
        self.read(
            move |connection| match reader::acknowledged(connection, &place)? {
                Some(id) => reader::count_after(connection, id),
                None => Ok(0),
            },
        )
        .await
    }

    /// All places, and up to where each has acknowledged.
    pub async fn places(&self) -> Result<Vec<(String, PollId)>, HistoryError> {
        self.read(reader::places).await
    }

    /// Forgets a place: polls no longer wait for it.
    pub async fn forget_place(&self, place: &str) -> Result<(), HistoryError> {
        self.order(Work::ForgetPlace(place.to_owned()))
            .await
            .map(|_| ())
    }

    /// Keeps what the gate remembers of a meter, as text of its own.
    pub async fn remember(&self, serial: &str, memory: String) -> Result<(), HistoryError> {
        let serial = serial.to_owned();
        self.order(Work::Remember { serial, memory })
            .await
            .map(|_| ())
    }

    /// What the gate remembered.
    pub async fn recall(&self, serial: &str) -> Result<Option<String>, HistoryError> {
        let serial = serial.to_owned();
        self.read(move |connection| reader::memory(connection, &serial))
            .await
    }

    /// Deletes polls that need not be kept longer, in small steps; tells how many. The space is used
    /// again for what comes; the file does not shrink.
    pub async fn prune(&self, now: Timestamp, keep: Keep) -> Result<u64, HistoryError> {
        let mut deleted = 0;
        loop {
            match self.order(Work::Prune(keep.cutoff(now))).await? {
                Done::Deleted(some) if some > 0 => deleted += some,
                _ => return Ok(deleted),
            }
        }
    }

    /// Writes everything and closes; no `-wal` file is left. Other clones answer `Closed` from then on.
    pub async fn close(self) -> Result<(), HistoryError> {
        self.readers.close().await;
        self.order(Work::Close).await.map(|_| ())
    }

    fn start(path: &Path, settings: Settings) -> Result<(Self, Opened), HistoryError> {
        let (file, connection, found) = HistoryFile::open(path, &settings)?;
        let newest = reader::newest_id(&connection)?;
        let (orders, received) = mpsc::channel();
        let (changes, news) = watch::channel(Change { newest });
        let (health, how_it_is) = watch::channel(Health::Fine);
        let (opened, what_was_found) = watch::channel(found.clone());
        let readers = Arc::new(Pool::new(path.to_owned()));
        let history = Self {
            orders,
            room: Arc::new(Semaphore::new(QUEUE)),
            readers: Arc::clone(&readers),
            changes: news,
            health: how_it_is,
            opened: what_was_found,
            path: path.into(),
        };
        let writer = Writer {
            file,
            settings,
            orders: received,
            readers,
            changes,
            health,
            opened,
            connection: Some(connection),
            waiting: VecDeque::new(),
        };
        std::thread::Builder::new()
            .name("history".to_owned())
            .spawn(move || writer.run())
            .map_err(|source| HistoryError::Open {
                path: path.to_owned(),
                source,
            })?;
        Ok((history, found))
    }

    /// Has the writer do something.
    async fn order(&self, work: Work) -> Result<Done, HistoryError> {
        let room = Arc::clone(&self.room)
            .acquire_owned()
            .await
            .map_err(|_| HistoryError::Closed)?;
        let (answer, answered) = oneshot::channel();
        let order = Order {
            work,
            answer,
            _room: room,
        };
        self.orders.send(order).map_err(|_| HistoryError::Closed)?;
        answered.await.map_err(|_| HistoryError::Closed)?
    }

    /// Reads; has a damaged file salvaged, and reads again.
    pub(crate) async fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Connection) -> rusqlite::Result<T> + Clone + Send + 'static,
    ) -> Result<T, HistoryError> {
        let once = read.clone();
        let result = self
            .readers
            .read(move |connection| Ok(once(connection)?))
            .await;
        match result {
            Err(HistoryError::Database(error)) if is_damage(&error) => {
                self.order(Work::Examine).await?;
                self.readers
                    .read(move |connection| Ok(read(connection)?))
                    .await
            }
            other => other,
        }
    }
}

//! Connections that read, a few and small ones.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::Connection;
use tokio::sync::Semaphore;

use crate::error::HistoryError;
use crate::schema;

/// So many read at the same time.
const READERS: u32 = 3;

/// So many connections are kept when nobody reads.
const KEPT: usize = 1;

/// Connections that read the file at this path.
#[derive(Debug)]
pub(crate) struct Pool {
    path: PathBuf,
    idle: Mutex<Vec<(u64, Connection)>>,
    room: Arc<Semaphore>,
    /// Counts how often another file took the path.
    generation: AtomicU64,
}

impl Pool {
    pub(crate) fn new(path: PathBuf) -> Self {
        Self {
            path,
            idle: Mutex::default(),
            room: Arc::new(Semaphore::new(READERS as usize)),
            generation: AtomicU64::new(0),
        }
    }

    /// Reads on a thread that may wait.
    pub(crate) async fn read<T: Send + 'static>(
        self: &Arc<Self>,
        read: impl FnOnce(&Connection) -> Result<T, HistoryError> + Send + 'static,
    ) -> Result<T, HistoryError> {
        let room = Arc::clone(&self.room)
            .acquire_owned()
            .await
            .map_err(|_| HistoryError::Closed)?;
        let pool = Arc::clone(self);
        let reading = tokio::task::spawn_blocking(move || {
            let generation = pool.generation.load(Ordering::Acquire);
            let connection = match pool.take(generation) {
                Some(connection) => connection,
                None => schema::open_to_read(&pool.path)?,
            };
            let result = read(&connection);
            if result.is_ok() {
                pool.put_back(generation, connection);
            }
            drop(room);
            result
        });
        // A runtime that ends takes no more work.
        reading.await.map_err(|_| HistoryError::Closed)?
    }

    /// Lets go of all connections that are not in use: another file takes the path.
    pub(crate) fn forget(&self) {
        self.generation.fetch_add(1, Ordering::AcqRel);
        self.idle().clear();
    }

    /// Waits for everybody who reads, and lets nobody read any more.
    pub(crate) async fn close(&self) {
        if let Ok(all) = self.room.acquire_many(READERS).await {
            self.room.close();
            all.forget();
        }
        self.idle().clear();
    }

    fn take(&self, generation: u64) -> Option<Connection> {
        let mut idle = self.idle();
        idle.retain(|(made, _)| *made == generation);
        idle.pop().map(|(_, connection)| connection)
    }

    fn put_back(&self, generation: u64, connection: Connection) {
        let mut idle = self.idle();
        if idle.len() < KEPT && generation == self.generation.load(Ordering::Acquire) {
            idle.push((generation, connection));
        }
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<(u64, Connection)>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

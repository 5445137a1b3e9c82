//! A way to the broker that can break: half way through a packet, or for a while.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};

/// Passes bytes on. Dropping it breaks everything.
pub(super) struct Proxy {
    port: u16,
    is_open: watch::Sender<bool>,
    /// How many bytes of the gateway still pass.
    left: Arc<AtomicI64>,
    task: JoinHandle<()>,
}

impl Proxy {
    pub(super) async fn start(broker: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (is_open, opened) = watch::channel(true);
        let left = Arc::new(AtomicI64::new(i64::MAX));
        let passing = Arc::clone(&left);
        let task = tokio::spawn(async move {
            let mut connections = JoinSet::new();
            loop {
                let (client, _) = listener.accept().await.unwrap();
                if *opened.borrow() {
                    connections.spawn(pass(client, broker, Arc::clone(&passing), opened.clone()));
                }
            }
        });
        Self {
            port,
            is_open,
            left,
            task,
        }
    }

    pub(super) fn port(&self) -> u16 {
        self.port
    }

    /// Breaks the connection after so many bytes more of the gateway's. Then all pass again.
    pub(super) fn cut_after(&self, bytes: i64) {
        self.left.store(bytes, Ordering::SeqCst);
    }

    /// Breaks all connections and lets none through.
    pub(super) fn close(&self) {
        self.is_open.send_replace(false);
    }

    pub(super) fn open(&self) {
        self.is_open.send_replace(true);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn pass(
    client: TcpStream,
    broker: u16,
    left: Arc<AtomicI64>,
    mut is_open: watch::Receiver<bool>,
) {
    let Ok(server) = TcpStream::connect(("127.0.0.1", broker)).await else {
        return;
    };
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_server, mut to_server) = server.into_split();
    let up = async {
        let mut buffer = [0; 4096];
        loop {
            let read = from_client.read(&mut buffer).await.unwrap_or(0);
            let before = left.fetch_sub(i64::try_from(read).unwrap(), Ordering::SeqCst);
            let passing = read.min(usize::try_from(before).unwrap_or(0));
            let is_cut = passing < read;
            if is_cut {
                left.store(i64::MAX, Ordering::SeqCst);
            }
            if to_server.write_all(&buffer[..passing]).await.is_err() || is_cut || read == 0 {
                return;
            }
        }
    };
    let down = async { drop(tokio::io::copy(&mut from_server, &mut to_client).await) };
    tokio::select! {
        () = up => {}
        () = down => {}
        _ = is_open.wait_for(|open| !open) => {}
    }
}

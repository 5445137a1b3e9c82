//! Dropping a port is quick, also when nobody takes the bytes that were written to it.

mod support;

use std::time::{Duration, Instant};

use support::open;
use support::pty::Pty;

#[tokio::test]
async fn with_bytes_that_cannot_leave() {
    let pty = Pty::new();
    let mut transport = open(pty.name()).await.unwrap();
    let flood = vec![0x55; 1 << 20];
    let stuck = tokio::time::timeout(Duration::from_millis(50), transport.write_all(&flood)).await;
    assert!(stuck.is_err(), "nobody reads, so the write must be stuck");

    let started = Instant::now();
    drop(transport);
    assert!(
        started.elapsed() < Duration::from_secs(1),
        "{:?}",
        started.elapsed()
    );
    drop(open(pty.name()).await.unwrap());
}

//! What the tests of this crate need around them: pseudo terminals as meters, and ser2net.

#![allow(
    dead_code,
    unreachable_pub,
    reason = "each test file uses its own part"
)]

pub mod meter;
pub mod pty;
pub mod ser2net;

use std::future::Future;
use std::time::Duration;

use heatmeter_client::{OpenOptions, Port, PortError, Transport};

/// Nothing in these tests may take longer.
pub const LIMIT: Duration = Duration::from_secs(10);

/// Runs a step, and fails the test if it hangs.
pub async fn in_time<T>(step: impl Future<Output = T>) -> T {
    tokio::time::timeout(LIMIT, step)
        .await
        .expect("the step must come to an end by itself")
}

pub async fn open(port: &str) -> Result<Transport, PortError> {
    let port: Port = port.parse().unwrap();
    in_time(Transport::open(&port, &OpenOptions::default())).await
}

/// Reads exactly `count` bytes.
pub async fn read_exactly(transport: &mut Transport, count: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    while bytes.len() < count {
        let mut buffer = [0; 64];
        let read = in_time(transport.read(&mut buffer)).await.unwrap();
        assert!(read > 0, "an empty read must be an error");
        bytes.extend(&buffer[..read]);
    }
    assert_eq!(bytes.len(), count, "{bytes:02x?}");
    bytes
}

/// Every byte value twice, with the pairs in it that telnet and terminals like to touch.
pub fn treacherous_bytes() -> Vec<u8> {
    let mut bytes: Vec<u8> = (0..=255).chain((0..=255).rev()).collect();
    bytes.extend([
        0xff, 0x00, 0x0d, 0x0a, 0x0d, 0x00, 0xff, 0xff, 0xff, 0xfb, 0x00, 0xff, 0xf0,
    ]);
    bytes.extend([0x11, 0x13, 0x03, 0x04, 0x1a, 0x7f, 0x0d]);
    bytes
}

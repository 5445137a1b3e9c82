//! `socket://` through a real ser2net: every byte value arrives, in both directions.

mod support;

use support::ser2net::{Bridge, Mode};
use support::{open, read_exactly, treacherous_bytes};

#[tokio::test]
async fn every_byte_in_both_directions() {
    let mut bridge = Bridge::start(Mode::Raw).await;
    let mut transport = open(&bridge.url("socket")).await.unwrap();
    let bytes = treacherous_bytes();

    transport.write_all(&bytes).await.unwrap();
    assert_eq!(bridge.meter.receive_exactly(bytes.len()).await, bytes);

    bridge.meter.send(&bytes).await;
    assert_eq!(read_exactly(&mut transport, bytes.len()).await, bytes);
    assert!(!transport.greets_in_telnet());
}

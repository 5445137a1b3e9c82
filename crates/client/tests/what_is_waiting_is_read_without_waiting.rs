//! Before a request the line is cleared of what has come unasked, in no time.

mod support;

use std::io::ErrorKind;

use support::ser2net::{Bridge, Mode};
use support::{in_time, open, read_exactly};

async fn drains(port: &str, meter: &mut support::pty::Pty) {
    let mut transport = open(port).await.unwrap();
    let nothing = transport.try_read(&mut [0; 8]).unwrap_err();
    assert_eq!(nothing.kind(), ErrorKind::WouldBlock);

    meter.send(b"late answer").await;
    // One byte by waiting, so that the rest is known to be there.
    assert_eq!(read_exactly_one(&mut transport).await, b'l');
    let mut waiting: Vec<u8> = Vec::new();
    in_time(async {
        while waiting.len() < 10 {
            let mut buffer = [0; 4];
            match transport.try_read(&mut buffer) {
                Ok(read) => waiting.extend(&buffer[..read]),
                Err(error) => {
                    assert_eq!(error.kind(), ErrorKind::WouldBlock);
                    tokio::task::yield_now().await;
                }
            }
        }
    })
    .await;
    assert_eq!(waiting, b"ate answer");
    let nothing = transport.try_read(&mut [0; 8]).unwrap_err();
    assert_eq!(nothing.kind(), ErrorKind::WouldBlock);

    // And the line goes on as before.
    meter.send(b"next").await;
    assert_eq!(read_exactly(&mut transport, 4).await, b"next");
}

async fn read_exactly_one(transport: &mut heatmeter_client::Transport) -> u8 {
    let mut byte = [0];
    in_time(transport.read(&mut byte)).await.unwrap();
    byte[0]
}

#[tokio::test]
async fn serial() {
    let mut pty = support::pty::Pty::new();
    let name = pty.name().to_owned();
    drains(&name, &mut pty).await;
}

#[tokio::test]
async fn tcp() {
    let mut bridge = Bridge::start(Mode::Raw).await;
    drains(&bridge.url("socket"), &mut bridge.meter).await;
}

#[tokio::test]
async fn rfc2217() {
    let mut bridge = Bridge::start(Mode::Rfc2217).await;
    drains(&bridge.url("rfc2217"), &mut bridge.meter).await;
}

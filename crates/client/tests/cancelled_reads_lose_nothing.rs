//! A read that is given up takes no byte with it, whatever the port is.

mod support;

use std::time::Duration;

use heatmeter_client::Transport;
use support::pty::Pty;
use support::ser2net::{Bridge, Mode};
use support::{in_time, open, treacherous_bytes};

/// Sends slowly while the other end gives up reading again and again.
async fn give_up_often(meter: &mut Pty, transport: &mut Transport) {
    let bytes = treacherous_bytes();
    let mut arrived: Vec<u8> = Vec::new();
    let mut given_up = 0;
    in_time(async {
        let send = async {
            for piece in bytes.chunks(7) {
                meter.send(piece).await;
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        };
        let receive = async {
            while arrived.len() < bytes.len() {
                let mut buffer = [0; 16];
                let read = transport.read(&mut buffer);
                match tokio::time::timeout(Duration::from_micros(100), read).await {
                    Ok(read) => arrived.extend(&buffer[..read.unwrap()]),
                    Err(_) => given_up += 1,
                }
            }
        };
        tokio::join!(send, receive)
    })
    .await;
    assert_eq!(arrived, bytes);
    assert!(given_up > 10, "only {given_up} reads were given up");
}

#[tokio::test]
async fn serial() {
    let mut pty = Pty::new();
    let mut transport = open(pty.name()).await.unwrap();
    give_up_often(&mut pty, &mut transport).await;
}

#[tokio::test]
async fn tcp() {
    let mut bridge = Bridge::start(Mode::Raw).await;
    let mut transport = open(&bridge.url("socket")).await.unwrap();
    give_up_often(&mut bridge.meter, &mut transport).await;
}

#[tokio::test]
async fn rfc2217() {
    let mut bridge = Bridge::start(Mode::Rfc2217).await;
    let mut transport = open(&bridge.url("rfc2217")).await.unwrap();
    give_up_often(&mut bridge.meter, &mut transport).await;
}

//! A bridge that is busy, has no device, or speaks another language than the port's scheme says.

mod support;

use std::time::{Duration, Instant};

use heatmeter_client::{OpenOptions, Port, PortError, Transport, Unreachable};
use support::ser2net::{Bridge, Mode};
use support::{in_time, open};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

/// Reads until the port is lost, and gives what that means.
async fn end(transport: &mut Transport) -> PortError {
    let mut buffer = [0; 64];
    let error = loop {
        if let Err(error) = in_time(transport.read(&mut buffer)).await {
            break error;
        }
    };
    transport.lost(&error)
}

async fn open_briefly(port: &str) -> PortError {
    let port: Port = port.parse().unwrap();
    let options = OpenOptions {
        timeout: Duration::from_millis(300),
        ..OpenOptions::default()
    };
    in_time(Transport::open(&port, &options)).await.unwrap_err()
}

#[tokio::test]
async fn the_one_place_is_taken() {
    let bridge = Bridge::start(Mode::Raw).await;
    let port = bridge.url("socket");
    let mut first = open(&port).await.unwrap();
    let mut second = open(&port).await.unwrap();
    let error = end(&mut second).await;
    assert!(matches!(error, PortError::Busy { .. }), "{error:?}");
    first.write_all(b"still there").await.unwrap();

    let bridge = Bridge::start(Mode::Rfc2217).await;
    let port = bridge.url("rfc2217");
    let _first = open(&port).await.unwrap();
    let error = open(&port).await.unwrap_err();
    assert!(matches!(error, PortError::Busy { .. }), "{error:?}");
}

#[tokio::test]
async fn the_bridge_has_no_device() {
    for (mode, scheme) in [(Mode::Raw, "socket"), (Mode::Rfc2217, "rfc2217")] {
        let bridge = Bridge::start_without_device(mode).await;
        let port = bridge.url(scheme);
        let error = match open(&port).await {
            Ok(mut transport) => end(&mut transport).await,
            Err(error) => error,
        };
        let expected = "hung up and said `Device open failure: Value or file not found`";
        assert!(error.to_string().contains(expected), "{error}");
    }
}

#[tokio::test]
async fn a_raw_bridge_asked_for_rfc2217() {
    let bridge = Bridge::start(Mode::Raw).await;
    let error = open_briefly(&bridge.url("rfc2217")).await;
    assert!(
        error
            .to_string()
            .contains("found no answer to the telnet negotiation"),
        "{error}"
    );
    assert!(error.help().contains("use socket://"), "{}", error.help());
}

#[tokio::test]
async fn a_raw_bridge_with_an_echoing_head_asked_for_rfc2217() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        let (mut peer, _) = listener.accept().await.unwrap();
        let mut buffer = [0; 64];
        while let Ok(read @ 1..) = peer.read(&mut buffer).await {
            peer.write_all(&buffer[..read]).await.unwrap();
        }
    });
    let error = open_briefly(&format!("rfc2217://127.0.0.1:{port}")).await;
    assert!(
        error.to_string().contains("our own bytes echoed"),
        "{error}"
    );
}

#[tokio::test]
async fn a_telnet_bridge_without_com_port_option() {
    let bridge = Bridge::start(Mode::Telnet).await;
    let error = open_briefly(&bridge.url("rfc2217")).await;
    assert!(
        matches!(
            &error,
            PortError::Unreachable {
                reason: Unreachable::NotRfc2217(_),
                ..
            }
        ),
        "{error:?}"
    );
}

#[tokio::test]
async fn a_telnet_bridge_asked_for_raw_bytes() {
    let bridge = Bridge::start(Mode::Telnet).await;
    let mut transport = open(&bridge.url("socket")).await.unwrap();
    let mut buffer = [0; 64];
    in_time(transport.read(&mut buffer)).await.unwrap();
    assert!(transport.greets_in_telnet());
}

#[tokio::test]
async fn a_server_that_floods_the_negotiation() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        let (mut peer, _) = listener.accept().await.unwrap();
        // Never reads: the answers must not pile up, nor stop the client from giving up in time.
        let flood = [0xff, 0xfd, 0x63].repeat(10_000);
        while peer.write_all(&flood).await.is_ok() {}
    });
    let started = Instant::now();
    let error = open_briefly(&format!("rfc2217://127.0.0.1:{port}")).await;
    assert!(matches!(error, PortError::Unreachable { .. }), "{error:?}");
    assert!(
        started.elapsed() < Duration::from_secs(2),
        "{:?}",
        started.elapsed()
    );
}

//! `rfc2217://` through a real ser2net: the line is set from here, every byte value arrives.

mod support;

use kamstrup_kmp::line::LineSettings;
use rustix::termios::ControlModes;
use support::ser2net::{Bridge, Mode};
use support::{open, read_exactly, treacherous_bytes};

#[tokio::test]
async fn every_byte_in_both_directions() {
    let mut bridge = Bridge::start(Mode::Rfc2217).await;
    let mut transport = open(&bridge.url("rfc2217")).await.unwrap();
    let bytes = treacherous_bytes();

    transport.write_all(&bytes).await.unwrap();
    assert_eq!(bridge.meter.receive_exactly(bytes.len()).await, bytes);

    bridge.meter.send(&bytes).await;
    assert_eq!(read_exactly(&mut transport, bytes.len()).await, bytes);
}

#[tokio::test]
async fn the_line_behind_the_bridge_is_set() {
    let bridge = Bridge::start(Mode::Rfc2217).await;
    let mut transport = open(&bridge.url("rfc2217")).await.unwrap();
    let line = bridge.meter.settings();
    assert_eq!(line.output_speed(), 1200);
    assert!(
        line.control_modes.contains(ControlModes::CSTOPB),
        "two stop bits"
    );

    transport
        .configure(LineSettings {
            baud: 300,
            ..LineSettings::KMP
        })
        .await
        .unwrap();
    assert_eq!(bridge.meter.settings().output_speed(), 300);
}

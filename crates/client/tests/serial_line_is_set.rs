//! Opening a serial port sets the line as meters want it, and says so if that does not work.

mod support;

use kamstrup_kmp::line::{LineSettings, Parity};
use rustix::termios::{ControlModes, InputModes, LocalModes};
use support::pty::Pty;
use support::{open, read_exactly, treacherous_bytes};

#[tokio::test]
async fn twelve_hundred_baud_and_two_stop_bits() {
    let pty = Pty::new();
    let _transport = open(pty.name()).await.unwrap();
    let line = pty.settings();
    assert_eq!((line.input_speed(), line.output_speed()), (1200, 1200));
    assert!(
        line.control_modes
            .contains(ControlModes::CSTOPB | ControlModes::CS8)
    );
    assert!(
        !line
            .control_modes
            .intersects(ControlModes::PARENB | ControlModes::CRTSCTS)
    );
    assert!(
        !line
            .local_modes
            .intersects(LocalModes::ECHO | LocalModes::ICANON)
    );
    assert!(
        !line
            .input_modes
            .intersects(InputModes::IXON | InputModes::ICRNL)
    );
}

#[tokio::test]
async fn the_speed_changes_while_open() {
    let mut pty = Pty::new();
    let mut transport = open(pty.name()).await.unwrap();
    transport.configure(at(300)).await.unwrap();
    assert_eq!(pty.settings().output_speed(), 300);
    transport.write_all(b"/#1\r").await.unwrap();
    assert_eq!(pty.receive_exactly(4).await, b"/#1\r");
    transport.configure(at(1200)).await.unwrap();
    assert_eq!(pty.settings().output_speed(), 1200);
}

/// The kernel keeps a pseudo terminal at eight bits without parity, and a simulated meter of the
/// older protocol must work there nevertheless.
#[tokio::test]
async fn parity_is_not_insisted_on_where_there_is_no_wire() {
    let pty = Pty::new();
    let mut transport = open(pty.name()).await.unwrap();
    let ascii = LineSettings {
        data_bits: 7,
        parity: Parity::Even,
        ..LineSettings::KMP
    };
    transport.configure(ascii).await.unwrap();
}

#[tokio::test]
async fn every_byte_in_both_directions() {
    let mut pty = Pty::new();
    let mut transport = open(pty.name()).await.unwrap();
    let bytes = treacherous_bytes();
    transport.write_all(&bytes).await.unwrap();
    assert_eq!(pty.receive_exactly(bytes.len()).await, bytes);
    pty.send(&bytes).await;
    assert_eq!(read_exactly(&mut transport, bytes.len()).await, bytes);
}

#[tokio::test]
async fn what_no_port_can_do_is_refused() {
    let pty = Pty::new();
    let mut transport = open(pty.name()).await.unwrap();
    let odd = LineSettings {
        data_bits: 9,
        ..LineSettings::KMP
    };
    let error = transport.configure(odd).await.unwrap_err();
    assert!(error.to_string().contains("asked for 1200 9N2"), "{error}");
}

fn at(baud: u32) -> LineSettings {
    LineSettings {
        baud,
        ..LineSettings::KMP
    }
}

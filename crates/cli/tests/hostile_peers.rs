//! A peer that does all it can to keep us busy costs bounded memory and time.

mod support;

use std::io::Write;
use std::net::TcpStream;
use std::thread::sleep;
use std::time::Duration;

use kamstrup_kmp::message::Request;
use support::peer::{request, send, type_answer};
use support::{Ended, Peer, heatmeter};

/// The deadline that is given, what may be added to it, and the memory that is plenty.
const DEADLINE: Duration = Duration::from_secs(3);
const GRACE: Duration = Duration::from_secs(3);
const MEMORY: u64 = 64 << 20;

/// Reads through a peer that serves like this, and sees that it ends.
fn read(serve: impl Fn(&mut TcpStream) + Send + 'static) -> Ended {
    let peer = Peer::new(serve);
    let ended = heatmeter(["read", &peer.port(), "--json", "--deadline", "3s"]);
    assert!(ended.took < DEADLINE + GRACE, "{ended:?}");
    assert!(ended.memory < MEMORY, "{} MB", ended.memory >> 20);
    assert!(ended.failure().1 >= 3, "{ended:?}");
    ended
}

/// Sends the same over and over, as fast as it is taken, until nobody takes it any more.
fn flood(stream: &mut TcpStream, pattern: &[u8]) {
    let block = pattern.repeat((1 << 16) / pattern.len());
    let mut sent = 0_u64;
    while stream.write_all(&block).is_ok() && sent < 8 << 30 {
        sent += block.len() as u64;
    }
}

#[test]
fn endless_noise() {
    let ended = read(|stream| flood(stream, &[0x55, 0xaa, 0x00, 0xff, 0x13, 0x37]));
    assert_eq!(ended.code, Some(6));
}

#[test]
fn gigabytes_that_look_like_one_frame() {
    read(|stream| flood(stream, &[0x40, 0x3f, 0x10, 0x00, 0x3c, 0x08, 0x04, 0x43]));
    read(|stream| {
        send(stream, &[0x40, 0x3f, 0x10]);
        flood(stream, &[0x00]);
    });
}

#[test]
fn sound_frames_that_answer_nothing() {
    let serial = [0x40, 0x3f, 0x02, 0x00, 0x69, 0x2d, 0x32, 0xcd, 0x5d, 0x0d];
    let ended = read(move |stream| flood(stream, &serial));
    assert_eq!(ended.code, Some(6));
}

#[test]
fn nothing_but_acknowledgements() {
    read(|stream| flood(stream, &[0x06]));
}

#[test]
fn a_slow_drip() {
    read(|stream| {
        let answer = type_answer();
        for byte in answer.iter().cycle() {
            if !send(stream, &[*byte]) {
                return;
            }
            sleep(Duration::from_millis(400));
        }
    });
}

#[test]
fn half_frames_for_ever() {
    let ended = read(|stream| {
        while request(stream).is_some() {
            let answer = type_answer();
            send(stream, &answer[..5]);
        }
    });
    assert_eq!(ended.failure().0, "truncated");
}

#[test]
fn a_peer_that_takes_nothing() {
    read(|stream| {
        let _ = stream.peek(&mut [0]);
        sleep(Duration::from_secs(4));
    });
}

#[test]
fn a_peer_that_hangs_up_again_and_again() {
    let ended = read(|_| {});
    assert_eq!(ended.code, Some(3));
}

#[test]
fn a_meter_that_answers_once_and_then_talks_nonsense() {
    read(|stream| {
        while let Some(asked) = request(stream) {
            if asked == Request::GetType {
                send(stream, &type_answer());
            } else {
                flood(stream, &[0x40, 0x3f, 0x10, 0x1b, 0x00, 0x0d]);
            }
        }
    });
}

#[test]
fn a_telnet_server_in_place_of_a_bridge() {
    let peer = Peer::new(|stream| flood(stream, &[0xff, 0xfb, 0x01, 0xff, 0xfd, 0x2c]));
    let port = peer.port().replace("socket", "rfc2217");
    let ended = heatmeter(["read", &port, "--json", "--deadline", "3s"]);
    assert!(ended.took < DEADLINE + GRACE, "{ended:?}");
    assert!(ended.memory < MEMORY, "{} MB", ended.memory >> 20);
    assert!(ended.failure().1 >= 3, "{ended:?}");
}

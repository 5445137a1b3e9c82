//! Every verdict and every exit code of the interface, reached through the real binary.

mod support;

use std::fs;
use std::net::TcpListener;
use std::process::Stdio;

use kamstrup_kmp::message::Request;
use support::peer::{request, send, type_answer};
use support::{Ended, Peer, Running, Simulated, command, heatmeter, run};

fn read(port: &str, deadline: &str) -> Ended {
    heatmeter(["read", port, "--json", "--deadline", deadline])
}

/// What a simulated meter of which every answer is hit by a fault comes to.
fn verdict_of(options: &[&str]) -> (String, i32) {
    let meter = Simulated::tcp(options);
    let ended = read(meter.port(), "4s");
    assert_eq!(ended.json()["port"], meter.port());
    ended.failure()
}

fn failure(code: &str, exit: i32) -> (String, i32) {
    (code.to_owned(), exit)
}

#[test]
fn ok_is_0() {
    let meter = Simulated::tcp(&[]);
    assert_eq!(read(meter.port(), "4s").code, Some(0));
}

#[test]
fn a_port_that_does_not_exist_is_missing() {
    let ended = heatmeter(["read", "/dev/ttyNothing", "--json"]);
    assert_eq!(ended.failure(), failure("port_missing", 3));
    let message = ended.json()["error"]["message"]
        .as_str()
        .unwrap()
        .to_owned();
    assert!(message.contains("/dev/ttyNothing"), "{message}");
}

#[test]
fn a_port_in_use_is_busy_and_says_by_whom() {
    let meter = Simulated::pty(&[]);
    let holder = Running::start(&["watch", meter.port(), "--json", "--interval", "1h"]);
    assert!(holder.json()["readings"].is_array());
    let ended = read(meter.port(), "2s");
    assert_eq!(ended.failure(), failure("port_busy", 3));
    let message = ended.json()["error"]["message"]
        .as_str()
        .unwrap()
        .to_owned();
    let named = format!("heatmeter (pid {})", holder.pid());
    assert!(message.contains(&named), "{message} names {named}");
}

#[test]
fn a_bridge_that_does_not_listen_is_unreachable() {
    let free = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    for scheme in ["socket", "tcp", "rfc2217"] {
        let ended = read(&format!("{scheme}://{free}"), "2s");
        assert_eq!(ended.failure(), failure("port_unreachable", 3));
    }
}

#[test]
fn a_port_that_goes_away_is_lost() {
    let peer = Peer::once(|stream| {
        request(stream);
        send(stream, &type_answer());
        // Hangs up over the next request.
        request(stream);
    });
    assert_eq!(read(&peer.port(), "2s").failure(), failure("port_lost", 3));
}

#[test]
fn silence_is_4() {
    assert_eq!(verdict_of(&["--fault", "silence=1"]), failure("silent", 4));
}

#[test]
fn silence_after_an_answer_is_sleep() {
    let peer = Peer::new(|stream| {
        while let Some(asked) = request(stream) {
            // The second time it is asked, it has fallen asleep.
            if asked == Request::GetType && !send(stream, &type_answer()) {
                return;
            }
            while request(stream).is_some() {}
        }
    });
    assert_eq!(read(&peer.port(), "4s").failure(), failure("asleep", 4));
}

#[test]
fn nothing_but_the_echo_is_5() {
    assert_eq!(
        verdict_of(&["--echo", "--fault", "silence=1"]),
        failure("echo_only", 5)
    );
}

#[test]
fn a_damaged_echo_is_5() {
    assert_eq!(
        verdict_of(&["--fault", "echo-mangled=1"]),
        failure("echo_mangled", 5)
    );
}

#[test]
fn noise_is_6() {
    let peer = Peer::new(|stream| {
        // What mains flicker looks like on the eye.
        while request(stream).is_some() && send(stream, &[0x55, 0x2a, 0xff, 0x11].repeat(8)) {}
    });
    assert_eq!(read(&peer.port(), "4s").failure(), failure("noise", 6));
}

#[test]
fn wrong_checksums_are_6() {
    assert_eq!(
        verdict_of(&["--fault", "wrong-crc=1"]),
        failure("crc_mismatch", 6)
    );
}

#[test]
fn answers_that_break_off_are_6() {
    assert_eq!(
        verdict_of(&["--fault", "truncate=1"]),
        failure("truncated", 6)
    );
}

#[test]
fn answers_to_something_else_are_6() {
    assert_eq!(
        verdict_of(&["--fault", "other-answer=1"]),
        failure("unexpected_answer", 6)
    );
}

#[test]
fn registers_that_the_meter_does_not_have_are_7() {
    let meter = Simulated::tcp(&[]);
    let ended = heatmeter(["read", meter.port(), "--json", "9999", "0xfffe"]);
    assert_eq!(ended.failure(), failure("not_supported", 7));
    // Where anything is answered, the reading stands.
    let ended = heatmeter(["read", meter.port(), "--json", "9999", "heat_energy"]);
    assert_eq!(ended.code, Some(0));
    assert_eq!(ended.json()["readings"][0]["quality"], "unsupported");
}

#[test]
fn another_protocol_is_8() {
    assert_eq!(
        verdict_of(&["--fault", "wrong-protocol=1"]),
        failure("wrong_protocol", 8)
    );
}

#[test]
fn output_that_cannot_be_written_is_1() {
    let meter = Simulated::tcp(&[]);
    let mut full = command(["read", meter.port()]);
    full.stdout(Stdio::from(
        fs::File::options().write(true).open("/dev/full").unwrap(),
    ));
    let ended = run(full);
    assert_eq!(ended.code, Some(1));
    assert!(
        ended.stderr.contains("cannot write to standard output"),
        "{}",
        ended.stderr
    );
}

#[test]
fn a_reader_that_has_had_enough_is_no_failure() {
    let meter = Simulated::tcp(&[]);
    let mut watch = command(["watch", meter.port(), "--json", "--interval", "0s"]);
    let mut child = watch.spawn().unwrap();
    drop(child.stdout.take());
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

#[test]
fn wrong_usage_is_2_and_names_what_was_probably_meant() {
    let cases: [(&[&str], &str); 8] = [
        (&["read"], "PORT"),
        (&["read", "COM3"], "Windows"),
        (&["read", "ttyUSB0"], "/dev/ttyUSB0"),
        (&["read", "http://meter:80"], "socket://HOST:PORT"),
        (
            &["read", "/dev/ttyUSB0", "heat_enery"],
            "did you mean `heat_energy`",
        ),
        (
            &["watch", "/dev/ttyUSB0", "--interval", "15"],
            "15 of what? write 15s, 15min or 15h",
        ),
        (&["simulate", "--model", "403"], "--tcp"),
        (
            &[
                "simulate",
                "--model",
                "403",
                "--pty",
                "--fault",
                "bitflip=0.1",
            ],
            "bit-flip",
        ),
    ];
    for (args, expected) in cases {
        let ended = heatmeter(args);
        assert_eq!(ended.code, Some(2), "{args:?}: {ended:?}");
        assert!(
            ended.stderr.contains(expected),
            "{args:?}: {}",
            ended.stderr
        );
        assert!(ended.stdout.is_empty(), "{args:?}");

        let ended = heatmeter(args.iter().chain(&["--json"]));
        assert_eq!(ended.failure(), failure("usage", 2), "{args:?}");
        assert!(
            ended.stdout.contains(&expected.replace('"', "\\\"")),
            "{args:?}: {}",
            ended.stdout
        );
    }
}

#[test]
fn people_get_words_and_machines_nothing_but_json() {
    let meter = Simulated::tcp(&["--fault", "silence=1"]);
    let ended = heatmeter(["read", meter.port(), "--deadline", "2s"]);
    assert!(ended.stdout.is_empty());
    assert!(
        ended
            .stderr
            .contains("error[silent]: the meter did not answer"),
        "{}",
        ended.stderr
    );
    assert!(
        ended.stderr.contains("help: press a key on the meter"),
        "{}",
        ended.stderr
    );
    let ended = heatmeter(["read", meter.port(), "--deadline", "2s", "--json", "-vv"]);
    assert_eq!(ended.objects().len(), 1, "logs go to standard error");
    assert!(
        ended.stderr.contains("sent 803f01058a0d"),
        "{}",
        ended.stderr
    );
}

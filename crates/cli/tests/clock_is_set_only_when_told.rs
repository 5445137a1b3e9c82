//! `clock` compares; it sets only with `--set`, and only confirmed.

mod support;

use support::peer::{request, send};
use support::{Peer, Simulated, heatmeter};

#[test]
fn the_drift_is_that_of_the_meter() {
    // At a standstill since a day long ago.
    let meter = Simulated::tcp(&["--start", "2026-01-12T07:00:00"]);
    let report = heatmeter(["clock", meter.port(), "--json"]).json();
    assert_eq!(report["meter_clock"], "2026-01-12T07:00:00");
    assert!(
        report["drift_seconds"].as_i64().unwrap() < -3600,
        "{report}"
    );
    assert_eq!(report["set"], false);
    assert_eq!(report["serial"], "40300001");
    assert_eq!(report["line"]["requests"], 1);
}

#[test]
fn a_clock_that_runs_with_ours_agrees() {
    let meter = Simulated::tcp(&["--start", "now", "--speed", "1"]);
    let report = heatmeter(["clock", meter.port(), "--json"]).json();
    assert!(
        report["drift_seconds"].as_i64().unwrap().abs() <= 1,
        "{report}"
    );
}

#[test]
fn setting_is_confirmed_or_refused_before_anything_is_sent() {
    let peer = Peer::new(|stream| assert_eq!(request(stream), None, "nothing may be sent"));
    let ended = heatmeter(["clock", &peer.port(), "--set", "--json"]);
    assert_eq!(ended.failure(), ("usage".to_owned(), 2));
    assert!(
        ended.json()["error"]["help"]
            .as_str()
            .unwrap()
            .contains("--yes")
    );
}

#[test]
fn the_clock_is_set_and_read_back() {
    let meter = Simulated::tcp(&["--start", "2026-01-12T07:00:00", "--speed", "1", "--echo"]);
    let report = heatmeter(["clock", meter.port(), "--set", "--yes", "--json"]).json();
    assert_eq!(report["set"], true);
    assert!(
        report["drift_seconds"].as_i64().unwrap().abs() <= 2,
        "{report}"
    );
    let report = heatmeter(["clock", meter.port(), "--json"]).json();
    assert!(
        report["drift_seconds"].as_i64().unwrap().abs() <= 2,
        "it stays: {report}"
    );
}

#[test]
fn a_meter_that_does_not_take_the_time_says_so() {
    use heatmeter_simulator::{Config, Model, SimulatedMeter};
    use kamstrup_kmp::frame::Address;
    use kamstrup_kmp::message::Request;
    use kamstrup_kmp::responder::Reply;
    use kamstrup_kmp::{Instant, RegisterId};

    // Acknowledges, and goes on as before.
    let mut meter = SimulatedMeter::new(Config::new(Model::M403).speed(0.0));
    let clock = meter.read(&[RegisterId(1002), RegisterId(1003)], Instant::default());
    let clock = Reply::Registers(clock).encode(Address::METER).unwrap();
    let peer = Peer::new(move |stream| {
        while let Some(asked) = request(stream) {
            let is_set = matches!(asked, Request::SetClock(_));
            send(stream, if is_set { &[0x06] } else { &clock });
        }
    });
    let ended = heatmeter(["clock", &peer.port(), "--set", "--yes", "--json"]);
    assert_eq!(ended.failure(), ("not_supported".to_owned(), 7));
    let message = ended.json()["error"]["message"]
        .as_str()
        .unwrap()
        .to_owned();
    assert!(message.contains("2026-01-12T07:00:00"), "{message}");
}

#[test]
fn a_meter_without_a_clock_is_7() {
    let peer = Peer::new(|stream| {
        // An empty answer: none of the registers.
        let empty = [0x40, 0x3f, 0x10, 0x07, 0x9a, 0x0d];
        while request(stream).is_some() && send(stream, &empty) {}
    });
    let ended = heatmeter(["clock", &peer.port(), "--json"]);
    assert_eq!(ended.failure(), ("not_supported".to_owned(), 7));
}

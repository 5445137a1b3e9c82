//! `watch` never ends on a failed reading: it says so once, and reads again when it can.

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rustix::process::Signal;
use serde_json::Value;
use support::peer::{request, send, type_answer};
use support::{Peer, Running, Simulated, heatmeter};

fn is_reading(object: &Value) -> bool {
    object["readings"].is_array()
}

fn is_failure(object: &Value) -> bool {
    object["error"]["code"].is_string()
}

fn is_good(object: &Value) -> bool {
    let is_good = |reading: &Value| reading["quality"] == "good";
    object["readings"]
        .as_array()
        .is_some_and(|readings| readings.iter().all(is_good))
}

#[test]
fn a_count_ends_it_with_0() {
    let meter = Simulated::tcp(&[]);
    let ended = heatmeter([
        "watch",
        meter.port(),
        "--json",
        "--interval",
        "0s",
        "--count",
        "5",
    ]);
    assert_eq!(ended.code, Some(0));
    let polls = ended.objects();
    assert_eq!(polls.len(), 5);
    assert!(polls.iter().all(is_good), "{polls:?}");
    assert_eq!(polls[1]["line"]["requests"], 1, "who it is was asked once");
    assert_eq!(ended.stderr, "");
}

#[test]
fn slow_values_are_read_once_and_the_fast_ones_each_time() {
    let meter = Simulated::tcp(&[]);
    let ended = heatmeter([
        "watch",
        meter.port(),
        "--json",
        "--interval",
        "10ms",
        "--count",
        "3",
    ]);
    let keys: Vec<Vec<String>> = ended
        .objects()
        .iter()
        .map(|poll| {
            let readings = poll["readings"].as_array().unwrap();
            readings
                .iter()
                .map(|reading| reading["key"].as_str().unwrap().to_owned())
                .collect()
        })
        .collect();
    let has = |poll: usize, key: &str| keys[poll].iter().any(|found| found == key);
    assert!(has(0, "hour_counter") && has(0, "serial_number") && has(0, "heat_energy"));
    for poll in [1, 2] {
        assert!(has(poll, "heat_energy") && has(poll, "flow"));
        assert!(!has(poll, "hour_counter") && !has(poll, "serial_number"));
    }
}

#[test]
fn ctrl_c_and_a_service_manager_end_it_with_0() {
    for signal in [Signal::INT, Signal::TERM] {
        let meter = Simulated::tcp(&[]);
        let mut watch = Running::start(&["watch", meter.port(), "--json"]);
        assert!(is_reading(&watch.json()));
        watch.signal(signal);
        assert_eq!(watch.end(), Some(0));
    }
}

#[test]
fn a_terminal_that_is_unplugged_and_plugged_in_again_is_said_once() {
    let folder = tempfile::tempdir().unwrap();
    let link = folder.path().join("usb-head");
    let meter = Simulated::at_link(&link, &[]);
    let args = [
        "watch",
        link.to_str().unwrap(),
        "--json",
        "--interval",
        "50ms",
        "--deadline",
        "2s",
    ];
    let watch = Running::start(&args);
    watch.wait_for(is_good);

    drop(meter);
    let failure = watch.wait_for(is_failure);
    assert_eq!(failure["error"]["code"], "port_lost", "{failure}");
    assert_eq!(failure["port"], link.to_str().unwrap());
    assert!(failure["time"].as_str().unwrap().ends_with('Z'));
    let failure = watch.wait_for(is_failure);
    assert_eq!(failure["error"]["code"], "port_missing", "{failure}");
    watch.wait_for(is_failure);

    let _meter = Simulated::at_link(&link, &[]);
    watch.wait_for(is_good);
    watch.wait_for(is_good);
    let said = watch.errors();
    assert_eq!(said.matches("warning: lost").count(), 1, "{said}");
    assert_eq!(said.matches("works again after").count(), 1, "{said}");
    assert_eq!(watch.interrupt(), Some(0));
}

#[test]
fn a_bridge_that_closes_the_connection_costs_time_and_no_values() {
    let meter = Simulated::tcp(&["--fault", "peer-close=0.3", "--seed", "5"]);
    let ended = heatmeter([
        "watch",
        meter.port(),
        "--json",
        "--interval",
        "0s",
        "--count",
        "10",
        "flow",
    ]);
    assert_eq!(ended.code, Some(0));
    let polls = ended.objects();
    assert!(polls.iter().all(is_good), "{polls:?}");
}

#[test]
fn late_answers_are_never_taken_for_new_ones() {
    // Counts each question, and answers one of them too late.
    let peer = Peer::new(|stream| {
        let mut count = 0;
        while let Some(asked) = request(stream) {
            if asked.command() == 0x01 {
                send(stream, &type_answer());
                continue;
            }
            count += 1;
            if count == 2 {
                std::thread::sleep(Duration::from_millis(2500));
            }
            send(stream, &flow(count));
        }
    });
    let ended = heatmeter([
        "watch",
        &peer.port(),
        "--json",
        "--interval",
        "0s",
        "--count",
        "6",
        "flow",
    ]);
    let values: Vec<u32> = ended
        .objects()
        .iter()
        .filter(|object| is_reading(object))
        .map(|poll| {
            poll["readings"][0]["value"]
                .as_str()
                .unwrap()
                .parse()
                .unwrap()
        })
        .collect();
    assert!(values.len() >= 5, "at most one reading is lost: {ended:?}");
    assert!(values.is_sorted(), "{values:?}");
    assert!(
        *values.last().unwrap() >= 6,
        "the last one is not an old one: {values:?}"
    );
}

#[test]
fn a_meter_that_falls_asleep_is_said_once_and_read_again_when_it_wakes() {
    // Hears nothing from the third question on, until a key is pressed.
    let asleep = Arc::new(AtomicBool::new(false));
    let key = asleep.clone();
    let peer = Peer::new(move |stream| {
        let mut count = 0;
        while let Some(asked) = request(stream) {
            count += 1;
            if count == 3 {
                asleep.store(true, Ordering::Relaxed);
            }
            if asleep.load(Ordering::Relaxed) {
                continue;
            }
            let is_type = asked.command() == 0x01;
            send(stream, &if is_type { type_answer() } else { flow(count) });
        }
    });
    let args = [
        "watch",
        &peer.port(),
        "--json",
        "--interval",
        "100ms",
        "--deadline",
        "2s",
        "flow",
    ];
    let watch = Running::start(&args);
    watch.wait_for(is_good);
    for _ in 0..2 {
        let failure = watch.wait_for(is_failure);
        assert_eq!(failure["error"]["code"], "asleep", "{failure}");
    }
    key.store(false, Ordering::Relaxed);
    watch.wait_for(is_good);
    let said = watch.errors();
    assert_eq!(said.matches("has gone to sleep").count(), 1, "{said}");
    assert_eq!(said.matches("the meter answers again").count(), 1, "{said}");
    assert_eq!(watch.interrupt(), Some(0));
}

#[test]
fn if_nothing_was_ever_read_the_last_verdict_is_the_exit_code() {
    let meter = Simulated::tcp(&["--fault", "wrong-crc=1"]);
    let args = [
        "watch",
        meter.port(),
        "--json",
        "--interval",
        "0s",
        "--count",
        "2",
        "--deadline",
        "3s",
    ];
    let ended = heatmeter(args);
    assert_eq!(ended.objects().len(), 2);
    assert!(ended.objects().iter().all(is_failure));
    assert_eq!(ended.code, Some(6));

    let args = [
        "watch",
        "/dev/ttyNothing",
        "--json",
        "--interval",
        "0s",
        "--count",
        "2",
    ];
    let ended = heatmeter(args);
    assert_eq!(ended.code, Some(3));
    assert!(
        ended
            .objects()
            .iter()
            .all(|object| object["error"]["code"] == "port_missing")
    );
}

#[test]
fn an_implausible_value_is_read_twice_and_held_with_its_reason() {
    // A counter that says something else each time it is asked.
    let peer = Peer::new(|stream| {
        let mut count: u32 = 0;
        while let Some(asked) = request(stream) {
            if asked.command() == 0x01 {
                send(stream, &type_answer());
                continue;
            }
            count += 1;
            let energy = match count {
                3 => 3_000_000_000,
                4 => 2_000_000_000,
                _ => 84_817 + count,
            };
            send(stream, &heat_energy(energy));
        }
    });
    let ended = heatmeter([
        "watch",
        &peer.port(),
        "--json",
        "--interval",
        "0s",
        "--count",
        "4",
        "60",
    ]);
    let polls = ended.objects();
    let held: Vec<_> = polls
        .iter()
        .filter(|poll| poll["readings"][0]["quality"] == "held")
        .collect();
    assert_eq!(held.len(), 1, "{polls:?}");
    let reading = &held[0]["readings"][0];
    assert_eq!(reading["value"], Value::Null);
    assert!(
        reading["reason"]
            .as_str()
            .unwrap()
            .contains("3000000.000 GJ found"),
        "{reading}"
    );
    assert_eq!(held[0]["line"]["requests"], 2, "it was read a second time");
    assert!(
        ended.stderr.contains("heat energy is held"),
        "{}",
        ended.stderr
    );
    assert!(is_good(polls.last().unwrap()));
}

fn flow(litres_per_hour: u32) -> Vec<u8> {
    register(74, kamstrup_kmp::Unit::LITRE_PER_HOUR, 0, litres_per_hour)
}

fn heat_energy(megajoules: u32) -> Vec<u8> {
    register(60, kamstrup_kmp::Unit::GJ, -3, megajoules)
}

/// The answer with one register, as a meter sends it.
fn register(id: u16, unit: kamstrup_kmp::Unit, exponent: i8, mantissa: u32) -> Vec<u8> {
    use kamstrup_kmp::frame::Address;
    use kamstrup_kmp::responder::Reply;
    use kamstrup_kmp::{Decimal, Record, RegisterId, Scale};

    let record = Record {
        register: RegisterId(id),
        unit,
        length: 4,
        scale: Scale::new(false, exponent).unwrap(),
        value: kamstrup_kmp::Value::Number(Decimal::new(mantissa.into(), exponent)),
    };
    Reply::Registers(vec![record])
        .encode(Address::METER)
        .unwrap()
}

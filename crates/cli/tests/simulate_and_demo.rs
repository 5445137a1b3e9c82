//! `simulate` and `demo`: ready when they say so, and gone without a trace when they end.

mod support;

use std::fs;
use std::process::Stdio;
use std::time::Duration;

use rustix::process::Signal;
use support::{Running, Simulated, command, heatmeter, run};

#[test]
fn one_line_says_where_the_meter_listens() {
    let meter = Simulated::tcp(&[]);
    assert!(
        meter.port().starts_with("socket://127.0.0.1:"),
        "{}",
        meter.port()
    );
    assert_eq!(heatmeter(["read", meter.port(), "flow"]).code, Some(0));
    let meter = Simulated::pty(&[]);
    assert!(meter.port().starts_with("/dev/"), "{}", meter.port());
    assert_eq!(heatmeter(["read", meter.port(), "flow"]).code, Some(0));
}

#[test]
fn a_signal_ends_it_and_removes_the_link() {
    for signal in [Signal::INT, Signal::TERM] {
        let folder = tempfile::tempdir().unwrap();
        let link = folder.path().join("meter");
        let mut meter = Simulated::at_link(&link, &[]);
        assert_eq!(meter.port(), link.to_str().unwrap());
        assert!(fs::symlink_metadata(&link).is_ok());
        meter.running.signal(signal);
        assert_eq!(meter.running.end(), Some(0));
        assert!(
            fs::symlink_metadata(&link).is_err(),
            "the link is left behind"
        );
    }
}

#[test]
fn an_address_in_use_is_wrong_usage() {
    let meter = Simulated::tcp(&[]);
    let address = meter.port().trim_start_matches("socket://");
    let ended = heatmeter(["simulate", "--model", "403", "--json", "--tcp", address]);
    assert_eq!(ended.failure(), ("usage".to_owned(), 2));
}

#[test]
fn the_same_seed_is_the_same_house() {
    let read = |seed| {
        let meter = Simulated::tcp(&["--seed", seed]);
        heatmeter(["read", meter.port(), "--json"]).json()["readings"].clone()
    };
    assert_eq!(read("3"), read("3"));
    assert_ne!(read("3"), read("4"));
}

#[test]
fn the_unit_and_the_serial_number_can_be_chosen() {
    for unit in ["GJ", "kWh", "MWh", "Gcal"] {
        let meter = Simulated::tcp(&["--unit", unit, "--serial", "12345678"]);
        let poll = heatmeter(["read", meter.port(), "--json", "heat_energy"]).json();
        assert_eq!(poll["readings"][0]["unit"], unit);
        assert_eq!(poll["meter"]["serial"], "12345678");
    }
}

#[test]
fn demo_ends_by_itself_and_leaves_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    let mut demo = command(["demo", "--for", "3s"]);
    demo.current_dir(folder.path())
        .env("HOME", folder.path())
        .env("TMPDIR", folder.path());
    let ended = run(demo);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(ended.took < Duration::from_secs(6), "{:?}", ended.took);
    let readings = ended.stdout.lines().filter(|line| line.contains(" kW "));
    assert!(readings.count() >= 4, "{}", ended.stdout);
    assert!(
        ended.stdout.contains("heatmeter align PORT"),
        "says what to try next"
    );
    assert_eq!(ended.stderr, "");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn demo_ends_on_ctrl_c() {
    let demo = Running::start(&["demo", "--json"]);
    assert_eq!(demo.json()["meter"]["model"], "MULTICAL 403");
    demo.json();
    assert_eq!(demo.interrupt(), Some(0));
}

#[test]
fn orders_change_the_meter_while_it_runs_and_their_end_ends_it() {
    let mut simulate = command([
        "simulate",
        "--model",
        "403",
        "--tcp",
        "127.0.0.1:0",
        "--orders",
    ]);
    simulate.stdin(Stdio::piped());
    let mut meter = Running::of(simulate);
    let port = meter.json()["listening"].as_str().unwrap().to_owned();
    let read = || heatmeter(["read", &port, "flow", "--json", "--timeout", "2s"]).code;
    let mut order = |line: &str| {
        meter.say(line);
        meter.json()
    };
    assert_eq!(read(), Some(0));
    assert_eq!(order("fault silence=1")["done"], true);
    assert_eq!(read(), Some(4));
    assert_eq!(order("echo on")["done"], true);
    assert_eq!(read(), Some(5));
    assert_eq!(order("sing")["error"]["code"], "usage");
    assert_eq!(order("clear")["order"], "clear");
    assert_eq!(read(), Some(0));
    meter.say_no_more();
    assert_eq!(meter.end(), Some(0));
}

#[test]
fn completions_and_manual_pages_are_printed() {
    for shell in ["bash", "zsh", "fish"] {
        let ended = heatmeter(["completions", shell]);
        assert_eq!(ended.code, Some(0));
        assert!(ended.stdout.contains("heatmeter") && ended.stdout.contains("decode"));
    }
    let page = heatmeter(["man"]).stdout;
    assert!(
        page.contains(".TH heatmeter 1") && page.contains("heatmeter\\-read(1)"),
        "{page}"
    );
    assert!(
        heatmeter(["man", "read"])
            .stdout
            .contains("Read a meter once")
    );
    assert_eq!(heatmeter(["man", "nothing"]).code, Some(2));
}

#[test]
fn ports_are_one_list_for_machines() {
    let ended = heatmeter(["ports", "--json"]);
    assert_eq!(ended.code, Some(0));
    for port in ended.json().as_array().unwrap() {
        assert!(
            port["port"].as_str().unwrap().starts_with("/dev/"),
            "{port}"
        );
        assert!(
            port["allowed"].is_boolean() && port["holders"].is_array(),
            "{port}"
        );
    }
}

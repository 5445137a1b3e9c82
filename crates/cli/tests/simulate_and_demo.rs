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
fn demo_in_the_terminal_ends_by_itself_and_leaves_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    let mut demo = command(["demo", "--terminal", "--for", "3s"]);
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

/// The answer's body to a GET, as JSON.
fn get(listening: &str, path: &str) -> serde_json::Value {
    use std::io::{Read, Write};

    let address = listening.strip_prefix("http://").unwrap();
    let mut stream = std::net::TcpStream::connect(address).unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 200 "), "{answer}");
    serde_json::from_str(body).unwrap_or_else(|error| panic!("{error}: {answer}"))
}

#[test]
fn demo_is_a_gateway_with_a_year_of_history() {
    let folder = tempfile::tempdir().unwrap();
    // Whatever stands there, the demonstration finds a place of its own.
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let mut demo = command(["demo", "--json", "--port", &port]);
    demo.env("TMPDIR", folder.path());
    let demo = Running::of(demo);
    let ready = demo.json();
    let listening = ready["listening"].as_str().unwrap();
    assert!(!listening.ends_with(&format!(":{port}")), "{listening}");
    assert!(ready["history_polls"].as_u64().unwrap() > 9000);

    let began = std::time::Instant::now();
    let meter = loop {
        // The page answers before the first line has begun.
        let meters = get(listening, "/api/meters");
        let meter = meters.get(0).cloned().unwrap_or_default();
        if meter["verdict"]["code"] == "ok" {
            break meter;
        }
        assert!(began.elapsed() < Duration::from_mins(2), "{meter:#}");
        std::thread::sleep(Duration::from_millis(200));
    };
    assert_eq!(meter["model"], "MULTICAL 403");
    assert_eq!(meter["simulated"], true);
    let heat = &meter["energy"][0];
    assert_eq!(heat["key"], "heat_energy");
    for amount in ["today", "today_last_year", "month", "month_last_year"] {
        assert!(heat[amount].is_string(), "{heat:#}");
    }
    assert_eq!(get(listening, "/api/status")["demo"], true);
    let config = ready["config"].as_str().unwrap();
    assert_eq!(heatmeter(["check-config", config]).code, Some(0));
    assert_eq!(demo.interrupt(), Some(0));
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn demo_ends_by_itself_and_says_where_to_look() {
    let folder = tempfile::tempdir().unwrap();
    let mut demo = command(["demo", "--for", "1s", "--port", "0"]);
    demo.env("TMPDIR", folder.path());
    let ended = run(demo);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    for said in ["page      http://127.0.0.1:", "heatmeter align PORT"] {
        assert!(ended.stdout.contains(said), "{}", ended.stdout);
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn demo_in_the_terminal_ends_on_ctrl_c() {
    let demo = Running::start(&["demo", "--terminal", "--json"]);
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

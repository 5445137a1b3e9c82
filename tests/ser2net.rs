//! A meter behind Debian's ser2net, as people have it beside their meter: raw and by RFC 2217.

#[path = "../crates/cli/tests/support/mod.rs"]
mod support;

use std::fs;
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use support::{LIMIT, Running, Simulated, heatmeter};
use tempfile::TempDir;

/// ser2net with a simulated meter behind it. Dropping it ends both.
struct Bridge {
    process: Child,
    port: u16,
    _meter: Simulated,
    _folder: TempDir,
}

impl Bridge {
    /// `accepter` and `line` as ser2net's configuration has them.
    fn start(accepter: &str, line: &str) -> Self {
        let meter = Simulated::pty(&["--echo"]);
        let folder = tempfile::tempdir().unwrap();
        let free = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = free.local_addr().unwrap().port();
        drop(free);
        let config = folder.path().join("ser2net.yaml");
        let device = meter.port();
        let text = format!(
            "connection: &meter\n  accepter: {accepter},127.0.0.1,{port}\n  \
             connector: serialdev(nouucplock=true),{device},{line},local\n"
        );
        fs::write(&config, text).unwrap();
        let process = Command::new("ser2net")
            .args(["-n", "-d", "-c"])
            .arg(&config)
            .env("PATH", path_with_sbin())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("this test needs ser2net: run `make test`, which installs it");
        let mut bridge = Self {
            process,
            port,
            _meter: meter,
            _folder: folder,
        };
        bridge.wait_until_it_listens();
        bridge
    }

    fn url(&self, scheme: &str) -> String {
        format!("{scheme}://127.0.0.1:{}", self.port)
    }

    /// Connecting to find out would take the bridge's only place.
    fn wait_until_it_listens(&mut self) {
        let local = format!("0100007F:{:04X}", self.port);
        let began = Instant::now();
        while began.elapsed() < LIMIT {
            if let Some(status) = self.process.try_wait().unwrap() {
                panic!("ser2net ended at once: {status}");
            }
            let sockets = fs::read_to_string("/proc/net/tcp").unwrap();
            let listens = |line: &str| {
                let mut fields = line.split_whitespace().skip(1);
                fields.next() == Some(&local) && fields.nth(1) == Some("0A")
            };
            if sockets.lines().any(listens) {
                return;
            }
            sleep(Duration::from_millis(10));
        }
        panic!("ser2net does not listen");
    }
}

impl Drop for Bridge {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Debian puts ser2net where only root looks.
fn path_with_sbin() -> String {
    format!("{}:/usr/sbin", std::env::var("PATH").unwrap_or_default())
}

/// What is read without a bridge between.
fn directly() -> serde_json::Value {
    let meter = Simulated::pty(&["--echo"]);
    heatmeter(["read", meter.port(), "--json", "--all"]).json()["readings"].clone()
}

#[test]
fn a_raw_bridge_gives_the_same_values() {
    let bridge = Bridge::start("tcp", "1200n82");
    for scheme in ["socket", "tcp"] {
        let poll = heatmeter(["read", &bridge.url(scheme), "--json", "--all"]).json();
        assert_eq!(poll["readings"], directly(), "{scheme}");
    }
}

#[test]
fn a_bridge_that_speaks_rfc_2217_gives_the_same_values() {
    // It is set to something else before we come: the line must be set from here.
    let bridge = Bridge::start("telnet(rfc2217),tcp", "9600n81");
    let poll = heatmeter(["read", &bridge.url("rfc2217"), "--json", "--all"]).json();
    assert_eq!(poll["readings"], directly());
}

#[test]
fn a_bridge_that_serves_somebody_else_is_busy() {
    let bridge = Bridge::start("tcp", "1200n82");
    let port = bridge.url("socket");
    let watch = Running::start(&["watch", &port, "--json", "--interval", "1h"]);
    watch.json();
    let ended = heatmeter(["read", &port, "--json", "--deadline", "3s"]);
    assert_eq!(ended.failure(), ("port_busy".to_owned(), 3));
    assert_eq!(watch.interrupt(), Some(0));
}

#[test]
fn alignment_works_through_a_bridge() {
    let bridge = Bridge::start("telnet(rfc2217),tcp", "1200n82");
    let ended = heatmeter(["align", &bridge.url("rfc2217"), "--json", "--count", "2"]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
}

//! PyKMP as a second opinion: an independent reader gets the same values from our simulated meter.
//!
//! PyKMP (gertvdijk/PyKMP) was written from the vendor's document by somebody else. `make test` installs it
//! and says where it is.

#[path = "../crates/cli/tests/support/mod.rs"]
mod support;

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::{env, fs};

use serde_json::Value;
use support::{Ended, Simulated, heatmeter, run};

/// PyKMP's command-line tool: where `make test` says, or where an earlier `make test` left it.
fn tool() -> PathBuf {
    if let Some(tool) = env::var_os("HEATMETER_PYKMP") {
        return tool.into();
    }
    let cache = env::var_os("XDG_CACHE_HOME")
        .map(PathBuf::from)
        .or_else(|| Some(PathBuf::from(env::var_os("HOME")?).join(".cache")));
    cache
        .and_then(|cache| installed(&cache.join("heatmeter/venv")))
        .expect("this test needs PyKMP: run `make test`, which installs it")
}

fn installed(environments: &Path) -> Option<PathBuf> {
    let entries = fs::read_dir(environments).ok()?;
    entries
        .flatten()
        .filter(|entry| entry.file_name().to_string_lossy().starts_with("peers-"))
        .map(|entry| entry.path())
        .find(|folder| folder.join(".complete").exists())
        .map(|folder| folder.join("bin/pykmp-tool"))
}

fn pykmp(port: &str, args: &[&str]) -> Ended {
    let mut tool = Command::new(tool());
    tool.args(["--serial-device", port])
        .args(args)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let ended = run(tool);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    ended
}

#[test]
fn an_independent_reader_gets_the_same_values() {
    for model in ["403", "603", "601", "602", "302"] {
        let meter = Simulated::model(model, &["--seed", "11"]);
        let ours = heatmeter(["read", meter.port(), "--json"]).json();
        let readings = ours["readings"].as_array().unwrap();
        let readings: Vec<&Value> = readings
            .iter()
            .filter(|reading| reading["quality"] == "good")
            .collect();
        assert!(readings.len() >= 7, "{ours}");

        let mut args = vec!["get-register".to_owned(), "--json".to_owned()];
        for reading in &readings {
            args.extend(["--register".to_owned(), reading["register"].to_string()]);
        }
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        let theirs = pykmp(meter.port(), &args).json();
        let theirs = theirs["register_data"].as_array().unwrap();
        assert_eq!(theirs.len(), readings.len(), "{theirs:?}");
        for (ours, theirs) in readings.iter().zip(theirs) {
            assert_eq!(theirs["id_int"], ours["register"]);
            assert_eq!(theirs["value_str"], ours["value"], "{model}: {ours}");
            if let Some(unit) = ours["unit"].as_str() {
                // PyKMP writes kelvin with a degree sign.
                let theirs = theirs["unit_str"].as_str().unwrap().replace("°K", "K");
                assert_eq!(theirs, unit, "{model}: {ours}");
            }
        }
    }
}

#[test]
fn an_independent_reader_gets_the_same_serial_number() {
    let meter = Simulated::tcp(&["--serial", "84968362"]);
    let ended = pykmp(meter.port(), &["get-serial"]);
    assert_eq!(ended.stdout.trim(), "Meter serial is: 84968362");
    let ours = heatmeter(["read", meter.port(), "--json"]).json();
    assert_eq!(ours["meter"]["serial"], "84968362");
}

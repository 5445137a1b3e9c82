//! `heatmeter backup` and `heatmeter export`, beside a gateway that runs and without one.

mod support;

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use heatmeter_servers::{Answer, ask, free_port};
use rustix::process::Signal;
use support::{Ended, LIMIT, Running, Simulated, command, heatmeter, run};
use tempfile::TempDir;

/// Root may read and write everything, so a test that is run as root lets `nobody` try.
const NOBODY: u32 = 65534;

/// A gateway's folder, with a meter to read.
struct House {
    folder: TempDir,
    port: u16,
    _meter: Simulated,
}

impl House {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::set_permissions(folder.path(), Permissions::from_mode(0o755)).unwrap();
        let meter = Simulated::tcp(&["--speed", "60", "--serial", "84968362"]);
        let port = free_port();
        let configuration = format!(
            "[web]\nlisten = \"127.0.0.1:{port}\"\n[[meter]]\nname = \"house\"\nport = \"{}\"\n\
             schedule = \"every 5 s\"\nmains_powered = true\n",
            meter.port()
        );
        fs::write(folder.path().join("heatmeter.toml"), configuration).unwrap();
        Self {
            folder,
            port,
            _meter: meter,
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn config(&self) -> String {
        text(&self.path("heatmeter.toml"))
    }

    /// The gateway, which has read at least once.
    fn gateway(&self) -> Running {
        let gateway = Running::start(&["run", "--json", "--config", &self.config()]);
        gateway.json();
        let before = self.polls_told();
        let began = Instant::now();
        while self.polls_told() <= before {
            assert!(began.elapsed() < LIMIT, "{}", gateway.errors());
            sleep(Duration::from_millis(20));
        }
        gateway
    }

    fn ask(&self, path: &str) -> Option<Answer> {
        ask(self.port, path, None).filter(|answer| answer.status == 200)
    }

    fn polls_told(&self) -> usize {
        let answer = self.ask("/api/meters/84968362/export?format=jsonl");
        answer.map_or(0, |answer| answer.body.lines().count())
    }

    fn export(&self, more: &[&str]) -> Ended {
        let config = self.config();
        heatmeter([&["export", "--config", &config], more].concat())
    }
}

fn text(path: &Path) -> String {
    path.to_str().unwrap().to_owned()
}

fn stop(mut gateway: Running) {
    gateway.signal(Signal::TERM);
    assert_eq!(gateway.end(), Some(0), "{}", gateway.errors());
}

/// The failure of a command that was asked for JSON, with what it says.
fn failed(ended: &Ended) -> (i32, String, String) {
    let (_, exit) = ended.failure();
    let error = &ended.json()["error"];
    let said = |key: &str| error[key].as_str().unwrap().to_owned();
    (exit, said("message"), said("help"))
}

/// The binary as somebody who has no rights here.
fn as_nobody(house: &House, args: &[&str]) -> Ended {
    if !rustix::process::geteuid().is_root() {
        return run(command(args));
    }
    let binary = house.path("heatmeter");
    fs::copy(env!("CARGO_BIN_EXE_heatmeter"), &binary).unwrap();
    let mut copied = Command::new(binary);
    copied
        .args(args)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .uid(NOBODY)
        .gid(NOBODY);
    run(copied)
}

#[test]
fn while_the_gateway_runs_the_command_writes_what_the_api_answers() {
    let house = House::new();
    let gateway = house.gateway();
    // What comes between the two is in one of them only.
    let until = jiff::Timestamp::now().to_string();
    for format in ["csv", "jsonl"] {
        let ended = house.export(&["--format", format, "--to", &until, "--meter", "84968362"]);
        assert_eq!(ended.code, Some(0), "{ended:?}");
        let path = format!("/api/meters/84968362/export?format={format}&to={until}");
        let answered = house.ask(&path).unwrap();
        assert!(ended.stdout.contains("84968362-"), "{ended:?}");
        assert_eq!(answered.body, ended.stdout);
    }
    let ended = house.export(&["--json", "--from", "2026-01-01"]);
    let polls = ended.objects();
    assert!(!polls.is_empty());
    assert_eq!(polls[0]["meter"]["model"], "MULTICAL 403");
    stop(gateway);
}

#[test]
fn a_backup_of_a_gateway_that_runs_is_restored() {
    let house = House::new();
    let gateway = house.gateway();
    let copy = house.path("copy.db");
    let ended = heatmeter([
        "backup",
        "--json",
        "--config",
        &house.config(),
        &text(&copy),
    ]);
    let until = jiff::Timestamp::now().to_string();
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert_eq!(ended.json()["backup"], text(&copy));
    assert_eq!(ended.json()["bytes"], fs::metadata(&copy).unwrap().len());
    stop(gateway);
    // All that was there then, and nothing is left beside either of them.
    let of_the_copy = || heatmeter(["export", "--history", &text(&copy)]).stdout;
    let backed_up = of_the_copy();
    assert!(backed_up.lines().count() > 1);
    assert!(
        house
            .export(&["--to", &until])
            .stdout
            .starts_with(&backed_up)
    );
    for name in ["copy.db-wal", "copy.db-shm", "copy.db.unfinished"] {
        assert!(!house.path(name).exists(), "{name}");
    }
    assert!(!house.path("history.db-wal").exists());

    // Another machine, on which nothing but the configuration and the copy is.
    for name in ["history.db", "history.db.lock"] {
        fs::remove_file(house.path(name)).unwrap();
    }
    fs::rename(&copy, house.path("history.db")).unwrap();
    let gateway = house.gateway();
    let answered = house.ask("/api/meters/84968362/export").unwrap();
    assert!(answered.body.starts_with(&backed_up));
    assert!(answered.body.len() > backed_up.len(), "it goes on");
    stop(gateway);
}

#[test]
fn what_cannot_be_exported_is_said_with_what_to_do() {
    let house = House::new();
    // Nobody has run yet.
    let (exit, message, help) = failed(&house.export(&["--json"]));
    assert_eq!(exit, 2);
    assert!(message.contains("history.db"), "{message}");
    assert!(help.contains("when it first runs"), "{help}");

    let notes = house.path("notes.txt");
    fs::write(&notes, "no history").unwrap();
    let (exit, message, _) = failed(&heatmeter(["export", "--json", "--history", &text(&notes)]));
    assert_eq!(exit, 2);
    assert!(
        message.contains("is not a history of heatmeter"),
        "{message}"
    );

    stop(house.gateway());
    let (exit, message, help) = failed(&house.export(&["--json", "--meter", "1"]));
    assert_eq!((exit, message.as_str()), (2, "the history has no meter 1"));
    assert_eq!(help, "it has 84968362");
    let ended = house.export(&["--from", "soon"]);
    assert_eq!(ended.code, Some(2));
    assert!(ended.stderr.contains("2026-11-22T16:35"), "{ended:?}");
    let ended = house.export(&["--to", "2020-01-01"]);
    assert_eq!(ended.code, Some(0));
    assert!(ended.stderr.contains("no poll in this span"), "{ended:?}");
    assert_eq!(ended.stdout.lines().count(), 1);
}

#[test]
fn a_backup_takes_no_place_that_is_taken_or_not_there() {
    let house = House::new();
    stop(house.gateway());
    let config = house.config();
    let backup = |to: &Path| heatmeter(["backup", "--json", "--config", &config, &text(to)]);
    let there = house.path("there.db");
    fs::write(&there, "somebody's").unwrap();
    let (exit, message, help) = failed(&backup(&there));
    assert_eq!(exit, 2);
    assert_eq!(message, format!("{} exists already", there.display()));
    assert_eq!(help, "choose another name, or delete the file first");
    assert_eq!(fs::read_to_string(&there).unwrap(), "somebody's");

    let (exit, message, help) = failed(&backup(&house.path("nowhere/copy.db")));
    assert_eq!(exit, 3);
    assert!(message.contains("nowhere/copy.db"), "{message}");
    assert!(help.contains("a folder that you may write to"), "{help}");
}

#[test]
fn without_rights_nothing_is_read_or_written() {
    let house = House::new();
    stop(house.gateway());
    let history = text(&house.path("history.db"));
    let to = text(&house.path("copy.db"));
    // It may be read, and the folder not be written.
    fs::set_permissions(&history, Permissions::from_mode(0o644)).unwrap();
    let ended = as_nobody(&house, &["export", "--history", &history]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(ended.stdout.lines().count() > 1);
    if rustix::process::geteuid().is_root() {
        let ended = as_nobody(&house, &["backup", "--json", "--history", &history, &to]);
        let (exit, message, _) = failed(&ended);
        assert_eq!(exit, 3);
        assert!(message.starts_with("cannot write "), "{message}");
    }

    fs::set_permissions(&history, Permissions::from_mode(0o000)).unwrap();
    let ended = as_nobody(&house, &["export", "--json", "--history", &history]);
    let (exit, message, help) = failed(&ended);
    assert_eq!(exit, 3);
    assert!(message.starts_with("cannot read the history "), "{message}");
    assert!(help.contains("the user that the service runs as"), "{help}");
}

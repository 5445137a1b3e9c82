//! What the gateway says when something around it is wrong: what was found, what to do, and an exit code
//! where it cannot go on. Where it can, the rest goes on, and the trouble is in the log and in the API.

#[path = "../crates/cli/tests/support/mod.rs"]
mod support;

use std::fs::{self, File, Permissions};
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use heatmeter_servers::{Certificates, Mosquitto, Options, ask, free_port};
use rustix::process::Signal;
use serde_json::{Value, json};
use support::{Ended, Running, Simulated, command, run};
use tempfile::TempDir;

/// By when something happens on a busy machine, or never does.
const PATIENCE: Duration = Duration::from_mins(2);

/// Root may do everything, so what is about rights is tried as `nobody`.
const NOBODY: u32 = 65534;

/// A folder with a configuration, and where the gateway of that listens.
struct Scene {
    folder: TempDir,
    web: u16,
}

impl Scene {
    /// A gateway with this beside its address.
    fn new(configuration: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::set_permissions(folder.path(), Permissions::from_mode(0o755)).unwrap();
        let scene = Self {
            folder,
            web: free_port(),
        };
        scene.write(configuration);
        scene
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn file(&self) -> PathBuf {
        self.path("heatmeter.toml")
    }

    fn write(&self, configuration: &str) {
        self.write_as(&format!("127.0.0.1:{}", self.web), configuration);
    }

    fn write_as(&self, listen: &str, configuration: &str) {
        let text = format!("[web]\nlisten = \"{listen}\"\n{configuration}");
        fs::write(self.file(), text).unwrap();
    }

    fn command(&self) -> Command {
        command(["run", "--config", self.file().to_str().unwrap()])
    }

    /// The same as somebody without rights, where that makes a difference.
    fn command_as_nobody(&self, args: &[&str]) -> Command {
        if !rustix::process::geteuid().is_root() {
            return command(args);
        }
        let binary = self.path("heatmeter");
        fs::copy(env!("CARGO_BIN_EXE_heatmeter"), &binary).unwrap();
        let mut command = Command::new(binary);
        command
            .args(args)
            .env("TZ", "UTC")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .uid(NOBODY)
            .gid(NOBODY);
        command
    }

    /// Runs the gateway, which cannot.
    fn fails(&self) -> Ended {
        run(self.command())
    }

    fn fails_as_nobody(&self) -> Ended {
        run(self.command_as_nobody(&["run", "--config", self.file().to_str().unwrap()]))
    }

    /// Runs the gateway, which can, and waits for its API.
    fn starts(&self) -> Gateway {
        self.starts_as(self.command())
    }

    fn starts_as(&self, command: Command) -> Gateway {
        let gateway = Gateway {
            running: Running::of(command),
            web: self.web,
        };
        gateway.wait_for("it listens", "/healthz", |_| true);
        gateway
    }
}

/// A gateway at work.
struct Gateway {
    running: Running,
    web: u16,
}

impl Gateway {
    fn get(&self, path: &str) -> Option<Value> {
        let answer = ask(self.web, path, None)?;
        serde_json::from_str(&answer.body).ok()
    }

    /// What the API answers once it is so.
    fn wait_for(&self, what: &str, path: &str, is_so: impl Fn(&Value) -> bool) -> Value {
        let began = Instant::now();
        loop {
            let found = self.get(path);
            if let Some(found) = found.clone().filter(|found| is_so(found)) {
                return found;
            }
            assert!(
                began.elapsed() < PATIENCE,
                "it never came that {what}: {found:?}; the gateway says:\n{}",
                self.running.errors()
            );
            sleep(Duration::from_millis(50));
        }
    }

    fn meter_with(&self, slot: &str, verdict: &str) -> Value {
        self.wait_for(verdict, &format!("/api/meters/{slot}"), |meter| {
            meter["verdict"]["code"] == verdict
        })
    }

    /// The trouble of its first destination.
    fn trouble(&self) -> Value {
        let status = self.wait_for("a destination is in trouble", "/api/status", |status| {
            status["destinations"][0]["state"] == "trouble"
        });
        status["destinations"][0]["trouble"].clone()
    }

    fn waits_for_log(&self, text: &str) {
        let began = Instant::now();
        while !self.running.errors().contains(text) {
            assert!(
                began.elapsed() < PATIENCE,
                "`{text}` never came; the gateway says:\n{}",
                self.running.errors()
            );
            sleep(Duration::from_millis(50));
        }
    }

    fn ends_well(mut self) {
        self.running.signal(Signal::TERM);
        assert_eq!(self.running.end(), Some(0), "{}", self.running.errors());
    }
}

#[track_caller]
fn says(text: &str, expected: &[&str]) {
    for part in expected {
        assert!(text.contains(part), "`{part}` is missing in:\n{text}");
    }
}

#[track_caller]
fn ends_with(ended: &Ended, code: i32, expected: &[&str]) {
    says(&ended.stderr, expected);
    assert_eq!(ended.code, Some(code), "{}", ended.stderr);
    assert_eq!(ended.stdout, "", "nothing was asked for");
}

#[test]
fn a_wrong_key_is_underlined_and_what_was_meant_is_named() {
    let scene = Scene::new("[[meter]]\nport = \"/dev/ttyUSB0\"\nshedule = \"hourly\"\n");
    let ended = scene.fails();
    let underlined = "5 | shedule = \"hourly\"\n  | ^^^^^^^ did you mean `schedule`?";
    let seen = ["error: there is no key `shedule` in [[meter]]", underlined];
    ends_with(&ended, 2, &seen);
    says(&ended.stderr, &["help: `heatmeter check-config "]);
    assert!(
        !ended.stderr.contains("]: error"),
        "said twice: {}",
        ended.stderr
    );
}

#[test]
fn a_configuration_that_is_not_there_is_begun_with_setup() {
    let scene = Scene::new("");
    fs::remove_file(scene.file()).unwrap();
    let name = scene.file().display().to_string();
    ends_with(
        &scene.fails(),
        2,
        &[&format!("cannot read {name}"), "--setup"],
    );
    let ended = run(command(["run", "--json", "--config", &name]));
    assert_eq!(ended.failure(), ("usage".to_owned(), 2));
}

#[test]
fn a_configuration_or_a_secret_that_may_not_be_read_is_named_with_the_remedy() {
    let scene =
        Scene::new("[mqtt]\nhost = \"broker\"\nuser = \"heat\"\npassword_file = \"secret\"\n");
    fs::write(scene.path("secret"), "x").unwrap();
    let without_rights = Permissions::from_mode(0o000);
    fs::set_permissions(scene.path("secret"), without_rights.clone()).unwrap();
    let secret = format!(
        "cannot read the secret in {}: Permission denied",
        scene.path("secret").display()
    );
    ends_with(
        &scene.fails_as_nobody(),
        2,
        &[&secret, "chown heatmeter FILE"],
    );

    fs::set_permissions(scene.file(), without_rights).unwrap();
    let file = format!("cannot read {}: Permission denied", scene.file().display());
    ends_with(&scene.fails_as_nobody(), 2, &[&file, "chown heatmeter"]);
}

#[test]
fn a_secret_that_the_environment_names_and_nobody_can_read_is_one_problem() {
    let scene = Scene::new("[[postgres]]\n");
    let mut command = scene.command();
    command.env("HEATMETER_POSTGRES_URL_FILE", "/nowhere/url");
    let ended = run(command);
    let seen = ["cannot read the secret in /nowhere/url, which HEATMETER_POSTGRES_URL_FILE names"];
    ends_with(&ended, 2, &seen);
    assert!(!ended.stderr.contains("is missing"), "{}", ended.stderr);
}

#[test]
fn an_address_that_is_taken_or_of_another_machine_is_told_apart() {
    let scene = Scene::new("");
    let taken = TcpListener::bind(("127.0.0.1", scene.web)).unwrap();
    let seen = [
        "cannot listen on 127.0.0.1:",
        "it is taken",
        "another program listens there",
    ];
    ends_with(
        &scene.fails(),
        3,
        &seen.map(|text| text.trim_end_matches('.')),
    );
    drop(taken);

    fs::write(scene.path("token"), "0123456789abcdef0123456789abcdef").unwrap();
    // An address that is for documentation only.
    scene.write_as("192.0.2.1:8403", "token_file = \"token\"\n");
    let seen = ["192.0.2.1:8403", "this machine does not have that address"];
    ends_with(&scene.fails(), 3, &seen);
}

#[test]
fn a_port_that_is_for_root_only_is_said_to_be() {
    let first: u16 = fs::read_to_string("/proc/sys/net/ipv4/ip_unprivileged_port_start")
        .ok()
        .and_then(|text| text.trim().parse().ok())
        .unwrap_or(1024);
    let scene = Scene::new("");
    scene.write_as("127.0.0.1:80", "");
    if first > 80 {
        let seen = [
            "127.0.0.1:80: the system does not allow it",
            "a port above 1023",
        ];
        ends_with(&scene.fails_as_nobody(), 3, &seen);
    }
}

#[test]
fn a_history_that_cannot_be_had_is_said_why() {
    let scene = Scene::new("[history]\npath = \"missing/history.db\"\n");
    let folder = scene.path("missing").display().to_string();
    ends_with(
        &scene.fails(),
        3,
        &[
            "cannot open the history",
            &format!("make the folder {folder}"),
        ],
    );

    fs::create_dir(scene.path("missing")).unwrap();
    let seen = ["cannot open the history", "the right to write in"];
    ends_with(&scene.fails_as_nobody(), 3, &seen);

    fs::write(scene.path("missing/history.db"), "Dear diary,\n").unwrap();
    ends_with(
        &scene.fails(),
        3,
        &["is not a history of heatmeter", "this file was left alone"],
    );
    let left = fs::read_to_string(scene.path("missing/history.db")).unwrap();
    assert_eq!(left, "Dear diary,\n");
}

#[test]
fn a_history_is_for_one_gateway() {
    let scene = Scene::new("");
    let gateway = scene.starts();
    let second = free_port();
    scene.write_as(&format!("127.0.0.1:{second}"), "");
    let seen = [
        "another heatmeter is using the history",
        "a history of its own",
    ];
    ends_with(&scene.fails(), 3, &seen);
    gateway.ends_well();
}

#[test]
fn a_damaged_history_is_salvaged_and_told_of() {
    let meter = Simulated::tcp(&[]);
    let scene = Scene::new(&format!(
        "[[meter]]\nname = \"House\"\nport = \"{}\"\n",
        meter.port()
    ));
    let gateway = scene.starts();
    gateway.meter_with("house", "ok");
    gateway.ends_well();
    let mut file = File::options()
        .write(true)
        .open(scene.path("history.db"))
        .unwrap();
    file.write_all(&[0xa5; 100]).unwrap();
    drop(file);

    let gateway = scene.starts();
    gateway.waits_for_log("the history was damaged");
    let status = gateway.get("/api/status").unwrap();
    let salvaged = &status["history"]["salvaged"];
    let kept = salvaged["kept"]
        .as_str()
        .unwrap_or_else(|| panic!("{status}"));
    assert!(Path::new(kept).exists(), "{kept}");
    assert_eq!(status["history"]["state"], "fine");
    gateway.meter_with("house", "ok");
    gateway.ends_well();
}

/// A file system of its own for one gateway, which ends with it.
fn on_a_small_disk(scene: &Scene, folder: &Path) -> Command {
    let mut command = Command::new("unshare");
    command
        .args(["--mount", "--map-root-user", "sh", "-c"])
        .arg("mount -t tmpfs -o size=2m none \"$1\" && exec \"$2\" run --config \"$3\"")
        .arg("sh")
        .arg(folder)
        .arg(env!("CARGO_BIN_EXE_heatmeter"))
        .arg(scene.file())
        .env("TZ", "UTC")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    if rustix::process::geteuid().is_root() {
        // Root needs no namespace of users for that, and may be forbidden one.
        let mut plain = Command::new("unshare");
        plain
            .arg("--mount")
            .args(command.get_args().skip(2))
            .env("TZ", "UTC");
        plain
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        return plain;
    }
    command
}

#[test]
fn a_full_disk_is_told_of_and_nothing_is_lost() {
    let meter = Simulated::tcp(&["--speed", "60"]);
    let scene = Scene::new("");
    let disk = scene.path("disk");
    fs::create_dir(&disk).unwrap();
    scene.write(&format!(
        "[history]\npath = \"disk/history.db\"\n\
         [[meter]]\nname = \"House\"\nport = \"{}\"\nschedule = \"every 5 s\"\nmains_powered = true\n",
        meter.port()
    ));
    let gateway = scene.starts_as(on_a_small_disk(&scene, &disk));
    gateway.meter_with("house", "ok");

    // The disk as the gateway sees it.
    let inside = format!("/proc/{}/root{}", gateway.running.pid(), disk.display());
    let filler = Path::new(&inside).join("filler");
    let mut file = File::create(&filler).unwrap();
    let mut block = 64 * 1024;
    while block > 0 {
        if file.write_all(&vec![0; block]).is_err() {
            block /= 2;
        }
    }
    let full = gateway.wait_for("the disk is full", "/api/status", |status| {
        status["history"]["state"] == "disk_full"
            && status["history"]["waiting"].as_u64() >= Some(2)
    });
    assert_eq!(full["history"]["message"], "The disk is full.");
    gateway.waits_for_log("the disk is full: polls wait in memory");
    let health = ask(gateway.web, "/healthz", None).unwrap();
    assert_eq!(health.status, 503, "{}", health.body);
    assert_eq!(
        gateway.meter_with("house", "ok")["stale"],
        false,
        "it is read all the same"
    );

    drop(file);
    fs::remove_file(&filler).unwrap();
    gateway.wait_for("everything is written", "/api/status", |status| {
        status["history"]["state"] == "fine" && status["history"]["waiting"] == 0
    });
    gateway.waits_for_log("the history is written again");
    gateway.ends_well();
}

#[test]
fn a_port_that_cannot_be_used_is_told_of_and_the_others_are_read() {
    let sound = Simulated::tcp(&[]);
    let scene = Scene::new("");
    let denied = scene.path("ttyUSB0");
    fs::write(&denied, "").unwrap();
    fs::set_permissions(&denied, Permissions::from_mode(0o000)).unwrap();
    fs::set_permissions(scene.folder.path(), Permissions::from_mode(0o777)).unwrap();
    scene.write(&format!(
        "[[meter]]\nname = \"Sound\"\nport = \"{}\"\n\
         [[meter]]\nname = \"Missing\"\nport = \"/dev/ttyNothing\"\n\
         [[meter]]\nname = \"Denied\"\nport = \"{}\"\n\
         [[meter]]\nname = \"Away\"\nport = \"socket://127.0.0.1:{}\"\n",
        sound.port(),
        denied.display(),
        free_port()
    ));
    fs::set_permissions(scene.file(), Permissions::from_mode(0o644)).unwrap();
    let file = scene.file().display().to_string();
    let gateway = scene.starts_as(scene.command_as_nobody(&["run", "--config", &file]));
    for (slot, verdict, words) in [
        ("missing", "port_missing", "/dev/ttyNothing"),
        ("denied", "port_denied", "ttyUSB0"),
        ("away", "port_unreachable", "127.0.0.1"),
    ] {
        let meter = gateway.meter_with(slot, verdict);
        says(meter["verdict"]["message"].as_str().unwrap(), &[words]);
        assert_ne!(meter["verdict"]["help"], "");
        gateway.waits_for_log(&format!("verdict=\"{verdict}\""));
    }
    gateway.meter_with("sound", "ok");
    gateway.ends_well();
}

#[test]
fn a_port_that_another_program_holds_is_busy() {
    let meter = Simulated::pty(&[]);
    let other = Running::start(&["watch", meter.port(), "--interval", "1h", "--json"]);
    other.json();
    let scene = Scene::new(&format!(
        "[[meter]]\nname = \"House\"\nport = \"{}\"\n",
        meter.port()
    ));
    let gateway = scene.starts();
    let busy = gateway.meter_with("house", "port_busy");
    says(
        busy["verdict"]["message"].as_str().unwrap(),
        &[meter.port()],
    );
    gateway.ends_well();
}

#[test]
fn a_wrong_password_is_told_of_and_the_meter_is_read() {
    let broker = Mosquitto::start(&Options {
        user: Some(("heat".to_owned(), "right".to_owned())),
        ..Options::default()
    });
    let meter = Simulated::tcp(&[]);
    let scene = Scene::new(&format!(
        "[[meter]]\nname = \"House\"\nport = \"{}\"\n\
         [mqtt]\nhost = \"127.0.0.1\"\nport = {}\nuser = \"heat\"\npassword = \"wrong\"\n",
        meter.port(),
        broker.port()
    ));
    let gateway = scene.starts();
    gateway.meter_with("house", "ok");
    let trouble = gateway.trouble();
    says(
        trouble["message"].as_str().unwrap(),
        &["does not let heat in"],
    );
    says(trouble["help"].as_str().unwrap(), &["password_file"]);
    gateway.waits_for_log("does not let heat in");
    gateway.ends_well();

    // The same before it is used.
    let ended = run(command([
        "check-config",
        "--try",
        scene.file().to_str().unwrap(),
    ]));
    says(
        &ended.stdout,
        &["It answers: MULTICAL 403", "does not let heat in"],
    );
    assert_eq!(ended.code, Some(3), "{}", ended.stdout);
}

#[test]
fn a_meter_that_does_not_answer_gives_check_config_its_exit_code() {
    let meter = Simulated::tcp(&["--fault", "silence=1"]);
    let scene = Scene::new(&format!(
        "[[meter]]\nport = \"{}\"\ntimeout = \"100 ms\"\n",
        meter.port()
    ));
    let file = scene.file();
    let args = ["check-config", "--try", "--json", file.to_str().unwrap()];
    let ended = run(command(args));
    let outcome = &ended.json()["meters"][0]["outcome"];
    assert_eq!(outcome["verdict"], "silent");
    assert_eq!(ended.code, Some(4), "{outcome}");
}

#[test]
fn a_certificate_of_another_authority_is_told_of() {
    let broker = Mosquitto::start(&Options {
        tls: true,
        ..Options::default()
    });
    let tls = |ca: &Path| {
        format!(
            "[mqtt]\nhost = \"127.0.0.1\"\nport = {}\nca_file = \"{}\"\n",
            broker.port(),
            ca.display()
        )
    };
    let scene = Scene::new(&tls(&broker.certificates().other_ca));
    let gateway = scene.starts();
    let trouble = gateway.trouble();
    says(
        trouble["message"].as_str().unwrap(),
        &["TLS", &broker.port().to_string()],
    );
    says(trouble["help"].as_str().unwrap(), &["ca_file"]);

    // The right one is taken up without a restart.
    scene.write(&tls(&broker.certificates().ca));
    gateway.running.signal(Signal::HUP);
    gateway.wait_for("the broker is trusted", "/api/status", |status| {
        status["destinations"][0]["state"] == "fine"
    });
    gateway.ends_well();
}

#[test]
fn a_certificate_that_is_none_is_a_wrong_configuration() {
    let scene = Scene::new("[mqtt]\nhost = \"broker\"\nca_file = \"ca.pem\"\n");
    fs::write(scene.path("ca.pem"), "no certificate\n").unwrap();
    ends_with(&scene.fails(), 2, &["ca.pem"]);
    let made = Certificates::make(scene.folder.path());
    // A key where its certificate should be.
    scene.write(&format!(
        "[mqtt]\nhost = \"broker\"\nca_file = \"{}\"\ncert_file = \"{}\"\nkey_file = \"{}\"\n",
        made.ca.display(),
        made.client_key.display(),
        made.client_key.display()
    ));
    ends_with(&scene.fails(), 2, &["client.key"]);
}

#[test]
fn a_wrong_configuration_is_not_taken_up_and_the_old_one_goes_on() {
    let meter = Simulated::tcp(&[]);
    let right = format!("[[meter]]\nname = \"House\"\nport = \"{}\"\n", meter.port());
    let scene = Scene::new(&right);
    let gateway = scene.starts();
    gateway.meter_with("house", "ok");
    scene.write(&right.replace("port", "prot"));
    gateway.running.signal(Signal::HUP);
    let status = gateway.wait_for("it is told", "/api/status", |status| {
        !status["config"]["trouble"].is_null()
    });
    says(
        status["config"]["trouble"]["message"].as_str().unwrap(),
        &[
            "The configuration stays as it was",
            "there is no key `prot`",
        ],
    );
    gateway.waits_for_log("there is no key `prot`");
    gateway.meter_with("house", "ok");

    scene.write(&right);
    gateway.running.signal(Signal::HUP);
    gateway.wait_for("all is well again", "/api/status", |status| {
        status["config"]["trouble"].is_null()
    });
    gateway.ends_well();
}

#[test]
fn an_address_that_cannot_be_had_leaves_the_page_where_it_was() {
    let scene = Scene::new("");
    let gateway = scene.starts();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let other = taken.local_addr().unwrap();
    scene.write_as(&other.to_string(), "");
    gateway.running.signal(Signal::HUP);
    let status = gateway.wait_for("it is told", "/api/status", |status| {
        !status["config"]["trouble"].is_null()
    });
    let trouble = &status["config"]["trouble"];
    says(
        trouble["message"].as_str().unwrap(),
        &[&other.to_string(), "it is taken"],
    );

    // All addresses of the machine contain the one that is ours.
    fs::write(scene.path("token"), "0123456789abcdef0123456789abcdef").unwrap();
    let everywhere = format!("0.0.0.0:{}", scene.web);
    scene.write_as(&everywhere, "token_file = \"token\"\n");
    gateway.running.signal(Signal::HUP);
    gateway.waits_for_log(&format!("the page is at http://{everywhere}/"));
    let answer = ask(scene.web, "/api/status", None).unwrap();
    assert_eq!(
        answer.status, 401,
        "the token is wanted now: {}",
        answer.body
    );
    gateway.ends_well();
}

/// Changes the configuration by the API, as the page does, and gives the answer.
fn put(web: u16, configuration: &str) -> (u16, Value) {
    let current = ask(web, "/api/config", None).unwrap();
    let current: Value = serde_json::from_str(&current.body).unwrap();
    let body = json!({"toml": configuration, "etag": current["etag"]}).to_string();
    let mut stream = TcpStream::connect(("127.0.0.1", web)).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    write!(
        stream,
        "PUT /api/config HTTP/1.1\r\nHost: 127.0.0.1:{web}\r\nConnection: close\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").expect("a whole answer");
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    (status, serde_json::from_str(body).unwrap())
}

#[test]
fn whoever_moves_the_page_gets_an_answer_from_the_old_place() {
    let scene = Scene::new("");
    let gateway = scene.starts();
    let moved = free_port();
    let (status, kept) = put(
        scene.web,
        &format!("[web]\nlisten = \"127.0.0.1:{moved}\"\n"),
    );
    assert_eq!(status, 200, "{kept}");
    says(kept["toml"].as_str().unwrap(), &[&moved.to_string()]);
    assert_eq!(ask(moved, "/healthz", None).unwrap().status, 200);
    assert!(
        ask(scene.web, "/healthz", None).is_none(),
        "nobody listens there any more"
    );

    let (status, kept) = put(
        moved,
        &format!(
            "[web]\nlisten = \"127.0.0.1:{moved}\"\ntoken = \"0123456789abcdef0123456789abcdef\"\n"
        ),
    );
    assert_eq!(status, 200, "{kept}");
    assert_eq!(ask(moved, "/api/status", None).unwrap().status, 401);
    gateway.ends_well();
}

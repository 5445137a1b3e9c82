//! What the tests of the command line need around it: the binary run with a limit of time, simulated
//! meters, and peers that do not behave.

#![allow(
    dead_code,
    unreachable_pub,
    unused_imports,
    reason = "each test file uses its own part"
)]

pub mod hook;
pub mod peer;
pub mod running;
pub mod simulated;

use std::ffi::OsStr;
use std::io::Read;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

pub use hook::Hook;
pub use peer::Peer;
pub use running::Running;
pub use simulated::Simulated;

/// Nothing in these tests may take longer.
pub const LIMIT: Duration = Duration::from_mins(1);

/// The binary with these arguments, in surroundings that do not change what it prints.
pub fn command<A: AsRef<OsStr>>(args: impl IntoIterator<Item = A>) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_heatmeter"));
    command
        .args(args)
        .env("TZ", "UTC")
        .env_remove("NO_COLOR")
        .env_remove("CLICOLOR")
        .env_remove("CLICOLOR_FORCE")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

/// Runs the binary to its end.
pub fn heatmeter<A: AsRef<OsStr>>(args: impl IntoIterator<Item = A>) -> Ended {
    run(command(args))
}

/// Runs a command to its end, and fails if it does not come to one.
pub fn run(mut command: Command) -> Ended {
    let started = Instant::now();
    let mut child = command.spawn().expect("the command can be started");
    let stdout = collect(child.stdout.take());
    let stderr = collect(child.stderr.take());
    let mut memory = 0;
    let status = loop {
        memory = memory.max(most_memory(&child));
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        if started.elapsed() > LIMIT {
            let _ = child.kill();
            let _ = child.wait();
            panic!("still running after {LIMIT:?}: {command:?}");
        }
        thread::sleep(Duration::from_millis(5));
    };
    Ended {
        code: status.code(),
        stdout: stdout.join().unwrap(),
        stderr: stderr.join().unwrap(),
        took: started.elapsed(),
        memory,
    }
}

/// What a command left behind.
#[derive(Debug)]
pub struct Ended {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
    pub took: Duration,
    /// The most memory that was seen in use, in bytes.
    pub memory: u64,
}

impl Ended {
    /// The one object on standard output.
    pub fn json(&self) -> Value {
        let mut objects = self.objects();
        assert_eq!(objects.len(), 1, "one object expected: {self:?}");
        objects.remove(0)
    }

    /// The objects on standard output; anything else there is a failure.
    pub fn objects(&self) -> Vec<Value> {
        self.stdout
            .lines()
            .map(|line| {
                serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))
            })
            .collect()
    }

    /// The failure printed as JSON, and the exit code.
    pub fn failure(&self) -> (String, i32) {
        let object = self.json();
        let error = &object["error"];
        for key in ["code", "message", "help"] {
            assert!(
                !error[key].as_str().unwrap_or_default().is_empty(),
                "{object}"
            );
        }
        assert!(object.get("port").is_some(), "{object}");
        (
            error["code"].as_str().unwrap().to_owned(),
            self.code.unwrap(),
        )
    }
}

/// The most memory that a process has used so far.
fn most_memory(child: &Child) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", child.id()));
    let status = status.unwrap_or_default();
    let kilobytes = status.lines().find_map(|line| {
        line.strip_prefix("VmHWM:")?
            .split_whitespace()
            .next()?
            .parse::<u64>()
            .ok()
    });
    kilobytes.unwrap_or(0) * 1024
}

fn collect(from: Option<impl Read + Send + 'static>) -> thread::JoinHandle<String> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(mut from) = from {
            let _ = from.read_to_end(&mut bytes);
        }
        String::from_utf8(bytes).expect("output is UTF-8")
    })
}

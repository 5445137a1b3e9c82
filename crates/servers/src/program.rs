//! A program that somebody else wrote, as a child of a test.

use std::fs::{self, File};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

/// By when something happens on a busy machine, or never does.
const LIMIT: Duration = Duration::from_mins(2);
const GLANCE: Duration = Duration::from_millis(10);

/// Where Debian puts programs that are no commands of users.
const OTHER_PLACES: [&str; 3] = ["/usr/sbin", "/usr/local/sbin", "/sbin"];

/// A running program. It is killed when this is dropped.
#[derive(Debug)]
pub struct Program {
    name: String,
    child: Child,
    log: PathBuf,
}

impl Program {
    /// Starts it. What it prints goes to the end of that file.
    ///
    /// # Panics
    /// If it cannot be started.
    pub fn start(mut command: Command, log: &Path) -> Self {
        let name = Path::new(command.get_program())
            .file_name()
            .unwrap_or(command.get_program())
            .to_string_lossy()
            .into_owned();
        let output = File::options()
            .create(true)
            .append(true)
            .open(log)
            .unwrap_or_else(|error| panic!("{}: {error}", log.display()));
        let errors = output.try_clone().expect("a file can be shared");
        let child = command
            .stdin(Stdio::null())
            .stdout(output)
            .stderr(errors)
            .spawn()
            .unwrap_or_else(|error| panic!("{name} does not start: {error}"));
        Self {
            name,
            child,
            log: log.to_owned(),
        }
    }

    /// Waits until it listens on that port of loopback.
    ///
    /// # Panics
    /// If it ends instead, with what it printed.
    pub fn wait_for_port(&mut self, port: u16) {
        self.wait_until(&format!("listens on port {port}"), || {
            TcpStream::connect(("127.0.0.1", port)).is_ok()
        });
    }

    /// Waits until something is true of it.
    ///
    /// # Panics
    /// If it ends instead, with what it printed.
    pub fn wait_until(&mut self, what: &str, mut is_so: impl FnMut() -> bool) {
        let began = Instant::now();
        while !is_so() {
            if let Some(status) = self.ended() {
                panic!("{} ended, {status}:\n{}", self.name, self.log());
            }
            assert!(
                began.elapsed() < LIMIT,
                "it never came that {} {what}:\n{}",
                self.name,
                self.log()
            );
            sleep(GLANCE);
        }
    }

    /// Its exit status, if it has ended.
    ///
    /// # Panics
    /// Never: it is our child.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().expect("it is our child")
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// What it printed so far.
    pub fn log(&self) -> String {
        let bytes = fs::read(&self.log).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// Asks it to end, as `kill` does, and waits until it has.
    ///
    /// # Panics
    /// If it does not end.
    pub fn stop(&mut self) -> ExitStatus {
        self.signal(Signal::TERM);
        let began = Instant::now();
        loop {
            if let Some(status) = self.ended() {
                return status;
            }
            assert!(
                began.elapsed() < LIMIT,
                "{} does not end:\n{}",
                self.name,
                self.log()
            );
            sleep(GLANCE);
        }
    }

    /// Ends it as a power failure would, as `kill -9` does.
    pub fn kill9(&mut self) {
        // It may have ended by itself.
        drop(self.child.kill());
        drop(self.child.wait());
    }

    /// Sends it a signal; one that has ended gets none.
    ///
    /// # Panics
    /// If it may not be sent.
    pub fn signal(&mut self, signal: Signal) {
        if self.ended().is_some() {
            return;
        }
        let pid = i32::try_from(self.child.id()).expect("process ids are small");
        kill_process(Pid::from_raw(pid).expect("it is not 0"), signal).expect("it is our child");
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        self.kill9();
    }
}

/// Waits until something is so that no running program of ours can tell.
///
/// # Panics
/// If it never comes.
pub(crate) fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let began = Instant::now();
    while !is_so() {
        assert!(began.elapsed() < LIMIT, "it never came that {what}");
        sleep(GLANCE);
    }
}

/// Where a command is.
///
/// # Panics
/// If it is nowhere, with the Debian package to install.
pub fn find(command: &str, package: &str) -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .chain(OTHER_PLACES.map(PathBuf::from))
        .map(|folder| folder.join(command))
        .find(|file| file.is_file())
        .unwrap_or_else(|| {
            panic!("this test needs {command}: run `make test`, or: sudo apt-get install {package}")
        })
}

/// A port of loopback that nobody listens on, and that no outgoing connection is given by chance:
/// a server can be away for a while and come back to it.
///
/// # Panics
/// If there is none.
pub fn free_port() -> u16 {
    const FIRST: u32 = 10_000;
    // Linux gives ports from 32,768 on to outgoing connections.
    const COUNT: u32 = 22_000;
    static NEXT: AtomicU32 = AtomicU32::new(0);
    // Processes that run at the same time begin at different places.
    let start = std::process::id().wrapping_mul(97) % COUNT;
    for _ in 0..COUNT {
        let step = NEXT.fetch_add(1, Ordering::Relaxed);
        let port = u16::try_from(FIRST + (start + step) % COUNT).expect("ports end at 32,000");
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
    panic!("no port of 127.0.0.1 from {FIRST} on is free");
}

//! A command that goes on until it is told to end.

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, Command};
use std::sync::mpsc::{self, Receiver};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use super::{LIMIT, command};

/// A command at work. Dropping it kills it, by its id.
pub struct Running {
    child: Child,
    lines: Receiver<String>,
    errors: Arc<Mutex<String>>,
}

impl Running {
    pub fn start(args: &[&str]) -> Self {
        Self::of(command(args))
    }

    pub fn of(mut command: Command) -> Self {
        let mut child = command.spawn().expect("the command can be started");
        let (sender, lines) = mpsc::channel();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        thread::spawn(move || {
            for line in stdout.lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    break;
                }
            }
        });
        let errors = Arc::new(Mutex::new(String::new()));
        let (mut stderr, said) = (child.stderr.take().unwrap(), errors.clone());
        thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(count @ 1..) = stderr.read(&mut buffer) {
                said.lock()
                    .unwrap()
                    .push_str(&String::from_utf8_lossy(&buffer[..count]));
            }
        });
        Self {
            child,
            lines,
            errors,
        }
    }

    /// The next line on standard output.
    pub fn line(&self) -> String {
        self.lines
            .recv_timeout(LIMIT)
            .unwrap_or_else(|error| panic!("no line came: {error}; stderr: {}", self.errors()))
    }

    /// The next line on standard output, as JSON.
    pub fn json(&self) -> Value {
        let line = self.line();
        serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"))
    }

    /// The next object that `wanted` takes; those before it are let go.
    pub fn wait_for(&self, wanted: impl Fn(&Value) -> bool) -> Value {
        let began = Instant::now();
        loop {
            let object = self.json();
            if wanted(&object) {
                return object;
            }
            assert!(began.elapsed() < LIMIT, "never came: {object}");
        }
    }

    /// Writes a line to its standard input, if that was made a pipe.
    pub fn say(&mut self, line: &str) {
        let stdin = self.child.stdin.as_mut().expect("standard input is a pipe");
        writeln!(stdin, "{line}").unwrap();
    }

    /// Ends its standard input.
    pub fn say_no_more(&mut self) {
        drop(self.child.stdin.take());
    }

    /// What stands on standard error so far.
    pub fn errors(&self) -> String {
        self.errors.lock().unwrap().clone()
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    pub fn signal(&self, signal: Signal) {
        let pid = Pid::from_child(&self.child);
        kill_process(pid, signal).unwrap();
    }

    /// Asks it to end, as Ctrl-C does, and gives its exit code.
    pub fn interrupt(mut self) -> Option<i32> {
        self.signal(Signal::INT);
        self.end()
    }

    /// Waits until it ends by itself.
    pub fn end(&mut self) -> Option<i32> {
        let began = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status.code();
            }
            assert!(began.elapsed() < LIMIT, "does not end");
            thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

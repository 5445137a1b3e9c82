//! A simulated meter, run by the very binary that is tested.

use std::path::Path;

use super::Running;

/// A simulated meter at work. Dropping it ends it.
pub struct Simulated {
    pub running: Running,
    port: String,
}

impl Simulated {
    /// A MULTICAL 403 behind a TCP port, at a standstill unless the options say otherwise: every
    /// reading of it is the same.
    pub fn tcp(options: &[&str]) -> Self {
        Self::model("403", options)
    }

    pub fn model(model: &str, options: &[&str]) -> Self {
        Self::start(model, &["--tcp", "127.0.0.1:0"], options)
    }

    /// The same behind a pseudo-terminal.
    pub fn pty(options: &[&str]) -> Self {
        Self::start("403", &["--pty"], options)
    }

    /// The same, with a link to it.
    pub fn at_link(link: &Path, options: &[&str]) -> Self {
        Self::start("403", &["--pty", link.to_str().unwrap()], options)
    }

    pub fn port(&self) -> &str {
        &self.port
    }

    fn start(model: &str, place: &[&str], options: &[&str]) -> Self {
        let mut args = vec!["simulate", "--model", model];
        args.extend(place);
        args.extend(options);
        if !options.contains(&"--speed") {
            args.extend(["--speed", "0"]);
        }
        let running = Running::start(&args);
        let ready = running.json();
        let port = ready["listening"]
            .as_str()
            .expect("says where it listens")
            .to_owned();
        Self { running, port }
    }
}

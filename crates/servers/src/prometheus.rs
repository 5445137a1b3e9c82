//! A Prometheus of a test's own, and its judge of metrics.

use std::fs;
use std::io::Write;
use std::process::{Command, Stdio};

use tempfile::TempDir;

use crate::http::{ask, encode};
use crate::program::{Program, find, free_port};

/// A running Prometheus, with its folder. It ends when this is dropped.
#[derive(Debug)]
pub struct Prometheus {
    program: Program,
    port: u16,
    // Goes after the program.
    _folder: TempDir,
}

impl Prometheus {
    /// Starts one that reads `/metrics` on that port of loopback every second, with a token if there
    /// is one.
    ///
    /// # Panics
    /// If it does not come up.
    pub fn start(target: u16, token: Option<&str>) -> Self {
        let folder = tempfile::tempdir().expect("there is room for temporary files");
        let login = token
            .map(|token| format!("    authorization:\n      credentials: '{token}'\n"))
            .unwrap_or_default();
        let configuration = format!(
            "global:\n  scrape_interval: 1s\nscrape_configs:\n  - job_name: heatmeter\n{login}    \
             static_configs:\n      - targets: ['127.0.0.1:{target}']\n"
        );
        let file = folder.path().join("prometheus.yml");
        fs::write(&file, configuration).expect("the folder can be written");
        let port = free_port();
        let mut command = Command::new(find("prometheus", "prometheus"));
        command
            .arg(format!("--config.file={}", file.display()))
            .arg(format!(
                "--storage.tsdb.path={}",
                folder.path().join("data").display()
            ))
            .arg(format!("--web.listen-address=127.0.0.1:{port}"));
        let mut program = Program::start(command, &folder.path().join("log"));
        program.wait_until("is ready", || {
            ask(port, "/-/ready", None).is_some_and(|answer| answer.status == 200)
        });
        Self {
            program,
            port,
            _folder: folder,
        }
    }

    /// Its port on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// What it answers to a query, as JSON.
    ///
    /// # Panics
    /// If it refuses.
    pub fn query(&self, query: &str) -> String {
        let path = format!("/api/v1/query?query={}", encode(query));
        let answer = ask(self.port, &path, None).expect("it runs");
        assert_eq!(answer.status, 200, "{query}: {}", answer.body);
        answer.body
    }

    /// What it logged so far.
    pub fn log(&self) -> String {
        self.program.log()
    }

    /// What `promtool check metrics` has against the body of `/metrics`; empty if nothing.
    ///
    /// # Panics
    /// If promtool cannot be run.
    pub fn complaints(metrics: &str) -> String {
        let mut child = Command::new(find("promtool", "prometheus"))
            .args(["check", "metrics"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("promtool can be run");
        child
            .stdin
            .take()
            .expect("it is a pipe")
            .write_all(metrics.as_bytes())
            .expect("promtool reads");
        let output = child.wait_with_output().expect("it is our child");
        let said = [output.stdout, output.stderr].concat();
        let said = String::from_utf8_lossy(&said).trim().to_owned();
        assert!(
            output.status.success() || !said.is_empty(),
            "promtool: {}",
            output.status
        );
        said
    }
}

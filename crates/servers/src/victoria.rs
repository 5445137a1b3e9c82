//! A VictoriaMetrics of a test's own: it takes InfluxDB's line protocol in both versions.

use std::process::Command;

use tempfile::TempDir;

use crate::http::{ask, encode};
use crate::program::{Program, find, free_port};

/// A running VictoriaMetrics, with its folder. It ends when this is dropped.
#[derive(Debug)]
pub struct Victoria {
    program: Option<Program>,
    port: u16,
    folder: TempDir,
}

impl Victoria {
    /// Starts one and waits until it listens.
    ///
    /// # Panics
    /// If it does not.
    pub fn start() -> Self {
        let mut server = Self {
            program: None,
            port: free_port(),
            folder: tempfile::tempdir().expect("there is room for temporary files"),
        };
        server.restart();
        server
    }

    /// Its port on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Its address.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Everything of the series that a selector names, as it exports it: a JSON object on each line.
    ///
    /// # Panics
    /// If it does not answer.
    pub fn export(&self, selector: &str) -> String {
        ask(self.port, "/internal/force_flush", None).expect("it runs");
        let path = format!("/api/v1/export?match[]={}", encode(selector));
        let answer = ask(self.port, &path, None).expect("it runs");
        assert_eq!(answer.status, 200, "{}", answer.body);
        answer.body
    }

    /// Ends it in an orderly way: what it has taken is on disk.
    pub fn stop(&mut self) {
        if let Some(mut program) = self.program.take() {
            program.stop();
        }
    }

    /// Starts it again on the same port, ending it before if it runs.
    ///
    /// # Panics
    /// If it does not listen.
    pub fn restart(&mut self) {
        self.stop();
        let mut command = Command::new(find("victoria-metrics", "victoria-metrics"));
        command
            .arg(format!(
                "-storageDataPath={}",
                self.folder.path().join("data").display()
            ))
            .arg(format!("-httpListenAddr=127.0.0.1:{}", self.port))
            .args([
                "-retentionPeriod=100y",
                "-loggerLevel=WARN",
                "-memory.allowedBytes=64MB",
            ]);
        let mut program = Program::start(command, &self.folder.path().join("log"));
        program.wait_for_port(self.port);
        self.program = Some(program);
    }
}

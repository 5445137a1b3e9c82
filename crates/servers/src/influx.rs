//! An InfluxDB 1 of a test's own.

use std::fs;
use std::process::Command;

use tempfile::TempDir;

use crate::http::{Answer, ask, encode};
use crate::program::{Program, find, free_port};

/// A running InfluxDB, with its folder. It ends when this is dropped.
#[derive(Debug)]
pub struct Influx {
    program: Option<Program>,
    port: u16,
    login: String,
    folder: TempDir,
}

impl Influx {
    /// Starts one without databases, where `heat` with the password `of the test` may do everything
    /// and nobody else anything.
    ///
    /// # Panics
    /// If it does not come up.
    pub fn start() -> Self {
        let folder = tempfile::tempdir().expect("there is room for temporary files");
        let port = free_port();
        let path = folder.path().display();
        let configuration = format!(
            "reporting-disabled = true\n\
             bind-address = \"127.0.0.1:{}\"\n\
             [meta]\ndir = \"{path}/meta\"\n\
             [data]\ndir = \"{path}/data\"\nwal-dir = \"{path}/wal\"\n\
             [monitor]\nstore-enabled = false\n\
             [http]\nbind-address = \"127.0.0.1:{port}\"\nauth-enabled = true\n",
            free_port()
        );
        fs::write(folder.path().join("influxdb.conf"), configuration)
            .expect("the folder can be written");
        let mut server = Self {
            program: None,
            port,
            login: format!("u=heat&p={}", encode("of the test")),
            folder,
        };
        server.restart();
        server.query("CREATE USER heat WITH PASSWORD 'of the test' WITH ALL PRIVILEGES");
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

    /// What it answers to a query, as JSON with times in milliseconds.
    ///
    /// # Panics
    /// If it refuses.
    pub fn query(&self, query: &str) -> String {
        let path = format!("/query?epoch=ms&{}", self.login);
        let Answer { status, body } =
            ask(self.port, &path, Some(&format!("q={}", encode(query)))).expect("it runs");
        assert!(
            status == 200 && !body.contains("\"error\""),
            "{query}: {body}"
        );
        body
    }

    /// Ends it in an orderly way.
    pub fn stop(&mut self) {
        if let Some(mut program) = self.program.take() {
            program.stop();
        }
    }

    /// Starts it again on the same port, ending it before if it runs.
    ///
    /// # Panics
    /// If it does not answer.
    pub fn restart(&mut self) {
        self.stop();
        let mut command = Command::new(find("influxd", "influxdb"));
        command
            .arg("run")
            .arg("-config")
            .arg(self.folder.path().join("influxdb.conf"))
            .env("HOME", self.folder.path());
        let mut program = Program::start(command, &self.folder.path().join("log"));
        let port = self.port;
        program.wait_until("answers", || {
            ask(port, "/ping", None).is_some_and(|answer| answer.status == 204)
        });
        self.program = Some(program);
    }
}

//! An InfluxDB 1 of a test's own.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use tempfile::TempDir;

use crate::certificates::Certificates;
use crate::http::{Answer, ask_socket, encode};
use crate::program::{Program, find, free_port};

/// A running InfluxDB, with its folder. It ends when this is dropped.
#[derive(Debug)]
pub struct Influx {
    program: Option<Program>,
    port: u16,
    login: String,
    certificates: Option<Certificates>,
    folder: TempDir,
}

impl Influx {
    /// Starts one without databases, where `heat` with the password `of the test` may do everything
    /// and nobody else anything.
    ///
    /// # Panics
    /// If it does not come up.
    pub fn start() -> Self {
        Self::start_with(false)
    }

    /// Starts one that speaks nothing but TLS.
    ///
    /// # Panics
    /// If it does not come up.
    pub fn start_with_tls() -> Self {
        Self::start_with(true)
    }

    fn start_with(tls: bool) -> Self {
        let folder = tempfile::tempdir().expect("there is room for temporary files");
        let port = free_port();
        let path = folder.path().display();
        let certificates = tls.then(|| Certificates::make(folder.path()));
        let https = certificates.as_ref().map_or_else(String::new, |made| {
            format!(
                "https-enabled = true\nhttps-certificate = \"{}\"\nhttps-private-key = \"{}\"\n",
                made.cert.display(),
                made.key.display()
            )
        });
        let configuration = format!(
            "reporting-disabled = true\n\
             bind-address = \"127.0.0.1:{}\"\n\
             [meta]\ndir = \"{path}/meta\"\n\
             [data]\ndir = \"{path}/data\"\nwal-dir = \"{path}/wal\"\n\
             [monitor]\nstore-enabled = false\n\
             [http]\nbind-address = \"127.0.0.1:{port}\"\nauth-enabled = true\n\
             unix-socket-enabled = true\nbind-socket = \"{path}/socket\"\n{https}",
            free_port()
        );
        fs::write(folder.path().join("influxdb.conf"), configuration)
            .expect("the folder can be written");
        let mut server = Self {
            program: None,
            port,
            certificates,
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
        let scheme = if self.certificates.is_some() {
            "https"
        } else {
            "http"
        };
        format!("{scheme}://127.0.0.1:{}", self.port)
    }

    /// Its certificates.
    ///
    /// # Panics
    /// If it does not speak TLS.
    pub fn certificates(&self) -> &Certificates {
        self.certificates.as_ref().expect("it was started with TLS")
    }

    /// What it answers to a query, as JSON with times in milliseconds.
    ///
    /// # Panics
    /// If it refuses.
    pub fn query(&self, query: &str) -> String {
        let path = format!("/query?epoch=ms&{}", self.login);
        let form = format!("q={}", encode(query));
        let Answer { status, body } =
            ask_socket(&self.socket(), &path, Some(&form)).expect("it runs");
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
        program.wait_for_port(self.port);
        let socket = self.socket();
        program.wait_until("answers", || {
            ask_socket(&socket, "/ping", None).is_some_and(|answer| answer.status == 204)
        });
        self.program = Some(program);
    }

    /// Where it answers without TLS, too.
    fn socket(&self) -> PathBuf {
        self.folder.path().join("socket")
    }
}

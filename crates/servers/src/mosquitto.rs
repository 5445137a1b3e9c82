//! A mosquitto of a test's own.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use crate::certificates::Certificates;
use crate::program::{Program, find, free_port};

/// How a mosquitto is set up. By default: no password, no TLS, everything allowed.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Only who knows this name and password comes in.
    pub user: Option<(String, String)>,
    /// Speaks TLS, with certificates made for it.
    pub tls: bool,
    /// Lets only clients in that show a certificate of its authority.
    pub client_certificates: bool,
    /// Who may do what.
    pub access: Access,
    /// Keeps retained messages and sessions over a restart, also over `kill9`.
    pub persistence: bool,
}

/// What clients may do.
#[derive(Clone, Debug, Default)]
pub enum Access {
    /// Everything.
    #[default]
    Everything,
    /// What these lines allow, such as `topic readwrite heatmeter/#`.
    List(String),
    /// Everything but subscribing.
    NoSubscriptions,
}

/// A running mosquitto, with its folder. It ends when this is dropped.
#[derive(Debug)]
pub struct Mosquitto {
    program: Option<Program>,
    port: u16,
    certificates: Option<Certificates>,
    folder: TempDir,
}

impl Mosquitto {
    /// Starts one and waits until it listens.
    ///
    /// # Panics
    /// If it does not.
    pub fn start(options: &Options) -> Self {
        let folder = tempfile::tempdir().expect("there is room for temporary files");
        let path = folder.path();
        let port = free_port();
        let mut lines = vec![
            format!("listener {port} 127.0.0.1"),
            // Started by root it would otherwise become somebody who cannot read this folder.
            "user root".to_owned(),
            // Whoever is slow gets everything nevertheless.
            "max_queued_messages 1000000".to_owned(),
            "max_inflight_messages 0".to_owned(),
            "log_type all".to_owned(),
        ];
        lines.push(format!("allow_anonymous {}", options.user.is_none()));
        if let Some((name, password)) = &options.user {
            lines.push(format!(
                "password_file {}",
                password_file(path, name, password).display()
            ));
        }
        match &options.access {
            Access::Everything => {}
            Access::List(list) => {
                let file = path.join("access");
                fs::write(&file, list).expect("the folder can be written");
                lines.push(format!("acl_file {}", file.display()));
            }
            Access::NoSubscriptions => {
                let file = path.join("dynamic-security.json");
                fs::write(&file, NO_SUBSCRIPTIONS).expect("the folder can be written");
                lines.push(format!("plugin {}", dynamic_security().display()));
                lines.push(format!("plugin_opt_config_file {}", file.display()));
            }
        }
        if options.persistence {
            lines.push("persistence true".to_owned());
            lines.push(format!("persistence_location {}/", path.display()));
            lines.push("autosave_on_changes true\nautosave_interval 1".to_owned());
        }
        let certificates = options.tls.then(|| Certificates::make(path));
        if let Some(made) = &certificates {
            lines.push(format!("cafile {}", made.ca.display()));
            lines.push(format!("certfile {}", made.cert.display()));
            lines.push(format!("keyfile {}", made.key.display()));
            lines.push(format!(
                "require_certificate {}",
                options.client_certificates
            ));
        }
        fs::write(path.join("mosquitto.conf"), lines.join("\n") + "\n")
            .expect("the folder can be written");
        let mut broker = Self {
            program: None,
            port,
            certificates,
            folder,
        };
        broker.restart();
        broker
    }

    /// Its port on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Its certificates.
    ///
    /// # Panics
    /// If it does not speak TLS.
    pub fn certificates(&self) -> &Certificates {
        self.certificates.as_ref().expect("it was started with TLS")
    }

    /// Ends it in an orderly way.
    pub fn stop(&mut self) {
        if let Some(mut program) = self.program.take() {
            program.stop();
        }
    }

    /// Ends it as a power failure would.
    pub fn kill9(&mut self) {
        if let Some(mut program) = self.program.take() {
            program.kill9();
        }
    }

    /// Starts it again on the same port, ending it before if it runs.
    ///
    /// # Panics
    /// If it does not listen.
    pub fn restart(&mut self) {
        self.stop();
        let mut command = Command::new(find("mosquitto", "mosquitto"));
        command
            .arg("-c")
            .arg(self.folder.path().join("mosquitto.conf"));
        let mut program = Program::start(command, &self.folder.path().join("log"));
        program.wait_for_port(self.port);
        self.program = Some(program);
    }

    /// What it logged so far.
    pub fn log(&self) -> String {
        self.program.as_ref().map(Program::log).unwrap_or_default()
    }
}

/// The rules of mosquitto's plugin: access control lists in a file cannot refuse a subscription.
const NO_SUBSCRIPTIONS: &str = r#"{
    "defaultACLAccess": {
        "publishClientSend": true, "publishClientReceive": true,
        "subscribe": false, "unsubscribe": true
    },
    "clients": [], "groups": [], "roles": []
}"#;

/// Where Debian puts the plugin differs by machine.
fn dynamic_security() -> PathBuf {
    fs::read_dir("/usr/lib")
        .expect("every Linux has it")
        .filter_map(Result::ok)
        .map(|entry| entry.path())
        .chain([PathBuf::from("/usr/lib")])
        .map(|folder| folder.join("mosquitto_dynamic_security.so"))
        .find(|file| file.is_file())
        .expect("it comes with Debian's mosquitto")
}

fn password_file(folder: &Path, name: &str, password: &str) -> PathBuf {
    let file = folder.join("passwords");
    let status = Command::new(find("mosquitto_passwd", "mosquitto"))
        .args(["-b", "-c"])
        .arg(&file)
        .args([name, password])
        .status()
        .expect("mosquitto_passwd can be run");
    assert!(status.success(), "mosquitto_passwd: {status}");
    file
}

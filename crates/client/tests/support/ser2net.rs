//! Debian's ser2net in front of a pseudo terminal, as people run it next to their meter.

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;

use super::in_time;
use super::pty::Pty;

/// How the bridge offers its serial port.
#[derive(Clone, Copy)]
pub enum Mode {
    Raw,
    Rfc2217,
    /// Telnet without COM-PORT-OPTION.
    Telnet,
}

/// A running bridge with a meter's end behind it.
pub struct Bridge {
    pub meter: Pty,
    pub port: u16,
    process: Child,
    config: PathBuf,
    _folder: TempDir,
}

impl Bridge {
    pub async fn start(mode: Mode) -> Self {
        let meter = Pty::new();
        let device = meter.name().to_owned();
        Self::start_on(mode, meter, &device).await
    }

    pub async fn start_without_device(mode: Mode) -> Self {
        Self::start_on(mode, Pty::new(), "/dev/ttyNothing").await
    }

    async fn start_on(mode: Mode, meter: Pty, device: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let port = free_port();
        let accepter = match mode {
            Mode::Raw => "tcp",
            Mode::Rfc2217 => "telnet(rfc2217),tcp",
            Mode::Telnet => "telnet,tcp",
        };
        let line = match mode {
            Mode::Rfc2217 => "9600n81",
            Mode::Raw | Mode::Telnet => "1200n82",
        };
        let config = folder.path().join("ser2net.yaml");
        fs::write(
            &config,
            format!(
                "connection: &meter\n  accepter: {accepter},127.0.0.1,{port}\n  \
                 connector: serialdev(nouucplock=true),{device},{line},local\n"
            ),
        )
        .unwrap();
        let process = spawn(&config);
        let mut bridge = Self {
            meter,
            port,
            process,
            config,
            _folder: folder,
        };
        in_time(bridge.listening()).await;
        bridge
    }

    /// Ends the bridge and starts it again, as a reboot does.
    pub async fn restart(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
        self.process = spawn(&self.config);
        in_time(self.listening()).await;
    }

    pub fn url(&self, scheme: &str) -> String {
        format!("{scheme}://127.0.0.1:{}", self.port)
    }

    /// Connecting to find out would take the bridge's only place.
    async fn listening(&mut self) {
        const LISTEN: &str = "0A";
        let local = format!("0100007F:{:04X}", self.port);
        loop {
            if let Some(status) = self.process.try_wait().unwrap() {
                panic!("ser2net ended at once: {status}");
            }
            let sockets = fs::read_to_string("/proc/net/tcp").unwrap();
            let found = sockets.lines().any(|line| {
                let mut fields = line.split_whitespace().skip(1);
                fields.next() == Some(&local) && fields.nth(1) == Some(LISTEN)
            });
            if found {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

impl Drop for Bridge {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn spawn(config: &Path) -> Child {
    Command::new("ser2net")
        .args(["-n", "-d", "-c"])
        .arg(config)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("this test needs ser2net: run `apt-get install ser2net`, or `make test`")
}

fn free_port() -> u16 {
    TcpListener::bind(("127.0.0.1", 0))
        .unwrap()
        .local_addr()
        .unwrap()
        .port()
}

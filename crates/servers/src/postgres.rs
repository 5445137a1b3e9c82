//! A PostgreSQL of a test's own.

use std::fs;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::Command;

use rustix::process::{Signal, geteuid};
use tempfile::TempDir;

use crate::certificates::Certificates;
use crate::program::{Program, find, free_port};

/// Where Debian puts PostgreSQL's programs, a folder for each version.
const VERSIONS: &str = "/usr/lib/postgresql";

/// The user who runs it if the test runs as root, whom it refuses to run for.
const USER: &str = "postgres";

const PASSWORD: &str = "of the test";

/// A running PostgreSQL, with its folder. It ends when this is dropped.
#[derive(Debug)]
pub struct Postgres {
    program: Option<Program>,
    port: u16,
    /// User and group it runs as, where that is somebody else than the test.
    owner: Option<(u32, u32)>,
    certificates: Option<Certificates>,
    folder: TempDir,
}

impl Postgres {
    /// Starts one that lets in who knows a password, and waits until it does.
    ///
    /// # Panics
    /// If it does not come up.
    pub fn start() -> Self {
        Self::start_with(false)
    }

    /// Starts one that speaks nothing but TLS over TCP.
    ///
    /// # Panics
    /// If it does not come up.
    pub fn start_with_tls() -> Self {
        Self::start_with(true)
    }

    fn start_with(tls: bool) -> Self {
        let folder = tempfile::tempdir().expect("there is room for temporary files");
        let path = folder.path().to_owned();
        let owner = geteuid().is_root().then(|| owner(USER));
        // Others may enter, because somebody else runs it.
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("it is ours");
        let mut server = Self {
            program: None,
            port: free_port(),
            owner,
            certificates: tls.then(|| Certificates::make(&path)),
            folder,
        };
        fs::write(path.join("password"), PASSWORD).expect("the folder can be written");
        fs::create_dir(server.data()).expect("the folder can be written");
        server.hand_over(&path);
        server.hand_over(&server.data());
        server.initialise();
        server.restart();
        server
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

    /// Where its superuser connects to; the database is one of those that are always there.
    pub fn url(&self) -> String {
        self.url_of(USER, PASSWORD, "postgres")
    }

    /// Where somebody connects to.
    pub fn url_of(&self, user: &str, password: &str, database: &str) -> String {
        let password = crate::http::encode(password);
        let host = if self.certificates.is_some() {
            "localhost"
        } else {
            "127.0.0.1"
        };
        format!(
            "postgresql://{user}:{password}@{host}:{}/{database}",
            self.port
        )
    }

    /// What comes of statements of the superuser: a line for each row, `|` between columns.
    ///
    /// # Panics
    /// If the server refuses, with what it says.
    pub fn sql(&self, statements: &str) -> String {
        self.sql_in("postgres", statements)
    }

    /// The same in another database.
    ///
    /// # Panics
    /// If the server refuses, with what it says.
    pub fn sql_in(&self, database: &str, statements: &str) -> String {
        let output = Command::new(tool("psql"))
            .args([
                "-X",
                "-q",
                "-A",
                "-t",
                "-v",
                "ON_ERROR_STOP=1",
                "-U",
                USER,
                "-d",
                database,
            ])
            .arg("-h")
            .arg(self.folder.path())
            .args(["-p", &self.port.to_string(), "-c", statements])
            .env("PGPASSWORD", PASSWORD)
            .output()
            .expect("psql can be run");
        assert!(
            output.status.success(),
            "{statements}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8_lossy(&output.stdout)
            .trim_end()
            .to_owned()
    }

    /// Ends it in an orderly way; whoever is connected is cut off.
    pub fn stop(&mut self) {
        if let Some(mut program) = self.program.take() {
            program.signal(Signal::INT);
            program.stop();
        }
    }

    /// Ends it as a power failure would.
    ///
    /// # Panics
    /// If its processes do not end.
    pub fn kill9(&mut self) {
        let Some(mut program) = self.program.take() else {
            return;
        };
        let pid = program.pid();
        let children = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children"))
            .expect("Linux tells the children of a process");
        program.kill9();
        // They notice soon; it does not start again while they are there.
        let gone = |pid: &str| !Path::new("/proc").join(pid).exists();
        crate::program::wait_until("PostgreSQL's processes are gone", || {
            children.split_whitespace().all(gone)
        });
    }

    /// Starts it again on the same port, ending it before if it runs.
    ///
    /// # Panics
    /// If it does not let us in.
    pub fn restart(&mut self) {
        self.stop();
        let mut command = self.command("postgres");
        command
            .arg("-D")
            .arg(self.data())
            .arg("-k")
            .arg(self.folder.path())
            .args(["-p", &self.port.to_string()])
            .args(["-c", "listen_addresses=127.0.0.1", "-c", "fsync=off"])
            // Many may run at the same time on a small machine.
            .args(["-c", "shared_buffers=4MB", "-c", "max_connections=20"]);
        if let Some(made) = &self.certificates {
            command
                .args(["-c", "ssl=on"])
                .arg("-c")
                .arg(format!("ssl_cert_file={}", made.cert.display()))
                .arg("-c")
                .arg(format!("ssl_key_file={}", made.key.display()));
        }
        let mut program = Program::start(command, &self.folder.path().join("log"));
        let port = self.port.to_string();
        program.wait_until("lets clients in", || {
            Command::new(tool("pg_isready"))
                .args(["-q", "-h", "127.0.0.1", "-p", &port])
                .status()
                .is_ok_and(|status| status.success())
        });
        self.program = Some(program);
    }

    /// What it logged so far.
    pub fn log(&self) -> String {
        self.program.as_ref().map(Program::log).unwrap_or_default()
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    fn initialise(&self) {
        let output = self
            .command("initdb")
            .arg("-D")
            .arg(self.data())
            .args(["-U", USER, "--no-sync", "--no-locale", "-E", "UTF8"])
            .args(["--auth=scram-sha-256", "--pwfile"])
            .arg(self.folder.path().join("password"))
            .output()
            .expect("initdb can be run");
        assert!(
            output.status.success(),
            "initdb: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        if let Some(made) = &self.certificates {
            self.hand_over(&made.key);
            fs::set_permissions(&made.key, fs::Permissions::from_mode(0o600))
                .expect("it can be changed");
            let rules = "local all all scram-sha-256\nhostssl all all 127.0.0.1/32 scram-sha-256\n";
            fs::write(self.data().join("pg_hba.conf"), rules).expect("it can be written");
        }
    }

    /// One of its programs, as the user who may run it.
    fn command(&self, name: &str) -> Command {
        let program = tool(name);
        let Some((user, group)) = self.owner else {
            return Command::new(program);
        };
        let mut command = Command::new(find("setpriv", "util-linux"));
        command
            .args(["--reuid", &user.to_string(), "--regid", &group.to_string()])
            .arg("--clear-groups")
            .arg(program)
            .current_dir(self.folder.path());
        command
    }

    fn hand_over(&self, path: &Path) {
        if let Some((user, group)) = self.owner {
            chown(path, Some(user), Some(group)).expect("root may give files away");
        }
    }
}

/// One of PostgreSQL's programs, of the newest version that there is.
fn tool(name: &str) -> PathBuf {
    let versions = fs::read_dir(VERSIONS).into_iter().flatten().flatten();
    let newest = versions
        .filter_map(|entry| {
            let version: u32 = entry.file_name().to_str()?.parse().ok()?;
            let file = entry.path().join("bin").join(name);
            file.is_file().then_some((version, file))
        })
        .max();
    newest.map_or_else(|| find(name, "postgresql"), |(_, file)| file)
}

/// The numbers of a user and the user's group.
fn owner(name: &str) -> (u32, u32) {
    let users = fs::read_to_string("/etc/passwd").expect("Linux has users");
    users
        .lines()
        .map(|line| line.split(':').collect::<Vec<_>>())
        .find(|fields| fields.first() == Some(&name))
        .and_then(|fields| Some((fields.get(2)?.parse().ok()?, fields.get(3)?.parse().ok()?)))
        .unwrap_or_else(|| {
            panic!("there is no user {name}: run `make test`, or: sudo apt-get install postgresql")
        })
}

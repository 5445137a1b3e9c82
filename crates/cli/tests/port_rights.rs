//! A port that one may not open: says so, and names the group that may.

mod support;

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use support::{Ended, command, run};
use tempfile::TempDir;

/// Root may open everything, so a test that is run as root lets `nobody` try.
const NOBODY: u32 = 65534;

struct Scene {
    folder: TempDir,
    is_root: bool,
}

impl Scene {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::set_permissions(folder.path(), Permissions::from_mode(0o755)).unwrap();
        Self {
            folder,
            is_root: rustix::process::geteuid().is_root(),
        }
    }

    /// A file that whoever runs the binary may not open.
    fn port(&self, group: Option<u32>) -> PathBuf {
        let file = self.folder.path().join("ttyUSB0");
        fs::write(&file, "").unwrap();
        let mode = match (group, self.is_root) {
            (Some(_), _) => 0o660,
            (None, true) => 0o600,
            (None, false) => 0o000,
        };
        if let Some(group) = group {
            chown(&file, None, Some(group)).unwrap();
        }
        fs::set_permissions(&file, Permissions::from_mode(mode)).unwrap();
        file
    }

    /// The binary, where `nobody` can reach it.
    fn run(&self, port: &Path) -> Ended {
        let args = ["read", port.to_str().unwrap(), "--json"];
        if !self.is_root {
            return run(command(args));
        }
        let binary = self.folder.path().join("heatmeter");
        fs::copy(env!("CARGO_BIN_EXE_heatmeter"), &binary).unwrap();
        let mut copied = Command::new(binary);
        copied
            .args(args)
            .stdout(std::process::Stdio::piped())
            .stderr(std::process::Stdio::piped())
            .uid(NOBODY)
            .gid(NOBODY);
        run(copied)
    }
}

#[test]
fn a_port_of_somebody_else_is_denied() {
    let scene = Scene::new();
    let port = scene.port(None);
    let ended = scene.run(&port);
    assert_eq!(ended.failure(), ("port_denied".to_owned(), 3));
    let message = ended.json()["error"]["message"]
        .as_str()
        .unwrap()
        .to_owned();
    assert!(message.contains(port.to_str().unwrap()), "{message}");
}

#[test]
fn a_port_of_a_group_names_the_group_to_join() {
    let scene = Scene::new();
    let groups = fs::read_to_string("/etc/group").unwrap();
    let dialout = groups.lines().find_map(|line| {
        let mut fields = line.strip_prefix("dialout:")?.split(':');
        fields.nth(1)?.parse().ok()
    });
    let Some(dialout) = dialout.filter(|_| scene.is_root) else {
        // Only root can give a file to a group that it is not in.
        return;
    };
    let ended = scene.run(&scene.port(Some(dialout)));
    assert_eq!(ended.failure(), ("port_denied".to_owned(), 3));
    let error = &ended.json()["error"];
    assert!(
        error["message"]
            .as_str()
            .unwrap()
            .contains("the group dialout"),
        "{error}"
    );
    assert!(
        error["help"]
            .as_str()
            .unwrap()
            .contains("usermod -aG dialout"),
        "{error}"
    );
}

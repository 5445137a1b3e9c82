//! A port that cannot be opened: each reason has its own error, with the name of who or what.

mod support;

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::process::CommandExt;
use std::process::Command;

use heatmeter_client::{Missing, OpenOptions, Port, PortError, Transport, Unreachable};
use support::open;
use support::pty::Pty;

#[tokio::test]
async fn missing() {
    let folder = tempfile::tempdir().unwrap();
    let dangling = folder.path().join("usb-gone");
    symlink("/dev/ttyNothing", &dangling).unwrap();

    for port in ["/dev/ttyNothing", dangling.to_str().unwrap()] {
        match open(port).await.unwrap_err() {
            PortError::Missing {
                port: named,
                reason: Missing::NoSuchFile,
            } => {
                assert_eq!(named, port);
            }
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn something_else_than_a_serial_port() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let folder = tempfile::tempdir().unwrap();
    for path in [
        "/dev/null",
        file.path().to_str().unwrap(),
        folder.path().to_str().unwrap(),
    ] {
        let error = open(path).await.unwrap_err();
        assert!(
            matches!(
                &error,
                PortError::Missing {
                    reason: Missing::NotSerial(_),
                    ..
                }
            ),
            "{path}: {error:?}"
        );
        assert!(
            error.to_string().contains("expected a serial port, found"),
            "{error}"
        );
    }
}

#[tokio::test]
async fn busy_names_the_process() {
    let pty = Pty::new();
    let _first = open(pty.name()).await.unwrap();
    let error = open(pty.name()).await.unwrap_err();
    let PortError::Busy { holders, .. } = &error else {
        panic!("{error:?}")
    };
    // Another test may be starting a program meanwhile, which for a moment holds all that we hold.
    let holder = holders
        .iter()
        .find(|holder| holder.pid == std::process::id());
    assert!(
        holder.is_some_and(|holder| holder.lock.is_some()),
        "{holders:?}"
    );
    assert!(
        error
            .to_string()
            .contains(&format!("(pid {})", std::process::id())),
        "{error}"
    );
}

#[tokio::test]
async fn free_again_once_closed() {
    let pty = Pty::new();
    for _ in 0..3 {
        drop(open(pty.name()).await.unwrap());
    }
}

/// Root may open everything, so the test runs itself once more as nobody.
#[test]
#[expect(
    clippy::print_stdout,
    reason = "the second run tells the first one what it found"
)]
fn denied_names_the_group() {
    const PORT: &str = "HEATMETER_TEST_DENIED_PORT";
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    if let Ok(port) = std::env::var(PORT) {
        let error = runtime.block_on(open(&port)).unwrap_err();
        let PortError::Denied { group, .. } = &error else {
            panic!("{error:?}")
        };
        println!("group: {}", group.as_deref().unwrap_or("-"));
        println!("help: {}", error.help());
        return;
    }

    let _inside = runtime.enter();
    let pty = Pty::new();
    // Root's copy lies where nobody may not look.
    let folder = tempfile::tempdir().unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let program = folder.path().join("test");
    fs::copy(std::env::current_exe().unwrap(), &program).unwrap();
    let run = || {
        let mut command = Command::new(&program);
        command
            .args(["--exact", "denied_names_the_group", "--nocapture"])
            .env(PORT, pty.name());
        if rustix::process::geteuid().is_root() {
            command.uid(65534).gid(65534);
        }
        let output = command.output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(
            output.status.success(),
            "{text}{}",
            String::from_utf8_lossy(&output.stderr)
        );
        text
    };

    fs::set_permissions(pty.path(), fs::Permissions::from_mode(0o600)).unwrap();
    if rustix::process::geteuid().is_root() {
        let text = run();
        assert!(
            text.contains("group: -") && text.contains("only its owner may open it"),
            "{text}"
        );

        std::os::unix::fs::chown(pty.path(), Some(0), Some(20)).unwrap();
        fs::set_permissions(pty.path(), fs::Permissions::from_mode(0o660)).unwrap();
        let text = run();
        assert!(text.contains("group: dialout"), "{text}");
        assert!(text.contains("sudo usermod -aG dialout $USER"), "{text}");
    } else {
        fs::set_permissions(pty.path(), fs::Permissions::from_mode(0o000)).unwrap();
        assert!(run().contains("group: -"));
    }
}

#[tokio::test]
async fn nothing_listens() {
    let port = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    for scheme in ["socket", "rfc2217"] {
        let error = open(&format!("{scheme}://127.0.0.1:{port}"))
            .await
            .unwrap_err();
        assert!(
            matches!(
                error,
                PortError::Unreachable {
                    reason: Unreachable::Refused,
                    ..
                }
            ),
            "{error:?}"
        );
    }
}

#[tokio::test]
async fn unknown_host() {
    // Reserved to be unknown for ever (RFC 6761).
    let error = open("socket://meter.invalid:1").await.unwrap_err();
    assert!(
        matches!(
            &error,
            PortError::Unreachable {
                reason: Unreachable::NotResolved(_),
                ..
            }
        ),
        "{error:?}"
    );
}

#[tokio::test]
async fn unreadable_recording_is_named() {
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(file.path(), "{\"heatmeter_recording\":9,\"port\":\"x\"}\n").unwrap();
    let port = Port::Replay(file.path().to_owned());
    let error = Transport::open(&port, &OpenOptions::default())
        .await
        .unwrap_err();
    assert!(
        error
            .to_string()
            .ends_with(", line 1: expected format version 1, found 9"),
        "{error}"
    );
}

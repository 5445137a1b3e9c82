//! What `heatmeter ports` knows, on machines that exist only as folders.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use heatmeter_client::{Access, Lock, Machine};
use tempfile::TempDir;

/// A machine as a folder.
struct Folder {
    root: TempDir,
}

impl Folder {
    fn new() -> Self {
        Self {
            root: tempfile::tempdir().unwrap(),
        }
    }

    fn machine(&self) -> Machine {
        Machine::at(self.root.path()).unwrap()
    }

    fn file(&self, path: &str, content: &str) {
        let path = self.root.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    fn link(&self, path: &str, target: &str) {
        let path = self.root.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        symlink(target, path).unwrap();
    }

    /// An FTDI head as Linux shows it.
    fn with_usb_head(self) -> Self {
        self.file("dev/ttyUSB0", "");
        self.link(
            "dev/serial/by-id/usb-FTDI_FT232R_A5XK3RJT-if00-port0",
            "../../ttyUSB0",
        );
        self.link(
            "dev/serial/by-path/pci-0000:00:14.0-usb-0:2:1.0-port0",
            "../../ttyUSB0",
        );
        let usb = "sys/devices/pci0000:00/usb1/1-2";
        self.file(&format!("{usb}/idVendor"), "0403\n");
        self.file(&format!("{usb}/idProduct"), "6001\n");
        self.file(&format!("{usb}/manufacturer"), "FTDI\n");
        self.file(&format!("{usb}/product"), "FT232R USB UART\n");
        self.file(&format!("{usb}/serial"), "A5XK3RJT\n");
        self.file(&format!("{usb}/1-2:1.0/ttyUSB0/tty/ttyUSB0/dev"), "188:0\n");
        let tty = "sys/class/tty/ttyUSB0";
        self.link(
            tty,
            "../../devices/pci0000:00/usb1/1-2/1-2:1.0/ttyUSB0/tty/ttyUSB0",
        );
        self.link(
            &format!("{usb}/1-2:1.0/ttyUSB0/tty/ttyUSB0/device"),
            "../../../ttyUSB0",
        );
        self
    }
}

#[test]
fn a_usb_head_with_all_its_names() {
    let ports = Folder::new().with_usb_head().machine().serial_ports();
    let [port] = ports.as_slice() else {
        panic!("{ports:?}")
    };
    assert_eq!(port.path, Path::new("/dev/ttyUSB0"));
    assert_eq!(
        port.stable_path(),
        Path::new("/dev/serial/by-id/usb-FTDI_FT232R_A5XK3RJT-if00-port0")
    );
    assert_eq!(
        port.by_path,
        Some(PathBuf::from(
            "/dev/serial/by-path/pci-0000:00:14.0-usb-0:2:1.0-port0"
        ))
    );
    assert_eq!(port.description.as_deref(), Some("FTDI FT232R USB UART"));
    assert_eq!(port.usb_id, Some((0x0403, 0x6001)));
    assert_eq!(port.serial.as_deref(), Some("A5XK3RJT"));
    assert_eq!(port.access, Access::Allowed);
    assert_eq!(port.holders, []);
}

#[test]
fn a_port_on_the_board_is_listed_if_there_is_a_chip() {
    let folder = Folder::new();
    for (name, kind) in [("ttyS0", "4"), ("ttyS1", "0")] {
        folder.file(&format!("dev/{name}"), "");
        folder.file(&format!("sys/class/tty/{name}/type"), kind);
        folder.file(&format!("sys/class/tty/{name}/device/uevent"), "");
        folder.link(
            &format!("sys/class/tty/{name}/device/driver"),
            "../../../../bus/platform/drivers/serial8250",
        );
    }
    folder.file("sys/class/tty/tty0/dev", "4:0");
    folder.file("dev/tty0", "");
    let ports = folder.machine().serial_ports();
    let [port] = ports.as_slice() else {
        panic!("{ports:?}")
    };
    assert_eq!(port.stable_path(), Path::new("/dev/ttyS0"));
    assert_eq!(port.description.as_deref(), Some("serial8250"));
    assert_eq!((port.usb_id, &port.by_id), (None, &None));
}

#[test]
fn a_device_passed_into_a_container_without_sys() {
    let folder = Folder::new();
    folder.file("dev/ttyACM0", "");
    folder.file("dev/null", "");
    let ports = folder.machine().serial_ports();
    let [port] = ports.as_slice() else {
        panic!("{ports:?}")
    };
    assert_eq!(port.path, Path::new("/dev/ttyACM0"));
    assert_eq!(port.description, None);
}

#[test]
fn a_port_of_the_host_that_is_not_in_the_container_is_left_out() {
    let folder = Folder::new().with_usb_head();
    fs::remove_file(folder.root.path().join("dev/ttyUSB0")).unwrap();
    assert_eq!(folder.machine().serial_ports(), []);
}

#[test]
fn an_empty_machine_has_no_ports() {
    assert_eq!(Folder::new().machine().serial_ports(), []);
}

#[test]
fn this_machine_can_be_listed() {
    for port in Machine::this().serial_ports() {
        assert!(port.path.starts_with("/dev"), "{port:?}");
    }
}

#[test]
fn whoever_holds_a_port_is_named() {
    use std::os::unix::fs::MetadataExt;

    let folder = Folder::new().with_usb_head();
    // Has it open, without a lock; through the by-id name, which /proc shows resolved.
    folder.file("proc/501/comm", "python3\n");
    folder.link("proc/501/fd/3", "/dev/ttyUSB0");
    folder.link("proc/501/fd/4", "/dev/null");
    // Has a lock on it, and its descriptors may not be looked at.
    let device = fs::metadata(folder.root.path().join("dev/ttyUSB0")).unwrap();
    let (major, minor) = (
        rustix::fs::major(device.dev()),
        rustix::fs::minor(device.dev()),
    );
    folder.file(
        "proc/locks",
        &format!(
            "1: POSIX  ADVISORY  WRITE 77 00:01:5 0 EOF\n\
             2: FLOCK  ADVISORY  WRITE 42 {major:02x}:{minor:02x}:{inode} 0 EOF\n\
             2: -> FLOCK  ADVISORY  WRITE 43 {major:02x}:{minor:02x}:{inode} 0 EOF\n",
            inode = device.ino()
        ),
    );
    folder.file("proc/42/comm", "heatmeter\n");
    // Wrote a lock file, and lives.
    folder.file("run/lock/LCK..ttyUSB0", "       600 ser2net root\n");
    folder.file("proc/600/comm", "ser2net\n");

    let holders = folder.machine().holders(Path::new("/dev/ttyUSB0"));
    let found: Vec<_> = holders
        .iter()
        .map(|holder| (holder.pid, holder.command.as_str(), holder.lock))
        .collect();
    assert_eq!(
        found,
        [
            (42, "heatmeter", Some(Lock::Device)),
            (43, "?", Some(Lock::Device)),
            (501, "python3", None),
            (600, "ser2net", Some(Lock::LockFile)),
        ]
    );
    assert_eq!(holders[0].to_string(), "heatmeter (pid 42)");
}

#[test]
fn a_lock_file_of_the_dead_counts_nothing() {
    let folder = Folder::new().with_usb_head();
    folder.file("var/lock/LCK..ttyUSB0", "600\n");
    assert_eq!(folder.machine().holders(Path::new("/dev/ttyUSB0")), []);
}

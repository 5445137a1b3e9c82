//! The serial ports of this machine: what they are called, what is plugged in, who holds them and
//! whether we may open them.
//!
//! Read from `/dev`, `/sys/class/tty` and `/proc` without udev, so that it also works in a
//! container where only some of these are there.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use rustix::fs::Access as Right;

use crate::holder::Holder;

/// A serial port of this machine.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SerialPort {
    /// The device itself, for example `/dev/ttyUSB0`; the number may change when it is replugged.
    pub path: PathBuf,
    /// The name that follows the adapter wherever it is plugged in.
    pub by_id: Option<PathBuf>,
    /// The name that follows the socket whatever is plugged in.
    pub by_path: Option<PathBuf>,
    /// Maker and product, or the driver of a port on the board.
    pub description: Option<String>,
    /// USB vendor and product id.
    pub usb_id: Option<(u16, u16)>,
    /// The adapter's own serial number.
    pub serial: Option<String>,
    /// The processes that have it open or locked.
    pub holders: Vec<Holder>,
    /// Whether this process may open it.
    pub access: Access,
}

impl SerialPort {
    /// The name to write into a configuration: by-id if there is one.
    pub fn stable_path(&self) -> &Path {
        self.by_id.as_deref().unwrap_or(&self.path)
    }
}

/// Whether this process has the right to open a port.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Access {
    /// It may read and write.
    Allowed,
    /// It may not.
    Denied {
        /// The group whose members may, if there is one.
        group: Option<String>,
    },
}

/// Where ports are looked for: this machine, or for tests a folder that looks like one.
#[derive(Clone, Debug)]
pub struct Machine {
    root: PathBuf,
}

impl Machine {
    /// This machine.
    pub fn this() -> Self {
        Self {
            root: PathBuf::from("/"),
        }
    }

    /// A folder with its own `dev`, `sys`, `proc`, `etc` and `run`.
    ///
    /// # Errors
    ///
    /// The folder does not exist.
    pub fn at(root: impl AsRef<Path>) -> std::io::Result<Self> {
        Ok(Self {
            root: fs::canonicalize(root)?,
        })
    }

    /// All serial ports, by path. Empty where there are none; never an error.
    pub fn serial_ports(&self) -> Vec<SerialPort> {
        let by_id = self.links("/dev/serial/by-id");
        let by_path = self.links("/dev/serial/by-path");
        let link_to = |links: &[(PathBuf, PathBuf)], path: &Path| {
            links
                .iter()
                .find(|(_, target)| target == path)
                .map(|(link, _)| link.clone())
        };

        self.device_names()
            .into_iter()
            .map(|name| {
                let path = Path::new("/dev").join(&name);
                let usb = self.usb_device(&name);
                let attribute =
                    |file: &str| usb.as_ref().and_then(|folder| text(&folder.join(file)));
                let id = |file| u16::from_str_radix(&attribute(file)?, 16).ok();
                let names: Vec<String> = ["manufacturer", "product"]
                    .into_iter()
                    .filter_map(attribute)
                    .collect();
                SerialPort {
                    by_id: link_to(&by_id, &path),
                    by_path: link_to(&by_path, &path),
                    description: Some(names.join(" "))
                        .filter(|names| !names.is_empty())
                        .or_else(|| self.driver(&name)),
                    usb_id: id("idVendor").zip(id("idProduct")),
                    serial: attribute("serial"),
                    holders: self.holders(&path),
                    access: self.access(&path),
                    path,
                }
            })
            .collect()
    }

    /// Whether this process may open `path` for reading and writing.
    pub fn access(&self, path: &Path) -> Access {
        let inside = self.inside(path);
        match rustix::fs::access(&inside, Right::READ_OK | Right::WRITE_OK) {
            Err(rustix::io::Errno::ACCESS | rustix::io::Errno::PERM) => Access::Denied {
                group: self.group_that_may(&inside),
            },
            // A port that has just gone is not one that is denied.
            _ => Access::Allowed,
        }
    }

    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    pub(crate) fn inside(&self, path: impl AsRef<Path>) -> PathBuf {
        let path = path.as_ref();
        self.root.join(path.strip_prefix("/").unwrap_or(path))
    }

    /// Names below `/dev`: what the kernel calls a serial port with hardware behind it, and what
    /// looks like a pluggable one where `/sys` does not say.
    fn device_names(&self) -> BTreeSet<String> {
        const PLUGGABLE: [&str; 4] = ["ttyUSB", "ttyACM", "ttyAMA", "rfcomm"];

        let known = names(&self.inside("/sys/class/tty")).filter(|name| {
            let class = self.inside("/sys/class/tty").join(name);
            // Type 0 is a place on the board without a chip (PORT_UNKNOWN in linux/serial_core.h).
            class.join("device").exists() && text(&class.join("type")).as_deref() != Some("0")
        });
        let present = names(&self.inside("/dev"))
            .filter(|name| PLUGGABLE.iter().any(|prefix| name.starts_with(prefix)));
        known
            .chain(present)
            .filter(|name| self.inside("/dev").join(name).exists())
            .collect()
    }

    /// The links in a folder and what they point to.
    fn links(&self, folder: &str) -> Vec<(PathBuf, PathBuf)> {
        let mut links: Vec<_> = names(&self.inside(folder))
            .filter_map(|name| {
                let link = Path::new(folder).join(name);
                let target = fs::canonicalize(self.inside(&link)).ok()?;
                Some((link, self.outside(&target)))
            })
            .collect();
        links.sort_unstable();
        links
    }

    /// The folder of the USB device that a port belongs to.
    fn usb_device(&self, name: &str) -> Option<PathBuf> {
        let device = fs::canonicalize(self.inside("/sys/class/tty").join(name).join("device"));
        let sys = fs::canonicalize(self.inside("/sys")).ok()?;
        device
            .ok()?
            .ancestors()
            .take_while(|folder| folder.starts_with(&sys))
            .find(|folder| folder.join("idVendor").exists())
            .map(Path::to_owned)
    }

    fn driver(&self, name: &str) -> Option<String> {
        let folder = self.inside("/sys/class/tty").join(name);
        // Since Linux 6.5 a port's own driver is called `port`; the chip's stands above it.
        ["device/driver", "device/../../driver"]
            .into_iter()
            .filter_map(|link| {
                let target = fs::read_link(folder.join(link)).ok()?;
                Some(target.file_name()?.to_str()?.to_owned())
            })
            .find(|driver| driver != "port")
    }

    /// The group whose members may open `inside`, if joining it helps.
    fn group_that_may(&self, inside: &Path) -> Option<String> {
        const GROUP_MAY: u32 = 0o060;

        let file = fs::metadata(inside).ok()?;
        if file.mode() & GROUP_MAY != GROUP_MAY || file.gid() == 0 {
            return None;
        }
        let groups = fs::read_to_string(self.inside("/etc/group")).unwrap_or_default();
        let name = groups.lines().find_map(|line| {
            let mut fields = line.split(':');
            let name = fields.next()?;
            (fields.nth(1)?.parse() == Ok(file.gid())).then(|| name.to_owned())
        });
        Some(name.unwrap_or_else(|| file.gid().to_string()))
    }
}

impl Default for Machine {
    fn default() -> Self {
        Self::this()
    }
}

fn names(folder: &Path) -> impl Iterator<Item = String> + use<> {
    fs::read_dir(folder)
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| entry.file_name().into_string().ok())
}

/// The trimmed text of a small file of `/sys`.
fn text(path: &Path) -> Option<String> {
    let text = fs::read_to_string(path).ok()?;
    Some(text.trim().to_owned()).filter(|text| !text.is_empty())
}

//! A pseudo terminal whose far end plays the meter.

use std::fs;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use rustix::fs::{Mode, OFlags};
use rustix::termios::{Action, Termios};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_serial::{SerialPort, SerialStream};

use super::in_time;

/// The meter's end. Dropping it is pulling the plug.
pub struct Pty {
    master: SerialStream,
    /// Keeps the master free of EIO while nobody has the other end open.
    slave: OwnedFd,
    path: PathBuf,
}

impl Pty {
    pub fn new() -> Self {
        let (master, slave) = SerialStream::pair().unwrap();
        let path = slave.name().unwrap();
        // Opened anew, because the crate's own slave would take the exclusive mark away.
        let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC;
        let slave = rustix::fs::open(&path, flags, Mode::empty()).unwrap();
        Self {
            master,
            slave,
            path: path.into(),
        }
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    pub fn name(&self) -> &str {
        self.path.to_str().unwrap()
    }

    /// Stops everything that the port's user writes, as a jammed adapter does.
    pub fn jam(&self) {
        rustix::termios::tcflow(&self.slave, Action::OOff).unwrap();
    }

    pub fn release(&self) {
        rustix::termios::tcflow(&self.slave, Action::OOn).unwrap();
    }

    /// The meter's end as a stream.
    pub fn stream(&mut self) -> &mut SerialStream {
        &mut self.master
    }

    /// The line as the port's user has set it.
    pub fn settings(&self) -> Termios {
        rustix::termios::tcgetattr(&self.slave).unwrap()
    }

    pub async fn send(&mut self, bytes: &[u8]) {
        in_time(self.master.write_all(bytes)).await.unwrap();
    }

    pub async fn receive_exactly(&mut self, count: usize) -> Vec<u8> {
        let mut bytes = vec![0; count];
        in_time(self.master.read_exact(&mut bytes)).await.unwrap();
        bytes
    }
}

/// A link that stays while the pseudo terminal behind it comes and goes, like a by-id path.
pub struct Link {
    folder: TempDir,
}

impl Link {
    pub fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
        }
    }

    pub fn path(&self) -> PathBuf {
        self.folder.path().join("usb-meter-if00")
    }

    pub fn name(&self) -> String {
        self.path().to_str().unwrap().to_owned()
    }

    pub fn plug(&self) -> Pty {
        let pty = Pty::new();
        let new = self.folder.path().join("new");
        std::os::unix::fs::symlink(pty.path(), &new).unwrap();
        fs::rename(new, self.path()).unwrap();
        pty
    }

    pub fn unplug(&self, pty: Pty) {
        fs::remove_file(self.path()).unwrap();
        drop(pty);
    }
}

//! A pseudo-terminal that looks like a serial port, and a link to find it by.
//!
//! We keep the terminal's other end open ourselves: otherwise our end fails with `EIO` whenever no
//! reader has it open. It is in raw mode, so that nothing is echoed or translated.

use std::fs;
use std::io;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use rustix::fs::{Mode, OFlags};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{OptionalActions, tcgetattr, tcsetattr};
use tokio::io::unix::AsyncFd;

/// Our end of a pseudo-terminal.
#[derive(Debug)]
pub(crate) struct Pty {
    ours: AsyncFd<OwnedFd>,
    path: PathBuf,
    /// Keeps our end alive while nobody reads.
    _theirs: OwnedFd,
}

impl Pty {
    pub(crate) fn open() -> io::Result<Self> {
        let ours = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC)?;
        grantpt(&ours)?;
        unlockpt(&ours)?;
        let name = ptsname(&ours, Vec::new())?;
        let path = PathBuf::from(name.to_str().map_err(io::Error::other)?);
        let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC;
        let theirs = rustix::fs::open(&path, flags, Mode::empty())?;
        let mut attributes = tcgetattr(&theirs)?;
        attributes.make_raw();
        tcsetattr(&theirs, OptionalActions::Now, &attributes)?;
        let flags = rustix::fs::fcntl_getfl(&ours)?;
        rustix::fs::fcntl_setfl(&ours, flags | OFlags::NONBLOCK)?;
        #[expect(
            deprecated,
            reason = "its successor is unsafe; an OwnedFd keeps what that asks for"
        )]
        let ours = AsyncFd::new(ours)?;
        Ok(Self {
            ours,
            path,
            _theirs: theirs,
        })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) async fn read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let mut ready = self.ours.readable().await?;
            match ready.try_io(|fd| Ok(rustix::io::read(fd, &mut *buffer)?)) {
                Ok(result) => return result,
                Err(_would_block) => {}
            }
        }
    }

    pub(crate) async fn write(&self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            let mut ready = self.ours.writable().await?;
            match ready.try_io(|fd| Ok(rustix::io::write(fd, bytes)?)) {
                Ok(result) => bytes = &bytes[result?..],
                Err(_would_block) => {}
            }
        }
        Ok(())
    }
}

/// A symbolic link to a terminal. Goes when dropped.
#[derive(Debug)]
pub(crate) struct Link {
    path: PathBuf,
    target: PathBuf,
}

impl Link {
    /// Puts the link in place at once, over an older link but over nothing else.
    pub(crate) fn place(path: &Path, target: &Path) -> io::Result<Self> {
        if fs::symlink_metadata(path).is_ok_and(|found| !found.is_symlink()) {
            return Err(io::Error::new(
                io::ErrorKind::AlreadyExists,
                "something that is not a link is there",
            ));
        }
        let mut beside = path.as_os_str().to_owned();
        beside.push(format!(".{}", std::process::id()));
        let beside = PathBuf::from(beside);
        // Left over from a process of the same number that was killed.
        match fs::remove_file(&beside) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        std::os::unix::fs::symlink(target, &beside)?;
        fs::rename(&beside, path)?;
        Ok(Self {
            path: path.to_owned(),
            target: target.to_owned(),
        })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Removes the link and says where it was.
    pub(crate) fn remove(self) -> PathBuf {
        self.path.clone()
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        // Another one may have put its own link there meanwhile.
        if fs::read_link(&self.path).is_ok_and(|target| target == self.target)
            && let Err(error) = fs::remove_file(&self.path)
        {
            tracing::warn!(%error, path = %self.path.display(), "cannot remove the link");
        }
    }
}

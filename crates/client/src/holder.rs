//! Who has a serial port open: read from `/proc`, so that "busy" comes with a name.
//!
//! Three traces are put together, because none of them shows everything: open file descriptors
//! (`/proc/PID/fd`, only of processes we may look into), file locks (`/proc/locks`, of every
//! process) and the older lock files of ser2net, minicom and others (`/run/lock/LCK..ttyUSB0`).

use std::fmt;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use crate::list::Machine;

/// A process that has a serial port open or locked.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Holder {
    /// The process id.
    pub pid: u32,
    /// The command's name, `?` if the process has just ended.
    pub command: String,
    /// How the process keeps others out; `None` when it does not, so that whoever else opens the
    /// port takes a share of the bytes.
    pub lock: Option<Lock>,
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (pid {})", self.command, self.pid)
    }
}

/// How a process keeps others away from a port.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Lock {
    /// A lock on the device file itself (`flock` or a record lock).
    Device,
    /// A lock file in `/run/lock` or `/var/lock`.
    LockFile,
}

impl Machine {
    /// The processes that have `device` open or locked, by process id. Links are followed.
    ///
    /// Without root's rights, processes of other users show up only if they hold a lock.
    pub fn holders(&self, device: &Path) -> Vec<Holder> {
        let Ok(real) = fs::canonicalize(self.inside(device)) else {
            return Vec::new();
        };
        let mut found: Vec<(u32, Option<Lock>)> = Vec::new();
        let mut note = |pid: u32, lock: Option<Lock>| match found
            .iter_mut()
            .find(|(known, _)| *known == pid)
        {
            Some((_, known)) => *known = known.or(lock),
            None => found.push((pid, lock)),
        };

        for pid in self.device_locks(&real) {
            note(pid, Some(Lock::Device));
        }
        if let Some(pid) = self.lock_file_owner(&real) {
            note(pid, Some(Lock::LockFile));
        }
        for pid in self.openers(&real) {
            note(pid, None);
        }

        found.sort_unstable_by_key(|(pid, _)| *pid);
        found
            .into_iter()
            .map(|(pid, lock)| Holder {
                pid,
                command: self.command(pid),
                lock,
            })
            .collect()
    }

    /// The living process, other than this one, that a lock file names as owner of `device`.
    pub(crate) fn lock_file_holder(&self, device: &Path) -> Option<Holder> {
        let real = fs::canonicalize(self.inside(device)).ok()?;
        let pid = self.lock_file_owner(&real)?;
        (pid != std::process::id()).then(|| Holder {
            pid,
            command: self.command(pid),
            lock: Some(Lock::LockFile),
        })
    }

    fn openers(&self, real: &Path) -> Vec<u32> {
        // Links in /proc name the path as seen from inside, so a fake root must not be part of it.
        let target = self.outside(real);
        let Ok(processes) = fs::read_dir(self.inside("/proc")) else {
            return Vec::new();
        };
        processes
            .flatten()
            .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
            .filter(|pid: &u32| {
                let Ok(files) = fs::read_dir(self.inside(format!("/proc/{pid}/fd"))) else {
                    return false;
                };
                files
                    .flatten()
                    .any(|file| fs::read_link(file.path()).is_ok_and(|link| link == target))
            })
            .collect()
    }

    /// Reads `/proc/locks`; a line is `1: FLOCK  ADVISORY  WRITE 1234 00:19:5 0 EOF` (proc(5)),
    /// with major and minor number of the file system in hexadecimal.
    fn device_locks(&self, real: &Path) -> Vec<u32> {
        let (Ok(file), Ok(locks)) = (
            fs::metadata(real),
            fs::read_to_string(self.inside("/proc/locks")),
        ) else {
            return Vec::new();
        };
        let id = format!(
            "{:02x}:{:02x}:{}",
            rustix::fs::major(file.dev()),
            rustix::fs::minor(file.dev()),
            file.ino()
        );
        locks
            .lines()
            .filter_map(|line| {
                // A waiting lock has "->" after its number, which would shift the columns.
                let mut fields = line
                    .split_whitespace()
                    .skip(1)
                    .skip_while(|f| *f == "->")
                    .skip(3);
                let pid = fields.next()?.parse().ok()?;
                (fields.next()? == id && pid != 0).then_some(pid)
            })
            .collect()
    }

    /// A lock file holds the process id in ASCII (FHS 5.9). That of a dead process counts nothing.
    fn lock_file_owner(&self, real: &Path) -> Option<u32> {
        let name = real.file_name()?.to_str()?;
        let pid = ["/run/lock", "/var/lock"].iter().find_map(|folder| {
            let content = fs::read(self.inside(format!("{folder}/LCK..{name}"))).ok()?;
            let text = str::from_utf8(content.get(..content.len().min(32))?).ok()?;
            text.split_whitespace().next()?.parse().ok()
        })?;
        self.inside(format!("/proc/{pid}")).exists().then_some(pid)
    }

    fn command(&self, pid: u32) -> String {
        fs::read_to_string(self.inside(format!("/proc/{pid}/comm")))
            .ok()
            .map(|name| name.trim().to_owned())
            .filter(|name| !name.is_empty())
            .unwrap_or_else(|| "?".to_owned())
    }

    /// The path without the fake root.
    pub(crate) fn outside(&self, path: &Path) -> PathBuf {
        match path.strip_prefix(self.root()) {
            Ok(relative) => Path::new("/").join(relative),
            Err(_) => path.to_owned(),
        }
    }
}

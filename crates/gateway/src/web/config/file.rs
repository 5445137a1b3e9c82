//! The file that holds the configuration.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use axum::http::StatusCode;
use sha2::{Digest, Sha256};

use crate::web::access::hex;
use crate::web::answer::{Answer, Refusal};

/// The file's text at one moment. One that does not exist yet is empty.
#[derive(Clone, Debug)]
pub(in crate::web) struct ConfigFile {
    pub(in crate::web) path: Option<PathBuf>,
    pub(in crate::web) text: String,
}

impl ConfigFile {
    pub(in crate::web) fn read(path: Option<&Path>) -> Answer<Self> {
        let text = match path.map(fs::read_to_string) {
            Some(Ok(text)) => text,
            Some(Err(error)) if error.kind() != io::ErrorKind::NotFound => {
                return Err(Refusal::new(
                    StatusCode::INTERNAL_SERVER_ERROR,
                    "config_unreadable",
                    format!("The configuration cannot be read: {error}."),
                    "Look at the rights of its file.",
                ));
            }
            _ => String::new(),
        };
        Ok(Self {
            path: path.map(Path::to_owned),
            text,
        })
    }

    /// What changes with the text.
    pub(super) fn etag(&self) -> String {
        hex(&Sha256::digest(self.text.as_bytes())[..12])
    }

    /// Puts another text in its place: whole, or not at all.
    pub(super) fn write(&self, text: String) -> Answer<Self> {
        let Some(path) = &self.path else {
            return Err(Refusal::new(
                StatusCode::CONFLICT,
                "no_file",
                "The gateway runs without a configuration file.",
                "Start it with `heatmeter run --config FILE`.",
            ));
        };
        replace(path, &text).map_err(|error| {
            Refusal::new(
                StatusCode::CONFLICT,
                "not_writable",
                format!("The configuration cannot be written: {error}."),
                format!(
                    "Let the gateway's user write to the folder of {}.",
                    path.display()
                ),
            )
        })?;
        Ok(Self {
            path: self.path.clone(),
            text,
        })
    }
}

/// Writes beside the file and puts that in its place. Follows a link; keeps owner and rights. A new file is
/// for its owner only: it may hold secrets.
fn replace(path: &Path, text: &str) -> io::Result<()> {
    use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt, fchown};

    let target = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let name = target.file_name().unwrap_or_default().to_string_lossy();
    let beside = target.with_file_name(format!(".{name}.{}.new", std::process::id()));
    let before = fs::metadata(&target).ok();
    let mode = before
        .as_ref()
        .map_or(0o600, |found| found.permissions().mode() & 0o7777);
    let written = (|| {
        let mut file = fs::OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&beside)?;
        file.write_all(text.as_bytes())?;
        if let Some(before) = &before {
            // Only root may give files away; everybody else owns this one already, or cannot do it.
            drop(fchown(&file, Some(before.uid()), Some(before.gid())));
        }
        file.set_permissions(fs::Permissions::from_mode(mode))?;
        file.sync_all()?;
        fs::rename(&beside, &target)
    })();
    if written.is_err() {
        drop(fs::remove_file(&beside));
    }
    written
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};

    use super::*;

    #[test]
    fn a_file_that_is_replaced_keeps_its_owner_its_rights_and_its_link() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("heatmeter.toml");
        let link = folder.path().join("link.toml");
        fs::write(&file, "port = 1").unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
        std::os::unix::fs::symlink(&file, &link).unwrap();
        // Possible for root only, which is who may take a file from its owner.
        drop(chown(&file, Some(4711), Some(4711)));
        let owner = fs::metadata(&file).unwrap().uid();

        replace(&link, "port = 2").unwrap();

        let after = fs::metadata(&file).unwrap();
        assert_eq!(fs::read_to_string(&file).unwrap(), "port = 2");
        assert_eq!(after.uid(), owner);
        assert_eq!(after.permissions().mode() & 0o7777, 0o640);
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
    }
}

//! What is done with a damaged file: what is readable goes into a new one, the old one is kept.

use std::path::{Path, PathBuf};

use crate::error::HistoryError;

#[expect(clippy::unnecessary_wraps, reason = "salvage follows")]
pub(crate) fn finish(_path: &Path) -> Result<(), HistoryError> {
    Ok(())
}
pub(crate) fn salvage(path: &Path) -> Result<(PathBuf, u64), HistoryError> {
    Err(HistoryError::Foreign {
        path: path.to_owned(),
    })
}

//! `heatmeter backup`: a copy of the history, also while the gateway runs.

use std::path::PathBuf;

use clap::ValueHint;
use serde::Serialize;

use crate::exit::Exit;
use crate::failure::Failure;
use crate::kept::Kept;
use crate::output::Console;

/// Copy the gateway's history into one file, also while it runs
///
/// The copy is checked before it gets its name. To restore it, stop the gateway and put it where the
/// history was.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  heatmeter backup --config heatmeter.toml /mnt/backup/history-2026-11-22.db
  heatmeter backup --history /var/lib/heatmeter/history.db copy.db")]
pub(crate) struct Args {
    #[command(flatten)]
    kept: Kept,

    /// The file to make; there must be none of that name
    #[arg(value_name = "TO", value_hint = ValueHint::FilePath)]
    to: PathBuf,
}

/// What was made, as JSON.
#[derive(Debug, Serialize)]
struct Made {
    backup: String,
    bytes: u64,
}

pub(crate) fn run(args: &Args, console: &Console) -> Result<Exit, Failure> {
    args.kept.open()?.backup(&args.to, |_, _| ())?;
    let bytes = args.to.metadata().map_or(0, |data| data.len());
    let backup = args.to.display().to_string();
    if console.is_json() {
        console.json(&Made { backup, bytes })?;
    } else {
        let kilobytes = bytes.div_ceil(1000);
        console.line(format!("{backup}: {kilobytes} kB, checked"))?;
    }
    Ok(Exit::Ok)
}

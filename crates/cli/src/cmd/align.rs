//! Not yet.
use crate::{exit::Exit, failure::Failure, output::Console};
/// align
#[derive(Debug, clap::Args)]
pub(crate) struct Args {}
pub(crate) async fn run(_args: &Args, _console: &Console) -> Result<Exit, Failure> {
    Ok(Exit::Ok)
}

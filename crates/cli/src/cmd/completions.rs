//! `heatmeter completions`: what a shell needs to complete the command line.

use clap::CommandFactory;
use clap_complete::Shell;

use crate::args;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::Console;

/// Print completions for a shell
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Example:
  heatmeter completions bash > ~/.local/share/bash-completion/completions/heatmeter")]
pub(crate) struct Args {
    /// The shell
    shell: Shell,
}

pub(crate) fn run(args: &Args, console: &Console) -> Result<Exit, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(
        args.shell,
        &mut args::Args::command(),
        "heatmeter",
        &mut script,
    );
    console.raw(&script)?;
    Ok(Exit::Ok)
}

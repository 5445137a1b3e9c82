//! `heatmeter man`: the manual pages, one for each command.

use clap::CommandFactory;
use clap_mangen::Man;

use crate::args;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::Console;

/// Print the manual pages
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  heatmeter man | man -l -
  heatmeter man read > heatmeter-read.1")]
pub(crate) struct Args {
    /// The command that the page is about; none means heatmeter as a whole
    command: Option<String>,
}

pub(crate) fn run(args: &Args, console: &Console) -> Result<Exit, Failure> {
    let mut all = args::Args::command();
    all.build();
    let page = match &args.command {
        None => all,
        Some(name) => match all.find_subcommand(name) {
            Some(command) => command.clone(),
            None => {
                return Err(Failure::usage(
                    format!("there is no command `{name}`"),
                    "`heatmeter --help` lists the commands",
                ));
            }
        },
    };
    let mut roff = Vec::new();
    Man::new(page)
        .render(&mut roff)
        .map_err(|error| Failure::unexpected("cannot write the manual page", error))?;
    console.raw(&roff)?;
    Ok(Exit::Ok)
}

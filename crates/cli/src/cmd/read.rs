//! `heatmeter read`: one reading.

use std::io;
use std::time::Duration;

use heatmeter_catalog::reading::Quality;
use heatmeter_catalog::{Model, RegisterId};

use crate::args::{Line, Selection};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::meter::Meter;
use crate::output::style::{self, styled};
use crate::output::{Console, Progress, note, vzlogger, warn};
use crate::poll::Poll;
use crate::reading;
use crate::wall_clock;
use heatmeter_gateway::duration;

/// Read a meter once
///
/// Asks the meter who it is, then for its usual registers: two short requests. Nothing in the meter is
/// changed.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  heatmeter read /dev/serial/by-id/usb-FTDI_...
  heatmeter read socket://192.168.1.20:2217 heat_energy flow 0x010a
  heatmeter read --format vzlogger /dev/ttyUSB0 heat_energy volume
  heatmeter read --all --json rfc2217://raspberrypi:2217 > reading.json")]
pub(crate) struct Args {
    #[command(flatten)]
    line: Line,

    #[command(flatten)]
    selection: Selection,

    /// Read all registers that are known for the model
    #[arg(long, conflicts_with = "registers")]
    all: bool,

    /// Print what another program reads: `vzlogger`, a line with key, value and time for each number
    #[arg(
        long,
        value_name = "FORMAT",
        conflicts_with = "json",
        hide_possible_values = true,
        help_heading = "Output"
    )]
    format: Option<Format>,

    /// When to give up, whatever happens; without it after 20 s, or later if there is much to read
    #[arg(long, value_name = "TIME", value_parser = duration::parse, help_heading = "Line")]
    deadline: Option<Duration>,
}

/// Another program that reads what is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// What vzlogger's `exec` meter reads.
    Vzlogger,
}

pub(crate) async fn run(args: &Args, verbose: u8, console: &Console) -> Result<Exit, Failure> {
    let mut meter = Meter::new(&args.line, verbose)?
        .with_model(args.selection.model)
        .telling(Progress::new(verbose));
    let poll = Poll::take(&mut meter, args.deadline, |model| registers(args, model)).await?;
    for notice in &poll.notices {
        note(notice);
    }
    if console.is_json() {
        console.json(&poll)?;
    } else if let Some(Format::Vzlogger) = args.format {
        tell_vzlogger(&poll, console)?;
    } else {
        show(&poll, meter.model(), args, verbose > 0, console)?;
    }
    Ok(Exit::Ok)
}

fn tell_vzlogger(poll: &Poll, console: &Console) -> Result<(), Failure> {
    let at = poll.time.parse().map_err(|error: jiff::Error| {
        Failure::unexpected("cannot tell the time", io::Error::other(error))
    })?;
    let (lines, beyond) = vzlogger::lines(&poll.readings, at);
    for line in lines {
        console.line(line)?;
    }
    if beyond > 0 {
        warn(format!(
            "vzlogger has no room for {beyond} more values; name the registers that you need"
        ));
    }
    Ok(())
}

fn registers(args: &Args, model: Option<&'static Model>) -> Vec<RegisterId> {
    if !args.selection.registers.is_empty() {
        return args.selection.unique();
    }
    let model = model.unwrap_or_else(Model::unknown);
    let registers = if args.all {
        model.registers
    } else {
        model.usual
    };
    registers.to_vec()
}

fn show(
    poll: &Poll,
    model: Option<&Model>,
    args: &Args,
    verbose: bool,
    console: &Console,
) -> Result<(), Failure> {
    console.line(poll.meter.headline())?;
    console.line(styled(style::DIM, wall_clock::local_text()))?;
    console.line("")?;
    let (missing, shown): (Vec<_>, Vec<_>) = poll
        .readings
        .iter()
        .cloned()
        .partition(|reading| args.all && !verbose && reading.quality == Quality::Unsupported);
    for line in reading::table(&shown, model).lines() {
        console.line(line)?;
    }
    if !missing.is_empty() {
        let text = format!(
            "{} more registers are known and not in this meter (-v lists them)",
            missing.len()
        );
        console.line(styled(style::DIM, text))?;
    }
    if verbose {
        console.line("")?;
        console.line(styled(style::DIM, poll.line.text()))?;
    }
    if model.is_none() {
        note(format!(
            "heatmeter does not know this meter yet (type {}); it can learn to from what \
             `heatmeter read {} --all --json` prints, see docs/adding-a-meter.md",
            poll.meter.meter_type.as_deref().unwrap_or("not told"),
            poll.port,
        ));
    }
    Ok(())
}

//! `heatmeter export`: the history as text for other programs.

use std::io::{self, BufWriter};

use clap::ValueEnum;
use heatmeter_gateway::history::{ExportError, Format, Selection};
use jiff::civil;
use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};

use crate::exit::Exit;
use crate::failure::Failure;
use crate::kept::Kept;
use crate::output::{Console, note};

/// Write the gateway's history to standard output, also while it runs
///
/// CSV has a line for each register of each poll; JSON has a line for each poll, the object of
/// `heatmeter read --json` with the poll's id and verdict. Values are exactly what the meter sent.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  heatmeter export --config heatmeter.toml > everything.csv
  heatmeter export --config heatmeter.toml --meter 84968362 --from 2026-11-01 --to 2026-12-01
  heatmeter export --history /var/lib/heatmeter/history.db --format jsonl | gzip > polls.jsonl.gz")]
pub(crate) struct Args {
    #[command(flatten)]
    kept: Kept,

    /// Only this meter, by its serial number
    #[arg(long, value_name = "SERIAL")]
    meter: Option<String>,

    /// Polls from this moment on: a date, a date with a time of day, or RFC 3339
    #[arg(long, value_name = "TIME", value_parser = moment)]
    from: Option<Timestamp>,

    /// Polls before this moment
    #[arg(long, value_name = "TIME", value_parser = moment)]
    to: Option<Timestamp>,

    /// csv or jsonl; jsonl with --json
    #[arg(long, value_name = "FORMAT", hide_possible_values = true)]
    format: Option<Written>,
}

/// How it is written.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Written {
    /// Comma-separated values.
    Csv,
    /// One JSON object a line.
    Jsonl,
}

pub(crate) fn run(args: &Args, console: &Console) -> Result<Exit, Failure> {
    let archive = args.kept.open()?;
    if let Some(serial) = &args.meter {
        let serials: Vec<_> = archive.meters()?.into_iter().map(|m| m.serial).collect();
        if !serials.contains(serial) {
            return Err(Failure::usage(
                format!("the history has no meter {serial}"),
                if serials.is_empty() {
                    "it has none at all yet".to_owned()
                } else {
                    format!("it has {}", serials.join(", "))
                },
            ));
        }
    }
    let every = Selection::default();
    let selection = Selection {
        serial: args.meter.clone(),
        from: args.from.unwrap_or(every.from),
        to: args.to.unwrap_or(every.to),
    };
    let format = match args.format {
        Some(Written::Csv) => Format::Csv,
        None if !console.is_json() => Format::Csv,
        Some(Written::Jsonl) | None => Format::Jsonl,
    };
    let mut out = BufWriter::new(io::stdout().lock());
    match archive.export(&selection, format, &mut out) {
        Ok(0) => note("there is no poll in this span of time"),
        Ok(_) => {}
        Err(ExportError::Output(error)) => return Err(Failure::Output(error)),
        Err(ExportError::History(error)) => return Err(error.into()),
        Err(other) => {
            return Err(Failure::unexpected(
                "cannot export",
                io::Error::other(other),
            ));
        }
    }
    Ok(Exit::Ok)
}

/// A moment: with its offset, or on this machine's clock; a date alone is its midnight.
fn moment(text: &str) -> Result<Timestamp, String> {
    let local = |at: civil::DateTime| at.to_zoned(TimeZone::system());
    let moment = text
        .parse::<Timestamp>()
        .or_else(|_| text.parse::<Zoned>().map(|at| at.timestamp()))
        .or_else(|_| text.parse().and_then(local).map(|at| at.timestamp()))
        .or_else(|_| {
            let date: civil::Date = text.parse()?;
            local(date.at(0, 0, 0, 0)).map(|at| at.timestamp())
        });
    moment.map_err(|_| {
        "expected a date such as 2026-11-22, with a time 2026-11-22T16:35, or RFC 3339".to_owned()
    })
}

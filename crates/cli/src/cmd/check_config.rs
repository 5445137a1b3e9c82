//! `heatmeter check-config`: is the configuration right, and what does it come to?

use std::path::PathBuf;

use clap::ValueHint;
use heatmeter_gateway::check::{self, Check, Outcome};
use heatmeter_gateway::config::{self, Config, ConfigError, Problem};
use serde::Serialize;

use super::run::wrong;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::style::{self, styled};
use crate::output::{Console, warn};

/// Check a configuration of the gateway, and say what it comes to
///
/// Everything that is wrong is shown at once, with its place underlined. Exits with 2 if something is.
/// With --try, a meter that does not answer gives the exit code that `heatmeter read` would end with, and
/// a destination that does not work gives 3.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  heatmeter check-config heatmeter.toml
  heatmeter check-config --try heatmeter.toml       open each port, log in at each destination
  heatmeter check-config --example > heatmeter.toml")]
pub(crate) struct Args {
    /// The configuration
    #[arg(value_hint = ValueHint::FilePath, required_unless_present = "example")]
    file: Option<PathBuf>,

    /// Open each port and ask the meter who it is; log in at each destination
    #[arg(long = "try")]
    attempt: bool,

    /// Print a configuration with every key, what it is for, and its default
    #[arg(long, conflicts_with = "file")]
    example: bool,
}

/// What was found, as JSON.
#[derive(Serialize)]
struct Report<'a> {
    ok: bool,
    problems: Vec<Shown<'a>>,
    warnings: Vec<Shown<'a>>,
    #[serde(flatten)]
    check: Option<&'a Check>,
}

#[derive(Serialize)]
struct Shown<'a> {
    line: usize,
    column: usize,
    length: usize,
    message: &'a str,
    help: &'a str,
}

pub(crate) async fn run(args: &Args, console: &Console) -> Result<Exit, Failure> {
    let Some(file) = args.file.as_ref().filter(|_| !args.example) else {
        console.line(config::example().trim_end())?;
        return Ok(Exit::Ok);
    };
    let config = match Config::load(file) {
        Ok(config) => config,
        Err(ConfigError::Wrong { problems }) if console.is_json() => {
            console.json(&Report {
                ok: false,
                problems: shown(&problems),
                warnings: Vec::new(),
                check: None,
            })?;
            return Ok(Exit::Usage);
        }
        Err(error) => return Err(wrong(error, file)),
    };
    let check = check::check(&config, args.attempt).await;
    if console.is_json() {
        console.json(&Report {
            ok: check.is_good(),
            problems: Vec::new(),
            warnings: shown(&config.warnings),
            check: Some(&check),
        })?;
    } else {
        for warning in &config.warnings {
            anstream::eprintln!("{}\n", warning.rendered);
        }
        show(&check, console)?;
    }
    Ok(match check.verdict() {
        Some(verdict) => verdict.into(),
        None if check.is_good() => Exit::Ok,
        // A destination is something outside that cannot be had, as a port is.
        None => Exit::Port,
    })
}

fn shown(problems: &[Problem]) -> Vec<Shown<'_>> {
    let shown = problems.iter().map(|problem| Shown {
        line: problem.line,
        column: problem.column,
        length: problem.length,
        message: &problem.message,
        help: &problem.help,
    });
    shown.collect()
}

fn show(check: &Check, console: &Console) -> Result<(), Failure> {
    console.line(styled(style::GOOD, "The configuration is right."))?;
    console.line(format!("The page: http://{}/", check.listen))?;
    if check.meters.is_empty() {
        warn("no meter is configured yet");
    }
    for meter in &check.meters {
        console.line("")?;
        console.line(styled(style::STRONG, &meter.name))?;
        console.line(format!("  port      {}", meter.port))?;
        console.line(format!("  schedule  {}", meter.schedule))?;
        console.line(format!("  next      {}", meter.next.join(", ")))?;
        console.line(format!("  battery   {}", meter.battery))?;
        outcome(meter.outcome.as_ref(), console)?;
    }
    for destination in &check.destinations {
        console.line("")?;
        let kind = styled(style::DIM, format!("({})", destination.kind));
        console.line(format!(
            "{} {kind}",
            styled(style::STRONG, &destination.name)
        ))?;
        outcome(destination.outcome.as_ref(), console)?;
    }
    Ok(())
}

fn outcome(outcome: Option<&Outcome>, console: &Console) -> Result<(), Failure> {
    match outcome {
        None => Ok(()),
        Some(Outcome {
            is_good: true,
            message,
            ..
        }) => console.line(format!("  {}", styled(style::GOOD, message))),
        Some(Outcome { message, help, .. }) => {
            console.line(format!("  {} {help}", styled(style::BAD, message)))
        }
    }
}

//! `heatmeter read`: one reading.

use std::time::Duration;

use heatmeter_catalog::{Model, RegisterId};
use kamstrup_kmp::Verdict;
use kamstrup_kmp::session::LineStats;
use serde::Serialize;

use crate::args::{Line, Selection};
use crate::duration;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::meter::{self, Budget, Meter, Who};
use crate::output::style::{self, styled};
use crate::output::{Console, note};
use crate::reading::{self, Quality, Reading};
use crate::wall_clock;

/// Read a meter once
///
/// Asks the meter who it is, then for its usual registers: two short requests. Nothing in the meter is
/// changed.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  heatmeter read /dev/serial/by-id/usb-FTDI_...
  heatmeter read socket://192.168.1.20:2217 heat_energy flow 0x010a
  heatmeter read --all --json rfc2217://raspberrypi:2217 > reading.json")]
pub(crate) struct Args {
    #[command(flatten)]
    line: Line,

    #[command(flatten)]
    selection: Selection,

    /// Read all registers that are known for the model
    #[arg(long, conflicts_with = "registers")]
    all: bool,

    /// When to give up, whatever happens; without it 20 s and more if there is more to read
    #[arg(long, value_name = "TIME", value_parser = duration::parse, help_heading = "Line")]
    deadline: Option<Duration>,
}

pub(crate) async fn run(args: &Args, verbose: u8, console: &Console) -> Result<Exit, Failure> {
    let mut meter = Meter::new(&args.line, verbose)?.with_model(args.selection.model);
    let poll = poll(&mut meter, args).await?;
    if console.is_json() {
        console.json(&poll)?;
    } else {
        show(&poll, meter.model(), args, verbose > 0, console)?;
    }
    Ok(Exit::Ok)
}

/// One reading.
#[derive(Debug, Serialize)]
pub(crate) struct Poll {
    pub(crate) time: String,
    pub(crate) port: String,
    pub(crate) meter: Who,
    pub(crate) readings: Vec<Reading>,
    pub(crate) line: Cost,
}

/// What a reading cost the meter and the line.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct Cost {
    requests: u32,
    retries: u32,
    bytes_sent: u64,
    bytes_received: u64,
    seconds: f64,
}

impl From<LineStats> for Cost {
    fn from(line: LineStats) -> Self {
        Self {
            requests: line.requests,
            retries: line.retries,
            bytes_sent: line.bytes_sent,
            bytes_received: line.bytes_received,
            // To the millisecond.
            seconds: (line.took.as_secs_f64() * 1000.0).round() / 1000.0,
        }
    }
}

/// The most that is asked of a meter that has not said a word yet.
const ATTEMPTS_WITHOUT_A_SIGN: u32 = 3;

async fn poll(meter: &mut Meter, args: &Args) -> Result<Poll, Failure> {
    // How much there is to read shows only once the meter has said who it is.
    let budget = Budget::new(args.deadline.unwrap_or(Duration::from_secs(20)));
    let mut line = LineStats::default();
    let mut attempts = None;
    if !meter.is_introduced() {
        let introduction = introduce(meter, budget).await?;
        line.add(introduction.line);
        let no_sign = matches!(introduction.verdict, Verdict::Silent | Verdict::EchoOnly);
        attempts = no_sign.then_some(ATTEMPTS_WITHOUT_A_SIGN);
    }

    let asked = registers(args, meter.model());
    let limit = match args.deadline {
        Some(_) => budget.left(),
        None => budget.left() + longer_for(asked.len()),
    };
    let time = wall_clock::utc();
    let reply = meter.read(&asked, limit, attempts).await?;
    line.add(reply.line);
    if reply.verdict != Verdict::Ok {
        return Err(Failure::Verdict {
            verdict: reply.verdict,
            port: meter.port().to_owned(),
        });
    }
    for notice in &reply.notices {
        note(notice);
    }
    Ok(Poll {
        time,
        port: meter.port().to_owned(),
        meter: meter.who(),
        readings: reply.readings,
        line: line.into(),
    })
}

/// Asks for the model. A connection that is cut is tried again: nothing was read yet.
async fn introduce(meter: &mut Meter, budget: Budget) -> Result<meter::Introduction, Failure> {
    let mut tries = 3;
    loop {
        tries -= 1;
        match meter.introduce(budget.left()).await {
            Err(error) if tries > 0 && meter::may_pass(&error) && !budget.left().is_zero() => {
                tracing::info!(%error, "trying again");
            }
            other => return Ok(other?),
        }
    }
}

fn registers(args: &Args, model: Option<&'static Model>) -> Vec<RegisterId> {
    if !args.selection.registers.is_empty() {
        return unique(&args.selection.registers);
    }
    let model = model.unwrap_or_else(Model::unknown);
    if args.all {
        model.registers.to_vec()
    } else {
        model.usual.to_vec()
    }
}

/// Each register once, in the order given.
pub(crate) fn unique(registers: &[RegisterId]) -> Vec<RegisterId> {
    let mut unique: Vec<RegisterId> = Vec::new();
    for &id in registers {
        if !unique.contains(&id) {
            unique.push(id);
        }
    }
    unique
}

/// What reading many registers takes in addition: 5 s for every request after the first.
pub(crate) fn longer_for(registers: usize) -> Duration {
    let more = registers.div_ceil(8).saturating_sub(1);
    Duration::from_secs(5) * u32::try_from(more).unwrap_or(u32::MAX)
}

fn show(
    poll: &Poll,
    model: Option<&Model>,
    args: &Args,
    verbose: bool,
    console: &Console,
) -> Result<(), Failure> {
    console.line(headline(&poll.meter))?;
    console.line(styled(style::DIM, wall_clock::local_text()))?;
    console.line("")?;
    let (missing, shown): (Vec<_>, Vec<_>) = poll
        .readings
        .iter()
        .cloned()
        .partition(|reading| args.all && !verbose && reading.quality == Quality::Unsupported);
    for line in reading::table(&shown).lines() {
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
            "heatmeter does not know this meter yet (type {}); with what `heatmeter read {} --all --json` \
             prints it can learn to, see docs/adding-a-meter.md",
            poll.meter.meter_type.as_deref().unwrap_or("not told"),
            poll.port,
        ));
    }
    Ok(())
}

impl Cost {
    fn text(&self) -> String {
        let Self {
            requests,
            retries,
            bytes_sent,
            bytes_received,
            seconds,
        } = self;
        let again = match retries {
            0 => String::new(),
            1 => ", one of them again".to_owned(),
            more => format!(", {more} of them again"),
        };
        let requests = match requests {
            1 => "1 request".to_owned(),
            more => format!("{more} requests"),
        };
        format!(
            "{requests}{again}; {bytes_sent} bytes sent, {bytes_received} received; {seconds} s on the line"
        )
    }
}

/// Who the meter is, in one line.
pub(crate) fn headline(who: &Who) -> String {
    let name = match (who.model, &who.meter_type) {
        (Some(model), _) if who.is_simulated => format!("{model} (simulated)"),
        (Some(model), _) => model.to_owned(),
        (None, Some(code)) => format!("Unknown Kamstrup meter, type {code}"),
        (None, None) => "Unknown Kamstrup meter".to_owned(),
    };
    let mut line = styled(style::STRONG, name);
    if let Some(serial) = &who.serial {
        line.push_str(&format!(" · serial number {serial}"));
    }
    if let Some(software) = &who.software {
        line.push_str(&format!(" · software {software}"));
    }
    line
}

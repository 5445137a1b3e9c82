//! `heatmeter watch`: readings on a schedule.

use std::time::Duration;

use heatmeter_catalog::reading::{Quality, Reading};
use heatmeter_catalog::{Language, Model, RegisterId};
use heatmeter_client::{Change, Rounds};
use kamstrup_kmp::Verdict;

use crate::args::{Line, Selection};
use crate::cmd::asked_to_end;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::meter::Meter;
use crate::output::columns::Columns;
use crate::output::style::{self, styled};
use crate::output::{Console, note, terminal_width, warn};
use crate::poll::Poll;
use crate::reading;
use crate::schedule::Schedule;
use crate::wall_clock;
use heatmeter_gateway::duration;

/// Read a meter again and again
///
/// One line for each reading. A reading that fails is reported and never ends it: the port is opened
/// again by itself. Without REGISTER, values that move slowly are read less often.
///
/// Each reading costs a little of the meter's battery; the manufacturer reckons with one an hour.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  heatmeter watch /dev/serial/by-id/usb-FTDI_...
  heatmeter watch --interval 15min --json socket://192.168.1.20:2217 heat_energy >> energy.jsonl
  heatmeter watch --interval 0s --count 10 /dev/ttyUSB0 flow power")]
pub(crate) struct Args {
    #[command(flatten)]
    line: Line,

    #[command(flatten)]
    selection: Selection,

    /// From one reading to the next; 0s is back to back
    #[arg(long, value_name = "TIME", default_value = "1h", value_parser = duration::parse)]
    interval: Duration,

    /// End after so many readings
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    count: Option<u64>,

    /// When to give up a reading; without it after 20 s, or later if there is much to read
    #[arg(long, value_name = "TIME", value_parser = duration::parse, help_heading = "Line")]
    deadline: Option<Duration>,
}

pub(crate) async fn run(args: &Args, verbose: u8, console: &Console) -> Result<Exit, Failure> {
    let meter = Meter::new(&args.line, verbose)?.with_model(args.selection.model);
    let mut watch = Watch::new(meter, args, console);
    let mut schedule = Schedule::new(args.interval);
    let end = asked_to_end()?;
    tokio::pin!(end);
    for number in 1.. {
        tokio::select! {
            biased;
            () = &mut end => return Ok(Exit::Ok),
            result = watch.poll() => result?,
        }
        if args.count == Some(number) {
            break;
        }
        tokio::select! {
            biased;
            () = &mut end => return Ok(Exit::Ok),
            () = schedule.wait() => {}
        }
    }
    Ok(watch.exit())
}

struct Watch<'a> {
    meter: Meter,
    args: &'a Args,
    console: &'a Console,
    rounds: Option<Rounds>,
    /// Which opening of the port the rounds began with.
    opening: u64,
    columns: Option<Columns>,
    /// Who the meter is, as it was last said.
    headline: String,
    /// The day that the last line belongs to.
    day: String,
    /// Lines since the head of the table.
    lines: usize,
    /// How the last reading failed, if it did.
    failing: Option<Exit>,
    succeeded: bool,
}

impl<'a> Watch<'a> {
    fn new(meter: Meter, args: &'a Args, console: &'a Console) -> Self {
        Self {
            meter,
            args,
            console,
            rounds: None,
            opening: 0,
            columns: None,
            headline: String::new(),
            day: String::new(),
            lines: 0,
            failing: None,
            succeeded: false,
        }
    }

    /// Reads once and prints what came of it.
    async fn poll(&mut self) -> Result<(), Failure> {
        let time = wall_clock::utc();
        let result = self.read().await;
        for change in self.meter.take_changes() {
            tell(&change, self.meter.port());
        }
        match result {
            Ok(poll) => self.succeed(&poll),
            Err(failure @ (Failure::Port(_) | Failure::Verdict { .. })) => {
                self.fail(&failure, time)
            }
            Err(failure) => Err(failure),
        }
    }

    /// The exit code: that of the last failure, if nothing was ever read.
    fn exit(&self) -> Exit {
        self.failing.filter(|_| !self.succeeded).unwrap_or(Exit::Ok)
    }

    async fn read(&mut self) -> Result<Poll, Failure> {
        let Self {
            meter,
            args,
            rounds,
            ..
        } = self;
        if !args.selection.registers.is_empty() {
            let asked = args.selection.unique();
            return Poll::take(meter, args.deadline, |_| asked).await;
        }
        let poll = Poll::take(meter, args.deadline, |model| {
            let model = model.unwrap_or_else(Model::unknown);
            let current = rounds.take().filter(|rounds| rounds.are_for(model));
            rounds
                .insert(current.unwrap_or_else(|| Rounds::new(model, args.interval)))
                .due()
        })
        .await?;
        if let Some(rounds) = rounds {
            rounds.done(&poll.readings);
        }
        Ok(poll)
    }

    fn succeed(&mut self, poll: &Poll) -> Result<(), Failure> {
        if self.failing.take().is_some() && self.succeeded {
            note("the meter answers again");
        }
        self.succeeded = true;
        for notice in &poll.notices {
            note(notice);
        }
        for reading in poll
            .readings
            .iter()
            .filter(|reading| reading.quality == Quality::Held)
        {
            let reason = reading.reason.as_deref().unwrap_or_default();
            warn(format!("{} is held: {reason}", reading.label(Language::En)));
        }
        let opening = self.meter.openings();
        if std::mem::replace(&mut self.opening, opening) != opening
            && let Some(rounds) = &mut self.rounds
            && self.lines > 0
        {
            rounds.begin_anew();
        }
        if self.console.is_json() {
            self.lines += 1;
            return self.console.json(poll);
        }
        self.row(poll)
    }

    fn fail(&mut self, failure: &Failure, time: String) -> Result<(), Failure> {
        let is_news = self.failing.replace(failure.exit()) != Some(failure.exit());
        if let Failure::Verdict {
            verdict: Verdict::Silent | Verdict::Asleep,
            ..
        } = failure
        {
            // A connection that died without a word looks just like this. Opening anew tells.
            self.meter.close();
        }
        // A port's troubles were told as they came.
        if is_news && matches!(failure, Failure::Verdict { .. }) {
            warn(format!("{failure} {}", failure.help()));
        }
        if self.console.is_json() {
            return self.console.json(&failure.report().at(time));
        }
        self.date()?;
        self.lines += 1;
        let time = styled(style::DIM, wall_clock::local_time());
        self.console
            .line(format!("{time}  {}", styled(style::BAD, failure.code())))
    }

    fn row(&mut self, poll: &Poll) -> Result<(), Failure> {
        let headline = poll.meter.headline();
        if headline != self.headline {
            self.console.line(&headline)?;
            self.headline = headline;
            // Another meter, or more is known of this one: its registers are others.
            self.columns = None;
        }
        let columns = self.columns.take().unwrap_or_else(|| {
            self.lines = 0;
            Columns::new(&self.shown(poll), &poll.readings, terminal_width())
        });
        self.date()?;
        if self.lines.is_multiple_of(LINES_PER_HEAD) {
            for line in columns.head() {
                self.console.line(line)?;
            }
        }
        self.lines += 1;
        self.console
            .line(columns.row(&wall_clock::local_time(), &poll.readings))?;
        let model = self.meter.model();
        let rest: Vec<String> = poll
            .readings
            .iter()
            .filter(|reading| !columns.has(reading.register))
            .filter_map(|reading| beside(reading, model))
            .collect();
        if !rest.is_empty() {
            self.console.line(styled(
                style::DIM,
                format!("          {}", rest.join(" · ")),
            ))?;
        }
        self.columns = Some(columns);
        Ok(())
    }

    /// The registers that get a column.
    fn shown(&self, poll: &Poll) -> Vec<RegisterId> {
        match &self.rounds {
            Some(rounds) => rounds.every_time(),
            None => poll
                .readings
                .iter()
                .map(|reading| reading.register)
                .collect(),
        }
    }

    /// A line with the day, where a new one has begun.
    fn date(&mut self) -> Result<(), Failure> {
        let day = wall_clock::local_date();
        if day != self.day {
            self.console.line(styled(style::DIM, &day))?;
            self.day = day;
        }
        Ok(())
    }
}

/// The head of the table comes again after so many lines.
const LINES_PER_HEAD: usize = 40;

/// A value that has no column of its own.
fn beside(reading: &Reading, model: Option<&Model>) -> Option<String> {
    let value = reading::value(reading)?;
    let unit = reading
        .unit_text()
        .map_or_else(String::new, |unit| format!(" {unit}"));
    let meaning = Some(reading::meaning(reading, model))
        .filter(|flags| !flags.is_empty())
        .map_or_else(String::new, |flags| format!(" ({flags})"));
    let label = reading.label(Language::En);
    Some(format!("{label} {value}{unit}{meaning}"))
}

/// Says once what became of the port.
fn tell(change: &Change, port: &str) {
    match change {
        Change::Lost(error) => warn(format!("{error}; {}", error.help())),
        Change::Recovered { after } => {
            note(format!(
                "{port} works again after {}",
                duration::format(*after)
            ));
        }
        _ => {}
    }
}

//! `heatmeter clock`: the meter's clock. Setting it is the only thing heatmeter ever writes.

use std::io::{self, BufRead, IsTerminal, Write};
use std::time::Duration;

use heatmeter_catalog::RegisterId;
use heatmeter_catalog::reading::Reading;
use jiff::civil::DateTime;
use kamstrup_kmp::Verdict;
use kamstrup_kmp::line::LineSettings;
use kamstrup_kmp::message::Request;
use kamstrup_kmp::session::{LineStats, Task};
use serde::Serialize;
use tokio::time::{Instant, sleep};

use crate::args::Line;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::meter::Meter;
use crate::output::style::{self, styled};
use crate::output::{Console, Progress, note};
use crate::poll::Cost;
use crate::reading;
use crate::wall_clock::{self, Reference};
use heatmeter_gateway::duration;

/// Show the meter's clock and how far it is off, or set it
///
/// A meter's clock decides at which hour and on which day it stores its own history. Ask your supplier
/// before you set it. A meter that keeps standard time in summer is compared with standard time, and
/// set to it.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  heatmeter clock /dev/serial/by-id/usb-FTDI_...
  heatmeter clock --set /dev/serial/by-id/usb-FTDI_...")]
pub(crate) struct Args {
    #[command(flatten)]
    line: Line,

    /// Set the meter's clock to this computer's, after asking; the only command that writes
    #[arg(long)]
    set: bool,

    /// Do not ask
    #[arg(long, requires = "set")]
    yes: bool,

    /// When to give up reading the clock
    #[arg(long, value_name = "TIME", default_value = "20s", value_parser = duration::parse, help_heading = "Line")]
    deadline: Duration,
}

/// What is known of the clock, as JSON.
#[derive(Clone, Debug, Serialize)]
struct Report {
    time: String,
    port: String,
    serial: Option<String>,
    meter_clock: String,
    computer_clock: String,
    /// Whether the meter leaves out summer time, which is in force.
    keeps_standard_time: bool,
    /// How far the meter is ahead.
    drift_seconds: i64,
    /// Whether it was set.
    set: bool,
    line: Cost,
}

pub(crate) async fn run(args: &Args, verbose: u8, console: &Console) -> Result<Exit, Failure> {
    if args.set && !args.yes && !io::stdin().is_terminal() {
        return Err(Failure::usage(
            "setting the clock has to be confirmed, and nobody can be asked here",
            "add --yes if you are sure",
        ));
    }
    let mut meter = Meter::new(&args.line, verbose)?.telling(Progress::new(verbose));
    let mut line = LineStats::default();
    let before = look(&mut meter, args.deadline, &mut line).await?;
    if !args.set {
        show(&before.report(&meter, line, false), console)?;
        return Ok(Exit::Ok);
    }
    if !args.yes && !confirmed(&before)? {
        note("nothing was changed");
        if console.is_json() {
            show(&before.report(&meter, line, false), console)?;
        }
        return Ok(Exit::Ok);
    }
    let after = set(&mut meter, before.reference, args.deadline, &mut line).await?;
    show(&after.report(&meter, line, true), console)?;
    Ok(Exit::Ok)
}

/// Both clocks at one moment.
#[derive(Clone, Copy, Debug)]
struct Look {
    meter: DateTime,
    computer: DateTime,
    reference: Reference,
}

impl Look {
    fn drift(&self) -> i64 {
        self.meter.duration_since(self.computer).as_secs()
    }

    fn report(&self, meter: &Meter, line: LineStats, set: bool) -> Report {
        Report {
            time: wall_clock::utc(),
            port: meter.port().to_owned(),
            serial: meter.who().serial,
            meter_clock: self.meter.to_string(),
            computer_clock: self.computer.to_string(),
            keeps_standard_time: self.reference == Reference::StandardTime,
            drift_seconds: self.drift(),
            set,
            line: line.into(),
        }
    }
}

/// Time of day, date, and both in one: a meter has the first two or the third.
const CLOCK: RegisterId = RegisterId(1002);
const DATE: RegisterId = RegisterId(1003);
const DATE_TIME: RegisterId = RegisterId(348);

/// Reads the meter's clock, and this computer's at the same moment.
async fn look(meter: &mut Meter, limit: Duration, line: &mut LineStats) -> Result<Look, Failure> {
    let began = Instant::now();
    let reply = meter.read(&[DATE, CLOCK, DATE_TIME], limit).await?;
    let took = began.elapsed();
    line.add(reply.line);
    // The meter looked at its clock between request and answer.
    let age = if reply.line.requests == 1 {
        took / 2
    } else {
        Duration::from_millis(200)
    };
    let failed = |verdict| Failure::Verdict {
        verdict,
        port: meter.port().to_owned(),
    };
    if reply.verdict != Verdict::Ok {
        return Err(failed(reply.verdict));
    }
    let clock = clock_in(&reply.readings).ok_or_else(|| failed(Verdict::NotSupported))?;
    let (computer, reference) = wall_clock::nearest(clock, age);
    Ok(Look {
        meter: clock,
        computer,
        reference,
    })
}

fn clock_in(readings: &[Reading]) -> Option<DateTime> {
    let value = |id: RegisterId| {
        readings
            .iter()
            .find(|reading| reading.register == id)
            .and_then(reading::value)
    };
    match (value(DATE), value(CLOCK)) {
        (Some(date), Some(time)) => format!("{date}T{time}").parse().ok(),
        _ => value(DATE_TIME)?.parse().ok(),
    }
}

/// Sets the clock and reads it back, up to three times.
async fn set(
    meter: &mut Meter,
    reference: Reference,
    limit: Duration,
    line: &mut LineStats,
) -> Result<Look, Failure> {
    // A computer's clock is whole seconds on the meter; two may pass until it is read back.
    const EXACT: i64 = 2;
    let mut after = None;
    for _ in 0..3 {
        let on_the_wire = LineSettings::KMP.time_for(SET_CLOCK_LENGTH);
        let (moment, wait) = wall_clock::next_second(reference, on_the_wire);
        let moment = wall_clock::to_meter(moment).ok_or_else(|| {
            Failure::usage(
                format!("this computer's clock says {moment}"),
                "set the computer's clock first; a meter's runs from 2000 to 2099",
            )
        })?;
        sleep(wait).await;
        let task = Task::ask(Request::SetClock(moment))
            .with_attempts(1)
            .within(SET_LIMIT);
        // Not every meter acknowledges; what counts is what its clock says afterwards.
        let outcome = meter.run(task).await?;
        line.add(outcome.line);
        let look = look(meter, limit, line).await?;
        if look.drift().abs() <= EXACT {
            return Ok(look);
        }
        after = Some(look);
    }
    let says = after.map_or_else(String::new, |look: Look| look.meter.to_string());
    Err(Failure::ClockNotTaken {
        port: meter.port().to_owned(),
        says,
    })
}

/// A request to set the clock, with one escape.
const SET_CLOCK_LENGTH: usize = 15;

/// After this time a meter has set its clock or will not.
const SET_LIMIT: Duration = Duration::from_secs(5);

fn confirmed(look: &Look) -> Result<bool, Failure> {
    let cannot = |error| Failure::unexpected("cannot ask", error);
    let mut err = io::stderr().lock();
    write!(
        err,
        "The meter's clock says {}, this computer's {} ({}).\nSet the meter's clock? [y/N] ",
        people(look.meter),
        people(look.computer),
        words(look.drift())
    )
    .and_then(|()| err.flush())
    .map_err(cannot)?;
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer).map_err(cannot)?;
    Ok(matches!(
        answer.trim().to_ascii_lowercase().as_str(),
        "y" | "yes"
    ))
}

fn show(report: &Report, console: &Console) -> Result<(), Failure> {
    if console.is_json() {
        return console.json(report);
    }
    let colour = match report.drift_seconds.abs() {
        0..=60 => style::GOOD,
        61..=600 => style::FAIR,
        _ => style::BAD,
    };
    console.line(format!(
        "meter     {}",
        report.meter_clock.replace('T', " ")
    ))?;
    console.line(format!(
        "computer  {}",
        report.computer_clock.replace('T', " ")
    ))?;
    console.line(format!(
        "          {}",
        styled(colour, words(report.drift_seconds))
    ))?;
    if report.keeps_standard_time {
        note("the meter keeps standard time in summer, and is compared with that");
    }
    if report.set {
        note("the clock was set and read back");
    }
    Ok(())
}

fn people(moment: DateTime) -> String {
    moment.strftime("%Y-%m-%d %H:%M:%S").to_string()
}

fn words(drift: i64) -> String {
    let amount = duration::format(Duration::from_secs(drift.unsigned_abs()));
    match drift {
        0 => "they agree".to_owned(),
        1.. => format!("the meter is {amount} ahead"),
        _ => format!("the meter is {amount} behind"),
    }
}

#[cfg(test)]
mod tests {
    use heatmeter_catalog::reading::{Content, Quality};

    use super::*;

    #[test]
    fn the_clock_stands_in_two_registers_or_in_one() {
        let reading = |id: u16, value: &str| Reading {
            value: Some(Content::Text(value.to_owned())),
            ..Reading::without(RegisterId(id), Quality::Good)
        };
        let date = reading(1003, "2026-11-22");
        let time = reading(1002, "17:35:30");
        let both = reading(348, "2026-11-22T17:35:31");
        let expected = |text: &str| Some(text.parse().unwrap());
        assert_eq!(
            clock_in(&[date.clone(), time, both.clone()]),
            expected("2026-11-22T17:35:30")
        );
        assert_eq!(clock_in(&[both]), expected("2026-11-22T17:35:31"));
        assert_eq!(clock_in(&[date]), None);
    }

    #[test]
    fn drift_is_told_in_words() {
        assert_eq!(words(0), "they agree");
        assert_eq!(words(-75), "the meter is 1 min 15 s behind");
        assert_eq!(words(3), "the meter is 3 s ahead");
    }
}

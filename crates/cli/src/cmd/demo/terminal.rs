//! `heatmeter demo --terminal`: the meter read live, where there is no browser.

use std::collections::BTreeMap;
use std::time::Duration;

use heatmeter_catalog::reading::Reading;
use heatmeter_catalog::{Language, RegisterId};
use heatmeter_client::Port;
use heatmeter_simulator::{Config, Model};
use tokio::time::{Instant, sleep_until};

use super::{Args, serve};
use crate::args::Line;
use crate::cmd::asked_to_end;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::meter::Meter;
use crate::output::style::{self, styled};
use crate::output::table::{Align, Cell, Table};
use crate::output::{Console, Screen, sparkline};
use crate::poll::Poll;
use crate::reading;
use crate::wall_clock;

/// How many seconds of the house pass in one: a day takes not quite five minutes.
const SPEED: f64 = 300.0;

/// From one reading to the next.
const PAUSE: Duration = Duration::from_millis(500);

/// What is shown, as a reader of a real meter would choose it.
const REGISTERS: [RegisterId; 9] = [
    RegisterId(60),
    RegisterId(68),
    RegisterId(80),
    RegisterId(74),
    RegisterId(86),
    RegisterId(87),
    RegisterId(89),
    DATE,
    CLOCK,
];
const DATE: RegisterId = RegisterId(1003);
const CLOCK: RegisterId = RegisterId(1002);

pub(super) async fn run(args: &Args, verbose: u8, console: &Console) -> Result<Exit, Failure> {
    let mut config = Config::new(Model::M403).seed(args.seed).speed(SPEED);
    if let Some(now) = wall_clock::to_meter(wall_clock::local().datetime()) {
        config = config.start(now);
    }
    let server = serve(config, None).await?;
    let port: Port = server.listening().parse().map_err(|_| {
        Failure::usage(
            format!(
                "the simulated meter listens at an odd place: {}",
                server.listening()
            ),
            "please report this",
        )
    })?;
    let line = Line {
        port,
        timeout: None,
        record: None,
    };
    let meter = Meter::new(&line, verbose)?.at_speed(SPEED);
    let ends = args.span.map(|span| Instant::now() + span);
    let end = asked_to_end()?;
    tokio::select! {
        result = server.run(std::future::pending()) => result?,
        result = show(meter, ends, console) => result?,
        () = end => {}
    }
    if !console.is_json() {
        console.line(AFTERWARDS)?;
    }
    Ok(Exit::Ok)
}

async fn show(mut meter: Meter, ends: Option<Instant>, console: &Console) -> Result<(), Failure> {
    if !console.is_json() {
        console.line(INTRODUCTION)?;
    }
    let mut screen = console.is_live().then(Screen::new);
    let mut trends = Trends::default();
    loop {
        let next = Instant::now() + PAUSE;
        let poll = Poll::take(&mut meter, None, |_| REGISTERS.to_vec()).await?;
        trends.push(&poll.readings);
        match &mut screen {
            Some(screen) => screen.draw(&picture(&poll, &trends))?,
            None if console.is_json() => console.json(&poll)?,
            None => console.line(plain(&poll.readings))?,
        }
        if ends.is_some_and(|ends| next >= ends) {
            return Ok(());
        }
        sleep_until(next).await;
    }
}

const INTRODUCTION: &str = "\
A simulated house with a simulated MULTICAL 403: radiators by the weather, now
and then a shower. Five minutes pass in every second. It is read as a real
meter is, frame by frame.
";

const AFTERWARDS: &str = "
What next:
  heatmeter simulate --model 403 --pty /tmp/meter    a meter of your own to try things with
  heatmeter read /tmp/meter                          ... in another terminal
  heatmeter ports                                    with a real head: is it there, may I open it
  heatmeter align PORT                               put the head in the right place";

/// The last values of each register.
#[derive(Default)]
struct Trends {
    values: BTreeMap<u16, Vec<Option<f64>>>,
}

impl Trends {
    /// As many readings as the trend shows.
    const LENGTH: usize = 40;

    fn push(&mut self, readings: &[Reading]) {
        for reading in readings {
            let values = self.values.entry(reading.register.0).or_default();
            // A drawing is no value: a float is exact enough for it.
            values.push(reading.number().map(kamstrup_kmp::Decimal::to_f64));
            if values.len() > Self::LENGTH {
                values.remove(0);
            }
        }
    }

    fn draw(&self, register: u16) -> String {
        let values = self.values.get(&register).map_or(&[][..], Vec::as_slice);
        sparkline::draw(values, Self::LENGTH)
    }
}

fn picture(poll: &Poll, trends: &Trends) -> Vec<String> {
    let mut table = Table::new([Align::Left, Align::Point, Align::Left, Align::Left]);
    for reading in measured(&poll.readings) {
        table.row([
            Cell::new(reading.label(Language::En)),
            reading::value_cell(reading),
            Cell::styled(style::DIM, reading.unit_text().unwrap_or_default()),
            Cell::styled(style::GOOD, trends.draw(reading.register.0)),
        ]);
    }
    let mut lines = vec![
        poll.meter.headline(),
        styled(
            style::DIM,
            format!("the meter's clock says {}", clock(&poll.readings)),
        ),
        String::new(),
    ];
    lines.extend(table.lines());
    lines.push(String::new());
    lines.push(styled(style::DIM, "Ctrl-C ends"));
    lines
}

/// A reading in one line, for where nothing can be drawn.
fn plain(readings: &[Reading]) -> String {
    let values = measured(readings).map(|reading| {
        let value = reading::value(reading).unwrap_or_else(|| "–".to_owned());
        format!("{value} {}", reading.unit_text().unwrap_or_default())
    });
    let values: Vec<String> = values.collect();
    format!("{}  {}", clock(readings), values.join("  "))
}

/// Everything but the clock.
fn measured(readings: &[Reading]) -> impl Iterator<Item = &Reading> {
    readings
        .iter()
        .filter(|reading| ![DATE, CLOCK].contains(&reading.register))
}

fn clock(readings: &[Reading]) -> String {
    let value = |id: RegisterId| {
        let reading = readings.iter().find(|reading| reading.register == id);
        reading.and_then(reading::value).unwrap_or_default()
    };
    format!("{} {}", value(DATE), value(CLOCK))
}

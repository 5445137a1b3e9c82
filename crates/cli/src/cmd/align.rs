//! `heatmeter align`: puts the head in the right place.

use std::io::{self, Write};
use std::time::Duration;

use heatmeter_client::{Alignment, Attempt, PortError, Probe};
use kamstrup_kmp::Verdict;
use kamstrup_kmp::session;
use serde::Serialize;
use tokio::time::{Instant, sleep_until};

use crate::args::Line;
use crate::cmd::asked_to_end;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::line_log;
use crate::output::style::{self, styled};
use crate::output::{Console, Screen, screen, sparkline};
use crate::wall_clock;
use crate::who::Who;
use heatmeter_gateway::duration;

/// Put the head in the right place, with a live picture
///
/// Sends one tiny request about every second and shows what comes of it: a bar that follows your hand,
/// the score of the last minute, what is seen and what to try next. Move the head by a few millimetres
/// and give each place some seconds.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  heatmeter align /dev/serial/by-id/usb-FTDI_...
  heatmeter align --bell socket://192.168.1.20:2217
  heatmeter align --count 30 --json /dev/ttyUSB0

With --count the exit code is that of what prevailed in the last minute: 0 if it was answers.")]
pub(crate) struct Args {
    #[command(flatten)]
    line: Line,

    /// End after so many requests
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    count: Option<u64>,

    /// Ring the terminal's bell at each answer, to look at the head and not at the screen
    #[arg(long)]
    bell: bool,
}

pub(crate) async fn run(args: &Args, verbose: u8, console: &Console) -> Result<Exit, Failure> {
    let port = args.line.port.to_string();
    let mut probe = Probe::new(args.line.port.clone(), args.line.timeout);
    let (recorder, seen) = line_log::recorder(&args.line, verbose)?;
    probe.record(recorder);
    let mut view = View::new(console);
    let mut alignment = Alignment::default();
    let mut who = None;
    let started = Instant::now();
    let end = asked_to_end()?;
    tokio::pin!(end);
    for number in 1.. {
        let next = Instant::now() + PAUSE;
        let attempt = tokio::select! {
            biased;
            () = &mut end => return Ok(Exit::Ok),
            attempt = probe.attempt_observed(|attempt| log(attempt, seen.as_ref())) => attempt,
        };
        let attempt = match attempt {
            // What was never there will not come by waiting.
            Attempt {
                trouble: Some(error),
                ..
            } if number == 1 && error.verdict() != Verdict::PortLost => return Err(error.into()),
            attempt => attempt,
        };
        alignment.push(started.elapsed(), attempt.verdict);
        if attempt.meter_type.is_some() {
            who = Some(Who::of(attempt.meter_type).headline());
        }
        if args.bell && attempt.verdict == Verdict::Ok {
            ring();
        }
        let mut shown = Shown::new(number, &port, &alignment, &attempt);
        shown.state.who.clone_from(&who);
        view.show(&shown)?;
        if args.count == Some(number) {
            break;
        }
        tokio::select! {
            biased;
            () = &mut end => return Ok(Exit::Ok),
            () = sleep_until(next) => {}
        }
    }
    Ok(alignment.prevailing().into())
}

/// Logs a request and what came of it.
fn log(attempt: &session::Attempt, seen: Option<&line_log::Shown>) {
    if let Some(seen) = seen {
        seen.flush();
    }
    line_log::attempt(attempt);
}

/// From one request to the next.
const PAUSE: Duration = Duration::from_secs(1);

/// An attempt as JSON.
#[derive(Clone, Debug, Serialize)]
struct Shown {
    time: String,
    port: String,
    attempt: u64,
    verdict: &'static str,
    message: String,
    next: String,
    score: u32,
    seconds: f64,
    /// Seconds after which the eye falls asleep, if it looks like that.
    sleeps_after: Option<u64>,
    #[serde(skip)]
    state: State,
}

/// What is only drawn.
#[derive(Clone, Debug)]
struct State {
    verdict: Verdict,
    now: f64,
    history: Vec<Verdict>,
    who: Option<String>,
}

impl Shown {
    fn new(number: u64, port: &str, alignment: &Alignment, attempt: &Attempt) -> Self {
        let verdict = alignment.verdict();
        let sleeps_after = alignment.sleeps_after();
        let (message, next) = match (&attempt.trouble, sleeps_after) {
            (Some(error), _) => (error.to_string(), PortError::help(error)),
            (None, Some(awake)) if verdict == Verdict::Asleep => (
                format!(
                    "The answers stop {} after each wake: the eye falls asleep.",
                    duration::format(awake)
                ),
                alignment.next_step().text.to_owned(),
            ),
            (None, _) => (
                verdict.message().to_owned(),
                alignment.next_step().text.to_owned(),
            ),
        };
        Self {
            time: wall_clock::utc(),
            port: port.to_owned(),
            attempt: number,
            verdict: verdict.code(),
            message,
            next,
            score: alignment.score(),
            seconds: (attempt.took.as_secs_f64() * 1000.0).round() / 1000.0,
            sleeps_after: sleeps_after.map(|awake| awake.as_secs()),
            state: State {
                verdict,
                now: alignment.now(),
                history: alignment.history(HISTORY).collect(),
                who: None,
            },
        }
    }
}

/// So many requests are shown side by side.
const HISTORY: usize = 60;

/// Shows attempts in one of three ways.
enum View<'a> {
    Json(&'a Console),
    Lines { console: &'a Console, said: String },
    Screen(Screen),
}

impl<'a> View<'a> {
    fn new(console: &'a Console) -> Self {
        if console.is_json() {
            Self::Json(console)
        } else if console.is_live() {
            Self::Screen(Screen::new())
        } else {
            Self::Lines {
                console,
                said: String::new(),
            }
        }
    }

    fn show(&mut self, shown: &Shown) -> Result<(), Failure> {
        match self {
            Self::Json(console) => console.json(shown),
            Self::Screen(screen) => screen.draw(&picture(shown, screen::size())),
            Self::Lines { console, said } => {
                console.line(format!(
                    "{}  {:>3}  {}  {}",
                    styled(style::DIM, wall_clock::local_time()),
                    shown.score,
                    styled(
                        colour(shown.state.verdict),
                        format!("{:<17}", shown.verdict)
                    ),
                    shown.message,
                ))?;
                if *said != shown.next {
                    console.line(format!(
                        "               {} {}",
                        styled(style::HELP, "next:"),
                        shown.next
                    ))?;
                    said.clone_from(&shown.next);
                }
                Ok(())
            }
        }
    }
}

/// The screen that is drawn over and over, for a terminal of so many columns and rows.
///
/// Verdict and next step are what it is for: on a small terminal all else makes room for them.
fn picture(shown: &Shown, (columns, rows): (usize, usize)) -> Vec<String> {
    let state = &shown.state;
    let score_style = match shown.score {
        80.. => style::GOOD,
        30..80 => style::FAIR,
        _ => style::BAD,
    };
    let history: String = state
        .history
        .iter()
        .map(|&verdict| styled(colour(verdict), mark(verdict)))
        .collect();
    let title = format!(
        "{}  {}",
        styled(style::STRONG, "heatmeter align"),
        shown.port
    );
    let who = state
        .who
        .clone()
        .unwrap_or_else(|| styled(style::DIM, "no meter yet"));
    let now = styled(colour(state.verdict), sparkline::bar(state.now, BAR));
    let minute = styled(
        score_style,
        sparkline::bar(f64::from(shown.score) / 100.0, BAR),
    );
    let score = styled(score_style, format!("{:>3}", shown.score));
    let verdict = styled(colour(state.verdict), shown.verdict);
    let hint = styled(
        style::DIM,
        format!("  request {}; Ctrl-C ends", shown.attempt),
    );

    let blank = || (Rank::Space, String::new());
    let mut lines = vec![
        (Rank::Title, title),
        (Rank::Meter, who),
        blank(),
        (Rank::Now, format!("  now    {now}")),
        (Rank::Minute, format!("  minute {minute}  {score}")),
        (Rank::History, format!("         {history}")),
        blank(),
    ];
    lines.extend(paragraph(
        &verdict,
        shown.verdict.len(),
        &shown.message,
        columns,
    ));
    lines.push(blank());
    lines.extend(paragraph(
        &styled(style::HELP, "next:"),
        5,
        &shown.next,
        columns,
    ));
    lines.extend([blank(), (Rank::Hint, hint)]);
    // The last row is the cursor's.
    for rank in Rank::FIRST_TO_GO {
        if lines.len() >= rows {
            lines.retain(|(of, _)| *of != rank);
        }
    }
    lines.into_iter().map(|(_, line)| line).collect()
}

/// What a line of the screen is for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Rank {
    Space,
    Hint,
    Title,
    History,
    Now,
    Meter,
    Minute,
    Words,
}

impl Rank {
    const FIRST_TO_GO: [Self; 7] = [
        Self::Space,
        Self::Hint,
        Self::Title,
        Self::History,
        Self::Now,
        Self::Meter,
        Self::Minute,
    ];
}

/// A heading of so many places, and a text wrapped beside it.
fn paragraph(heading: &str, places: usize, text: &str, columns: usize) -> Vec<(Rank, String)> {
    let indent = " ".repeat(4 + places);
    let beside = |(row, text): (usize, String)| match row {
        0 => format!("  {heading}  {text}"),
        _ => format!("{indent}{text}"),
    };
    wrapped(text, columns.saturating_sub(indent.len() + 1).clamp(12, 72))
        .into_iter()
        .enumerate()
        .map(|line| (Rank::Words, beside(line)))
        .collect()
}

/// How many places a bar has.
const BAR: usize = 40;

fn colour(verdict: Verdict) -> anstyle::Style {
    match verdict {
        Verdict::Ok => style::GOOD,
        Verdict::CrcMismatch | Verdict::Truncated | Verdict::UnexpectedAnswer => style::FAIR,
        _ => style::BAD,
    }
}

/// One place of the history.
fn mark(verdict: Verdict) -> char {
    match verdict {
        Verdict::Ok => '█',
        Verdict::CrcMismatch | Verdict::Truncated | Verdict::UnexpectedAnswer => '▄',
        Verdict::Noise | Verdict::EchoMangled | Verdict::WrongProtocol => '▂',
        Verdict::EchoOnly => '▁',
        _ => '·',
    }
}

/// A sentence in lines of at most so many characters.
fn wrapped(text: &str, columns: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let line = match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= columns => line,
            _ => {
                lines.push(String::new());
                let last = lines.len() - 1;
                &mut lines[last]
            }
        };
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    lines
}

fn ring() {
    let mut err = io::stderr().lock();
    // Where standard error is closed there is no bell.
    let _ = err.write_all(b"\x07").and_then(|()| err.flush());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn on_a_small_terminal_the_next_step_stays() {
        let shown = Shown {
            time: String::new(),
            port: "/dev/ttyUSB0".to_owned(),
            attempt: 7,
            verdict: Verdict::CrcMismatch.code(),
            message: Verdict::CrcMismatch.message().to_owned(),
            next: "Turn the head half round, lower it by two millimetres.".to_owned(),
            score: 40,
            seconds: 0.5,
            sleeps_after: None,
            state: State {
                verdict: Verdict::CrcMismatch,
                now: 0.4,
                history: vec![Verdict::Silent, Verdict::CrcMismatch],
                who: None,
            },
        };
        let plain = |size| -> Vec<String> {
            let lines = picture(&shown, size);
            lines
                .iter()
                .map(|line| anstream::adapter::strip_str(line).to_string())
                .collect()
        };
        assert_eq!(plain((100, 40)).len(), 12, "room for everything");
        for rows in 1..14 {
            let lines = plain((70, rows));
            let words = lines
                .join(" ")
                .split_whitespace()
                .collect::<Vec<_>>()
                .join(" ");
            assert!(
                words.contains("(wrong checksum). next: Turn the head"),
                "{rows}: {words}"
            );
            assert!(lines.len() < rows.max(6), "{rows}: {lines:?}");
        }
        assert!(
            plain((60, 40))
                .iter()
                .all(|line| line.chars().count() <= 60)
        );
    }

    #[test]
    fn a_long_sentence_is_wrapped_between_words() {
        assert_eq!(wrapped("one two three", 7), ["one two", "three"]);
        assert_eq!(wrapped("", 7), [""]);
    }
}

//! `heatmeter simulate`: a meter without hardware.

mod orders;

use std::fmt::Write as _;
use std::net::{SocketAddr, ToSocketAddrs};
use std::path::PathBuf;
use std::time::Duration;

use clap::{ArgGroup, ValueHint};
use heatmeter_simulator::{Config, EnergyUnit, Fault, FaultKind, Model, serve_pty, serve_tcp};
use kamstrup_kmp::DateTime;
use serde::Serialize;

use crate::cmd::asked_to_end;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::Console;
use crate::wall_clock;
use heatmeter_gateway::duration;

/// Simulate a meter, with a house behind it
///
/// Its values agree with each other as a house's do, and everything follows from the seed. Prints one
/// line once it is ready: {"listening":"socket://127.0.0.1:40001"}. Ctrl-C ends it; SIGUSR1 presses a
/// key on it.
#[derive(Debug, clap::Args)]
#[command(after_help = after_help())]
#[command(group = ArgGroup::new("front").required(true).args(["tcp", "pty"]))]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own")]
pub(crate) struct Args {
    /// The model: 302, 303, 402, 403, 601, 602 or 603
    #[arg(long)]
    model: Model,

    /// Listen on this address, as a network bridge does; port 0 takes a free one
    #[arg(long, value_name = "ADDR", value_parser = address)]
    tcp: Option<SocketAddr>,

    /// Make a pseudo-terminal, as a serial port is, and a link to it if one is named
    #[arg(long, value_name = "LINK", num_args = 0..=1, value_hint = ValueHint::FilePath)]
    #[expect(
        clippy::option_option,
        reason = "how clap says: not given, given, given with a value"
    )]
    pty: Option<Option<PathBuf>>,

    /// Which house, which weather, which answers the faults hit
    #[arg(long, default_value_t = 1, help_heading = "House")]
    seed: u64,

    /// How many seconds of the house pass in one second
    #[arg(long, value_name = "X", default_value_t = 1.0, value_parser = speed, help_heading = "House")]
    speed: f64,

    /// What the meter's clock says at first: 2026-01-12T07:00, or now
    #[arg(long, value_name = "TIME", value_parser = start, help_heading = "House")]
    start: Option<DateTime>,

    /// The serial number
    #[arg(long, value_name = "N", help_heading = "House")]
    serial: Option<u32>,

    #[arg(
        long,
        help = "What energy is counted in: GJ, kWh, MWh or Gcal",
        help_heading = "House"
    )]
    unit: Option<EnergyUnit>,

    /// The head returns what is sent
    #[arg(long, help_heading = "Line")]
    echo: bool,

    /// Bytes take the time they take at 1200 baud
    #[arg(long, help_heading = "Line")]
    pace: bool,

    /// How long the meter thinks before it answers
    #[arg(long, value_name = "TIME", value_parser = duration::parse, default_value = "0s", help_heading = "Line")]
    turnaround: Duration,

    /// Keep the manufacturer's rules of time to the letter, as the pickiest meter would
    #[arg(long, help_heading = "Line")]
    strict: bool,

    /// After what time without a key press the eye falls asleep
    #[arg(long, value_name = "TIME", value_parser = duration::parse, help_heading = "Line")]
    sleep_after: Option<Duration>,

    /// After what time asleep somebody presses a key
    #[arg(long, value_name = "TIME", value_parser = duration::parse, requires = "sleep_after", help_heading = "Line")]
    wake_after: Option<Duration>,

    /// Damage this share of the answers, as in bit-flip=0.2; can be repeated
    #[arg(long = "fault", value_name = "KIND=RATE", help_heading = "Faults")]
    faults: Vec<Fault>,

    /// How late the fault `late` is
    #[arg(long, value_name = "TIME", value_parser = duration::parse, help_heading = "Faults")]
    late: Option<Duration>,

    /// How long the fault `port-gone` takes the port away
    #[arg(long, value_name = "TIME", value_parser = duration::parse, default_value = "3s", help_heading = "Faults")]
    gone_for: Duration,

    /// Take orders from standard input, one a line, and answer each with a line; its end ends the meter
    #[arg(long, help_heading = "Faults")]
    orders: bool,
}

/// What is printed once the meter is ready.
#[derive(Serialize)]
struct Ready<'a> {
    listening: &'a str,
}

pub(crate) async fn run(args: &Args, console: &Console) -> Result<Exit, Failure> {
    let server = match (args.tcp, &args.pty) {
        (Some(address), _) => serve_tcp(args.config(), address).await?,
        (None, link) => serve_pty(args.config(), link.as_ref().and_then(Option::as_deref))?,
    };
    let meter = server.handle();
    // From here on a signal ends it the clean way, as whoever reads the next line may expect.
    let end = asked_to_end()?;
    console.json(&Ready {
        listening: server.listening(),
    })?;
    let mut orders = Ok(());
    let stop = async {
        tokio::select! {
            () = end => {}
            result = orders::follow(&meter, console), if args.orders => orders = result,
        }
    };
    server.run(stop).await?;
    orders?;
    let journal = meter.journal();
    tracing::info!(
        "{} requests heard, {} missed, {} answers spoiled",
        journal.exchanges(),
        journal.unheard(),
        journal.spoiled()
    );
    Ok(Exit::Ok)
}

impl Args {
    fn config(&self) -> Config {
        let mut config = Config::new(self.model)
            .seed(self.seed)
            .speed(self.speed)
            .echo(self.echo)
            .pace(self.pace)
            .turnaround(self.turnaround)
            .strict(self.strict)
            .sleep_after(self.sleep_after)
            .wake_after(self.wake_after)
            .faults(self.faults.iter().copied())
            .gone_for(self.gone_for);
        if let Some(start) = self.start {
            config = config.start(start);
        }
        if let Some(serial) = self.serial {
            config = config.serial(serial);
        }
        if let Some(unit) = self.unit {
            config = config.energy_unit(unit);
        }
        if let Some(late) = self.late {
            config = config.late(late..=late);
        }
        config
    }
}

fn address(text: &str) -> Result<SocketAddr, String> {
    text.to_socket_addrs()
        .ok()
        .and_then(|mut addresses| addresses.next())
        .ok_or_else(|| "expected an address and a TCP port, such as 127.0.0.1:7401".to_owned())
}

fn speed(text: &str) -> Result<f64, String> {
    text.parse()
        .ok()
        .filter(|speed: &f64| speed.is_finite() && *speed >= 0.0)
        .ok_or_else(|| "expected a number from 0, such as 60".to_owned())
}

fn start(text: &str) -> Result<DateTime, String> {
    let moment = match text {
        "now" => wall_clock::local().datetime(),
        _ => text
            .parse()
            .map_err(|_| "expected a date and time such as 2026-01-12T07:00, or now")?,
    };
    wall_clock::to_meter(moment).ok_or_else(|| "a meter's clock runs from 2000 to 2099".to_owned())
}

fn after_help() -> String {
    let mut text = "\
Examples:
  heatmeter simulate --model 403 --tcp 127.0.0.1:7401
  heatmeter simulate --model 603 --pty /tmp/meter --echo --pace
  heatmeter simulate --model 602 --tcp 127.0.0.1:0 --seed 7 --fault wrong-crc=0.2

Orders:
  fault silence=1 drop=0.2    these faults from now on, and no others
  echo on | echo off          the head returns what is sent, or does not
  wake                        somebody presses a key
  clear                       no faults

Faults:
"
    .to_owned();
    for kind in FaultKind::ALL {
        let _ = writeln!(text, "  {:<18} {}", kind.name(), what_it_does(kind));
    }
    text
}

fn what_it_does(kind: FaultKind) -> &'static str {
    match kind {
        FaultKind::BitFlip => "one bit of the answer is turned",
        FaultKind::Burst => "up to 64 neighbouring bits are damaged",
        FaultKind::Drop => "one to three bytes are lost",
        FaultKind::Double => "one to three bytes come twice",
        FaultKind::NoiseBefore => "random bytes come before the answer",
        FaultKind::NoiseInside => "random bytes come inside the answer",
        FaultKind::NoiseEndless => "random bytes that go on until the next request",
        FaultKind::Truncate => "the answer breaks off",
        FaultKind::Silence => "no answer",
        FaultKind::Late => "the answer comes seconds late",
        FaultKind::WrongCrc => "the checksum is wrong, all else is right",
        FaultKind::MissingRegister => "one of the registers is left out",
        FaultKind::Ack => "a lone acknowledge byte in place of the answer",
        FaultKind::OtherAnswer => "a sound answer to something that was not asked",
        FaultKind::EchoMangled => "a damaged echo and nothing else",
        FaultKind::PeerClose => "the other side closes the connection",
        FaultKind::PortGone => "the port goes away and comes back",
        FaultKind::Drip => "one byte every 900 ms",
        FaultKind::WrongProtocol => "the answer of a meter with the older protocol",
        FaultKind::CrcForged => "a wrong value under a checksum that is right",
        _ => "",
    }
}

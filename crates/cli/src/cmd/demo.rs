//! `heatmeter demo`: see it work, without hardware.

mod past;
mod terminal;

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::Path;
use std::pin::pin;
use std::time::Duration;

use heatmeter_gateway::config::Config;
use heatmeter_gateway::duration;
use heatmeter_gateway::service::{Options, Service};
use heatmeter_simulator::{ServeError, Server, serve_pty, serve_tcp};
use serde::Serialize;
use tokio_util::sync::CancellationToken;

use crate::cmd::asked_to_end;
use crate::cmd::run::wrong;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{Console, note};

use past::Past;

/// Simulate a house with a meter, and show it in the browser: the gateway with a year of history
///
/// Needs nothing and leaves nothing behind. Ctrl-C ends it.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  heatmeter demo
  heatmeter demo --terminal --for 20s")]
pub(crate) struct Args {
    /// End after this time
    #[arg(long = "for", value_name = "TIME", value_parser = duration::parse)]
    span: Option<Duration>,

    /// Where the page is; if that is taken, on a free port
    #[arg(long, default_value_t = 8403)]
    port: u16,

    /// Which house, which weather
    #[arg(long, default_value_t = 1)]
    seed: u64,

    /// Show readings in the terminal, without gateway and page
    #[arg(long, conflicts_with = "port")]
    terminal: bool,
}

/// How many seconds of the house pass in one: enough to see something happen, not so much that today
/// has more heat in it than a day has.
const SPEED: f64 = 10.0;

/// Printed with --json once everything is started.
#[derive(Serialize)]
struct Ready<'a> {
    listening: String,
    port: &'a str,
    config: String,
    history_polls: usize,
}

pub(crate) async fn run(args: &Args, verbose: u8, console: &Console) -> Result<Exit, Failure> {
    if args.terminal {
        return terminal::run(args, verbose, console).await;
    }
    let mut end = pin!(asked_to_end()?);
    let started = async {
        let folder = tempfile::Builder::new()
            .prefix("heatmeter-demo-")
            .tempdir()
            .map_err(|error| Failure::unexpected("cannot make a temporary folder", error))?;
        note("making a year of history ...");
        Demo::start(args, folder).await
    };
    let demo = tokio::select! {
        demo = started => demo?,
        () = &mut end => return Ok(Exit::Ok),
    };
    demo.tell(console)?;

    let stop = CancellationToken::new();
    let ending = async {
        match args.span {
            Some(span) => tokio::select! {
                () = tokio::time::sleep(span) => {}
                () = &mut end => {}
            },
            None => end.await,
        }
        stop.cancel();
        // The gateway ends in its own time.
        std::future::pending::<()>().await;
    };
    tokio::select! {
        result = demo.service.run(stop.clone()) => result?,
        result = demo.meter.run(std::future::pending()) => result?,
        () = ending => {}
    }
    if !console.is_json() {
        console.line(AFTERWARDS)?;
    }
    drop(demo.folder);
    Ok(Exit::Ok)
}

const AFTERWARDS: &str = "
What next:
  heatmeter ports                                       with a real head: is it there, may I open it
  heatmeter align PORT                                  put the head in the right place
  heatmeter run --config heatmeter.toml --setup         the same page for your own meter";

/// Everything that is started.
struct Demo {
    meter: Server,
    service: Service,
    polls: usize,
    folder: tempfile::TempDir,
}

impl Demo {
    async fn start(args: &Args, folder: tempfile::TempDir) -> Result<Self, Failure> {
        let past = Past::new(args.seed, SPEED)?;
        let meter = serve(past.goes_on(), Some(&folder.path().join("meter"))).await?;
        let file = folder.path().join("heatmeter.toml");
        let text = configuration(meter.listening(), free(args.port));
        std::fs::write(&file, text)
            .map_err(|error| Failure::unexpected("cannot write the configuration", error))?;
        let config = Config::load(&file).map_err(|error| wrong(error, &file))?;
        let mut options = Options::new(Some(file));
        options.history = folder.path().join("history.db");
        options.is_demo = true;
        options.meter_speed = SPEED;
        let service = Service::prepare(config, options).await?;
        let polls = past.write(&service.history()).await?;
        Ok(Self {
            meter,
            service,
            polls,
            folder,
        })
    }

    /// Says where to look.
    fn tell(&self, console: &Console) -> Result<(), Failure> {
        let address = self.service.address();
        let listening = address.map_or_else(String::new, |address| format!("http://{address}"));
        let config = self.folder.path().join("heatmeter.toml");
        if console.is_json() {
            return console.json(&Ready {
                listening,
                port: self.meter.listening(),
                config: config.display().to_string(),
                history_polls: self.polls,
            });
        }
        console.line(format!(
            "\
A simulated house with a simulated MULTICAL 403, read through a simulated optical
head, and the gateway with the last 13 months of it. Ten seconds pass in each.

  page      {listening}/
  API       {listening}/openapi.json
  metrics   {listening}/metrics
  config    {}

Ctrl-C ends it and leaves nothing behind.",
            config.display()
        ))
    }
}

/// A pseudo-terminal is what a real head looks like; where there is none, a TCP port does as well.
async fn serve(
    config: heatmeter_simulator::Config,
    link: Option<&Path>,
) -> Result<Server, Failure> {
    match serve_pty(config.clone(), link) {
        Err(ServeError::Pty(_)) => {
            Ok(serve_tcp(config, SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).await?)
        }
        other => Ok(other?),
    }
}

/// This port, or one that is free.
fn free(port: u16) -> u16 {
    let local = |port| TcpListener::bind((Ipv4Addr::LOCALHOST, port));
    local(port)
        .or_else(|_| local(0))
        .and_then(|listener| listener.local_addr())
        .map_or(port, |address| address.port())
}

fn configuration(meter: &str, port: u16) -> String {
    format!(
        "\
# The configuration of this demonstration: a real one, in a temporary folder. Change it here or on the page.

[web]
listen = \"127.0.0.1:{port}\"

[[meter]]
name = \"Demonstration\"
port = \"{meter}\"
schedule = \"every 10 s\"    # far too often for the battery of a real meter
mains_powered = true
"
    )
}

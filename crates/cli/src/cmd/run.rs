//! `heatmeter run`: the gateway.

use std::io;
use std::path::{Path, PathBuf};

use clap::ValueHint;
use heatmeter_gateway::config::{Config, ConfigError};
use heatmeter_gateway::service::{Options, Service};
use serde::Serialize;
use tokio_util::sync::CancellationToken;

use crate::exit::Exit;
use crate::failure::Failure;
use crate::memory;
use crate::output::Console;

/// Run the gateway: read meters on a schedule, keep their history, and hand values on
///
/// What it does is written in one TOML file, in which `port = "/dev/..."` alone is enough; see
/// `heatmeter check-config`. SIGHUP reads the file again, SIGUSR1 reads all meters now, SIGTERM ends
/// it. It exits with 2 if the configuration is wrong, and with 3 if its address or its history cannot be
/// had.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  heatmeter run --config heatmeter.toml
  heatmeter run --config heatmeter.toml --setup    begin without one, in the browser
  heatmeter run --config heatmeter.toml --json     say in one line of JSON where it listens")]
pub(crate) struct Args {
    /// The configuration; without it heatmeter.toml in `$CONFIGURATION_DIRECTORY` or /etc/heatmeter
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    config: Option<PathBuf>,

    /// Make an empty configuration if there is none, to be filled in on the page
    #[arg(long, requires = "config")]
    setup: bool,
}

/// Printed with --json once everything is started.
#[derive(Serialize)]
struct Ready {
    listening: String,
}

pub(crate) async fn run(args: &Args, console: &Console) -> Result<Exit, Failure> {
    let path = match &args.config {
        Some(path) => path.clone(),
        None => usual()?,
    };
    if args.setup && !path.exists() {
        begin(&path)?;
    }
    let config = Config::load(&path).map_err(|error| wrong(error, &path))?;
    let service = Service::prepare(config, Options::new(Some(path))).await?;
    if console.is_json()
        && let Some(address) = service.address()
    {
        console.json(&Ready {
            listening: format!("http://{address}"),
        })?;
    }
    tokio::select! {
        ended = service.run(CancellationToken::new()) => ended?,
        never = memory::give_back_by_and_by() => match never {},
    }
    Ok(Exit::Ok)
}

/// The configuration's usual places; the first that is there.
pub(crate) fn usual() -> Result<PathBuf, Failure> {
    const FILE: &str = "heatmeter.toml";
    let folder = std::env::var_os("CONFIGURATION_DIRECTORY");
    let places = [
        folder.map(|folder| Path::new(&folder).join(FILE)),
        Some(Path::new("/etc/heatmeter").join(FILE)),
    ];
    let mut places = places.into_iter().flatten();
    places.find(|place| place.exists()).ok_or_else(|| {
        Failure::usage(
            "there is no configuration: neither --config nor /etc/heatmeter/heatmeter.toml",
            "begin with: heatmeter run --config heatmeter.toml --setup, and open the page",
        )
    })
}

/// Makes a configuration in which nothing stands yet.
fn begin(path: &Path) -> Result<(), Failure> {
    const TEXT: &str = "\
# The configuration of heatmeter. The page's Set-up writes here, and you may, too; all keys are listed by
# `heatmeter check-config --example`.
";
    std::fs::write(path, TEXT).map_err(|error| {
        Failure::usage(
            format!("cannot write {}: {error}", path.display()),
            "choose a file in a folder that you may write to",
        )
    })
}

/// What is wrong with a configuration, as a failure.
pub(crate) fn wrong(error: ConfigError, path: &Path) -> Failure {
    match error {
        ConfigError::Unreadable { path, source } => Failure::usage(
            format!("cannot read {}: {source}", path.display()),
            match source.kind() {
                io::ErrorKind::NotFound => format!(
                    "begin with: heatmeter run --config {} --setup, and open the page",
                    path.display()
                ),
                io::ErrorKind::PermissionDenied => format!(
                    "let the user that heatmeter runs as read it, such as with: chown heatmeter {}",
                    path.display()
                ),
                _ => "name a file that heatmeter can read".to_owned(),
            },
        ),
        error => Failure::Config {
            file: path.display().to_string(),
            text: error.to_string(),
        },
    }
}

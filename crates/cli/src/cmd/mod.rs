//! The commands, one file each.

pub(crate) mod align;
pub(crate) mod backup;
pub(crate) mod check_config;
pub(crate) mod clock;
pub(crate) mod completions;
pub(crate) mod decode;
pub(crate) mod demo;
pub(crate) mod export;
pub(crate) mod man;
pub(crate) mod ports;
pub(crate) mod read;
pub(crate) mod run;
pub(crate) mod simulate;
pub(crate) mod watch;

use std::io;

use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::filter::LevelFilter;

use crate::args::{Args, Command};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::Console;
use crate::wall_clock::LogTime;

/// Runs the command, and says why it failed if it did.
pub(crate) fn run(args: Args) -> Exit {
    let console = Console::new(args.global.json, args.global.color);
    // A service tells what it does, wherever its standard error goes.
    let says_more = u8::from(matches!(args.command, Command::Run(_)));
    log_to_stderr(args.global.verbose + says_more);
    let verbose = args.global.verbose;
    let result = match args.command {
        Command::Ports(args) => ports::run(&args, &console),
        Command::Read(args) => on_runtime(read::run(&args, verbose, &console)),
        Command::Watch(args) => on_runtime(watch::run(&args, verbose, &console)),
        Command::Align(args) => on_runtime(align::run(&args, verbose, &console)),
        Command::Clock(args) => on_runtime(clock::run(&args, verbose, &console)),
        Command::Decode(args) => decode::run(&args, &console),
        Command::Simulate(args) => on_runtime(simulate::run(&args, &console)),
        Command::Demo(args) => on_runtime(demo::run(&args, verbose, &console)),
        Command::Run(args) => on_runtime(run::run(&args, &console)),
        Command::CheckConfig(args) => on_runtime(check_config::run(&args, &console)),
        Command::Backup(args) => backup::run(&args, &console),
        Command::Export(args) => export::run(&args, &console),
        Command::Completions(args) => completions::run(&args, &console),
        Command::Man(args) => man::run(&args, &console),
    };
    result.unwrap_or_else(|failure| {
        console.failure(&failure);
        failure.exit()
    })
}

/// Runs a command that waits for several things at once; one thread is enough for all of them.
fn on_runtime(command: impl Future<Output = Result<Exit, Failure>>) -> Result<Exit, Failure> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::unexpected("cannot start the runtime", error))?
        .block_on(command)
}

/// Done when somebody asks the program to end: Ctrl-C, or a service manager. The signals are caught from
/// this call on.
fn asked_to_end() -> Result<impl Future<Output = ()>, Failure> {
    let catch =
        |kind| signal(kind).map_err(|error| Failure::unexpected("cannot catch signals", error));
    let mut interrupted = catch(SignalKind::interrupt())?;
    let mut terminated = catch(SignalKind::terminate())?;
    Ok(async move {
        tokio::select! {
            _ = interrupted.recv() => {}
            _ = terminated.recv() => {}
        }
    })
}

fn log_to_stderr(verbose: u8) {
    let level = match verbose {
        0 => LevelFilter::WARN,
        1 => LevelFilter::INFO,
        2 => LevelFilter::DEBUG,
        _ => LevelFilter::TRACE,
    };
    tracing_subscriber::fmt()
        .with_max_level(level)
        .with_timer(LogTime)
        .with_target(verbose > 2)
        .with_ansi(anstream::AutoStream::choice(&io::stderr()) != anstream::ColorChoice::Never)
        .with_writer(io::stderr)
        .init();
}

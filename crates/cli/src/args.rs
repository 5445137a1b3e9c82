//! The command line as it is typed: one source for parsing, `--help`, completions and man page.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use clap::error::ErrorKind;
use clap::{Parser, Subcommand, ValueHint};
use heatmeter_catalog::{Model, RegisterId};
use heatmeter_client::Port;

use crate::cmd;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{Color, Console, style};
use heatmeter_gateway::duration;

/// Reads the arguments. What is wrong with them, and what was only asked about them, is said here.
pub(crate) fn parse(arguments: impl Iterator<Item = OsString>) -> Result<Args, Exit> {
    let arguments: Vec<_> = arguments.collect();
    let error = match Args::try_parse_from(&arguments) {
        Ok(args) => return Ok(args),
        Err(error) => error,
    };
    let wants_json = arguments.iter().any(|argument| argument == "--json");
    if wants_json && error.use_stderr() {
        let text = error.render().to_string();
        let failure = Failure::usage(message_of(&text), "see `heatmeter --help`");
        Console::new(true, Color::Auto).failure(&failure);
        return Err(Exit::Usage);
    }
    // Where the output is closed there is nobody to tell.
    let _ = error.print();
    Err(match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => Exit::Ok,
        _ => Exit::Usage,
    })
}

/// Reads Kamstrup heat meters through the optical eye on their front.
#[derive(Debug, Parser)]
#[command(
    name = "heatmeter",
    version,
    styles = style::HELP_TEXT,
    max_term_width = 100,
    disable_help_subcommand = true,
    after_help = "\
A PORT is /dev/..., socket://HOST:PORT (or tcp://) or rfc2217://HOST:PORT.

Begin with:
  heatmeter demo                 see it work, without hardware
  heatmeter ports                which serial ports are there
  heatmeter align PORT           put the head in the right place
  heatmeter read PORT            read the meter

Exit codes: 0 all right, 1 unexpected failure, 2 wrong usage, 3 the port, 4 silence, 5 only an
echo, 6 nothing usable, 7 registers not in this meter, 8 another protocol."
)]
pub(crate) struct Args {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What holds for every command.
#[derive(Clone, Copy, Debug, clap::Args)]
pub(crate) struct Global {
    /// Print JSON on standard output, and nothing else there
    #[arg(long, global = true, help_heading = "Output")]
    pub(crate) json: bool,

    /// Tell on standard error what happens: -v exchanges, -vv bytes, -vvv everything
    #[arg(short, long, global = true, action = clap::ArgAction::Count, help_heading = "Output")]
    pub(crate) verbose: u8,

    /// When to use colours: auto (on a terminal, unless `NO_COLOR` is set), always or never
    #[arg(
        long,
        global = true,
        value_name = "WHEN",
        default_value = "auto",
        hide_possible_values = true,
        hide_default_value = true,
        help_heading = "Output"
    )]
    pub(crate) color: Color,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Ports(cmd::ports::Args),
    Read(cmd::read::Args),
    Watch(cmd::watch::Args),
    Align(cmd::align::Args),
    Clock(cmd::clock::Args),
    Decode(cmd::decode::Args),
    Simulate(cmd::simulate::Args),
    Demo(cmd::demo::Args),
    Run(cmd::run::Args),
    CheckConfig(cmd::check_config::Args),
    Backup(cmd::backup::Args),
    Export(cmd::export::Args),
    Completions(cmd::completions::Args),
    Man(cmd::man::Args),
}

/// The way to the meter, for every command that takes one.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Line {
    /// Where the meter is: /dev/..., socket://HOST:PORT (or tcp://) or rfc2217://HOST:PORT
    #[arg(value_hint = ValueHint::FilePath)]
    pub(crate) port: Port,

    /// How long to wait for an answer to begin: 2s, and more where a slow network is between
    #[arg(
        long,
        value_name = "TIME",
        value_parser = duration::parse,
        help_heading = "Line"
    )]
    pub(crate) timeout: Option<Duration>,

    /// Write every exchange with its timing to a file
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, help_heading = "Line")]
    pub(crate) record: Option<PathBuf>,
}

/// What to read.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Selection {
    /// Registers by key (`heat_energy`) or number (60, 0x3c); none means the model's usual ones
    #[arg(value_name = "REGISTER", value_parser = register)]
    pub(crate) registers: Vec<RegisterId>,

    /// Take the meter for this model instead of asking it
    #[arg(long, value_name = "MODEL", value_parser = model)]
    pub(crate) model: Option<&'static Model>,
}

impl Selection {
    /// Each register that was named once, in the order given.
    pub(crate) fn unique(&self) -> Vec<RegisterId> {
        let mut unique = Vec::new();
        for id in &self.registers {
            if !unique.contains(id) {
                unique.push(*id);
            }
        }
        unique
    }
}

/// A register by its key or number.
pub(crate) fn register(text: &str) -> Result<RegisterId, String> {
    let number = match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        Some(hex) => u16::from_str_radix(hex, 16).ok(),
        None => text.parse().ok(),
    };
    if let Some(number) = number {
        return Ok(RegisterId(number));
    }
    if let Some(register) = heatmeter_catalog::register_by_key(text) {
        return Ok(register.id);
    }
    if text.starts_with(|c: char| c.is_ascii_digit()) {
        return Err("a register's number lies between 0 and 65535 (0xffff)".to_owned());
    }
    Err(match heatmeter_catalog::nearest_key(text) {
        Some(near) => format!("there is no register `{text}`; did you mean `{near}`?"),
        None => format!(
            "there is no register `{text}`; `heatmeter read PORT --all --json` shows the keys"
        ),
    })
}

fn model(text: &str) -> Result<&'static Model, String> {
    heatmeter_catalog::model(text).ok_or_else(|| {
        let known: Vec<_> = heatmeter_catalog::models()
            .iter()
            .map(|model| model.slug)
            .collect();
        format!(
            "there is no model `{text}`, expected one of {}",
            known.join(", ")
        )
    })
}

/// The sentence of clap's message, without usage and hints.
fn message_of(rendered: &str) -> String {
    let text = rendered.strip_prefix("error: ").unwrap_or(rendered);
    let end = text.find("\n\n").unwrap_or(text.len());
    text[..end].split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_definition_of_the_arguments_is_sound() {
        Args::command().debug_assert();
    }

    #[test]
    fn a_register_is_a_key_or_a_number() {
        assert_eq!(register("heat_energy"), Ok(RegisterId(60)));
        assert_eq!(register("60"), Ok(RegisterId(60)));
        assert_eq!(register("0x3c"), Ok(RegisterId(60)));
        assert_eq!(
            register("heat_enery"),
            Err("there is no register `heat_enery`; did you mean `heat_energy`?".to_owned())
        );
        assert!(register("70000").unwrap_err().contains("65535"));
        assert!(register("0xzz").is_err());
    }
}

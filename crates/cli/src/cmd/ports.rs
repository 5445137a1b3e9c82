//! `heatmeter ports`: which serial ports are there.

use heatmeter_client::{Access, Holder, Machine, SerialPort};
use serde::Serialize;

use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::style::{self, styled};
use crate::output::{Console, note};

/// List serial ports: what is plugged in, who holds it, may I open it
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Example:
  heatmeter ports

Nothing is sent to any port. Use the path below /dev/serial/by-id: it stays the same.")]
pub(crate) struct Args {}

/// A port as JSON.
#[derive(Debug, Serialize)]
struct Row {
    port: String,
    device: String,
    description: Option<String>,
    usb_id: Option<String>,
    serial: Option<String>,
    holders: Vec<HolderRow>,
    allowed: bool,
    help: Option<String>,
}

#[derive(Debug, Serialize)]
struct HolderRow {
    pid: u32,
    command: String,
}

pub(crate) fn run(_args: &Args, console: &Console) -> Result<Exit, Failure> {
    let ports = Machine::this().serial_ports();
    if console.is_json() {
        for port in &ports {
            console.json(&Row::from(port))?;
        }
        return Ok(Exit::Ok);
    }
    if ports.is_empty() {
        note(
            "there is no serial port on this machine; plug the head in, or use socket://HOST:PORT for one elsewhere",
        );
    }
    for port in &ports {
        for line in lines(&Row::from(port)) {
            console.line(line)?;
        }
    }
    Ok(Exit::Ok)
}

impl From<&SerialPort> for Row {
    fn from(port: &SerialPort) -> Self {
        Self {
            port: port.stable_path().display().to_string(),
            device: port.path.display().to_string(),
            description: port.description.clone(),
            usb_id: port
                .usb_id
                .map(|(vendor, product)| format!("{vendor:04x}:{product:04x}")),
            serial: port.serial.clone(),
            holders: port
                .holders
                .iter()
                .map(|Holder { pid, command, .. }| HolderRow {
                    pid: *pid,
                    command: command.clone(),
                })
                .collect(),
            allowed: port.access == Access::Allowed,
            help: help(port),
        }
    }
}

/// What to do before the port can be used.
fn help(port: &SerialPort) -> Option<String> {
    if let Access::Denied { group } = &port.access {
        return Some(match group {
            Some(group) => {
                format!("join its group: sudo usermod -aG {group} $USER, then log in again")
            }
            None => format!(
                "only its owner may open it: look at `ls -l {}`",
                port.path.display()
            ),
        });
    }
    let holder = port.holders.first()?;
    Some(format!("end {holder} before you read through this port"))
}

fn lines(row: &Row) -> Vec<String> {
    let state = match (row.allowed, row.holders.is_empty()) {
        (false, _) => styled(style::BAD, "no permission"),
        (true, false) => styled(style::FAIR, "in use"),
        (true, true) => styled(style::GOOD, "free"),
    };
    let mut lines = vec![format!("{}  {state}", styled(style::STRONG, &row.port))];
    let mut what: Vec<String> = Vec::new();
    what.extend(row.description.clone());
    what.extend(row.usb_id.as_ref().map(|id| format!("USB {id}")));
    what.extend(row.serial.as_ref().map(|serial| format!("serial {serial}")));
    if row.device != row.port {
        what.push(row.device.clone());
    }
    if !what.is_empty() {
        lines.push(format!("    {}", what.join(" · ")));
    }
    for holder in &row.holders {
        lines.push(format!(
            "    held by {} (pid {})",
            holder.command, holder.pid
        ));
    }
    if let Some(help) = &row.help {
        lines.push(format!("    {}: {help}", styled(style::HELP, "help")));
    }
    lines
}

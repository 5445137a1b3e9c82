//! `heatmeter ports`: which serial ports are there.

use heatmeter_client::Machine;
use heatmeter_gateway::ports::PortView;

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

pub(crate) fn run(_args: &Args, console: &Console) -> Result<Exit, Failure> {
    let ports = Machine::this().serial_ports();
    let rows: Vec<PortView> = ports.iter().map(PortView::from).collect();
    if console.is_json() {
        console.json(&rows)?;
        return Ok(Exit::Ok);
    }
    if rows.is_empty() {
        note(
            "there is no serial port on this machine; plug the head in, or use socket://HOST:PORT \
             for one elsewhere",
        );
    }
    for row in &rows {
        for line in lines(row) {
            console.line(line)?;
        }
    }
    Ok(Exit::Ok)
}

fn lines(row: &PortView) -> Vec<String> {
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
    if row.path != row.port {
        what.push(row.path.clone());
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

#[cfg(test)]
mod tests {
    use heatmeter_gateway::ports::HolderView;

    use super::*;

    #[test]
    fn a_port_says_whether_it_can_be_used_and_what_to_do_if_not() {
        let row = PortView {
            port: "/dev/serial/by-id/usb-FTDI_head".to_owned(),
            path: "/dev/ttyUSB0".to_owned(),
            by_id: Some("/dev/serial/by-id/usb-FTDI_head".to_owned()),
            description: Some("FTDI USB head".to_owned()),
            usb_id: Some("0403:6001".to_owned()),
            serial: None,
            holders: vec![HolderView {
                pid: 42,
                command: "minicom".to_owned(),
            }],
            allowed: true,
            help: Some("end minicom (pid 42) before you read through this port".to_owned()),
        };
        let shown: Vec<_> = lines(&row)
            .iter()
            .map(|line| anstream::adapter::strip_str(line).to_string())
            .collect();
        assert_eq!(
            shown,
            [
                "/dev/serial/by-id/usb-FTDI_head  in use",
                "    FTDI USB head · USB 0403:6001 · /dev/ttyUSB0",
                "    held by minicom (pid 42)",
                "    help: end minicom (pid 42) before you read through this port",
            ]
        );
    }
}

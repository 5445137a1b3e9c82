//! Serial ports as the command line and the page tell them.

use heatmeter_client::{Access, Holder, SerialPort};
use serde::Serialize;
use utoipa::ToSchema;

/// A serial port of this machine.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Port)]
pub struct PortView {
    /// What to write into a configuration or to give to a command.
    #[schema(example = "/dev/serial/by-id/usb-FTDI_FT232R_USB_UART_AB0CDEFG-if00-port0")]
    pub port: String,
    /// The device itself.
    #[schema(example = "/dev/ttyUSB0")]
    pub path: String,
    /// The name that follows the adapter.
    pub by_id: Option<String>,
    /// Maker and product, or the driver.
    pub description: Option<String>,
    /// Vendor and product.
    #[schema(example = "0403:6001")]
    pub usb_id: Option<String>,
    /// The adapter's own serial number.
    pub serial: Option<String>,
    /// Who has it open.
    pub holders: Vec<HolderView>,
    /// Whether this process may open it.
    pub allowed: bool,
    /// What to do before the port can be used.
    pub help: Option<String>,
}

/// A process that has a port open.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Holder)]
pub struct HolderView {
    /// Its number.
    pub pid: u32,
    /// Its name.
    pub command: String,
}

impl From<&SerialPort> for PortView {
    fn from(port: &SerialPort) -> Self {
        let holders = port.holders.iter();
        Self {
            port: port.stable_path().display().to_string(),
            path: port.path.display().to_string(),
            by_id: port.by_id.as_ref().map(|path| path.display().to_string()),
            description: port.description.clone(),
            usb_id: port
                .usb_id
                .map(|(vendor, product)| format!("{vendor:04x}:{product:04x}")),
            serial: port.serial.clone(),
            holders: holders
                .map(|Holder { pid, command, .. }| HolderView {
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

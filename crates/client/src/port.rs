//! Which port is meant: one line of text, parsed once, shown back in one spelling.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A place where a meter can be reached.
///
/// Parsed from text with [`FromStr`]; `Display` gives the canonical spelling, which parses back to
/// the same port.
///
/// ```
/// use heatmeter_client::Port;
///
/// let port: Port = "tcp://192.168.1.20:2217".parse()?;
/// assert_eq!(port.to_string(), "socket://192.168.1.20:2217");
/// # Ok::<(), heatmeter_client::ParsePortError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
#[non_exhaustive]
pub enum Port {
    /// A serial port of this machine: an absolute path, best the stable one of
    /// `/dev/serial/by-id/`.
    Serial(PathBuf),
    /// A raw TCP connection to a serial bridge, which fixes the line's settings itself.
    Tcp(Address),
    /// A TCP connection that also carries the line's settings (RFC 2217).
    Rfc2217(Address),
    /// A recording played back, see [`Recorder`](crate::Recorder).
    Replay(PathBuf),
}

impl FromStr for Port {
    type Err = ParsePortError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let text = text.trim();
        let refused = |problem| ParsePortError {
            found: text.to_owned(),
            problem,
        };

        if text.is_empty() {
            return Err(refused(Problem::Empty));
        }
        if text.contains('\0') {
            return Err(refused(Problem::ZeroByte));
        }
        if text.starts_with('/') {
            return Ok(Self::Serial(PathBuf::from(text)));
        }
        let Some((scheme, rest)) = text.split_once("://") else {
            return Err(refused(bare_name(text)));
        };
        match scheme.to_ascii_lowercase().as_str() {
            "socket" | "tcp" => Ok(Self::Tcp(address(rest).map_err(refused)?)),
            "rfc2217" => Ok(Self::Rfc2217(address(rest).map_err(refused)?)),
            "replay" if rest.is_empty() => Err(refused(Problem::NoFile)),
            "replay" => Ok(Self::Replay(PathBuf::from(rest))),
            "esphome-hass" | "esphome" => Err(refused(Problem::HomeAssistantOnly)),
            "serial" | "file" if rest.starts_with('/') => {
                Err(refused(Problem::DidYouMean(rest.to_owned())))
            }
            "telnet" => Err(refused(Problem::DidYouMean(format!("rfc2217://{rest}")))),
            _ => Err(refused(Problem::Scheme(scheme.to_owned()))),
        }
    }
}

impl fmt::Display for Port {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Serial(path) => write!(f, "{}", path.display()),
            Self::Tcp(address) => write!(f, "socket://{address}"),
            Self::Rfc2217(address) => write!(f, "rfc2217://{address}"),
            Self::Replay(path) => write!(f, "replay://{}", path.display()),
        }
    }
}

impl TryFrom<String> for Port {
    type Error = ParsePortError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<Port> for String {
    fn from(port: Port) -> Self {
        port.to_string()
    }
}

/// Host and TCP port. `Display` puts an IPv6 address into brackets.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Address {
    /// A name or an IP address, without brackets.
    pub host: String,
    /// The TCP port, never 0.
    pub port: u16,
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

/// A text that names no port: what was found, what is accepted, what to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{found}` is not a port: {problem}; {ACCEPTED}")]
pub struct ParsePortError {
    found: String,
    problem: Problem,
}

impl ParsePortError {
    /// The text that was given.
    pub fn found(&self) -> &str {
        &self.found
    }

    /// A spelling that is accepted and was probably meant.
    pub fn suggestion(&self) -> Option<&str> {
        match &self.problem {
            Problem::DidYouMean(port) => Some(port),
            _ => None,
        }
    }
}

const ACCEPTED: &str = "accepted are /dev/..., socket://HOST:PORT and rfc2217://HOST:PORT (`heatmeter ports` lists \
     the serial ports of this machine)";

#[derive(Clone, Debug, PartialEq, Eq)]
enum Problem {
    Empty,
    ZeroByte,
    DidYouMean(String),
    WindowsName,
    HomeAssistantOnly,
    Scheme(String),
    Unknown,
    NoFile,
    NoHost,
    NoPort { host: String },
    PortNumber { found: String },
    Brackets,
    Trailing { found: String },
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => write!(f, "it is empty"),
            Self::ZeroByte => write!(f, "it contains a zero byte"),
            Self::DidYouMean(port) => write!(f, "did you mean {port}?"),
            Self::WindowsName => write!(
                f,
                "that is a Windows name, and on Linux the same adapter is called /dev/ttyUSB0 or \
                 similar"
            ),
            Self::HomeAssistantOnly => write!(
                f,
                "serial proxies of ESPHome are reachable only inside Home Assistant, use the \
                 integration there"
            ),
            Self::Scheme(scheme) => write!(f, "a meter is not reached by {scheme}://"),
            Self::Unknown => write!(f, "it is neither an absolute path nor a URL"),
            Self::NoFile => write!(f, "the file is missing, write replay://FILE"),
            Self::NoHost => write!(f, "the host is missing"),
            Self::NoPort { host } => {
                write!(f, "the TCP port is missing, write {host}:PORT")
            }
            Self::PortNumber { found } => {
                write!(f, "expected a TCP port from 1 to 65535, found `{found}`")
            }
            Self::Brackets => write!(
                f,
                "an IPv6 address stands in brackets, as in socket://[fe80::1]:2217"
            ),
            Self::Trailing { found } => write!(f, "nothing may follow the port, found `{found}`"),
        }
    }
}

/// What a text without `://` was probably meant to be.
fn bare_name(text: &str) -> Problem {
    const DEVICES: [&str; 6] = ["tty", "serial", "pts/", "rfcomm", "cu.", "dev/"];

    let upper = text.to_ascii_uppercase();
    let is_com = |name: &str| {
        name.strip_prefix("COM")
            .is_some_and(|number| number.parse::<u8>().is_ok())
    };
    if is_com(upper.trim_start_matches(['\\', '.']).trim_end_matches(':')) {
        return Problem::WindowsName;
    }
    if DEVICES.iter().any(|device| text.starts_with(device)) {
        let name = text.strip_prefix("dev/").unwrap_or(text);
        return Problem::DidYouMean(format!("/dev/{name}"));
    }
    if !text.contains('/') && address(text).is_ok() {
        return Problem::DidYouMean(format!("socket://{text}"));
    }
    Problem::Unknown
}

fn address(text: &str) -> Result<Address, Problem> {
    let text = text.strip_suffix('/').unwrap_or(text);
    if let Some(at) = text.find(['/', '?', '#']) {
        return Err(Problem::Trailing {
            found: text[at..].to_owned(),
        });
    }

    let (host, port) = if let Some(bracketed) = text.strip_prefix('[') {
        let (host, port) = bracketed.split_once(']').ok_or(Problem::Brackets)?;
        let port = match port.strip_prefix(':') {
            Some(port) => Some(port),
            None if port.is_empty() => None,
            None => return Err(Problem::Brackets),
        };
        (host, port)
    } else {
        match text.rsplit_once(':') {
            Some((host, _)) if host.contains(':') => return Err(Problem::Brackets),
            Some((host, port)) => (host, Some(port)),
            None => (text, None),
        }
    };

    if host.is_empty() || host.chars().any(|c| c.is_whitespace() || c == '@') {
        return Err(Problem::NoHost);
    }
    let Some(port) = port else {
        return Err(Problem::NoPort {
            host: host.to_owned(),
        });
    };
    match port.parse() {
        Ok(number) if number != 0 && !port.starts_with('+') => Ok(Address {
            host: host.to_owned(),
            port: number,
        }),
        _ => Err(Problem::PortNumber {
            found: port.to_owned(),
        }),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn whatever_is_accepted_is_shown_so_that_it_is_accepted_again(
            text in r"(|/|socket://|tcp://|rfc2217://|replay://|COM|tty|\[)[ -~é]{0,12}(:[0-9]{1,5})?",
        ) {
            match text.parse::<Port>() {
                Ok(port) => prop_assert_eq!(port.to_string().parse::<Port>(), Ok(port)),
                Err(error) => prop_assert!(error.to_string().contains("accepted are /dev/...")),
            }
        }
    }

    #[test]
    fn canonical_spelling_parses_back() {
        for (written, canonical) in [
            ("/dev/ttyUSB0", "/dev/ttyUSB0"),
            (
                " /dev/serial/by-id/usb-FTDI_x-if00-port0\n",
                "/dev/serial/by-id/usb-FTDI_x-if00-port0",
            ),
            ("/tmp/meter", "/tmp/meter"),
            ("tcp://10.0.0.1:23", "socket://10.0.0.1:23"),
            ("Socket://bridge.local:4001/", "socket://bridge.local:4001"),
            (
                "rfc2217://[fe80::1%eth0]:2217",
                "rfc2217://[fe80::1%eth0]:2217",
            ),
            ("socket://[::1]:1", "socket://[::1]:1"),
            ("replay://tests/one.jsonl", "replay://tests/one.jsonl"),
            ("replay:///var/log/one.jsonl", "replay:///var/log/one.jsonl"),
        ] {
            let port: Port = written.parse().unwrap();
            assert_eq!(port.to_string(), canonical);
            assert_eq!(canonical.parse::<Port>().unwrap(), port);
        }
    }

    #[test]
    fn refusals_say_what_to_do() {
        for (written, expected) in [
            ("", "it is empty"),
            ("COM3", "Windows name"),
            ("\\\\.\\COM12", "Windows name"),
            ("ttyUSB0", "did you mean /dev/ttyUSB0?"),
            ("dev/ttyACM1", "did you mean /dev/ttyACM1?"),
            ("pts/3", "did you mean /dev/pts/3?"),
            ("serial:///dev/ttyS0", "did you mean /dev/ttyS0?"),
            (
                "192.168.1.5:2217",
                "did you mean socket://192.168.1.5:2217?",
            ),
            ("telnet://box:2217", "did you mean rfc2217://box:2217?"),
            ("http://box/", "not reached by http://"),
            ("esphome-hass://abc", "only inside Home Assistant"),
            ("meter", "neither an absolute path nor a URL"),
            ("socket://box", "the TCP port is missing, write box:PORT"),
            ("socket://:80", "the host is missing"),
            ("socket://box:0", "from 1 to 65535, found `0`"),
            ("socket://box:+5", "from 1 to 65535, found `+5`"),
            ("socket://box:65536", "found `65536`"),
            ("socket://box:", "found ``"),
            ("socket://fe80::1:2217", "stands in brackets"),
            ("socket://[fe80::1:2217", "stands in brackets"),
            ("socket://[fe80::1]2217", "stands in brackets"),
            (
                "rfc2217://box:1?logging=debug",
                "nothing may follow the port, found `?logging=debug`",
            ),
            ("replay://", "write replay://FILE"),
            ("/dev/tty\0", "zero byte"),
        ] {
            let error = written.parse::<Port>().unwrap_err().to_string();
            assert!(error.contains(expected), "{written}: {error}");
            assert!(error.contains("accepted are /dev/..."), "{error}");
        }
    }

    #[test]
    fn suggestion_is_accepted() {
        for written in ["ttyUSB0", "box:23", "serial:///dev/ttyS0", "telnet://box:1"] {
            let error = written.parse::<Port>().unwrap_err();
            assert!(
                error.suggestion().unwrap().parse::<Port>().is_ok(),
                "{written}"
            );
        }
    }

    #[test]
    fn in_a_configuration_it_is_a_string() {
        let port: Port = serde_json::from_str("\"tcp://box:23\"").unwrap();
        assert_eq!(serde_json::to_string(&port).unwrap(), "\"socket://box:23\"");
        assert!(serde_json::from_str::<Port>("\"COM1\"").is_err());
    }
}

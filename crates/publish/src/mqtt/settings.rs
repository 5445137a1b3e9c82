//! How a broker is reached and what is told it.

use std::path::PathBuf;

use heatmeter_catalog::Language;

/// Everything that the configuration says about a broker.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_structs,
    reason = "made from the configuration, key by key"
)]
pub struct Settings {
    /// Its host name or address.
    pub host: String,
    /// Its port; by default 1883, or 8883 with TLS.
    pub port: Option<u16>,
    /// The user to log in as.
    pub user: Option<String>,
    /// That user's password.
    pub password: Option<String>,
    /// The version of the protocol.
    pub protocol: Protocol,
    /// TLS, if the connection is encrypted.
    pub tls: Option<Tls>,
    /// What all topics of ours begin with.
    pub base_topic: String,
    /// What Home Assistant's discovery topics begin with.
    pub discovery_prefix: String,
    /// Whether meters are announced to Home Assistant.
    pub discovery: bool,
    /// The language of the names in the announcements.
    pub language: Language,
    /// Where the gateway's page is, for a link in Home Assistant.
    pub page: Option<String>,
}

/// A version of MQTT.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "there are no others in use")]
pub enum Protocol {
    /// MQTT 5.
    #[default]
    V5,
    /// MQTT 3.1.1.
    V3,
}

/// How TLS is set up.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_structs,
    reason = "made from the configuration, key by key"
)]
pub struct Tls {
    /// The only authority that is believed, as PEM; by default those that the machine believes.
    pub ca_file: Option<PathBuf>,
    /// Our certificate and its key, as PEM, where the broker wants to see one.
    pub identity: Option<(PathBuf, PathBuf)>,
}

impl Settings {
    /// A broker with everything else as it is by default.
    pub fn new(host: impl Into<String>) -> Self {
        Self {
            host: host.into(),
            port: None,
            user: None,
            password: None,
            protocol: Protocol::default(),
            tls: None,
            base_topic: "heatmeter".to_owned(),
            discovery_prefix: "homeassistant".to_owned(),
            discovery: true,
            language: Language::default(),
            page: None,
        }
    }

    /// The port that is connected to.
    pub fn port(&self) -> u16 {
        let usual = if self.tls.is_some() { 8883 } else { 1883 };
        self.port.unwrap_or(usual)
    }

    /// The broker as it is named in messages.
    pub(super) fn broker(&self) -> String {
        format!("{}:{}", self.host, self.port())
    }
}

//! The configuration: one TOML file in which a port alone is enough.
//!
//! Everything that is wrong is found at once, and each problem underlines its place. What can be written
//! stands in one table, [`keys`], of which the commented example and the documentation are made.

mod destinations;
pub mod keys;
mod meters;
mod print;
mod problem;
mod reader;
mod table;

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use heatmeter_catalog::{Language, Model, RegisterId, nearest};
use heatmeter_client::Port;
use heatmeter_publish::{influx, mqtt, postgres, webhook};
use jiff::tz::TimeZone;
use toml_edit::{Item, Value};

use self::destinations::Destinations;
use self::problem::Source;
use self::reader::Reader;
use self::table::Table;
use crate::schedule::Schedule;
use crate::web::{Access, Token};

pub use self::print::{example, reference};
pub use self::problem::{ConfigError, Problem};

/// Everything that a configuration says.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Config {
    /// Where the web listens.
    pub listen: SocketAddr,
    /// Who may ask.
    pub access: Access,
    /// The language of names.
    pub language: Language,
    /// Where days and months begin.
    pub time_zone: TimeZone,
    /// What is kept.
    pub history: HistorySettings,
    /// The meters, in their order.
    pub meters: Vec<MeterSettings>,
    /// The broker, if there is one.
    pub mqtt: Option<mqtt::Settings>,
    /// Line protocol.
    pub influx: Vec<Named<influx::Settings>>,
    /// PostgreSQL.
    pub postgres: Vec<Named<postgres::Settings>>,
    /// Webhooks.
    pub webhooks: Vec<Named<webhook::Settings>>,
    /// What its owner should know.
    pub warnings: Vec<Problem>,
}

/// What is kept, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct HistorySettings {
    /// The file, if one is named.
    pub path: Option<PathBuf>,
    /// How long every poll is kept.
    pub keep_readings: Duration,
    /// How long polls wait for a destination.
    pub keep_undelivered: Duration,
}

/// A meter.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct MeterSettings {
    /// Its name as an address: letters, digits and dashes.
    pub slot: String,
    /// What people call it.
    pub name: String,
    /// Where it is.
    pub port: Port,
    /// What it is, if the owner says so.
    pub model: Option<&'static Model>,
    /// When it is read.
    pub schedule: Schedule,
    /// What is read, if the owner chose.
    pub registers: Option<Vec<RegisterId>>,
    /// Whether no battery is spent.
    pub mains_powered: bool,
    /// How long to wait for an answer to begin.
    pub timeout: Option<Duration>,
    /// The serial number that is expected.
    pub serial: Option<String>,
}

/// A destination and its name.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Named<T> {
    /// What it is called, here and in the outbox.
    pub name: String,
    /// How it is reached.
    pub settings: T,
}

/// Where the web listens unless told.
const LISTEN: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 8403);

/// As `2 years` is understood.
const TWO_YEARS: Duration = Duration::from_hours(24 * 730);

impl Config {
    /// Reads a file, with the secrets that this process's environment names.
    ///
    /// # Errors
    ///
    /// The file cannot be read, or something in it is wrong.
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        let text = std::fs::read_to_string(path).map_err(|source| ConfigError::Unreadable {
            path: path.to_owned(),
            source,
        })?;
        Self::parse(&text, &path.display().to_string(), &|name| {
            std::env::var(name).ok()
        })
    }

    /// Reads a text; `environment` gives the values of variables.
    ///
    /// # Errors
    ///
    /// Something in it is wrong.
    pub fn parse(
        text: &str,
        name: &str,
        environment: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Self, ConfigError> {
        let mut reader = Reader::new(Source { text, name }, environment);
        let config = reader
            .document()
            .map(|document| read(&reader, document.as_table()));
        let (problems, warnings) = reader.finish();
        match config {
            Some(config) if problems.is_empty() => Ok(Self { warnings, ..config }),
            _ => Err(ConfigError::Wrong { problems }),
        }
    }
}

/// Tables that stand once, and those that stand as often as one likes.
const SINGLE: [&str; 3] = ["web", "history", "mqtt"];
const SEVERAL: [&str; 4] = ["meter", "influx", "postgres", "webhook"];

/// Reads everything, whatever is wrong; what is wrong is noted.
fn read(reader: &Reader<'_>, document: &toml_edit::Table) -> Config {
    let names = [&SINGLE[..], &SEVERAL[..]].concat();
    let top = Table::new(reader, document, &keys::TOP, 0..0, &names);
    for name in names {
        let Some(item) = document.get(name) else {
            continue;
        };
        let is_single = SINGLE.contains(&name);
        let (is_right, header) = match item {
            Item::ArrayOfTables(_) | Item::Value(Value::Array(_)) => {
                (!is_single, format!("[{name}]"))
            }
            item if item.is_table_like() => (is_single, format!("[[{name}]]")),
            _ if is_single => (false, format!("[{name}]")),
            _ => (false, format!("[[{name}]]")),
        };
        if !is_right {
            let (span, found) = place(document, name, item);
            reader.wrong(
                span,
                format!("found {found}, expected {header}"),
                format!("begin the table with {header}"),
            );
        }
    }
    let language = top
        .parsed("language", |_| "leave the line out for English".to_owned())
        .map_or(Language::En, |found| found.value);
    let (listen, access) = web(&single(reader, document, &keys::WEB));
    let mut destinations = Destinations::new(reader);
    Config {
        listen,
        access,
        language,
        time_zone: time_zone(&top),
        history: history(&single(reader, document, &keys::HISTORY)),
        meters: meters::read(reader, &top, document.get("meter")),
        mqtt: document
            .get("mqtt")
            .filter(|item| item.is_table_like())
            .map(|_| destinations::mqtt_of(&single(reader, document, &keys::MQTT), language)),
        influx: destinations.influx(document.get("influx")),
        postgres: destinations.postgres(document.get("postgres")),
        webhooks: destinations.webhooks(document.get("webhook")),
        warnings: Vec::new(),
    }
}

/// Where a table stands that has another form than it should have, and that form.
fn place(
    document: &toml_edit::Table,
    name: &str,
    item: &Item,
) -> (core::ops::Range<usize>, String) {
    let key = document.get_key_value(name).and_then(|(key, _)| key.span());
    match item {
        Item::ArrayOfTables(many) => {
            let second = many.get(1).or(many.get(0));
            let span = second.and_then(toml_edit::Table::span).or(key);
            (span.unwrap_or(0..0), format!("[[{name}]]"))
        }
        Item::Table(table) => (table.span().or(key).unwrap_or(0..0), format!("[{name}]")),
        item => (
            key.or(item.span()).unwrap_or(0..0),
            format!("`{name}` as a key"),
        ),
    }
}

/// A table that stands once; without it everything in it is as it is by default.
fn single<'a>(
    reader: &'a Reader<'a>,
    document: &'a toml_edit::Table,
    section: &'static keys::Section,
) -> Table<'a> {
    let item = document.get(section.header.trim_matches(['[', ']']));
    match item.and_then(|item| Some((item.as_table_like()?, item.span()))) {
        Some((table, span)) => Table::new(reader, table, section, span.unwrap_or(0..0), &[]),
        None => Table::missing(reader, section),
    }
}

fn time_zone(top: &Table<'_>) -> TimeZone {
    let Some(text) = top.text("time_zone") else {
        return TimeZone::system();
    };
    TimeZone::get(&text.value).unwrap_or_else(|_| {
        let known: Vec<_> = jiff::tz::db().available().collect();
        let near = nearest(
            &text.value,
            known.iter().map(jiff::tz::TimeZoneName::as_str),
        );
        top.reader.wrong(
            text.span,
            format!("there is no time zone `{}`", text.value),
            match near {
                Some(near) => format!("did you mean `{near}`?"),
                None => "write it as Europe/Copenhagen".to_owned(),
            },
        );
        TimeZone::UTC
    })
}

fn web(table: &Table<'_>) -> (SocketAddr, Access) {
    let listen = table.text("listen");
    let token = table.secret("token", "web");
    let hosts = table.texts("hosts");
    let prefix = table.text("prefix");

    let has_token = token.is_some();
    let mut access = Access::open();
    if let Some(token) = token {
        match Token::new(&token.value) {
            Ok(token) => access = Access::with_token(token),
            Err(error) => table.reader.wrong(
                token.span,
                error.to_string(),
                "make one with: openssl rand -hex 24",
            ),
        }
    }
    if let Some(hosts) = hosts {
        access = access.hosts(hosts.into_iter().map(|host| host.value).collect());
    }
    if let Some(prefix) = prefix {
        access = access.below(&prefix.value);
    }
    let Some(listen) = listen else {
        return (LISTEN, access);
    };
    let address = listen.value.trim();
    // A name would have to be looked up; this one is clear.
    let address = match address.strip_prefix("localhost:") {
        Some(port) => format!("127.0.0.1:{port}"),
        None => address.to_owned(),
    };
    let Ok(address) = address.parse() else {
        table.reader.wrong(
            listen.span,
            format!(
                "found `{}`, expected an IP address and a port",
                listen.value
            ),
            "write 127.0.0.1:8403 for this machine only, 0.0.0.0:8403 for everybody",
        );
        return (LISTEN, access);
    };
    // A token that is wrong is noted already.
    if let (Err(error), false) = (access.may_listen(address), has_token) {
        table.reader.wrong(
            listen.span,
            error.to_string(),
            "add `token_file` with the path of a file that holds a long random word",
        );
    }
    (address, access)
}

fn history(table: &Table<'_>) -> HistorySettings {
    HistorySettings {
        path: table.path("path").map(|path| path.value),
        keep_readings: keep(table, "keep_readings"),
        keep_undelivered: keep(table, "keep_undelivered"),
    }
}

/// A time to keep something for, which may be for ever.
fn keep(table: &Table<'_>, name: &str) -> Duration {
    match table.text(name) {
        Some(text) if text.value.trim() == "for ever" => Duration::MAX,
        Some(_) => table.time(name).unwrap_or(TWO_YEARS),
        None => TWO_YEARS,
    }
}

//! The configuration: one TOML file in which a port alone is enough.
//!
//! Everything that is wrong is found at once, and each problem underlines its place. What can be written
//! stands in one table, [`keys`], of which the commented example and the documentation are made.

pub mod keys;
mod problem;
mod table;

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use heatmeter_catalog::{Language, Model, RegisterId, model, models, nearest_key, register_by_key};
use heatmeter_client::Port;
use heatmeter_publish::{influx, mqtt, postgres, webhook};
use jiff::tz::TimeZone;
use toml_edit::{Document, Item, TableLike};

use self::problem::Source;
use self::table::{Found, Reader, Table, tables};
use crate::ledger;
use crate::schedule::{ParseScheduleError, Schedule};
use crate::web::{Access, Token};

pub use self::problem::{ConfigError, Problem};

/// Everything that a configuration says.
#[derive(Clone, Debug)]
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
pub const LISTEN: &str = "127.0.0.1:8403";

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
        let source = Source { text, name };
        let reader = Reader::new(source, environment);
        let document = match Document::parse(text) {
            Ok(document) => document,
            Err(error) => {
                let span = error.span().unwrap_or(0..0);
                reader.wrong(span, error.message().trim_end(), "this is no TOML");
                let (problems, _) = reader.finish();
                return Err(ConfigError::Wrong { problems });
            }
        };
        let config = read(&reader, document.as_table());
        let (problems, warnings) = reader.finish();
        if problems.is_empty() {
            Ok(Self { warnings, ..config })
        } else {
            Err(ConfigError::Wrong { problems })
        }
    }
}

/// Reads everything, whatever is wrong; what is wrong is noted.
fn read(reader: &Reader<'_>, document: &toml_edit::Table) -> Config {
    const TABLES: [&str; 7] = [
        "web", "history", "meter", "mqtt", "influx", "postgres", "webhook",
    ];
    let top = Table::new(reader, document, &keys::TOP, 0..0, &TABLES);
    for name in TABLES {
        let is_list = !matches!(name, "web" | "history" | "mqtt");
        let Some(item) = document.get(name) else {
            continue;
        };
        let is_right = match item {
            Item::ArrayOfTables(_) | Item::Value(toml_edit::Value::Array(_)) => is_list,
            item => !is_list && item.is_table_like(),
        };
        if !is_right {
            let brackets = if is_list {
                format!("[[{name}]]")
            } else {
                format!("[{name}]")
            };
            reader.wrong(
                item.span().unwrap_or(0..0),
                format!("found `{name}` in another form, expected {brackets}"),
                format!("begin the table with {brackets}"),
            );
        }
    }
    let language = top.parsed("language", "there are en, nl, da, de, sv, fi, nb and pl");
    let (listen, access) = web(reader, document.get("web"));
    let language = language.map_or(Language::En, |found| found.value);
    Config {
        access,
        language,
        time_zone: time_zone(&top),
        history: history(reader, document.get("history")),
        meters: meters(reader, &top, document.get("meter")),
        mqtt: mqtt_of(reader, document.get("mqtt"), language),
        influx: named(reader, document.get("influx"), &keys::INFLUX, influx_of),
        postgres: named(
            reader,
            document.get("postgres"),
            &keys::POSTGRES,
            postgres_of,
        ),
        webhooks: named(reader, document.get("webhook"), &keys::WEBHOOK, webhook_of),
        warnings: Vec::new(),
        listen,
    }
}

/// One table of this name, or none.
fn single<'a>(
    reader: &'a Reader<'a>,
    item: Option<&'a Item>,
    section: &'static keys::Section,
) -> Option<Table<'a>> {
    let item = item?;
    let table: &dyn TableLike = item.as_table_like()?;
    let span = item.span().unwrap_or(0..0);
    Some(Table::new(reader, table, section, span, &[]))
}

fn time_zone(top: &Table<'_>) -> TimeZone {
    let Some(text) = top.text("time_zone") else {
        return TimeZone::system();
    };
    TimeZone::get(&text.value).unwrap_or_else(|_| {
        top.reader.wrong(
            text.span,
            format!("there is no time zone `{}`", text.value),
            "write it as Europe/Copenhagen",
        );
        TimeZone::UTC
    })
}

fn web(reader: &Reader<'_>, item: Option<&Item>) -> (SocketAddr, Access) {
    let table =
        single(reader, item, &keys::WEB).unwrap_or_else(|| Table::missing(reader, &keys::WEB));
    let listen =
        table.parsed::<SocketAddr>("listen", "write an address and a port: 127.0.0.1:8403");
    let token = table.secret("token", Some("HEATMETER_WEB_TOKEN_FILE"));
    let mut access = Access::open();
    if let Some(token) = token {
        match Token::new(&token.value) {
            Ok(token) => access = Access::with_token(token),
            Err(error) => reader.wrong(
                token.span,
                error.to_string(),
                "make one with: openssl rand -hex 24",
            ),
        }
    }
    if let Some(hosts) = table.texts("hosts") {
        access = access.hosts(hosts.into_iter().map(|host| host.value).collect());
    }
    if let Some(prefix) = table.text("prefix") {
        access = access.below(&prefix.value);
    }
    let (address, span) = match listen {
        Some(found) => (found.value, found.span),
        // A constant, tested below.
        None => (SocketAddr::from(([127, 0, 0, 1], 8403)), table.span.clone()),
    };
    if let Err(error) = access.may_listen(address) {
        reader.wrong(
            span,
            error.to_string(),
            "add `token_file` with the path of a file that holds a long random word",
        );
    }
    (address, access)
}

fn history(reader: &Reader<'_>, item: Option<&Item>) -> HistorySettings {
    let table = single(reader, item, &keys::HISTORY)
        .unwrap_or_else(|| Table::missing(reader, &keys::HISTORY));
    HistorySettings {
        path: table.text("path").map(|path| path.value.into()),
        keep_readings: table.time("keep_readings").unwrap_or(TWO_YEARS),
        keep_undelivered: table.time("keep_undelivered").unwrap_or(TWO_YEARS),
    }
}

const PORTS: &str = "ports are /dev/..., socket://HOST:PORT (or tcp://) and rfc2217://HOST:PORT";

fn meters(reader: &Reader<'_>, top: &Table<'_>, item: Option<&Item>) -> Vec<MeterSettings> {
    let mut meters: Vec<MeterSettings> = Vec::new();
    if let Some(port) = top.parsed::<Port>("port", PORTS) {
        meters.push(MeterSettings {
            port: port.value,
            ..meter_named("Heat meter")
        });
    }
    let mut names = BTreeSet::new();
    for (table, span) in tables(item) {
        let table = Table::new(reader, table, &keys::METER, span, &[]);
        let name = table.text("name");
        let text = name
            .as_ref()
            .map_or("Heat meter", |name| name.value.as_str());
        if !names.insert(slug(text)) {
            reader.wrong(
                name.as_ref()
                    .map_or(table.span.clone(), |name| name.span.clone()),
                format!("two meters are called `{text}`"),
                "give each a name of its own",
            );
        }
        let Some(port) = table.needs("port", table.parsed::<Port>("port", PORTS)) else {
            // Whatever else is wrong with it is found, too.
            let _ = meter(&table, meter_named(text));
            continue;
        };
        let settings = MeterSettings {
            port: port.value,
            ..meter_named(text)
        };
        meters.push(meter(&table, settings));
    }
    meters
}

fn meter_named(name: &str) -> MeterSettings {
    MeterSettings {
        slot: slug(name),
        name: name.to_owned(),
        port: Port::Serial(PathBuf::new()),
        model: None,
        schedule: Schedule::default(),
        registers: None,
        mains_powered: false,
        timeout: None,
        serial: None,
    }
}

fn meter(table: &Table<'_>, settings: MeterSettings) -> MeterSettings {
    let schedule = table.parsed::<Schedule>("schedule", ParseScheduleError::HELP);
    let mains_powered = table.flag("mains_powered").is_some_and(|found| found.value);
    if let Some(schedule) = schedule.as_ref().filter(|_| !mains_powered)
        && let Some(warning) = ledger::warning(&schedule.value)
    {
        table.reader.warn(
            schedule.span.clone(),
            warning,
            "read it less often, or say `mains_powered = true` if it has no battery",
        );
    }
    MeterSettings {
        model: table
            .text("model")
            .and_then(|text| known_model(table, &text)),
        schedule: schedule.map(|found| found.value).unwrap_or_default(),
        registers: table
            .texts("registers")
            .map(|texts| registers(table, &texts)),
        mains_powered,
        timeout: table.time("timeout"),
        serial: table.text("serial").map(|text| text.value),
        ..settings
    }
}

fn known_model(table: &Table<'_>, text: &Found<String>) -> Option<&'static Model> {
    let found = model(&text.value);
    if found.is_none() {
        let known: Vec<_> = models().iter().map(|model| model.slug).collect();
        table.reader.wrong(
            text.span.clone(),
            format!("there is no model `{}`", text.value),
            format!("there are {}", known.join(", ")),
        );
    }
    found
}

fn registers(table: &Table<'_>, texts: &[Found<String>]) -> Vec<RegisterId> {
    let mut registers = Vec::new();
    for text in texts {
        let number = match text.value.strip_prefix("0x") {
            Some(hex) => u16::from_str_radix(hex, 16).ok(),
            None => text.value.parse().ok(),
        };
        let id = number
            .map(RegisterId)
            .or_else(|| register_by_key(&text.value).map(|register| register.id));
        match id {
            Some(id) if registers.contains(&id) => {}
            Some(id) => registers.push(id),
            None => table.reader.wrong(
                text.span.clone(),
                format!("there is no register `{}`", text.value),
                match nearest_key(&text.value) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => "`heatmeter read PORT --all --json` shows the keys".to_owned(),
                },
            ),
        }
    }
    registers
}

fn mqtt_of(reader: &Reader<'_>, item: Option<&Item>, language: Language) -> Option<mqtt::Settings> {
    let table = single(reader, item, &keys::MQTT)?;
    let host = table.needs("host", table.text("host"));
    let mut settings = mqtt::Settings::new(host.map_or(String::new(), |host| host.value));
    settings.language = language;
    settings.port = table.number("port").and_then(|port| {
        let number = u16::try_from(port.value).ok().filter(|port| *port > 0);
        if number.is_none() {
            reader.wrong(
                port.span,
                format!("found the port {}, expected 1 to 65535", port.value),
                "1883 is usual, 8883 with TLS",
            );
        }
        number
    });
    settings.user = table.text("user").map(|user| user.value);
    settings.password = table
        .secret("password", Some("HEATMETER_MQTT_PASSWORD_FILE"))
        .map(|password| password.value);
    settings.protocol = match table.number("protocol") {
        Some(Found { value: 3, .. }) => mqtt::Protocol::V3,
        Some(Found { value: 5, .. }) | None => mqtt::Protocol::V5,
        Some(other) => {
            reader.wrong(
                other.span,
                format!("found MQTT {}, expected 5 or 3", other.value),
                "3 stands for MQTT 3.1.1",
            );
            mqtt::Protocol::V5
        }
    };
    let ca_file = table.file("ca_file");
    let certificate = table.file("cert_file");
    let key = table.file("key_file");
    let is_encrypted = table.flag("tls").map(|tls| tls.value);
    let identity = match (certificate, key) {
        (Some(certificate), Some(key)) => Some((certificate.value, key.value)),
        (Some(one), None) | (None, Some(one)) => {
            reader.wrong(
                one.span,
                "a certificate needs its key, and a key its certificate",
                "give `cert_file` and `key_file`",
            );
            None
        }
        (None, None) => None,
    };
    if is_encrypted.unwrap_or(ca_file.is_some() || identity.is_some()) {
        let span = ca_file
            .as_ref()
            .map_or(table.span.clone(), |found| found.span.clone());
        let tls = mqtt::Tls {
            ca_file: ca_file.map(|found| found.value),
            identity,
        };
        settings.tls = Some(tls);
        if let Err(error) = settings.check() {
            reader.wrong(span, error.message, error.help);
        }
    }
    for (key, place) in [
        ("base_topic", &mut settings.base_topic),
        ("discovery_prefix", &mut settings.discovery_prefix),
    ] {
        let Some(topic) = table.text(key) else {
            continue;
        };
        let is_topic = !topic.value.is_empty()
            && !topic.value.contains(['+', '#', '\0'])
            && !topic.value.starts_with('/')
            && !topic.value.ends_with('/');
        if is_topic {
            *place = topic.value;
        } else {
            reader.wrong(
                topic.span,
                format!("found `{}`, expected the beginning of a topic", topic.value),
                "a topic has no + and no #, and no / at its ends",
            );
        }
    }
    settings.discovery = table.flag("discovery").is_none_or(|found| found.value);
    Some(settings)
}

/// The destinations of one kind, each with a name of its own.
fn named<T>(
    reader: &Reader<'_>,
    item: Option<&Item>,
    section: &'static keys::Section,
    settings: impl Fn(&Table<'_>) -> Option<T>,
) -> Vec<Named<T>> {
    let mut all: Vec<Named<T>> = Vec::new();
    for (table, span) in tables(item) {
        let table = Table::new(reader, table, section, span, &[]);
        let usual = section.header.trim_matches(['[', ']']);
        let name = table.text("name");
        let text = name
            .as_ref()
            .map_or(usual, |name| name.value.as_str())
            .to_owned();
        if all.iter().any(|other| other.name == text) || (text == "mqtt") {
            reader.wrong(
                name.map_or(table.span.clone(), |name| name.span),
                format!("two destinations are called `{text}`"),
                "give each a name of its own",
            );
        }
        if let Some(settings) = settings(&table) {
            all.push(Named {
                name: text,
                settings,
            });
        }
    }
    all
}

fn ca_file(table: &Table<'_>) -> Option<PathBuf> {
    table.file("ca_file").map(|found| found.value)
}

fn influx_of(table: &Table<'_>) -> Option<influx::Settings> {
    let url = table.needs("url", table.text("url"));
    let database = table.text("database");
    let bucket = table.text("bucket");
    let password = table.secret("password", None);
    let token = table.secret("token", Some("HEATMETER_INFLUX_TOKEN_FILE"));
    let user = table.text("user");
    let org = table.text("org");
    let target = match (database, bucket) {
        (Some(database), None) => influx::Target::Database {
            database: database.value,
            user: user.map(|user| user.value),
            password: password.map(|password| password.value),
        },
        (None, Some(bucket)) => influx::Target::Bucket {
            org: org.map(|org| org.value),
            bucket: bucket.value,
            token: token.map(|token| token.value),
        },
        (database, _) => {
            let found = if database.is_some() {
                "both"
            } else {
                "neither"
            };
            table.reader.wrong(
                database.map_or(table.span.clone(), |database| database.span),
                format!("found {found}, expected either `database` or `bucket`"),
                "`database` is for InfluxDB 1 and VictoriaMetrics, `bucket` for InfluxDB 2 and 3",
            );
            return None;
        }
    };
    let url = url?;
    let mut settings = influx::Settings::new(url.value, target);
    settings.ca_file = ca_file(table);
    if let Some(measurement) = table.text("measurement") {
        settings.measurement = measurement.value;
    }
    settings.texts = table.flag("texts").is_some_and(|found| found.value);
    if let Err(error) = influx::Influx::new(settings.clone()) {
        table.reader.wrong(url.span, error.message, error.help);
    }
    Some(settings)
}

fn postgres_of(table: &Table<'_>) -> Option<postgres::Settings> {
    let url = table.needs(
        "url",
        table.secret("url", Some("HEATMETER_POSTGRES_URL_FILE")),
    )?;
    let mut settings = postgres::Settings::new(url.value);
    if let Some(name) = table.text("table") {
        settings.table = name.value;
    }
    settings.ca_file = ca_file(table);
    if let Err(error) = postgres::Postgres::new(&settings) {
        table.reader.wrong(url.span, error.message, error.help);
    }
    Some(settings)
}

fn webhook_of(table: &Table<'_>) -> Option<webhook::Settings> {
    let url = table.needs("url", table.secret("url", None))?;
    let mut settings = webhook::Settings::new(url.value);
    settings.headers = table.pairs("headers");
    settings.secret = table
        .secret("secret", Some("HEATMETER_WEBHOOK_SECRET_FILE"))
        .map(|secret| secret.value);
    settings.array = table.flag("array").is_some_and(|found| found.value);
    if let Some(timeout) = table.time("timeout") {
        settings.timeout = timeout;
    }
    settings.ca_file = ca_file(table);
    if let Err(error) = webhook::Webhook::new(settings.clone()) {
        table.reader.wrong(url.span, error.message, error.help);
    }
    Some(settings)
}

/// A name as it stands in an address: small letters, digits, and dashes for everything else.
fn slug(name: &str) -> String {
    let mut slug = String::new();
    for letter in name.to_lowercase().chars() {
        match letter {
            letter if letter.is_ascii_alphanumeric() => slug.push(letter),
            'ä' | 'æ' | 'å' | 'à' | 'á' | 'â' => slug.push('a'),
            'ö' | 'ø' | 'ó' | 'ô' => slug.push('o'),
            'ü' | 'ú' | 'û' => slug.push('u'),
            'é' | 'è' | 'ê' | 'ë' => slug.push('e'),
            _ if slug.ends_with('-') || slug.is_empty() => {}
            _ => slug.push('-'),
        }
    }
    let slug = slug.trim_end_matches('-');
    if slug.is_empty() {
        "meter".to_owned()
    } else {
        slug.to_owned()
    }
}

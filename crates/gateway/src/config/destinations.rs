//! The destinations of a configuration.
//!
//! What only the destination itself can judge, it is asked about: an address, a table's name, the
//! content of a certificate. It is asked with one setting more each time, so that the place of the one
//! that is wrong is known.

use core::ops::Range;
use std::collections::BTreeSet;
use std::path::PathBuf;

use heatmeter_catalog::Language;
use heatmeter_publish::influx::Influx;
use heatmeter_publish::postgres::Postgres;
use heatmeter_publish::webhook::Webhook;
use heatmeter_publish::{DeliveryError, influx, mqtt, postgres, webhook};
use toml_edit::Item;

use super::Named;
use super::keys::{self, Section};
use super::reader::Reader;
use super::table::{Found, Table, tables};

/// The broker's name: there is but one.
const MQTT: &str = "mqtt";

/// Reads destinations, each with a name of its own among all of them.
pub(super) struct Destinations<'a> {
    reader: &'a Reader<'a>,
    names: BTreeSet<String>,
}

impl<'a> Destinations<'a> {
    pub(super) fn new(reader: &'a Reader<'a>) -> Self {
        Self {
            reader,
            names: BTreeSet::from([MQTT.to_owned()]),
        }
    }

    pub(super) fn influx(&mut self, item: Option<&Item>) -> Vec<Named<influx::Settings>> {
        self.named(item, &keys::INFLUX, influx_of)
    }

    pub(super) fn postgres(&mut self, item: Option<&Item>) -> Vec<Named<postgres::Settings>> {
        self.named(item, &keys::POSTGRES, postgres_of)
    }

    pub(super) fn webhooks(&mut self, item: Option<&Item>) -> Vec<Named<webhook::Settings>> {
        self.named(item, &keys::WEBHOOK, webhook_of)
    }

    /// The destinations of one kind; the reader of one is told its table and its name.
    fn named<T>(
        &mut self,
        item: Option<&Item>,
        section: &'static Section,
        settings: impl Fn(&Table<'_>, &str) -> Option<T>,
    ) -> Vec<Named<T>> {
        let mut all = Vec::new();
        for (table, span) in tables(self.reader, item) {
            let table = Table::new(self.reader, table, section, span, &[]);
            let usual = section.header.trim_matches(['[', ']']);
            let name = table.text("name");
            let text = name.as_ref().map_or(usual, |name| name.value.trim());
            if !self.names.insert(text.to_owned()) {
                self.reader.wrong(
                    name.as_ref()
                        .map_or(table.span.clone(), |name| name.span.clone()),
                    format!("found two destinations called `{text}`"),
                    "give each a `name` of its own",
                );
            }
            if let Some(settings) = settings(&table, text) {
                all.push(Named {
                    name: text.to_owned(),
                    settings,
                });
            }
        }
        all
    }
}

pub(super) fn mqtt_of(table: &Table<'_>, language: Language) -> mqtt::Settings {
    let host = table.needs("host", table.text("host"));
    let mut settings = mqtt::Settings::new(host.map_or(String::new(), |host| host.value));
    settings.language = language;
    settings.port = table.number("port").and_then(|port| {
        let number = u16::try_from(port.value).ok().filter(|port| *port > 0);
        if number.is_none() {
            table.reader.wrong(
                port.span,
                format!("found the port {}, expected 1 to 65535", port.value),
                "1883 is usual, 8883 with TLS",
            );
        }
        number
    });
    settings.user = table.text("user").map(|user| user.value);
    let password = table.secret("password", MQTT);
    if let (Some(password), None) = (&password, &settings.user) {
        table.reader.wrong(
            password.span.clone(),
            "found a password, and no `user` that it belongs to",
            "add: user = \"...\"",
        );
    }
    settings.password = password.map(|password| password.value);
    settings.protocol = match table.number("protocol") {
        Some(Found { value: 3, .. }) => mqtt::Protocol::V3,
        Some(Found { value: 5, .. }) | None => mqtt::Protocol::V5,
        Some(other) => {
            table.reader.wrong(
                other.span,
                format!("found MQTT {}, expected 5 or 3", other.value),
                "3 stands for MQTT 3.1.1",
            );
            mqtt::Protocol::V5
        }
    };
    encrypt(table, &mut settings);
    for (key, place) in [
        ("base_topic", &mut settings.base_topic),
        ("discovery_prefix", &mut settings.discovery_prefix),
    ] {
        let Some(topic) = table.text(key) else {
            continue;
        };
        let is_topic = !topic.value.contains(['+', '#', '\0'])
            && !topic.value.starts_with('/')
            && !topic.value.ends_with('/');
        if is_topic {
            *place = topic.value;
        } else {
            table.reader.wrong(
                topic.span,
                format!("found `{}`, expected the beginning of a topic", topic.value),
                "a topic has no + and no #, and no / at its ends",
            );
        }
    }
    if settings.base_topic == settings.discovery_prefix {
        let topic = table
            .text("base_topic")
            .or_else(|| table.text("discovery_prefix"));
        table.reader.wrong(
            topic.map_or(table.span.clone(), |topic| topic.span),
            "found the same for `base_topic` and `discovery_prefix`",
            "give `base_topic` a name of its own: Home Assistant says at PREFIX/status how it is, and we \
             say at BASE/status how we are",
        );
    }
    settings.discovery = table.flag("discovery").is_none_or(|found| found.value);
    settings
}

/// TLS to a broker: wanted by the switch, by an authority or by a certificate.
fn encrypt(table: &Table<'_>, settings: &mut mqtt::Settings) {
    let wanted = table.flag("tls");
    let ca_file = table.file("ca_file");
    let certificate = table.file("cert_file");
    let key = table.file("key_file");
    let identity = match (certificate, key) {
        (Some(certificate), Some(key)) => Some(certificate.map(|path| (path, key.value))),
        (None, None) => None,
        (one, other) => {
            // One that is written and cannot be read is noted already.
            if let Some(one) = one
                .or(other)
                .filter(|_| !table.has_both("cert_file", "key_file"))
            {
                table.reader.wrong(
                    one.span,
                    "a certificate needs its key, and a key its certificate",
                    "give both `cert_file` and `key_file`",
                );
            }
            None
        }
    };
    match wanted {
        Some(Found { value: false, span }) if ca_file.is_some() || identity.is_some() => {
            table.reader.wrong(
                span,
                "found `tls = false` beside certificates",
                "leave the line out, and the connection is encrypted",
            );
            return;
        }
        Some(Found { value: false, .. }) => return,
        None if ca_file.is_none() && identity.is_none() => return,
        _ => {}
    }
    let span = ca_file.as_ref().map(|found| found.span.clone());
    settings.tls = Some(mqtt::Tls {
        ca_file: ca_file.map(|found| found.value),
        identity: None,
    });
    if blame(table, span, settings.check()) {
        return;
    }
    if let (Some(tls), Some(identity)) = (&mut settings.tls, identity) {
        tls.identity = Some(identity.value);
        blame(table, Some(identity.span), settings.check());
    }
}

fn influx_of(table: &Table<'_>, name: &str) -> Option<influx::Settings> {
    let url = table.needs("url", table.text("url"));
    let database = table.text("database");
    let bucket = table.text("bucket");
    let user = table.text("user");
    let password = table.secret("password", name);
    let org = table.text("org");
    let token = table.secret("token", name);
    let measurement = table.text("measurement");
    let texts = table.flag("texts").is_some_and(|found| found.value);
    let ca_file = table.file("ca_file");
    let target = match (database, bucket) {
        (Some(database), None) => {
            table.useless(
                &["org", "token", "token_file"],
                "database",
                "with `database` there are `user` and `password_file`",
            );
            influx::Target::Database {
                database: database.value,
                user: user.map(|user| user.value),
                password: password.map(|password| password.value),
            }
        }
        (None, Some(bucket)) => {
            table.useless(
                &["user", "password", "password_file"],
                "bucket",
                "with `bucket` there are `org` and `token_file`",
            );
            influx::Target::Bucket {
                org: org.map(|org| org.value),
                bucket: bucket.value,
                token: token.map(|token| token.value),
            }
        }
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
    settings.texts = texts;
    if let Some(measurement) = measurement {
        settings.measurement = measurement.value;
    }
    let check = |settings: &influx::Settings| Influx::new(settings.clone()).map(drop);
    if !blame(table, Some(url.span), check(&settings))
        && let Some(span) = trust(ca_file, &mut settings.ca_file)
    {
        blame(table, Some(span), check(&settings));
    }
    Some(settings)
}

fn postgres_of(table: &Table<'_>, name: &str) -> Option<postgres::Settings> {
    let url = table.needs("url", table.secret("url", name));
    let name = table.text("table");
    let ca_file = table.file("ca_file");
    let url = url?;
    let mut settings = postgres::Settings::new(url.value);
    let check = |settings: &postgres::Settings| Postgres::new(settings).map(drop);
    let mut is_wrong = blame(table, Some(url.span), check(&settings));
    if let (false, Some(name)) = (is_wrong, name) {
        settings.table = name.value;
        is_wrong = blame(table, Some(name.span), check(&settings));
    }
    if let (false, Some(span)) = (is_wrong, trust(ca_file, &mut settings.ca_file)) {
        blame(table, Some(span), check(&settings));
    }
    Some(settings)
}

fn webhook_of(table: &Table<'_>, name: &str) -> Option<webhook::Settings> {
    let url = table.needs("url", table.secret("url", name));
    let headers = table.pairs("headers");
    let secret = table.secret("secret", name);
    let array = table.flag("array").is_some_and(|found| found.value);
    let timeout = table.time("timeout");
    let ca_file = table.file("ca_file");
    let url = url?;
    let mut settings = webhook::Settings::new(url.value);
    settings.secret = secret.map(|secret| secret.value);
    settings.array = array;
    if let Some(timeout) = timeout {
        settings.timeout = timeout;
    }
    let check = |settings: &webhook::Settings| Webhook::new(settings.clone()).map(drop);
    let mut is_wrong = blame(table, Some(url.span), check(&settings));
    if let (false, Some(headers)) = (is_wrong, headers) {
        settings.headers = headers.value;
        is_wrong = blame(table, Some(headers.span), check(&settings));
    }
    if let (false, Some(span)) = (is_wrong, trust(ca_file, &mut settings.ca_file)) {
        blame(table, Some(span), check(&settings));
    }
    Some(settings)
}

/// Takes an authority over, and tells where it stands.
fn trust(file: Option<Found<PathBuf>>, place: &mut Option<PathBuf>) -> Option<Range<usize>> {
    let file = file?;
    *place = Some(file.value);
    Some(file.span)
}

/// Notes what a destination has against its settings; whether it has anything.
fn blame(
    table: &Table<'_>,
    span: Option<Range<usize>>,
    checked: Result<(), DeliveryError>,
) -> bool {
    let Err(error) = checked else {
        return false;
    };
    let span = span.unwrap_or(table.span.clone());
    table.reader.wrong(span, error.message, error.help);
    true
}

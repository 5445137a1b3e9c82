//! PostgreSQL, with TimescaleDB if it is there.
//!
//! A row for each reading, in one table that several gateways may share: `(serial, register, at)` is
//! its key, so a reading that comes twice is there once. Values are exact.

mod numeric;
mod table;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use heatmeter_history::Stored;
use rustls::ClientConfig;
use tokio::time;
use tokio::time::error::Elapsed;
use tokio_postgres::config::{Host, SslMode};
use tokio_postgres::error::{DbError, SqlState};
use tokio_postgres::{Client, Config, Error, NoTls};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::destination::{DeliveryError, Destination, Known};
use crate::http::unreachable;
use crate::tls;
use table::Table;

const CONNECT: Duration = Duration::from_secs(10);

/// How long a delivery may take; a batch takes well under a second.
const TIMEOUT: Duration = Duration::from_mins(1);

/// Everything that the configuration says about a PostgreSQL.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_structs,
    reason = "made from the configuration, key by key"
)]
pub struct Settings {
    /// How to connect: `postgresql://USER:PASSWORD@HOST/DATABASE`, or `host=... user=...`.
    pub url: String,
    /// The table, perhaps with its schema: `readings`, `heat.readings`.
    pub table: String,
    /// The only authority that is believed, as PEM; by default those that the machine believes.
    pub ca_file: Option<PathBuf>,
}

/// A PostgreSQL that polls are written to.
#[derive(Debug)]
pub struct Postgres {
    config: Config,
    table: Table,
    tls: Option<Arc<ClientConfig>>,
    /// Who we talk to, for messages.
    place: String,
    client: Option<Client>,
}

impl Settings {
    /// A PostgreSQL with everything else as it is by default.
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            table: "readings".to_owned(),
            ca_file: None,
        }
    }
}

impl Postgres {
    /// Makes ready to write; does not connect yet.
    pub fn new(settings: &Settings) -> Result<Self, DeliveryError> {
        let mut config: Config = settings.url.parse().map_err(|error: Error| {
            let cause = std::error::Error::source(&error).map(|cause| format!(": {cause}"));
            DeliveryError::trouble(
                format!("the url is not one{}", cause.unwrap_or_default()),
                "Write it as `postgresql://USER:PASSWORD@HOST/DATABASE`.",
            )
        })?;
        if config.get_hosts().is_empty() && config.get_hostaddrs().is_empty() {
            return Err(DeliveryError::trouble(
                "the url names no host",
                "Write it as `postgresql://USER:PASSWORD@HOST/DATABASE`.",
            ));
        }
        // Nobody listens on a connection that does not leave the machine, and Debian's server has a
        // certificate there that nobody signed.
        if !settings.url.contains("sslmode") && stays_here(&config) {
            config.ssl_mode(SslMode::Disable);
        }
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(CONNECT);
        }
        if config.get_application_name().is_none() {
            config.application_name("heatmeter");
        }
        let tls = match config.get_ssl_mode() {
            SslMode::Disable => None,
            _ => Some(tls::client_config(settings.ca_file.as_deref(), None)?),
        };
        Ok(Self {
            place: place(&config),
            config,
            table: Table::named(&settings.table),
            tls,
            client: None,
        })
    }

    async fn connect(&self) -> Result<Client, Error> {
        let Some(tls) = &self.tls else {
            let (client, connection) = self.config.connect(NoTls).await?;
            tokio::spawn(connection);
            return Ok(client);
        };
        let tls = MakeRustlsConnect::new(ClientConfig::clone(tls));
        let (client, connection) = self.config.connect(tls).await?;
        tokio::spawn(connection);
        Ok(client)
    }

    async fn add(&mut self, polls: &[Stored]) -> Result<(), Error> {
        // One that was left over from the last time may have died since; a new one has not.
        if let Some(mut client) = self.client.take() {
            match self.table.add(&mut client, polls).await {
                Ok(()) => {
                    self.client = Some(client);
                    return Ok(());
                }
                Err(error) if error.as_db_error().is_some_and(|e| !is_farewell(e)) => {
                    return Err(error);
                }
                Err(_) => {}
            }
        }
        let mut client = self.connect().await?;
        self.table.prepare(&mut client).await?;
        self.table.add(&mut client, polls).await?;
        self.client = Some(client);
        Ok(())
    }

    fn judge(&self, outcome: Result<Result<(), Error>, Elapsed>) -> Result<(), DeliveryError> {
        match outcome {
            Ok(done) => done.map_err(|error| explain(&error, &self.place)),
            Err(_) => Err(DeliveryError::trouble(
                format!("PostgreSQL at {} did not answer in time", self.place),
                "See that the server is well and that nobody holds a lock on the table.",
            )),
        }
    }
}

impl Destination for Postgres {
    async fn deliver(&mut self, polls: &[Stored], _: &Known) -> Result<(), DeliveryError> {
        let outcome = time::timeout(TIMEOUT, self.add(polls)).await;
        self.judge(outcome)
    }

    async fn test(&mut self) -> Result<(), DeliveryError> {
        let attempt = async {
            let mut client = self.connect().await?;
            self.table.test(&mut client).await
        };
        let outcome = time::timeout(TIMEOUT, attempt).await;
        self.judge(outcome)
    }

    fn batch(&self) -> usize {
        500
    }
}

fn stays_here(config: &Config) -> bool {
    let names = config.get_hosts().iter().all(|host| match host {
        Host::Tcp(name) => {
            name == "localhost"
                || name
                    .parse()
                    .is_ok_and(|ip: std::net::IpAddr| ip.is_loopback())
        }
        #[cfg(unix)]
        Host::Unix(_) => true,
    });
    names
        && config
            .get_hostaddrs()
            .iter()
            .all(std::net::IpAddr::is_loopback)
}

fn place(config: &Config) -> String {
    let host = match config.get_hosts().first() {
        Some(Host::Tcp(name)) => name.clone(),
        #[cfg(unix)]
        Some(Host::Unix(path)) => path.display().to_string(),
        None => config
            .get_hostaddrs()
            .first()
            .map(ToString::to_string)
            .unwrap_or_default(),
    };
    let port = config.get_ports().first().copied().unwrap_or(5432);
    format!("{host}:{port}")
}

/// Whether the server says that it is about to hang up.
fn is_farewell(error: &DbError) -> bool {
    let code = error.code();
    // Class 57: somebody stopped the server or this connection. Class 08: the connection.
    code.code().starts_with("57") || code.code().starts_with("08")
}

fn explain(error: &Error, place: &str) -> DeliveryError {
    if let Some(error) = error.as_db_error() {
        return refusal(error, place);
    }
    if let Some(complaint) = tls::complaint(error) {
        return DeliveryError {
            message: format!("PostgreSQL at {place}: {}", complaint.message),
            help: format!("{} Or add `?sslmode=disable` to the url.", complaint.help),
            ..complaint
        };
    }
    if error.to_string().contains("TLS") {
        return DeliveryError::trouble(
            format!("PostgreSQL at {place} does not speak TLS"),
            "Turn TLS on there, or add `?sslmode=disable` to the url if the network is yours.",
        );
    }
    unreachable(error, place)
}

fn refusal(error: &DbError, place: &str) -> DeliveryError {
    let said = error.message();
    let code = error.code();
    let (message, help) = match *code {
        SqlState::INVALID_PASSWORD | SqlState::INVALID_AUTHORIZATION_SPECIFICATION => (
            format!("PostgreSQL at {place} does not let us in: {said}"),
            "See that user and password are right, and that pg_hba.conf lets this machine in.",
        ),
        SqlState::INVALID_CATALOG_NAME => (
            format!("PostgreSQL at {place} has no such database: {said}"),
            "Make it with `createdb`, or see that its name is right.",
        ),
        SqlState::INSUFFICIENT_PRIVILEGE => (
            format!("PostgreSQL at {place} does not allow it: {said}"),
            "Grant the user INSERT and SELECT on the table and TEMPORARY on the database; to make \
             the table itself it needs CREATE on the schema.",
        ),
        SqlState::UNDEFINED_COLUMN
        | SqlState::DATATYPE_MISMATCH
        | SqlState::UNDEFINED_TABLE
        | SqlState::INVALID_SCHEMA_NAME => (
            format!("the table of PostgreSQL at {place} is not what is expected: {said}"),
            "Name another table, which will be made, or compare it with docs/destinations.md.",
        ),
        SqlState::DISK_FULL => (
            format!("the disk of PostgreSQL at {place} is full: {said}"),
            "Make room there. Nothing is lost; it is tried again.",
        ),
        _ => (
            format!("PostgreSQL at {place} says: {said} ({})", code.code()),
            "Look at the server's log. Nothing is lost; it is tried again.",
        ),
    };
    // Class 22: a value that the server cannot hold. Class 23: one that a rule of the table's owner
    // forbids.
    let is_final = code.code().starts_with("22") || code.code().starts_with("23");
    if is_final {
        return DeliveryError::refused(message, "See the rules of the table.");
    }
    DeliveryError::trouble(message, help)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_that_is_none_is_explained() {
        for url in ["http://db/heat", "postgresql://", "host=db port=x"] {
            let error = Postgres::new(&Settings::new(url)).unwrap_err();
            assert!(error.message.starts_with("the url"), "{url}: {error}");
            assert!(!error.is_final);
        }
    }

    #[test]
    fn only_what_leaves_the_machine_is_encrypted_unasked() {
        let mode = |url: &str| {
            let postgres = Postgres::new(&Settings::new(url)).unwrap();
            postgres.config.get_ssl_mode()
        };
        assert_eq!(mode("postgresql://heat@localhost/heat"), SslMode::Disable);
        assert_eq!(mode("postgresql://heat@127.0.0.1/heat"), SslMode::Disable);
        assert_eq!(mode("host=/run/postgresql user=heat"), SslMode::Disable);
        assert_eq!(mode("postgresql://heat@db/heat"), SslMode::Prefer);
        assert_eq!(
            mode("postgresql://heat@localhost/heat?sslmode=require"),
            SslMode::Require
        );
    }
}

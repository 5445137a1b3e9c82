//! The table that readings are kept in, and how they come into it.

use std::collections::BTreeSet;

use heatmeter_catalog::reading::{Content, Reading};
use heatmeter_history::Stored;
use tokio_postgres::binary_copy::BinaryCopyInWriter;
use tokio_postgres::types::Type;
use tokio_postgres::{Client, Error, GenericClient, Transaction};

use super::numeric::Numeric;

/// Where rows stand before they go into the table, for as long as one transaction. Only our
/// connection sees it.
const INCOMING: &str = "CREATE TEMPORARY TABLE IF NOT EXISTS heatmeter_incoming (
    serial text, register int, key text, at timestamptz, value numeric,
    unit text, text text, quality text, poll_id text
) ON COMMIT DELETE ROWS";

const COLUMNS: &str = "serial, register, key, at, value, unit, text, quality, poll_id";

const TYPES: [Type; 9] = [
    Type::TEXT,
    Type::INT4,
    Type::TEXT,
    Type::TIMESTAMPTZ,
    Type::NUMERIC,
    Type::TEXT,
    Type::TEXT,
    Type::TEXT,
    Type::TEXT,
];

/// Which gateway makes the table, if several try at once. The number is any of ours; whoever is cut
/// off holds it no longer.
const LOCK: &str = "SELECT pg_advisory_lock(7401840315)";
const UNLOCK: &str = "SELECT pg_advisory_unlock(7401840315)";

/// A table by its name, perhaps with its schema's before it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Table {
    quoted: String,
}

impl Table {
    pub(super) fn named(name: &str) -> Self {
        let parts: Vec<_> = name
            .split('.')
            .map(|part| format!("\"{}\"", part.replace('"', "\"\"")))
            .collect();
        Self {
            quoted: parts.join("."),
        }
    }

    /// Sees that the table is there, and makes it if not.
    pub(super) async fn prepare(&self, client: &mut Client) -> Result<(), Error> {
        if !self.is_there(client).await? {
            // Before the transaction, which sees what others have made before it began.
            client.batch_execute(LOCK).await?;
            let work = client.transaction().await?;
            let is_new = self.make(&work).await?;
            work.commit().await?;
            if is_new {
                self.spread_over_time(client).await?;
            }
            client.batch_execute(UNLOCK).await?;
        }
        client.batch_execute(INCOMING).await
    }

    /// Writes a row and takes it back, and the table as well if it was not there.
    pub(super) async fn test(&self, client: &mut Client) -> Result<(), Error> {
        let work = client.transaction().await?;
        self.make(&work).await?;
        let try_it = format!(
            "{INCOMING}; INSERT INTO {} ({COLUMNS})
             VALUES ('', 0, '', now(), 0, '', '', '', '') ON CONFLICT DO NOTHING",
            self.quoted
        );
        work.batch_execute(&try_it).await?;
        work.rollback().await
    }

    /// Adds a row for each reading that is not there yet.
    pub(super) async fn add(&self, client: &mut Client, polls: &[Stored]) -> Result<(), Error> {
        let work = client.transaction().await?;
        let sink = work
            .copy_in("COPY heatmeter_incoming FROM STDIN (FORMAT binary)")
            .await?;
        let writer = BinaryCopyInWriter::new(sink, &TYPES);
        tokio::pin!(writer);
        for Stored { poll, .. } in polls {
            let id = poll.id();
            let mut seen = BTreeSet::new();
            for reading in &poll.readings {
                // A key of the table has one row; so has a poll, but who knows who asks twice.
                if !seen.insert(reading.register.0) {
                    continue;
                }
                let (value, text) = value(reading);
                writer
                    .as_mut()
                    .write(&[
                        &poll.serial,
                        &i32::from(reading.register.0),
                        &reading.key(),
                        &poll.at,
                        &value,
                        &reading.unit_text(),
                        &text,
                        &reading.quality.word(),
                        &id,
                    ])
                    .await?;
            }
        }
        writer.finish().await?;
        let add = format!(
            "INSERT INTO {} ({COLUMNS}) SELECT {COLUMNS} FROM heatmeter_incoming
             ON CONFLICT DO NOTHING",
            self.quoted
        );
        work.execute(add.as_str(), &[]).await?;
        work.commit().await
    }

    /// Makes the table; false if it was there.
    async fn make(&self, work: &Transaction<'_>) -> Result<bool, Error> {
        if self.is_there(work).await? {
            return Ok(false);
        }
        let make = format!(
            "CREATE TABLE {} (
                serial text NOT NULL,
                register int NOT NULL,
                key text,
                at timestamptz NOT NULL,
                value numeric,
                unit text,
                text text,
                quality text NOT NULL,
                poll_id text NOT NULL,
                PRIMARY KEY (serial, register, at)
            )",
            self.quoted
        );
        work.batch_execute(&make).await?;
        Ok(true)
    }

    async fn is_there(&self, client: &impl GenericClient) -> Result<bool, Error> {
        client
            .query_one("SELECT to_regclass($1) IS NOT NULL", &[&self.quoted])
            .await?
            .try_get(0)
    }

    /// Makes a new table a hypertable where TimescaleDB is there. Without, or if it does not want
    /// to, it is a table like any other.
    async fn spread_over_time(&self, client: &Client) -> Result<(), Error> {
        let found = client
            .query_opt(
                "SELECT quote_ident(nspname) FROM pg_proc
                 JOIN pg_namespace ON pg_namespace.oid = pronamespace
                 WHERE proname = 'create_hypertable' LIMIT 1",
                &[],
            )
            .await?;
        let Some(row) = found else {
            return Ok(());
        };
        let schema: String = row.try_get(0)?;
        let spread = format!(
            "SELECT FROM {schema}.create_hypertable($1::text::regclass, 'at', if_not_exists => true)"
        );
        if let Err(error) = client.execute(spread.as_str(), &[&self.quoted]).await {
            let reason = error
                .as_db_error()
                .map_or_else(|| error.to_string(), ToString::to_string);
            tracing::warn!(
                table = self.quoted,
                reason,
                "it does not become a hypertable"
            );
        }
        Ok(())
    }
}

/// A value as number or as text. PostgreSQL's text has no zero characters.
fn value(reading: &Reading) -> (Option<Numeric>, Option<String>) {
    match &reading.value {
        Some(Content::Number(number)) => (Some(Numeric(*number)), None),
        Some(Content::Text(text)) => (None, Some(text.replace('\0', ""))),
        None => (None, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_quoted() {
        assert_eq!(Table::named("readings").quoted, r#""readings""#);
        assert_eq!(Table::named("heat.a\"b").quoted, r#""heat"."a""b""#);
    }
}

//! The gateway with everything that it hands readings to, configured as docs/destinations.md says: a
//! real PostgreSQL, InfluxDB, VictoriaMetrics and Prometheus, and a webhook.

#[path = "../crates/cli/tests/support/mod.rs"]
mod support;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};

use heatmeter_servers::{Influx, Postgres, Prometheus, Victoria};
use rustix::process::Signal;
use serde_json::Value;
use support::{Hook, Running, Simulated};

const DOCUMENT: &str = include_str!("../docs/destinations.md");

/// By when something happens on a busy machine, or never does.
const PATIENCE: Duration = Duration::from_mins(3);

/// Heat energy as the meter sent it, by the time of the poll in milliseconds.
type Energies = BTreeMap<i64, String>;

fn wait_for<T>(what: &str, gateway: &Running, look: impl Fn() -> Option<T>) -> T {
    let began = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(
            began.elapsed() < PATIENCE,
            "it never came that {what}; the gateway says:\n{}",
            gateway.errors()
        );
        sleep(Duration::from_millis(200));
    }
}

/// What a webhook has taken.
fn in_hook(hook: &Hook) -> Energies {
    let polls = hook.taken();
    polls
        .iter()
        .filter_map(|poll| {
            let (_, time) = poll["id"].as_str()?.split_once('-')?;
            let readings = poll["readings"].as_array()?;
            let energy = readings.iter().find(|reading| reading["register"] == 60)?;
            Some((time.parse().ok()?, energy["value"].as_str()?.to_owned()))
        })
        .collect()
}

struct Servers {
    postgres: Postgres,
    influx: Influx,
    victoria: Victoria,
    hook: Hook,
}

impl Servers {
    /// As the document says to prepare them.
    fn start() -> Self {
        let servers = Self {
            postgres: Postgres::start(),
            influx: Influx::start(),
            victoria: Victoria::start(),
            hook: Hook::start(),
        };
        servers.influx.query("CREATE DATABASE \"heat\"");
        servers
            .influx
            .query("CREATE USER heatmeter WITH PASSWORD 'secret'");
        servers.influx.query("GRANT ALL ON heat TO heatmeter");
        servers
            .postgres
            .sql("CREATE ROLE heatmeter LOGIN PASSWORD 'secret'");
        servers.postgres.sql("CREATE DATABASE heat OWNER heatmeter");
        servers
    }

    /// The configuration of the document, with the places of these servers and the secrets in that
    /// folder.
    fn configuration(&self, folder: &Path) -> String {
        let url = self.postgres.url_of("heatmeter", "secret", "heat");
        let secrets = [
            ("influx-password", "secret"),
            ("influx-token", "any"),
            ("postgres-url", &url),
            ("webhook-secret", "any"),
        ];
        for (name, secret) in secrets {
            fs::write(folder.join(name), format!("{secret}\n")).unwrap();
        }
        let blocks: Vec<_> = DOCUMENT
            .split("```toml\n")
            .skip(1)
            .filter_map(|rest| rest.split("```").next())
            .collect();
        assert_eq!(blocks.len(), 5, "one for each destination");
        // What stands for InfluxDB 2 here writes into the same place as VictoriaMetrics.
        let second = blocks[1]
            .replace("http://127.0.0.1:8086", &self.victoria.url())
            .replace("[[influx]]", "[[influx]]\nmeasurement = \"second\"");
        [blocks[0], &second, blocks[2], blocks[3], blocks[4]]
            .concat()
            .replace("http://127.0.0.1:8086", &self.influx.url())
            .replace("http://127.0.0.1:8428", &self.victoria.url())
            .replace("127.0.0.1:8080", &format!("127.0.0.1:{}", self.hook.port))
            .replace("/etc/heatmeter", folder.to_str().unwrap())
    }

    fn in_postgres(&self) -> Energies {
        let rows = self.postgres.sql_in(
            "heat",
            "SELECT round(extract(epoch FROM at) * 1000), value FROM readings WHERE register = 60",
        );
        rows.lines()
            .map(|row| {
                let (time, value) = row.split_once('|').unwrap();
                (time.parse().unwrap(), value.to_owned())
            })
            .collect()
    }

    fn in_influx(&self) -> Energies {
        let answer = self.influx.query("SELECT heat_energy FROM heat..heatmeter");
        let answer: Value = serde_json::from_str(&answer).unwrap();
        let rows = answer["results"][0]["series"][0]["values"]
            .as_array()
            .cloned();
        rows.unwrap_or_default()
            .iter()
            .map(|row| (row[0].as_i64().unwrap(), row[1].to_string()))
            .collect()
    }

    fn in_victoria(&self, measurement: &str) -> Energies {
        let exported = self.victoria.export(&format!("{measurement}_heat_energy"));
        exported
            .lines()
            .flat_map(|line| {
                let series: Value = serde_json::from_str(line).unwrap();
                let times = series["timestamps"].as_array().unwrap().clone();
                let values = series["values"].as_array().unwrap().clone();
                times.into_iter().zip(values)
            })
            .map(|(time, value)| (time.as_i64().unwrap(), value.to_string()))
            .collect()
    }
}

/// Whether a place has all of these polls, with values that are the same numbers.
fn has_all(place: &Energies, expected: &Energies) -> bool {
    expected.iter().all(|(time, value)| {
        let found = place.get(time);
        found.is_some_and(|found| found.parse::<f64>() == value.parse::<f64>())
    })
}

#[test]
fn every_destination_gets_every_reading_and_outages_close() {
    let mut servers = Servers::start();
    let meter = Simulated::tcp(&["--speed", "600", "--serial", "84968362"]);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("heatmeter.toml");
    let port = heatmeter_servers::free_port();
    let configuration = format!(
        "[web]\nlisten = \"127.0.0.1:{port}\"\n\
         [[meter]]\nport = \"{}\"\nschedule = \"every 5 s\"\nmains_powered = true\n{}",
        meter.port(),
        servers.configuration(folder.path())
    );
    fs::write(&file, configuration).unwrap();
    let mut gateway = Running::start(&["run", "--json", "--config", file.to_str().unwrap()]);
    assert_eq!(
        gateway.json()["listening"],
        format!("http://127.0.0.1:{port}")
    );
    let prometheus = Prometheus::start(port, None);

    wait_for("the table is made", &gateway, || {
        let tables = "SELECT count(*) FROM pg_tables WHERE tablename = 'readings'";
        (servers.postgres.sql_in("heat", tables) == "1").then_some(())
    });
    let scraped = wait_for("Prometheus has the heat energy", &gateway, || {
        let answer = prometheus.query("heatmeter_heat_energy_joules_total");
        let answer: Value = serde_json::from_str(&answer).unwrap();
        let series = answer["data"]["result"].as_array()?.first()?.clone();
        Some(series)
    });
    assert_eq!(scraped["metric"]["serial"], "84968362");

    servers.postgres.kill9();
    servers.influx.stop();
    servers.victoria.stop();
    let so_far = in_hook(&servers.hook).len();
    let hook = &servers.hook;
    wait_for("more is read meanwhile", &gateway, || {
        (in_hook(hook).len() >= so_far + 3).then_some(())
    });
    servers.postgres.restart();
    servers.influx.restart();
    servers.victoria.restart();

    let expected = in_hook(&servers.hook);
    let in_postgres = wait_for("PostgreSQL has everything", &gateway, || {
        Some(servers.in_postgres()).filter(|place| has_all(place, &expected))
    });
    for (time, value) in &expected {
        assert_eq!(in_postgres.get(time), Some(value), "digit by digit");
    }
    wait_for("InfluxDB has everything", &gateway, || {
        has_all(&servers.in_influx(), &expected).then_some(())
    });
    for measurement in ["heatmeter", "second"] {
        wait_for("VictoriaMetrics has everything", &gateway, || {
            has_all(&servers.in_victoria(measurement), &expected).then_some(())
        });
    }
    gateway.signal(Signal::TERM);
    assert_eq!(gateway.end(), Some(0), "{}", gateway.errors());
}

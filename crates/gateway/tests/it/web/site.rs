//! A web with one meter behind it, which the test plays.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use heatmeter_catalog::reading::{Content, Quality, Reading};
use heatmeter_catalog::register_by_key;
use heatmeter_gateway::hub::{Doing, General, Hub, Ledger, MeterState, Order, Trouble};
use heatmeter_gateway::web::{Access, ConfigProblem, Service, Site, Wait, serve};
use heatmeter_history::{History, Line, Meter, Poll, Settings};
use jiff::Timestamp;
use kamstrup_kmp::{Decimal, Unit, Verdict};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_util::sync::{CancellationToken, DropGuard};

use super::client::Ask;

pub(crate) const SERIAL: &str = "40300001";

/// A web that runs until this is dropped.
pub(crate) struct TestSite {
    pub(crate) address: SocketAddr,
    pub(crate) hub: Hub,
    pub(crate) history: History,
    /// What was asked of the line of the slot `house`.
    pub(crate) orders: mpsc::Receiver<Order>,
    pub(crate) service: Arc<Played>,
    pub(crate) folder: TempDir,
    pub(crate) serving: JoinHandle<()>,
    pub(crate) stop: CancellationToken,
    _stops: DropGuard,
}

impl TestSite {
    pub(crate) async fn start() -> Self {
        Self::with(Access::open()).await
    }

    pub(crate) async fn with(access: Access) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("history.sqlite");
        let (history, _) = History::open(&file, Settings::default()).await.unwrap();
        let hub = Hub::new();
        hub.set_general(General::default());
        hub.tell(house());
        let (line, orders) = mpsc::channel(8);
        hub.take_orders("house", line);
        let service = Arc::new(Played::default());
        let config = folder.path().join("heatmeter.toml");
        std::fs::write(&config, CONFIG).unwrap();
        let site = Site {
            hub: hub.clone(),
            history: history.clone(),
            config: Some(config),
            service: Arc::clone(&service) as Arc<dyn Service>,
            access,
            is_demo: false,
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let stop = CancellationToken::new();
        Self {
            address,
            hub,
            history,
            orders,
            service,
            folder,
            serving: tokio::spawn({
                let stop = stop.clone();
                async move { serve(listener, site, stop).await.end().await }
            }),
            _stops: stop.clone().drop_guard(),
            stop,
        }
    }

    pub(crate) fn ask(&self, method: &'static str, path: &str) -> Ask {
        Ask::new(self.address, method, path)
    }

    pub(crate) fn get(&self, path: &str) -> Ask {
        self.ask("GET", path)
    }

    pub(crate) fn post(&self, path: &str) -> Ask {
        self.ask("POST", path)
    }
}

/// A service that does nothing but remember what it was asked.
#[derive(Debug, Default)]
pub(crate) struct Played {
    pub(crate) checked: Mutex<Vec<String>>,
    pub(crate) reloads: Mutex<usize>,
    pub(crate) tested: Mutex<Vec<(String, serde_json::Value)>>,
}

impl Service for Played {
    fn check(&self, toml: &str) -> Vec<ConfigProblem> {
        self.checked.lock().unwrap().push(toml.to_owned());
        let wrong = toml
            .lines()
            .zip(1..)
            .filter(|(line, _)| line.contains("shedule"));
        wrong
            .map(|(text, line)| ConfigProblem {
                line,
                column: 1,
                length: 7,
                message: "unknown key `shedule`".to_owned(),
                help: "did you mean `schedule`?".to_owned(),
                rendered: text.to_owned(),
            })
            .collect()
    }

    fn reload(&self) -> Wait<'_, Result<(), Trouble>> {
        *self.reloads.lock().unwrap() += 1;
        Box::pin(async { Ok(()) })
    }

    fn test_destination<'a>(
        &'a self,
        kind: &'a str,
        settings: serde_json::Value,
        _is_kept: bool,
    ) -> Wait<'a, Result<(), Trouble>> {
        let works = settings["host"] == "broker";
        self.tested
            .lock()
            .unwrap()
            .push((kind.to_owned(), settings));
        Box::pin(async move { if works { Ok(()) } else { Err(trouble()) } })
    }

    fn cost(&self, _: &MeterState, schedule: &str) -> Result<Ledger, Trouble> {
        match schedule {
            "every 15 min" => Ok(Ledger {
                planned_wake_ups: 96.0,
                is_draining: true,
                ..Ledger::default()
            }),
            _ => Err(trouble()),
        }
    }
}

fn trouble() -> Trouble {
    Trouble {
        message: "It does not work.".to_owned(),
        help: "Mend it.".to_owned(),
    }
}

pub(crate) const CONFIG: &str = "\
# The house's meter.
port = \"socket://127.0.0.1:1\"

[mqtt]
host = \"broker\"
password = \"hunter2\" # the broker's
";

/// A meter that answered a moment ago.
pub(crate) fn house() -> MeterState {
    let now = Timestamp::now();
    let at = now - Duration::from_secs(5);
    let readings = readings().into_iter();
    MeterState {
        slot: "house".to_owned(),
        name: "House <b>1</b>".to_owned(),
        port: "socket://127.0.0.1:1".to_owned(),
        meter: Some(meter()),
        model: heatmeter_catalog::model("403"),
        is_simulated: true,
        verdict: Some(Verdict::Ok),
        trouble: None,
        verdict_since: Some(at),
        tried_at: Some(at),
        read_at: Some(at),
        next_at: Some(now + Duration::from_mins(10)),
        stale_at: Some(now + Duration::from_hours(2)),
        registers: Vec::new(),
        readings: readings
            .map(|reading| (reading.register, (reading, at)))
            .collect(),
        ledger: Ledger {
            wake_ups: 3,
            seconds: 4.56,
            planned_wake_ups: 24.0,
            planned_seconds: 36.5,
            documented_seconds: 36.5,
            is_draining: false,
            is_mains: false,
        },
        doing: Doing::Waiting,
    }
}

/// A slot whose meter nobody has met yet.
pub(crate) fn stranger() -> MeterState {
    MeterState {
        slot: "shed".to_owned(),
        name: "Shed".to_owned(),
        port: "/dev/ttyUSB7".to_owned(),
        meter: None,
        model: None,
        is_simulated: false,
        verdict: Some(Verdict::PortMissing),
        verdict_since: None,
        trouble: None,
        tried_at: None,
        read_at: None,
        next_at: None,
        stale_at: None,
        registers: Vec::new(),
        readings: BTreeMap::new(),
        ledger: Ledger::default(),
        doing: Doing::Waiting,
    }
}

pub(crate) fn meter() -> Meter {
    Meter {
        serial: SERIAL.to_owned(),
        model: Some("MULTICAL 403".to_owned()),
        type_code: Some(0x08f1),
        software: Some("G1".to_owned()),
    }
}

pub(crate) fn poll(at: Timestamp) -> Poll {
    Poll {
        serial: SERIAL.to_owned(),
        at,
        verdict: Verdict::Ok,
        readings: readings(),
        line: Line {
            requests: 2,
            retries: 1,
            bytes_sent: 29,
            bytes_received: 101,
            took: Duration::from_millis(1190),
        },
    }
}

pub(crate) fn number(key: &str, number: Decimal, unit: Unit) -> Reading {
    Reading {
        value: Some(Content::Number(number)),
        unit: Some(unit),
        ..Reading::without(register_by_key(key).unwrap().id, Quality::Good)
    }
}

fn readings() -> Vec<Reading> {
    vec![
        number("heat_energy", Decimal::new(84_817, -3), Unit::GJ),
        number("volume", Decimal::new(1_093_360, -3), Unit::CUBIC_METRE),
        number("power", Decimal::new(0, -1), Unit::KW),
        number("flow", Decimal::new(432, 0), Unit::LITRE_PER_HOUR),
        number("flow_temperature", Decimal::new(7120, -2), Unit::CELSIUS),
        // Air in the flow sensor.
        number("info_bits", Decimal::new(0x100, 0), Unit::BITS),
        Reading {
            reason: Some("it fell from 12.3 to 0.1 between two polls".to_owned()),
            ..Reading::without(register_by_key("mass").unwrap().id, Quality::Held)
        },
        Reading {
            value: Some(Content::Text("2026-11-26".to_owned())),
            ..number("date", Decimal::ZERO, Unit::DATE1)
        },
    ]
}

//! The service as a whole: what a changed configuration touches and what it does not, and the end.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use heatmeter_gateway::config::Config;
use heatmeter_gateway::hub::Hub;
use heatmeter_gateway::service::{Options, Service, ServiceError};
use heatmeter_history::{History, Settings};
use heatmeter_simulator::{self as simulator, Handle, Model, serve_pty, serve_tcp};
use hyper::StatusCode;
use kamstrup_kmp::Verdict;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio::time;
use tokio_util::sync::CancellationToken;

use crate::web::client::{Ask, PATIENCE};

/// A service at work, and its configuration.
struct Stage {
    hub: Hub,
    address: SocketAddr,
    folder: TempDir,
    stop: CancellationToken,
    running: JoinHandle<Result<(), ServiceError>>,
}

impl Stage {
    async fn start(configuration: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("heatmeter.toml");
        fs::write(&file, head() + configuration).unwrap();
        let config = Config::load(&file).unwrap();
        let service = Service::prepare(config, Options::new(Some(file)))
            .await
            .unwrap();
        let (hub, address) = (service.hub(), service.address().unwrap());
        let stop = CancellationToken::new();
        Self {
            hub,
            address,
            folder,
            running: tokio::spawn(service.run(stop.clone())),
            stop,
        }
    }

    fn history(&self) -> PathBuf {
        self.folder.path().join("history.db")
    }

    /// Has it take up another configuration, as the page does.
    async fn change(&self, configuration: &str) {
        let current = Ask::new(self.address, "GET", "/api/config")
            .send()
            .await
            .json();
        let body = json!({"toml": head() + configuration, "etag": current["etag"]});
        let answered = Ask::new(self.address, "PUT", "/api/config")
            .json(&body)
            .send()
            .await;
        assert_eq!(answered.status, StatusCode::OK, "{}", answered.text());
    }

    async fn wait_until(&self, what: &str, is_so: impl Fn(&Hub) -> bool) {
        wait_until(what, || is_so(&self.hub)).await;
    }

    /// The meter of this slot has answered.
    async fn answers(&self, slot: &str) {
        let answered = |hub: &Hub| {
            hub.meter(slot)
                .is_some_and(|it| it.verdict == Some(Verdict::Ok))
        };
        self.wait_until(&format!("{slot} answers"), answered).await;
    }

    async fn end(self) -> TempDir {
        self.stop.cancel();
        time::timeout(PATIENCE, self.running)
            .await
            .expect("it ends")
            .unwrap()
            .unwrap();
        self.folder
    }
}

fn head() -> String {
    "time_zone = \"UTC\"\n[web]\nlisten = \"127.0.0.1:0\"\n".to_owned()
}

async fn wait_until(what: &str, is_so: impl Fn() -> bool) {
    let waiting = async {
        while !is_so() {
            time::sleep(Duration::from_millis(20)).await;
        }
    };
    time::timeout(PATIENCE, waiting)
        .await
        .unwrap_or_else(|_| panic!("it never came that {what}"));
}

/// A simulated meter behind TCP.
async fn meter(serial: u32) -> (String, Handle) {
    let config = simulator::Config::new(Model::M403).serial(serial);
    let server = serve_tcp(config, SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))
        .await
        .unwrap();
    let (port, handle) = (server.listening().to_owned(), server.handle());
    tokio::spawn(server.run(std::future::pending()));
    (port, handle)
}

fn at(name: &str, port: &str) -> String {
    format!("[[meter]]\nname = \"{name}\"\nport = \"{port}\"\n")
}

/// Takes what is posted to it.
struct Hook {
    url: String,
    polls: Arc<Mutex<Vec<Value>>>,
}

impl Hook {
    async fn start() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let polls = Arc::<Mutex<Vec<Value>>>::default();
        let taken = Arc::clone(&polls);
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                tokio::spawn(take(stream, Arc::clone(&taken)));
            }
        });
        Self { url, polls }
    }

    fn from(&self, serial: &str) -> usize {
        let polls = self.polls.lock().unwrap();
        let ids = polls.iter().filter_map(|poll| poll["id"].as_str());
        ids.filter(|id| id.starts_with(serial)).count()
    }
}

async fn take(stream: TcpStream, polls: Arc<Mutex<Vec<Value>>>) -> Option<()> {
    let mut stream = BufReader::new(stream);
    loop {
        let body = crate::posted::body(&mut stream).await?;
        polls
            .lock()
            .unwrap()
            .push(serde_json::from_slice(&body).unwrap());
        stream
            .get_mut()
            .write_all(b"HTTP/1.1 204 \r\n\r\n")
            .await
            .ok()?;
    }
}

#[tokio::test]
async fn a_reload_touches_only_what_changed() {
    let (one, first) = meter(40_300_001).await;
    let (two, second) = meter(40_300_002).await;
    let (three, third) = meter(40_300_003).await;
    let (kept, dropped) = (Hook::start().await, Hook::start().await);
    let hook = |name: &str, hook: &Hook| {
        format!("[[webhook]]\nname = \"{name}\"\nurl = \"{}\"\n", hook.url)
    };
    let before =
        at("One", &one) + &at("Two", &two) + &hook("kept", &kept) + &hook("dropped", &dropped);
    let stage = Stage::start(&before).await;
    stage.answers("one").await;
    stage.answers("two").await;
    wait_until("both are delivered", || {
        [&kept, &dropped]
            .into_iter()
            .all(|hook| hook.polls.lock().unwrap().len() == 2)
    })
    .await;
    let asked = first.journal().exchanges();

    let new = Hook::start().await;
    stage
        .change(
            &(at("One", &one) + &at("Three", &three) + &hook("kept", &kept) + &hook("new", &new)),
        )
        .await;
    stage.answers("three").await;
    wait_until("the new one is delivered to those that are there", || {
        [&kept, &new]
            .into_iter()
            .all(|hook| hook.from("40300003") == 1)
    })
    .await;
    let slots: Vec<_> = stage.hub.meters().into_keys().collect();
    assert_eq!(slots, ["one", "three"]);
    assert_eq!(first.journal().exchanges(), asked, "one was left in peace");
    assert_eq!(stage.hub.exchanges("one").len(), 1);
    assert_eq!(dropped.from("40300003"), 0);
    let supplies = stage.hub.supplies();
    let delivered: Vec<_> = supplies
        .iter()
        .map(|supply| (supply.name.as_str(), supply.progress.borrow().delivered))
        .collect();
    assert_eq!(
        delivered,
        [("kept", 3), ("new", 1)],
        "what was kept has gone on counting"
    );
    assert!(second.journal().exchanges() > 0 && third.journal().exchanges() > 0);

    // Everything that was read is there still.
    let answered = Ask::new(stage.address, "GET", "/api/status")
        .send()
        .await
        .json();
    assert_eq!(answered["history"]["polls"], 3, "{answered:#}");
    stage.end().await;
}

#[tokio::test]
async fn a_meter_that_was_changed_is_read_at_once_and_keeps_its_registers() {
    let (one, handle) = meter(40_300_001).await;
    let stage = Stage::start(&at("One", &one)).await;
    stage.answers("one").await;
    let before = stage.hub.meter("one").unwrap();
    let asked = handle.journal().exchanges();
    let changed = at("One", &one) + "schedule = \"every 15 min\"\n";
    let watching = stage.hub.clone();
    let registers_seen = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&registers_seen);
    let watching_it = tokio::spawn(async move {
        let mut events = watching.events();
        while events.recv().await.is_ok() {
            let registers = watching.meter("one").map(|state| state.registers.len());
            seen.lock().unwrap().push(registers);
        }
    });
    stage.change(&changed).await;
    stage
        .wait_until("it is read again", |hub| {
            hub.meter("one")
                .is_some_and(|state| state.tried_at > before.tried_at)
        })
        .await;
    watching_it.abort();
    assert!(handle.journal().exchanges() > asked);
    let after = stage.hub.meter("one").unwrap();
    assert_eq!(after.registers, before.registers);
    let seen = registers_seen.lock().unwrap().clone();
    assert!(
        seen.iter()
            .flatten()
            .all(|registers| *registers == before.registers.len()),
        "never fewer in between: {seen:?}"
    );
    stage.end().await;
}

#[tokio::test]
async fn a_start_again_knows_everything_and_asks_nobody() {
    let (one, handle) = meter(40_300_001).await;
    let stage = Stage::start(&at("One", &one)).await;
    stage.answers("one").await;
    let before = stage.hub.meter("one").unwrap();
    let asked = handle.journal().exchanges();
    let folder = stage.end().await;

    let file = folder.path().join("heatmeter.toml");
    // Once a year, so that it is not due by chance.
    let seldom = at("One", &one) + "schedule = \"0 0 1 1 *\"\n";
    fs::write(&file, head() + &seldom).unwrap();
    let config = Config::load(&file).unwrap();
    let service = Service::prepare(config, Options::new(Some(file)))
        .await
        .unwrap();
    let hub = service.hub();
    let stop = CancellationToken::new();
    let running = tokio::spawn(service.run(stop.clone()));
    wait_until("it is known", || hub.meter("40300001").is_some()).await;
    let after = hub.meter("40300001").unwrap();
    assert_eq!(after.verdict, Some(Verdict::Ok));
    assert_eq!(after.registers, before.registers);
    assert_eq!(after.readings, before.readings);
    stop.cancel();
    running.await.unwrap().unwrap();
    assert_eq!(handle.journal().exchanges(), asked, "the meter slept on");
}

#[tokio::test]
async fn the_end_is_in_order() {
    let folder = tempfile::tempdir().unwrap();
    let link = folder.path().join("ttyMeter");
    let server = serve_pty(simulator::Config::new(Model::M403), Some(&link)).unwrap();
    tokio::spawn(server.run(std::future::pending()));
    let hook = Hook::start().await;
    let port = link.to_str().unwrap();
    let webhook = format!("[[webhook]]\nurl = \"{}\"\n", hook.url);
    let stage = Stage::start(&(at("One", port) + &webhook)).await;
    stage.answers("one").await;
    wait_until("it is delivered", || hook.polls.lock().unwrap().len() == 1).await;
    // A page that listens does not hold it up.
    let events = Ask::new(stage.address, "GET", "/api/events").begin().await;
    let (address, history) = (stage.address, stage.history());
    let folder = stage.end().await;
    drop(events);

    assert!(TcpStream::connect(address).await.is_err(), "nobody listens");
    let names = fs::read_dir(folder.path()).unwrap();
    let left: Vec<_> = names.map(|name| name.unwrap().file_name()).collect();
    assert!(
        !left
            .iter()
            .any(|name| name.to_string_lossy().ends_with("-wal")),
        "{left:?}"
    );
    let (history, _) = History::open(&history, Settings::default()).await.unwrap();
    assert_eq!(history.extent().await.unwrap().polls, 1);
    history.close().await.unwrap();
}

//! The gateway and a real mosquitto: whatever happens to the broker, to the way to it and to the gateway
//! itself, every reading arrives; and what is said besides is always true.

#[path = "../crates/cli/tests/support/mod.rs"]
mod support;

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::{Arc, Mutex};
use std::thread::sleep;
use std::time::{Duration, Instant};

use heatmeter_servers::{Heard, Mosquitto, Options, Proxy, Said, Subscriber, free_port, say, tell};
use rustix::process::Signal;
use serde_json::{Value, json};
use support::{Running, Simulated, command, heatmeter};
use tempfile::TempDir;

/// By when something happens on a busy machine, or never does.
const PATIENCE: Duration = Duration::from_mins(2);
const GLANCE: Duration = Duration::from_millis(20);

/// It is read once after the start, and then only when somebody asks for it.
const SELDOM: &str = "daily at 03:00";

const STATUS: &str = "heatmeter/status";

fn wait_for<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let began = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(began.elapsed() < PATIENCE, "it never came that {what}");
        sleep(GLANCE);
    }
}

/// A gateway with its folder. The web is on the same port after every start.
struct Gateway {
    running: Option<Running>,
    folder: TempDir,
    web: u16,
}

impl Gateway {
    /// With what the configuration says besides `[web]`.
    fn start(configuration: &str) -> Self {
        let mut gateway = Self {
            running: None,
            folder: tempfile::tempdir().unwrap(),
            web: free_port(),
        };
        gateway.configure(configuration);
        gateway.start_again();
        gateway
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("heatmeter.toml")
    }

    fn configure(&self, configuration: &str) {
        let listen = format!("[web]\nlisten = \"127.0.0.1:{}\"\n", self.web);
        fs::write(self.file(), listen + configuration).unwrap();
    }

    fn start_again(&mut self) {
        let running = Running::start(&["run", "--json", "--config", self.file().to_str().unwrap()]);
        running.json();
        self.running = Some(running);
    }

    fn running(&self) -> &Running {
        self.running.as_ref().expect("it runs")
    }

    /// Ends it in an orderly way.
    fn stop(&mut self) {
        let mut running = self.running.take().expect("it runs");
        running.signal(Signal::TERM);
        assert_eq!(running.end(), Some(0), "{}", running.errors());
    }

    /// Ends it as a power failure would.
    fn kill9(&mut self) {
        drop(self.running.take());
    }

    /// Has registers read now.
    fn read(&self, serial: &str, registers: &[&str]) -> Value {
        let path = format!("/api/meters/{serial}/read");
        let answer = wait_for("the meter is known", || {
            let answer = tell(
                self.web,
                &path,
                &json!({"registers": registers}).to_string(),
            )?;
            (answer.status == 200).then_some(answer)
        });
        serde_json::from_str(&answer.body).unwrap()
    }

    /// Every poll that its history holds, in order.
    fn history(&self) -> Vec<Value> {
        let file = self.file();
        let ended = heatmeter(["export", "--json", "--config", file.to_str().unwrap()]);
        assert_eq!(ended.code, Some(0), "{}", ended.stderr);
        ended.objects()
    }
}

/// What a configuration says of one meter.
fn meter(meter: &Simulated, more: &str) -> String {
    format!(
        "[[meter]]\nport = \"{}\"\nschedule = \"{SELDOM}\"\nmains_powered = true\n{more}",
        meter.port()
    )
}

fn mqtt(port: u16, protocol: u8) -> String {
    format!("[mqtt]\nhost = \"127.0.0.1\"\nport = {port}\nprotocol = {protocol}\n")
}

/// Everything that was said at a broker.
struct Listener {
    heard: Arc<Mutex<Vec<Said>>>,
    subscribed: Arc<Mutex<usize>>,
    _subscriber: Subscriber,
}

impl Listener {
    fn start(port: u16) -> Self {
        let heard = Arc::<Mutex<Vec<Said>>>::default();
        let subscribed = Arc::<Mutex<usize>>::default();
        let (hear, count) = (Arc::clone(&heard), Arc::clone(&subscribed));
        let ear = Subscriber::start(port, move |told| match told {
            Heard::Said(said) => hear.lock().unwrap().push(said),
            Heard::Subscribed => *count.lock().unwrap() += 1,
        });
        let listener = Self {
            heard,
            subscribed,
            _subscriber: ear,
        };
        listener.wait_for_subscription(1);
        listener
    }

    fn wait_for_subscription(&self, count: usize) {
        wait_for("somebody listens", || {
            (*self.subscribed.lock().unwrap() >= count).then_some(())
        });
    }

    fn heard(&self) -> Vec<Said> {
        self.heard.lock().unwrap().clone()
    }

    fn count(&self) -> usize {
        self.heard.lock().unwrap().len()
    }

    /// What was said on a topic, after so many other messages.
    fn on(&self, topic: &str, after: usize) -> Vec<Said> {
        let heard = self.heard.lock().unwrap();
        let later = heard.iter().skip(after);
        later.filter(|said| said.topic == topic).cloned().collect()
    }

    /// Waits until this is what was said last on a topic.
    fn wait_for(&self, topic: &str, payload: &str) {
        wait_for(&format!("{topic} is {payload}"), || {
            let last = self.on(topic, 0).pop()?;
            (last.payload == payload).then_some(())
        });
    }

    /// The first JSON on a topic that fits, after so many other messages.
    fn json(&self, topic: &str, after: usize, fits: impl Fn(&Value) -> bool) -> Value {
        wait_for(&format!("{topic} says what it should"), || {
            let said = self.on(topic, after);
            let said = said.iter().filter(|said| !said.payload.is_empty());
            said.map(parse).find(&fits)
        })
    }
}

fn parse(said: &Said) -> Value {
    serde_json::from_str(&said.payload).unwrap()
}

fn id(said: &Said) -> String {
    parse(said)["id"].as_str().unwrap().to_owned()
}

/// What a newcomer hears at once, by topic.
fn kept(port: u16) -> BTreeMap<String, String> {
    let listener = Listener::start(port);
    // What is kept comes before what is said later.
    say(port, "end", "", false);
    wait_for("the end", || listener.on("end", 0).pop());
    let heard = listener.heard().into_iter();
    heard
        .filter(|said| said.retained)
        .map(|said| (said.topic, said.payload))
        .collect()
}

const METERS: [&str; 2] = ["11111111", "22222222"];

/// Two meters, ten minutes of whose time pass in each of our seconds, and all that can break between them and
/// whoever listens.
struct Street {
    gateway: Gateway,
    broker: Mosquitto,
    proxy: Proxy,
    listener: Listener,
    subscriptions: usize,
    _meters: [Simulated; 2],
}

impl Street {
    fn new(protocol: u8) -> Self {
        let meters = METERS.map(|serial| Simulated::tcp(&["--speed", "600", "--serial", serial]));
        let broker = Mosquitto::start(&Options::default());
        let proxy = Proxy::start(broker.port());
        let listener = Listener::start(broker.port());
        let [one, other] = &meters;
        let registers =
            "registers = [\"heat_energy\", \"volume\", \"flow\", \"power\", \"clock\"]\n";
        let configuration = [
            meter(one, &format!("name = \"One\"\n{registers}")),
            meter(other, &format!("name = \"Other\"\n{registers}")),
            mqtt(proxy.port(), protocol),
        ];
        let gateway = Gateway::start(&configuration.concat());
        let street = Self {
            gateway,
            broker,
            proxy,
            listener,
            subscriptions: 1,
            _meters: meters,
        };
        for serial in METERS {
            street.listener.json(&state(serial), 0, |_| true);
        }
        street
    }

    /// So many polls of each meter.
    fn read(&self, times: usize) {
        for number in 0..times {
            for serial in METERS {
                // Two orders for the same registers at once would share one poll.
                let other = ["flow", "power"][number % 2];
                self.gateway.read(serial, &["heat_energy", "clock", other]);
            }
        }
    }

    /// Until an hour has passed for the meters.
    fn read_for_an_hour(&self) {
        let clock = || {
            let poll = self.gateway.read(METERS[0], &["clock"]);
            let clock = poll["readings"][0]["value"].as_str().unwrap().to_owned();
            let (hours, rest) = clock.split_once(':').unwrap();
            let (minutes, _) = rest.split_once(':').unwrap();
            hours.parse::<u32>().unwrap() * 60 + minutes.parse::<u32>().unwrap()
        };
        let began = clock();
        wait_for("an hour has passed", || {
            self.read(2);
            ((clock() + 24 * 60 - began) % (24 * 60) > 60).then_some(())
        });
    }

    /// The broker is there again. Nobody comes back before who listens.
    fn broker_comes_back(&mut self) {
        self.proxy.close();
        self.broker.restart();
        self.subscriptions += 1;
        self.listener.wait_for_subscription(self.subscriptions);
        self.proxy.open();
    }

    /// Waits until the newest poll of each meter has arrived.
    fn settle(&self) -> Vec<Value> {
        let history = self.gateway.history();
        for serial in METERS {
            let last = of_meter(&history, serial).last().copied();
            let last = last.unwrap()["id"].as_str().unwrap();
            wait_for(&format!("{last} arrives"), || {
                let said = self.listener.on(&state(serial), 0).pop()?;
                (id(&said) == last).then_some(())
            });
        }
        history
    }
}

fn state(serial: &str) -> String {
    format!("heatmeter/{serial}/state")
}

fn of_meter<'a>(history: &'a [Value], serial: &str) -> Vec<&'a Value> {
    let polls = history.iter();
    polls
        .filter(|poll| poll["meter"]["serial"] == serial)
        .collect()
}

/// Compares what was heard with what was read: everything once, in order, or as a duplicate that its id
/// marks. Gives how many polls there were and how many messages came twice.
fn check(history: &[Value], heard: &[Said]) -> (usize, usize) {
    let (mut readings, mut duplicates) = (0, 0);
    for serial in METERS {
        let polls = of_meter(history, serial);
        let mut first = Vec::new();
        let mut seen = BTreeMap::new();
        for said in heard.iter().filter(|said| said.topic == state(serial)) {
            match seen.insert(id(said), &said.payload) {
                None => first.push(id(said)),
                Some(before) => {
                    assert_eq!(*before, said.payload, "the same id and another reading");
                    duplicates += 1;
                }
            }
        }
        let read: Vec<_> = polls
            .iter()
            .map(|poll| poll["id"].as_str().unwrap())
            .collect();
        assert_eq!(
            first, read,
            "{serial}: what arrived first, and what was read"
        );
        for poll in &polls {
            let payload = seen[poll["id"].as_str().unwrap()];
            for reading in poll["readings"].as_array().unwrap() {
                let key = reading["key"].as_str().unwrap();
                let said = said_of(reading);
                assert!(
                    payload.contains(&format!("\"{key}\":{said},")),
                    "{key} is {said}: {payload}"
                );
            }
        }
        readings += polls.len();
    }
    (readings, duplicates)
}

/// A reading as it stands in a state: exactly as the meter sent it.
fn said_of(reading: &Value) -> String {
    let text = reading["value"].as_str();
    match text.filter(|_| reading["quality"] == "good") {
        Some(number) if reading["unit"] != Value::Null && !number.contains([':', '-']) => {
            number.to_owned()
        }
        Some(text) if text.parse::<f64>().is_ok() => text.to_owned(),
        Some(text) => format!("\"{text}\""),
        None => "null".to_owned(),
    }
}

fn every_reading_arrives(protocol: u8) {
    let mut street = Street::new(protocol);
    street.read(20);

    street.broker.kill9();
    street.read(20);
    street.broker_comes_back();
    street.read(20);

    // The connection breaks within what is said, and within what is answered: each time after another byte.
    for bytes in [1, 30, 200, 700] {
        street.settle();
        street.proxy.cut_after(bytes);
        street.read(5);
        street.settle();
        street.proxy.cut_answers_after(bytes % 4);
        street.read(5);
    }

    street.broker.kill9();
    street.read(10);
    street.gateway.stop();
    street.gateway.start_again();
    street.read_for_an_hour();
    street.gateway.kill9();
    street.gateway.start_again();
    street.read(10);
    // What has waited is on its way when the connection breaks, and again when the gateway does.
    let before = street.listener.count();
    street.proxy.cut_after(9_000);
    street.broker_comes_back();
    let some = before + 120;
    wait_for("some of it arrives", || {
        (street.listener.count() > some).then_some(())
    });
    street.gateway.kill9();
    street.gateway.start_again();
    street.read(1);
    let history = street.settle();
    let (readings, duplicates) = check(&history, &street.listener.heard());
    eprintln!("{readings} readings, 0 lost; {duplicates} came twice");
    street.gateway.stop();
}

#[test]
fn every_reading_arrives_whatever_breaks_on_mqtt_5() {
    every_reading_arrives(5);
}

#[test]
fn every_reading_arrives_whatever_breaks_on_mqtt_3() {
    every_reading_arrives(3);
}

const SERIAL: &str = "84968362";
const ANNOUNCEMENT: &str = "homeassistant/device/kamstrup_84968362/config";
const AVAILABILITY: &str = "heatmeter/84968362/availability";
const STATE: &str = "heatmeter/84968362/state";
const DIAGNOSTICS: &str = "heatmeter/84968362/diagnostics";
/// Where Home Assistant says that it has started.
const BIRTH: &str = "homeassistant/status";

#[test]
fn availability_follows_the_meter_and_the_gateway() {
    for protocol in [5, 3] {
        let broker = Mosquitto::start(&Options::default());
        let listener = Listener::start(broker.port());
        let mut simulated = command([
            "simulate",
            "--model",
            "403",
            "--tcp",
            "127.0.0.1:0",
            "--speed",
            "0",
            "--serial",
            SERIAL,
            "--orders",
        ]);
        simulated.stdin(Stdio::piped());
        let mut simulated = Running::of(simulated);
        let port = simulated.json()["listening"].as_str().unwrap().to_owned();
        let configuration = format!(
            "[[meter]]\nport = \"{port}\"\nschedule = \"every 5 s\"\nmains_powered = true\n\
             timeout = \"1s\"\n{}",
            mqtt(broker.port(), protocol)
        );
        let mut gateway = Gateway::start(&configuration);
        listener.wait_for(STATUS, "online");
        listener.wait_for(AVAILABILITY, "online");
        let good = listener.json(STATE, 0, |state| state["verdict"] == "ok");

        simulated.say("fault silence=1");
        listener.wait_for(AVAILABILITY, "offline");
        let silent = listener.json(STATE, 0, |state| state["verdict"] != "ok");
        assert_eq!(silent["heat_energy"], good["heat_energy"], "values stay");
        listener.wait_for(STATUS, "online");

        simulated.say("clear");
        listener.wait_for(AVAILABILITY, "online");

        // By its last will.
        gateway.kill9();
        listener.wait_for(STATUS, "offline");
        gateway.start_again();
        listener.wait_for(STATUS, "online");
        listener.wait_for(AVAILABILITY, "online");
        gateway.stop();
        listener.wait_for(STATUS, "offline");
    }
}

#[test]
fn a_newcomer_finds_everything_and_a_register_that_is_taken_out_goes() {
    for protocol in [5, 3] {
        let mut broker = Mosquitto::start(&Options::default());
        let port = broker.port();
        let listener = Listener::start(port);
        let simulated = Simulated::tcp(&["--serial", SERIAL]);
        let configuration = |registers: &[&str]| {
            meter(&simulated, &format!("registers = {registers:?}\n")) + &mqtt(port, protocol)
        };
        let mut gateway = Gateway::start(&configuration(&["heat_energy", "power", "flow"]));
        let announced = listener.json(ANNOUNCEMENT, 0, |announced| {
            announced["components"]["flow"]["state_class"] == "measurement"
        });
        assert_eq!(announced["device"]["serial_number"], SERIAL);
        let found = kept(port);
        let topics: Vec<_> = found.keys().map(String::as_str).collect();
        let expected = [AVAILABILITY, DIAGNOSTICS, STATE, STATUS, ANNOUNCEMENT];
        assert_eq!(topics, expected);
        assert_eq!(
            (&*found[STATUS], &*found[AVAILABILITY]),
            ("online", "online")
        );

        let before = listener.count();
        say(port, BIRTH, "online", false);
        let answer = wait_for("a birth is answered", || {
            let heard = listener.heard().split_off(before);
            heard
                .iter()
                .any(|said| said.topic == DIAGNOSTICS)
                .then_some(heard)
        });
        let topics: Vec<_> = answer.iter().map(|said| said.topic.as_str()).collect();
        assert_eq!(
            topics,
            [BIRTH, ANNOUNCEMENT, AVAILABILITY, STATE, DIAGNOSTICS]
        );
        for said in &answer[1..] {
            assert_eq!(found[&said.topic], said.payload, "nothing has changed");
        }

        gateway.configure(&configuration(&["heat_energy", "power"]));
        gateway.running().signal(Signal::HUP);
        let removal = json!({"platform": "sensor"});
        listener.json(ANNOUNCEMENT, before, |said| {
            said["components"]["flow"] == removal
        });
        let poll = gateway.read(SERIAL, &["heat_energy"]);
        let state = listener.json(STATE, before, |state| state["id"] == poll["id"]);
        assert!(state.get("power").is_some() && state.get("flow").is_none());
        say(port, BIRTH, "online", false);
        wait_for("nothing is left of it", || {
            let said = kept(port);
            let announced: Value = serde_json::from_str(said.get(ANNOUNCEMENT)?).unwrap();
            let components = &announced["components"];
            assert!(components.get("power").is_some(), "{announced}");
            components.get("flow").is_none().then_some(())
        });

        // One that has forgotten everything is told again, before anything is read.
        gateway.stop();
        let polls = gateway.history().len();
        broker.restart();
        gateway.start_again();
        wait_for("everything is there again", || {
            let found = kept(port);
            let is_there = |topic| found.contains_key(topic);
            expected.into_iter().all(is_there).then_some(())
        });
        assert_eq!(gateway.history().len(), polls);
    }
}

#[test]
fn a_command_reads_now() {
    for protocol in [5, 3] {
        let broker = Mosquitto::start(&Options::default());
        let listener = Listener::start(broker.port());
        let simulated = Simulated::tcp(&["--serial", SERIAL]);
        let configuration = meter(&simulated, "") + &mqtt(broker.port(), protocol);
        let gateway = Gateway::start(&configuration);
        // What was read a moment ago is not read again, unless it was something else.
        let other = gateway.read(SERIAL, &["clock"]);
        listener.json(STATE, 0, |state| state["id"] == other["id"]);
        let before = listener.count();
        say(broker.port(), "heatmeter/84968362/read", "PRESS", false);
        let state = listener.json(STATE, before, |state| state["id"] != other["id"]);
        assert_eq!(state["verdict"], "ok");
        assert_eq!(gateway.history().last().unwrap()["id"], state["id"]);
    }
}

#[test]
fn over_tls_with_a_password() {
    for (protocol, in_log) in [(5, "p5"), (3, "p2")] {
        let broker = Mosquitto::start(&Options {
            user: Some(("heatmeter".to_owned(), "secret".to_owned())),
            tls: true,
            ..Options::default()
        });
        let simulated = Simulated::tcp(&["--serial", SERIAL]);
        let folder = tempfile::tempdir().unwrap();
        let password = folder.path().join("password");
        fs::write(&password, "guess\n").unwrap();
        let more = format!(
            "user = \"heatmeter\"\npassword_file = {password:?}\nca_file = {:?}\n",
            broker.certificates().ca
        );
        let configuration = meter(&simulated, "") + &mqtt(broker.port(), protocol) + &more;
        let gateway = Gateway::start(&configuration);
        wait_for("the gateway says that the password is wrong", || {
            let said = gateway.running().errors();
            said.contains("does not let heatmeter in").then_some(())
        });
        fs::write(&password, "secret\n").unwrap();
        gateway.running().signal(Signal::HUP);
        let received = wait_for("the broker has a state", || {
            let log = broker.log();
            let mut lines = log.lines();
            let received =
                lines.find(|line| line.contains("Received PUBLISH") && line.contains(STATE));
            received.is_some().then_some(log)
        });
        let login = format!("({in_log}, c1, k30, u'heatmeter')");
        assert!(received.contains(&login), "{received}");
    }
}

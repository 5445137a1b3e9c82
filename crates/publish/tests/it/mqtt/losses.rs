//! Whatever happens to the broker or to the way to it: every reading arrives, once by its id or as a
//! duplicate that its id marks, and in order per meter.

use std::collections::BTreeMap;
use std::sync::Arc;

use heatmeter_history::Stored;
use heatmeter_publish::Destination;
use heatmeter_publish::Known;
use heatmeter_publish::mqtt::{Mqtt, Protocol, Settings};
use heatmeter_servers::{Mosquitto, Options, Proxy, Said};
use tokio::task::JoinHandle;

use super::support::{Gateway, Listener, energy, json, meter, poll, settings, soon};

const METERS: [&str; 3] = ["11111111", "22222222", "33333333"];
const READINGS: usize = 10_000;

/// Delivers polls in batches, each until it is acknowledged, as the supplier does with the outbox.
fn supply(mut mqtt: Mqtt, polls: Vec<Stored>) -> JoinHandle<()> {
    let meters: Known = METERS
        .iter()
        .map(|serial| ((*serial).to_owned(), Arc::new(meter(serial))))
        .collect();
    tokio::spawn(async move {
        for batch in polls.chunks(mqtt.batch()) {
            while let Err(error) = mqtt.deliver(batch, &meters).await {
                assert!(!error.is_final, "{error}");
            }
        }
    })
}

/// Polls of three meters by turns.
fn polls(count: usize) -> Vec<Stored> {
    (0..count)
        .map(|number| {
            let number = i64::try_from(number).unwrap();
            let serial = METERS[usize::try_from(number).unwrap() % METERS.len()];
            poll(serial, number, vec![energy(i128::from(number))])
        })
        .collect()
}

/// The ids of what was heard of a meter, in order.
fn ids(heard: &[Said], serial: &str) -> Vec<String> {
    let topic = format!("heatmeter/{serial}/state");
    heard
        .iter()
        .filter(|said| said.topic == topic)
        .map(|said| json(said)["id"].as_str().unwrap().to_owned())
        .collect()
}

async fn everything(listener: &Listener, polls: &[Stored]) {
    let last: Vec<_> = METERS
        .iter()
        .map(|serial| {
            let last = polls
                .iter()
                .rev()
                .find(|stored| stored.poll.serial == *serial);
            last.unwrap().poll.id()
        })
        .collect();
    listener
        .find("the last reading of every meter", |heard| {
            let has = |id: &String| heard.iter().rev().any(|said| said.payload.contains(id));
            last.iter().all(has).then_some(())
        })
        .await;
}

/// How many came twice.
fn check(heard: &[Said], polls: &[Stored]) -> usize {
    let mut duplicates = 0;
    for serial in METERS {
        let of_meter = polls.iter().filter(|stored| stored.poll.serial == serial);
        let sent: Vec<_> = of_meter.map(|stored| stored.poll.id()).collect();
        let mut first = Vec::new();
        let mut seen = BTreeMap::new();
        let heard_of_meter = heard.iter().filter(|said| said.topic.contains(serial));
        let states = heard_of_meter.filter(|said| said.topic.ends_with("/state"));
        for (id, said) in ids(heard, serial).into_iter().zip(states) {
            let before = seen.insert(id.clone(), said.payload.clone());
            match before {
                None => first.push(id),
                Some(payload) => {
                    assert_eq!(payload, said.payload, "the same id, another reading");
                    duplicates += 1;
                }
            }
        }
        assert_eq!(first.len(), sent.len(), "readings of {serial} are lost");
        assert_eq!(first, sent, "readings of {serial} are out of order");
    }
    duplicates
}

/// Waits until about so many readings have arrived.
async fn progress(listener: &Listener, count: usize) {
    listener
        .find(&format!("{count} messages"), |heard| {
            (heard.len() >= count).then_some(())
        })
        .await;
}

async fn ten_thousand_with(protocol: Protocol) {
    let mut broker = Mosquitto::start(&Options::default());
    let proxy = Proxy::start(broker.port());
    let mut listener = Listener::start(&broker).await;
    let gateway = Gateway::start(Settings {
        protocol,
        ..settings(proxy.port())
    });
    let polls = polls(READINGS);
    let supplier = supply(gateway.mqtt, polls.clone());
    let mut restarts = 1;
    for step in 1..=16_usize {
        progress(&listener, step * READINGS / 20).await;
        match step % 4 {
            // Killed, and started again; nobody comes back before the listener.
            0 => {
                broker.kill9();
                proxy.close();
                broker.restart();
                restarts += 1;
                listener.wait_for_subscription(restarts).await;
                proxy.open();
            }
            // Gone for a while.
            2 => {
                proxy.close();
                proxy.open();
            }
            // Cut within what is said, or what is answered: each time within another part of it.
            1 => proxy.cut_answers_after(i64::try_from(step * 3 + 1).unwrap()),
            _ => proxy.cut_after(i64::try_from(step * 137 + 11).unwrap()),
        }
    }
    soon(supplier).await.unwrap();
    everything(&listener, &polls).await;
    let heard = listener.heard();
    let duplicates = check(&heard, &polls);
    // Each of the 16 breaks costs a batch and a state that is said again, at most.
    assert!(duplicates < 16 * 110, "{duplicates} came twice");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_readings_and_a_dying_broker_lose_nothing_on_mqtt_5() {
    ten_thousand_with(Protocol::V5).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_readings_and_a_dying_broker_lose_nothing_on_mqtt_3() {
    ten_thousand_with(Protocol::V3).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_hour_without_a_broker_is_made_up_for_in_order() {
    let mut broker = Mosquitto::start(&Options::default());
    let port = broker.port();
    broker.kill9();
    let gateway = Gateway::start(settings(port));
    // A poll every ten seconds, for an hour.
    let polls = polls(360);
    let supplier = supply(gateway.mqtt, polls.clone());
    broker.restart();
    let listener = Listener::start(&broker).await;
    soon(supplier).await.unwrap();
    let newest = &polls.last().unwrap().poll;
    let topic = format!("heatmeter/{}/state", newest.serial);
    let heard = listener
        .find("the newest reading", |heard| {
            let last = heard.iter().rev().find(|said| said.topic == topic)?;
            last.payload.contains(&newest.id()).then(|| heard.to_vec())
        })
        .await;
    // The listener may have come a moment later than the gateway; from then on nothing is missing.
    for serial in METERS {
        let of_meter = polls.iter().filter(|stored| stored.poll.serial == serial);
        let sent: Vec<_> = of_meter.map(|stored| stored.poll.id()).collect();
        let mut got = ids(&heard, serial);
        got.dedup();
        assert!(!got.is_empty());
        assert!(sent.ends_with(&got), "{serial}: {got:?}");
    }
}

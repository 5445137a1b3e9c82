//! What Prometheus is told, made anew for each scrape.
//!
//! Readings are in Prometheus' base units where it has one: `heatmeter_heat_energy_joules_total`,
//! `heatmeter_flow_temperature_celsius`. They are there as long as the meter answers: a poll that
//! failed, or one that is overdue, takes them away, and `heatmeter_meter_up` says why. Prometheus
//! knows floats only; the exact values are in the API.

mod text;
mod unit;

use std::collections::BTreeMap;
use std::sync::atomic::AtomicU64;

use heatmeter_catalog::register;
use heatmeter_history::Health;
use jiff::Timestamp;
use kamstrup_kmp::Verdict;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::{Registry, Unit};

use crate::hub::{Hub, MeterState};

pub use text::classic;

/// What is told at this moment, in the format of OpenMetrics.
pub fn open_metrics(hub: &Hub, health: &Health, now: Timestamp) -> String {
    let mut registry = Registry::with_prefix("heatmeter");
    gateway(&mut registry, health);
    let meters = hub.meters();
    for_meters(&mut registry, meters.values().map(AsRef::as_ref), now);
    readings(&mut registry, meters.values().map(AsRef::as_ref), now);
    lines(&mut registry, hub);
    destinations(&mut registry, hub);
    let mut text = String::new();
    // Writing to a string cannot fail.
    let _ = encode(&mut text, &registry);
    text
}

type Labels = Vec<(&'static str, String)>;
type Figures = Family<Labels, Gauge<f64, AtomicU64>>;
type Counts = Family<Labels, Counter<f64, AtomicU64>>;

fn gateway(registry: &mut Registry, health: &Health) {
    let build = Figures::default();
    build
        .get_or_create(&vec![("version", env!("CARGO_PKG_VERSION").to_owned())])
        .set(1.0);
    registry.register("build_info", "The gateway's version", build);

    let (fine, waiting) = match health {
        Health::Fine => (1.0, 0),
        Health::DiskFull { waiting } | Health::Failing { waiting, .. } => (0.0, *waiting),
        _ => (0.0, 0),
    };
    let up = Gauge::<f64, AtomicU64>::default();
    up.set(fine);
    registry.register("history_up", "Whether polls can be written to disk", up);
    let polls = Gauge::<f64, AtomicU64>::default();
    polls.set(count(waiting as u64));
    registry.register(
        "history_waiting_polls",
        "Polls that wait in memory for room on the disk",
        polls,
    );
}

fn for_meters<'a>(
    registry: &mut Registry,
    meters: impl Iterator<Item = &'a MeterState>,
    now: Timestamp,
) {
    let [up, info, verdict, tried, success, wake_ups, planned] =
        std::array::from_fn(|_| Figures::default());
    for state in meters {
        let labels = labels(state);
        let set = |figures: &Figures, value| {
            figures.get_or_create(&labels).set(value);
        };
        set(&up, f64::from(u8::from(is_up(state, now))));
        let mut who = labels.clone();
        who.push(("model", model(state).to_owned()));
        who.push(("port", state.port.clone()));
        who.push(("simulated", state.is_simulated.to_string()));
        info.get_or_create(&who).set(1.0);
        if let Some(seen) = state.verdict {
            let mut labels = labels.clone();
            labels.push(("verdict", seen.code().to_owned()));
            verdict.get_or_create(&labels).set(1.0);
        }
        if let Some(at) = state.tried_at {
            set(&tried, seconds(at));
        }
        if let Some(at) = state.read_at {
            set(&success, seconds(at));
        }
        set(&wake_ups, f64::from(state.ledger.wake_ups));
        set(&planned, state.ledger.planned_wake_ups);
    }
    registry.register("meter_up", "Whether the last poll was answered in time", up);
    registry.register("meter_info", "Which meter this is", info);
    registry.register("meter_verdict", "What came of the last poll", verdict);
    registry.register_with_unit(
        "meter_last_poll_timestamp",
        "When the meter was asked last",
        Unit::Seconds,
        tried,
    );
    registry.register_with_unit(
        "meter_last_success_timestamp",
        "When the meter answered last",
        Unit::Seconds,
        success,
    );
    registry.register(
        "meter_wake_ups_per_day",
        "How often the meter was woken in the last 24 hours; the manufacturer reckons with 24",
        wake_ups,
    );
    registry.register(
        "meter_planned_wake_ups_per_day",
        "How often the schedule wakes the meter in a day",
        planned,
    );
}

/// The registers of all meters that answer, a family for each register and unit.
fn readings<'a>(
    registry: &mut Registry,
    meters: impl Iterator<Item = &'a MeterState>,
    now: Timestamp,
) {
    let mut gauges: BTreeMap<(String, &'static str), (String, Figures)> = BTreeMap::new();
    let mut counters: BTreeMap<(String, &'static str), (String, Counts)> = BTreeMap::new();
    for state in meters.filter(|state| is_up(state, now)) {
        let labels = labels(state);
        for (id, (reading, _)) in &state.readings {
            let (Some(register), Some(number)) = (register(*id), reading.number()) else {
                continue;
            };
            let Some((value, unit)) = unit::base(number, reading.unit) else {
                continue;
            };
            let help = || register.label(heatmeter_catalog::Language::En).to_owned();
            // For Prometheus, bits are a unit, and one that nobody should use.
            let name = (register.key.replace("bits", "flags"), unit);
            // A counter that begins again at zero is one for Prometheus, too.
            if register.is_counter() && value >= 0.0 {
                let (_, family) = counters
                    .entry(name)
                    .or_insert_with(|| (help(), Counts::default()));
                family.get_or_create(&labels).inc_by(value);
            } else {
                let (_, family) = gauges
                    .entry(name)
                    .or_insert_with(|| (help(), Figures::default()));
                family.get_or_create(&labels).set(value);
            }
        }
    }
    for ((key, unit), (help, family)) in gauges {
        register_in(registry, &key, unit, help, family);
    }
    for ((key, unit), (help, family)) in counters {
        register_in(registry, &key, unit, help, family);
    }
}

fn register_in(
    registry: &mut Registry,
    key: &str,
    unit: &str,
    help: String,
    family: impl prometheus_client::registry::Metric,
) {
    if unit.is_empty() {
        registry.register(key, help, family);
    } else {
        registry.register_with_unit(key, help, Unit::Other(unit.to_owned()), family);
    }
}

fn lines(registry: &mut Registry, hub: &Hub) {
    let [polls, requests, retries, sent, received, took] =
        std::array::from_fn(|_| Counts::default());
    for (slot, traffic) in hub.traffic() {
        let labels = vec![("slot", slot)];
        let add = |counts: &Counts, value| {
            counts.get_or_create(&labels).inc_by(value);
        };
        for (verdict, number) in &traffic.polls {
            let mut labels = labels.clone();
            labels.push(("verdict", (*verdict).to_owned()));
            polls.get_or_create(&labels).inc_by(count(*number));
        }
        add(&requests, count(traffic.requests));
        add(&retries, count(traffic.retries));
        add(&sent, count(traffic.bytes_sent));
        add(&received, count(traffic.bytes_received));
        add(&took, traffic.took.as_secs_f64());
    }
    registry.register(
        "polls",
        "Polls since the start, by what came of them",
        polls,
    );
    registry.register("line_requests", "Requests sent to the meter", requests);
    registry.register("line_retries", "Requests that were sent again", retries);
    registry.register_with_unit("line_sent", "What was sent", Unit::Bytes, sent);
    registry.register_with_unit("line_received", "What was received", Unit::Bytes, received);
    registry.register_with_unit("line_busy", "Time on the line", Unit::Seconds, took);
}

fn destinations(registry: &mut Registry, hub: &Hub) {
    let [up, pending, last] = std::array::from_fn(|_| Figures::default());
    let [delivered, refused] = std::array::from_fn(|_| Counts::default());
    for supply in hub.supplies().iter() {
        let labels = vec![
            ("destination", supply.name.clone()),
            ("kind", supply.kind.to_owned()),
        ];
        let progress = supply.progress.borrow();
        let works = f64::from(u8::from(progress.trouble.is_none()));
        up.get_or_create(&labels).set(works);
        pending.get_or_create(&labels).set(count(progress.pending));
        if let Some(at) = progress.delivered_at {
            last.get_or_create(&labels).set(seconds(at));
        }
        delivered
            .get_or_create(&labels)
            .inc_by(count(progress.delivered));
        refused
            .get_or_create(&labels)
            .inc_by(count(progress.refused));
    }
    registry.register("destination_up", "Whether the last delivery worked", up);
    registry.register("destination_pending_polls", "Polls that wait", pending);
    registry.register(
        "destination_delivered_polls",
        "Polls that the destination acknowledged since the start",
        delivered,
    );
    registry.register(
        "destination_refused_polls",
        "Polls that the destination understood and refused since the start",
        refused,
    );
    registry.register_with_unit(
        "destination_last_delivery_timestamp",
        "When it acknowledged something last",
        Unit::Seconds,
        last,
    );
}

/// What tells one meter from another: its serial number, and the name people gave it.
fn labels(state: &MeterState) -> Labels {
    let serial = state.meter.as_ref().map(|meter| meter.serial.clone());
    vec![
        ("slot", state.slot.clone()),
        ("serial", serial.unwrap_or_default()),
        ("name", state.name.clone()),
    ]
}

fn model(state: &MeterState) -> &str {
    let said = state
        .meter
        .as_ref()
        .and_then(|meter| meter.model.as_deref());
    state
        .model
        .map(|model| model.name)
        .or(said)
        .unwrap_or_default()
}

fn is_up(state: &MeterState, now: Timestamp) -> bool {
    state.verdict == Some(Verdict::Ok) && !state.is_stale(now)
}

fn seconds(at: Timestamp) -> f64 {
    at.as_duration().as_secs_f64()
}

#[expect(
    clippy::cast_precision_loss,
    reason = "Prometheus knows floats only; whole numbers are exact to 2^53"
)]
fn count(number: u64) -> f64 {
    number as f64
}

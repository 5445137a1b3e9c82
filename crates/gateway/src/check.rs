//! What a configuration comes to, and whether its ports and destinations work.

use std::time::Duration;

use heatmeter_catalog::Model;
use heatmeter_client::{Client, Meter, OpenOptions};
use heatmeter_publish::influx::Influx;
use heatmeter_publish::postgres::Postgres;
use heatmeter_publish::webhook::Webhook;
use heatmeter_publish::{DeliveryError, Destination};
use jiff::Zoned;
use kamstrup_kmp::Verdict;
use kamstrup_kmp::session::Config as SessionConfig;
use serde::{Serialize, Serializer};
use tokio::time;

use crate::clock::Clock;
use crate::config::{Config, MeterSettings};
use crate::ledger;

/// A destination that says nothing for so long does not work.
const PATIENCE: Duration = Duration::from_secs(20);

/// What a configuration comes to.
#[derive(Debug, Serialize)]
#[non_exhaustive]
pub struct Check {
    /// Where the web listens.
    pub listen: String,
    /// Its meters.
    pub meters: Vec<CheckedMeter>,
    /// Its destinations.
    pub destinations: Vec<CheckedDestination>,
}

/// A meter of it.
#[derive(Debug, Serialize)]
#[non_exhaustive]
pub struct CheckedMeter {
    /// What people call it.
    pub name: String,
    /// Where it is.
    pub port: String,
    /// When it is read.
    pub schedule: String,
    /// The next three times.
    pub next: Vec<String>,
    /// What that costs.
    pub battery: String,
    /// Whether it answers, if that was tried.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outcome: Option<Outcome>,
}

/// A destination of it.
#[derive(Debug, Serialize)]
#[non_exhaustive]
pub struct CheckedDestination {
    /// What it is called.
    pub name: String,
    /// What sort it is.
    pub kind: &'static str,
    /// Whether it works, if that was tried.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outcome: Option<Outcome>,
}

/// What came of trying.
#[derive(Debug, Serialize)]
#[non_exhaustive]
pub struct Outcome {
    /// Whether it works.
    #[serde(rename = "ok")]
    pub is_good: bool,
    /// What was seen.
    pub message: String,
    /// What to do.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub help: String,
    /// Of a meter: what came of asking it.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "code")]
    pub verdict: Option<Verdict>,
}

impl Check {
    /// Whether everything that was tried works.
    pub fn is_good(&self) -> bool {
        let meters = self.meters.iter().map(|meter| &meter.outcome);
        let destinations = self
            .destinations
            .iter()
            .map(|destination| &destination.outcome);
        meters
            .chain(destinations)
            .flatten()
            .all(|outcome| outcome.is_good)
    }

    /// What the first meter says that does not answer, if one was asked that does not.
    pub fn verdict(&self) -> Option<Verdict> {
        let outcomes = self
            .meters
            .iter()
            .filter_map(|meter| meter.outcome.as_ref());
        outcomes
            .filter_map(|outcome| outcome.verdict)
            .find(|verdict| *verdict != Verdict::Ok)
    }
}

#[expect(
    clippy::ref_option,
    clippy::trivially_copy_pass_by_ref,
    reason = "serde gives a reference to the field"
)]
fn code<S: Serializer>(verdict: &Option<Verdict>, serializer: S) -> Result<S::Ok, S::Error> {
    verdict.map(Verdict::code).serialize(serializer)
}

/// Tries each destination out; the first trouble ends it.
pub async fn destinations(config: &Config) -> Result<(), DeliveryError> {
    if let Some(settings) = &config.mqtt {
        patiently(settings.test()).await?;
    }
    for named in &config.influx {
        try_out(true, Influx::new(named.settings.clone())).await?;
    }
    for named in &config.postgres {
        try_out(true, Postgres::new(&named.settings)).await?;
    }
    for named in &config.webhooks {
        try_out(true, Webhook::new(named.settings.clone())).await?;
    }
    Ok(())
}

/// Says what a configuration comes to, and tries it out if that is wanted.
pub async fn check(config: &Config, attempt: bool) -> Check {
    let now = Zoned::new(Clock::system().now(), config.time_zone.clone());
    let mut meters = Vec::new();
    for meter in &config.meters {
        let mut checked = checked(meter, &now);
        if attempt {
            checked.outcome = Some(ask(meter).await);
        }
        meters.push(checked);
    }
    let mut destinations = Vec::new();
    let mut add = |name: &str, kind, tested: Result<(), DeliveryError>| {
        let outcome = attempt.then(|| outcome(tested));
        destinations.push(CheckedDestination {
            name: name.to_owned(),
            kind,
            outcome,
        });
    };
    if let Some(settings) = &config.mqtt {
        let tested = if attempt {
            patiently(settings.test()).await
        } else {
            Ok(())
        };
        add("mqtt", "mqtt", tested);
    }
    for named in &config.influx {
        let tested = try_out(attempt, Influx::new(named.settings.clone())).await;
        add(&named.name, "influx", tested);
    }
    for named in &config.postgres {
        let tested = try_out(attempt, Postgres::new(&named.settings)).await;
        add(&named.name, "postgres", tested);
    }
    for named in &config.webhooks {
        let tested = try_out(attempt, Webhook::new(named.settings.clone())).await;
        add(&named.name, "webhook", tested);
    }
    Check {
        listen: config.listen.to_string(),
        meters,
        destinations,
    }
}

fn checked(meter: &MeterSettings, now: &Zoned) -> CheckedMeter {
    let mut next = Vec::new();
    let mut at = now.clone();
    for _ in 0..3 {
        at = meter.schedule.next(&at);
        next.push(at.strftime("%Y-%m-%d %H:%M:%S").to_string());
    }
    let polls = meter.schedule.polls_per_day();
    let battery = match (meter.mains_powered, ledger::warning(&meter.schedule)) {
        (true, _) => "none is spent: it is fed by the mains".to_owned(),
        (false, Some(warning)) => warning,
        (false, None) => format!("{polls:.0} polls a day; the manufacturer reckons with 24"),
    };
    CheckedMeter {
        name: meter.name.clone(),
        port: meter.port.to_string(),
        schedule: meter.schedule.to_string(),
        next,
        battery,
        outcome: None,
    }
}

/// Asks a meter who it is.
async fn ask(settings: &MeterSettings) -> Outcome {
    let config = SessionConfig {
        answer_timeout: settings.timeout.unwrap_or(Duration::from_secs(2)),
        ..SessionConfig::default()
    };
    let client = Client::with_options(settings.port.clone(), OpenOptions::default(), config);
    let mut meter = Meter::new(client).with_model(settings.model);
    let polled = meter
        .poll(
            None,
            |model| model.unwrap_or(Model::unknown()).usual.to_vec(),
            |_| (),
        )
        .await;
    match polled {
        Ok(_) => {
            let model = meter.model().map_or("a Kamstrup meter", |model| model.name);
            let serial = meter
                .serial()
                .map_or_else(String::new, |serial| format!(", serial number {serial}"));
            Outcome {
                is_good: true,
                message: format!("It answers: {model}{serial}."),
                help: String::new(),
                verdict: Some(Verdict::Ok),
            }
        }
        Err(error) => Outcome {
            is_good: false,
            message: format!("{}: {error}", error.verdict().code()),
            help: error.help(),
            verdict: Some(error.verdict()),
        },
    }
}

async fn try_out(
    attempt: bool,
    destination: Result<impl Destination, DeliveryError>,
) -> Result<(), DeliveryError> {
    let mut destination = destination?;
    if attempt {
        patiently(destination.test()).await
    } else {
        Ok(())
    }
}

async fn patiently(
    test: impl Future<Output = Result<(), DeliveryError>>,
) -> Result<(), DeliveryError> {
    time::timeout(PATIENCE, test).await.unwrap_or_else(|_| {
        Err(DeliveryError::trouble(
            format!("no answer within {} s", PATIENCE.as_secs()),
            "See whether it runs, and whether a firewall lets us through.",
        ))
    })
}

fn outcome(tested: Result<(), DeliveryError>) -> Outcome {
    match tested {
        Ok(()) => Outcome {
            is_good: true,
            message: "It works.".to_owned(),
            help: String::new(),
            verdict: None,
        },
        Err(error) => Outcome {
            is_good: false,
            message: error.message,
            help: error.help,
            verdict: None,
        },
    }
}

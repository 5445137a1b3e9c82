//! A meter as the API tells it.

use heatmeter_catalog::reading::{Content, Reading};
use heatmeter_catalog::{Info, Kind, Language, Model, Severity, register};
use jiff::Timestamp;
use kamstrup_kmp::Verdict;
use serde::Serialize;
use utoipa::ToSchema;

use super::Web;
use super::energy::{self, Comparison};
use super::moment::Moment;
use crate::hub::{Doing, Ledger, MeterState, Trouble};

/// A meter and its latest readings.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Meter)]
pub(super) struct MeterView {
    /// The serial number once the meter has told it, the slot's name before.
    #[schema(example = "84968362")]
    id: String,
    /// Its name in the configuration.
    #[schema(example = "house")]
    slot: String,
    /// What people call it.
    name: String,
    port: String,
    manufacturer: &'static str,
    #[schema(example = "MULTICAL 403")]
    model: Option<String>,
    #[serde(rename = "type")]
    type_code: Option<String>,
    software: Option<String>,
    serial: Option<String>,
    simulated: bool,
    /// What came of the last poll; null before the first.
    verdict: Option<VerdictView>,
    verdict_since: Option<Moment>,
    /// The last poll that was answered.
    read_at: Option<Moment>,
    /// The last poll, whatever came of it.
    tried_at: Option<Moment>,
    next_read_at: Option<Moment>,
    /// Whether the readings are older than the schedule explains.
    stale: bool,
    /// When they will be, unless new ones come.
    stale_at: Option<Moment>,
    doing: DoingView,
    readings: Vec<ReadingView>,
    /// What the meter reports about itself, in words.
    info: Vec<InfoView>,
    /// Counters of energy and volume, against last year.
    energy: Vec<Comparison>,
    battery: BatteryView,
}

/// What came of an exchange.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Verdict)]
pub(super) struct VerdictView {
    #[schema(example = "echo_only")]
    pub(super) code: &'static str,
    pub(super) message: String,
    pub(super) help: String,
}

/// What a line is busy with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = Doing)]
pub(super) enum DoingView {
    Waiting,
    Reading,
    Aligning,
}

/// The latest reading of a register.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Reading)]
pub(super) struct ReadingView {
    #[schema(example = 60)]
    register: u16,
    /// Null for a register that the catalogue does not know.
    #[schema(example = "heat_energy")]
    key: Option<&'static str>,
    #[schema(example = "Heat energy")]
    label: String,
    kind: KindView,
    /// Exactly what the meter sent; null if that does not count.
    #[schema(example = "84.817")]
    value: Option<String>,
    #[schema(example = "GJ")]
    unit: Option<String>,
    /// `good`, `unsupported`, `invalid`, `held` or `unanswered`.
    #[schema(example = "good")]
    quality: &'static str,
    /// Why the value does not count, where there is more to say.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    read_at: Moment,
}

/// How a reading is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = Kind)]
pub(super) enum KindView {
    /// Only grows.
    Counter,
    /// Goes up and down.
    Gauge,
    /// Flags of an info code.
    Info,
    /// A date, a time of day, or both.
    Date,
    /// Names or configures something.
    Text,
}

/// Something that the meter reports about itself.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Info)]
pub(super) struct InfoView {
    #[schema(example = "t1_above_range")]
    key: String,
    text: String,
    severity: SeverityView,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = Severity)]
enum SeverityView {
    Notice,
    Problem,
}

/// What reading costs the meter's battery, against the documented one reading an hour.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, ToSchema)]
#[schema(as = Battery)]
pub(super) struct BatteryView {
    /// In the last 24 hours.
    wake_ups: u32,
    /// Of optical traffic in the last 24 hours.
    seconds: f64,
    /// A day, by the schedule.
    planned_wake_ups: f64,
    planned_seconds: f64,
    /// A day, that the manufacturer reckons with.
    documented_seconds: f64,
    /// Whether the schedule takes so much more that its owner should know.
    draining: bool,
    /// Whether the meter is fed by the mains, so that nothing is spent.
    mains_powered: bool,
}

impl MeterView {
    /// A slot as it is now.
    pub(super) async fn of(web: &Web, state: &MeterState) -> Self {
        let language = web.site.hub.general().language;
        let now = Web::now();
        let meter = state.meter.as_ref();
        Self {
            id: id(state).to_owned(),
            slot: state.slot.clone(),
            name: state.name.clone(),
            port: state.port.clone(),
            manufacturer: "Kamstrup",
            model: state
                .model
                .map(|model| model.name.to_owned())
                .or_else(|| meter.and_then(|meter| meter.model.clone())),
            type_code: meter
                .and_then(|meter| meter.type_code)
                .map(|code| format!("{code:#06x}")),
            software: meter.and_then(|meter| meter.software.clone()),
            serial: meter.map(|meter| meter.serial.clone()),
            simulated: state.is_simulated,
            verdict: state
                .verdict
                .map(|verdict| VerdictView::new(verdict, state.trouble.as_ref())),
            verdict_since: state.verdict_since.map(Moment),
            read_at: state.read_at.map(Moment),
            tried_at: state.tried_at.map(Moment),
            next_read_at: state.next_at.map(Moment),
            stale: state.is_stale(now),
            stale_at: state.stale_at.map(Moment),
            doing: state.doing.into(),
            readings: state
                .readings
                .values()
                .map(|(reading, at)| ReadingView::new(reading, *at, language))
                .collect(),
            info: infos(state, language),
            energy: energy::compare(web, state, now).await,
            battery: state.ledger.into(),
        }
    }
}

/// What a meter is called in addresses.
pub(super) fn id(state: &MeterState) -> &str {
    state
        .meter
        .as_ref()
        .map_or(&state.slot, |meter| &meter.serial)
}

fn infos(state: &MeterState, language: Language) -> Vec<InfoView> {
    let model = state.model.or_else(|| model_of(state));
    let mut infos: Vec<InfoView> = Vec::new();
    for (reading, _) in state.readings.values() {
        for info in reading.meaning(model) {
            let key = info.key();
            // Two registers may tell the same.
            if !infos.iter().any(|known| known.key == key) {
                infos.push(InfoView::new(key, &info, language));
            }
        }
    }
    infos
}

fn model_of(state: &MeterState) -> Option<&'static Model> {
    heatmeter_catalog::model(state.meter.as_ref()?.model.as_deref()?)
}

impl VerdictView {
    /// A verdict; the port's own words tell more where there are any.
    pub(super) fn new(verdict: Verdict, trouble: Option<&Trouble>) -> Self {
        let (message, help) = match trouble {
            Some(trouble) => (trouble.message.clone(), trouble.help.clone()),
            None => (verdict.message().to_owned(), verdict.help().to_owned()),
        };
        Self {
            code: verdict.code(),
            message,
            help,
        }
    }
}

impl ReadingView {
    pub(super) fn new(reading: &Reading, read_at: Timestamp, language: Language) -> Self {
        Self {
            register: reading.register.0,
            key: reading.key(),
            label: reading.label(language),
            kind: KindView::of(reading),
            value: reading.value.as_ref().map(Content::to_string),
            unit: reading.unit_text(),
            quality: reading.quality.word(),
            reason: reading.reason.clone(),
            read_at: read_at.into(),
        }
    }
}

impl KindView {
    pub(super) fn of(reading: &Reading) -> Self {
        let Some(register) = register(reading.register) else {
            return match reading.value {
                Some(Content::Text(_)) => Self::Text,
                _ => Self::Gauge,
            };
        };
        match register.kind {
            Kind::Flags => Self::Info,
            Kind::Date | Kind::YearDay | Kind::Clock | Kind::DateTime => Self::Date,
            Kind::Identifier => Self::Text,
            _ if register.is_counter() => Self::Counter,
            _ => Self::Gauge,
        }
    }
}

impl InfoView {
    fn new(key: String, info: &Info, language: Language) -> Self {
        Self {
            key,
            text: match info {
                Info::Known(entry) => entry.flag.label(language).to_owned(),
                unknown => unknown.to_string(),
            },
            severity: match info {
                Info::Known(entry) if entry.flag.severity == Severity::Notice => {
                    SeverityView::Notice
                }
                _ => SeverityView::Problem,
            },
        }
    }
}

impl From<Doing> for DoingView {
    fn from(doing: Doing) -> Self {
        match doing {
            Doing::Waiting => Self::Waiting,
            Doing::Reading => Self::Reading,
            Doing::Aligning => Self::Aligning,
        }
    }
}

impl From<Ledger> for BatteryView {
    fn from(ledger: Ledger) -> Self {
        let rounded = |figure: f64| (figure * 10.0).round() / 10.0;
        Self {
            wake_ups: ledger.wake_ups,
            seconds: rounded(ledger.seconds),
            planned_wake_ups: rounded(ledger.planned_wake_ups),
            planned_seconds: rounded(ledger.planned_seconds),
            documented_seconds: rounded(ledger.documented_seconds),
            draining: ledger.is_draining,
            mains_powered: ledger.is_mains,
        }
    }
}

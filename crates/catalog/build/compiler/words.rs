//! The words the data files may use, and which of them go together.
//!
//! Home Assistant's rules are those of its sensor platform (`components/sensor/const.py`, release
//! 2026.11): which units and which state classes a device class takes.

use super::problem::{File, Problems};
use super::schema::{LabelRow, Text};
use kamstrup_kmp::Unit;
use toml::Spanned;

/// A word of the data files and the variant it stands for in the crate.
pub(super) type Words = &'static [(&'static str, &'static str)];

pub(super) const KINDS: Words = &[
    ("energy", "Kind::Energy"),
    ("reactive_energy", "Kind::ReactiveEnergy"),
    ("volume", "Kind::Volume"),
    ("water", "Kind::Water"),
    ("mass", "Kind::Mass"),
    ("volume_temperature", "Kind::VolumeTemperature"),
    ("flow", "Kind::Flow"),
    ("power", "Kind::Power"),
    ("reactive_power", "Kind::ReactivePower"),
    ("temperature", "Kind::Temperature"),
    ("temperature_difference", "Kind::TemperatureDifference"),
    ("pressure", "Kind::Pressure"),
    ("voltage", "Kind::Voltage"),
    ("current", "Kind::Current"),
    ("hours", "Kind::Hours"),
    ("duration", "Kind::Duration"),
    ("remaining", "Kind::Remaining"),
    ("events", "Kind::Events"),
    ("ratio", "Kind::Ratio"),
    ("identifier", "Kind::Identifier"),
    ("date", "Kind::Date"),
    ("year_day", "Kind::YearDay"),
    ("clock", "Kind::Clock"),
    ("date_time", "Kind::DateTime"),
    ("flags", "Kind::Flags"),
    ("unknown", "Kind::Unknown"),
];

pub(super) const TIERS: Words = &[
    ("poll", "Tier::Poll"),
    ("hourly", "Tier::Hourly"),
    ("daily", "Tier::Daily"),
    ("once", "Tier::Once"),
];

pub(super) const CONFIDENCES: Words = &[
    ("documented", "Confidence::Documented"),
    ("captured", "Confidence::Captured"),
    ("project", "Confidence::Project"),
    ("inferred", "Confidence::Inferred"),
];

pub(super) const SEVERITIES: Words = &[
    ("notice", "Severity::Notice"),
    ("problem", "Severity::Problem"),
];

pub(super) const CODINGS: Words = &[
    ("weights", "Coding::Weights"),
    ("bits", "Coding::Bits"),
    ("digits", "Coding::Digits"),
];

pub(super) const MEDIA: Words = &[
    ("heat", "Medium::Heat"),
    ("water", "Medium::Water"),
    ("electricity", "Medium::Electricity"),
];

pub(super) const CAPTURE_KINDS: Words = &[
    ("real", "CaptureKind::Real"),
    ("reconstructed", "CaptureKind::Reconstructed"),
    ("request_only", "CaptureKind::RequestOnly"),
    ("partial", "CaptureKind::Partial"),
    ("no_answer", "CaptureKind::NoAnswer"),
    ("document", "CaptureKind::Document"),
    ("author_test", "CaptureKind::AuthorTest"),
    ("origin_not_stated", "CaptureKind::OriginNotStated"),
    ("synthetic", "CaptureKind::Synthetic"),
    ("constructed", "CaptureKind::Constructed"),
];

const ENTITY_CATEGORIES: &[&str] = &["diagnostic", "config"];
const STATE_CLASSES: &[&str] = &["measurement", "total", "total_increasing"];
pub(super) const QUALITIES: &[&str] = &["good", "invalid"];
pub(super) const FRAME_ERRORS: &[&str] = &["crc_mismatch", "truncated"];

/// A device class, the state classes it takes and the units it takes, in the symbols of the
/// protocol.
type DeviceClass = (
    &'static str,
    &'static [&'static str],
    &'static [&'static str],
);

const COUNTED: &[&str] = &["total", "total_increasing"];
const MEASURED: &[&str] = &["measurement"];
const TIMED: &[&str] = &["measurement", "total", "total_increasing"];

const DEVICE_CLASSES: &[DeviceClass] = &[
    (
        "energy",
        COUNTED,
        &[
            "Wh", "kWh", "MWh", "GWh", "J", "kJ", "MJ", "GJ", "cal", "kcal", "Mcal", "Gcal",
        ],
    ),
    ("reactive_energy", COUNTED, &["varh", "kvarh"]),
    ("volume", COUNTED, &["m³", "l", "US gal"]),
    ("water", COUNTED, &["m³", "l", "US gal"]),
    ("volume_flow_rate", MEASURED, &["l/h", "m³/h", "US gal/min"]),
    ("power", MEASURED, &["W", "kW", "MW", "GW"]),
    ("reactive_power", MEASURED, &["var", "kvar"]),
    ("apparent_power", MEASURED, &["VA", "kVA"]),
    ("temperature", MEASURED, &["°C", "K"]),
    ("temperature_delta", MEASURED, &["K", "°C"]),
    ("pressure", MEASURED, &["bar"]),
    ("voltage", MEASURED, &["V", "kV"]),
    ("current", MEASURED, &["A"]),
    ("frequency", MEASURED, &["Hz"]),
    ("duration", TIMED, &["h", "min", "s", "ms", "d"]),
    ("date", &[], &["date"]),
    ("timestamp", &[], &["date time", "real-time clock"]),
    ("enum", &[], &[]),
];

/// Units that have no symbol, named for the data files.
const UNITS_WITHOUT_SYMBOL: &[(&str, Unit)] = &[
    ("clock", Unit::CLOCK),
    ("date", Unit::DATE1),
    ("year day", Unit::DATE3),
    ("number", Unit::NUMBER),
    ("real-time clock", Unit::RTC),
    ("text", Unit::ASCII),
    ("bits", Unit::BITS),
    ("date time", Unit::DATE_TIME_DST),
];

/// The variant a word stands for.
pub(super) fn variant(
    words: Words,
    what: &str,
    word: &Text,
    file: &File<'_>,
    problems: &mut Problems,
) -> &'static str {
    let found = words.iter().find(|(name, _)| name == word.get_ref());
    if found.is_none() {
        let names = words.iter().map(|(name, _)| *name);
        problems.unknown(file, word.span().start, what, word.get_ref(), names);
    }
    found.map_or("", |(_, variant)| variant)
}

/// Notes a word that is not in the list.
pub(super) fn one_of(
    allowed: &[&str],
    what: &str,
    word: &Text,
    file: &File<'_>,
    problems: &mut Problems,
) {
    if !allowed.contains(&word.get_ref().as_str()) {
        problems.unknown(
            file,
            word.span().start,
            what,
            word.get_ref(),
            allowed.iter().copied(),
        );
    }
}

/// The protocol's code of a unit.
pub(super) fn unit(word: &Text, file: &File<'_>, problems: &mut Problems) -> u8 {
    let code = unit_code(word.get_ref());
    if code.is_none() {
        let names = unit_names();
        problems.unknown(file, word.span().start, "unit", word.get_ref(), names);
    }
    code.unwrap_or_default()
}

/// Notes what Home Assistant would refuse.
pub(super) fn home_assistant(
    device_class: Option<&Text>,
    state_class: Option<&Text>,
    entity_category: Option<&Text>,
    units: &[Text],
    file: &File<'_>,
    problems: &mut Problems,
) {
    if let Some(category) = entity_category {
        one_of(
            ENTITY_CATEGORIES,
            "entity category",
            category,
            file,
            problems,
        );
    }
    if let Some(class) = state_class {
        one_of(STATE_CLASSES, "state class", class, file, problems);
    }
    let Some(class) = device_class else { return };
    let Some((name, states, allowed)) = DEVICE_CLASSES
        .iter()
        .find(|(name, ..)| name == class.get_ref())
    else {
        let names = DEVICE_CLASSES.iter().map(|(name, ..)| *name);
        problems.unknown(
            file,
            class.span().start,
            "device class",
            class.get_ref(),
            names,
        );
        return;
    };
    if let Some(state) = state_class
        && !states.contains(&state.get_ref().as_str())
    {
        let takes = if states.is_empty() {
            "none".to_owned()
        } else {
            states.join(" or ")
        };
        let reason = format!(
            "device class \"{name}\" does not go with state class \"{}\", it takes {takes}",
            state.get_ref()
        );
        problems.add(file, state.span().start, reason);
    }
    for unit in units {
        let known = unit_code(unit.get_ref()).is_some();
        if known && !allowed.contains(&unit.get_ref().as_str()) {
            let reason = format!(
                "device class \"{name}\" does not go with unit \"{}\", it takes {}",
                unit.get_ref(),
                allowed.join(", ")
            );
            problems.add(file, unit.span().start, reason);
        }
    }
}

/// A label in every language, or a note of those that are missing.
pub(super) fn labels(
    row: &Spanned<LabelRow>,
    of: &str,
    file: &File<'_>,
    problems: &mut Problems,
) -> String {
    let mut texts = Vec::new();
    for (language, text) in row.get_ref().languages() {
        match text {
            Some(text) if !text.trim().is_empty() => texts.push(text),
            _ => {
                let reason = format!("{of} has no label in \"{language}\"");
                problems.add(file, row.span().start, reason);
            }
        }
    }
    format!("Labels({texts:?})")
}

fn unit_names() -> impl Iterator<Item = &'static str> {
    let symbols = Unit::KNOWN.iter().filter_map(|unit| unit.symbol());
    symbols.chain(UNITS_WITHOUT_SYMBOL.iter().map(|(name, _)| *name))
}

fn unit_code(name: &str) -> Option<u8> {
    let without_symbol = || {
        UNITS_WITHOUT_SYMBOL
            .iter()
            .find(|(known, _)| *known == name)
    };
    Unit::from_symbol(name)
        .or_else(|| without_symbol().map(|(_, unit)| *unit))
        .map(|unit| unit.0)
}

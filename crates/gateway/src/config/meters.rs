//! The meters of a configuration.

use std::collections::BTreeSet;
use std::path::PathBuf;

use heatmeter_catalog::{Model, RegisterId, model, models, nearest, nearest_key, register_by_key};
use heatmeter_client::{ParsePortError, Port};
use toml_edit::Item;

use super::MeterSettings;
use super::keys;
use super::reader::Reader;
use super::table::{Found, Table, tables};
use crate::ledger;
use crate::schedule::{ParseScheduleError, Schedule};

/// What a meter is called whose owner does not say.
const NAME: &str = "Heat meter";

pub(super) fn read(
    reader: &Reader<'_>,
    top: &Table<'_>,
    item: Option<&Item>,
) -> Vec<MeterSettings> {
    let mut meters = Vec::new();
    let mut slots = BTreeSet::new();
    let mut serials = BTreeSet::new();
    if let Some(port) = top.parsed::<Port>("port", port_help) {
        let settings = settings(NAME, port.value);
        slots.insert(settings.slot.clone());
        meters.push(settings);
    }
    for (table, span) in tables(reader, item) {
        let table = Table::new(reader, table, &keys::METER, span, &[]);
        let name = table.text("name");
        let text = name.as_ref().map_or(NAME, |name| name.value.as_str());
        let port = table.needs("port", table.parsed::<Port>("port", port_help));
        let is_whole = port.is_some();
        // Without a port the rest is looked at all the same.
        let port = port.map_or(Port::Serial(PathBuf::new()), |port| port.value);
        let (meter, serial) = read_one(&table, settings(text, port));
        if !slots.insert(meter.slot.clone()) {
            reader.wrong(
                name.as_ref()
                    .map_or(table.span.clone(), |name| name.span.clone()),
                format!("found two meters called `{text}`, or nearly so"),
                "give each a `name` of its own; only letters and digits count",
            );
        }
        if let Some(Found { value, span }) = serial
            && !serials.insert(value.clone())
        {
            reader.wrong(
                span,
                format!("found two meters with the serial number {value}"),
                "keep the one that it belongs to",
            );
        }
        if is_whole {
            meters.push(meter);
        }
    }
    meters
}

/// A meter with everything else as it is by default.
fn settings(name: &str, port: Port) -> MeterSettings {
    MeterSettings {
        slot: slug(name),
        name: name.to_owned(),
        port,
        model: None,
        schedule: Schedule::default(),
        registers: None,
        mains_powered: false,
        timeout: None,
        serial: None,
    }
}

fn read_one(table: &Table<'_>, settings: MeterSettings) -> (MeterSettings, Option<Found<String>>) {
    let schedule = table.parsed::<Schedule>("schedule", ParseScheduleError::help);
    let mains_powered = table.flag("mains_powered").is_some_and(|found| found.value);
    if let Some(schedule) = schedule.as_ref().filter(|_| !mains_powered)
        && let Some(warning) = ledger::warning(&schedule.value)
    {
        table.reader.warn(
            schedule.span.clone(),
            warning,
            "read it less often, or say `mains_powered = true` if it has no battery",
        );
    }
    let serial = table.text("serial");
    let meter = MeterSettings {
        model: table
            .text("model")
            .and_then(|text| known_model(table, &text)),
        schedule: schedule.map(|found| found.value).unwrap_or_default(),
        registers: table
            .texts("registers")
            .map(|texts| registers(table, &texts)),
        mains_powered,
        timeout: table.time("timeout"),
        serial: serial.as_ref().map(|text| text.value.trim().to_owned()),
        ..settings
    };
    (meter, serial)
}

fn port_help(error: &ParsePortError) -> String {
    match error.suggestion() {
        Some(port) => format!("did you mean `{port}`?"),
        None => "write /dev/..., socket://HOST:PORT or rfc2217://HOST:PORT".to_owned(),
    }
}

fn known_model(table: &Table<'_>, text: &Found<String>) -> Option<&'static Model> {
    let found = model(&text.value);
    if found.is_none() {
        let names = models().iter().flat_map(|model| {
            let names = [model.slug, model.name];
            names.into_iter().chain(model.aliases.iter().copied())
        });
        let help = if let Some(near) = nearest(&text.value, names) {
            format!("did you mean `{near}`?")
        } else {
            let slugs: Vec<_> = models().iter().map(|model| model.slug).collect();
            format!("there are {}", slugs.join(", "))
        };
        table.reader.wrong(
            text.span.clone(),
            format!("there is no model `{}`", text.value),
            help,
        );
    }
    found
}

fn registers(table: &Table<'_>, texts: &[Found<String>]) -> Vec<RegisterId> {
    let mut registers = Vec::new();
    for Found { value: text, span } in texts {
        let number = match text.strip_prefix("0x") {
            Some(hex) => u16::from_str_radix(hex, 16).ok(),
            None => text.parse().ok(),
        };
        let id = number
            .map(RegisterId)
            .or_else(|| register_by_key(text).map(|register| register.id));
        match id {
            Some(id) if registers.contains(&id) => {}
            Some(id) => registers.push(id),
            None => table.reader.wrong(
                span.clone(),
                format!("there is no register `{text}`"),
                match nearest_key(text) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => "`heatmeter read PORT --all --json` shows the keys".to_owned(),
                },
            ),
        }
    }
    registers
}

/// A name as it stands in an address: small letters, digits, and dashes for everything else.
fn slug(name: &str) -> String {
    let mut slug = String::new();
    for letter in name.to_lowercase().chars() {
        match letter {
            letter if letter.is_ascii_alphanumeric() => slug.push(letter),
            'ä' | 'æ' | 'å' | 'à' | 'á' | 'â' | 'ą' => slug.push('a'),
            'ö' | 'ø' | 'ó' | 'ô' => slug.push('o'),
            'ü' | 'ú' | 'û' => slug.push('u'),
            'é' | 'è' | 'ê' | 'ë' | 'ę' => slug.push('e'),
            _ if slug.ends_with('-') || slug.is_empty() => {}
            _ => slug.push('-'),
        }
    }
    let slug = slug.trim_end_matches('-');
    if slug.is_empty() {
        "meter".to_owned()
    } else {
        slug.to_owned()
    }
}

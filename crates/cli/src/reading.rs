//! A register's value as it is shown: as a row of a table.

use anstyle::Style;
use heatmeter_catalog::reading::{Content, Quality, Reading};
use heatmeter_catalog::{Language, Model, RegisterId, register};

use crate::output::style;
use crate::output::table::{Align, Cell, Table};

/// Readings under each other: label, value, unit, and what is to be said about it.
pub(crate) fn table(readings: &[Reading], model: Option<&Model>) -> Table {
    let mut table = Table::new([Align::Left, Align::Point, Align::Left, Align::Left]);
    for reading in readings {
        let style = match reading.quality {
            Quality::Good => style::FAIR,
            other => quality_style(other),
        };
        table.row([
            Cell::new(reading.label(Language::En)),
            value_cell(reading),
            Cell::styled(style::DIM, reading.unit_text().unwrap_or_default()),
            Cell::styled(style, remark(reading, model)),
        ]);
    }
    table
}

/// What a register is called, for people.
pub(crate) fn label(id: RegisterId) -> String {
    register(id).map_or_else(
        || format!("Register {id}"),
        |register| register.label(Language::En).to_owned(),
    )
}

/// The value as text, if there is one.
pub(crate) fn value(reading: &Reading) -> Option<String> {
    reading.value.as_ref().map(Content::to_string)
}

/// The value's text, or a dash.
pub(crate) fn value_cell(reading: &Reading) -> Cell {
    match value(reading) {
        Some(value) => Cell::new(value),
        None => Cell::styled(quality_style(reading.quality), "–"),
    }
}

/// How a value of this quality is drawn.
pub(crate) fn quality_style(quality: Quality) -> Style {
    match quality {
        Quality::Good => Style::new(),
        Quality::Unsupported => style::DIM,
        Quality::Invalid | Quality::Unanswered => style::BAD,
        Quality::Held => style::FAIR,
    }
}

/// The flags of an info code in words.
pub(crate) fn meaning(reading: &Reading, model: Option<&Model>) -> String {
    let flags = reading.meaning(model);
    let flags: Vec<String> = flags.iter().map(ToString::to_string).collect();
    flags.join(", ")
}

/// Why there is no value, or what it means.
fn remark(reading: &Reading, model: Option<&Model>) -> String {
    let standing = match reading.quality {
        Quality::Good => return meaning(reading, model),
        Quality::Unsupported => "this meter does not have it",
        Quality::Invalid => "invalid",
        Quality::Held => "held",
        Quality::Unanswered => "no answer",
    };
    match &reading.reason {
        Some(reason) => format!("{standing}: {reason}"),
        None => standing.to_owned(),
    }
}

//! Readings one below the other: a line for each, a column for each register.

use std::fmt::Write as _;

use heatmeter_catalog::RegisterId;
use heatmeter_catalog::reading::Reading;

use super::style::{self, styled};
use super::table::width;
use crate::reading;

/// The columns of a list of readings.
#[derive(Clone, Debug)]
pub(crate) struct Columns {
    columns: Vec<Column>,
}

#[derive(Clone, Debug)]
struct Column {
    register: RegisterId,
    /// The label's words and the unit, below each other.
    head: Vec<String>,
    width: usize,
}

impl Columns {
    /// Columns for these registers, as wide as the first readings of them need, and as many as fit
    /// into so many places.
    pub(crate) fn new(registers: &[RegisterId], first: &[Reading], room: usize) -> Self {
        let mut columns = Vec::new();
        let mut used = TIME;
        for &register in registers {
            let reading = first.iter().find(|reading| reading.register == register);
            let mut head: Vec<String> = reading::label(register)
                .split(' ')
                .map(str::to_owned)
                .collect();
            head.push(reading.and_then(Reading::unit_text).unwrap_or_default());
            let value = reading
                .and_then(reading::value)
                .map_or(0, |value| width(&value));
            // A digit more than now: counters grow.
            let width = head
                .iter()
                .map(|word| width(word))
                .max()
                .unwrap_or(0)
                .max(value + 1);
            if used + 2 + width > room {
                break;
            }
            used += 2 + width;
            columns.push(Column {
                register,
                head,
                width,
            });
        }
        Self { columns }
    }

    /// The lines above the first reading.
    pub(crate) fn head(&self) -> Vec<String> {
        let rows = self
            .columns
            .iter()
            .map(|column| column.head.len())
            .max()
            .unwrap_or(0);
        (0..rows)
            .map(|row| {
                let mut line = " ".repeat(TIME);
                for column in &self.columns {
                    // The last words stand next to the values.
                    let skipped = rows - column.head.len();
                    let word = row.checked_sub(skipped).and_then(|at| column.head.get(at));
                    let word = word.map_or("", String::as_str);
                    let _ = write!(line, "  {word:>0$}", column.width);
                }
                styled(style::DIM, line.trim_end())
            })
            .collect()
    }

    /// A reading in its line.
    pub(crate) fn row(&self, time: &str, readings: &[Reading]) -> String {
        let mut line = styled(style::DIM, format!("{time:<TIME$}"));
        for column in &self.columns {
            let reading = readings
                .iter()
                .find(|reading| reading.register == column.register);
            let (text, style) = match reading {
                Some(reading) => (
                    reading::value(reading).unwrap_or_else(|| reading.quality.word().to_owned()),
                    reading::quality_style(reading.quality),
                ),
                None => (String::new(), anstyle::Style::new()),
            };
            let padding = " ".repeat(2 + column.width.saturating_sub(width(&text)));
            line.push_str(&padding);
            line.push_str(&styled(style, text));
        }
        line
    }

    /// Whether a register has a column.
    pub(crate) fn has(&self, register: RegisterId) -> bool {
        self.columns
            .iter()
            .any(|column| column.register == register)
    }
}

/// The places for `17:35:30`.
const TIME: usize = 8;

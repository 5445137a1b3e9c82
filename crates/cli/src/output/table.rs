//! Tables without lines: columns that stand under each other, numbers by their decimal point.
//!
//! Written here and not taken from a crate because none of those looked at (comfy-table, tabled)
//! aligns numbers by the point, which is what makes a list of meter values readable.

use std::fmt::Write as _;

use anstyle::Style;

/// Where the text of a column stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Align {
    Left,
    /// Decimal points under each other; what has none ends before them.
    Point,
}

/// One field of a table.
#[derive(Clone, Debug)]
pub(crate) struct Cell {
    text: String,
    style: Style,
}

impl Cell {
    pub(crate) fn new(text: impl Into<String>) -> Self {
        Self::styled(Style::new(), text)
    }

    pub(crate) fn styled(style: Style, text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            style,
        }
    }

    /// Characters before and from the decimal point on, as `align` sees them.
    fn parts(&self, align: Align) -> (usize, usize) {
        let whole = width(&self.text);
        match align {
            Align::Left => (0, whole),
            Align::Point => {
                let number = self
                    .text
                    .starts_with(|c: char| c.is_ascii_digit() || c == '-');
                match self.text.find('.').filter(|_| number) {
                    Some(point) => (width(&self.text[..point]), width(&self.text[point..])),
                    None => (whole, 0),
                }
            }
        }
    }
}

/// Rows of cells.
#[derive(Clone, Debug)]
pub(crate) struct Table {
    columns: Vec<Align>,
    rows: Vec<Vec<Cell>>,
}

impl Table {
    pub(crate) fn new(columns: impl Into<Vec<Align>>) -> Self {
        Self {
            columns: columns.into(),
            rows: Vec::new(),
        }
    }

    pub(crate) fn row(&mut self, cells: impl Into<Vec<Cell>>) {
        self.rows.push(cells.into());
    }

    /// The rows as lines of text, two spaces between columns, none at the end.
    pub(crate) fn lines(&self) -> Vec<String> {
        let widths: Vec<(usize, usize)> = self
            .columns
            .iter()
            .enumerate()
            .map(|(column, &align)| {
                self.rows
                    .iter()
                    .filter_map(|row| row.get(column))
                    .map(|cell| cell.parts(align))
                    .fold((0, 0), |(a, b), (x, y)| (a.max(x), b.max(y)))
            })
            .collect();
        self.rows
            .iter()
            .map(|row| {
                let mut line = String::new();
                let mut pending = 0;
                for ((cell, &align), &(before, after)) in row.iter().zip(&self.columns).zip(&widths)
                {
                    let (x, y) = cell.parts(align);
                    let style = cell.style;
                    if cell.text.is_empty() {
                        pending += before;
                    } else {
                        let pad = pending + before - x;
                        let _ = write!(line, "{:pad$}{style}{}{style:#}", "", cell.text);
                        pending = 0;
                    }
                    pending += after - y + 2;
                }
                line
            })
            .collect()
    }
}

/// How many columns of a terminal a text takes.
///
/// Everything that is printed in columns here (English labels, units, digits, blocks) takes one
/// column per character.
pub(crate) fn width(text: &str) -> usize {
    text.chars().count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(columns: &[Align], rows: &[&[&str]]) -> Vec<String> {
        let mut table = Table::new(columns);
        for row in rows {
            table.row(row.iter().map(|text| Cell::new(*text)).collect::<Vec<_>>());
        }
        table.lines()
    }

    #[test]
    fn numbers_stand_by_their_decimal_point() {
        let lines = table(
            &[Align::Left, Align::Point, Align::Left],
            &[
                &["Heat energy", "84.817", "GJ"],
                &["Flow", "1245", "l/h"],
                &["Temperature difference", "-7.86", "K"],
                &["Date", "2026-01-12", ""],
            ],
        );
        assert_eq!(
            lines,
            [
                "Heat energy                     84.817  GJ",
                "Flow                          1245      l/h",
                "Temperature difference          -7.86   K",
                "Date                    2026-01-12",
            ]
        );
    }

    #[test]
    fn nothing_stands_behind_the_last_text_of_a_line() {
        let lines = table(
            &[Align::Left, Align::Point, Align::Left],
            &[&["a", "1", ""], &["long", "100", "x"], &["", "", "y"]],
        );
        assert_eq!(lines, ["a       1", "long  100  x", "           y"]);
    }

    #[test]
    fn a_style_takes_no_room() {
        let mut table = Table::new([Align::Left, Align::Left]);
        table.row([
            Cell::styled(crate::output::style::BAD, "ab"),
            Cell::new("c"),
        ]);
        table.row([Cell::new("abc"), Cell::new("d")]);
        assert_eq!(table.lines()[0], "\u{1b}[31mab\u{1b}[0m   c");
    }
}

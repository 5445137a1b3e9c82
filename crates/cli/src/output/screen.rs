//! A few lines at the bottom of a terminal that are drawn over and over.

use std::fmt::Write as _;
use std::io::{self, Write};

use anstream::adapter::strip_str;
use anstream::{AutoStream, ColorChoice};

use crate::failure::Failure;

/// Lines that are drawn over. The last ones stay when it is dropped.
pub(crate) struct Screen {
    drawn: usize,
    colours: bool,
}

impl Screen {
    /// Takes the lines from the cursor on, and hides it.
    pub(crate) fn new() -> Self {
        let mut out = io::stdout().lock();
        let _ = write!(out, "\x1b[?25l").and_then(|()| out.flush());
        Self {
            drawn: 0,
            colours: AutoStream::choice(&io::stdout()) != ColorChoice::Never,
        }
    }

    /// Draws these lines in place of the last ones, cut to the terminal's size.
    pub(crate) fn draw(&mut self, lines: &[String]) -> Result<(), Failure> {
        let (columns, rows) = size();
        // The last row is left for the cursor.
        let lines = &lines[..lines.len().min(rows.saturating_sub(1))];
        let mut frame = String::new();
        if self.drawn > 0 {
            let _ = write!(frame, "\x1b[{}A", self.drawn);
        }
        for line in lines {
            let line = fit(line, columns);
            if self.colours {
                let _ = writeln!(frame, "\r{line}\x1b[0m\x1b[K");
            } else {
                let _ = writeln!(frame, "\r{}\x1b[K", strip_str(&line));
            }
        }
        frame.push_str("\x1b[J");
        self.drawn = lines.len();
        let mut out = io::stdout().lock();
        // One write, so that nobody sees half of it.
        out.write_all(frame.as_bytes())
            .and_then(|()| out.flush())
            .map_err(Failure::Output)
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        let mut out = io::stdout().lock();
        let _ = write!(out, "\x1b[?25h").and_then(|()| out.flush());
    }
}

/// Columns and rows of the terminal; 80 by 24 where it does not say.
pub(crate) fn size() -> (usize, usize) {
    match rustix::termios::tcgetwinsize(rustix::stdio::stdout()) {
        Ok(size) if size.ws_col > 0 && size.ws_row > 0 => (size.ws_col.into(), size.ws_row.into()),
        _ => (80, 24),
    }
}

/// The beginning of a line that fits into so many columns; colours take no room.
fn fit(line: &str, columns: usize) -> String {
    let mut fitted = String::new();
    let mut used = 0;
    let mut escaped = false;
    for letter in line.chars() {
        if escaped {
            escaped = !letter.is_ascii_alphabetic();
        } else if letter == '\x1b' {
            escaped = true;
        } else if used == columns {
            continue;
        } else {
            used += 1;
        }
        fitted.push(letter);
    }
    fitted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_cut_without_losing_the_end_of_its_colour() {
        assert_eq!(fit("\x1b[31mabcdef\x1b[0m", 3), "\x1b[31mabc\x1b[0m");
        assert_eq!(fit("abc", 3), "abc");
    }
}

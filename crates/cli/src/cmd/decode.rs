//! `heatmeter decode`: what frames say.

use std::io::{self, BufRead, IsTerminal, Read};

use kamstrup_kmp::frame::Decoder;

use crate::exit::Exit;
use crate::explain::Explanation;
use crate::failure::Failure;
use crate::hex;
use crate::output::Console;

/// Explain frames, from arguments or standard input
///
/// Frames may go either way, several in a row, spelt as hex in any form; log lines of other readers
/// do as well, and so do raw bytes on standard input. Needs no meter.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  heatmeter decode 40 3f 10 00 3c 08 04 43 00 01 4b 51 71 ed 0d
  heatmeter decode < home-assistant.log
  heatmeter decode --json 0x803f100100501f750d")]
pub(crate) struct Args {
    /// Frames in hex; none means standard input
    #[arg(value_name = "HEX")]
    hex: Vec<String>,
}

pub(crate) fn run(args: &Args, console: &Console) -> Result<Exit, Failure> {
    let mut reader = Reader::new(console);
    if args.hex.is_empty() {
        if io::stdin().is_terminal() {
            crate::output::note("reading frames from standard input, Ctrl-D ends it");
        }
        reader.read(io::stdin().lock())?;
    } else {
        reader.line(&args.hex.join(" "))?;
    }
    reader.finish()
}

/// No line is longer; what is, is taken in pieces.
const LINE_MAX: u64 = 1 << 20;

/// Explains frames as they come in.
struct Reader<'a> {
    console: &'a Console,
    decoder: Decoder,
    /// Bytes seen, inside and outside frames.
    bytes: u64,
    /// Explanations printed.
    explained: u64,
    broken: bool,
    /// The first line that held no hex.
    stranger: Option<String>,
}

impl<'a> Reader<'a> {
    fn new(console: &'a Console) -> Self {
        Self {
            console,
            decoder: Decoder::new(),
            bytes: 0,
            explained: 0,
            broken: false,
            stranger: None,
        }
    }

    fn read(&mut self, mut input: impl BufRead) -> Result<(), Failure> {
        let cannot = |error| Failure::unexpected("cannot read standard input", error);
        let beginning = input.fill_buf().map_err(cannot)?;
        if beginning.is_empty() {
            // A terminal would have to be told twice that nothing comes.
            return Ok(());
        }
        let is_raw = is_raw(beginning);
        let mut line = Vec::new();
        loop {
            line.clear();
            let mut piece = input.by_ref().take(LINE_MAX);
            if piece.read_until(b'\n', &mut line).map_err(cannot)? == 0 {
                return Ok(());
            }
            if is_raw {
                self.bytes(&line)?;
            } else {
                self.line(&String::from_utf8_lossy(&line))?;
            }
        }
    }

    fn line(&mut self, line: &str) -> Result<(), Failure> {
        let found = hex::in_line(line);
        if found.bytes.is_empty() && found.words > 0 && self.stranger.is_none() {
            self.stranger = Some(line.trim().chars().take(60).collect());
        }
        self.bytes(&found.bytes)
    }

    fn bytes(&mut self, mut bytes: &[u8]) -> Result<(), Failure> {
        self.bytes += bytes.len() as u64;
        while let Some(found) = self.decoder.next(&mut bytes) {
            let explanation = Explanation::of(&found);
            self.say(&explanation)?;
        }
        Ok(())
    }

    fn say(&mut self, explanation: &Explanation) -> Result<(), Failure> {
        self.broken |= explanation.is_broken();
        self.explained += 1;
        if self.console.is_json() {
            self.console.json(explanation)
        } else {
            self.console.line(explanation.text())
        }
    }

    fn finish(mut self) -> Result<Exit, Failure> {
        let rest = self.decoder.abandon().map(|found| Explanation::of(&found));
        if let Some(explanation) = rest {
            self.say(&explanation)?;
        }
        if self.explained == 0 {
            return Err(self.nothing());
        }
        let skipped = self.decoder.skipped();
        if skipped > 0 {
            crate::output::note(format!("{skipped} bytes stand outside of frames"));
        }
        Ok(if self.broken { Exit::Garbled } else { Exit::Ok })
    }

    /// Why nothing was explained.
    fn nothing(&self) -> Failure {
        if self.bytes > 0 {
            return Failure::NoFrame { bytes: self.bytes };
        }
        let message = match &self.stranger {
            Some(line) => format!("no hex found in `{line}`"),
            None => "nothing to decode".to_owned(),
        };
        Failure::usage(
            message,
            "give bytes in hex, as in `heatmeter decode 40 3f 10 07 9a 0d`",
        )
    }
}

/// Whether the beginning of the input is bytes of a line, not text about them.
fn is_raw(beginning: &[u8]) -> bool {
    let is_text =
        |&byte: &u8| matches!(byte, 0x09..=0x0d | 0x1b | 0x20..=0x7e | 0xc2..=0xf4 | 0x80..=0xbf);
    let is_utf8 = match str::from_utf8(beginning) {
        Ok(_) => true,
        // A letter may be cut in two at the end of the buffer.
        Err(error) => error.error_len().is_none(),
    };
    !is_utf8 || !beginning.iter().all(is_text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn raw_bytes_are_told_from_text() {
        assert!(is_raw(&[0x40, 0x3f, 0x10, 0x07, 0x9a, 0x0d]));
        assert!(is_raw(&[0x80, 0x3f, 0x01, 0x05, 0x8a, 0x0d]));
        assert!(!is_raw("40 3f 10 – größer\r\n\u{1b}[0m".as_bytes()));
        assert!(!is_raw(b""));
    }
}

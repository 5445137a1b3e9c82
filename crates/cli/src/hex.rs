//! Finds the bytes of frames in text: hex dumps in any spelling, and the log lines of other readers.
//!
//! A line of nothing but hex is taken whole. In a line with words in it only those runs of hex count
//! that look like part of a frame; times, dates and lists of register numbers do not. Log formats seen
//! in public issues: golles/ha-kamstrup_403 (`... Read: 40`, one byte per line, and
//! `<<< 80:02:12:F0`), PyKMP (`Received bytes on serial: '403F...'`), the dump of
//! gemu2015/Sonoff-Tasmota#38 (`Rd:b'403f10...'`), and heatmeter's own recordings.

/// The bytes that a line of text shows.
pub(crate) fn in_line(line: &str) -> Found {
    let pieces: Vec<Piece<'_>> = split(line).collect();
    let is_plain = !pieces.iter().any(|piece| matches!(piece, Piece::Word(_)));
    let mut found = Found::default();
    let mut run: Vec<u8> = Vec::new();
    let mut label = "";
    for piece in &pieces {
        match piece {
            Piece::Bytes(bytes) => run.extend(bytes),
            Piece::Word(word) => {
                found.take(&mut run, is_plain, label);
                found.words += 1;
                label = word;
            }
        }
    }
    found.take(&mut run, is_plain, label);
    found
}

/// What a line holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Found {
    /// The bytes of frames.
    pub(crate) bytes: Vec<u8>,
    /// Words that are not hex.
    pub(crate) words: usize,
}

impl Found {
    fn take(&mut self, run: &mut Vec<u8>, is_plain: bool, label: &str) {
        if is_plain || is_frame_like(run) || announces_bytes(label) {
            self.bytes.append(run);
        }
        run.clear();
    }
}

/// A part of a line between spaces, quotes, brackets and the like.
#[derive(Debug, PartialEq, Eq)]
enum Piece<'a> {
    Bytes(Vec<u8>),
    Word(&'a str),
}

fn split(line: &str) -> impl Iterator<Item = Piece<'_>> {
    line.split(|c: char| c.is_whitespace() || c.is_control() || "\"'`()[]{}<>,;|\\".contains(c))
        .map(|piece| piece.trim_end_matches(['.', '…']))
        .filter(|piece| !piece.is_empty())
        .flat_map(pieces)
}

/// A piece may be a whole (`403f10`), groups with separators (`40:3f:10`), or a label with hex behind it
/// (`hex:403f10`).
fn pieces(text: &str) -> Vec<Piece<'_>> {
    if is_time_of_day(text) {
        return vec![Piece::Word(text)];
    }
    if let Some(bytes) = groups(text, '-').or_else(|| groups(text, '.')) {
        return vec![Piece::Bytes(bytes)];
    }
    text.split_inclusive(':')
        .filter(|part| *part != ":")
        .map(|part| digits(part.trim_end_matches(':')).map_or(Piece::Word(part), Piece::Bytes))
        .collect()
}

/// Four or more pairs of digits with the same sign between them: less may be a date.
fn groups(text: &str, separator: char) -> Option<Vec<u8>> {
    let pairs: Vec<&str> = text.split(separator).collect();
    if pairs.len() < 4 || pairs.iter().any(|pair| pair.len() != 2) {
        return None;
    }
    digits(&pairs.concat())
}

fn is_time_of_day(text: &str) -> bool {
    let below = |part: &str, limit: u8| {
        part.len() == 2 && part.parse::<u8>().is_ok_and(|number| number < limit)
    };
    let whole = text.split(['.', ',']).next().unwrap_or(text);
    let parts: Vec<&str> = whole.split(':').collect();
    match parts.as_slice() {
        [hour, minute, rest @ ..] if rest.len() <= 1 => {
            below(hour, 24) && below(minute, 60) && rest.iter().all(|second| below(second, 60))
        }
        _ => false,
    }
}

/// Pairs of hex digits, with or without `0x` before the first or every pair.
fn digits(text: &str) -> Option<Vec<u8>> {
    let lower = text.to_ascii_lowercase();
    let plain = match lower.strip_prefix("0x").or_else(|| lower.strip_prefix('x')) {
        // `0xd`, as programs print that do not fill up with zeros.
        Some(rest) if rest.len() == 1 => format!("0{rest}"),
        Some(rest) => rest.replace("0x", ""),
        None => lower,
    };
    if plain.is_empty() || plain.len() % 2 != 0 || !plain.is_ascii() {
        return None;
    }
    (0..plain.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&plain[at..at + 2], 16).ok())
        .collect()
}

/// Whether bytes in the middle of a sentence are likely to be one: they have a start byte with an
/// address behind it, or a start byte and a stop byte in this order.
fn is_frame_like(run: &[u8]) -> bool {
    let starts_addressed = run
        .windows(2)
        .any(|pair| matches!(pair, [0x40 | 0x80, 0x3f | 0x7f | 0xbf]));
    let starts = run.iter().position(|byte| matches!(byte, 0x40 | 0x80));
    let ends = run.iter().rposition(|&byte| byte == 0x0d);
    starts_addressed || starts.is_some_and(|start| ends.is_some_and(|end| end > start))
}

/// Whether a log says that what follows are bytes of the line.
fn announces_bytes(label: &str) -> bool {
    const LABELS: [&str; 15] = [
        "read:",
        "write:",
        "rx:",
        "tx:",
        "rx",
        "tx",
        "recv:",
        "send:",
        "sent:",
        "received:",
        "hex:",
        "hex",
        "bytes:",
        "frame:",
        "b",
    ];
    LABELS.iter().any(|known| known.eq_ignore_ascii_case(label))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(line: &str) -> Vec<u8> {
        in_line(line).bytes
    }

    const ANSWER: [u8; 6] = [0x40, 0x3f, 0x10, 0x07, 0x9a, 0x0d];

    #[test]
    fn a_dump_may_be_spelt_in_any_way() {
        for line in [
            "40 3f 10 07 9a 0d",
            "403f10079a0d",
            "403F 1007 9A0D",
            "40:3f:10:07:9a:0d",
            "40-3F-10-07-9A-0D",
            "0x40 0x3f 0x10 0x7 0x9a 0xd",
            "0x40,0x3f,0x10,0x07,0x9a,0x0d",
            "{0x40, 0x3f, 0x10, 0x07, 0x9a, 0x0d};",
            "0x403f10079a0d",
            r"\x40\x3f\x10\x07\x9a\x0d",
            "  40 3f 10 07 9a 0d\r",
        ] {
            assert_eq!(bytes(line), ANSWER, "{line}");
        }
    }

    #[test]
    fn log_lines_of_other_readers_give_their_bytes_only() {
        for line in [
            "Rd:b'403f10079a0d'",
            "DEBUG:pykmp.client:Received bytes on serial: '403F10079A0D'",
            "2023-07-23 00:40:34.322 DEBUG <<< 40:3F:10:07:9A:0D",
            "[12:40:56] rx 40 3f 10 07 9a 0d (6 bytes)",
            r#"{"t":0.304233,"dir":"in","hex":"403f10079a0d"}"#,
            "rx: 40 3f 10 07 9a 0d.",
            "2026-11-22T12:40:00Z the meter said 403f10079a0d, that is nothing.",
        ] {
            assert_eq!(bytes(line), ANSWER, "{line}");
        }
        assert_eq!(bytes(r#"{"t":12,"dir":"in","hex":"40"}"#), [0x40]);
        let one = "2026-07-25 20:40:35.980 DEBUG (MainThread) \
                   [custom_components.kamstrup_403.pykamstrup] Read: 40";
        assert_eq!(bytes(one), [0x40]);
        let coloured = "\u{1b}[36m2026-05-18 23:00:32.948 DEBUG (MainThread) \
                        [custom_components.kamstrup_403.pykamstrup] Read: 02 \u{1b}[0m";
        assert_eq!(bytes(coloured), [0x02]);
    }

    #[test]
    fn numbers_in_a_log_are_not_taken_for_bytes() {
        for line in [
            "Get values for [60, 68, 80, 99, 1001, 1004]",
            "Register command 80",
            "2026-08-26 20:42:54 Set up entry, with scan_interval of 40 seconds",
            "40 registers, 80 bytes, at 12:40",
            "read 80 registers",
        ] {
            assert_eq!(bytes(line), [0_u8; 0], "{line}");
        }
    }

    #[test]
    fn two_frames_in_a_line_are_both_found() {
        let line = "sent 80 3f 01 05 8a 0d got 40 3f 10 07 9a 0d";
        let expected: Vec<u8> = [0x80, 0x3f, 0x01, 0x05, 0x8a, 0x0d]
            .into_iter()
            .chain(ANSWER)
            .collect();
        assert_eq!(bytes(line), expected);
    }

    #[test]
    fn what_is_no_hex_is_counted() {
        assert_eq!(in_line("hello world").words, 2);
        assert_eq!(in_line("403").words, 1);
        assert_eq!(in_line(""), Found::default());
    }
}

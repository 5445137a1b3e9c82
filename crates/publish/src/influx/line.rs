//! InfluxDB's line protocol, as far as polls need it.
//!
//! Numbers are written with the digits that the meter sent. All are floats to InfluxDB: a field has
//! one type for ever, and a register that is `12` today may be `12.5` tomorrow. Source: InfluxDB's
//! manual, "Line protocol", sections on escaping, on naming restrictions and on duplicate points.

use std::fmt::Write;

use heatmeter_catalog::reading::{Content, Reading};
use heatmeter_history::Poll;

/// Appends the line of a poll; nothing if it has no value.
pub(super) fn write(
    lines: &mut String,
    measurement: &str,
    model: Option<&str>,
    poll: &Poll,
    texts: bool,
) {
    let before = lines.len();
    push_escaped(lines, measurement, ", ");
    lines.push_str(",serial=");
    push_escaped(lines, &poll.serial, ",= ");
    if let Some(model) = model.filter(|model| !model.is_empty()) {
        lines.push_str(",model=");
        push_escaped(lines, model, ",= ");
    }
    let mut separator = ' ';
    for reading in &poll.readings {
        let Some(value) = &reading.value else {
            continue;
        };
        if matches!(value, Content::Text(_)) && !texts {
            continue;
        }
        lines.push(separator);
        separator = ',';
        push_escaped(lines, &field(reading), ",= ");
        lines.push('=');
        push_value(lines, value);
    }
    if separator == ' ' {
        lines.truncate(before);
        return;
    }
    lines.push(' ');
    append(lines, poll.at.as_millisecond());
    lines.push('\n');
}

fn field(reading: &Reading) -> String {
    reading
        .key()
        .map_or_else(|| format!("register_{}", reading.register.0), str::to_owned)
}

fn push_value(lines: &mut String, value: &Content) {
    match value {
        Content::Number(number) => append(lines, number),
        Content::Text(text) => {
            lines.push('"');
            for c in text.chars() {
                if matches!(c, '"' | '\\') {
                    lines.push('\\');
                }
                // Not everybody who takes lines looks for quotes before the end of one.
                lines.push(if c.is_control() { ' ' } else { c });
            }
            lines.push('"');
        }
    }
}

/// Appends a name. What cannot stand in one, because it would end the line or escape what follows,
/// is replaced: control characters by a space, a backslash by a slash.
fn push_escaped(lines: &mut String, name: &str, special: &str) {
    for c in name.chars() {
        let c = match c {
            '\\' => '/',
            c if c.is_control() => ' ',
            c => c,
        };
        if special.contains(c) {
            lines.push('\\');
        }
        lines.push(c);
    }
}

fn append(lines: &mut String, value: impl std::fmt::Display) {
    write!(lines, "{value}").expect("a String takes everything");
}

#[cfg(test)]
mod tests {
    use heatmeter_catalog::RegisterId;
    use heatmeter_catalog::reading::Quality;
    use heatmeter_history::Line;
    use jiff::Timestamp;
    use kamstrup_kmp::{Decimal, Verdict};
    use proptest::prelude::*;

    use super::*;

    fn poll(serial: &str, values: Vec<(u16, Content)>) -> Poll {
        Poll {
            serial: serial.to_owned(),
            at: Timestamp::from_millisecond(1_795_600_000_123).unwrap(),
            verdict: Verdict::Ok,
            readings: values
                .into_iter()
                .map(|(register, value)| Reading {
                    value: Some(value),
                    ..Reading::without(RegisterId(register), Quality::Good)
                })
                .collect(),
            line: Line::default(),
        }
    }

    fn number(mantissa: i128, exponent: i8) -> Content {
        Content::Number(Decimal::new(mantissa, exponent))
    }

    fn lines(measurement: &str, model: Option<&str>, poll: &Poll, texts: bool) -> String {
        let mut lines = String::new();
        write(&mut lines, measurement, model, poll, texts);
        lines
    }

    #[test]
    fn a_poll_is_one_line_with_the_digits_of_the_meter() {
        let poll = poll(
            "84968362",
            vec![
                (60, number(84_817, -3)),
                (80, number(0, -1)),
                (99, number(16, 0)),
                (65_000, number(-5, 2)),
                (1003, Content::Text("2026-11-26".to_owned())),
            ],
        );
        assert_eq!(
            lines("heatmeter", Some("MULTICAL 403"), &poll, false),
            "heatmeter,serial=84968362,model=MULTICAL\\ 403 heat_energy=84.817,power=0.0,\
             info_code=16,register_65000=-500 1795600000123\n"
        );
        assert!(lines("heatmeter", None, &poll, true).contains(",date=\"2026-11-26\" "));
    }

    #[test]
    fn a_poll_without_values_has_no_line() {
        let text = Content::Text("2026-11-26".to_owned());
        let mut poll = poll("1", vec![(1003, text)]);
        let missing = Reading::without(RegisterId(68), Quality::Held);
        poll.readings.push(missing);
        assert_eq!(lines("heatmeter", None, &poll, false), "");
    }

    /// Splits at a character that is neither escaped nor, where quotes mean something, in quotes.
    fn split(text: &str, at: char, quotes: bool) -> Vec<String> {
        let mut parts = vec![String::new()];
        let (mut escaped, mut within) = (false, false);
        for c in text.chars() {
            if !escaped && !within && c == at {
                parts.push(String::new());
                continue;
            }
            if quotes && !escaped && c == '"' {
                within = !within;
            }
            escaped = !escaped && c == '\\';
            parts.last_mut().unwrap().push(c);
        }
        parts
    }

    fn plain(text: &str, special: &str) -> String {
        let mut plain = String::new();
        let mut chars = text.chars().peekable();
        while let Some(c) = chars.next() {
            let escaped = (c == '\\').then(|| chars.next_if(|next| special.contains(*next)));
            plain.push(escaped.flatten().unwrap_or(c));
        }
        plain
    }

    fn tame(name: &str) -> String {
        name.chars()
            .map(|c| match c {
                '\\' => '/',
                c if c.is_control() => ' ',
                c => c,
            })
            .collect()
    }

    proptest! {
        #[test]
        fn nothing_in_a_name_or_value_breaks_the_line(
            measurement in "[a-z][ -~\\n]{0,12}",
            serial in "[ -~\\n]{1,12}",
            model in "[ -~\\näø]{1,12}",
            text in "[ -~\\n\\r]{0,20}",
            mantissa in any::<i64>(),
            exponent in -9_i8..4,
        ) {
            let poll = poll(&serial, vec![
                (60, number(mantissa.into(), exponent)),
                (1003, Content::Text(text.clone())),
            ]);
            let line = lines(&measurement, Some(&model), &poll, true);
            let line = line.strip_suffix('\n').unwrap();
            prop_assert!(!line.contains(char::is_control));
            // A quote in a name is a character like any other.
            let head = split(line, ' ', false).swap_remove(0);
            let parts = split(&line[head.len() + 1..], ' ', true);
            prop_assert_eq!(parts.len(), 2, "{}", line);
            let names = split(&head, ',', false);
            prop_assert_eq!(names.len(), 3);
            prop_assert_eq!(plain(&names[0], ", "), tame(&measurement));
            let tag = |part: &str, key: &str| {
                plain(part.strip_prefix(key).expect("its key"), ",= ")
            };
            prop_assert_eq!(tag(&names[1], "serial="), tame(&serial));
            prop_assert_eq!(tag(&names[2], "model="), tame(&model));
            let fields = split(&parts[0], ',', true);
            prop_assert_eq!(fields.len(), 2);
            let digits = fields[0].strip_prefix("heat_energy=").unwrap();
            prop_assert_eq!(digits.parse::<Decimal>().unwrap(), Decimal::new(mantissa.into(), exponent));
            let quoted = fields[1].strip_prefix("date=\"").unwrap().strip_suffix('"').unwrap();
            let text: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
            prop_assert_eq!(plain(quoted, "\"\\"), text);
        }
    }
}

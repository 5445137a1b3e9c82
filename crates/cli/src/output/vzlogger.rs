//! The lines that vzlogger reads from a program: `exec` as its protocol, `$i $v $t` as its format.
//!
//! Source: `MeterExec.cpp` and `Meter.cpp` of volkszaehler/vzlogger. It reads until the program ends,
//! splits at white space, and has room for 32 lines; what comes after them it writes where other
//! things are.

use heatmeter_catalog::reading::Reading;
use jiff::Timestamp;

/// So many lines vzlogger has room for.
const ROOM: usize = 32;

/// A line for each number, with its key and the time in seconds since 1970; and how many there was no
/// room for.
pub(crate) fn lines(readings: &[Reading], at: Timestamp) -> (Vec<String>, usize) {
    let mut lines: Vec<_> = readings
        .iter()
        .filter_map(|reading| {
            let number = reading.number()?;
            let key = reading
                .key()
                .map_or_else(|| format!("register_{}", reading.register.0), str::to_owned);
            Some(format!("{key} {number} {}", at.as_second()))
        })
        .collect();
    let beyond = lines.len().saturating_sub(ROOM);
    lines.truncate(ROOM);
    (lines, beyond)
}

#[cfg(test)]
mod tests {
    use heatmeter_catalog::RegisterId;
    use heatmeter_catalog::reading::{Content, Quality};
    use kamstrup_kmp::Decimal;

    use super::*;

    fn number(register: u16, number: Decimal) -> Reading {
        Reading {
            value: Some(Content::Number(number)),
            ..Reading::without(RegisterId(register), Quality::Good)
        }
    }

    #[test]
    fn only_numbers_that_count_have_a_line() {
        let date = Reading {
            value: Some(Content::Text("2026-11-26".to_owned())),
            ..Reading::without(RegisterId(1003), Quality::Good)
        };
        let readings = [
            number(60, Decimal::new(84_817, -3)),
            date,
            Reading::without(RegisterId(68), Quality::Held),
            number(65_000, Decimal::new(0, -1)),
        ];
        let at = Timestamp::from_second(1_795_176_000).unwrap();
        let (lines, beyond) = lines(&readings, at);
        let expected = [
            "heat_energy 84.817 1795176000",
            "register_65000 0.0 1795176000",
        ];
        assert_eq!(lines, expected);
        assert_eq!(beyond, 0);
    }

    #[test]
    fn vzlogger_gets_no_more_than_it_has_room_for() {
        let readings: Vec<_> = (0..40).map(|id| number(id, Decimal::ZERO)).collect();
        let (lines, beyond) = lines(&readings, Timestamp::UNIX_EPOCH);
        assert_eq!((lines.len(), beyond), (32, 8));
    }
}

//! Lengths of time on the command line and in the configuration: `90s`, `15min`, `1h30min`, `0s`, `900ms`.
//!
//! A number without a unit is refused: nobody can tell whether seconds or minutes are meant.

use std::time::Duration;

/// Reads a length of time. For clap.
pub fn parse(text: &str) -> Result<Duration, ParseDurationError> {
    let mut rest = text.trim();
    let mut total = Duration::ZERO;
    if rest.is_empty() {
        return Err(ParseDurationError::Empty);
    }
    while !rest.is_empty() {
        let digits = rest
            .find(|c: char| !c.is_ascii_digit() && c != '.')
            .unwrap_or(rest.len());
        let (number, after) = rest.split_at(digits);
        let after = after.trim_start();
        let letters = after
            .find(|c: char| !c.is_alphabetic())
            .unwrap_or(after.len());
        let (unit, after) = after.split_at(letters);
        let amount: f64 = number
            .parse()
            .map_err(|_| ParseDurationError::Form(text.to_owned()))?;
        if unit.is_empty() {
            return Err(ParseDurationError::NoUnit(number.to_owned()));
        }
        let seconds = seconds(unit).ok_or_else(|| ParseDurationError::Unit(unit.to_owned()))?;
        total = Duration::try_from_secs_f64(amount * seconds)
            .ok()
            .and_then(|part| total.checked_add(part))
            .filter(|&total| total <= LONGEST)
            .ok_or(ParseDurationError::TooLong)?;
        rest = after.trim_start();
    }
    Ok(total)
}

/// Writes a length of time as it is read: `1 h 30 min`, `4 min`, `2.5 s`.
pub fn format(duration: Duration) -> String {
    let seconds = duration.as_secs();
    if seconds < 60 {
        let tenths = (duration.as_millis() + 50) / 100;
        return match (tenths / 10, tenths % 10) {
            (whole, 0) => format!("{whole} s"),
            (whole, tenth) => format!("{whole}.{tenth} s"),
        };
    }
    let parts = [
        (seconds / 86_400, "d"),
        (seconds / 3600 % 24, "h"),
        (seconds / 60 % 60, "min"),
        (seconds % 60, "s"),
    ];
    let first = parts
        .iter()
        .position(|(amount, _)| *amount > 0)
        .unwrap_or(3);
    let shown: Vec<String> = parts
        .iter()
        .skip(first)
        .take(2)
        .filter(|(amount, _)| *amount > 0)
        .map(|(amount, unit)| format!("{amount} {unit}"))
        .collect();
    shown.join(" ")
}

/// Why a text is no length of time.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParseDurationError {
    /// Nothing is there.
    #[error("it is empty, expected a time such as 30s")]
    Empty,
    /// It has another form.
    #[error("expected a number and a unit, such as 900ms, 30s, 15min or 1h30min, found `{0}`")]
    Form(String),
    /// A number stands alone.
    #[error("{0} of what? write {0}s, {0}min or {0}h")]
    NoUnit(String),
    /// The unit is unknown.
    #[error("there is no unit `{0}`, expected ms, s, min, h, d, weeks or years")]
    Unit(String),
    /// Nobody waits so long.
    #[error("longer than ten years")]
    TooLong,
}

/// Beyond this, sums of times would overflow the system's clock.
const LONGEST: Duration = Duration::from_hours(24 * 3660);

fn seconds(unit: &str) -> Option<f64> {
    Some(match unit {
        "ms" => 0.001,
        "s" | "sec" | "second" | "seconds" => 1.0,
        "m" | "min" | "minute" | "minutes" => 60.0,
        "h" | "hour" | "hours" => 3600.0,
        "d" | "day" | "days" => 86_400.0,
        "w" | "week" | "weeks" => 7.0 * 86_400.0,
        // Times are kept or waited for, not counted in calendars.
        "y" | "year" | "years" => 365.0 * 86_400.0,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_with_units_are_added_up() {
        assert_eq!(parse("0s"), Ok(Duration::ZERO));
        assert_eq!(parse("900ms"), Ok(Duration::from_millis(900)));
        assert_eq!(parse("15min"), Ok(Duration::from_mins(15)));
        assert_eq!(parse("5m"), Ok(Duration::from_mins(5)));
        assert_eq!(parse("1h30min"), Ok(Duration::from_mins(90)));
        assert_eq!(parse(" 1.5h "), Ok(Duration::from_mins(90)));
        assert_eq!(parse("1d 1s"), Ok(Duration::from_secs(86_401)));
        assert_eq!(parse("2 years"), Ok(Duration::from_hours(24 * 730)));
        assert_eq!(parse("1 week"), Ok(Duration::from_hours(24 * 7)));
    }

    #[test]
    fn a_bare_number_is_refused_with_what_to_write() {
        assert_eq!(
            parse("15").unwrap_err().to_string(),
            "15 of what? write 15s, 15min or 15h"
        );
        assert!(matches!(parse("1h30"), Err(ParseDurationError::NoUnit(_))));
    }

    #[test]
    fn nonsense_is_named() {
        assert_eq!(parse("3 min"), Ok(Duration::from_mins(3)));
        assert_eq!(
            parse("3moons"),
            Err(ParseDurationError::Unit("moons".to_owned()))
        );
        assert!(matches!(parse("-1s"), Err(ParseDurationError::Form(_))));
        assert!(matches!(parse("s"), Err(ParseDurationError::Form(_))));
        assert!(matches!(parse("1.2.3s"), Err(ParseDurationError::Form(_))));
        assert_eq!(
            parse("99999999999999999999999h"),
            Err(ParseDurationError::TooLong)
        );
        assert_eq!(parse(""), Err(ParseDurationError::Empty));
    }

    #[test]
    fn times_are_written_with_their_two_largest_parts() {
        assert_eq!(format(Duration::from_millis(2460)), "2.5 s");
        assert_eq!(format(Duration::from_secs(4)), "4 s");
        assert_eq!(format(Duration::from_mins(4)), "4 min");
        assert_eq!(format(Duration::from_secs(3661)), "1 h 1 min");
        assert_eq!(format(Duration::from_hours(24)), "1 d");
    }
}

//! The time of day. Nothing else in the workspace reads it: whoever needs it is told.

use std::fmt;
use std::time::Duration;

use jiff::civil;
use jiff::{RoundMode, Timestamp, TimestampRound, Unit, Zoned};
use kamstrup_kmp::{Date, DateTime, Time};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::FormatTime;

/// Now, to the second, as it stands in JSON: `2026-11-22T16:35:30Z`.
pub(crate) fn utc() -> String {
    let now = Timestamp::now();
    let whole = TimestampRound::new()
        .smallest(Unit::Second)
        .mode(RoundMode::Trunc);
    now.round(whole).unwrap_or(now).to_string()
}

/// Now on this computer's clock and in its time zone.
pub(crate) fn local() -> Zoned {
    Zoned::now()
}

/// Now, for people: `2026-11-22 17:35:30`.
pub(crate) fn local_text() -> String {
    local().strftime("%Y-%m-%d %H:%M:%S").to_string()
}

/// The time of day only: `17:35:30`.
pub(crate) fn local_time() -> String {
    local().strftime("%H:%M:%S").to_string()
}

/// The date only: `2026-11-22`.
pub(crate) fn local_date() -> String {
    local().strftime("%Y-%m-%d").to_string()
}

/// What a meter's clock is compared with. Which of the two a meter keeps depends on its programming.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reference {
    /// This computer's clock, summer time included.
    LocalTime,
    /// This computer's clock without summer time.
    StandardTime,
}

/// What this computer's clock said so long ago, in whichever of the two ways is nearer to the meter's.
pub(crate) fn nearest(meter: civil::DateTime, age: Duration) -> (civil::DateTime, Reference) {
    let then = local().saturating_sub(age);
    let distance = |at: civil::DateTime| meter.duration_since(at).abs();
    let (local, standard) = (then.datetime(), standard_time(&then));
    let (at, reference) = if distance(standard) < distance(local) {
        (standard, Reference::StandardTime)
    } else {
        (local, Reference::LocalTime)
    };
    (whole_second(at), reference)
}

/// The next whole second that can be told to a meter if telling takes so long, and how long to wait
/// before that.
pub(crate) fn next_second(reference: Reference, telling: Duration) -> (civil::DateTime, Duration) {
    let now = local();
    let at = match reference {
        Reference::LocalTime => now.datetime(),
        Reference::StandardTime => standard_time(&now),
    };
    let earliest = at.saturating_add(telling);
    let fraction = u64::try_from(earliest.subsec_nanosecond()).unwrap_or(0);
    let wait = Duration::from_nanos(1_000_000_000 - fraction);
    let second = earliest.saturating_add(wait);
    (second, wait)
}

/// A date and time as a meter has it; `None` outside 2000 to 2099.
pub(crate) fn to_meter(moment: civil::DateTime) -> Option<DateTime> {
    let part = |number: i8| u8::try_from(number).ok();
    let year = u16::try_from(moment.year())
        .ok()
        .filter(|year| (2000..2100).contains(year))?;
    let date = Date::new(year, part(moment.month())?, part(moment.day())?)?;
    let time = Time::new(
        part(moment.hour())?,
        part(moment.minute())?,
        part(moment.second())?,
    )?;
    Some(DateTime::new(date, time))
}

/// Writes the time of day in front of a log line.
pub(crate) struct LogTime;

impl FormatTime for LogTime {
    fn format_time(&self, w: &mut Writer<'_>) -> fmt::Result {
        write!(w, "{}", local().strftime("%H:%M:%S%.3f"))
    }
}

/// The second that has begun, as a clock shows it.
fn whole_second(moment: civil::DateTime) -> civil::DateTime {
    moment.with().subsec_nanosecond(0).build().unwrap_or(moment)
}

/// The time without summer time.
fn standard_time(moment: &Zoned) -> civil::DateTime {
    let zone = moment.time_zone();
    let info = zone.to_offset_info(moment.timestamp());
    if info.dst().is_std() {
        return moment.datetime();
    }
    // The offset in force before this summer time began is the standard one.
    let standard = zone
        .preceding(moment.timestamp())
        .find(|transition| transition.timestamp() <= moment.timestamp())
        .and_then(|begin| begin.timestamp().checked_sub(Duration::from_secs(1)).ok())
        .map(|before| zone.to_offset_info(before))
        .filter(|before| before.dst().is_std());
    standard.map_or(moment.datetime(), |standard| {
        standard.offset().to_datetime(moment.timestamp())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn standard_time_is_an_hour_behind_in_summer() {
        let at = |text: &str| -> Zoned { text.parse().unwrap() };
        assert_eq!(
            standard_time(&at("2026-07-01T12:00[Europe/Copenhagen]")).to_string(),
            "2026-07-01T11:00:00"
        );
        assert_eq!(
            standard_time(&at("2026-11-22T12:00[Europe/Copenhagen]")).to_string(),
            "2026-11-22T12:00:00"
        );
        assert_eq!(
            standard_time(&at("2026-07-01T12:00[UTC]")).to_string(),
            "2026-07-01T12:00:00"
        );
    }

    #[test]
    fn a_meter_is_told_whole_seconds_of_its_century() {
        let moment = "2026-11-22T17:35:30.7".parse().unwrap();
        assert_eq!(to_meter(moment).unwrap().to_string(), "2026-11-22T17:35:30");
        assert_eq!(to_meter("1999-12-31T23:59:59".parse().unwrap()), None);
        let telling = Duration::from_millis(150);
        let (second, wait) = next_second(Reference::LocalTime, telling);
        assert_eq!(second.subsec_nanosecond(), 0);
        assert!(wait <= Duration::from_secs(1));
    }
}

//! The time of day. Nothing else in the workspace reads it: whoever needs it is told.

use std::fmt;

use jiff::civil;
use jiff::{RoundMode, Timestamp, TimestampRound, Unit, Zoned};
use kamstrup_kmp::{Date, DateTime, Time};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::FormatTime;

/// Now, to the second, as it stands in JSON: `2026-11-22T16:35:30Z`.
pub(crate) fn utc() -> String {
    to_second(Timestamp::now()).to_string()
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

fn to_second(moment: Timestamp) -> Timestamp {
    moment
        .round(
            TimestampRound::new()
                .smallest(Unit::Second)
                .mode(RoundMode::Trunc),
        )
        .unwrap_or(moment)
}

//! When a meter is read, by the wall clock.
//!
//! Home Assistant and accountants book by the hour, so a schedule names moments and not only intervals:
//! `hourly at :59:50` is read just before each hour ends, wherever the machine was started. Four ways of
//! saying it are understood; what they come to is always a moment of local time, with daylight saving.

use core::fmt;
use core::str::FromStr;

use jiff::civil::{DateTime, Time};
use jiff::{SignedDuration, ToSpan, Zoned};

/// When a meter is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schedule(Kind);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Kind {
    /// So many seconds apart, counted from midnight.
    Every(u32),
    /// In each hour at this second of it.
    Hourly(u32),
    /// Each day at this time.
    Daily(Time),
    /// Like cron.
    Cron(Box<Cron>),
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Cron {
    text: String,
    /// Which values each of the five fields has: minute, hour, day, month, weekday (Sunday is 0).
    fields: [u64; 5],
    /// A `*` says nothing about days; if both say something, either is enough.
    any_day: bool,
    any_weekday: bool,
}

/// Why a text is no schedule.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParseScheduleError {
    /// It has none of the forms.
    #[error("found `{0}`, expected a schedule")]
    Form(String),
    /// The interval does not divide a day evenly.
    #[error("found an interval of {0} s, expected one that a day can be divided by")]
    Uneven(u64),
    /// It is shorter than a poll takes.
    #[error("found an interval of {0} s, expected at least 5 s: a poll takes about two")]
    Short(u64),
    /// A field of five is wrong.
    #[error("found `{found}` for the {field}, expected {expected}")]
    Field {
        /// Which one.
        field: &'static str,
        /// What was found.
        found: String,
        /// What would be right.
        expected: String,
    },
    /// It is right, and there is no such day.
    #[error("`{0}` names no day that exists")]
    Never(String),
}

impl ParseScheduleError {
    /// What may be written.
    pub const HELP: &'static str = "write `hourly at :59:50`, `every 15 min`, `daily at 06:00`, or five fields as cron has them: `15,45 * * * *`";
}

/// A day in seconds.
const DAY: u32 = 86_400;

/// An hour in seconds.
const HOUR: u32 = 3600;

impl Default for Schedule {
    /// Just before each hour ends: so the hour's heat is booked in that hour.
    fn default() -> Self {
        Self(Kind::Hourly(HOUR - 10))
    }
}

impl Schedule {
    /// The first moment after this one.
    pub fn next(&self, after: &Zoned) -> Zoned {
        let second = SignedDuration::from_secs(1);
        let found = match &self.0 {
            Kind::Every(seconds) => next_of_day(after, *seconds, 0),
            Kind::Hourly(at) => {
                // By the hours of UTC offset: an hour that comes twice is read twice.
                let hour = after
                    .datetime()
                    .time()
                    .with()
                    .minute(0)
                    .second(0)
                    .subsec_nanosecond(0);
                hour.build().ok().and_then(|hour| {
                    let since = after.datetime().time().duration_since(hour);
                    let at = SignedDuration::from_secs(i64::from(*at));
                    let wait = at - since;
                    let wait = if wait.is_positive() {
                        wait
                    } else {
                        wait + SignedDuration::from_hours(1)
                    };
                    after.checked_add(wait).ok()
                })
            }
            Kind::Daily(time) => [0, 1, 2].into_iter().find_map(|days| {
                let day = after.date().checked_add(days.days()).ok()?;
                let moment = day
                    .to_datetime(*time)
                    .to_zoned(after.time_zone().clone())
                    .ok()?;
                (moment > *after).then_some(moment)
            }),
            Kind::Cron(cron) => cron.next(after),
        };
        // There is always a next moment; should the calendar end, an hour is as good as any.
        found.unwrap_or_else(|| after.saturating_add(second * 3600))
    }

    /// How many times a day, on average.
    pub fn polls_per_day(&self) -> f64 {
        match &self.0 {
            Kind::Every(seconds) => f64::from(DAY) / f64::from(*seconds),
            Kind::Hourly(_) => 24.0,
            Kind::Daily(_) => 1.0,
            Kind::Cron(cron) => cron.per_day(),
        }
    }
}

/// The next moment of a day that is so many seconds apart from the last, counted from midnight.
fn next_of_day(after: &Zoned, every: u32, shift: u32) -> Option<Zoned> {
    let midnight = after.start_of_day().ok()?;
    let gone = after.duration_since(&midnight);
    let every = i64::from(every);
    let count = (gone.as_secs() - i64::from(shift)).div_euclid(every) + 1;
    let next = midnight
        .checked_add(SignedDuration::from_secs(count * every + i64::from(shift)))
        .ok()?;
    if next.date() == after.date() {
        return Some(next);
    }
    // A day with a changed clock need not be divided evenly; the next one begins anew.
    after
        .date()
        .tomorrow()
        .ok()?
        .to_zoned(after.time_zone().clone())
        .ok()
}

impl FromStr for Schedule {
    type Err = ParseScheduleError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let words: Vec<&str> = text.split_whitespace().collect();
        let form = || ParseScheduleError::Form(text.to_owned());
        let kind = match words.as_slice() {
            ["hourly"] => Kind::Hourly(HOUR - 10),
            ["hourly", "at", at] => Kind::Hourly(second_of_hour(at).ok_or_else(form)?),
            ["daily", "at", at] => Kind::Daily(at.parse().map_err(|_| form())?),
            ["every", rest @ ..] if !rest.is_empty() => {
                let span = crate::duration::parse(&rest.concat()).map_err(|_| form())?;
                let seconds = span.as_secs();
                if seconds < 5 {
                    return Err(ParseScheduleError::Short(seconds));
                }
                match u32::try_from(seconds) {
                    Ok(seconds) if DAY.is_multiple_of(seconds) => Kind::Every(seconds),
                    _ => return Err(ParseScheduleError::Uneven(seconds)),
                }
            }
            [minute, hour, day, month, weekday] => Kind::Cron(Box::new(Cron::new(
                text,
                [minute, hour, day, month, weekday],
            )?)),
            _ => return Err(form()),
        };
        Ok(Self(kind))
    }
}

impl fmt::Display for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Kind::Every(seconds) if seconds.is_multiple_of(HOUR) => {
                write!(f, "every {} h", seconds / HOUR)
            }
            Kind::Every(seconds) if seconds.is_multiple_of(60) => {
                write!(f, "every {} min", seconds / 60)
            }
            Kind::Every(seconds) => write!(f, "every {seconds} s"),
            Kind::Hourly(at) => write!(f, "hourly at :{:02}:{:02}", at / 60, at % 60),
            Kind::Daily(time) => write!(f, "daily at {time}"),
            Kind::Cron(cron) => f.write_str(&cron.text),
        }
    }
}

/// `:59:50`, or `:15`.
fn second_of_hour(text: &str) -> Option<u32> {
    let mut parts = text.strip_prefix(':')?.split(':');
    let mut part = || -> Option<Option<u32>> {
        let Some(part) = parts.next() else {
            return Some(None);
        };
        let digits = part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_digit());
        let number = part.parse().ok().filter(|number| digits && *number < 60)?;
        Some(Some(number))
    };
    let (minute, second, more) = (part()??, part()?, part()?);
    more.is_none().then_some(minute * 60 + second.unwrap_or(0))
}

/// Name, least and greatest value of each field.
const FIELDS: [(&str, u32, u32); 5] = [
    ("minute", 0, 59),
    ("hour", 0, 23),
    ("day of the month", 1, 31),
    ("month", 1, 12),
    ("day of the week", 0, 7),
];

impl Cron {
    fn new(text: &str, words: [&str; 5]) -> Result<Self, ParseScheduleError> {
        let mut fields = [0; 5];
        for ((field, word), (name, least, most)) in fields.iter_mut().zip(words).zip(FIELDS) {
            *field = set(word, least, most).ok_or_else(|| ParseScheduleError::Field {
                field: name,
                found: word.to_owned(),
                expected: format!(
                    "`*`, numbers from {least} to {most}, lists (1,15), ranges (8-20) or steps (*/10)"
                ),
            })?;
        }
        // Sunday is 0 and 7.
        if fields[4] & (1 << 7) != 0 {
            fields[4] |= 1;
        }
        let cron = Self {
            text: words.join(" "),
            fields,
            any_day: words[2] == "*",
            any_weekday: words[4] == "*",
        };
        let start = jiff::civil::date(2024, 1, 1).at(0, 0, 0, 0);
        match cron.next_civil(start) {
            Some(_) => Ok(cron),
            None => Err(ParseScheduleError::Never(text.to_owned())),
        }
    }

    fn has(&self, field: usize, value: i8) -> bool {
        self.fields[field] & (1 << value) != 0
    }

    fn has_day(&self, at: DateTime) -> bool {
        let day = self.has(2, at.day());
        let weekday = self.has(4, at.weekday().to_sunday_zero_offset());
        self.has(3, at.month())
            && match (self.any_day, self.any_weekday) {
                (true, true) => true,
                (false, true) => day,
                (true, false) => weekday,
                (false, false) => day || weekday,
            }
    }

    /// The first minute that fits, from this one on; leap days lie up to eight years apart.
    fn next_civil(&self, from: DateTime) -> Option<DateTime> {
        let mut day = from.date();
        for offset in 0..=(8 * 366 + 1) {
            if self.has_day(day.to_datetime(Time::midnight())) {
                let first = if offset == 0 {
                    from.time()
                } else {
                    Time::midnight()
                };
                let start = i32::from(first.hour()) * 60 + i32::from(first.minute());
                let minute = (start..24 * 60).find(|minute| {
                    let (hour, minute) = (minute / 60, minute % 60);
                    self.fields[1] & (1 << hour) != 0 && self.fields[0] & (1 << minute) != 0
                });
                if let Some(minute) = minute {
                    let hour = i8::try_from(minute / 60).ok()?;
                    let minute = i8::try_from(minute % 60).ok()?;
                    return Some(day.at(hour, minute, 0, 0));
                }
            }
            day = day.tomorrow().ok()?;
        }
        None
    }

    fn next(&self, after: &Zoned) -> Option<Zoned> {
        let mut from = after.datetime().checked_add(1.minute()).ok()?;
        // A time that the clock skips is read when it would have been; it may be in the past then.
        loop {
            let found = self.next_civil(from)?;
            let moment = found.to_zoned(after.time_zone().clone()).ok()?;
            if moment > *after {
                return Some(moment);
            }
            from = found.checked_add(1.minute()).ok()?;
        }
    }

    fn per_day(&self) -> f64 {
        let year = jiff::civil::date(2025, 1, 1);
        let days = (0..365)
            .filter_map(|day: i32| year.checked_add(day.days()).ok())
            .filter(|day| self.has_day(day.to_datetime(Time::midnight())))
            .count();
        let times = self.fields[0].count_ones() * self.fields[1].count_ones();
        f64::from(times) * f64::from(u16::try_from(days).unwrap_or(365)) / 365.0
    }
}

/// The values of a field as bits.
fn set(word: &str, least: u32, most: u32) -> Option<u64> {
    let mut bits = 0;
    for part in word.split(',') {
        let (range, step) = match part.split_once('/') {
            Some((range, step)) => (range, step.parse().ok().filter(|step| *step > 0)?),
            None => (part, 1),
        };
        let (first, last) = match (range, range.split_once('-')) {
            ("*", _) => (least, most.min(if most == 7 { 6 } else { most })),
            (_, Some((first, last))) => (first.parse().ok()?, last.parse().ok()?),
            // A single number with a step goes on to the end.
            (_, None) if part.contains('/') => (range.parse().ok()?, most),
            (_, None) => {
                let only = range.parse().ok()?;
                (only, only)
            }
        };
        if first < least || last > most || first > last {
            return None;
        }
        for value in (first..=last).step_by(step) {
            bits |= 1 << value;
        }
    }
    Some(bits)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn next(schedule: &str, after: &str) -> String {
        let schedule: Schedule = schedule.parse().unwrap();
        let after: Zoned = after.parse().unwrap();
        let next = schedule.next(&after);
        next.strftime("%Y-%m-%d %H:%M:%S %:z").to_string()
    }

    const COPENHAGEN: &str = "[Europe/Copenhagen]";

    fn at(text: &str) -> String {
        format!("{text}{COPENHAGEN}")
    }

    #[test]
    fn moments_are_those_of_the_wall_clock() {
        let noon = at("2026-01-12T12:07:30");
        for (schedule, expected) in [
            ("hourly", "12:59:50"),
            ("hourly at :05", "13:05:00"),
            ("hourly at :07:30", "13:07:30"),
            ("hourly at :07:31", "12:07:31"),
            ("every 15 min", "12:15:00"),
            ("every 10s", "12:07:40"),
            ("every 2 h", "14:00:00"),
            ("15,45 * * * *", "12:15:00"),
            ("*/20 13-14 * * *", "13:00:00"),
        ] {
            let expected = format!("2026-01-12 {expected} +01:00");
            assert_eq!(next(schedule, &noon), expected, "{schedule}");
        }
        assert_eq!(next("daily at 06:00", &noon), "2026-01-13 06:00:00 +01:00");
        assert_eq!(next("0 6 * * 0", &noon), "2026-01-18 06:00:00 +01:00");
        assert_eq!(next("0 6 1 3 *", &noon), "2026-03-01 06:00:00 +01:00");
        assert_eq!(next("0 0 29 2 *", &noon), "2028-02-29 00:00:00 +01:00");
        assert_eq!(
            next(
                "every 7 s".replace('7', "8").as_str(),
                &at("2026-01-12T23:59:55")
            ),
            "2026-01-13 00:00:00 +01:00"
        );
    }

    #[test]
    fn an_hour_that_comes_twice_is_read_twice_and_one_that_is_skipped_is_not() {
        // 2026-10-25: 03:00 becomes 02:00.
        let first = "2026-10-25T02:30:00+02:00[Europe/Copenhagen]";
        assert_eq!(next("hourly", first), "2026-10-25 02:59:50 +02:00");
        let second = "2026-10-25T02:59:50+02:00[Europe/Copenhagen]";
        assert_eq!(next("hourly", second), "2026-10-25 02:59:50 +01:00");
        // 2026-03-29: 02:00 becomes 03:00.
        assert_eq!(
            next("hourly", &at("2026-03-29T01:59:50")),
            "2026-03-29 03:59:50 +02:00"
        );
        assert_eq!(
            next("daily at 02:30", &at("2026-03-29T01:00:00")),
            "2026-03-29 03:30:00 +02:00"
        );
        assert_eq!(
            next("every 12 h", &at("2026-03-29T01:00:00")),
            "2026-03-29 13:00:00 +02:00"
        );
    }

    #[test]
    fn what_is_written_is_read_again() {
        for text in [
            "hourly at :59:50",
            "every 15 min",
            "every 30 s",
            "daily at 06:00:00",
            "*/5 * * * 1-5",
        ] {
            let schedule: Schedule = text.parse().unwrap();
            assert_eq!(schedule.to_string().parse(), Ok(schedule.clone()), "{text}");
        }
        assert_eq!(Schedule::default().to_string(), "hourly at :59:50");
    }

    #[test]
    fn what_is_no_schedule_says_why() {
        let problem = |text: &str| text.parse::<Schedule>().unwrap_err().to_string();
        assert!(problem("sometimes").contains("`sometimes`"));
        assert!(problem("every 7 min").contains("420 s"));
        assert!(problem("every 1 s").contains("at least 5 s"));
        assert!(problem("61 * * * *").contains("minute"));
        assert!(problem("0 0 31 2 *").contains("no day"));
        assert!(problem("hourly at :60").contains("expected a schedule"));
    }

    #[test]
    fn polls_a_day_are_counted() {
        let per_day = |text: &str| text.parse::<Schedule>().unwrap().polls_per_day();
        assert!((per_day("hourly") - 24.0).abs() < 1e-9);
        assert!((per_day("every 15 min") - 96.0).abs() < 1e-9);
        assert!((per_day("0 6 * * *") - 1.0).abs() < 1e-9);
        assert!((per_day("*/10 * * * *") - 144.0).abs() < 1e-9);
    }
}

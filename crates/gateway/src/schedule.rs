//! When a meter is read, by the wall clock.
//!
//! Home Assistant and accountants book by the hour, so a schedule names moments and not only intervals:
//! `hourly at :59:50` is read just before each hour ends, wherever the machine was started. Four ways of
//! saying it are understood; what they come to is always a moment of local time, with daylight saving.

use core::fmt;
use core::str::FromStr;

use heatmeter_catalog::nearest;
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

    /// What to write instead.
    pub fn help(&self) -> String {
        const FIRST: [&str; 3] = ["hourly", "every", "daily"];

        let first = match self {
            Self::Form(text) => text.split_whitespace().next().unwrap_or_default(),
            _ => "",
        };
        match nearest(first, FIRST) {
            Some(near) if near != first && !first.is_empty() => format!("did you mean `{near}`?"),
            _ => Self::HELP.to_owned(),
        }
    }
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
        let found = match &self.0 {
            Kind::Every(seconds) => next_by_clock(after, *seconds, 0),
            Kind::Hourly(at) => next_by_clock(after, HOUR, *at),
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
        found.unwrap_or_else(|| after.saturating_add(SignedDuration::from_hours(1)))
    }

    /// How many times a day it reads, on average.
    pub fn polls_per_day(&self) -> f64 {
        match &self.0 {
            Kind::Every(seconds) => f64::from(DAY) / f64::from(*seconds),
            Kind::Hourly(_) => 24.0,
            Kind::Daily(_) => 1.0,
            Kind::Cron(cron) => cron.per_day(),
        }
    }
}

/// The first moment after this one at which the clock on the wall shows a time of day that is `shift`
/// after a multiple of `period`, in seconds. The clock may be set in between: an hour that comes twice
/// counts twice, and one that is skipped does not.
fn next_by_clock(after: &Zoned, period: u32, shift: u32) -> Option<Zoned> {
    let nanoseconds = |seconds: u32| i64::from(seconds) * 1_000_000_000;
    let (period, shift) = (nanoseconds(period), nanoseconds(shift));
    let mut from = after.clone();
    let mut may_be_now = false;
    loop {
        let of_day = from.time().duration_since(Time::midnight()).as_nanos();
        let wait = (shift - i64::try_from(of_day).ok()?).rem_euclid(period);
        let wait = if wait == 0 && !may_be_now {
            period
        } else {
            wait
        };
        let found = from.checked_add(SignedDuration::from_nanos(wait)).ok()?;
        match next_change(&from) {
            Some(change) if change <= found => from = change,
            _ => return Some(found),
        }
        may_be_now = true;
    }
}

/// When the clock on the wall is set next, and what it shows then.
fn next_change(from: &Zoned) -> Option<Zoned> {
    let change = from.time_zone().following(from.timestamp()).next()?;
    Some(change.timestamp().to_zoned(from.time_zone().clone()))
}

impl FromStr for Schedule {
    type Err = ParseScheduleError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let words: Vec<&str> = text.split_whitespace().collect();
        let form = || ParseScheduleError::Form(text.to_owned());
        let kind = match words.as_slice() {
            ["hourly"] => Kind::Hourly(HOUR - 10),
            ["hourly", "at", at] => Kind::Hourly(second_of_hour(at).ok_or_else(form)?),
            ["daily", "at", at] => Kind::Daily(time_of_day(at).ok_or_else(form)?),
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
            Kind::Daily(time) => {
                write!(f, "daily at {:02}:{:02}", time.hour(), time.minute())?;
                match time.second() {
                    0 => Ok(()),
                    second => write!(f, ":{second:02}"),
                }
            }
            Kind::Cron(cron) => f.write_str(&cron.text),
        }
    }
}

/// `:59:50`, or `:15`.
fn second_of_hour(text: &str) -> Option<u32> {
    let (minute, second) = match text.strip_prefix(':')?.split_once(':') {
        Some((minute, second)) => (two_digits(minute)?, two_digits(second)?),
        None => (two_digits(text.strip_prefix(':')?)?, 0),
    };
    (minute < 60 && second < 60).then_some(u32::from(minute) * 60 + u32::from(second))
}

/// `06:00`, or `23:59:50`.
fn time_of_day(text: &str) -> Option<Time> {
    let mut parts = text.split(':').map(two_digits);
    let (hour, minute) = (parts.next()??, parts.next()??);
    let second = parts.next().unwrap_or(Some(0))?;
    let [hour, minute, second] = [hour, minute, second].map(|part| i8::try_from(part).ok());
    let is_all = parts.next().is_none();
    Time::new(hour?, minute?, second?, 0)
        .ok()
        .filter(|_| is_all)
}

fn two_digits(text: &str) -> Option<u8> {
    let is_right = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| is_right)
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
        const EVERY_HOUR: u64 = (1 << 24) - 1;

        if self.fields[1] == EVERY_HOUR {
            self.next_by_clock(after)
        } else {
            self.next_of_day(after)
        }
    }

    /// For times that name no hour: they follow the clock on the wall, whatever it does.
    fn next_by_clock(&self, after: &Zoned) -> Option<Zoned> {
        let mut from = after.clone();
        let mut least = from.datetime().checked_add(1.minute()).ok()?;
        loop {
            let found = self.next_civil(least)?;
            let wait = found.duration_since(from.datetime());
            let moment = from.checked_add(wait).ok()?;
            match next_change(&from) {
                Some(change) if change <= moment => from = change,
                _ => return Some(moment),
            }
            least = from.datetime().checked_add(59.seconds()).ok()?;
        }
    }

    /// For times that name an hour: one that comes twice is read once, and one that the clock skips is
    /// read when it would have been.
    fn next_of_day(&self, after: &Zoned) -> Option<Zoned> {
        let mut from = after.datetime().checked_add(1.minute()).ok()?;
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
        // Four years, so that 29 February is among them.
        const DAYS: u16 = 1461;
        let first = jiff::civil::date(2025, 1, 1);
        let days = (0..i32::from(DAYS))
            .filter_map(|day| first.checked_add(day.days()).ok())
            .filter(|day| self.has_day(day.to_datetime(Time::midnight())))
            .count();
        let times = self.fields[0].count_ones() * self.fields[1].count_ones();
        f64::from(times) * f64::from(u16::try_from(days).unwrap_or(DAYS)) / f64::from(DAYS)
    }
}

/// The values of a field as bits.
fn set(word: &str, lowest: u32, highest: u32) -> Option<u64> {
    let mut bits = 0;
    for part in word.split(',') {
        let (range, step) = match part.split_once('/') {
            Some((range, step)) => (range, step.parse().ok().filter(|step| *step > 0)?),
            None => (part, 1),
        };
        let (first, last) = match (range, range.split_once('-')) {
            ("*", _) => (lowest, highest.min(if highest == 7 { 6 } else { highest })),
            (_, Some((first, last))) => (first.parse().ok()?, last.parse().ok()?),
            // A single number with a step goes on to the end.
            (_, None) if part.contains('/') => (range.parse().ok()?, highest),
            (_, None) => {
                let only = range.parse().ok()?;
                (only, only)
            }
        };
        if first < lowest || last > highest || first > last {
            return None;
        }
        for value in (first..=last).step_by(step) {
            bits |= 1 << value;
        }
    }
    Some(bits)
}

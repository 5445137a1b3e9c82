//! Dates and times as a meter's clock shows them: local, without a time zone.

use core::fmt;

/// A calendar day. Only days that exist can be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Date {
    year: u16,
    month: u8,
    day: u8,
}

impl Date {
    /// The first day that meters count from.
    pub const EPOCH: Self = Self {
        year: 2000,
        month: 1,
        day: 1,
    };

    /// The given day, if the calendar has it and it can be written with four digits of year.
    pub const fn new(year: u16, month: u8, day: u8) -> Option<Self> {
        if year > 9999 || day == 0 || day > days_in_month(year, month) {
            return None;
        }
        Some(Self { year, month, day })
    }

    /// The year, such as 2026.
    pub const fn year(self) -> u16 {
        self.year
    }

    /// The month, 1 to 12.
    pub const fn month(self) -> u8 {
        self.month
    }

    /// The day of the month, 1 to 31.
    pub const fn day(self) -> u8 {
        self.day
    }

    /// The weekday, 1 (Monday) to 7.
    pub fn weekday(self) -> u8 {
        // 2000-01-01 was a Saturday.
        let weekday = self
            .days_since_epoch()
            .saturating_add(5)
            .rem_euclid(7)
            .saturating_add(1);
        u8::try_from(weekday).unwrap_or(1)
    }

    /// Days since 2000-01-01, negative before.
    pub fn days_since_epoch(self) -> i64 {
        // Howard Hinnant's days_from_civil: years start in March, so that leap days come last.
        let month = i64::from(self.month);
        let year = i64::from(self.year).saturating_sub(i64::from(month <= 2));
        let era = year.div_euclid(400);
        let year_of_era = year.rem_euclid(400);
        let shifted = month.saturating_add(9).rem_euclid(12);
        let day_of_year = shifted
            .saturating_mul(153)
            .saturating_add(2)
            .div_euclid(5)
            .saturating_add(i64::from(self.day))
            .saturating_sub(1);
        let day_of_era = year_of_era
            .saturating_mul(365)
            .saturating_add(year_of_era.div_euclid(4))
            .saturating_sub(year_of_era.div_euclid(100))
            .saturating_add(day_of_year);
        // 730 425 days lie between 0000-03-01 and 2000-01-01.
        era.saturating_mul(146_097)
            .saturating_add(day_of_era)
            .saturating_sub(730_425)
    }

    /// The day that lies so many days after 2000-01-01; `None` outside the years 0 to 9999.
    pub fn from_days_since_epoch(days: i64) -> Option<Self> {
        let shifted = days.checked_add(730_425)?;
        let era = shifted.div_euclid(146_097);
        let day_of_era = shifted.rem_euclid(146_097);
        let year_of_era = day_of_era
            .checked_sub(day_of_era.div_euclid(1460))?
            .checked_add(day_of_era.div_euclid(36_524))?
            .checked_sub(day_of_era.div_euclid(146_096))?
            .div_euclid(365);
        let day_of_year = day_of_era
            .checked_sub(year_of_era.checked_mul(365)?)?
            .checked_sub(year_of_era.div_euclid(4))?
            .checked_add(year_of_era.div_euclid(100))?;
        let shifted_month = day_of_year.checked_mul(5)?.checked_add(2)?.div_euclid(153);
        let day = day_of_year
            .checked_sub(
                shifted_month
                    .checked_mul(153)?
                    .checked_add(2)?
                    .div_euclid(5),
            )?
            .checked_add(1)?;
        let month = if shifted_month < 10 {
            shifted_month.checked_add(3)?
        } else {
            shifted_month.checked_sub(9)?
        };
        let year = year_of_era
            .checked_add(era.checked_mul(400)?)?
            .checked_add(i64::from(month <= 2))?;
        Self::new(
            u16::try_from(year).ok()?,
            u8::try_from(month).ok()?,
            u8::try_from(day).ok()?,
        )
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }
}

/// A day of every year, such as a target date. Prints as ISO 8601 `--MM-DD`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MonthDay {
    month: u8,
    day: u8,
}

impl MonthDay {
    /// The given day, if some year has it.
    pub const fn new(month: u8, day: u8) -> Option<Self> {
        // 2000 was a leap year, so that the 29th of February counts.
        if day == 0 || day > days_in_month(2000, month) {
            return None;
        }
        Some(Self { month, day })
    }

    /// The month, 1 to 12.
    pub const fn month(self) -> u8 {
        self.month
    }

    /// The day of the month, 1 to 31.
    pub const fn day(self) -> u8 {
        self.day
    }
}

impl fmt::Display for MonthDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "--{:02}-{:02}", self.month, self.day)
    }
}

/// A time of day to the second.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Time {
    hour: u8,
    minute: u8,
    second: u8,
}

impl Time {
    /// The given time, 00:00:00 to 23:59:59.
    pub const fn new(hour: u8, minute: u8, second: u8) -> Option<Self> {
        if hour > 23 || minute > 59 || second > 59 {
            return None;
        }
        Some(Self {
            hour,
            minute,
            second,
        })
    }

    /// The hour, 0 to 23.
    pub const fn hour(self) -> u8 {
        self.hour
    }

    /// The minute, 0 to 59.
    pub const fn minute(self) -> u8 {
        self.minute
    }

    /// The second, 0 to 59.
    pub const fn second(self) -> u8 {
        self.second
    }

    /// Seconds since midnight.
    pub fn seconds_since_midnight(self) -> u32 {
        u32::from(self.hour)
            .saturating_mul(3600)
            .saturating_add(u32::from(self.minute).saturating_mul(60))
            .saturating_add(u32::from(self.second))
    }

    /// The time so many seconds after midnight; `None` from 86 400 on.
    pub fn from_seconds_since_midnight(seconds: u32) -> Option<Self> {
        let part = |value: u32| u8::try_from(value).ok();
        Self::new(
            part(seconds / 3600)?,
            part((seconds / 60) % 60)?,
            part(seconds % 60)?,
        )
    }
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}:{:02}:{:02}", self.hour, self.minute, self.second)
    }
}

/// A date with a time of day, as the meter shows it.
///
/// `dst_minutes` is what the meter says about summer time. Whether the time of a type 79 register
/// already contains it is not settled (the vendor's own tools disagree), so the time is left as sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DateTime {
    /// The day.
    pub date: Date,
    /// The time of day.
    pub time: Time,
    /// Minutes of summer time in force, as far as the meter says so.
    pub dst_minutes: u8,
}

impl DateTime {
    /// A date and time outside summer time.
    pub const fn new(date: Date, time: Time) -> Self {
        Self {
            date,
            time,
            dst_minutes: 0,
        }
    }

    /// Seconds since 2000-01-01 00:00:00 on the meter's clock.
    pub fn seconds_since_epoch(self) -> i64 {
        self.date
            .days_since_epoch()
            .saturating_mul(86_400)
            .saturating_add(i64::from(self.time.seconds_since_midnight()))
    }

    /// The moment so many seconds after 2000-01-01 00:00:00.
    pub fn from_seconds_since_epoch(seconds: i64) -> Option<Self> {
        let date = Date::from_days_since_epoch(seconds.div_euclid(86_400))?;
        let second_of_day = u32::try_from(seconds.rem_euclid(86_400)).ok()?;
        Some(Self::new(
            date,
            Time::from_seconds_since_midnight(second_of_day)?,
        ))
    }
}

impl fmt::Display for DateTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}T{}", self.date, self.time)
    }
}

const fn days_in_month(year: u16, month: u8) -> u8 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400)) => {
            29
        }
        2 => 28,
        1..=12 => 31,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn days_that_do_not_exist_cannot_be_made() {
        assert_eq!(Date::new(2023, 2, 29), None);
        assert_eq!(Date::new(2023, 2, 30), None);
        assert_eq!(Date::new(2023, 0, 1), None);
        assert_eq!(Date::new(2023, 13, 1), None);
        assert_eq!(Date::new(2023, 4, 31), None);
        assert_eq!(Date::new(2023, 1, 0), None);
        assert!(Date::new(2024, 2, 29).is_some());
        assert_eq!(Date::new(1900, 2, 29), None);
    }

    #[test]
    fn weekdays_are_iso() {
        assert_eq!(Date::EPOCH.weekday(), 6);
        assert_eq!(Date::new(2026, 11, 22).unwrap().weekday(), 7);
        assert_eq!(Date::new(1999, 12, 31).unwrap().weekday(), 5);
    }

    #[test]
    fn text_is_iso_8601() {
        assert_eq!(Date::new(2009, 1, 1).unwrap().to_string(), "2009-01-01");
        assert_eq!(MonthDay::new(6, 1).unwrap().to_string(), "--06-01");
        let moment = DateTime::new(
            Date::new(2024, 12, 31).unwrap(),
            Time::new(0, 0, 4).unwrap(),
        );
        assert_eq!(moment.to_string(), "2024-12-31T00:00:04");
    }

    proptest! {
        #[test]
        fn days_round_trip(days in -730_425_i64..2_900_000) {
            let date = Date::from_days_since_epoch(days).unwrap();
            prop_assert_eq!(date.days_since_epoch(), days);
        }

        #[test]
        fn seconds_round_trip(seconds in 0_i64..6_000_000_000) {
            let moment = DateTime::from_seconds_since_epoch(seconds).unwrap();
            prop_assert_eq!(moment.seconds_since_epoch(), seconds);
        }
    }
}

//! Register values: what the bytes behind a unit mean.
//!
//! Encoding of numbers: vendor document 5512-447, section 4.2 (its formula is misprinted, its worked
//! examples are right). Lengths of 1, 2, 4 and 7 bytes occur, mixed within one answer. Dates and
//! clocks: the same document; [`Unit::RTC`] and [`Unit::KAM_DATE_TIME`] as read by a production
//! reader of electricity meters; [`Unit::DATE_TIME_DST`] from a MULTICAL 303 or 603.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::net::{Ipv4Addr, Ipv6Addr};

use crate::datetime::{Date, DateTime, MonthDay, Time};
use crate::decimal::Decimal;
use crate::unit::Unit;

/// The value of a register.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Value {
    /// A number, exactly as sent.
    Number(Decimal),
    /// A date.
    Date(Date),
    /// A day of every year.
    MonthDay(MonthDay),
    /// A time of day.
    Time(Time),
    /// A date and time.
    DateTime(DateTime),
    /// Characters.
    Text(String),
    /// Single bits, as an integer.
    Bits(u128),
    /// An IPv4 address.
    Ipv4(Ipv4Addr),
    /// An IPv6 address.
    Ipv6(Ipv6Addr),
    /// The bytes have no meaning in the register's unit.
    Invalid(Invalid),
}

impl Value {
    /// Gives the bytes of a register their meaning.
    ///
    /// ```
    /// use kamstrup_kmp::{Scale, Unit, Value};
    ///
    /// let energy = Value::decode(Unit::GJ, Scale(0x43), &[0x00, 0x01, 0x4b, 0x51]);
    /// assert_eq!(energy.to_string(), "84.817");
    /// ```
    pub fn decode(unit: Unit, scale: Scale, bytes: &[u8]) -> Self {
        let decoded = match unit {
            Unit::CLOCK => clock(bytes).map(Self::Time),
            Unit::DATE1 => date(bytes, 2000).map(Self::Date),
            Unit::DATE2 => date(bytes, 0).map(Self::Date),
            Unit::DATE3 => month_day(bytes).map(Self::MonthDay),
            Unit::RTC | Unit::RTC_Q => rtc(bytes).map(Self::DateTime),
            Unit::KAM_DATE_TIME => kam_date_time(bytes).map(Self::DateTime),
            Unit::DATE_TIME_DST => date_time_dst(bytes).map(Self::DateTime),
            Unit::ASCII => text(bytes).map(Self::Text),
            Unit::BITS => integer(bytes).map(Self::Bits),
            Unit::IPV4 => bytes
                .try_into()
                .map(|b: [u8; 4]| Self::Ipv4(b.into()))
                .map_err(|_| wrong_length(4, bytes)),
            Unit::IPV6 => bytes
                .try_into()
                .map(|b: [u8; 16]| Self::Ipv6(b.into()))
                .map_err(|_| wrong_length(16, bytes)),
            _ => number(scale, bytes).map(Self::Number),
        };
        decoded.unwrap_or_else(|problem| {
            Self::Invalid(Invalid {
                problem,
                raw: bytes.to_vec(),
            })
        })
    }

    /// Writes the value as a meter would, in so many bytes, and returns the scale to send with it.
    pub fn encode(&self, unit: Unit, length: u8, out: &mut Vec<u8>) -> Result<Scale, EncodeError> {
        let plain = Scale(0);
        match (self, unit) {
            (Self::Number(number), _) => {
                put_integer(number.mantissa().unsigned_abs(), length, out)?;
                Scale::new(number.is_negative(), number.exponent())
                    .ok_or(EncodeError::Exponent(number.exponent()))
            }
            (Self::Bits(bits), _) => put_integer(*bits, length, out).map(|()| plain),
            (Self::Date(date), Unit::DATE2) => {
                put_integer(date_digits(*date, 0), length, out).map(|()| plain)
            }
            (Self::Date(date), _) => {
                put_integer(date_digits(*date, 2000), length, out).map(|()| plain)
            }
            (Self::MonthDay(day), _) => {
                let digits = u128::from(day.month())
                    .saturating_mul(100)
                    .saturating_add(day.day().into());
                put_integer(digits, length, out).map(|()| plain)
            }
            (Self::Time(time), _) => put_integer(time_digits(*time), length, out).map(|()| plain),
            (Self::DateTime(moment), _) => {
                put_date_time(*moment, unit, length, out).map(|()| plain)
            }
            (Self::Text(text), _) => {
                let room = usize::from(length).checked_sub(text.len());
                let padding = room.ok_or(EncodeError::Length {
                    needed: text.len(),
                    length,
                })?;
                out.extend_from_slice(text.as_bytes());
                out.extend(core::iter::repeat_n(0, padding));
                Ok(plain)
            }
            (Self::Ipv4(address), _) => put_exactly(&address.octets(), length, out).map(|()| plain),
            (Self::Ipv6(address), _) => put_exactly(&address.octets(), length, out).map(|()| plain),
            (Self::Invalid(invalid), _) => put_exactly(&invalid.raw, length, out).map(|()| plain),
        }
    }

    /// The number, if this is one.
    pub const fn as_number(&self) -> Option<Decimal> {
        match self {
            Self::Number(number) => Some(*number),
            _ => None,
        }
    }

    /// Whether the bytes had a meaning.
    pub const fn is_valid(&self) -> bool {
        !matches!(self, Self::Invalid(_))
    }
}

/// Numbers as plain decimals, dates and times as ISO 8601, bits as an integer.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => number.fmt(f),
            Self::Date(date) => date.fmt(f),
            Self::MonthDay(day) => day.fmt(f),
            Self::Time(time) => time.fmt(f),
            Self::DateTime(moment) => moment.fmt(f),
            Self::Text(text) => f.pad(text),
            Self::Bits(bits) => bits.fmt(f),
            Self::Ipv4(address) => address.fmt(f),
            Self::Ipv6(address) => address.fmt(f),
            Self::Invalid(invalid) => invalid.problem.fmt(f),
        }
    }
}

/// Sign and decimal exponent of a number: the byte that vendor documents call SiEx.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Scale(pub u8);

impl Scale {
    const NEGATIVE: u8 = 0x80;
    const NEGATIVE_EXPONENT: u8 = 0x40;
    const EXPONENT: u8 = 0x3f;

    /// The scale with this sign and exponent; `None` beyond ±63.
    pub const fn new(negative: bool, exponent: i8) -> Option<Self> {
        let magnitude = exponent.unsigned_abs();
        if magnitude > Self::EXPONENT {
            return None;
        }
        let sign = if negative { Self::NEGATIVE } else { 0 };
        let exponent_sign = if exponent < 0 {
            Self::NEGATIVE_EXPONENT
        } else {
            0
        };
        Some(Self(sign | exponent_sign | magnitude))
    }

    /// Whether the number is negative.
    pub const fn is_negative(self) -> bool {
        self.0 & Self::NEGATIVE != 0
    }

    /// The power of ten.
    pub const fn exponent(self) -> i8 {
        let magnitude = (self.0 & Self::EXPONENT).cast_signed();
        if self.0 & Self::NEGATIVE_EXPONENT != 0 {
            magnitude.wrapping_neg()
        } else {
            magnitude
        }
    }
}

/// Bytes without a meaning, and why.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Invalid {
    /// What is wrong with them.
    pub problem: Problem,
    /// The bytes, as sent.
    pub raw: Vec<u8>,
}

/// What is wrong with the bytes of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Problem {
    /// The register came without a value.
    Empty,
    /// A number does not fit 120 bits.
    TooLong {
        /// Bytes found.
        found: usize,
    },
    /// A value of fixed length has another one.
    WrongLength {
        /// Bytes expected.
        expected: usize,
        /// Bytes found.
        found: usize,
    },
    /// The calendar has no such day.
    NoSuchDate {
        /// The digits found.
        found: u128,
    },
    /// The day has no such time.
    NoSuchTime {
        /// The digits found.
        found: u128,
    },
    /// The meter says that its clock is not set.
    ClockNotSet,
    /// The characters are not printable ASCII.
    NotText,
    /// What the model of meter sends when its sensor is broken.
    SensorFault,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("no value: 0 bytes found"),
            Self::TooLong { found } => write!(
                f,
                "number too long: {found} bytes found, at most 15 expected"
            ),
            Self::WrongLength { expected, found } => {
                write!(f, "wrong length: {found} bytes found, {expected} expected")
            }
            Self::NoSuchDate { found } => write!(f, "no such date: {found}"),
            Self::NoSuchTime { found } => write!(f, "no such time: {found}"),
            Self::ClockNotSet => f.write_str("the meter's clock is not set"),
            Self::NotText => f.write_str("not printable text"),
            Self::SensorFault => f.write_str("the meter's mark for a broken sensor"),
        }
    }
}

/// Why a value cannot be written as a meter would.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum EncodeError {
    /// The value needs another number of bytes.
    Length {
        /// Bytes needed.
        needed: usize,
        /// Bytes given.
        length: u8,
    },
    /// The exponent is beyond ±63.
    Exponent(i8),
    /// The unit cannot carry a date and time.
    Unit(Unit),
    /// A date before 2000 or after 2099 has no place in a year of two digits.
    Year(u16),
}

impl fmt::Display for EncodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Length { needed, length } => {
                write!(f, "the value needs {needed} bytes, {length} were given")
            }
            Self::Exponent(found) => write!(f, "the exponent is {found}, expected -63 to 63"),
            Self::Unit(unit) => write!(f, "unit code {} carries no date and time", unit.0),
            Self::Year(found) => write!(f, "the year is {found}, expected 2000 to 2099"),
        }
    }
}

impl core::error::Error for EncodeError {}

/// Numbers of up to 15 bytes fit the mantissa with room for the sign.
const LONGEST_NUMBER: usize = 15;

fn number(scale: Scale, bytes: &[u8]) -> Result<Decimal, Problem> {
    let magnitude = integer(bytes)?;
    let mantissa =
        i128::try_from(magnitude).map_err(|_| Problem::TooLong { found: bytes.len() })?;
    let signed = if scale.is_negative() {
        mantissa.saturating_neg()
    } else {
        mantissa
    };
    Ok(Decimal::new(signed, scale.exponent()))
}

fn integer(bytes: &[u8]) -> Result<u128, Problem> {
    match bytes.len() {
        0 => Err(Problem::Empty),
        1..=LONGEST_NUMBER => Ok(bytes
            .iter()
            .fold(0, |sum, &byte| (sum << 8) | u128::from(byte))),
        found => Err(Problem::TooLong { found }),
    }
}

/// Takes the last two decimal digits off a number.
fn take_pair(digits: &mut u128) -> u8 {
    let pair = u8::try_from(*digits % 100).unwrap_or(0);
    *digits /= 100;
    pair
}

fn clock(bytes: &[u8]) -> Result<Time, Problem> {
    let found = integer(bytes)?;
    let mut rest = found;
    let (second, minute, hour) = (
        take_pair(&mut rest),
        take_pair(&mut rest),
        take_pair(&mut rest),
    );
    Time::new(hour, minute, second)
        .filter(|_| rest == 0)
        .ok_or(Problem::NoSuchTime { found })
}

fn date(bytes: &[u8], century: u16) -> Result<Date, Problem> {
    let found = integer(bytes)?;
    let mut rest = found;
    let (day, month) = (take_pair(&mut rest), take_pair(&mut rest));
    u16::try_from(rest)
        .ok()
        .filter(|&year| century == 0 || year < 100)
        .and_then(|year| Date::new(century.checked_add(year)?, month, day))
        .ok_or(Problem::NoSuchDate { found })
}

fn month_day(bytes: &[u8]) -> Result<MonthDay, Problem> {
    let found = integer(bytes)?;
    let mut rest = found;
    let (day, month) = (take_pair(&mut rest), take_pair(&mut rest));
    MonthDay::new(month, day)
        .filter(|_| rest == 0)
        .ok_or(Problem::NoSuchDate { found })
}

/// Flags, weekday, second, minute, hour, day, month, year.
fn rtc(bytes: &[u8]) -> Result<DateTime, Problem> {
    let &[flags, _weekday, second, minute, hour, day, month, year] = bytes else {
        return Err(wrong_length(8, bytes));
    };
    let moment = civil([year, month, day, hour, minute, second])?;
    flagged(moment, flags)
}

/// Flags, then seconds since 2000-01-01; more bytes may follow.
fn kam_date_time(bytes: &[u8]) -> Result<DateTime, Problem> {
    let (&flags, rest) = bytes.split_first().ok_or(Problem::Empty)?;
    let seconds = rest.first_chunk().ok_or_else(|| wrong_length(5, bytes))?;
    let seconds = u32::from_be_bytes(*seconds);
    let moment = DateTime::from_seconds_since_epoch(seconds.into()).ok_or(Problem::NoSuchDate {
        found: seconds.into(),
    })?;
    flagged(moment, flags)
}

/// Minutes of summer time, year, month, day, hour, minute, second.
fn date_time_dst(bytes: &[u8]) -> Result<DateTime, Problem> {
    let &[dst_minutes, year, month, day, hour, minute, second] = bytes else {
        return Err(wrong_length(7, bytes));
    };
    let moment = civil([year, month, day, hour, minute, second])?;
    Ok(DateTime {
        dst_minutes,
        ..moment
    })
}

fn civil([year, month, day, hour, minute, second]: [u8; 6]) -> Result<DateTime, Problem> {
    let digits = |a: u8, b: u8, c: u8| {
        u128::from(a)
            .saturating_mul(100)
            .saturating_add(b.into())
            .saturating_mul(100)
            .saturating_add(c.into())
    };
    let date = Date::new(u16::from(year).saturating_add(2000), month, day)
        .filter(|_| year < 100)
        .ok_or(Problem::NoSuchDate {
            found: digits(year, month, day),
        })?;
    let time = Time::new(hour, minute, second).ok_or(Problem::NoSuchTime {
        found: digits(hour, minute, second),
    })?;
    Ok(DateTime::new(date, time))
}

const FLAG_DST: u8 = 0x01;
const FLAG_VALID: u8 = 0x02;

fn flagged(moment: DateTime, flags: u8) -> Result<DateTime, Problem> {
    if flags & FLAG_VALID == 0 {
        return Err(Problem::ClockNotSet);
    }
    let dst_minutes = if flags & FLAG_DST == 0 { 0 } else { 60 };
    Ok(DateTime {
        dst_minutes,
        ..moment
    })
}

/// Characters, without the zeros that fill up the field.
fn text(bytes: &[u8]) -> Result<String, Problem> {
    let end = bytes
        .iter()
        .rposition(|&byte| byte != 0)
        .map_or(0, |last| last.saturating_add(1));
    let text = bytes.get(..end).unwrap_or_default();
    if bytes.is_empty() {
        return Err(Problem::Empty);
    }
    if !text.iter().all(|byte| matches!(byte, b' '..=b'~')) {
        return Err(Problem::NotText);
    }
    Ok(text.iter().copied().map(char::from).collect())
}

const fn wrong_length(expected: usize, bytes: &[u8]) -> Problem {
    Problem::WrongLength {
        expected,
        found: bytes.len(),
    }
}

fn put_integer(number: u128, length: u8, out: &mut Vec<u8>) -> Result<(), EncodeError> {
    let bytes = number.to_be_bytes();
    let significant = bytes
        .iter()
        .position(|&byte| byte != 0)
        .map_or(1, |zeros| 16_usize.saturating_sub(zeros));
    let start = 16_usize.checked_sub(usize::from(length));
    match start.and_then(|start| bytes.get(start..)) {
        Some(tail) if significant <= tail.len() && tail.len() <= LONGEST_NUMBER => {
            out.extend_from_slice(tail);
            Ok(())
        }
        _ => Err(EncodeError::Length {
            needed: significant,
            length,
        }),
    }
}

fn put_exactly(bytes: &[u8], length: u8, out: &mut Vec<u8>) -> Result<(), EncodeError> {
    if bytes.len() != usize::from(length) {
        return Err(EncodeError::Length {
            needed: bytes.len(),
            length,
        });
    }
    out.extend_from_slice(bytes);
    Ok(())
}

fn date_digits(date: Date, century: u16) -> u128 {
    u128::from(date.year().saturating_sub(century))
        .saturating_mul(10_000)
        .saturating_add(u128::from(date.month()).saturating_mul(100))
        .saturating_add(date.day().into())
}

fn time_digits(time: Time) -> u128 {
    u128::from(time.hour())
        .saturating_mul(10_000)
        .saturating_add(u128::from(time.minute()).saturating_mul(100))
        .saturating_add(time.second().into())
}

fn put_date_time(
    moment: DateTime,
    unit: Unit,
    length: u8,
    out: &mut Vec<u8>,
) -> Result<(), EncodeError> {
    let DateTime {
        date,
        time,
        dst_minutes,
    } = moment;
    let year = date
        .year()
        .checked_sub(2000)
        .and_then(|year| u8::try_from(year).ok())
        .filter(|&year| year < 100);
    let year = year.ok_or(EncodeError::Year(date.year()))?;
    let flags = if dst_minutes == 0 {
        FLAG_VALID
    } else {
        FLAG_VALID | FLAG_DST
    };
    match unit {
        Unit::DATE_TIME_DST => put_exactly(
            &[
                dst_minutes,
                year,
                date.month(),
                date.day(),
                time.hour(),
                time.minute(),
                time.second(),
            ],
            length,
            out,
        ),
        Unit::RTC | Unit::RTC_Q => put_exactly(
            &[
                flags,
                date.weekday(),
                time.second(),
                time.minute(),
                time.hour(),
                date.day(),
                date.month(),
                year,
            ],
            length,
            out,
        ),
        Unit::KAM_DATE_TIME => {
            let seconds = u32::try_from(moment.seconds_since_epoch())
                .map_err(|_| EncodeError::Year(date.year()))?;
            let [a, b, c, d] = seconds.to_be_bytes();
            put_exactly(&[flags, a, b, c, d], length, out)
        }
        other => Err(EncodeError::Unit(other)),
    }
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;
    use alloc::vec;

    use proptest::prelude::*;

    use super::*;

    fn shown(unit: Unit, scale: u8, bytes: &[u8]) -> String {
        Value::decode(unit, Scale(scale), bytes).to_string()
    }

    #[test]
    fn examples_of_the_vendor_document() {
        assert_eq!(
            shown(Unit::NONE, 0xc2, &[0x00, 0x00, 0x30, 0x39]),
            "-123.45"
        );
        assert_eq!(
            shown(Unit::NONE, 0x03, &[0x05, 0x39, 0x7f, 0xb1]),
            "87654321000"
        );
        assert_eq!(shown(Unit::NONE, 0x03, &[0xff]), "255000");
    }

    #[test]
    fn lengths_of_one_to_fifteen_bytes_are_numbers() {
        assert_eq!(shown(Unit::CELSIUS, 0x00, &[0x15]), "21");
        assert_eq!(
            shown(Unit::GJ, 0x00, &[0xff; 15]),
            ((1_u128 << 120) - 1).to_string()
        );
        assert_eq!(
            shown(Unit::GJ, 0x00, &[1; 16]),
            "number too long: 16 bytes found, at most 15 expected"
        );
        assert_eq!(shown(Unit::GJ, 0x00, &[]), "no value: 0 bytes found");
    }

    #[test]
    fn dates_lose_their_leading_zeros_on_the_way_and_get_them_back() {
        let date = |number: u32| shown(Unit::DATE1, 0, &number.to_be_bytes());
        assert_eq!(date(90_101), "2009-01-01");
        assert_eq!(date(50_101), "2005-01-01");
        assert_eq!(date(101), "2000-01-01");
        assert_eq!(date(241_231), "2024-12-31");
    }

    #[test]
    fn impossible_dates_and_times_are_invalid_and_keep_their_digits() {
        let date = |number: u32| shown(Unit::DATE1, 0, &number.to_be_bytes());
        assert_eq!(date(0), "no such date: 0");
        assert_eq!(date(230_230), "no such date: 230230");
        assert_eq!(date(u32::MAX), "no such date: 4294967295");
        assert_eq!(
            shown(Unit::CLOCK, 0, &246_000_u32.to_be_bytes()),
            "no such time: 246000"
        );
        assert_eq!(
            shown(Unit::CLOCK, 0, &1_000_000_u32.to_be_bytes()),
            "no such time: 1000000"
        );
        assert_eq!(shown(Unit::DATE3, 0, &[0, 0]), "no such date: 0");
    }

    #[test]
    fn summer_time_of_a_date_time_is_kept_apart() {
        let bytes = [0x3c, 0x10, 0x06, 0x1e, 0x0e, 0x30, 0x37];
        let Value::DateTime(moment) = Value::decode(Unit::DATE_TIME_DST, Scale(0), &bytes) else {
            panic!("a date and time expected");
        };
        assert_eq!(moment.to_string(), "2016-06-30T14:48:55");
        assert_eq!(moment.dst_minutes, 60);
    }

    #[test]
    fn a_clock_that_is_not_set_is_invalid() {
        let mut bytes = [0x02, 7, 30, 29, 18, 22, 11, 26];
        assert_eq!(shown(Unit::RTC, 0, &bytes), "2026-11-22T18:29:30");
        bytes[0] = 0;
        assert_eq!(shown(Unit::RTC, 0, &bytes), "the meter's clock is not set");
        assert_eq!(
            shown(Unit::KAM_DATE_TIME, 0, &[0x03, 0, 0, 0, 61]),
            "2000-01-01T00:01:01"
        );
    }

    #[test]
    fn text_is_printable_or_invalid() {
        assert_eq!(shown(Unit::ASCII, 0, b"02K52AC1A7CZ"), "02K52AC1A7CZ");
        assert_eq!(shown(Unit::ASCII, 0, b"KWM2231\0\0"), "KWM2231");
        assert_eq!(shown(Unit::ASCII, 0, b"\x1b[2J"), "not printable text");
        assert_eq!(shown(Unit::ASCII, 0, b"a\0b"), "not printable text");
    }

    fn any_value() -> impl Strategy<Value = (Unit, u8, Value)> {
        let moment = (0_i64..=u32::MAX.into(), any::<bool>()).prop_map(|(seconds, dst)| DateTime {
            dst_minutes: if dst { 60 } else { 0 },
            ..DateTime::from_seconds_since_epoch(seconds).unwrap()
        });
        let moment = moment.prop_filter("years of two digits", |m| m.date.year() < 2100);
        let date = (0_i64..36_525).prop_map(|days| Date::from_days_since_epoch(days).unwrap());
        prop_oneof![
            (any::<i64>(), -63_i8..=63, 8_u8..=15).prop_map(|(m, e, length)| {
                (Unit::GJ, length, Value::Number(Decimal::new(m.into(), e)))
            }),
            (any::<i8>(), -63_i8..=63, 1_u8..=15).prop_map(|(m, e, length)| {
                (
                    Unit::NUMBER,
                    length,
                    Value::Number(Decimal::new(m.into(), e)),
                )
            }),
            (date.clone(), 4_u8..=8).prop_map(|(date, length)| (
                Unit::DATE1,
                length,
                Value::Date(date)
            )),
            (date, 4_u8..=8).prop_map(|(date, length)| (Unit::DATE2, length, Value::Date(date))),
            (1_u8..=12, 1_u8..=28).prop_map(|(month, day)| {
                (
                    Unit::DATE3,
                    2,
                    Value::MonthDay(MonthDay::new(month, day).unwrap()),
                )
            }),
            (0_u32..86_400).prop_map(|seconds| {
                (
                    Unit::CLOCK,
                    4,
                    Value::Time(Time::from_seconds_since_midnight(seconds).unwrap()),
                )
            }),
            (
                moment,
                prop_oneof![
                    Just((Unit::DATE_TIME_DST, 7)),
                    Just((Unit::RTC, 8)),
                    Just((Unit::KAM_DATE_TIME, 5))
                ]
            )
                .prop_map(|(moment, (unit, length))| (
                    unit,
                    length,
                    Value::DateTime(moment)
                )),
            "[ -~]{0,40}".prop_map(|text| (Unit::ASCII, 41, Value::Text(text))),
            (any::<u64>(), 8_u8..=15).prop_map(|(bits, length)| (
                Unit::BITS,
                length,
                Value::Bits(bits.into())
            )),
            any::<[u8; 4]>().prop_map(|octets| (Unit::IPV4, 4, Value::Ipv4(octets.into()))),
            any::<[u8; 16]>().prop_map(|octets| (Unit::IPV6, 16, Value::Ipv6(octets.into()))),
        ]
    }

    proptest! {
        #[test]
        fn every_value_round_trips((unit, length, value) in any_value()) {
            let mut bytes = Vec::new();
            let scale = value.encode(unit, length, &mut bytes).unwrap();
            prop_assert_eq!(bytes.len(), usize::from(length));
            let read = Value::decode(unit, scale, &bytes);
            prop_assert_eq!(read.to_string(), value.to_string());
            prop_assert_eq!(read, value);
        }

        #[test]
        fn any_bytes_have_a_value(unit in any::<u8>(), scale in any::<u8>(), bytes in prop::collection::vec(any::<u8>(), 0..40)) {
            let value = Value::decode(Unit(unit), Scale(scale), &bytes);
            prop_assert!(!value.to_string().is_empty() || unit == Unit::ASCII.0);
        }

        #[test]
        fn invalid_bytes_are_kept(bytes in prop::collection::vec(any::<u8>(), 0..6)) {
            let value = Value::decode(Unit::RTC, Scale(0), &bytes);
            let Value::Invalid(invalid) = value else { panic!("eight bytes make a clock") };
            prop_assert_eq!(invalid.raw, bytes);
        }
    }
}

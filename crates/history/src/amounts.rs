//! How much a counter counted: by hour, day, month and year of a time zone, and compared with last
//! year.
//!
//! A bar ends at the reading nearest to its end and begins where the bar before it ended. So the
//! bars add up to what the counter counted: nothing is invented and nothing lost. Where no reading
//! is near, a bar has no amount, and the next one that ends at a reading carries both. Where a counter
//! went back, that step counts nothing, because nobody knows what happened in it.

use heatmeter_catalog::RegisterId;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan, Zoned};
use kamstrup_kmp::{Decimal, Unit};
use rusqlite::{Connection, Result};

use crate::counter::{Counter, Seen};

/// More bars are not told at once.
const MOST_BARS: usize = 10_000;

/// How long a bar is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(
    clippy::exhaustive_enums,
    reason = "the outside surface names these four"
)]
pub enum By {
    /// An hour of the clock.
    Hour,
    /// A day, of 23 or 25 hours where the clock is changed.
    Day,
    /// A month.
    Month,
    /// A year.
    Year,
}

/// What is asked for.
#[derive(Clone, Debug)]
pub struct Bars {
    /// Which counter.
    pub register: RegisterId,
    /// How long a bar is.
    pub by: By,
    /// The first bar holds this moment.
    pub from: Timestamp,
    /// The last one holds the moment before this one.
    pub to: Timestamp,
    /// The time zone whose hours and days are meant.
    pub time_zone: TimeZone,
    /// A bar that ends later is not complete.
    pub now: Timestamp,
}

/// How much was counted, in one unit.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Amounts {
    /// The unit of all amounts: that of the latest reading.
    pub unit: Option<Unit>,
    /// The bars, without a hole between them.
    pub bars: Vec<Bar>,
}

/// How much was counted in one hour, day, month or year.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bar {
    /// Its beginning.
    pub from: Timestamp,
    /// Its end, which is the beginning of the next.
    pub to: Timestamp,
    /// How much; nothing where no reading tells. Then the next one that has an amount carries it.
    pub amount: Option<Decimal>,
    /// Whether the amount is that of this bar: it is over, readings lie near both of its ends, and
    /// nothing happened to the counter.
    pub complete: bool,
}

/// Today and this month, and the same days of last year up to the same time of day.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Comparison {
    /// The unit of all amounts.
    pub unit: Option<Unit>,
    /// Since midnight.
    pub today: Option<Decimal>,
    /// Since when in truth, where no reading lies near midnight.
    pub today_since: Option<Timestamp>,
    /// The same day of last year, up to the same time; only where readings cover it.
    pub today_last_year: Option<Decimal>,
    /// Since the first of the month.
    pub month: Option<Decimal>,
    /// Since when in truth, where no reading lies near its beginning.
    pub month_since: Option<Timestamp>,
    /// The same month of last year, up to the same day and time; only where readings cover it.
    pub month_last_year: Option<Decimal>,
}

impl By {
    /// The name by which programs know it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Hour => "hour",
            Self::Day => "day",
            Self::Month => "month",
            Self::Year => "year",
        }
    }

    /// The one with this name.
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Hour, Self::Day, Self::Month, Self::Year]
            .into_iter()
            .find(|by| by.word() == word)
    }

    /// The beginning of the bar that a moment lies in.
    fn begin(self, moment: &Zoned) -> core::result::Result<Zoned, jiff::Error> {
        match self {
            Self::Hour => {
                let into = i64::from(moment.minute()) * 60 + i64::from(moment.second());
                let into = SignedDuration::new(into, moment.subsec_nanosecond());
                moment.checked_sub(into)
            }
            Self::Day => moment.start_of_day(),
            Self::Month => moment.first_of_month()?.start_of_day(),
            Self::Year => moment.first_of_year()?.start_of_day(),
        }
    }

    /// The beginning of the next bar.
    fn next(self, begin: &Zoned) -> core::result::Result<Zoned, jiff::Error> {
        let span = match self {
            Self::Hour => return begin.checked_add(SignedDuration::from_hours(1)),
            Self::Day => 1.day(),
            Self::Month => 1.month(),
            Self::Year => 1.year(),
        };
        begin.checked_add(span)?.start_of_day()
    }

    /// A reading this far from the end of a bar, at most, may end it: half a bar, so that no reading
    /// ends two.
    const fn reach(self) -> SignedDuration {
        match self {
            Self::Hour => SignedDuration::from_mins(30),
            Self::Day => SignedDuration::from_hours(12),
            Self::Month => SignedDuration::from_hours(14 * 24),
            Self::Year => SignedDuration::from_hours(182 * 24),
        }
    }

    /// A reading this far from the end of a bar, at most, leaves it complete.
    const fn tolerance(self) -> SignedDuration {
        match self {
            Self::Hour => SignedDuration::from_mins(15),
            Self::Day => SignedDuration::from_hours(1),
            Self::Month | Self::Year => SignedDuration::from_hours(12),
        }
    }
}

/// Computes bars.
pub(crate) fn amounts(connection: &Connection, serial: &str, bars: &Bars) -> Result<Amounts> {
    let Some(counter) = Counter::open(connection, serial, bars.register)? else {
        return Ok(Amounts::default());
    };
    let ends = ends(bars);
    let mut found = Vec::new();
    let mut before = match ends.first() {
        Some(first) => counter.start(*first, bars.by.reach())?,
        None => None,
    };
    for pair in ends.windows(2) {
        let [from, to] = *pair else { continue };
        let end = counter.end(to, bars.by.reach(), before)?;
        let mut bar = Bar {
            from,
            to,
            amount: None,
            complete: false,
        };
        if let Some(end) = end {
            // The first reading of all begins, and counts nothing.
            let begin = match before {
                Some(before) => Some(before),
                None => counter.first_until(end.at)?,
            };
            if let Some(begin) = begin.filter(|begin| begin.at < end.at) {
                let (amount, is_sound) = counter.counted(begin, end)?;
                let near = |seen: Seen, at: Timestamp| {
                    seen.at.duration_since(at).abs() <= bars.by.tolerance()
                };
                bar.amount = amount;
                bar.complete = is_sound && to <= bars.now && near(begin, from) && near(end, to);
            }
            before = Some(end);
        }
        found.push(bar);
    }
    Ok(Amounts {
        unit: Some(counter.unit()),
        bars: found,
    })
}

/// Compares now with a year ago.
pub(crate) fn comparison(
    connection: &Connection,
    serial: &str,
    register: RegisterId,
    now: &Zoned,
) -> Result<Comparison> {
    let Some(counter) = Counter::open(connection, serial, register)? else {
        return Ok(Comparison::default());
    };
    let today = since(&counter, By::Day, now)?;
    let month = since(&counter, By::Month, now)?;
    let then = |by| -> Result<Option<Decimal>> {
        let Ok(then) = now.checked_sub(1.year()) else {
            return Ok(None);
        };
        // Half of a month against a whole one would compare nothing.
        let found = since(&counter, by, &then)?.filter(|found| found.covers(by, &then));
        Ok(found.map(|found| found.amount))
    };
    Ok(Comparison {
        unit: Some(counter.unit()),
        today: today.map(|found| found.amount),
        today_since: today.and_then(|found| found.late(By::Day)),
        today_last_year: then(By::Day)?,
        month: month.map(|found| found.amount),
        month_since: month.and_then(|found| found.late(By::Month)),
        month_last_year: then(By::Month)?,
    })
}

/// What was counted of a day or month so far, from which reading to which.
#[derive(Clone, Copy)]
struct Counted {
    amount: Decimal,
    is_sound: bool,
    /// When it should have begun.
    from: Timestamp,
    begin: Timestamp,
    end: Timestamp,
}

impl Counted {
    /// When it began, if that is not near enough to when it should have.
    fn late(&self, by: By) -> Option<Timestamp> {
        (self.begin.duration_since(self.from).abs() > by.tolerance()).then_some(self.begin)
    }

    /// Whether nothing is missing up to then.
    fn covers(&self, by: By, then: &Zoned) -> bool {
        let missing = then.timestamp().duration_since(self.end);
        self.is_sound && self.late(by).is_none() && missing <= by.tolerance() * 2
    }
}

/// What was counted since the bar of this moment began; where the history began within it, since then.
fn since(counter: &Counter<'_>, by: By, moment: &Zoned) -> Result<Option<Counted>> {
    let Ok(from) = by.begin(moment) else {
        return Ok(None);
    };
    let (from, now) = (from.timestamp(), moment.timestamp());
    let begin = match counter.start(from, by.reach())? {
        Some(begin) => Some(begin),
        None => counter.first_until(now)?.filter(|first| first.at > from),
    };
    let Some(begin) = begin else { return Ok(None) };
    let Some(end) = counter.latest(now, Some(begin))? else {
        return Ok(None);
    };
    let (amount, is_sound) = counter.counted(begin, end)?;
    Ok(amount.map(|amount| Counted {
        amount,
        is_sound,
        from,
        begin: begin.at,
        end: end.at,
    }))
}

/// Where bars begin and end, one more than there are bars.
fn ends(bars: &Bars) -> Vec<Timestamp> {
    let mut ends = Vec::new();
    let mut end = bars.by.begin(&bars.from.to_zoned(bars.time_zone.clone()));
    while let Ok(moment) = end {
        ends.push(moment.timestamp());
        if moment.timestamp() >= bars.to || ends.len() > MOST_BARS {
            break;
        }
        end = bars.by.next(&moment);
    }
    ends
}

//! The gate: holds back what a meter cannot have meant, until a second reading has decided.
//!
//! Sans-IO and without a clock: it is given records and the time, and says which registers to read
//! again. Every face of heatmeter looks at its polls through it, so that a number that comes out as
//! [`Quality::Good`] is worth the same everywhere.
//!
//! ```
//! use core::time::Duration;
//! use heatmeter_catalog::gate::{Gate, Limits, Look, Poll};
//! use kamstrup_kmp::{Decimal, Instant, Record, RegisterId, Scale, Unit, Value};
//!
//! # let energy = |mantissa| Record {
//! #     register: RegisterId(60), unit: Unit::GJ, length: 4, scale: Scale(0x43),
//! #     value: Value::Number(Decimal::new(mantissa, -3)),
//! # };
//! let mut gate = Gate::new();
//! let limits = Limits::default();
//! let noon = Instant::from_start(Duration::ZERO);
//! let one = Instant::from_start(Duration::from_secs(3600));
//!
//! let Look::Checked(_) = gate.first(&limits, &Poll::of(&[energy(84_817)]), noon) else { panic!() };
//! // An hour later a counter 17,000 times as high: worth a second look.
//! let Look::Doubtful(doubt) = gate.first(&limits, &Poll::of(&[energy(1_426_148_369)]), one) else {
//!     panic!()
//! };
//! assert_eq!(doubt.reread(), [RegisterId(60)]);
//! let checked = gate.second(doubt, &Poll::of(&[energy(84_819)]), one);
//! assert_eq!(checked.readings[0].good(), Some(&energy(84_819)));
//! println!("{}", checked.notices[0]);
//! ```
//!
//! # What is surprising
//!
//! Another unit, length or exponent than last time, or at first sight a unit that measures something
//! else than the catalogue's register; a counter that goes back, or runs faster than the largest flow
//! or power, the hottest water at the largest flow, or the clock allows, its resolution and one
//! integration period of the meter granted; a flow, power, temperature or difference beyond what the
//! meter can measure; T1 - T2 that differs from dT by more than the three resolutions; another serial
//! number. A counter in high resolution may begin anew where the coarse one agrees that it wrapped.
//! A counter seen for the first time is measured against the life of a meter.
//!
//! What the meter itself calls no value (an impossible date, a sensor's fault value) is
//! [`Quality::Invalid`] and no surprise, unless it comes in another unit than last time. It never
//! overwrites what is remembered.
//!
//! # How a surprise ends
//!
//! 1. The second reading is not surprising: it is taken, the first was [outvoted](Notice::Outvoted).
//! 2. The second reading says the same (same shape; same value, or moved as physics allows since):
//!    [accepted](Notice::Accepted), and what to expect from now on. A limit that was confirmed to be
//!    exceeded is moved for that register, so that a meter larger than its family's limit costs
//!    second readings once and not for ever.
//! 3. Otherwise, also if the second reading never came, it is [held](Quality::Held). What is
//!    remembered stays.
//!
//! Nothing that is consistent is held twice: what was held counts as a first reading for every later
//! poll, which accepts it at once if it says the same. This memory of held values does not survive a
//! restart, the rest does ([`Gate::snapshot`]).
//!
//! While it is open which meter answers, all values of the poll are held: they may be another
//! meter's. Where counters jump and the serial number was not asked for, it is asked for with the
//! second reading, and tells a changed meter from a changed count.
//!
//! # What stands behind it, and what it cannot see
//!
//! The CRC of a frame finds every burst of up to 16 bits, and lets 1 in 65,536 of long random damage
//! through. One poll an hour of which every fifth answer is damaged makes 1,752 damaged answers a
//! year, of which one in 37 years passes. Of what passes, the gate sees every change of a unit,
//! length or exponent that it remembers (a record of another register is dropped by the session; the
//! sign of a flow or power may change at any time), and every value outside what is possible.
//!
//! For a counter in 0.001 GJ, read hourly from a meter of at most 6460 kW, 24,000 of 2³² values are
//! possible, which leaves one random value in 180,000; for T1, T2 and dT in 0.01 K, read together, 7
//! of 65,536. For a flow in l/h, anything up to the largest flow is possible: with 30 m³/h almost
//! half of 65,536 values. **A change within physics cannot be seen**, nor can a counter's very first
//! value if it is one that a meter reaches in its life; the next poll then says that the counter went
//! back. An impossible value is accepted only if two frames pass the CRC with damage that agrees.

use core::time::Duration;
use std::collections::BTreeSet;

use kamstrup_kmp::{Instant, Record, RegisterId, Value};

mod confirm;
mod gap;
mod judge;
mod limits;
mod memory;
mod nature;
mod physics;
mod quality;
mod settle;
mod surprise;
mod words;
mod wrap;

pub use limits::Limits;
pub use memory::{MeterMemory, RegisterMemory};
pub use quality::{Fault, Held, Notice, Quality, Reading};
pub use surprise::Surprise;

use judge::Sight;
use memory::Meter;
use nature::SERIAL;
use settle::{any_confirmed, doubts, hold_all, settle};

/// The memory behind one line: of the meter that answers there, and of those that did before.
#[derive(Clone, Debug, Default)]
pub struct Gate {
    present: Meter,
    /// The one seen last comes first.
    former: Vec<Meter>,
}

/// What came of one round of requests.
#[derive(Clone, Copy, Debug, Default)]
pub struct Poll<'a> {
    /// The registers that were asked for and answered for. Those of a request that got no answer at
    /// all do not belong here: nobody knows whether the meter has them.
    pub asked: &'a [RegisterId],
    /// The records of the answers.
    pub records: &'a [Record],
    /// The serial number, where `GetSerialNo` was asked instead of register 1001.
    pub serial: Option<u32>,
}

impl<'a> Poll<'a> {
    /// A poll of which only the records are known.
    pub const fn of(records: &'a [Record]) -> Self {
        Self {
            asked: &[],
            records,
            serial: None,
        }
    }
}

/// What a first look at a poll shows.
#[derive(Clone, Debug)]
#[must_use]
#[expect(
    clippy::large_enum_variant,
    reason = "there is one for every poll, on the stack"
)]
pub enum Look {
    /// Nothing surprising.
    Checked(Checked),
    /// Something has to be read a second time, after which [`Gate::second`] decides.
    Doubtful(Doubt),
}

/// A poll that waits for its second look. None of its values is remembered yet.
#[derive(Clone, Debug)]
#[must_use]
pub struct Doubt {
    limits: Limits,
    asked: Vec<RegisterId>,
    records: Vec<Record>,
    serial: Option<u32>,
    at: Instant,
    reread: Vec<RegisterId>,
    notices: Vec<Notice>,
}

impl Doubt {
    /// The registers to read again, in one request if they fit. Register 1001 stands for the serial
    /// number, however it is asked for.
    pub fn reread(&self) -> &[RegisterId] {
        &self.reread
    }
}

/// A poll with a quality for every value.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[must_use]
pub struct Checked {
    /// Every register asked for, in the order asked, then what came besides.
    pub readings: Vec<Reading>,
    /// What people should be told.
    pub notices: Vec<Notice>,
}

impl Gate {
    /// A gate that remembers nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes up what [`Gate::snapshot`] gave, so long ago by a clock that runs while the process does
    /// not. A wrong length of time costs second readings, never values.
    pub fn restore(
        meters: impl IntoIterator<Item = MeterMemory>,
        away: Duration,
        now: Instant,
    ) -> Self {
        let mut meters = meters
            .into_iter()
            .map(|meter| Meter::restore(meter, away, now));
        let present = meters.next().unwrap_or_default();
        Self {
            present,
            former: meters.take(FORMER).collect(),
        }
    }

    /// Everything worth storing over a restart, the present meter first.
    pub fn snapshot(&self, now: Instant) -> Vec<MeterMemory> {
        [&self.present]
            .into_iter()
            .chain(&self.former)
            .map(|meter| meter.snapshot(now))
            .collect()
    }

    /// The serial number of the meter that answers.
    pub fn serial(&self) -> Option<&str> {
        self.present.serial.as_deref()
    }

    /// What is remembered of a register: its last good value, and how old that is.
    pub fn remembered(&self, register: RegisterId, now: Instant) -> Option<RegisterMemory> {
        self.present
            .known
            .get(&register)
            .map(|known| known.snapshot(register, now))
    }

    /// Looks at a poll for the first time.
    pub fn first(&mut self, limits: &Limits, poll: &Poll<'_>, now: Instant) -> Look {
        let sight = Sight {
            records: poll.records,
            at: now,
        };
        let mut notices = Vec::new();
        let mut reread = BTreeSet::new();
        if let Some(serial) = serial(poll) {
            if !self.is_other(&serial) {
                self.recall(&serial);
            } else if self.present.held_serial.as_ref() == Some(&serial) {
                // Held in an earlier poll, seen again in this one.
                notices.extend(self.change(serial));
            } else {
                // What is asked again has to do for either meter.
                let other = self.former.iter().find(|meter| meter.has_serial(&serial));
                reread.extend(doubts(other.unwrap_or(&Meter::default()), limits, sight));
                reread.insert(SERIAL);
            }
        }
        reread.extend(doubts(&self.present, limits, sight));
        if reread.is_empty() {
            return Look::Checked(self.settled(limits, (sight, None), poll, notices));
        }
        Look::Doubtful(Doubt {
            limits: *limits,
            asked: poll.asked.to_vec(),
            records: poll.records.to_vec(),
            serial: poll.serial,
            at: now,
            reread: reread.into_iter().collect(),
            notices,
        })
    }

    /// Decides on a poll by what the second reading gave: an empty poll, if nothing came.
    pub fn second(&mut self, doubt: Doubt, again: &Poll<'_>, now: Instant) -> Checked {
        let Doubt {
            limits,
            asked,
            records,
            serial: said,
            at,
            mut notices,
            ..
        } = doubt;
        let poll = Poll {
            asked: &asked,
            records: &records,
            serial: said,
        };
        let first = Sight {
            records: &records,
            at,
        };
        let second = Sight {
            records: again.records,
            at: now,
        };
        let (once, twice) = (serial(&poll), serial(again));
        let remembered = self.present.serial.clone().unwrap_or_default();
        match once.filter(|serial| self.is_other(serial)) {
            Some(found) if twice.as_ref() == Some(&found) => notices.extend(self.change(found)),
            Some(found) => {
                let surprise = Surprise::Serial {
                    found: found.clone(),
                    remembered,
                };
                if twice.as_deref() != self.serial() {
                    self.present.held_serial = Some(found);
                    let held = Held {
                        surprise,
                        second: twice.map(Value::Text),
                    };
                    return Checked {
                        readings: hold_all(&held, first, &asked),
                        notices,
                    };
                }
                // The record of register 1001 speaks for itself.
                if said.is_some() {
                    notices.push(Notice::Outvoted {
                        register: SERIAL,
                        surprise,
                    });
                }
            }
            // Not asked at first; but if the counters jumped for good, they are another meter's.
            None => {
                if let Some(found) = twice
                    && serial(&poll).is_none()
                    && self.is_other(&found)
                    && any_confirmed(&self.present, &limits, first, second)
                {
                    notices.extend(self.change(found));
                }
            }
        }
        self.settled(&limits, (first, Some(second)), &poll, notices)
    }

    fn settled(
        &mut self,
        limits: &Limits,
        sights: (Sight<'_>, Option<Sight<'_>>),
        poll: &Poll<'_>,
        mut notices: Vec<Notice>,
    ) -> Checked {
        let mut checked = settle(&mut self.present, limits, sights, poll.asked);
        if self.present.serial.is_none() {
            let good = |reading: &Reading| reading.good().map(|record| record.value.to_string());
            let mut readings = checked.readings.iter();
            self.present.serial = poll.serial.map(|serial| serial.to_string()).or_else(|| {
                readings
                    .find(|reading| reading.register() == SERIAL)
                    .and_then(good)
            });
        }
        notices.append(&mut checked.notices);
        Checked {
            readings: checked.readings,
            notices,
        }
    }

    fn is_other(&self, serial: &str) -> bool {
        self.present.serial.is_some() && !self.present.has_serial(serial)
    }

    /// Takes up what is stored of a meter, where nothing is known of the present one.
    fn recall(&mut self, serial: &str) {
        self.present.held_serial = None;
        let stored = self
            .former
            .iter()
            .position(|meter| meter.has_serial(serial));
        if let Some(stored) = stored
            && self.present.known.is_empty()
        {
            self.present = self.former.remove(stored);
        }
    }

    /// From here on, another meter answers.
    fn change(&mut self, to: String) -> Option<Notice> {
        let from = self.present.serial.clone()?;
        let stored = self.former.iter().position(|meter| meter.has_serial(&to));
        let next = match stored {
            Some(stored) => self.former.remove(stored),
            None => Meter::with_serial(to.clone()),
        };
        let mut last = core::mem::replace(&mut self.present, next);
        last.forget_held();
        self.former.insert(0, last);
        self.former.truncate(FORMER);
        Some(Notice::MeterChanged { from, to })
    }
}

/// How many meters besides the present one are remembered.
const FORMER: usize = 8;

/// The serial number that a poll brought.
fn serial(poll: &Poll<'_>) -> Option<String> {
    let record = || poll.records.iter().find(|record| record.register == SERIAL);
    poll.serial.map(|serial| serial.to_string()).or_else(|| {
        record()
            .filter(|record| record.value.is_valid())
            .map(|record| record.value.to_string())
    })
}

//! Logger messages: how meters tell their own history.
//!
//! Two generations. Commands A0 to A3 read a logger in a module or in a MULTICAL 801 (vendor document
//! 5512-447, section 6.3). Command B8 reads the loggers of MULTICAL 303 and 603; its layout is one
//! author's work (jktjkt), confirmed in part by a reader of electricity meters. Reading a whole log is
//! many exchanges; this module only gives single messages their meaning.

use alloc::vec::Vec;
use core::fmt;

use crate::datetime::{Date, DateTime, MonthDay, Time};
use crate::frame::{Direction, Frame};
use crate::register::{RawRecord, Record, RegisterId};
use crate::unit::Unit;
use crate::value::Scale;

/// Commands that read loggers.
pub mod command {
    /// From a time to now.
    pub const TIME_TO_PRESENT: u8 = 0xa0;
    /// From the last read-out to now.
    pub const LAST_TO_PRESENT: u8 = 0xa1;
    /// From a record to now.
    pub const ID_TO_PRESENT: u8 = 0xa2;
    /// From a time to the past, newest first.
    pub const TIME_TO_PAST: u8 = 0xa3;
    /// All of the newer generation.
    pub const READ_OUT: u8 = 0xb8;
}

/// What is asked of a logger.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LogRequest {
    /// What a logger keeps and how much of it.
    Configuration {
        /// The logger's number.
        logger: u8,
    },
    /// Entries from one on towards the past.
    FromId {
        /// The logger's number.
        logger: u8,
        /// The first entry.
        id: u32,
        /// How many entries.
        entries: u16,
        /// What of each.
        registers: Vec<RegisterId>,
    },
    /// Entries towards the past, the first so many behind the newest.
    FromNewest {
        /// The logger's number.
        logger: u8,
        /// How many entries behind the newest; 65535 asks for the oldest.
        offset: u16,
        /// How many entries.
        entries: u16,
        /// What of each.
        registers: Vec<RegisterId>,
    },
    /// Records by one of the commands A0 to A3.
    Records {
        /// Which command.
        command: u8,
        /// The log's number.
        logger: u8,
        /// What of each record.
        registers: Vec<RegisterId>,
        /// How many records.
        records: u8,
        /// How long the answer may be.
        longest_answer: u8,
        /// From when on; `None` where the command has no time or the bytes say none.
        time: Option<DateTime>,
        /// The record, or its distance, where the command has one.
        record: Option<u16>,
    },
}

/// What a logger answers.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LogAnswer {
    /// What it keeps and how much of it.
    Configuration(LogConfiguration),
    /// Some of its entries.
    Page(LogPage),
}

/// What a logger keeps and how much of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogConfiguration {
    /// The logger's number.
    pub logger: u8,
    /// The yearly target dates, `None` where not in use.
    pub target_dates: [Option<MonthDay>; 2],
    /// The interval, as sent; its unit is not public.
    pub interval: u8,
    /// How many entries it holds.
    pub depth: u16,
    /// What of each.
    pub registers: Vec<RegisterId>,
}

/// Some entries of a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogPage {
    /// The logger's number.
    pub logger: u8,
    /// The entries, in the order sent.
    pub rows: Vec<LogRow>,
    /// The newest entry in the log.
    pub newest: u32,
    /// What the meter says about the page.
    pub info: LogInfo,
}

/// One entry of a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogRow {
    /// Its number.
    pub id: u32,
    /// Its values.
    pub records: Vec<Record>,
}

/// What a meter says about a page of a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogInfo {
    /// The flags, as sent.
    pub flags: u16,
    generation: Generation,
}

impl LogInfo {
    const EMPTY: u16 = 1;

    /// Whether the log holds nothing. Such an answer still carries a row of zeros.
    pub const fn is_empty_log(self) -> bool {
        self.flags & Self::EMPTY != 0
    }

    /// Whether the page holds less than was asked for, for want of room.
    pub const fn is_cut(self) -> bool {
        match self.generation {
            Generation::Module => self.flags & (1 << 3) != 0,
            Generation::Meter => self.flags & (1 << 4) != 0,
        }
    }

    /// What the flags say, in words. Bits that nobody knows are left out; they stand in `flags`.
    pub fn meanings(self) -> impl Iterator<Item = &'static str> {
        let known: &[(u16, &str)] = match self.generation {
            Generation::Module => &[
                (0, "log empty"),
                (2, "requested record or time outside the log"),
                (3, "records dropped: answer too long"),
                (4, "end of the log reached"),
            ],
            Generation::Meter => &[
                (0, "log empty"),
                (1, "requested entry or time outside the log"),
                (3, "unsupported register"),
                (4, "not all entries returned"),
                (5, "format changed"),
                (6, "oldest entry included"),
                (7, "newest entry included"),
                (8, "memory error"),
                (9, "invalid request"),
                (10, "internal error"),
                (13, "registers dropped"),
            ],
        };
        known
            .iter()
            .filter(move |(bit, _)| self.flags & (1 << bit) != 0)
            .map(|(_, words)| *words)
    }
}

/// The data of a logger message do not fit its layout.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogError {
    /// Where in the data.
    pub offset: usize,
    /// What was expected there.
    pub expected: &'static str,
}

impl fmt::Display for LogError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "the logger message ends or goes wrong at byte {} of its data: {} expected",
            self.offset, self.expected
        )
    }
}

impl core::error::Error for LogError {}

/// Reads a request to a logger; `None` if the frame is none or its sub-command is not known.
pub fn decode_request(frame: &Frame<'_>) -> Option<Result<LogRequest, LogError>> {
    if frame.direction != Direction::ToMeter {
        return None;
    }
    let mut data = Reader::new(frame.data);
    match frame.command {
        command::READ_OUT => match frame.data.first()? {
            0x05 => Some(data.configuration_request()),
            0x06 => Some(data.entries_request(true)),
            0x07 => Some(data.entries_request(false)),
            _ => None,
        },
        old @ command::TIME_TO_PRESENT..=command::TIME_TO_PAST => Some(data.records_request(old)),
        _ => None,
    }
}

/// Reads the answer of a logger; `None` if the frame is none or its sub-command is not known.
pub fn decode_answer(frame: &Frame<'_>) -> Option<Result<LogAnswer, LogError>> {
    if frame.direction != Direction::FromMeter {
        return None;
    }
    let mut data = Reader::new(frame.data);
    match frame.command {
        command::READ_OUT => match frame.data.first()? {
            0x05 => Some(data.configuration().map(LogAnswer::Configuration)),
            0x06 | 0x07 => Some(data.entries().map(LogAnswer::Page)),
            _ => None,
        },
        command::TIME_TO_PRESENT..=command::TIME_TO_PAST => {
            Some(data.records().map(LogAnswer::Page))
        }
        _ => None,
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Generation {
    /// Commands A0 to A3.
    Module,
    /// Command B8.
    Meter,
}

/// The form of a value, told once for all rows.
struct Form {
    register: RegisterId,
    unit: Unit,
    scale: Scale,
    length: u8,
}

/// Walks through the data of a message.
struct Reader<'a> {
    rest: &'a [u8],
    length: usize,
}

impl<'a> Reader<'a> {
    const fn new(data: &'a [u8]) -> Self {
        Self {
            rest: data,
            length: data.len(),
        }
    }

    fn configuration_request(&mut self) -> Result<LogRequest, LogError> {
        let [_, logger] = self.take("the logger's number")?;
        self.end()?;
        Ok(LogRequest::Configuration { logger })
    }

    fn entries_request(&mut self, from_id: bool) -> Result<LogRequest, LogError> {
        let [_, logger] = self.take("the logger's number")?;
        let (id, offset) = if from_id {
            (self.u32("the entry's number")?, 0)
        } else {
            (0, self.u16("the offset")?)
        };
        let entries = self.u16("the number of entries")?;
        let registers = self.register_list()?;
        self.end()?;
        Ok(if from_id {
            LogRequest::FromId {
                logger,
                id,
                entries,
                registers,
            }
        } else {
            LogRequest::FromNewest {
                logger,
                offset,
                entries,
                registers,
            }
        })
    }

    fn records_request(&mut self, command: u8) -> Result<LogRequest, LogError> {
        let [logger] = self.take("the log's number")?;
        let registers = self.register_list()?;
        let [records, longest_answer] =
            self.take("the number of records and the longest answer")?;
        let has_time = matches!(command, command::TIME_TO_PRESENT | command::TIME_TO_PAST);
        let time = if has_time {
            module_time(self.take("a time of eight bytes")?)
        } else {
            None
        };
        let has_record = matches!(command, command::ID_TO_PRESENT | command::TIME_TO_PAST);
        let record = if has_record {
            Some(self.u16("a record's number")?)
        } else {
            None
        };
        self.end()?;
        Ok(LogRequest::Records {
            command,
            logger,
            registers,
            records,
            longest_answer,
            time,
            record,
        })
    }

    fn configuration(&mut self) -> Result<LogConfiguration, LogError> {
        let [_, logger] = self.take("the logger's number")?;
        // Each part follows a format byte, 01 in all that was seen.
        let [_, month1, day1, _, month2, day2] = self.take("two target dates")?;
        let [_, _most_interval_records, _, interval] = self.take("the interval")?;
        let depth = self.u16("the depth")?;
        let registers = self.register_list()?;
        self.end()?;
        let target_dates = [MonthDay::new(month1, day1), MonthDay::new(month2, day2)];
        Ok(LogConfiguration {
            logger,
            target_dates,
            interval,
            depth,
            registers,
        })
    }

    /// Rows of the newer generation: the first tells the form, the others hold values only.
    fn entries(&mut self) -> Result<LogPage, LogError> {
        let [_, logger] = self.take("the logger's number")?;
        let entries = self.u16("the number of entries")?;
        let [registers] = self.take("the number of registers")?;
        let first = self.u32("the first entry's number")?;
        let newest = self.u32("the newest entry's number")?;
        let info = LogInfo {
            flags: self.u16("the information flags")?,
            generation: Generation::Meter,
        };
        let mut rows = Vec::new();
        if entries > 0 {
            let (forms, records) = self.first_row(registers)?;
            rows.push(LogRow { id: first, records });
            // Values without a byte would be as many as a damaged count says.
            if entries > 1 && forms.iter().any(|form| form.length == 0) {
                return Err(self.error("values with at least one byte"));
            }
            for n in 1..u32::from(entries) {
                rows.push(LogRow {
                    id: first.wrapping_sub(n),
                    records: self.row(&forms)?,
                });
            }
        }
        self.end()?;
        if info.is_empty_log() {
            rows.clear();
        }
        Ok(LogPage {
            logger,
            rows,
            newest,
            info,
        })
    }

    /// Records of the older generation: each begins with its number.
    fn records(&mut self) -> Result<LogPage, LogError> {
        const TAIL: usize = 5;
        let [logger, registers] = self.take("the log's number and the number of registers")?;
        let mut rows = Vec::new();
        let mut forms = Vec::new();
        while self.rest.len() > TAIL {
            let id = self.u16("a record's number")?.into();
            let records = if rows.is_empty() {
                let (told, records) = self.first_row(registers)?;
                forms = told;
                records
            } else {
                self.row(&forms)?
            };
            rows.push(LogRow { id, records });
        }
        let [_, _, newest @ .., flags] = self
            .take::<TAIL>("the last and the newest record's numbers and a byte of information")?;
        let info = LogInfo {
            flags: flags.into(),
            generation: Generation::Module,
        };
        Ok(LogPage {
            logger,
            rows,
            newest: u16::from_be_bytes(newest).into(),
            info,
        })
    }

    fn first_row(&mut self, registers: u8) -> Result<(Vec<Form>, Vec<Record>), LogError> {
        let mut forms = Vec::new();
        let mut records = Vec::new();
        for _ in 0..registers {
            let [high, low, unit, length, scale] =
                self.take("a register with its unit, length and scale")?;
            let register = RegisterId(u16::from_be_bytes([high, low]));
            let form = Form {
                register,
                unit: Unit(unit),
                scale: Scale(scale),
                length,
            };
            records.push(self.value(&form)?);
            forms.push(form);
        }
        Ok((forms, records))
    }

    fn row(&mut self, forms: &[Form]) -> Result<Vec<Record>, LogError> {
        forms.iter().map(|form| self.value(form)).collect()
    }

    fn value(&mut self, form: &Form) -> Result<Record, LogError> {
        let bytes = self.slice(form.length.into(), "a value")?;
        let Form {
            register,
            unit,
            scale,
            ..
        } = *form;
        Ok(RawRecord {
            register,
            unit,
            scale,
            bytes,
        }
        .decode())
    }

    fn register_list(&mut self) -> Result<Vec<RegisterId>, LogError> {
        let [count] = self.take("the number of registers")?;
        (0..count)
            .map(|_| self.u16("a register's number").map(RegisterId))
            .collect()
    }

    fn u16(&mut self, what: &'static str) -> Result<u16, LogError> {
        self.take(what).map(u16::from_be_bytes)
    }

    fn u32(&mut self, what: &'static str) -> Result<u32, LogError> {
        self.take(what).map(u32::from_be_bytes)
    }

    fn take<const N: usize>(&mut self, what: &'static str) -> Result<[u8; N], LogError> {
        let error = self.error(what);
        let (taken, rest) = self.rest.split_first_chunk().ok_or(error)?;
        self.rest = rest;
        Ok(*taken)
    }

    fn slice(&mut self, length: usize, what: &'static str) -> Result<&'a [u8], LogError> {
        let error = self.error(what);
        let (taken, rest) = self.rest.split_at_checked(length).ok_or(error)?;
        self.rest = rest;
        Ok(taken)
    }

    const fn end(&self) -> Result<(), LogError> {
        if self.rest.is_empty() {
            Ok(())
        } else {
            Err(self.error("the end of the message"))
        }
    }

    const fn error(&self, expected: &'static str) -> LogError {
        LogError {
            offset: self.length.saturating_sub(self.rest.len()),
            expected,
        }
    }
}

/// Year, month, day, hour, minute, second, weekday, information. The document prints its examples the
/// other way round; production readers send the year first.
fn module_time(
    [year, month, day, hour, minute, second, _weekday, _info]: [u8; 8],
) -> Option<DateTime> {
    let date =
        Date::new(u16::from(year).saturating_add(2000), month, day).filter(|_| year < 100)?;
    Some(DateTime::new(date, Time::new(hour, minute, second)?))
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;

    use proptest::prelude::*;

    use crate::frame::{Address, Decoder, Found};

    use super::*;

    fn page_of(mut wire: &[u8]) -> LogPage {
        let mut decoder = Decoder::new();
        let Some(Found::Frame(frame)) = decoder.next(&mut wire) else {
            panic!("a frame expected")
        };
        match decode_answer(&frame) {
            Some(Ok(LogAnswer::Page(page))) => page,
            other => panic!("a page expected, not {other:?}"),
        }
    }

    #[test]
    fn entries_are_numbered_towards_the_past() {
        let page = page_of(&[
            0x40, 0x3f, 0xb8, 0x1b, 0xf9, 0x02, 0x00, 0x02, 0x01, 0x00, 0x00, 0x00, 0x02, 0x00,
            0x00, 0x00, 0x02, 0x00, 0xc0, 0x03, 0xeb, 0x30, 0x04, 0x00, 0x00, 0x03, 0xf8, 0x05,
            0x00, 0x03, 0xd0, 0xf5, 0xaa, 0x3a, 0x0d,
        ]);
        let rows: Vec<_> = page
            .rows
            .iter()
            .map(|row| (row.id, row.records[0].value.to_string()))
            .collect();
        assert_eq!(rows, [(2, "2026-01-01".into()), (1, "2025-01-01".into())]);
        assert_eq!(
            page.info.meanings().collect::<Vec<_>>(),
            ["oldest entry included", "newest entry included"]
        );
    }

    #[test]
    fn an_empty_log_has_no_rows_though_it_sends_one() {
        let page = page_of(&[
            0x40, 0x3f, 0xb8, 0x07, 0x07, 0x00, 0x01, 0x01, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
            0x00, 0x00, 0x00, 0x01, 0x03, 0xea, 0x2f, 0x04, 0x00, 0x00, 0x00, 0x00, 0x00, 0x1f,
            0x2f, 0x0d,
        ]);
        assert!(page.info.is_empty_log());
        assert_eq!(page.rows, []);
    }

    #[test]
    fn a_page_that_breaks_off_says_where_and_what_was_expected() {
        let frame = Frame {
            direction: Direction::FromMeter,
            address: Address::METER,
            command: command::READ_OUT,
            data: &[0x06, 0x02, 0x00, 0x02, 0x01, 0x00],
        };
        let error = decode_answer(&frame).unwrap().unwrap_err();
        assert_eq!(
            error.to_string(),
            "the logger message ends or goes wrong at byte 5 of its data: the first entry's number expected"
        );
    }

    #[test]
    fn a_count_that_damage_made_large_costs_no_memory() {
        let mut data = alloc::vec![0x06, 0x02, 0xff, 0xff, 0x01, 0, 0, 0, 9, 0, 0, 0, 9, 0, 0];
        data.extend([0x00, 0x3c, 0x08, 0x00, 0x00]);
        let frame = Frame {
            direction: Direction::FromMeter,
            address: Address::METER,
            command: command::READ_OUT,
            data: &data,
        };
        assert!(decode_answer(&frame).unwrap().is_err());
    }

    proptest! {
        #[test]
        fn any_data_are_an_answer_or_an_error(
            from_meter in any::<bool>(),
            command in prop::sample::select(alloc::vec![0xa0_u8, 0xa1, 0xa2, 0xa3, 0xb8]),
            data in prop::collection::vec(prop_oneof![any::<u8>(), 0_u8..8], 0..80),
        ) {
            let direction = if from_meter { Direction::FromMeter } else { Direction::ToMeter };
            let frame = Frame { direction, address: Address::METER, command, data: &data };
            prop_assert_eq!(decode_request(&frame).is_some() && from_meter, false);
            if let Some(Ok(LogAnswer::Page(page))) = decode_answer(&frame) {
                prop_assert!(page.rows.len() <= data.len());
            }
        }
    }
}

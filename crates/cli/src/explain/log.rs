//! Explains the messages of loggers, in which meters tell their own history.

use std::fmt::Write as _;

use heatmeter_catalog::reading::Reading;
use kamstrup_kmp::logger::{LogAnswer, LogConfiguration, LogPage, LogRequest, LogRow};
use kamstrup_kmp::{Record, RegisterId};
use serde::Serialize;

use super::{Asked, asked};
use crate::output::style::{self, styled};
use crate::reading;

/// What a logger is asked, or what it answers.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Log(Message);

impl Log {
    pub(super) fn asked(request: &LogRequest) -> Self {
        Self(Message::Request(LogAsked::from(request)))
    }

    /// `None` for an answer of a kind that this crate does not know yet.
    pub(super) fn answered(answer: &LogAnswer) -> Option<Self> {
        Some(Self(match answer {
            LogAnswer::Configuration(found) => Message::Configuration(found.into()),
            LogAnswer::Page(found) => Message::Page(found.into()),
            _ => return None,
        }))
    }

    /// The message for people.
    pub(super) fn lines(&self) -> Vec<String> {
        match &self.0 {
            Message::Request(asked) => asked.lines(),
            Message::Configuration(kept) => kept.lines(),
            Message::Page(page) => page.lines(),
        }
    }
}

#[derive(Clone, Debug, Serialize)]
#[serde(untagged)]
enum Message {
    Request(LogAsked),
    Configuration(LogKept),
    Page(LogRead),
}

/// What is asked.
#[derive(Clone, Debug, Default, Serialize)]
struct LogAsked {
    logger: u8,
    #[serde(skip_serializing_if = "Option::is_none")]
    first: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    offset: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    time: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    entries: Option<u16>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    registers: Vec<Asked>,
}

impl LogAsked {
    fn lines(&self) -> Vec<String> {
        let mut line = format!("logger {}", self.logger);
        if let Some(entries) = self.entries {
            let _ = write!(line, ", {entries} entries");
        }
        if let Some(first) = self.first {
            let _ = write!(line, " from {first} on");
        }
        if let Some(offset) = self.offset {
            let _ = write!(line, ", {offset} behind the newest");
        }
        if let Some(time) = &self.time {
            let _ = write!(line, ", from {}", time.replace('T', " "));
        }
        let names = names(&self.registers);
        [line, names]
            .into_iter()
            .filter(|line| !line.is_empty())
            .collect()
    }
}

impl From<&LogRequest> for LogAsked {
    fn from(request: &LogRequest) -> Self {
        let ids = |registers: &[RegisterId]| registers.iter().copied().map(asked).collect();
        match request {
            LogRequest::FromId {
                logger,
                id,
                entries,
                registers,
            } => Self {
                logger: *logger,
                first: Some(*id),
                entries: Some(*entries),
                registers: ids(registers),
                ..Self::default()
            },
            LogRequest::FromNewest {
                logger,
                offset,
                entries,
                registers,
            } => Self {
                logger: *logger,
                offset: Some(*offset),
                entries: Some(*entries),
                registers: ids(registers),
                ..Self::default()
            },
            LogRequest::Records {
                logger,
                registers,
                records,
                time,
                record,
                ..
            } => Self {
                logger: *logger,
                first: record.map(u32::from),
                time: time.map(|time| time.to_string()),
                entries: Some((*records).into()),
                registers: ids(registers),
                ..Self::default()
            },
            LogRequest::Configuration { logger } => Self {
                logger: *logger,
                ..Self::default()
            },
            _ => Self::default(),
        }
    }
}

/// What a logger keeps and how much of it.
#[derive(Clone, Debug, Serialize)]
struct LogKept {
    logger: u8,
    depth: u16,
    interval: u8,
    target_dates: [Option<String>; 2],
    registers: Vec<Asked>,
}

impl LogKept {
    fn lines(&self) -> Vec<String> {
        let Self {
            logger,
            depth,
            interval,
            ..
        } = self;
        vec![
            format!("logger {logger}, {depth} entries deep, interval {interval}"),
            names(&self.registers),
        ]
    }
}

impl From<&LogConfiguration> for LogKept {
    fn from(found: &LogConfiguration) -> Self {
        Self {
            logger: found.logger,
            depth: found.depth,
            interval: found.interval,
            target_dates: found.target_dates.map(|day| day.map(|day| day.to_string())),
            registers: found.registers.iter().copied().map(asked).collect(),
        }
    }
}

/// Some entries of a log.
#[derive(Clone, Debug, Serialize)]
struct LogRead {
    logger: u8,
    newest: u32,
    info: u16,
    info_text: Vec<&'static str>,
    rows: Vec<Row>,
}

#[derive(Clone, Debug, Serialize)]
struct Row {
    id: u32,
    registers: Vec<Reading>,
}

impl LogRead {
    fn lines(&self) -> Vec<String> {
        let mut lines = vec![format!(
            "logger {}, newest entry {}",
            self.logger, self.newest
        )];
        lines.extend(self.info_text.iter().map(|&text| text.to_owned()));
        for row in &self.rows {
            lines.push(styled(style::STRONG, format!("entry {}", row.id)));
            lines.extend(reading::table(&row.registers, None).lines());
        }
        lines
    }
}

impl From<&LogPage> for LogRead {
    fn from(page: &LogPage) -> Self {
        let readings = |records: &[Record]| {
            let readings = records.iter().map(Reading::of);
            readings.collect()
        };
        let row = |row: &LogRow| Row {
            id: row.id,
            registers: readings(&row.records),
        };
        Self {
            logger: page.logger,
            newest: page.newest,
            info: page.info.flags,
            info_text: page.info.meanings().collect(),
            rows: page.rows.iter().map(row).collect(),
        }
    }
}

fn names(registers: &[Asked]) -> String {
    let names = registers.iter().map(|asked| {
        let number = || asked.register.to_string();
        asked.key.map_or_else(number, str::to_owned)
    });
    names.collect::<Vec<_>>().join(", ")
}

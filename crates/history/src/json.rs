//! A poll as JSON, as it is exported, posted to a webhook, and answered by the HTTP API: the object
//! of `heatmeter read --json`, with the poll's id and its verdict.

use heatmeter_catalog::reading::Reading;
use serde::Serialize;

use crate::poll::{Line, Meter, Poll};

/// A poll, borrowed for writing.
#[derive(Debug, Serialize)]
pub struct PollJson<'a> {
    id: String,
    time: String,
    meter: MeterJson<'a>,
    verdict: &'static str,
    readings: &'a [Reading],
    line: LineJson,
}

/// Who a meter is. What is not known is null.
#[derive(Debug, Serialize)]
pub struct MeterJson<'a> {
    manufacturer: &'static str,
    model: Option<&'a str>,
    #[serde(rename = "type")]
    type_code: Option<String>,
    software: Option<&'a str>,
    serial: &'a str,
}

#[derive(Debug, Serialize)]
struct LineJson {
    requests: u32,
    retries: u32,
    bytes_sent: u64,
    bytes_received: u64,
    seconds: f64,
}

impl<'a> PollJson<'a> {
    /// A poll of this meter.
    pub fn new(meter: &'a Meter, poll: &'a Poll) -> Self {
        Self {
            id: poll.id(),
            time: poll.at.to_string(),
            meter: meter.into(),
            verdict: poll.verdict.code(),
            readings: &poll.readings,
            line: poll.line.into(),
        }
    }
}

impl<'a> From<&'a Meter> for MeterJson<'a> {
    fn from(meter: &'a Meter) -> Self {
        Self {
            manufacturer: "Kamstrup",
            model: meter.model.as_deref(),
            type_code: meter.type_code.map(|code| format!("{code:#06x}")),
            software: meter.software.as_deref(),
            serial: &meter.serial,
        }
    }
}

impl From<Line> for LineJson {
    fn from(line: Line) -> Self {
        Self {
            requests: line.requests,
            retries: line.retries,
            bytes_sent: line.bytes_sent,
            bytes_received: line.bytes_received,
            // To the millisecond.
            seconds: (line.took.as_secs_f64() * 1000.0).round() / 1000.0,
        }
    }
}

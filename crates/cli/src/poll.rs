//! One reading, as it stands in JSON.

use std::time::Duration;

use heatmeter_catalog::gate::Notice;
use heatmeter_catalog::reading::Reading;
use heatmeter_catalog::{Model, RegisterId};
use heatmeter_client::PollError;
use kamstrup_kmp::session::LineStats;
use serde::Serialize;

use crate::failure::Failure;
use crate::meter::Meter;
use crate::wall_clock;
use crate::who::Who;

/// A reading, as it stands in JSON.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Poll {
    pub(crate) time: String,
    pub(crate) port: String,
    pub(crate) meter: Who,
    pub(crate) readings: Vec<Reading>,
    pub(crate) line: Cost,
    /// What people should be told about the values.
    #[serde(skip)]
    pub(crate) notices: Vec<Notice>,
}

impl Poll {
    /// Reads the registers that `choose` names once it is known which model it is about.
    ///
    /// Without a deadline it takes up to 20 s, and 5 s more for every request after the first.
    pub(crate) async fn take(
        meter: &mut Meter,
        deadline: Option<Duration>,
        choose: impl FnOnce(Option<&'static Model>) -> Vec<RegisterId>,
    ) -> Result<Self, Failure> {
        let mut time = String::new();
        let result = meter
            .poll(deadline, |model| {
                time = wall_clock::utc();
                choose(model)
            })
            .await;
        let answered = match result {
            Ok(answered) => answered,
            Err(PollError::Port(error)) => return Err(error.into()),
            Err(error) => {
                return Err(Failure::Verdict {
                    verdict: error.verdict(),
                    port: meter.port().to_owned(),
                });
            }
        };
        Ok(Self {
            time,
            port: meter.port().to_owned(),
            meter: meter.who(),
            readings: answered.readings,
            line: answered.line.into(),
            notices: answered.notices,
        })
    }
}

/// What a reading cost the meter and the line.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct Cost {
    requests: u32,
    retries: u32,
    bytes_sent: u64,
    bytes_received: u64,
    seconds: f64,
}

impl Cost {
    /// The cost in words.
    pub(crate) fn text(&self) -> String {
        let Self {
            requests,
            retries,
            bytes_sent,
            bytes_received,
            seconds,
        } = self;
        let again = match retries {
            0 => String::new(),
            1 => ", one of them again".to_owned(),
            more => format!(", {more} of them again"),
        };
        let requests = match requests {
            1 => "1 request".to_owned(),
            more => format!("{more} requests"),
        };
        format!(
            "{requests}{again}; {bytes_sent} bytes sent, {bytes_received} received; \
             {seconds} s on the line"
        )
    }
}

impl From<LineStats> for Cost {
    fn from(line: LineStats) -> Self {
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

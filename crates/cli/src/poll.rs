//! One reading: who the meter is, then its registers, within one span of time.

use std::time::Duration;

use heatmeter_catalog::{Model, RegisterId};
use kamstrup_kmp::Verdict;
use kamstrup_kmp::message::Batch;
use kamstrup_kmp::session::LineStats;
use serde::Serialize;

use crate::failure::Failure;
use crate::meter::{Budget, Meter, Said};
use crate::reading::Reading;
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
    pub(crate) notices: Vec<Said>,
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
        let budget = Budget::new(deadline.unwrap_or(Duration::from_secs(20)));
        let mut line = LineStats::default();
        let mut attempts = None;
        let mut seen = None;
        if !meter.is_introduced() {
            // The other half is for the registers.
            let introduction = meter.introduce(budget.left() / 2).await?;
            line.add(introduction.line);
            let verdict = introduction.verdict;
            let no_sign = matches!(
                verdict,
                Verdict::Silent | Verdict::EchoOnly | Verdict::Asleep
            );
            seen = Some(verdict);
            attempts = no_sign.then_some(ATTEMPTS_WITHOUT_A_SIGN);
        }

        let asked = choose(meter.model());
        let limit = match deadline {
            Some(_) => budget.left(),
            None => budget.left() + longer_for(asked.len()),
        };
        let time = wall_clock::utc();
        let reply = meter.read(&asked, limit, attempts).await?;
        line.add(reply.line);
        if reply.verdict != Verdict::Ok {
            // Silence tells less than whatever came before it.
            let verdict = match (reply.verdict, seen) {
                (Verdict::Silent, Some(Verdict::Ok)) => Verdict::Asleep,
                (Verdict::Silent, Some(before)) => before,
                (verdict, _) => verdict,
            };
            return Err(Failure::Verdict {
                verdict,
                port: meter.port().to_owned(),
            });
        }
        Ok(Self {
            time,
            port: meter.port().to_owned(),
            meter: meter.who(),
            readings: reply.readings,
            line: line.into(),
            notices: reply.notices,
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

/// The most that is asked of a meter that has not said a word yet.
const ATTEMPTS_WITHOUT_A_SIGN: u32 = 3;

fn longer_for(registers: usize) -> Duration {
    let more = registers.div_ceil(Batch::MAX).saturating_sub(1);
    Duration::from_secs(5) * u32::try_from(more).unwrap_or(u32::MAX)
}

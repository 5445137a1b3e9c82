//! What was counted today and this month, against the same days of last year.

use heatmeter_catalog::{Kind, register};
use jiff::{Timestamp, ToSpan, Zoned};
use serde::Serialize;
use utoipa::ToSchema;

use super::Web;
use super::moment::Moment;
use crate::hub::MeterState;

/// A counter, against the same days of last year up to the same time. Amounts are decimal strings; null
/// where nobody knows.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(super) struct Comparison {
    #[schema(example = "heat_energy")]
    key: &'static str,
    label: &'static str,
    #[schema(example = "GJ")]
    unit: Option<String>,
    today: Option<String>,
    /// Where the readings do not reach back to midnight: since when.
    today_since: Option<Moment>,
    today_last_year: Option<String>,
    month: Option<String>,
    /// Where the readings do not reach back to the beginning of the month: since when.
    month_since: Option<Moment>,
    month_last_year: Option<String>,
}

/// The meter's counters of energy and volume that are shown unless somebody turns them off.
pub(super) async fn compare(web: &Web, state: &MeterState, now: Timestamp) -> Vec<Comparison> {
    let Some(meter) = &state.meter else {
        return Vec::new();
    };
    let general = web.site.hub.general();
    let now = now.to_zoned(general.time_zone.clone());
    let until = counted_until(state.read_at, &now);
    let model = state.model;
    let counters = state
        .readings
        .keys()
        .filter_map(|id| register(*id))
        .filter(|register| {
            matches!(register.kind, Kind::Energy | Kind::Volume | Kind::Water)
                && register.is_counter()
                && !register.wraps
                && model.map_or(register.default, |model| model.shows(register))
        });
    let mut compared = Vec::new();
    for register in counters {
        let history = &web.site.history;
        // That the history cannot be read is told by the status.
        let compare = async |at: &Zoned| {
            let compared = history.comparison(&meter.serial, register.id, at.clone());
            compared.await.unwrap_or_default()
        };
        let mut amounts = compare(&until).await;
        if until.date() != now.date() {
            let day = compare(&now).await;
            amounts.today = day.today;
            amounts.today_since = day.today_since;
            amounts.today_last_year = day.today_last_year;
        }
        let text = |amount: Option<kamstrup_kmp::Decimal>| amount.map(|amount| amount.to_string());
        compared.push(Comparison {
            key: register.key,
            label: register.label(general.language),
            unit: amounts.unit.map(|unit| unit.to_string()),
            today: text(amounts.today),
            today_since: amounts.today_since.map(Moment),
            today_last_year: text(amounts.today_last_year),
            month: text(amounts.month),
            month_since: amounts.month_since.map(Moment),
            month_last_year: text(amounts.month_last_year),
        });
    }
    compared
}

/// How far this month has been counted: to the last reading. Until the next one a year ago must not count on.
fn counted_until(read_at: Option<Timestamp>, now: &Zoned) -> Zoned {
    let Some(read_at) = read_at else {
        return now.clone();
    };
    let read_at = read_at.to_zoned(now.time_zone().clone());
    let is_this_month = (read_at.year(), read_at.month()) == (now.year(), now.month());
    // The reading of a year ago may have come a moment later in its hour.
    let until = read_at.checked_add(2.minutes()).unwrap_or(read_at);
    if is_this_month && until < *now {
        until
    } else {
        now.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_year_ago_counts_no_further_than_this_year_was_read() {
        let now: Zoned = "2026-11-26T16:00:00+01:00[Europe/Copenhagen]"
            .parse()
            .unwrap();
        let until = |read_at: &str| {
            counted_until(read_at.parse().ok(), &now)
                .timestamp()
                .to_string()
        };
        assert_eq!(until("2026-11-26T14:59:50Z"), "2026-11-26T15:00:00Z");
        assert_eq!(until("2026-11-25T22:55:00Z"), "2026-11-25T22:57:00Z");
        // In this month nothing was read yet: there is nothing to compare.
        assert_eq!(until("2026-10-31T22:59:50Z"), "2026-11-26T15:00:00Z");
        assert_eq!(counted_until(None, &now), now);
    }
}

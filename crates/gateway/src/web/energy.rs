//! What was counted today and this month, against the same days of last year.

use heatmeter_catalog::{Kind, register};
use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use super::Web;
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
    today_last_year: Option<String>,
    month: Option<String>,
    month_last_year: Option<String>,
}

/// The meter's counters of energy and volume that are shown unless somebody turns them off.
pub(super) async fn compare(web: &Web, state: &MeterState, now: Timestamp) -> Vec<Comparison> {
    let Some(meter) = &state.meter else {
        return Vec::new();
    };
    let general = web.site.hub.general();
    let now = now.to_zoned(general.time_zone.clone());
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
        let amounts = history
            .comparison(&meter.serial, register.id, now.clone())
            .await
            .unwrap_or_default();
        let text = |amount: Option<kamstrup_kmp::Decimal>| amount.map(|amount| amount.to_string());
        compared.push(Comparison {
            key: register.key,
            label: register.label(general.language),
            unit: amounts.unit.map(|unit| unit.to_string()),
            today: text(amounts.today),
            today_last_year: text(amounts.today_last_year),
            month: text(amounts.month),
            month_last_year: text(amounts.month_last_year),
        });
    }
    compared
}

//! `GET /api/meters/{id}/cost`: what another schedule would cost the battery.

use axum::Json;
use axum::extract::{Path, State};
use serde::Deserialize;

use super::Web;
use super::answer::{Answer, Asked, Refusal};
use super::meter::BatteryView;
use super::meters::find;

#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Schedule {
    /// As in the configuration.
    #[param(example = "every 15 min")]
    schedule: String,
}

/// What a schedule would cost the battery of this meter.
#[utoipa::path(
    get, path = "/api/meters/{id}/cost", tag = "meters",
    params(("id" = String, Path, description = "Serial number, or the slot's name."), Schedule),
    responses(
        (status = 200, body = BatteryView),
        (status = 400, description = "This is no schedule.", body = Refusal),
        (status = 404, body = Refusal),
    ),
)]
pub(super) async fn get(
    State(web): State<Web>,
    Path(id): Path<String>,
    Asked(Schedule { schedule }): Asked<Schedule>,
) -> Answer<Json<BatteryView>> {
    let state = find(&web, &id)?;
    match web.site.service.cost(&state, &schedule) {
        Ok(ledger) => Ok(Json(ledger.into())),
        Err(trouble) => Err(Refusal::bad_request(trouble.message, trouble.help)),
    }
}

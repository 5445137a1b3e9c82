//! `GET /api/meters`: all meters, or one.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};

use super::Web;
use super::answer::{Answer, Refusal};
use super::meter::MeterView;
use crate::hub::MeterState;

/// All meters, by the names of their slots.
#[utoipa::path(
    get, path = "/api/meters", tag = "meters",
    responses((status = 200, body = [MeterView])),
)]
pub(super) async fn list(State(web): State<Web>) -> Json<Vec<MeterView>> {
    let mut views = Vec::new();
    for state in web.site.hub.meters().values() {
        views.push(MeterView::of(&web, state).await);
    }
    Json(views)
}

/// One meter.
#[utoipa::path(
    get, path = "/api/meters/{id}", tag = "meters",
    params(("id" = String, Path, description = "Serial number, or the slot's name.")),
    responses(
        (status = 200, body = MeterView),
        (status = 404, body = Refusal),
    ),
)]
pub(super) async fn get(State(web): State<Web>, Path(id): Path<String>) -> Answer<Json<MeterView>> {
    let state = find(&web, &id)?;
    Ok(Json(MeterView::of(&web, &state).await))
}

pub(super) fn find(web: &Web, id: &str) -> Answer<Arc<MeterState>> {
    web.site
        .hub
        .meter(id)
        .ok_or_else(|| Refusal::no_such_meter(id))
}

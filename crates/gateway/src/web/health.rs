//! `/healthz`: whether the gateway does its work. A meter that is silent is no illness of the gateway.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use heatmeter_history::Health;
use serde::Serialize;
use utoipa::ToSchema;

use super::Web;

/// Whether the gateway does its work.
#[derive(Serialize, ToSchema)]
#[schema(as = Health)]
pub(super) struct HealthView {
    healthy: bool,
    /// What keeps it from its work.
    reasons: Vec<String>,
}

/// 200 if polls are kept and every line has somebody who works at it.
#[utoipa::path(
    get, path = "/healthz", tag = "gateway",
    responses(
        (status = 200, body = HealthView),
        (status = 503, body = HealthView),
    ),
    security(()),
)]
pub(super) async fn get(State(web): State<Web>) -> (StatusCode, Json<HealthView>) {
    let mut reasons = Vec::new();
    match &*web.site.history.health().borrow() {
        Health::Fine => {}
        Health::DiskFull { waiting } => {
            reasons.push(format!("the disk is full; {waiting} polls wait in memory"));
        }
        Health::Failing { reason, waiting } => {
            reasons.push(format!(
                "the history cannot be written: {reason}; {waiting} polls wait in memory"
            ));
        }
        _ => reasons.push("the history cannot be written".to_owned()),
    }
    for slot in web.site.hub.without_line() {
        reasons.push(format!("nobody works at the line of {slot}"));
    }
    let healthy = reasons.is_empty();
    let status = if healthy {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    (status, Json(HealthView { healthy, reasons }))
}

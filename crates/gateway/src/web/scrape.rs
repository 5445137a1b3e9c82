//! `GET /metrics`, for Prometheus.

use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response};

use super::Web;
use crate::metrics;

/// Readings, lines, history and destinations, for Prometheus: OpenMetrics for those who ask for it,
/// else the text format 0.0.4.
#[utoipa::path(
    get, path = "/metrics", tag = "gateway",
    responses((status = 200, content_type = "text/plain", body = String)),
)]
pub(super) async fn get(State(web): State<Web>, headers: HeaderMap) -> Response {
    let health = web.site.history.health().borrow().clone();
    let open = metrics::open_metrics(&web.site.hub, &health, Web::now());
    let wants_open = headers
        .get(header::ACCEPT)
        .and_then(|accept| accept.to_str().ok())
        .is_some_and(|accept| accept.contains("application/openmetrics-text"));
    let (content_type, text) = if wants_open {
        (
            "application/openmetrics-text; version=1.0.0; charset=utf-8",
            open,
        )
    } else {
        (
            "text/plain; version=0.0.4; charset=utf-8",
            metrics::classic(&open),
        )
    };
    let content_type = HeaderValue::from_static(content_type);
    ([(header::CONTENT_TYPE, content_type)], text).into_response()
}

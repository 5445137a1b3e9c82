//! `POST /api/destinations/test`: the button beside a destination.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Web;
use super::answer::{Answer, Body, Refusal};
use super::config::{ConfigFile, fill_in};
use super::status::Advice;

/// A destination to be tried.
#[derive(Deserialize, ToSchema)]
pub(super) struct DestinationAsked {
    /// `mqtt`, `influx`, `postgres` or `webhook`.
    #[schema(example = "mqtt")]
    kind: String,
    /// Its table of the configuration. Secrets that are masked are taken from the file, if it has
    /// this destination at the same address.
    #[schema(value_type = Object, example = json!({"host": "broker.lan", "user": "heat"}))]
    settings: serde_json::Value,
    /// Which of the file's tables of this kind it is, counted from 0.
    #[serde(default)]
    index: usize,
}

/// It could deliver.
#[derive(Serialize, ToSchema)]
pub(super) struct Works {
    ok: bool,
}

/// It could not.
#[derive(Serialize, ToSchema)]
pub(super) struct DoesNot {
    error: Advice,
}

/// Connects to a destination and proves that it could deliver, without leaving anything behind.
#[utoipa::path(
    post, path = "/api/destinations/test", tag = "set-up",
    request_body = DestinationAsked,
    responses(
        (status = 200, description = "It could deliver.", body = Works),
        (status = 400, body = Refusal),
        (status = 424, description = "It could not.", body = DoesNot),
        (status = 500, body = Refusal),
    ),
)]
pub(super) async fn test(
    State(web): State<Web>,
    Body(mut asked): Body<DestinationAsked>,
) -> Answer<Response> {
    let file = ConfigFile::read(web.site.config.as_deref())?;
    let filled = fill_in(&mut asked.settings, &file.text, &asked.kind, asked.index);
    let is_kept = filled.map_err(|key| {
        Refusal::bad_request(
            format!("The secret of `{key}` is not kept for this address."),
            "Type the secret itself, or write the change first and test then.",
        )
    })?;
    let tested = web
        .site
        .service
        .test_destination(&asked.kind, asked.settings, is_kept)
        .await;
    Ok(match tested {
        Ok(()) => Json(Works { ok: true }).into_response(),
        Err(trouble) => {
            let error = Advice {
                message: trouble.message,
                help: trouble.help,
            };
            let status = axum::http::StatusCode::FAILED_DEPENDENCY;
            (status, Json(DoesNot { error })).into_response()
        }
    })
}

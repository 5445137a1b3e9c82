//! What all answers have in common: JSON, and refusals that say what to do.

use axum::Json;
use axum::extract::rejection::{JsonRejection, QueryRejection};
use axum::extract::{FromRequest, FromRequestParts, Query, Request};
use axum::http::{HeaderValue, StatusCode, header, request::Parts};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde::de::DeserializeOwned;
use utoipa::ToSchema;

/// An answer, or why there is none.
pub(super) type Answer<T> = Result<T, Refusal>;

/// Why something was not done.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Error, example = json!({"error": {
    "code": "no_such_meter",
    "message": "There is no meter `84968362` here.",
    "help": "See /api/meters for those that are.",
}}))]
pub(super) struct Refusal {
    #[serde(skip)]
    #[schema(ignore)]
    status: StatusCode,
    error: Problem,
}

/// What was seen, and what to do.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Problem)]
pub(super) struct Problem {
    /// A stable name.
    pub(super) code: String,
    /// What was seen, in one sentence.
    pub(super) message: String,
    /// The next thing to do.
    pub(super) help: String,
}

impl Refusal {
    pub(super) fn new(
        status: StatusCode,
        code: &str,
        message: impl Into<String>,
        help: impl Into<String>,
    ) -> Self {
        Self {
            status,
            error: Problem {
                code: code.to_owned(),
                message: message.into(),
                help: help.into(),
            },
        }
    }

    pub(super) fn bad_request(message: impl Into<String>, help: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "bad_request", message, help)
    }

    pub(super) fn no_such_meter(id: &str) -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "no_such_meter",
            format!("There is no meter `{id}` here."),
            "See /api/meters for those that are.",
        )
    }

    pub(super) fn history(error: &heatmeter_history::HistoryError) -> Self {
        Self::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "history_failing",
            format!("The history cannot be read: {error}."),
            "Look at the gateway's log and at the disk it writes to.",
        )
    }

    pub(super) fn not_found(path: &str) -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "not_found",
            format!("There is nothing at {path}."),
            "See /openapi.json for what there is.",
        )
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let mut response = (self.status, Json(&self)).into_response();
        if self.status == StatusCode::UNAUTHORIZED {
            let challenge = HeaderValue::from_static("Bearer realm=\"heatmeter\"");
            response
                .headers_mut()
                .insert(header::WWW_AUTHENTICATE, challenge);
        }
        response
    }
}

/// JSON that is text already.
pub(super) fn json_text(text: String) -> Response {
    (
        [(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/json"),
        )],
        text,
    )
        .into_response()
}

/// The body of a request.
pub(super) struct Body<T>(pub(super) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Body<T> {
    type Rejection = Refusal;

    async fn from_request(request: Request, state: &S) -> Answer<Self> {
        match Json::from_request(request, state).await {
            Ok(Json(body)) => Ok(Self(body)),
            Err(rejection) => Err(refuse_body(&rejection)),
        }
    }
}

fn refuse_body(rejection: &JsonRejection) -> Refusal {
    let help = "Send JSON as /openapi.json describes it, with `Content-Type: application/json`.";
    let code = match rejection.status() {
        StatusCode::PAYLOAD_TOO_LARGE => "too_large",
        StatusCode::UNSUPPORTED_MEDIA_TYPE => "not_json",
        _ => "bad_request",
    };
    Refusal::new(rejection.status(), code, rejection.body_text(), help)
}

/// What stands behind the question mark.
pub(super) struct Asked<T>(pub(super) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Asked<T> {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Answer<Self> {
        match Query::from_request_parts(parts, state).await {
            Ok(Query(asked)) => Ok(Self(asked)),
            Err(rejection) => Err(refuse_query(&rejection)),
        }
    }
}

fn refuse_query(rejection: &QueryRejection) -> Refusal {
    Refusal::bad_request(
        rejection.body_text(),
        "See /openapi.json for what may stand behind the question mark.",
    )
}

//! A cookie for whoever knows the token.

use std::time::Duration;

use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use tokio::sync::Mutex;
use utoipa::ToSchema;

use super::Web;
use super::answer::{Answer, Body, Refusal};
use super::guard::COOKIE;

/// One attempt at a time, and a pause after each wrong one.
#[derive(Debug, Default)]
pub(super) struct Gate(Mutex<()>);

impl Gate {
    const PAUSE: Duration = Duration::from_secs(1);

    /// Somebody had a wrong token: they wait.
    pub(super) async fn wrong(&self) {
        tokio::time::sleep(Self::PAUSE).await;
    }
}

/// The token.
#[derive(Deserialize, ToSchema)]
pub(super) struct Login {
    /// As it stands in its file.
    #[schema(example = "5fG8…")]
    token: String,
}

/// Gives a cookie for the token.
#[utoipa::path(
    post, path = "/api/login", tag = "access",
    request_body = Login,
    responses(
        (status = 204, description = "The cookie is set."),
        (status = 401, description = "The token is wrong.", body = Refusal),
        (status = 429, description = "Somebody else is trying.", body = Refusal),
    ),
    security(()),
)]
pub(super) async fn login(
    State(web): State<Web>,
    headers: HeaderMap,
    Body(login): Body<Login>,
) -> Answer<Response> {
    let Some(token) = web.site.access.token() else {
        return Ok(StatusCode::NO_CONTENT.into_response());
    };
    let Ok(turn) = web.login.0.try_lock() else {
        return Err(Refusal::new(
            StatusCode::TOO_MANY_REQUESTS,
            "too_many_attempts",
            "Somebody tried a wrong token a moment ago.",
            "Try again in a few seconds.",
        ));
    };
    if !token.is(login.token.trim()) {
        web.login.wrong().await;
        drop(turn);
        return Err(Refusal::new(
            StatusCode::UNAUTHORIZED,
            "unauthorized",
            "The token is wrong.",
            "It stands in the file that `web.token_file` names.",
        ));
    }
    Ok(set_cookie(&headers, &token.cookie(), 400 * 24 * 3600))
}

/// Takes the cookie back.
#[utoipa::path(
    post, path = "/api/logout", tag = "access",
    responses((status = 204, description = "The cookie is gone.")),
    security(()),
)]
pub(super) async fn logout(headers: HeaderMap) -> Response {
    set_cookie(&headers, "", 0)
}

fn set_cookie(headers: &HeaderMap, value: &str, seconds: u32) -> Response {
    let path = ingress_path(headers).unwrap_or("/");
    let is_https = headers
        .get("x-forwarded-proto")
        .is_some_and(|proto| proto == "https");
    let secure = if is_https { "; Secure" } else { "" };
    let cookie = format!(
        "{COOKIE}={value}; Path={path}; Max-Age={seconds}; HttpOnly; SameSite=Strict{secure}"
    );
    (StatusCode::NO_CONTENT, [(header::SET_COOKIE, cookie)]).into_response()
}

/// The path under which Home Assistant shows us.
fn ingress_path(headers: &HeaderMap) -> Option<&str> {
    const INGRESS_PATH: HeaderName = HeaderName::from_static("x-ingress-path");

    let path = headers.get(INGRESS_PATH)?.to_str().ok()?;
    let is_plain = path
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || b"/-_.".contains(&byte));
    Some(path).filter(|path| path.starts_with('/') && is_plain)
}

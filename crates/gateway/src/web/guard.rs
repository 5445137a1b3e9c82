//! What every request passes on its way in, and every answer on its way out.

use axum::extract::{Request, State};
use axum::http::header::{self, HeaderName};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::Web;
use super::answer::{Answer, Refusal};

/// The name of the cookie.
pub(super) const COOKIE: &str = "heatmeter";

/// Lets through what may come in.
pub(super) async fn check(State(web): State<Web>, request: Request, next: Next) -> Response {
    let (head, body) = request.into_parts();
    let admitted = match check_names(&web, &head) {
        Ok(()) => check_token(&web, &head).await,
        Err(refusal) => Err(refusal),
    };
    match admitted {
        Ok(()) => next.run(Request::from_parts(head, body)).await,
        Err(refusal) => refusal.into_response(),
    }
}

/// Headers that every answer has.
pub(super) async fn add_headers(mut response: Response) -> Response {
    let headers = response.headers_mut();
    for (name, value) in HEADERS {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers
        .entry(header::CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("no-store"));
    response
}

/// No script and no style but our own files; frames only within the same site, which is what Home
/// Assistant shows an add-on in.
const HEADERS: [(HeaderName, &str); 5] = [
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
         font-src 'self'; connect-src 'self'; manifest-src 'self'; base-uri 'self'; \
         form-action 'self'; frame-ancestors 'self'",
    ),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::X_FRAME_OPTIONS, "SAMEORIGIN"),
    (header::REFERRER_POLICY, "same-origin"),
    (
        HeaderName::from_static("cross-origin-resource-policy"),
        "same-origin",
    ),
];

/// Turns away pages of others that ask in their visitor's name.
fn check_names(web: &Web, head: &Parts) -> Answer<()> {
    let headers = &head.headers;
    let host = head
        .uri
        .authority()
        .map(axum::http::uri::Authority::as_str)
        .or_else(|| text(headers, &header::HOST))
        .unwrap_or_default();
    if !web.site.access.knows_host(host) {
        return Err(Refusal::new(
            StatusCode::MISDIRECTED_REQUEST,
            "unknown_host",
            format!("This gateway is not called `{host}`."),
            "Call it by its address, by localhost, or by a name in `web.hosts`.",
        ));
    }
    if [Method::GET, Method::HEAD, Method::OPTIONS].contains(&head.method) {
        return Ok(());
    }
    let foreign = match text(headers, &header::ORIGIN) {
        Some(origin) => !is_ours(origin, host, headers),
        None => text(headers, &SEC_FETCH_SITE).is_some_and(|site| site == "cross-site"),
    };
    if foreign {
        return Err(Refusal::new(
            StatusCode::FORBIDDEN,
            "foreign_origin",
            "A page from elsewhere may not change anything here.",
            "Open the gateway's own page. A proxy must pass on Host or X-Forwarded-Host.",
        ));
    }
    Ok(())
}

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
const FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");

/// Whether a request comes from a page that we sent. No page can set `X-Forwarded-Host` for others
/// without asking first, and we never say yes to that.
fn is_ours(origin: &str, host: &str, headers: &HeaderMap) -> bool {
    let Some((_, origin)) = origin.split_once("://") else {
        return false;
    };
    let forwarded = text(headers, &FORWARDED_HOST);
    [Some(host), forwarded]
        .into_iter()
        .flatten()
        .any(|name| name.eq_ignore_ascii_case(origin))
}

/// Lets through who knows the token. The page itself holds nothing secret.
async fn check_token(web: &Web, head: &Parts) -> Answer<()> {
    let Some(token) = web.site.access.token() else {
        return Ok(());
    };
    if !is_guarded(head.uri.path()) {
        return Ok(());
    }
    let headers = &head.headers;
    if let Some(bearer) = bearer(headers) {
        if token.is(bearer) {
            return Ok(());
        }
        web.login.wrong().await;
        return Err(unauthorized("The token is wrong."));
    }
    match cookie(headers) {
        Some(cookie) if token.is_cookie(cookie) => Ok(()),
        _ => Err(unauthorized("This gateway asks for its token.")),
    }
}

fn is_guarded(path: &str) -> bool {
    let is_open = ["/api/login", "/api/logout"].contains(&path);
    (path.starts_with("/api/") && !is_open) || path == "/metrics"
}

fn unauthorized(message: &str) -> Refusal {
    Refusal::new(
        StatusCode::UNAUTHORIZED,
        "unauthorized",
        message,
        "Log in on the page, or send `Authorization: Bearer TOKEN`; the token stands in the file that \
         the configuration names.",
    )
}

/// The token in `Authorization`.
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = text(headers, &header::AUTHORIZATION)?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

fn cookie(headers: &HeaderMap) -> Option<&str> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find_map(|(name, value)| (name == COOKIE).then_some(value))
}

fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

//! The page itself: the files of `web/dist`, compiled in.
//!
//! A file may have a twin with `.gz` behind its name; whoever takes gzip gets that. Names that hold
//! a hash (`app-3f9a0c1d.js`) never change their content and are kept by browsers for good.

use std::borrow::Cow;

use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use rust_embed::{EmbeddedFile, RustEmbed};

use super::access::hex;
use super::answer::Refusal;

#[derive(RustEmbed)]
#[folder = "../../web/dist"]
#[allow_missing = true]
struct Dist;

/// Answers what no other route does.
pub(super) async fn answer(request: Request) -> Response {
    let path = request.uri().path();
    if path.starts_with("/api/") || path == "/api" {
        return Refusal::not_found(path).into_response();
    }
    if ![Method::GET, Method::HEAD].contains(request.method()) {
        let refusal = Refusal::new(
            StatusCode::METHOD_NOT_ALLOWED,
            "method_not_allowed",
            format!("{path} can only be looked at."),
            "See /openapi.json for what takes other methods.",
        );
        return refusal.into_response();
    }
    let name = match path.trim_start_matches('/') {
        "" => "index.html",
        name => name,
    };
    match Dist::get(name) {
        Some(file) => serve(name, file, request.headers()),
        None if name == "index.html" => not_built(),
        None => Refusal::not_found(path).into_response(),
    }
}

fn serve(name: &str, file: EmbeddedFile, headers: &HeaderMap) -> Response {
    let etag = format!("\"{}\"", hex(&file.metadata.sha256_hash()[..12]));
    let caching = if has_hash(name) {
        "public, max-age=31536000, immutable"
    } else {
        "no-cache"
    };
    let mut response = if is_known(headers, &etag) {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        content(name, file, headers)
    };
    let answered = response.headers_mut();
    // Hexadecimal digits in quotes are a header's value.
    if let Ok(etag) = HeaderValue::from_str(&etag) {
        answered.insert(header::ETAG, etag);
    }
    answered.insert(header::CACHE_CONTROL, HeaderValue::from_static(caching));
    answered.insert(header::VARY, HeaderValue::from_static("Accept-Encoding"));
    response
}

fn content(name: &str, file: EmbeddedFile, headers: &HeaderMap) -> Response {
    let content_type = HeaderValue::from_static(content_type(name));
    let packed = takes_gzip(headers)
        .then(|| Dist::get(&format!("{name}.gz")))
        .flatten();
    let gzip = HeaderValue::from_static("gzip");
    match packed {
        Some(packed) => (
            [
                (header::CONTENT_TYPE, content_type),
                (header::CONTENT_ENCODING, gzip),
            ],
            body(packed.data),
        )
            .into_response(),
        None => ([(header::CONTENT_TYPE, content_type)], body(file.data)).into_response(),
    }
}

fn body(data: Cow<'static, [u8]>) -> axum::body::Body {
    match data {
        Cow::Borrowed(data) => data.into(),
        Cow::Owned(data) => data.into(),
    }
}

fn content_type(name: &str) -> &'static str {
    match name.rsplit_once('.').map(|(_, end)| end) {
        Some("html") => "text/html; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("json" | "map") => "application/json",
        Some("webmanifest") => "application/manifest+json",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        Some("ico") => "image/x-icon",
        Some("woff2") => "font/woff2",
        Some("txt") => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

/// Whether the name ends in a hash of at least eight characters before its extension, as bundlers
/// write it.
fn has_hash(name: &str) -> bool {
    let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
    stem.rsplit_once(['-', '.']).is_some_and(|(_, hash)| {
        hash.len() >= 8
            && hash.bytes().all(|byte| byte.is_ascii_alphanumeric())
            && hash
                .bytes()
                .any(|byte| byte.is_ascii_digit() || byte.is_ascii_uppercase())
    })
}

fn is_known(headers: &HeaderMap, etag: &str) -> bool {
    let Some(known) = headers
        .get(header::IF_NONE_MATCH)
        .and_then(|value| value.to_str().ok())
    else {
        return false;
    };
    known
        .split(',')
        .map(|tag| tag.trim().trim_start_matches("W/"))
        .any(|tag| tag == etag || tag == "*")
}

fn takes_gzip(headers: &HeaderMap) -> bool {
    let codings = headers
        .get(header::ACCEPT_ENCODING)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    codings.split(',').any(|coding| {
        let (name, weight) = coding.split_once(';').unwrap_or((coding, ""));
        let refused = weight.trim().trim_start_matches("q=").parse() == Ok(0.0);
        name.trim().eq_ignore_ascii_case("gzip") && !refused
    })
}

fn not_built() -> Response {
    const TEXT: &str = "\
This heatmeter was built without its page. The API is all there: see /openapi.json.

To have the page, build it first and then the program again:

    scripts/page.sh
    cargo build --release
";
    (
        [(
            header::CONTENT_TYPE,
            HeaderValue::from_static("text/plain; charset=utf-8"),
        )],
        TEXT,
    )
        .into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_is_told_from_a_name() {
        assert!(has_hash("assets/app-3f9a0c1d.js"));
        assert!(has_hash("assets/index.B7dEf1Gh.css"));
        assert!(!has_hash("index.html"));
        assert!(!has_hash("apple-touch-icon.png"));
        assert!(!has_hash("icon-maskable.png"));
    }

    #[test]
    fn gzip_is_sent_to_those_who_take_it() {
        let takes = |codings: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static(codings));
            takes_gzip(&headers)
        };
        assert!(takes("gzip, deflate, br"));
        assert!(takes("br;q=1.0, gzip;q=0.5"));
        assert!(!takes("identity"));
        assert!(!takes("gzip;q=0"));
    }
}

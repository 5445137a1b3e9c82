//! A small HTTP client: one request, one answer, within a limit of time.
//!
//! Redirections are not followed. Whoever answers with one would otherwise be sent passwords and
//! readings that were meant for somebody else; the message names the new address.

use std::error::Error;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue, LOCATION, RETRY_AFTER};
use hyper::http::uri::Scheme;
use hyper::{Method, Request, Response, StatusCode, Uri};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use tokio::time;

use crate::destination::DeliveryError;
use crate::tls;

/// How long a connection may take to come about.
const CONNECT: Duration = Duration::from_secs(10);

/// After how long without use a connection is not used again. Home routers forget connections after
/// minutes, without telling.
const IDLE: Duration = Duration::from_secs(30);

/// How much of an answer is read.
const READ: usize = 4096;

/// How much of an answer is shown.
const SHOWN: usize = 200;

/// Requests to one place.
#[derive(Debug)]
pub(crate) struct Http {
    client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
    authorization: Option<HeaderValue>,
    timeout: Duration,
}

/// What the other side said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) location: Option<String>,
    pub(crate) retry_after: Option<Duration>,
    /// The beginning of the body.
    pub(crate) text: String,
}

impl Http {
    /// A client for that place, which believes `ca_file`, or whom the machine believes.
    pub(crate) fn new(
        place: &Uri,
        ca_file: Option<&Path>,
        timeout: Duration,
    ) -> Result<Self, DeliveryError> {
        let tls = if place.scheme() == Some(&Scheme::HTTPS) {
            tls::client_config(ca_file, None)?
        } else {
            tls::distrustful()?
        };
        let mut connector = HttpConnector::new();
        connector.enforce_http(false);
        connector.set_connect_timeout(Some(CONNECT));
        connector.set_nodelay(true);
        let connector = HttpsConnectorBuilder::new()
            .with_tls_config(Arc::unwrap_or_clone(tls))
            .https_or_http()
            .enable_http1()
            .wrap_connector(connector);
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE)
            .pool_max_idle_per_host(1)
            .build(connector);
        Ok(Self {
            client,
            authorization: None,
            timeout,
        })
    }

    /// Logs in with a name and a password at every request.
    pub(crate) fn with_password(
        self,
        user: &str,
        password: Option<&str>,
    ) -> Result<Self, DeliveryError> {
        let both = format!("{user}:{}", password.unwrap_or_default());
        self.with_authorization(&format!("Basic {}", STANDARD.encode(both)))
    }

    /// Sends this as `Authorization` at every request.
    pub(crate) fn with_authorization(mut self, value: &str) -> Result<Self, DeliveryError> {
        let mut value = HeaderValue::from_str(value).map_err(|_| {
            DeliveryError::trouble(
                "the password or token has characters that cannot be sent",
                "See that its file holds nothing but the password or token.",
            )
        })?;
        value.set_sensitive(true);
        self.authorization = Some(value);
        Ok(self)
    }

    /// Sends one request and waits for the answer.
    pub(crate) async fn send(
        &self,
        method: Method,
        uri: &Uri,
        headers: &[(HeaderName, HeaderValue)],
        body: Vec<u8>,
    ) -> Result<Answer, DeliveryError> {
        let mut request = Request::new(Full::new(Bytes::from(body)));
        *request.method_mut() = method;
        *request.uri_mut() = uri.clone();
        for (name, value) in headers {
            request.headers_mut().insert(name, value.clone());
        }
        if let Some(value) = &self.authorization {
            request.headers_mut().insert(AUTHORIZATION, value.clone());
        }
        let exchange = async {
            let response = self
                .client
                .request(request)
                .await
                .map_err(|error| explain(&error, uri))?;
            Ok(Answer::read(response).await)
        };
        time::timeout(self.timeout, exchange)
            .await
            .unwrap_or_else(|_| {
                Err(DeliveryError::trouble(
                    format!(
                        "{} did not answer within {} s",
                        place(uri),
                        self.timeout.as_secs_f64()
                    ),
                    "See that the server is well and not overloaded.",
                ))
            })
    }
}

impl Answer {
    async fn read(response: Response<Incoming>) -> Self {
        let (head, mut body) = response.into_parts();
        let mut bytes = Vec::new();
        // The status is what counts; a text that breaks off is shown as far as it came.
        while let Some(Ok(frame)) = body.frame().await {
            bytes.extend_from_slice(frame.data_ref().map(AsRef::as_ref).unwrap_or_default());
            if bytes.len() > READ {
                break;
            }
        }
        Self {
            status: head.status,
            location: header(&head.headers, &LOCATION).map(str::to_owned),
            // Its other form, a date, is hardly used and needs a clock.
            retry_after: header(&head.headers, &RETRY_AFTER)
                .and_then(|value| value.trim().parse().ok())
                .map(Duration::from_secs),
            text: String::from_utf8_lossy(&bytes).into_owned(),
        }
    }

    /// What it says, for people: the `error` or `message` of a JSON object, or its first line.
    pub(crate) fn words(&self) -> String {
        let object = serde_json::from_str::<serde_json::Value>(&self.text).ok();
        let said = ["error", "message", "detail"]
            .iter()
            .find_map(|key| object.as_ref()?.get(key)?.as_str());
        let line = said.unwrap_or(&self.text).trim().lines().next();
        let line: String = line
            .unwrap_or_default()
            .chars()
            .filter(|c| !c.is_control())
            .take(SHOWN)
            .collect();
        if line.is_empty() {
            self.status.to_string()
        } else {
            format!("{}: {line}", self.status)
        }
    }

    /// Whether a server says that nobody should talk to it without TLS: what Go's and nginx say, with
    /// the status of a bad request.
    pub(crate) fn wants_tls(&self) -> bool {
        self.status == StatusCode::BAD_REQUEST
            && [
                "HTTP request to an HTTPS server",
                "plain HTTP request was sent to HTTPS",
            ]
            .iter()
            .any(|said| self.text.contains(said))
    }

    /// What is the same with every server; `is_refused` says whether the status is about the polls
    /// themselves.
    pub(crate) fn into_error(self, uri: &Uri, is_refused: bool) -> DeliveryError {
        let place = place(uri);
        let words = self.words();
        let error = match self.status.as_u16() {
            _ if self.wants_tls() => DeliveryError::trouble(
                format!("{place} speaks TLS"),
                "Write the url with https:// instead of http://.",
            ),
            _ if is_refused => DeliveryError::refused(
                format!("{place} refuses what it gets ({words})"),
                "See what the server expects.",
            ),
            300..=399 => match self.location {
                Some(location) => DeliveryError::trouble(
                    format!("{place} sends us elsewhere, to {location}"),
                    "Write that address as `url` if you know it to be right.",
                ),
                None => DeliveryError::trouble(
                    format!("{place} sends us elsewhere ({words})"),
                    "See that `url` is right.",
                ),
            },
            401 | 403 => DeliveryError::trouble(
                format!("{place} does not let us in ({words})"),
                "See that the password or token is right, and that it may write.",
            ),
            404 | 405 | 410 => DeliveryError::trouble(
                format!("{place} is there, but not what is asked for ({words})"),
                "See that `url` is right.",
            ),
            429 => DeliveryError::trouble(
                format!("{place} wants fewer requests ({words})"),
                "Nothing is lost; it is tried again later.",
            ),
            500..=599 => DeliveryError::trouble(
                format!("{place} has a problem of its own ({words})"),
                "Look at the server's log. Nothing is lost; it is tried again.",
            ),
            _ => DeliveryError::trouble(
                format!("{place} gave an answer that was not expected ({words})"),
                "See that `url` is right.",
            ),
        };
        DeliveryError {
            retry_after: self.retry_after,
            ..error
        }
    }
}

/// An address as the configuration has it, without name and password, which come back beside it.
pub(crate) fn address(url: &str) -> Result<(Uri, Option<(String, String)>), DeliveryError> {
    let wrong = || {
        DeliveryError::trouble(
            "the url is not one",
            "Write it as `http://HOST:PORT/PATH` or `https://HOST/PATH`.",
        )
    };
    let uri: Uri = url.parse().map_err(|_| wrong())?;
    if !matches!(uri.scheme_str(), Some("http" | "https")) {
        return Err(wrong());
    }
    let authority = uri.authority().ok_or_else(wrong)?.as_str();
    let Some((login, host)) = authority.rsplit_once('@') else {
        return Ok((uri, None));
    };
    let (user, password) = login.split_once(':').unwrap_or((login, ""));
    let login = (decoded(user), decoded(password));
    let mut parts = uri.clone().into_parts();
    parts.authority = Some(host.parse().map_err(|_| wrong())?);
    Ok((Uri::from_parts(parts).map_err(|_| wrong())?, Some(login)))
}

fn decoded(text: &str) -> String {
    percent_encoding::percent_decode_str(text)
        .decode_utf8_lossy()
        .into_owned()
}

/// Whom we talk to, for messages; without the path, which may be a secret.
fn place(uri: &Uri) -> &str {
    uri.authority()
        .map_or("the server", |authority| authority.as_str())
}

fn header<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

fn explain(error: &(dyn Error + 'static), uri: &Uri) -> DeliveryError {
    let place = place(uri);
    if let Some(complaint) = tls::complaint(error) {
        return DeliveryError {
            message: format!("{place}: {}", complaint.message),
            ..complaint
        };
    }
    unreachable(error, place)
}

/// Why nobody answers at a place, as far as the operating system knows.
pub(crate) fn unreachable(error: &(dyn Error + 'static), place: &str) -> DeliveryError {
    let io = tls::causes(error)
        .filter_map(|cause| cause.downcast_ref::<io::Error>())
        .last();
    let last = tls::causes(error).last().map(ToString::to_string);
    let reason = io.map_or_else(|| last.unwrap_or_default(), ToString::to_string);
    match io.map(io::Error::kind) {
        Some(io::ErrorKind::ConnectionRefused) => DeliveryError::trouble(
            format!("nobody listens at {place}"),
            "See that the server runs and that host and port are right.",
        ),
        Some(io::ErrorKind::TimedOut) => DeliveryError::trouble(
            format!("{place} did not answer"),
            "See that the host is right and switched on, and that no firewall is between.",
        ),
        Some(io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable) => {
            DeliveryError::trouble(
                format!("there is no way to {place}: {reason}"),
                "See that the network is up and that the host is right.",
            )
        }
        _ if reason.contains("lookup address") => DeliveryError::trouble(
            format!("nobody knows the host of {place}: {reason}"),
            "See that the host is spelt right and that the network is up.",
        ),
        _ => DeliveryError::trouble(
            format!("the connection to {place} broke: {reason}"),
            "See that the server is well. Nothing is lost; it is tried again.",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, text: &str) -> Answer {
        Answer {
            status: StatusCode::from_u16(status).unwrap(),
            location: None,
            retry_after: None,
            text: text.to_owned(),
        }
    }

    #[test]
    fn the_address_is_told_without_the_password() {
        let (uri, login) = address("https://heat:s%40fe@db.example:8086/base").unwrap();
        assert_eq!(uri.to_string(), "https://db.example:8086/base");
        assert_eq!(login, Some(("heat".to_owned(), "s@fe".to_owned())));
        assert!(address("db.example:8086").is_err());
        assert!(address("ftp://db.example").is_err());
    }

    #[test]
    fn the_servers_own_words_are_passed_on() {
        assert_eq!(
            answer(404, r#"{"error":"database not found: \"heat\""}"#).words(),
            "404 Not Found: database not found: \"heat\""
        );
        assert_eq!(answer(502, "").words(), "502 Bad Gateway");
        assert_eq!(
            answer(500, "it broke\nand more").words(),
            "500 Internal Server Error: it broke"
        );
    }

    #[test]
    fn only_what_is_about_the_polls_is_final() {
        let uri = Uri::from_static("http://db.example/write");
        assert!(answer(400, "").into_error(&uri, true).is_final);
        for status in [302, 401, 404, 429, 500, 503] {
            let error = answer(status, "").into_error(&uri, false);
            assert!(!error.is_final, "{status}");
            assert!(!error.help.is_empty(), "{status}");
        }
    }
}

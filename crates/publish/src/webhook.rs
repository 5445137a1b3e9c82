//! A webhook: polls as JSON, posted to an address of the user's own.
//!
//! The body is the poll as the HTTP API gives it; with a secret it is signed as GitHub signs its
//! webhooks, so that ready-made receivers can check it.

use std::fmt::Write;
use std::path::PathBuf;
use std::time::Duration;

use heatmeter_history::{Meter, PollJson, Stored};
use hmac::{Hmac, KeyInit, Mac};
use hyper::header::{CONTENT_TYPE, HeaderName, HeaderValue, USER_AGENT};
use hyper::{Method, Uri};
use sha2::Sha256;

use crate::destination::{DeliveryError, Destination, Known};
use crate::http::{self, Http};

/// How many polls there are in an array at most.
const ARRAY: usize = 100;

const SIGNATURE: HeaderName = HeaderName::from_static("x-heatmeter-signature");
const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// Everything that the configuration says about a webhook.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_structs,
    reason = "made from the configuration, key by key"
)]
pub struct Settings {
    /// Where polls are posted to.
    pub url: String,
    /// More headers, by name.
    pub headers: Vec<(String, String)>,
    /// What bodies are signed with.
    pub secret: Option<String>,
    /// Whether several polls come as one array, rather than each on its own.
    pub array: bool,
    /// The only authority that is believed, as PEM; by default those that the machine believes.
    pub ca_file: Option<PathBuf>,
    /// How long an answer may take.
    pub timeout: Duration,
}

/// An address that polls are posted to.
#[derive(Debug)]
pub struct Webhook {
    http: Http,
    uri: Uri,
    headers: Vec<(HeaderName, HeaderValue)>,
    secret: Option<String>,
    array: bool,
}

impl Settings {
    /// A webhook with everything else as it is by default.
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            headers: Vec::new(),
            secret: None,
            array: false,
            ca_file: None,
            timeout: Duration::from_secs(30),
        }
    }
}

impl Webhook {
    /// Makes ready to post; does not connect yet.
    pub fn new(settings: Settings) -> Result<Self, DeliveryError> {
        let (uri, login) = http::address(&settings.url)?;
        let mut http = Http::new(&uri, settings.ca_file.as_deref(), settings.timeout)?;
        if let Some((user, password)) = login {
            http = http.with_password(&user, Some(&password))?;
        }
        let agent = HeaderValue::from_static(concat!("heatmeter/", env!("CARGO_PKG_VERSION")));
        let mut headers = vec![
            (CONTENT_TYPE, HeaderValue::from_static("application/json")),
            (USER_AGENT, agent),
        ];
        for (name, value) in &settings.headers {
            headers.push(header(name, value)?);
        }
        Ok(Self {
            http,
            uri,
            headers,
            secret: settings.secret,
            array: settings.array,
        })
    }

    /// What is posted of these polls.
    fn body(&self, polls: &[Stored], meters: &Known) -> Result<Vec<u8>, DeliveryError> {
        let unknown: Vec<_> = polls.iter().map(unknown).collect();
        let objects: Vec<_> = polls
            .iter()
            .zip(&unknown)
            .map(|(Stored { poll, .. }, unknown)| {
                let meter = meters.get(&poll.serial).map_or(unknown, AsRef::as_ref);
                PollJson::new(meter, poll)
            })
            .collect();
        let body = match objects.as_slice() {
            [object] if !self.array => serde_json::to_vec(object),
            objects => serde_json::to_vec(objects),
        };
        body.map_err(|error| DeliveryError::refused(error.to_string(), "Report this."))
    }
}

impl Destination for Webhook {
    async fn deliver(&mut self, polls: &[Stored], meters: &Known) -> Result<(), DeliveryError> {
        let body = self.body(polls, meters)?;
        let mut headers = self.headers.clone();
        if let [stored] = polls
            && let Ok(key) = HeaderValue::from_str(&stored.poll.id())
        {
            headers.push((IDEMPOTENCY_KEY, key));
        }
        if let Some(secret) = &self.secret {
            headers.push((SIGNATURE, signature(secret, &body)));
        }
        let answer = self
            .http
            .send(Method::POST, &self.uri, &headers, body)
            .await?;
        if answer.status.is_success() {
            return Ok(());
        }
        let is_refused = matches!(answer.status.as_u16(), 400 | 413 | 422);
        Err(answer.into_error(&self.uri, is_refused))
    }

    async fn test(&mut self) -> Result<(), DeliveryError> {
        // A request that changes nothing; many receivers know no other method than POST.
        let answer = self
            .http
            .send(Method::HEAD, &self.uri, &self.headers, Vec::new())
            .await?;
        let is_there = matches!(answer.status.as_u16(), 200..=299 | 400 | 405 | 422 | 501);
        if is_there && !answer.wants_tls() {
            return Ok(());
        }
        Err(answer.into_error(&self.uri, false))
    }

    fn batch(&self) -> usize {
        if self.array { ARRAY } else { 1 }
    }
}

fn header(name: &str, value: &str) -> Result<(HeaderName, HeaderValue), DeliveryError> {
    let name = name.parse().map_err(|_| {
        DeliveryError::trouble(
            format!("`{name}` cannot be the name of a header"),
            "Headers have names of letters, digits and hyphens.",
        )
    })?;
    let mut value = HeaderValue::from_str(value).map_err(|_| {
        DeliveryError::trouble(
            format!("the value of the header {name} has characters that cannot be sent"),
            "Headers have values of plain characters on one line.",
        )
    })?;
    value.set_sensitive(true);
    Ok((name, value))
}

/// All that a poll itself says about its meter.
fn unknown(stored: &Stored) -> Meter {
    Meter {
        serial: stored.poll.serial.clone(),
        model: None,
        type_code: None,
        software: None,
    }
}

fn signature(secret: &str, body: &[u8]) -> HeaderValue {
    let mut mac =
        Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("a key may have any length");
    mac.update(body);
    let mut text = "sha256=".to_owned();
    for byte in mac.finalize().into_bytes() {
        write!(text, "{byte:02x}").expect("a String takes everything");
    }
    HeaderValue::from_str(&text).expect("digits can be sent")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies_are_signed_as_github_signs_them() {
        // The example in GitHub's "Validating webhook deliveries".
        assert_eq!(
            signature("It's a Secret to Everybody", b"Hello, World!"),
            "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
        );
    }

    #[test]
    fn a_header_that_cannot_be_sent_is_named() {
        let settings = Settings {
            headers: vec![("X Token".to_owned(), "1".to_owned())],
            ..Settings::new("http://127.0.0.1/")
        };
        let error = Webhook::new(settings).unwrap_err();
        assert_eq!(error.message, "`X Token` cannot be the name of a header");
    }
}

//! InfluxDB 1, 2 and 3, and what understands their line protocol, such as VictoriaMetrics.
//!
//! Each poll is one line: measurement `heatmeter`, tags `serial` and `model`, a field for each
//! register by its key, and the time of the poll. A line that comes twice is the same point.
//! Sources: the reference of the line protocol, of `/write` and of `/api/v2/write` in InfluxDB's manual.

mod line;

use std::path::PathBuf;
use std::time::Duration;

use heatmeter_history::Stored;
use hyper::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use hyper::{Method, Uri};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use crate::destination::{DeliveryError, Destination, Known};
use crate::http::{self, Answer, Http};

const TIMEOUT: Duration = Duration::from_secs(30);

const HEADERS: [(HeaderName, HeaderValue); 1] = [(
    CONTENT_TYPE,
    HeaderValue::from_static("text/plain; charset=utf-8"),
)];

/// Everything that the configuration says about an InfluxDB.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_structs,
    reason = "made from the configuration, key by key"
)]
pub struct Settings {
    /// Where it is, such as `http://127.0.0.1:8086`. A path before `/write` is kept.
    pub url: String,
    /// What in it is written to.
    pub target: Target,
    /// The only authority that is believed, as PEM; by default those that the machine believes.
    pub ca_file: Option<PathBuf>,
    /// The measurement.
    pub measurement: String,
    /// Whether dates, times and other texts are written, too, as string fields.
    pub texts: bool,
}

/// A part of an InfluxDB.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "there are no other ways to write")]
pub enum Target {
    /// InfluxDB 1, by `/write`.
    Database {
        /// The database.
        database: String,
        /// The name to log in with.
        user: Option<String>,
        /// Its password.
        password: Option<String>,
    },
    /// InfluxDB 2 and 3, by `/api/v2/write`.
    Bucket {
        /// The organisation; version 3 does without.
        org: Option<String>,
        /// The bucket; what version 3 calls a database.
        bucket: String,
        /// The token.
        token: Option<String>,
    },
}

/// An InfluxDB that polls are written to.
#[derive(Debug)]
pub struct Influx {
    http: Http,
    uri: Uri,
    target: Target,
    measurement: String,
    texts: bool,
}

impl Settings {
    /// An InfluxDB with everything else as it is by default.
    pub fn new(url: impl Into<String>, target: Target) -> Self {
        Self {
            url: url.into(),
            target,
            ca_file: None,
            measurement: "heatmeter".to_owned(),
            texts: false,
        }
    }
}

impl Influx {
    /// Makes ready to write; does not connect yet.
    pub fn new(settings: Settings) -> Result<Self, DeliveryError> {
        let (base, login) = http::address(&settings.url)?;
        let http = Http::new(&base, settings.ca_file.as_deref(), TIMEOUT)?;
        let http = match (&settings.target, login) {
            (
                Target::Database {
                    user: Some(user),
                    password,
                    ..
                },
                _,
            ) => http.with_password(user, password.as_deref())?,
            (
                Target::Bucket {
                    token: Some(token), ..
                },
                _,
            ) => http.with_authorization(&format!("Token {token}"))?,
            (_, Some((user, password))) => http.with_password(&user, Some(&password))?,
            (_, None) => http,
        };
        Ok(Self {
            http,
            uri: write_address(&base, &settings.target)?,
            target: settings.target,
            measurement: settings.measurement,
            texts: settings.texts,
        })
    }

    async fn write(&self, lines: String) -> Result<Answer, DeliveryError> {
        self.http
            .send(Method::POST, &self.uri, &HEADERS, lines.into_bytes())
            .await
    }

    fn refusal(&self, answer: Answer) -> DeliveryError {
        // 400 is how versions 1 and 3 say it of points: a field of another type, a time beyond the
        // retention. 413 is over with fewer points, 422 is version 2's word for times.
        let is_refused = matches!(answer.status.as_u16(), 400 | 413 | 422);
        let status = answer.status.as_u16();
        let error = answer.into_error(&self.uri, is_refused);
        let help = match (status, &self.target) {
            (404, Target::Database { database, .. }) => {
                format!("Make the database with `CREATE DATABASE \"{database}\"`.")
            }
            (404, Target::Bucket { bucket, .. }) => {
                format!("See that the bucket {bucket} and the organisation exist.")
            }
            (401 | 403, Target::Database { .. }) => {
                "See that user and password are right, and that the user may write.".to_owned()
            }
            (401 | 403, Target::Bucket { .. }) => {
                "See that the token is right, and that it may write to the bucket.".to_owned()
            }
            _ => return error,
        };
        DeliveryError { help, ..error }
    }
}

impl Destination for Influx {
    async fn deliver(&mut self, polls: &[Stored], meters: &Known) -> Result<(), DeliveryError> {
        let mut lines = String::new();
        for Stored { poll, .. } in polls {
            let model = meters
                .get(&poll.serial)
                .and_then(|meter| meter.model.as_deref());
            line::write(&mut lines, &self.measurement, model, poll, self.texts);
        }
        // Polls without an answer have no line.
        if lines.is_empty() {
            return Ok(());
        }
        let answer = self.write(lines).await?;
        if answer.status.is_success() {
            return Ok(());
        }
        Err(self.refusal(answer))
    }

    async fn test(&mut self) -> Result<(), DeliveryError> {
        // An empty write passes login, rights and the look for the database before somebody notices
        // that there is nothing to write; versions 2 and 3 then call it a bad request.
        let answer = self.write(String::new()).await?;
        let is_empty = answer.status.as_u16() == 400
            && matches!(self.target, Target::Bucket { .. })
            && !answer.wants_tls();
        if answer.status.is_success() || is_empty {
            return Ok(());
        }
        Err(self.refusal(answer))
    }

    fn batch(&self) -> usize {
        1000
    }
}

fn write_address(base: &Uri, target: &Target) -> Result<Uri, DeliveryError> {
    let encode = |text| utf8_percent_encode(text, NON_ALPHANUMERIC);
    let place = match target {
        Target::Database { database, .. } => {
            format!("/write?db={}&precision=ms", encode(database))
        }
        Target::Bucket {
            org: Some(org),
            bucket,
            ..
        } => format!(
            "/api/v2/write?org={}&bucket={}&precision=ms",
            encode(org),
            encode(bucket)
        ),
        Target::Bucket {
            org: None, bucket, ..
        } => format!("/api/v2/write?bucket={}&precision=ms", encode(bucket)),
    };
    let mut parts = base.clone().into_parts();
    let path = format!("{}{place}", base.path().trim_end_matches('/'));
    parts.path_and_query = path.parse().ok();
    Uri::from_parts(parts).map_err(|_| {
        DeliveryError::trouble("the url is not one", "Write it as `http://HOST:PORT`.")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_encoded_in_the_address() {
        let (base, _) = http::address("http://db:8086/insert/0/influx/").unwrap();
        let target = Target::Bucket {
            org: Some("home & garden".to_owned()),
            bucket: "heat".to_owned(),
            token: None,
        };
        assert_eq!(
            write_address(&base, &target).unwrap().to_string(),
            "http://db:8086/insert/0/influx/api/v2/write?org=home%20%26%20garden&bucket=heat&precision=ms"
        );
    }
}

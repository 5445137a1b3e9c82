//! What went over a meter's line: to look at, and to give away.

use std::time::Duration;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use heatmeter_client::{Direction, Event, Header, mask_serial, recording_text};
use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use super::Web;
use super::access::hex;
use super::answer::{Answer, Refusal};
use super::meters::find;
use super::moment::Moment;
use crate::hub::Exchange;

/// One poll or attempt as it went over the line.
#[derive(Serialize, ToSchema)]
#[schema(as = Exchange)]
pub(super) struct ExchangeView {
    at: Moment,
    /// The code of what came of it.
    #[schema(example = "ok")]
    verdict: &'static str,
    milliseconds: u64,
    /// How often a request was sent.
    attempts: u32,
    lines: Vec<LineView>,
}

/// Bytes that went one way, or a note about the port.
#[derive(Serialize, ToSchema)]
#[schema(as = ExchangeLine)]
struct LineView {
    /// Since the exchange began.
    ms: u64,
    /// `to` the meter, `from` the meter, or `note`.
    #[schema(example = "to")]
    direction: &'static str,
    /// The bytes; null for a note.
    #[schema(example = "80 3f 01 05 8a 0d")]
    hex: Option<String>,
    /// The note; null for bytes.
    text: Option<String>,
}

/// The last 50 exchanges with a meter, the newest first.
#[utoipa::path(
    get, path = "/api/meters/{id}/exchanges", tag = "meters",
    params(("id" = String, Path, description = "Serial number, or the slot's name.")),
    responses((status = 200, body = [ExchangeView]), (status = 404, body = Refusal)),
)]
pub(super) async fn list(
    State(web): State<Web>,
    Path(id): Path<String>,
) -> Answer<Json<Vec<ExchangeView>>> {
    let state = find(&web, &id)?;
    let exchanges = web.site.hub.exchanges(&state.slot);
    Ok(Json(exchanges.iter().rev().map(Into::into).collect()))
}

/// The same as a recording that `heatmeter read replay://FILE` reads, the serial number masked.
#[utoipa::path(
    get, path = "/api/meters/{id}/recording", tag = "meters",
    params(("id" = String, Path, description = "Serial number, or the slot's name.")),
    responses(
        (status = 200, content_type = "application/x-ndjson", body = String),
        (status = 404, body = Refusal),
    ),
)]
pub(super) async fn recording(State(web): State<Web>, Path(id): Path<String>) -> Answer<Response> {
    let state = find(&web, &id)?;
    let exchanges = web.site.hub.exchanges(&state.slot);
    let Some(first) = exchanges.first() else {
        return Err(Refusal::new(
            axum::http::StatusCode::NOT_FOUND,
            "nothing_recorded",
            "Nothing has gone over this line since the gateway started.",
            "Have the meter read once, then ask again.",
        ));
    };
    let serial = state.meter.as_ref().map(|meter| meter.serial.as_str());
    let text = text(&state.port, first.at, &exchanges, serial);
    let headers = [
        (
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/x-ndjson"),
        ),
        (
            header::CONTENT_DISPOSITION,
            HeaderValue::from_static("attachment; filename=\"heatmeter-recording.jsonl\""),
        ),
    ];
    Ok((headers, text).into_response())
}

fn text(port: &str, began: Timestamp, exchanges: &[Exchange], serial: Option<&str>) -> String {
    let since = |exchange: &Exchange| {
        Duration::try_from(exchange.at.duration_since(began)).unwrap_or_default()
    };
    let mut events: Vec<(Duration, Event)> = exchanges
        .iter()
        .flat_map(|exchange| {
            let offset = since(exchange);
            let events = exchange.events.iter();
            events.map(move |(at, event)| (offset + *at, event.clone()))
        })
        .collect();
    // A clock that was set must not stop the recording from being read.
    events.sort_by_key(|(at, _)| *at);
    if let Some(serial) = serial {
        events = mask_serial(&events, serial);
    }
    let header = Header::new(port).started(began.to_string());
    recording_text(&header, events.iter().map(|(at, event)| (*at, event)))
}

impl From<&Exchange> for ExchangeView {
    fn from(exchange: &Exchange) -> Self {
        Self {
            at: exchange.at.into(),
            verdict: exchange.verdict.code(),
            milliseconds: milliseconds(exchange.took),
            attempts: exchange.attempts,
            lines: exchange
                .events
                .iter()
                .map(|(at, event)| LineView::new(*at, event))
                .collect(),
        }
    }
}

impl LineView {
    fn new(at: Duration, event: &Event) -> Self {
        let (direction, hex, text) = match event {
            Event::Bytes(Direction::Out, bytes) => ("to", Some(spaced(bytes)), None),
            Event::Bytes(Direction::In, bytes) => ("from", Some(spaced(bytes)), None),
            Event::Note(_, text) => ("note", None, Some(text.clone())),
            _ => ("note", None, None),
        };
        Self {
            ms: milliseconds(at),
            direction,
            hex,
            text,
        }
    }
}

fn milliseconds(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}

fn spaced(bytes: &[u8]) -> String {
    let pairs: Vec<String> = bytes.iter().map(|byte| hex(&[*byte])).collect();
    pairs.join(" ")
}

//! Polls as text, from the history to whoever asks: what `heatmeter export` writes.

use std::io;

use axum::body::{Body, Bytes};
use axum::extract::{Path, State};
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use futures_util::stream::unfold;
use heatmeter_history::{Export, Format, Selection};
use serde::Deserialize;

use super::Web;
use super::answer::{Answer, Asked, Refusal};
use super::moment::Moment;

/// What is exported, and how.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Wish {
    /// `csv`, a line for each register of each poll, or `jsonl`, a line for each poll; csv without it.
    #[param(example = "jsonl")]
    format: Option<String>,
    /// ISO 8601 or seconds since 1970; from the first poll on without it.
    from: Option<Moment>,
    /// Before this moment; all there are without it.
    to: Option<Moment>,
}

/// All polls of a meter in a span of time, as `heatmeter export` writes them.
///
/// A meter that is no longer read is known by its serial number. If the history cannot be read any
/// further, the answer breaks off without its last chunk.
#[utoipa::path(
    get, path = "/api/meters/{id}/export", tag = "meters",
    params(("id" = String, Path, description = "Serial number, or the slot's name."), Wish),
    responses(
        (status = 200, content((String = "text/csv"), (String = "application/x-ndjson"))),
        (status = 400, body = Refusal),
        (status = 404, body = Refusal),
        (status = 503, body = Refusal),
    ),
)]
pub(super) async fn get(
    State(web): State<Web>,
    Path(id): Path<String>,
    Asked(wish): Asked<Wish>,
) -> Answer<Response> {
    let serial = serial(&web, &id).await?;
    let format = format(wish.format.as_deref())?;
    let every = Selection::default();
    let selection = Selection {
        serial: Some(serial.clone()),
        from: wish.from.map_or(every.from, |from| from.0),
        to: wish.to.map_or(every.to, |to| to.0),
    };
    let mut head = Vec::new();
    // Memory takes everything.
    drop(format.begin(&mut head));
    let export = web.site.history.export(selection);
    let writing = Writing {
        head: Some(head),
        web,
        export,
        format,
    };
    let chunks = unfold(Some(writing), |writing| async {
        let mut writing = writing?;
        match writing.next().await {
            Ok(Some(chunk)) => Some((Ok(chunk), Some(writing))),
            Ok(None) => None,
            Err(error) => Some((Err(error), None)),
        }
    });
    let headers = [
        (
            header::CONTENT_TYPE,
            HeaderValue::from_static(format.media_type()),
        ),
        (header::CONTENT_DISPOSITION, disposition(&serial, format)),
    ];
    Ok((headers, Body::from_stream(chunks)).into_response())
}

/// An export on its way: the next polls are read when the last ones are taken.
struct Writing {
    web: Web,
    head: Option<Vec<u8>>,
    export: Export,
    format: Format,
}

impl Writing {
    async fn next(&mut self) -> io::Result<Option<Bytes>> {
        if self.web.stop.is_cancelled() {
            return Err(io::Error::other("the gateway stops"));
        }
        let mut text = self.head.take().unwrap_or_default();
        while text.is_empty() {
            let next = self.export.next().await.map_err(io::Error::other)?;
            let Some((meter, polls)) = next else {
                return Ok(None);
            };
            for stored in &polls {
                self.format.poll(&mut text, &meter, stored)?;
            }
        }
        Ok(Some(text.into()))
    }
}

/// The serial number of a meter that is read, or was.
async fn serial(web: &Web, id: &str) -> Answer<String> {
    if let Some(state) = web.site.hub.meter(id) {
        // One that has not said who it is has no history; nobody has this number.
        let meter = state.meter.as_ref();
        return Ok(meter.map_or_else(String::new, |meter| meter.serial.clone()));
    }
    let meters = web.site.history.meters().await;
    let meters = meters.map_err(|error| Refusal::history(&error))?;
    let mut serials = meters.into_iter().map(|meter| meter.serial);
    serials
        .find(|serial| serial == id)
        .ok_or_else(|| Refusal::no_such_meter(id))
}

fn format(word: Option<&str>) -> Answer<Format> {
    let word = word.unwrap_or(Format::Csv.word());
    Format::from_word(word).ok_or_else(|| {
        Refusal::bad_request(
            format!("There is no format `{word}`."),
            "Ask for `csv` or `jsonl`.",
        )
    })
}

/// Under which name it is saved. A serial number has digits; whatever else one had stays out.
fn disposition(serial: &str, format: Format) -> HeaderValue {
    let digits: String = serial.chars().filter(char::is_ascii_alphanumeric).collect();
    let text = format!(
        "attachment; filename=\"heatmeter-{digits}.{}\"",
        format.word()
    );
    HeaderValue::from_str(&text).unwrap_or(HeaderValue::from_static("attachment"))
}

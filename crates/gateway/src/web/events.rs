//! `GET /api/events`: what happens, as it happens, as server-sent events.
//!
//! A listener gets everything first: the status and each meter. If it is too slow to take what
//! happens, it gets everything again. Reconnecting is the browser's part.

use std::collections::VecDeque;
use std::time::Duration;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::sse::{Event as SseEvent, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::stream::unfold;
use heatmeter_history::Poll;
use serde::Serialize;
use tokio::sync::OwnedSemaphorePermit;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use utoipa::ToSchema;

use super::Web;
use super::answer::{Answer, Refusal};
use super::meter::{MeterView, VerdictView, id};
use super::moment::Moment;
use super::status::Status;
use crate::hub::{Attempt, Event};

/// So many may listen at once.
pub(super) const LISTENERS_MAX: usize = 32;

/// So often something is sent, whatever happens: proxies close what looks dead, and a page takes a line
/// without a word for cut.
const HEARTBEAT: Duration = Duration::from_secs(15);

/// What happens, as it happens.
///
/// Events: `status` (Status), `meter` (Meter), `removed` (Removed), `poll` (`PollEvent`), `align`
/// (`AlignEvent`), `align_ended` (`AlignEndedEvent`). The first ones tell everything. After 15 s without
/// any of them `alive` shows that the line is.
#[utoipa::path(
    get, path = "/api/events", tag = "gateway",
    responses(
        (status = 200, content_type = "text/event-stream", body = String),
        (status = 503, description = "Too many listen.", body = Refusal),
    ),
)]
pub(super) async fn get(State(web): State<Web>) -> Answer<Response> {
    let permit = std::sync::Arc::clone(&web.listeners)
        .try_acquire_owned()
        .map_err(|_| {
            Refusal::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "too_many_listeners",
                "Too many listen to what happens here.",
                "Close some of the pages that are open.",
            )
        })?;
    let listener = Listener {
        // Before everything is told, so that nothing falls between.
        events: web.site.hub.events(),
        due: everything(&web).await,
        web,
        _permit: permit,
    };
    let stream = unfold(listener, |mut listener| async move {
        let event = listener.next().await?;
        Some((event, listener))
    });
    let alive = SseEvent::default().event("alive").data("{}");
    let events = Sse::new(stream).keep_alive(KeepAlive::new().interval(HEARTBEAT).event(alive));
    // nginx would hold it back until there is a lot of it.
    Ok(([("x-accel-buffering", "no")], events).into_response())
}

/// Somebody who listens.
struct Listener {
    web: Web,
    events: Receiver<Event>,
    due: VecDeque<Result<SseEvent, axum::Error>>,
    _permit: OwnedSemaphorePermit,
}

impl Listener {
    async fn next(&mut self) -> Option<Result<SseEvent, axum::Error>> {
        loop {
            if let Some(event) = self.due.pop_front() {
                return Some(event);
            }
            let event = tokio::select! {
                event = self.events.recv() => event,
                () = self.web.stop.cancelled() => return None,
            };
            match event {
                Ok(event) => self.due.push_back(tell(&self.web, event).await),
                Err(RecvError::Lagged(_)) => self.due = everything(&self.web).await,
                Err(RecvError::Closed) => return None,
            }
        }
    }
}

async fn everything(web: &Web) -> VecDeque<Result<SseEvent, axum::Error>> {
    let mut all = VecDeque::from([named("status", &Status::of(web).await)]);
    for state in web.site.hub.meters().values() {
        all.push_back(named("meter", &MeterView::of(web, state).await));
    }
    all
}

/// An event of the hub as it is sent.
async fn tell(web: &Web, event: Event) -> Result<SseEvent, axum::Error> {
    match event {
        Event::Meter(state) => named("meter", &MeterView::of(web, &state).await),
        Event::Removed { slot } => named("removed", &Removed { slot }),
        Event::Poll { poll, .. } => named("poll", &PollTold::of(&poll)),
        Event::Align { slot, attempt } => {
            named("align", &AttemptTold::of(&id_of(web, slot), &attempt))
        }
        Event::AlignEnded { slot, why } => {
            let id = id_of(web, slot);
            named("align_ended", &AlignEnded { id, why })
        }
        Event::Status => named("status", &Status::of(web).await),
    }
}

fn named(name: &str, data: &impl Serialize) -> Result<SseEvent, axum::Error> {
    SseEvent::default().event(name).json_data(data)
}

fn id_of(web: &Web, slot: String) -> String {
    match web.site.hub.meter(&slot) {
        Some(state) => id(&state).to_owned(),
        None => slot,
    }
}

/// The event `removed`: a slot is no longer in the configuration.
#[derive(Serialize, ToSchema)]
pub(super) struct Removed {
    slot: String,
}

/// The event `poll`: a poll is over and kept.
#[derive(Serialize, ToSchema)]
#[schema(as = PollEvent)]
pub(super) struct PollTold {
    /// The meter's serial number.
    id: String,
    time: Moment,
    verdict: &'static str,
}

/// The event `align`: an attempt of an alignment.
#[derive(Serialize, ToSchema)]
#[schema(as = AlignEvent)]
pub(super) struct AttemptTold {
    id: String,
    number: u64,
    verdict: VerdictView,
    /// 0 to 100.
    score: u8,
    next_step: String,
    /// Names the next step, for translations; null where the verdict's help is all.
    next_step_code: Option<&'static str>,
    milliseconds: u64,
}

/// The event `align_ended`: an alignment is over.
#[derive(Serialize, ToSchema)]
#[schema(as = AlignEndedEvent)]
pub(super) struct AlignEnded {
    id: String,
    /// `asked`, `nobody_looks` or `time_is_over`.
    why: &'static str,
}

impl PollTold {
    fn of(poll: &Poll) -> Self {
        Self {
            id: poll.serial.clone(),
            time: poll.at.into(),
            verdict: poll.verdict.code(),
        }
    }
}

impl AttemptTold {
    fn of(id: &str, attempt: &Attempt) -> Self {
        Self {
            id: id.to_owned(),
            number: attempt.number,
            verdict: VerdictView::new(attempt.verdict, None),
            score: attempt.score,
            next_step: attempt.next_step.clone(),
            next_step_code: attempt.next_step_code,
            milliseconds: attempt.milliseconds,
        }
    }
}

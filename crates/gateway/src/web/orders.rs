//! What people ask of a line: to read now, and to help with the alignment of the head.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use heatmeter_catalog::{RegisterId, nearest_key, register_by_key};
use heatmeter_history::{Poll, PollJson};
use serde::Deserialize;
use tokio::sync::oneshot;
use utoipa::ToSchema;

use super::Web;
use super::answer::{Answer, Body, Refusal, json_text};
use super::meters::find;
use super::openapi::PollSchema;
use crate::hub::{Doing, MeterState, Order, Trouble};

/// What to read.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Read {
    /// Keys or numbers; without them what the schedule reads.
    #[serde(default)]
    #[schema(example = json!(["heat_energy", "flow"]))]
    registers: Option<Vec<RegisterName>>,
}

/// A register by its key or its number.
#[derive(Deserialize, ToSchema)]
#[serde(untagged)]
enum RegisterName {
    Number(u16),
    Key(String),
}

/// Reads now and answers what came of it. The poll is kept and delivered like any other.
#[utoipa::path(
    post, path = "/api/meters/{id}/read", tag = "meters",
    params(("id" = String, Path, description = "Serial number, or the slot's name.")),
    request_body(content = Read, description = "May be `{}`."),
    responses(
        (status = 200, description = "The meter answered: the poll.", body = PollSchema),
        (status = 400, body = Refusal),
        (status = 404, body = Refusal),
        (status = 409, description = "Somebody aligns the head of this meter.", body = Refusal),
        (status = 502, description = "The meter did not answer as it should; the code is the verdict.", body = Refusal),
        (status = 503, description = "The gateway is about to end, or reads its configuration.", body = Refusal),
    ),
)]
pub(super) async fn read(
    State(web): State<Web>,
    Path(id): Path<String>,
    Body(read): Body<Read>,
) -> Answer<Response> {
    let state = find(&web, &id)?;
    if state.doing == Doing::Aligning {
        return Err(aligning());
    }
    let registers = read.registers.as_deref().map(wanted).transpose()?;
    let poll = read_now(&web, &state, registers).await?;
    let meter = web
        .site
        .hub
        .meter(&state.slot)
        .and_then(|state| state.meter.clone())
        .filter(|meter| meter.serial == poll.serial);
    let meter = meter.unwrap_or_else(|| heatmeter_history::Meter {
        serial: poll.serial.clone(),
        model: None,
        type_code: None,
        software: None,
    });
    let text = serde_json::to_string(&PollJson::new(&meter, &poll));
    // Neither type has a map with keys that are no strings, the only thing that could fail.
    Ok(json_text(text.unwrap_or_default()))
}

/// More registers no meter has, and none is asked for: each request costs its battery.
const REGISTERS_MAX: usize = 200;

/// The registers that are asked for, each once.
fn wanted(names: &[RegisterName]) -> Answer<Vec<RegisterId>> {
    if names.len() > REGISTERS_MAX {
        return Err(Refusal::bad_request(
            format!("{} registers are asked for at once.", names.len()),
            format!("Ask for {REGISTERS_MAX} at most."),
        ));
    }
    let mut wanted = Vec::with_capacity(names.len());
    for name in names {
        let register = name.parse()?;
        if !wanted.contains(&register) {
            wanted.push(register);
        }
    }
    Ok(wanted)
}

/// Has a line read, and waits for what comes of it.
pub(super) async fn read_now(
    web: &Web,
    state: &MeterState,
    registers: Option<Vec<RegisterId>>,
) -> Answer<Arc<Poll>> {
    let (answer, answered) = oneshot::channel();
    let order = Order::Read {
        registers,
        answer: Some(answer),
    };
    if !web.site.hub.order(&state.slot, order).await {
        return Err(line_gone());
    }
    match answered.await {
        Ok(Ok(poll)) => Ok(poll),
        Ok(Err(Trouble { message, help })) => {
            // The line has told its verdict before it answered.
            let told = web.site.hub.meter(&state.slot);
            let (doing, verdict) =
                told.map_or((state.doing, None), |told| (told.doing, told.verdict));
            if doing == Doing::Aligning {
                return Err(aligning());
            }
            let code = verdict.map_or("not_read", kamstrup_kmp::Verdict::code);
            Err(Refusal::new(StatusCode::BAD_GATEWAY, code, message, help))
        }
        Err(_) => Err(line_gone()),
    }
}

/// Starts to align the head, or goes on for longer. Attempts come by `/api/events`.
///
/// Has to be repeated at least every 20 s: it ends when nobody looks.
#[utoipa::path(
    post, path = "/api/meters/{id}/align", tag = "meters",
    params(("id" = String, Path, description = "Serial number, or the slot's name.")),
    responses(
        (status = 202, description = "Attempts follow."),
        (status = 404, body = Refusal),
        (status = 503, body = Refusal),
    ),
)]
pub(super) async fn align(State(web): State<Web>, Path(id): Path<String>) -> Answer<StatusCode> {
    tell(&web, &id, Order::Align).await
}

/// Stops aligning.
#[utoipa::path(
    delete, path = "/api/meters/{id}/align", tag = "meters",
    params(("id" = String, Path, description = "Serial number, or the slot's name.")),
    responses(
        (status = 202, description = "It stops."),
        (status = 404, body = Refusal),
        (status = 503, body = Refusal),
    ),
)]
pub(super) async fn stop_aligning(
    State(web): State<Web>,
    Path(id): Path<String>,
) -> Answer<StatusCode> {
    tell(&web, &id, Order::StopAligning).await
}

async fn tell(web: &Web, id: &str, order: Order) -> Answer<StatusCode> {
    let state = find(web, id)?;
    if web.site.hub.order(&state.slot, order).await {
        Ok(StatusCode::ACCEPTED)
    } else {
        Err(line_gone())
    }
}

impl RegisterName {
    fn parse(&self) -> Answer<RegisterId> {
        let key = match self {
            Self::Number(number) => return Ok(RegisterId(*number)),
            Self::Key(key) => key,
        };
        if let Some(register) = register_by_key(key) {
            return Ok(register.id);
        }
        let meant = match nearest_key(key) {
            Some(near) => format!("Did you mean `{near}`? /api/catalogue has all of them."),
            None => "/api/catalogue has those there are.".to_owned(),
        };
        Err(Refusal::bad_request(
            format!("There is no register `{key}`."),
            meant,
        ))
    }
}

fn aligning() -> Refusal {
    Refusal::new(
        StatusCode::CONFLICT,
        "aligning",
        "Somebody aligns the head of this meter.",
        "Wait until that is over, or stop it with DELETE on its `align`.",
    )
}

fn line_gone() -> Refusal {
    Refusal::new(
        StatusCode::SERVICE_UNAVAILABLE,
        "no_line",
        "Nobody works at this meter's line at the moment.",
        "The gateway reads its configuration or is about to end; try again in a few seconds.",
    )
}

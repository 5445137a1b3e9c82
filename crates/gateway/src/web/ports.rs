//! Ports of this machine, and who is behind one.

use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use heatmeter_catalog::{Model, RegisterId};
use heatmeter_client::{Client, Machine, Meter, Port};
use kamstrup_kmp::Verdict;
use serde::{Deserialize, Serialize};
use tokio::sync::Semaphore;
use utoipa::ToSchema;

use super::Web;
use super::answer::{Answer, Body, Refusal};
use super::meter::{ReadingView, VerdictView};
use super::orders::read_now;
use crate::hub::{MeterState, Trouble};
use crate::ports::PortView;

/// A port to be tried.
#[derive(Deserialize, ToSchema)]
pub(super) struct PortAsked {
    /// `/dev/...`, `socket://HOST:PORT` or `rfc2217://HOST:PORT`.
    #[schema(example = "socket://192.168.1.20:8000")]
    port: String,
}

/// Who is behind a port.
#[derive(Serialize, ToSchema)]
pub(super) struct PortTested {
    /// Null if nobody answered.
    meter: Option<Identity>,
    verdict: VerdictView,
    readings: Vec<ReadingView>,
}

/// Who a meter is. What it did not say is null.
#[derive(Serialize, ToSchema)]
struct Identity {
    manufacturer: &'static str,
    model: Option<String>,
    #[serde(rename = "type")]
    type_code: Option<String>,
    software: Option<String>,
    serial: Option<String>,
}

/// The serial ports of this machine. Nothing is sent to any of them.
#[utoipa::path(
    get, path = "/api/ports", tag = "set-up",
    responses((status = 200, body = [PortView])),
)]
pub(super) async fn list() -> Json<Vec<PortView>> {
    // Who holds a port is found by looking at every process.
    let ports = tokio::task::spawn_blocking(|| Machine::this().serial_ports()).await;
    Json(ports.unwrap_or_default().iter().map(Into::into).collect())
}

/// Reads whatever meter is behind a port, once. A port that the gateway reads already is asked through
/// its line.
#[utoipa::path(
    post, path = "/api/ports/test", tag = "set-up",
    request_body = PortAsked,
    responses(
        (status = 200, description = "Its verdict says what was found.", body = PortTested),
        (status = 400, body = Refusal),
        (status = 409, description = "Another port is being tried.", body = Refusal),
    ),
)]
pub(super) async fn test(
    State(web): State<Web>,
    Body(asked): Body<PortAsked>,
) -> Answer<Json<PortTested>> {
    let port: Port = asked.port.parse().map_err(|error| {
        Refusal::bad_request(
            format!("`{}` is no port: {error}.", asked.port),
            "Use /dev/..., socket://HOST:PORT or rfc2217://HOST:PORT.",
        )
    })?;
    if let Port::Replay(_) = port {
        return Err(Refusal::bad_request(
            "A recording is no port to be tried.",
            "Read it with `heatmeter read replay://FILE`.",
        ));
    }
    let meters = web.site.hub.meters();
    if let Some(state) = meters
        .values()
        .find(|state| is_same_port(&state.port, &asked.port))
    {
        return Ok(Json(through_its_line(&web, state).await));
    }
    let Ok(_turn) = TURN.try_acquire() else {
        return Err(Refusal::new(
            StatusCode::CONFLICT,
            "busy",
            "Another port is being tried.",
            "Wait until that has come to an end.",
        ));
    };
    Ok(Json(directly(&web, port).await))
}

/// A serial port has several names: under another one than the configuration's it is held by ourselves.
fn is_same_port(one: &str, other: &str) -> bool {
    let device = |port: &str| std::fs::canonicalize(port).ok();
    one == other || device(one).is_some_and(|it| Some(it) == device(other))
}

/// One port at a time is tried.
static TURN: Semaphore = Semaphore::const_new(1);

/// A person waits for it.
const LIMIT: Duration = Duration::from_secs(20);

const SERIAL_NUMBER: RegisterId = RegisterId(1001);

async fn directly(web: &Web, port: Port) -> PortTested {
    let mut meter = Meter::new(Client::new(port));
    let usual = |model: Option<&Model>| model.unwrap_or(Model::unknown()).usual.to_vec();
    let polled = meter.poll(Some(LIMIT), usual, |_| ()).await;
    if polled.is_ok() && meter.serial().is_none() {
        // There was no room for it; that it does not come is no failure.
        let number = [SERIAL_NUMBER];
        drop(
            meter
                .read(&number, Duration::from_secs(5), Some(2), |_| ())
                .await,
        );
    }
    let language = web.site.hub.general().language;
    let at = Web::now();
    match polled {
        Ok(answered) => PortTested {
            meter: Some(Identity::said_by(&meter)),
            verdict: VerdictView::new(Verdict::Ok, None),
            readings: answered
                .readings
                .iter()
                .map(|reading| ReadingView::new(reading, at, language))
                .collect(),
        },
        Err(error) => PortTested {
            meter: meter.said().map(|_| Identity::said_by(&meter)),
            verdict: VerdictView::new(
                error.verdict(),
                Some(&Trouble {
                    message: error.to_string(),
                    help: error.help(),
                }),
            ),
            readings: Vec::new(),
        },
    }
}

async fn through_its_line(web: &Web, state: &MeterState) -> PortTested {
    let read = read_now(web, state, None).await;
    let now = web.site.hub.meter(&state.slot);
    let state = now.as_deref().unwrap_or(state);
    let language = web.site.hub.general().language;
    let (verdict, readings) = if let Ok(poll) = read {
        let readings = poll.readings.iter();
        let views = readings.map(|reading| ReadingView::new(reading, poll.at, language));
        (VerdictView::new(poll.verdict, None), views.collect())
    } else {
        let verdict = state.verdict.unwrap_or(Verdict::PortBusy);
        let view = VerdictView::new(verdict, state.trouble.as_ref());
        (view, Vec::new())
    };
    PortTested {
        meter: state.meter.as_ref().map(|meter| Identity {
            manufacturer: "Kamstrup",
            model: meter.model.clone(),
            type_code: meter.type_code.map(|code| format!("{code:#06x}")),
            software: meter.software.clone(),
            serial: Some(meter.serial.clone()),
        }),
        verdict,
        readings,
    }
}

impl Identity {
    fn said_by(meter: &Meter) -> Self {
        let said = meter.said();
        Self {
            manufacturer: "Kamstrup",
            model: meter.model().map(|model| model.name.to_owned()),
            type_code: said.map(|said| format!("{:#06x}", said.code)),
            software: said
                .map(|said| said.software)
                .filter(|software| software.is_available())
                .map(|software| software.to_string()),
            serial: meter.serial().map(str::to_owned),
        }
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_port_is_known_by_each_of_its_names() {
        let folder = tempfile::tempdir().unwrap();
        let names = ["ttyUSB0", "ttyUSB1", "by-id"].map(|name| folder.path().join(name));
        std::fs::write(&names[0], "").unwrap();
        std::fs::write(&names[1], "").unwrap();
        std::os::unix::fs::symlink(&names[0], &names[2]).unwrap();
        let [one, other, link] = names.map(|name| name.display().to_string());
        assert!(super::is_same_port(&one, &link));
        assert!(!super::is_same_port(&one, &other));
        assert!(super::is_same_port("socket://a:1", "socket://a:1"));
        assert!(!super::is_same_port("socket://a:1", "socket://a:2"));
    }
}

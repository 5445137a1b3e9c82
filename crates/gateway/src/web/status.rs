//! `GET /api/status`: how the gateway is.

use std::path::Path;

use axum::Json;
use axum::extract::State;
use heatmeter_catalog::Language;
use heatmeter_history::{Health, Opened};
use heatmeter_publish::Progress;
use serde::Serialize;
use utoipa::ToSchema;

use super::Web;
use super::moment::Moment;
use crate::hub::{Supply, Trouble};

/// How the gateway is.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(super) struct Status {
    /// The gateway's version.
    version: &'static str,
    time: Moment,
    /// The language of labels.
    language: &'static str,
    /// All languages there are labels in.
    languages: Vec<&'static str>,
    /// The zone in which days and months begin.
    #[schema(example = "Europe/Copenhagen")]
    time_zone: String,
    /// Whether there is a meter in the configuration.
    configured: bool,
    /// Whether all of this is a demonstration.
    demo: bool,
    /// Whether this gateway asks for a token.
    token: bool,
    history: HistoryStatus,
    destinations: Vec<DestinationStatus>,
    config: ConfigStatus,
}

/// How the history is.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(super) struct HistoryStatus {
    state: HistoryState,
    /// What is the matter, if anything is.
    message: Option<String>,
    /// How many polls wait in memory for room on the disk.
    waiting: usize,
    /// The size of its file.
    bytes: u64,
    /// How many polls are kept one by one.
    polls: u64,
    /// The time of the oldest.
    since: Option<Moment>,
    /// What was left of a damaged file, if it was one when it was last opened.
    salvaged: Option<Salvaged>,
}

/// What was left of a damaged history.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(super) struct Salvaged {
    /// How many polls were taken over.
    polls: u64,
    /// Where the damaged file is now.
    kept: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum HistoryState {
    Fine,
    DiskFull,
    Failing,
}

/// How it goes with a destination.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(super) struct DestinationStatus {
    name: String,
    #[schema(example = "mqtt")]
    kind: &'static str,
    state: DestinationState,
    /// How many polls wait.
    pending: u64,
    /// How many it acknowledged since the start.
    delivered: u64,
    /// How many it understood and refused.
    refused: u64,
    delivered_at: Option<Moment>,
    trouble: Option<Advice>,
}

/// `waiting`: there is something to deliver, and nothing speaks against it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum DestinationState {
    Fine,
    Waiting,
    Trouble,
}

/// What was seen, and what to do.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(super) struct Advice {
    pub(super) message: String,
    pub(super) help: String,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
struct ConfigStatus {
    /// The file; null if the gateway runs without one.
    path: Option<String>,
    /// Whether the page can write to it.
    writable: bool,
    /// Why it, or a part of it, was not taken up; null if all of it was.
    trouble: Option<Advice>,
}

/// How the gateway, its history and its destinations are.
#[utoipa::path(
    get, path = "/api/status", tag = "gateway",
    responses((status = 200, body = Status)),
)]
pub(super) async fn get(State(web): State<Web>) -> Json<Status> {
    Json(Status::of(&web).await)
}

impl Status {
    pub(super) async fn of(web: &Web) -> Self {
        let site = &web.site;
        let general = site.hub.general();
        Self {
            version: env!("CARGO_PKG_VERSION"),
            time: Web::now().into(),
            language: general.language.code(),
            languages: Language::ALL.into_iter().map(Language::code).collect(),
            time_zone: general.time_zone.iana_name().unwrap_or("UTC").to_owned(),
            configured: !site.hub.meters().is_empty(),
            demo: site.is_demo,
            token: site.access.token().is_some(),
            history: HistoryStatus::of(web).await,
            destinations: site.hub.supplies().iter().map(Into::into).collect(),
            config: ConfigStatus {
                path: site.config.as_ref().map(|path| path.display().to_string()),
                writable: site.config.as_deref().is_some_and(is_writable),
                trouble: general.trouble.clone().map(Advice::from),
            },
        }
    }
}

impl HistoryStatus {
    async fn of(web: &Web) -> Self {
        let history = &web.site.history;
        let health = history.health().borrow().clone();
        let (state, message, waiting) = match health {
            Health::Fine => (HistoryState::Fine, None, 0),
            Health::DiskFull { waiting } => (
                HistoryState::DiskFull,
                Some("The disk is full.".to_owned()),
                waiting,
            ),
            Health::Failing { reason, waiting } => (HistoryState::Failing, Some(reason), waiting),
            _ => (HistoryState::Failing, None, 0),
        };
        let extent = history.extent().await.unwrap_or_default();
        Self {
            state,
            message,
            waiting,
            bytes: extent.bytes,
            polls: extent.polls,
            since: extent.since.map(Moment),
            salvaged: match &*history.opened().borrow() {
                Opened::Salvaged { kept, polls, .. } => Some(Salvaged {
                    polls: *polls,
                    kept: kept.display().to_string(),
                }),
                _ => None,
            },
        }
    }
}

impl From<&Supply> for DestinationStatus {
    fn from(supply: &Supply) -> Self {
        let Progress {
            pending,
            delivered_at,
            delivered,
            refused,
            trouble,
        } = supply.progress.borrow().clone();
        Self {
            name: supply.name.clone(),
            kind: supply.kind,
            state: match &trouble {
                Some(_) => DestinationState::Trouble,
                None if pending > 0 => DestinationState::Waiting,
                None => DestinationState::Fine,
            },
            pending,
            delivered,
            refused,
            delivered_at: delivered_at.map(Moment),
            trouble: trouble.map(|trouble| Advice {
                message: trouble.message,
                help: trouble.help,
            }),
        }
    }
}

impl From<Trouble> for Advice {
    fn from(Trouble { message, help }: Trouble) -> Self {
        Self { message, help }
    }
}

/// Whether the file can be replaced: it is written beside and then put in its place.
pub(super) fn is_writable(path: &Path) -> bool {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let may_write = |path: &Path| rustix::fs::access(path, rustix::fs::Access::WRITE_OK).is_ok();
    may_write(folder) && (!path.exists() || may_write(path))
}

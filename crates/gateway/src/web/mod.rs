//! The HTTP API and the page: what people and programs see of the gateway.
//!
//! [`serve`] answers on a listener until it is told to stop. Everything under `/api` is described by
//! `/openapi.json`, which is made of the same code that answers. Who may ask is decided in
//! [`access`](Access); what is shown comes from the [`Hub`] and the history.

mod access;
mod answer;
mod catalogue;
mod config;
mod cost;
mod destinations;
mod energy;
mod events;
mod exchanges;
mod export;
mod guard;
mod health;
mod history;
mod login;
mod meter;
mod meters;
mod moment;
mod openapi;
mod orders;
mod page;
mod ports;
mod scrape;
mod server;
mod service;
mod status;

use std::path::PathBuf;
use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::get;
use heatmeter_history::History;
use jiff::Timestamp;
use tokio::net::TcpListener;
use tokio::sync::{Mutex, Semaphore};
use tokio_util::sync::CancellationToken;
use tower_http::timeout::RequestBodyTimeoutLayer;

use crate::hub::Hub;

pub use access::{Access, Token, TokenError};
pub use server::Stopped;
pub use service::{ConfigProblem, Service, Wait};

/// What the web shows, and whom it asks.
#[derive(Clone)]
pub struct Site {
    /// What is known at this moment.
    pub hub: Hub,
    /// What was read.
    pub history: History,
    /// The configuration's file; none if the gateway runs without one.
    pub config: Option<PathBuf>,
    /// What knows the configuration.
    pub service: Arc<dyn Service>,
    /// Who may ask.
    pub access: Access,
    /// Whether all of this is a demonstration.
    pub is_demo: bool,
}

/// Answers on this listener until `stop`. Then streams end and the listener is given back, so that
/// another site may go on with it; requests at work are still answered.
pub async fn serve(listener: TcpListener, site: Site, stop: CancellationToken) -> Stopped {
    let prefix = site.access.prefix().to_owned();
    let web = Web(Arc::new(Shared {
        login: login::Gate::default(),
        saving: Mutex::default(),
        listeners: Arc::new(Semaphore::new(events::LISTENERS_MAX)),
        stop: stop.clone(),
        site,
    }));
    server::run(listener, router(web), prefix, stop).await
}

/// The state that all handlers share.
#[derive(Clone)]
struct Web(Arc<Shared>);

struct Shared {
    site: Site,
    login: login::Gate,
    /// Held by whoever replaces the configuration.
    saving: Mutex<()>,
    listeners: Arc<Semaphore>,
    stop: CancellationToken,
}

impl core::ops::Deref for Web {
    type Target = Shared;

    fn deref(&self) -> &Shared {
        &self.0
    }
}

impl Web {
    /// The gateway reads the clock.
    fn now() -> Timestamp {
        Timestamp::now()
    }
}

fn router(web: Web) -> Router {
    let (api, document) = openapi::split();
    let document: Arc<str> = document.into();
    api.route(
        "/openapi.json",
        get(move || async move { answer::json_text(document.to_string()) }),
    )
    .fallback(page::answer)
    .layer(axum::middleware::from_fn_with_state(
        web.clone(),
        guard::check,
    ))
    .layer(RequestBodyTimeoutLayer::new(server::BODY_WITHIN))
    .layer(DefaultBodyLimit::max(server::BODY_MAX))
    .layer(axum::middleware::map_response(guard::add_headers))
    .with_state(web)
}

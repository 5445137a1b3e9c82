//! The service: starts everything a configuration names, keeps it running, takes up a changed
//! configuration without dropping what is unchanged, and stops in order.

mod behind;
mod boards;
mod destinations;
mod error;
mod lines;
mod notify;
mod signals;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use heatmeter_history::{Health, History, HistoryError, Keep, Opened, Settings};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time;
use tokio_util::sync::CancellationToken;

use crate::clock::{Clock, Pace};
use crate::config::Config;
use crate::hub::{Event, General, Hub, Trouble};
use crate::web::{self, Site};
use crate::zone;

use behind::{Behind, Reload};
use destinations::Destinations;
use lines::Lines;
use notify::Notifier;
use signals::{Signal, Signals};

pub use error::ServiceError;

/// It is looked this often whether everything is at work.
const LOOK: Duration = Duration::from_secs(15);

/// Old polls are deleted this often.
const UPKEEP: Duration = Duration::from_hours(1);

/// How the service is run, besides what the configuration says.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Options {
    /// The configuration's file, to read it again from and to write it to.
    pub config: Option<PathBuf>,
    /// The history's file, unless the configuration names one.
    pub history: PathBuf,
    /// Whether all of this is a demonstration.
    pub is_demo: bool,
    /// What time it is.
    pub clock: Clock,
    /// How many seconds pass for the meters in one of ours.
    pub meter_speed: f64,
}

impl Options {
    /// As usual: the machine's clock, and real meters.
    pub fn new(config: Option<PathBuf>) -> Self {
        Self {
            history: history_beside(config.as_deref()),
            config,
            is_demo: false,
            clock: Clock::system(),
            meter_speed: 1.0,
        }
    }
}

/// Where the history is unless the configuration says: where systemd keeps our state, or beside the
/// configuration.
fn history_beside(config: Option<&Path>) -> PathBuf {
    const FILE: &str = "history.db";
    // With several folders there, the first one counts.
    let state = std::env::var("STATE_DIRECTORY").unwrap_or_default();
    match state.split(':').next().filter(|folder| !folder.is_empty()) {
        Some(folder) => Path::new(folder).join(FILE),
        None => config
            .and_then(Path::parent)
            .unwrap_or(Path::new(""))
            .join(FILE),
    }
}

/// A service that is ready to run.
#[derive(Debug)]
pub struct Service {
    config: Config,
    options: Options,
    hub: Hub,
    history: History,
    listener: Option<TcpListener>,
    web: Option<Web>,
    lines: Lines,
    destinations: Destinations,
    signals: Signals,
    notifier: Notifier,
    pace: Pace,
    reload: mpsc::Sender<Reload>,
    reloads: mpsc::Receiver<Reload>,
}

impl Service {
    /// Opens what has to be there: the history, and the address that the web listens on. Signals are
    /// heard from then on.
    ///
    /// # Errors
    ///
    /// One of them cannot be had.
    pub async fn prepare(config: Config, options: Options) -> Result<Self, ServiceError> {
        let signals = Signals::new()?;
        // First, so that a second gateway by mistake harms nothing.
        let listener = listen(config.listen).await?;
        let path = history_path(&config, &options);
        let (history, opened) = History::open(&path, Settings::default()).await?;
        tell_opened(&opened);
        let hub = Hub::new();
        hub.set_general(general(&config));
        let (reload, reloads) = mpsc::channel(4);
        Ok(Self {
            lines: Lines::new(&hub, &history, &options),
            destinations: Destinations::new(&hub, &history, options.clock),
            config,
            options,
            hub,
            history,
            listener: Some(listener),
            web: None,
            signals,
            notifier: Notifier::new(),
            pace: Pace::default(),
            reload,
            reloads,
        })
    }

    /// Where the web listens.
    pub fn address(&self) -> Option<SocketAddr> {
        self.listener.as_ref()?.local_addr().ok()
    }

    /// What it knows, for whoever starts it.
    pub fn hub(&self) -> Hub {
        self.hub.clone()
    }

    /// Its history.
    pub fn history(&self) -> History {
        self.history.clone()
    }

    /// Runs until it is told to stop, by this token or by a signal.
    ///
    /// # Errors
    ///
    /// Something that it cannot do without has ended.
    pub async fn run(mut self, stop: CancellationToken) -> Result<(), ServiceError> {
        self.web = self.listener.take().map(|listener| self.serve(listener));
        self.lines.name(&self.config);
        self.destinations.apply(&self.config).await;
        self.lines.apply(&self.config).await;
        warn(&self.config);
        Notifier::ready();

        let result = self.work(&stop).await;

        Notifier::stopping();
        self.lines.stop().await;
        self.destinations.stop().await;
        if let Some(web) = self.web.take() {
            web.stop().await;
        }
        match self.history.close().await {
            Ok(()) | Err(HistoryError::Closed) => result,
            Err(error) => result.and(Err(error.into())),
        }
    }

    async fn work(&mut self, stop: &CancellationToken) -> Result<(), ServiceError> {
        let mut health = self.history.health();
        let mut opened = self.history.opened();
        let mut upkeep = every(UPKEEP);
        let mut look = every(LOOK);
        loop {
            tokio::select! {
                biased;
                () = stop.cancelled() => return Ok(()),
                signal = self.signals.next() => match signal {
                    Signal::Stop => return Ok(()),
                    Signal::Reload => {
                        // What came of it was logged.
                        drop(self.reload().await);
                    }
                    Signal::ReadAll => self.lines.read_all(),
                },
                Some(answer) = self.reloads.recv() => {
                    let outcome = self.reload().await;
                    // Whoever asked may have gone.
                    drop(answer.send(outcome));
                }
                changed = health.changed() => {
                    if changed.is_err() {
                        return Err(ServiceError::Ended("the thread that writes the history"));
                    }
                    tell_health(&health.borrow_and_update());
                    self.hub.announce(Event::Status);
                }
                Ok(()) = opened.changed() => {
                    tell_opened(&opened.borrow_and_update());
                    self.hub.announce(Event::Status);
                }
                _ = upkeep.tick() => self.upkeep(),
                _ = look.tick() => self.look().await,
                () = self.notifier.watchdog() => {}
            }
        }
    }

    /// Starts again what ended without being told to, and tells systemd how it goes.
    async fn look(&mut self) {
        self.destinations.look().await;
        if self.web.as_ref().is_none_or(|web| web.task.is_finished()) {
            self.web = None;
            match listen(self.config.listen).await {
                Ok(listener) => {
                    tracing::error!("the web server had ended and is started again");
                    self.web = Some(self.serve(listener));
                }
                // Meters are read all the same.
                Err(error) => tracing::error!("there is no web server: {error}. {}", error.help()),
            }
        }
        self.notifier.status(&self.hub);
    }

    fn serve(&self, listener: TcpListener) -> Web {
        let site = Site {
            hub: self.hub.clone(),
            history: self.history.clone(),
            config: self.options.config.clone(),
            service: Arc::new(Behind {
                reload: self.reload.clone(),
            }),
            access: self.config.access.clone(),
            is_demo: self.options.is_demo,
        };
        if let Ok(address) = listener.local_addr() {
            tracing::info!("the page is at http://{address}/");
        }
        let stop = CancellationToken::new();
        let task = tokio::spawn(web::serve(listener, site, stop.clone()));
        Web { stop, task }
    }

    /// Takes up the configuration's file as it is now, and says in the log what came of it.
    async fn reload(&mut self) -> Result<(), Trouble> {
        Notifier::reloading();
        let outcome = self.take_up().await;
        self.hub.set_general(General {
            trouble: outcome.as_ref().err().cloned(),
            ..general(&self.config)
        });
        match &outcome {
            Ok(()) => tracing::info!("the configuration was read again"),
            Err(Trouble { message, help }) => tracing::error!("{message} {help}"),
        }
        Notifier::ready();
        outcome
    }

    async fn take_up(&mut self) -> Result<(), Trouble> {
        let Some(path) = &self.options.config else {
            return Err(Trouble {
                message: "The gateway runs without a configuration file.".to_owned(),
                help: "Start it with `heatmeter run --config FILE`.".to_owned(),
            });
        };
        let config = Config::load(path).map_err(|error| Trouble {
            message: format!("The configuration stays as it was: {error}"),
            help: "`heatmeter check-config FILE` says the same.".to_owned(),
        })?;
        if config.listen != self.config.listen || config.access != self.config.access {
            self.listen_as(&config).await?;
        }
        self.config = config;
        warn(&self.config);
        // Before the lines, which speak of it.
        self.hub.set_general(general(&self.config));
        self.lines.name(&self.config);
        self.destinations.apply(&self.config).await;
        self.lines.apply(&self.config).await;
        if history_path(&self.config, &self.options) != self.history.path() {
            return Err(Trouble {
                message: format!(
                    "Everything was taken up but `history.path`: polls are still kept in {}.",
                    self.history.path().display()
                ),
                help: "Restart the gateway to change to the other file.".to_owned(),
            });
        }
        Ok(())
    }

    /// Has the web listen where, and let in whom, another configuration says. If that address cannot
    /// be had, the web stays as it is. Requests at work are answered meanwhile: one of them may be what
    /// changed the configuration.
    async fn listen_as(&mut self, config: &Config) -> Result<(), Trouble> {
        let mut ahead = None;
        if config.listen != self.config.listen {
            match listen(config.listen).await {
                Ok(listener) => ahead = Some(listener),
                // By ourselves, perhaps: each address of a machine contains the one for all.
                Err(error)
                    if error.is_taken() && config.listen.port() == self.config.listen.port() => {}
                Err(error) => return Err(refused(&error)),
            }
        }
        let before = match self.web.take() {
            Some(web) => web.yield_listener().await,
            None => None,
        };
        let (listener, outcome) = match (ahead, before) {
            (Some(listener), _) => (Ok(listener), Ok(())),
            (None, Some(listener)) if config.listen == self.config.listen => (Ok(listener), Ok(())),
            (None, before) => {
                drop(before);
                match listen(config.listen).await {
                    Ok(listener) => (Ok(listener), Ok(())),
                    Err(error) => (listen(self.config.listen).await, Err(refused(&error))),
                }
            }
        };
        if outcome.is_ok() {
            self.config.listen = config.listen;
            self.config.access.clone_from(&config.access);
        }
        // If there is none, it is tried again with the next look.
        self.web = listener.ok().map(|listener| self.serve(listener));
        outcome
    }

    /// Deletes what need not be kept, beside everything else. A clock that has just jumped ahead makes
    /// everything old: nothing is deleted by one that has not shown for a while that it goes right.
    fn upkeep(&mut self) {
        if !self.pace.is_steady(self.options.clock) {
            return;
        }
        let history = self.history.clone();
        let now = self.options.clock.now();
        let keep = Keep {
            readings: self.config.history.keep_readings,
            undelivered: self.config.history.keep_undelivered,
        };
        tokio::spawn(async move {
            match history.prune(now, keep).await {
                Ok(0) | Err(HistoryError::Closed) => {}
                Ok(deleted) => tracing::info!(deleted, "old polls were deleted"),
                Err(error) => tracing::warn!(%error, "old polls cannot be deleted"),
            }
        });
    }
}

/// The web server at work.
#[derive(Debug)]
struct Web {
    stop: CancellationToken,
    task: JoinHandle<web::Stopped>,
}

impl Web {
    /// Takes no more connections, and waits for what is at work.
    async fn stop(self) {
        if let Some(stopped) = self.take_no_more().await {
            stopped.end().await;
        }
    }

    /// Takes no more connections; what is at work ends beside everything else.
    async fn yield_listener(self) -> Option<TcpListener> {
        let (listener, at_work) = self.take_no_more().await?.part();
        tokio::spawn(at_work);
        Some(listener)
    }

    async fn take_no_more(self) -> Option<web::Stopped> {
        self.stop.cancel();
        match self.task.await {
            Ok(stopped) => Some(stopped),
            Err(error) => {
                tracing::error!(%error, "the web server ended badly");
                None
            }
        }
    }
}

fn history_path(config: &Config, options: &Options) -> PathBuf {
    let path = config.history.path.as_ref();
    path.unwrap_or(&options.history).clone()
}

/// Beats so far apart. Those that were missed while something else was done are left out.
fn every(period: Duration) -> time::Interval {
    let mut interval = time::interval(period);
    interval.set_missed_tick_behavior(time::MissedTickBehavior::Delay);
    interval
}

fn warn(config: &Config) {
    for warning in &config.warnings {
        tracing::warn!("{}; {}", warning.message, warning.help);
    }
}

fn refused(error: &ServiceError) -> Trouble {
    Trouble {
        message: format!("The configuration stays as it was: {error}."),
        help: error.help(),
    }
}

async fn listen(address: SocketAddr) -> Result<TcpListener, ServiceError> {
    TcpListener::bind(address)
        .await
        .map_err(|source| ServiceError::Listen { address, source })
}

fn general(config: &Config) -> General {
    General {
        language: config.language,
        time_zone: zone::named(config.time_zone.clone(), Clock::system().now()),
        trouble: None,
    }
}

fn tell_opened(opened: &Opened) {
    if let Opened::Salvaged { kept, polls, .. } = opened {
        tracing::error!(
            polls,
            kept = %kept.display(),
            "the history was damaged: what could be read was taken over, the damaged file is kept"
        );
    }
}

fn tell_health(health: &Health) {
    match health {
        Health::Fine => tracing::info!("the history is written again"),
        Health::DiskFull { waiting } => {
            tracing::error!(waiting, "the disk is full: polls wait in memory");
        }
        Health::Failing { reason, waiting } => {
            tracing::error!(
                waiting,
                reason,
                "the history cannot be written: polls wait in memory"
            );
        }
        _ => {}
    }
}

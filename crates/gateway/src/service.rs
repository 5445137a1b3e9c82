//! The service: starts everything a configuration names, keeps it running, takes up a changed
//! configuration without dropping what is unchanged, and stops in order.

mod behind;
mod boards;
mod destinations;
mod error;
mod lines;
mod notify;
mod signals;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use heatmeter_history::{Health, History, HistoryError, Keep, Opened, Settings};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time;
use tokio_util::sync::CancellationToken;

use crate::clock::Clock;
use crate::config::Config;
use crate::hub::{Event, General, Hub, Trouble};
use crate::web::{self, Site};

use behind::{Behind, Reload};
use destinations::Destinations;
use lines::Lines;
use notify::Notifier;
use signals::{Signal, Signals};

pub use error::ServiceError;

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
    history_path: PathBuf,
    listener: Option<TcpListener>,
}

impl Service {
    /// Opens what has to be there: the history, and the address that the web listens on.
    ///
    /// # Errors
    ///
    /// One of them cannot be had.
    pub async fn prepare(config: Config, options: Options) -> Result<Self, ServiceError> {
        let history_path = config
            .history
            .path
            .clone()
            .unwrap_or_else(|| options.history.clone());
        // First, so that a second gateway by mistake harms nothing.
        let listener = listen(&config).await?;
        let (history, opened) = History::open(&history_path, Settings::default()).await?;
        if let Opened::Salvaged { kept, polls, .. } = &opened {
            tracing::error!(
                polls,
                kept = %kept.display(),
                "the history was damaged: what could be read was taken over, the damaged file is kept"
            );
        }
        Ok(Self {
            config,
            options,
            hub: Hub::new(),
            history,
            history_path,
            listener: Some(listener),
        })
    }

    /// Where the web listens.
    pub fn address(&self) -> Option<std::net::SocketAddr> {
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
        let mut signals = Signals::new()?;
        let (reload, mut reloads) = mpsc::channel(4);
        let mut web = self
            .listener
            .take()
            .map(|listener| self.serve(listener, &reload));
        self.hub.set_general(general(&self.config));
        let mut destinations = Destinations::new(&self.hub, &self.history, self.options.clock);
        destinations.apply(&self.config).await;
        let mut lines = Lines::new(&self.hub, &self.history, &self.options);
        lines.apply(&self.config).await;
        for warning in &self.config.warnings {
            tracing::warn!("{}; {}", warning.message, warning.help);
        }

        let mut notifier = Notifier::ready();
        let mut health = self.history.health();
        let mut upkeep = time::interval(UPKEEP);
        upkeep.set_missed_tick_behavior(time::MissedTickBehavior::Delay);
        let result = loop {
            tokio::select! {
                biased;
                () = stop.cancelled() => break Ok(()),
                signal = signals.next() => match signal {
                    Signal::Stop => break Ok(()),
                    Signal::Reload => {
                        Notifier::reloading();
                        let outcome = self
                            .reload(&mut lines, &mut destinations, &mut web, &reload)
                            .await;
                        if let Err(trouble) = outcome {
                            tracing::error!(
                                "the configuration stays as it was: {} {}",
                                trouble.message,
                                trouble.help
                            );
                        }
                        Notifier::reloaded();
                    }
                    Signal::ReadAll => lines.read_all(),
                },
                Some(answer) = reloads.recv() => {
                    let outcome = self
                        .reload(&mut lines, &mut destinations, &mut web, &reload)
                        .await;
                    // Whoever asked may have gone.
                    drop(answer.send(outcome));
                }
                changed = health.changed() => {
                    if changed.is_err() {
                        break Err(ServiceError::Ended("the thread that writes the history"));
                    }
                    tell_health(&health.borrow_and_update());
                    self.hub.announce(Event::Status);
                }
                ended = destinations.ended() => tracing::error!(ended, "a destination ended and is started again"),
                _ = upkeep.tick() => self.upkeep(),
                () = notifier.watchdog() => {}
            }
        };

        Notifier::stopping();
        lines.stop().await;
        destinations.stop().await;
        if let Some(web) = web {
            web.stop().await;
        }
        match self.history.close().await {
            Ok(()) | Err(HistoryError::Closed) => result,
            Err(error) => result.and(Err(error.into())),
        }
    }

    fn serve(&self, listener: TcpListener, reload: &mpsc::Sender<Reload>) -> Web {
        let site = Site {
            hub: self.hub.clone(),
            history: self.history.clone(),
            config: self.options.config.clone(),
            service: Arc::new(Behind {
                reload: reload.clone(),
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

    /// Takes up the configuration's file as it is now.
    async fn reload(
        &mut self,
        lines: &mut Lines,
        destinations: &mut Destinations,
        web: &mut Option<Web>,
        reload: &mpsc::Sender<Reload>,
    ) -> Result<(), Trouble> {
        let Some(path) = &self.options.config else {
            return Err(Trouble {
                message: "The gateway runs without a configuration file.".to_owned(),
                help: "Start it with `heatmeter run --config FILE`.".to_owned(),
            });
        };
        let config = Config::load(path).map_err(|error| Trouble {
            message: error.to_string(),
            help: "`heatmeter check-config FILE` says the same.".to_owned(),
        })?;
        if config.listen != self.config.listen || config.access != self.config.access {
            // The old one stays if the new one cannot be had.
            let listener = if config.listen == self.config.listen {
                None
            } else {
                Some(listen(&config).await.map_err(|error| Trouble {
                    message: format!("{error}."),
                    help: error.help(),
                })?)
            };
            let before = std::mem::replace(&mut self.config, config.clone());
            if let Some(old) = web.take() {
                old.stop().await;
            }
            let listener = match listener {
                Some(listener) => Ok(listener),
                None => listen(&config).await,
            };
            match listener {
                Ok(listener) => *web = Some(self.serve(listener, reload)),
                Err(error) => {
                    self.config = before;
                    return Err(Trouble {
                        message: format!("{error}."),
                        help: error.help(),
                    });
                }
            }
        }
        let wanted = config
            .history
            .path
            .clone()
            .unwrap_or_else(|| self.options.history.clone());
        self.config = config;
        for warning in &self.config.warnings {
            tracing::warn!("{}; {}", warning.message, warning.help);
        }
        self.hub.set_general(general(&self.config));
        destinations.apply(&self.config).await;
        lines.apply(&self.config).await;
        tracing::info!("the configuration was read again");
        if wanted != self.history_path {
            return Err(Trouble {
                message: format!(
                    "Everything was taken up but `history.path`: polls are still kept in {}.",
                    self.history_path.display()
                ),
                help: "Restart the gateway to change to the other file.".to_owned(),
            });
        }
        Ok(())
    }

    /// Deletes what need not be kept, beside everything else.
    fn upkeep(&self) {
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
    task: JoinHandle<()>,
}

impl Web {
    async fn stop(self) {
        self.stop.cancel();
        if let Err(error) = self.task.await {
            tracing::error!(%error, "the web server ended badly");
        }
    }
}

async fn listen(config: &Config) -> Result<TcpListener, ServiceError> {
    let address = config.listen;
    TcpListener::bind(address)
        .await
        .map_err(|source| ServiceError::Listen { address, source })
}

fn general(config: &Config) -> General {
    General {
        language: config.language,
        time_zone: config.time_zone.clone(),
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

//! What the web asks the service for.

use heatmeter_publish::DeliveryError;
use serde_json::{Value, json};
use tokio::sync::{mpsc, oneshot};

use crate::check;
use crate::config::{Config, ConfigError, Problem};
use crate::hub::{Ledger, MeterState, Trouble};
use crate::ledger::{self, DOCUMENTED_PER_DAY};
use crate::schedule::{ParseScheduleError, Schedule};
use crate::web::{self, ConfigProblem, Wait};

/// A wish to read the configuration again; what came of it is sent back.
pub(super) type Reload = oneshot::Sender<Result<(), Trouble>>;

/// What a configuration is called that is no file yet.
const FILE: &str = "heatmeter.toml";

/// The service, as the web sees it.
#[derive(Debug)]
pub(super) struct Behind {
    pub(super) reload: mpsc::Sender<Reload>,
}

impl web::Service for Behind {
    fn check(&self, toml: &str) -> Vec<ConfigProblem> {
        match parse(toml) {
            Ok(_) => Vec::new(),
            Err(ConfigError::Wrong { problems }) => problems.into_iter().map(shown).collect(),
            Err(error) => vec![ConfigProblem {
                line: 0,
                column: 0,
                length: 0,
                message: error.to_string(),
                help: String::new(),
                rendered: error.to_string(),
            }],
        }
    }

    fn reload(&self) -> Wait<'_, Result<(), Trouble>> {
        Box::pin(async {
            let (answer, outcome) = oneshot::channel();
            if self.reload.send(answer).await.is_err() {
                return Err(stopping());
            }
            outcome.await.unwrap_or_else(|_| Err(stopping()))
        })
    }

    fn test_destination<'a>(
        &'a self,
        kind: &'a str,
        settings: Value,
        is_kept: bool,
    ) -> Wait<'a, Result<(), Trouble>> {
        Box::pin(async move {
            let table = match kind {
                "mqtt" => json!({ kind: settings }),
                "influx" | "postgres" | "webhook" => json!({ kind: [settings] }),
                _ => {
                    return Err(Trouble {
                        message: format!("There is no destination of the kind `{kind}`."),
                        help: "There are mqtt, influx, postgres and webhook.".to_owned(),
                    });
                }
            };
            let text = toml::to_string(&table).map_err(|error| Trouble {
                message: format!("The settings cannot be written as TOML: {error}."),
                help: "Leave out what is null.".to_owned(),
            })?;
            let config = if is_kept {
                parse(&text)
            } else {
                Config::parse(&text, FILE, &|_| None)
            };
            let config = config.map_err(first)?;
            check::destinations(&config).await.map_err(Trouble::from)
        })
    }

    fn cost(&self, meter: &MeterState, schedule: &str) -> Result<Ledger, Trouble> {
        let schedule: Schedule = schedule
            .parse()
            .map_err(|error: ParseScheduleError| Trouble {
                message: format!("This is no schedule: {error}."),
                help: format!("Please {}.", ParseScheduleError::HELP),
            })?;
        let poll = meter.ledger.documented_seconds / DOCUMENTED_PER_DAY;
        let mut cost = ledger::cost(&schedule, poll);
        cost.is_mains = meter.ledger.is_mains;
        cost.is_draining &= !cost.is_mains;
        Ok(cost)
    }
}

fn parse(toml: &str) -> Result<Config, ConfigError> {
    Config::parse(toml, FILE, &|name| std::env::var(name).ok())
}

fn stopping() -> Trouble {
    Trouble {
        message: "The gateway stops.".to_owned(),
        help: "Ask again when it runs.".to_owned(),
    }
}

fn shown(problem: Problem) -> ConfigProblem {
    ConfigProblem {
        line: problem.line,
        column: problem.column,
        length: problem.length,
        message: problem.message,
        help: problem.help,
        rendered: problem.rendered,
    }
}

/// The first thing that is wrong with a table that somebody is filling in.
fn first(error: ConfigError) -> Trouble {
    match error {
        ConfigError::Wrong { mut problems } if !problems.is_empty() => {
            let Problem { message, help, .. } = problems.swap_remove(0);
            Trouble { message, help }
        }
        error => Trouble {
            message: error.to_string(),
            help: String::new(),
        },
    }
}

impl From<DeliveryError> for Trouble {
    fn from(error: DeliveryError) -> Self {
        Self {
            message: error.message,
            help: error.help,
        }
    }
}

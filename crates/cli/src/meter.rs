//! A meter behind a port, as a command reads it: with its exchanges logged and shown, and with a word
//! for people who wait.

use std::time::Duration;

use heatmeter_catalog::{Model, RegisterId};
use heatmeter_client::{Change, Client, Notice, OpenOptions, PollError, PortError, Reply};
use kamstrup_kmp::Verdict;
use kamstrup_kmp::session::{Config, Outcome, Task};

use crate::args::Line;
use crate::failure::Failure;
use crate::line_log::{self, Shown};
use crate::output::Progress;
use crate::who::Who;

pub(crate) use heatmeter_client::Answered;

/// A meter behind a port.
pub(crate) struct Meter {
    reader: heatmeter_client::Meter,
    port: String,
    watcher: Watcher,
}

/// Sees what happens on the line.
struct Watcher {
    /// The port was lost or came back since this was last looked at.
    changes: Vec<Change>,
    /// Shows what goes over the line.
    shown: Option<Shown>,
    /// Tells why it takes so long.
    progress: Progress,
}

impl Meter {
    /// Nothing is opened yet.
    pub(crate) fn new(line: &Line, verbose: u8) -> Result<Self, Failure> {
        let config = Config {
            answer_timeout: line.timeout.unwrap_or(Duration::from_secs(2)),
            ..Config::default()
        };
        let options = OpenOptions::default();
        let mut client = Client::with_options(line.port.clone(), options, config);
        let (recorder, shown) = line_log::recorder(line, verbose)?;
        if let Some(recorder) = recorder {
            client.record(recorder);
        }
        Ok(Self {
            reader: heatmeter_client::Meter::new(client),
            port: line.port.to_string(),
            watcher: Watcher {
                changes: Vec::new(),
                shown,
                progress: Progress::default(),
            },
        })
    }

    /// Takes the meter for this model, whatever it says.
    #[must_use]
    pub(crate) fn with_model(mut self, model: Option<&'static Model>) -> Self {
        self.reader = self.reader.with_model(model);
        self
    }

    /// Tells that the meter lives faster than we do.
    #[must_use]
    pub(crate) fn at_speed(mut self, speed: f64) -> Self {
        self.reader = self.reader.at_speed(speed);
        self
    }

    /// Tells people who wait for it why it takes so long.
    #[must_use]
    pub(crate) fn telling(mut self, progress: Progress) -> Self {
        self.watcher.progress = progress;
        self
    }

    /// The port as it is shown.
    pub(crate) fn port(&self) -> &str {
        &self.port
    }

    /// What it is, as far as anybody knows.
    pub(crate) fn model(&self) -> Option<&'static Model> {
        self.reader.model()
    }

    /// How often the port was opened.
    pub(crate) fn openings(&mut self) -> u64 {
        self.reader.openings()
    }

    /// Who it is.
    pub(crate) fn who(&self) -> Who {
        Who {
            model: self.model().map(|model| model.name),
            serial: self.reader.serial().map(str::to_owned),
            ..Who::of(self.reader.said())
        }
    }

    /// Reads the registers that `choose` names once it is known which model it is about.
    pub(crate) async fn poll(
        &mut self,
        deadline: Option<Duration>,
        choose: impl FnOnce(Option<&'static Model>) -> Vec<RegisterId>,
    ) -> Result<Answered, PollError> {
        let Self {
            reader, watcher, ..
        } = self;
        let result = reader
            .poll(deadline, choose, |notice| watcher.see(notice))
            .await;
        watcher.progress.clear();
        result
    }

    /// Reads registers.
    pub(crate) async fn read(
        &mut self,
        registers: &[RegisterId],
        limit: Duration,
    ) -> Result<Reply, PortError> {
        let Self {
            reader, watcher, ..
        } = self;
        let result = reader
            .read(registers, limit, None, |notice| watcher.see(notice))
            .await;
        watcher.progress.clear();
        result
    }

    /// Runs a task.
    pub(crate) async fn run(&mut self, task: Task) -> Result<Outcome, PortError> {
        let Self {
            reader, watcher, ..
        } = self;
        let result = reader.run(task, |notice| watcher.see(notice)).await;
        watcher.progress.clear();
        result
    }

    /// Closes the port. The next request opens it again.
    pub(crate) fn close(&mut self) {
        self.reader.close();
    }

    /// What became of the port since the last call.
    pub(crate) fn take_changes(&mut self) -> Vec<Change> {
        std::mem::take(&mut self.watcher.changes)
    }
}

impl Watcher {
    fn see(&mut self, notice: Notice) {
        match notice {
            Notice::Attempt(attempt) => {
                if let Some(shown) = &self.shown {
                    shown.flush();
                }
                line_log::attempt(&attempt);
                if attempt.verdict != Verdict::Ok {
                    let seen = attempt.verdict.code();
                    self.progress
                        .show(&format!("no good answer yet ({seen}), asking again ..."));
                }
            }
            Notice::Port(change) => self.changes.push(change),
            _ => {}
        }
    }
}

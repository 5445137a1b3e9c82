//! The lines at work, one task each.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use heatmeter_history::History;
use jiff::tz::TimeZone;
use tokio::sync::Mutex;
use tokio::task::JoinHandle;
use tokio::time;
use tokio_util::sync::CancellationToken;

use super::Options;
use crate::config::{Config, MeterSettings};
use crate::hub::{Hub, Order};
use crate::line::{self, Begin, Surroundings};

/// After a line ended badly it is started again, after this time.
const AGAIN: Duration = Duration::from_secs(5);

#[derive(Debug)]
pub(super) struct Lines {
    hub: Hub,
    history: History,
    options: Options,
    running: BTreeMap<String, Running>,
    /// Whose turn it is, by port.
    turns: BTreeMap<String, Arc<Mutex<()>>>,
    /// How a line begins that is started now.
    begin: Begin,
}

#[derive(Debug)]
struct Running {
    settings: MeterSettings,
    time_zone: TimeZone,
    is_shared: bool,
    stop: CancellationToken,
    task: JoinHandle<()>,
}

impl Lines {
    pub(super) fn new(hub: &Hub, history: &History, options: &Options) -> Self {
        Self {
            hub: hub.clone(),
            history: history.clone(),
            options: options.clone(),
            running: BTreeMap::new(),
            turns: BTreeMap::new(),
            begin: Begin::IfDue,
        }
    }

    /// Tells which meters there will be. Destinations begin before the lines, so that no poll escapes
    /// them, and a meter that nobody has heard of would be one that is gone.
    pub(super) fn name(&self, config: &Config) {
        let known = self.hub.meters();
        let new = config.meters.iter();
        for settings in new.filter(|meter| !known.contains_key(&meter.slot)) {
            self.hub.tell(line::state(settings));
        }
    }

    /// Runs what the configuration names; what is unchanged is not touched.
    pub(super) async fn apply(&mut self, config: &Config) {
        let is_shared = |meter: &MeterSettings| {
            config
                .meters
                .iter()
                .filter(|other| other.port == meter.port)
                .count()
                > 1
        };
        let stays = |running: &Running| {
            config.meters.contains(&running.settings)
                && running.time_zone == config.time_zone
                && running.is_shared == is_shared(&running.settings)
        };
        let ending: Vec<_> = self
            .running
            .extract_if(.., |_, running| !stays(running))
            .collect();
        for (slot, running) in ending {
            running.stop().await;
            if !config.meters.iter().any(|meter| meter.slot == slot) {
                self.hub.remove(&slot);
            }
        }
        for meter in &config.meters {
            if !self.running.contains_key(&meter.slot) {
                let running = self.start(meter.clone(), config, is_shared(meter));
                self.running.insert(meter.slot.clone(), running);
            }
        }
        // Whoever changes a meter while we run wants to see what comes of it.
        self.begin = Begin::AtOnce;
    }

    /// Reads all meters now.
    pub(super) fn read_all(&self) {
        for slot in self.running.keys() {
            let (hub, slot) = (self.hub.clone(), slot.clone());
            let order = Order::Read {
                registers: None,
                answer: None,
            };
            // A line that is busy takes its orders when it can.
            tokio::spawn(async move { hub.order(&slot, order).await });
        }
    }

    pub(super) async fn stop(&mut self) {
        let running = std::mem::take(&mut self.running);
        for line in running.values() {
            line.stop.cancel();
        }
        for line in running.into_values() {
            line.stop().await;
        }
    }

    fn start(&mut self, settings: MeterSettings, config: &Config, is_shared: bool) -> Running {
        let turns = self.turns.entry(settings.port.to_string()).or_default();
        let around = Surroundings {
            hub: self.hub.clone(),
            history: self.history.clone(),
            clock: self.options.clock,
            time_zone: config.time_zone.clone(),
            meter_speed: self.options.meter_speed,
            turns: Arc::clone(turns),
            is_shared,
        };
        let stop = CancellationToken::new();
        let line = {
            let (settings, stop) = (settings.clone(), stop.clone());
            move |begin| line::run(settings.clone(), around.clone(), begin, stop.clone())
        };
        let slot = settings.slot.clone();
        let task = tokio::spawn(keep_running(slot, self.begin, stop.clone(), line));
        Running {
            settings,
            time_zone: config.time_zone.clone(),
            is_shared,
            stop,
            task,
        }
    }
}

impl Running {
    async fn stop(self) {
        self.stop.cancel();
        if let Err(error) = self.task.await {
            tracing::error!(%error, "a line ended badly");
        }
    }
}

/// A line that ends without being told to is started again: the others do not suffer from it.
async fn keep_running<Line: Future<Output = ()> + Send + 'static>(
    slot: String,
    mut begin: Begin,
    stop: CancellationToken,
    line: impl Fn(Begin) -> Line,
) {
    while !stop.is_cancelled() {
        let ended = tokio::spawn(line(begin)).await;
        if stop.is_cancelled() {
            return;
        }
        begin = Begin::NextTime;
        tracing::error!(
            slot,
            panicked = ended.is_err(),
            "the line ended and is started again; please report this"
        );
        tokio::select! {
            () = stop.cancelled() => {}
            () = time::sleep(AGAIN) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_line_that_ends_badly_is_started_again_and_leaves_the_meter_in_peace() {
        let (tell, mut told) = tokio::sync::mpsc::unbounded_channel();
        let stop = CancellationToken::new();
        let stopped = stop.clone();
        let line = move |begin| {
            let (tell, stopped) = (tell.clone(), stopped.clone());
            async move {
                tell.send((begin, time::Instant::now())).unwrap();
                match begin {
                    Begin::NextTime => stopped.cancelled().await,
                    _ => panic!("as a line with a fault in it would"),
                }
            }
        };
        let kept = keep_running("house".to_owned(), Begin::IfDue, stop.clone(), line);
        let kept = tokio::spawn(kept);
        let (first, at) = told.recv().await.unwrap();
        let (second, later) = told.recv().await.unwrap();
        assert_eq!((first, second), (Begin::IfDue, Begin::NextTime));
        assert_eq!(later - at, AGAIN);
        stop.cancel();
        kept.await.unwrap();
        assert!(told.try_recv().is_err(), "it was stopped, and stays so");
    }
}

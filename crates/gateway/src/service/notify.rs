//! Tells systemd how we are. Without systemd all of it does nothing.

use std::time::Duration;

use kamstrup_kmp::Verdict;
use sd_notify::NotifyState;
use tokio::time;

use crate::hub::Hub;

#[derive(Debug)]
pub(super) struct Notifier {
    /// So often systemd wants to hear from us.
    watchdog: Option<time::Interval>,
    /// What was said last about how it goes.
    status: String,
}

impl Notifier {
    pub(super) fn new() -> Self {
        let watchdog = sd_notify::watchdog_enabled().map(|every| {
            let every = (every / 2).max(Duration::from_millis(100));
            let mut interval = time::interval(every);
            interval.set_missed_tick_behavior(time::MissedTickBehavior::Delay);
            interval
        });
        Self {
            watchdog,
            status: String::new(),
        }
    }

    /// Everything is started, or taken up anew.
    pub(super) fn ready() {
        say(&[NotifyState::Ready]);
    }

    pub(super) fn reloading() {
        match NotifyState::monotonic_usec_now() {
            Ok(now) => say(&[NotifyState::Reloading, now]),
            Err(error) => tracing::debug!(%error, "no monotonic clock"),
        }
    }

    pub(super) fn stopping() {
        say(&[NotifyState::Stopping]);
    }

    /// Tells in a line how it goes, if that has changed: what `systemctl status` shows.
    pub(super) fn status(&mut self, hub: &Hub) {
        let status = status(hub);
        if status != self.status {
            say(&[NotifyState::Status(&status)]);
            self.status = status;
        }
    }

    /// Tells that we are alive, each time that is due. Polled from the service's own loop, so that it is
    /// true.
    pub(super) async fn watchdog(&mut self) {
        match &mut self.watchdog {
            Some(interval) => {
                interval.tick().await;
                say(&[NotifyState::Watchdog]);
            }
            None => std::future::pending().await,
        }
    }
}

/// How many meters answer, and how many destinations take what they are given.
fn status(hub: &Hub) -> String {
    let meters = hub.meters();
    let answering = meters
        .values()
        .filter(|meter| meter.verdict == Some(Verdict::Ok))
        .count();
    let mut status = match meters.len() {
        0 => "no meter is configured".to_owned(),
        1 if answering == 1 => "the meter answers".to_owned(),
        1 => "the meter does not answer".to_owned(),
        count => format!("{answering} of {count} meters answer"),
    };
    let supplies = hub.supplies();
    let troubled: Vec<_> = supplies
        .iter()
        .filter(|supply| supply.progress.borrow().trouble.is_some())
        .map(|supply| supply.name.as_str())
        .collect();
    if !troubled.is_empty() {
        status.push_str("; not delivered to ");
        status.push_str(&troubled.join(", "));
    }
    status
}

fn say(states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        tracing::debug!(%error, "systemd does not listen");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_a_meter_that_is_what_is_said() {
        assert_eq!(status(&Hub::new()), "no meter is configured");
    }
}

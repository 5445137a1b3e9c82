//! Tells systemd how we are. Without systemd all of it does nothing.

use std::time::Duration;

use sd_notify::NotifyState;
use tokio::time;

#[derive(Debug)]
pub(super) struct Notifier {
    /// So often systemd wants to hear from us.
    watchdog: Option<time::Interval>,
}

impl Notifier {
    /// Everything is started.
    pub(super) fn ready() -> Self {
        say(&[NotifyState::Ready, NotifyState::Status("reading meters")]);
        let watchdog = sd_notify::watchdog_enabled().map(|every| {
            let every = (every / 2).max(Duration::from_millis(100));
            let mut interval = time::interval(every);
            interval.set_missed_tick_behavior(time::MissedTickBehavior::Delay);
            interval
        });
        Self { watchdog }
    }

    pub(super) fn reloading() {
        match NotifyState::monotonic_usec_now() {
            Ok(now) => say(&[NotifyState::Reloading, now]),
            Err(error) => tracing::debug!(%error, "no monotonic clock"),
        }
    }

    pub(super) fn reloaded() {
        say(&[NotifyState::Ready]);
    }

    pub(super) fn stopping() {
        say(&[NotifyState::Stopping]);
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

fn say(states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        tracing::debug!(%error, "systemd does not listen");
    }
}

//! Alignment: a tiny request about every second, for as long as somebody looks at it.

use std::sync::Arc;
use std::time::Duration;

use heatmeter_client::{Alignment, Probe};
use tokio::time::{self, Instant};
use tokio_util::sync::CancellationToken;

use super::Line;
use super::queue::{Queue, refuse};
use crate::hub::{Attempt, Doing, Event, Order, Trouble};

/// From one request to the next.
const PAUSE: Duration = Duration::from_secs(1);

/// Whoever looks says so more often than this.
const LOOKED_AT: Duration = Duration::from_secs(30);

/// The meter's battery is not spent on a page that somebody left open.
const AT_MOST: Duration = Duration::from_mins(10);

impl Line {
    /// Aligns until nobody looks any more. Polls pause meanwhile.
    pub(super) async fn align(&mut self, queue: &mut Queue, stop: &CancellationToken) {
        let turns = Arc::clone(&self.around.turns);
        let _turn = tokio::select! {
            biased;
            () = stop.cancelled() => return,
            turn = turns.lock() => turn,
        };
        // The probe opens the port for itself.
        self.meter.close();
        self.state.next_at = None;
        self.do_now(Doing::Aligning);
        let why = tokio::select! {
            biased;
            () = stop.cancelled() => "asked",
            why = self.attempts(queue) => why,
        };
        self.do_now(Doing::Waiting);
        self.around.hub.announce(Event::AlignEnded {
            slot: self.settings.slot.clone(),
            why,
        });
        self.latest = None;
        self.plan();
    }

    async fn attempts(&mut self, queue: &mut Queue) -> &'static str {
        let mut probe = Probe::new(self.settings.port.clone(), self.settings.timeout);
        let mut alignment = Alignment::default();
        let started = Instant::now();
        let mut looked_at = started;
        for number in 1.. {
            let next = Instant::now() + PAUSE;
            let attempt = probe.attempt().await;
            alignment.push(started.elapsed(), attempt.verdict);
            self.book
                .note(self.around.clock.now(), 1, attempt.took.as_secs_f64());
            let step = alignment.next_step();
            let (next_step_code, next_step) = match &attempt.trouble {
                Some(error) => (None, error.help()),
                None => (step.code, step.text.to_owned()),
            };
            self.around.hub.announce(Event::Align {
                slot: self.settings.slot.clone(),
                attempt: Attempt {
                    number,
                    verdict: alignment.verdict(),
                    score: u8::try_from(alignment.score()).unwrap_or(100),
                    next_step,
                    next_step_code,
                    milliseconds: u64::try_from(attempt.took.as_millis()).unwrap_or(u64::MAX),
                },
            });
            loop {
                tokio::select! {
                    biased;
                    order = queue.next() => match order {
                        Some(Order::Align) => looked_at = Instant::now(),
                        Some(Order::StopAligning) | None => return "asked",
                        Some(order) => refuse(order, Trouble {
                            message: "The head is being aligned.".to_owned(),
                            help: "Read again when that is over.".to_owned(),
                        }),
                    },
                    () = time::sleep_until(next) => break,
                }
            }
            if looked_at.elapsed() > LOOKED_AT {
                return "nobody_looks";
            }
            if started.elapsed() > AT_MOST {
                return "time_is_over";
            }
        }
        "asked"
    }
}

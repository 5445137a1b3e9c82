//! The command to read a meter now, kept from becoming a flood: a battery pays for every reading.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::time::Instant;
use tracing::{info, warn};

use super::board::Board;
use super::topics::part;

/// The shortest time between two commands for one meter that are both obeyed.
const INTERVAL: Duration = Duration::from_secs(30);
/// How many commands may wait for the gateway.
const WAITING: usize = 16;

/// Passes commands on.
#[derive(Debug)]
pub(super) struct Commands {
    board: watch::Receiver<Board>,
    orders: mpsc::Sender<String>,
    /// When each meter was last read by command.
    obeyed: BTreeMap<String, Instant>,
}

impl Commands {
    /// The orders that come of commands: serial numbers of meters to read now.
    pub(super) fn new(board: watch::Receiver<Board>) -> (Self, mpsc::Receiver<String>) {
        let (orders, receiver) = mpsc::channel(WAITING);
        let commands = Self {
            board,
            orders,
            obeyed: BTreeMap::new(),
        };
        (commands, receiver)
    }

    /// A command for the meter that is called so in topics.
    pub(super) fn take(&mut self, meter: &str, is_retained: bool, now: Instant) {
        if is_retained {
            warn!(
                "MQTT: ignored a retained command to read {meter}: it would be obeyed on every \
                 connection. Send commands without retain"
            );
            return;
        }
        let serial = self
            .board
            .borrow()
            .meters
            .iter()
            .map(|card| card.meter.serial.clone())
            .find(|serial| part(serial) == meter);
        let Some(serial) = serial else {
            info!("MQTT: ignored a command to read {meter}, which is no meter of this gateway");
            return;
        };
        let last = self.obeyed.get(&serial);
        if last.is_some_and(|last| now.duration_since(*last) < INTERVAL) {
            info!("MQTT: ignored a command to read {serial}: the last one was a moment ago");
            return;
        }
        if self.orders.try_send(serial.clone()).is_err() {
            warn!("MQTT: ignored a command to read {serial}: too many wait");
            return;
        }
        self.obeyed.insert(serial, now);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::sync::Arc;

    use heatmeter_history::Meter;

    use super::super::board::MeterCard;
    use super::*;

    fn card(serial: &str) -> Arc<MeterCard> {
        Arc::new(MeterCard {
            meter: Arc::new(Meter {
                serial: serial.to_owned(),
                model: None,
                type_code: None,
                software: None,
            }),
            name: serial.to_owned(),
            model: None,
            registers: Vec::new(),
            readings: Vec::new(),
            verdict: None,
        })
    }

    fn commands(meters: usize) -> (Commands, mpsc::Receiver<String>) {
        let board = Board {
            meters: (0..meters)
                .map(|number| card(&number.to_string()))
                .collect(),
            starting: 0,
            unidentified: 0,
            known: BTreeSet::new(),
        };
        Commands::new(watch::Sender::new(board).subscribe())
    }

    #[test]
    fn a_second_command_within_half_a_minute_is_ignored() {
        let (mut commands, mut orders) = commands(2);
        let now = Instant::now();
        commands.take("0", false, now);
        commands.take("0", false, now + Duration::from_secs(29));
        commands.take("1", false, now + Duration::from_secs(29));
        commands.take("0", false, now + Duration::from_secs(30));
        let orders: Vec<_> = std::iter::from_fn(|| orders.try_recv().ok()).collect();
        assert_eq!(orders, ["0", "1", "0"]);
    }

    #[test]
    fn retained_commands_and_those_for_others_are_ignored() {
        let (mut commands, mut orders) = commands(1);
        let now = Instant::now();
        commands.take("0", true, now);
        commands.take("7", false, now);
        assert!(orders.try_recv().is_err());
    }

    #[test]
    fn more_commands_than_anybody_can_want_are_not_kept() {
        let (mut commands, mut orders) = commands(100);
        let now = Instant::now();
        for meter in 0..100 {
            commands.take(&meter.to_string(), false, now);
        }
        let orders = std::iter::from_fn(|| orders.try_recv().ok());
        assert_eq!(orders.count(), WAITING);
    }

    #[tokio::test]
    async fn whoever_waits_for_orders_learns_that_a_task_has_ended() {
        for ended in [0, 1] {
            let (_board, watched) = watch::channel(Board::default());
            let settings = super::super::Settings::new("127.0.0.1");
            let past = super::super::Past::default();
            let (_, mut service) = super::super::start(settings, watched, past)
                .expect("there is no certificate that could be wrong");
            [&service.keeper, &service.announcer][ended].0.abort();
            assert_eq!(service.next_order().await, None);
            assert_eq!(service.next_order().await, None);
            service.close().await;
        }
    }
}

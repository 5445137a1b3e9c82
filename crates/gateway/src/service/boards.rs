//! What the broker is told of the hub, and what it tells the hub.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use heatmeter_history::History;
use heatmeter_publish::mqtt::{self, Board, MeterCard};
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::hub::{Event, Hub, MeterState, Order};

#[derive(Debug)]
pub(super) struct Boards {
    hub: Hub,
    board: watch::Receiver<Board>,
    writer: JoinHandle<()>,
    service: Option<Connected>,
}

#[derive(Debug)]
struct Connected {
    stop: tokio_util::sync::CancellationToken,
    task: JoinHandle<()>,
}

impl Boards {
    /// Keeps a board as the hub is.
    pub(super) fn start(hub: &Hub, history: &History) -> Self {
        let (tell, board) = watch::channel(board_of(hub, &BTreeSet::new()));
        let writer = tokio::spawn(write(hub.clone(), history.clone(), tell));
        Self {
            hub: hub.clone(),
            board,
            writer,
            service: None,
        }
    }

    pub(super) fn watch(&self) -> watch::Receiver<Board> {
        self.board.clone()
    }

    /// Hands the broker's orders on.
    pub(super) fn with(mut self, service: mqtt::Service) -> Self {
        let stop = tokio_util::sync::CancellationToken::new();
        let task = tokio::spawn(obey(self.hub.clone(), service, stop.clone()));
        self.service = Some(Connected { stop, task });
        self
    }

    /// Whether a part of it has ended without being told to.
    pub(super) fn has_ended(&self) -> bool {
        let service = self.service.as_ref();
        self.writer.is_finished() || service.is_some_and(|connected| connected.task.is_finished())
    }

    pub(super) async fn stop(self) {
        if let Some(Connected { stop, task }) = self.service {
            stop.cancel();
            if let Err(error) = task.await {
                tracing::error!(%error, "the broker's connection ended badly");
            }
        }
        self.writer.abort();
    }
}

async fn write(hub: Hub, history: History, tell: watch::Sender<Board>) {
    let mut events = hub.events();
    loop {
        let known = history.meters().await.unwrap_or_default();
        let known = known.into_iter().map(|meter| meter.serial).collect();
        tell.send_replace(board_of(&hub, &known));
        loop {
            match events.recv().await {
                Ok(Event::Meter(_) | Event::Removed { .. }) | Err(RecvError::Lagged(_)) => break,
                Ok(_) => {}
                Err(RecvError::Closed) => return,
            }
        }
    }
}

fn board_of(hub: &Hub, known: &BTreeSet<String>) -> Board {
    let meters = hub.meters();
    // A head that was moved to another meter, or two heads at one: who read it last speaks for it. If
    // both did, they would contradict each other without end.
    let mut speakers: BTreeMap<&str, &MeterState> = BTreeMap::new();
    for state in meters.values() {
        let Some(meter) = &state.meter else { continue };
        let speaker = speakers.entry(&meter.serial).or_insert(state);
        if state.read_at > speaker.read_at {
            *speaker = state;
        }
    }
    let is_unknown = |state: &&Arc<MeterState>| state.meter.is_none();
    Board {
        starting: meters.values().filter(|state| !state.has_begun()).count(),
        unidentified: meters.values().filter(is_unknown).count(),
        meters: speakers.into_values().filter_map(card).collect(),
        known: known.clone(),
    }
}

fn card(state: &MeterState) -> Option<Arc<MeterCard>> {
    let meter = Arc::new(state.meter.clone()?);
    Some(Arc::new(MeterCard {
        meter,
        name: state.name.clone(),
        model: state.model,
        registers: state.registers.clone(),
        readings: state
            .readings
            .values()
            .map(|(reading, _)| reading.clone())
            .collect(),
        verdict: state.verdict,
    }))
}

/// Orders that come by the broker, until it is told to stop or the connection is no longer kept.
async fn obey(hub: Hub, mut service: mqtt::Service, stop: tokio_util::sync::CancellationToken) {
    loop {
        let serial = tokio::select! {
            () = stop.cancelled() => break,
            serial = service.next_order() => serial,
        };
        let Some(serial) = serial else { break };
        if let Some(state) = hub.meter(&serial) {
            let order = Order::Read {
                registers: None,
                answer: None,
            };
            hub.order(&state.slot, order).await;
        }
    }
    service.close().await;
}

#[cfg(test)]
mod tests {
    use heatmeter_history::Meter;
    use jiff::Timestamp;
    use kamstrup_kmp::Verdict;

    use super::*;
    use crate::config::Config;
    use crate::hub::Doing;
    use crate::line;

    #[test]
    fn of_two_slots_with_one_meter_the_one_that_read_it_last_speaks() {
        let text = "[[meter]]\nname = \"a\"\nport = \"/dev/a\"\n[[meter]]\nname = \"b\"\nport = \"/dev/b\"\n";
        let config = Config::parse(text, "heatmeter.toml", &|_| None).unwrap();
        let hub = Hub::new();
        let tell = |slot: usize, second, verdict| {
            let mut state = line::state(&config.meters[slot]);
            state.meter = Some(Meter {
                serial: "84968362".to_owned(),
                model: None,
                type_code: None,
                software: None,
            });
            state.read_at = Timestamp::from_second(second).ok();
            state.verdict = Some(verdict);
            hub.tell(state);
        };
        let spoken = |hub: &Hub| {
            let board = board_of(hub, &BTreeSet::new());
            assert_eq!((board.meters.len(), board.unidentified), (1, 0));
            (board.meters[0].name.clone(), board.meters[0].verdict)
        };
        tell(0, 200, Verdict::Ok);
        tell(1, 100, Verdict::Silent);
        assert_eq!(spoken(&hub), ("a".to_owned(), Some(Verdict::Ok)));
        tell(1, 300, Verdict::Ok);
        assert_eq!(spoken(&hub), ("b".to_owned(), Some(Verdict::Ok)));
    }

    #[test]
    fn a_meter_whose_line_has_not_begun_is_not_taken_for_one_that_is_gone() {
        let config = Config::parse("port = \"/dev/ttyUSB0\"", "heatmeter.toml", &|_| None).unwrap();
        let hub = Hub::new();
        let mut state = line::state(&config.meters[0]);
        hub.tell(state.clone());
        let board = board_of(&hub, &BTreeSet::new());
        assert_eq!((board.starting, board.unidentified), (1, 1));

        state.next_at = Some("2026-11-26T17:00:00Z".parse().unwrap());
        hub.tell(state.clone());
        let board = board_of(&hub, &BTreeSet::new());
        assert_eq!((board.starting, board.unidentified), (0, 1));

        // Others' readings go out while the head of one is aligned.
        state.next_at = None;
        state.doing = Doing::Aligning;
        hub.tell(state);
        assert_eq!(board_of(&hub, &BTreeSet::new()).starting, 0);
    }
}

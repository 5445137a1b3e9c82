//! What the broker is told of the hub, and what it tells the hub.

use std::collections::BTreeSet;
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
    let cards = meters.values().filter_map(|state| card(state));
    let cards: Vec<_> = cards.collect();
    Board {
        unidentified: meters.len() - cards.len(),
        meters: cards,
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

/// Orders that come by the broker, until it is told to stop.
async fn obey(hub: Hub, mut service: mqtt::Service, stop: tokio_util::sync::CancellationToken) {
    loop {
        let serial = tokio::select! {
            () = stop.cancelled() => break,
            serial = service.orders.recv() => serial,
        };
        let Some(serial) = serial else {
            stop.cancelled().await;
            break;
        };
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

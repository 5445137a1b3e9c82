use std::time::Duration;

use heatmeter_history::{History, Keep, Poll, PollId};
use jiff::{SignedDuration, Timestamp};

use crate::bench_meter::{Place, at, energy};

const HOUR: Duration = Duration::from_hours(1);

fn hourly(count: i64) -> Vec<Poll> {
    (0..count)
        .map(|hour| {
            let mut poll = energy("1", "2026-11-01T00:00:00Z", "100");
            poll.at += SignedDuration::from_hours(hour);
            poll
        })
        .collect()
}

fn now() -> Timestamp {
    at("2026-11-01T00:00:00Z") + SignedDuration::from_hours(2000)
}

async fn left(history: &History) -> (u64, PollId) {
    let polls = history.polls("1", Timestamp::MIN, Timestamp::MAX, 1).await;
    let first = polls.unwrap().first().map_or(PollId(0), |stored| stored.id);
    (history.extent().await.unwrap().polls, first)
}

#[tokio::test]
async fn what_is_not_delivered_is_kept_longer() {
    let place = Place::new();
    let history = place.open().await;
    history.pending("mqtt", true, 1).await.unwrap();
    let ids = history.record_all(hourly(2000)).await.unwrap();
    history.acknowledge("mqtt", ids[699]).await.unwrap();
    let keep = |readings: u32, undelivered: u32| Keep {
        readings: HOUR * readings,
        undelivered: HOUR * undelivered,
    };
    assert_eq!(history.prune(now(), keep(1500, 1800)).await.unwrap(), 500);
    assert_eq!(left(&history).await, (1500, ids[500]));
    // 700 are acknowledged, and no more are deleted of those that are younger than that.
    assert_eq!(history.prune(now(), keep(1000, 1800)).await.unwrap(), 200);
    assert_eq!(left(&history).await, (1300, ids[700]));
    // After that long nobody waits any more.
    assert_eq!(history.prune(now(), keep(1000, 1200)).await.unwrap(), 100);
    assert_eq!(left(&history).await, (1200, ids[800]));
    assert_eq!(history.backlog("mqtt").await.unwrap(), 1200);
}

#[tokio::test]
async fn ids_go_on_growing_when_everything_was_deleted() {
    let place = Place::new();
    let history = place.open().await;
    let ids = history.record_all(hourly(20)).await.unwrap();
    let nothing = Keep {
        readings: Duration::ZERO,
        undelivered: Duration::ZERO,
    };
    assert_eq!(history.prune(now(), nothing).await.unwrap(), 19);
    history.close().await.unwrap();
    let history = place.open().await;
    let next = history
        .record(energy("1", "2026-11-22T00:00:00Z", "200"))
        .await
        .unwrap();
    assert!(next > ids[19]);
}

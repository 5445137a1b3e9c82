use std::time::Duration;

use heatmeter_history::{Health, History, HistoryError, Keep, Poll, Settings};
use jiff::{SignedDuration, Timestamp};
use kamstrup_kmp::{Decimal, Unit};

use crate::bench_meter::{ENERGY, Place, at, number, poll, settings};

/// A poll with as many registers as a meter has, so that the file fills quickly.
fn large(n: i64) -> Poll {
    let time: Timestamp = at("2026-11-22T00:00:00Z") + SignedDuration::from_mins(n);
    let readings = (0..60).map(|register| {
        let register = heatmeter_catalog::RegisterId(ENERGY.0 + register);
        let value = Decimal::new(i128::from(n) * 1_000_000_007, -3).to_string();
        number(register, Unit::KWH, &value)
    });
    poll("1", time, readings.collect())
}

async fn fill(history: &History) -> (i64, Vec<Timestamp>) {
    for n in 0.. {
        match history.record(large(n)).await {
            Ok(_) => {}
            Err(HistoryError::Waits { .. }) => return (n, vec![large(n).at]),
            Err(other) => panic!("{other:?}"),
        }
    }
    unreachable!("the file never fills");
}

/// Deletes what is old, and waits until what waited is written.
async fn make_room(history: &History, now: Timestamp) {
    let keep = Keep {
        readings: Duration::from_mins(10),
        undelivered: Duration::from_mins(10),
    };
    history.prune(now, keep).await.unwrap();
    let mut health = history.health();
    health
        .wait_for(|health| *health == Health::Fine)
        .await
        .unwrap();
}

fn small() -> Settings {
    Settings {
        largest: Some(400 << 10),
        may_wait: 5,
        ..settings()
    }
}

#[tokio::test]
async fn polls_wait_while_the_disk_is_full_and_are_written_when_there_is_room() {
    let place = Place::new();
    let (history, _) = History::open(&place.path, small()).await.unwrap();
    let (kept, mut waiting) = fill(&history).await;
    assert_eq!(*history.health().borrow(), Health::DiskFull { waiting: 1 });
    for n in kept + 1..kept + 5 {
        let error = history.record(large(n)).await.unwrap_err();
        assert!(matches!(error, HistoryError::Waits { .. }), "{error:?}");
        waiting.push(large(n).at);
    }
    // Five fit. Those that came first are kept.
    let error = history.record(large(kept + 5)).await.unwrap_err();
    assert!(
        matches!(error, HistoryError::Lost { waiting: 5, .. }),
        "{error:?}"
    );
    assert!(error.help().contains("make room"), "{}", error.help());
    // What is there can be read.
    assert_eq!(
        history.newest("1").await.unwrap().unwrap().poll,
        large(kept - 1)
    );

    make_room(&history, large(kept).at).await;
    let all = history
        .polls("1", large(kept).at, Timestamp::MAX, 100)
        .await
        .unwrap();
    let times: Vec<_> = all.iter().map(|stored| stored.poll.at).collect();
    assert_eq!(times, waiting);
    assert_eq!(all.last().unwrap().poll, large(kept + 4));
    history.record(large(kept + 6)).await.unwrap();
}

#[tokio::test]
async fn a_poll_that_cannot_be_written_takes_no_other_with_it() {
    let place = Place::new();
    let (history, _) = History::open(&place.path, small()).await.unwrap();
    let (kept, mut waiting) = fill(&history).await;
    let mut refused = large(kept + 1);
    refused.line.requests = 77;
    history.record(refused).await.unwrap_err();
    history.record(large(kept + 2)).await.unwrap_err();
    waiting.push(large(kept + 2).at);
    rusqlite::Connection::open(&place.path)
        .unwrap()
        .execute_batch(
            "CREATE TRIGGER refuse BEFORE INSERT ON polls WHEN new.requests = 77
             BEGIN SELECT raise(ABORT, 'not this one'); END",
        )
        .unwrap();

    make_room(&history, large(kept).at).await;
    let all = history
        .polls("1", large(kept).at, Timestamp::MAX, 100)
        .await
        .unwrap();
    let times: Vec<_> = all.iter().map(|stored| stored.poll.at).collect();
    assert_eq!(times, waiting);
}

#[tokio::test]
async fn what_waits_at_the_end_is_told_to_be_lost() {
    let place = Place::new();
    let (history, _) = History::open(&place.path, small()).await.unwrap();
    let (kept, _) = fill(&history).await;
    let error = history.close().await.unwrap_err();
    assert!(
        matches!(error, HistoryError::Lost { waiting: 1, .. }),
        "{error:?}"
    );
    // Everything before is there.
    let history = place.open().await;
    let newest = history.newest("1").await.unwrap().unwrap();
    assert_eq!(newest.poll, large(kept - 1));
}

#[tokio::test]
async fn a_poll_that_waits_and_comes_again_is_one() {
    let place = Place::new();
    let (history, _) = History::open(&place.path, small()).await.unwrap();
    let (kept, _) = fill(&history).await;
    history.record(large(kept)).await.unwrap_err();
    make_room(&history, large(kept).at).await;
    let found = history
        .polls("1", large(kept).at, Timestamp::MAX, 9)
        .await
        .unwrap();
    assert_eq!(found.len(), 1);
}

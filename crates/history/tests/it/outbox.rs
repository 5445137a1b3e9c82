use heatmeter_catalog::{RegisterId, Unit};
use heatmeter_history::{Poll, PollId, Stored};

use crate::bench_meter::{ENERGY, Place, energy, number};

const FLOW: RegisterId = RegisterId(74);

fn hourly(serial: &str, count: i64) -> Vec<Poll> {
    (0..count)
        .map(|hour| {
            let mut poll = energy(serial, "2026-11-22T00:59:50Z", "100");
            poll.at += jiff::SignedDuration::from_hours(hour);
            poll
        })
        .collect()
}

fn ids(stored: &[Stored]) -> Vec<PollId> {
    stored.iter().map(|stored| stored.id).collect()
}

#[tokio::test]
async fn what_is_not_acknowledged_comes_again_in_order_after_a_restart() {
    let place = Place::new();
    let history = place.open().await;
    assert_eq!(history.pending("mqtt", false, 10).await.unwrap(), []);
    let all = history.record_all(hourly("1", 5)).await.unwrap();
    assert_eq!(
        ids(&history.pending("mqtt", false, 3).await.unwrap()),
        all[..3]
    );
    history.acknowledge("mqtt", all[1]).await.unwrap();
    assert_eq!(history.backlog("mqtt").await.unwrap(), 3);
    history.close().await.unwrap();

    let history = place.open().await;
    assert_eq!(
        ids(&history.pending("mqtt", false, 10).await.unwrap()),
        all[2..]
    );
    // An acknowledgement that arrives late takes nothing back.
    history.acknowledge("mqtt", all[3]).await.unwrap();
    history.acknowledge("mqtt", all[0]).await.unwrap();
    assert_eq!(
        ids(&history.pending("mqtt", false, 10).await.unwrap()),
        all[4..]
    );
    assert_eq!(
        history.places().await.unwrap(),
        [("mqtt".to_owned(), all[3])]
    );
}

#[tokio::test]
async fn a_new_place_starts_with_the_next_poll_or_with_the_first() {
    let place = Place::new();
    let history = place.open().await;
    let before = history.record_all(hourly("1", 3)).await.unwrap();
    assert_eq!(history.backlog("influx").await.unwrap(), 0);
    assert_eq!(history.pending("influx", false, 10).await.unwrap(), []);
    assert_eq!(
        ids(&history.pending("archive", true, 10).await.unwrap()),
        before
    );
    let next = history.record_all(hourly("2", 1)).await.unwrap();
    assert_eq!(
        ids(&history.pending("influx", false, 10).await.unwrap()),
        next
    );
    assert_eq!(history.backlog("archive").await.unwrap(), 4);
}

#[tokio::test]
async fn what_was_the_latest_before_a_poll_can_be_told() {
    let place = Place::new();
    let history = place.open().await;
    let mut polls = hourly("1", 4);
    for hour in [0, 2] {
        polls[hour]
            .readings
            .push(number(FLOW, Unit::LITRE_PER_HOUR, "38"));
    }
    polls.insert(1, energy("2", "2026-11-22T01:00:00Z", "7"));
    let ids = history.record_all(polls.clone()).await.unwrap();
    let before = async |nth: usize| {
        let stored = Stored {
            id: ids[nth],
            poll: polls[nth].clone(),
        };
        let latest = history.latest_before("1", &stored).await.unwrap();
        let latest = latest.into_iter();
        latest
            .map(|latest| (latest.reading.register, latest.at))
            .collect::<Vec<_>>()
    };
    let (first, second, third) = (polls[0].at, polls[2].at, polls[3].at);
    assert_eq!(before(0).await, []);
    // That of another meter is none of its.
    assert_eq!(before(2).await, [(ENERGY, first), (FLOW, first)]);
    assert_eq!(before(3).await, [(ENERGY, second), (FLOW, first)]);
    assert_eq!(before(4).await, [(ENERGY, third), (FLOW, third)]);
}

#[tokio::test]
async fn a_forgotten_place_starts_anew() {
    let place = Place::new();
    let history = place.open().await;
    history.pending("old", true, 1).await.unwrap();
    history.record_all(hourly("1", 3)).await.unwrap();
    history.forget_place("old").await.unwrap();
    assert_eq!(history.places().await.unwrap(), []);
    assert_eq!(history.pending("old", false, 10).await.unwrap(), []);
}

#[tokio::test]
async fn many_who_record_at_once_are_all_kept_each_once() {
    let place = Place::new();
    let history = place.open().await;
    history.pending("all", true, 1).await.unwrap();
    let mut tasks = tokio::task::JoinSet::new();
    for serial in 0..20 {
        let history = history.clone();
        tasks.spawn(async move {
            for poll in hourly(&serial.to_string(), 20) {
                history.record(poll).await.unwrap();
            }
        });
    }
    tasks.join_all().await;
    let all = history.pending("all", true, 1000).await.unwrap();
    assert_eq!(all.len(), 400);
    for serial in 0..20 {
        let serial = serial.to_string();
        let times: Vec<_> = all
            .iter()
            .filter(|stored| stored.poll.serial == serial)
            .map(|stored| stored.poll.at)
            .collect();
        assert_eq!(times.len(), 20);
        assert!(times.is_sorted());
    }
}

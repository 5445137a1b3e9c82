//! The supplier, with destinations that do as told.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use heatmeter_history::Stored;
use heatmeter_publish::{DeliveryError, Destination, Known, Pauses, Place};

use crate::outbox::{Outbox, poll, until, until_empty};

type Answer = Box<dyn FnMut(&[Stored]) -> Result<(), DeliveryError> + Send>;

/// Keeps the ids of what it took; a function decides what that is.
struct Scripted {
    taken: Arc<Mutex<Vec<String>>>,
    answer: Answer,
}

fn scripted(
    answer: impl FnMut(&[Stored]) -> Result<(), DeliveryError> + Send + 'static,
) -> (Scripted, Arc<Mutex<Vec<String>>>) {
    let taken = Arc::default();
    let destination = Scripted {
        taken: Arc::clone(&taken),
        answer: Box::new(answer),
    };
    (destination, taken)
}

impl Destination for Scripted {
    async fn deliver(&mut self, polls: &[Stored], _: &Known) -> Result<(), DeliveryError> {
        (self.answer)(polls)?;
        let ids = polls.iter().map(|stored| stored.poll.id());
        self.taken.lock().unwrap().extend(ids);
        Ok(())
    }

    async fn test(&mut self) -> Result<(), DeliveryError> {
        Ok(())
    }

    fn batch(&self) -> usize {
        8
    }
}

fn away() -> Result<(), DeliveryError> {
    Err(DeliveryError::trouble("nobody is there", "Wait."))
}

fn refuse() -> Result<(), DeliveryError> {
    Err(DeliveryError::refused("this is refused", "Look."))
}

fn ids(numbers: impl IntoIterator<Item = u32>) -> Vec<String> {
    numbers
        .into_iter()
        .map(|number| poll(number).id())
        .collect()
}

fn among(polls: &[Stored], number: u32) -> bool {
    polls
        .iter()
        .any(|stored| stored.poll.id() == poll(number).id())
}

#[tokio::test]
async fn an_outage_closes_in_order() {
    let outbox = Outbox::new().await;
    let mut failures = 3;
    let (destination, taken) = scripted(move |_| {
        failures -= 1;
        if failures >= 0 { away() } else { Ok(()) }
    });
    let supplier = outbox.supply("place", destination).await;
    let mut progress = supplier.progress();
    outbox.record(0..20).await;
    let told = until(&mut progress, |p| p.delivered == 20).await;
    assert_eq!(told.trouble, None);
    assert!(told.delivered_at.is_some());
    assert_eq!(*taken.lock().unwrap(), ids(0..20));
    supplier.stop().await;
}

#[tokio::test]
async fn trouble_is_told_until_it_is_over() {
    let outbox = Outbox::new().await;
    let is_there = Arc::new(Mutex::new(false));
    let seen = Arc::clone(&is_there);
    let (destination, _) = scripted(move |_| {
        if *seen.lock().unwrap() {
            Ok(())
        } else {
            away()
        }
    });
    let supplier = outbox.supply("place", destination).await;
    let mut progress = supplier.progress();
    outbox.record(0..3).await;
    let told = until(&mut progress, |p| p.pending == 3 && p.trouble.is_some()).await;
    assert_eq!(told.trouble, away().err());
    *is_there.lock().unwrap() = true;
    let told = until(&mut progress, |p| p.pending == 0).await;
    assert_eq!((told.trouble, told.delivered), (None, 3));
}

#[tokio::test]
async fn a_refused_poll_does_not_block_the_others() {
    let outbox = Outbox::new().await;
    let (destination, taken) = scripted(|polls| {
        if among(polls, 5) || among(polls, 6) || among(polls, 15) {
            refuse()
        } else {
            Ok(())
        }
    });
    outbox.history.pending("place", false, 1).await.unwrap();
    outbox.record(0..20).await;
    let supplier = outbox.supply("place", destination).await;
    let told = until(&mut supplier.progress(), |p| p.pending == 0).await;
    assert_eq!((told.delivered, told.refused), (17, 3));
    let expected = (0..20).filter(|number| ![5, 6, 15].contains(number));
    assert_eq!(*taken.lock().unwrap(), ids(expected));
}

#[tokio::test]
async fn who_refuses_everything_gets_everything_later() {
    let outbox = Outbox::new().await;
    let is_mended = Arc::new(Mutex::new(false));
    let seen = Arc::clone(&is_mended);
    let (destination, taken) = scripted(move |_| {
        if *seen.lock().unwrap() {
            Ok(())
        } else {
            refuse()
        }
    });
    let supplier = outbox.supply("place", destination).await;
    let mut progress = supplier.progress();
    outbox.record(0..30).await;
    let told = until(&mut progress, |p| p.pending == 30 && p.trouble.is_some()).await;
    assert_eq!((told.delivered, told.refused), (0, 0));
    *is_mended.lock().unwrap() = true;
    until_empty(&mut progress, 30).await;
    assert_eq!(*taken.lock().unwrap(), ids(0..30));
}

#[tokio::test]
async fn however_many_are_refused_the_next_that_is_taken_is_found() {
    let outbox = Outbox::new().await;
    let (destination, taken) = scripted(move |polls| {
        if polls
            .iter()
            .all(|stored| ids(250..253).contains(&stored.poll.id()))
        {
            Ok(())
        } else {
            refuse()
        }
    });
    let supplier = outbox.supply("place", destination).await;
    let mut progress = supplier.progress();
    outbox.record(0..253).await;
    let told = until(&mut progress, |p| p.pending == 0).await;
    assert_eq!((told.delivered, told.refused), (3, 250));
    assert_eq!(*taken.lock().unwrap(), ids(250..253));
    supplier.stop().await;
}

#[tokio::test]
async fn after_a_restart_it_goes_on_where_it_was() {
    let outbox = Outbox::new().await;
    let (first, taken_first) = scripted(|polls| if among(polls, 10) { away() } else { Ok(()) });
    let supplier = outbox.supply("place", first).await;
    outbox.record(0..10).await;
    until_empty(&mut supplier.progress(), 10).await;
    outbox.record(10..12).await;
    until(&mut supplier.progress(), |p| p.trouble.is_some()).await;
    supplier.stop().await;

    let (second, taken_second) = scripted(|_| Ok(()));
    let supplier = outbox.supply("place", second).await;
    until_empty(&mut supplier.progress(), 2).await;
    assert_eq!(*taken_first.lock().unwrap(), ids(0..10));
    assert_eq!(*taken_second.lock().unwrap(), ids(10..12));
}

#[tokio::test]
async fn a_new_place_gets_what_comes_or_what_there_is() {
    let outbox = Outbox::new().await;
    outbox.record(0..4).await;
    let (next, taken_next) = scripted(|_| Ok(()));
    let (all, taken_all) = scripted(|_| Ok(()));
    let next = outbox.supply("next", next).await;
    let place = Place {
        from_the_start: true,
        ..Place::new("all")
    };
    let all = outbox.supply_at(place, all).await;
    outbox.record(4..6).await;
    until_empty(&mut next.progress(), 2).await;
    until_empty(&mut all.progress(), 6).await;
    assert_eq!(*taken_next.lock().unwrap(), ids(4..6));
    assert_eq!(*taken_all.lock().unwrap(), ids(0..6));
}

#[tokio::test]
async fn a_nudge_ends_the_pause() {
    let outbox = Outbox::new().await;
    let mut is_first = true;
    let (destination, _) = scripted(move |_| {
        if std::mem::take(&mut is_first) {
            away()
        } else {
            Ok(())
        }
    });
    let day = Duration::from_hours(24);
    let place = Place {
        pauses: Pauses {
            first: day,
            longest: day,
        },
        ..Place::new("place")
    };
    let supplier = outbox.supply_at(place, destination).await;
    let mut progress = supplier.progress();
    outbox.record(0..1).await;
    until(&mut progress, |p| p.trouble.is_some()).await;
    // What comes meanwhile is counted, and does not shorten the pause.
    outbox.record(1..3).await;
    until(&mut progress, |p| p.pending == 3).await;
    supplier.nudge();
    until_empty(&mut progress, 3).await;
}

/// Takes nothing and says nothing.
struct Hanging(Arc<tokio::sync::Notify>);

impl Destination for Hanging {
    async fn deliver(&mut self, _: &[Stored], _: &Known) -> Result<(), DeliveryError> {
        self.0.notify_one();
        std::future::pending().await
    }

    async fn test(&mut self) -> Result<(), DeliveryError> {
        Ok(())
    }
}

#[tokio::test]
async fn a_delivery_that_hangs_does_not_keep_it_from_stopping() {
    let outbox = Outbox::new().await;
    let hangs = Arc::default();
    let supplier = outbox.supply("place", Hanging(Arc::clone(&hangs))).await;
    outbox.record(0..1).await;
    hangs.notified().await;
    supplier.stop().await;
    assert_eq!(outbox.history.backlog("place").await.unwrap(), 1);
}

#[tokio::test]
async fn it_ends_with_the_history() {
    let outbox = Outbox::new().await;
    let (destination, _) = scripted(|_| Ok(()));
    let supplier = outbox.supply("place", destination).await;
    outbox.history.clone().close().await.unwrap();
    let mut progress = supplier.progress();
    // Whoever told the progress is gone.
    while progress.changed().await.is_ok() {}
    supplier.stop().await;
}

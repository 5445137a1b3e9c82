use std::fs;
use std::io::{Seek, SeekFrom, Write};

use heatmeter_history::{Bars, By, History, Opened, Poll};
use jiff::SignedDuration;
use jiff::tz::TimeZone;
use kamstrup_kmp::{Decimal, Unit, Verdict};

use crate::bench_meter::{ENERGY, POWER, Place, at, failed, meter, number, poll, settings};

const PAGE: u64 = 4096;
const NOISE: [u8; 4096] = [0xA5; 4096];

fn hourly(hours: i64) -> Vec<Poll> {
    (0..hours)
        .map(|hour| {
            let time = at("2026-01-01T00:00:00Z") + SignedDuration::from_hours(hour);
            let power = Decimal::new(i128::from(hour % 77), -1).to_string();
            let readings = vec![
                number(ENERGY, Unit::KWH, &(1000 + hour).to_string()),
                number(POWER, Unit::KW, &power),
            ];
            poll("84968362", time, readings)
        })
        .collect()
}

/// A history of so many hours that was closed cleanly.
async fn filled(place: &Place, hours: i64) {
    let history = place.open().await;
    history.introduce(meter("84968362")).await.unwrap();
    history.pending("mqtt", true, 1).await.unwrap();
    let ids = history.record_all(hourly(hours)).await.unwrap();
    history
        .acknowledge("mqtt", ids[ids.len() - 10])
        .await
        .unwrap();
    history
        .remember("84968362", "gate".to_owned())
        .await
        .unwrap();
    history.close().await.unwrap();
}

fn overwrite(place: &Place, pages: impl Iterator<Item = u64>) {
    let mut file = fs::File::options().write(true).open(&place.path).unwrap();
    for page in pages {
        file.seek(SeekFrom::Start(page * PAGE)).unwrap();
        file.write_all(&NOISE).unwrap();
    }
}

/// Opens what was damaged, and gives what is left of the polls, all of them as they were.
async fn salvaged(place: &Place, hours: i64) -> (History, usize) {
    let damaged = fs::read(&place.path).unwrap();
    let (history, opened) = History::open(&place.path, settings()).await.unwrap();
    let Opened::Salvaged { kept, polls } = opened else {
        panic!("{opened:?}");
    };
    assert_eq!(fs::read(&kept).unwrap(), damaged);
    let all = hourly(hours);
    let found = history
        .polls("84968362", all[0].at, jiff::Timestamp::MAX, 100_000)
        .await
        .unwrap();
    assert_eq!(found.len() as u64, polls);
    for stored in &found {
        assert_eq!(stored.poll, all[usize::try_from(stored.id.0 - 1).unwrap()]);
    }
    (history, found.len())
}

#[tokio::test]
async fn damaged_pages_cost_the_polls_on_them_and_no_others() {
    let place = Place::new();
    filled(&place, 3000).await;
    let pages = fs::metadata(&place.path).unwrap().len() / PAGE;
    assert!(pages > 100, "{pages}");
    // Five pages in the midst of it.
    overwrite(&place, (0..5).map(|n| pages / 2 + n * 7));
    let (history, polls) = salvaged(&place, 3000).await;
    assert!((2000..3000).contains(&polls), "{polls}");
    // It goes on as before: same ids, same cursor, same memory.
    assert_eq!(history.meters().await.unwrap(), [meter("84968362")]);
    assert_eq!(
        history.recall("84968362").await.unwrap().as_deref(),
        Some("gate")
    );
    let pending = history.pending("mqtt", false, 100).await.unwrap();
    assert!(pending.iter().all(|stored| stored.id.0 > 2990));
    history
        .record(failed("84968362", "2026-11-22T00:00:00Z", Verdict::Silent))
        .await
        .unwrap();
    history.close().await.unwrap();
    let history = place.open().await;
    assert_eq!(*history.opened().borrow(), Opened::Whole);
}

#[tokio::test]
async fn roll_ups_of_deleted_polls_are_taken_over() {
    use heatmeter_history::Keep;
    let place = Place::new();
    filled(&place, 3000).await;
    let history = place.open().await;
    let day = std::time::Duration::from_hours(24);
    let keep = Keep {
        readings: day,
        undelivered: day,
    };
    let now = hourly(3000)[2999].at;
    history.prune(now, keep).await.unwrap();
    let bars = Bars {
        register: ENERGY,
        by: By::Month,
        from: at("2026-01-01T00:00:00Z"),
        to: at("2026-05-01T00:00:00Z"),
        time_zone: TimeZone::UTC,
        now,
    };
    let before = history.amounts("84968362", bars.clone()).await.unwrap();
    history.close().await.unwrap();
    // The first page of the table of polls: what is left of them is lost.
    let root = root_of(&place, "polls");
    overwrite(&place, std::iter::once(root - 1));
    let (history, polls) = salvaged(&place, 3000).await;
    assert_eq!(polls, 0);
    let after = history.amounts("84968362", bars).await.unwrap();
    assert_eq!(after, before);
}

fn root_of(place: &Place, table: &str) -> u64 {
    let connection = rusqlite::Connection::open(&place.path).unwrap();
    connection
        .query_row(
            "SELECT rootpage FROM sqlite_schema WHERE name = ?",
            [table],
            |row| row.get::<_, i64>(0),
        )
        .unwrap()
        .unsigned_abs()
}

#[tokio::test]
async fn a_file_without_its_beginning_is_kept_and_a_new_one_begun() {
    let place = Place::new();
    filled(&place, 100).await;
    overwrite(&place, 0..1);
    let (history, polls) = salvaged(&place, 100).await;
    assert_eq!(polls, 0);
    history.record(hourly(1).remove(0)).await.unwrap();
    history.close().await.unwrap();
    assert_eq!(
        place.files(),
        ["history.db", "history.db.damaged", "history.db.lock"]
    );
}

#[tokio::test]
async fn a_file_that_was_cut_off_is_salvaged() {
    let place = Place::new();
    filled(&place, 3000).await;
    let length = fs::metadata(&place.path).unwrap().len();
    let file = fs::File::options().write(true).open(&place.path).unwrap();
    file.set_len(length / PAGE * 2 / 3 * PAGE + 100).unwrap();
    drop(file);
    let (_, polls) = salvaged(&place, 3000).await;
    assert!(polls > 300, "{polls}");
}

#[tokio::test]
async fn damage_that_comes_while_it_runs_is_salvaged_and_nothing_more_is_lost() {
    let place = Place::new();
    filled(&place, 3000).await;
    let history = place.open().await;
    let pages = fs::metadata(&place.path).unwrap().len() / PAGE;
    overwrite(&place, pages / 4..pages - 4);
    // Reading all of it meets the damage.
    let found = history
        .polls(
            "84968362",
            at("2026-01-01T00:00:00Z"),
            jiff::Timestamp::MAX,
            10_000,
        )
        .await
        .unwrap();
    assert!(found.len() < 3000);
    let opened = history.opened().borrow().clone();
    assert!(matches!(opened, Opened::Salvaged { .. }), "{opened:?}");
    let newer = failed("84968362", "2026-11-22T00:00:00Z", Verdict::Silent);
    history.record(newer.clone()).await.unwrap();
    let newest = history.newest("84968362").await.unwrap().unwrap();
    assert_eq!(newest.poll, newer);
}

#[tokio::test]
async fn a_salvage_that_was_interrupted_is_finished() {
    let place = Place::new();
    filled(&place, 50).await;
    // As after a crash between the two renamings: the salvaged file is complete.
    fs::copy(&place.path, place.folder.path().join("history.db.salvaged")).unwrap();
    overwrite(&place, 0..3);
    fs::write(place.folder.path().join("history.db-wal"), b"old").unwrap();
    let history = place.open().await;
    assert_eq!(*history.opened().borrow(), Opened::Whole);
    assert_eq!(history.extent().await.unwrap().polls, 50);
    history.close().await.unwrap();
    assert_eq!(
        place.files(),
        [
            "history.db",
            "history.db.damaged",
            "history.db.damaged-wal",
            "history.db.lock"
        ]
    );
}

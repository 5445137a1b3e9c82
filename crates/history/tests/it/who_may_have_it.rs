use std::fs;

use heatmeter_history::{History, HistoryError, Opened, Settings};

use crate::bench_meter::{Place, energy};

async fn refused(place: &Place) -> HistoryError {
    let opened = History::open(&place.path, Settings::default()).await;
    opened.map(|(_, opened)| opened).unwrap_err()
}

#[tokio::test]
async fn only_one_service_at_a_time_has_it() {
    let place = Place::new();
    let history = place.open().await;
    let error = refused(&place).await;
    assert!(matches!(error, HistoryError::InUse { .. }), "{error:?}");
    assert!(error.to_string().starts_with("another heatmeter is using"));
    history.close().await.unwrap();
    place.open().await;
}

#[tokio::test]
async fn a_folder_that_is_missing_is_named() {
    let mut place = Place::new();
    place.path = place.folder.path().join("no/such/history.db");
    let error = refused(&place).await;
    assert!(matches!(error, HistoryError::Open { .. }), "{error:?}");
    assert!(error.help().contains("no/such"), "{}", error.help());
}

#[tokio::test]
async fn somebody_elses_file_is_left_alone() {
    let place = Place::new();
    fs::write(&place.path, "[[meter]]\nport = \"/dev/ttyUSB0\"\n").unwrap();
    let error = refused(&place).await;
    assert!(matches!(error, HistoryError::Foreign { .. }), "{error:?}");
    fs::remove_file(&place.path).unwrap();
    let other = rusqlite::Connection::open(&place.path).unwrap();
    other
        .execute_batch("CREATE TABLE songs (name TEXT)")
        .unwrap();
    other.close().unwrap();
    let before = fs::read(&place.path).unwrap();
    let error = refused(&place).await;
    assert!(matches!(error, HistoryError::Foreign { .. }), "{error:?}");
    assert_eq!(fs::read(&place.path).unwrap(), before);
}

#[tokio::test]
async fn an_empty_file_becomes_a_history() {
    let place = Place::new();
    fs::write(&place.path, "").unwrap();
    let history = place.open().await;
    assert_eq!(*history.opened().borrow(), Opened::Fresh);
    history
        .record(energy("1", "2026-11-22T00:00:00Z", "1"))
        .await
        .unwrap();
}

#[tokio::test]
async fn a_newer_layout_is_refused_and_left_alone() {
    let place = Place::new();
    place.open().await.close().await.unwrap();
    let connection = rusqlite::Connection::open(&place.path).unwrap();
    connection.pragma_update(None, "user_version", 99).unwrap();
    connection.close().unwrap();
    let error = refused(&place).await;
    let HistoryError::Newer {
        found: 99, known, ..
    } = error
    else {
        panic!("{error:?}");
    };
    assert_eq!(known, 1);
    assert!(error.help().contains("newer version"), "{}", error.help());
}

/// Root may write everything, so this tells only others something.
#[tokio::test]
async fn a_file_that_may_not_be_written_is_told() {
    use std::os::unix::fs::PermissionsExt;
    let place = Place::new();
    place.open().await.close().await.unwrap();
    let read_only = fs::Permissions::from_mode(0o444);
    fs::set_permissions(&place.path, read_only).unwrap();
    if fs::File::options().write(true).open(&place.path).is_err() {
        let error = refused(&place).await;
        assert!(matches!(error, HistoryError::ReadOnly { .. }), "{error:?}");
    }
}

use std::fs;

use heatmeter_history::{Archive, Format, History, HistoryError, Opened, Selection};
use kamstrup_kmp::Verdict;

use crate::bench_meter::{Place, at, energy, failed, meter, settings};

async fn filled(history: &History) {
    history.introduce(meter("84968362")).await.unwrap();
    let polls = vec![
        energy("84968362", "2026-11-22T00:59:50Z", "1234.50"),
        failed("84968362", "2026-11-22T01:59:50Z", Verdict::EchoOnly),
        energy("84968362", "2026-11-22T02:59:50Z", "1236.00"),
        energy("7", "2026-11-22T02:59:50Z", "9"),
    ];
    history.record_all(polls).await.unwrap();
}

fn exported(archive: &Archive, selection: &Selection, format: Format) -> String {
    let mut out = Vec::new();
    archive.export(selection, format, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

#[tokio::test]
async fn a_backup_is_made_while_the_service_writes() {
    let place = Place::new();
    let history = place.open().await;
    filled(&history).await;
    let copy = place.folder.path().join("copy.db");
    let archive = Archive::open(&place.path).unwrap();
    let mut seen = (0, 0);
    archive
        .backup(&copy, |done, total| seen = (done, total))
        .unwrap();
    assert!(seen.0 > 0 && seen.0 == seen.1, "{seen:?}");
    history
        .record(energy("7", "2026-11-22T03:59:50Z", "10"))
        .await
        .unwrap();
    let again = archive.backup(&copy, |_, _| ()).unwrap_err();
    assert!(matches!(again, HistoryError::Exists { .. }), "{again:?}");
    // One file, and it is a history.
    let names = place.files();
    let copies: Vec<_> = names
        .iter()
        .filter(|name| name.starts_with("copy"))
        .collect();
    assert_eq!(copies, ["copy.db"]);
    let (restored, opened) = History::open(&copy, settings()).await.unwrap();
    assert_eq!(opened, Opened::Whole);
    assert_eq!(restored.extent().await.unwrap().polls, 4);
    assert_eq!(restored.meters().await.unwrap().len(), 2);
}

#[tokio::test]
async fn csv_has_a_line_for_each_reading_and_for_each_poll_without() {
    let place = Place::new();
    let history = place.open().await;
    filled(&history).await;
    let archive = Archive::open(&place.path).unwrap();
    let selection = Selection {
        serial: Some("84968362".to_owned()),
        ..Selection::default()
    };
    assert_eq!(
        exported(&archive, &selection, Format::Csv),
        "\
id,time,serial,verdict,register,key,value,unit,quality,reason
84968362-1795309190000,2026-11-22T00:59:50Z,84968362,ok,60,heat_energy,1234.50,kWh,good,
84968362-1795312790000,2026-11-22T01:59:50Z,84968362,echo_only,,,,,,
84968362-1795316390000,2026-11-22T02:59:50Z,84968362,ok,60,heat_energy,1236.00,kWh,good,
"
    );
}

#[tokio::test]
async fn json_lines_are_the_objects_of_the_interface() {
    let place = Place::new();
    let history = place.open().await;
    filled(&history).await;
    history.close().await.unwrap();
    let archive = Archive::open(&place.path).unwrap();
    let selection = Selection {
        serial: None,
        from: at("2026-11-22T02:00:00Z"),
        to: at("2026-11-22T03:00:00Z"),
    };
    let text = exported(&archive, &selection, Format::Jsonl);
    let lines: Vec<serde_json::Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(lines.len(), 2);
    assert_eq!(lines[1]["id"], "84968362-1795316390000");
    assert_eq!(lines[1]["meter"]["model"], "MULTICAL 403");
    assert_eq!(lines[1]["readings"][0]["value"], "1236.00");
    assert_eq!(lines[0]["meter"]["model"], serde_json::Value::Null);
}

#[tokio::test]
async fn thousands_of_polls_are_exported_each_once() {
    let place = Place::new();
    let history = place.open().await;
    let polls = (0..1234).map(|n| {
        let mut poll = energy("1", "2026-11-22T00:00:00Z", "1");
        poll.at += jiff::SignedDuration::from_millis(n);
        poll
    });
    history.record_all(polls.collect()).await.unwrap();
    let archive = Archive::open(&place.path).unwrap();
    let text = exported(&archive, &Selection::default(), Format::Jsonl);
    let ids: std::collections::BTreeSet<_> = text.lines().collect();
    assert_eq!((text.lines().count(), ids.len()), (1234, 1234));
}

#[test]
fn what_is_no_history_is_not_exported() {
    let place = Place::new();
    let error = Archive::open(&place.path).unwrap_err();
    assert!(
        matches!(error, HistoryError::Unreadable { .. }),
        "{error:?}"
    );
    fs::write(&place.path, "text").unwrap();
    let error = Archive::open(&place.path).unwrap_err();
    assert!(matches!(error, HistoryError::Foreign { .. }), "{error:?}");
}

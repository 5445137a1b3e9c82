//! What each fault of the line costs a reader: one answer in five is spoiled, and what comes out is
//! held against what the meter really said.
//!
//! The tables are snapshots, made by running them. They change when the session, the gate or the
//! simulator changes, and are to be read then: a value that is wrong, or polls that are lost, are a
//! defect whatever the rest says.
#![expect(
    clippy::cast_precision_loss,
    reason = "shares of counts, for people to read"
)]

mod poller;
mod table;

use std::thread;

use heatmeter_simulator::FaultKind;

use crate::poller::Line;
use crate::table::{Row, gate_table, session_table};

/// One answer in five.
const RATE: f64 = 0.2;
/// Answers to spoil for each row, over all seeds.
const SPOILED: u64 = 20_000;
/// Not chosen: the first five.
const SEEDS: std::ops::RangeInclusive<u64> = 1..=5;

fn row(kind: FaultKind) -> Row {
    let mut row = Row::new(kind);
    for seed in SEEDS {
        let mut line = Line::new(kind, RATE, seed);
        while line.spoiled() < SPOILED / 5 {
            row.add(&line.poll());
        }
        row.finish(&line);
    }
    row
}

/// The promise: whatever one answer in five suffers, every value is right and 99 polls of 100 are
/// whole.
fn assert_kept(row: &Row) {
    assert_eq!(row.wrong, 0, "{}: wrong values got through", row.kind);
    assert!(
        row.spoiled >= SPOILED,
        "{}: {} answers spoiled",
        row.kind,
        row.spoiled
    );
    let whole = row.whole * 100;
    assert!(
        whole >= row.polls * 99,
        "{}: {} of {} polls whole",
        row.kind,
        row.whole,
        row.polls
    );
}

#[test]
fn one_answer_in_five_spoiled_by_any_one_fault() {
    let kinds = FaultKind::ALL
        .into_iter()
        .filter(|kind| *kind != FaultKind::CrcForged);
    let rows: Vec<Row> = thread::scope(|scope| {
        let rows: Vec<_> = kinds.map(|kind| scope.spawn(move || row(kind))).collect();
        rows.into_iter()
            .map(|row| row.join().expect("no panic in a row"))
            .collect()
    });
    insta::assert_snapshot!("one_answer_in_five", session_table(&rows));
    rows.iter().for_each(assert_kept);
}

#[test]
fn damage_under_a_right_checksum_meets_the_gate() {
    let row = row(FaultKind::CrcForged);
    insta::assert_snapshot!("under_a_right_checksum", gate_table(&row));
    assert!(row.spoiled >= SPOILED, "{} answers spoiled", row.spoiled);
    assert!(
        row.outvoted > SPOILED / 4,
        "{} values outvoted",
        row.outvoted
    );
}

//! `align` says what it sees and what to try next.

mod support;

use serde_json::Value;
use support::peer::{request, send, type_answer};
use support::{Peer, Simulated, heatmeter};

fn align(options: &[&str], count: &str) -> (Option<i32>, Vec<Value>) {
    let meter = Simulated::tcp(options);
    let ended = heatmeter(["align", meter.port(), "--json", "--count", count]);
    (ended.code, ended.objects())
}

#[test]
fn answers_give_a_score_of_100_and_the_exit_code_0() {
    let (code, attempts) = align(&["--echo"], "3");
    assert_eq!(code, Some(0));
    assert_eq!(attempts.len(), 3);
    for (number, attempt) in (1..).zip(&attempts) {
        assert_eq!(attempt["attempt"], number);
        assert_eq!(attempt["verdict"], "ok");
        assert_eq!(attempt["score"], 100);
        assert!(
            attempt["next"].as_str().unwrap().contains("Fix it there"),
            "{attempt}"
        );
    }
}

#[test]
fn each_kind_of_trouble_has_its_own_next_step_and_exit_code() {
    let cases: [(&[&str], &str, i32, &str); 5] = [
        (&["--fault", "silence=1"], "silent", 4, "Press a key"),
        (
            &["--echo", "--fault", "silence=1"],
            "echo_only",
            5,
            "The head works",
        ),
        (
            &["--fault", "echo-mangled=1"],
            "echo_mangled",
            5,
            "sheet of white paper",
        ),
        (
            &["--fault", "wrong-crc=1"],
            "crc_mismatch",
            6,
            "single millimetres",
        ),
        (
            &["--fault", "wrong-protocol=1"],
            "wrong_protocol",
            8,
            "older meter",
        ),
    ];
    for (options, verdict, exit, next) in cases {
        let (code, attempts) = align(options, "2");
        assert_eq!(code, Some(exit), "{attempts:?}");
        assert_eq!(attempts[1]["verdict"], verdict);
        assert!(
            attempts[1]["next"].as_str().unwrap().contains(next),
            "{attempts:?}"
        );
    }
}

#[test]
fn a_damaged_answer_counts_half() {
    let (_, attempts) = align(&["--fault", "wrong-crc=1"], "2");
    assert_eq!(attempts[1]["score"], 50);
}

#[test]
fn the_first_answer_after_silence_counts_at_once() {
    // Hears nothing four times; what was asked then is never answered.
    let peer = Peer::new(|stream| {
        for _ in 0..4 {
            request(stream);
        }
        while request(stream).is_some() && send(stream, &type_answer()) {}
    });
    let ended = heatmeter(["align", &peer.port(), "--json", "--count", "6"]);
    let verdicts: Vec<_> = ended
        .objects()
        .iter()
        .map(|attempt| attempt["verdict"].clone())
        .collect();
    assert_eq!(
        verdicts,
        ["silent", "silent", "silent", "silent", "ok", "ok"]
    );
}

#[test]
fn an_eye_that_falls_asleep_is_recognised() {
    let options = ["--sleep-after", "3500ms", "--wake-after", "4s"];
    let meter = Simulated::tcp(&options);
    let ended = heatmeter(["align", meter.port(), "--json", "--count", "16"]);
    let attempts = ended.objects();
    let asleep = attempts
        .iter()
        .find(|attempt| attempt["verdict"] == "asleep");
    let asleep = asleep.unwrap_or_else(|| panic!("{attempts:?}"));
    assert!(
        asleep["message"]
            .as_str()
            .unwrap()
            .contains("after each wake"),
        "{asleep}"
    );
    assert!(
        asleep["next"].as_str().unwrap().contains("magnet"),
        "{asleep}"
    );
    assert!(
        asleep["sleeps_after"]
            .as_u64()
            .is_some_and(|seconds| (2..=4).contains(&seconds))
    );
}

#[test]
fn a_port_that_is_not_there_is_said_at_once() {
    let ended = heatmeter(["align", "/dev/ttyNothing", "--json"]);
    assert_eq!(ended.failure(), ("port_missing".to_owned(), 3));
}

#[test]
fn without_a_terminal_it_prints_a_line_for_each_attempt() {
    let meter = Simulated::tcp(&[]);
    let ended = heatmeter(["align", meter.port(), "--count", "2"]);
    let lines: Vec<_> = ended.stdout.lines().collect();
    assert_eq!(lines.len(), 3, "{}", ended.stdout);
    assert!(lines[0].contains("100  ok"), "{}", ended.stdout);
    assert!(lines[1].contains("next: "), "{}", ended.stdout);
    assert!(lines[2].contains("100  ok"), "{}", ended.stdout);
}

//! What is written, read, and refused.

use super::*;

const HEADER: &str = "{\"heatmeter_recording\":1,\"port\":\"/dev/ttyUSB0\"}\n";

fn read(text: &str) -> Result<Recording, String> {
    Recording::read(text.as_bytes()).map_err(|(line, problem)| format!("{line}: {problem}"))
}

#[test]
fn what_is_written_is_read_back() {
    let at = Duration::from_micros(1_304_233);
    let header = Header::new("socket://box:1")
        .line(LineSettings::KMP)
        .started("2026-11-22T16:35:30Z");
    let events = [
        Event::Note(Note::Open, String::new()),
        Event::Bytes(Direction::Out, vec![0x80, 0x3f, 0x0d]),
        Event::Bytes(Direction::In, (0..=255).collect()),
        Event::Note(Note::Verdict, "ok \"quoted\"\n".to_owned()),
    ];
    let mut text = format_header(&header);
    for event in &events {
        text.push_str(&format_entry(at, event));
    }
    let recording = read(&text).unwrap();
    assert_eq!(recording.header, header);
    let found: Vec<_> = recording
        .entries
        .iter()
        .map(|entry| (entry.at, &entry.event))
        .collect();
    assert_eq!(
        found,
        events.iter().map(|event| (at, event)).collect::<Vec<_>>()
    );
}

#[test]
fn errors_name_line_found_and_expected() {
    for (text, expected) in [
        ("", "1: expected a recording, found an empty file"),
        ("hello\n", "1: expected a header"),
        (
            "{\"heatmeter_recording\":2,\"port\":\"x\"}\n",
            "1: expected format version 1, found 2",
        ),
        (
            &format!("{HEADER}{{\"t\":0,\"dir\":\"inn\",\"hex\":\"\"}}\n"),
            "2: expected `t` with",
        ),
        (
            &format!("{HEADER}\n{{\"t\":0,\"dir\":\"in\",\"hex\":\"4\"}}\n"),
            "3: expected pairs of hexadecimal digits, found `4`",
        ),
        (
            &format!("{HEADER}{{\"t\":0,\"dir\":\"in\",\"hex\":\"+4\"}}\n"),
            "found `+4`",
        ),
        (
            &format!("{HEADER}{{\"t\":-1,\"note\":\"open\"}}\n"),
            "2: expected `t` in seconds from 0, found -1",
        ),
        (
            &format!("{HEADER}{{\"t\":1e300,\"note\":\"open\"}}\n"),
            "2: expected `t` in seconds from 0",
        ),
        (
            &format!("{HEADER}{{\"t\":2,\"note\":\"open\"}}\n{{\"t\":1,\"note\":\"close\"}}\n"),
            "3: expected a time from 2.000000 s on, found 1.000000 s",
        ),
        (
            &format!("{HEADER}{}\n", "x".repeat(LINE_MAX)),
            "2: expected at most 2048 bytes",
        ),
    ] {
        let error = read(text).unwrap_err();
        assert!(error.contains(expected), "{text:?}: {error}");
    }
}

#[test]
fn a_last_line_that_was_cut_off_is_left_out() {
    let recording = read(&format!(
        "{HEADER}{{\"t\":0,\"note\":\"open\"}}\n{{\"t\":1,\"di"
    ))
    .unwrap();
    assert_eq!(recording.entries.len(), 1);
}

#[test]
fn notes_of_later_versions_are_read() {
    let recording = read(&format!(
        "{HEADER}{{\"t\":0,\"note\":\"weather\",\"text\":\"x\"}}\n"
    ));
    assert_eq!(
        recording.unwrap().entries[0].event,
        Event::Note(Note::Other, "x".to_owned())
    );
}

#[test]
fn a_missing_file_is_named() {
    let error = Recording::load(Path::new("/nonexistent/x.jsonl")).unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("/nonexistent/x.jsonl: No such file"),
        "{error}"
    );
}

//! Everything that is wrong is found at once, at its place, with what to write instead.

use std::fs;

use heatmeter_gateway::config::Problem;

use super::{problems, right};

/// Line, message and help of the only problem.
fn only(text: &str) -> Problem {
    let mut found = problems(text);
    assert_eq!(found.len(), 1, "{text}: {found:#?}");
    found.remove(0)
}

#[test]
fn a_port_alone_and_no_meter_at_all_are_right() {
    let config = right("port = \"/dev/ttyUSB0\"");
    assert_eq!(config.meters.len(), 1);
    assert_eq!(config.meters[0].schedule.to_string(), "hourly at :59:50");
    assert_eq!(config.listen.to_string(), "127.0.0.1:8403");
    assert!(right("").meters.is_empty());
    assert!(right("meter = []").meters.is_empty());
}

#[test]
fn all_mistakes_are_found_at_once() {
    let found = problems(
        "\
prt = \"/dev/ttyUSB0\"
language = \"fr\"
time_zone = \"Europe/Copenhage\"

[[meter]]
name = \"House\"
port = \"ttyUSB0\"
shedule = \"hourly\"
registers = [\"heat_enery\"]
mains_powered = \"yes\"

[mqtt]
host = \"broker\"
port = 70000
protocol = 4
",
    );
    let shown: Vec<_> = found
        .iter()
        .map(|problem| (problem.line, problem.help.as_str()))
        .collect();
    assert_eq!(
        shown,
        [
            (1, "did you mean `port`?"),
            (2, "leave the line out for English"),
            (3, "did you mean `Europe/Copenhagen`?"),
            (7, "did you mean `/dev/ttyUSB0`?"),
            (8, "did you mean `schedule`?"),
            (9, "did you mean `heat_energy`?"),
            (10, "for example: mains_powered = false"),
            (14, "1883 is usual, 8883 with TLS"),
            (15, "3 stands for MQTT 3.1.1"),
        ]
    );
    let schedule = &found[4];
    assert_eq!((schedule.column, schedule.length), (1, 7));
    assert!(
        schedule.rendered.contains("heatmeter.toml:8:1"),
        "{}",
        schedule.rendered
    );
    assert!(
        schedule.rendered.contains("^^^^^^^"),
        "{}",
        schedule.rendered
    );
}

#[test]
fn topics_of_ours_are_not_those_of_home_assistant() {
    let found = only("[mqtt]\nhost = \"broker\"\nbase_topic = \"homeassistant\"\n");
    assert_eq!((found.line, found.column), (3, 14));
    let found = only("[mqtt]\nhost = \"broker\"\ndiscovery_prefix = \"heatmeter\"\n");
    assert_eq!(found.line, 3);
}

#[test]
fn lines_that_are_no_toml_hide_nothing() {
    let found = problems("language = en\n\n[[meter]]\nport = /dev/ttyUSB0\nshedule = \"hourly\"\n");
    let lines: Vec<_> = found.iter().map(|problem| problem.line).collect();
    assert_eq!(lines, [1, 4, 5], "{found:#?}");
}

#[test]
fn a_key_in_the_wrong_place_is_sent_to_the_right_one() {
    assert_eq!(
        only("listen = \"127.0.0.1:1\"").help,
        "it belongs below [web]"
    );
    let found = only("[web]\ntime_zone = \"UTC\"");
    assert!(
        found.help.contains("before the first line"),
        "{}",
        found.help
    );
    assert_eq!(
        only("[meter]\nport = \"/dev/ttyUSB0\"").help,
        "begin the table with [[meter]]"
    );
    assert_eq!(
        only("[[mqtt]]\nhost = \"broker\"").help,
        "begin the table with [mqtt]"
    );
}

#[test]
fn everybody_needs_a_token() {
    let found = only("[web]\nlisten = \"0.0.0.0:8403\"");
    assert_eq!(found.line, 2);
    assert!(found.help.contains("token_file"));
    right("[web]\nlisten = \"[::1]:8403\"");
    right("[web]\nlisten = \"localhost:8403\"");
}

#[test]
fn names_are_unique() {
    let meters = "port = \"/dev/a\"\n[[meter]]\nport = \"/dev/b\"\n";
    assert_eq!(only(meters).line, 2);
    let webhooks =
        "[[webhook]]\nurl = \"http://a.example/\"\n[[webhook]]\nurl = \"http://b.example/\"\n";
    assert_eq!(only(webhooks).line, 3);
}

#[test]
fn what_is_missing_is_named() {
    assert!(only("[mqtt]\n").message.contains("`host` is missing"));
    assert!(
        only("[[meter]]\nname = \"House\"\n")
            .message
            .contains("`port` is missing")
    );
}

#[test]
fn a_schedule_that_drains_the_battery_is_a_warning_unless_there_is_none() {
    let meter = "[[meter]]\nport = \"/dev/a\"\nschedule = \"every 5 min\"\n";
    let config = right(meter);
    assert_eq!(config.warnings.len(), 1);
    assert_eq!(config.warnings[0].line, 3);
    assert!(
        right(&format!("{meter}mains_powered = true\n"))
            .warnings
            .is_empty()
    );
    assert!(right(&meter.replace('5', "15")).warnings.is_empty());
}

#[test]
fn a_certificate_that_is_none_is_underlined_where_it_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ca.pem");
    fs::write(&file, "no certificate").unwrap();
    let path = file.display();
    for text in [
        format!("[mqtt]\nhost = \"broker\"\nca_file = \"{path}\"\n"),
        format!("[[webhook]]\nurl = \"https://a.example/\"\nca_file = \"{path}\"\n"),
    ] {
        assert_eq!(only(&text).line, 3, "{text}");
    }
}

#[test]
fn what_is_kept_can_be_kept_for_ever() {
    let config = right("[history]\nkeep_readings = \"for ever\"\nkeep_undelivered = \"90 days\"\n");
    assert_eq!(config.history.keep_readings, std::time::Duration::MAX);
    assert_eq!(config.history.keep_undelivered.as_secs(), 90 * 86_400);
}

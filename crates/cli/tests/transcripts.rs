//! What people see: transcripts, with times left out.

mod support;

use support::{Ended, Simulated, heatmeter};

/// A command, its output and its exit code, without what changes from run to run.
fn transcript(args: &[&str], replaced: &[(&str, &str)]) -> String {
    let Ended {
        code,
        stdout,
        stderr,
        ..
    } = heatmeter(args);
    let said = if stderr.is_empty() {
        String::new()
    } else {
        format!("--- stderr\n{stderr}")
    };
    let (args, code) = (args.join(" "), code.unwrap());
    let mut text = format!("$ heatmeter {args}\n{stdout}{said}--- exit {code}\n");
    for (found, shown) in replaced {
        text = text.replace(found, shown);
    }
    without_times(&text)
}

/// Dates with a time become `DATE TIME`, and times alone `TIME`, where they are of today.
fn without_times(text: &str) -> String {
    let mut masked = String::new();
    let mut rest = text;
    while !rest.is_empty() {
        let stamp = is_digits(rest, "####-##-## ##:##:##").then_some((19, "DATE TIME"));
        let time = is_digits(rest, "##:##:##").then_some((8, "TIME    "));
        let date =
            (is_digits(rest, "####-##-##\n") && masked.ends_with('\n')).then_some((10, "DATE"));
        let letter = rest.chars().next().map_or(0, char::len_utf8);
        let (length, shown) = stamp.or(time).or(date).unwrap_or((letter, &rest[..letter]));
        masked.push_str(shown);
        rest = &rest[length..];
    }
    masked
}

fn is_digits(text: &str, pattern: &str) -> bool {
    let mut letters = text.chars();
    pattern
        .chars()
        .all(|expected| match (expected, letters.next()) {
            ('#', Some(found)) => found.is_ascii_digit(),
            (expected, found) => found == Some(expected),
        })
}

#[test]
fn help() {
    insta::assert_snapshot!(transcript(&["--help"], &[]));
}

#[test]
fn help_of_the_commands() {
    let commands = [
        "ports", "read", "watch", "align", "clock", "decode", "simulate", "demo",
    ];
    for command in commands {
        insta::assert_snapshot!(
            format!("help_{command}"),
            transcript(&[command, "--help"], &[])
        );
    }
}

#[test]
fn read() {
    let meter = Simulated::tcp(&["--echo"]);
    let replaced = [(meter.port(), "socket://HOST:PORT")];
    insta::assert_snapshot!(transcript(&["read", meter.port()], &replaced));
}

#[test]
fn read_all() {
    let meter = Simulated::tcp(&[]);
    let replaced = [(meter.port(), "socket://HOST:PORT")];
    insta::assert_snapshot!(transcript(&["read", meter.port(), "--all"], &replaced));
}

#[test]
fn read_some_of_which_one_is_missing() {
    let meter = Simulated::tcp(&[]);
    let replaced = [(meter.port(), "socket://HOST:PORT")];
    let args = [
        "read",
        meter.port(),
        "flow",
        "info_code",
        "input_a",
        "9999",
        "date",
    ];
    insta::assert_snapshot!(transcript(&args, &replaced));
}

#[test]
fn read_fails() {
    let meter = Simulated::tcp(&["--echo", "--fault", "silence=1"]);
    let replaced = [(meter.port(), "socket://HOST:PORT")];
    let args = ["read", meter.port(), "--deadline", "2s"];
    insta::assert_snapshot!(transcript(&args, &replaced));
}

#[test]
fn read_without_a_port() {
    insta::assert_snapshot!(transcript(&["read", "/dev/ttyNothing"], &[]));
}

#[test]
fn wrong_usage() {
    insta::assert_snapshot!(transcript(&["read", "/dev/ttyUSB0", "heat_enery"], &[]));
}

#[test]
fn watch() {
    let meter = Simulated::tcp(&[]);
    let replaced = [(meter.port(), "socket://HOST:PORT")];
    let args = ["watch", meter.port(), "--interval", "0s", "--count", "3"];
    insta::assert_snapshot!(transcript(&args, &replaced));
}

#[test]
fn watch_fails() {
    let args = [
        "watch",
        "/dev/ttyNothing",
        "--interval",
        "0s",
        "--count",
        "2",
    ];
    insta::assert_snapshot!(transcript(&args, &[]));
}

#[test]
fn align() {
    let meter = Simulated::tcp(&["--echo"]);
    let replaced = [(meter.port(), "socket://HOST:PORT")];
    insta::assert_snapshot!(transcript(
        &["align", meter.port(), "--count", "2"],
        &replaced
    ));
}

#[test]
fn clock() {
    let meter = Simulated::tcp(&["--start", "2026-01-12T07:00:00"]);
    let ended = heatmeter(["clock", meter.port()]);
    // How far it is off changes by the second.
    let lines: Vec<_> = ended.stdout.lines().collect();
    assert_eq!(lines[0], "meter     2026-01-12 07:00:00");
    assert!(lines[1].starts_with("computer  20"), "{}", ended.stdout);
    assert!(lines[2].trim().starts_with("the meter is ") && lines[2].ends_with(" behind"));
}

#[test]
fn decode() {
    let frames = "80 3f 10 02 00 3c 00 44 35 e7 0d 40 3f 10 00 3c 08 04 43 00 01 4b 51 00 44 28 04 42 \
                  00 00 cb 49 03 e9 33 04 00 05 10 83 aa 20 a0 0d 40 3f 10 00 3c 08 04 43 1b 7f 01 \
                  4b 51 ac d4 0d 06 80 3f a0 01 01 00 44 0c 1b 7f 17 05 09 17 2d 00 00 00 00 f1 0d \
                  40 3f 02 00 69 2d 32 cd 5d 0d";
    insta::assert_snapshot!(transcript(&["decode", frames], &[]));
}

#[test]
fn colours_come_only_where_they_are_asked_for_or_seen() {
    let escape = '\u{1b}';
    let frame = ["decode", "40 3f 10 00 3c 08 04 43 00 01 4b 51 71 ed 0d"];
    assert!(!heatmeter(frame).stdout.contains(escape));
    assert!(
        heatmeter(frame.iter().chain(&["--color", "always"]))
            .stdout
            .contains(escape)
    );
    let json = frame.iter().chain(&["--color", "always", "--json"]);
    assert!(!heatmeter(json).stdout.contains(escape));
}

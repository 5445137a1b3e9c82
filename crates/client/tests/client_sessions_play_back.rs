//! What a client records, another one reads again without the meter: same values, same verdicts.

mod support;

use std::time::Duration;

use heatmeter_client::{Client, Header, Lost, OpenOptions, Port, PortError, Recorder};
use kamstrup_kmp::session::{Config, Task};
use kamstrup_kmp::{RegisterId, Verdict};
use support::in_time;
use support::meter::{REGISTERS, answering, assert_read};
use support::pty::Link;

fn tasks() -> [Task; 3] {
    let silent = Task::read(&[RegisterId(80)]).within(Duration::from_millis(300));
    [Task::read(&REGISTERS), silent, Task::read(&REGISTERS)]
}

#[tokio::test]
async fn with_silence_and_a_lost_port_in_between() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("session.jsonl");
    let link = Link::new();
    let mut client = Client::new(link.name().parse().unwrap());
    client.record(Recorder::create(&file, &Header::new(link.name())).unwrap());

    let [first, silent, last] = tasks();
    let mut pty = link.plug();
    let first = answering(pty.stream(), client.run(first)).await.unwrap();
    assert_read(&first);
    let silent = in_time(client.run(silent)).await.unwrap();
    assert_eq!(silent.verdict, Verdict::Asleep);
    link.unplug(pty);
    let mut pty = link.plug();
    let last = answering(pty.stream(), client.run(last)).await.unwrap();
    assert_read(&last);
    drop(client);

    for replay_speed in [1.0, f64::INFINITY] {
        let options = OpenOptions {
            replay_speed,
            ..OpenOptions::default()
        };
        let mut replayed =
            Client::with_options(Port::Replay(file.clone()), options, Config::default());
        for (task, expected) in tasks().into_iter().zip([&first, &silent, &last]) {
            let outcome = in_time(replayed.run(task)).await.unwrap();
            assert_eq!(outcome.verdict, expected.verdict);
            assert_eq!(outcome.records, expected.records);
            assert_eq!(outcome.line.bytes_sent, expected.line.bytes_sent);
        }
    }
}

#[tokio::test]
async fn another_task_is_refused_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("session.jsonl");
    let mut recorder = Recorder::create(&file, &Header::new("/dev/ttyUSB0")).unwrap();
    recorder.sent(b"\x80\x3f\x10\x01\x00\x3c\xb2\x5f\x0d");
    drop(recorder);

    let mut client = Client::new(Port::Replay(file));
    let error = in_time(client.run(Task::read(&REGISTERS)))
        .await
        .unwrap_err();
    assert!(
        matches!(
            &error,
            PortError::Lost {
                reason: Lost::Diverged(_),
                ..
            }
        ),
        "{error:?}"
    );
    assert!(
        error.to_string().contains("session.jsonl, line 2: "),
        "{error}"
    );
}

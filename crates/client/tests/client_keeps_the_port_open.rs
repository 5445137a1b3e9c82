//! The client opens its port with the first task, and uses it for the next ones too.

mod support;

use heatmeter_client::{Client, Notice};
use kamstrup_kmp::Verdict;
use kamstrup_kmp::message::Request;
use kamstrup_kmp::session::{AskAnswer, Task};
use support::meter::{REGISTERS, answering, assert_read};
use support::pty::Pty;

#[tokio::test]
async fn one_opening_for_many_tasks() {
    let mut pty = Pty::new();
    let mut client = Client::new(pty.name().parse().unwrap());
    assert!(!client.connection().is_open());
    for _ in 0..3 {
        let outcome = answering(pty.stream(), client.run(Task::read(&REGISTERS))).await;
        assert_read(&outcome.unwrap());
    }
    let outcome = answering(pty.stream(), client.run(Task::ask(Request::GetSerialNo))).await;
    assert_eq!(
        outcome.unwrap().answer,
        Some(AskAnswer::SerialNo(12_345_678))
    );
    assert_eq!(client.connection().openings(), 1);
}

#[tokio::test]
async fn closing_gives_it_back() {
    let mut pty = Pty::new();
    let mut client = Client::new(pty.name().parse().unwrap());
    for opening in 1..=2 {
        let outcome = answering(pty.stream(), client.run(Task::read(&REGISTERS))).await;
        assert_read(&outcome.unwrap());
        assert_eq!(client.connection().openings(), opening);
        client.close();
        assert!(!client.connection().is_open());
    }
}

#[tokio::test]
async fn what_came_unasked_is_cleared_away() {
    let mut pty = Pty::new();
    let mut client = Client::new(pty.name().parse().unwrap());
    let outcome = answering(pty.stream(), client.run(Task::read(&REGISTERS))).await;
    assert_read(&outcome.unwrap());

    // An answer that came late: sound, and 5.000 GJ instead of what is asked for next.
    pty.send(b"\x40\x3f\x10\x00\x3c\x08\x04\x43\x00\x00\x13\x88\x0f\xb6\x0d")
        .await;
    let mut attempts = Vec::new();
    let run = client.run_observed(Task::read(&REGISTERS), |notice| {
        if let Notice::Attempt(attempt) = notice {
            attempts.push(attempt.verdict);
        }
    });
    assert_read(&answering(pty.stream(), run).await.unwrap());
    assert_eq!(attempts, [Verdict::Ok]);
}

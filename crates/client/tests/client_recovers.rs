//! A port that goes away and comes back: the client says so once each, and reads on by itself.

mod support;

use std::time::Duration;

use heatmeter_client::{Change, Client, Notice, PortError};
use kamstrup_kmp::session::{Outcome, Task};
use kamstrup_kmp::{RegisterId, Verdict};
use support::in_time;
use support::meter::{REGISTERS, answer, answering, assert_read, hear};
use support::pty::{Link, Pty};
use support::ser2net::{Bridge, Mode};
use tokio::net::TcpListener;

/// Runs a task with a meter at the other end, and keeps what is said about the port.
async fn read(
    client: &mut Client,
    meter: Option<&mut Pty>,
    said: &mut Vec<Change>,
) -> Result<Outcome, PortError> {
    let limit = if meter.is_some() { 8 } else { 1 };
    let task = Task::read(&REGISTERS).within(Duration::from_secs(limit));
    let run = client.run_observed(task, |notice| {
        if let Notice::Port(change) = notice {
            said.push(change);
        }
    });
    match meter {
        Some(meter) => answering(meter.stream(), run).await,
        None => in_time(run).await,
    }
}

#[tokio::test]
async fn unplugged_between_two_tasks() {
    let link = Link::new();
    let mut client = Client::new(link.name().parse().unwrap());
    let mut said = Vec::new();

    let mut pty = link.plug();
    assert_read(&read(&mut client, Some(&mut pty), &mut said).await.unwrap());
    assert_eq!(said, [], "nothing to say about a port that works");

    link.unplug(pty);
    for _ in 0..3 {
        let error = read(&mut client, None, &mut said).await.unwrap_err();
        assert!(
            matches!(error.verdict(), Verdict::PortLost | Verdict::PortMissing),
            "{error:?}"
        );
    }
    assert!(matches!(said[..], [Change::Lost(_)]), "said once: {said:?}");
    assert!(!client.connection().is_open());

    let mut pty = link.plug();
    assert_read(&read(&mut client, Some(&mut pty), &mut said).await.unwrap());
    assert_read(&read(&mut client, Some(&mut pty), &mut said).await.unwrap());
    assert!(
        matches!(said[..], [Change::Lost(_), Change::Recovered { .. }]),
        "said once: {said:?}"
    );
}

/// A task that is given while the port is away is done when it comes back in time.
#[tokio::test]
async fn plugged_in_again_while_a_task_waits() {
    let link = Link::new();
    let mut client = Client::new(link.name().parse().unwrap());
    let mut said = Vec::new();
    let mut pty = link.plug();
    assert_read(&read(&mut client, Some(&mut pty), &mut said).await.unwrap());
    link.unplug(pty);

    let waiting = client.run(Task::read(&REGISTERS).within(Duration::from_secs(8)));
    let meter = async {
        tokio::time::sleep(Duration::from_millis(600)).await;
        let mut pty = link.plug();
        loop {
            let request = hear(pty.stream()).await;
            answer(pty.stream(), &request).await;
        }
    };
    let outcome = in_time(async {
        tokio::select! {
            () = meter => unreachable!("the meter goes on for ever"),
            outcome = waiting => outcome,
        }
    })
    .await;
    assert_read(&outcome.unwrap());
}

/// Nine registers make two requests.
fn two_requests() -> Task {
    Task::read(&[60, 1, 2, 3, 4, 5, 6, 7, 68].map(RegisterId))
}

/// What was read before the plug was pulled is not read again, and not lost.
#[tokio::test]
async fn unplugged_within_a_task() {
    let link = Link::new();
    let mut client = Client::new(link.name().parse().unwrap());
    let mut pty = link.plug();
    let mut said = Vec::new();
    let run = client.run_observed(two_requests().within(Duration::from_secs(9)), |notice| {
        if let Notice::Port(change) = notice {
            said.push(change);
        }
    });
    let meter = async {
        let first = hear(pty.stream()).await;
        answer(pty.stream(), &first).await;
        hear(pty.stream()).await;
        link.unplug(pty);

        let mut pty = link.plug();
        loop {
            let request = hear(pty.stream()).await;
            assert_ne!(request, first, "the first request was answered already");
            answer(pty.stream(), &request).await;
        }
    };
    let outcome = in_time(async {
        tokio::select! {
            () = meter => unreachable!("the meter goes on for ever"),
            outcome = run => outcome.unwrap(),
        }
    })
    .await;
    assert_eq!(outcome.verdict, Verdict::Ok);
    let read: Vec<_> = outcome
        .records
        .iter()
        .map(|record| record.register)
        .collect();
    assert_eq!(read, REGISTERS);
    assert!(
        matches!(said[..], [Change::Lost(_), Change::Recovered { .. }]),
        "{said:?}"
    );
}

/// Values that were read before the port was lost for good are handed out.
#[tokio::test]
async fn unplugged_for_good_within_a_task() {
    let link = Link::new();
    let mut client = Client::new(link.name().parse().unwrap());
    let mut pty = link.plug();
    let run = client.run(two_requests().within(Duration::from_secs(2)));
    let meter = async {
        let first = hear(pty.stream()).await;
        answer(pty.stream(), &first).await;
        hear(pty.stream()).await;
        link.unplug(pty);
    };
    let (outcome, ()) = in_time(async { tokio::join!(run, meter) }).await;
    let outcome = outcome.unwrap();
    assert_eq!(outcome.verdict, Verdict::Ok);
    assert_eq!(outcome.records.len(), 1);
    assert_eq!(outcome.unanswered, [RegisterId(68)]);
}

#[tokio::test]
async fn the_bridge_was_restarted_meanwhile() {
    for (mode, scheme) in [(Mode::Raw, "socket"), (Mode::Rfc2217, "rfc2217")] {
        let mut bridge = Bridge::start(mode).await;
        let mut client = Client::new(bridge.url(scheme).parse().unwrap());
        let mut said = Vec::new();
        let read_once = read(&mut client, Some(&mut bridge.meter), &mut said).await;
        assert_read(&read_once.unwrap());

        bridge.restart().await;
        let read_again = read(&mut client, Some(&mut bridge.meter), &mut said).await;
        assert_read(&read_again.unwrap());
        assert_eq!(client.connection().openings(), 2);
    }
}

#[tokio::test]
async fn a_bridge_that_is_taken_is_reported_at_once() {
    let bridge = Bridge::start(Mode::Raw).await;
    let _other = support::open(&bridge.url("socket")).await.unwrap();
    let mut client = Client::new(bridge.url("socket").parse().unwrap());
    let started = std::time::Instant::now();
    let error = in_time(client.run(Task::read(&REGISTERS)))
        .await
        .unwrap_err();
    assert_eq!(error.verdict(), Verdict::PortBusy, "{error:?}");
    assert!(
        started.elapsed() < Duration::from_secs(2),
        "{:?}",
        started.elapsed()
    );
}

/// The first request of all meets a line that breaks.
#[tokio::test]
async fn lost_before_it_ever_worked() {
    let link = Link::new();
    let mut client = Client::new(link.name().parse().unwrap());
    let mut pty = link.plug();
    let run = client.run(Task::read(&REGISTERS).within(Duration::from_secs(9)));
    let meter = async {
        hear(pty.stream()).await;
        link.unplug(pty);
        let mut pty = link.plug();
        loop {
            let request = hear(pty.stream()).await;
            answer(pty.stream(), &request).await;
        }
    };
    let outcome = in_time(async {
        tokio::select! {
            () = meter => unreachable!("the meter goes on for ever"),
            outcome = run => outcome,
        }
    })
    .await;
    assert_read(&outcome.unwrap());
}

#[tokio::test]
async fn a_bridge_that_always_hangs_up_is_reported_before_the_deadline() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = format!("socket://{}", listener.local_addr().unwrap());
    let bridge = tokio::spawn(async move {
        loop {
            drop(listener.accept().await.unwrap());
        }
    });
    let mut client = Client::new(port.parse().unwrap());
    let started = std::time::Instant::now();
    let error = in_time(client.run(Task::read(&REGISTERS)))
        .await
        .unwrap_err();
    assert_eq!(error.verdict(), Verdict::PortLost, "{error:?}");
    assert!(
        started.elapsed() < Duration::from_secs(6),
        "{:?}",
        started.elapsed()
    );
    assert_eq!(client.connection().openings(), 5);
    bridge.abort();
}

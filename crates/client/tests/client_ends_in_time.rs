//! Whatever the line does, a task ends by its deadline plus a second.

mod support;

use std::time::{Duration, Instant};

use heatmeter_client::{Client, Lost, PortError};
use kamstrup_kmp::Verdict;
use kamstrup_kmp::session::{Outcome, Task};
use support::meter::{REGISTERS, answering, assert_read};
use support::pty::Pty;
use support::{in_time, open};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;

const LIMIT: Duration = Duration::from_millis(1500);

async fn run(client: &mut Client) -> Result<Outcome, PortError> {
    let started = Instant::now();
    let result = in_time(client.run(Task::read(&REGISTERS).within(LIMIT))).await;
    let took = started.elapsed();
    assert!(
        took < LIMIT + Duration::from_secs(1),
        "took {took:?}: {result:?}"
    );
    result
}

#[tokio::test]
async fn silence() {
    let pty = Pty::new();
    let mut client = Client::new(pty.name().parse().unwrap());
    assert_eq!(run(&mut client).await.unwrap().verdict, Verdict::Silent);
}

#[tokio::test]
async fn a_write_that_is_stuck() {
    let mut pty = Pty::new();
    let mut client = Client::new(pty.name().parse().unwrap());
    pty.jam();
    let error = run(&mut client).await.unwrap_err();
    assert!(
        matches!(
            error,
            PortError::Lost {
                reason: Lost::WriteStuck(_),
                ..
            }
        ),
        "{error:?}"
    );
    assert!(!client.connection().is_open());

    pty.release();
    let outcome = answering(pty.stream(), Box::pin(run(&mut client))).await;
    assert_read(&outcome.unwrap());
}

#[tokio::test]
async fn gigabytes_of_noise() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = format!("socket://{}", listener.local_addr().unwrap());
    let flood = tokio::spawn(async move {
        let (mut peer, _) = listener.accept().await.unwrap();
        let noise: Vec<u8> = (0..65536u32)
            .map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8)
            .collect();
        let mut sent = 0_u64;
        while peer.write_all(&noise).await.is_ok() {
            sent += noise.len() as u64;
        }
        sent
    });
    let mut client = Client::new(port.parse().unwrap());
    let outcome = run(&mut client).await.unwrap();
    assert_ne!(outcome.verdict, Verdict::Ok);
    assert!(outcome.records.is_empty());
    assert!(outcome.line.bytes_received > 0);
    drop(client);
    assert!(in_time(flood).await.unwrap() > 1 << 20);
}

#[tokio::test]
async fn a_byte_now_and_then() {
    let mut pty = Pty::new();
    let mut client = Client::new(pty.name().parse().unwrap());
    let drip = async {
        loop {
            pty.send(&[0x55]).await;
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    };
    tokio::select! {
        () = drip => unreachable!(),
        outcome = run(&mut client) => assert_eq!(outcome.unwrap().verdict, Verdict::Noise),
    }
}

#[tokio::test]
async fn a_bridge_that_never_answers_the_negotiation() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut client = Client::new(
        format!("rfc2217://{}", listener.local_addr().unwrap())
            .parse()
            .unwrap(),
    );
    let error = run(&mut client).await.unwrap_err();
    assert_eq!(error.verdict(), Verdict::PortUnreachable);
}

#[tokio::test]
async fn a_task_that_is_given_up_leaves_nothing_behind() {
    let mut pty = Pty::new();
    let mut client = Client::new(pty.name().parse().unwrap());
    for milliseconds in [1, 20, 60] {
        let task = client.run(Task::read(&REGISTERS));
        let given_up = tokio::time::timeout(Duration::from_millis(milliseconds), task).await;
        assert!(given_up.is_err());
    }
    drop(client);
    drop(open(pty.name()).await.unwrap());

    let mut client = Client::new(pty.name().parse().unwrap());
    let outcome = answering(pty.stream(), client.run(Task::read(&REGISTERS))).await;
    assert_read(&outcome.unwrap());
}

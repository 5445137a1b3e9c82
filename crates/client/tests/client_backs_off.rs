//! A port that is not there is not tried in a tight loop, and tried at once when its pause is over.

mod support;

use std::time::Duration;

use heatmeter_client::Client;
use kamstrup_kmp::Verdict;
use kamstrup_kmp::session::Task;
use support::meter::REGISTERS;
use tokio::time::Instant;

async fn run(client: &mut Client, limit: Duration) -> Duration {
    let started = Instant::now();
    let error = client
        .run(Task::read(&REGISTERS).within(limit))
        .await
        .unwrap_err();
    assert_eq!(error.verdict(), Verdict::PortMissing);
    started.elapsed()
}

#[tokio::test(start_paused = true)]
async fn pauses_grow_to_half_a_minute() {
    let mut client = Client::new("/dev/ttyNothing".parse().unwrap());
    let mut waited = Vec::new();
    for _ in 0..11 {
        waited.push(run(&mut client, Duration::from_mins(2)).await.as_millis());
    }
    assert_eq!(
        waited,
        [
            0, 250, 500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn a_task_waits_no_longer_than_its_deadline() {
    let mut client = Client::new("/dev/ttyNothing".parse().unwrap());
    for _ in 0..8 {
        run(&mut client, Duration::from_mins(2)).await;
    }
    let limit = Duration::from_secs(3);
    assert_eq!(run(&mut client, limit).await, limit);
    // The pause went on meanwhile.
    tokio::time::advance(Duration::from_mins(1)).await;
    assert_eq!(run(&mut client, limit).await, Duration::ZERO);
}

//! `/metrics`: promtool finds nothing to say, and readings are there only while they count.

use std::io::Write;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use heatmeter_gateway::hub::{Event, Supply};
use heatmeter_publish::Progress;
use jiff::Timestamp;
use kamstrup_kmp::Verdict;
use tokio::sync::watch;

use super::site::{SERIAL, TestSite, house, poll, stranger};

/// A site of which everything is told.
async fn busy() -> (TestSite, watch::Sender<Progress>) {
    let site = TestSite::start().await;
    site.hub.tell(stranger());
    site.hub.announce(Event::Poll {
        slot: "house".to_owned(),
        poll: Arc::new(poll(Timestamp::now())),
    });
    let (sender, progress) = watch::channel(Progress {
        pending: 3,
        delivered: 40,
        ..Progress::default()
    });
    site.hub.set_supplies(vec![Supply {
        name: "mqtt".to_owned(),
        kind: "mqtt",
        progress,
    }]);
    (site, sender)
}

#[tokio::test]
async fn promtool_has_nothing_to_say() {
    let (site, _progress) = busy().await;
    let answered = site.get("/metrics").send().await;
    assert_eq!(
        answered.header("content-type"),
        "text/plain; version=0.0.4; charset=utf-8"
    );
    let mut promtool = Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("promtool is in Debian's package prometheus");
    let mut stdin = promtool.stdin.take().unwrap();
    stdin.write_all(&answered.body).unwrap();
    drop(stdin);
    let said = promtool.wait_with_output().unwrap();
    let words = [said.stdout, said.stderr].concat();
    assert!(
        said.status.success() && words.is_empty(),
        "{}\n{}",
        String::from_utf8_lossy(&words),
        answered.text()
    );
}

#[tokio::test]
async fn values_come_in_base_units_with_who_they_are_of() {
    let (site, _progress) = busy().await;
    let answered = site.get("/metrics").send().await;
    let text = answered.text();
    let house = format!("{{slot=\"house\",serial=\"{SERIAL}\",name=\"House <b>1</b>\"}}");
    let shed = "slot=\"shed\",serial=\"\",name=\"Shed\"";
    let mqtt = "destination=\"mqtt\",kind=\"mqtt\"";
    for line in [
        format!("heatmeter_heat_energy_joules_total{house} 84817000000.0"),
        format!("heatmeter_power_watts{house} 0.0"),
        format!("heatmeter_flow_cubic_meters_per_hour{house} 0.432"),
        format!("heatmeter_meter_up{house} 1.0"),
        format!("heatmeter_meter_up{{{shed}}} 0.0"),
        format!("heatmeter_meter_verdict{{{shed},verdict=\"port_missing\"}} 1.0"),
        "heatmeter_polls_total{slot=\"house\",verdict=\"ok\"} 1.0".to_owned(),
        "heatmeter_line_received_bytes_total{slot=\"house\"} 101.0".to_owned(),
        format!("heatmeter_destination_pending_polls{{{mqtt}}} 3.0"),
        "heatmeter_history_up 1.0".to_owned(),
    ] {
        assert!(text.lines().any(|found| found == line), "{line}\n{text}");
    }
    assert!(!text.contains("heatmeter_mass"), "what is held is no value");
}

#[tokio::test]
async fn those_who_ask_for_openmetrics_get_it() {
    let (site, _progress) = busy().await;
    let accept = "application/openmetrics-text;version=1.0.0;q=0.5,text/plain;q=0.3";
    let ask = site.get("/metrics").header("accept", accept);
    let answered = ask.send().await;
    let content_type = answered.header("content-type");
    assert!(content_type.starts_with("application/openmetrics-text"));
    let text = answered.text();
    assert!(text.ends_with("# EOF\n"));
    assert!(text.contains("# UNIT heatmeter_heat_energy_joules joules"));
}

#[tokio::test]
async fn readings_of_a_meter_that_does_not_answer_disappear() {
    let site = TestSite::start().await;
    let mut failed = house();
    failed.verdict = Some(Verdict::Silent);
    let mut overdue = house();
    overdue.stale_at = Some(Timestamp::now() - Duration::from_mins(1));
    for state in [failed, overdue] {
        site.hub.tell(state);
        let answered = site.get("/metrics").send().await;
        let text = answered.text();
        assert!(!text.contains("heatmeter_heat_energy"), "{text}");
        assert!(text.contains("heatmeter_meter_up{slot=\"house\""));
        assert!(text.contains("heatmeter_meter_last_success_timestamp_seconds{"));
    }
}

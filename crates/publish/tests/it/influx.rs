//! InfluxDB's line protocol, with a real InfluxDB 1 and a real VictoriaMetrics.

use heatmeter_publish::influx::{Influx, Settings, Target};
use heatmeter_publish::{DeliveryError, Destination};
use heatmeter_servers::{Influx as Server, Victoria, ask};
use kamstrup_kmp::{Decimal, Unit};

use crate::outbox::{Outbox, known, poll, poll_of, reading, stored, text, until, until_empty};

fn database(name: &str, password: &str) -> Target {
    Target::Database {
        database: name.to_owned(),
        user: Some("heat".to_owned()),
        password: Some(password.to_owned()),
    }
}

fn bucket() -> Target {
    Target::Bucket {
        org: Some("home".to_owned()),
        bucket: "heat".to_owned(),
        token: Some("of the test".to_owned()),
    }
}

fn destination(url: String, target: Target) -> Influx {
    Influx::new(Settings::new(url, target)).unwrap()
}

async fn complaint(settings: Settings) -> DeliveryError {
    let error = Influx::new(settings).unwrap().test().await.unwrap_err();
    assert!(!error.is_final, "{error}");
    assert!(!error.help.is_empty(), "{error}");
    error
}

#[tokio::test]
async fn victoria_metrics_takes_both_versions_and_outages_close() {
    let mut server = Victoria::start();
    for (name, target) in [("v1", database("heat", "p")), ("v2", bucket())] {
        let settings = Settings {
            measurement: name.to_owned(),
            ..Settings::new(server.url(), target)
        };
        let mut destination = Influx::new(settings).unwrap();
        destination.test().await.unwrap();
        let outbox = Outbox::new().await;
        let supplier = outbox.supply("influx", destination).await;
        let mut progress = supplier.progress();
        outbox.record(0..10).await;
        until_empty(&mut progress, 10).await;
        server.stop();
        outbox.record(10..20).await;
        let told = until(&mut progress, |p| p.trouble.is_some()).await;
        let trouble = told.trouble.unwrap();
        assert!(
            trouble.message.contains("nobody listens at 127.0.0.1:"),
            "{trouble}"
        );
        server.restart();
        until_empty(&mut progress, 20).await;

        let exported = server.export(&format!("{name}_heat_energy"));
        let series: serde_json::Value = serde_json::from_str(&exported).unwrap();
        let values: Vec<f64> = serde_json::from_value(series["values"].clone()).unwrap();
        let expected: Vec<_> = (0..20)
            .map(|number| 84.0 + f64::from(number) / 1000.0)
            .collect();
        assert_eq!(values, expected);
        assert_eq!(series["timestamps"][1], 1_795_176_060_000_i64);
        assert_eq!(series["metric"]["serial"], "84968362");
        assert_eq!(series["metric"]["model"], "MULTICAL 403");
    }
}

#[tokio::test]
async fn influxdb_keeps_exact_values_once() {
    let server = Server::start();
    server.query("CREATE DATABASE heat");
    let settings = Settings {
        texts: true,
        ..Settings::new(server.url(), database("heat", "of the test"))
    };
    let mut destination = Influx::new(settings).unwrap();
    destination.test().await.unwrap();
    let poll = stored(poll_of(
        0,
        vec![
            reading(60, Unit::GJ, Decimal::new(84_817, -3)),
            reading(80, Unit::KW, Decimal::new(0, -1)),
            reading(99, Unit::NONE, Decimal::new(16, 0)),
            text(1003, Unit::DATE1, "2026-11-20"),
        ],
    ));
    for _ in 0..2 {
        let polls = std::slice::from_ref(&poll);
        destination.deliver(polls, &known()).await.unwrap();
    }
    let answer: serde_json::Value =
        serde_json::from_str(&server.query("SELECT * FROM heat..heatmeter")).unwrap();
    let series = &answer["results"][0]["series"][0];
    let columns = [
        "time",
        "date",
        "heat_energy",
        "info_code",
        "model",
        "power",
        "serial",
    ];
    assert_eq!(series["columns"], serde_json::json!(columns));
    let row = serde_json::json!([
        1_795_176_000_000_i64,
        "2026-11-20",
        84.817,
        16,
        "MULTICAL 403",
        0,
        "84968362"
    ]);
    assert_eq!(series["values"], serde_json::json!([row]));
}

#[tokio::test]
async fn what_keeps_it_out_of_influxdb_is_said() {
    let mut server = Server::start();
    let settings =
        |name: &str, password: &str| Settings::new(server.url(), database(name, password));
    let error = complaint(settings("heat", "of the test")).await;
    assert!(error.message.contains("database not found"), "{error}");
    assert!(
        error.help.contains("CREATE DATABASE \"heat\""),
        "{}",
        error.help
    );
    server.query("CREATE DATABASE heat");
    let error = complaint(settings("heat", "guessed")).await;
    assert!(error.message.contains("does not let us in"), "{error}");
    assert!(!error.message.contains("guessed"), "{error}");
    // Debian's version is older than the second way to write.
    let error = complaint(Settings::new(server.url(), bucket())).await;
    assert!(error.message.contains("404"), "{error}");

    // Somebody wrote text where numbers belong: not every poll can be refused for that.
    let line = format!(
        "heatmeter,serial=1 heat_energy=\"much\" {}",
        1_795_176_000_000_i64
    );
    let path = "/write?db=heat&precision=ms&u=heat&p=of%20the%20test";
    assert_eq!(ask(server.port(), path, Some(&line)).unwrap().status, 204);
    let mut destination = destination(server.url(), database("heat", "of the test"));
    let error = destination
        .deliver(&[stored(poll(0))], &known())
        .await
        .unwrap_err();
    assert!(
        error.is_final && error.message.contains("field type conflict"),
        "{error}"
    );

    server.stop();
    let error = complaint(Settings::new(server.url(), database("heat", "x"))).await;
    assert!(
        error.message.contains("nobody listens at 127.0.0.1:"),
        "{error}"
    );
}

#[tokio::test]
async fn https_is_believed_when_its_authority_is() {
    let server = Server::start_with_tls();
    server.query("CREATE DATABASE heat");
    let settings = |ca_file: &std::path::Path| Settings {
        ca_file: Some(ca_file.to_owned()),
        ..Settings::new(server.url(), database("heat", "of the test"))
    };
    let made = server.certificates();
    let mut trusted = Influx::new(settings(&made.ca)).unwrap();
    trusted.deliver(&[stored(poll(0))], &known()).await.unwrap();
    let error = complaint(settings(&made.other_ca)).await;
    assert!(error.message.contains("not signed by anybody"), "{error}");
    let plain = server.url().replace("https:", "http:");
    let mut plain = destination(plain, database("heat", "of the test"));
    let refused = plain.deliver(&[stored(poll(0))], &known()).await;
    for error in [plain.test().await.unwrap_err(), refused.unwrap_err()] {
        assert!(error.message.contains("speaks TLS"), "{error}");
        assert!(!error.is_final, "{error}");
    }
}

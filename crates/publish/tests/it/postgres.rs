//! PostgreSQL, with a real one.

use heatmeter_publish::postgres::{Postgres, Settings};
use heatmeter_publish::{DeliveryError, Destination};
use heatmeter_servers::Postgres as Server;
use kamstrup_kmp::{Decimal, Unit};

use crate::outbox::{Outbox, known, poll, poll_of, reading, stored, text, until_empty};

fn destination(url: String) -> Postgres {
    Postgres::new(&Settings::new(url)).unwrap()
}

async fn complaint(settings: &Settings) -> DeliveryError {
    let error = Postgres::new(settings).unwrap().test().await.unwrap_err();
    assert!(!error.is_final, "{error}");
    assert!(!error.help.is_empty(), "{error}");
    error
}

#[tokio::test]
async fn readings_are_there_once_and_exactly() {
    let server = Server::start();
    let numbers = [
        Decimal::new(84_817, -3),
        Decimal::new(0, -1),
        Decimal::new(-5, 0),
        Decimal::new(123_456_789_012_345_678_901_234_567_890, -15),
        Decimal::new(-123_456_789_012_345_678_901_234_567_890, -30),
        Decimal::new(10_000, -4),
        Decimal::new(1, -127),
        Decimal::new(42, 60),
        Decimal::new(i128::MAX, -38),
        Decimal::new(i128::MIN, 5),
    ];
    let mut readings: Vec<_> = (1000_u16..)
        .zip(numbers)
        .map(|(register, number)| reading(register, Unit::GJ, number))
        .collect();
    readings.push(text(2003, Unit::DATE1, "2026-11-20"));
    let poll = stored(poll_of(0, readings));

    let mut destination = destination(server.url());
    for _ in 0..2 {
        let polls = std::slice::from_ref(&poll);
        destination.deliver(polls, &known()).await.unwrap();
    }
    let values = server.sql("SELECT value FROM readings WHERE value IS NOT NULL ORDER BY register");
    let expected: Vec<_> = numbers.iter().map(Decimal::to_string).collect();
    assert_eq!(values.lines().collect::<Vec<_>>(), expected);
    assert_eq!(
        server.sql(
            "SET timezone = 'UTC'; SELECT serial, register, at, value, unit, text, quality, poll_id
             FROM readings WHERE register IN (1000, 2003) ORDER BY register"
        ),
        "84968362|1000|2026-11-20 12:00:00+00|84.817|GJ||good|84968362-1795176000000\n\
         84968362|2003|2026-11-20 12:00:00+00|||2026-11-20|good|84968362-1795176000000"
    );
}

#[tokio::test]
async fn outages_close_without_loss_or_double() {
    let mut server = Server::start();
    let outbox = Outbox::new().await;
    let supplier = outbox.supply("postgres", destination(server.url())).await;
    let mut progress = supplier.progress();
    outbox.record(0..50).await;
    until_empty(&mut progress, 50).await;
    // It is away when something comes, in an orderly way.
    server.stop();
    outbox.record(50..100).await;
    crate::outbox::until(&mut progress, |p| p.trouble.is_some()).await;
    server.restart();
    until_empty(&mut progress, 100).await;
    // It is killed while it is written to.
    let recording = async { outbox.record(100..400).await };
    let killing = async {
        crate::outbox::until(&mut progress.clone(), |p| p.delivered >= 150).await;
        server.kill9();
        server.restart();
    };
    tokio::join!(recording, killing);
    until_empty(&mut progress, 400).await;
    let counts = "SELECT count(*), count(DISTINCT poll_id), min(value), max(value)
                  FROM readings WHERE key = 'heat_energy'";
    assert_eq!(server.sql(counts), "400|400|84.000|84.399");
    assert_eq!(server.sql("SELECT count(*) FROM readings"), "800");
}

#[tokio::test]
async fn what_keeps_it_out_is_said() {
    let mut server = Server::start();
    let url = |user, password, database| server.url_of(user, password, database);
    let wrong = Settings::new(url("postgres", "guessed", "postgres"));
    let error = complaint(&wrong).await;
    assert!(error.message.contains("does not let us in"), "{error}");
    assert!(!error.message.contains("guessed"), "{error}");

    let missing = Settings::new(url("postgres", "of the test", "heat"));
    let error = complaint(&missing).await;
    assert!(error.message.contains("no such database"), "{error}");

    server.sql("CREATE ROLE reader LOGIN PASSWORD 'r'");
    let reader = Settings::new(url("reader", "r", "postgres"));
    let error = complaint(&reader).await;
    assert!(error.message.contains("does not allow it"), "{error}");
    // The table is made by somebody else, and it may write.
    server.sql("CREATE TABLE other (serial text)");
    server.sql("GRANT ALL ON other TO reader");
    let other = Settings {
        table: "other".to_owned(),
        ..reader.clone()
    };
    let error = complaint(&other).await;
    assert!(error.message.contains("is not what is expected"), "{error}");

    let encrypted = Settings::new(format!("{}?sslmode=require", server.url()));
    let error = complaint(&encrypted).await;
    assert!(error.message.contains("does not speak TLS"), "{error}");

    server.stop();
    let error = complaint(&Settings::new(server.url())).await;
    assert!(
        error.message.contains("nobody listens at 127.0.0.1:"),
        "{error}"
    );
}

#[tokio::test]
async fn a_test_leaves_nothing_behind() {
    let server = Server::start();
    let tables = "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'";
    destination(server.url()).test().await.unwrap();
    assert_eq!(server.sql(tables), "0");
    // Nor a row in a table that is there.
    let mut first = destination(server.url());
    first.deliver(&[stored(poll(0))], &known()).await.unwrap();
    destination(server.url()).test().await.unwrap();
    assert_eq!(server.sql("SELECT count(*) FROM readings"), "2");
    // Whoever may not make tables may write to one that is there.
    server.sql("CREATE ROLE heat LOGIN PASSWORD 'h'; GRANT SELECT, INSERT ON readings TO heat");
    let mut second = destination(server.url_of("heat", "h", "postgres"));
    second.test().await.unwrap();
    second.deliver(&[stored(poll(1))], &known()).await.unwrap();
    assert_eq!(server.sql("SELECT count(*) FROM readings"), "4");
}

#[tokio::test]
async fn tls_is_believed_when_its_authority_is() {
    let server = Server::start_with_tls();
    let made = server.certificates();
    let url = format!("{}?sslmode=require", server.url());
    let settings = |ca_file: &std::path::Path| Settings {
        ca_file: Some(ca_file.to_owned()),
        ..Settings::new(url.clone())
    };
    let mut trusted = Postgres::new(&settings(&made.ca)).unwrap();
    trusted.test().await.unwrap();
    trusted.deliver(&[stored(poll(0))], &known()).await.unwrap();
    let error = complaint(&settings(&made.other_ca)).await;
    assert!(error.message.contains("not signed by anybody"), "{error}");
    let error = Postgres::new(&settings(std::path::Path::new("/nowhere"))).unwrap_err();
    assert!(error.message.contains("/nowhere"), "{error}");
    let plain = Settings::new(server.url());
    let error = complaint(&plain).await;
    assert!(error.message.contains("does not let us in"), "{error}");
}

#[tokio::test]
async fn the_table_of_several_gateways_is_made_once_and_spread_over_time() {
    let server = Server::start();
    // Stands in for TimescaleDB, which Debian does not have.
    server.sql(
        "CREATE SCHEMA timescale;
         CREATE TABLE timescale.made (relation text, column_name text);
         CREATE FUNCTION timescale.create_hypertable
             (relation regclass, time_column_name name, if_not_exists boolean DEFAULT false)
             RETURNS void LANGUAGE sql AS
             'INSERT INTO timescale.made VALUES (relation::text, time_column_name)'",
    );
    let deliveries = (0..4).map(|number| {
        let mut gateway = destination(server.url());
        tokio::spawn(async move {
            let polls = [stored(poll(number)), stored(poll(100))];
            gateway.deliver(&polls, &known()).await
        })
    });
    for delivery in deliveries.collect::<Vec<_>>() {
        delivery.await.unwrap().unwrap();
    }
    assert_eq!(server.sql("SELECT * FROM timescale.made"), "readings|at");
    assert_eq!(server.sql("SELECT count(*) FROM readings"), "10");
}

#[tokio::test]
async fn what_a_rule_of_the_owner_forbids_is_passed_over() {
    let server = Server::start();
    let outbox = Outbox::new().await;
    let mut first = destination(server.url());
    first
        .deliver(&[stored(poll(1000))], &known())
        .await
        .unwrap();
    server.sql("ALTER TABLE readings ADD CHECK (value IS NULL OR value <> 84.007)");
    outbox.history.pending("postgres", false, 1).await.unwrap();
    outbox.record(0..20).await;
    let supplier = outbox.supply("postgres", first).await;
    let mut progress = supplier.progress();
    let told = crate::outbox::until(&mut progress, |p| p.pending == 0).await;
    assert_eq!((told.delivered, told.refused), (19, 1));
    let energies = "SELECT count(*) FROM readings WHERE key = 'heat_energy'";
    assert_eq!(server.sql(energies), "20");
}

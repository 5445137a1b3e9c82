//! Passwords, certificates and access control: what works, and what is said when it does not.

use heatmeter_publish::mqtt::{Protocol, Settings, Tls};
use heatmeter_servers::{Access, Mosquitto, Options};

use super::support::{Gateway, Listener, PROTOCOLS, SERIAL, energy, poll, settings};

fn with_password(options: Options) -> Mosquitto {
    Mosquitto::start(&Options {
        user: Some(("meter".to_owned(), "secret".to_owned())),
        ..options
    })
}

fn logged_in(port: u16, password: &str, protocol: Protocol) -> Settings {
    Settings {
        user: Some("meter".to_owned()),
        password: Some(password.to_owned()),
        protocol,
        ..settings(port)
    }
}

async fn trouble(settings: &Settings) -> String {
    let trouble = settings.test().await.unwrap_err();
    assert!(!trouble.is_final);
    format!("{trouble}. {}", trouble.help)
}

#[tokio::test]
async fn the_right_password_lets_in_and_the_wrong_one_is_named() {
    let broker = with_password(Options::default());
    for protocol in PROTOCOLS {
        let right = logged_in(broker.port(), "secret", protocol);
        right.test().await.unwrap();
        let wrong = logged_in(broker.port(), "guess", protocol);
        let said = trouble(&wrong).await;
        assert!(said.contains("does not let meter in"), "{said}");
        let mut gateway = Gateway::start(wrong);
        let poll = [poll(SERIAL, 1, vec![energy(1)])];
        let error = gateway.try_to_deliver(&poll).await.unwrap_err();
        assert!(said.starts_with(&error.to_string()), "{error}");
    }
}

#[tokio::test]
async fn tls_with_ones_own_authority_delivers() {
    let broker = Mosquitto::start(&Options {
        tls: true,
        ..Options::default()
    });
    for protocol in PROTOCOLS {
        let tls = Tls {
            ca_file: Some(broker.certificates().ca.clone()),
            identity: None,
        };
        let settings = Settings {
            tls: Some(tls),
            protocol,
            ..settings(broker.port())
        };
        settings.test().await.unwrap();
        let mut gateway = Gateway::start(settings);
        gateway.deliver(&[poll(SERIAL, 1, vec![energy(1)])]).await;
    }
}

#[tokio::test]
async fn a_certificate_of_another_authority_is_not_believed() {
    let broker = Mosquitto::start(&Options {
        tls: true,
        ..Options::default()
    });
    for protocol in PROTOCOLS {
        let tls = Tls {
            ca_file: Some(broker.certificates().other_ca.clone()),
            identity: None,
        };
        let said = trouble(&Settings {
            tls: Some(tls),
            protocol,
            ..settings(broker.port())
        })
        .await;
        assert!(said.contains("TLS connection"), "{said}");
        assert!(said.contains("ca_file"), "{said}");
    }
}

#[tokio::test]
async fn a_broker_that_wants_a_certificate_of_ours_gets_it() {
    let broker = Mosquitto::start(&Options {
        tls: true,
        client_certificates: true,
        ..Options::default()
    });
    let made = broker.certificates();
    for protocol in PROTOCOLS {
        let mut with = Settings {
            tls: Some(Tls {
                ca_file: Some(made.ca.clone()),
                identity: Some((made.client_cert.clone(), made.client_key.clone())),
            }),
            protocol,
            ..settings(broker.port())
        };
        with.test().await.unwrap();
        with.tls = Some(Tls {
            ca_file: Some(made.ca.clone()),
            identity: None,
        });
        trouble(&with).await;
    }
}

#[tokio::test]
async fn files_that_are_no_certificates_are_named_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let empty = folder.path().join("empty.pem");
    std::fs::write(&empty, "").unwrap();
    for (tls, expected) in [
        (
            Tls {
                ca_file: Some(folder.path().join("none.pem")),
                identity: None,
            },
            "none.pem",
        ),
        (
            Tls {
                ca_file: Some(empty.clone()),
                identity: None,
            },
            "empty.pem",
        ),
    ] {
        let said = trouble(&Settings {
            tls: Some(tls),
            ..settings(1)
        })
        .await;
        assert!(said.contains(expected), "{said}");
    }
}

#[tokio::test]
async fn a_broker_without_tls_at_the_port_is_told_from_one_that_is_not_there() {
    let nobody = trouble(&settings(heatmeter_servers::free_port())).await;
    assert!(nobody.contains("nobody listens"), "{nobody}");
    let plain = Mosquitto::start(&Options {
        tls: true,
        ..Options::default()
    });
    for protocol in PROTOCOLS {
        let said = trouble(&Settings {
            protocol,
            ..settings(plain.port())
        })
        .await;
        assert!(said.contains("TLS"), "{said}");
    }
}

#[tokio::test]
async fn a_refused_subscription_is_said_and_nothing_else_is() {
    let broker = Mosquitto::start(&Options {
        access: Access::NoSubscriptions,
        ..Options::default()
    });
    for protocol in PROTOCOLS {
        let settings = Settings {
            protocol,
            ..settings(broker.port())
        };
        let mut gateway = Gateway::start(settings);
        let poll = [poll(SERIAL, 1, vec![energy(1)])];
        let error = gateway.try_to_deliver(&poll).await.unwrap_err();
        assert!(
            error.message.contains("heatmeter/+/read"),
            "{protocol:?}: {error}"
        );
        assert!(error.help.contains("access control"), "{}", error.help);
    }
}

#[tokio::test]
async fn a_refused_message_is_said() {
    // Everybody may read; nobody may write.
    let broker = Mosquitto::start(&Options {
        access: Access::List("topic read #\n".to_owned()),
        ..Options::default()
    });
    let listener = Listener::start(&broker).await;
    let settings = settings(broker.port());
    let said = trouble(&settings).await;
    assert!(said.contains("write to heatmeter/test"), "{said}");
    let mut gateway = Gateway::start(settings);
    let poll = [poll(SERIAL, 1, vec![energy(1)])];
    let error = gateway.try_to_deliver(&poll).await.unwrap_err();
    assert!(
        error.message.contains("heatmeter/84968362/state"),
        "{error}"
    );
    assert_eq!(listener.count(), 0);
}

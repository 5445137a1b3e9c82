//! The mosquitto of the tests: it listens, comes back on its port, and ends with its owner.

use std::net::TcpStream;

use heatmeter_servers::{Access, Mosquitto, Options};

fn listens(port: u16) -> bool {
    TcpStream::connect(("127.0.0.1", port)).is_ok()
}

#[test]
fn it_comes_back_on_the_same_port_and_ends_when_dropped() {
    let mut broker = Mosquitto::start(&Options::default());
    let port = broker.port();
    broker.kill9();
    assert!(!listens(port));
    broker.restart();
    assert!(listens(port));
    drop(broker);
    assert!(!listens(port));
}

#[test]
fn it_starts_with_everything_that_can_be_set() {
    let broker = Mosquitto::start(&Options {
        user: Some(("heatmeter".to_owned(), "secret".to_owned())),
        tls: true,
        client_certificates: true,
        access: Access::List("topic readwrite heatmeter/#\n".to_owned()),
        persistence: true,
    });
    assert!(broker.certificates().client_key.is_file());
}

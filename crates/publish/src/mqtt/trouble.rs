//! What is said of a broker that does not do what it should.

use std::io::ErrorKind;

use super::settings::{Protocol, Settings};
use super::topics::Topics;
use super::version::{Broken, Refused};
use crate::DeliveryError;

/// Why there is no connection.
pub(super) fn of(why: Broken, settings: &Settings) -> DeliveryError {
    let broker = settings.broker();
    match why {
        Broken::Io(error) => of_network(&error, settings),
        Broken::Tls(error) => DeliveryError::trouble(
            format!("the TLS connection to the broker at {broker} was refused: {error}"),
            "Check that the certificate is made for this host name, that it is valid today, and that \
             ca_file holds the certificate of the authority that signed it.",
        ),
        Broken::Unwelcome => DeliveryError::trouble(
            match &settings.user {
                Some(user) => format!("the broker at {broker} does not let {user} in"),
                None => format!("the broker at {broker} lets nobody in without a password"),
            },
            "Check user and password_file, and that the broker knows this user.",
        ),
        Broken::OtherVersion => {
            let (ours, other) = match settings.protocol {
                Protocol::V5 => ("MQTT 5", "protocol = 3"),
                Protocol::V3 => ("MQTT 3.1.1", "protocol = 5"),
            };
            DeliveryError::trouble(
                format!("the broker at {broker} does not speak {ours}"),
                format!("Set {other}."),
            )
        }
        Broken::TurnedAway(reason) => DeliveryError::trouble(
            format!("the broker at {broker} turned us away: {reason}"),
            "The broker's log says more.",
        ),
        Broken::Mute => DeliveryError::trouble(
            format!("the broker at {broker} does not answer"),
            "Check that it is an MQTT broker, and whether it expects TLS at this port.",
        ),
        Broken::Other(error) => DeliveryError::trouble(
            format!("the connection to the broker at {broker} broke: {error}"),
            "The broker's log says more.",
        ),
    }
}

/// Why a message was not taken.
pub(super) fn of_refusal(refused: Refused, topic: &str, settings: &Settings) -> DeliveryError {
    let broker = settings.broker();
    match refused {
        Refused::Lost => DeliveryError::trouble(
            format!("the connection to the broker at {broker} broke"),
            "It is made again.",
        ),
        Refused::Forbidden => DeliveryError::trouble(
            format!("the broker at {broker} does not allow us to write to {topic}"),
            "Allow it in the broker's access control list.",
        ),
        Refused::Never(reason) => DeliveryError::refused(
            format!("the broker at {broker} refused a message to {topic}: {reason}"),
            "The broker's log says more.",
        ),
        Refused::NotNow(reason) => DeliveryError::trouble(
            format!("the broker at {broker} did not take a message to {topic}: {reason}"),
            "The broker's log says more.",
        ),
    }
}

/// What refused subscriptions mean; nothing if there are none.
pub(super) fn of_subscriptions(
    refused: &[String],
    topics: &Topics,
    settings: &Settings,
) -> Option<DeliveryError> {
    if refused.is_empty() {
        return None;
    }
    let filters = refused.join(", ");
    let mut help = "Allow it in the broker's access control list".to_owned();
    if settings.discovery && !refused.contains(&topics.commands()) {
        help.push_str(", or set discovery = false");
    }
    help.push('.');
    Some(DeliveryError::trouble(
        format!(
            "the broker at {} does not allow us to listen to {filters}",
            settings.broker()
        ),
        help,
    ))
}

/// The connection is no longer kept.
pub(super) fn closed() -> DeliveryError {
    DeliveryError::trouble("the connection to the broker is closed".to_owned(), "")
}

fn of_network(error: &std::io::Error, settings: &Settings) -> DeliveryError {
    let broker = settings.broker();
    match error.kind() {
        ErrorKind::ConnectionRefused => DeliveryError::trouble(
            format!("nobody listens at {broker}"),
            "Check that the broker runs, and host and port in the configuration.",
        ),
        ErrorKind::TimedOut | ErrorKind::HostUnreachable | ErrorKind::NetworkUnreachable => {
            DeliveryError::trouble(
                format!("the broker at {broker} cannot be reached: {error}"),
                "Check the network, and host and port in the configuration.",
            )
        }
        ErrorKind::ConnectionReset
        | ErrorKind::ConnectionAborted
        | ErrorKind::BrokenPipe
        | ErrorKind::UnexpectedEof => DeliveryError::trouble(
            format!("the broker at {broker} closed the connection"),
            if settings.tls.is_some() {
                "Check that the broker expects TLS at this port. If it wants a certificate of ours, \
                 set cert_file and key_file."
            } else {
                "Check whether the broker expects TLS at this port."
            },
        ),
        _ => DeliveryError::trouble(
            format!("the broker at {broker} cannot be reached: {error}"),
            "Check host and port in the configuration.",
        ),
    }
}

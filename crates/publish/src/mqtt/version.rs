//! One connection to a broker, whichever version of MQTT it speaks.
//!
//! The two crates that speak them have the same shape and share no types: one macro writes both
//! adapters, and what differs is given to it.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use rustls::ClientConfig;

use super::settings::Settings;

/// How long the broker may take to answer.
const PATIENCE: Duration = Duration::from_secs(20);
/// A quiet connection is tried this often.
const KEEP_ALIVE_SECONDS: u16 = 30;
/// Announcements of other devices pass by, too; none is larger than this.
const LARGEST: u32 = 1024 * 1024;
/// How many requests may wait inside the client.
const WAITING: usize = 64;

/// How many messages may be on their way at once. The client for MQTT 5 looks through room for that many
/// with each message, and by default it has room for 65,535.
const ON_THEIR_WAY: u16 = 100;

/// A version of MQTT. Each connection has a client, for whoever has something to say, and a line,
/// which moves the bytes and must be asked for its next event all the time.
pub(super) trait Version: Send + 'static {
    type Client: Clone + Send + Sync + 'static;
    type Line: Send + 'static;
    type Notice: Send + 'static;

    /// A connection that is made when the line is asked for its first event. The will is a message
    /// that the broker says when we are gone.
    fn open(
        settings: &Settings,
        id: &str,
        tls: Option<Arc<ClientConfig>>,
        will: Option<Message>,
    ) -> (Self::Client, Self::Line);

    /// What happens next.
    fn next(line: &mut Self::Line) -> impl Future<Output = Result<Event, Broken>> + Send;

    /// Subscribes; done when the broker has answered. The filters that it refused.
    fn subscribe(
        client: &Self::Client,
        filters: &[String],
    ) -> impl Future<Output = Result<Vec<String>, Refused>> + Send;

    /// Hands a message to the line.
    fn publish(
        client: &Self::Client,
        message: Message,
    ) -> impl Future<Output = Result<Self::Notice, Refused>> + Send;

    /// Waits until the broker has acknowledged it.
    fn acknowledged(notice: Self::Notice) -> impl Future<Output = Result<(), Refused>> + Send;

    /// Says goodbye when everything is acknowledged.
    fn disconnect(client: &Self::Client) -> impl Future<Output = ()> + Send;
}

/// Something to say, with quality of service 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Message {
    pub(super) topic: String,
    pub(super) payload: String,
    pub(super) retain: bool,
}

impl Message {
    /// One that the broker keeps.
    pub(super) fn retained(topic: String, payload: impl Into<String>) -> Self {
        Self {
            topic,
            payload: payload.into(),
            retain: true,
        }
    }
}

/// What a line tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Event {
    /// The broker has let us in.
    Connected,
    /// Somebody said something.
    Heard(Heard),
    /// Nothing of interest.
    Other,
}

/// Something that somebody said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Heard {
    pub(super) topic: String,
    pub(super) payload: Vec<u8>,
    /// Whether it was said some time ago and kept by the broker.
    pub(super) retained: bool,
}

/// Why there is no connection.
#[derive(Debug)]
pub(super) enum Broken {
    /// The network.
    Io(io::Error),
    /// TLS could not be agreed on.
    Tls(String),
    /// The broker does not let us in: the password.
    Unwelcome,
    /// The broker does not speak this version.
    OtherVersion,
    /// The broker does not let us in: what it says.
    TurnedAway(String),
    /// The broker does not answer.
    Mute,
    /// Everything else.
    Other(String),
}

/// Why something was not acknowledged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Refused {
    /// The connection was lost before the broker could.
    Lost,
    /// We may not.
    Forbidden,
    /// The broker will never take this message: what it says.
    Never(String),
    /// The broker cannot now: what it says.
    NotNow(String),
}

macro_rules! version {
    (
        $name:ident, $mqtt:ident,
        options: $options:expr,
        network: $network:expr,
        will: $will:expr,
        other_version: $other_version:pat,
        timeout: $timeout:pat,
        refusal: $refusal:expr,
    ) => {
        #[derive(Debug)]
        pub(super) enum $name {}

        impl Version for $name {
            type Client = $mqtt::AsyncClient;
            type Line = Box<$mqtt::EventLoop>;
            type Notice = $mqtt::PublishNotice;

            fn open(
                settings: &Settings,
                id: &str,
                tls: Option<Arc<ClientConfig>>,
                will: Option<Message>,
            ) -> (Self::Client, Self::Line) {
                let broker = (settings.host.clone(), settings.port());
                let mut options = $mqtt::MqttOptions::new(id, broker);
                options.set_keep_alive(KEEP_ALIVE_SECONDS);
                let set_up: fn(&mut $mqtt::MqttOptions) = $options;
                set_up(&mut options);
                if let Some(user) = &settings.user {
                    let password = settings.password.clone().unwrap_or_default();
                    options.set_credentials(user, password);
                }
                if let Some(tls) = tls {
                    let tls = $mqtt::TlsConfiguration::Rustls(tls);
                    options.set_transport($mqtt::Transport::tls_with_config(tls));
                }
                if let Some(will) = will {
                    let last_will: fn(Message) -> $mqtt::LastWill = $will;
                    options.set_last_will(last_will(will));
                }
                let (client, line) = $mqtt::AsyncClient::builder(options)
                    .capacity(WAITING)
                    .build();
                let mut line = Box::new(line);
                let set_up: fn(&mut $mqtt::EventLoop) = $network;
                set_up(&mut line);
                (client, line)
            }

            async fn next(line: &mut Self::Line) -> Result<Event, Broken> {
                use $mqtt::{ConnectReturnCode, ConnectionError, Packet, StateError};
                match line.poll().await {
                    Ok($mqtt::Event::Incoming(Packet::ConnAck(_))) => Ok(Event::Connected),
                    Ok($mqtt::Event::Incoming(Packet::Publish(publish))) => {
                        Ok(Event::Heard(Heard {
                            topic: String::from_utf8_lossy(&publish.topic).into_owned(),
                            payload: publish.payload.to_vec(),
                            retained: publish.retain,
                        }))
                    }
                    Ok(_) => Ok(Event::Other),
                    Err(error) => Err(match error {
                        ConnectionError::Io(error)
                        | ConnectionError::MqttState(StateError::Io(error)) => Broken::Io(error),
                        ConnectionError::MqttState(
                            StateError::ConnectionAborted | StateError::Deserialization(_),
                        ) => Broken::Io(io::ErrorKind::ConnectionAborted.into()),
                        ConnectionError::Tls($mqtt::TlsError::Io(error)) => Broken::tls(error),
                        ConnectionError::Tls(error) => Broken::Tls(error.to_string()),
                        ConnectionError::ConnectionRefused(code) => match code {
                            ConnectReturnCode::BadUserNamePassword
                            | ConnectReturnCode::NotAuthorized => Broken::Unwelcome,
                            $other_version => Broken::OtherVersion,
                            code => Broken::TurnedAway(format!("{code:?}")),
                        },
                        $timeout => Broken::Mute,
                        error => Broken::Other(error.to_string()),
                    }),
                }
            }

            async fn subscribe(
                client: &Self::Client,
                filters: &[String],
            ) -> Result<Vec<String>, Refused> {
                use $mqtt::SubscribeReasonCode;
                let wanted = filters.iter().map(|filter| {
                    $mqtt::SubscribeFilter::new(filter.clone(), $mqtt::QoS::AtLeastOnce)
                });
                let notice = client
                    .subscribe_many_tracked(wanted)
                    .await
                    .map_err(|error| Refused::Never(error.to_string()))?;
                let answer = notice.wait_async().await.map_err(|_| Refused::Lost)?;
                Ok(filters
                    .iter()
                    .zip(answer.return_codes)
                    .filter(|(_, code)| !matches!(code, SubscribeReasonCode::Success(_)))
                    .map(|(filter, _)| filter.clone())
                    .collect())
            }

            async fn publish(
                client: &Self::Client,
                message: Message,
            ) -> Result<Self::Notice, Refused> {
                let options =
                    $mqtt::PublishOptions::new($mqtt::QoS::AtLeastOnce).retain(message.retain);
                client
                    .publish_tracked(message.topic, message.payload, options)
                    .await
                    .map_err(|error| Refused::Never(error.to_string()))
            }

            async fn acknowledged(notice: Self::Notice) -> Result<(), Refused> {
                let refusal: fn($mqtt::PublishNoticeError) -> Refused = $refusal;
                notice.wait_completion_async().await.map_err(refusal)
            }

            async fn disconnect(client: &Self::Client) {
                // That it is gone already is fine, too.
                drop(client.disconnect_with_timeout(PATIENCE).await);
            }
        }
    };
}

version! {
    V5, rumqttc_v5,
    options: |options| {
        options.set_connect_timeout(PATIENCE);
        options.set_max_packet_size(Some(LARGEST));
        options.set_outgoing_inflight_upper_limit(ON_THEIR_WAY);
        let mut network = rumqttc_v5::NetworkOptions::new();
        network.set_tcp_nodelay(true);
        options.set_network_options(network);
    },
    network: |_| {},
    will: |will| {
        rumqttc_v5::LastWill::new(
            will.topic, will.payload, rumqttc_v5::QoS::AtLeastOnce, will.retain, None,
        )
    },
    other_version: ConnectReturnCode::RefusedProtocolVersion
        | ConnectReturnCode::UnsupportedProtocolVersion,
    timeout: ConnectionError::Timeout(_),
    refusal: |error| {
        use rumqttc_v5::PubAckReason as Reason;
        use rumqttc_v5::PublishNoticeError as Error;
        match error {
            Error::V5PubAck(Reason::NotAuthorized) => Refused::Forbidden,
            Error::V5PubAck(reason @ (Reason::TopicNameInvalid | Reason::PayloadFormatInvalid)) => {
                Refused::Never(format!("{reason:?}"))
            }
            Error::V5PubAck(reason) => Refused::NotNow(format!("{reason:?}")),
            error @ Error::RetainNotSupported => Refused::Never(error.to_string()),
            _ => Refused::Lost,
        }
    },
}

version! {
    V3, rumqttc_v4,
    options: |options| {
        let largest = usize::try_from(LARGEST).unwrap_or(usize::MAX);
        options.set_max_packet_size(largest, largest);
        options.set_inflight(ON_THEIR_WAY);
    },
    network: |line| {
        line.network_options.set_tcp_nodelay(true);
        line.network_options.set_connection_timeout(PATIENCE.as_secs());
    },
    will: |will| {
        rumqttc_v4::LastWill::new(
            will.topic, will.payload, rumqttc_v4::QoS::AtLeastOnce, will.retain,
        )
    },
    other_version: ConnectReturnCode::RefusedProtocolVersion,
    timeout: ConnectionError::NetworkTimeout | ConnectionError::FlushTimeout,
    refusal: |_| Refused::Lost,
}

impl Broken {
    /// A certificate that is not believed comes as an error of the network.
    fn tls(error: io::Error) -> Self {
        let is_tls = error
            .get_ref()
            .and_then(|inner| inner.downcast_ref::<rustls::Error>())
            .is_some();
        if is_tls {
            Self::Tls(error.to_string())
        } else {
            Self::Io(error)
        }
    }
}

//! The command to read a meter now.

use heatmeter_publish::mqtt::Settings;
use heatmeter_servers::{Mosquitto, Options};

use super::support::{Gateway, Listener, PROTOCOLS, SERIAL, board, card, settings, soon};

#[tokio::test]
async fn a_command_is_an_order_and_a_retained_one_is_not() {
    for protocol in PROTOCOLS {
        let broker = Mosquitto::start(&Options::default());
        let listener = Listener::start(&broker).await;
        listener.say("heatmeter/84968362/read", "", true).await;
        listener.say("heatmeter/11111111/read", "PRESS", true).await;
        let settings = Settings {
            protocol,
            ..settings(broker.port())
        };
        let cards = [card(SERIAL), card("11111111")];
        let mut gateway = Gateway::with(settings, board(cards));
        listener.wait_for("heatmeter/status", "online").await;
        listener
            .say("heatmeter/99999999/read", "PRESS", false)
            .await;
        listener
            .say("heatmeter/84968362/read", "PRESS", false)
            .await;
        let order = soon(gateway.service.next_order()).await;
        assert_eq!(order.as_deref(), Some(SERIAL));
    }
}

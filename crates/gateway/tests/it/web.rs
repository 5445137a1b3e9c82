//! The HTTP API, through real sockets, against a hub that the test fills.

pub(crate) mod client;
mod schema;
mod site;

mod answers_fit_the_document;
mod configuration_keeps_its_secrets;
mod destinations_and_ports_are_tried;
mod events_tell_what_happens;
mod exchanges_are_shown_and_given_away;
mod export_is_what_the_command_writes;
mod health_is_the_gateways_own;
mod history_is_drawn;
mod metrics_are_understood;
mod orders_reach_the_line;
mod page_is_served;
mod strangers_are_turned_away;

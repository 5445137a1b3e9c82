//! MQTT, with a real mosquitto.

mod announcements;
mod commands;
mod losses;
mod security;
mod state;
mod support;

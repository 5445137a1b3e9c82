//! What destinations do with real servers.

mod influx;
mod mqtt;
mod outbox;
mod postgres;
mod receiver;
mod supplier;
mod webhook;

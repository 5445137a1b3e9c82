//! Delivers what the history holds to the places where people use it.
//!
//! A [`Destination`] takes polls in order and says when the other side has acknowledged them; the
//! supplier reads the outbox, tries again for as long as it takes, and tells how it goes. A new
//! destination is one file.

#![forbid(unsafe_code)]

mod destination;
mod http;
pub mod influx;
pub mod mqtt;
pub mod postgres;
mod supplier;
mod tls;
pub mod webhook;

pub use destination::{DeliveryError, Destination, Known, Progress};
pub use supplier::{Pauses, Place, Supplier};

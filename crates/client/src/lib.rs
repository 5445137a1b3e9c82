//! Reads Kamstrup meters with tokio: opens the port, keeps it open, drives a session over it.
//!
//! [`Meter`] is where to start: it says who the meter is and reads registers through the gate, each
//! time those that [`Rounds`] says are due. Below it a [`Client`] runs a session's tasks over a port;
//! [`Probe`] and [`Alignment`] help to put the head in the right place. A [`Port`] says where the meter is: a serial port, a TCP bridge, an RFC 2217 server or a
//! recording. [`Transport`] is that port opened. [`Machine`] lists the serial ports of this machine
//! and says who holds them; [`PortError`] says why one cannot be used, and what to do about it.
//!
//! The protocol itself is not here but in `kamstrup_kmp`, which knows no I/O. This crate reads no
//! wall clock.

mod alignment;
mod client;
mod connection;
mod error;
mod holder;
mod line;
mod list;
mod meter;
mod port;
mod probe;
mod recorder;
mod recording;
pub mod rfc2217;
mod rounds;
mod telnet;
mod transport;

pub use alignment::{Alignment, Step};
pub use client::{Client, Notice};
pub use connection::{Change, Connection, Protocol};
pub use error::{Lost, Missing, PortError, Unreachable};
pub use holder::{Holder, Lock};
pub use line::ModemLines;
pub use list::{Access, Machine, SerialPort};
pub use meter::{Answered, Introduction, Meter, PollError, Reply};
pub use port::{Address, ParsePortError, Port};
pub use probe::{Attempt, Probe};
pub use recorder::Recorder;
pub use recording::{
    Direction, Entry, Event, Header, Note, Recording, RecordingError, mask_serial, recording_text,
};
pub use rounds::Rounds;
pub use transport::{OpenOptions, Transport};

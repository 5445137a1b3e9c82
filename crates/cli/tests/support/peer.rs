//! The other end of a TCP port, played by hand.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use kamstrup_kmp::Instant;
use kamstrup_kmp::frame::Address;
use kamstrup_kmp::message::{MeterType, Request, Software};
use kamstrup_kmp::responder::{Heard, Reply, Responder};

/// Something that listens and does with every connection what the test wants.
pub struct Peer {
    port: u16,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Peer {
    pub fn new(serve: impl Fn(&mut TcpStream) + Send + 'static) -> Self {
        Self::for_connections(usize::MAX, serve)
    }

    /// Takes one connection. After it, nobody listens any more.
    pub fn once(serve: impl Fn(&mut TcpStream) + Send + 'static) -> Self {
        Self::for_connections(1, serve)
    }

    fn for_connections(count: usize, serve: impl Fn(&mut TcpStream) + Send + 'static) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = stop.clone();
        let thread = thread::spawn(move || {
            for stream in listener.incoming().take(count) {
                if stopped.load(Ordering::Relaxed) {
                    break;
                }
                let mut stream = stream.unwrap();
                // A reader that has gone must not keep the test waiting.
                let patience = Some(Duration::from_secs(10));
                stream.set_read_timeout(patience).unwrap();
                stream.set_write_timeout(patience).unwrap();
                serve(&mut stream);
            }
        });
        Self {
            port,
            stop,
            thread: Some(thread),
        }
    }

    pub fn port(&self) -> String {
        format!("socket://127.0.0.1:{}", self.port)
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        let _ = TcpStream::connect(("127.0.0.1", self.port));
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// The next request on a connection; `None` when it is closed.
pub fn request(stream: &mut TcpStream) -> Option<Request> {
    let mut responder = Responder::new(Address::METER);
    let mut byte = [0];
    while let Ok(1) = stream.read(&mut byte) {
        let mut bytes = &byte[..];
        if let Some(Heard::Request(request)) = responder.hear(&mut bytes, Instant::default()) {
            return Some(request);
        }
    }
    None
}

/// Writes until the other end has gone; whether it still takes bytes.
pub fn send(stream: &mut TcpStream, bytes: &[u8]) -> bool {
    stream.write_all(bytes).is_ok()
}

/// The answer of a meter to the question for its type: a MULTICAL 601 with software G1.
pub fn type_answer() -> Vec<u8> {
    let meter_type = MeterType {
        code: 0x0001,
        software: Software(0x0701),
    };
    Reply::Type(meter_type).encode(Address::METER).unwrap()
}

//! A webhook that takes everything, and just enough HTTP for both ends of a connection.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use serde_json::Value;

/// Takes everything that is posted to it, in the order in which it comes.
pub struct Hook {
    pub port: u16,
    taken: Arc<Mutex<Vec<Value>>>,
}

impl Hook {
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let taken = Arc::<Mutex<Vec<Value>>>::default();
        let all = Arc::clone(&taken);
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (stream, all) = (stream.unwrap(), Arc::clone(&all));
                thread::spawn(move || {
                    let mut reader = BufReader::new(&stream);
                    while take(&mut reader, &all).is_some() {}
                });
            }
        });
        Self { port, taken }
    }

    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}/", self.port)
    }

    /// What it has taken so far.
    pub fn taken(&self) -> Vec<Value> {
        self.taken.lock().unwrap().clone()
    }
}

fn take(reader: &mut BufReader<&TcpStream>, taken: &Mutex<Vec<Value>>) -> Option<()> {
    let (_, body) = message(reader)?;
    let body = serde_json::from_slice(&body).unwrap();
    taken.lock().unwrap().push(body);
    let mut stream = *reader.get_ref();
    stream.write_all(b"HTTP/1.1 204 \r\n\r\n").ok()
}

/// The next request or answer: its first line and its body. None where the connection ends before
/// that is complete.
pub fn message(reader: &mut impl BufRead) -> Option<(String, Vec<u8>)> {
    let mut first = String::new();
    let mut length = 0;
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).ok()? == 0 {
            return None;
        }
        let line = line.trim_end();
        if line.is_empty() {
            break;
        }
        if first.is_empty() {
            line.clone_into(&mut first);
        }
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length: ") {
            length = value.parse().ok()?;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some((first, body))
}

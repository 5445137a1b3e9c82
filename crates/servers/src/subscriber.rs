//! Somebody who hears everything that is said at a broker, and somebody who says something there.
//!
//! Both in the few bytes of MQTT 3.1.1 that they take. A client would drop what it has read when it
//! finds the connection broken, and nobody must miss anything here: what mosquitto hands on with quality
//! of service 0 before it acknowledges arrives, even if it is then killed.

use std::io::{self, BufReader, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// How soon a broker that is away is looked for again.
const PAUSE: Duration = Duration::from_millis(20);

const CONNECT: &[u8] = b"\x10\x0c\x00\x04MQTT\x04\x02\x00\x00\x00\x00";
const SUBSCRIBE_TO_ALL: &[u8] = b"\x82\x06\x00\x01\x00\x01#\x00";
const DISCONNECT: &[u8] = b"\xe0\x00";
const PUBLISH: u8 = 3;
const PUBACK: u8 = 4;
const SUBACK: u8 = 9;

/// Something heard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    /// Its topic.
    pub topic: String,
    /// What was said.
    pub payload: String,
    /// Whether it was said some time ago and kept by the broker.
    pub retained: bool,
}

/// What a subscriber tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Heard {
    /// The broker has let it in: from now on it hears everything.
    Subscribed,
    /// Something was said.
    Said(Said),
}

/// Hears everything at a broker that knows no passwords, for as long as it is there; comes back when
/// the broker does.
#[derive(Debug)]
pub struct Subscriber {
    line: Arc<Mutex<Line>>,
    listening: Option<JoinHandle<()>>,
}

#[derive(Debug)]
enum Line {
    Standing(TcpStream),
    Broken,
    Ended,
}

impl Subscriber {
    /// What is heard is handed to a function.
    pub fn start(port: u16, mut hear: impl FnMut(Heard) + Send + 'static) -> Self {
        let line = Arc::new(Mutex::new(Line::Broken));
        let kept = Arc::clone(&line);
        let listening = thread::spawn(move || {
            loop {
                // Whatever ends the connection: what arrived before was heard.
                drop(listen(port, &kept, &mut hear));
                let mut line = kept.lock().unwrap_or_else(PoisonError::into_inner);
                if matches!(*line, Line::Ended) {
                    return;
                }
                *line = Line::Broken;
                drop(line);
                thread::sleep(PAUSE);
            }
        });
        Self {
            line,
            listening: Some(listening),
        }
    }
}

impl Drop for Subscriber {
    fn drop(&mut self) {
        let mut line = self.line.lock().unwrap_or_else(PoisonError::into_inner);
        if let Line::Standing(stream) = std::mem::replace(&mut *line, Line::Ended) {
            // It may be broken already.
            drop(stream.shutdown(Shutdown::Both));
        }
        drop(line);
        if let Some(listening) = self.listening.take() {
            drop(listening.join());
        }
    }
}

fn listen(port: u16, line: &Mutex<Line>, hear: &mut impl FnMut(Heard)) -> io::Result<()> {
    let mut stream = TcpStream::connect(("127.0.0.1", port))?;
    {
        let mut line = line.lock().unwrap_or_else(PoisonError::into_inner);
        if matches!(*line, Line::Ended) {
            return Ok(());
        }
        *line = Line::Standing(stream.try_clone()?);
    }
    stream.write_all(CONNECT)?;
    stream.write_all(SUBSCRIBE_TO_ALL)?;
    let mut stream = BufReader::new(stream);
    loop {
        let (first, mut body) = packet(&mut stream)?;
        match first >> 4 {
            PUBLISH => {
                let topic = usize::from(u16::from_be_bytes([body[0], body[1]]));
                let payload = body.split_off(2 + topic);
                hear(Heard::Said(Said {
                    topic: String::from_utf8_lossy(&body[2..]).into_owned(),
                    payload: String::from_utf8_lossy(&payload).into_owned(),
                    retained: first & 1 == 1,
                }));
            }
            SUBACK => hear(Heard::Subscribed),
            _ => {}
        }
    }
}

/// Says something and waits until the broker has acknowledged it.
///
/// # Panics
/// If the broker is not there, or wants a password.
pub fn say(port: u16, topic: &str, payload: &str, retain: bool) {
    try_to_say(port, topic, payload, retain).expect("the broker takes it");
}

fn try_to_say(port: u16, topic: &str, payload: &str, retain: bool) -> io::Result<()> {
    let mut stream = TcpStream::connect(("127.0.0.1", port))?;
    stream.write_all(CONNECT)?;
    let mut body = Vec::new();
    let length = u16::try_from(topic.len()).map_err(io::Error::other)?;
    body.extend(length.to_be_bytes());
    body.extend(topic.as_bytes());
    body.extend([0, 1]);
    body.extend(payload.as_bytes());
    // With quality of service 1.
    let mut message = vec![0x32 | u8::from(retain)];
    let mut length = body.len();
    loop {
        let last = length < 0x80;
        message.push(u8::try_from(length % 0x80).map_err(io::Error::other)? | u8::from(!last) << 7);
        length /= 0x80;
        if last {
            break;
        }
    }
    message.extend(body);
    stream.write_all(&message)?;
    while packet(&mut stream)?.0 >> 4 != PUBACK {}
    stream.write_all(DISCONNECT)
}

/// The first byte of a packet, and what stands behind its length.
fn packet(stream: &mut impl Read) -> io::Result<(u8, Vec<u8>)> {
    let mut byte = [0];
    stream.read_exact(&mut byte)?;
    let first = byte[0];
    let mut length = 0;
    for shift in [0, 7, 14, 21] {
        stream.read_exact(&mut byte)?;
        length |= usize::from(byte[0] & 0x7f) << shift;
        if byte[0] < 0x80 {
            break;
        }
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body)?;
    Ok((first, body))
}

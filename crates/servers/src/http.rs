//! Just enough HTTP to ask a server of a test something.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

/// How long a server may say nothing.
const LIMIT: Duration = Duration::from_mins(1);

const FORM: &str = "application/x-www-form-urlencoded";

/// What a server answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The status, such as 200.
    pub status: u16,
    /// The body.
    pub body: String,
}

/// Asks a server on loopback; none if nobody answers. `path` is as it goes over the line; `form`
/// makes it a POST.
pub fn ask(port: u16, path: &str, form: Option<&str>) -> Option<Answer> {
    let stream = TcpStream::connect(("127.0.0.1", port)).ok()?;
    stream.set_read_timeout(Some(LIMIT)).ok()?;
    exchange(stream, path, FORM, form)
}

/// Posts JSON to a server on loopback; none if nobody answers.
pub fn tell(port: u16, path: &str, json: &str) -> Option<Answer> {
    let stream = TcpStream::connect(("127.0.0.1", port)).ok()?;
    stream.set_read_timeout(Some(LIMIT)).ok()?;
    exchange(stream, path, "application/json", Some(json))
}

/// A text as a part of a query.
pub fn encode(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => char::from(byte).to_string(),
            byte => format!("%{byte:02X}"),
        })
        .collect()
}

/// The same by a socket that is a file.
pub(crate) fn ask_socket(socket: &Path, path: &str, form: Option<&str>) -> Option<Answer> {
    let stream = UnixStream::connect(socket).ok()?;
    stream.set_read_timeout(Some(LIMIT)).ok()?;
    exchange(stream, path, FORM, form)
}

fn exchange(
    mut stream: impl Read + Write,
    path: &str,
    kind: &str,
    body: Option<&str>,
) -> Option<Answer> {
    let method = if body.is_some() { "POST" } else { "GET" };
    let body = body.unwrap_or_default();
    // With HTTP 1.0 the answer ends with the connection.
    write!(
        stream,
        "{method} {path} HTTP/1.0\r\nHost: 127.0.0.1\r\n\
         Content-Type: {kind}\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .ok()?;
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).ok()?;
    let text = String::from_utf8_lossy(&bytes);
    let (head, body) = text.split_once("\r\n\r\n")?;
    Some(Answer {
        status: head.split(' ').nth(1)?.parse().ok()?,
        body: body.to_owned(),
    })
}

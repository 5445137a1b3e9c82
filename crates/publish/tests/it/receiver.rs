//! A small HTTP server that answers as told, and worse.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// What comes of a request.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Reply {
    /// An answer with that status, more headers (each with its line end) and body.
    Status(u16, &'static str, &'static str),
    /// Nothing, while the connection stays.
    Silence,
    /// Half an answer, then the end.
    Half,
}

#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) line: String,
    /// By name in lower case.
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: String,
    /// The number of its connection.
    pub(crate) connection: usize,
}

/// Ends when this is dropped.
pub(crate) struct Receiver {
    port: u16,
    requests: Arc<Mutex<Vec<Request>>>,
    task: JoinHandle<()>,
}

impl Receiver {
    /// Starts one that answers as the function says, which is given the number of the request.
    pub(crate) async fn start(reply: impl Fn(usize) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let requests = Arc::<Mutex<Vec<Request>>>::default();
        let seen = Arc::clone(&requests);
        let reply = Arc::new(reply);
        let task = tokio::spawn(async move {
            let mut served = tokio::task::JoinSet::new();
            for connection in 0.. {
                let (stream, _) = listener.accept().await.unwrap();
                let (reply, seen) = (Arc::clone(&reply), Arc::clone(&seen));
                served.spawn(async move {
                    // The client may hang up at any time.
                    drop(serve(stream, connection, &*reply, &seen).await);
                });
            }
        });
        Self {
            port,
            requests,
            task,
        }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}/hook", self.port)
    }

    pub(crate) fn requests(&self) -> Vec<Request> {
        self.requests.lock().unwrap().clone()
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(
    stream: TcpStream,
    connection: usize,
    reply: &(impl Fn(usize) -> Reply + Sync),
    seen: &Mutex<Vec<Request>>,
) -> std::io::Result<()> {
    let mut stream = BufReader::new(stream);
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await? == 0 {
            return Ok(());
        }
        let mut headers = BTreeMap::new();
        loop {
            let mut header = String::new();
            stream.read_line(&mut header).await?;
            let Some((name, value)) = header.split_once(':') else {
                break;
            };
            headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
        }
        let length = headers
            .get("content-length")
            .map_or(0, |length| length.parse().unwrap());
        let mut body = vec![0; length];
        stream.read_exact(&mut body).await?;
        let number = {
            let mut seen = seen.lock().unwrap();
            seen.push(Request {
                line: line.trim_end().to_owned(),
                headers,
                body: String::from_utf8(body).unwrap(),
                connection,
            });
            seen.len() - 1
        };
        match reply(number) {
            Reply::Status(status, headers, body) => {
                let length = body.len();
                let answer = format!(
                    "HTTP/1.1 {status} \r\n{headers}Content-Length: {length}\r\n\r\n{body}"
                );
                stream.write_all(answer.as_bytes()).await?;
            }
            Reply::Silence => std::future::pending().await,
            Reply::Half => return stream.write_all(b"HTTP/1.1 200 OK\r\nContent-").await,
        }
    }
}

//! A way to a broker that can break: half way through a packet, or for a while.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};

/// Passes bytes on. Dropping it breaks everything.
#[derive(Debug)]
pub struct Proxy {
    port: u16,
    way: Arc<Way>,
    accepting: Option<JoinHandle<()>>,
}

#[derive(Debug)]
struct Way {
    /// The connections that stand; none if none may.
    open: Mutex<Option<Vec<TcpStream>>>,
    /// How many bytes still pass to the server.
    questions: AtomicI64,
    /// How many bytes still pass back.
    answers: AtomicI64,
    has_ended: AtomicBool,
}

impl Proxy {
    /// Listens on a port of loopback and leads to another.
    ///
    /// # Panics
    /// If there is no port.
    pub fn start(server: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("there is a port");
        let port = listener.local_addr().expect("it is bound").port();
        let way = Arc::new(Way {
            open: Mutex::new(Some(Vec::new())),
            questions: AtomicI64::new(i64::MAX),
            answers: AtomicI64::new(i64::MAX),
            has_ended: AtomicBool::new(false),
        });
        let accepted = Arc::clone(&way);
        let accepting = thread::spawn(move || {
            for client in listener.incoming() {
                if accepted.has_ended.load(Ordering::SeqCst) {
                    return;
                }
                if let Ok(client) = client {
                    // One that breaks at once is one that breaks.
                    drop(accepted.take(client, server));
                }
            }
        });
        Self {
            port,
            way,
            accepting: Some(accepting),
        }
    }

    /// Where it listens.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Breaks a connection after so many bytes more to the server. Then all pass again.
    pub fn cut_after(&self, bytes: i64) {
        self.way.questions.store(bytes, Ordering::SeqCst);
    }

    /// Breaks a connection after so many bytes more of what the server answers. Then all pass again.
    pub fn cut_answers_after(&self, bytes: i64) {
        self.way.answers.store(bytes, Ordering::SeqCst);
    }

    /// Breaks all connections and lets none through.
    pub fn close(&self) {
        for stream in self.way.set_open(None).into_iter().flatten() {
            cut(&stream);
        }
    }

    /// Lets them through again.
    pub fn open(&self) {
        self.way.set_open(Some(Vec::new()));
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.way.has_ended.store(true, Ordering::SeqCst);
        self.close();
        // It waits for one more.
        drop(TcpStream::connect(("127.0.0.1", self.port)));
        if let Some(accepting) = self.accepting.take() {
            drop(accepting.join());
        }
    }
}

impl Way {
    fn set_open(&self, open: Option<Vec<TcpStream>>) -> Option<Vec<TcpStream>> {
        let mut now = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::replace(&mut *now, open)
    }

    fn take(self: &Arc<Self>, client: TcpStream, server: u16) -> std::io::Result<()> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(standing) = open.as_mut() else {
            return Ok(());
        };
        let server = TcpStream::connect(("127.0.0.1", server))?;
        for stream in [&client, &server] {
            stream.set_nodelay(true)?;
            standing.push(stream.try_clone()?);
        }
        let (way, from, to) = (Arc::clone(self), client.try_clone()?, server.try_clone()?);
        thread::spawn(move || pass(&from, &to, &way.questions));
        let way = Arc::clone(self);
        thread::spawn(move || pass(&server, &client, &way.answers));
        Ok(())
    }
}

/// Passes bytes one way until one end has gone or no more may pass; then both go.
fn pass(mut from: &TcpStream, mut to: &TcpStream, left: &AtomicI64) {
    let mut buffer = [0; 4096];
    loop {
        let read = from.read(&mut buffer).unwrap_or(0);
        let count = i64::try_from(read).unwrap_or(0);
        let before = left.fetch_sub(count, Ordering::SeqCst);
        let passing = read.min(usize::try_from(before).unwrap_or(0));
        let is_cut = passing < read;
        if is_cut {
            left.store(i64::MAX, Ordering::SeqCst);
        }
        if to.write_all(&buffer[..passing]).is_err() || is_cut || read == 0 {
            break;
        }
    }
    cut(from);
    cut(to);
}

/// It may be broken already.
fn cut(stream: &TcpStream) {
    drop(stream.shutdown(Shutdown::Both));
}

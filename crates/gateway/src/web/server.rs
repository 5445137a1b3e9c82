//! Connections: how many, how long, and how they end.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use axum::http::uri::{PathAndQuery, Uri};
use axum::response::{IntoResponse, Redirect, Response};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
#[cfg(any(target_os = "android", target_os = "linux"))]
use socket2::SockRef;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::ServiceExt;

/// The largest body that is taken.
pub(super) const BODY_MAX: usize = 64 * 1024;

/// How long a client may send nothing in the middle of a body.
pub(super) const BODY_WITHIN: Duration = Duration::from_secs(20);

/// So many connections at once; more wait in the system's queue.
const CONNECTIONS_MAX: usize = 128;

/// How long a client may take for the head of a request, and for doing nothing between two.
const HEAD_WITHIN: Duration = Duration::from_secs(30);

/// What the head of a request may take.
const HEAD_MAX: usize = 32 * 1024;

/// How long a client may take nothing of what it is sent: a telephone that fell asleep, or one that only
/// wants to keep a connection from others.
const TAKEN_WITHIN: Duration = Duration::from_mins(1);

/// How long requests at work may take to end when the gateway does.
const GRACE: Duration = Duration::from_secs(5);

/// What is left of a web that takes no more connections.
#[derive(Debug)]
pub struct Stopped {
    listener: TcpListener,
    connections: TaskTracker,
}

impl Stopped {
    /// Gives up the address and waits for requests at work, but not for ever.
    pub async fn end(self) {
        let (listener, at_work) = self.part();
        drop(listener);
        at_work.await;
    }

    /// The listener for another site, and the end of requests at work.
    pub fn part(self) -> (TcpListener, impl Future<Output = ()> + Send + 'static) {
        let Self {
            listener,
            connections,
        } = self;
        let at_work = async move {
            // What is still at work then is cut off with the runtime.
            drop(tokio::time::timeout(GRACE, connections.wait()).await);
        };
        (listener, at_work)
    }
}

pub(super) async fn run(
    listener: TcpListener,
    router: Router,
    prefix: String,
    stop: CancellationToken,
) -> Stopped {
    let room = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let prefix: Arc<str> = prefix.into();
    let connections = TaskTracker::new();
    loop {
        let accept = async {
            // The semaphore is never closed.
            let permit = Arc::clone(&room).acquire_owned().await.ok();
            (listener.accept().await, permit)
        };
        let (accepted, permit) = tokio::select! {
            accepted = accept => accepted,
            () = stop.cancelled() => break,
        };
        match accepted {
            Ok((stream, _)) => {
                let answering = connection(
                    stream,
                    router.clone(),
                    Arc::clone(&prefix),
                    stop.child_token(),
                );
                connections.spawn(async move {
                    answering.await;
                    drop(permit);
                });
            }
            Err(error) => {
                // Out of descriptors, or the client was faster away than we were here.
                tracing::debug!(%error, "cannot accept a connection");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }
    connections.close();
    Stopped {
        listener,
        connections,
    }
}

async fn connection(stream: TcpStream, router: Router, prefix: Arc<str>, stop: CancellationToken) {
    drop(stream.set_nodelay(true));
    give_up_on_the_deaf(&stream);
    let service = hyper::service::service_fn(move |request: hyper::Request<Incoming>| {
        answer(router.clone(), Arc::clone(&prefix), request)
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_WITHIN)
        .max_buf_size(HEAD_MAX)
        .serve_connection(TokioIo::new(stream), service);
    tokio::pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = stop.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection ended badly");
    }
}

/// Has the system break off a connection whose other end takes nothing; it also sees clients that are
/// there and never read.
fn give_up_on_the_deaf(stream: &TcpStream) {
    #[cfg(any(target_os = "android", target_os = "linux"))]
    if let Err(error) = SockRef::from(stream).set_tcp_user_timeout(Some(TAKEN_WITHIN)) {
        tracing::debug!(%error, "a connection may stand for long");
    }
}

async fn answer(
    router: Router,
    prefix: Arc<str>,
    request: hyper::Request<Incoming>,
) -> Result<Response, Infallible> {
    let mut request: Request = request.map(axum::body::Body::new);
    if !prefix.is_empty() {
        if request.uri().path() == &*prefix {
            return Ok(Redirect::permanent(&format!("{prefix}/")).into_response());
        }
        if let Some(inside) = inside(request.uri(), &prefix) {
            *request.uri_mut() = inside;
        }
    }
    router.oneshot(request).await
}

/// The address without the prefix that a proxy left in front of it.
fn inside(uri: &Uri, prefix: &str) -> Option<Uri> {
    let rest = uri.path_and_query()?.as_str().strip_prefix(prefix)?;
    if !rest.starts_with('/') {
        return None;
    }
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = Some(rest.parse::<PathAndQuery>().ok()?);
    Uri::from_parts(parts).ok()
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_prefix_is_cut_off_where_it_is_one() {
        let inside = |uri: &str| {
            let uri = uri.parse().unwrap();
            super::inside(&uri, "/heat").map(|uri| uri.to_string())
        };
        assert_eq!(
            inside("/heat/api/meters?x=1"),
            Some("/api/meters?x=1".to_owned())
        );
        assert_eq!(inside("/heater/api"), None);
        assert_eq!(inside("/api"), None);
    }
}

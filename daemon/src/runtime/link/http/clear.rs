//! Connections in the clear, each driven by whoever uses it.
//!
//! What enters: requests to one server, whose addresses are paths. What leaves: responses that bring their connection along
//! and give it back once their body was read to the end. There is no task beside the request and so nothing to wake: what is
//! relayed passes through in the task that it came in.
//!
//! A connection that the server has closed while it was idle is noticed before it is used, and the request goes over another
//! one. A response that is dropped half-way hangs up.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{Request, Response, Uri};
use http_body_util::Full;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::runtime::Handle;
use tower::ServiceExt as _;

use super::super::Error;
use super::client::MOST_IDLE;
use super::trouble;

type Asked = Request<Full<Bytes>>;
type Driver = http1::Connection<TokioIo<TcpStream>, Full<Bytes>>;

/// The connections to one server.
pub(super) struct Pool {
    origin: Uri,
    connector: HttpConnector,
    /// How long one is kept that nobody uses.
    keep: Duration,
    idle: Mutex<Idle>,
}

/// Those that nobody uses, the one that was used last at the end; and whether somebody looks after them.
#[derive(Default)]
struct Idle {
    kept: Vec<(Instant, Connection)>,
    is_tended: bool,
}

impl Pool {
    /// Connections to where an address leads, made by that connector.
    pub(super) fn new(origin: Uri, connector: HttpConnector, keep: Duration) -> Arc<Self> {
        Arc::new(Self {
            origin,
            connector,
            keep,
            idle: Mutex::default(),
        })
    }

    /// Makes a request of a path; returns when the answer begins.
    ///
    /// # Errors
    /// [`Error::Unreachable`] when there is no connection to be had, and so nobody has heard of it; [`Error::Closed`] when it
    /// may have been heard.
    pub(super) async fn request(self: &Arc<Self>, mut request: Asked) -> Result<Response<Content>, Error> {
        loop {
            let (mut connection, is_new) = match self.take() {
                Some(connection) => (connection, false),
                None => (self.connect().await?, true),
            };
            match connection.send(request).await {
                Ok(response) => {
                    return Ok(response.map(|incoming| Content {
                        incoming,
                        connection: Some(connection),
                        pool: Arc::downgrade(self),
                    }));
                }
                Err(Some(unheard)) if !is_new => request = *unheard,
                Err(_) => return Err(trouble::broke_off()),
            }
        }
    }

    async fn connect(&self) -> Result<Connection, Error> {
        let connected = self.connector.clone().oneshot(self.origin.clone()).await;
        let stream = connected.map_err(|error| trouble::unreachable_because(&error, false))?;
        let shaken = http1::handshake(stream).await;
        let (sender, driver) = shaken.map_err(|_| trouble::broke_off())?;
        Ok(Connection {
            sender,
            driver: Some(Box::new(driver)),
        })
    }

    /// The one that was used last, if it is still good.
    fn take(&self) -> Option<Connection> {
        loop {
            let (since, mut connection) = self.idle().kept.pop()?;
            if since.elapsed() < self.keep && connection.is_idle() {
                return Some(connection);
            }
        }
    }

    /// Keeps one for the next request.
    fn keep(self: &Arc<Self>, connection: Connection) {
        // When the daemon ends, responses are dropped where nothing can be started any more.
        let Ok(runtime) = Handle::try_current() else { return };
        let mut idle = self.idle();
        if idle.kept.len() < MOST_IDLE {
            idle.kept.push((Instant::now(), connection));
        }
        if !idle.is_tended {
            idle.is_tended = true;
            runtime.spawn(tend(Arc::downgrade(self), self.keep));
        }
    }

    /// Closes those that nobody has used for long; whether there are any others.
    fn close_old(&self) -> bool {
        let mut idle = self.idle();
        let old = idle.kept.partition_point(|(since, _)| since.elapsed() >= self.keep);
        drop(idle.kept.drain(..old));
        idle.is_tended = !idle.kept.is_empty();
        idle.is_tended
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Idle> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Closes what has been idle for long, until there is nothing left.
async fn tend(pool: Weak<Pool>, keep: Duration) {
    loop {
        tokio::time::sleep(keep / 2).await;
        match pool.upgrade() {
            Some(pool) if pool.close_old() => {}
            Some(_) | None => return,
        }
    }
}

/// One connection: what takes requests, and what writes them and reads the answers.
struct Connection {
    sender: SendRequest<Full<Bytes>>,
    /// Nothing once it has ended.
    driver: Option<Box<Driver>>,
}

impl Connection {
    /// Sends a request and waits for the head of its answer; gives the request back if none of it was sent.
    async fn send(&mut self, request: Asked) -> Result<Response<Incoming>, Option<Box<Asked>>> {
        let mut answer = std::pin::pin!(self.sender.try_send_request(request));
        let driver = &mut self.driver;
        std::future::poll_fn(|context| {
            drive(driver, context);
            // Nobody but the driver answers, and whoever drives it looks here next: there is nobody to wake. A driver that
            // ended before it took the request gives it back.
            let answered = answer.as_mut().poll(&mut Context::from_waker(Waker::noop()));
            answered.map_err(|mut error| error.take_message().map(Box::new))
        })
        .await
    }

    /// Whether another request can be sent.
    fn is_idle(&mut self) -> bool {
        drive(&mut self.driver, &mut Context::from_waker(Waker::noop()));
        self.driver.is_some() && self.sender.is_ready()
    }
}

/// Drives a connection as far as it goes now; lets go of it when it has ended, so that whoever waits for it learns that.
fn drive(driver: &mut Option<Box<Driver>>, context: &mut Context<'_>) {
    if let Some(driving) = driver
        && Pin::new(driving.as_mut()).poll(context).is_ready()
    {
        *driver = None;
    }
}

/// The body of a response, which drives its connection.
pub struct Content {
    incoming: Incoming,
    /// Nothing once it was given back, or is closed.
    connection: Option<Connection>,
    pool: Weak<Pool>,
}

impl Content {
    /// Gives the connection back once nothing more comes over it.
    fn give_back(&mut self) {
        if let Some(mut connection) = self.connection.take()
            && let Some(pool) = self.pool.upgrade()
            && connection.is_idle()
        {
            pool.keep(connection);
        }
    }
}

impl Body for Content {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        // As above: what comes, comes by the driver.
        let mut nobody = Context::from_waker(Waker::noop());
        let mut polled = Pin::new(&mut self.incoming).poll_frame(&mut nobody);
        if polled.is_pending()
            && let Some(connection) = &mut self.connection
        {
            drive(&mut connection.driver, context);
            polled = Pin::new(&mut self.incoming).poll_frame(&mut nobody);
        }
        if matches!(polled, Poll::Ready(None)) {
            self.give_back();
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.incoming.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.incoming.size_hint()
    }
}

impl Drop for Content {
    fn drop(&mut self) {
        if self.incoming.is_end_stream() {
            self.give_back();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_the_other_side_no_longer_reads_comes_back() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let origin = format!("http://{}/", listener.local_addr().unwrap());
        let pool = Pool::new(
            origin.parse().unwrap(),
            super::super::client::connector(),
            Duration::from_secs(60),
        );
        let mut connection = pool.connect().await.unwrap();
        drop(listener.accept().await.unwrap());
        // Nobody has looked at the connection since; that it was closed is found out with the request in hand.
        tokio::time::sleep(Duration::from_millis(50)).await;
        let mut request = Asked::new(Full::new(Bytes::from_static(b"{}")));
        *request.uri_mut() = "/mcp".parse().unwrap();
        let refused = connection.send(request).await.expect_err("nobody reads it");
        assert_eq!(refused.expect("none of it was sent").uri(), "/mcp");
    }
}

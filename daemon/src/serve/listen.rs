//! Listening: hyper connections over TCP or TLS, with limits in time, and an end that lets requests finish.

use std::convert::Infallible;
use std::io::{self, Cursor};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use axum::body::Body;
use hyper::body::Incoming;
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;

use super::doors::Doors;
use crate::api::{Peer, Service};
use crate::config::Settings;

/// What answers requests.
pub(super) type Door = Service<Doors>;

/// How long a client may take to send its request's head, or to shake hands.
const HEAD: Duration = Duration::from_secs(15);
/// The length of what an HTTP/2 client begins with (RFC 9113, section 3.4).
const PREFACE: usize = 24;
/// How long requests under way may take to finish when the daemon stops.
const FINISH: Duration = Duration::from_secs(10);

/// A bound address, and TLS where it is wanted.
pub(super) struct Listener {
    tcp: TcpListener,
    address: SocketAddr,
    tls: Option<TlsAcceptor>,
}

/// Binds the address of the settings.
pub(super) async fn bind(settings: &Settings) -> anyhow::Result<Listener> {
    let tls = match &settings.tls {
        Some((certificate, key)) => Some(acceptor(certificate, key)?),
        None => None,
    };
    let tcp = TcpListener::bind(settings.listen).await.with_context(|| {
        format!(
            "cannot listen on {}: is another daemon running there? choose another address with --listen",
            settings.listen
        )
    })?;
    let address = tcp.local_addr()?;
    Ok(Listener { tcp, address, tls })
}

fn acceptor(certificate: &std::path::Path, key: &std::path::Path) -> anyhow::Result<TlsAcceptor> {
    let chain = CertificateDer::pem_file_iter(certificate)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .with_context(|| format!("the certificate {} cannot be read", certificate.display()))?;
    let key_der =
        PrivateKeyDer::from_pem_file(key).with_context(|| format!("the key {} cannot be read", key.display()))?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(chain, key_der)
        .with_context(|| format!("{} and {} do not belong together", certificate.display(), key.display()))?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}

impl Listener {
    /// Where it listens.
    pub(super) const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves until `stop`; then takes no further connection, and lets requests under way finish.
    pub(super) async fn serve(self, door: Door, stop: CancellationToken) {
        let graceful = GracefulShutdown::new();
        let protocols = Protocols::new();
        loop {
            let accepted = tokio::select! {
                () = stop.cancelled() => break,
                accepted = self.tcp.accept() => accepted,
            };
            let (stream, peer) = match accepted {
                Ok((stream, address)) => (stream, Peer(address.ip())),
                Err(error) => {
                    wait_after(&error).await;
                    continue;
                }
            };
            // Small answers must not wait for each other.
            let _best_effort = stream.set_nodelay(true);
            let (protocols, watcher) = (protocols.clone(), graceful.watcher());
            let door = (door.clone(), peer);
            match self.tls.clone() {
                // Without TLS nobody agrees on HTTP/2, and waiting for a client to give it away would have no end.
                None => drop(tokio::spawn(protocols.http1(door, watcher, stream))),
                Some(tls) => drop(tokio::spawn(async move {
                    let Ok(Ok(stream)) = tokio::time::timeout(HEAD, tls.accept(stream)).await else {
                        return;
                    };
                    match stream.get_ref().1.alpn_protocol() {
                        Some(b"h2") => protocols.http2(door, watcher, stream).await,
                        Some(_) | None => protocols.http1(door, watcher, stream).await,
                    }
                })),
            }
        }
        drop(self.tcp);
        if tokio::time::timeout(FINISH, graceful.shutdown()).await.is_err() {
            tracing::warn!("requests that had not finished were cut off");
        }
    }
}

/// How connections are spoken with.
#[derive(Clone)]
struct Protocols {
    http1: http1::Builder,
    http2: http2::Builder<TokioExecutor>,
}

impl Protocols {
    fn new() -> Self {
        let mut http1 = http1::Builder::new();
        http1.timer(TokioTimer::new()).header_read_timeout(HEAD);
        let mut http2 = http2::Builder::new(TokioExecutor::new());
        http2
            .timer(TokioTimer::new())
            .keep_alive_interval(Duration::from_secs(30))
            .max_concurrent_streams(256);
        Self { http1, http2 }
    }

    async fn http1<S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(
        self,
        door: (Door, Peer),
        watcher: Watcher,
        stream: S,
    ) {
        let service = service_fn(move |request| answer(door.clone(), request));
        let connection = self.http1.serve_connection(TokioIo::new(stream), service);
        told(watcher.watch(connection).await);
    }

    async fn http2<S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(
        self,
        door: (Door, Peer),
        watcher: Watcher,
        mut stream: S,
    ) {
        // Once the client has begun, pings tell whether it lives; until then only the time does.
        let mut preface = [0; PREFACE];
        let Ok(Ok(_)) = tokio::time::timeout(HEAD, stream.read_exact(&mut preface)).await else {
            return;
        };
        let (rest, write) = tokio::io::split(stream);
        let stream = tokio::io::join(Cursor::new(preface).chain(rest), write);
        let service = service_fn(move |request| answer(door.clone(), request));
        let connection = self.http2.serve_connection(TokioIo::new(stream), service);
        told(watcher.watch(connection).await);
    }
}

async fn answer((door, peer): (Door, Peer), mut request: Request<Incoming>) -> Result<Response<Body>, Infallible> {
    request.extensions_mut().insert(peer);
    Ok(door.answer(request.map(Body::new)).await)
}

fn told(ended: Result<(), hyper::Error>) {
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection ended early");
    }
}

/// Out of file descriptors and the like: accepting at full speed would only burn the processor.
async fn wait_after(error: &io::Error) {
    let of_client = matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionRefused
    );
    if !of_client {
        tracing::warn!(%error, "connections cannot be accepted");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

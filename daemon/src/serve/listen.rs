//! Listening: hyper connections over TCP or TLS, with limits in time, and an end that lets requests finish.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use axum::Router;
use axum::body::Body;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::server::graceful::GracefulShutdown;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;

use crate::config::Settings;

/// How long a client may take to send its request's head, or to shake hands.
const HEAD: Duration = Duration::from_secs(15);
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
    pub(super) async fn serve(self, router: Router, stop: CancellationToken) {
        let graceful = GracefulShutdown::new();
        let mut server = auto::Builder::new(TokioExecutor::new());
        server.http1().timer(TokioTimer::new()).header_read_timeout(HEAD);
        server
            .http2()
            .timer(TokioTimer::new())
            .keep_alive_interval(Duration::from_secs(30))
            .max_concurrent_streams(256);
        loop {
            let accepted = tokio::select! {
                () = stop.cancelled() => break,
                accepted = self.tcp.accept() => accepted,
            };
            let stream = match accepted {
                Ok((stream, _)) => stream,
                Err(error) => {
                    wait_after(&error).await;
                    continue;
                }
            };
            // Small answers must not wait for each other.
            let _best_effort = stream.set_nodelay(true);
            let (server, router, watcher) = (server.clone(), router.clone(), graceful.watcher());
            match self.tls.clone() {
                None => drop(tokio::spawn(converse(server, router, watcher, stream))),
                Some(tls) => drop(tokio::spawn(async move {
                    if let Ok(Ok(stream)) = tokio::time::timeout(HEAD, tls.accept(stream)).await {
                        converse(server, router, watcher, stream).await;
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

async fn converse(
    server: auto::Builder<TokioExecutor>,
    router: Router,
    watcher: hyper_util::server::graceful::Watcher,
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
) {
    let service = service_fn(move |request: hyper::Request<Incoming>| router.clone().oneshot(request.map(Body::new)));
    let connection = server.serve_connection_with_upgrades(TokioIo::new(stream), service);
    if let Err(error) = watcher.watch(connection.into_owned()).await {
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

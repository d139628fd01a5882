//! HTTP clients, and the connections that they keep.
//!
//! How long an idle connection is kept depends on how much it costs to make another: many local servers hang up after five
//! seconds, and a request that meets them doing so is lost.

use std::sync::OnceLock;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Body;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};

/// How long connecting may take, TLS not included.
const CONNECT: Duration = Duration::from_secs(5);

/// How long an idle connection is kept: one in the clear, and one with TLS.
pub(super) const IDLE: (Duration, Duration) = (Duration::from_secs(4), Duration::from_secs(60));

/// How many idle connections are kept to one server.
pub(super) const MOST_IDLE: usize = 256;

pub(super) type Http<B = Full<Bytes>> = Client<HttpsConnector<HttpConnector>, B>;

/// The clients that all servers share. Root certificates are loaded when the first server needs them.
pub(in crate::runtime) struct Clients<B = Full<Bytes>> {
    plain: OnceLock<Result<Http<B>, String>>,
    secure: OnceLock<Result<Http<B>, String>>,
}

impl<B> Default for Clients<B> {
    fn default() -> Self {
        Self {
            plain: OnceLock::new(),
            secure: OnceLock::new(),
        }
    }
}

impl<B: Body<Data: Send> + Send> Clients<B> {
    /// The client for addresses with TLS, or for those without; or why there is none, as the rest of a sentence that begins
    /// with an address.
    pub(super) fn get(&self, secure: bool) -> Result<Http<B>, String> {
        let (client, idle) = if secure {
            (&self.secure, IDLE.1)
        } else {
            (&self.plain, IDLE.0)
        };
        client.get_or_init(|| client_of(secure, idle)).clone()
    }
}

/// What makes connections, TLS not included.
pub(super) fn connector() -> HttpConnector {
    let mut tcp = HttpConnector::new();
    tcp.enforce_http(false);
    tcp.set_nodelay(true);
    tcp.set_connect_timeout(Some(CONNECT));
    tcp.set_keepalive(Some(Duration::from_secs(60)));
    tcp
}

fn client_of<B: Body<Data: Send> + Send>(secure: bool, idle: Duration) -> Result<Http<B>, String> {
    let builder = HttpsConnectorBuilder::new();
    let builder = if secure {
        builder
            .try_with_platform_verifier()
            .map_err(|error| format!("cannot be asked: no root certificates can be loaded ({error})"))?
            .https_only()
    } else {
        // Never used for TLS, and so it trusts nobody.
        let nobody = rustls::ClientConfig::builder()
            .with_root_certificates(rustls::RootCertStore::empty())
            .with_no_client_auth();
        builder.with_tls_config(nobody).https_or_http()
    };
    let connector = builder.enable_all_versions().wrap_connector(connector());
    Ok(Client::builder(TokioExecutor::new())
        .pool_timer(TokioTimer::new())
        .pool_idle_timeout(idle)
        .pool_max_idle_per_host(MOST_IDLE)
        .build(connector))
}

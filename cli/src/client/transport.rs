//! Connections: plain for `http://`, rustls with ring for `https://`.
//!
//! Certificates are read from one file, and only when an address needs them: `--ca-file`, or the system's.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use orch_shared::problem::{Code, Problem};
use ureq::Agent;
use ureq::tls::{Certificate, PemItem, RootCerts, TlsConfig, parse_pem};

use crate::report::Failure;
use crate::settings::{Connection, is_local};

/// Where systems keep the certificates they trust.
const SYSTEM_ROOTS: &[&str] = &[
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/cert.pem",
    "/etc/ssl/ca-bundle.pem",
];

/// A client that talks to that daemon and reads every status as an answer.
pub(super) fn agent(connection: &Connection) -> Result<Agent, Failure> {
    let mut config = Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(0)
        .timeout_connect(Some(connection.timeout.min(Duration::from_secs(10))))
        .user_agent(concat!("orchctl/", env!("CARGO_PKG_VERSION")));
    if is_local(&connection.server) {
        // A proxy of the environment has no business between two programs of one machine.
        config = config.proxy(None);
    }
    if connection.server.starts_with("https://") {
        config = config.tls_config(tls(connection.ca_file.as_deref())?);
    }
    Ok(config.build().new_agent())
}

fn tls(ca_file: Option<&Path>) -> Result<TlsConfig, Failure> {
    let path = ca_file.map(Path::to_owned).or_else(system_roots).ok_or_else(|| {
        Failure::from(Problem::new(
            Code::LocalFile,
            "this system keeps its trusted certificates in no known place",
        ))
        .hint("name a file: --ca-file FILE")
    })?;
    let text = std::fs::read(&path).map_err(|error| Failure::file("read the certificates in", &path, &error))?;
    let certificates: Vec<Certificate<'static>> = parse_pem(&text)
        .filter_map(|item| match item {
            Ok(PemItem::Certificate(certificate)) => Some(certificate),
            _ => None,
        })
        .collect();
    if certificates.is_empty() {
        let detail = format!("there is no certificate in {}", path.display());
        return Err(Failure::from(Problem::new(Code::LocalFile, detail)).hint("a PEM file is expected"));
    }
    Ok(TlsConfig::builder()
        .root_certs(RootCerts::Specific(Arc::new(certificates)))
        .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .build())
}

fn system_roots() -> Option<PathBuf> {
    let of_user = std::env::var_os("SSL_CERT_FILE").map(PathBuf::from);
    of_user.or_else(|| SYSTEM_ROOTS.iter().map(PathBuf::from).find(|path| path.exists()))
}

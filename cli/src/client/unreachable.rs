//! Why there is no way to the daemon, and what to do about it.
//!
//! Enters: the error of a connection. Leaves: a [`Failure`] that names the cause in words and ends in a hint for just that
//! cause.

use orch_shared::problem::{Code, Problem};
use rustls::CertificateError;

use crate::report::Failure;

const NO_HOST: &str = "there is no such host";

/// That the daemon at that address cannot be reached, and why.
pub(super) fn told(server: &str, error: &ureq::Error) -> Failure {
    let host = server.split_once("://").map_or(server, |(_, rest)| rest);
    match tls(error) {
        Some(rustls::Error::InvalidCertificate(refused)) => {
            let (cause, hint) = certificate(server, refused);
            return Problem::new(Code::CertificateRefused, format!("{server} is not trusted: {cause}"))
                .suggest(hint)
                .into();
        }
        Some(rustls::Error::InvalidMessage(_)) => {
            return unreachable(server, "it does not speak TLS")
                .suggest(format!("try --server http://{host}"))
                .into();
        }
        Some(_) | None => {}
    }
    let why = reason(error);
    let problem = unreachable(server, &why);
    match error {
        _ if why == NO_HOST => problem.suggest("look at the address: --server, or orchctl config get-contexts"),
        ureq::Error::Http(_) | ureq::Error::BadUri(_) => problem.suggest("look at the address: --server"),
        // What a TLS server sends to someone who does not speak TLS is no HTTP.
        ureq::Error::Protocol(_) if server.starts_with("http://") => {
            problem.suggest(format!("if it speaks TLS: --server https://{host}"))
        }
        _ => problem.suggest("is it running? orchctl doctor"),
    }
    .into()
}

fn unreachable(server: &str, why: &str) -> Problem {
    Problem::new(Code::DaemonUnreachable, format!("cannot reach {server}: {why}"))
}

/// What TLS says, when it was TLS that failed.
fn tls(error: &ureq::Error) -> Option<&rustls::Error> {
    match error {
        ureq::Error::Rustls(error) => Some(error),
        ureq::Error::Io(error) => error.get_ref()?.downcast_ref(),
        _ => None,
    }
}

/// Why a certificate is refused, and what to do.
fn certificate(server: &str, refused: &CertificateError) -> (String, String) {
    match refused {
        CertificateError::UnknownIssuer => (
            "nobody that this machine trusts has signed its certificate".to_owned(),
            "name the certificate of the one who has: --ca-file FILE; for good: orchctl config set-context NAME --ca-file \
             FILE"
                .to_owned(),
        ),
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => (
            "its certificate has expired".to_owned(),
            "look at the clocks of both machines, then give the daemon a new one: orchd serve --tls-cert FILE --tls-key FILE"
                .to_owned(),
        ),
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => (
            "its certificate is not valid yet".to_owned(),
            "look at the clocks of both machines".to_owned(),
        ),
        CertificateError::NotValidForName => (
            "its certificate is for another name".to_owned(),
            "use a name that it is for: --server https://NAME:PORT".to_owned(),
        ),
        CertificateError::NotValidForNameContext { presented, .. } => {
            let names: Vec<String> = presented.iter().map(|name| bare_name(name)).collect();
            let port = server.rsplit_once(':').map_or("", |(_, port)| port);
            let port = port.split('/').next().unwrap_or_default();
            let cause = match names.is_empty() {
                true => "its certificate names nobody (it has no subjectAltName)".to_owned(),
                false => format!("its certificate is for {}", names.join(", ")),
            };
            let hint = match names.first() {
                Some(name) if port.chars().all(|c| c.is_ascii_digit()) && !port.is_empty() => {
                    format!("use a name that it is for: --server https://{name}:{port}")
                }
                Some(name) => format!("use a name that it is for: --server https://{name}"),
                None => "make one that names the daemon: orchctl explain ORCH7006".to_owned(),
            };
            (cause, hint)
        }
        // The library has no word of its own for it.
        CertificateError::Other(other) if format!("{other:?}").contains("CaUsedAsEndEntity") => (
            "its certificate is one for an authority (CA:TRUE), not for a server".to_owned(),
            "make one for the server, with basicConstraints=CA:FALSE: orchctl explain ORCH7006".to_owned(),
        ),
        // The list is the library's and may grow.
        other => (
            format!("its certificate is refused: {other:?}"),
            "see what to do: orchctl explain ORCH7006".to_owned(),
        ),
    }
}

/// `DnsName("localhost")` and `IpAddress(127.0.0.1)` as people write them.
fn bare_name(presented: &str) -> String {
    let inner = presented.split_once('(').map_or(presented, |(_, inner)| inner);
    inner.trim_end_matches(')').trim_matches('"').to_owned()
}

/// Why a connection failed, in the words of the operating system.
pub(super) fn reason(error: &ureq::Error) -> String {
    let text = match error {
        ureq::Error::Io(error) => error.to_string(),
        ureq::Error::HostNotFound => NO_HOST.to_owned(),
        ureq::Error::Protocol(_) => "what it answers is no HTTP".to_owned(),
        other => other.to_string(),
    };
    let end = text.find(" (os error").unwrap_or(text.len());
    let text = &text[..end];
    if text.starts_with("failed to lookup address") {
        return NO_HOST.to_owned();
    }
    let mut letters = text.chars();
    let first = letters.next().into_iter().flat_map(char::to_lowercase);
    first.chain(letters).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_in_certificates_are_read() {
        for (presented, name) in [
            (r#"DnsName("localhost")"#, "localhost"),
            ("IpAddress(127.0.0.1)", "127.0.0.1"),
            ("plain", "plain"),
        ] {
            assert_eq!(bare_name(presented), name);
        }
    }

    #[test]
    fn causes_are_told_apart() {
        let io = |text: &str| ureq::Error::Io(std::io::Error::other(text.to_owned()));
        assert_eq!(reason(&io("Connection refused (os error 111)")), "connection refused");
        let lookup = "failed to lookup address information: Name or service not known";
        assert_eq!(reason(&io(lookup)), NO_HOST);
        let refused = rustls::Error::InvalidCertificate(CertificateError::UnknownIssuer);
        let failure = told("https://x:1", &ureq::Error::Io(std::io::Error::other(refused)));
        assert_eq!(failure.code(), Some(Code::CertificateRefused));
        assert!(
            failure.to_string().contains("nobody that this machine trusts"),
            "{failure}"
        );
    }
}

//! Why a remote server does not answer, in people's words.
//!
//! Nothing in here repeats what was sent; what a server has answered is repeated only by its status.

use std::error::Error;
use std::io;

use rmcp::service::ClientInitializeError;
use rmcp::transport::streamable_http_client::StreamableHttpError;

/// Why there was no exchange.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Trouble {
    /// The request cannot even be made: why, as a clause.
    BadRequest(String),
    /// The host name is not known.
    Name,
    /// Nobody listens there.
    Refused,
    /// There is no way there, or it broke off.
    Network(String),
    /// No TLS connection can be made.
    Tls(String),
    /// There is no answer in time.
    Silent,
    /// An HTTP status that is no answer.
    Status(u16),
    /// An answer, but not in MCP.
    NotMcp,
    /// An answer in MCP that says no.
    Declined(String),
}

impl Trouble {
    /// Whether another way of asking would meet with the same.
    pub(super) const fn is_final(&self) -> bool {
        match self {
            Self::BadRequest(_) | Self::Name | Self::Refused | Self::Network(_) | Self::Tls(_) => true,
            Self::Status(status) => matches!(status, 401 | 403 | 407 | 429),
            Self::Silent | Self::NotMcp | Self::Declined(_) => false,
        }
    }

    /// What it is, as the rest of a sentence that begins with the address.
    pub(super) fn clause(&self) -> String {
        match self {
            Self::BadRequest(why) => why.clone(),
            Self::Name => "cannot be reached: its host name is not known".to_owned(),
            Self::Refused => "cannot be reached: the connection is refused".to_owned(),
            Self::Network(why) => format!("cannot be reached: {why}"),
            Self::Tls(why) => format!("cannot be reached: no TLS connection can be made ({why})"),
            Self::Silent => "does not answer in time".to_owned(),
            Self::Status(401) => "asks for credentials (HTTP 401)".to_owned(),
            Self::Status(403) => "refuses access with these credentials (HTTP 403)".to_owned(),
            Self::Status(404) => "has no such path (HTTP 404)".to_owned(),
            Self::Status(429) => "asks for fewer requests (HTTP 429)".to_owned(),
            Self::Status(status @ 300..=399) => format!("redirects to another place (HTTP {status})"),
            Self::Status(status @ 500..) => format!("fails by itself (HTTP {status})"),
            Self::Status(status) => format!("answers HTTP {status}"),
            Self::NotMcp => "answers, but not in MCP".to_owned(),
            Self::Declined(why) => format!("declines: {why}"),
        }
    }

    /// What to do about it.
    pub(super) fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Name => "check the host name in spec.remote.url",
            Self::Refused => "check the port in spec.remote.url, and whether the server runs",
            Self::Tls(_) => "check its certificate, or use http:// if it does not speak TLS",
            Self::Status(401 | 403) => "check the credentials in spec.remote.headers",
            Self::Status(404) | Self::NotMcp => "check the path in spec.remote.url; often it ends in /mcp or /sse",
            Self::Status(300..=399) => "put the address that it redirects to into spec.remote.url",
            Self::BadRequest(_) | Self::Network(_) | Self::Silent | Self::Status(_) | Self::Declined(_) => return None,
        };
        Some(hint.to_owned())
    }

    /// What a failed request means.
    pub(super) fn of_request(error: &reqwest::Error) -> Self {
        if let Some(status) = error.status() {
            return Self::Status(status.as_u16());
        }
        if error.is_timeout() {
            return Self::Silent;
        }
        if error.is_builder() {
            return Self::BadRequest("cannot be asked: the address or a header is not valid".to_owned());
        }
        let broke_off = || Self::Network("the connection broke off".to_owned());
        let is_https = error.url().is_some_and(|url| url.scheme() == "https");
        match Self::of_causes(error).unwrap_or_else(broke_off) {
            // What does not speak TLS often just hangs up on whoever does.
            trouble if trouble == broke_off() && is_https && error.is_connect() => {
                Self::Tls("the other side hangs up on it".to_owned())
            }
            trouble => trouble,
        }
    }

    /// Looks for the deepest cause that says something.
    fn of_causes(error: &(dyn Error + 'static)) -> Option<Self> {
        let mut found = None;
        let mut next = Some(error);
        while let Some(error) = next {
            // An error within an IO error is not always its source.
            let inner = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
            let tls = error.downcast_ref::<rustls::Error>().or_else(|| inner?.downcast_ref());
            if let Some(tls) = tls {
                return Some(Self::Tls(tls_reason(tls)));
            }
            if error.to_string() == "dns error" {
                return Some(Self::Name);
            }
            if let Some(io) = error.downcast_ref::<io::Error>() {
                found = match io.kind() {
                    io::ErrorKind::ConnectionRefused => Some(Self::Refused),
                    io::ErrorKind::TimedOut => Some(Self::Silent),
                    io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable => {
                        Some(Self::Network("there is no route to it".to_owned()))
                    }
                    io::ErrorKind::ConnectionReset
                    | io::ErrorKind::ConnectionAborted
                    | io::ErrorKind::UnexpectedEof => Some(Self::Network("the connection broke off".to_owned())),
                    _ => found,
                };
            }
            next = error.source();
        }
        found
    }

    /// What a failed greeting means.
    pub(super) fn of_greeting(error: &ClientInitializeError) -> Self {
        match error {
            ClientInitializeError::TransportError { error, .. } => Self::of_transport(error.error.as_ref()),
            ClientInitializeError::JsonRpcError(error) => Self::Declined(format!("error {}", error.code.0)),
            ClientInitializeError::NoCompatibleProtocolVersion { .. } => {
                Self::Declined("it speaks none of our protocol versions".to_owned())
            }
            // Closed without an answer, answered something else, or whatever may be added.
            _ => Self::NotMcp,
        }
    }

    fn of_transport(error: &(dyn Error + Send + Sync + 'static)) -> Self {
        if let Some(trouble) = error.downcast_ref::<Self>() {
            return trouble.clone();
        }
        match error.downcast_ref::<StreamableHttpError<reqwest::Error>>() {
            Some(StreamableHttpError::Client(error)) => Self::of_request(error),
            Some(StreamableHttpError::AuthRequired(_)) => Self::Status(401),
            Some(StreamableHttpError::InsufficientScope(_)) => Self::Status(403),
            Some(StreamableHttpError::HttpStatus(status)) => Self::Status(status.status),
            Some(StreamableHttpError::UnexpectedServerResponse(text)) => {
                status_in(text).map_or(Self::NotMcp, Self::Status)
            }
            Some(_) | None => Self::NotMcp,
        }
    }
}

impl std::fmt::Display for Trouble {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.clause())
    }
}

impl Error for Trouble {}

/// The status in `HTTP 404 Not Found: ...`.
fn status_in(text: &str) -> Option<u16> {
    text.strip_prefix("HTTP ")?.split([' ', ':']).next()?.parse().ok()
}

fn tls_reason(error: &rustls::Error) -> String {
    match error {
        rustls::Error::InvalidCertificate(why) => format!("its certificate is not accepted: {why}"),
        rustls::Error::InvalidMessage(_) => "what it answers is not TLS".to_owned(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statuses_are_found() {
        for (text, expected) in [
            ("HTTP 404 Not Found: <html>", Some(404)),
            ("HTTP 400: x", Some(400)),
            ("expected value at line 1", None),
        ] {
            assert_eq!(status_in(text), expected, "{text}");
        }
    }
}

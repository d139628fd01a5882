//! Why a remote server does not answer, in people's words.
//!
//! Nothing in here repeats what was sent; what a server has answered is repeated only by its status.

use std::io;

use super::super::Error;

const NAME: &str = "its host name is not known";
const REFUSED: &str = "the connection is refused";
const SILENT: &str = "there is no answer in time";
const BROKE_OFF: &str = "the connection broke off";
const TLS: &str = "no TLS connection can be made (";

/// Why no conversation was opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::runtime) enum Miss {
    /// There is no answer to the greeting.
    Link(Error),
    /// There is an answer, and it says no: what, in a clause.
    Declined(String),
    /// There is no answer in time.
    Silent,
}

impl Miss {
    /// Whether another way of greeting would meet with the same.
    pub(super) const fn is_final(&self) -> bool {
        match self {
            Self::Link(Error::Unreachable(_)) => true,
            Self::Link(Error::Status { status, .. }) => matches!(status, 401 | 403 | 407 | 429),
            Self::Link(Error::Closed(_) | Error::Unsent(_) | Error::Garbled(_) | Error::Overrun)
            | Self::Declined(_)
            | Self::Silent => false,
        }
    }

    /// Whether it tells nothing about what the server can do: it may answer the same question another time.
    pub(super) const fn is_passing(&self) -> bool {
        match self {
            Self::Link(Error::Unreachable(_) | Error::Closed(_) | Error::Unsent(_) | Error::Overrun) | Self::Silent => {
                true
            }
            Self::Link(Error::Status { status, .. }) => *status >= 500 || matches!(status, 408 | 425 | 429),
            Self::Link(Error::Garbled(_)) | Self::Declined(_) => false,
        }
    }
}

impl From<Error> for Miss {
    fn from(error: Error) -> Self {
        Self::Link(error)
    }
}

impl From<Miss> for Error {
    fn from(miss: Miss) -> Self {
        match miss {
            Miss::Link(error) => error,
            Miss::Declined(why) => Self::Garbled(why),
            Miss::Silent => Self::Unreachable(SILENT.to_owned()),
        }
    }
}

/// The same, for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::runtime) enum Trouble {
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
    /// What it is, as the rest of a sentence that begins with the address.
    pub(in crate::runtime) fn clause(&self) -> String {
        match self {
            Self::BadRequest(why) => why.clone(),
            Self::Name => format!("cannot be reached: {NAME}"),
            Self::Refused => format!("cannot be reached: {REFUSED}"),
            Self::Network(why) => format!("cannot be reached: {why}"),
            Self::Tls(why) => format!("cannot be reached: {TLS}{why})"),
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
    pub(in crate::runtime) fn hint(&self) -> Option<String> {
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
}

impl From<&Miss> for Trouble {
    fn from(miss: &Miss) -> Self {
        match miss {
            Miss::Link(error) => Self::from(error),
            Miss::Declined(why) => Self::Declined(why.clone()),
            Miss::Silent => Self::Silent,
        }
    }
}

impl From<&Error> for Trouble {
    fn from(error: &Error) -> Self {
        match error {
            Error::Unreachable(why) => match why.as_str() {
                NAME => Self::Name,
                REFUSED => Self::Refused,
                SILENT => Self::Silent,
                why => match why.strip_prefix(TLS).and_then(|why| why.strip_suffix(')')) {
                    Some(why) => Self::Tls(why.to_owned()),
                    None => Self::Network(why.to_owned()),
                },
            },
            Error::Closed(why) | Error::Unsent(why) => Self::Network(why.clone()),
            Error::Status { status, .. } => Self::Status(*status),
            Error::Garbled(_) | Error::Overrun => Self::NotMcp,
        }
    }
}

/// What a request, or its answer, that was cut off ends with.
pub(super) fn broke_off() -> Error {
    Error::Closed(BROKE_OFF.to_owned())
}

/// Why no connection can be made; `tls` says that it was to be one with TLS.
pub(super) fn unreachable_because(error: &(dyn std::error::Error + 'static), tls: bool) -> Error {
    let why = match of_causes(error) {
        Some(why) => why,
        // What does not speak TLS often just hangs up on whoever does.
        None if tls => format!("{TLS}the other side hangs up on it)"),
        None => BROKE_OFF.to_owned(),
    };
    Error::Unreachable(why)
}

/// Looks for the deepest cause that says something.
fn of_causes(error: &(dyn std::error::Error + 'static)) -> Option<String> {
    let mut found = None;
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(tls) = error.downcast_ref::<rustls::Error>() {
            return Some(format!("{TLS}{})", tls_reason(tls)));
        }
        if error.to_string() == "dns error" {
            return Some(NAME.to_owned());
        }
        if let Some(io) = error.downcast_ref::<io::Error>() {
            found = match io.kind() {
                io::ErrorKind::ConnectionRefused => Some(REFUSED.to_owned()),
                io::ErrorKind::TimedOut => Some(SILENT.to_owned()),
                io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable => {
                    Some("there is no route to it".to_owned())
                }
                _ => found,
            };
        }
        // An error within an IO error is not its source.
        let inner = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        next = match inner {
            Some(inner) => Some(inner),
            None => error.source(),
        };
    }
    found
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
    fn what_a_link_met_with_is_told_to_people() {
        let unreachable = |why: &str| Error::Unreachable(why.to_owned());
        for (error, expected, hint) in [
            (unreachable(NAME), Trouble::Name, true),
            (unreachable(REFUSED), Trouble::Refused, true),
            (unreachable(SILENT), Trouble::Silent, false),
            (
                unreachable("no TLS connection can be made (expired)"),
                Trouble::Tls("expired".to_owned()),
                true,
            ),
            (unreachable(BROKE_OFF), Trouble::Network(BROKE_OFF.to_owned()), false),
            (
                Error::Status {
                    status: 404,
                    retry_after: None,
                },
                Trouble::Status(404),
                true,
            ),
            (Error::Garbled("x".to_owned()), Trouble::NotMcp, true),
        ] {
            let trouble = Trouble::from(&error);
            assert_eq!(trouble, expected);
            assert_eq!(trouble.hint().is_some(), hint, "{trouble:?}");
            if let Error::Unreachable(why) = &error {
                assert!(
                    trouble.clause().contains(why.as_str()) || trouble == Trouble::Silent,
                    "{trouble:?}"
                );
            }
        }
    }

    #[test]
    fn causes_are_found_at_any_depth() {
        let refused = io::Error::other(io::Error::from(io::ErrorKind::ConnectionRefused));
        let tls = io::Error::other(rustls::Error::InvalidMessage(
            rustls::InvalidMessage::InvalidContentType,
        ));
        for (error, tls, expected) in [
            (refused, false, REFUSED),
            (tls, true, "no TLS connection can be made (what it answers is not TLS)"),
            (io::Error::from(io::ErrorKind::BrokenPipe), false, BROKE_OFF),
            (
                io::Error::from(io::ErrorKind::UnexpectedEof),
                true,
                "no TLS connection can be made (the other side hangs up on it)",
            ),
        ] {
            assert_eq!(
                unreachable_because(&error, tls),
                Error::Unreachable(expected.to_owned())
            );
        }
    }
}

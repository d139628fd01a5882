//! Why a backend does not do what it is asked. No variant holds a token or a value.

use std::time::Duration;

/// Why a backend does not do what it is asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Nobody has heard of the request.
    #[error("cannot be reached: {0}")]
    Unreachable(String),
    /// No answer came in time.
    #[error("does not answer within {} ms", .0.as_millis())]
    Slow(Duration),
    /// What came is no answer.
    #[error("does not answer as it should: {0}")]
    Garbled(&'static str),
    /// It is sealed.
    #[error("is sealed")]
    Sealed,
    /// It was never initialised.
    #[error("is not initialised")]
    Uninitialised,
    /// It answers that it cannot, at the moment.
    #[error("answers with status {status}{}", after(complaint))]
    Failing {
        /// The HTTP status.
        status: u16,
        /// In its own words.
        complaint: String,
    },
    /// It sends on to another address, which does not get the token.
    #[error("sends on to another address; name that one in spec.url")]
    Redirected,
    /// The credential may not do this, or is none any more.
    #[error("refuses that: {}", denied(.0))]
    Denied(String),
    /// It says no.
    #[error("refuses with status {status}{}", after(complaint))]
    Refused {
        /// The HTTP status.
        status: u16,
        /// In its own words.
        complaint: String,
    },
    /// Logging in failed.
    #[error("does not let the daemon log in: {0}")]
    Login(String),
    /// The service account's token cannot be read.
    #[error("cannot be logged in to: {path} cannot be read ({reason})")]
    Account {
        /// The file.
        path: String,
        /// Why.
        reason: String,
    },
    /// Somebody else has written at the same place meanwhile.
    #[error("was written at the same place by somebody else")]
    Overtaken,
    /// That version is not there any more, or never was.
    #[error("has no version {0} of it any more")]
    Gone(u64),
    /// That version has no such key.
    #[error("has no `{key}` in version {version} of it")]
    NoKey {
        /// The key.
        key: String,
        /// The version.
        version: u64,
    },
    /// What is to be sent is nothing that can be.
    #[error("cannot be asked: {0}")]
    Unsendable(String),
}

/// A complaint behind what is said of it; nothing where there is none.
fn after(complaint: &str) -> String {
    match complaint.is_empty() {
        true => String::new(),
        false => format!(": {complaint}"),
    }
}

/// The words of a server that denies something, which mostly are these.
fn denied(complaint: &str) -> String {
    match complaint.starts_with("permission denied") {
        true => complaint.to_owned(),
        false => format!("permission denied: {complaint}"),
    }
}

impl Error {
    /// Whether trying again, with nothing changed here, may help.
    #[must_use]
    pub const fn is_passing(&self) -> bool {
        match self {
            Self::Unreachable(_)
            | Self::Slow(_)
            | Self::Garbled(_)
            | Self::Sealed
            | Self::Uninitialised
            | Self::Failing { .. }
            | Self::Overtaken => true,
            Self::Redirected
            | Self::Denied(_)
            | Self::Refused { .. }
            | Self::Login(_)
            | Self::Account { .. }
            | Self::Gone(_)
            | Self::NoKey { .. }
            | Self::Unsendable(_) => false,
        }
    }

    /// In one word.
    #[must_use]
    pub const fn reason(&self) -> &'static str {
        match self {
            Self::Unreachable(_) => "BackendUnreachable",
            Self::Slow(_) => "BackendSlow",
            Self::Garbled(_) => "BackendGarbled",
            Self::Sealed => "BackendSealed",
            Self::Uninitialised => "BackendUninitialised",
            Self::Failing { .. } => "BackendFailing",
            Self::Redirected => "BackendRedirects",
            Self::Denied(_) => "BackendDenied",
            Self::Refused { .. } | Self::Unsendable(_) => "BackendRefused",
            Self::Login(_) | Self::Account { .. } => "BackendLogin",
            Self::Overtaken => "BackendOvertaken",
            Self::Gone(_) | Self::NoKey { .. } => "ValueGone",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_that_says_nothing_is_told_of_in_whole_words() {
        for (complaint, expected) in [
            ("", "answers with status 502"),
            ("bad gateway", "answers with status 502: bad gateway"),
        ] {
            let complaint = complaint.to_owned();
            assert_eq!(Error::Failing { status: 502, complaint }.to_string(), expected);
        }
    }
}

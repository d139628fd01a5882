//! The HTTP client for one remote server.
//!
//! It carries the declared headers, and carries them nowhere else: a redirection is followed only within the same origin.

use std::time::Duration;

use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use reqwest::redirect::{Attempt, Policy};
use reqwest::{Client, Url};

use super::super::launch::Remote;
use super::reason::Trouble;

/// How long connecting may take, TLS included.
const CONNECT: Duration = Duration::from_secs(5);

/// How many redirections are followed.
const REDIRECTIONS: usize = 3;

/// Makes the client.
pub(super) fn build(remote: &Remote) -> Result<Client, Trouble> {
    let is_http = Url::parse(&remote.url).is_ok_and(|url| url.scheme() == "http" || url.scheme() == "https");
    if !is_http {
        return Err(Trouble::BadRequest("is no http or https address".to_owned()));
    }
    let mut headers = HeaderMap::new();
    for (name, value) in &remote.headers {
        let name = HeaderName::try_from(name)
            .map_err(|_| Trouble::BadRequest(format!("cannot be asked: `{name}` is no header name")))?;
        let mut value = HeaderValue::try_from(value).map_err(|_| {
            Trouble::BadRequest(format!("cannot be asked: the value of header `{name}` cannot be sent"))
        })?;
        value.set_sensitive(true);
        headers.append(name, value);
    }
    Client::builder()
        .default_headers(headers)
        .user_agent(concat!("orchd/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(CONNECT)
        // Whether it can be reached now is what is asked; a connection from before does not tell.
        .pool_max_idle_per_host(0)
        .redirect(Policy::custom(stay))
        .build()
        .map_err(|error| Trouble::of_request(&error))
}

/// Follows a redirection within the same origin; hands any other on as an answer.
fn stay(attempt: Attempt<'_>) -> reqwest::redirect::Action {
    let same = attempt
        .previous()
        .last()
        .is_some_and(|before| before.origin() == attempt.url().origin());
    if same && attempt.previous().len() <= REDIRECTIONS {
        attempt.follow()
    } else {
        attempt.stop()
    }
}

/// An address as it may be shown: without what might be secret in it.
pub(super) fn shown(url: &str) -> String {
    match Url::parse(url) {
        Ok(mut url) => {
            let _ = url.set_password(None);
            let _ = url.set_username("");
            url.set_query(None);
            url.set_fragment(None);
            url.to_string()
        }
        Err(_) => "its address".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_shown_without_secrets() {
        for (url, expected) in [
            ("https://mcp.example/mcp", "https://mcp.example/mcp"),
            (
                "https://user:pass@mcp.example:8443/mcp?key=secret#x",
                "https://mcp.example:8443/mcp",
            ),
            ("nonsense", "its address"),
        ] {
            assert_eq!(shown(url), expected);
        }
    }
}

//! Any place that speaks HTTP, for whoever carries requests between two of them: a model behind this program, or the daemon
//! as others ask it.
//!
//! Enters: a method, a path, headers and a body that may still be on its way. Leaves: an [`Answered`] that is read as it
//! comes. Every exchange has a connection of its own, which an [`Interrupt`] ends from another thread; nothing is tried
//! again, and no redirection is followed.

use std::io::{Cursor, Read};
use std::path::PathBuf;
use std::time::Duration;

use orch_shared::inference::hiding::Hiding;
use orch_shared::secrecy;
use ureq::config::Config;
use ureq::http::{HeaderName, HeaderValue, Method, Request, Response};
use ureq::{Agent, Body, SendBody};

use super::mcp::Interrupt;
use super::stream::endless;
use super::{Client, reason, transport};
use crate::report::Failure;
use crate::settings::Connection;

/// Headers that are about one connection, or about whoever made it: they end where the answer is taken.
const OF_ONE_HOP: [&str; 8] = [
    "connection",
    "content-length",
    "date",
    "keep-alive",
    "server",
    "set-cookie",
    "trailer",
    "transfer-encoding",
];

/// So many bytes of a refusal are read where all of it has to be there.
const LONGEST_REFUSAL: u64 = 1 << 20;

/// A place that speaks HTTP.
#[derive(Debug, Clone)]
pub(crate) struct Site {
    config: Config,
    base: String,
}

/// One exchange, which can be given up from another thread.
pub(crate) struct Exchange(Agent);

/// What was answered; its body is read as it comes.
pub(crate) struct Answered {
    /// The HTTP status.
    pub(crate) status: u16,
    /// The headers, as far as they are about the answer.
    pub(crate) headers: Vec<(String, String)>,
    body: Box<dyn Read + Send>,
}

/// How something is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    /// To see it.
    Get,
    /// To see whether it is there.
    Head,
    /// To have something done.
    Post,
}

impl Way {
    const fn method(self) -> Method {
        match self {
            Self::Get => Method::GET,
            Self::Head => Method::HEAD,
            Self::Post => Method::POST,
        }
    }
}

/// What is sent.
pub(crate) enum Sent {
    /// Nothing.
    Nothing,
    /// That.
    Whole(Vec<u8>),
    /// What comes from there, to its end.
    Stream(Box<dyn Read + Send>),
}

impl Site {
    /// The place at that address.
    pub(crate) fn at(url: &str, ca_file: Option<PathBuf>, connect: Duration) -> Result<Self, Failure> {
        let agent = transport::agent(&Connection {
            context: None,
            server: url.to_owned(),
            token: None,
            in_place_of: None,
            ca_file,
            timeout: connect,
        })?;
        Ok(Self {
            config: agent.config().clone(),
            base: url.to_owned(),
        })
    }

    /// Its address.
    pub(crate) fn base(&self) -> &str {
        &self.base
    }

    /// An exchange with it, not begun yet.
    pub(crate) fn exchange(&self) -> Exchange {
        Exchange(self.config.new_agent())
    }

    /// Sends something to an address of it; returns when the answer begins. `limit` is how long all of it may take.
    pub(crate) fn send(
        &self,
        exchange: &Exchange,
        (way, url): (Way, &str),
        headers: &[(String, String)],
        sent: Sent,
        limit: Option<Duration>,
    ) -> Result<Answered, String> {
        let mut request = Request::builder().method(way.method()).uri(url);
        for (name, value) in headers {
            // What no header can hold is not worth the request.
            if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
                request = request.header(name, value);
            }
        }
        let agent = &exchange.0;
        let told = |error: &dyn std::error::Error| error.to_string();
        let answer = match sent {
            Sent::Nothing => {
                let request = request.body(()).map_err(|error| told(&error))?;
                agent.run(agent.configure_request(request).timeout_global(limit).build())
            }
            Sent::Whole(body) => {
                let request = request.body(body).map_err(|error| told(&error))?;
                agent.run(agent.configure_request(request).timeout_global(limit).build())
            }
            Sent::Stream(body) => {
                let body = SendBody::from_owned_reader(body);
                let request = request.body(body).map_err(|error| told(&error))?;
                agent.run(agent.configure_request(request).timeout_global(limit).build())
            }
        };
        answer.map(answered).map_err(|error| reason(&error))
    }
}

fn answered(response: Response<Body>) -> Answered {
    let told = response.headers().iter().filter_map(|(name, value)| {
        let is_kept = !OF_ONE_HOP.contains(&name.as_str());
        Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned())).filter(|_| is_kept)
    });
    Answered {
        status: response.status().as_u16(),
        headers: told.collect(),
        body: Box::new(endless(response.into_body())),
    }
}

impl Answered {
    /// The answer without that key, which some servers repeat in it. Of a refusal, no more is kept than anybody reads.
    pub(crate) fn without(mut self, key: &str) -> Self {
        if (200..300).contains(&self.status) {
            if let Some(hiding) = Hiding::of(key) {
                self.body = Box::new(Hidden {
                    said: self.body,
                    hiding,
                    passed: Cursor::default(),
                });
            }
            return self;
        }
        let mut said = Vec::new();
        // What broke off is a refusal all the same.
        let _cut_short = self.body.take(LONGEST_REFUSAL).read_to_end(&mut said);
        for (_, value) in &mut self.headers {
            if let Some(masked) = secrecy::without(key, value.as_bytes()) {
                *value = String::from_utf8_lossy(&masked).into_owned();
            }
        }
        let was_cut = said.len() as u64 == LONGEST_REFUSAL;
        let mut said = secrecy::without(key, &said).unwrap_or(said);
        if was_cut {
            // The end may hold the beginning of the key. It is no longer there than the key as JSON writes it, and the rest of a
            // character that was cut with it.
            let most = serde_json::Value::from(key).to_string().len() + '\u{fffd}'.len_utf8();
            said.truncate(said.len().saturating_sub(most));
        }
        self.body = Box::new(Cursor::new(said));
        self
    }
}

/// What is read, without a key.
struct Hidden {
    said: Box<dyn Read + Send>,
    hiding: Hiding,
    /// What was looked at, and is not read yet.
    passed: Cursor<Vec<u8>>,
}

impl Read for Hidden {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        let mut piece = [0; 16 << 10];
        loop {
            let read = self.passed.read(into)?;
            if read > 0 || into.is_empty() {
                return Ok(read);
            }
            let length = self.said.read(&mut piece)?;
            let passed = match length {
                0 => self.hiding.finish(),
                _ => self.hiding.push(&piece[..length]).into_owned(),
            };
            if length == 0 && passed.is_empty() {
                return Ok(0);
            }
            self.passed = Cursor::new(passed);
        }
    }
}

impl Exchange {
    /// What ends it.
    pub(crate) fn interrupt(&self) -> Interrupt {
        Interrupt::of(self.0.clone())
    }
}

impl Read for Answered {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        self.body.read(into)
    }
}

impl Client {
    /// The daemon, as anybody may ask it: nothing is shown but what is sent.
    pub(crate) fn site(&self) -> Site {
        Site {
            config: self.agent.config().clone(),
            base: self.server.clone(),
        }
    }

    /// The headers that say who asks.
    pub(crate) fn credentials(&self) -> Vec<(String, String)> {
        let token = self
            .token
            .iter()
            .map(|token| ("authorization".to_owned(), format!("Bearer {}", token.reveal())));
        let name = self
            .in_place_of
            .iter()
            .map(|name| (orch_shared::identity::IMPERSONATE.to_owned(), name.clone()));
        token.chain(name).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_holds_no_part_of_the_key() {
        let refusal = |said: String, key: &str| {
            let refused = Answered {
                status: 400,
                headers: vec![("x-told".to_owned(), format!("the key {key}"))],
                body: Box::new(Cursor::new(said.into_bytes())),
            };
            let mut refused = refused.without(key);
            assert_eq!(refused.headers[0].1, "the key ***");
            let mut read = String::new();
            refused.read_to_string(&mut read).expect("a text");
            read
        };
        for key in ["sk-1", "a\"b\\c", "schlüssel"] {
            assert_eq!(refusal(format!("no {key}!"), key), "no ***!");
            // Wherever it is cut, and whatever else is masked.
            for begun in 1..=key.len() {
                for before in [String::new(), key.to_owned()] {
                    let most = usize::try_from(LONGEST_REFUSAL).expect("it fits");
                    let filling = ".".repeat(most - begun - before.len());
                    let said = refusal(format!("{before}{filling}{key} is not known"), key);
                    let rest = said.trim_start_matches("***");
                    assert!(
                        rest.len() > most / 2 && rest.bytes().all(|byte| byte == b'.'),
                        "{key} {begun}"
                    );
                }
            }
        }
    }
}

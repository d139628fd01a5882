//! Services that are no MCP servers: providers of models, asked over the same kind of connections.
//!
//! What enters: an address, and requests of it. What leaves: answers as they come. An answer that is dropped half-way hangs
//! up, so that nobody goes on with what nobody waits for. Redirections are not followed: they would take the key along.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use http::header::HOST;
use http::{HeaderMap, HeaderValue, Method, Request, Uri};
use http_body_util::Full;
use url::{Origin, Url};

use super::super::Error;
use super::client::Clients;
use super::target::{Heard, Way, host_of};

/// Connections to so many services are kept apart.
const MOST: usize = 512;

/// Knows the ways to services, and keeps connections. Cheap to clone.
#[derive(Clone, Default)]
pub struct Web(Arc<Shared>);

#[derive(Default)]
struct Shared {
    clients: Clients,
    ways: Mutex<HashMap<Origin, Way>>,
}

/// One address of a service.
#[derive(Clone)]
pub struct Destination {
    way: Way,
    uri: Uri,
    host: Option<HeaderValue>,
}

impl Web {
    /// An address that can be asked; or why it cannot, as the rest of a sentence that begins with it.
    ///
    /// # Errors
    /// When it is no http or https address, or no root certificates can be loaded.
    pub fn destination(&self, address: &str) -> Result<Destination, String> {
        let no_address = || "is no http or https address".to_owned();
        let mut url = Url::parse(address).map_err(|_| no_address())?;
        if !matches!(url.scheme(), "http" | "https") || url.host().is_none() {
            return Err(no_address());
        }
        url.set_fragment(None);
        let way = self.way(&url)?;
        Ok(Destination {
            uri: way.uri(&url).ok_or_else(no_address)?,
            host: way.is_clear().then(|| host_of(&url)).flatten(),
            way,
        })
    }

    fn way(&self, url: &Url) -> Result<Way, String> {
        let mut ways = self.0.ways.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(way) = ways.get(&url.origin()) {
            return Ok(way.clone());
        }
        let way = Way::to(url, &self.0.clients)?;
        if ways.len() >= MOST {
            ways.clear();
        }
        ways.insert(url.origin(), way.clone());
        Ok(way)
    }
}

impl Destination {
    /// Makes one request; returns when the answer begins.
    ///
    /// # Errors
    /// [`Error::Unreachable`] when nobody has heard of it; otherwise it may have been heard.
    pub async fn ask(&self, method: Method, mut headers: HeaderMap, body: Bytes) -> Result<Heard, Error> {
        if let Some(host) = &self.host {
            headers.insert(HOST, host.clone());
        }
        let mut request = Request::new(Full::new(body));
        *request.method_mut() = method;
        *request.uri_mut() = self.uri.clone();
        *request.headers_mut() = headers;
        self.way.request(request).await
    }
}

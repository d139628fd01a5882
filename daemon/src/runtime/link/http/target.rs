//! Requests to one server: the address, the declared headers.

use std::sync::Arc;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HOST, LOCATION, USER_AGENT};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, Uri};
use http_body_util::{Either, Full};
use hyper::body::Incoming;
use url::{Position, Url};

use super::super::super::launch::Remote;
use super::super::Error;
use super::clear::{Content, Pool};
use super::client::{self, Clients, Http};
use super::trouble;

/// How many redirections are followed.
const REDIRECTIONS: usize = 3;

pub(super) const EVENT_STREAM: &str = "text/event-stream";
pub(super) const JSON: &str = "application/json";

/// What was answered: as it comes, or read already.
pub type Heard = Response<Body>;

/// Its body.
pub(super) type Body = Either<Content, Either<Incoming, Full<Bytes>>>;

/// How requests get there.
#[derive(Clone)]
pub(super) enum Way {
    /// Over connections in the clear.
    Clear(Arc<Pool>),
    /// With TLS, in whichever version of HTTP the server speaks.
    Secure(Box<Http>),
}

/// One server.
#[derive(Clone)]
pub(super) struct Target {
    way: Way,
    url: Url,
    uri: Uri,
    headers: HeaderMap,
}

impl Target {
    /// A server that can be asked; or why it cannot, as the rest of a sentence that begins with its address.
    pub(super) fn new(remote: &Remote, clients: &Clients) -> Result<Self, String> {
        let no_address = || "is no http or https address".to_owned();
        let mut url = Url::parse(&remote.url).map_err(|_| no_address())?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(no_address());
        }
        let mut headers = HeaderMap::new();
        headers.insert(
            USER_AGENT,
            HeaderValue::from_static(concat!("orchd/", env!("CARGO_PKG_VERSION"))),
        );
        if let Some(value) = credentials(&mut url) {
            headers.insert(AUTHORIZATION, value);
        }
        for (name, value) in &remote.headers {
            let name =
                HeaderName::try_from(name).map_err(|_| format!("cannot be asked: `{name}` is no header name"))?;
            let mut value = HeaderValue::try_from(value)
                .map_err(|_| format!("cannot be asked: the value of header `{name}` cannot be sent"))?;
            value.set_sensitive(true);
            if name == USER_AGENT || name == AUTHORIZATION {
                headers.remove(&name);
            }
            headers.append(name, value);
        }
        url.set_fragment(None);
        let way = Way::to(&url, clients)?;
        if way.is_clear() && !headers.contains_key(HOST) {
            headers.insert(HOST, host_of(&url).ok_or_else(no_address)?);
        }
        Ok(Self {
            uri: way.uri(&url).ok_or_else(no_address)?,
            way,
            url,
            headers,
        })
    }

    /// The same server at another path; nothing when it would be another server.
    pub(super) fn at(&self, reference: &str) -> Option<Self> {
        let url = self.within(&self.url, reference)?;
        Some(Self {
            uri: self.way.uri(&url)?,
            url,
            ..self.clone()
        })
    }

    fn within(&self, base: &Url, reference: &str) -> Option<Url> {
        let url = base.join(reference).ok()?;
        (url.origin() == self.url.origin()).then_some(url)
    }

    /// Posts a message; what is answered may come at once or as a stream.
    pub(super) async fn post(&self, more: HeaderMap, body: Bytes) -> Result<Heard, Error> {
        let mut headers = more;
        headers.insert(ACCEPT, HeaderValue::from_static("application/json, text/event-stream"));
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(JSON));
        self.send(Method::POST, headers, body).await
    }

    /// Opens a stream of events.
    pub(super) async fn get(&self, more: HeaderMap) -> Result<Heard, Error> {
        let mut headers = more;
        headers.insert(ACCEPT, HeaderValue::from_static(EVENT_STREAM));
        self.send(Method::GET, headers, Bytes::new()).await
    }

    /// Says goodbye.
    pub(super) async fn delete(&self, more: HeaderMap) -> Result<Heard, Error> {
        self.send(Method::DELETE, more, Bytes::new()).await
    }

    async fn send(&self, method: Method, more: HeaderMap, body: Bytes) -> Result<Heard, Error> {
        let mut moved: Option<(Url, Uri)> = None;
        for redirection in 0.. {
            let mut request = Request::new(Full::new(body.clone()));
            *request.method_mut() = method.clone();
            *request.uri_mut() = moved.as_ref().map_or(&self.uri, |(_, uri)| uri).clone();
            *request.headers_mut() = self.with_declared(more.clone());
            let response = self.way.request(request).await?;
            let next = match response.status().as_u16() {
                301 | 302 | 307 | 308 if redirection < REDIRECTIONS => {
                    let at = moved.as_ref().map_or(&self.url, |(url, _)| url);
                    self.next(at, response.headers())
                }
                _ => None,
            };
            match next {
                Some(next) => moved = Some(next),
                None => return Ok(response),
            }
        }
        unreachable!("the last answer is not followed")
    }

    /// The headers of a request, and those that were declared; what the protocol says comes first.
    fn with_declared(&self, mut headers: HeaderMap) -> HeaderMap {
        headers.reserve(self.headers.len());
        for name in self.headers.keys() {
            if !headers.contains_key(name) {
                for value in self.headers.get_all(name) {
                    headers.append(name, value.clone());
                }
            }
        }
        headers
    }

    /// Where a redirection leads, if that is still the same server.
    fn next(&self, at: &Url, headers: &HeaderMap) -> Option<(Url, Uri)> {
        let url = self.within(at, headers.get(LOCATION)?.to_str().ok()?)?;
        let uri = self.way.uri(&url)?;
        Some((url, uri))
    }
}

/// The host of an address, as a request says it.
pub(super) fn host_of(url: &Url) -> Option<HeaderValue> {
    HeaderValue::try_from(&url[Position::BeforeHost..Position::AfterPort]).ok()
}

impl Way {
    /// The way to where an address leads; or why there is none, as the rest of a sentence that begins with the address.
    pub(super) fn to(url: &Url, clients: &Clients) -> Result<Self, String> {
        if url.scheme() == "https" {
            return Ok(Self::Secure(Box::new(clients.get(true)?)));
        }
        let origin = url
            .as_str()
            .parse()
            .map_err(|_| "is no http or https address".to_owned())?;
        Ok(Self::Clear(Pool::new(origin, client::connector(), client::IDLE.0)))
    }

    /// Whether requests go there in the clear, and name their host themselves.
    pub(super) const fn is_clear(&self) -> bool {
        matches!(self, Self::Clear(_))
    }

    /// How an address is written in a request.
    pub(super) fn uri(&self, url: &Url) -> Option<Uri> {
        match self {
            Self::Clear(_) => url[Position::BeforePath..Position::AfterQuery].parse().ok(),
            Self::Secure(_) => url.as_str().parse().ok(),
        }
    }

    /// Makes one request. Where it may have been heard, whether to say it again is the caller's to decide.
    pub(super) async fn request(&self, request: Request<Full<Bytes>>) -> Result<Heard, Error> {
        match self {
            Self::Clear(pool) => Ok(pool.request(request).await?.map(Either::Left)),
            Self::Secure(http) => match http.request(request).await {
                Ok(response) => Ok(response.map(|body| Either::Right(Either::Left(body)))),
                Err(error) if error.is_connect() => Err(trouble::unreachable_because(&error, true)),
                Err(_) => Err(trouble::broke_off()),
            },
        }
    }
}

/// Takes name and password out of an address.
fn credentials(url: &mut Url) -> Option<HeaderValue> {
    if url.username().is_empty() && url.password().is_none() {
        return None;
    }
    let plain = |text: &str| {
        url::form_urlencoded::parse(text.replace('+', "%2B").as_bytes())
            .next()
            .map(|(name, _)| name.into_owned())
            .unwrap_or_default()
    };
    let both = format!(
        "{}:{}",
        plain(url.username()),
        plain(url.password().unwrap_or_default())
    );
    // Fails only for addresses that have no host.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    let mut value = HeaderValue::try_from(format!("Basic {}", BASE64_STANDARD.encode(both))).ok()?;
    value.set_sensitive(true);
    Some(value)
}

/// An address as it may be shown: without what might be secret in it.
pub(in crate::runtime) fn shown(url: &str) -> String {
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

    #[test]
    fn credentials_leave_the_address() {
        for (address, expected) in [
            ("http://h/x", None),
            ("http://u:p@h/x", Some("u:p")),
            ("http://u:p%3Aq+r%40@h/x", Some("u:p:q+r@")),
            ("http://token@h/x", Some("token:")),
        ] {
            let mut url = Url::parse(address).expect("an address");
            let value = credentials(&mut url);
            let expected = expected.map(|both| format!("Basic {}", BASE64_STANDARD.encode(both)));
            assert_eq!(
                value.as_ref().and_then(|value| value.to_str().ok()),
                expected.as_deref(),
                "{address}"
            );
            assert_eq!(url.as_str(), "http://h/x");
        }
    }
}

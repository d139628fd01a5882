//! Requests that only the leader can answer, since it runs the servers: a daemon that follows passes them on.
//!
//! Flow: the request has passed the guard here, Host, Origin and credential, and goes to the address in the lease with the
//! client's own headers, so that the leader guards it again. What comes back is handed on as it comes.
//!
//! Guarantees: a request goes to the leader and nowhere else, whatever it says, and is passed on once: who is asked as the
//! leader and is not refuses. One that cannot be answered is refused at once, with a time to come back at. When the client
//! goes, the request that was passed on for it ends; when another daemon begins to lead, what is open with the one before ends.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Uri, header};
use axum::response::{IntoResponse, Response};
use futures_util::StreamExt as _;
use orch_shared::problem::{Code, Problem};
use serde_json::json;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::Api;
use super::problem::{Refusal, status_of};
use crate::audit::{self, Tenure};
use crate::runtime::Peers;
use crate::runtime::link::Error;
use crate::store::Standing;

/// How long a request waits for a leader that is just taking over.
const PATIENCE: Duration = Duration::from_secs(10);

/// When to come back, in seconds, if there is no leader.
const AGAIN: u64 = 2;

/// What a daemon says of a request that it passes on.
const FORWARDED: HeaderName = HeaderName::from_static("x-orch-forwarded");

/// Headers that are about one hop (RFC 9110, section 7.6.1), beside those that `Connection` names.
const OF_ONE_HOP: [HeaderName; 9] = [
    header::CONNECTION,
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-connection"),
    header::PROXY_AUTHENTICATE,
    header::PROXY_AUTHORIZATION,
    header::TE,
    header::TRAILER,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
];

/// How requests reach the leader. Cheap to clone.
#[derive(Clone)]
pub struct Forwarding {
    standing: watch::Receiver<Standing>,
    own: String,
    peers: Arc<Peers<Body>>,
}

impl Forwarding {
    /// Forwards by what `standing` says, from the daemon whose own address is `own` for the others.
    #[must_use]
    pub fn new(standing: watch::Receiver<Standing>, own: String) -> Self {
        Self {
            standing,
            own,
            peers: Arc::default(),
        }
    }
}

/// Passes a request on that is about what runs, unless that runs here.
pub(super) async fn forward<A: Future<Output = Response>>(
    api: &Api,
    request: Request,
    here: impl FnOnce(Request) -> A,
) -> Response {
    if api.forwarding.is_none() {
        return here(request).await;
    }
    let uri = request.uri().clone();
    let answering = async {
        match leader(api, request.headers()).await? {
            Some(leader) => leader.ask(request).await,
            None => Ok(here(request).await),
        }
    };
    Box::pin(answering)
        .await
        .unwrap_or_else(|problem| refusal(uri.path(), problem))
}

/// The daemon that answers what is asked about what runs; nothing when it is this one.
pub(super) async fn leader(api: &Api, headers: &HeaderMap) -> Result<Option<Leader>, Problem> {
    let Some(forwarding) = &api.forwarding else {
        return Ok(None);
    };
    let mut standing = forwarding.standing.clone();
    let decided = async {
        // Fails only when the daemon is shutting down.
        drop(standing.wait_for(|standing| *standing != Standing::Undecided).await);
    };
    let _undecided = tokio::time::timeout(PATIENCE, decided).await;
    let now = standing.borrow().clone();
    match now {
        Standing::Leads => Ok(None),
        Standing::Undecided => Err(unavailable("no daemon runs the servers at the moment")),
        Standing::Follows(_) if headers.contains_key(&FORWARDED) => Err(unavailable(
            "this daemon was asked as the leader, and follows another one",
        )),
        Standing::Follows(url) if url == forwarding.own => Err(unavailable(format!(
            "the leader says that it answers at {url}, which is where this daemon answers"
        ))
        .suggest("tell each daemon where the others reach it: orchd serve --internal-url URL")),
        Standing::Follows(url) => Ok(Some(Leader {
            url,
            standing,
            peers: Arc::clone(&forwarding.peers),
            shutdown: api.shutdown.clone(),
        })),
    }
}

/// Which daemon leads has changed while a request was looked at.
pub(super) fn moved() -> Problem {
    unavailable("another daemon has begun to lead")
}

fn unavailable(detail: impl Into<String>) -> Problem {
    Problem::new(Code::LeaderUnavailable, detail).retry_after(AGAIN)
}

/// The daemon that leads.
pub(super) struct Leader {
    url: String,
    standing: watch::Receiver<Standing>,
    peers: Arc<Peers<Body>>,
    shutdown: CancellationToken,
}

impl Leader {
    /// Asks it, and hands on what it says.
    pub(super) async fn ask(self, request: Request) -> Result<Response, Problem> {
        let passed_on = passed_on(&self.url, request)?;
        let Self {
            url,
            standing,
            peers,
            shutdown,
        } = self;
        let mut superseded = Box::pin(superseded(standing, url.clone()));
        let answered = tokio::select! {
            answered = peers.ask(passed_on) => answered.map_err(|error| trouble(&url, &error))?,
            () = &mut superseded => return Err(not_known(&url, "another daemon has begun to lead")),
        };
        // The leader has written it down.
        if let Some(trail) = audit::trail() {
            trail.passed_on();
        }
        let (head, body) = answered.into_parts();
        let over = Box::pin(async move {
            tokio::select! {
                () = superseded => {}
                () = shutdown.cancelled() => {}
            }
        });
        let body = Body::new(body).into_data_stream().take_until(over);
        let mut response = Response::new(Body::from_stream(body));
        *response.status_mut() = head.status;
        *response.headers_mut() = of_both_hops(head.headers);
        // Whether it goes on with other rights is for the leader to say, which knows what it needs.
        response.extensions_mut().insert(Tenure::new(|_, _| true));
        Ok(response)
    }
}

/// Waits until that daemon leads no longer.
async fn superseded(mut standing: watch::Receiver<Standing>, leader: String) {
    let leads = |standing: &Standing| matches!(standing, Standing::Follows(url) if *url == leader);
    // Fails only when this daemon is shutting down.
    drop(standing.wait_for(|standing| !leads(standing)).await);
}

/// The request as the leader gets it: at its address, with everything that is not about this hop.
fn passed_on(leader: &str, request: Request) -> Result<Request, Problem> {
    let (parts, body) = request.into_parts();
    let uri = at(leader, &parts.uri).ok_or_else(|| {
        unavailable(format!(
            "the leader says that it answers at {leader}, which is no address"
        ))
        .suggest("mend --internal-url of the daemon that leads")
    })?;
    let mut headers = of_both_hops(parts.headers);
    // The leader is asked by its own name; for which name and page the client asked was checked here. A body that the client
    // has been told to send is on its way.
    for name in [header::HOST, header::ORIGIN, header::EXPECT] {
        headers.remove(name);
    }
    headers.insert(FORWARDED, HeaderValue::from_static("1"));
    let mut passed_on = Request::new(body);
    *passed_on.method_mut() = parts.method;
    *passed_on.uri_mut() = uri;
    *passed_on.headers_mut() = headers;
    Ok(passed_on)
}

/// The same path and query at the leader.
fn at(leader: &str, asked: &Uri) -> Option<Uri> {
    let leader: Uri = leader.parse().ok()?;
    let uri = Uri::builder()
        .scheme(leader.scheme()?.clone())
        .authority(leader.authority()?.clone())
        .path_and_query(asked.path_and_query()?.clone());
    uri.build().ok()
}

/// Headers without those that are about one hop.
fn of_both_hops(mut headers: HeaderMap) -> HeaderMap {
    let connection = headers.get_all(header::CONNECTION).iter();
    let named: Vec<HeaderName> = connection
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|name| name.trim().parse().ok())
        .collect();
    for name in named.iter().chain(&OF_ONE_HOP) {
        headers.remove(name);
    }
    headers
}

/// Why the leader has not answered.
fn trouble(leader: &str, error: &Error) -> Problem {
    match error {
        Error::Unreachable(why) | Error::Unsent(why) => unavailable(format!(
            "the daemon that runs the servers cannot be reached at {leader}: {why}"
        ))
        .suggest("try again: when it is gone, another one takes over"),
        Error::Closed(why) | Error::Garbled(why) => not_known(leader, why),
        Error::Status { .. } | Error::Overrun => not_known(leader, "it does not answer in HTTP"),
    }
}

fn not_known(leader: &str, why: &str) -> Problem {
    let detail = format!(
        "the daemon that runs the servers, at {leader}, was asked and did not answer: {why}; whether it was done is not known"
    );
    Problem::new(Code::NoAnswer, detail).retry_after(AGAIN)
}

/// A refusal in the words of the address: clients of the gateway read JSON-RPC.
fn refusal(path: &str, problem: Problem) -> Response {
    if !path.starts_with("/mcp/") {
        return Refusal(problem).into_response();
    }
    let status = status_of(problem.code);
    let mut message = format!("{} ({})", problem.detail, problem.code);
    if let Some(suggestion) = &problem.suggestion {
        message.push_str("; ");
        message.push_str(suggestion);
    }
    let body = json!({"jsonrpc": "2.0", "id": null, "error": {"code": -32603, "message": message}});
    let mut response = (status, axum::Json(body)).into_response();
    if let Some(seconds) = problem.retry_after {
        response
            .headers_mut()
            .insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_goes_to_the_leader_whatever_it_says() {
        for (asked, leader, expected) in [
            (
                "/mcp/servers/a?x=1",
                "http://10.0.0.1:7420",
                Some("http://10.0.0.1:7420/mcp/servers/a?x=1"),
            ),
            (
                "http://evil.example/mcp/servers/a",
                "https://orch-1:7420",
                Some("https://orch-1:7420/mcp/servers/a"),
            ),
            (
                "//evil.example/x",
                "http://[::1]:7420",
                Some("http://[::1]:7420//evil.example/x"),
            ),
            ("/mcp/servers/a", "orch-1:7420", None),
            ("/mcp/servers/a", "", None),
        ] {
            let request = Request::builder().uri(asked).body(Body::empty()).unwrap();
            let uri = passed_on(leader, request).ok().map(|request| request.uri().to_string());
            assert_eq!(uri.as_deref(), expected, "{asked} {leader}");
        }
    }

    #[test]
    fn headers_of_one_hop_stay_behind() {
        let request = Request::builder()
            .uri("/mcp/servers/a")
            .header("Host", "orch.example")
            .header("Origin", "https://ui.example")
            .header("Connection", "keep-alive, X-Mine")
            .header("X-Mine", "1")
            .header("Transfer-Encoding", "chunked")
            .header("Upgrade", "h2c")
            .header("Authorization", "Bearer orch_x")
            .header("Mcp-Session-Id", "s")
            .body(Body::empty());
        let request = passed_on("http://127.0.0.1:1", request.unwrap()).unwrap();
        let mut names: Vec<&str> = request.headers().keys().map(HeaderName::as_str).collect();
        names.sort_unstable();
        assert_eq!(names, ["authorization", "mcp-session-id", "x-orch-forwarded"]);
    }
}

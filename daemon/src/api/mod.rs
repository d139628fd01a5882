//! The API: requests in, JSON out.
//!
//! What enters: requests from the command line, scripts and browsers on allowed origins. What leaves: objects as the
//! store keeps them, streams of changes, and problems (RFC 9457). What it never does: decide whether a change is right;
//! that is admission's. There is no handler per kind: an address names a kind from the registry, and one handler per
//! verb serves them all.

mod address;
mod audit;
mod body;
mod deciding;
mod dispatch;
mod forward;
mod guard;
mod health;
mod identity;
mod json;
mod list;
mod logs;
mod noting;
mod object;
pub mod openapi;
mod problem;
mod publishers;
mod spending;
mod stream;
mod talking;
mod watch;

use std::net::IpAddr;
use std::sync::Arc;

use axum::Router;
use axum::extract::Request;
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{any, get};
use orch_shared::problem::Problem;
use orch_shared::resource::Timestamp;
use orch_shared::route;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;

pub use forward::Forwarding;
pub use guard::Names;
pub use talking::{pattern as pattern_of_agents, talk};

use problem::Refusal;

use crate::admission::Admission;
use crate::asker::Asker;
use crate::audit::Ledger;
use crate::auth::{Authenticator, Logins, Pace};
use crate::publishing::Publishers;
use crate::runtime::Runtime;
use crate::telemetry::Metrics;
use crate::usage;

/// What the handlers work with. Cheap to clone.
#[derive(Clone)]
pub struct Api {
    /// The way in.
    pub admission: Admission,
    /// Who asks.
    pub authenticator: Authenticator,
    /// Who logs in and out.
    pub logins: Logins,
    /// How often somebody may ask for what is dear.
    pub pace: Arc<Pace>,
    /// Where logs come from.
    pub runtime: Runtime,
    /// How requests reach the leader that only it can answer, where daemons share a database.
    pub forwarding: Option<Forwarding>,
    /// Where it is written down who did what.
    pub ledger: Ledger,
    /// Where it is written down what was asked of models.
    pub usage: usage::Ledger,
    /// Clients that offer models and agents from where they run.
    pub publishers: Publishers,
    /// What is counted.
    pub metrics: Metrics,
    /// Whether the gateway's addresses need no credential.
    pub open_gateway: bool,
    /// The hosts and origins that are served.
    pub names: Arc<Names>,
    /// Since when the daemon has been running.
    pub started_at: Timestamp,
    /// Ends streams, so that a shutdown need not wait for them.
    pub shutdown: CancellationToken,
}

/// Where a request comes from: the other end of its connection, in the request's extensions.
#[derive(Debug, Clone, Copy)]
pub struct Peer(pub IpAddr);

/// What stands beside the API behind the same door, and has addresses of its own. It is asked without the router between,
/// which takes as long as some of its answers.
pub trait Beside: Clone + Send + Sync + 'static {
    /// One of its addresses; nothing for any other.
    fn route(path: &str) -> Option<Route>;

    /// Answers what somebody asks at one of its addresses, once it is there whole, to whoever that is by then.
    fn answer(&self, asker: Asker, request: Request) -> impl Future<Output = Result<Response, Unanswered>> + Send;

    /// What keeps a request from being answered, as the clients of that address understand it; nothing where they
    /// understand problems.
    fn refusal(path: &str, problem: &Problem, status: StatusCode) -> Option<Response>;
}

/// Why a request is not answered by what stands beside the API.
pub enum Unanswered {
    /// Only the daemon that leads can, which nobody knew before it was read; the request, as it was.
    ByLeader(Box<Request>),
    /// Whoever asked may not ask any more.
    Refused(Box<Problem>),
}

/// An address of what stands beside the API.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Route {
    /// Its pattern, for whoever counts requests.
    pub pattern: &'static str,
    /// Which daemon answers there.
    pub answered: Answered,
}

/// Which daemon answers, of several that share a database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answered {
    /// The one that runs the servers, before the deadline of all requests.
    ByLeader,
    /// The one that runs the servers, in its own time.
    ByLeaderAtLength,
    /// Any, in its own time.
    Anywhere,
}

/// Answers every request: at the addresses of the API, and at those of what stands beside it. All of them are guarded. What
/// is asked beside is about what runs, and answered where it runs. Cheap to clone.
#[derive(Clone)]
pub struct Service<B> {
    api: Arc<Api>,
    router: Router,
    beside: B,
}

impl<B: Beside> Service<B> {
    /// The API, and what stands beside it.
    pub fn new(api: Api, beside: B) -> Self {
        let router = Router::new()
            .route("/healthz", get(health::healthz))
            .route("/readyz", get(health::readyz))
            .route("/version", get(health::version))
            .route("/metrics", get(health::metrics))
            .route("/openapi.json", get(openapi::serve))
            .route("/api/v1/{*rest}", any(dispatch::dispatch))
            .fallback(dispatch::nothing_here)
            .method_not_allowed_fallback(dispatch::wrong_method)
            .with_state(api.clone());
        Self {
            api: Arc::new(api),
            router,
            beside,
        }
    }

    /// Answers a request.
    pub async fn answer(&self, request: Request) -> Response {
        let path = request.uri().path();
        match B::route(path) {
            Some(Route { pattern, answered }) => {
                let passing = match answered {
                    Answered::ByLeader => guard::Passing::new(pattern),
                    Answered::ByLeaderAtLength | Answered::Anywhere => guard::Passing::new(pattern).in_its_own_time(),
                };
                let passing = passing.refusing(B::refusal);
                guard::guard(&self.api, passing, request, |request| {
                    self.answer_beside(request, answered)
                })
                .await
            }
            None => {
                let passing = guard::Passing::new(pattern(path));
                let passing = match takes_its_time(path) {
                    true => passing.in_its_own_time(),
                    false => passing,
                };
                Box::pin(guard::guard(&self.api, passing, request, |request| {
                    self.answer_here(request)
                }))
                .await
            }
        }
    }

    async fn answer_beside(&self, request: Request, answered: Answered) -> Result<Response, Problem> {
        let (asker, lease) = match guard::asker(&self.api, request.uri().path(), request.headers()).await {
            Ok(found) => found,
            Err(problem) => return Err(guard::refused(request, problem).await),
        };
        noting::by(&asker);
        let problem_of = |unanswered: Unanswered| match unanswered {
            Unanswered::ByLeader(_) => forward::moved(),
            Unanswered::Refused(problem) => *problem,
        };
        let response = match answered {
            Answered::ByLeader | Answered::ByLeaderAtLength => {
                forward::forward(&self.api, request, |request| async {
                    let answer = self.beside.answer(asker, request).await;
                    answer.unwrap_or_else(|unanswered| Refusal(problem_of(unanswered)).into_response())
                })
                .await
            }
            Answered::Anywhere => match self.beside.answer(asker.clone(), request).await {
                Ok(response) => response,
                Err(Unanswered::Refused(problem)) => return Err(*problem),
                Err(Unanswered::ByLeader(request)) => match forward::leader(&self.api, request.headers()).await? {
                    Some(leader) => leader.ask(*request).await?,
                    // It leads by now.
                    None => self.beside.answer(asker, *request).await.map_err(problem_of)?,
                },
            },
        };
        Ok(guard::leased(&self.api, response, lease))
    }

    async fn answer_here(&self, mut request: Request) -> Result<Response, Problem> {
        noting::wanted(request.method(), request.uri());
        if request.uri().path() == route::LOGIN && request.method() == Method::POST {
            let (parts, body) = request.into_parts();
            return identity::log_in(&self.api, &parts, body).await;
        }
        let mut lease = None;
        if !is_open(request.uri().path()) {
            let (asker, held) = match guard::asker(&self.api, request.uri().path(), request.headers()).await {
                Ok(found) => found,
                Err(problem) => return Err(guard::refused(request, problem).await),
            };
            noting::by(&asker);
            let is_of_publisher = request.uri().path().starts_with(BY_PUBLISHERS);
            if !matches!(*request.method(), Method::GET | Method::HEAD)
                && !is_of_publisher
                && let Err(problem) = self.api.pace.write(asker.actor())
            {
                return Err(guard::refused(request, problem).await);
            }
            if let Some(held) = &held {
                request.extensions_mut().insert(held.clone());
            }
            lease = held;
            request.extensions_mut().insert(asker);
        }
        let Ok(response) = self.router.clone().oneshot(request).await;
        Ok(guard::leased(&self.api, response, lease))
    }
}

/// Where publishers answer what they were asked, and say that they are there: that is no change of theirs.
const BY_PUBLISHERS: &str = "/api/v1/publishers/";

/// Whether the answer to a request at that address may begin late: what a publisher answers is taken as it comes.
fn takes_its_time(path: &str) -> bool {
    path.strip_prefix(BY_PUBLISHERS)
        .is_some_and(|rest| rest.starts_with("tasks/"))
}

/// Addresses that answer without a credential.
fn is_open(path: &str) -> bool {
    matches!(path, "/healthz" | "/readyz")
}

/// The pattern of an address of the API.
fn pattern(path: &str) -> &'static str {
    const SINGLE: [&str; 5] = ["/healthz", "/readyz", "/version", "/metrics", "/openapi.json"];
    match SINGLE.into_iter().find(|single| *single == path) {
        Some(single) => single,
        None if path.starts_with("/api/v1/") => "/api/v1/{*rest}",
        None => "-",
    }
}

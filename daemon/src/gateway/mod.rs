//! The gateway: one governed door to the tools, prompts and resources of many MCP servers.
//!
//! What enters: requests of MCP clients at `/mcp/projects/{project}` and `/mcp/servers/{server}`, in the protocol's era with
//! sessions, the one without, and the oldest one at `.../sse`. What leaves: what the servers behind the address answer, in
//! the client's era. What it never does: change what is declared, keep a request of one principal where another can see it,
//! or lose a word of what a server says; payloads are handed on as they came, and only names and members that the gateway
//! itself is about are read.
//!
//! Guarantees: a server that hangs, fails or talks nonsense is missing from a list, by name and with the reason, and keeps
//! nobody else's part; what may not be seen cannot be called; what is held for a client goes when the client does, or has
//! been silent for too long.
//!
//! In reading order:

mod address;
mod answers;
mod asking;
mod body;
mod door;
mod protocol;

mod finding;
mod listing;
mod memory;
mod methods;
mod prompts;
mod surface;
mod view;
mod wishes;

mod choosing;
mod delegating;
mod gate;
mod links;
mod proposing;
mod texts;
mod thinking;

mod changes;
mod cutting;
mod following;
mod missing;
mod moving;
mod news;
mod notices;
mod pages;
mod parking;
mod pump;
mod relaying;
mod upstream;

mod levels;
mod oldest;
mod registry;
mod session;
mod staying;
mod stream;

mod visiting;

mod traffic;
mod watching;

mod ledger;
mod noting;

use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::time::Duration;

use axum::body::Body;
use axum::http::Request;
use axum::response::Response;
use orch_shared::jsonrpc::raw;
use orch_shared::problem::Problem;
use serde_json::json;
use tokio::sync::{Notify, watch};
use tokio_util::sync::CancellationToken;

pub use delegating::{AgentSaid, Delegate, Delegated, PREFIX as AGENT_PREFIX, tool as agent_tool};
pub use proposing::{Propose, Proposed};
pub use registry::{Begun, Bounds};
pub use thinking::{Question, Think};
pub use visiting::{Called, Tool, Visit, Visitor};

use crate::asker::Asker;
use crate::audit::Ledger;
use crate::limits::{self, Limits};
use crate::reconcile::{Lists, SessionCopies, Waker};
use crate::runtime::Runtime;
use crate::runtime::link::Client;
use crate::store::{Standing, Store};
use links::Links;
use listing::Listings;
use memory::Memory;
use missing::Missing;
use news::Attention;
use pages::Pages;
use parking::Parking;
use registry::Registry;
use surface::Surfaces;
use thinking::Outlines;

/// So often a daemon that follows lets go of clients that it still holds.
const LET_GO: Duration = Duration::from_secs(1);

/// What the gateway is told once.
pub struct Config {
    /// What is declared, and where sessions are kept.
    pub store: Store,
    /// Where it is written down who called what.
    pub ledger: Ledger,
    /// Where the servers run.
    pub runtime: Runtime,
    /// Notes use, and wakes what is suspended.
    pub waker: Waker,
    /// Where it is told which lists of servers are missing.
    pub lists: Lists,
    /// Where sessions get copies of their own.
    pub copies: SessionCopies,
    /// Marks a text so that nobody else can, the same way after the daemon was started anew.
    pub seal: Seal,
    /// Takes prompts that are proposed.
    pub propose: Propose,
    /// Has agents work for those who call them as tools.
    pub delegate: Delegate,
    /// Asks models what to tell clients.
    pub think: Think,
    /// Told who begins a session with a project.
    pub begun: Begun,
    /// Rung whenever a copy of a server has changed.
    pub stirred: Arc<Notify>,
    /// When sessions end by themselves.
    pub sessions: Bounds,
    /// How much one principal may ask for.
    pub principal_limits: limits::Bounds,
    /// Whether the servers run here or at another daemon.
    pub standing: watch::Receiver<Standing>,
    /// Ends streams, so that a shutdown need not wait for them.
    pub shutdown: CancellationToken,
}

/// Turns a text into one that nobody can make who has no key.
pub type Seal = Arc<dyn Fn(&str) -> String + Send + Sync>;

/// The gateway; cheap to clone.
#[derive(Clone)]
pub struct Gateway(Arc<Shared>);

struct Shared {
    store: Store,
    runtime: Runtime,
    waker: Waker,
    lists: Lists,
    copies: SessionCopies,
    stirred: Arc<Notify>,
    shutdown: CancellationToken,
    /// What servers are told when the gateway asks for itself.
    ourselves: Arc<Client>,
    surfaces: Surfaces,
    listings: Listings,
    memory: Memory,
    attention: Attention,
    missing: Missing,
    /// Counts up with each choice among copies.
    turn: AtomicUsize,
    parking: Parking,
    pages: Pages,
    think: Think,
    outlines: Outlines,
    propose: Propose,
    delegate: Delegate,
    links: Links,
    registry: Registry,
    ledger: Ledger,
    principal_limits: limits::Bounds,
    limits: Limits,
}

impl Gateway {
    /// Opens the gateway; what is returned beside it does its work in the background, until the end.
    pub fn open(config: Config) -> (Self, impl Future<Output = ()> + Send) {
        let Config {
            store,
            ledger,
            runtime,
            waker,
            lists,
            copies,
            seal,
            propose,
            delegate,
            think,
            begun,
            stirred,
            sessions,
            principal_limits,
            standing,
            shutdown,
        } = config;
        let gateway = Self(Arc::new(Shared {
            registry: Registry::new(store.clone(), copies.clone(), sessions, begun),
            store,
            runtime,
            waker,
            lists,
            copies,
            stirred,
            shutdown,
            ourselves: Arc::new(Client {
                info: raw(&protocol::ourselves()),
                capabilities: raw(&json!({})),
                log_level: None,
            }),
            surfaces: Surfaces::default(),
            listings: Listings::default(),
            memory: Memory::default(),
            attention: Attention::default(),
            missing: Missing::default(),
            turn: AtomicUsize::new(0),
            parking: Parking::new(seal),
            pages: Pages::default(),
            think,
            outlines: Outlines::default(),
            propose,
            delegate,
            links: Links::default(),
            ledger,
            principal_limits,
            limits: Limits::default(),
        }));
        let background = gateway.clone();
        let work = async move {
            let shutdown = background.0.shutdown.clone();
            let sweeping = async {
                while shutdown
                    .run_until_cancelled(tokio::time::sleep(news::TIDY))
                    .await
                    .is_some()
                {
                    background.0.parking.sweep();
                    background.0.limits.sweep();
                    background.0.pages.sweep();
                    background.ask_again(None).await;
                }
            };
            tokio::join!(
                sweeping,
                background.0.registry.sweep(shutdown.clone()),
                background.watch_stays(),
                background.watch_links(standing.clone()),
                background.watch_declared(),
                shutdown.run_until_cancelled(background.step_down(standing)),
                background.watch_copies()
            );
        };
        (gateway, work)
    }

    /// Lets go of all clients whenever another daemon has begun to lead: they come back, and are passed on to that one.
    async fn step_down(&self, mut standing: watch::Receiver<Standing>) {
        let follows = |standing: &Standing| matches!(standing, Standing::Follows(_));
        while standing.wait_for(follows).await.is_ok() {
            self.waiting().clear();
            self.0.registry.let_go().await;
            // A request that came before may have brought its session back.
            tokio::time::sleep(LET_GO).await;
        }
    }

    /// The pattern of an address of the gateway, for whoever counts requests; nothing for any other.
    #[must_use]
    pub fn route(path: &str) -> Option<&'static str> {
        address::route(path)
    }

    /// Answers what somebody asks at an address of the gateway.
    ///
    /// # Errors
    /// When whoever asked may not ask any more, now that all of it is there.
    pub async fn serve(&self, asker: Asker, request: Request<Body>) -> Result<Response, Problem> {
        let (parts, body) = request.into_parts();
        door::dispatch(self, asker, parts, body).await
    }
}

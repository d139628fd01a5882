//! The daemon as a whole: opens everything in order, serves until told to stop, closes everything in order.
//!
//! Order of opening: settings, keys, store, runtime (which ends what an earlier daemon left behind), reconciler, listener.
//! Closing goes the other way, so that nothing is used after what it needs is gone.

mod admin;
mod bootstrap;
mod context;
mod doors;
mod keys;
mod listen;
mod memory;
mod reseal;
mod rotate;

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, OnceLock};

use anyhow::Context as _;
use orch_shared::kind::Kind;
use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use doors::Doors;

use crate::admission::{self, Admission};
use crate::agents::{self, Agents};
use crate::api::{Api, Forwarding, Names, Service};
use crate::audit::Ledger;
use crate::auth::{Authenticator, Logins, Pace};
use crate::clock::{Clock, Ids, RandomIds, SystemClock};
use crate::config::Settings;
use crate::gateway::{self, Gateway};
use crate::inference::{self, Inference};
use crate::limits;
use crate::publishing::{self, Publishers};
use crate::reconcile::{self, Election, Lists, Models, Reconciler, SessionCopies, Waker};
use crate::runtime::limits::Confinement;
use crate::runtime::log::Bounds;
use crate::runtime::{Config, Runtime};
use crate::secrets::{Backends, Keyring};
use crate::store::{Claim, Database, DirectoryLock, Engine, Options, Snapshot, Standing, Store};
use crate::telemetry::Metrics;
use crate::usage;

pub use bootstrap::{Introduction, reset_token};
pub use rotate::{Rotated, Rotation, rotate_key};

/// How long a process has to end by itself when the daemon stops.
const GRACE: std::time::Duration = std::time::Duration::from_secs(5);

/// A running daemon.
pub struct Daemon {
    /// Where it listens, the port decided.
    pub listen: SocketAddr,
    /// The URL under which this machine reaches it.
    pub url: String,
    /// Whether this user's command line finds it.
    pub introduction: Introduction,
    /// The way in, for those in the same process.
    pub admission: Admission,
    stop_serving: CancellationToken,
    served: CancellationToken,
    stop_reconciling: CancellationToken,
    stop_store: CancellationToken,
    serving: JoinHandle<()>,
    relaying: JoinHandle<()>,
    working: JoinHandle<()>,
    publishing: JoinHandle<()>,
    noting: JoinHandle<()>,
    accounting: JoinHandle<()>,
    reconciling: JoinHandle<()>,
    storing: JoinHandle<()>,
    runtime: Runtime,
    store: Store,
    claim: Option<Claim>,
    _lock: Option<DirectoryLock>,
}

/// What is needed to change a daemon's data while it is not running, and while it is starting.
pub(crate) struct Ground {
    pub(crate) store: Store,
    pub(crate) engine: Engine,
    pub(crate) keyring: Keyring,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) metrics: Metrics,
    pub(crate) lock: Option<DirectoryLock>,
}

/// Opens keys and store.
pub(crate) async fn ground(settings: &Settings) -> anyhow::Result<Ground> {
    make_private(&settings.data_dir)
        .with_context(|| format!("the data directory {} cannot be made", settings.data_dir.display()))?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let metrics = Metrics::default();
    let mut options = Options::new(Arc::clone(&clock), Arc::new(RandomIds::new(Arc::clone(&clock))));
    options.retention.audit_for = settings.audit_retention.duration();
    options.retention.usage_for = settings.usage_retention.duration();
    let observer = metrics.clone();
    options.observer = Some(Arc::new(move |operation, took| {
        observer.store_operation(operation, took);
    }));
    let (database, lock) = match &settings.database_url {
        // The store locks its own directory; with another database, the directory still is one daemon's alone.
        Some(url) => (
            url.parse::<Database>()?,
            Some(DirectoryLock::acquire(&settings.data_dir)?),
        ),
        None => (Database::Sqlite(settings.data_dir.clone()), None),
    };
    let (store, engine) = Store::open(database, options)
        .await
        .context("the store cannot be opened")?;
    let keyring = keys::open(&settings.key_file, &store.snapshot())?;
    Ok(Ground {
        store,
        engine,
        keyring,
        clock,
        metrics,
        lock,
    })
}

fn make_private(directory: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(directory)
}

/// Opens everything and begins to serve.
///
/// # Errors
/// When something that is needed cannot be opened; nothing stays behind.
pub async fn start(settings: &Settings) -> anyhow::Result<Daemon> {
    let listener = listen::bind(settings).await?;
    let listen = listener.address();
    let url = settings.url(listen);
    let Ground {
        store,
        engine,
        keyring,
        clock,
        metrics,
        lock,
    } = ground(settings).await?;
    let stop_store = CancellationToken::new();
    let storing = tokio::spawn(engine.run(stop_store.clone()));
    let started_at = clock.now();

    let introduction = bootstrap::first_start(&store, clock.as_ref(), &settings.data_dir, &url).await?;
    match &introduction {
        Introduction::Made(path) => tracing::info!(path = %path.display(), "wrote a context for the command line"),
        Introduction::Known => {}
        Introduction::Missing => tracing::info!(
            "no context of this user's command line knows this daemon; `orchd token reset`, while it is stopped, makes one"
        ),
    }
    let admission = Admission {
        store: store.clone(),
        keyring: keyring.clone(),
        backends: Backends::default(),
        providers: doors::providers(),
    };
    admin::bring_admin(&admission)
        .await
        .context("the administrator cannot be made")?;
    bootstrap::bring_catalogue(&admission).await;
    let (seen, runtime_news) = tokio::sync::mpsc::unbounded_channel();
    let waker = Waker::new(store.clone(), seen.clone());
    let lists = Lists::new(seen.clone());
    let models = Models::new(seen.clone());
    let stirred = Arc::new(Notify::new());
    let stirring = Arc::clone(&stirred);
    let runtime = Runtime::start_up(Config {
        data_directory: settings.data_dir.clone(),
        daemon_id: instance_mark(store.daemon_id(), &settings.data_dir),
        orchd: std::env::current_exe().context("the daemon's own program cannot be found")?,
        environment: std::env::vars_os().collect(),
        // After the reconciler has ended nobody listens any more.
        bell: Arc::new(move |uid| {
            drop(seen.send(uid.to_owned()));
            stirring.notify_waiters();
        }),
        clock: Arc::clone(&clock),
        confinement: Confinement::Detect,
        log: Bounds::default(),
        docker: settings.containers.docker(),
    })
    .context("the runtime cannot be started")?;
    let reaped = runtime.reap_leftovers().await;
    if !reaped.killed.is_empty() {
        tracing::warn!(
            processes = reaped.killed.len(),
            "ended what an earlier daemon had left running"
        );
    }
    runtime.expect(instances(&store.snapshot())).await;

    let (stop_serving, served) = (CancellationToken::new(), CancellationToken::new());
    let stop_reconciling = CancellationToken::new();
    let election = match store.database() {
        // The lock of its directory is the election.
        "sqlite" => None,
        _ => Some(Election {
            claim: Claim {
                name: reconcile::LEASE,
                holder: identity(&settings.data_dir, store.ids().as_ref())?,
                url: internal_url(settings, &url),
            },
            lasts: settings.lease_duration.duration(),
        }),
    };
    let claim = election.as_ref().map(|election| election.claim.clone());
    let (standing, mut stands) = watch::channel(Standing::Undecided);
    let reconciler = Reconciler {
        store: store.clone(),
        keyring: keyring.clone(),
        backends: admission.backends.clone(),
        providers: admission.providers.clone(),
        models: models.clone(),
        check_interval: settings.inference.check_interval.duration(),
        runtime: runtime.clone(),
        metrics: metrics.clone(),
        resync: settings.reconcile_interval.duration(),
        seen: runtime_news,
        default_runtime: settings.containers.runtime.into(),
        waker: waker.clone(),
        lists: lists.clone(),
        drain: settings.drain_timeout.duration(),
        election,
        standing,
    };
    let reconciling = tokio::spawn(reconcile::run(reconciler, stop_reconciling.clone()));
    // Nobody is to be told what was so before the daemon ended.
    let decided = stands.wait_for(|standing| *standing != Standing::Undecided);
    if tokio::time::timeout(reconcile::FIRST_VISIT, decided).await.is_err() {
        tracing::warn!(
            "serving before it is decided which daemon reconciles: the database is slow, or does not answer"
        );
    }
    let copies = SessionCopies::new(
        store.clone(),
        keyring.clone(),
        settings.containers.runtime.into(),
        claim.clone(),
    );
    let (ledger, noting) = Ledger::open(store.clone(), settings.audit, served.clone());
    let noting = tokio::spawn(noting);
    let (usage, accounting) = usage::Ledger::open(store.clone(), served.clone());
    let accounting = tokio::spawn(accounting);
    let (publishers, publishing) = Publishers::open(publishing::Config {
        admission: admission.clone(),
        terms: publishing::Terms {
            life: admission::Terms {
                heartbeat: settings.publishing.heartbeat_timeout.duration(),
                retention: settings.publishing.retention.duration(),
            },
            sweep: settings.publishing.sweep.duration(),
            ping: settings.publishing.ping.duration(),
            wake: settings.publishing.wake_timeout.duration(),
        },
        claim: claim.clone(),
        standing: stands.clone(),
        shutdown: stop_serving.clone(),
    });
    let publishing = tokio::spawn(publishing);
    let warming = publishers.clone();
    let inference = Inference::open(inference::Config {
        store: store.clone(),
        ledger: ledger.clone(),
        usage: usage.clone(),
        keys: doors::keys(admission.clone()),
        models,
        publishers: publishers.clone(),
        principal_limits: limits::Bounds {
            per_minute: settings.inference.principal_inferences_per_minute,
            concurrent: settings.inference.principal_concurrent_inferences,
            tokens_per_minute: settings.inference.principal_tokens_per_minute,
        },
        shutdown: stop_serving.clone(),
    });
    let at_work = Arc::new(OnceLock::new());
    let (gateway, relaying) = Gateway::open(gateway::Config {
        store: store.clone(),
        ledger: ledger.clone(),
        runtime: runtime.clone(),
        waker,
        lists,
        copies,
        seal: Arc::new(move |text: &str| keyring.mark("request state", text)),
        propose: propose_to(admission.clone()),
        delegate: doors::delegate(Arc::clone(&at_work)),
        think: doors::think(inference.clone()),
        begun: Arc::new(move |principal, project| warming.warm(principal, project)),
        stirred,
        sessions: gateway::Bounds {
            idle: settings.gateway.session_idle.duration(),
            lifetime: settings.gateway.session_lifetime.duration(),
            most: settings.gateway.max_sessions.get() as usize,
        },
        principal_limits: limits::Bounds {
            per_minute: settings.gateway.principal_requests_per_minute,
            concurrent: settings.gateway.principal_concurrent_requests,
            tokens_per_minute: None,
        },
        standing: stands.clone(),
        shutdown: stop_serving.clone(),
    });
    let relaying = tokio::spawn(relaying);
    let (agents, working) = Agents::open(agents::Config {
        store: store.clone(),
        inference: inference.clone(),
        gateway: gateway.clone(),
        keys: doors::keys(admission.clone()),
        standing: stands.clone(),
        shutdown: stop_serving.clone(),
    });
    // The gateway knows agents as tools, and agents the gateway; the one was opened first.
    drop(at_work.set(agents.clone()));
    let working = tokio::spawn(working);
    drop(tokio::spawn(reseal::keep_current(
        store.clone(),
        admission.keyring.clone(),
        settings.data_dir.clone(),
        stop_serving.clone(),
    )));
    drop(tokio::spawn(memory::give_back(store.clone(), stop_serving.clone())));
    // Other daemons ask this one by the name that it has given them.
    let internal = settings.internal_url.iter().map(|url| url.host.clone());
    let hosts: Vec<String> = settings.allowed_hosts.iter().cloned().chain(internal).collect();
    let authenticator = Authenticator::new(store.clone());
    let lifetime = settings.access.login_lifetime.duration();
    let marking = admission.keyring.clone();
    let known_as = Arc::new(move |name: &str| marking.mark("name that nobody has", name));
    let logins = Logins::new(store.clone(), authenticator.clone(), lifetime, known_as);
    drop(tokio::spawn(logins.clone().run(stop_serving.clone())));
    let api = Api {
        admission: admission.clone(),
        authenticator,
        logins,
        pace: Arc::new(Pace::new(settings.access.principal_writes_per_minute)),
        runtime: runtime.clone(),
        forwarding: claim.as_ref().map(|claim| Forwarding::new(stands, claim.url.clone())),
        ledger,
        usage,
        publishers,
        metrics,
        open_gateway: settings.gateway.insecure_open_gateway,
        names: Arc::new(Names::new(listen, &hosts, &settings.allowed_origins)),
        started_at,
        shutdown: stop_serving.clone(),
    };
    let door = Service::new(
        api,
        Doors {
            gateway,
            inference,
            agents,
        },
    );
    let serving = tokio::spawn(listener.serve(door, stop_serving.clone()));
    tracing::info!(url, data_dir = %settings.data_dir.display(), "ready");
    Ok(Daemon {
        listen,
        url,
        introduction,
        admission,
        stop_serving,
        served,
        stop_reconciling,
        stop_store,
        serving,
        relaying,
        working,
        publishing,
        noting,
        accounting,
        reconciling,
        storing,
        runtime,
        store,
        claim,
        _lock: lock,
    })
}

/// Hands prompts that are proposed in sessions to whoever admits them.
fn propose_to(admission: Admission) -> gateway::Propose {
    Arc::new(move |proposed: gateway::Proposed| {
        let admission = admission.clone();
        Box::pin(async move {
            let gateway::Proposed {
                principal,
                project,
                session,
                proposal,
            } = proposed;
            admission::propose(&admission, &principal, project, session, proposal).await
        })
    })
}

/// The copies that are to be.
fn instances(snapshot: &Snapshot) -> BTreeSet<String> {
    let copies = snapshot
        .iter()
        .filter(|object| object.object.kind == Kind::Instance && object.deleting_since.is_none());
    copies.map(|copy| copy.uid.to_string()).collect()
}

/// Where other daemons reach this one.
fn internal_url(settings: &Settings, url: &str) -> String {
    match &settings.internal_url {
        Some(internal) => internal.text.clone(),
        None => {
            if settings.listen.ip().is_unspecified() {
                tracing::warn!(
                    url,
                    "daemons on other machines that share the database cannot reach this one there; say where with --internal-url"
                );
            }
            url.to_owned()
        }
    }
}

/// Tells this daemon from others that share its database, and is the same after a restart: kept in the data directory.
fn identity(data_dir: &Path, ids: &dyn Ids) -> anyhow::Result<String> {
    let file = data_dir.join("identity");
    match std::fs::read_to_string(&file) {
        Ok(text) if !text.trim().is_empty() => return Ok(text.trim().to_owned()),
        Ok(_) => {}
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        Err(error) => return Err(error).with_context(|| format!("{} cannot be read", file.display())),
    }
    let identity = ids.uid();
    std::fs::write(&file, &identity).with_context(|| format!("{} cannot be written", file.display()))?;
    Ok(identity)
}

/// Marks this daemon's processes: daemons that share a database still have children of their own.
fn instance_mark(daemon_id: &str, data_dir: &Path) -> String {
    use sha2::{Digest, Sha256};
    let hash = Sha256::digest(data_dir.as_os_str().as_encoded_bytes());
    format!("{daemon_id}-{}", hex::encode(&hash[..4]))
}

impl Daemon {
    /// Stops everything: requests under way finish, children end, the store closes.
    pub async fn stop(self) {
        tracing::info!("stopping");
        self.stop_serving.cancel();
        ended(self.serving, "serving").await;
        ended(self.working, "agents at work").await;
        ended(self.relaying, "the gateway").await;
        ended(self.publishing, "publishing").await;
        self.served.cancel();
        ended(self.noting, "the audit log").await;
        ended(self.accounting, "the usage of models").await;
        self.stop_reconciling.cancel();
        ended(self.reconciling, "reconciling").await;
        self.runtime.shut_down(GRACE).await;
        if let Some(claim) = &self.claim {
            let given_back = tokio::time::timeout(PART, self.store.give_back(claim)).await;
            if !matches!(given_back, Ok(Ok(()))) {
                tracing::debug!("the lease was not given back; it expires by itself");
            }
        }
        self.stop_store.cancel();
        ended(self.storing, "storing").await;
        tracing::info!("stopped");
    }
}

/// So long each part of the daemon has to come to an end. What is acknowledged is durable by then; the rest is given up.
const PART: std::time::Duration = std::time::Duration::from_secs(20);

async fn ended(part: JoinHandle<()>, what: &str) {
    match tokio::time::timeout(PART, part).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::error!(%error, "{what} has ended in a panic"),
        Err(_) => tracing::warn!("{what} does not come to an end and is given up"),
    }
}

/// Waits for somebody to ask for an end: Ctrl-C, or SIGTERM.
pub async fn asked_to_stop() {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate()).expect("the runtime handles signals");
    let mut interrupt = signal(SignalKind::interrupt()).expect("the runtime handles signals");
    let mut hang_up = signal(SignalKind::hangup()).expect("the runtime handles signals");
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
        _ = hang_up.recv() => {}
    }
}

/// What the daemon runs on: half of the cores. The other half is for the servers, which work while a call waits for them;
/// more threads would only wake each other in turn for every message.
///
/// # Errors
/// When the operating system gives no thread.
pub fn runtime() -> std::io::Result<tokio::runtime::Runtime> {
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(cores.div_ceil(2))
        .enable_all()
        .build()
}

/// Runs the daemon until it is asked to stop.
///
/// # Errors
/// See [`start`].
pub async fn run(settings: &Settings) -> anyhow::Result<()> {
    let daemon = start(settings).await?;
    asked_to_stop().await;
    daemon.stop().await;
    Ok(())
}

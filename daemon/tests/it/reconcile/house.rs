//! A store, a runtime and a reconciler between them.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use orch_daemon::admission::{self, Admission, Providers};
use orch_daemon::clock::{RandomIds, SystemClock};
use orch_daemon::reconcile::{self, Lists, Models, Reconciler, SessionCopies, Waker};
use orch_daemon::runtime::limits::Confinement;
use orch_daemon::runtime::log::Bounds;
use orch_daemon::runtime::{Config, Runtime};
use orch_daemon::secrets::{Backends, Keyring};
use orch_daemon::store::{Database, Object, Options, Standing, Store};
use orch_daemon::telemetry::Metrics;
use orch_shared::access::Principal;
use orch_shared::apply::Request;
use orch_shared::kind::Kind;
use orch_shared::kinds::instance::{Instance, InstancePhase, InstanceStatus};
use orch_shared::kinds::server::{self, Server, ServerStatus};
use orch_shared::name::ObjectRef;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::runtime::house::{daemon_id, fixture};

/// How long anything is waited for.
const PATIENCE: Duration = Duration::from_secs(240);

/// A store, a runtime and a reconciler between them.
pub(super) struct House {
    pub(super) store: Store,
    pub(super) waker: Waker,
    pub(super) copies: SessionCopies,
    admission: Admission,
    runtime: Runtime,
    stop: CancellationToken,
    stop_store: CancellationToken,
    reconciling: JoinHandle<()>,
    storing: JoinHandle<()>,
    directory: Arc<TempDir>,
}

impl House {
    pub(super) async fn new() -> Self {
        Self::open(Arc::new(tempfile::tempdir().expect("a directory"))).await
    }

    async fn open(directory: Arc<TempDir>) -> Self {
        let clock = Arc::new(SystemClock);
        let options = Options::new(clock.clone(), Arc::new(RandomIds::new(clock.clone())));
        let database = Database::Sqlite(directory.path().join("data"));
        let (store, engine) = Store::open(database, options).await.expect("the store opens");
        let stop_store = CancellationToken::new();
        let storing = tokio::spawn(engine.run(stop_store.clone()));
        let keyring = Keyring::open(&directory.path().join("keys.json")).expect("keys");
        let (bell, seen) = tokio::sync::mpsc::unbounded_channel();
        let waker = Waker::new(store.clone(), bell.clone());
        let lists = Lists::new(bell.clone());
        let model_news = bell.clone();
        let runtime = Runtime::start_up(Config {
            data_directory: directory.path().join("data"),
            daemon_id: daemon_id(),
            orchd: env!("CARGO_BIN_EXE_orchd").into(),
            environment: std::env::vars_os().collect(),
            bell: Arc::new(move |uid: &str| drop(bell.send(uid.to_owned()))),
            clock,
            confinement: Confinement::default(),
            log: Bounds::default(),
            docker: Default::default(),
        })
        .expect("a runtime");
        let stop = CancellationToken::new();
        let reconciler = Reconciler {
            store: store.clone(),
            keyring: keyring.clone(),
            backends: Backends::default(),
            providers: Providers::default(),
            models: Models::new(model_news),
            check_interval: Duration::from_secs(300),
            runtime: runtime.clone(),
            metrics: Metrics::default(),
            resync: Duration::from_secs(5),
            seen,
            waker: waker.clone(),
            lists,
            drain: Duration::from_secs(30),
            default_runtime: server::Runtime::Process,
            election: None,
            standing: tokio::sync::watch::Sender::new(Standing::Undecided),
        };
        Self {
            copies: SessionCopies::new(store.clone(), keyring.clone(), server::Runtime::Process, None),
            admission: Admission {
                store: store.clone(),
                keyring,
                backends: Backends::default(),
                providers: Providers::default(),
            },
            reconciling: tokio::spawn(reconcile::run(reconciler, stop.clone())),
            store,
            waker,
            runtime,
            stop,
            stop_store,
            storing,
            directory,
        }
    }

    /// Ends everything and begins anew on the same ground.
    pub(super) async fn again(self) -> Self {
        self.stop.cancel();
        self.reconciling.await.expect("it ends");
        self.runtime.shut_down(Duration::from_secs(5)).await;
        self.stop_store.cancel();
        self.storing.await.expect("it ends");
        drop((self.store, self.admission, self.waker, self.copies));
        Self::open(self.directory).await
    }

    /// Declares a Server that runs the fixture, and says under which uid.
    pub(super) async fn declare(&self, name: &str, arguments: &[&str], more: Value) -> String {
        let fixture = fixture();
        let command: Vec<_> = [&*fixture].into_iter().chain(arguments.iter().copied()).collect();
        let mut spec = json!({ "command": command });
        let fields = spec.as_object_mut().expect("a mapping");
        fields.extend(more.as_object().expect("a mapping").clone());
        let request = Request {
            objects: vec![json!({
                "apiVersion": "orchctl.dev/v1", "kind": "Server", "metadata": {"name": name}, "spec": spec,
            })],
            ..Request::default()
        };
        let applied = admission::apply(&self.admission, &Principal::daemon().into(), request).await;
        let revision = applied.expect("applied").revision;
        let snapshot = self.store.wait_for(revision).await;
        let server = ObjectRef::cluster(Kind::Server, name.parse().expect("a name"));
        snapshot.get(&server).expect("declared").uid.to_string()
    }

    /// A path in the house's directory.
    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Waits until a Server's status is as wished.
    #[track_caller]
    pub(super) fn until(&self, uid: &str, wish: impl Fn(&ServerStatus) -> bool) -> impl Future<Output = ServerStatus> {
        let place = std::panic::Location::caller();
        async move {
            let begun = Instant::now();
            loop {
                let status = self.status(uid);
                if wish(&status) {
                    return status;
                }
                assert!(begun.elapsed() < PATIENCE, "{place}: waited in vain: {status:#?}");
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        }
    }

    pub(super) fn status(&self, uid: &str) -> ServerStatus {
        let snapshot = self.store.snapshot();
        let server = snapshot
            .by_uid(uid)
            .and_then(|server| server.status::<Server>().cloned());
        server.unwrap_or_default()
    }

    /// The copies of a Server that are not being deleted.
    pub(super) fn living(&self, uid: &str) -> Vec<(Arc<Object>, InstanceStatus)> {
        let snapshot = self.store.snapshot();
        let living = snapshot
            .owned_by(uid)
            .iter()
            .filter(|copy| copy.deleting_since.is_none());
        living
            .map(|copy| (Arc::clone(copy), copy.status::<Instance>().cloned().unwrap_or_default()))
            .collect()
    }

    /// Whether that copy answers.
    pub(super) fn answers(&self, uid: &str) -> bool {
        let snapshot = self.store.snapshot();
        let copy = snapshot.by_uid(uid);
        let status = copy.and_then(|copy| copy.status::<Instance>());
        status.is_some_and(|status| status.phase == Some(InstancePhase::Running))
    }
}

/// Waits until something is so.
#[track_caller]
pub(super) fn eventually(wish: impl Fn() -> bool) -> impl Future<Output = ()> {
    let place = std::panic::Location::caller();
    async move {
        let begun = Instant::now();
        while !wish() {
            assert!(begun.elapsed() < PATIENCE, "{place}: it never happened");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

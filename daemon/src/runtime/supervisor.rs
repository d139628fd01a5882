//! The register of copies: who runs, who is asked to stop, what is seen of each.
//!
//! Everything here is a quick look at the register or a message to the task of a copy ([`super::instance`]); the work is
//! done there. Starting what runs, stopping what does not, and asking after what nobody knows are not errors: the caller
//! repeats itself until the world is as it should be.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, Once, PoisonError};
use std::time::Duration;

use futures_util::future::join_all;
use tokio::sync::{Semaphore, mpsc, oneshot, watch};

use super::docker;
use super::health::{Care, Source as Said, Traffic};
use super::hold::{Hold, Holds, Load, Use};
use super::instance::{self, Check, Desk, Stop};
use super::launch::{Launch, Limits, Source, Speech};
use super::limits::{Confinement, Confiner, Group};
use super::link::http::Clients;
use super::link::{Error, Link, Opening};
use super::log::{self, Bounds, Follower, Line, Mask, Which, Window};
use super::observation::{Enforced, Failure, Observation, State};
use super::orphans;
use super::packages::Packages;
use super::probe;
use super::spawn::Spawner;
use super::tools::{self, Unlisted};
use super::tree::{self, Tree};
use crate::clock::Clock;

/// Called with a uid whenever what is seen of it has changed. Must be quick.
pub type Bell = Arc<dyn Fn(&str) + Send + Sync>;

/// What the runtime is told once.
#[derive(Clone)]
pub struct Config {
    /// Where `instances/` and `packages/` are kept.
    pub data_directory: PathBuf,
    /// Tells this daemon's processes from those of others on the same machine. Stays the same over restarts.
    pub daemon_id: String,
    /// The program `orchd` itself, which becomes every child; programs beside it are found by name.
    pub orchd: PathBuf,
    /// The daemon's own environment, of which children get the documented part.
    pub environment: Vec<(OsString, OsString)>,
    /// Rung whenever an observation changes.
    pub bell: Bell,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
    /// How limits are held.
    pub confinement: Confinement,
    /// Bounds of the logs.
    pub log: Bounds,
    /// How containers are run.
    pub docker: docker::Settings,
}

/// What every copy's task needs.
pub(super) struct Context {
    pub(super) config: Config,
    pub(super) spawner: Spawner,
    pub(super) confiner: Confiner,
    pub(super) packages: Packages,
    /// Connections to remote servers.
    pub(super) clients: Clients,
    pub(super) engine: docker::Engine,
    /// What is executed for `orchd`.
    pub(super) orchd: PathBuf,
    /// The directory whose programs are found by name.
    pub(super) programs: PathBuf,
    /// So many copies are checked at the same time.
    pub(super) checking: Arc<Semaphore>,
}

impl Context {
    /// The directory of a copy.
    pub(super) fn directory(&self, uid: &str) -> PathBuf {
        self.config.data_directory.join("instances").join(uid)
    }

    /// What marks the processes of a copy.
    pub(super) fn mark(&self, uid: &str) -> String {
        format!("{}/{uid}", self.config.daemon_id)
    }

    /// No control group.
    pub(super) fn no_group(&self) -> Group {
        Confiner::detect(Confinement::WatchOnly, &self.config.daemon_id).group("", Limits::default())
    }
}

/// Starts, stops and shows copies; cheap to clone.
#[derive(Clone)]
pub struct Runtime {
    context: Arc<Context>,
    register: Arc<Mutex<Register>>,
}

#[derive(Default)]
struct Register {
    copies: BTreeMap<String, Copy>,
    closed: bool,
}

/// What is known of one copy.
struct Copy {
    observed: watch::Sender<Observation>,
    stop: watch::Sender<Option<Duration>>,
    checks: mpsc::Sender<Check>,
    link: Arc<Mutex<Option<Link>>>,
    desk: Desk,
    holds: Holds,
    log_changed: watch::Sender<()>,
    /// Whether its own task asks it, over HTTP.
    remote: bool,
}

/// What was left of an earlier daemon.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReapReport {
    /// What had to be killed: process ids and programs.
    pub killed: Vec<(u32, String)>,
    /// Processes that hang in the kernel and did not end.
    pub left: Vec<u32>,
    /// Installations that had not been finished.
    pub installations: usize,
}

impl Runtime {
    /// Gets ready. To be called within the async runtime that everything here runs on.
    pub fn start_up(config: Config) -> io::Result<Self> {
        static TLS: Once = Once::new();
        // Fails only when somebody has chosen a provider before; theirs is as good.
        TLS.call_once(|| drop(rustls::crypto::ring::default_provider().install_default()));
        orphans::inherit()?;
        tokio::spawn(orphans::collect());
        let spawner = Spawner::start()?;
        let confiner = Confiner::detect(config.confinement, &config.daemon_id);
        let packages = Packages::new(config.data_directory.join("packages"));
        let boot = format!("{}-{}", config.clock.now().millis(), std::process::id());
        let engine = docker::Engine::new(
            config.docker.clone(),
            docker::Labels::new(&config.daemon_id, boot),
            docker::Installations::new(config.data_directory.join("packages").join("docker")),
        );
        let programs = config.orchd.parent().unwrap_or(Path::new("/")).to_owned();
        // Its own file may be replaced while it runs; what runs stays within reach.
        let is_us = std::env::current_exe().is_ok_and(|own| own == config.orchd);
        let orchd = if is_us {
            PathBuf::from("/proc/self/exe")
        } else {
            config.orchd.clone()
        };
        let context = Context {
            config,
            spawner,
            confiner,
            packages,
            clients: Clients::default(),
            engine,
            orchd,
            programs,
            checking: Arc::new(Semaphore::new(probe::AT_ONCE)),
        };
        Ok(Self {
            context: Arc::new(context),
            register: Arc::default(),
        })
    }

    /// Starts a copy that is not there, or that has ended. One that is there is left alone.
    pub fn start(&self, launch: Launch) {
        let mut register = self.register();
        if register.closed || !is_uid(&launch.uid) {
            tracing::debug!(
                instance = launch.instance,
                "not started: the runtime is shutting down, or the uid is none"
            );
            return;
        }
        let before = register.copies.get(&launch.uid);
        if before.is_some_and(|copy| !copy.observed.borrow().state.is_over()) {
            return;
        }
        let first = Observation {
            instance: launch.instance.clone(),
            server: launch.server.clone(),
            state: State::Starting,
            since: self.context.config.clock.now(),
            pid: None,
            attempt: 1,
            resolved: None,
            era: launch.era_hint,
            limits: Enforced::NotAsked,
            health: None,
            last_exit: None,
            progress: None,
            container: None,
        };
        let seen = match before.map(|copy| copy.observed.borrow().clone()) {
            None => first,
            Some(Observation {
                attempt,
                era,
                resolved,
                last_exit,
                container,
                ..
            }) => Observation {
                attempt: attempt + 1,
                era,
                resolved,
                last_exit,
                container,
                ..first
            },
        };
        let hint = seen.era;
        let log_changed = before.map_or_else(|| watch::Sender::new(()), |copy| copy.log_changed.clone());
        let (checks, asked) = mpsc::channel(1);
        let stop = watch::Sender::new(None);
        let holds = before.map(|copy| copy.holds.clone()).unwrap_or_default();
        let desk = Desk {
            uid: launch.uid.clone(),
            context: Arc::clone(&self.context),
            observed: watch::Sender::new(seen),
            link: Arc::default(),
            endpoint: Arc::default(),
            care: Care::new(launch.probe.clone(), Mask::new(&launch.masked)),
            log_changed: log_changed.clone(),
        };
        let copy = Copy {
            observed: desk.observed.clone(),
            stop: stop.clone(),
            checks,
            link: Arc::clone(&desk.link),
            desk: desk.clone(),
            holds,
            log_changed,
            remote: match &launch.source {
                Source::Remote(_) => true,
                Source::Container(container) => container.speech != Speech::Stdio,
                Source::Command { .. } | Source::Package(_) => false,
            },
        };
        register.copies.insert(launch.uid.clone(), copy);
        drop(register);
        (self.context.config.bell)(&launch.uid);
        tokio::spawn(probe::attend(desk.clone(), Arc::clone(&self.context.checking)));
        tokio::spawn(instance::run(launch, hint, desk, Stop(stop.subscribe()), asked));
    }

    /// Stops a copy: asks politely, and ends it and all it has started when `grace` is over. Returns when nothing is left.
    pub async fn stop(&self, uid: &str, grace: Duration) {
        let copy = self
            .register()
            .copies
            .get(uid)
            .map(|copy| (copy.stop.clone(), copy.observed.subscribe()));
        if let Some((stop, mut observed)) = copy {
            // A shorter time asked for later does not cut a longer one short; whoever asked first was promised it.
            stop.send_if_modified(|asked| asked.is_none() && asked.replace(grace).is_none());
            // An error means that the copy was forgotten, which it can only be when it was over.
            let _ = observed.wait_for(|seen| seen.state.is_over()).await;
        }
    }

    /// Stops a copy like [`stop`](Self::stop), because it is not well any more: it counts as having ended for that reason.
    pub async fn give_up(&self, uid: &str, reason: &str, grace: Duration) {
        let desk = self.register().copies.get(uid).map(|copy| copy.desk.clone());
        if let Some(desk) = desk {
            desk.care.give_up(reason);
            self.stop(uid, grace).await;
        }
    }

    /// Takes in what a call of a client met with.
    pub fn report(&self, uid: &str, traffic: &Traffic) {
        let desk = {
            let register = self.register();
            let Some(copy) = register.copies.get(uid) else { return };
            // Nearly every call ends here.
            if *traffic == Traffic::Answered && copy.desk.care.is_at_ease() {
                return;
            }
            copy.desk.clone()
        };
        match traffic {
            Traffic::Answered => desk.fares(Said::Traffic, Ok(())),
            Traffic::Failed(reason) => desk.fares(Said::Traffic, Err(reason)),
        }
    }

    /// Needs a copy until what is returned is dropped; nothing when the copy is not known.
    #[must_use]
    pub fn hold(&self, uid: &str, what: Use) -> Option<Hold> {
        let register = self.register();
        let copy = register.copies.get(uid)?;
        Some(copy.holds.take(uid, what, &self.context.config.bell))
    }

    /// Who uses a copy now.
    #[must_use]
    pub fn load(&self, uid: &str) -> Load {
        let register = self.register();
        let Some(copy) = register.copies.get(uid) else {
            return Load::default();
        };
        Load {
            calls: copy.desk.link().map_or(0, |link| link.in_flight()) + copy.holds.count(Use::Call),
            holds: copy.holds.count(Use::Session),
        }
    }

    /// What is seen of a copy; nothing when it was never started here, or was forgotten.
    #[must_use]
    pub fn observe(&self, uid: &str) -> Option<Observation> {
        self.register()
            .copies
            .get(uid)
            .map(|copy| copy.observed.borrow().clone())
    }

    /// What is seen of all copies, by uid.
    #[must_use]
    pub fn observe_all(&self) -> BTreeMap<String, Observation> {
        self.register()
            .copies
            .iter()
            .map(|(uid, copy)| (uid.clone(), copy.observed.borrow().clone()))
            .collect()
    }

    /// What is seen of a copy, from now on; ends when the copy is started anew or forgotten. Nothing when it is not known.
    #[must_use]
    pub fn watch(&self, uid: &str) -> Option<watch::Receiver<Observation>> {
        self.register().copies.get(uid).map(|copy| copy.observed.subscribe())
    }

    /// The conversation with a running copy that all who use it share, as long as it goes on.
    #[must_use]
    pub fn link(&self, uid: &str) -> Option<Link> {
        let link = Arc::clone(&self.register().copies.get(uid)?.link);
        let link = link.lock().unwrap_or_else(PoisonError::into_inner);
        link.as_ref().filter(|link| link.is_open()).cloned()
    }

    /// Opens a conversation with a running copy for the caller alone. Nothing when the copy is not running, or is spoken
    /// with over pipes, which can be shared only. How long to wait is the caller's to say.
    pub async fn open(&self, uid: &str, opening: &Opening) -> Option<Result<Link, Error>> {
        let desk = self.register().copies.get(uid)?.desk.clone();
        let endpoint = desk.endpoint.lock().unwrap_or_else(PoisonError::into_inner).clone()?;
        let mask = &desk.care.mask;
        let opened = endpoint.open(opening).await.map_err(Error::from);
        Some(
            opened
                .map(|link| link.masking(mask))
                .map_err(|error| error.masked(mask)),
        )
    }

    /// The first `most` bytes of a text without the values of secrets that these copies were given, where they are known; and how
    /// many bytes stand behind them. `most` must not lie within a character.
    #[must_use]
    pub fn masked<'u>(&self, uids: impl IntoIterator<Item = &'u str>, text: &str, most: usize) -> (String, usize) {
        let masks: Vec<Arc<Mask>> = {
            let register = self.register();
            let known = uids.into_iter().filter_map(|uid| register.copies.get(uid));
            known.map(|copy| Arc::clone(&copy.desk.care.mask)).collect()
        };
        let (shown, more) = Mask::of_all(masks.iter().map(|mask| &**mask)).line(text.as_bytes(), most);
        (String::from_utf8_lossy(&shown).into_owned(), more)
    }

    /// Asks a running copy whether it still answers, by listing its tools. A remote one that does not is Failed from then
    /// on; what a missing answer of a process means is for the caller to decide. Nothing when the copy is not running.
    pub async fn check(&self, uid: &str, patience: Duration) -> Option<Result<(), Failure>> {
        let (remote, checks) = {
            let register = self.register();
            let copy = register.copies.get(uid)?;
            (copy.remote, copy.checks.clone())
        };
        if remote {
            let (answer, answered) = oneshot::channel();
            checks.send(Check { patience, answer }).await.ok()?;
            return answered.await.ok();
        }
        let link = self.link(uid)?;
        let silent = |reason: String| Failure::HandshakeFailed {
            reason,
            last_lines: vec![],
        };
        Some(match tools::ask(&link, patience).await {
            // A server without tools may say that it knows no such thing; it has answered.
            Ok(_) => Ok(()),
            Err(Unlisted::Declined(..)) if !link.hello().offers("tools") => Ok(()),
            Err(Unlisted::Silent(_)) => Err(silent(format!(
                "it did not list its tools within {} s",
                patience.as_secs_f64()
            ))),
            Err(error @ (Unlisted::Link(_) | Unlisted::Declined(..) | Unlisted::Garbled)) => {
                Err(silent(format!("its tools cannot be listed: {error}")))
            }
        })
    }

    /// Drops what is known of a copy that is over, its directory and logs included.
    pub async fn forget(&self, uid: &str) {
        if !is_uid(uid) {
            return;
        }
        let never_started = {
            let mut register = self.register();
            if register
                .copies
                .get(uid)
                .is_some_and(|copy| !copy.observed.borrow().state.is_over())
            {
                return;
            }
            if register.copies.remove(uid).is_some() {
                None
            } else {
                // Of an earlier daemon, then, which may have left its container.
                Some(&self.context.engine)
            }
        };
        if let Some(engine) = never_started {
            engine.forget(uid).await;
        }
        let directory = self.context.directory(uid);
        match tokio::fs::remove_dir_all(&directory).await {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => tracing::warn!(instance.uid = uid, %error, "the directory of the instance cannot be removed"),
        }
    }

    /// Lines of a copy's log, oldest first. Also of a copy of an earlier daemon, as long as it was not forgotten.
    pub async fn logs(&self, uid: &str, which: Which, window: Window) -> Vec<Line> {
        if !is_uid(uid) {
            return vec![];
        }
        let directory = self.context.directory(uid);
        tokio::task::spawn_blocking(move || log::read(&directory, which, window))
            .await
            .unwrap_or_default()
    }

    /// Follows a copy's log from a window of its current run on; nothing when the copy is not known here.
    #[must_use]
    pub fn follow(&self, uid: &str, window: Window) -> Option<Follower> {
        let changed = self.register().copies.get(uid)?.log_changed.subscribe();
        Some(Follower::new(self.context.directory(uid), changed, window))
    }

    /// Ends whatever an earlier daemon of the same id has left behind. To be called before anything is started.
    pub async fn reap_leftovers(&self) -> ReapReport {
        let context = Arc::clone(&self.context);
        tokio::task::spawn_blocking(move || {
            let instances = context.config.data_directory.join("instances");
            let entries = fs::read_dir(&instances).into_iter().flatten().flatten();
            let records: Vec<_> = entries.map(|entry| entry.path().join(instance::RECORD)).collect();
            let strays = orphans::strays()
                .into_iter()
                .map(|process| (process.pid, process.started));
            let seen = records
                .iter()
                .flat_map(|record| tree::read_record(record))
                .chain(strays)
                .collect();
            let tree = Tree::of_daemon(context.mark(""), context.confiner.all(), seen);
            let ended = tree.end();
            for record in records {
                let _ = fs::remove_file(record);
            }
            let installations = context.packages.clean_up();
            ReapReport {
                killed: ended.killed,
                left: ended.left,
                installations,
            }
        })
        .await
        .unwrap_or_default()
    }

    /// Says which copies are still wanted. Containers of theirs that an earlier daemon has left running may be taken over;
    /// whatever else it has left in the engine is removed, as soon as that answers. To be called before anything is started.
    pub async fn expect(&self, uids: BTreeSet<String>) {
        self.context.engine.settle(uids).await;
    }

    /// Stops everything, each copy within `grace`, and starts nothing any more. Returns when nothing is left but containers
    /// that are spoken to over HTTP: the next daemon takes them over.
    pub async fn shut_down(&self, grace: Duration) {
        self.context.engine.leave();
        let uids: Vec<_> = {
            let mut register = self.register();
            register.closed = true;
            register.copies.keys().cloned().collect()
        };
        join_all(uids.iter().map(|uid| self.stop(uid, grace))).await;
        self.context.engine.close().await;
        let report = self.reap_leftovers().await;
        if !report.killed.is_empty() {
            tracing::warn!(killed = ?report.killed, "processes had got away from their copies");
        }
    }

    /// Stops everything and knows nothing of it afterwards, its logs apart. What is started later starts as if anew.
    pub async fn let_go(&self, grace: Duration) {
        let uids: Vec<_> = self.register().copies.keys().cloned().collect();
        join_all(uids.iter().map(|uid| self.stop(uid, grace))).await;
        self.register()
            .copies
            .retain(|_, copy| !copy.observed.borrow().state.is_over());
    }

    fn register(&self) -> MutexGuard<'_, Register> {
        self.register.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A uid names a directory.
fn is_uid(uid: &str) -> bool {
    !uid.is_empty() && uid.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

//! A runtime in a directory of its own, and what tests ask of it.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use orch_daemon::clock::SystemClock;
use orch_daemon::runtime::docker::Settings;
use orch_daemon::runtime::launch::{Launch, Limits, Probe, Source};
use orch_daemon::runtime::limits::Confinement;
use orch_daemon::runtime::link::{Call, Client, Purpose};
use orch_daemon::runtime::log::{Bounds, Which, Window};
use orch_daemon::runtime::observation::State;
use orch_daemon::runtime::{Config, Observation, Runtime};
use orch_shared::jsonrpc::raw;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::sync::Notify;
use zeroize::Zeroizing;

/// How long anything is waited for: real packages take their time on a busy machine.
const PATIENCE: Duration = Duration::from_secs(240);

/// A runtime in a directory of its own.
pub(crate) struct House {
    pub(crate) runtime: Runtime,
    pub(crate) daemon: String,
    data: PathBuf,
    _removed: Option<TempDir>,
    changed: Arc<Notify>,
    rung: Arc<AtomicU64>,
}

/// How a house differs from the usual.
#[derive(Clone, Default)]
pub(crate) struct Plan {
    pub(crate) confinement: Confinement,
    pub(crate) log: Bounds,
    /// Added to the environment that the daemon has.
    pub(crate) environment: Vec<(String, String)>,
    pub(crate) docker: Settings,
}

impl House {
    pub(crate) fn new() -> Self {
        Self::built(Plan::default())
    }

    pub(crate) fn built(plan: Plan) -> Self {
        let data = tempfile::tempdir().expect("a directory");
        let house = Self::built_in(data.path(), plan, daemon_id());
        Self {
            _removed: Some(data),
            ..house
        }
    }

    /// A house in a directory that may have been lived in.
    pub(crate) fn built_in(data: &Path, plan: Plan, daemon: String) -> Self {
        let changed = Arc::new(Notify::new());
        let rung = Arc::new(AtomicU64::new(0));
        let bell = {
            let (changed, rung) = (Arc::clone(&changed), Arc::clone(&rung));
            Arc::new(move |_: &str| {
                rung.fetch_add(1, Ordering::Relaxed);
                changed.notify_waiters();
            })
        };
        let added = plan
            .environment
            .into_iter()
            .map(|(name, value)| (name.into(), value.into()));
        let config = Config {
            data_directory: data.to_owned(),
            daemon_id: daemon.clone(),
            orchd: env!("CARGO_BIN_EXE_orchd").into(),
            environment: std::env::vars_os().chain(added).collect(),
            bell,
            clock: Arc::new(SystemClock),
            confinement: plan.confinement,
            log: plan.log,
            docker: plan.docker,
        };
        let runtime = Runtime::start_up(config).expect("a runtime");
        Self {
            runtime,
            daemon,
            data: data.to_owned(),
            _removed: None,
            changed,
            rung,
        }
    }

    /// Starts the fixture with arguments, and says under which uid.
    pub(crate) fn start(&self, arguments: &[&str]) -> String {
        self.start_as(|_| {}, arguments)
    }

    /// Starts the fixture with arguments and changes to the launch.
    pub(crate) fn start_as(&self, change: impl FnOnce(&mut Launch), arguments: &[&str]) -> String {
        let mut launch = launch(arguments);
        change(&mut launch);
        let uid = launch.uid.clone();
        self.runtime.start(launch);
        uid
    }

    /// Waits until what is seen of a copy is as wished.
    #[track_caller]
    pub(crate) fn until(&self, uid: &str, wish: impl Fn(&Observation) -> bool) -> impl Future<Output = Observation> {
        let place = std::panic::Location::caller();
        async move {
            let start = Instant::now();
            loop {
                let changed = self.changed.notified();
                let seen = self.runtime.observe(uid);
                if let Some(seen) = &seen
                    && wish(seen)
                {
                    return seen.clone();
                }
                if start.elapsed() > PATIENCE {
                    let log = self.runtime.logs(uid, Which::Current, Window::default()).await;
                    panic!("{place}: waited in vain; seen: {seen:#?}\nlog: {log:#?}");
                }
                let _ = tokio::time::timeout(Duration::from_millis(200), changed).await;
            }
        }
    }

    #[track_caller]
    pub(crate) fn until_running(&self, uid: &str) -> impl Future<Output = Observation> {
        self.until(uid, |seen| matches!(seen.state, State::Running(_)))
    }

    #[track_caller]
    pub(crate) fn until_over(&self, uid: &str) -> impl Future<Output = Observation> {
        self.until(uid, |seen| seen.state.is_over())
    }

    /// The texts of a copy's log.
    pub(crate) async fn texts(&self, uid: &str, which: Which) -> Vec<String> {
        let lines = self.runtime.logs(uid, which, Window::default()).await;
        lines.into_iter().map(|line| line.text).collect()
    }

    /// How often the bell has rung.
    pub(crate) fn rung(&self) -> u64 {
        self.rung.load(Ordering::Relaxed)
    }

    /// A path in the house's directory.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.data.join(name)
    }
}

/// A launch of the fixture.
pub(crate) fn launch(arguments: &[&str]) -> Launch {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let argv = std::iter::once(fixture())
        .chain(arguments.iter().map(|&argument| argument.to_owned()))
        .collect();
    Launch {
        uid: format!("0193-{number:04}"),
        instance: format!("fixture-{number}"),
        server: "fixture".to_owned(),
        source: Source::Command { argv },
        env: vec![],
        masked: vec![],
        working_directory: None,
        limits: Limits::default(),
        startup_deadline: Duration::from_secs(30),
        probe: Probe::default(),
        era_hint: None,
    }
}

/// Whoever speaks with a server in a test.
pub(crate) fn client() -> Arc<Client> {
    Arc::new(Client {
        info: raw(&json!({"name": "test", "version": "0"})),
        capabilities: raw(&json!({"sampling": {}, "elicitation": {"form": {}}})),
        log_level: None,
    })
}

/// A call that a client has asked for.
pub(crate) fn call(method: &str, params: &Value) -> Call {
    Call {
        method: method.to_owned(),
        params: Some(raw(params)),
        about: None,
        client: client(),
        purpose: Purpose::Relay("test".into()),
        schema: None,
    }
}

/// A client's call of a tool.
pub(crate) fn tool(name: &str, arguments: Value) -> Call {
    call("tools/call", &json!({"name": name, "arguments": arguments}))
}

/// A secret in the environment, masked.
pub(crate) fn secret(launch: &mut Launch, name: &str, value: &str) {
    launch.env.push((name.to_owned(), value.to_owned()));
    launch.masked.push(Zeroizing::new(value.to_owned()));
}

/// An id that no other test has, in this process or another.
pub(crate) fn daemon_id() -> String {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    format!("test-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed))
}

/// The fixture's path. Built by the same command as these tests, unless they are run by themselves.
pub(crate) fn fixture() -> String {
    let path = Path::new(env!("CARGO_BIN_EXE_orchd")).with_file_name("orch-fixture");
    if !path.exists() {
        let built = Command::new(env!("CARGO"))
            .args(["build", "--quiet", "--package", "orch-examples"])
            .status();
        assert!(
            built.is_ok_and(|status| status.success()),
            "orch-fixture cannot be built"
        );
    }
    path.to_str().expect("a path in UTF-8").to_owned()
}

/// Whether a process is there and has not ended.
pub(crate) fn is_alive(pid: u32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(')')
        .is_some_and(|(_, rest)| !rest.trim_start().starts_with(['Z', 'X']))
}

/// Whether there is any trace of a process, be it a zombie.
pub(crate) fn is_there(pid: u32) -> bool {
    Path::new(&format!("/proc/{pid}")).exists()
}

/// Waits until something holds.
#[track_caller]
pub(crate) fn eventually(what: &str, holds: impl Fn() -> bool) -> impl Future<Output = ()> {
    let place = std::panic::Location::caller();
    async move {
        let start = Instant::now();
        while !holds() {
            assert!(start.elapsed() < PATIENCE, "{place}: in vain: {what}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

/// The number that somebody writes to a file.
pub(crate) async fn number_in(path: &Path) -> u32 {
    let read = || {
        std::fs::read_to_string(path)
            .ok()
            .and_then(|text| text.trim().parse().ok())
    };
    eventually(&format!("{} is written", path.display()), || read().is_some()).await;
    read().expect("a number")
}

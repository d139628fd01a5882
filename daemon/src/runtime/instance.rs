//! One start of a copy, from the first step to the last.
//!
//! Flow: [`run`] publishes each state as it is reached, and a last one when nothing of the copy is left. It restarts
//! nothing; whoever called decides that. Being asked to stop is heard at every point.

use std::os::unix::fs::DirBuilderExt as _;
use std::path::PathBuf;
use std::process::ExitStatus;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use orch_shared::jsonrpc::Members;
use orch_shared::resource::Timestamp;
use tokio::sync::{mpsc, oneshot, watch};

use super::docker;
use super::environment::{self, Environment};
use super::health::{Care, Listed, Source as Said};
use super::launch::{Era, Launch, Package, Source};
use super::link::http::endpoint::Endpoint;
use super::link::{Hello, Link};
use super::log::{Log, Mask};
use super::observation::{Answer, Cause, Exit, Failure, Observation, State, Tools};
use super::packages::{self, Program};
use super::process::{self, Missing};
use super::remote;
use super::serving;
use super::supervisor::Context;
use super::tree::Tree;

/// Where a start publishes what it sees.
#[derive(Clone)]
pub(super) struct Desk {
    pub(super) uid: String,
    pub(super) context: Arc<Context>,
    pub(super) observed: watch::Sender<Observation>,
    pub(super) link: Arc<Mutex<Option<Link>>>,
    pub(super) care: Arc<Care>,
    pub(super) endpoint: Arc<Mutex<Option<Arc<Endpoint>>>>,
    pub(super) log_changed: watch::Sender<()>,
}

impl Desk {
    pub(super) fn now(&self) -> Timestamp {
        self.context.config.clock.now()
    }

    /// Changes what is seen, and rings the bell.
    pub(super) fn publish(&self, change: impl FnOnce(&mut Observation)) {
        self.observed.send_modify(change);
        (self.context.config.bell)(&self.uid);
    }

    /// Enters a state.
    pub(super) fn enter(&self, state: State) {
        let now = self.now();
        let over = state.is_over();
        if !matches!(state, State::Running(_)) {
            self.set_link(None);
        }
        self.publish(|seen| {
            seen.since = now;
            if over {
                seen.pid = None;
            }
            if !matches!(state, State::Installing) {
                seen.progress = None;
            }
            if let State::Exited(exit) = &state {
                seen.last_exit = Some(exit.clone());
            }
            seen.health = match &state {
                State::Running(Answer { tools: Some(_), .. }) => Some(self.care.begin(Listed::Yes)),
                State::Running(_) => Some(self.care.begin(Listed::No)),
                State::Installing | State::Starting | State::Stopping | State::Exited(_) | State::Failed(_) => None,
            };
            seen.state = state;
        });
    }

    /// Remembers, or forgets, which era is spoken; whoever looks sees it with the next state.
    pub(super) fn learn(&self, era: Option<Era>) {
        self.observed.send_if_modified(|seen| {
            seen.era = era;
            false
        });
    }

    /// Takes in what a running copy says of itself by now.
    pub(super) fn answered(&self, now: Answer) {
        let is_new = self.observed.send_if_modified(|seen| match &mut seen.state {
            State::Running(answer) if *answer != now => {
                *answer = now;
                true
            }
            State::Running(_)
            | State::Installing
            | State::Starting
            | State::Stopping
            | State::Exited(_)
            | State::Failed(_) => false,
        });
        if is_new {
            (self.context.config.bell)(&self.uid);
        }
    }

    /// Takes in how the copy fares while it runs; what is new rings the bell.
    pub(super) fn fares(&self, source: Said, said: Result<(), &str>) {
        let now = self.now();
        let is_new = self.observed.send_if_modified(|seen| {
            let Some(before) = seen.health.take() else { return false };
            let after = self.care.note(source, said, now);
            let is_new =
                (before.state, before.failures, &before.last_error) != (after.state, after.failures, &after.last_error);
            seen.health = Some(after);
            is_new
        });
        if is_new {
            (self.context.config.bell)(&self.uid);
        }
    }

    /// The conversation with the copy that all share.
    pub(super) fn link(&self) -> Option<Link> {
        self.link.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Opens, or closes, the conversation with the copy to whoever asks for it.
    pub(super) fn set_link(&self, link: Option<Link>) {
        let link = link.map(|link| link.masking(&self.care.mask));
        *self.link.lock().unwrap_or_else(PoisonError::into_inner) = link;
    }

    /// Lets whoever wants to open conversations of their own, or no more.
    pub(super) fn set_endpoint(&self, endpoint: Option<Arc<Endpoint>>) {
        *self.endpoint.lock().unwrap_or_else(PoisonError::into_inner) = endpoint;
    }

    pub(super) fn directory(&self) -> PathBuf {
        self.context.directory(&self.uid)
    }

    pub(super) fn exit(&self, ended: Option<(ExitStatus, Duration)>, cause: Cause, last_lines: Vec<String>) -> Exit {
        let status = ended.map(|(status, _)| status);
        let cause = match (cause, self.care.given_up()) {
            (Cause::Stopped, Some(reason)) => Cause::Unhealthy(reason.clone()),
            (cause, _) => cause,
        };
        Exit {
            code: status.and_then(|status| status.code()),
            signal: status.and_then(process::signal_name),
            cause,
            after: ended.map_or(Duration::ZERO, |(_, after)| after),
            at: self.now(),
            last_lines,
        }
    }
}

/// The wish that a copy be stopped, and within which time.
#[derive(Debug, Clone)]
pub(super) struct Stop(pub(super) watch::Receiver<Option<Duration>>);

impl Stop {
    /// Waits for the wish.
    pub(super) async fn asked(&mut self) -> Duration {
        let asked = self
            .0
            .wait_for(Option::is_some)
            .await
            .map(|grace| grace.unwrap_or_default());
        match asked {
            Ok(grace) => grace,
            Err(_) => std::future::pending().await,
        }
    }
}

/// A question whether a remote server still answers.
pub(super) struct Check {
    pub(super) patience: Duration,
    pub(super) answer: oneshot::Sender<Result<(), Failure>>,
}

/// One start of a copy.
pub(super) async fn run(launch: Launch, hint: Option<Era>, desk: Desk, mut stop: Stop, checks: mpsc::Receiver<Check>) {
    if let Err(error) = std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(desk.directory())
    {
        tracing::warn!(instance = launch.instance, %error, "the directory of the instance cannot be made");
    }
    let mask = Mask::new(&launch.masked);
    let config = &desk.context.config;
    let log = Log::begin(
        &desk.directory(),
        config.log,
        mask,
        Arc::clone(&config.clock),
        desk.log_changed.clone(),
    );
    let last = match &launch.source {
        Source::Command { argv } => run_command(&launch, argv, hint, &desk, &mut stop, &log).await,
        Source::Package(package) => run_package(&launch, package, hint, &desk, &mut stop, &log).await,
        Source::Container(container) => docker::run(&launch, container, hint, &desk, &mut stop, &log, checks).await,
        Source::Remote(remote) => {
            let mut checks = checks;
            let tie = remote::tie(remote, &launch, hint, &desk, &log, &mut checks);
            tokio::select! {
                failure = tie => State::Failed(failure),
                _ = stop.asked() => State::Exited(desk.exit(None, Cause::Stopped, vec![])),
            }
        }
    };
    match &last {
        State::Failed(failure) => log.note(&failure.to_string()),
        State::Exited(exit) => log.note(&exit.to_string()),
        State::Installing | State::Starting | State::Running(_) | State::Stopping => {}
    }
    desk.set_endpoint(None);
    desk.enter(last);
}

async fn run_command(
    launch: &Launch,
    argv: &[String],
    hint: Option<Era>,
    desk: &Desk,
    stop: &mut Stop,
    log: &Log,
) -> State {
    let environment = environment_of(launch, desk);
    let directory = working_directory(launch, desk);
    let Some((name, arguments)) = argv.split_first() else {
        let reason = "there is no program in it".to_owned();
        return State::Failed(Failure::CommandNotFound {
            command: String::new(),
            reason,
            hint: None,
        });
    };
    match process::find_program(name, &environment, &directory) {
        Ok(path) => {
            let argv = std::iter::once(path.into())
                .chain(arguments.iter().map(Into::into))
                .collect();
            serving::run_program(launch, Program { argv, environment }, hint, desk, stop, log).await
        }
        Err(missing) => State::Failed(not_found(name, &missing)),
    }
}

async fn run_package(
    launch: &Launch,
    package: &Package,
    hint: Option<Era>,
    desk: &Desk,
    stop: &mut Stop,
    log: &Log,
) -> State {
    let on_install = || desk.enter(State::Installing);
    let job = packages::Job {
        uid: &desk.uid,
        package,
        log,
        declared: environment_of(launch, desk),
    };
    let installed = tokio::select! {
        installed = packages::ensure(&desk.context, job, on_install) => installed,
        _ = stop.asked() => {
            desk.enter(State::Stopping);
            sweep(desk).await;
            return State::Exited(desk.exit(None, Cause::Stopped, log.last_lines()));
        }
    };
    match installed {
        Ok((program, resolved)) => {
            desk.publish(|seen| seen.resolved = Some(resolved));
            desk.enter(State::Starting);
            serving::run_program(launch, program, hint, desk, stop, log).await
        }
        Err(failure) => State::Failed(failure),
    }
}

/// Ends whatever carries the copy's mark.
async fn sweep(desk: &Desk) {
    let tree = Tree::of_copy(
        desk.context.mark(&desk.uid),
        desk.context.no_group(),
        None,
        desk.directory().join(RECORD),
    );
    if tokio::task::spawn_blocking(move || tree.end()).await.is_err() {
        tracing::error!(
            instance.uid = desk.uid,
            "processes of an interrupted installation may be left"
        );
    }
}

/// The file in a copy's directory that says which processes belong to it.
pub(super) const RECORD: &str = "processes";

fn environment_of(launch: &Launch, desk: &Desk) -> Environment {
    let config = &desk.context.config;
    let mut environment = environment::base(&config.environment, &desk.context.programs);
    environment.extend(launch.env.iter().map(|(name, value)| (name.into(), value.into())));
    environment
}

/// Where the program of a copy starts.
pub(super) fn working_directory(launch: &Launch, desk: &Desk) -> PathBuf {
    launch.working_directory.clone().unwrap_or_else(|| desk.directory())
}

fn not_found(command: &str, missing: &Missing) -> Failure {
    let (reason, hint) = match missing {
        Missing::NotFound(near) => {
            let hint = match near {
                Some(near) => format!("did you mean `{near}`?"),
                None => "install it, or give its full path".to_owned(),
            };
            ("there is no such program".to_owned(), hint)
        }
        Missing::NotExecutable(path) => (
            format!("{} is not executable", path.display()),
            format!("chmod +x {}", path.display()),
        ),
    };
    Failure::CommandNotFound {
        command: command.to_owned(),
        reason,
        hint: Some(hint),
    }
}

/// A server says of itself what it likes; it does not say secrets through us.
pub(super) fn masked(answer: Answer, mask: &Mask) -> Answer {
    Answer {
        name: answer.name.map(|name| plain(&name, mask)),
        version: answer.version.map(|version| plain(&version, mask)),
        protocol_version: plain(&answer.protocol_version, mask),
        tools: answer.tools,
    }
}

/// What a server said of itself, fit to be shown.
pub(super) fn answer_of(hello: &Hello, tools: Option<Tools>, mask: &Mask) -> Answer {
    let info = Members::of_params(hello.server_info.as_deref());
    let answer = Answer {
        name: info.text("name"),
        version: info.text("version"),
        protocol_version: hello.protocol_version.clone(),
        tools,
    };
    masked(answer, mask)
}

/// So many characters of what a server says of itself are kept.
const LONGEST_WORD: usize = 120;

/// A word of a server's own, fit to be stored and shown: masked, short, and nothing that a terminal would act on.
fn plain(text: &str, mask: &Mask) -> String {
    let shown = mask.text(text).replace(char::is_control, " ");
    shown.chars().take(LONGEST_WORD).collect()
}

//! Servers that are spoken to over HTTP, at the address of their container.

use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use bollard::query_parameters::LogsOptions;
use tokio::sync::mpsc;
use tokio_util::task::AbortOnDropHandle;

use super::super::instance::{Check, Stop};
use super::super::launch::{Era, Remote, Speech};
use super::super::log::{self, Log, Stream, Which, Window};
use super::super::observation::{Cause, Failure, State};
use super::super::remote;
use super::super::serving::LAST_WORDS;
use super::container::{Container, End};
use super::engine::Trouble;
use super::life::{Job, Ready};
use super::streams::{Streams, split};

/// How long an engine may be away before the copy is given up; a restart of it takes less.
const AWAY: Duration = Duration::from_secs(30);

/// The pause between two looks at an engine that is away, or at a server that does not answer yet.
const PAUSE: Duration = Duration::from_millis(500);

/// What ended the service.
enum Turn {
    /// The daemon ends and leaves the container to the next one.
    Left,
    Stop(Duration),
    Ended,
    Lost(Trouble),
    Silent(Failure),
}

/// Where a server answers.
pub(super) fn url(address: IpAddr, port: u16, path: &str) -> String {
    format!("http://{}{path}", SocketAddr::new(address, port))
}

/// Starts a container, unless it runs, and keeps to the server in it.
pub(super) async fn serve(
    job: Job<'_>,
    ready: Ready,
    hint: Option<Era>,
    stop: &mut Stop,
    checks: &mut mpsc::Receiver<Check>,
) -> State {
    let container = &ready.container;
    let began = Instant::now();
    let started = async {
        if !ready.runs {
            container.start().await?;
        }
        ready.show(job).await
    };
    let address = match started.await {
        Ok(address) => address,
        Err(trouble) => {
            job.clear().await;
            return State::Failed(job.failure(trouble, "started"));
        }
    };
    let listening = AbortOnDropHandle::new(tokio::spawn(listen(
        container.clone(),
        job.log.clone(),
        since(job, &ready),
    )));
    let turn = tokio::select! {
        biased;
        () = job.engine.leaving.cancelled() => Turn::Left,
        grace = stop.asked() => Turn::Stop(grace),
        ended = outlast(container) => match ended {
            Ok(()) => Turn::Ended,
            Err(trouble) => Turn::Lost(trouble),
        },
        failure = converse(job, address, hint, checks) => Turn::Silent(failure),
    };
    let lived = began.elapsed();
    if let Turn::Left = turn {
        return State::Exited(job.exit(&End::default(), Cause::Stopped, Some(began)));
    }
    if let Turn::Stop(grace) = &turn {
        job.desk.enter(State::Stopping);
        container.signal("SIGTERM").await;
        let _in_time = container.ends_within(*grace).await;
    }
    let end = ready.finish(job).await;
    let _all_said = tokio::time::timeout(LAST_WORDS, listening).await;
    if end.is_ok() {
        job.clear().await;
    }
    let exit = |end: &End, cause| {
        let mut exit = job.exit(end, cause, Some(began));
        exit.after = lived;
        State::Exited(exit)
    };
    match (turn, end) {
        (Turn::Stop(_) | Turn::Left, end) => exit(&end.unwrap_or_default(), Cause::Stopped),
        (Turn::Lost(trouble), _) | (Turn::Ended, Err(trouble)) => State::Failed(job.failure(trouble, "watched")),
        (Turn::Ended, Ok(end)) => exit(&end, Cause::Itself),
        (Turn::Silent(failure), _) => State::Failed(failure),
    }
}

/// Waits for the end of a container, whatever the engine does meanwhile; for an engine that stays away, not for ever.
async fn outlast(container: &Container) -> Result<(), Trouble> {
    loop {
        if container.ended().await.is_ok() {
            return Ok(());
        }
        let since = Instant::now();
        loop {
            match container.end().await {
                Ok(Some(_)) => return Ok(()),
                Ok(None) => break,
                Err(trouble) if since.elapsed() > AWAY => return Err(trouble),
                Err(_) => {}
            }
            tokio::time::sleep(PAUSE).await;
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// Speaks with the server as with any that is reached over HTTP; until it answers for the first time, it is asked again.
async fn converse(
    job: Job<'_>,
    address: Option<IpAddr>,
    hint: Option<Era>,
    checks: &mut mpsc::Receiver<Check>,
) -> Failure {
    let (Some(address), Speech::Http { transport, port, path }) = (address, &job.wanted.speech) else {
        return Failure::ContainerRefused {
            step: "reached",
            reason: "it has no address in its network".to_owned(),
            hint: None,
            last_lines: job.log.last_lines(),
        };
    };
    let there = Remote {
        url: url(address, *port, path),
        headers: vec![],
        transport: *transport,
    };
    let deadline = Instant::now() + job.launch.startup_deadline;
    loop {
        let failure = remote::tie(&there, job.launch, hint, job.desk, job.log, checks).await;
        if matches!(job.desk.observed.borrow().state, State::Running(_)) {
            return failure;
        }
        if Instant::now() >= deadline {
            job.log.note(&failure.to_string());
            return Failure::StartupDeadline {
                deadline: job.launch.startup_deadline,
                last_lines: job.log.last_lines(),
            };
        }
        tokio::time::sleep(PAUSE.min(deadline.saturating_duration_since(Instant::now()))).await;
    }
}

/// From when on the container's log is of interest, in seconds: for one that was taken over, what was heard last.
fn since(job: Job<'_>, ready: &Ready) -> i32 {
    let last = Window {
        tail: Some(1),
        since: None,
    };
    let heard = ready
        .runs
        .then(|| log::read(&job.desk.directory(), Which::Previous, last));
    let at = heard.and_then(|lines| Some(lines.first()?.at.millis() / 1000));
    at.and_then(|at| i32::try_from(at).ok()).unwrap_or(0)
}

/// Writes what the container says to the log, until it has ended.
async fn listen(container: Container, log: Log, mut since: i32) {
    loop {
        let options = LogsOptions {
            follow: true,
            stdout: true,
            stderr: true,
            since,
            ..LogsOptions::default()
        };
        let output = container.client().logs(&container.id, Some(options));
        let Streams { stdout, stderr, .. } = split(Box::pin(output));
        tokio::join!(
            log::capture(stdout, Stream::Stdout, log.clone()),
            log::capture(stderr, Stream::Stderr, log.clone())
        );
        if matches!(container.end().await, Ok(Some(_))) {
            return;
        }
        since = i32::try_from(log.now().millis() / 1000).unwrap_or(0);
        tokio::time::sleep(PAUSE).await;
    }
}

//! One process of a copy, from its start over its greeting to its end.
//!
//! A process is looked at from four sides at once: whether it is asked to stop, whether it goes over a limit, whether it has
//! ended, and how the conversation with it goes. The first that has something to say decides, and then the process is ended
//! with all that it has started, whatever it was.

use std::ops::ControlFlow;
use std::os::fd::AsFd as _;
use std::process::ExitStatus;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::sync::broadcast;
use tokio::sync::broadcast::error::RecvError;
use tokio::time::Instant;

use super::exec;
use super::handshake::{self, Probe, Refusal};
use super::instance::{Desk, RECORD, Stop, answer_of, working_directory};
use super::launch::{Era, Launch};
use super::limits;
use super::link::pipe::{Ends, Pipe};
use super::link::{News, greeting};
use super::log::{self, Log, Stream};
use super::observation::{Cause, Exit, Failure, State};
use super::packages::Program;
use super::process::{Order, Process, Streams};
use super::tools;

/// How long a process that closed its standard output may take to end.
pub(super) const LAST_BREATH: Duration = Duration::from_secs(1);

/// How long what a process has written is waited for, once it has ended.
pub(super) const LAST_WORDS: Duration = Duration::from_millis(500);

/// The most that a process gets to end by itself after its standard input was closed, before it is told to.
pub(super) const POLITE: Duration = Duration::from_millis(500);

/// What made a process the subject of the past.
#[derive(Debug)]
pub(super) enum Verdict {
    /// It has ended.
    Ended,
    /// It is asked to stop within that time.
    Stop(Duration),
    /// It went over a limit.
    OverLimit(String),
    /// It did not answer in time.
    TooLate,
    /// It answered as no server does.
    Refused(String),
    /// It closed its standard output.
    Closed,
    /// It wrote nothing but garbage.
    Flooded,
}

impl Verdict {
    /// Where a copy stands after it. `itself` is why one has ended that nobody ended; `exit` tells how, for any cause.
    pub(super) fn told(self, itself: Cause, exit: impl Fn(Cause) -> Exit, desk: &Desk, launch: &Launch) -> State {
        let remembered = |cause| {
            let exit = exit(cause);
            let last_lines = exit.last_lines.clone();
            desk.publish(|seen| seen.last_exit = Some(exit));
            last_lines
        };
        match self {
            Self::Ended => State::Exited(exit(itself)),
            Self::Stop(_) => State::Exited(exit(Cause::Stopped)),
            Self::OverLimit(limit) => State::Exited(exit(Cause::LimitExceeded(limit))),
            Self::Closed => State::Exited(exit(Cause::ClosedOutput)),
            Self::Flooded => State::Exited(exit(Cause::Garbage)),
            Self::TooLate => State::Failed(Failure::StartupDeadline {
                deadline: launch.startup_deadline,
                last_lines: remembered(Cause::Deadline),
            }),
            Self::Refused(reason) => State::Failed(Failure::HandshakeFailed {
                reason,
                last_lines: remembered(Cause::NotMcp),
            }),
        }
    }
}

/// Runs a program: once, and once more in the other era when it ended of being asked for its era.
pub(super) async fn run_program(
    launch: &Launch,
    program: Program,
    hint: Option<Era>,
    desk: &Desk,
    stop: &mut Stop,
    log: &Log,
) -> State {
    let deadline = Instant::now() + launch.startup_deadline;
    let first = run_process(launch, &program, hint, deadline, desk, stop, log).await;
    match first {
        Outcome::Over(state) => state,
        Outcome::DiedOfTheProbe(era) => {
            log.begin_again(
                "it ended when it was asked which protocol it speaks; started again and greeted in the older way",
            );
            match run_process(launch, &program, Some(era), deadline, desk, stop, log).await {
                Outcome::Over(state) => state,
                Outcome::DiedOfTheProbe(_) => unreachable!("a process whose era is given is not probed"),
            }
        }
    }
}

/// How it went with one process.
enum Outcome {
    Over(State),
    /// It read the probe and ended; it is to be tried again as a server of that era.
    DiedOfTheProbe(Era),
}

async fn run_process(
    launch: &Launch,
    program: &Program,
    hint: Option<Era>,
    deadline: Instant,
    desk: &Desk,
    stop: &mut Stop,
    log: &Log,
) -> Outcome {
    let context = &desk.context;
    let group = context.confiner.group(&desk.uid, launch.limits);
    let enforced = group.enforced();
    let order = Order {
        argv: program.argv.clone(),
        environment: program.environment.clone(),
        directory: working_directory(launch, desk),
        group,
        mark: context.mark(&desk.uid),
        record: desk.directory().join(RECORD),
    };
    let (mut process, streams) = match Process::start(&context.spawner, &context.orchd, order).await {
        Ok(started) => started,
        Err(error) => return Outcome::Over(State::Failed(cannot_start(program, &error.to_string()))),
    };
    let Streams { stdin, stdout, stderr } = streams;
    let words = tokio::spawn(log::capture(stderr, Stream::Stderr, log.clone()));
    let ends = Ends {
        // Without it we could not tell why one ends that is asked for its era; it is greeted all the same.
        unread: stdin.as_fd().try_clone_to_owned().ok(),
        input: Box::new(stdin),
        output: Box::new(stdout),
    };
    let pipe = Pipe::begin(ends, log.clone());
    let probe = Probe::default();
    let pid = process.pid;
    desk.publish(|seen| {
        seen.pid = Some(pid);
        seen.limits = enforced;
    });

    let answered = AtomicBool::new(false);
    let tree = Arc::clone(&process.tree);
    let verdict = tokio::select! {
        biased;
        grace = stop.asked() => Verdict::Stop(grace),
        limit = limits::watch(&tree) => Verdict::OverLimit(limit),
        _ = process.ended() => Verdict::Ended,
        verdict = converse(&pipe, &probe, hint, deadline, desk, log, &answered) => verdict,
    };
    let verdict = match verdict {
        Verdict::Closed if process.ends_within(LAST_BREATH).await => Verdict::Ended,
        other => other,
    };
    if !answered.load(Ordering::Relaxed) {
        // What was known did not help; the next start asks anew.
        desk.learn(None);
    }
    let again = match verdict {
        Verdict::Ended if hint.is_none() && !answered.load(Ordering::Relaxed) => era_of_the_dead(&pipe, &probe).await,
        Verdict::Ended
        | Verdict::Stop(_)
        | Verdict::OverLimit(_)
        | Verdict::TooLate
        | Verdict::Refused(_)
        | Verdict::Closed
        | Verdict::Flooded => None,
    };
    let (state, reached) = end(launch, program, process, verdict, &pipe, words, desk, log).await;
    match (again, reached) {
        (Some(era), Reached::Program) => Outcome::DiedOfTheProbe(era),
        (Some(_), Reached::OurStep) | (None, _) => Outcome::Over(state),
    }
}

/// The era of a child that has ended because it was spoken to in the other one; nothing when it ended for its own reasons.
async fn era_of_the_dead(pipe: &Pipe, probe: &Probe) -> Option<Era> {
    pipe.drain(LAST_WORDS).await;
    match probe.late_answer() {
        // It was greeted in the older way before it came to say that it speaks the newer one.
        Some(outcome) => handshake::is_discovery(&outcome).then_some(Era::Modern),
        // One that has not even read the question did not end because of it.
        None if probe.is_answered_in_time() => None,
        None => pipe.has_read_all().then_some(Era::Legacy),
    }
}

/// How far a process came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reached {
    /// The step before the program failed.
    OurStep,
    /// The program ran.
    Program,
}

/// Greets, and then keeps the conversation open. Returns when there is none any more.
pub(super) async fn converse(
    pipe: &Pipe,
    probe: &Probe,
    hint: Option<Era>,
    deadline: Instant,
    desk: &Desk,
    log: &Log,
    answered: &AtomicBool,
) -> Verdict {
    let closed = || {
        if pipe.is_flooded() {
            Verdict::Flooded
        } else {
            Verdict::Closed
        }
    };
    let opening = greeting::shared();
    let greeted = handshake::open(pipe, hint, &opening.client, probe);
    let (hello, era) = match tokio::time::timeout_at(deadline, greeted).await {
        Err(_) => return Verdict::TooLate,
        Ok(Err(Refusal::Closed)) => return closed(),
        Ok(Err(Refusal::Answered(reason))) => return Verdict::Refused(log.mask().text(&reason)),
        Ok(Ok(opened)) => opened,
    };
    answered.store(true, Ordering::Relaxed);
    let link = pipe.link(hello);
    let mut news = link.listen();
    // The tools are part of the first picture, so that nobody sees a server without them that has some.
    let listed = tokio::select! {
        listed = tools::list(&link) => listed,
        () = pipe.closed() => return closed(),
    };
    let tools = listed
        .map_err(|error| log.note(&log.mask().text(&format!("its tools cannot be listed: {error}"))))
        .ok();
    desk.set_link(Some(link.clone()));
    desk.learn(Some(era));
    desk.enter(State::Running(answer_of(link.hello(), tools, log.mask())));
    loop {
        let changed = tokio::select! {
            () = pipe.closed() => return closed(),
            changed = tools_changed(&mut news) => changed,
        };
        if changed.is_break() {
            // There is no more news; the end is all that can still come.
            pipe.closed().await;
            return closed();
        }
        if let Ok(listed) = tools::list(&link).await {
            desk.answered(answer_of(link.hello(), Some(listed), log.mask()));
        }
    }
}

/// Waits until the list of tools has changed, however often. Breaks when there is no news any more.
pub(super) async fn tools_changed(news: &mut broadcast::Receiver<News>) -> ControlFlow<()> {
    loop {
        match news.recv().await {
            Ok(News::ListChanged("tools", _)) | Err(RecvError::Lagged(_)) => break,
            Ok(News::ListChanged(..) | News::ResourceUpdated(..) | News::Other(_)) => {}
            Err(RecvError::Closed) => return ControlFlow::Break(()),
        }
    }
    // What was said before the list is asked for again is all the same news.
    *news = news.resubscribe();
    ControlFlow::Continue(())
}

/// Ends a process and all that it has started, and tells how it went. Also says how far it came.
#[expect(
    clippy::too_many_arguments,
    reason = "all that a process leaves behind comes together here"
)]
async fn end(
    launch: &Launch,
    program: &Program,
    mut process: Process,
    verdict: Verdict,
    pipe: &Pipe,
    words: tokio::task::JoinHandle<()>,
    desk: &Desk,
    log: &Log,
) -> (State, Reached) {
    // Before anything is torn down: how long it lived, and what the kernel has to say.
    let age = process.age();
    let defended = process.tree.group().verdict();
    match &verdict {
        Verdict::Stop(grace) => {
            desk.enter(State::Stopping);
            let polite = POLITE.min(*grace / 2);
            pipe.close_input();
            if !process.ends_within(polite).await {
                process.terminate();
                process.ends_within(*grace - polite).await;
            }
        }
        Verdict::Ended
        | Verdict::OverLimit(_)
        | Verdict::TooLate
        | Verdict::Refused(_)
        | Verdict::Closed
        | Verdict::Flooded => {}
    }
    let ended = process.finish().await.ok();
    pipe.drain(LAST_WORDS).await;
    let abort = words.abort_handle();
    if tokio::time::timeout(LAST_WORDS, words).await.is_err() {
        abort.abort();
    }
    let last_lines = log.last_lines();
    if let Some(reason) = failed_step(ended, &last_lines) {
        return (State::Failed(cannot_start(program, &reason)), Reached::OurStep);
    }
    let age = match verdict {
        Verdict::Stop(_) => process.age(),
        Verdict::Ended
        | Verdict::OverLimit(_)
        | Verdict::TooLate
        | Verdict::Refused(_)
        | Verdict::Closed
        | Verdict::Flooded => age,
    };
    let exit = |cause| desk.exit(ended.map(|status| (status, age)), cause, last_lines.clone());
    let failed = ended.is_none_or(|status| !status.success());
    let itself = defended.filter(|_| failed).map_or(Cause::Itself, Cause::LimitExceeded);
    let state = verdict.told(itself, exit, desk, launch);
    (state, Reached::Program)
}

/// What our own step had to complain of, if that is how the process ended.
fn failed_step(ended: Option<ExitStatus>, last_lines: &[String]) -> Option<String> {
    ended.filter(|status| status.code() == Some(exec::FAILED))?;
    last_lines.last()?.strip_prefix(exec::COMPLAINT).map(str::to_owned)
}

fn cannot_start(program: &Program, reason: &str) -> Failure {
    let command = program
        .argv
        .first()
        .map(|program| program.to_string_lossy().into_owned())
        .unwrap_or_default();
    let reason = reason
        .strip_prefix(&format!("{command}: "))
        .unwrap_or(reason)
        .to_owned();
    Failure::CommandNotFound {
        command,
        reason,
        hint: None,
    }
}

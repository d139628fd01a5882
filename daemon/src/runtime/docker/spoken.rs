//! Servers that are spoken to over the streams of their container.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use bollard::exec::{CreateExecOptions, StartExecOptions, StartExecResults};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::super::handshake::{self, Probe};
use super::super::instance::Stop;
use super::super::launch::Era;
use super::super::link::pipe::{Ends, Pipe};
use super::super::log::{self, Stream};
use super::super::observation::{Cause, Failure, State};
use super::super::serving::{self, LAST_BREATH, LAST_WORDS, POLITE, Verdict};
use super::container::{Container, End};
use super::engine::Trouble;
use super::life::{Job, Ready, Way, prepared};
use super::streams::{Input, Streams, split};

/// Runs a container: once, and once more in the older era when it ended of being asked for its era.
pub(super) async fn run(job: Job<'_>, hint: Option<Era>, stop: &mut Stop) -> State {
    let first = match prepared(job, stop).await {
        Ok(ready) => one(job, ready, hint, stop).await,
        Err(state) => return state,
    };
    let era = match first {
        Outcome::Over(state) => return state,
        Outcome::DiedOfTheProbe(era) => era,
    };
    job.log
        .begin_again("it ended when it was asked which protocol it speaks; started again and greeted in the older way");
    match prepared(job, stop).await {
        Ok(ready) => match one(job, ready, Some(era), stop).await {
            Outcome::Over(state) => state,
            Outcome::DiedOfTheProbe(_) => unreachable!("a server whose era is given is not probed"),
        },
        Err(state) => state,
    }
}

/// How it went with one container.
enum Outcome {
    Over(State),
    /// It ended unanswered, having been asked for its era; it is to be tried again as a server of that era.
    DiedOfTheProbe(Era),
}

/// What made a container the subject of the past.
enum Turn {
    Verdict(Verdict),
    /// The engine is gone, and with it the conversation.
    Lost(Trouble),
}

/// A server whose streams are open.
struct Open {
    input: Input,
    streams: Streams,
    /// The program beside the first process, if that is the server.
    exec: Option<String>,
    /// What the first process says, if that is not the server.
    beside: Option<JoinHandle<()>>,
}

async fn one(job: Job<'_>, ready: Ready, hint: Option<Era>, stop: &mut Stop) -> Outcome {
    let opened = async {
        let open = open(job, &ready).await?;
        ready.show(job).await?;
        Ok::<_, Trouble>(open)
    };
    let Open {
        input,
        streams: Streams { stdout, stderr, over },
        exec,
        beside,
    } = match opened.await {
        Ok(open) => open,
        Err(trouble) => {
            job.clear().await;
            return Outcome::Over(State::Failed(job.failure(trouble, "started")));
        }
    };
    let began = Instant::now();
    let deadline = tokio::time::Instant::from_std(began) + job.launch.startup_deadline;
    let words = tokio::spawn(log::capture(stderr, Stream::Stderr, job.log.clone()));
    let ends = Ends {
        input: Box::new(input),
        output: stdout,
        unread: None,
    };
    let pipe = Pipe::begin(ends, job.log.clone());
    let probe = Probe::default();
    let answered = AtomicBool::new(false);
    let container = &ready.container;
    let turn = {
        let mut ended = std::pin::pin!(ended(container, exec.as_deref(), over));
        let turn = tokio::select! {
            biased;
            grace = stop.asked() => Turn::Verdict(Verdict::Stop(grace)),
            ended = &mut ended => turn_of(ended),
            verdict = serving::converse(&pipe, &probe, hint, deadline, job.desk, job.log, &answered) => Turn::Verdict(verdict),
        };
        match turn {
            Turn::Verdict(Verdict::Closed) => tokio::time::timeout(LAST_BREATH, ended)
                .await
                .map_or(Turn::Verdict(Verdict::Closed), turn_of),
            other => other,
        }
    };
    let is_answered = answered.load(Ordering::Relaxed);
    if !is_answered {
        // What was known did not help; the next start asks anew.
        job.desk.learn(None);
    }
    if let Turn::Verdict(Verdict::Stop(grace)) = &turn {
        job.desk.enter(State::Stopping);
        ask_to_end(container, exec.as_deref(), &pipe, *grace).await;
    }
    let lived = began.elapsed();
    let mut end = ready.finish(job).await;
    if let (Some(exec), Ok(end)) = (&exec, &mut end) {
        end.code = code_of(container, exec).await.or(end.code);
    }
    pipe.drain(LAST_WORDS).await;
    for words in [Some(words), beside].into_iter().flatten() {
        let abort = words.abort_handle();
        if tokio::time::timeout(LAST_WORDS, words).await.is_err() {
            abort.abort();
        }
    }
    job.clear().await;
    let ended_unanswered = matches!(turn, Turn::Verdict(Verdict::Ended)) && !is_answered;
    if let (true, Some(_), Ok(end)) = (ended_unanswered, &exec, &end)
        && matches!(end.code, Some(CANNOT_START | NOT_THERE))
    {
        return Outcome::Over(State::Failed(not_started(job)));
    }
    match (&end, hint) {
        (Ok(_), None) if ended_unanswered => match era_of_the_dead(&probe) {
            Some(era) => Outcome::DiedOfTheProbe(era),
            None => Outcome::Over(state_of(job, turn, end, began, lived)),
        },
        (Ok(_) | Err(_), _) => Outcome::Over(state_of(job, turn, end, began, lived)),
    }
}

/// The codes with which engines and shells say that a program cannot be started, and that it is not there.
const CANNOT_START: i32 = 126;
const NOT_THERE: i32 = 127;

/// The program beside the entry point was not started; the engine said why in its stead.
fn not_started(job: Job<'_>) -> Failure {
    let last_lines = job.log.last_lines();
    let reason = last_lines.last().cloned().unwrap_or_default();
    Failure::ContainerRefused {
        step: "given its server",
        reason: format!("image.command cannot be started in it: {reason}"),
        hint: Some("the program must be in the image, and made for this machine".to_owned()),
        last_lines,
    }
}

fn turn_of(ended: Result<(), Trouble>) -> Turn {
    match ended {
        Ok(()) => Turn::Verdict(Verdict::Ended),
        Err(trouble) => Turn::Lost(trouble),
    }
}

/// Starts a container and opens its server's streams.
async fn open(job: Job<'_>, ready: &Ready) -> Result<Open, Trouble> {
    let container = &ready.container;
    let (input, streams) = container.attach().await?;
    container.start().await?;
    let Way::Exec(argv) = &ready.way else {
        return Ok(Open {
            input,
            streams,
            exec: None,
            beside: None,
        });
    };
    // Its input stays open as long as what it says is listened to.
    let log = job.log.clone();
    let beside = tokio::spawn(async move {
        let _held = input;
        let Streams { stdout, stderr, .. } = streams;
        tokio::join!(
            log::capture(stdout, Stream::Stdout, log.clone()),
            log::capture(stderr, Stream::Stderr, log.clone())
        );
    });
    let order = CreateExecOptions {
        attach_stdin: Some(true),
        attach_stdout: Some(true),
        attach_stderr: Some(true),
        tty: Some(false),
        cmd: Some(argv.clone()),
        ..CreateExecOptions::default()
    };
    let client = container.client();
    let exec = match client.create_exec(&container.id, order).await.map_err(Trouble::from) {
        Ok(exec) => exec.id,
        Err(Trouble::Refused { status: 409, .. }) => return Err(not_held(container).await),
        Err(trouble) => return Err(trouble),
    };
    match client.start_exec(&exec, Some(StartExecOptions::default())).await {
        Ok(StartExecResults::Attached { output, input }) => Ok(Open {
            input,
            streams: split(output),
            exec: Some(exec),
            beside: Some(beside),
        }),
        Ok(StartExecResults::Detached) => Err(Trouble::away("it has let go of the program")),
        Err(error) => match Trouble::from(error) {
            Trouble::Refused { status: 409, .. } => Err(not_held(container).await),
            trouble => Err(trouble),
        },
    }
}

/// The entry point ended before there was anything to run beside it.
async fn not_held(container: &Container) -> Trouble {
    let code = container
        .end()
        .await
        .ok()
        .flatten()
        .and_then(|end| end.code)
        .map(|code| format!(" with code {code}"))
        .unwrap_or_default();
    Trouble::Refused {
        status: 409,
        message: format!(
            "the image's own entry point ended at once{code}, and image.command runs beside it; \
             without image.command the entry point itself is the server"
        ),
    }
}

/// Waits for the end of a server. Dropping the future changes nothing.
async fn ended(container: &Container, exec: Option<&str>, over: oneshot::Receiver<()>) -> Result<(), Trouble> {
    let Some(exec) = exec else {
        return container.ended().await;
    };
    let program = async {
        // Its streams end with it, or shortly before.
        let _over = over.await;
        loop {
            let seen = container.client().inspect_exec(exec).await?;
            if seen.running != Some(true) {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    tokio::select! {
        ended = container.ended() => ended,
        ended = program => ended,
    }
}

/// The code that a program ended with.
async fn code_of(container: &Container, exec: &str) -> Option<i32> {
    let seen = container.client().inspect_exec(exec).await.ok()?;
    seen.exit_code.and_then(|code| i32::try_from(code).ok())
}

/// Closes the server's input, and then asks; what is left after that is killed.
async fn ask_to_end(container: &Container, exec: Option<&str>, pipe: &Pipe, grace: Duration) {
    let polite = POLITE.min(grace / 2);
    pipe.close_input();
    let gone = match exec {
        None => container.ends_within(polite).await,
        Some(_) => tokio::time::timeout(polite, pipe.closed())
            .await
            .map_or(Ok(false), |()| Ok(true)),
    };
    if matches!(gone, Ok(false)) {
        container.signal("SIGTERM").await;
        let _in_time = container.ends_within(grace.saturating_sub(polite)).await;
    }
}

/// The era in which a server is to be greeted that ended unanswered. Whether it has read the question is not known here.
fn era_of_the_dead(probe: &Probe) -> Option<Era> {
    match probe.late_answer() {
        Some(outcome) => handshake::is_discovery(&outcome).then_some(Era::Modern),
        None => (!probe.is_answered_in_time()).then_some(Era::Legacy),
    }
}

fn state_of(job: Job<'_>, turn: Turn, end: Result<End, Trouble>, began: Instant, lived: Duration) -> State {
    let (verdict, end) = match (turn, end) {
        (Turn::Verdict(Verdict::Stop(_)), end) => (Verdict::Stop(Duration::ZERO), end.unwrap_or_default()),
        (Turn::Lost(trouble), _) | (Turn::Verdict(_), Err(trouble)) => {
            return State::Failed(job.failure(trouble, "watched"));
        }
        (Turn::Verdict(verdict), Ok(end)) => (verdict, end),
    };
    let exit = |cause| {
        let mut exit = job.exit(&end, cause, Some(began));
        exit.after = lived;
        exit
    };
    verdict.told(Cause::Itself, exit, job.desk, job.launch)
}

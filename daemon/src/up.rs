//! `orchd up`: the daemon in the foreground, manifests applied, and a person told how everything comes up.
//!
//! What enters: settings and paths. What leaves: lines for people on standard error, and credentials that were made on
//! standard output. It uses the same admission as every request; what it knows of progress it reads from the same snapshot as
//! the reconciler.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, bail};
use indicatif::{ProgressBar, ProgressStyle};
use orch_shared::access::{Credential, Principal, Rights, Subject};
use orch_shared::apply::{Request, Verdict};
use orch_shared::kind::Kind;
use orch_shared::kinds::token::{Token, TokenPhase};
use orch_shared::manifest::{self, FileProblem, Limits};
use orch_shared::name::ObjectRef;
use orch_shared::problem::Problem;
use serde_json::Value;

use crate::admission;
use crate::config::{Settings, UpArgs};
use crate::serve::{self, Daemon, Introduction};
use crate::store::Object;

/// Writes to standard output.
///
/// # Errors
/// When it cannot be written.
pub fn print(text: &str) -> anyhow::Result<()> {
    io::stdout()
        .write_all(text.as_bytes())
        .context("standard output cannot be written")
}

/// Tells an error, what caused it, and what to do, on standard error.
pub fn say_error(error: &anyhow::Error) {
    let mut causes = error.chain();
    let first = causes.next().map(ToString::to_string).unwrap_or_default();
    say(&format!("error: {first}"));
    causes.for_each(|cause| say(&format!("  caused by: {cause}")));
}

fn say(line: &str) {
    // When standard error is gone, there is nobody to tell.
    let _gone = writeln!(io::stderr(), "{line}");
}

/// Runs the daemon, applies, waits until everything is ready, and stays until asked to stop.
///
/// # Errors
/// When the daemon cannot start, or the manifests are not admitted.
pub async fn run(settings: &Settings, args: &UpArgs) -> anyhow::Result<()> {
    // Read first: a mistake in a manifest need not start anything.
    let declared = read(&args.apply)?;
    let daemon = serve::start(settings).await?;
    let outcome = tokio::select! {
        outcome = bring_up(&daemon, declared, args.timeout.duration()) => outcome,
        () = serve::asked_to_stop() => {
            daemon.stop().await;
            return Ok(());
        }
    };
    if let Err(error) = outcome {
        daemon.stop().await;
        return Err(error);
    }
    serve::asked_to_stop().await;
    say("stopping ...");
    daemon.stop().await;
    say("stopped; everything that was declared comes back with the next start");
    Ok(())
}

async fn bring_up(daemon: &Daemon, declared: Declared, patience: Duration) -> anyhow::Result<()> {
    let objects = apply(daemon, declared).await?;
    let waiting = wait(daemon, &objects, patience).await;
    say("");
    say(&format!("orchd answers at {}", daemon.url));
    if !waiting.is_empty() {
        say(&format!("not ready after {} s:", patience.as_secs()));
    }
    let orchctl = beside("orchctl");
    for object in &waiting {
        say(&format!("  {orchctl} why {object}"));
    }
    if daemon.introduction == Introduction::Missing {
        say("the command line has no context of this daemon; when the daemon is stopped, make one:");
        say(&format!("  {} token reset", beside("orchd")));
    }
    say("what to try next:");
    for command in next(&objects) {
        say(&format!("  {orchctl} {command}"));
    }
    say("Ctrl-C stops everything.");
    Ok(())
}

/// Three commands that show something of what was applied.
fn next(objects: &[ObjectRef]) -> [String; 3] {
    match objects.iter().find(|object| object.kind == Kind::Server) {
        Some(server) => [
            "get servers,instances".to_owned(),
            format!("describe server {}", server.name),
            format!("logs {} -f", server.name),
        ],
        None => ["get all", "apply -f FILE", "explain server"].map(str::to_owned),
    }
}

/// How to call a program that lies beside this one: by name when that finds it.
fn beside(program: &str) -> String {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let own = std::env::current_exe()
        .ok()
        .and_then(|own| Some(own.parent()?.join(program)));
    match own {
        Some(own) if !std::env::split_paths(&path).any(|directory| directory.join(program).exists()) => {
            own.display().to_string()
        }
        Some(_) | None => program.to_owned(),
    }
}

/// Objects read from files.
struct Declared {
    manifests: Vec<Value>,
    read: manifest::Objects,
}

fn read(paths: &[PathBuf]) -> anyhow::Result<Declared> {
    let mut files = Vec::new();
    for path in paths {
        collect(path, &mut files).with_context(|| format!("{} cannot be read", path.display()))?;
    }
    if files.is_empty() && !paths.is_empty() {
        bail!("there is no manifest (*.yaml, *.yml, *.json) in {}", paths[0].display());
    }
    let mut parsed = Vec::new();
    for file in files {
        let text = fs::read(&file).with_context(|| format!("{} cannot be read", file.display()))?;
        parsed.push((file.display().to_string(), manifest::parse(&text, &Limits::default())));
    }
    let read = manifest::objects(&parsed);
    if !read.problems.is_empty() {
        let count = match read.problems.len() {
            1 => "1 problem".to_owned(),
            more => format!("{more} problems"),
        };
        let lines: Vec<_> = read.problems.iter().map(told).collect();
        bail!("{count}; nothing was started\n{}", lines.join("\n"));
    }
    let manifests = read.objects.iter().map(|object| object.resource.manifest()).collect();
    Ok(Declared { manifests, read })
}

/// A problem with its place, and what to do about it.
fn told(problem: &FileProblem) -> String {
    match &problem.problem.hint {
        Some(hint) => format!("  {problem}\n    hint: {hint}"),
        None => format!("  {problem}"),
    }
}

/// A file, or all manifests below a folder, in order of their names.
fn collect(path: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    if !path.is_dir() {
        files.push(path.to_owned());
        return Ok(());
    }
    let mut entries = fs::read_dir(path)?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<io::Result<Vec<_>>>()?;
    entries.sort();
    for entry in entries {
        let hidden = entry
            .file_name()
            .is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
        let manifest = entry
            .extension()
            .is_some_and(|extension| ["yaml", "yml", "json"].iter().any(|known| extension == *known));
        if !hidden && (entry.is_dir() || manifest) {
            collect(&entry, files)?;
        }
    }
    Ok(())
}

async fn apply(daemon: &Daemon, declared: Declared) -> anyhow::Result<Vec<ObjectRef>> {
    let Declared { manifests, read } = declared;
    if manifests.is_empty() {
        return Ok(Vec::new());
    }
    // Whoever starts the daemon could do all of this without it.
    let admin = Subject::User(crate::auth::ADMIN.parse()?);
    let principal = Principal::new(admin, Credential::None, Rights::Unbounded);
    let request = Request {
        objects: manifests,
        ..Request::default()
    };
    let applied = admission::apply(&daemon.admission, &principal.into(), request).await;
    let response = applied.map_err(|problem| refused(&problem, &read))?;
    for outcome in &response.results {
        let verdict = match outcome.verdict {
            Verdict::Created => "created",
            Verdict::Configured => "configured",
            Verdict::Unchanged => "unchanged",
            Verdict::Pruned => "pruned",
        };
        say(&format!("{:<24} {verdict}", outcome.object.to_string()));
    }
    for outcome in &response.results {
        if let Some(credential) = &outcome.credential {
            print(&format!("{}   {credential}\n", outcome.object))?;
            say(&format!(
                "{} is made; its credential is shown this once, and stored nowhere",
                outcome.object
            ));
        }
    }
    Ok(response.results.into_iter().map(|outcome| outcome.object).collect())
}

fn refused(problem: &Problem, read: &manifest::Objects) -> anyhow::Error {
    let located = problem.errors.iter().map(|error| match read.locate(error) {
        Some(located) => told(&located),
        None => format!("{}: {}", error.pointer, error.message),
    });
    let lines: Vec<_> = located.collect();
    anyhow::anyhow!("{problem}\n{}", lines.join("\n"))
}

/// Shows how objects get ready; gives those that were not in time.
async fn wait(daemon: &Daemon, objects: &[ObjectRef], patience: Duration) -> Vec<ObjectRef> {
    let mut snapshots = daemon.admission.store.snapshots();
    let mut shown: BTreeMap<&ObjectRef, State> = BTreeMap::new();
    let bar = progress(objects.len());
    let all_ready = async {
        loop {
            let snapshot = snapshots.borrow_and_update().clone();
            let mut ready = 0;
            for name in objects {
                let Some(object) = snapshot.get(name) else { continue };
                let state = State::of(object);
                ready += u64::from(state.is_ready());
                // What only counts or gives a new time is not news.
                let news = shown
                    .get(name)
                    .is_none_or(|before| before.in_short() != state.in_short());
                if news {
                    bar.suspend(|| say(&format!("{:<24} {state}", name.to_string())));
                    shown.insert(name, state);
                }
            }
            bar.set_position(ready);
            if ready == objects.len() as u64 || snapshots.changed().await.is_err() {
                return;
            }
        }
    };
    drop(tokio::time::timeout(patience, all_ready).await);
    bar.finish_and_clear();
    let snapshot = daemon.admission.store.snapshot();
    let is_ready = |name: &&ObjectRef| snapshot.get(name).is_some_and(|object| State::of(object).is_ready());
    objects.iter().filter(|name| !is_ready(name)).cloned().collect()
}

fn progress(length: usize) -> ProgressBar {
    let style =
        ProgressStyle::with_template("{spinner} {pos} of {len} ready").unwrap_or_else(|_| ProgressStyle::default_bar());
    // Drawn on standard error, and only when that is a terminal.
    let bar = ProgressBar::new(length as u64).with_style(style);
    bar.enable_steady_tick(Duration::from_millis(120));
    bar
}

/// How an object fares: its phase, and what is the matter when something is.
struct State {
    phase: String,
    reason: String,
    message: String,
}

impl State {
    fn of(object: &Object) -> Self {
        // Nothing is done about a token after it is made: its status is of any generation.
        if let Some(token) = object.status::<Token>() {
            return Self {
                phase: match token.phase {
                    Some(TokenPhase::Active) => "Ready".to_owned(),
                    Some(phase) => format!("{phase:?}"),
                    None => "Pending".to_owned(),
                },
                reason: String::new(),
                message: String::new(),
            };
        }
        let status: Value = serde_json::from_str(&object.status_text).unwrap_or_default();
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        // What is said of an earlier generation says nothing of this one.
        if status["observedGeneration"].as_i64() != Some(object.generation) {
            return Self {
                phase: "Pending".to_owned(),
                reason: String::new(),
                message: String::new(),
            };
        }
        let conditions = status["conditions"].as_array().into_iter().flatten();
        let ready = conditions.clone().find(|condition| condition["type"] == "Ready");
        let (reason, message) = ready
            .map(|ready| (text(&ready["reason"]), text(&ready["message"])))
            .unwrap_or_default();
        Self {
            phase: text(&status["phase"]),
            reason,
            message,
        }
    }

    fn is_ready(&self) -> bool {
        // One that is suspended starts when it is used.
        self.phase == "Ready" || (self.phase == "Suspended" && self.reason == "Suspended")
    }

    fn in_short(&self) -> (&str, &str) {
        (&self.phase, &self.reason)
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.phase)?;
        if !self.message.is_empty() {
            write!(f, "   {}", self.message)?;
        }
        Ok(())
    }
}

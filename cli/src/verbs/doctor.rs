//! `doctor`: whether everything is there that this program and a local daemon need, a line per check.

use std::process::{Command, Stdio};
use std::time::Duration;

use clap::Args;
use orch_shared::resource::Timestamp;
use orch_shared::route;
use orch_shared::wire::{DaemonStatus, Readiness, Version};

use super::status::audit_trouble;
use crate::client::Call;
use crate::render::age;
use crate::report::{Failure, Outcome};
use crate::settings::{Settings, file, is_local};
use crate::ui::{Stream, Tone};

/// How far apart two clocks may be.
const DRIFT: Duration = Duration::from_secs(5);
/// Programs that a daemon on this machine runs, and what each is for.
const PROGRAMS: &[(&str, &str)] = &[
    ("node", "servers from npm"),
    ("npm", "servers from npm"),
    ("python3", "servers from PyPI"),
    ("uv", "servers from PyPI, faster"),
    ("docker", "servers from images"),
];

/// Check that everything needed is there and works
#[derive(Debug, Args)]
#[command(before_help = "\
Examples:
  orchctl doctor
  orchctl --context staging doctor
  orchctl doctor -q && echo all is well
")]
pub(crate) struct Arguments {}

/// How a check ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Fine,
    /// Not as it could be; nothing that is needed is missing.
    Note,
    Wrong,
}

struct Report<'s> {
    settings: &'s Settings,
    ended: Outcome,
}

impl Report<'_> {
    fn check(&mut self, verdict: Verdict, name: &str, text: &str) -> Result<(), Failure> {
        let (sign, tone) = match verdict {
            Verdict::Fine => ("ok", Tone::Good),
            Verdict::Note => ("note", Tone::Warn),
            Verdict::Wrong => ("wrong", Tone::Bad),
        };
        if verdict == Verdict::Wrong {
            self.ended = Outcome::Unwell;
        }
        let sign = self.settings.ui.paint(Stream::Data, tone, &format!("{sign:6}"));
        self.settings.ui.line(&format!("{sign} {name:16} {text}"))
    }

    fn failed(&mut self, name: &str, failure: &Failure) -> Result<(), Failure> {
        let (text, hint) = match failure {
            Failure::Problem(problem) => (problem.detail.clone(), problem.suggestion.clone()),
            other => (other.to_string(), None),
        };
        let hint = hint.map(|hint| format!("; {hint}")).unwrap_or_default();
        self.check(Verdict::Wrong, name, &format!("{text}{hint}"))
    }
}

/// Checks.
pub(crate) fn run(_: &Arguments, settings: &Settings) -> Result<Outcome, Failure> {
    let mut report = Report {
        settings,
        ended: Outcome::Done,
    };
    report.check(Verdict::Fine, "orchctl", env!("CARGO_PKG_VERSION"))?;
    configuration(&mut report)?;
    let local = daemon(&mut report)?;
    if local {
        for (program, purpose) in PROGRAMS {
            match version_of(program) {
                Some(version) => report.check(Verdict::Fine, program, &version)?,
                None => report.check(Verdict::Note, program, &format!("not found; needed for {purpose}"))?,
            }
        }
    }
    Ok(report.ended)
}

fn configuration(report: &mut Report<'_>) -> Result<(), Failure> {
    let path = file::path()?;
    match report.settings.contexts() {
        Err(failure) => return report.failed("configuration", &failure),
        Ok(_) if !path.exists() => {
            report.check(
                Verdict::Note,
                "configuration",
                &format!("there is no {} yet", path.display()),
            )?;
        }
        Ok(file) => {
            let count = file.contexts.len();
            let plural = if count == 1 { "" } else { "s" };
            report.check(
                Verdict::Fine,
                "configuration",
                &format!("{} ({count} context{plural})", path.display()),
            )?;
            if let Some(mode) = open_to_others(&path) {
                let text = format!("others may read {} (mode {mode:o}); chmod 600 it", path.display());
                report.check(Verdict::Wrong, "configuration", &text)?;
            }
        }
    }
    match report.settings.connection() {
        Err(failure) => report.failed("context", &failure),
        Ok(connection) => {
            let context = connection.context.as_deref().unwrap_or("none; by --server");
            report.check(Verdict::Fine, "context", &format!("{context} ({})", connection.server))?;
            if connection.token.is_none() {
                report.check(
                    Verdict::Wrong,
                    "token",
                    "there is none to show; --token-file FILE, or orchctl config set-context",
                )?;
            }
            if connection.server.starts_with("http://") && !is_local(&connection.server) {
                report.check(
                    Verdict::Wrong,
                    "transport",
                    "the token travels in the open; use https://",
                )?;
            }
            Ok(())
        }
    }
}

/// The mode of a file, when others may read it.
fn open_to_others(path: &std::path::Path) -> Option<u32> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = std::fs::metadata(path).ok()?.permissions().mode() & 0o777;
        (mode & 0o077 != 0).then_some(mode)
    }
    #[cfg(not(unix))]
    {
        let _ = path;
        None
    }
}

/// Whether the daemon answers, is ready, knows the token, and agrees about the time. Says whether it is on this machine.
fn daemon(report: &mut Report<'_>) -> Result<bool, Failure> {
    let settings = report.settings;
    // Why there is no way to a daemon has been told.
    let Ok(client) = settings.client() else { return Ok(true) };
    let local = is_local(client.server());
    let version = match client.look(&Call::get("/version")) {
        Err(failure) => {
            report.failed("daemon", &failure)?;
            return Ok(local);
        }
        Ok(answer) => answer,
    };
    match version.json::<Version>() {
        Err(failure) => report.failed("daemon", &failure)?,
        Ok(Version { version, .. }) if version == env!("CARGO_PKG_VERSION") => {
            report.check(Verdict::Fine, "daemon", &format!("orchd {version} answers"))?;
        }
        Ok(Version { version, .. }) => {
            let text = format!("orchd {version} answers; this program is {}", env!("CARGO_PKG_VERSION"));
            report.check(Verdict::Note, "daemon", &text)?;
        }
    }
    clock(report, version.header("date"))?;
    // Whether it is ready or not, the answer lists the checks.
    match client
        .look(&Call::get("/readyz"))
        .and_then(|answer| answer.json::<Readiness>())
    {
        Err(failure) => report.failed("readiness", &failure)?,
        Ok(Readiness { checks, .. }) => {
            for check in checks {
                let verdict = if check.ok { Verdict::Fine } else { Verdict::Wrong };
                report.check(verdict, &check.name, check.message.as_deref().unwrap_or("works"))?;
            }
        }
    }
    match client.send(&settings.ui, &Call::get(route::STATUS).once()) {
        Err(failure) => report.failed("token", &failure)?,
        Ok(answer) => {
            report.check(Verdict::Fine, "token", "is accepted")?;
            let status = answer.json::<DaemonStatus>();
            match status.ok().and_then(|status| audit_trouble(&status.audit)) {
                Some(trouble) => report.check(Verdict::Wrong, "audit", &trouble)?,
                None => report.check(Verdict::Fine, "audit", "keeps up")?,
            }
        }
    }
    Ok(local)
}

/// Whether this machine's clock agrees with the daemon's. Ages and waits would be wrong otherwise.
fn clock(report: &mut Report<'_>, date: Option<&str>) -> Result<(), Failure> {
    let theirs = date.and_then(|date| jiff::fmt::rfc2822::parse(date).ok());
    let Some(theirs) = theirs.map(|theirs| Timestamp::from_millis(theirs.timestamp().as_millisecond())) else {
        return Ok(());
    };
    let ours = report.settings.now();
    let apart = ours.since(theirs).max(theirs.since(ours));
    if apart > DRIFT {
        let text = format!("this machine's and the daemon's are {} apart", age::short(apart));
        report.check(Verdict::Wrong, "clock", &text)
    } else {
        report.check(Verdict::Fine, "clock", "agrees with the daemon's")
    }
}

/// The first line of `PROGRAM --version`, when there is such a program.
fn version_of(program: &str) -> Option<String> {
    let output = Command::new(program)
        .arg("--version")
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output()
        .ok()?;
    let text = String::from_utf8_lossy(&output.stdout);
    output
        .status
        .success()
        .then(|| text.lines().next().unwrap_or_default().trim().to_owned())
}

//! Errors: everything that can stop a verb becomes a [`Failure`] here, is told in one manner, and ends in an exit code
//! that is decided in one match.
//!
//! Enters: problems of the daemon, of manifests, of local files and of the command line. Leaves: `error:` with what
//! happened, each place that is wrong, `caused by:`, and a `hint:` that can be typed. It never ends the program.

use std::fmt::Write as _;
use std::io;
use std::path::Path;

use orch_shared::manifest::FileProblem;
use orch_shared::path::FieldPath;
use orch_shared::problem::{Code, FieldProblem, Problem};

use crate::ui::signals::INTERRUPTED;
use crate::ui::{Stream, Tone, Ui};

/// How a verb ended, when nothing stopped it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It did what it was asked.
    Done,
    /// It did, and found differences: `diff`.
    Differs,
    /// It did, and what it looked at is not well, or the answer is no: `doctor`, `tools call`, `auth can-i`.
    Unwell,
}

/// What stopped a verb.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// Something with a code: told by the daemon, or in its manner.
    #[error("{0}")]
    Problem(Box<Problem>),
    /// Manifests that are wrong in some places.
    #[error("{}", .0.headline)]
    Manifests(Box<Places>),
    /// Several objects were asked for, and some of them failed, each for its own reason.
    #[error("{} failed", .0.len())]
    Several(Vec<Failure>),
    /// A question whose answer is how the program ends could not be answered: for `diff` and `auth can-i` 1 is an answer,
    /// and no error ends in it.
    #[error("{0}")]
    NotAnswered(Box<Failure>),
    /// The reader of standard output has gone: nothing is left to be done or said.
    #[error("standard output was closed")]
    Closed,
    /// Ctrl-C ended what was being done, and that was said.
    #[error("interrupted")]
    Interrupted,
    /// A command that the user's own program (an editor) refused.
    #[error("{0}")]
    Cancelled(String),
}

/// Manifests that are wrong in some places.
#[derive(Debug)]
pub(crate) struct Places {
    /// What happened: `2 problems in broken.yaml; nothing was applied`.
    pub(crate) headline: String,
    /// The places, in order.
    pub(crate) places: Vec<FileProblem>,
    /// Problems of objects that no place is known for.
    pub(crate) elsewhere: Vec<FieldProblem>,
}

impl From<Problem> for Failure {
    fn from(problem: Problem) -> Self {
        Self::Problem(Box::new(problem))
    }
}

impl Failure {
    /// The command line cannot be understood.
    pub(crate) fn usage(detail: impl Into<String>) -> Self {
        Problem::new(Code::BadArgument, detail).into()
    }

    /// A local file cannot be read or written.
    pub(crate) fn file(action: &str, path: &Path, error: &io::Error) -> Self {
        Problem::new(
            Code::LocalFile,
            format!("cannot {action} {}: {}", path.display(), plain(error)),
        )
        .into()
    }

    /// A local file does not hold what it should.
    pub(crate) fn local(detail: impl Into<String>) -> Self {
        Problem::new(Code::LocalFile, detail).into()
    }

    /// Standard output cannot be written.
    pub(crate) fn output(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Self::Closed,
            _ => Problem::new(Code::LocalFile, format!("cannot write the output: {}", plain(&error))).into(),
        }
    }

    /// Adds a way out, when there is none yet.
    #[must_use]
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        if let Self::Problem(problem) = &mut self {
            problem.suggestion.get_or_insert_with(|| hint.into());
        }
        self
    }

    /// Puts this way out in the place of any other: it is known better here.
    #[must_use]
    pub(crate) fn hint_instead(mut self, hint: impl Into<String>) -> Self {
        if let Self::Problem(problem) = &mut self {
            problem.suggestion = Some(hint.into());
        }
        self
    }

    /// Its code, when it has one.
    pub(crate) fn code(&self) -> Option<Code> {
        match self {
            Self::Problem(problem) => Some(problem.code),
            Self::Manifests(_) => Some(Code::InvalidObject),
            Self::Several(failures) => failures.iter().find_map(Self::code),
            Self::NotAnswered(failure) => failure.code(),
            Self::Closed | Self::Interrupted | Self::Cancelled(_) => None,
        }
    }
}

/// The message of the operating system without Rust's `(os error 2)`.
pub(crate) fn plain(error: &io::Error) -> String {
    let text = error.to_string();
    let end = text.find(" (os error").unwrap_or(text.len());
    let mut text = text[..end].to_owned();
    if let Some(first) = text.get(..1) {
        let lower = first.to_lowercase();
        text.replace_range(..1, &lower);
    }
    text
}

/// Tells a failure to the user.
pub(crate) fn tell(ui: &Ui, failure: &Failure) {
    match failure {
        Failure::Problem(problem) => ui.tell(&problem_text(ui, problem)),
        Failure::Manifests(places) => ui.tell(&places_text(ui, places)),
        Failure::Several(failures) => failures.iter().for_each(|failure| tell(ui, failure)),
        Failure::NotAnswered(failure) => tell(ui, failure),
        Failure::Cancelled(text) => ui.tell(&headline(ui, text)),
        Failure::Closed | Failure::Interrupted => {}
    }
}

fn headline(ui: &Ui, text: &str) -> String {
    format!("{} {text}", ui.paint(Stream::Talk, Tone::Bad, "error:"))
}

fn hint(ui: &Ui, text: &str) -> String {
    format!("{} {text}", ui.paint(Stream::Talk, Tone::Hint, "hint:"))
}

fn problem_text(ui: &Ui, problem: &Problem) -> String {
    let mut text = headline(ui, &format!("{}{}", problem.detail, code(ui, problem.code)));
    for error in &problem.errors {
        text.push_str(&field_text(ui, error));
    }
    if let Some(suggestion) = &problem.suggestion {
        let _ = write!(text, "\n{}", hint(ui, suggestion));
    }
    if let Some(request) = problem.request_id.as_ref().filter(|_| problem.status >= 500) {
        let _ = write!(text, "\nrequest: {request} (the daemon's log has more)");
    }
    text
}

/// One field that is wrong, where no place in a file is known for it.
fn field_text(ui: &Ui, problem: &FieldProblem) -> String {
    let mut text = format!(
        "\n  {}{}{}",
        place(&problem.pointer),
        problem.message,
        code(ui, problem.code)
    );
    if let Some(way_out) = &problem.hint {
        let _ = write!(text, "\n  {}", hint(ui, way_out));
    }
    text
}

/// A field before what is wrong with it; nothing before what is wrong with the object as a whole.
fn place(path: &FieldPath) -> String {
    match path.segments() {
        [] => String::new(),
        [_, ..] => format!("{path}: "),
    }
}

/// A code as it stands behind a message, when it is worth a search.
fn code(ui: &Ui, code: Code) -> String {
    if deserves_a_search(code) {
        format!(" {}", ui.paint(Stream::Talk, Tone::Dim, &format!("({code})")))
    } else {
        String::new()
    }
}

/// Whether the page of a code says more than the message does, so that the code is worth showing.
fn deserves_a_search(code: Code) -> bool {
    !matches!(
        code,
        Code::BadArgument
            | Code::LocalFile
            | Code::NotFound
            | Code::NoContext
            | Code::WaitTimeout
            | Code::InvalidObject
    )
}

fn places_text(ui: &Ui, report: &Places) -> String {
    let mut text = headline(ui, &report.headline);
    let places: Vec<String> = report
        .places
        .iter()
        .map(|place| format!("{}:{}", place.file, place.problem.position))
        .collect();
    let width = places.iter().map(|place| place.chars().count()).max().unwrap_or(0);
    for (place, found) in places.iter().zip(&report.places) {
        let problem = &found.problem;
        let path = self::place(&problem.path);
        let code = code(ui, problem.code);
        let _ = write!(text, "\n  {place:width$} {path}{}{code}", problem.message);
        if let Some(way_out) = &problem.hint {
            let _ = write!(text, "\n  {:width$} {}", "", hint(ui, way_out));
        }
    }
    for problem in &report.elsewhere {
        text.push_str(&field_text(ui, problem));
    }
    text
}

/// The exit code of how a verb ended. `orchctl help exit-codes` shows the same table.
pub(crate) fn exit_code(ended: &Result<Outcome, Failure>) -> u8 {
    match ended {
        Ok(Outcome::Done) => 0,
        Ok(Outcome::Differs | Outcome::Unwell) => 1,
        // As a shell would say of a program that SIGPIPE has ended.
        Err(Failure::Closed) => 141,
        Err(Failure::Interrupted) => INTERRUPTED,
        Err(Failure::Cancelled(_)) => 1,
        Err(Failure::NotAnswered(failure)) => failure.code().map_or(2, exit_code_of).max(2),
        Err(failure) => failure.code().map_or(1, exit_code_of),
    }
}

/// The exit codes, as `help exit-codes` and the manual tell them.
pub(crate) const EXIT_CODES: &[(u8, &str)] = &[
    (0, "done; for diff: no differences"),
    (
        1,
        "the request was refused or failed; for diff: there are differences; for doctor: something is not well; for tools call: the tool failed; for auth can-i: no; for introspect: the token opens nothing",
    ),
    (
        2,
        "the command line or the configuration cannot be understood; for diff and auth can-i also: whatever is 1 elsewhere",
    ),
    (3, "there is no such object"),
    (
        4,
        "conflict: it exists, has changed, is in use, or belongs to another set",
    ),
    (5, "no valid credential, or not allowed"),
    (6, "the daemon cannot be reached or is not available"),
    (7, "it took too long: a wait or a request ran out of time"),
    (130, "Ctrl-C ended it"),
    (141, "whoever read the output has gone"),
];

const fn exit_code_of(code: Code) -> u8 {
    match code {
        Code::BadArgument | Code::NoContext => 2,
        Code::NotFound | Code::NoGeneration | Code::NoRoute | Code::NoMethod => 3,
        Code::AlreadyExists
        | Code::Stale
        | Code::Terminating
        | Code::OtherSet
        | Code::PlanMoved
        | Code::DefaultBackend
        | Code::InUse
        | Code::Decided
        | Code::Full
        | Code::TurnUnderWay
        | Code::NoTurn
        | Code::Published => 4,
        Code::Unauthenticated | Code::Forbidden | Code::HostRefused | Code::Ceiling => 5,
        Code::DaemonUnreachable
        | Code::CertificateRefused
        | Code::StoreUnavailable
        | Code::StoreReadOnly
        | Code::ShuttingDown
        | Code::LeaderUnavailable
        | Code::BackendUnavailable => 6,
        Code::Timeout | Code::NoAnswer | Code::WaitTimeout => 7,
        Code::ManifestSyntax
        | Code::ManifestEncoding
        | Code::ManifestTooLarge
        | Code::DuplicateKey
        | Code::DuplicateObject
        | Code::UnknownField
        | Code::WrongType
        | Code::MissingField
        | Code::InvalidValue
        | Code::UnknownKind
        | Code::WrongScope
        | Code::InvalidName
        | Code::InvalidObject
        | Code::ReferenceMissing
        | Code::SealedValue
        | Code::DaemonOwned
        | Code::Immutable
        | Code::TooMany
        | Code::OwnToken
        | Code::KeyRefused
        | Code::BackendRefused
        | Code::Compacted
        | Code::NoAction
        | Code::BadRequest
        | Code::BodyTooLarge
        | Code::MediaType
        | Code::Internal
        | Code::ToolMissing
        | Code::InstallFailed
        | Code::CommandNotFound
        | Code::StartupDeadline
        | Code::HandshakeFailed
        | Code::CrashLoop
        | Code::RemoteUnreachable
        | Code::NotImplemented
        | Code::ReferenceBroken
        | Code::EngineUnavailable
        | Code::ImageUnavailable
        | Code::ContainerRefused
        | Code::LimitExceeded
        | Code::Unhealthy
        | Code::RolloutStuck
        | Code::WakeFailed
        | Code::SessionsFull
        | Code::ModelFailed
        | Code::TooManyIterations
        | Code::TurnBudget
        | Code::TurnCancelled
        | Code::ContextFull
        | Code::LocalFile => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_ends_in_a_documented_exit_code() {
        for code in Code::ALL {
            let exit = exit_code(&Err(Problem::new(*code, "x").into()));
            assert!(EXIT_CODES.iter().any(|(known, _)| *known == exit), "{code}: {exit}");
            assert_ne!(exit, 0, "{code}");
        }
    }

    #[test]
    fn system_errors_read_like_sentences() {
        let error = io::Error::from_raw_os_error(2);
        assert_eq!(plain(&error), "no such file or directory");
    }
}

//! What the shell may offer: kinds, names of live objects, contexts, forms.
//!
//! Enters: the word so far, and through [`words`] the line before it. Leaves: candidates. The daemon gets 300 ms and is
//! asked once; whatever goes wrong, nothing is offered and nothing is said.

use std::ffi::OsStr;
use std::time::Duration;

use clap_complete::{CompleteEnv, CompletionCandidate};
use orch_shared::kind::Kind;
use orch_shared::name::Scope;

use crate::args;
use crate::client::{Client, Scopes, Selection};
use crate::settings::Settings;
use crate::ui::{Color, NoColor, Talk, Ui};

/// How long the daemon may think while a person waits for the Tab key.
const PATIENCE: Duration = Duration::from_millis(300);

/// Answers the shell, and ends the program, when it is the shell that asks.
pub(crate) fn answer_shell() {
    if std::env::var_os("COMPLETE").is_some() {
        CompleteEnv::with_factory(args::command).complete();
    }
}

/// Kinds, or `KIND/NAME`, or names once a kind was given.
pub(crate) fn targets(current: &OsStr) -> Vec<CompletionCandidate> {
    let current = current.to_string_lossy();
    if let Some((noun, _)) = current.split_once('/') {
        let Some(kind) = Kind::from_noun(noun) else {
            return Vec::new();
        };
        let named = names(kind).into_iter().map(|name| format!("{noun}/{name}"));
        return starting_with(named, &current);
    }
    match words().iter().rev().find_map(|word| Kind::from_noun(word)) {
        Some(kind) => starting_with(names(kind), &current),
        None => kinds(OsStr::new(&*current)),
    }
}

/// Nouns of kinds, each with what it is.
pub(crate) fn kinds(current: &OsStr) -> Vec<CompletionCandidate> {
    let current = current.to_string_lossy();
    let candidate = |kind: &Kind| {
        let about = kind
            .definition()
            .spec_schema()
            .get("description")
            .and_then(serde_json::Value::as_str);
        let about = about.map(|text| text.lines().next().unwrap_or_default().to_owned());
        CompletionCandidate::new(kind.meta().plural).help(about.map(Into::into))
    };
    let matching = |kind: &&Kind| kind.definition().nouns().any(|noun| noun.starts_with(&*current));
    Kind::ALL.iter().filter(matching).map(candidate).collect()
}

/// Names of servers and instances, bare or as `KIND/NAME`.
pub(crate) fn log_sources(current: &OsStr) -> Vec<CompletionCandidate> {
    let text = current.to_string_lossy();
    if text.contains('/') {
        return targets(current);
    }
    starting_with(names(Kind::Server).into_iter().chain(names(Kind::Instance)), &text)
}

/// Names of projects.
pub(crate) fn projects(current: &OsStr) -> Vec<CompletionCandidate> {
    starting_with(names(Kind::Project), &current.to_string_lossy())
}

/// Names of agents.
pub(crate) fn agents(current: &OsStr) -> Vec<CompletionCandidate> {
    starting_with(names(Kind::Agent), &current.to_string_lossy())
}

/// Names of contexts.
pub(crate) fn contexts(current: &OsStr) -> Vec<CompletionCandidate> {
    let file = crate::settings::file::path().and_then(|path| crate::settings::file::read(&path));
    let names = file.map(|file| {
        file.contexts
            .into_iter()
            .map(|context| context.name)
            .collect::<Vec<_>>()
    });
    starting_with(names.unwrap_or_default(), &current.to_string_lossy())
}

/// Forms of `-o`.
pub(crate) fn forms(current: &OsStr) -> Vec<CompletionCandidate> {
    let forms = ["table", "wide", "yaml", "json", "name", "jsonpath=", "custom-columns="].map(str::to_owned);
    starting_with(forms, &current.to_string_lossy())
}

fn starting_with(all: impl IntoIterator<Item = String>, current: &str) -> Vec<CompletionCandidate> {
    all.into_iter()
        .filter(|one| one.starts_with(current))
        .map(CompletionCandidate::new)
        .collect()
}

/// The words of the line that is being completed, as far as they come before the cursor.
fn words() -> Vec<String> {
    let line = std::env::args().skip_while(|word| word != "--").skip(1);
    let line: Vec<String> = line.collect();
    let at = std::env::var("_CLAP_COMPLETE_INDEX")
        .ok()
        .and_then(|index| index.parse().ok())
        .unwrap_or(line.len());
    line.into_iter().take(at).skip(1).collect()
}

/// The names of the objects of a kind; none when the daemon does not say so at once.
fn names(kind: Kind) -> Vec<String> {
    ask(kind).unwrap_or_default()
}

fn ask(kind: Kind) -> Option<Vec<String>> {
    let globals = globals()?;
    let settings = Settings::resolve(globals);
    let mut connection = settings.connection().ok()?;
    connection.timeout = PATIENCE;
    let selection = Selection {
        scope: Scopes::One(settings.scope(kind).unwrap_or(Scope::Cluster)),
        ..Selection::default()
    };
    let quiet = Ui::new(Color::Never, Talk::Quiet, NoColor::Set);
    let client = Client::new(&connection).ok()?;
    let page = client.page_at_once(&quiet, kind, &selection).ok()?;
    Some(
        page.items
            .into_iter()
            .map(|object| object.metadata.name.to_string())
            .collect(),
    )
}

/// The global flags on the line so far, as far as it can be read at all.
fn globals() -> Option<args::Globals> {
    use clap::{Args as _, FromArgMatches as _};
    let command = args::Globals::augment_args(clap::Command::new("orchctl").ignore_errors(true));
    let matches = command
        .try_get_matches_from(std::iter::once("orchctl".to_owned()).chain(words()))
        .ok()?;
    args::Globals::from_arg_matches(&matches).ok()
}

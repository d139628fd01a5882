//! What the shell may offer: kinds, names of live objects, tools, contexts, forms.
//!
//! Enters: the word so far, and through [`words`] the line before it. Leaves: candidates, within 300 ms. The daemon gets
//! most of that, however often it is asked; whatever goes wrong, nothing is offered and nothing is said.

use std::ffi::OsStr;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use clap_complete::{CompleteEnv, CompletionCandidate};
use orch_shared::access::{Operation, Role};
use orch_shared::chat::Thread;
use orch_shared::kind::{Kind, downcast};
use orch_shared::kinds::template::{Parameter, Template};
use orch_shared::name::Scope;
use orch_shared::path::FieldPath;
use orch_shared::problem::Code;

use crate::args;
use crate::client::mcp::Interrupt;
use crate::client::{Client, Object, Scopes, Selection};
use crate::mcp::dialogue::{Dialogue, Host, Tool};
use crate::mcp::target::Target;
use crate::render::schema::Field;
use crate::settings::Settings;
use crate::ui::{Color, NoColor, Talk, Ui};

/// How long the daemon may think while a person waits for the Tab key: 300 ms, less what the program itself takes.
const PATIENCE: Duration = Duration::from_millis(240);
/// So many threads with one agent are offered: those that were used last.
const MOST_THREADS: u32 = 50;
/// When the Tab key was pressed, or soon after.
static ASKED: OnceLock<Instant> = OnceLock::new();

/// Answers the shell, and ends the program, when it is the shell that asks.
pub(crate) fn answer_shell() {
    if std::env::var_os("COMPLETE").is_some() {
        ASKED.get_or_init(Instant::now);
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

/// What `get` takes: what [`targets`] offers, events, threads and messages.
pub(crate) fn get_targets(current: &OsStr) -> Vec<CompletionCandidate> {
    let mut found = targets(current);
    let word = current.to_string_lossy();
    if !words().iter().any(|word| Kind::from_noun(word).is_some()) {
        found.extend(starting_with(
            ["events", "threads", "messages"].map(str::to_owned),
            &word,
        ));
    }
    found
}

/// What `explain` explains: kinds, fields of kinds, error codes.
pub(crate) fn explained(current: &OsStr) -> Vec<CompletionCandidate> {
    let word = current.to_string_lossy();
    let Some((head, _)) = word.rsplit_once('.') else {
        let codes = Code::ALL.iter().map(|code| code.id().to_owned());
        let codes = codes.filter(|_| word.to_lowercase().starts_with('o'));
        let mut found = starting_with(codes.chain(["codes".to_owned()]), &word.to_uppercase());
        found.extend(kinds(current));
        return found;
    };
    let (noun, path) = head.split_once('.').unwrap_or((head, ""));
    let path = path.strip_prefix("spec").unwrap_or(path).trim_start_matches('.');
    let fields = Kind::from_noun(noun).and_then(|kind| {
        let within = Field::root(kind.definition().spec_schema())
            .find(&FieldPath::parse(path))
            .ok()?;
        Some(
            within
                .fields()
                .into_iter()
                .map(|(name, _)| format!("{head}.{name}"))
                .collect::<Vec<_>>(),
        )
    });
    starting_with(fields.unwrap_or_default(), &word)
}

/// Verbs, for `help`.
pub(crate) fn verbs(current: &OsStr) -> Vec<CompletionCandidate> {
    let command = args::command();
    let visible = command.get_subcommands().filter(|verb| !verb.is_hide_set());
    let names = visible.map(|verb| verb.get_name().to_owned());
    starting_with(names.chain(["exit-codes".to_owned()]), &current.to_string_lossy())
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

/// What a cassette is replayed against: `llm=NAME`, `agent=NAME`.
pub(crate) fn replayed(current: &OsStr) -> Vec<CompletionCandidate> {
    let of = |word: &'static str, kind| names(kind).into_iter().map(move |name| format!("{word}={name}"));
    let all: Vec<String> = of("llm", Kind::Llm).chain(of("agent", Kind::Agent)).collect();
    starting_with(all, &current.to_string_lossy())
}

/// Ids of threads: those with the agent on the line, or all of one's own.
pub(crate) fn threads(current: &OsStr) -> Vec<CompletionCandidate> {
    let current = current.to_string_lossy();
    let found = list_threads().unwrap_or_default().into_iter();
    found
        .filter(|thread| thread.id.starts_with(&*current))
        .map(|thread| {
            let about = format!("{}: {}", thread.agent, thread.title.unwrap_or_default());
            CompletionCandidate::new(thread.id).help(Some(about.lines().next().unwrap_or_default().to_owned().into()))
        })
        .collect()
}

fn list_threads() -> Option<Vec<Thread>> {
    let agents = names(Kind::Agent);
    let words = words();
    let spoken_to: Vec<&String> = agents.iter().filter(|agent| words.contains(agent)).collect();
    let meant = if spoken_to.is_empty() {
        agents.iter().collect()
    } else {
        spoken_to
    };
    let settings = Settings::resolve(globals()?);
    let mut connection = settings.connection().ok()?;
    let quiet = Ui::new(Color::Never, Talk::Quiet, NoColor::Set);
    let mut found = Vec::new();
    for agent in meant {
        let Some(left) = time_left() else { break };
        connection.timeout = left;
        let client = Client::new(&connection).ok()?;
        let threads = client.threads(&quiet, &agent.parse().ok()?, Some(MOST_THREADS));
        found.extend(threads.unwrap_or_default().0);
    }
    found.sort_by_key(|thread| std::cmp::Reverse(thread.updated_at));
    Some(found)
}

/// Names of the personalities of the agent on the line.
pub(crate) fn personalities(current: &OsStr) -> Vec<CompletionCandidate> {
    let words = words();
    let agent = names(Kind::Agent).into_iter().find(|agent| words.contains(agent));
    let scope = agent.and_then(|agent| agent.parse().ok()).map(Scope::Agent);
    let found = scope.and_then(|scope| ask_within(Kind::Personality, scope));
    let names = found.unwrap_or_default().into_iter();
    starting_with(
        names.map(|object| object.metadata.name.to_string()),
        &current.to_string_lossy(),
    )
}

/// Roles and operations.
pub(crate) fn rights(current: &OsStr) -> Vec<CompletionCandidate> {
    let roles = Role::ALL.map(Role::as_str).into_iter();
    let words = roles.chain(Operation::ALL.map(Operation::as_str)).map(str::to_owned);
    starting_with(words, &current.to_string_lossy())
}

/// Names of users.
pub(crate) fn users(current: &OsStr) -> Vec<CompletionCandidate> {
    starting_with(names(Kind::User), &current.to_string_lossy())
}

/// Names of groups.
pub(crate) fn groups(current: &OsStr) -> Vec<CompletionCandidate> {
    starting_with(names(Kind::Group), &current.to_string_lossy())
}

/// Names of service accounts.
pub(crate) fn service_accounts(current: &OsStr) -> Vec<CompletionCandidate> {
    starting_with(names(Kind::ServiceAccount), &current.to_string_lossy())
}

/// Names of tokens.
pub(crate) fn tokens(current: &OsStr) -> Vec<CompletionCandidate> {
    starting_with(names(Kind::Token), &current.to_string_lossy())
}

/// Names of templates.
pub(crate) fn templates(current: &OsStr) -> Vec<CompletionCandidate> {
    starting_with(names(Kind::Template), &current.to_string_lossy())
}

/// Parameters that the template on the line takes in the open, each ready for its value.
pub(crate) fn parameters(current: &OsStr) -> Vec<CompletionCandidate> {
    parameters_where(current, |parameter| !parameter.is_secret())
}

/// Parameters that the template on the line takes from Secrets.
pub(crate) fn secret_parameters(current: &OsStr) -> Vec<CompletionCandidate> {
    parameters_where(current, Parameter::is_secret)
}

fn parameters_where(current: &OsStr, wanted: fn(&Parameter) -> bool) -> Vec<CompletionCandidate> {
    let words = words();
    let flags = ["--from-template", "--template"];
    let given = words
        .iter()
        .enumerate()
        .find_map(|(at, word)| match word.split_once('=') {
            Some((flag, name)) if flags.contains(&flag) => Some(name),
            Some(_) => None,
            None => flags
                .contains(&word.as_str())
                .then(|| words.get(at + 1).map(String::as_str))?,
        });
    let objects = given
        .map(|_| ask(Kind::Template).unwrap_or_default())
        .unwrap_or_default();
    let object = objects
        .iter()
        .find(|object| Some(object.metadata.name.as_str()) == given);
    let spec = object.and_then(Object::typed_spec);
    let template = spec.as_deref().and_then(downcast::<Template>);
    let parameters = template
        .into_iter()
        .flat_map(|template| template.parameters.iter().flatten());
    let current = current.to_string_lossy();
    parameters
        .filter(|parameter| wanted(parameter) && format!("{}=", parameter.name).starts_with(&*current))
        .map(|parameter| {
            let about = parameter.description.clone().map(Into::into);
            CompletionCandidate::new(format!("{}=", parameter.name)).help(about)
        })
        .collect()
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
    let objects = ask(kind).unwrap_or_default().into_iter();
    objects.map(|object| object.metadata.name.to_string()).collect()
}

/// What is left of the daemon's time.
fn time_left() -> Option<Duration> {
    let pressed = *ASKED.get_or_init(Instant::now);
    PATIENCE.checked_sub(pressed.elapsed()).filter(|left| !left.is_zero())
}

/// Names of tools.
pub(crate) fn tools(current: &OsStr) -> Vec<CompletionCandidate> {
    let candidate = |tool: Tool| {
        let about = tool.description.unwrap_or_default();
        let about = about.lines().next().unwrap_or_default().to_owned();
        CompletionCandidate::new(tool.name).help((!about.is_empty()).then(|| about.into()))
    };
    let current = current.to_string_lossy();
    let fits = |tool: &Tool| tool.name.starts_with(&*current);
    live_tools().into_iter().filter(fits).map(candidate).collect()
}

/// Arguments of the tool on the line: `NAME=`.
pub(crate) fn tool_arguments(current: &OsStr) -> Vec<CompletionCandidate> {
    let words = words();
    let tool = live_tools().into_iter().find(|tool| words.contains(&tool.name));
    let names = tool.and_then(|tool| {
        let properties = tool.input_schema.get("properties")?.as_object()?;
        Some(properties.keys().map(|name| format!("{name}=")).collect::<Vec<_>>())
    });
    starting_with(names.unwrap_or_default(), &current.to_string_lossy())
}

fn live_tools() -> Vec<Tool> {
    list_tools().unwrap_or_default()
}

fn list_tools() -> Option<Vec<Tool>> {
    let settings = Settings::resolve(globals()?.with_server_named());
    let target = Target::of(&settings).ok()?;
    let client = Client::new(&settings.connection().ok()?).ok()?;
    let endpoint = client.endpoint(&target.path());
    let (sender, receiver) = std::sync::mpsc::channel();
    // What does not come in time is not waited for: the program ends.
    std::thread::spawn(move || {
        let tools = Dialogue::new(endpoint).tools(&Nobody);
        sender.send(tools.map(|tools| tools.read()))
    });
    receiver.recv_timeout(time_left()?).ok()?.ok()
}

/// Nobody is told or asked anything while a shell waits.
struct Nobody;

impl Host for Nobody {
    fn progress(&self, _done: f64, _total: Option<f64>, _message: Option<&str>) {}
    fn log(&self, _level: &str, _text: &str) {}
    fn elicit(&self, _params: &serde_json::Value) -> serde_json::Value {
        serde_json::json!({"action": "decline"})
    }
    fn started(&self, _interrupt: Interrupt) {}
}

fn ask(kind: Kind) -> Option<Vec<Object>> {
    let settings = Settings::resolve(globals()?);
    ask_within(kind, settings.scope(kind).unwrap_or(Scope::Cluster))
}

fn ask_within(kind: Kind, scope: Scope) -> Option<Vec<Object>> {
    let settings = Settings::resolve(globals()?);
    let mut connection = settings.connection().ok()?;
    connection.timeout = time_left()?;
    let selection = Selection {
        scope: Scopes::One(scope),
        ..Selection::default()
    };
    let quiet = Ui::new(Color::Never, Talk::Quiet, NoColor::Set);
    let client = Client::new(&connection).ok()?;
    Some(client.page_at_once(&quiet, kind, &selection).ok()?.items)
}

/// The global flags on the line so far.
fn globals() -> Option<args::Globals> {
    use clap::{Args as _, FromArgMatches as _};
    let command = args::Globals::augment_args(clap::Command::new("orchctl").ignore_errors(true));
    let typed = only_flags_of(&command, words());
    let matches = command
        .try_get_matches_from(std::iter::once("orchctl".to_owned()).chain(typed))
        .ok()?;
    args::Globals::from_arg_matches(&matches).ok()
}

/// The words that are flags of the command, with their values: what is around them is for others to read.
fn only_flags_of(command: &clap::Command, words: Vec<String>) -> Vec<String> {
    let mut words = words.into_iter();
    let mut found = Vec::new();
    while let Some(word) = words.next() {
        let (name, has_value) = word
            .split_once('=')
            .map_or((word.as_str(), false), |(name, _)| (name, true));
        let flag = command.get_arguments().find(|flag| {
            let long = flag
                .get_long()
                .is_some_and(|long| name.strip_prefix("--") == Some(long));
            let short = flag
                .get_short()
                .is_some_and(|short| name.strip_prefix('-') == Some(short.to_string().as_str()));
            long || short
        });
        if let Some(flag) = flag {
            let takes_value = flag.get_action().takes_values() && !has_value;
            found.push(word);
            found.extend(takes_value.then(|| words.next()).flatten());
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Args as _;

    #[test]
    fn global_flags_are_found_wherever_they_stand() {
        let command = args::Globals::augment_args(clap::Command::new("orchctl"));
        for (line, expected) in [
            ("get prompt -p web", "-p web"),
            ("get -o yaml --project=web prompt --limit 3 -q", "--project=web -q"),
            ("--context x get servers", "--context x"),
            ("get servers -p", "-p"),
            ("get servers", ""),
        ] {
            let words = line.split(' ').map(str::to_owned).collect();
            assert_eq!(only_flags_of(&command, words).join(" "), expected, "{line}");
        }
    }
}

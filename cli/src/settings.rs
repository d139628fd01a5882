//! What the flags, the environment and the context file say together, settled once.
//!
//! Enters: the parsed global flags and `ORCHCTL_*`. Leaves: where the daemon is, what to show it, and which scope is
//! meant. Precedence: flag, then environment, then context. Nothing is read before a verb asks, so that `version
//! --client` and `explain` cost nothing.

pub(crate) mod file;

use std::cell::OnceCell;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use orch_shared::context::{Context, ContextFile, Token};
use orch_shared::kind::{Kind, ScopeType};
use orch_shared::name::{Name, Scope};
use orch_shared::problem::{Code, Problem, near_miss};
use orch_shared::resource::Timestamp;

use crate::args::Globals;
use crate::client::Client;
use crate::report::{Failure, plain};
use crate::ui::{NoColor, Talk, Ui};

/// How long an ordinary request may take, when nobody says.
const ORDINARY: Duration = Duration::from_secs(10);

/// Everything a verb may want to know that is not its own business.
pub(crate) struct Settings {
    flags: Globals,
    /// The flags, and what the environment says where they say nothing.
    globals: Globals,
    /// What the environment carries as a token.
    carried: Carried,
    /// Where to write.
    pub(crate) ui: Ui,
    contexts: OnceCell<ContextFile>,
    client: OnceCell<Client>,
}

/// What the environment carries as a token.
enum Carried {
    Nothing,
    /// A variable that is there, with nothing in it.
    Empty,
    Token(Token),
}

impl Carried {
    fn of_environment() -> Self {
        match std::env::var("ORCHCTL_TOKEN") {
            Ok(text) if text.trim().is_empty() => Self::Empty,
            Ok(text) => Self::Token(Token::new(&text)),
            Err(_) => Self::Nothing,
        }
    }
}

/// Where the daemon is, and what to show it.
#[derive(Debug, Clone)]
pub(crate) struct Connection {
    /// The context this came from, when it came from one.
    pub(crate) context: Option<String>,
    /// Base address, without a slash at its end.
    pub(crate) server: String,
    /// The token to show.
    pub(crate) token: Option<Token>,
    /// Who is meant to be asking, in whose place somebody else does.
    pub(crate) in_place_of: Option<String>,
    /// Certificates to trust instead of the system's.
    pub(crate) ca_file: Option<PathBuf>,
    /// How long an ordinary request may take.
    pub(crate) timeout: Duration,
}

impl Settings {
    /// Settles what can be settled without reading anything.
    pub(crate) fn resolve(globals: Globals) -> Self {
        let talk = match (globals.quiet, globals.verbose) {
            (true, _) => Talk::Quiet,
            (false, true) => Talk::Verbose,
            (false, false) => Talk::Normal,
        };
        Self {
            ui: Ui::new(globals.color, talk, NoColor::of_environment()),
            flags: globals.clone(),
            globals: with_environment(globals),
            carried: Carried::of_environment(),
            contexts: OnceCell::new(),
            client: OnceCell::new(),
        }
    }

    /// The global flags as they were given, without what the environment adds.
    pub(crate) const fn flags(&self) -> &Globals {
        &self.flags
    }

    /// Now, to the millisecond.
    pub(crate) fn now(&self) -> Timestamp {
        now()
    }

    /// The context file; an empty one when there is none.
    pub(crate) fn contexts(&self) -> Result<&ContextFile, Failure> {
        if let Some(known) = self.contexts.get() {
            return Ok(known);
        }
        let read = file::read(&file::path()?)?;
        Ok(self.contexts.get_or_init(|| read))
    }

    /// The context that is meant, when one is asked for or current.
    pub(crate) fn context(&self) -> Result<Option<&Context>, Failure> {
        let Some(wanted) = &self.globals.context else {
            return Ok(self.contexts()?.current());
        };
        self.contexts()?
            .context(wanted)
            .map(Some)
            .ok_or_else(|| no_such_context(self.contexts.get(), wanted))
    }

    /// The daemon's address, and the context that is about that daemon, when one is meant.
    fn place(&self) -> Result<(String, Option<&Context>), Failure> {
        let context = self.context()?;
        let server = match (&self.globals.server, context) {
            (Some(server), _) => normal_url(server)?,
            (None, Some(context)) => normal_url(&context.server)?,
            (None, None) => return Err(no_context(self.contexts()?)),
        };
        let same = context.filter(|context| normal_url(&context.server).is_ok_and(|known| known == server));
        Ok((server, same))
    }

    /// Where the daemon is, and what to show it.
    pub(crate) fn connection(&self) -> Result<Connection, Failure> {
        let globals = &self.globals;
        // The context's token is for the context's daemon. Another address does not get to see it.
        let same = self.place()?.1;
        let token = match (&self.flags.token_file, self.carried()?, &globals.token_file) {
            (Some(path), _, _) | (None, None, Some(path)) => Some(read_token(path)?),
            (None, Some(token), _) => Some(token.clone()),
            (None, None, None) => same.map(token_of).transpose()?.flatten(),
        };
        Ok(Connection {
            in_place_of: globals.in_place_of.clone(),
            ..self.connection_showing(token)?
        })
    }

    /// Where the daemon is, to show it that and to speak for nobody else.
    pub(crate) fn connection_showing(&self, token: Option<Token>) -> Result<Connection, Failure> {
        let globals = &self.globals;
        let (server, same) = self.place()?;
        let of_context = same.and_then(|context| context.ca_file.as_deref()).map(PathBuf::from);
        Ok(Connection {
            context: same.map(|context| context.name.clone()),
            server,
            token,
            in_place_of: None,
            ca_file: globals.ca_file.clone().or(of_context),
            timeout: globals.request_timeout.map_or(ORDINARY, |limit| limit.0),
        })
    }

    /// The token that the environment carries, where the flags name none.
    fn carried(&self) -> Result<Option<&Token>, Failure> {
        match &self.carried {
            Carried::Nothing => Ok(None),
            Carried::Token(token) => Ok(Some(token)),
            Carried::Empty if self.flags.token_file.is_some() => Ok(None),
            // A script whose own variable was empty must not act as whoever the context is.
            Carried::Empty => {
                Err(Failure::usage("ORCHCTL_TOKEN is set and empty").hint("unset it, or put a token in it"))
            }
        }
    }

    /// The context whose daemon is meant, to keep a login in; and why there is none. A token that the flags or the
    /// environment bring would be shown instead of the login, whatever the file says.
    pub(crate) fn context_for_login(&self) -> Result<&Context, Failure> {
        let (server, known) = self.place()?;
        let context = known.ok_or_else(|| {
            Failure::usage(format!("there is no context of {server} to keep a login in"))
                .hint(format!("make one: orchctl config set-context NAME --server {server}"))
        })?;
        match (&self.globals.token_file, self.carried()?) {
            (None, None) => Ok(context),
            (Some(_), _) | (None, Some(_)) => Err(Failure::usage(
                "a token is given, and would be shown instead of what a login is given",
            )
            .hint("leave out --token-file, and unset ORCHCTL_TOKEN and ORCHCTL_TOKEN_FILE")),
        }
    }

    /// The way to the daemon.
    pub(crate) fn client(&self) -> Result<&Client, Failure> {
        if let Some(known) = self.client.get() {
            return Ok(known);
        }
        let client = Client::new(&self.connection()?)?;
        Ok(self.client.get_or_init(|| client))
    }

    /// The scope in which objects of that kind are meant: what `-p` or `--agent` says, or the context's project, as
    /// far as the kind can live there.
    pub(crate) fn scope(&self, kind: Kind) -> Result<Scope, Failure> {
        let scopes = kind.meta().scopes;
        let is_given = |name: &Option<String>| name.as_deref().is_some_and(|name| !name.is_empty());
        let has_both = scopes.contains(&ScopeType::Agent) && scopes.contains(&ScopeType::Project);
        if has_both && is_given(&self.flags.project) && is_given(&self.flags.agent) {
            let plural = kind.meta().plural;
            return Err(
                Failure::usage(format!("{plural} live in a project or with an agent, not both"))
                    .hint("leave out -p or --agent; of every project and agent: -A"),
            );
        }
        if let Some(agent) = self.agent()?.filter(|_| scopes.contains(&ScopeType::Agent)) {
            return Ok(Scope::Agent(agent));
        }
        if let Some(project) = self.project()?.filter(|_| scopes.contains(&ScopeType::Project)) {
            return Ok(Scope::Project(project));
        }
        if scopes.contains(&ScopeType::Cluster) {
            return Ok(Scope::Cluster);
        }
        let (home, flag) = match scopes.contains(&ScopeType::Project) {
            true => ("in projects", "-p PROJECT"),
            false => ("with agents", "--agent AGENT"),
        };
        Err(Failure::usage(format!("{} live {home}", kind.meta().plural)).hint(format!("say which: {flag}")))
    }

    /// Whether objects of that kind have a place where those are looked for that are meant.
    pub(crate) fn has_place(&self, kind: Kind) -> Result<bool, Failure> {
        let scopes = kind.meta().scopes;
        let is_here = |scope: &ScopeType| match scope {
            ScopeType::Cluster => Ok(true),
            ScopeType::Project => self.project().map(|project| project.is_some()),
            ScopeType::Agent => self.agent().map(|agent| agent.is_some()),
        };
        scopes
            .iter()
            .try_fold(false, |known, scope| Ok(known || is_here(scope)?))
    }

    /// The agent that is meant.
    pub(crate) fn agent(&self) -> Result<Option<Name>, Failure> {
        self.globals
            .agent
            .as_deref()
            .map(|name| parse_name(name, "agent"))
            .transpose()
    }

    /// The project that is meant. An empty `-p` takes back the context's.
    pub(crate) fn project(&self) -> Result<Option<Name>, Failure> {
        match self.globals.project.as_deref() {
            Some("") => Ok(None),
            Some(name) => parse_name(name, "project").map(Some),
            None => match self.globals.server {
                Some(_) if self.globals.context.is_none() => Ok(None),
                _ => Ok(self.context()?.and_then(|context| context.project.clone())),
            },
        }
    }
}

/// Now, to the millisecond.
#[expect(
    clippy::disallowed_methods,
    reason = "the one place where the command line asks for the time"
)]
pub(crate) fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

/// The flags, and what the environment says where they say nothing.
fn with_environment(flags: Globals) -> Globals {
    Globals {
        context: flags.context.or_else(|| variable("ORCHCTL_CONTEXT")),
        server: flags.server.or_else(|| variable("ORCHCTL_SERVER")),
        token_file: flags
            .token_file
            .or_else(|| variable("ORCHCTL_TOKEN_FILE").map(PathBuf::from)),
        ca_file: flags.ca_file.or_else(|| variable("ORCHCTL_CA_FILE").map(PathBuf::from)),
        project: flags.project.or_else(|| variable("ORCHCTL_PROJECT")),
        ..flags
    }
}

/// A variable of the environment that says something.
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|text| !text.is_empty())
}

/// Reads a name that was given for that noun.
pub(crate) fn parse_name(text: &str, noun: &str) -> Result<Name, Failure> {
    text.parse().map_err(|error| {
        let article = article(noun);
        let failure = Failure::usage(format!("`{text}` cannot name {article} {noun}: {error}"));
        match orch_shared::name::NameError::suggestion(text) {
            Some(near) => failure.hint(format!("did you mean `{near}`?")),
            None => failure,
        }
    })
}

/// The article before a noun, as it is spoken.
fn article(noun: &str) -> &'static str {
    match noun.starts_with(['a', 'e', 'i', 'o']) || noun == "llm" {
        true => "an",
        false => "a",
    }
}

/// That there is no context of that name, and what there is.
pub(crate) fn no_such_context(file: Option<&ContextFile>, wanted: &str) -> Failure {
    let names: Vec<&str> = file
        .map(|file| file.contexts.iter().map(|context| context.name.as_str()).collect())
        .unwrap_or_default();
    let problem = Problem::new(Code::NoContext, format!("there is no context `{wanted}`"));
    let suggestion = match (near_miss(wanted, names.iter().copied()), names.is_empty()) {
        (Some(near), _) => format!("did you mean `{near}`?"),
        (None, false) => format!("there are {}", names.join(", ")),
        (None, true) => format!("make it: orchctl config set-context {wanted} --server http://HOST:PORT"),
    };
    problem.suggest(suggestion).into()
}

fn no_context(file: &ContextFile) -> Failure {
    if let Some(current) = &file.current_context {
        return no_such_context(Some(file), current);
    }
    let suggestion = match file.contexts.first() {
        Some(first) => format!("choose one: orchctl config use-context {}", first.name),
        None => "start a daemon for yourself: orchd up; or name one: orchctl config set-context NAME --server \
                 http://HOST:PORT --token-file FILE"
            .to_owned(),
    };
    Problem::new(Code::NoContext, "no daemon is configured")
        .suggest(suggestion)
        .into()
}

fn token_of(context: &Context) -> Result<Option<Token>, Failure> {
    let token = context.login.as_ref().map(|login| &login.token);
    match (token.or(context.token.as_ref()), &context.token_file) {
        (Some(token), _) => Ok(Some(token.clone())),
        (None, Some(path)) => read_token(Path::new(path)).map(Some),
        (None, None) => Ok(None),
    }
}

/// Reads the token in a file. Without it the configuration is as incomplete as without a context.
fn read_token(path: &Path) -> Result<Token, Failure> {
    let refuse = |why: &str| {
        let detail = format!("there is no token in {}: {why}", path.display());
        Failure::from(Problem::new(Code::NoContext, detail)).hint("a token file holds one line: orch_...")
    };
    let text = std::fs::read_to_string(path).map_err(|error| refuse(&plain(&error)))?;
    let token = Token::new(&text);
    let fits = |c: char| c.is_ascii_graphic();
    match token.reveal() {
        "" => Err(refuse("it is empty")),
        text if text.contains(['\n', '\r']) => Err(refuse("it has several lines")),
        text if !text.chars().all(fits) => Err(refuse("what it holds is no token")),
        _ => Ok(token),
    }
}

/// An address in the one form in which it is compared and used. Without a scheme, loopback is `http` and anything else
/// `https`.
pub(crate) fn normal_url(given: &str) -> Result<String, Failure> {
    address(given).map_err(|no_address| {
        let given = given.trim();
        Failure::usage(format!("`{given}` is not the address of a daemon{no_address}"))
            .hint("such as http://127.0.0.1:7420")
    })
}

/// What is no address of a place that speaks HTTP: why, as the rest of a sentence that says so.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NoAddress {
    /// It is not written as one.
    #[error("")]
    Form,
    /// No place has such a port.
    #[error(": {0} is no port, which is a number from 1 to 65535")]
    Port(String),
}

/// The same of any place that speaks HTTP.
pub(crate) fn address(given: &str) -> Result<String, NoAddress> {
    let given = given.trim();
    let (scheme, rest) = match given.split_once("://") {
        Some((scheme @ ("http" | "https"), rest)) => (scheme, rest),
        Some(_) => return Err(NoAddress::Form),
        None if is_loopback(host_of(given)) => ("http", given),
        None => ("https", given),
    };
    let rest = rest.trim_end_matches('/');
    if host_of(rest).is_empty() || rest.contains([' ', '@', '?', '#']) {
        return Err(NoAddress::Form);
    }
    match port_of(rest) {
        Some(port) if port.parse::<u16>().is_ok_and(|port| port > 0) => Ok(format!("{scheme}://{rest}")),
        Some(port) => Err(NoAddress::Port(port.to_owned())),
        None => Ok(format!("{scheme}://{rest}")),
    }
}

/// The port in `host:port/path`, as it is written.
fn port_of(rest: &str) -> Option<&str> {
    let authority = rest.split('/').next().unwrap_or_default();
    let behind = match authority.strip_prefix('[').and_then(|inner| inner.split_once(']')) {
        Some((_, behind)) => behind,
        None => authority,
    };
    behind.rsplit_once(':').map(|(_, port)| port)
}

/// The host in `host:port/path`.
fn host_of(rest: &str) -> &str {
    let authority = rest.split('/').next().unwrap_or_default();
    match authority.strip_prefix('[').and_then(|inner| inner.split_once(']')) {
        Some((address, _)) => address,
        None => authority.rsplit_once(':').map_or(authority, |(host, _)| host),
    }
}

/// Whether a host is this machine.
pub(crate) fn is_loopback(host: &str) -> bool {
    host == "localhost"
        || host.ends_with(".localhost")
        || host
            .parse::<std::net::IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

/// Whether an address in normal form is on this machine.
pub(crate) fn is_local(server: &str) -> bool {
    server
        .split_once("://")
        .is_some_and(|(_, rest)| is_loopback(host_of(rest)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_have_one_form() {
        for (given, normal) in [
            ("http://127.0.0.1:7420/", Some("http://127.0.0.1:7420")),
            ("localhost:7420", Some("http://localhost:7420")),
            ("[::1]:7420", Some("http://[::1]:7420")),
            ("orch.example.com", Some("https://orch.example.com")),
            ("https://orch.example.com/base/", Some("https://orch.example.com/base")),
            ("ftp://x", None),
            ("http://", None),
            ("http://user:secret@host", None),
            ("", None),
            ("http://127.0.0.1:65535/x:y", Some("http://127.0.0.1:65535/x:y")),
            ("http://[::1]", Some("http://[::1]")),
            ("http://127.0.0.1:65536", None),
            ("http://127.0.0.1:99999/v1", None),
            ("localhost:0", None),
            ("[::1]:port", None),
            ("http://127.0.0.1:", None),
        ] {
            assert_eq!(normal_url(given).ok().as_deref(), normal, "{given}");
        }
    }

    #[test]
    fn nouns_have_their_article() {
        for (noun, told) in [
            ("llm", "`A B` cannot name an llm: "),
            ("agent", "`A B` cannot name an agent: "),
            ("project", "`A B` cannot name a project: "),
        ] {
            let failure = parse_name("A B", noun).unwrap_err().to_string();
            assert!(failure.starts_with(told), "{failure}");
        }
    }

    #[test]
    fn loopback_is_told_from_the_rest() {
        for (server, local) in [
            ("http://127.0.0.1:1", true),
            ("http://[::1]:1", true),
            ("http://localhost", true),
            ("http://127.0.0.1.example.com", false),
            ("https://example.com", false),
        ] {
            assert_eq!(is_local(server), local, "{server}");
        }
    }
}

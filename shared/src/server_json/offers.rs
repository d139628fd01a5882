//! The ways in which a document offers its server, and the Server that one of them amounts to.

use std::fmt;
use std::str::FromStr;

use super::document::{Argument, Document, Form, Input, Named, Package, Remote};
use super::inputs::{Inputs, Spot, is_plain, port_and_path, some};
use crate::kinds::server::{self, Image, Server, Transport};
use crate::kinds::template::literal;
use crate::path::FieldPath;
use crate::problem::{Code, FieldProblem};
use crate::value::NamedValue;

/// A way to have a server that a Server can take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// A package from npm.
    Npm,
    /// A package from PyPI.
    Pypi,
    /// A container image.
    Oci,
    /// Somebody else runs it.
    Remote,
}

impl Way {
    /// Every way.
    pub const ALL: &'static [Self] = &[Self::Npm, Self::Pypi, Self::Oci, Self::Remote];

    /// The word for it: what a document says, and what a person types.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Npm => "npm",
            Self::Pypi => "pypi",
            Self::Oci => "oci",
            Self::Remote => "remote",
        }
    }

    fn of(word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|way| way.as_str() == word)
    }

    /// The registry that is meant when a document names none, and whose name changes nothing.
    const fn registry(self) -> &'static str {
        match self {
            Self::Npm => "https://registry.npmjs.org",
            Self::Pypi => "https://pypi.org",
            Self::Oci => "https://docker.io",
            Self::Remote => "",
        }
    }
}

/// Which of the offers of a document is meant: `npm`, or `npm:<identifier>` where there are several.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    way: Way,
    identifier: Option<String>,
}

impl FromStr for Choice {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (word, identifier) = match text.split_once(':') {
            Some((word, identifier)) => (word, Some(identifier.to_owned())),
            None => (text, None),
        };
        let words: Vec<&str> = Way::ALL.iter().map(|way| way.as_str()).collect();
        match Way::of(word) {
            Some(way) => Ok(Self { way, identifier }),
            None => Err(format!("`{word}` is none of {}", words.join(", "))),
        }
    }
}

impl fmt::Display for Choice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.identifier {
            Some(identifier) => write!(f, "{}:{identifier}", self.way.as_str()),
            None => f.write_str(self.way.as_str()),
        }
    }
}

/// One offer of a document.
#[derive(Clone, Copy)]
pub(super) enum Offer<'d> {
    Package(usize, Way, &'d Package),
    Remote(usize, &'d Remote),
}

/// The offer that is meant: the one that was chosen, or the only one there is.
pub(super) fn chosen<'d>(
    document: &'d Document,
    choice: Option<&Choice>,
    root: &FieldPath,
) -> Result<Offer<'d>, FieldProblem> {
    let packages = document.packages.iter().enumerate();
    let packages = packages.filter_map(|(at, package)| {
        let way = Way::of(&package.registry_type).filter(|way| *way != Way::Remote)?;
        Some(Offer::Package(at, way, package))
    });
    let mut offers: Vec<Offer<'d>> = packages.collect();
    let modern = document
        .remotes
        .iter()
        .any(|remote| remote.form == Form::StreamableHttp);
    let remotes = document.remotes.iter().enumerate();
    // The older transport is there for older clients.
    let remotes = remotes.filter(|(_, remote)| !modern || remote.form == Form::StreamableHttp);
    offers.extend(remotes.map(|(at, remote)| Offer::Remote(at, remote)));
    let all: Vec<String> = offers.iter().map(Offer::named).collect();
    let fitting = |offer: &Offer<'_>| choice.is_none_or(|choice| offer.is(choice));
    let mut fitting: Vec<Offer<'d>> = offers.into_iter().filter(fitting).collect();
    let problem =
        |message: String, hint: String| FieldProblem::new(Code::InvalidValue, root.key("packages"), message).hint(hint);
    match (fitting.len(), all.is_empty(), choice) {
        (1, _, _) => Ok(fitting.remove(0)),
        (_, true, _) => {
            let strange: Vec<&str> = document.packages.iter().map(|one| one.registry_type.as_str()).collect();
            let message = match strange[..] {
                [] => "the document offers no package and no remote".to_owned(),
                [..] => format!("nothing here runs packages of {}", strange.join(", ")),
            };
            Err(problem(
                message,
                "what can be run comes from npm, pypi, oci or a remote".to_owned(),
            ))
        }
        (0, false, Some(choice)) => {
            let message = format!("the document does not offer `{choice}`");
            Err(problem(message, format!("it offers {}", all.join(", "))))
        }
        (_, false, _) => {
            let message = format!("the server can be had in several ways: {}", all.join(", "));
            Err(problem(
                message,
                "say which: --package npm, or --package npm:IDENTIFIER".to_owned(),
            ))
        }
    }
}

impl Offer<'_> {
    /// As one types it.
    fn named(&self) -> String {
        match self {
            Self::Package(_, way, package) => format!("{}:{}", way.as_str(), package.identifier),
            Self::Remote(_, remote) => format!("remote:{}", remote.url),
        }
    }

    fn is(&self, choice: &Choice) -> bool {
        let (way, identifier) = match self {
            Self::Package(_, way, package) => (*way, &package.identifier),
            Self::Remote(_, remote) => (Way::Remote, &remote.url),
        };
        choice.way == way && choice.identifier.as_ref().is_none_or(|wanted| wanted == identifier)
    }

    /// The Server with places; what cannot be said is told to `inputs`.
    pub(super) fn server(&self, inputs: &mut Inputs, root: &FieldPath) -> Server {
        match self {
            Self::Package(at, way, package) => from_package(*way, package, inputs, &root.key("packages").index(*at)),
            Self::Remote(at, remote) => from_remote(remote, inputs, &root.key("remotes").index(*at)),
        }
    }
}

fn from_remote(remote: &Remote, inputs: &mut Inputs, at: &FieldPath) -> Server {
    // A URL is a value with variables like any other.
    let url = Input {
        value: Some(remote.url.clone()),
        ..Input::default()
    };
    let text = inputs.text_among(&url, &remote.variables, "url", Spot::Open, at);
    let headers = named(&remote.headers, inputs, &at.key("headers"));
    Server {
        remote: Some(server::Remote {
            url: text.unwrap_or_default(),
            headers: some(headers),
        }),
        transport: transport(remote.form).filter(|transport| *transport != Transport::StreamableHttp),
        ..Server::default()
    }
}

fn from_package(way: Way, package: &Package, inputs: &mut Inputs, at: &FieldPath) -> Server {
    let base = package
        .registry_base_url
        .as_deref()
        .map(|url| url.trim_end_matches('/'));
    let foreign = base.filter(|base| !base.is_empty() && *base != way.registry());
    if let (Some(base), Way::Npm | Way::Pypi) = (foreign, way) {
        inputs.refuse(
            at.key("registryBaseUrl"),
            format!("a Server cannot name a registry, and {base} is not the usual one"),
            "configure the registry where the daemon runs, and take the field out",
        );
    }
    if package.file_sha256.is_some() {
        inputs.note("the checksum fileSha256 is not checked; the registry's own are".to_owned());
    }
    let mut server = Server::default();
    let mut env = named(&package.environment_variables, inputs, &at.key("environmentVariables"));
    runtime_arguments(way, package, &mut env, inputs, at);
    let mut args = Vec::new();
    for (index, argument) in package.package_arguments.iter().enumerate() {
        add(argument, &mut args, inputs, &at.key("packageArguments").index(index));
    }
    server.env = some(env);
    let version = package
        .version
        .as_deref()
        .filter(|version| !version.is_empty() && *version != "latest");
    let registry = match way {
        Way::Npm => Some(server::Registry::Npm),
        Way::Pypi => Some(server::Registry::Pypi),
        Way::Oci | Way::Remote => None,
    };
    match registry {
        Some(registry) => {
            server.package = Some(server::Package {
                registry,
                name: literal(&package.identifier),
                version: version.map(literal),
                args: some(args),
                executable: None,
                allow_scripts: None,
            });
        }
        None => {
            server.image = Some(Image {
                reference: literal(&reference(&package.identifier, foreign, version)),
                command: None,
                args: some(args),
                pull_policy: None,
                capabilities: None,
                read_only_root: None,
            });
            // Whoever publishes an image runs it where it reaches the world; here it would reach nothing.
            server.network = Some(server::Network {
                mode: server::NetworkMode::Egress,
                allow: None,
            });
            inputs.note(
                "its container may reach everything; name the hosts that it needs: network: {mode: egress, allow: [HOST]}"
                    .to_owned(),
            );
        }
    }
    local_transport(package, &mut server, inputs, &at.key("transport"));
    server
}

/// Older documents take an image's registry, name and tag apart.
fn reference(identifier: &str, base: Option<&str>, version: Option<&str>) -> String {
    let host = base.map(|base| base.trim_start_matches("https://").trim_start_matches("http://"));
    let name = match host.filter(|host| !identifier.starts_with(&format!("{host}/"))) {
        Some(host) => format!("{host}/{identifier}"),
        None => identifier.to_owned(),
    };
    let last = name.rsplit('/').next().unwrap_or_default();
    match version.filter(|_| !last.contains([':', '@'])) {
        Some(version) => format!("{name}:{version}"),
        None => name,
    }
}

const fn transport(form: Form) -> Option<Transport> {
    match form {
        Form::Stdio => None,
        Form::StreamableHttp => Some(Transport::StreamableHttp),
        Form::Sse => Some(Transport::Sse),
    }
}

fn local_transport(package: &Package, server: &mut Server, inputs: &mut Inputs, at: &FieldPath) {
    server.transport = transport(package.transport.form);
    if server.transport.is_none() {
        return;
    }
    if !package.transport.headers.is_empty() {
        inputs.refuse(
            at.key("headers"),
            "headers are sent to remote servers only",
            "take them out, and run the server where nobody else reaches it",
        );
    }
    let url = package.transport.url.as_deref().unwrap_or_default();
    match port_and_path(url) {
        Some((port, path)) => {
            server.container_port = Some(port);
            server.path = path.filter(|path| path != "/mcp").map(|path| literal(&path));
        }
        None => inputs.refuse(
            at.key("url"),
            format!("`{url}` does not say plainly on which port the server listens"),
            "write a URL such as http://127.0.0.1:8080/mcp, with the port that the arguments name",
        ),
    }
}

/// What a document tells the program that runs the package. Here nothing like it runs: what only makes it run is left
/// out, variables of a container's environment are kept, and everything else is refused.
fn runtime_arguments(way: Way, package: &Package, env: &mut Vec<NamedValue>, inputs: &mut Inputs, at: &FieldPath) {
    for (index, argument) in package.runtime_arguments.iter().enumerate() {
        let at = at.key("runtimeArguments").index(index);
        let fixed = |input: &Input| is_plain(input).unwrap_or_default().to_owned();
        let (name, input) = match argument {
            Argument::Named { name, input, .. } => (name.clone(), input),
            Argument::Positional { input, .. } => (fixed(input), input),
        };
        let value = fixed(input);
        let is_usual = match way {
            Way::Npm => matches!(name.as_str(), "-y" | "--yes") || is_itself(package, &name),
            Way::Pypi => is_itself(package, &name),
            Way::Oci => matches!(name.as_str(), "run" | "-i" | "--interactive" | "--rm" | "--init"),
            Way::Remote => false,
        };
        let is_variable = way == Way::Oci && matches!(name.as_str(), "-e" | "--env");
        if is_usual && (name == value || value.is_empty()) {
            continue;
        }
        if !is_variable {
            inputs.refuse(
                at,
                format!("the argument `{name}` is for a program that does not run the package here"),
                "say in a Template written by hand what it is for, or take it out",
            );
            continue;
        }
        let text = input.value.as_deref().unwrap_or_default();
        match text.split_once('=') {
            Some((variable, rest)) => {
                let inner = Input {
                    value: Some(rest.to_owned()),
                    is_secret: input.is_secret,
                    ..Input::default()
                };
                if let Some(text) = inputs.text_among(&inner, &input.variables, variable, Spot::Value, &at) {
                    env.push(variable_of(variable, text));
                }
            }
            None => inputs.refuse(
                at,
                format!("`{name} {text}` does not say what the variable is"),
                "write it as NAME=VALUE, or under environmentVariables",
            ),
        }
    }
}

/// `npx PACKAGE@VERSION`: the package itself among the arguments of the program that runs it.
fn is_itself(package: &Package, text: &str) -> bool {
    text.strip_prefix(package.identifier.as_str())
        .is_some_and(|rest| rest.is_empty() || rest.starts_with(['@', '=']))
}

/// Adds an argument, as far as one can be given.
fn add(argument: &Argument, args: &mut Vec<String>, inputs: &mut Inputs, at: &FieldPath) {
    let (shown, is_repeated) = match argument {
        Argument::Positional {
            value_hint,
            is_repeated,
            input,
        } => {
            let name = value_hint.as_deref().unwrap_or("argument");
            args.extend(inputs.text(input, name, Spot::Open, at));
            (name, *is_repeated)
        }
        Argument::Named {
            name,
            value_hint,
            is_repeated,
            input,
        } => {
            named_argument(name, value_hint.as_deref(), input, args, inputs, at);
            (name.as_str(), *is_repeated)
        }
    };
    if is_repeated {
        inputs.note(format!("`{shown}` may be repeated; the Template takes it once"));
    }
}

fn named_argument(
    name: &str,
    hint: Option<&str>,
    input: &Input,
    args: &mut Vec<String>,
    inputs: &mut Inputs,
    at: &FieldPath,
) {
    if hint.is_none() && is_flag(input) {
        args.push(literal(name));
        return;
    }
    let may_be_absent = input.value.is_none() && !input.is_required && input.default.is_none();
    let Some(text) = inputs.text(input, hint.unwrap_or(name), Spot::Open, at) else {
        return;
    };
    if name.starts_with("--") {
        args.push(format!("{}={text}", literal(name)));
    } else if may_be_absent {
        inputs.refuse(
            at.clone(),
            format!("`{name}` and its value are two arguments, which cannot be left out together"),
            "make it required, give it a default, or take it out",
        );
    } else {
        args.extend([literal(name), text]);
    }
}

/// A name alone: nothing is said about a value.
fn is_flag(input: &Input) -> bool {
    match &input.value {
        Some(value) => value.is_empty(),
        None => input.says_nothing(),
    }
}

fn named(list: &[Named], inputs: &mut Inputs, at: &FieldPath) -> Vec<NamedValue> {
    let mut found = Vec::new();
    for (index, Named { name, input }) in list.iter().enumerate() {
        if let Some(text) = inputs.text(input, name, Spot::Value, &at.index(index)) {
            found.push(variable_of(name, text));
        }
    }
    found
}

fn variable_of(name: &str, text: String) -> NamedValue {
    NamedValue {
        name: name.to_owned(),
        value: Some(text),
        value_from: None,
    }
}

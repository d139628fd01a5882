//! Short ways for what is common: `--package npm:NAME@VERSION` instead of three flags, secret values from files.
//!
//! A table; each line writes into the spec what its flag means, and names the fields that need no flag of their own then.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::Path;

use clap::{Arg, ArgAction, ArgMatches};
use clap_complete::ArgValueCompleter;
use orch_shared::access::SubjectKind;
use orch_shared::kind::Kind;
use orch_shared::kinds::secret::Form;
use orch_shared::path::FieldPath;
use serde_json::{Value, json};

use super::flags::{named, named_from_secret, secret_key};
use super::{granting, many, values};
use crate::complete;
use crate::report::Failure;

/// One short way.
pub(super) struct Shorthand {
    kind: Kind,
    name: &'static str,
    value: &'static str,
    about: &'static str,
    number: Number,
    /// Fields that need no flag of their own.
    pub(super) covers: &'static [&'static str],
    write: fn(&mut Value, &str) -> Result<(), String>,
}

/// How often a short way may be taken.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Number {
    Once,
    Often,
    /// Everything after `--`.
    Rest,
}

const ALL: &[Shorthand] = &[
    Shorthand {
        kind: Kind::Server,
        name: "package",
        value: "REGISTRY:NAME[@VERSION]",
        about: "Run a package: npm:@scope/name@1.2.0, pypi:mcp-server-time",
        number: Number::Once,
        covers: &["package.registry", "package.name", "package.version", "package.args"],
        write: package,
    },
    Shorthand {
        kind: Kind::Server,
        name: "image",
        value: "REFERENCE",
        about: "Run a container image",
        number: Number::Once,
        covers: &["image.reference", "image.args"],
        write: |spec, text| place(spec, "image.reference", text),
    },
    Shorthand {
        kind: Kind::Server,
        name: "remote",
        value: "URL",
        about: "Use a server that somebody else runs",
        number: Number::Once,
        covers: &["remote.url", "remote.headers"],
        write: |spec, text| place(spec, "remote.url", text),
    },
    Shorthand {
        kind: Kind::Server,
        name: "header",
        value: "NAME=VALUE",
        about: "Header sent to the remote server. May be repeated",
        number: Number::Often,
        covers: &[],
        write: |spec, text| values::append(spec, &FieldPath::parse("remote.headers"), named(text)?),
    },
    Shorthand {
        kind: Kind::Server,
        name: "header-from-secret",
        value: "NAME=SECRET/KEY",
        about: "Header sent to the remote server, from a Secret. May be repeated",
        number: Number::Often,
        covers: &[],
        write: |spec, text| values::append(spec, &FieldPath::parse("remote.headers"), named_from_secret(text)?),
    },
    Shorthand {
        kind: Kind::Server,
        name: "from-template",
        value: "NAME",
        about: "Make it from a Template",
        number: Number::Once,
        covers: &["template.name", "template.parameters"],
        write: |spec, text| place(spec, "template.name", text),
    },
    Shorthand {
        kind: Kind::Server,
        name: "param",
        value: "NAME=VALUE",
        about: "Parameter of the Template. May be repeated",
        number: Number::Often,
        covers: &[],
        write: |spec, text| {
            let (name, value) = values::pair(text)?;
            let at = FieldPath::parse("template.parameters").key(name);
            // What the text stands for is said by the Template, once it is known.
            values::put(spec, &at, values::plain(value))
        },
    },
    Shorthand {
        kind: Kind::Server,
        name: "param-secret",
        value: "NAME=SECRET/KEY",
        about: "Secret parameter of the Template. May be repeated",
        number: Number::Often,
        covers: &[],
        write: |spec, text| {
            let (name, place) = values::pair(text)?;
            let value = json!({"secretRef": secret_key(place)?});
            values::put(spec, &FieldPath::parse("template.parameters").key(name), value)
        },
    },
    Shorthand {
        kind: Kind::Server,
        name: "program",
        value: "PROGRAM ARGUMENT",
        about: "Run a program of the daemon's machine: all words after `--`, as with --command",
        number: Number::Rest,
        covers: &[],
        write: |spec, text| values::append(spec, &FieldPath::parse("command"), text.into()),
    },
    Shorthand {
        kind: Kind::Server,
        name: "arg",
        value: "ARGUMENT",
        about: "Argument for the package, the image or the command. May be repeated",
        number: Number::Often,
        covers: &[],
        write: argument,
    },
    Shorthand {
        kind: Kind::Secret,
        name: "from-literal",
        value: "KEY=VALUE",
        about: "A value as it stands here, where others may see it. May be repeated",
        number: Number::Often,
        covers: &["data"],
        write: |spec, text| {
            let (key, value) = values::pair(text)?;
            secret(spec, key, value)
        },
    },
    Shorthand {
        kind: Kind::Secret,
        name: "from-file",
        value: "[KEY=]FILE",
        about: "A value from a file, or with KEY=- from standard input. May be repeated",
        number: Number::Often,
        covers: &[],
        write: from_file,
    },
    Shorthand {
        kind: Kind::Secret,
        name: "from-env-file",
        value: "FILE",
        about: "Values from lines KEY=VALUE of a file. May be repeated",
        number: Number::Often,
        covers: &[],
        write: from_env_file,
    },
    Shorthand {
        kind: Kind::SecretBackend,
        name: "auth",
        value: "token|kubernetes",
        about: "How the daemon proves who it is: with --token-secret, or with --role",
        number: Number::Once,
        covers: &["auth.token", "auth.kubernetes"],
        write: |spec, text| match text {
            "token" | "kubernetes" => {
                place_of_openbao(spec)?;
                values::put(spec, &FieldPath::parse("auth").key(text), json!({}))
            }
            _ => Err(format!("`{text}` is no way of it: token or kubernetes")),
        },
    },
    Shorthand {
        kind: Kind::SecretBackend,
        name: "token-secret",
        value: "SECRET/KEY",
        about: "Token: where it is",
        number: Number::Once,
        covers: &[],
        write: |spec, text| {
            place_of_openbao(spec)?;
            values::put(spec, &FieldPath::parse("auth.token.secretRef"), secret_key(text)?)
        },
    },
    Shorthand {
        kind: Kind::SecretBackend,
        name: "token-role",
        value: "ROLE",
        about: "Token: the token role by which it makes its successors",
        number: Number::Once,
        covers: &[],
        write: |spec, text| place(spec, "auth.token.tokenRole", text),
    },
    Shorthand {
        kind: Kind::SecretBackend,
        name: "role",
        value: "ROLE",
        about: "Kubernetes: the role to log in with",
        number: Number::Once,
        covers: &[],
        write: |spec, text| {
            place_of_openbao(spec)?;
            place(spec, "auth.kubernetes.role", text)
        },
    },
    Shorthand {
        kind: Kind::SecretBackend,
        name: "auth-mount",
        value: "PATH",
        about: "Kubernetes: where the auth method is mounted. Default: kubernetes",
        number: Number::Once,
        covers: &[],
        write: |spec, text| place(spec, "auth.kubernetes.authMount", text),
    },
    Shorthand {
        kind: Kind::SecretBackend,
        name: "sa-token-path",
        value: "FILE",
        about: "Kubernetes: the file with the service account's token",
        number: Number::Once,
        covers: &[],
        write: |spec, text| place(spec, "auth.kubernetes.serviceAccountTokenPath", text),
    },
    Shorthand {
        kind: Kind::Token,
        name: "ttl",
        value: "LENGTH|never|DAY",
        about: "How long it is good for: 30d, never, or until 2027-01-31",
        number: Number::Once,
        covers: &["ttl", "expiresAt"],
        write: granting::ttl,
    },
    Shorthand {
        kind: Kind::Token,
        name: "bind",
        value: "role:R,resource:K,...",
        about: "A right: role:view,resource:servers[,name:N][,project:P][,selector:S][,tool:T], or operation:logs. May be repeated",
        number: Number::Often,
        covers: &["grants", "operations"],
        write: granting::bind,
    },
    Shorthand {
        kind: Kind::Token,
        name: "scope-project",
        value: "PROJECT[=DAY]",
        about: "Confine it to this project, perhaps until a day. May be repeated",
        number: Number::Often,
        covers: &["projects"],
        write: granting::project_scope,
    },
    Shorthand {
        kind: Kind::RoleBinding,
        name: "user",
        value: "NAME",
        about: "Grant it to this user. May be repeated",
        number: Number::Often,
        covers: &["subjects"],
        write: |spec, text| granting::subject(SubjectKind::User.as_str(), spec, text),
    },
    Shorthand {
        kind: Kind::RoleBinding,
        name: "group",
        value: "NAME",
        about: "Grant it to this group. May be repeated",
        number: Number::Often,
        covers: &[],
        write: |spec, text| granting::subject(SubjectKind::Group.as_str(), spec, text),
    },
    Shorthand {
        kind: Kind::RoleBinding,
        name: "serviceaccount",
        value: "NAME",
        about: "Grant it to this service account. May be repeated",
        number: Number::Often,
        covers: &[],
        write: |spec, text| granting::subject(SubjectKind::ServiceAccount.as_str(), spec, text),
    },
    Shorthand {
        kind: Kind::RoleBinding,
        name: "token",
        value: "[PROJECT/]NAME",
        about: "Grant it to this token. May be repeated",
        number: Number::Often,
        covers: &[],
        write: |spec, text| granting::subject(SubjectKind::Token.as_str(), spec, text),
    },
    Shorthand {
        kind: Kind::RoleBinding,
        name: "role",
        value: "ROLE",
        about: "What may be done: view, create, edit, delete, run, reveal. May be repeated",
        number: Number::Often,
        covers: &["grants"],
        write: granting::role,
    },
    Shorthand {
        kind: Kind::RoleBinding,
        name: "resource",
        value: "KIND",
        about: "With which kind, or `*` for all. May be repeated",
        number: Number::Often,
        covers: &[],
        write: granting::resource,
    },
    Shorthand {
        kind: Kind::RoleBinding,
        name: "name",
        value: "NAME",
        about: "Only with the object of this name. May be repeated",
        number: Number::Often,
        covers: &[],
        write: granting::name,
    },
    Shorthand {
        kind: Kind::RoleBinding,
        name: "selector",
        value: "LABELS",
        about: "Only with objects with these labels: team=core,tier!=test",
        number: Number::Once,
        covers: &[],
        write: granting::selector,
    },
    Shorthand {
        kind: Kind::RoleBinding,
        name: "in-project",
        value: "PROJECT",
        about: "Only with what is in this project; -p says the same",
        number: Number::Once,
        covers: &[],
        write: granting::project,
    },
    Shorthand {
        kind: Kind::RoleBinding,
        name: "tool",
        value: "PATTERN",
        about: "With `run` on servers: only tools like this, `read_*`. May be repeated",
        number: Number::Often,
        covers: &[],
        write: granting::tool,
    },
    Shorthand {
        kind: Kind::RoleBinding,
        name: "operation",
        value: "OPERATION",
        about: "What may be done with the daemon: logs, backup, ... May be repeated",
        number: Number::Often,
        covers: &["operations"],
        write: granting::operation,
    },
    Shorthand {
        kind: Kind::RoleBinding,
        name: "bind",
        value: "role:R,resource:K,...",
        about: "A further right in one word: role:view,resource:servers[,name:N][,project:P]. May be repeated",
        number: Number::Often,
        covers: &[],
        write: granting::bind,
    },
    Shorthand {
        kind: Kind::Prompt,
        name: "from-file",
        value: "FILE",
        about: "The text, from a file or with - from standard input",
        number: Number::Once,
        covers: &[],
        write: |spec, path| place(spec, "content", &contents(path)?),
    },
    Shorthand {
        kind: Kind::Prompt,
        name: "tag",
        value: "WORD",
        about: "A word by which it is found. May be repeated",
        number: Number::Often,
        covers: &["tags"],
        write: |spec, text| values::append(spec, &FieldPath::parse("tags"), text.into()),
    },
    Shorthand {
        kind: Kind::Llm,
        name: "fallback",
        value: "LLM",
        about: "A model to ask when this one does not answer. May be repeated, in order",
        number: Number::Often,
        covers: &["fallbacks"],
        write: |spec, text| {
            let mut names = text.split(',').filter(|name| !name.is_empty());
            names.try_for_each(|name| values::append(spec, &FieldPath::parse("fallbacks"), name.into()))
        },
    },
];

/// Only backends of one type prove who they are; it need not be said twice.
fn place_of_openbao(spec: &mut Value) -> Result<(), String> {
    match spec.get("type") {
        Some(_) => Ok(()),
        None => place(spec, "type", "openbao"),
    }
}

/// The text of a file, or of standard input.
fn contents(path: &str) -> Result<String, String> {
    if path != "-" {
        return std::fs::read_to_string(path).map_err(|error| format!("{path}: {error}"));
    }
    let mut text = String::new();
    let read = std::io::stdin().lock().read_to_string(&mut text);
    read.map_err(|error| format!("standard input: {error}"))?;
    Ok(text)
}

/// The short ways of a kind.
pub(super) fn of(kind: Kind) -> impl Iterator<Item = &'static Shorthand> {
    ALL.iter().filter(move |shorthand| shorthand.kind == kind)
}

/// Whether objects of the kind carry secret values of their own.
pub(super) fn carry_secrets(kind: Kind) -> bool {
    of(kind).any(|shorthand| shorthand.name == "from-literal")
}

/// Whether making an object of the kind makes a credential, which is told once.
pub(super) fn make_credentials(kind: Kind) -> bool {
    kind == Kind::Token
}

/// Whether objects of the kind have providers that may be asked whether they take a key.
pub(super) fn have_providers(kind: Kind) -> bool {
    kind == Kind::Llm
}

/// What is to be said about what was given: a secret on a command line is seen by others.
pub(super) fn caution(kind: Kind, matches: &ArgMatches) -> Option<&'static str> {
    let is_given = |name: &str| {
        of(kind).any(|shorthand| shorthand.name == name) && many(matches, &format!("short.{name}")).next().is_some()
    };
    is_given("from-literal").then_some(
        "values on a command line are seen by others and stay in the shell's history; from standard input: --from-file \
         KEY=-",
    )
}

impl Shorthand {
    /// The flag as clap knows it.
    pub(super) fn arg(&self) -> Arg {
        let arg = Arg::new(format!("short.{}", self.name))
            .value_name(self.value)
            .help(self.about);
        let arg = match self.name {
            "from-template" => arg.alias("template").add(ArgValueCompleter::new(complete::templates)),
            "tag" => arg.alias("tags"),
            "fallback" => arg.alias("fallbacks"),
            "param" => arg.alias("parameter").add(ArgValueCompleter::new(complete::parameters)),
            "param-secret" => arg.add(ArgValueCompleter::new(complete::secret_parameters)),
            "user" => arg.add(ArgValueCompleter::new(complete::users)),
            "group" => arg.add(ArgValueCompleter::new(complete::groups)),
            "serviceaccount" => arg
                .alias("service-account")
                .add(ArgValueCompleter::new(complete::service_accounts)),
            "token" => arg.add(ArgValueCompleter::new(complete::tokens)),
            "scope-project" | "in-project" => arg.add(ArgValueCompleter::new(complete::projects)),
            "role" | "operation" => arg.add(ArgValueCompleter::new(complete::rights)),
            "resource" => arg.add(ArgValueCompleter::new(complete::kinds)),
            _ => arg,
        };
        match self.number {
            Number::Once => arg.long(self.name),
            Number::Often => arg.long(self.name).action(ArgAction::Append).allow_hyphen_values(true),
            Number::Rest => arg
                .last(true)
                .num_args(1..)
                .value_names(self.value.split(' ').collect::<Vec<_>>()),
        }
    }

    /// Takes what a global flag says of a project, where that narrows what is granted.
    pub(super) fn take_project(&self, spec: &mut Value, project: &str) -> Result<(), Failure> {
        match self.name {
            "in-project" => (self.write)(spec, project).map_err(Failure::usage),
            _ => Ok(()),
        }
    }

    /// Writes what was given into the spec.
    pub(super) fn apply(&self, matches: &ArgMatches, spec: &mut Value) -> Result<(), Failure> {
        for text in many(matches, &format!("short.{}", self.name)) {
            (self.write)(spec, text).map_err(|error| Failure::usage(format!("--{}: {error}", self.name)))?;
        }
        Ok(())
    }
}

fn place(spec: &mut Value, path: &str, text: &str) -> Result<(), String> {
    values::put(spec, &FieldPath::parse(path), text.into())
}

/// `npm:@scope/name@1.2.0`: the version comes after an `@` that does not begin the name.
fn package(spec: &mut Value, text: &str) -> Result<(), String> {
    let (registry, rest) = text
        .split_once(':')
        .ok_or_else(|| format!("`{text}` does not say where from; write npm:{text} or pypi:{text}"))?;
    let (name, version) = match rest.rsplit_once("==").or_else(|| rest.rsplit_once('@')) {
        Some((name, version)) if !name.is_empty() => (name, Some(version)),
        _ => (rest, None),
    };
    for (field, text) in [("registry", Some(registry)), ("name", Some(name)), ("version", version)] {
        if let Some(text) = text {
            place(spec, &format!("package.{field}"), text)?;
        }
    }
    Ok(())
}

/// An argument goes to whatever is run.
fn argument(spec: &mut Value, text: &str) -> Result<(), String> {
    let list = ["package", "image"].iter().find(|source| spec.get(**source).is_some());
    let path = match list {
        Some(source) => format!("{source}.args"),
        None if spec.get("command").is_some() => "command".to_owned(),
        None => return Err("there is nothing that takes arguments; add --package, --image or a command".to_owned()),
    };
    values::append(spec, &FieldPath::parse(&path), text.into())
}

fn secret(spec: &mut Value, key: &str, value: &str) -> Result<(), String> {
    if spec.get("data").and_then(|data| data.get(key)).is_some() {
        return Err(format!("`{key}` is given twice"));
    }
    // What only looks like a stored form is meant as it stands.
    values::put(
        spec,
        &FieldPath::root().key("data").key(key),
        Form::plain_text(value).into(),
    )
}

/// A file's whole content, or standard input's without the line break that typing it takes.
fn from_file(spec: &mut Value, text: &str) -> Result<(), String> {
    let (key, path) = match text.split_once('=') {
        Some((key, path)) if !key.is_empty() => (key.to_owned(), path),
        _ => {
            let name = Path::new(text).file_name().and_then(|name| name.to_str());
            (
                name.ok_or_else(|| format!("`{text}` has no name to be a key; write KEY={text}"))?
                    .to_owned(),
                text,
            )
        }
    };
    let value = match (path, contents(path)?) {
        ("-", value) => value.strip_suffix('\n').map(str::to_owned).unwrap_or(value),
        (_, value) => value,
    };
    secret(spec, &key, &value)
}

/// Lines `KEY=VALUE`; empty lines and comments are left out, quotes around a value are taken off.
fn from_env_file(spec: &mut Value, path: &str) -> Result<(), String> {
    let text = std::fs::read_to_string(path).map_err(|error| format!("{path}: {error}"))?;
    for (key, value) in env_lines(&text).map_err(|line| format!("{path}:{line} is not KEY=VALUE"))? {
        secret(spec, &key, &value)?;
    }
    Ok(())
}

fn env_lines(text: &str) -> Result<BTreeMap<String, String>, usize> {
    let mut found = BTreeMap::new();
    for (index, line) in text.lines().enumerate() {
        let line = line.trim();
        let line = line.strip_prefix("export ").unwrap_or(line);
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let (key, value) = values::pair(line).map_err(|_| index + 1)?;
        let value = value.trim();
        let quoted = ['"', '\'']
            .into_iter()
            .find_map(|quote| value.strip_prefix(quote)?.strip_suffix(quote));
        found.insert(key.trim().to_owned(), quoted.unwrap_or(value).to_owned());
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn package_of(text: &str) -> Result<Value, String> {
        let mut spec = json!({});
        package(&mut spec, text)?;
        Ok(spec["package"].take())
    }

    #[test]
    fn packages_are_read() {
        for (text, expected) in [
            ("npm:left-pad", json!({"registry": "npm", "name": "left-pad"})),
            (
                "npm:@acme/files@1.2.0",
                json!({"registry": "npm", "name": "@acme/files", "version": "1.2.0"}),
            ),
            ("npm:@acme/files", json!({"registry": "npm", "name": "@acme/files"})),
            (
                "pypi:mcp-server-time==1.0",
                json!({"registry": "pypi", "name": "mcp-server-time", "version": "1.0"}),
            ),
        ] {
            assert_eq!(package_of(text), Ok(expected), "{text}");
        }
        assert!(package_of("left-pad").unwrap_err().contains("npm:left-pad"));
    }

    #[test]
    fn env_files_are_read() {
        let found = env_lines("# c\n\nA=1\nexport B = \"two words\"\nC='x=y'\n").unwrap();
        let expected = [("A", "1"), ("B", "two words"), ("C", "x=y")];
        assert_eq!(
            found
                .iter()
                .map(|(key, value)| (key.as_str(), value.as_str()))
                .collect::<Vec<_>>(),
            expected
        );
        assert_eq!(env_lines("A=1\nnonsense\n"), Err(2));
    }

    #[test]
    fn what_only_looks_sealed_is_kept_as_it_stands() {
        let mut spec = json!({});
        secret(&mut spec, "a", "sealed:v1:x").unwrap();
        assert_eq!(spec["data"]["a"], "plain:v1:sealed:v1:x");
        assert!(secret(&mut spec, "a", "again").is_err());
    }
}

//! Servers of clients as manifests of ours: a Server each, a Secret for the keys of each, and a Project that lists them.
//!
//! Enters: [`Found`] servers, and the variables of the environment. Leaves: manifests that can be applied, and notes on
//! what a person must look after. A key stands nowhere but in a Secret.

use base64::Engine as _;
use orch_shared::kinds::API_VERSION;
use orch_shared::kinds::secret::Form;
use orch_shared::name::{Name, NameError};
use orch_shared::secrecy::names_key;
use serde_json::{Map, Value, json};

use super::exposed;
pub(crate) use super::exposed::PLACEHOLDER;
use super::found::{Found, Reach};
use super::launch::{self, Launch};
use super::secrecy::{is_key, is_place};

/// Longest name of a Server.
const LONGEST: usize = 57;
/// Longest key of a Secret, with room for a number behind it.
const LONGEST_KEY: usize = 240;

/// What became of the servers.
#[derive(Debug, Default)]
pub(crate) struct Made {
    /// The Servers.
    pub(crate) servers: Vec<Value>,
    /// Their Secrets, values in the open.
    pub(crate) secrets: Vec<Value>,
    /// What a person must look after.
    pub(crate) notes: Vec<String>,
}

/// One server on its way.
struct Draft<'v> {
    name: String,
    spec: Map<String, Value>,
    keys: Map<String, Value>,
    notes: Vec<String>,
    variable: &'v dyn Fn(&str) -> Option<String>,
}

/// The manifests of these servers. `gateway` is our own address: what leads there is left out.
pub(crate) fn of(found: &[Found], gateway: Option<&str>, variable: &dyn Fn(&str) -> Option<String>) -> Made {
    let mut made = Made::default();
    let mut taken: Vec<String> = Vec::new();
    for server in found {
        let mut draft = Draft {
            name: name(&server.name, &taken),
            spec: Map::new(),
            keys: Map::new(),
            notes: Vec::new(),
            variable,
        };
        if !draft.reach(&server.reach, gateway) {
            made.notes
                .push(format!("{}: it leads here already, and was left out", server.name));
            continue;
        }
        if draft.name != server.name {
            draft.note(&format!("it was called `{}`", server.name));
        }
        draft.rest(server);
        let manifest = manifest("Server", &draft.name, draft.spec.into());
        match orch_shared::manifest::resource(&manifest) {
            Ok(_) => {
                taken.push(draft.name.clone());
                made.servers.push(manifest);
                if !draft.keys.is_empty() {
                    made.secrets
                        .push(self::manifest("Secret", &draft.name, json!({"data": draft.keys})));
                }
            }
            Err(problems) => {
                let why: Vec<String> = problems.iter().map(|problem| problem.message.clone()).collect();
                draft
                    .notes
                    .push(format!("{}: it was left out: {}", draft.name, why.join("; ")));
            }
        }
        made.notes.append(&mut draft.notes);
    }
    made
}

/// A manifest.
pub(crate) fn manifest(kind: &str, name: &str, spec: Value) -> Value {
    json!({"apiVersion": API_VERSION, "kind": kind, "metadata": {"name": name}, "spec": spec})
}

/// A name of ours like theirs, that no other has.
fn name(given: &str, taken: &[String]) -> String {
    let fitting = match given.parse::<Name>() {
        Ok(name) => name.to_string(),
        Err(_) => NameError::suggestion(given).unwrap_or_else(|| "server".to_owned()),
    };
    let short = fitting
        .get(..LONGEST - 3)
        .filter(|_| fitting.len() > LONGEST)
        .unwrap_or(&fitting);
    let short = short.trim_matches('-');
    let numbered = (2..).map(|number| format!("{short}-{number}"));
    std::iter::once(short.to_owned())
        .chain(numbered)
        .find(|name| !taken.contains(name))
        .unwrap_or_default()
}

impl Draft<'_> {
    fn note(&mut self, text: &str) {
        self.notes.push(format!("{}: {text}", self.name));
    }

    /// Says where it comes from; not when that is us.
    fn reach(&mut self, reach: &Reach, gateway: Option<&str>) -> bool {
        match reach {
            Reach::Url { url, headers, is_sse } => {
                if gateway.is_some_and(|gateway| url.starts_with(&format!("{gateway}/mcp/"))) {
                    return false;
                }
                self.remote(url, headers, *is_sse);
            }
            Reach::Command {
                words,
                environment,
                directory,
            } => {
                let words: Vec<String> = words.iter().map(|word| self.resolved_openly(word)).collect();
                if !self.launch(&words, environment) {
                    return false;
                }
                match directory.as_deref().map(|directory| self.resolved(directory)) {
                    Some(directory) if directory.starts_with('/') => self.set("workingDirectory", directory.into()),
                    Some(directory) => self.note(&format!(
                        "it runs in `{directory}`, which leads nowhere from the daemon; set workingDirectory"
                    )),
                    None => {}
                }
            }
        }
        true
    }

    fn set(&mut self, field: &str, value: Value) {
        self.spec.insert(field.to_owned(), value);
    }

    fn launch(&mut self, words: &[String], environment: &[(String, String)]) -> bool {
        let mut environment = environment.to_vec();
        match launch::of(words) {
            Launch::Ours => return false,
            Launch::Package(package) => {
                let mut source = Map::new();
                source.insert("registry".to_owned(), package.registry.into());
                source.insert("name".to_owned(), package.name.into());
                let optional = [("version", package.version), ("executable", package.executable)];
                for (field, value) in optional {
                    source.extend(value.map(|value| (field.to_owned(), value.into())));
                }
                if !package.args.is_empty() {
                    source.insert("args".to_owned(), self.arguments(None, package.args));
                }
                self.set("package", source.into());
            }
            Launch::Image(image) => {
                let mut source = Map::new();
                source.insert("reference".to_owned(), image.reference.into());
                if let Some(entrypoint) = &image.entrypoint {
                    source.insert("command".to_owned(), json!([entrypoint]));
                }
                if !image.args.is_empty() {
                    let args = self.arguments(image.entrypoint.as_deref(), image.args);
                    source.insert("args".to_owned(), args);
                }
                if image.pull_always {
                    source.insert("pullPolicy".to_owned(), "Always".into());
                }
                self.set("image", source.into());
                // Where it ran until now, it reached everything; here a container reaches nothing unless it is said.
                self.set("network", json!({"mode": "egress"}));
                self.note(
                    "its container may reach everything, as before; name the hosts that it needs: network: {mode: egress, allow: [HOST]}",
                );
                let mut inner: Vec<(String, String)> = Vec::new();
                for (name, value) in image.environment {
                    let outer = environment
                        .iter()
                        .find(|(known, _)| *known == name)
                        .map(|(_, value)| value.clone());
                    let value = value.or(outer).unwrap_or_else(|| format!("${{{name}}}"));
                    inner.push((name, value));
                }
                environment = inner;
            }
            Launch::Command(words) => {
                if matches!(words.first().map(String::as_str), Some("docker" | "podman")) {
                    self.note("it stays a command: some of its flags have no field of an image");
                }
                let words = self.arguments(None, words);
                self.set("command", words);
            }
        }
        let values = self.values(&environment);
        if !values.is_empty() {
            self.set("env", values.into());
        }
        true
    }

    /// Arguments, of which none is a key: processes show theirs to everybody. `program` takes them, when they do not say so.
    fn arguments(&mut self, program: Option<&str>, words: Vec<String>) -> Value {
        let (words, had_key) = exposed::words(program, words);
        if had_key {
            self.note(&format!(
                "a key stood in an argument, where it cannot come from a Secret, and {PLACEHOLDER} stands there now; find another way in, such as a variable"
            ));
        }
        for word in words.iter().filter(|word| word.contains("${")) {
            self.note(&format!(
                "`{word}` is handed to it as it is: arguments are not filled in"
            ));
        }
        words.into()
    }

    fn remote(&mut self, url: &str, headers: &[(String, String)], is_sse: bool) {
        let mut headers = headers.to_vec();
        let (url, login) = without_login(url);
        let url = self.resolved_openly(&url);
        // A variable may hold the whole address.
        let (url, inner) = without_login(&url);
        if let Some(login) = login.map(|login| self.resolved(&login)).or(inner) {
            let encoded = base64::engine::general_purpose::STANDARD.encode(login);
            headers.push(("Authorization".to_owned(), format!("Basic {encoded}")));
        }
        let without = exposed::address(&url);
        if without.is_some() {
            self.note(&format!(
                "its address carries a key, or what looks like one. It cannot come from a Secret, and {PLACEHOLDER} stands there now; send it as a header, if the server takes one"
            ));
        }
        let url = without.unwrap_or(url);
        let values = self.values(&headers);
        let mut source = Map::new();
        source.insert("url".to_owned(), url.into());
        if !values.is_empty() {
            source.insert("headers".to_owned(), values.into());
        }
        self.set("remote", source.into());
        if is_sse {
            self.set("transport", "sse".into());
        }
    }

    /// Variables or headers: keys from the Secret, the rest in the open.
    fn values(&mut self, pairs: &[(String, String)]) -> Vec<Value> {
        let mut out: Vec<Value> = Vec::new();
        for (name, given) in pairs {
            let value = self.resolved(given);
            let is_open = value.contains("${") || is_place(&value);
            if !is_open && !is_key(name, &value) {
                out.push(json!({"name": name, "value": value}));
                continue;
            }
            let key = self.key(name);
            let value = if is_open {
                self.note(&format!(
                    "{name} is `{given}`, which is not known here; give it to secret/{}",
                    self.name
                ));
                PLACEHOLDER.to_owned()
            } else {
                Form::plain_text(&value)
            };
            out.push(json!({"name": name, "valueFrom": {"secretRef": {"name": self.name, "key": key}}}));
            self.keys.insert(key, value.into());
        }
        out
    }

    /// A key of the Secret like that name, which nothing has yet: of what is called alike, each keeps its value.
    fn key(&self, name: &str) -> String {
        let kept = |c: char| match c.is_ascii_alphanumeric() || "-_.".contains(c) {
            true => c,
            false => '_',
        };
        let plain: String = name.chars().map(kept).take(LONGEST_KEY).collect();
        let plain = if plain.is_empty() { "value".to_owned() } else { plain };
        let numbered = (2..).map(|number| format!("{plain}-{number}"));
        std::iter::once(plain.clone())
            .chain(numbered)
            .find(|key| !self.keys.contains_key(key))
            .unwrap_or_default()
    }

    fn rest(&mut self, server: &Found) {
        if server.is_off {
            self.set("replicas", 0.into());
            self.note("it is switched off there, and so has no replicas");
        }
        let mut tools = Map::new();
        for (field, names) in [("allow", &server.allow), ("deny", &server.deny)] {
            if !names.is_empty() {
                tools.insert(field.to_owned(), names.clone().into());
            }
        }
        if !tools.is_empty() {
            self.set("tools", tools.into());
        }
    }

    /// A text with the variables that it names filled in, as far as they are known: `${env:X}`, `${X}`, `${X:-y}`, `$X`.
    fn resolved(&self, text: &str) -> String {
        filled(text, &|name, default| (self.variable)(name).or(default))
    }

    /// The same for what everybody may see: a variable whose name says that it holds a key stays a place, and one that holds a
    /// key right there is replaced.
    fn resolved_openly(&self, text: &str) -> String {
        filled(text, &|name, default| match names_key(name) {
            true => default.map(|_| PLACEHOLDER.to_owned()),
            false => (self.variable)(name).or(default),
        })
    }
}

/// A text with what is known of the variables that it names; `known` is told a name, and what stands for it otherwise.
fn filled(text: &str, known: &dyn Fn(&str, Option<String>) -> Option<String>) -> String {
    if let Some(name) = text
        .strip_prefix('$')
        .filter(|_| is_place(text) && !text.starts_with("${"))
    {
        return known(name, None).unwrap_or_else(|| text.to_owned());
    }
    let mut out = String::new();
    let mut rest = text;
    while let Some(start) = rest.find("${") {
        let Some(length) = rest[start..].find('}') else { break };
        let place = &rest[start..=start + length];
        let inner = &place[2..place.len() - 1];
        let inner = inner.strip_prefix("env:").unwrap_or(inner);
        let (name, default) = match inner.split_once(":-") {
            Some((name, default)) => (name, Some(default.to_owned())),
            None => (inner, None),
        };
        let name = if name == "userHome" { "HOME" } else { name };
        out.push_str(&rest[..start]);
        out.push_str(&known(name, default).unwrap_or_else(|| place.to_owned()));
        rest = &rest[start + length + 1..];
    }
    out + rest
}

/// The address without `user:password@`, and those.
fn without_login(url: &str) -> (String, Option<String>) {
    let Some((scheme, rest)) = url.split_once("://") else {
        return (url.to_owned(), None);
    };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    match rest[..end].rsplit_once('@') {
        Some((login, host)) => (format!("{scheme}://{host}{}", &rest[end..]), Some(login.to_owned())),
        None => (url.to_owned(), None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn started(name: &str, line: &str, environment: &[(&str, &str)]) -> Found {
        Found {
            name: name.to_owned(),
            reach: Reach::Command {
                words: line.split(' ').map(str::to_owned).collect(),
                environment: environment
                    .iter()
                    .map(|(n, v)| ((*n).to_owned(), (*v).to_owned()))
                    .collect(),
                directory: None,
            },
            is_off: false,
            allow: Vec::new(),
            deny: Vec::new(),
        }
    }

    fn remote(name: &str, url: &str, headers: &[(&str, &str)]) -> Found {
        Found {
            reach: Reach::Url {
                url: url.to_owned(),
                headers: headers
                    .iter()
                    .map(|(n, v)| ((*n).to_owned(), (*v).to_owned()))
                    .collect(),
                is_sse: false,
            },
            ..started(name, "x", &[])
        }
    }

    fn made(found: &[Found]) -> Made {
        let variable = |name: &str| name.starts_with("KNOWN").then(|| "sesame-known".to_owned());
        of(found, Some("http://127.0.0.1:7420"), &variable)
    }

    #[test]
    fn servers_become_manifests_and_keys_become_secrets() {
        let made = made(&[
            started(
                "GitHub (work)",
                "npx -y @a/github@1.2 --read",
                &[("GITHUB_TOKEN", "ghp_sesame"), ("MODE", "fast")],
            ),
            started(
                "box",
                "docker run -i --rm -e API_KEY -e MODE=x ghcr.io/a/b:1",
                &[("API_KEY", "sesame"), ("OTHER", "o")],
            ),
            remote(
                "far",
                "https://u:sesame@h/mcp?api_key=sesame&x=1",
                &[("X-Team", "core")],
            ),
            started(
                "asks",
                "uvx t",
                &[("API_KEY", "${input:key}"), ("TOKEN", "${env:KNOWN}")],
            ),
        ]);
        let spec = |index: usize| made.servers[index]["spec"].clone();
        let secret = |name: &str, key: &str| json!({"secretRef": {"name": name, "key": key}});
        assert_eq!(made.servers[0]["metadata"]["name"], "github--work");
        assert_eq!(
            spec(0),
            json!({
                "package": {"registry": "npm", "name": "@a/github", "version": "1.2", "args": ["--read"]},
                "env": [{"name": "GITHUB_TOKEN", "valueFrom": secret("github--work", "GITHUB_TOKEN")}, {"name": "MODE", "value": "fast"}],
            })
        );
        assert_eq!(
            spec(1),
            json!({
                "image": {"reference": "ghcr.io/a/b:1"},
                "network": {"mode": "egress"},
                "env": [{"name": "API_KEY", "valueFrom": secret("box", "API_KEY")}, {"name": "MODE", "value": "x"}],
            })
        );
        assert_eq!(
            spec(2),
            json!({"remote": {"url": "https://h/mcp?api_key=REPLACE-ME&x=1", "headers": [
                {"name": "X-Team", "value": "core"},
                {"name": "Authorization", "valueFrom": secret("far", "Authorization")},
            ]}})
        );
        let data: Vec<&Value> = made.secrets.iter().map(|secret| &secret["spec"]["data"]).collect();
        assert_eq!(
            data,
            [
                &json!({"GITHUB_TOKEN": "ghp_sesame"}),
                &json!({"API_KEY": "sesame"}),
                &json!({"Authorization": "Basic dTpzZXNhbWU="}),
                &json!({"API_KEY": "REPLACE-ME", "TOKEN": "sesame-known"}),
            ]
        );
        for server in &made.servers {
            assert!(!server.to_string().contains("sesame"), "{server}");
        }
        let notes = made.notes.join("\n");
        for said in [
            "it was called `GitHub (work)`",
            "its address carries a key",
            "API_KEY is `${input:key}`",
        ] {
            assert!(notes.contains(said), "{said}: {notes}");
        }
        assert!(!notes.contains("sesame"), "{notes}");
    }

    #[test]
    fn what_is_called_alike_keeps_its_own_value() {
        let headers = [("X!Token", "one"), ("X#Token", "two"), ("X_Token", "${input:three}")];
        let made = made(&[
            remote("far", "https://h/mcp", &headers),
            started("near", "/bin/x", &[("API KEY", "four"), ("API/KEY", "five")]),
        ]);
        let data: Vec<&Value> = made.secrets.iter().map(|secret| &secret["spec"]["data"]).collect();
        assert_eq!(
            data,
            [
                &json!({"X_Token": "one", "X_Token-2": "two", "X_Token-3": PLACEHOLDER}),
                &json!({"API_KEY": "four", "API_KEY-2": "five"}),
            ]
        );
        let headers = made.servers[0]["spec"]["remote"]["headers"].as_array().unwrap();
        let told = headers.iter().map(|header| {
            let key = &header["valueFrom"]["secretRef"]["key"];
            (header["name"].as_str().unwrap(), key.as_str().unwrap())
        });
        assert_eq!(
            told.collect::<Vec<_>>(),
            [
                ("X!Token", "X_Token"),
                ("X#Token", "X_Token-2"),
                ("X_Token", "X_Token-3")
            ]
        );
    }

    #[test]
    fn keys_among_arguments_are_not_printed() {
        let made = made(&[
            started("a", "/bin/x --api-key sesame --mode fast", &[]),
            started("b", "npx -y b --token=sesame1234", &[]),
            started("c", "/bin/x sk-ant-sesame1234", &[]),
            started("d", "podman run --rm --env=GITHUB_TOKEN=ghp_sesame1234 x/y", &[]),
        ]);
        let text = format!("{:?}", made.servers);
        assert!(!text.contains("sesame"), "{text}");
        assert!(text.contains("--token=REPLACE-ME") && text.contains("fast"), "{text}");
        assert!(text.contains("\"GITHUB_TOKEN\""), "{text}");
        let said: Vec<&str> = made.notes.iter().map(|note| &note[..3]).collect();
        assert_eq!(said, ["a: ", "b: ", "c: ", "d: "]);
        assert!(made.notes[3].starts_with("d: its container may reach everything"));
    }

    #[test]
    fn variables_that_hold_keys_are_filled_in_where_nobody_sees_it() {
        let made = made(&[
            remote("far", "https://u:${KNOWN_KEY}@h/${KNOWN_KEY}/mcp?a=${KNOWN}", &[]),
            started(
                "box",
                "podman run -e TOKEN=${KNOWN_KEY} x/y --key ${KNOWN_KEY} --x ${A_KEY:-sesame}",
                &[],
            ),
        ]);
        assert_eq!(
            made.servers[0]["spec"]["remote"]["url"],
            "https://h/REPLACE-ME/mcp?a=sesame-known"
        );
        assert_eq!(
            made.servers[1]["spec"]["image"]["args"],
            json!(["--key", "${KNOWN_KEY}", "--x", "REPLACE-ME"])
        );
        let data: Vec<&Value> = made.secrets.iter().map(|secret| &secret["spec"]["data"]).collect();
        assert_eq!(
            data,
            [
                &json!({"Authorization": "Basic dTpzZXNhbWUta25vd24="}),
                &json!({"TOKEN": "sesame-known"})
            ]
        );
        assert!(
            made.notes
                .iter()
                .any(|note| note.starts_with("box: `${KNOWN_KEY}` is handed")),
            "{:?}",
            made.notes
        );
    }

    #[test]
    fn what_leads_here_and_what_is_wrong_stay_out() {
        let made = made(&[
            started("ours", "/x/orchctl mcp serve -p web", &[]),
            remote("ours-too", "http://127.0.0.1:7420/mcp/projects/web", &[]),
            remote("odd", "ftp://x", &[]),
            started("same", "a", &[]),
            started("Same", "b", &[]),
            Found {
                is_off: true,
                deny: vec!["rm".to_owned()],
                ..started(&"long".repeat(30), "c", &[])
            },
        ]);
        let names: Vec<&str> = made
            .servers
            .iter()
            .map(|server| server["metadata"]["name"].as_str().unwrap())
            .collect();
        assert_eq!(names[..2], ["same", "same-2"]);
        assert!(names[2].len() <= LONGEST, "{names:?}");
        assert_eq!(
            made.servers[2]["spec"],
            json!({"command": ["c"], "replicas": 0, "tools": {"deny": ["rm"]}})
        );
        assert!(
            made.notes.iter().any(|note| note.starts_with("odd: it was left out: ")),
            "{:?}",
            made.notes
        );
    }
}

//! The servers that a client's file names.
//!
//! Enters: what the file says, as values. Leaves: [`Found`] servers, and notes on what could not be understood. The words
//! of all clients are read, whichever client's file it is: people copy entries from one to the other.

use std::path::Path;

use serde_json::{Map, Value};

use super::catalogue::Client;
use super::shell;

/// A server in a client's file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Found {
    /// What it is called there.
    pub(crate) name: String,
    /// How it is reached.
    pub(crate) reach: Reach,
    /// Whether it is switched off.
    pub(crate) is_off: bool,
    /// The only tools that are used.
    pub(crate) allow: Vec<String>,
    /// Tools that are not used.
    pub(crate) deny: Vec<String>,
}

/// How a server is reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Reach {
    /// It is started.
    Command {
        /// The program and its arguments.
        words: Vec<String>,
        /// Variables of its environment.
        environment: Vec<(String, String)>,
        /// Where it is started.
        directory: Option<String>,
    },
    /// Somebody else runs it.
    Url {
        /// Where it answers.
        url: String,
        /// Headers of each request.
        headers: Vec<(String, String)>,
        /// Whether it speaks HTTP with server-sent events, as of old.
        is_sse: bool,
    },
}

/// The servers, and notes.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Servers {
    /// The servers, in the order of the file.
    pub(crate) found: Vec<Found>,
    /// What could not be read, and why.
    pub(crate) notes: Vec<String>,
    /// Whether there was a place for servers at all.
    pub(crate) has_place: bool,
}

/// The servers in a file. `here` is the folder whose servers Claude Code keeps apart.
pub(crate) fn servers(all: &Value, client: Option<Client>, here: &Path) -> Servers {
    let mut servers = Servers::default();
    let members: Vec<&str> = match client {
        Some(client) => vec![client.member()],
        None => vec!["mcpServers", "servers", "context_servers", "mcp_servers"],
    };
    let of_folder = all
        .get("projects")
        .and_then(|folders| folders.get(here.to_string_lossy().as_ref()))
        .and_then(|folder| folder.get("mcpServers"));
    // VS Code once kept them in its settings.
    let of_settings = all.get("mcp").and_then(|mcp| mcp.get("servers"));
    let places = members.into_iter().filter_map(|member| all.get(member));
    for place in places.chain(of_folder).chain(of_settings) {
        let Some(entries) = place.as_object() else { continue };
        servers.has_place = true;
        for (name, entry) in entries {
            if servers.found.iter().any(|known| known.name == *name) {
                continue;
            }
            match server(name, entry, client, &mut servers.notes) {
                Some(found) => servers.found.push(found),
                None => servers.notes.push(format!(
                    "{name}: it has neither a command nor an address, and was left out"
                )),
            }
        }
    }
    servers
}

fn server(name: &str, entry: &Value, client: Option<Client>, notes: &mut Vec<String>) -> Option<Found> {
    let text = |names: &[&str]| {
        names
            .iter()
            .find_map(|name| entry.get(name)?.as_str())
            .map(str::to_owned)
    };
    let flag = |name: &str| entry.get(name).and_then(Value::as_bool);
    for (member, why) in [
        (
            "headersHelper",
            "its headers come from a program; give them to the Server by hand",
        ),
        (
            "envFile",
            "its variables come from a file; give them to the Server by hand",
        ),
        ("oauth", "it logs in by itself; give the Server a header with a token"),
    ] {
        if entry
            .get(member)
            .is_some_and(|value| !value.is_null() && value != false)
        {
            notes.push(format!("{name}: {why}"));
        }
    }
    let reach = match text(&["httpUrl", "url", "serverUrl", "uri"]) {
        Some(url) => {
            let transport = text(&["type", "transport"]).unwrap_or_default();
            // Gemini CLI has a word for each.
            let is_old_word = client == Some(Client::GeminiCli) && entry.get("httpUrl").is_none();
            let path = url.split(['?', '#']).next().unwrap_or_default();
            let is_sse = match transport.as_str() {
                "sse" => true,
                "" => path.trim_end_matches('/').ends_with("/sse") || is_old_word,
                _ => false,
            };
            Reach::Url {
                headers: headers(entry),
                url,
                is_sse,
            }
        }
        None => command(entry)?,
    };
    let list = |names: &[&str]| -> Vec<String> {
        let lists = names.iter().filter_map(|name| entry.get(name)?.as_array());
        lists.flatten().filter_map(Value::as_str).map(str::to_owned).collect()
    };
    Some(Found {
        name: name.to_owned(),
        reach,
        is_off: flag("disabled") == Some(true) || flag("enabled") == Some(false),
        allow: list(&["includeTools", "enabled_tools"]),
        deny: list(&["excludeTools", "disabled_tools", "disabledTools"]),
    })
}

fn command(entry: &Value) -> Option<Reach> {
    // Zed once had the program one level further down.
    let (program, owner) = match entry.get("command")? {
        Value::String(program) => (program.clone(), entry),
        within @ Value::Object(_) => (within.get("path")?.as_str()?.to_owned(), within),
        Value::Array(words) => {
            let words: Vec<String> = words.iter().map(plain).collect();
            return Some(Reach::Command {
                words,
                environment: pairs(entry.get("env")),
                directory: None,
            });
        }
        _ => return None,
    };
    let arguments: Vec<String> = owner
        .get("args")
        .and_then(Value::as_array)
        .map(|words| words.iter().map(plain).collect())
        .unwrap_or_default();
    // Some write the whole line as the program.
    let is_line = arguments.is_empty() && program.contains(' ') && !program.starts_with(['/', '.', '~']);
    let mut words: Vec<String> = match is_line {
        true => shell::words(&program),
        false => vec![program],
    };
    words.extend(arguments);
    let directory = entry.get("cwd").and_then(Value::as_str).map(str::to_owned);
    let mut environment = pairs(owner.get("env"));
    // Codex hands on variables of its own environment by name.
    let handed_on = entry.get("env_vars").and_then(Value::as_array).into_iter().flatten();
    environment.extend(
        handed_on
            .filter_map(Value::as_str)
            .map(|name| (name.to_owned(), format!("${{{name}}}"))),
    );
    Some(Reach::Command {
        words,
        environment,
        directory,
    })
}

fn headers(entry: &Value) -> Vec<(String, String)> {
    let mut headers = pairs(entry.get("headers"));
    headers.extend(pairs(entry.get("http_headers")));
    let of_environment = pairs(entry.get("env_http_headers"));
    headers.extend(
        of_environment
            .into_iter()
            .map(|(name, variable)| (name, format!("${{{variable}}}"))),
    );
    if let Some(variable) = entry.get("bearer_token_env_var").and_then(Value::as_str) {
        headers.push(("Authorization".to_owned(), format!("Bearer ${{{variable}}}")));
    }
    headers
}

fn pairs(value: Option<&Value>) -> Vec<(String, String)> {
    let members: Option<&Map<String, Value>> = value.and_then(Value::as_object);
    members
        .into_iter()
        .flatten()
        .map(|(name, value)| (name.clone(), plain(value)))
        .collect()
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn told(all: &Value, client: Option<Client>) -> Vec<String> {
        let servers = servers(all, client, Path::new("/work"));
        let line = |found: &Found| {
            let reach = match &found.reach {
                Reach::Command {
                    words,
                    environment,
                    directory,
                } => format!("{words:?} {environment:?} {directory:?}"),
                Reach::Url { url, headers, is_sse } => format!("{url} {headers:?} sse={is_sse}"),
            };
            let off = if found.is_off { " off" } else { "" };
            format!("{}: {reach}{off} {:?} {:?}", found.name, found.allow, found.deny)
        };
        servers.found.iter().map(line).chain(servers.notes).collect()
    }

    #[test]
    fn entries_of_all_clients_are_read() {
        for (client, all, expected) in [
            (
                Some(Client::ClaudeCode),
                json!({
                    "mcpServers": {"a": {"command": "npx", "args": ["-y", 1], "env": {"K": "v", "N": 2}}},
                    "projects": {"/work": {"mcpServers": {"b": {"type": "sse", "url": "https://b/mcp", "headers": {"X": "y"}}}}, "/other": {"mcpServers": {"c": {}}}},
                }),
                vec![
                    "a: [\"npx\", \"-y\", \"1\"] [(\"K\", \"v\"), (\"N\", \"2\")] None [] []",
                    "b: https://b/mcp [(\"X\", \"y\")] sse=true [] []",
                ],
            ),
            (
                Some(Client::GeminiCli),
                json!({"mcpServers": {"old": {"url": "https://a"}, "new": {"httpUrl": "https://b", "includeTools": ["x"], "excludeTools": ["y"]}}}),
                vec![
                    "old: https://a [] sse=true [] []",
                    "new: https://b [] sse=false [\"x\"] [\"y\"]",
                ],
            ),
            (
                Some(Client::Codex),
                json!({"mcp_servers": {
                    "a": {"url": "https://a", "bearer_token_env_var": "T", "env_http_headers": {"X": "V"}, "enabled": false},
                    "b": {"command": "x", "env_vars": ["HOME"], "cwd": "/srv", "disabled_tools": ["z"]},
                }}),
                vec![
                    "a: https://a [(\"X\", \"${V}\"), (\"Authorization\", \"Bearer ${T}\")] sse=false off [] []",
                    "b: [\"x\"] [(\"HOME\", \"${HOME}\")] Some(\"/srv\") [] [\"z\"]",
                ],
            ),
            (
                Some(Client::Zed),
                json!({"context_servers": {"a": {"command": {"path": "x", "args": ["y"], "env": {"K": "v"}}}}}),
                vec!["a: [\"x\", \"y\"] [(\"K\", \"v\")] None [] []"],
            ),
            (
                None,
                json!({"mcp": {"servers": {"a": {"command": "npx -y b"}}}, "servers": {"c": {"serverUrl": "http://c/sse/", "headersHelper": "x"}, "d": {"settings": {}}}}),
                vec![
                    "c: http://c/sse/ [] sse=true [] []",
                    "a: [\"npx\", \"-y\", \"b\"] [] None [] []",
                    "c: its headers come from a program; give them to the Server by hand",
                    "d: it has neither a command nor an address, and was left out",
                ],
            ),
        ] {
            assert_eq!(told(&all, client), expected, "{client:?}");
        }
    }
}

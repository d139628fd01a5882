//! What is written into a client's file so that it finds us: an address, or a program to start.
//!
//! Enters: the client, the way it is to go, and where the gateway is. Leaves: the entry as the client wants it. It never
//! holds a token: each client is told where to get one.

use serde_json::{Map, Value, json};

use super::catalogue::Client;

/// The variable of the environment in which clients look for the token.
pub(crate) const TOKEN_VARIABLE: &str = "ORCHCTL_TOKEN";
/// What VS Code calls the token that it asks its user for.
pub(crate) const TOKEN_INPUT: &str = "orchctl-token";

/// How a client gets to us.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Way {
    /// It is given the address, and speaks HTTP.
    Url,
    /// It starts `orchctl mcp serve`, and speaks to that.
    Stdio,
}

/// Where the gateway is, and how to reach it.
#[derive(Debug, Clone)]
pub(crate) struct Gateway {
    /// The address.
    pub(crate) url: String,
    /// Whether a token must be shown there.
    pub(crate) needs_token: bool,
    /// `orchctl`, as a client is to start it.
    pub(crate) program: String,
    /// What leads to the daemon: `--context NAME`.
    pub(crate) flags: Vec<String>,
    /// What `mcp serve` is to serve: `--project NAME`.
    pub(crate) target: Vec<String>,
    /// Variables that `orchctl` needs to find its context.
    pub(crate) environment: Vec<(String, String)>,
}

/// What goes into a file.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Addition {
    /// The entry among the servers.
    pub(crate) entry: Value,
    /// What is asked of the user once, for clients that ask.
    pub(crate) input: Option<Value>,
    /// Where the client gets the token from.
    pub(crate) token: TokenSource,
}

/// Where a client gets the token from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TokenSource {
    /// It needs none.
    None,
    /// `orchctl` reads it from its context.
    Context,
    /// From a variable of the client's environment.
    Environment,
    /// It asks its user, and keeps it.
    Asked,
}

/// The way a client goes unless told otherwise: the address, where it takes one and can keep a token out of its file.
pub(crate) const fn usual(client: Client, needs_token: bool) -> Way {
    match client {
        Client::ClaudeDesktop => Way::Stdio,
        Client::Zed if needs_token => Way::Stdio,
        Client::ClaudeCode
        | Client::Cursor
        | Client::Vscode
        | Client::Codex
        | Client::GeminiCli
        | Client::Windsurf
        | Client::Zed => Way::Url,
    }
}

/// The entry for a client; nothing when it cannot go that way.
pub(crate) fn addition(client: Client, way: Way, gateway: &Gateway) -> Option<Addition> {
    match way {
        Way::Stdio => Some(Addition {
            entry: started(client, gateway),
            input: None,
            token: TokenSource::Context,
        }),
        Way::Url => addressed(client, gateway),
    }
}

fn started(client: Client, gateway: &Gateway) -> Value {
    let arguments: Vec<&str> = ["mcp", "serve"]
        .into_iter()
        .chain(gateway.target.iter().chain(&gateway.flags).map(String::as_str))
        .collect();
    let mut entry = Map::new();
    if client == Client::Vscode {
        entry.insert("type".to_owned(), "stdio".into());
    }
    entry.insert("command".to_owned(), gateway.program.as_str().into());
    entry.insert("args".to_owned(), arguments.into());
    if !gateway.environment.is_empty() {
        let variables = gateway.environment.iter();
        let variables: Map<String, Value> = variables
            .map(|(name, value)| (name.clone(), value.as_str().into()))
            .collect();
        entry.insert("env".to_owned(), variables.into());
    }
    entry.into()
}

fn addressed(client: Client, gateway: &Gateway) -> Option<Addition> {
    let url = &gateway.url;
    let bearer = |reference: &str| json!({"Authorization": format!("Bearer {reference}")});
    let variable = TOKEN_VARIABLE;
    let (mut entry, headers, token) = match client {
        Client::ClaudeDesktop => return None,
        Client::ClaudeCode => (
            json!({"type": "http", "url": url}),
            ("headersHelper", header_program(gateway).into()),
            TokenSource::Context,
        ),
        Client::Cursor => (
            json!({"url": url}),
            ("headers", bearer(&format!("${{env:{variable}}}"))),
            TokenSource::Environment,
        ),
        Client::Vscode => (
            json!({"type": "http", "url": url}),
            ("headers", bearer(&format!("${{input:{TOKEN_INPUT}}}"))),
            TokenSource::Asked,
        ),
        Client::Codex => (
            json!({"url": url}),
            ("bearer_token_env_var", variable.into()),
            TokenSource::Environment,
        ),
        Client::GeminiCli => (
            json!({"httpUrl": url}),
            ("headers", bearer(&format!("${variable}"))),
            TokenSource::Environment,
        ),
        Client::Windsurf => (
            json!({"serverUrl": url}),
            ("headers", bearer(&format!("${{env:{variable}}}"))),
            TokenSource::Environment,
        ),
        // It takes headers only as they are; a token would stand in the file.
        Client::Zed if gateway.needs_token => return None,
        Client::Zed => (json!({"url": url}), ("headers", json!({})), TokenSource::None),
    };
    let token = if gateway.needs_token { token } else { TokenSource::None };
    let input = (token == TokenSource::Asked).then(|| {
        json!({
            "type": "promptString",
            "id": TOKEN_INPUT,
            "description": "The token of orchctl",
            "password": true,
        })
    });
    if token != TokenSource::None {
        entry[headers.0] = headers.1;
    }
    Some(Addition { entry, input, token })
}

/// The line that Claude Code runs to get the headers.
fn header_program(gateway: &Gateway) -> String {
    let variables = gateway
        .environment
        .iter()
        .map(|(name, value)| format!("{name}={}", quoted(value)));
    let program = [gateway.program.as_str(), "mcp", "headers"];
    let words = program
        .into_iter()
        .chain(gateway.flags.iter().map(String::as_str))
        .chain([gateway.url.as_str()])
        .map(quoted);
    variables.chain(words).collect::<Vec<_>>().join(" ")
}

/// A word as a shell takes it.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:@%+,=".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', "'\\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gateway(needs_token: bool) -> Gateway {
        Gateway {
            url: "http://127.0.0.1:7420/mcp/projects/web".to_owned(),
            needs_token,
            program: "/opt/my tools/orchctl".to_owned(),
            flags: vec!["--context".to_owned(), "local".to_owned()],
            target: vec!["--project".to_owned(), "web".to_owned()],
            environment: vec![("ORCHCTL_CONFIG".to_owned(), "/c.yaml".to_owned())],
        }
    }

    #[test]
    fn each_client_is_told_in_its_own_words() {
        let url = "http://127.0.0.1:7420/mcp/projects/web";
        let env = |text: &str| json!({"Authorization": format!("Bearer {text}")});
        let program = json!({
            "command": "/opt/my tools/orchctl",
            "args": ["mcp", "serve", "--project", "web", "--context", "local"],
            "env": {"ORCHCTL_CONFIG": "/c.yaml"},
        });
        let helper = "ORCHCTL_CONFIG=/c.yaml '/opt/my tools/orchctl' mcp headers --context local \
                      http://127.0.0.1:7420/mcp/projects/web";
        for (client, expected) in [
            (
                Client::ClaudeCode,
                json!({"type": "http", "url": url, "headersHelper": helper}),
            ),
            (Client::ClaudeDesktop, program.clone()),
            (
                Client::Cursor,
                json!({"url": url, "headers": env("${env:ORCHCTL_TOKEN}")}),
            ),
            (
                Client::Vscode,
                json!({"type": "http", "url": url, "headers": env("${input:orchctl-token}")}),
            ),
            (
                Client::Codex,
                json!({"url": url, "bearer_token_env_var": "ORCHCTL_TOKEN"}),
            ),
            (
                Client::GeminiCli,
                json!({"httpUrl": url, "headers": env("$ORCHCTL_TOKEN")}),
            ),
            (
                Client::Windsurf,
                json!({"serverUrl": url, "headers": env("${env:ORCHCTL_TOKEN}")}),
            ),
            (Client::Zed, program),
        ] {
            let made = addition(client, usual(client, true), &gateway(true)).unwrap();
            assert_eq!(made.entry, expected, "{client:?}");
            assert_eq!(made.input.is_some(), client == Client::Vscode, "{client:?}");
        }
    }

    #[test]
    fn without_a_token_an_address_is_enough() {
        for client in Client::ALL {
            match addition(client, Way::Url, &gateway(false)) {
                None => assert_eq!(client, Client::ClaudeDesktop),
                Some(made) => {
                    let text = made.entry.to_string();
                    assert!(!text.contains("eader") && !text.contains("token"), "{text}");
                    assert_eq!((made.token, made.input), (TokenSource::None, None), "{client:?}");
                }
            }
        }
        assert_eq!(usual(Client::Zed, false), Way::Url);
        assert_eq!(addition(Client::Zed, Way::Url, &gateway(true)), None);
    }
}

//! The transport of the oldest revision: one stream for all answers, and an address to post to.

use serde_json::{Value, json};

use super::{SERVERS, home_with_all, project, raw};
use crate::support::client::{abilities, greeting, text_of};
use crate::support::daemon::{Home, eventually};
use crate::support::http::Stream;

/// A client of that transport.
struct Oldest<'h> {
    home: &'h Home,
    stream: Stream,
    post_to: String,
}

impl<'h> Oldest<'h> {
    fn connect(home: &'h Home, path: &str) -> Self {
        let mut stream = home
            .http("GET", &format!("{path}/sse"))
            .header("Accept", "text/event-stream")
            .stream();
        assert_eq!(stream.status, 200);
        assert_eq!(stream.line().as_deref(), Some("event: endpoint"));
        let data = stream.line().expect("an address");
        let post_to = data.strip_prefix("data: ").expect("an address").to_owned();
        let mut client = Self { home, stream, post_to };
        client.post(&greeting("2024-11-05", &abilities()));
        let hello = client.next();
        assert_eq!(hello["result"]["protocolVersion"], "2024-11-05", "{hello}");
        client.post(&json!({"jsonrpc": "2.0", "method": "notifications/initialized"}));
        client
    }

    fn post(&self, message: &Value) {
        self.home.http("POST", &self.post_to).json(message).send().expect(202);
    }

    fn next(&mut self) -> Value {
        self.stream.event().expect("the stream goes on").1
    }

    fn ask(&mut self, method: &str, params: Value) -> Vec<Value> {
        self.post(&json!({"jsonrpc": "2.0", "id": method, "method": method, "params": params}));
        let mut told = Vec::new();
        loop {
            let message = self.next();
            if !message["method"].is_null() && !message["id"].is_null() {
                let answer = json!({"jsonrpc": "2.0", "id": message["id"], "result": {"told": "over the oldest way"}});
                self.post(&answer);
            }
            let is_answer = message["id"] == method && message["method"].is_null();
            told.push(message);
            if is_answer {
                return told;
            }
        }
    }
}

#[test]
fn everything_goes_over_the_oldest_transport() {
    let (home, _far) = home_with_all(Home::new());
    for server in SERVERS {
        let mut client = Oldest::connect(&home, &format!("/mcp/servers/{server}"));
        let listed = client.ask("tools/list", json!({}));
        assert!(
            listed[listed.len() - 1]["result"]["tools"]
                .as_array()
                .map_or(0, Vec::len)
                > 10,
            "{server}: {listed:?}"
        );
        let params = json!({"name": "progress", "arguments": {"steps": 5}, "_meta": {"progressToken": 9}});
        let told = client.ask("tools/call", params);
        let steps: Vec<u64> = told
            .iter()
            .filter_map(|message| message["params"]["progress"].as_u64())
            .collect();
        assert_eq!(steps, [1, 2, 3, 4, 5], "{server}: {told:?}");
        let asked = client.ask("tools/call", json!({"name": "ask_elicitation", "arguments": {}}));
        let answer = asked.last().expect("an answer");
        assert!(
            text_of(&answer["result"]).contains("over the oldest way"),
            "{server}: {answer}"
        );
        let two =
            json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "echo", "Name": "fail"}});
        let refused = home.http("POST", &client.post_to).json(&two).send().expect(400).json();
        assert_eq!(refused["error"]["code"], -32602, "{server}: {refused}");
        let unknown = client.ask("vendor/hello", json!({}));
        let answer = unknown.last().expect("an answer");
        assert!(answer["result"]["echo"].is_string(), "{server}: {unknown:?}");
    }
    let mut client = Oldest::connect(&home, "/mcp/projects/all");
    let told = client.ask("tools/call", json!({"name": "far-modern__echo", "arguments": {}}));
    assert!(
        text_of(&told[told.len() - 1]["result"]).contains("tools/call"),
        "{told:?}"
    );
}

/// News come on the one stream there is; the session ends with it.
#[test]
fn the_session_is_its_stream() {
    let home = super::home_with("raw", &[]);
    let mut client = Oldest::connect(&home, "/mcp/servers/raw");
    drop(client.ask("tools/list", json!({})));
    client.post(&json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "change_tools", "arguments": {}}}));
    let mut seen = Vec::new();
    while seen.len() < 2 {
        let message = client.next();
        if message["method"] == "notifications/tools/list_changed" || message["id"] == 1 {
            seen.push(message);
        }
    }
    let Oldest { stream, post_to, .. } = client;
    drop(stream);
    eventually("the session is over", || {
        let ping = json!({"jsonrpc": "2.0", "id": 2, "method": "ping"});
        home.http("POST", &post_to).json(&ping).send().status == 404
    });
}

/// Whoever watches such a session sees both sides of it, and what its client is told without having asked.
#[test]
fn both_sides_are_shown_to_who_watches() {
    let home = Home::new().started();
    home.apply(&(raw("raw", &["--era", "legacy"]) + &project("all", &["raw"])));
    home.until_ready(&["server/raw"]);
    let mut client = Oldest::connect(&home, "/mcp/projects/all");
    let sessions = home.get("projects/all/sessions");
    let id = sessions["items"][0]["id"].as_str().expect("a session");
    let mut traffic = home
        .http("GET", &format!("/api/v1/projects/all/sessions/{id}/traffic"))
        .stream();
    client.ask("tools/call", json!({"name": "raw__change_tools", "arguments": {}}));
    let mut missing = vec![
        ("from-client", "raw__change_tools"),
        ("to-server", "change_tools"),
        ("from-server", "changed"),
        ("to-client", "changed"),
        ("to-client", "notifications/tools/list_changed"),
    ];
    while !missing.is_empty() {
        let said = traffic.event().expect("the stream goes on").1;
        let text = said["text"].as_str().expect("a text");
        missing.retain(|(direction, part)| said["direction"] != *direction || !text.contains(part));
    }
}

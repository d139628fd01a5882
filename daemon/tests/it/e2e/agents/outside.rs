//! An agent with the tools of a server that nobody here wrote.

use serde_json::json;

use super::{agent, messages, say, scripted, text};
use crate::e2e::manifest;
use crate::support::daemon::Home;
use crate::support::outside::{skip, succeeds};

#[test]
fn an_agent_calls_the_tools_of_server_everything() {
    if !succeeds("npm view @modelcontextprotocol/server-everything version") {
        return skip("npm, or its registry, cannot be had");
    }
    let home = Home::new().with_registries().started();
    let script = json!([
        {"toolCalls": [
            {"name": "everything__echo", "arguments": {"message": "ping"}},
            {"name": "everything__get-sum", "arguments": {"a": 2, "b": 3}},
            {"name": "everything__get-tiny-image"},
        ]},
        {"text": "done"},
    ]);
    home.apply(
        &[
            manifest(
                "Server",
                "everything",
                &json!({"package": {"registry": "npm", "name": "@modelcontextprotocol/server-everything"}}),
            ),
            manifest("Project", "p", &json!({"servers": ["everything"]})),
            scripted("m", &script),
            agent(json!({})),
        ]
        .concat(),
    );
    home.until_ready(&["server/everything"]);
    let offered = home.get("agents/a/tools");
    let names: Vec<&str> = offered["items"]
        .as_array()
        .expect("items")
        .iter()
        .map(|tool| text(&tool["name"]))
        .collect();
    assert!(names.contains(&"everything__echo"), "{names:?}");
    let said = say(&home, "go");
    assert_eq!(text(&said["assistant"]), "done");
    let told = messages(&home, text(&said["threadId"]));
    let result = |place: usize| text(&told[place]["text"]);
    assert!(result(2).contains("ping"), "{told:?}");
    assert!(result(3).contains('5'), "{told:?}");
    assert!(result(4).contains("image/png"), "{told:?}");
}

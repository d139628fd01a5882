//! Who may speak to an agent, and what that one may do then.

use serde_json::{Value, json};

use super::{agent, calls, home_with, messages, post, scripted, scripted_with, text};
use crate::e2e::manifest;
use crate::support::client::{Client, Era};
use crate::support::daemon::{Home, eventually};
use crate::support::http::Request;

/// A machine with those grants, and its token.
pub(super) fn machine(home: &Home, name: &str, grants: &Value) -> String {
    home.apply(
        &[
            manifest("ServiceAccount", name, &json!({})),
            manifest(
                "RoleBinding",
                name,
                &json!({"subjects": [{"kind": "ServiceAccount", "name": name}], "grants": grants}),
            ),
        ]
        .concat(),
    );
    let spec = json!({"serviceAccount": name, "rbac": "owner"});
    let object = json!({"apiVersion": "orchctl.dev/v1", "kind": "Token", "metadata": {"name": name}, "spec": spec});
    let made = post(home, "tokens", &object).send().expect(201).json();
    text(&made["credential"]).to_owned()
}

pub(super) fn ask(home: &Home, token: &str, method: &str, path: &str) -> Request {
    Request::new(home.address(), method, &format!("/api/v1/{path}")).token(token)
}

#[test]
fn whoever_may_run_an_agent_has_its_model_asked_and_no_more() {
    let script = json!([
        {"toolCalls": [{"name": "raw__echo"}, {"name": "raw__fail"}, {"name": "raw__stats"}]},
        {"text": "done"},
    ]);
    let (home, far) = home_with(&(scripted("m", &script) + &agent(json!({}))));
    let grants = json!([
        {"roles": ["run"], "resources": ["agents"], "names": ["a"]},
        {"roles": ["run"], "resources": ["servers"], "names": ["raw"], "tools": ["e*"]},
    ]);
    let ann = machine(&home, "ann", &grants);
    let offered = ask(&home, &ann, "GET", "agents/a/tools").send().expect(200).json();
    let names: Vec<&str> = offered["items"]
        .as_array()
        .expect("items")
        .iter()
        .map(|tool| text(&tool["name"]))
        .collect();
    assert_eq!(names, ["raw__echo"], "what may not be called is not offered");
    let said = ask(&home, &ann, "POST", "agents/a/chat")
        .json(&json!({"message": "go"}))
        .send()
        .expect(200)
        .json();
    assert_eq!(calls(&far), 1, "nor is it called when the model wants it all the same");
    let thread = text(&said["threadId"]);
    let told = ask(&home, &ann, "GET", &format!("threads/{thread}/messages"))
        .send()
        .expect(200)
        .json();
    let states: Vec<&str> = told["items"]
        .as_array()
        .expect("items")
        .iter()
        .filter_map(|message| message["result"]["state"].as_str())
        .collect();
    assert_eq!(states, ["complete", "error", "error"]);
    // The model itself is not theirs to ask.
    let body = json!({"model": "m", "messages": [{"role": "user", "content": "x"}]});
    let refused = Request::new(home.address(), "POST", "/v1/chat/completions")
        .token(&ann)
        .json(&body);
    refused.send().expect(404);

    // Rows of the audit log and of what was used name whoever asked, and for which agent.
    let rows = |kind: &str| -> Vec<Value> {
        let all = home.get(&format!("audit?limit=1000&kind={kind}&user=serviceaccount/ann"));
        let all = all["items"].as_array().expect("items").iter();
        // The model that they asked for themselves was refused, and that is of no agent.
        all.filter(|row| row["status"] != 404).cloned().collect()
    };
    eventually("all of it is written down", || {
        (
            rows("llm_inference_call").len(),
            rows("tool_call").len(),
            rows("request").iter().any(|row| row["verb"] == "chat"),
        ) == (2, 1, true)
    });
    let clause = format!("agent/a thread/{thread}");
    for kind in ["llm_inference_call", "tool_call"] {
        for row in rows(kind) {
            assert!(text(&row["detail"]).contains(&clause), "{row}");
            assert_eq!((&row["token"], &row["project"]), (&json!("ann"), &json!("p")), "{row}");
        }
    }
    let chatted = rows("request")
        .into_iter()
        .find(|row| row["verb"] == "chat")
        .expect("a row of the request");
    assert_eq!(
        (&chatted["target"]["kind"], &chatted["target"]["name"]),
        (&json!("Agent"), &json!("a"))
    );
    // What was used is written down a moment after, too.
    eventually("the use counts for whoever spoke", || {
        let used = home.get("usage?agent=a&by=user,llm");
        (&used["items"][0]["user"], &used["items"][0]["requests"]) == (&json!("serviceaccount/ann"), &json!(2))
    });
}

#[test]
fn whoever_may_not_run_an_agent_does_not_speak_to_it() {
    let (home, _far) = home_with(&(scripted("m", &json!([{"text": "x"}])) + &agent(json!({}))));
    let sees = machine(
        &home,
        "sees",
        &json!([{"roles": ["view", "edit", "delete", "create"], "resources": ["*"]}]),
    );
    let blind = machine(
        &home,
        "blind",
        &json!([{"roles": ["run", "view"], "resources": ["servers", "llms"]}]),
    );
    for (method, path) in [
        ("POST", "agents/a/chat"),
        ("GET", "agents/a/threads"),
        ("POST", "agents/a/threads"),
        ("GET", "agents/a/tools"),
    ] {
        let body = if path.ends_with("chat") {
            json!({"message": "x"})
        } else {
            json!({})
        };
        let request = |token: &str| match method {
            "GET" => ask(&home, token, method, path).send(),
            _ => ask(&home, token, method, path).json(&body).send(),
        };
        assert_eq!(request(&sees).expect(403).code(), "ORCH4002", "{method} {path}");
        let (hidden, none) = (
            request(&blind).expect(404),
            ask(&home, &blind, method, &path.replace("/a/", "/b/")),
        );
        let none = if method == "GET" {
            none.send()
        } else {
            none.json(&body).send()
        }
        .expect(404);
        assert_eq!(hidden.code(), none.code());
        assert_eq!(
            hidden.json()["detail"]
                .as_str()
                .map(|told| told.replace("/a", "/b"))
                .as_deref(),
            none.json()["detail"].as_str()
        );
    }
    // Nor is it a tool for them.
    home.apply(&manifest(
        "RoleBinding",
        "blind",
        &json!({"subjects": [{"kind": "ServiceAccount", "name": "blind"}],
                "grants": [{"roles": ["run", "view"], "resources": ["servers", "projects"]}]}),
    ));
    let client = Client::begin_as(&home, Era::Legacy, "/mcp/projects/p", &blind);
    let names = client.names("tools/list");
    assert!(
        names.contains(&"raw__echo".to_owned()) && !names.contains(&"agent__a".to_owned()),
        "{names:?}"
    );
    let refused = client.ask("tools/call", json!({"name": "agent__a", "arguments": {"message": "x"}}));
    assert_eq!(refused.answer["error"]["message"], "Unknown tool: agent__a");
}

#[test]
fn whoever_gives_an_agent_a_model_may_ask_that_model() {
    let (home, _far) =
        home_with(&(scripted("m", &json!([{"text": "x"}])) + &scripted("dear", &json!([{"text": "y"}]))));
    let grants = json!([
        {"roles": ["view", "create", "edit", "run"], "resources": ["agents"]},
        {"roles": ["view"], "resources": ["llms", "projects"]},
        {"roles": ["run"], "resources": ["llms"], "names": ["m"]},
    ]);
    let ann = machine(&home, "ann", &grants);
    let object = |llm: &str, more: &str| json!({"apiVersion": "orchctl.dev/v1", "kind": "Agent", "metadata": {"name": "hers"}, "spec": {"llm": llm, "description": more}});
    let refused = ask(&home, &ann, "POST", "agents")
        .json(&object("dear", ""))
        .send()
        .expect(422);
    assert!(
        refused.body.contains("may not be used by you") && refused.body.contains("/spec/llm"),
        "{}",
        refused.body
    );
    ask(&home, &ann, "POST", "agents")
        .json(&object("m", ""))
        .send()
        .expect(201);
    let put = |llm: &str, more: &str| ask(&home, &ann, "PUT", "agents/hers").json(&object(llm, more)).send();
    put("dear", "").expect(422);
    put("m", "changed").expect(200);
    // Once somebody who may has given it, the rest of it may be changed.
    home.apply(&manifest("Agent", "hers", &json!({"llm": "dear"})));
    put("dear", "changed again").expect(200);
    let said = ask(&home, &ann, "POST", "agents/hers/chat")
        .json(&json!({"message": "x"}))
        .send()
        .expect(200)
        .json();
    assert_eq!(said["assistant"], "y");
}

#[test]
fn a_model_stands_in_where_whoever_asks_may_run_it() {
    let (home, _far) = home_with(
        &(scripted("other", &json!([{"text": "other"}]))
            + &scripted_with("m", &json!([{"text": "m"}]), json!({"fallbacks": ["other"]}))
            + &agent(json!({}))),
    );
    // A model that cannot be reached.
    home.apply(&manifest(
        "Llm",
        "m",
        &json!({"provider": "openai-compatible", "model": "x", "url": "http://127.0.0.1:9", "fallbacks": ["other"]}),
    ));
    let ann = machine(&home, "ann", &json!([{"roles": ["run"], "resources": ["agents"]}]));
    let bob = machine(
        &home,
        "bob",
        &json!([{"roles": ["run"], "resources": ["agents", "llms"]}]),
    );
    let refused = ask(&home, &ann, "POST", "agents/a/chat")
        .json(&json!({"message": "x"}))
        .send()
        .expect(502);
    assert_eq!(refused.code(), "ORCH6040");
    let said = ask(&home, &bob, "POST", "agents/a/chat")
        .json(&json!({"message": "x"}))
        .send()
        .expect(200)
        .json();
    assert_eq!(said["assistant"], "other");
    let thread = text(&said["threadId"]);
    let told = ask(&home, &bob, "GET", &format!("threads/{thread}/messages"))
        .send()
        .expect(200)
        .json();
    assert_eq!(told["items"][1]["llm"], "other");
}

#[test]
fn a_token_of_a_project_speaks_to_the_agents_of_that_project() {
    let script = json!([{"toolCalls": [{"name": "raw__echo"}]}, {"text": "done"}]);
    let (home, far) = home_with(&(scripted("m", &script) + &agent(json!({}))));
    home.apply(&manifest("Agent", "other", &json!({"llm": "m"})));
    let object = json!({"apiVersion": "orchctl.dev/v1", "kind": "Token", "metadata": {"name": "t", "project": "p"},
        "spec": {"rbac": "owner"}});
    let made = post(&home, "projects/p/tokens", &object).send().expect(201).json();
    let token = text(&made["credential"]).to_owned();
    let said = ask(&home, &token, "POST", "agents/a/chat")
        .json(&json!({"message": "go"}))
        .send()
        .expect(200)
        .json();
    assert_eq!((text(&said["assistant"]), calls(&far)), ("done", 1));
    ask(&home, &token, "POST", "agents/other/chat")
        .json(&json!({"message": "go"}))
        .send()
        .expect(404);
    // What the owner has with other agents is not there for it.
    let said = post(&home, "agents/other/chat", &json!({"message": "go"}))
        .send()
        .expect(200)
        .json();
    let thread = text(&said["threadId"]);
    ask(&home, &token, "GET", &format!("threads/{thread}"))
        .send()
        .expect(404);
    assert!(!messages(&home, thread).is_empty());
}

#[test]
fn budgets_of_the_project_count_for_its_agents() {
    let (home, _far) = home_with(&(scripted("m", &json!([{"text": "one"}])) + &agent(json!({}))));
    let project = |budget: Value| manifest("Project", "p", &json!({"servers": ["raw"], "budget": budget}));
    home.apply(&project(json!({"tokens": 1, "period": "day"})));
    let refused = super::chat(&home, &json!({"message": "hello"})).expect(402);
    assert_eq!(refused.code(), "ORCH6042");
    assert!(refused.body.contains("project"), "{}", refused.body);
    home.apply(&project(json!({"tokens": 1_000_000, "period": "day"})));
    super::say(&home, "hello");
    eventually("it counts for the project", || {
        home.get("usage?project=p")["total"]["requests"].as_u64() >= Some(1)
    });
}

#[test]
fn a_gate_does_not_stand_before_an_agent() {
    let script = json!([{"toolCalls": [{"name": "raw__echo"}]}, {"text": "done"}]);
    let (home, far) = home_with(&(scripted("m", &script) + &agent(json!({}))));
    home.apply(&manifest("Project", "p", &json!({"servers": ["raw"], "gated": true})));
    assert_eq!(text(&super::say(&home, "go")["assistant"]), "done");
    assert_eq!(calls(&far), 1);
}

/// A model that takes its time before it calls a tool, and once more before it is done.
fn slow() -> String {
    let script = json!([
        {"delay": "3s", "toolCalls": [{"name": "raw__echo"}]},
        {"text": "done"},
    ]);
    scripted("m", &script) + &agent(json!({}))
}

fn everything() -> Value {
    json!([{"roles": ["view", "run"], "resources": ["*"]}])
}

/// Says something to the agent, and does something else once the turn is under way.
fn meanwhile(home: &Home, token: &str, then: impl FnOnce()) -> crate::support::http::Answer {
    let request = ask(home, token, "POST", "agents/a/chat").json(&json!({"message": "go"}));
    let talking = std::thread::spawn(move || request.send());
    eventually("the turn is under way", || {
        let threads = ask(home, token, "GET", "agents/a/threads").send().expect(200).json();
        threads["items"][0]["lastTurn"]["state"] == "pending"
    });
    then();
    talking.join().expect("an answer")
}

#[test]
fn a_turn_ends_with_the_credential_that_asked_for_it() {
    let (home, far) = home_with(&slow());
    let ci = machine(&home, "ci", &everything());
    let ended = meanwhile(&home, &ci, || {
        post(&home, "tokens/ci/revoke", &json!({})).send().expect(200);
    });
    assert_eq!(ended.expect(401).code(), "ORCH4001");
    assert_eq!(calls(&far), 0, "no tool is called for one who is gone");

    let other = machine(&home, "other", &everything());
    let ended = meanwhile(&home, &other, || {
        let off = json!({"spec": {"active": false}});
        let path = "/api/v1/serviceaccounts/other";
        home.http("PATCH", path).json(&off).send().expect(200);
    });
    let told = ended.expect(401).json();
    assert!(text(&told["detail"]).contains("the turn has ended"), "{told}");
    let barred = machine(&home, "barred", &everything());
    let ended = meanwhile(&home, &barred, || {
        let less = json!({"spec": {"grants": [{"roles": ["run"], "resources": ["servers"]}]}});
        home.http("PATCH", "/api/v1/rolebindings/barred")
            .json(&less)
            .send()
            .expect(200);
    });
    assert_eq!(ended.expect(403).code(), "ORCH4002");
    assert_eq!(calls(&far), 0);
}

#[test]
fn a_tool_that_may_not_be_called_any_more_is_refused_within_the_turn() {
    let (home, far) = home_with(&slow());
    let ann = machine(&home, "ann", &everything());
    let said = meanwhile(&home, &ann, || {
        let less = json!({"spec": {"grants": [
            {"roles": ["run", "view"], "resources": ["agents"]},
            {"roles": ["run"], "resources": ["servers"], "tools": ["fail"]},
        ]}});
        home.http("PATCH", "/api/v1/rolebindings/ann")
            .json(&less)
            .send()
            .expect(200);
    });
    let said = said.expect(200).json();
    assert_eq!((text(&said["assistant"]), calls(&far)), ("done", 0), "{said}");
    let thread = text(&said["threadId"]);
    let path = format!("threads/{thread}/messages");
    let told = ask(&home, &ann, "GET", &path).send().expect(200).json();
    let mut results = told["items"].as_array().expect("items").iter();
    let result = results.find(|message| message["role"] == "tool").expect("a result");
    assert_eq!(result["result"]["state"], "error", "{result}");
    assert!(text(&result["text"]).contains("may not be called"), "{result}");
    let rows = home.get("audit?kind=tool_call&user=serviceaccount/ann&outcome=denied");
    assert_eq!(rows["items"][0]["item"], "echo", "{rows}");
}

/// What goes on without its client goes on as long as that one could.
#[test]
fn a_detached_turn_ends_with_the_login_that_asked_for_it() {
    let (home, far) = home_with(&slow());
    home.apply(
        &[
            manifest("User", "ann", &json!({})),
            manifest(
                "RoleBinding",
                "ann",
                &json!({"subjects": [{"kind": "User", "name": "ann"}], "grants": everything()}),
            ),
        ]
        .concat(),
    );
    let password = json!({"password": "correct horse battery"});
    let set = home.http("PUT", "/api/v1/users/ann/password").json(&password);
    set.send().expect(204);
    let log_in = || {
        let body = json!({"user": "ann", "password": "correct horse battery"});
        let told = Request::new(home.address(), "POST", "/api/v1/login").json(&body).send();
        text(&told.expect(200).json()["token"]).to_owned()
    };
    let (first, second) = (log_in(), log_in());
    let body = json!({"message": "go", "stream": true, "detach": true});
    let mut stream = ask(&home, &first, "POST", "agents/a/chat").json(&body).stream();
    let (_, begun) = stream.event().expect("the turn");
    let thread = text(&begun["threadId"]).to_owned();
    drop(stream);
    ask(&home, &first, "DELETE", "logins/current").send().expect(204);
    let turn = || {
        let path = format!("threads/{thread}");
        let told = ask(&home, &second, "GET", &path).send().expect(200).json();
        told["lastTurn"].clone()
    };
    eventually("the turn is over", || turn()["state"] != "pending");
    let turn = turn();
    assert_eq!(
        (text(&turn["state"]), text(&turn["problem"]["code"])),
        ("error", "ORCH4001"),
        "{turn}"
    );
    assert_eq!(calls(&far), 0);
}

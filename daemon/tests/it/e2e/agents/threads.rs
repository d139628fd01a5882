//! Threads: whose they are, what is told of them, and what is done with them.

use std::sync::Arc;

use orch_daemon::clock::{Clock, RandomIds, SystemClock};
use orch_daemon::store::{Database, Inserted, NewThread, Options, Store};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use super::rights::{ask, machine};
use super::{agent, brief, chat, messages, post, say, say_in, scripted, text};
use crate::e2e::manifest;
use crate::support::daemon::Home;
use crate::support::http::Request;

fn home() -> Home {
    let home = Home::new().started();
    let script: Vec<Value> = (1..=20)
        .map(|number| json!({"text": format!("answer {number}")}))
        .collect();
    home.apply(&(scripted("m", &json!(script)) + &agent(json!({"project": null}))));
    home
}

/// A machine that may run every agent, and do everything else that an administrator may.
fn somebody(home: &Home, name: &str) -> String {
    let all = json!([{"roles": ["view", "create", "edit", "delete", "run", "reveal"], "resources": ["*"]}]);
    home.apply(
        &[
            manifest("ServiceAccount", name, &json!({})),
            manifest(
                "RoleBinding",
                name,
                &json!({"subjects": [{"kind": "ServiceAccount", "name": name}], "grants": all,
                    "operations": ["impersonate", "audit", "sessions"]}),
            ),
        ]
        .concat(),
    );
    token(home, &format!("{name}-token"), name)
}

fn token(home: &Home, token: &str, account: &str) -> String {
    let made = post(
        home,
        "tokens",
        &json!({"apiVersion": "orchctl.dev/v1", "kind": "Token", "metadata": {"name": token},
            "spec": {"serviceAccount": account, "rbac": "owner"}}),
    );
    let made = made.send().expect(201).json();
    text(&made["credential"]).to_owned()
}

fn as_somebody(home: &Home, token: &str, method: &str, path: &str) -> Request {
    Request::new(home.address(), method, &format!("/api/v1/{path}")).token(token)
}

#[test]
fn a_thread_is_there_for_its_owner_alone() {
    let home = home();
    let (ann, bob) = (somebody(&home, "ann"), somebody(&home, "bob"));
    let said = as_somebody(&home, &ann, "POST", "agents/a/chat")
        .json(&json!({"message": "mine"}))
        .send()
        .expect(200)
        .json();
    let thread = text(&said["threadId"]).to_owned();
    let routes = [
        ("GET", String::new(), json!(null)),
        ("PATCH", String::new(), json!({"title": "taken"})),
        ("DELETE", String::new(), json!(null)),
        ("GET", "/messages".to_owned(), json!(null)),
        ("POST", "/fork".to_owned(), json!({})),
        ("POST", "/cancel".to_owned(), json!({})),
        ("POST", "/resume".to_owned(), json!({})),
    ];
    let absent = "0123456789abcdef0123456789abcdef";
    for (who, token) in [("bob", bob.clone()), ("the administrator", home.token())] {
        for (method, rest, body) in &routes {
            let ask = |id: &str| {
                let request = as_somebody(&home, &token, method, &format!("threads/{id}{rest}"));
                let request = match body {
                    Value::Null => request,
                    body => request.json(body),
                };
                request.send().expect(404)
            };
            // What is somebody else's is told as what is not there.
            let (foreign, none) = (ask(&thread), ask(absent));
            let shape = |answer: &crate::support::http::Answer, id: &str| {
                let mut told = answer.json();
                told["requestId"] = json!(null);
                told.to_string().replace(id, "ID")
            };
            assert_eq!(shape(&foreign, &thread), shape(&none, absent), "{who} {method} {rest}");
        }
        let mine = as_somebody(&home, &token, "GET", "agents/a/threads")
            .send()
            .expect(200)
            .json();
        assert_eq!(mine["items"], json!([]), "{who}");
        let refused = as_somebody(&home, &token, "POST", "agents/a/chat");
        refused
            .json(&json!({"message": "x", "threadId": thread}))
            .send()
            .expect(404);
        // Not in her place either.
        let in_place = as_somebody(&home, &token, "GET", &format!("threads/{thread}"));
        in_place
            .header("orch-impersonate", "serviceaccount/ann")
            .send()
            .expect(404);
    }
    // With another token of hers it is there.
    let other = token(&home, "ann-other", "ann");
    as_somebody(&home, &other, "GET", &format!("threads/{thread}"))
        .send()
        .expect(200);
    // Whoever may not run the agent any more has no threads with it.
    home.apply(&manifest(
        "RoleBinding",
        "ann",
        &json!({"subjects": [{"kind": "ServiceAccount", "name": "ann"}], "operations": ["logs"]}),
    ));
    as_somebody(&home, &other, "GET", &format!("threads/{thread}"))
        .send()
        .expect(404);
    as_somebody(&home, &other, "GET", "agents/a/threads").send().expect(404);
}

#[test]
fn whoever_comes_later_with_a_name_finds_nothing() {
    let home = home();
    let ann = somebody(&home, "ann");
    let said = as_somebody(&home, &ann, "POST", "agents/a/chat");
    let said = said.json(&json!({"message": "mine"})).send().expect(200).json();
    let thread = text(&said["threadId"]).to_owned();
    home.orchctl(&["delete", "rolebinding", "ann"]).expect(0);
    home.orchctl(&["delete", "token", "ann-token"]).expect(0);
    home.orchctl(&["delete", "serviceaccount", "ann"]).expect(0);
    let ann = somebody(&home, "ann");
    let mine = as_somebody(&home, &ann, "GET", "agents/a/threads")
        .send()
        .expect(200)
        .json();
    assert_eq!(mine["items"], json!([]));
    as_somebody(&home, &ann, "GET", &format!("threads/{thread}"))
        .send()
        .expect(404);
    // The same holds of an agent that is made anew.
    let said = as_somebody(&home, &ann, "POST", "agents/a/chat");
    let said = said.json(&json!({"message": "mine"})).send().expect(200).json();
    let thread = text(&said["threadId"]).to_owned();
    home.orchctl(&["delete", "agent", "a"]).expect(0);
    as_somebody(&home, &ann, "GET", &format!("threads/{thread}"))
        .send()
        .expect(404);
    home.apply(&agent(json!({"project": null})));
    as_somebody(&home, &ann, "GET", &format!("threads/{thread}"))
        .send()
        .expect(404);
    let mine = as_somebody(&home, &ann, "GET", "agents/a/threads")
        .send()
        .expect(200)
        .json();
    assert_eq!(mine["items"], json!([]));
}

#[test]
fn threads_are_listed_page_by_page() {
    let home = home();
    let made: Vec<String> = (0..5)
        .map(|number| text(&say(&home, &format!("thread {number}"))["threadId"]).to_owned())
        .collect();
    let mut found: Vec<String> = Vec::new();
    let mut more = String::new();
    loop {
        let page = home.get(&format!("agents/a/threads?limit=2{more}"));
        let items = page["items"].as_array().expect("items");
        assert!(items.len() <= 2);
        found.extend(items.iter().map(|thread| text(&thread["id"]).to_owned()));
        let Some(place) = page["continue"].as_str() else { break };
        more = format!("&continue={place}");
    }
    let newest_first: Vec<String> = made.iter().rev().cloned().collect();
    assert_eq!(found, newest_first);
    home.http("GET", "/api/v1/agents/a/threads?continue=nowhere")
        .send()
        .expect(400);
    home.http("GET", "/api/v1/agents/a/threads?lmit=2").send().expect(400);
    // Messages likewise.
    let thread = &made[0];
    for number in 2..=4 {
        say_in(&home, thread, &format!("message {number}"));
    }
    let mut numbers: Vec<i64> = Vec::new();
    let mut more = String::new();
    loop {
        let page = home.get(&format!("threads/{thread}/messages?limit=3{more}"));
        let items = page["items"].as_array().expect("items");
        numbers.extend(items.iter().filter_map(|message| message["number"].as_i64()));
        let turns: Vec<i64> = page["turns"]
            .as_array()
            .expect("turns")
            .iter()
            .filter_map(|turn| turn["turn"].as_i64())
            .collect();
        let of_items: Vec<i64> = items.iter().filter_map(|message| message["turn"].as_i64()).collect();
        assert!(of_items.iter().all(|turn| turns.contains(turn)), "{page}");
        let Some(place) = page["continue"].as_str() else { break };
        more = format!("&continue={place}");
    }
    assert_eq!(numbers, (1..=8).collect::<Vec<_>>());
}

#[test]
fn threads_are_named_forked_and_deleted() {
    let home = home();
    let made = post(&home, "agents/a/threads", &json!({"title": "Mine"}))
        .send()
        .expect(201)
        .json();
    let thread = text(&made["id"]).to_owned();
    assert_eq!(
        (&made["turns"], &made["title"], &made["agent"]),
        (&json!(0), &json!("Mine"), &json!("a"))
    );
    for number in 1..=3 {
        let said = say_in(&home, &thread, &format!("message {number}"));
        assert_eq!(said["turn"], number);
    }
    let path = format!("/api/v1/threads/{thread}");
    let renamed = home
        .http("PATCH", &path)
        .json(&json!({"title": " Ours "}))
        .send()
        .expect(200)
        .json();
    assert_eq!(renamed["title"], "Ours");
    for title in ["", " \n", &"x".repeat(201)] {
        let refused = home
            .http("PATCH", &path)
            .json(&json!({"title": title}))
            .send()
            .expect(422);
        assert_eq!(refused.code(), "ORCH1104");
        assert!(refused.body.contains("orchctl thread rename ID"), "{}", refused.body);
    }
    for (title, told) in [("", "<TITLE> needs a value"), (" ", "a title says something")] {
        let refused = home.orchctl(&["thread", "rename", &thread, title]).expect(2);
        assert!(
            refused.stderr.contains(told) && refused.stderr.contains("hint:"),
            "{}",
            refused.stderr
        );
    }
    home.http("PATCH", &path).json(&json!({"name": "x"})).send().expect(400);

    // A fork begins with what was said until then, and goes its own way.
    let fork = post(&home, &format!("threads/{thread}/fork"), &json!({"turn": 2}))
        .send()
        .expect(201)
        .json();
    let forked = text(&fork["id"]).to_owned();
    assert_eq!((&fork["turns"], &fork["title"]), (&json!(2), &json!("Ours")));
    assert_eq!(fork["forkedFrom"], json!({"thread": thread, "turn": 2}));
    assert_eq!(messages(&home, &forked).len(), 4);
    let said = say_in(&home, &forked, "another third");
    assert_eq!((text(&said["assistant"]), &said["turn"]), ("answer 3", &json!(3)));
    assert_eq!(messages(&home, &thread).len(), 6);
    let empty = post(
        &home,
        &format!("threads/{thread}/fork"),
        &json!({"turn": 0, "title": "Anew"}),
    );
    let empty = empty.send().expect(201).json();
    assert_eq!((&empty["turns"], &empty["title"]), (&json!(0), &json!("Anew")));
    let latest = post(&home, &format!("threads/{thread}/fork"), &json!({}))
        .send()
        .expect(201)
        .json();
    assert_eq!(latest["turns"], 3);

    home.http("DELETE", &path).send().expect(204);
    home.http("GET", &path).send().expect(404);
    home.http("DELETE", &path).send().expect(404);
    assert_eq!(brief(&home, &forked).len(), 6, "the fork does not need it");
    chat(&home, &json!({"message": "x", "threadId": thread})).expect(404);
}

/// Does something with the store of a daemon that is away.
fn in_store(home: &Home, work: impl AsyncFnOnce(&Store)) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let ids = Arc::new(RandomIds::new(Arc::clone(&clock)));
        let options = Options::new(clock, ids);
        let opened = Store::open(Database::Sqlite(home.path("data")), options).await;
        let (store, engine) = opened.expect("a store");
        let shutdown = CancellationToken::new();
        let engine = tokio::spawn(engine.run(shutdown.clone()));
        work(&store).await;
        drop(store);
        shutdown.cancel();
        engine.await.expect("the engine ends");
    });
}

#[test]
fn a_thread_goes_by_how_its_id_begins() {
    let mut home = home();
    let thread = text(&say(&home, "hello")["threadId"]).to_owned();
    let short = &thread[..6];
    // Wherever an id is said.
    let said = say_in(&home, &thread[..10], "and more");
    assert_eq!((text(&said["threadId"]), &said["turn"]), (thread.as_str(), &json!(2)));
    assert_eq!(home.get(&format!("threads/{short}"))["id"], thread.as_str());
    assert_eq!(messages(&home, short).len(), 4);
    for arguments in [
        &["thread", "get", short][..],
        &["get", "thread", short, "-o", "name"],
        &["get", "messages", "--thread", short],
        &["chat", "a", "-m", "again", "--thread", short],
        &["thread", "export", short],
        &["thread", "rename", short, "Ours"],
    ] {
        home.orchctl(arguments).expect(0);
    }
    let renamed = home.orchctl(&["thread", "rename", short, "Ours"]).expect(0).stdout;
    assert!(renamed.contains(&thread), "{renamed}");
    // What was done is told of the whole id.
    let begun = &thread[..thread.len() - 1];
    let forked = home.orchctl(&["thread", "fork", begun]).expect(0).stdout;
    assert!(forked.contains(&format!(" forked from {thread} with")), "{forked}");
    let fork = forked.trim_start_matches("thread/").split(' ').next().expect("an id");
    let deleted = home.orchctl(&["thread", "delete", &fork[..fork.len() - 1]]).expect(0);
    assert_eq!(deleted.stdout, format!("thread/{fork}   deleted\n"));
    home.orchctl(&["thread", "delete", fork]).expect(3);
    home.orchctl(&["thread", "delete", fork, "--ignore-not-found"])
        .expect(0);
    // Less than six characters mean nothing, nor does what nobody's id begins with; and it is told as it is of what is not there.
    for unknown in [&thread[..5], "zzzzzz", "zzz"] {
        let refused = home
            .http("GET", &format!("/api/v1/threads/{unknown}"))
            .send()
            .expect(404);
        assert!(refused.body.contains("orchctl get threads"), "{}", refused.body);
        let refused = home.orchctl(&["chat", "a", "-m", "x", "--thread", unknown]).expect(3);
        assert!(
            refused.stderr.contains("there is no thread") && !refused.stderr.contains("thread: "),
            "{}",
            refused.stderr
        );
    }
    // Of others' threads nothing is known by how they begin.
    let ann = somebody(&home, "ann");
    let shape = |id: &str| {
        let mut told = as_somebody(&home, &ann, "GET", &format!("threads/{id}"))
            .send()
            .expect(404)
            .json();
        told["requestId"] = json!(null);
        told.to_string().replace(id, "ID")
    };
    assert_eq!(shape(short), shape("zzzzzz"));

    // Where several begin alike, the candidates are told: one's own.
    assert_eq!(home.stop(), 0);
    in_store(&home, async |store| {
        let known = store.thread(&thread).await.expect("a store").expect("a thread");
        for (id, owner) in [
            ("zzzzzz01aaaa", known.owner.as_str()),
            ("zzzzzz02aaaa", known.owner.as_str()),
            ("zzzzzz02bbbb", "somebody else"),
        ] {
            let new = NewThread {
                id: id.to_owned(),
                agent_uid: known.agent_uid.clone(),
                owner: owner.to_owned(),
                owner_uid: None,
                title: None,
                most: 1000,
            };
            assert_eq!(store.insert_thread(new).await.expect("a store"), Inserted::Made);
        }
    });
    home.start();
    let refused = home.http("GET", "/api/v1/threads/zzzzzz").send().expect(400);
    assert!(
        refused.body.contains("zzzzzz01aaaa, zzzzzz02aaaa") && !refused.body.contains("bbbb"),
        "{}",
        refused.body
    );
    assert_eq!(home.get("threads/zzzzzz02")["id"], "zzzzzz02aaaa");
}

#[test]
fn what_one_may_not_see_any_more_hides_nothing() {
    let mut home = home();
    home.apply(&manifest("Agent", "b", &json!({"llm": "m"})));
    let ann = machine(
        &home,
        "ann",
        &json!([{"roles": ["run"], "resources": ["agents"], "names": ["a"]}]),
    );
    let said = ask(&home, &ann, "POST", "agents/a/chat").json(&json!({"message": "hello"}));
    let thread = text(&said.send().expect(200).json()["threadId"]).to_owned();
    let other = text(&home.get("agents/b")["status"]["uid"]).to_owned();
    assert_eq!(home.stop(), 0);
    // Many threads of hers with an agent that she may not run, and behind them one with the other.
    in_store(&home, async |store| {
        let known = store.thread(&thread).await.expect("a store").expect("a thread");
        let new = |id: String, agent_uid: &str| NewThread {
            id,
            agent_uid: agent_uid.to_owned(),
            owner: known.owner.clone(),
            owner_uid: None,
            title: None,
            most: 1000,
        };
        for number in 0..250 {
            let made = store.insert_thread(new(format!("zzzzzz{number:06}"), &other)).await;
            assert_eq!(made.expect("a store"), Inserted::Made);
        }
        let made = store
            .insert_thread(new("zzzzzzzzzzzz".to_owned(), &known.agent_uid))
            .await;
        assert_eq!(made.expect("a store"), Inserted::Made);
    });
    home.start();
    let found = ask(&home, &ann, "GET", "threads/zzzzzz").send().expect(200).json();
    assert_eq!(found["id"], "zzzzzzzzzzzz");
}

#[test]
fn each_request_to_a_model_can_be_made_again() {
    let script = json!([{"toolCalls": [{"name": "raw__echo"}]}, {"text": "done"}]);
    let (home, _far) = super::home_with(&(scripted("m", &script) + &agent(json!({"systemPrompt": "Be kind."}))));
    let said = say(&home, "go");
    let thread = text(&said["threadId"]);
    // What is written down is in the database alone: looked at while the daemon is away.
    let (mut home, thread) = (home, thread.to_owned());
    assert_eq!(home.stop(), 0);
    in_store(&home, async |store| {
        let made = store.exchanges(&thread, 1).await.expect("exchanges");
        assert_eq!(made.iter().map(|made| made.step).collect::<Vec<_>>(), [1, 2]);
        let content = async |hash: &str| -> Value {
            let content = store
                .thread_content(&thread, hash)
                .await
                .expect("a content")
                .expect("it is kept");
            serde_json::from_str(&content).expect("JSON")
        };
        let last = &made[1];
        assert_eq!((last.llm.as_str(), last.purpose.as_str()), ("m", "answer"));
        assert_eq!(content(&last.system).await, json!("Be kind."));
        assert_eq!(content(&last.params).await, json!({}));
        let tools = content(&last.tools).await;
        assert!(tools.to_string().contains("raw__echo"), "{tools}");
        let answer = content(&last.answer).await;
        assert_eq!(
            (&answer["text"], &answer["finishReason"]),
            (&json!("done"), &json!("stop"))
        );
        let hashes: Vec<String> = serde_json::from_str(&last.messages).expect("hashes");
        let mut told = Vec::new();
        for hash in &hashes {
            told.push(text(&content(hash).await["role"]).to_owned());
        }
        assert_eq!(told, ["user", "assistant", "tool"]);
    });
}

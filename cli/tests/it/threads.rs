//! `thread`: what was said with agents, as people and as programs read it.

use serde_json::{Value, json};

use crate::support::daemon::{Answer, Daemon, list};
use crate::support::home::{Home, Transcript, story};

const AT: &str = "2020-01-01T00:00:00.000Z";

fn usage() -> Value {
    json!({"inputTokens": 1, "cachedTokens": 0, "outputTokens": 1, "iterations": 1, "toolCalls": 0, "tookMs": 1})
}

fn thread(id: &str, agent: &str, updated: &str) -> Value {
    json!({
        "id": id, "agent": agent, "title": format!("About {id}"), "createdAt": AT, "updatedAt": updated, "turns": 2,
        "forkedFrom": {"thread": "t-0", "turn": 1},
        "lastTurn": {"turn": 2, "state": "error", "beganAt": AT, "usage": usage()},
    })
}

fn agent(name: &str) -> Value {
    json!({
        "apiVersion": "orchctl.dev/v1", "kind": "Agent", "metadata": {"name": name}, "spec": {"llm": "demo"},
        "status": {"uid": name, "generation": 1, "createdAt": AT},
    })
}

fn said() -> Value {
    json!({
        "items": [
            {"number": 1, "turn": 1, "role": "user", "at": AT, "text": "Hello"},
            {"number": 2, "turn": 1, "role": "assistant", "at": AT, "text": "Hello\nyourself", "llm": "demo"},
        ],
        "turns": [{"turn": 1, "state": "complete", "beganAt": AT, "usage": usage()}],
    })
}

fn asked(arguments: &[&str], answers: Vec<Answer>) -> (Transcript, Vec<String>) {
    let daemon = Daemon::playing(answers);
    let run = Home::with_daemon(&daemon.address).run(&[&["thread"], arguments].concat());
    (run, daemon.lines())
}

fn page(items: &[Value], go_on: Option<&str>) -> Answer {
    Answer::json(200, &json!({"items": items, "continue": go_on}))
}

#[test]
fn threads_are_listed_and_read() {
    let one = || vec![page(&[thread("t-1", "reviewer", "2020-01-02T00:00:00.000Z")], None)];
    let column = "custom-columns=ID:.id,STATE:.lastTurn.state";
    insta::assert_snapshot!(story([
        asked(&["list", "reviewer", "-o", column], one()).0,
        asked(&["list", "reviewer", "-o", "yaml"], one()).0,
        asked(&["list", "reviewer"], vec![page(&[], None)]).0,
        asked(&["get", "t-1"], vec![Answer::json(200, &said())]).0,
        asked(
            &["get", "t-1", "-o", "jsonpath={.items[-1:].text}"],
            vec![Answer::json(200, &said())]
        )
        .0,
        asked(&["get", "t-1", "-o", "json"], vec![Answer::json(200, &said())]).0,
        asked(
            &["get", "t-9"],
            vec![Answer::problem(404, "ORCH3001", "you have no thread `t-9`")]
        )
        .0,
        asked(&["get", "../agents"], vec![]).0,
    ]));
}

#[test]
fn pages_are_put_together() {
    let older = thread("t-1", "reviewer", "2020-01-02T00:00:00.000Z");
    let newer = thread("t-2", "writer", "2020-01-03T00:00:00.000Z");
    let (run, lines) = asked(
        &["list", "--limit", "5", "-o", "name"],
        vec![
            Answer::json(
                200,
                &list(1, &[agent("reviewer"), agent("writer"), agent("closed")], None),
            ),
            page(&[], Some("more")),
            page(&[older], None),
            page(&[newer], None),
            Answer::problem(403, "ORCH2002", "you may not run agent/closed"),
        ],
    );
    assert_eq!(
        (run.code, run.stdout.as_str()),
        (0, "thread/t-2\nthread/t-1\n"),
        "{run}"
    );
    assert_eq!(lines[1], "GET /api/v1/agents/reviewer/threads?limit=5");
    assert_eq!(lines[2], "GET /api/v1/agents/reviewer/threads?limit=5&continue=more");

    let turn = |number: u32| json!({"turn": number, "state": "complete", "beganAt": AT, "usage": usage()});
    let message = |number: u32| json!({"number": number, "turn": 1, "role": "user", "at": AT, "text": "x"});
    let (run, lines) = asked(
        &["get", "t-1", "-o", "jsonpath={.items[*].number} {.turns[*].turn}"],
        vec![
            Answer::json(
                200,
                &json!({"items": [message(1)], "turns": [turn(1)], "continue": "more"}),
            ),
            Answer::json(200, &json!({"items": [message(2)], "turns": [turn(1), turn(2)]})),
        ],
    );
    assert_eq!(run.stdout, "1 2 1 2", "{run}");
    assert_eq!(lines[1], "GET /api/v1/threads/t-1/messages?limit=1000&continue=more");
}

#[test]
fn threads_are_tidied_up() {
    let forked = || Answer::json(201, &thread("t-2", "reviewer", AT));
    for (arguments, answers, expected, code, stdout) in [
        (
            &["rename", "t-1", "The notes"][..],
            vec![Answer::json(200, &thread("t-1", "reviewer", AT))],
            &["PATCH /api/v1/threads/t-1"][..],
            0,
            "thread/t-1   renamed\n",
        ),
        (
            &["delete", "t-1", "t-9", "t-2"],
            vec![
                Answer::json(200, &thread("t-10", "reviewer", AT)),
                Answer::json(200, &json!({})),
                Answer::problem(404, "ORCH3001", "you have no thread `t-9`"),
                Answer::json(200, &thread("t-2", "reviewer", AT)),
                Answer::json(200, &json!({})),
            ],
            // What is said may be no more than how an id begins: the whole one is deleted, and told.
            &[
                "GET /api/v1/threads/t-1",
                "DELETE /api/v1/threads/t-10",
                "GET /api/v1/threads/t-9",
                "GET /api/v1/threads/t-2",
                "DELETE /api/v1/threads/t-2",
            ],
            3,
            "thread/t-10   deleted\nthread/t-2   deleted\n",
        ),
        (
            &["delete", "t-9", "--ignore-not-found"],
            vec![Answer::problem(404, "ORCH3001", "you have no thread `t-9`")],
            &["GET /api/v1/threads/t-9"],
            0,
            "",
        ),
        (
            &["fork", "t-1", "--turn", "2", "--title", "Another way"],
            vec![forked()],
            &["POST /api/v1/threads/t-1/fork"],
            0,
            // Which one it was, is what the daemon says.
            "thread/t-2   forked from t-0 with 2 turns\n",
        ),
        (
            &["fork", "t-1", "-o", "name"],
            vec![forked()],
            &["POST /api/v1/threads/t-1/fork"],
            0,
            "thread/t-2\n",
        ),
    ] {
        let (run, lines) = asked(arguments, answers);
        assert_eq!((run.code, run.stdout.as_str()), (code, stdout), "{run}");
        assert_eq!(lines, expected);
    }
    let daemon = Daemon::playing([forked(), forked()]);
    let home = Home::with_daemon(&daemon.address);
    for (form, id) in [("json", "\"id\": \"t-2\""), ("yaml", "id: t-2")] {
        let run = home.run(&["thread", "fork", "t-1", "-o", form]);
        assert!(run.stdout.contains(id) && run.stderr.is_empty(), "{run}");
    }
    let daemon = Daemon::playing([forked()]);
    let run = Home::with_daemon(&daemon.address).run(&["thread", "fork", "t-1", "--turn", "0"]);
    assert!(run.stderr.contains("orchctl chat reviewer --thread t-2"), "{run}");
    assert_eq!(daemon.asked()[0].json(), json!({"turn": 0}));
}

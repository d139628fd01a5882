//! People and scripts that talk with agents at the command line, through the real daemon.

use std::process::Command;

use serde_json::{Value, json};

use super::super::{manifest, server};
use crate::support::daemon::{Home, Output, eventually, say};

/// A daemon with an agent whose model answers from that script.
fn with_agent(script: &Value) -> Home {
    let home = Home::new().started();
    home.apply(&(model(script) + &manifest("Agent", "reviewer", &json!({"llm": "demo"}))));
    home
}

fn model(script: &Value) -> String {
    let spec = json!({"provider": "scripted", "model": "demo", "script": script});
    manifest("Llm", "demo", &spec)
}

fn chat(home: &Home, arguments: &[&str], input: &str) -> Output {
    home.orchctl_reading(input, &[&["chat", "reviewer"], arguments].concat())
}

/// The thread that a run has told at its end.
fn thread(output: &Output) -> String {
    let ids: Vec<&str> = output
        .stderr
        .lines()
        .filter_map(|line| line.strip_prefix("thread: "))
        .collect();
    match ids[..] {
        [id] if !id.is_empty() && !id.contains(' ') => id.to_owned(),
        _ => panic!("not one thread is told:\n{}", output.stderr),
    }
}

fn json_of(output: &Output) -> Value {
    serde_json::from_str(&output.stdout).expect("JSON")
}

#[test]
fn scripts_say_one_thing_after_the_other() {
    let home = with_agent(&json!([{"reasoning": "hm", "text": "**Hello** you"}, {"text": "Again"}, {"text": "Third"}]));
    let first = chat(&home, &["-m", "hi"], "").expect(0);
    assert_eq!(first.stdout, "**Hello** you\n");
    assert!(first.stderr.contains("hm\n"), "{}", first.stderr);
    let id = thread(&first);

    let second = chat(&home, &["--thread", &id], "from a pipe\n").expect(0);
    assert_eq!((second.stdout.as_str(), thread(&second)), ("Again\n", id.clone()));

    let third = chat(
        &home,
        &["-m", "Both:", "--thread", &id, "--no-stream", "-o", "json"],
        "text\n",
    )
    .expect(0);
    assert_eq!(json_of(&third)["assistant"], "Third");
    assert_eq!(json_of(&third)["turn"], 3);
    assert_eq!(thread(&third), id);

    let said = json_of(&home.orchctl(&["thread", "get", &id, "-o", "json"]).expect(0));
    let texts: Vec<&str> = said["items"]
        .as_array()
        .expect("messages")
        .iter()
        .filter_map(|message| message["text"].as_str())
        .collect();
    assert_eq!(
        texts,
        ["hi", "**Hello** you", "from a pipe", "Again", "Both:\n\ntext", "Third"]
    );
    let same = home
        .orchctl(&["get", "messages", "--thread", &id, "-o", "json"])
        .expect(0);
    assert_eq!(json_of(&same), said);
}

#[test]
fn threads_are_listed_renamed_forked_and_deleted() {
    let home = with_agent(&json!([{"text": "one"}, {"text": "two"}]));
    let id = thread(&chat(&home, &["-m", "first"], "").expect(0));
    chat(&home, &["-m", "second", "--thread", &id], "").expect(0);
    home.orchctl(&["thread", "rename", &id, "Two of them"]).expect(0);
    home.orchctl(&["thread", "list", "reviewer"])
        .expect(0)
        .saying(&[&id, "Two of them", "complete"]);
    home.orchctl(&["get", "threads", "--agent", "reviewer"])
        .expect(0)
        .saying(&[&id]);

    let forked = home.orchctl(&["thread", "fork", &id, "--turn", "1"]).expect(0);
    let fork = forked.stdout.split([' ', '/']).nth(1).expect("an id").to_owned();
    let said = home
        .orchctl(&["thread", "get", &fork, "-o", "jsonpath={.items[*].text}"])
        .expect(0);
    assert_eq!(said.stdout, "first one");
    let names = home.orchctl(&["thread", "list", "-o", "name"]).expect(0).stdout;
    assert_eq!(names.lines().count(), 2, "{names}");

    home.orchctl(&["thread", "delete", &id, &fork]).expect(0);
    home.orchctl(&["thread", "get", &id]).expect(3);
    home.orchctl(&["thread", "delete", &id, "--ignore-not-found"]).expect(0);
    chat(&home, &["-m", "hi", "--thread", &id], "").expect(3);
}

#[test]
fn what_is_not_there_is_told_with_what_was_meant() {
    let home = with_agent(&json!([{"text": "one"}, {"error": {"status": 500, "message": "no model today"}}]));
    home.orchctl(&["chat", "reviewr", "-m", "hi"])
        .expect(3)
        .saying(&["reviewr", "did you mean agent/reviewer?"]);
    chat(&home, &["-m", "hi", "--personality", "calm"], "")
        .expect(3)
        .saying(&["calm"]);
    let calm = manifest("Personality", "calm", &json!({"description": "Is calm"}));
    home.apply(&calm.replace("{name: calm}", "{name: calm, agent: reviewer}"));
    let id = thread(&chat(&home, &["-m", "hi", "--personality", "calm"], "").expect(0));
    // The model fails in the second turn: the words of the problem, its hint, and the thread all the same.
    let failed = chat(&home, &["-m", "hi", "--thread", &id], "")
        .expect(1)
        .saying(&["error:", "hint:"]);
    assert_eq!(thread(&failed), id);
}

#[test]
fn tools_are_called_where_everybody_can_see_it() {
    let script = json!([
        {"toolCalls": [{"name": "files__echo", "arguments": {"message": "across"}}]},
        {"text": "It came back."},
    ]);
    let home = Home::new().started();
    home.apply(
        &[
            model(&script),
            server("files", &[]),
            manifest("Project", "web", &json!({"servers": ["files"]})),
            manifest("Agent", "reviewer", &json!({"llm": "demo", "project": "web"})),
        ]
        .concat(),
    );
    home.until_ready(&["server/files"]);
    let told = chat(&home, &["-m", "go"], "").expect(0);
    assert_eq!(told.stdout, "It came back.\n");
    assert!(
        told.stderr.contains("call files__echo {\"message\":\"across\"}"),
        "{}",
        told.stderr
    );
    assert!(told.stderr.contains("result files__echo"), "{}", told.stderr);
}

#[test]
fn ctrl_c_cancels_the_turn() {
    let home = with_agent(&json!([{"text": "never", "delay": "600s"}]));
    let child = home.orchctl_command(&["chat", "reviewer", "-m", "hi"]);
    let mut child = child_of(child);
    drop(child.stdin.take());
    let states = || {
        let list = home.orchctl(&["thread", "list", "-o", "jsonpath={.items[*].lastTurn.state}"]);
        list.stdout
    };
    eventually("the turn is under way", || states() == "pending");
    let pid = child.id().to_string();
    assert!(
        Command::new("kill")
            .args(["-INT", &pid])
            .status()
            .expect("kill runs")
            .success()
    );
    let output = Output::of(child).expect(130);
    assert_eq!(thread(&output).len(), 32, "{}", output.stderr);
    assert_eq!(states(), "cancelled");
}

#[test]
fn a_turn_that_a_killed_daemon_has_left_is_gone_on_with() {
    let mut home = with_agent(&json!([{"text": "At last", "delay": "2s"}]));
    let mut child = child_of(home.orchctl_command(&["chat", "reviewer", "-m", "hi"]));
    drop(child.stdin.take());
    eventually("the turn is under way", || {
        let list = home.orchctl(&["thread", "list", "-o", "jsonpath={.items[*].lastTurn.state}"]);
        list.stdout == "pending"
    });
    home.kill_9();
    let output = Output::of(child).expect(6);
    let id = thread(&output);
    let way_back = format!("orchctl chat reviewer --thread {id} --resume");
    let output = output.saying(&[&way_back]);
    assert!(output.stdout.is_empty(), "{}", output.stdout);
    home.start();
    let resumed = chat(&home, &["--thread", &id, "--resume"], "").expect(0);
    assert_eq!((resumed.stdout.as_str(), thread(&resumed)), ("At last\n", id));
}

#[test]
fn a_turn_that_is_left_behind_goes_on() {
    let home = with_agent(&json!([{"text": "By myself", "delay": "1s"}]));
    let left = chat(&home, &["-m", "hi", "--detach", "-o", "json"], "").expect(0);
    let id = json_of(&left)["threadId"].as_str().expect("an id").to_owned();
    assert_eq!(json_of(&left)["turn"], 1);
    let last = "jsonpath={.items[-1:].text}";
    eventually("the agent has answered", || {
        home.orchctl(&["thread", "get", &id, "-o", last]).stdout == "By myself"
    });
}

fn child_of(mut command: Command) -> std::process::Child {
    command.spawn().expect("orchctl runs")
}

/// Lends a terminal: each step is what must be seen, and what is typed then.
const TERMINAL: &str = r#"
import json, os, pty, select, sys, time
steps, program = json.loads(sys.argv[1]), sys.argv[2:]
child, master = pty.fork()
if child == 0:
    os.execv(program[0], program)
seen, deadline = "", time.time() + 60
def read():
    global seen
    if select.select([master], [], [], 0.1)[0]:
        try:
            seen += os.read(master, 65536).decode("utf8", "replace")
        except OSError:
            return False
    return True
for wanted, keys in steps:
    while wanted not in seen:
        if time.time() > deadline or not read():
            sys.exit("not seen: " + wanted + "\n" + repr(seen[-3000:]))
    seen = seen.split(wanted, 1)[1]
    os.write(master, keys.encode())
while read() and time.time() < deadline:
    pass
print(seen, "ended", os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"#;

#[test]
fn a_conversation_has_several_turns_and_can_take_one_back() {
    let home = with_agent(&json!([
        {"text": "A **first** answer"}, {"text": "A second", "delay": "600s"}, {"text": "A third"},
    ]));
    let steps = json!([
        ["reviewer> ", "one\r"],
        ["\u{1b}[1mfirst\u{1b}[0m answer", ""],
        ["reviewer> ", "/tools\r"],
        ["no tools", ""],
        ["reviewer> ", "two\r"],
        ["is thinking", "\u{3}"],
        ["cancelled", ""],
        ["reviewer> ", "/undo\r"],
        ["turn 2 is left behind", ""],
        ["reviewer> ", "/export talk.md\r"],
        ["2 messages are in talk.md", ""],
        ["reviewer> ", "\u{4}"],
        ["thread: ", ""],
    ]);
    let program = home.orchctl_command(&[]).get_program().to_owned();
    let mut python = home.program("python3");
    python.args(["-c", TERMINAL]).arg(steps.to_string()).arg(program);
    python.args(["chat", "reviewer"]).env("TERM", "xterm-256color");
    let Ok(output) = python.output() else {
        assert!(std::env::var_os("ORCH_REQUIRE_ALL").is_none(), "python3 is required");
        return say("python3 is not installed; there is no terminal to try");
    };
    let said = String::from_utf8_lossy(&output.stdout);
    let trouble = String::from_utf8_lossy(&output.stderr);
    assert!(said.trim_end().ends_with("ended 0"), "{said}{trouble}");
    let written = std::fs::read_to_string(home.path("talk.md")).expect("the export");
    assert!(written.contains("A **first** answer"), "{written}");
}

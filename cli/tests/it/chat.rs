//! `chat`: agents that are spoken to, once by scripts and in conversations by people.

use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::support::agent::{Agent, Step, answer, begun, error, last, text, thinking};
use crate::support::home::{Home, Transcript, ended, story};
use crate::support::terminal::on_terminal;

const CHAT: &str = "POST /api/v1/agents/reviewer/chat";
const AGENT: &str = "GET /api/v1/agents/reviewer";

fn call() -> Step {
    Step::Event(json!({
        "type": "tool_call", "id": "c", "name": "files__read", "server": "files", "tool": "read",
        "arguments": {"path": "a"},
    }))
}

fn result(state: &str, text: &str) -> Step {
    Step::Event(json!({
        "type": "tool_result", "id": "c", "name": "files__read", "state": state, "text": text, "tookMs": 12,
    }))
}

/// A turn with everything that a turn may have.
fn eventful() -> Vec<Step> {
    vec![
        begun("t-1", 1),
        thinking("I should\nread "),
        thinking("it."),
        text(1, "Let me "),
        text(1, "look."),
        Step::Event(
            json!({"type": "usage", "inputTokens": 1, "cachedTokens": 0, "outputTokens": 1, "iterations": 1, "toolCalls": 1, "tookMs": 1}),
        ),
        call(),
        Step::Bytes(": ping\n\n"),
        result("complete", "first line\nsecond"),
        Step::Event(json!({"type": "news_of_a_later_version", "x": 1})),
        text(2, "It says **x**"),
        text(2, ".\n"),
        last("t-1", 1, "It says **x**.\n"),
        Step::Bytes("data: [DONE]\n\n"),
    ]
}

/// Runs the program against an agent with that turn.
fn told(steps: Vec<Step>, arguments: &[&str], input: &str) -> Transcript {
    let agent = Agent::start();
    agent.turn(steps);
    let home = Home::with_daemon(&agent.address);
    let mut run = home.run_with_input(&[&["chat", "reviewer"], arguments].concat(), input);
    run.stderr = run.stderr.replace(&agent.address, "http://daemon");
    run
}

#[test]
fn what_an_agent_says_is_data_and_what_it_does_is_talk() {
    insta::assert_snapshot!(story([
        told(eventful(), &["-m", "What does it say?"], ""),
        told(eventful(), &["-m", "What does it say?", "--no-thinking"], ""),
        told(eventful(), &["-m", "What does it say?", "-q"], ""),
        told(eventful(), &["-m", "What does it say?", "-o", "json"], ""),
        told(
            vec![
                begun("t-1", 1),
                call(),
                result("error", "no such file"),
                text(2, "No."),
                last("t-1", 1, "No.")
            ],
            &["-m", "What does it say?", "-o", "yaml"],
            "",
        ),
    ]));
}

#[test]
fn what_fails_says_why_and_how_to_go_on() {
    let cut = || vec![begun("t-1", 3), text(1, "As far as")];
    insta::assert_snapshot!(story([
        told(
            vec![
                begun("t-1", 1),
                error(
                    "t-1",
                    1,
                    "ORCH6040",
                    "llm/demo answered with 500",
                    Some("orchctl why llm/demo")
                ),
            ],
            &["-m", "x"],
            "",
        ),
        told(
            vec![
                begun("t-1", 1),
                error("t-1", 1, "ORCH6043", "the turn was cancelled", None)
            ],
            &["-m", "x"],
            ""
        ),
        told(cut(), &["-m", "x"], ""),
        told(vec![], &["-m", "x"], ""),
        told(vec![], &[], " \n"),
        told(vec![], &["-m", "x", "--resume"], ""),
        told(vec![], &["-m", "x", "--thread", "a/b"], ""),
        told(vec![], &["-m", "x", "--param", "max_tokens=1"], ""),
        told(vec![], &["-m", "x", "--param", "model=other"], ""),
        told(vec![], &["-m", "x", "--timeout", "0s"], ""),
        told(
            vec![begun("t-1", 1), Step::UntilCancelled],
            &["-m", "x", "--timeout", "1s"],
            ""
        ),
    ]));
}

#[test]
fn refusals_end_as_elsewhere() {
    for (status, code, exit) in [
        (404, "ORCH3001", 3),
        (409, "ORCH3022", 4),
        (403, "ORCH2002", 5),
        (402, "ORCH6042", 1),
    ] {
        let agent = Agent::start();
        let problem =
            json!({"type": "about:blank", "title": "t", "status": status, "code": code, "detail": "so it is"});
        let live = json!({"apiVersion": "orchctl.dev/v1", "kind": "Agent", "metadata": {"name": "reviewer"}, "spec": {"llm": "x"}});
        agent.answers(CHAT, status, problem).answers(AGENT, 200, live);
        for how in [&["-m", "x"][..], &["-m", "x", "--no-stream"]] {
            let run = Home::with_daemon(&agent.address).run(&[&["chat", "reviewer"], how].concat());
            assert_eq!(run.code, exit, "{run}");
            assert!(run.stderr.contains("so it is"), "{run}");
        }
    }
}

#[test]
fn the_request_says_what_was_typed() {
    for (arguments, input, expected) in [
        (&["-m", "hi"][..], "", json!({"message": "hi", "stream": true})),
        (&[], "hi\n", json!({"message": "hi", "stream": true})),
        (&[], "a\n\nb\n\n", json!({"message": "a\n\nb\n", "stream": true})),
        (
            &["-m", "Review:"],
            "x = 1\n",
            json!({"message": "Review:\n\nx = 1", "stream": true}),
        ),
        (
            &[
                "-m",
                "hi",
                "--thread",
                "t-1",
                "--personality",
                "calm",
                "--system-append",
                "Be brief.",
            ],
            "",
            json!({"message": "hi", "threadId": "t-1", "personality": "calm", "systemAppend": "Be brief.", "stream": true}),
        ),
        (
            &[
                "-m",
                "hi",
                "--system-prompt",
                "Be brief.",
                "--param",
                "temperature=0",
                "--param",
                "seed=7",
            ],
            "",
            json!({
                "message": "hi", "systemAppend": "Be brief.", "stream": true,
                "params": {"temperature": 0.0, "extra": {"seed": 7}},
            }),
        ),
        (
            &["-m", "hi", "--detach"],
            "",
            json!({"message": "hi", "stream": true, "detach": true}),
        ),
    ] {
        let agent = Agent::start();
        agent.turn([begun("t-1", 1), last("t-1", 1, "ok")]);
        let run = Home::with_daemon(&agent.address).run_with_input(&[&["chat", "reviewer"], arguments].concat(), input);
        assert_eq!(run.code, 0, "{run}");
        assert_eq!(agent.bodies(CHAT), [expected], "{arguments:?}");
        assert!(run.stderr.contains("thread: t-1\n"), "{run}");
    }
}

#[test]
fn an_answer_may_be_taken_as_a_whole() {
    let agent = Agent::start();
    agent.answers(CHAT, 200, answer("t-1", 1, "All **of** it"));
    let home = Home::with_daemon(&agent.address);
    let run = home.run(&["chat", "reviewer", "-m", "hi", "--no-stream"]);
    assert_eq!(
        (run.code, run.stdout.as_str(), run.stderr.as_str()),
        (0, "All **of** it\n", "thread: t-1\n")
    );
    assert_eq!(agent.bodies(CHAT), [json!({"message": "hi"})]);
    let run = home.run(&["chat", "reviewer", "-m", "hi", "--no-stream", "-o", "json"]);
    let told: Value = serde_json::from_str(&run.stdout).expect("JSON");
    assert_eq!(told, answer("t-1", 1, "All **of** it"));
}

#[test]
fn what_is_odd_about_an_answer_is_said() {
    let mut cut = answer("t-1", 1, "Because of");
    cut["truncated"] = true.into();
    cut["fromReasoning"] = true.into();
    cut["type"] = "final".into();
    let run = told(
        vec![begun("t-1", 1), thinking("Because of"), Step::Event(cut)],
        &["-m", "why?"],
        "",
    );
    assert_eq!(run.stdout, "Because of\n", "{run}");
    assert!(run.stderr.contains("nothing but its reasoning"), "{run}");
    assert!(run.stderr.contains("cut off"), "{run}");
    let compacted = json!({"type": "compacted", "from": 1, "to": 7, "text": "So far: ..."});
    let run = told(
        vec![
            begun("t-1", 8),
            Step::Event(compacted),
            text(1, "ok"),
            last("t-1", 8, "ok"),
        ],
        &["-m", "go on"],
        "",
    );
    assert!(run.stderr.contains("turns 1 to 7"), "{run}");
}

#[test]
fn a_turn_that_was_interrupted_is_gone_on_with() {
    let agent = Agent::start();
    agent.turn([begun("t-1", 3), text(1, "As I said"), last("t-1", 3, "As I said")]);
    let home = Home::with_daemon(&agent.address);
    let run = home.run(&["chat", "reviewer", "--thread", "t-1", "--resume"]);
    assert_eq!((run.code, run.stdout.as_str()), (0, "As I said\n"), "{run}");
    assert_eq!(
        agent.bodies("POST /api/v1/threads/t-1/resume"),
        [json!({"stream": true})]
    );
}

#[test]
fn a_turn_may_be_left_behind() {
    let agent = Agent::start();
    agent.turn([begun("t-1", 2), text(1, "never shown"), Step::UntilHungUp]);
    let home = Home::with_daemon(&agent.address);
    let run = home.run(&["chat", "reviewer", "-m", "hi", "--detach", "-o", "json"]);
    assert_eq!(run.code, 0, "{run}");
    let told: Value = serde_json::from_str(&run.stdout).expect("JSON");
    assert_eq!(told, json!({"threadId": "t-1", "turn": 2}));
    agent.until_hung_up(1);
}

#[test]
fn ctrl_c_cancels_the_turn_and_ends_a_run_that_has_no_other() {
    let cancel = "POST /api/v1/threads/t-1/cancel";
    for (steps, is_told) in [
        (vec![begun("t-1", 1), text(1, "As far"), Step::UntilCancelled], true),
        // The daemon does not say which thread it is: to hang up is all that can be done.
        (vec![Step::Bytes(": ping\n\n"), Step::UntilHungUp], false),
    ] {
        let agent = Agent::start();
        agent.turn(steps).answers(cancel, 200, json!({}));
        let home = Home::with_daemon(&agent.address);
        let child = home
            .command(&["chat", "reviewer", "-m", "hi"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program starts");
        agent.until_heard(CHAT);
        // What it was told last must have reached it.
        std::thread::sleep(std::time::Duration::from_millis(300));
        let pid = child.id().to_string();
        assert!(
            Command::new("kill")
                .args(["-INT", &pid])
                .status()
                .expect("kill runs")
                .success()
        );
        let output = ended(child);
        let said = home.transcript(&["chat"], &output);
        assert_eq!(output.status.code(), Some(130), "{said}");
        assert_eq!(agent.bodies(cancel).len(), usize::from(is_told), "{said}");
        if is_told {
            assert_eq!(
                (said.stdout.as_str(), said.stderr.as_str()),
                ("As far\n", "thread: t-1\n")
            );
        } else {
            agent.until_hung_up(1);
        }
    }
}

fn thread(id: &str, turns: u32) -> Value {
    let at = "2020-01-01T00:00:00.000Z";
    json!({
        "id": id, "agent": "reviewer", "title": "Two files", "createdAt": at, "updatedAt": at, "turns": turns,
        "lastTurn": {
            "turn": turns, "state": "complete", "beganAt": at,
            "usage": {"inputTokens": 1, "cachedTokens": 0, "outputTokens": 1, "iterations": 1, "toolCalls": 0, "tookMs": 1},
        },
    })
}

fn messages() -> Value {
    let at = "2020-01-01T00:00:00.000Z";
    json!({"items": [
        {"number": 1, "turn": 1, "role": "user", "at": at, "text": "Hello"},
        {"number": 2, "turn": 1, "role": "assistant", "at": at, "text": "",
         "toolCalls": [{"id": "c", "name": "files__read", "arguments": {}}]},
        {"number": 3, "turn": 1, "role": "assistant", "at": at, "text": "Hello yourself"},
    ], "turns": []})
}

#[test]
fn a_conversation_at_a_terminal() {
    let agent = Agent::start();
    agent
        .turn([begun("t-1", 1), thinking("hm"), text(1, "**Hello** "), text(1, "yourself"), last("t-1", 1, "x")])
        .turn([begun("t-2", 1), text(1, "And again"), last("t-2", 1, "And again")])
        .answers("GET /api/v1/threads/t-1", 200, thread("t-1", 1))
        .answers("POST /api/v1/threads/t-1/fork", 201, thread("t-2", 0))
        .answers("GET /api/v1/threads/t-2", 200, thread("t-2", 1))
        .answers("GET /api/v1/threads/t-1/messages?limit=1000", 200, messages())
        .answers("GET /api/v1/threads/t-2/messages?limit=1000", 200, messages())
        .answers(
            "GET /api/v1/agents/reviewer/tools",
            200,
            json!({"items": [{
                "name": "files__read", "server": "files", "tool": "read", "description": "Reads a file", "inputSchema": {},
            }]}),
        );
    let home = Home::with_daemon(&agent.address);
    let steps = [
        ("reviewer> ", "/hel\t\r"),
        ("/personality", ""),
        ("reviewer> ", "first\\\rsecond\u{1b}\rthird\r"),
        ("\u{1b}[2;3mhm\u{1b}[0m", ""),
        ("\u{1b}[1mHello\u{1b}[0m yourself", ""),
        ("1,204 tokens in, 80 out", ""),
        ("reviewer> ", "/tools\r"),
        ("files__read       1", ""),
        ("reviewer> ", "/nonsense\r"),
        ("there is no command `/nonsense`", ""),
        ("reviewer> ", "/undo\r"),
        ("turn 1 is left behind in thread t-1", ""),
        ("reviewer> ", "\u{1b}[200~pasted \\\rlines\u{1b}[201~\r"),
        ("And again", ""),
        ("reviewer> ", "/export talk.md\r"),
        ("3 messages are in talk.md", ""),
        ("reviewer> ", "/export talk.md\r"),
        ("file exists", ""),
        ("reviewer> ", "\u{4}"),
    ];
    let Some(said) = on_terminal(&home, &["chat", "reviewer"], &steps) else {
        return;
    };
    assert!(said.contains("thread: t-2"), "{said}");
    assert!(said.trim_end().ends_with("ended 0 restored"), "{said}");
    let expected = [
        json!({"message": "first\nsecond\nthird", "stream": true}),
        json!({"message": "pasted \\\nlines", "threadId": "t-2", "stream": true}),
    ];
    assert_eq!(agent.bodies(CHAT), expected);
    assert_eq!(agent.bodies("POST /api/v1/threads/t-1/fork"), [json!({"turn": 0})]);
    let written = std::fs::read_to_string(home.path().join("talk.md")).expect("the export");
    assert!(written.contains("**You:**\n\nHello\n"), "{written}");
    let history = home.path().join(".local/state/orchctl/chat-history");
    let kept = std::fs::read_to_string(&history).expect("the history");
    assert!(kept.contains("/tools\n"), "{kept}");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = std::fs::metadata(&history).expect("the history").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}

#[test]
fn ctrl_c_cancels_the_turn_and_not_the_conversation() {
    let agent = Agent::start();
    agent
        .turn([begun("t-1", 1), text(1, "As far \u{1b}[2Jas"), Step::UntilCancelled])
        .turn([begun("t-1", 2), text(1, "Better"), last("t-1", 2, "Better")])
        .answers("POST /api/v1/threads/t-1/cancel", 200, json!({}));
    let home = Home::with_daemon(&agent.address);
    let steps = [
        ("reviewer> ", "one\r"),
        ("As far \u{fffd}[2Jas", ""),
        ("", "\u{3}"),
        ("cancelled", ""),
        ("reviewer> ", "two\r"),
        ("Better", ""),
        ("reviewer> ", "\u{3}"),
        ("Ctrl-C once more leaves", ""),
        ("reviewer> ", "\u{3}"),
    ];
    if let Some(said) = on_terminal(&home, &["chat", "reviewer", "--raw"], &steps) {
        assert!(said.trim_end().ends_with("ended 0 restored"), "{said}");
        assert_eq!(agent.bodies("POST /api/v1/threads/t-1/cancel").len(), 1);
        assert_eq!(agent.bodies(CHAT)[1]["threadId"], "t-1");
    }
}

#[test]
fn a_turn_that_broke_off_is_gone_on_with_in_the_conversation() {
    let agent = Agent::start();
    agent
        .turn([begun("t-1", 1), text(1, "As far as")])
        .turn([error("t-1", 1, "ORCH4004", "asked too often", Some("POST it"))])
        .turn([begun("t-1", 1), text(1, "Better"), last("t-1", 1, "Better")]);
    let home = Home::with_daemon(&agent.address);
    let steps = [
        ("reviewer> ", "one\r"),
        ("go on with it: /resume", ""),
        ("reviewer> ", "/resume\r"),
        ("asked too often", ""),
        ("go on with it: /resume", ""),
        ("reviewer> ", "/resume\r"),
        ("Better", ""),
        ("reviewer> ", "\u{4}"),
    ];
    if let Some(said) = on_terminal(&home, &["chat", "reviewer", "--raw"], &steps) {
        assert!(said.trim_end().ends_with("ended 0 restored"), "{said}");
        assert_eq!(agent.bodies("POST /api/v1/threads/t-1/resume").len(), 2);
    }
}

#[test]
fn who_is_told_to_end_gives_the_terminal_back() {
    let agent = Agent::start();
    let home = Home::with_daemon(&agent.address);
    let steps = [("reviewer> ", "x"), ("x", "SIGTERM")];
    if let Some(said) = on_terminal(&home, &["chat", "reviewer"], &steps) {
        assert!(said.trim_end().ends_with("ended 143 restored"), "{said}");
    }
}

#[test]
fn without_colour_marks_stay() {
    let agent = Agent::start();
    agent.turn([begun("t-1", 1), text(1, "# A **b**\n\n- c"), last("t-1", 1, "x")]);
    let mut home = Home::with_daemon(&agent.address);
    home.set("NO_COLOR", "1");
    let steps = [("# A **b**", ""), ("- c", "")];
    if let Some(said) = on_terminal(&home, &["chat", "reviewer", "-m", "hi"], &steps) {
        assert!(said.contains("thread: t-1") && said.contains("ended 0"), "{said}");
        assert!(!said.contains('\u{1b}'), "{said:?}");
    }
}

#[test]
fn a_conversation_has_no_form() {
    let agent = Agent::start();
    let home = Home::with_daemon(&agent.address);
    if let Some(said) = on_terminal(&home, &["chat", "reviewer", "-o", "json"], &[("-m TEXT", "")]) {
        assert!(said.contains("ended 2"), "{said}");
    }
}

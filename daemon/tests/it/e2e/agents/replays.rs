//! Cassettes: a thread is exported, and run once more with the same answers, with another model, and with another agent.

use std::fs;
use std::path::PathBuf;

use orch_shared::cassette::Cassette;
use serde_json::{Value, json};

use super::rights::{ask, machine};
use super::{agent, calls, chat, home_with, post, say, scripted, scripted_with, text};
use crate::e2e::backends::{backend, secret};
use crate::e2e::manifest;
use crate::support::daemon::{Home, eventually};
use crate::support::far::Far;
use crate::support::http::Answer;
use crate::support::vault::Vault;

/// Looks that up with a tool, and says what it found.
fn looks_up(what: &str, found: &str) -> Value {
    json!([
        {"toolCalls": [{"name": "raw__echo", "arguments": {"what": what, "token": "hunter2hunter2"}}]},
        {"text": found},
        {"text": "You are welcome."},
    ])
}

/// A daemon with an agent that has looked something up, and the thread of that.
fn recorded() -> (Home, Far, String) {
    let declared = scripted("m", &looks_up("a", "It is a."))
        + &scripted("other", &looks_up("b", "It is b."))
        + &scripted("same", &looks_up("a", "It is a."))
        + &agent(json!({"systemPrompt": "Be kind.\nBe brief.", "defaultParams": {"temperature": 0.5}}));
    let (home, far) = home_with(&declared);
    let said = say(&home, "What is it? My key is orch_0123456789abcdef0123456789abcdef.");
    let thread = text(&said["threadId"]).to_owned();
    assert_eq!(text(&said["assistant"]), "It is a.");
    let more = json!({"message": "Thanks", "threadId": thread, "params": {"extra": {"api_key": "hunter2hunter2"}}});
    chat(&home, &more).expect(200);
    assert_eq!(calls(&far), 1);
    (home, far, thread)
}

/// The cassette of a thread, as a file.
fn exported(home: &Home, thread: &str) -> (PathBuf, Value) {
    let file = home.path("thread.cassette.json");
    let path = file.to_str().expect("a path").to_owned();
    let told = home.orchctl(&["thread", "export", thread, "-f", &path]).expect(0);
    assert!(told.stderr.contains("2 turns with agent/a"), "{}", told.stderr);
    let written = fs::read_to_string(&file).expect("a file");
    (file, serde_json::from_str(&written).expect("JSON"))
}

/// How often a model was asked.
fn asked(home: &Home, llm: &str) -> i64 {
    let used = home.get("usage?by=llm");
    let items = used["items"].as_array().expect("items");
    let found = items.iter().find(|item| item["llm"] == llm);
    found.and_then(|item| item["requests"].as_i64()).unwrap_or(0)
}

fn replay(home: &Home, cassette: &Value, against: Value) -> Answer {
    let mut body = json!({"cassette": cassette});
    if !against.is_null() {
        body["against"] = against;
    }
    post(home, "replays", &body).send()
}

/// What differs, in brief: the turn, the request and the part.
#[track_caller]
fn parts(report: &Value) -> Vec<String> {
    let differences = report["differences"].as_array().expect("a list").iter();
    differences
        .map(|one| format!("{} {} {}", one["turn"], one["step"], text(&one["part"])))
        .collect()
}

#[test]
fn a_thread_is_run_once_more() {
    let (home, far, thread) = recorded();
    let (file, cassette) = exported(&home, &thread);
    let path = file.to_str().expect("a path");
    // Nothing secret is on it.
    let written = cassette.to_string();
    assert!(
        !written.contains("orch_0123") && !written.contains("hunter2"),
        "{written}"
    );
    assert!(written.contains("My key is ***"), "{written}");

    // As it is, nothing is different, and nobody is asked: neither the tool nor the model.
    eventually("what was recorded is counted", || asked(&home, "m") == 3);
    let told = home.orchctl(&["replay", path]).expect(0);
    assert_eq!(
        (told.stdout.as_str(), told.stderr.contains("2 turns, all the same")),
        ("", true)
    );
    let said_again = home.orchctl(&["replay", path, "--against", "llm=same"]).expect(0);
    assert!(said_again.stderr.contains("all the same"), "{}", said_again.stderr);
    assert_eq!(calls(&far), 1, "tools are never called");
    eventually("another model was asked", || asked(&home, "same") == 3);
    assert_eq!(asked(&home, "m"), 3, "and the first one was not");

    // A changed prompt shows, once for each turn.
    home.apply(&agent(
        json!({"systemPrompt": "Be kind.\nBe long.", "defaultParams": {"temperature": 0.5}}),
    ));
    let told = home.orchctl(&["replay", path]).expect(1);
    assert_eq!(
        told.stdout,
        "turn 1, request 1: system\n@@ -1,2 +1,2 @@\n Be kind.\n-Be brief.\n+Be long.\n\
         turn 2, request 1: system\n@@ -1,2 +1,2 @@\n Be kind.\n-Be brief.\n+Be long.\n"
    );
    // So does another parameter, and a tool that may no longer be called.
    home.apply(&agent(
        json!({"systemPrompt": "Be kind.\nBe brief.", "tools": {"allow": ["raw__add"]}}),
    ));
    let report = replay(&home, &cassette, Value::Null).expect(200).json();
    let told = parts(&report);
    for part in ["1 1 params", "1 1 tools", "1 null calls", "2 1 params"] {
        assert!(told.contains(&part.to_owned()), "{part}: {told:?}");
    }
    assert_eq!(calls(&far), 1);
}

/// Tools are told apart by where they are: what a model calls them may be anything.
#[test]
fn names_that_are_not_those_of_servers_make_no_difference() {
    let script = json!([{"toolCalls": [{"name": "books__echo", "arguments": {"what": "a"}}]}, {"text": "It is a."}]);
    let (far, _) = super::counting();
    let server = json!({"remote": {"url": far.url("/mcp")}, "tools": {"prefix": "books"}});
    let home = Home::new().started();
    home.apply(
        &[
            manifest("Server", "raw", &server),
            manifest("Project", "p", &json!({"servers": ["raw"]})),
            scripted("m", &script),
            agent(json!({"tools": {"allow": ["raw__e*"]}})),
        ]
        .concat(),
    );
    home.until_ready(&["server/raw"]);
    let thread = text(&say(&home, "go")["threadId"]).to_owned();
    assert_eq!(calls(&far), 1);
    let cassette = home.get(&format!("threads/{thread}/cassette"));
    let call = &cassette["turns"][0]["calls"][0];
    assert_eq!(
        (&call["name"], &call["server"], &call["tool"]),
        (&json!("books__echo"), &json!("raw"), &json!("echo"))
    );
    let report = replay(&home, &cassette, Value::Null).expect(200).json();
    assert_eq!(parts(&report), [""; 0], "{report}");
    // What may no longer be called is told all the same.
    home.apply(&agent(json!({"tools": {"allow": ["raw__add"]}})));
    let told = parts(&replay(&home, &cassette, Value::Null).expect(200).json());
    for part in ["1 1 tools", "1 null calls"] {
        assert!(told.contains(&part.to_owned()), "{part}: {told:?}");
    }
}

/// Texts that are long beyond reason are not compared line by line, and the daemon goes on.
#[test]
fn long_texts_are_told_as_too_different() {
    let declared = scripted("m", &json!([{"text": "one"}])) + &agent(json!({}));
    let (home, _far) = home_with(&declared);
    let thread = text(&say(&home, "hello")["threadId"]).to_owned();
    let recorded: Cassette =
        serde_json::from_value(home.get(&format!("threads/{thread}/cassette"))).expect("a cassette");
    let lines = |count: u64, factor: u64| -> String {
        let line = |number: u64| format!("{}\n", (number.wrapping_mul(number).wrapping_mul(factor) >> 7) % 10);
        (1..=count).map(line).collect()
    };
    let told = |system: u64, append: u64| {
        let mut cassette = recorded.clone();
        let system = cassette.keep(json!(lines(system, 0x9e37_79b9_7f4a_7c15)));
        cassette.turns[0].exchanges[0].system = system;
        cassette.turns[0].system_append = Some(lines(append, 0xd134_2543_de82_ef95));
        replay(&home, &json!(cassette.sealed()), Value::Null)
    };
    let report = told(500_000, 120_000).expect(200).json();
    assert_eq!(parts(&report), ["1 1 system"]);
    let diff = text(&report["differences"][0]["diff"]);
    assert!(diff.starts_with("too different to show: "), "{}", &diff[..80]);
    let report = told(10_000, 10_000).expect(200).json();
    let diff = text(&report["differences"][0]["diff"]);
    assert!(diff.starts_with("@@ "), "{}", &diff[..80]);
    // Nobody could say so much to the agent.
    let refused = told(10, 150_000).expect(413).json();
    assert_eq!(
        refused["detail"],
        "`systemAppend` of turn 1 of the cassette is longer than 256 KiB"
    );
    home.get("status");
}

#[test]
fn another_model_and_another_agent_are_compared() {
    let (home, far, thread) = recorded();
    let (file, cassette) = exported(&home, &thread);
    // It calls the tool with something else, of which there is no result, and says something else.
    let report = replay(&home, &cassette, json!({"llm": "other"})).expect(200).json();
    let told = parts(&report);
    for part in ["1 1 calls", "1 null calls", "1 2 answer"] {
        assert!(told.contains(&part.to_owned()), "{part}: {report}");
    }
    assert!(report.to_string().contains("-It is a.\\n+It is b."), "{report}");

    // Another agent goes on by itself where the first one stopped.
    let draft = scripted("short", &json!([{"text": "I know it."}]))
        + &manifest(
            "Agent",
            "draft",
            &json!({"llm": "short", "project": "p", "systemPrompt": "Guess."}),
        );
    home.apply(&draft);
    let path = file.to_str().expect("a path");
    let told = home.orchctl(&["replay", path, "--against", "agent=draft"]).expect(1);
    for line in [
        "turn 1, request 1: system",
        "-Be kind.",
        "+Guess.",
        "turn 1, request 1: answer",
        "+I know it.",
    ] {
        assert!(told.stdout.contains(line), "{line}: {}", told.stdout);
    }
    let json = home
        .orchctl(&["replay", path, "--against", "agent=draft", "-o", "json"])
        .expect(1);
    let report: Value = serde_json::from_str(&json.stdout).expect("JSON");
    assert_eq!((text(&report["agent"]), &report["turns"]), ("draft", &json!(2)));
    assert_eq!(calls(&far), 1, "tools are never called");
}

#[test]
fn one_that_stands_in_is_not_compared() {
    let away =
        json!({"provider": "openai-compatible", "model": "m", "url": "http://127.0.0.1:9", "fallbacks": ["same"]});
    let (home, _far, thread) = recorded();
    home.apply(&manifest("Llm", "away", &away));
    let (_, cassette) = exported(&home, &thread);
    let refused = replay(&home, &cassette, json!({"llm": "away"})).expect(502);
    let told = "llm/away: it does not answer; llm/same stood in";
    assert!(refused.body.contains(told), "{}", refused.body);
}

#[test]
fn what_another_model_costs_counts() {
    let (home, _far, thread) = recorded();
    let (file, cassette) = exported(&home, &thread);
    let path = file.to_str().expect("a path");
    let pricing = json!({"pricing": {"inputPerMillion": 1_000_000.0, "outputPerMillion": 1_000_000.0}});
    let priced = scripted_with("dear", &looks_up("a", "It is a."), pricing);
    let bounded = json!({
        "systemPrompt": "Be kind.\nBe brief.", "defaultParams": {"temperature": 0.5}, "budget": {"cost": 1.0},
    });
    home.apply(&(priced + &agent(bounded)));
    // The answers of the cassette cost nothing.
    home.orchctl(&["replay", path]).expect(0);
    let report = replay(&home, &cassette, json!({"llm": "dear"})).expect(200).json();
    let told = parts(&report);
    assert!(told.contains(&"1 null end".to_owned()), "{report}");
    assert!(report.to_string().contains("(budget.cost)"), "{report}");
    eventually("it is asked no more", || asked(&home, "dear") == 2);
}

#[test]
fn a_cassette_is_for_those_who_may_see_the_agent() {
    let declared = scripted("m", &json!([{"text": "one"}])) + &agent(json!({"systemPrompt": "Be kind."}));
    let (home, _far) = home_with(&declared);
    let token = machine(&home, "ann", &json!([{"roles": ["run"], "resources": ["agents"]}]));
    let said = ask(&home, &token, "POST", "agents/a/chat").json(&json!({"message": "hello"}));
    let thread = text(&said.send().expect(200).json()["threadId"]).to_owned();
    let cassette = format!("threads/{thread}/cassette");
    let refused = ask(&home, &token, "GET", &cassette).send().expect(403);
    assert!(!refused.body.contains("Be kind"), "{}", refused.body);
    let own = text(&say(&home, "hello")["threadId"]).to_owned();
    let found = json!({"cassette": home.get(&format!("threads/{own}/cassette"))});
    ask(&home, &token, "POST", "replays").json(&found).send().expect(403);
    // Whoever may see it has what they said.
    let token = machine(
        &home,
        "bob",
        &json!([{"roles": ["view", "run"], "resources": ["agents"]}]),
    );
    let said = ask(&home, &token, "POST", "agents/a/chat").json(&json!({"message": "hello"}));
    let thread = text(&said.send().expect(200).json()["threadId"]).to_owned();
    let told = ask(&home, &token, "GET", &format!("threads/{thread}/cassette"))
        .send()
        .expect(200);
    assert!(told.body.contains("Be kind."), "{}", told.body);
}

#[test]
fn values_of_secrets_are_not_on_a_cassette() {
    // It looks like no key that anybody knows.
    let value = "quiet water 7";
    let script = json!([
        {"toolCalls": [{"name": "raw__echo", "arguments": {"said": format!("<{value}>\n")}}]},
        {"text": format!("It is {value}.")},
    ]);
    let declared = scripted("m", &script) + &agent(json!({}));
    let (home, far) = home_with(&declared);
    let from = json!({"secretRef": {"name": "keys", "key": "token"}});
    let headers = json!([{"name": "X-Key", "valueFrom": from}]);
    let server = json!({"remote": {"url": far.url("/mcp"), "headers": headers}});
    home.apply(&(manifest("Secret", "keys", &json!({"data": {"token": value}})) + &manifest("Server", "raw", &server)));
    home.until_ready(&["server/raw"]);
    let said = say(&home, &format!("What of {value}?"));
    assert_eq!(text(&said["assistant"]), format!("It is {value}."));
    let thread = text(&said["threadId"]).to_owned();
    let cassette = home.get(&format!("threads/{thread}/cassette"));
    let shown = cassette.to_string();
    assert!(!shown.contains("quiet"), "{shown}");
    for part in ["What of ***?", "It is ***.", "<***>"] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    let report = replay(&home, &cassette, Value::Null).expect(200).json();
    assert_eq!(report["differences"], json!([]), "{report}");
    // A value that cannot be had cannot be looked for: nothing is shown then.
    let (vault, token) = Vault::set_up("team", "orch");
    home.apply(&(backend(&vault, &token, json!({})) + &secret("keys", json!({"token": value}))));
    home.get(&format!("threads/{thread}/cassette"));
    vault.seal(true);
    let refused = home.orchctl(&["thread", "export", &thread]);
    assert_ne!(refused.code, 0);
    assert!(refused.stdout.is_empty(), "{}", refused.stdout);
    let told = "the value `token` of secret/keys cannot be kept out of the cassette";
    assert!(refused.stderr.contains(told), "{}", refused.stderr);
}

#[test]
fn what_is_no_cassette_is_refused() {
    let (home, _far, thread) = recorded();
    let (file, mut cassette) = exported(&home, &thread);
    let path = file.to_str().expect("a path").to_owned();
    for (arguments, told) in [
        (
            &["replay", &path, "--against", "m"][..],
            "is neither an Llm nor an agent",
        ),
        (
            &["replay", &path, "--against", "llm=nobody"],
            "llm/nobody does not exist",
        ),
        (
            &["replay", &path, "--against", "agent=nobody"],
            "agent/nobody does not exist",
        ),
        (&["replay", "/nowhere"], "/nowhere"),
        (&["thread", "export", "nobody"], "there is no thread `nobody`"),
    ] {
        let refused = home.orchctl(arguments);
        assert!(
            refused.code > 1 || arguments[0] == "thread",
            "{arguments:?}: {refused:?}"
        );
        assert!(refused.stderr.contains(told), "{arguments:?}: {}", refused.stderr);
    }
    // Changed by hand: noticed by the command line, and by the daemon.
    let changed = fs::read_to_string(&file)
        .expect("a file")
        .replace("It is a.", "It is c.");
    fs::write(&file, &changed).expect("a file");
    let refused = home.orchctl(&["replay", &path]);
    assert!(refused.stderr.contains("was changed"), "{}", refused.stderr);
    let refused = replay(&home, &serde_json::from_str(&changed).expect("JSON"), Value::Null).expect(400);
    assert!(refused.body.contains("was changed"), "{}", refused.body);
    // Which part it is, is said: also of what no model was told in these words.
    for (place, told) in [
        ("/turns/0/message", "turn 1 of the cassette was changed: what was said"),
        (
            "/turns/0/calls/0/result",
            "turn 1 of the cassette was changed: call 1 (raw__echo)",
        ),
    ] {
        let mut changed = cassette.clone();
        *changed.pointer_mut(place).expect("it is there") = json!("changed");
        fs::write(&file, changed.to_string()).expect("a file");
        let refused = home.orchctl(&["replay", &path]);
        assert!(refused.stderr.contains(told), "{place}: {}", refused.stderr);
        let refused = replay(&home, &changed, Value::Null).expect(400);
        assert!(refused.body.contains(told), "{place}: {}", refused.body);
    }
    // What another format has or lacks is not held against it: it is another format.
    let mut older = cassette.clone();
    older["format"] = json!("orchctl.dev/cassette/v1");
    older.as_object_mut().expect("an object").remove("seal");
    for turn in older["turns"].as_array_mut().expect("a list") {
        turn.as_object_mut().expect("an object").remove("seal");
    }
    fs::write(&file, older.to_string()).expect("a file");
    let refused = home.orchctl(&["replay", &path]);
    assert!(
        refused.code > 1
            && refused
                .stderr
                .contains("this cassette is of format 1; this orchctl reads format 4")
            && refused
                .stderr
                .contains("hint: export the thread again: orchctl thread export"),
        "{}",
        refused.stderr
    );
    let refused = replay(&home, &older, Value::Null).expect(400).json();
    assert_eq!(
        refused["detail"],
        "this cassette is of format 1; this orchd reads format 4"
    );
    assert!(
        text(&refused["suggestion"]).contains("export the thread again"),
        "{refused}"
    );
    fs::write(&file, "{\n  \"format\": 7\n}").expect("a file");
    let refused = home.orchctl(&["replay", &path]);
    assert!(refused.stderr.contains(&format!("{path}:2:")), "{}", refused.stderr);
    cassette["more"] = json!(1);
    replay(&home, &cassette, Value::Null).expect(400);
}

/// A prompt that is turned into its opposite where it looks as if it held a key is not the same.
#[test]
fn what_is_masked_is_compared_without_being_shown() {
    let key = "orch_0123456789abcdef0123456789abcdef";
    let other = "orch_fedcba9876543210fedcba9876543210";
    let with_key = |key: &str| format!("Show {key} to nobody.");
    let mut home = None;
    for (recorded, declared, told) in [
        (
            "Secret: answer politely and always in French",
            "Secret: answer rudely and always in German",
            ["politely and always in French", "rudely and always in German"],
        ),
        (
            "Review the login code. The password: must never be logged. Be polite.",
            "Review the login code. The password: may be logged freely. Be rude.",
            ["Be polite.", "Be rude."],
        ),
        (
            "Call the API with the header Authorization: Bearer <token> always. Be polite.",
            "Call the API with the header Authorization: Bearer <token> never. Be rude.",
            ["always. Be polite.", "never. Be rude."],
        ),
        (&with_key(key), &with_key(other), ["-Show ***~", "+Show ***~"]),
        (
            "The password: must never be logged.",
            "The password: is logged by everybody.",
            ["-The password: ***~", "+The password: ***~"],
        ),
    ] {
        let (home, _far) = home.get_or_insert_with(|| home_with(&scripted("m", &json!([{"text": "one"}]))));
        home.apply(&agent(json!({"systemPrompt": recorded})));
        let thread = text(&say(home, "My password: hunter2hunter2. What is it?")["threadId"]).to_owned();
        let cassette = home.get(&format!("threads/{thread}/cassette"));
        assert_eq!(
            cassette,
            home.get(&format!("threads/{thread}/cassette")),
            "it is always the same"
        );
        let shown = cassette.to_string();
        assert!(!shown.contains("hunter2") && !shown.contains(key), "{shown}");
        let report = replay(home, &cassette, Value::Null).expect(200).json();
        assert_eq!(parts(&report), [""; 0], "{recorded}: {report}");
        home.apply(&agent(json!({"systemPrompt": declared})));
        let report = replay(home, &cassette, Value::Null).expect(200).json();
        assert_eq!(parts(&report), ["1 1 system"], "{recorded}");
        let diff = text(&report["differences"][0]["diff"]);
        assert!(told.iter().all(|told| diff.contains(told)), "{diff}");
        assert!(!diff.contains(key) && !diff.contains(other), "{diff}");
        // Another model hears what the cassette shows, and no more.
        let report = replay(home, &cassette, json!({"llm": "m"})).expect(200).json();
        assert_eq!(parts(&report), ["1 1 system"], "{recorded}");
    }
}

#[test]
fn a_cassette_goes_to_standard_output_as_well() {
    let (home, _far, thread) = recorded();
    let told = home.orchctl(&["thread", "export", &thread, "-f", "-"]).expect(0);
    let plain = home.orchctl(&["thread", "export", &thread]).expect(0);
    assert_eq!(
        (told.stdout.as_str(), told.stderr.as_str()),
        (plain.stdout.as_str(), "")
    );
    home.orchctl_reading(&told.stdout, &["replay", "-"]).expect(0);
}

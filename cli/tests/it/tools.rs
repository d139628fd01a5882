//! `tools`: a person looks at tools and tries them.

use crate::support::gateway::Gateway;
use crate::support::home::{Home, story};
use serde_json::json;

fn place() -> (Gateway, Home) {
    let gateway = Gateway::start();
    let home = Home::with_daemon(&gateway.address);
    (gateway, home)
}

#[test]
fn tools_are_listed_and_inspected() {
    let (_gateway, home) = place();
    insta::assert_snapshot!(story([
        home.run(&["tools", "list", "-p", "web"]),
        home.run(&["tools", "list", "--server", "files", "-o", "name"]),
        home.run(&["tools", "inspect", "echo", "-p", "web"]),
        home.run(&["tools", "inspect", "ecko", "-p", "web"]),
        home.run(&["tools", "list"]),
    ]));
    let raw = home.run(&["tools", "inspect", "regional", "-p", "web", "-o", "json"]);
    assert!(
        raw.stdout.contains("\"x-mcp-header\": \"Region\""),
        "what nobody knows is shown too: {raw}"
    );
}

#[test]
fn tools_are_called() {
    let (gateway, home) = place();
    home.write("more.yaml", "message: from a file\nmore: {tags: [a]}\n");
    insta::assert_snapshot!(story([
        home.run(&[
            "tools",
            "call",
            "echo",
            "-p",
            "web",
            "--arg",
            "message=8080",
            "--arg",
            "times=2",
            "--arg",
            "more.tags=x"
        ]),
        home.run(&[
            "tools",
            "call",
            "echo",
            "-p",
            "web",
            "--json",
            r#"{"message": "a", "times": 1}"#,
            "--arg",
            "times=3"
        ]),
        home.run(&["tools", "call", "echo", "-p", "web", "-f", "more.yaml"]),
        home.run_with_input(
            &["tools", "call", "echo", "-p", "web", "-f", "-"],
            "{\"message\": \"from a pipe\"}"
        ),
        home.run(&["tools", "call", "picture", "-p", "web", "--save", "out"]),
        home.run(&["tools", "call", "picture", "-p", "web"]),
        home.run(&["tools", "call", "slow", "-p", "web"]),
        home.run(&["tools", "call", "regional", "-p", "web", "--arg", "region=eu"]),
        home.run(&["tools", "call", "fail", "-p", "web"]),
        home.run(&["tools", "call", "fail", "-p", "web", "-o", "json"]),
        home.run(&["tools", "call", "ask", "-p", "web"]),
        home.run(&["tools", "call", "echo", "-p", "web"]),
        home.run(&[
            "tools",
            "call",
            "echo",
            "-p",
            "web",
            "--arg",
            "message=a",
            "--arg",
            "times=many"
        ]),
        home.run(&["tools", "call", "none", "-p", "web"]),
    ]));
    assert_eq!(
        std::fs::read(home.path().join("out/picture-1.png")).expect("it is saved"),
        b"\x89PNG\r\n\x1a\n"
    );
    let call = gateway.until("the call", |heard| heard.body["params"]["name"] == "regional");
    assert_eq!(call.header("mcp-param-region"), "eu");
    assert_eq!(call.header("mcp-session-id"), "", "no session is left behind");
}

#[test]
fn what_json_cannot_say_is_told_with_its_place() {
    let (_gateway, home) = place();
    home.write("odd.yaml", "message: a\nmore:\n  tags: [\"x\\ud800y\"]\n");
    let call = |more: &[&str]| home.run(&[&["tools", "call", "echo", "-p", "web"], more].concat());
    insta::assert_snapshot!(story([
        call(&["--json", r#"{"message": "a", "times": 1e400}"#]),
        call(&["--json", r#"{"more": {"deep": [0, -1e400]}}"#]),
        call(&["--json", r#"{"message": "a\ud800b"}"#]),
        call(&["--json", r#"{"message": "\udc00"}"#]),
        call(&["--json", r#"{"message": "\q"}"#]),
        call(&["-f", "odd.yaml"]),
        call(&["--arg", "message=a", "--arg", "times=1e400"]),
        call(&["--arg", "message=a", "--arg", r#"more={"tags": ["\ud800"]}"#]),
    ]));
    let whole = call(&["--json", r#"{"message": "\ud83d\ude00"}"#]);
    assert_eq!(whole.stdout, "{\"message\":\"😀\"}\n", "{whole}");
}

#[test]
fn what_is_not_there_ends_in_its_exit_code() {
    let (gateway, home) = place();
    let list =
        json!({"apiVersion": "orchctl.dev/v1", "kind": "List", "metadata": {"revision": 1, "total": 0}, "items": []});
    for kind in ["projects", "servers"] {
        gateway.api(&format!("/api/v1/{kind}?limit=1000"), list.clone());
    }
    for (target, object) in [(["-p", "nope"], "project/nope"), (["--server", "nope"], "server/nope")] {
        for verb in [
            &["tools", "list"][..],
            &["tools", "inspect", "echo"],
            &["tools", "call", "echo", "--arg", "message=a"],
        ] {
            let run = home.run(&[verb, &target[..]].concat());
            assert_eq!(run.code, 3, "{run}");
            assert!(
                run.stderr.starts_with(&format!("error: {object} does not exist\n")),
                "{run}"
            );
        }
    }
}

#[test]
fn a_tool_that_never_answers_is_waited_for_as_long_as_is_said() {
    let (gateway, home) = place();
    for talk in [&[][..], &["--verbose"]] {
        let call = ["tools", "call", "hang", "-p", "web", "--request-timeout", "1s"];
        let run = home.run(&[&call[..], talk].concat());
        assert_eq!(run.code, 7, "{run}");
        assert!(
            run.stderr
                .contains("error: the tool `hang` did not answer within 1 s (ORCH5005)\nhint: what was asked may"),
            "{run}"
        );
    }
    gateway.until("the end of the call", |heard| heard.verb == "END");
    // Progress is no answer; and who answers in time is heard out.
    let run = home.run(&["tools", "call", "slow", "-p", "web", "--request-timeout", "20s"]);
    assert_eq!((run.code, run.stdout.as_str()), (0, "done\n"), "{run}");
    let run = home.run(&["tools", "list", "-p", "silent", "--request-timeout", "500ms"]);
    assert_eq!(run.code, 7, "{run}");
    assert!(
        run.stderr
            .contains("/mcp/projects/silent did not answer within 0.5 s (ORCH4105)"),
        "{run}"
    );
}

#[test]
fn without_a_gateway_it_is_told_so() {
    let run = Home::with_daemon("http://127.0.0.1:1").run(&["tools", "list", "-p", "web"]);
    assert_eq!(run.code, 6, "{run}");
    assert!(
        run.stderr.contains("connection refused") && run.stderr.contains("orchctl doctor"),
        "{run}"
    );
    let gateway = Gateway::start();
    let stranger = Home::new();
    stranger.write(
        "config.yaml",
        &format!(
            "currentContext: t\ncontexts:\n- {{name: t, server: \"{}\", token: orch_wrong}}\n",
            gateway.address
        ),
    );
    let run = stranger.run(&["tools", "list", "-p", "web"]);
    assert_eq!(run.code, 5, "{run}");
}

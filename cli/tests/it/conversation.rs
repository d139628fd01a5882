//! Talking to a daemon: what is tried again, what is not, and how refusals end.

use crate::support::daemon::{Answer, Daemon, list, server};
use crate::support::home::{Home, story};
use serde_json::json;

fn files() -> serde_json::Value {
    server("files", 3, &json!({"command": ["/bin/x"]}))
}

#[test]
fn what_passes_by_itself_is_tried_again() {
    let busy = |status: u16, code: &str| Answer::problem(status, code, "the daemon is busy").header("retry-after", "0");
    let daemon = Daemon::playing([
        busy(429, "ORCH5001"),
        busy(503, "ORCH5003"),
        Answer::json(200, &files()),
    ]);
    let home = Home::with_daemon(&daemon.address);
    let run = home.run(&["get", "server/files", "-o", "name"]);
    assert_eq!(
        (run.code, run.stdout.as_str(), run.stderr.as_str()),
        (0, "server/files\n", ""),
        "{run}"
    );
    assert_eq!(daemon.asked().len(), 3);
}

#[test]
fn a_wait_that_is_too_long_is_not_waited() {
    let daemon = Daemon::playing([Answer::problem(503, "ORCH5002", "the disk is full").header("retry-after", "3600")]);
    let home = Home::with_daemon(&daemon.address);
    insta::assert_snapshot!(story([home.run(&["get", "server/files"])]));
    assert_eq!(daemon.asked().len(), 1);
}

#[test]
fn a_name_that_is_still_going_is_waited_for() {
    let created =
        json!({"revision": 1, "results": [{"ref": {"kind": "Server", "name": "files"}, "verdict": "created"}]});
    let daemon = Daemon::playing([
        Answer::problem(409, "ORCH3004", "server/files is still being deleted"),
        Answer::json(200, &created),
    ]);
    let home = Home::with_daemon(&daemon.address);
    home.write(
        "x.yaml",
        "apiVersion: orchctl.dev/v1\nkind: Server\nmetadata: {name: files}\nspec: {command: [/bin/x]}\n",
    );
    let run = home.run(&["apply", "-f", "x.yaml"]);
    assert_eq!(run.code, 0, "{run}");
    assert_eq!(daemon.lines(), ["POST /api/v1/apply", "POST /api/v1/apply"]);
}

#[test]
fn refusals_end_in_their_exit_codes() {
    let cases = [
        (401, "ORCH4001", 5),
        (403, "ORCH4002", 5),
        (404, "ORCH4103", 3),
        (409, "ORCH3003", 4),
        (400, "ORCH4101", 1),
        (500, "ORCH5101", 1),
        (408, "ORCH4105", 7),
    ];
    for (status, code, exit) in cases {
        let daemon = Daemon::playing([Answer::problem(status, code, "no")]);
        let home = Home::with_daemon(&daemon.address);
        let run = home.run(&["status"]);
        assert_eq!(run.code, exit, "{run}");
        assert!(run.stderr.starts_with(&format!("error: no ({code})\n")), "{run}");
        assert_eq!(run.stderr.contains("req-1"), status >= 500, "{run}");
    }
}

#[test]
fn what_is_no_daemon_is_told_so() {
    let page = || Answer::text("<html>hello</html>");
    let daemon = Daemon::playing([page(), page(), page().header("x-request-id", "r")]);
    let home = Home::with_daemon(&daemon.address);
    let run = home.run(&["status"]);
    assert_eq!(run.code, 1, "{run}");
    assert!(run.stderr.contains("cannot be read"), "{run}");
    drop(daemon);
    let run = Home::with_daemon("http://127.0.0.1:1").run(&["get", "servers"]);
    assert_eq!(run.code, 6, "{run}");
    assert!(run.stderr.contains("connection refused"), "{run}");
}

#[test]
fn a_near_name_is_offered() {
    let daemon = Daemon::playing([
        Answer::problem(404, "ORCH3001", "server `flies` does not exist"),
        Answer::json(200, &list(1, &[files()], None)),
    ]);
    let home = Home::with_daemon(&daemon.address);
    insta::assert_snapshot!(story([home.run(&["get", "server", "flies"])]));
}

#[test]
fn long_lists_are_read_page_by_page() {
    let other = server("other", 1, &json!({"command": ["/bin/y"]}));
    let pages = || {
        [
            Answer::json(200, &list(9, &[files()], Some("token+1"))),
            Answer::json(200, &list(9, std::slice::from_ref(&other), None)),
        ]
    };
    let daemon = Daemon::playing(pages().into_iter().chain(pages()));
    let home = Home::with_daemon(&daemon.address);
    let names = home.run(&["get", "servers", "-o", "name", "-l", "team in (a,b)"]);
    assert_eq!(names.stdout, "server/files\nserver/other\n", "{names}");
    let sorted = home.run(&[
        "get",
        "servers",
        "-o",
        "custom-columns=N:.metadata.name,G:.status.generation",
        "--sort-by",
        ".status.generation",
    ]);
    assert_eq!(sorted.stdout, "N       G\nother   1\nfiles   3\n", "{sorted}");
    let lines = daemon.lines();
    assert_eq!(
        lines[0],
        "GET /api/v1/servers?labelSelector=team%20in%20%28a%2Cb%29&limit=1000"
    );
    assert!(lines[1].contains("continue=token%2B1"), "{lines:?}");
}

#[test]
fn scopes_choose_the_address() {
    let empty = || Answer::json(200, &list(1, &[], None));
    let daemon = Daemon::playing([empty(), empty(), empty(), empty(), empty()]);
    let mut home = Home::with_daemon(&daemon.address);
    for arguments in [
        &["get", "prompts", "-p", "web", "-o", "name"][..],
        &["get", "prompts", "--agent", "reviewer", "-o", "name"],
        &["get", "prompts", "-A"],
        &["get", "servers", "-p", "web"],
    ] {
        assert_eq!(home.run(arguments).code, 0);
    }
    let both = home.run(&["get", "prompts", "-p", "web", "--agent", "reviewer"]);
    assert_eq!(both.code, 2, "neither wins in silence: {both}");
    home.set("ORCHCTL_PROJECT", "env");
    home.run(&["get", "prompts", "-o", "name"]);
    assert_eq!(
        daemon.lines(),
        [
            "GET /api/v1/projects/web/prompts?limit=1000",
            "GET /api/v1/agents/reviewer/prompts?limit=1000",
            "GET /api/v1/prompts?allScopes=true&limit=1000",
            "GET /api/v1/servers?limit=1000",
            "GET /api/v1/projects/env/prompts?limit=1000",
        ]
    );
}

#[test]
fn where_nothing_is_it_is_told_whether_there_is_such_a_place() {
    let daemon = Daemon::playing([
        Answer::json(200, &list(1, &[], None)),
        Answer::problem(404, "ORCH3001", "no"),
        Answer::json(200, &list(1, &[], None)),
    ]);
    let home = Home::with_daemon(&daemon.address);
    let run = home.run(&["get", "prompts", "-p", "nope"]);
    assert_eq!(run.code, 3, "{run}");
    assert!(run.stderr.starts_with("error: project/nope does not exist\n"), "{run}");
}

#[test]
fn a_uid_is_looked_up_and_its_object_called_by_name() {
    let events = json!({"items": []});
    let daemon = Daemon::playing([Answer::json(200, &files()), Answer::json(200, &events)]);
    let home = Home::with_daemon(&daemon.address);
    let uid = "server/019ac5f2-7d7c-7cc1-9a8e-2b1f0c9d3e44";
    assert_eq!(home.run(&["events", uid]).code, 0);
    let lines = daemon.lines();
    assert!(lines[1].contains("name=files"), "{lines:?}");
}

#[test]
fn many_are_waited_for_at_once() {
    let mut ready: Vec<_> = (0..9)
        .map(|number| server(&format!("s{number}"), 1, &json!({})))
        .collect();
    for one in &mut ready {
        one["status"]["conditions"] = json!([{
            "type": "Ready", "status": "True", "reason": "R", "observedGeneration": 1,
            "lastTransitionTime": "2020-01-01T00:00:00.000Z",
        }]);
    }
    let all = || Answer::json(200, &list(1, &ready, None));
    let daemon = Daemon::playing([all(), all()]);
    let home = Home::with_daemon(&daemon.address);
    let run = home.run(&["wait", "servers", "--all"]);
    assert_eq!(run.code, 0, "{run}");
    assert!(run.stdout.ends_with("server/s8   Ready\n"), "{run}");
    assert_eq!(
        daemon.lines().len(),
        2,
        "one list to know which, one to know how they are"
    );
}

#[test]
fn local_time_is_the_users() {
    let history = json!({"items": [{
        "generation": 1, "revision": 1, "at": "2020-01-01T12:30:00.000Z", "by": "admin", "verb": "apply",
        "manifest": {"kind": "Server"},
    }]});
    for (zone, told) in [("JST-9", "2020-01-01 21:30:00"), ("UTC", "2020-01-01 12:30:00")] {
        let daemon = Daemon::playing([Answer::json(200, &history)]);
        let mut home = Home::with_daemon(&daemon.address);
        let run = home.set("TZ", zone).run(&["history", "server", "files"]);
        assert!(run.stdout.contains(told), "{zone}: {run}");
    }
}

#[test]
fn scaling_to_what_is_there_is_no_change() {
    let daemon = Daemon::playing([Answer::json(200, &files()), Answer::json(200, &files())]);
    let home = Home::with_daemon(&daemon.address);
    let run = home.run(&["scale", "server", "files", "--replicas", "1"]);
    assert_eq!(
        (run.stdout.as_str(), run.stderr.as_str()),
        ("server/files   unchanged\n", ""),
        "{run}"
    );
}

#[test]
fn a_token_is_shown_to_its_own_daemon_only() {
    let daemon = Daemon::playing([
        Answer::json(200, &list(1, &[], None)),
        Answer::json(200, &list(1, &[], None)),
    ]);
    let home = Home::with_daemon("http://127.0.0.1:1");
    home.run(&["get", "servers", "--server", &daemon.address]);
    home.write("token", "orch_other\n");
    home.run(&["get", "servers", "--server", &daemon.address, "--token-file", "token"]);
    let asked = daemon.asked();
    assert_eq!(asked[0].header("authorization"), None);
    assert_eq!(asked[1].header("authorization"), Some("Bearer orch_other"));
}

#[test]
fn deleting_waits_until_the_same_object_is_gone() {
    let deleted = json!({"objects": [{"kind": "Server", "name": "files"}], "dryRun": false});
    let mut another = files();
    another["status"]["uid"] = json!("uid-of-another");
    let daemon = Daemon::playing([
        Answer::json(200, &deleted),
        Answer::json(200, &files()),
        Answer::json(200, &another),
    ]);
    let home = Home::with_daemon(&daemon.address);
    let run = home.run(&["delete", "server", "files"]);
    assert_eq!(
        (run.code, run.stdout.as_str()),
        (0, "server/files   deleted\n"),
        "{run}"
    );
    let asked = daemon.asked();
    assert_eq!(asked[0].line, "POST /api/v1/delete");
    assert_eq!(
        asked[0].json(),
        json!({"objects": [{"kind": "Server", "name": "files"}]})
    );
}

#[test]
fn a_change_compares_with_what_was_read() {
    let daemon = Daemon::playing([
        Answer::json(200, &files()),
        Answer::problem(409, "ORCH3003", "server/files has changed"),
    ]);
    let home = Home::with_daemon(&daemon.address);
    let run = home.run(&["patch", "server", "files", "-P", "{spec: {replicas: 2}}"]);
    assert_eq!(run.code, 4, "{run}");
    let asked = daemon.asked();
    assert_eq!(asked[1].line, "PATCH /api/v1/servers/files");
    assert_eq!(asked[1].header("if-match"), Some("\"uid-files.3\""));
    assert_eq!(asked[1].header("content-type"), Some("application/merge-patch+json"));
    assert_eq!(asked[1].json(), json!({"spec": {"replicas": 2}}));
}

#[test]
fn whoever_asks_in_the_place_of_somebody_says_so_with_every_request() {
    let daemon = Daemon::playing([Answer::json(200, &files()), Answer::json(200, &json!({"items": []}))]);
    let home = Home::with_daemon(&daemon.address);
    assert_eq!(
        home.run(&["get", "server/files", "-o", "name", "--as", "serviceaccount/ci"])
            .code,
        0
    );
    assert_eq!(home.run(&["auth", "logins"]).code, 0);
    let asked = daemon.asked();
    assert_eq!(asked[0].header("orch-impersonate"), Some("serviceaccount/ci"));
    assert_eq!(asked[1].header("orch-impersonate"), None);
}

#[test]
fn a_login_wins_over_the_token_beside_it() {
    let me = || json!({"principal": "ann", "groups": [], "surface": "any", "bounds": []});
    let daemon = Daemon::playing([
        Answer::json(200, &me()),
        Answer::json(204, &json!({})),
        Answer::json(200, &me()),
    ]);
    let home = Home::new();
    let login = "  login: {user: ann, token: orch_login}\n";
    home.write(
        "config.yaml",
        &format!(
            "currentContext: t\ncontexts:\n- name: t\n  server: {}\n  token: orch_token\n{login}",
            daemon.address
        ),
    );
    for arguments in [&["whoami"][..], &["logout"], &["whoami"]] {
        let run = home.run(arguments);
        assert_eq!(run.code, 0, "{run}");
        assert!(!run.to_string().contains("orch_"), "{run}");
    }
    let asked = daemon.asked();
    let shown: Vec<_> = asked.iter().map(|asked| asked.header("authorization")).collect();
    let (login, token) = (Some("Bearer orch_login"), Some("Bearer orch_token"));
    assert_eq!(shown, [login, login, token]);
    assert_eq!(asked[1].line, "DELETE /api/v1/logins/current");
}

#[test]
fn a_login_that_cannot_be_ended_is_forgotten_all_the_same() {
    let home = Home::new();
    let context =
        "currentContext: t\ncontexts:\n- name: t\n  server: http://127.0.0.1:1\n  login: {user: ann, token: orch_x}\n";
    home.write("config.yaml", context);
    let run = home.run(&["logout"]);
    assert_eq!(run.code, 0, "{run}");
    assert!(
        run.stderr.starts_with("warning: the login is forgotten here, but"),
        "{run}"
    );
    let kept = std::fs::read_to_string(home.path().join("config.yaml")).expect("the contexts");
    assert!(!kept.contains("orch_x"), "{kept}");
}

//! `orchd up --apply`: what is made by it can be used, and it waits for nothing that does not come.

use std::fs;
use std::process::Stdio;

use serde_json::json;

use super::{manifest, server};
use crate::support::daemon::{Home, eventually};
use crate::support::processes;

#[test]
fn credentials_are_told_and_tokens_are_not_waited_for() {
    let home = Home::new();
    let set = [
        server("files", &[]),
        manifest("Token", "own", &json!({"rbac": "owner"})),
        manifest("Token", "all", &json!({"rbac": "clone"})),
        manifest("Token", "none", &json!({})),
    ];
    let set = home.write("set.yaml", &set.concat()).display().to_string();
    let (out, err) = (home.path("up.out"), home.path("up.err"));
    let mut command = home.orchd(&["up", "--apply", &set, "--timeout", "5m"]);
    command
        .stdout(fs::File::create(&out).expect("a file"))
        .stderr(fs::File::create(&err).expect("a file"))
        .stdin(Stdio::null());
    let mut child = command.spawn().expect("orchd runs");
    let read = |path| fs::read_to_string(path).unwrap_or_default();
    eventually("everything is up", || read(&err).contains("Ctrl-C stops everything"));
    let said = read(&err);
    assert!(!said.contains("not ready after"), "{said}");
    assert!(
        said.contains("token/own is made; its credential is shown this once"),
        "{said}"
    );
    let told = read(&out);
    let show = |name: &str, arguments: &[&str]| {
        let line = told
            .lines()
            .find_map(|line| line.strip_prefix(&format!("token/{name}")));
        let credential = line.expect("a line of its own").trim();
        assert!(!said.contains(credential), "it is talked about");
        home.orchctl_with(&[("ORCHCTL_TOKEN", credential)], "", arguments)
    };
    for name in ["own", "all"] {
        show(name, &["scale", "server", "files", "--replicas", "1"]).expect(0);
        show(name, &["audit"]).expect(0);
    }
    show("none", &["get", "server", "files"]).expect(3);
    let why = home.orchctl(&["why", "token/none"]).expect(0);
    assert_eq!(why.stdout.trim(), "token/none is Active.");
    processes::signal(child.id(), rustix::process::Signal::TERM);
    assert!(child.wait().expect("a child can be waited for").success());
}

#[test]
fn a_daemon_leaves_no_core() {
    // Whatever the machine would allow.
    let wrapper = ["sh", "-c", "ulimit -S -c \"$(ulimit -H -c)\"; exec \"$0\" \"$@\""];
    let home = Home::new().through(&wrapper).started();
    let limits = fs::read_to_string(format!("/proc/{}/limits", home.pid())).expect("limits");
    let core = limits.lines().find(|line| line.starts_with("Max core file size"));
    let soft = core.and_then(|line| line.split_whitespace().nth(4));
    assert_eq!(soft, Some("0"), "{limits}");
}

//! What the command line tells, where it would lead astray: places that are not said, advice that fails, words that are wrong.

use serde_json::json;

use super::{manifest, server_with};
use crate::support::daemon::Home;

#[test]
fn everything_is_shown_as_far_as_it_has_a_place() {
    let home = Home::new().started();
    home.apply(&(server_with("files", &[], json!({"replicas": 0})) + &manifest("Project", "web", &json!({}))));
    let all = home.orchctl(&["get", "all"]).expect(0);
    assert!(
        all.stdout.contains("files") && all.stdout.contains("web"),
        "{}",
        all.stdout
    );
    home.orchctl(&["get", "all", "-o", "yaml"])
        .expect(0)
        .saying(&["kind: Server", "kind: Project"]);
    home.orchctl(&["get", "all", "-p", "web"]).expect(0);
    home.orchctl(&["get", "all", "-A"]).expect(0);
    // Of that kind alone it has to be said where.
    home.orchctl(&["get", "promptrequests"])
        .expect(2)
        .saying(&["live in projects", "-p PROJECT"]);
    // What is advised can be done.
    let refused = home.orchctl(&["approve", "promptrequest", "nosuch", "-p", "web"]);
    assert_ne!(refused.code, 0);
    let (_, advice) = refused.stderr.split_once("orchctl ").expect("advice");
    let advice: Vec<&str> = advice.split_whitespace().collect();
    assert_eq!(advice, ["get", "promptrequests", "-p", "web"]);
    home.orchctl(&advice).expect(0);
}

#[test]
fn an_empty_token_is_no_leave_to_take_another() {
    let home = Home::new().started();
    for empty in ["", " "] {
        home.orchctl_with(&[("ORCHCTL_TOKEN", empty)], "", &["whoami"])
            .expect(2)
            .saying(&["ORCHCTL_TOKEN is set and empty", "unset it, or put a token in it"]);
    }
    let token = home.token();
    home.orchctl_with(&[("ORCHCTL_TOKEN", &token)], "", &["whoami"])
        .expect(0);
    // What the flags say goes before it, as it goes before a token.
    let file = home.write("token", &token).display().to_string();
    home.orchctl_with(&[("ORCHCTL_TOKEN", "")], "", &["whoami", "--token-file", &file])
        .expect(0);
    // What needs no daemon is not bothered.
    home.orchctl_with(&[("ORCHCTL_TOKEN", "")], "", &["explain", "server"])
        .expect(0);
}

#[test]
fn what_is_told_of_tokens_and_of_the_log_is_so() {
    let home = Home::new().started();
    home.apply(&manifest("Project", "web", &json!({})));
    home.orchctl(&[
        "create",
        "token",
        "short",
        "--ttl",
        "30d",
        "--bind",
        "role:view,resource:servers",
    ])
    .expect(0);
    let described = home.orchctl(&["describe", "project", "web"]).expect(0);
    assert!(!described.stdout.contains("everybody's"), "{}", described.stdout);
    home.orchctl(&["get", "tokens"]).expect(0).saying(&["in 30d"]);
    // A mark that the log never came to says nothing of what is there.
    let kept = format!("999999:{}", "0".repeat(64));
    let verified = home.orchctl(&["audit", "verify", "--kept", &kept]).expect(1);
    assert!(
        verified.stdout.contains("it is missing") && !verified.stdout.contains("no entries"),
        "{}",
        verified.stdout
    );
    assert!(verified.stdout.contains("whole before that: "), "{}", verified.stdout);
}

#[test]
fn no_heading_is_told_twice() {
    let home = Home::new().started();
    let token = |by: &str, name: &str| {
        let made = ["create", "token", name, "--rbac", "clone"];
        home.orchctl_with(&[("ORCHCTL_TOKEN", by)], "", &made)
            .expect(0)
            .stdout
            .trim()
            .to_owned()
    };
    let grant = "role:view,role:create,resource:tokens";
    let first = home
        .orchctl(&["create", "token", "first", "--bind", grant])
        .expect(0)
        .stdout
        .trim()
        .to_owned();
    let short = token(&first, "short");
    let told = home
        .orchctl_with(&[("ORCHCTL_TOKEN", &short)], "", &["whoami"])
        .expect(0);
    let mut headings: Vec<&str> = told.stdout.lines().filter(|line| line.starts_with("What ")).collect();
    let count = headings.len();
    assert!(count >= 3, "{}", told.stdout);
    headings.sort_unstable();
    headings.dedup();
    assert_eq!(headings.len(), count, "{}", told.stdout);
}

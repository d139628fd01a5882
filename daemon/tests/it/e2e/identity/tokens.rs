//! Tokens on the command line: made from flags and by apply, told once, used, looked at and ended.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use serde_json::{Value, json};

use super::{Person, credential, grant};
use crate::e2e::{manifest, server_with};
use crate::support::daemon::{Home, eventually};

#[test]
fn a_token_is_made_shown_once_and_ended() {
    let home = Home::new().started();
    home.apply(&server_with("files", &[], json!({"replicas": 0})));
    home.apply(&manifest("Project", "web", &json!({"servers": ["files"]})));
    home.orchctl(&["create", "serviceaccount", "ci"]).expect(0);
    let may = [
        "create",
        "rolebinding",
        "ci",
        "--serviceaccount",
        "ci",
        "--role",
        "view",
        "--resource",
        "servers",
    ];
    home.orchctl(&may).expect(0);
    let make = |more: &[&str]| {
        let flags = [
            "create",
            "token",
            "ci",
            "--service-account",
            "ci",
            "--bind",
            "role:view,resource:servers",
        ];
        home.orchctl(&[&flags[..], more].concat())
    };
    let made = make(&["--ttl", "30d"]).expect(0).saying(&["shown this once"]);
    let first = credential(&made);
    let ci = Person::showing(&home, "ci", &first);
    assert_eq!(ci.json(&["whoami", "-o", "json"])["principal"], "serviceaccount/ci");
    ci.run(&["get", "server", "files"]).expect(0);
    ci.run(&["get", "secrets", "-o", "name"]).expect(0);
    ci.run(&["delete", "server", "files"])
        .expect(5)
        .saying(&["orchctl auth why"]);
    make(&[]).expect(4).saying(&["orchctl create token ci --force"]);
    // Anew, in its place: the one before opens nothing.
    make(&["--force", "-o", "name"]).expect(2).saying(&["told once"]);
    ci.run(&["whoami"]).expect(0);
    let anew = make(&["--force", "-o", "json"]).expect(0);
    let anew: Value = serde_json::from_str(&anew.stdout).expect("JSON");
    let second = anew["credential"].as_str().expect("a credential").to_owned();
    assert_eq!(anew["metadata"]["name"], "ci");
    ci.run(&["whoami"]).expect(5);
    let ci = Person::showing(&home, "ci", &second);
    ci.run(&["whoami"]).expect(0);

    let seen = home.orchctl_reading(&second, &["introspect"]).expect(0);
    seen.saying(&["serviceaccount/ci", "token/ci", "all doors", "for ever"]);
    let unknown = home.orchctl_reading(&first, &["introspect", "-o", "json"]).expect(1);
    assert_eq!(unknown.stdout.trim(), "{\n  \"active\": false\n}");
    home.orchctl(&["allow-trigger", "token/ci"])
        .expect(0)
        .saying(&["may start builds"]);
    assert_eq!(home.get("tokens/ci")["status"]["mayTrigger"], true);
    home.orchctl(&["revoke", "server/files"])
        .expect(1)
        .saying(&["servers cannot revoke"]);
    home.orchctl(&["revoke", "token/ci"]).expect(0).saying(&["revoked"]);
    ci.run(&["whoami"]).expect(5);
    home.orchctl(&["get", "token", "ci"])
        .expect(0)
        .saying(&["Revoked", "serviceaccount/ci"]);

    // One that lives in a project, confined and for clients of the gateway alone.
    let flags = [
        "create",
        "token",
        "mine",
        "-p",
        "web",
        "--rbac",
        "owner",
        "--surface",
        "mcp",
        "--ttl",
        "2099-01-31",
    ];
    let mine = credential(&home.orchctl(&flags).expect(0));
    Person::showing(&home, "mine", &mine)
        .run(&["get", "servers"])
        .expect(5)
        .saying(&["gateway alone"]);
    let flags = [
        "create",
        "token",
        "both",
        "--rbac",
        "clone",
        "--scope-project",
        "web=2099-01-31",
    ];
    let both = Person::showing(&home, "both", &credential(&home.orchctl(&flags).expect(0)));
    both.run(&["auth", "can-i", "edit", "server/files"]).expect(0);
    both.run(&["auth", "can-i", "edit", "user/admin"]).expect(1);
    home.orchctl(&["get", "tokens", "-A"])
        .expect(0)
        .saying(&["mine", "both", "web"]);

    for secret in [&first, &second, &mine] {
        assert!(!home.logs().contains(secret.as_str()), "a credential is in the log");
        for path in ["tokens/ci", "tokens/ci/history", "events", "tokens?allScopes=true"] {
            assert!(!home.get(path).to_string().contains(secret.as_str()), "{path}");
        }
    }

    // One that is gone is gone for whoever watches, too, and what comes after it is seen.
    home.orchctl(&["delete", "token", "ci"]).expect(0);
    home.orchctl(&["create", "user", "late"]).expect(0);
    home.orchctl(&["get", "tokens", "--as", "late"]).expect(0);
}

#[test]
fn nobody_makes_a_token_or_a_binding_beyond_their_own_rights() {
    let home = Home::new().started();
    let ann = Person::logged_in(&home, "ann");
    for resource in ["tokens", "rolebindings", "servers", "users"] {
        grant(&home, "ann", "view", resource);
    }
    grant(&home, "ann", "create", "tokens");
    grant(&home, "ann", "create", "rolebindings");
    let beyond = ["create", "token", "x", "--bind", "role:edit,resource:servers"];
    ann.run(&beyond)
        .expect(5)
        .saying(&["ORCH4005", "orchctl auth can-i --list"]);
    let beyond = ["create", "token", "x", "--bind", "operation:backup"];
    ann.run(&beyond).expect(5).saying(&["ORCH4005"]);
    let beyond = [
        "create",
        "rolebinding",
        "x",
        "--user",
        "ann",
        "--role",
        "delete",
        "--resource",
        "*",
    ];
    ann.run(&beyond).expect(5).saying(&["ORCH4005"]);
    let within = [
        "create",
        "rolebinding",
        "x",
        "--user",
        "ann",
        "--role",
        "view",
        "--resource",
        "servers",
    ];
    ann.run(&within).expect(0);
}

#[test]
fn an_applied_token_tells_its_credential_once() {
    let home = Home::new().started();
    let spec = json!({"grants": [{"roles": ["view"], "resources": ["servers"]}]});
    let tokens = manifest("Token", "ci", &spec) + &manifest("Token", "cd", &spec);
    let applied = home.apply(&tokens).saying(&["token/ci", "created", "shown this once"]);
    let line = applied
        .stdout
        .lines()
        .find_map(|line| line.strip_prefix("token/ci   orch_"));
    let told = format!("orch_{}", line.expect("a credential"));
    Person::showing(&home, "ci", &told)
        .run(&["get", "servers", "-o", "name"])
        .expect(0);
    let again = home.apply(&tokens).saying(&["unchanged"]);
    assert!(!again.stdout.contains("orch_"), "{}", again.stdout);
    // In a pipeline, whose output is kept, it goes to a file instead.
    let more = manifest("Token", "more", &spec);
    let to_file = ["apply", "-f", "-", "--credentials-to", "made.txt"];
    let quiet = home
        .orchctl_reading(&more, &to_file)
        .expect(0)
        .saying(&["the credential of token/more is in made.txt"]);
    assert!(
        !quiet.stdout.contains("orch_") && !quiet.stderr.contains("orch_"),
        "it is shown"
    );
    let rest = manifest("Token", "rest", &spec);
    let as_json = home
        .orchctl_reading(&rest, &[&to_file[..], &["-o", "json"]].concat())
        .expect(0);
    assert!(!as_json.stdout.contains("orch_"), "{}", as_json.stdout);
    let kept = fs::read_to_string(home.path("made.txt")).expect("a file");
    let names: Vec<&str> = kept
        .lines()
        .filter_map(|line| line.split_once("   orch_"))
        .map(|(name, _)| name)
        .collect();
    assert_eq!(names, ["token/more", "token/rest"]);
    let mode = fs::metadata(home.path("made.txt"))
        .expect("a file")
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
    // What cannot be kept is not made.
    let lost = manifest("Token", "lost", &spec);
    for path in ["/nonexistent/made.txt", "."] {
        home.orchctl_reading(&lost, &["apply", "-f", "-", "--credentials-to", path])
            .expect(1)
            .saying(&["nothing was applied"]);
        home.http("GET", "/api/v1/tokens/lost").send().expect(404);
    }
    home.orchctl_reading(
        &manifest("User", "ann", &json!({})),
        &["apply", "-f", "-", "--credentials-to", "none.txt"],
    )
    .expect(0);
    assert!(!home.path("none.txt").exists(), "there was no credential to keep");
    // `create -f` tells it as apply does.
    home.write("last.yaml", &manifest("Token", "last", &spec));
    home.orchctl(&["create", "-f", "last.yaml"])
        .expect(0)
        .saying(&["token/last   orch_", "shown this once"]);
}

#[test]
fn what_would_open_or_start_nothing_is_refused() {
    let home = Home::new().started();
    home.apply(&manifest("Project", "web", &json!({})));
    home.orchctl(&["create", "token", "past", "--scope-project", "web=2020-01-01"])
        .expect(1)
        .saying(&["would never open project/web"]);
    home.orchctl(&["create", "token", "past", "--ttl", "2020-01-01"])
        .expect(1);
    home.orchctl(&[
        "create",
        "token",
        "deaf",
        "--bind",
        "role:run,resource:secrets,tool:read_*",
    ])
    .expect(2)
    .saying(&["only servers have tools"]);
    home.orchctl(&["create", "user", "ann"]).expect(0);
    home.orchctl(&["create", "rolebinding", "idle", "--user", "ann"])
        .expect(2)
        .saying(&["would grant nothing"]);
    for (name, ttl, ended) in [("spent", "never", "was revoked"), ("brief", "1s", "has expired")] {
        home.orchctl(&["create", "token", name, "--ttl", ttl]).expect(0);
        if name == "spent" {
            home.orchctl(&["revoke", "token", name]).expect(0);
        } else {
            std::thread::sleep(std::time::Duration::from_millis(1100));
        }
        home.orchctl(&["allow-trigger", "token", name])
            .expect(1)
            .saying(&[ended]);
        let status = home.get(&format!("tokens/{name}"))["status"].clone();
        assert_eq!(status["mayTrigger"], Value::Null, "{status}");
    }
    // In the history and in the audit log the daemon, and strangers, are called so.
    for name in ["daemon", "orchd", "anybody"] {
        home.orchctl(&["create", "user", name])
            .expect(2)
            .saying(&["take another name"]);
        home.orchctl(&["create", "serviceaccount", name]).expect(0);
    }
}

#[test]
fn a_token_that_may_do_what_its_maker_could_says_so() {
    let home = Home::new().started();
    let made = [
        "create",
        "token",
        "twin",
        "--rbac",
        "clone",
        "--bind",
        "role:view,resource:servers",
    ];
    home.orchctl(&made).expect(0);
    home.orchctl(&["describe", "token", "twin"]).expect(0).saying(&[
        "all roles",
        "everything",
        "all operations",
        "what its maker could",
        "token/twin",
    ]);
}

#[test]
fn a_token_whose_time_is_over_says_so() {
    let home = Home::new().started();
    let made = ["create", "token", "brief", "--ttl", "3s"];
    let brief = Person::showing(&home, "brief", &credential(&home.orchctl(&made).expect(0)));
    home.orchctl(&["get", "tokens"]).expect(0).saying(&["Active"]);
    eventually("its time is over", || brief.run(&["whoami"]).code == 5);
    // Not some time later: for the most part of half a minute it would be told wrong.
    std::thread::sleep(std::time::Duration::from_secs(2));
    home.orchctl(&["get", "tokens"]).expect(0).saying(&["Expired"]);
    home.orchctl(&["why", "token/brief"]).expect(0).saying(&[
        "token/brief is not Ready (Expired)",
        "its time is over",
        "orchctl create token brief --force",
    ]);
    home.orchctl(&made)
        .expect(4)
        .saying(&["orchctl create token brief --force"]);
    home.orchctl(&[&made[..], &["--force"]].concat()).expect(0);
}

/// A token that opens nothing says so to whoever makes it, or applies it once more.
#[test]
fn a_token_that_opens_nothing_is_told_of() {
    let home = Home::new().started();
    home.apply(
        &["web", "shop"]
            .map(|name| manifest("Project", name, &json!({})))
            .concat(),
    );
    let flags = [
        "create",
        "token",
        "x",
        "-p",
        "web",
        "--scope-project",
        "shop",
        "--rbac",
        "owner",
    ];
    let refused = home
        .orchctl(&flags)
        .saying(&["would open nothing", "opens that one alone"]);
    assert_ne!(refused.code, 0);
    let within = ["create", "token", "within", "--scope-project", "web", "--rbac", "owner"];
    let within = credential(&home.orchctl(&within).expect(0));
    let elsewhere = json!({"apiVersion": "orchctl.dev/v1", "kind": "Token", "metadata": {"name": "elsewhere"},
        "spec": {"rbac": "clone", "projects": [{"name": "shop"}]}});
    let made = home
        .http("POST", "/api/v1/tokens")
        .token(&within)
        .json(&elsewhere)
        .send();
    assert!((400..500).contains(&made.status), "{}", made.body);
    let applied = |name: &str, spec: Value| home.apply(&manifest("Token", name, &spec));
    applied("closed", json!({"projects": []})).saying(&["opens nothing: it is confined to no project"]);
    let ap = || applied("ap", json!({"rbac": "owner"}));
    ap().saying(&["orch_"]);
    ap().saying(&["unchanged"]);
    home.orchctl(&["revoke", "token/ap"]).expect(0);
    ap().saying(&[
        "unchanged",
        "token/ap was revoked and opens nothing any more",
        "orchctl create token ap --force",
    ]);
    applied("brief", json!({"rbac": "owner", "ttl": "1s"}));
    eventually("its time is over", || {
        home.get("tokens/brief")["status"]["phase"] == "Expired"
    });
    applied("brief", json!({"rbac": "owner", "ttl": "1s"})).saying(&["token/brief has expired and opens nothing"]);
}

//! Secret values: used by children, seen by nobody.

use std::fs;
use std::path::Path;
use std::process::Stdio;

use serde_json::{Value, json};

use super::{condition, copies, manifest, pids, server_with};
use crate::support::daemon::{Home, Output, each_file, eventually, on_each_database};

on_each_database!(
    a_value_is_never_in_the_open,
    a_key_is_rotated_and_everything_still_opens,
    a_key_is_rotated_while_the_daemon_runs_and_a_kill_half_way_is_made_up_for
);

const VALUE: &str = "correct-horse-battery-staple";
const NEXT: &str = "another-horse-altogether";

fn secret(value: &str) -> String {
    manifest("Secret", "keys", &json!({"data": {"token": value}}))
}

fn user() -> String {
    let token = json!([{"name": "TOKEN", "valueFrom": {"secretRef": {"name": "keys", "key": "token"}}}]);
    server_with("files", &["--tell", "TOKEN", "--tell", "OTHER"], json!({"env": token}))
}

fn a_value_is_never_in_the_open(home: Home) {
    let mut home = home.started();
    home.apply(&format!("{}{}", secret(VALUE), user()));
    home.until_ready(&["server/files"]);
    eventually("the child tells", || {
        home.orchctl(&["logs", "files"]).stdout.contains("TOKEN is <")
    });
    let said = home.orchctl(&["logs", "files"]).expect(0);
    assert!(
        said.stdout.contains("TOKEN is <***>"),
        "the child has the value, and it is masked: {}",
        said.stdout
    );

    // The same value compares equal, sealed or in the open; another one makes the server anew.
    home.apply(&secret(VALUE)).saying(&["unchanged"]);
    let before = pids(&home, "files");
    home.orchctl_reading(&secret(NEXT), &["diff", "-f", "-"]).expect(1);
    home.apply(&secret(NEXT)).saying(&["configured"]);
    eventually("the server runs with the new value", || {
        let now = pids(&home, "files");
        now.len() == 1 && now != before && copies(&home, "files").len() == 1
    });

    let outputs: &[&[&str]] = &[
        &["get", "secret/keys", "-o", "yaml"],
        &["get", "secret/keys", "-o", "json"],
        &["get", "servers,instances,secrets", "-o", "json"],
        &["describe", "secret", "keys"],
        &["describe", "server", "files"],
        &["history", "secret/keys", "-o", "json"],
        &["events", "-o", "json"],
        &["why", "server/files"],
        &["logs", "files"],
        &["plan", "-f", "secret.yaml", "-o", "-"],
        &["diff", "-f", "secret.yaml"],
        &[
            "create",
            "secret",
            "other",
            "--from-literal",
            "token=another-horse-altogether",
            "--dry-run=client",
            "-o",
            "yaml",
        ],
    ];
    home.write("secret.yaml", &secret(VALUE));
    for arguments in outputs {
        let output = home.orchctl(arguments);
        assert!(output.code <= 1, "{arguments:?}: {}", output.stderr);
        check(&output.stdout, &format!("{arguments:?}"));
        check(&output.stderr, &format!("{arguments:?}"));
    }
    home.orchctl(&["get", "secret/keys", "--show-values", "-o", "yaml"])
        .expect(0)
        .saying(&[NEXT]);
    home.stop();
    fs::remove_file(home.path("secret.yaml")).expect("the file is there");
    check(&home.logs(), "the daemon's log");
    each_file(&home.path("data"), &check);
}

#[track_caller]
fn check(text: &str, place: &str) {
    for value in [VALUE, NEXT] {
        assert!(!text.contains(value), "a secret value stands in {place}:\n{text}");
    }
}

/// Makes a new key while the daemon is not running.
#[track_caller]
fn rotate(home: &Home) -> Output {
    home.orchd_to_end(&["key", "rotate"]).expect(0)
}

/// The key that seals.
fn active_key(home: &Home) -> String {
    let text = fs::read_to_string(home.path("data/keys.json")).expect("there are keys");
    let keys: Value = serde_json::from_str(&text).expect("they are JSON");
    keys["active"].as_str().expect("one of them seals").to_owned()
}

fn a_key_is_rotated_and_everything_still_opens(home: Home) {
    let mut home = home.started();
    home.apply(&format!("{}{}", secret(NEXT), user()));
    home.apply(&secret(VALUE));
    home.until_ready(&["server/files"]);
    let export = |home: &Home| home.orchctl(&["get", "secret/keys", "-o", "yaml"]).expect(0).stdout;
    let history = |home: &Home| home.orchctl(&["history", "secret/keys", "-o", "json"]).expect(0).stdout;
    let (sealed, old) = (export(&home), active_key(&home));
    let generation = home.get("secrets/keys")["status"]["generation"].clone();
    let copy = copies(&home, "files")[0]["status"]["uid"].clone();
    home.stop();
    rotate(&home).saying(&["sealed anew: 1 objects, 2 generations"]);
    let new = active_key(&home);
    assert_ne!(old, new);
    home.start();

    assert!(export(&home).contains(&new) && !export(&home).contains(&old));
    assert!(
        history(&home).contains(&new) && !history(&home).contains(&old),
        "{}",
        history(&home)
    );
    assert_eq!(home.get("secrets/keys")["status"]["generation"], generation);
    home.apply(&sealed).saying(&["unchanged"]);
    home.apply(&secret(VALUE)).saying(&["unchanged"]);
    home.until_ready(&["server/files"]);
    assert_eq!(
        copies(&home, "files")[0]["status"]["uid"],
        copy,
        "the same value is no reason for another copy"
    );
    let shown = |value: &str| {
        home.orchctl(&["get", "secret/keys", "--show-values", "-o", "yaml"])
            .expect(0)
            .saying(&[value]);
    };
    shown(VALUE);
    home.orchctl(&["rollback", "secret/keys", "--to", "1"]).expect(0);
    shown(NEXT);
}

fn a_key_is_rotated_while_the_daemon_runs_and_a_kill_half_way_is_made_up_for(home: Home) {
    const MANY: usize = 1_500;
    let mut home = home.started();
    let manifests: String = (0..MANY)
        .map(|number| {
            manifest(
                "Secret",
                &format!("s{number}"),
                &json!({"data": {"token": format!("value-{number}")}}),
            )
        })
        .collect();
    home.apply(&format!("{}{}", secret(NEXT), user()));
    home.apply(&secret(VALUE));
    home.apply(&manifests);
    home.until_ready(&["server/files"]);
    let old = active_key(&home);
    let generation = home.get("secrets/keys")["status"]["generation"].clone();
    let copy = copies(&home, "files")[0]["status"]["uid"].clone();
    rotate(&home).saying(&["takes it up"]);
    let new = active_key(&home);
    assert_ne!(old, new);
    let sealed_with = |home: &Home, key: &str| {
        let stored = home.http("GET", "/api/v1/secrets").send().expect(200).body;
        stored.matches(&format!("sealed:v1:{key}:")).count()
    };
    // Once it has begun, the daemon is killed; the next one goes on.
    eventually("it has begun", || sealed_with(&home, &new) > 0);
    home.kill_9();
    home.start();
    eventually("everything is sealed anew", || sealed_with(&home, &old) == 0);
    assert_eq!(sealed_with(&home, &new), MANY + 1);
    eventually("so is the history", || {
        let history = home.orchctl(&["history", "secret/keys", "-o", "json"]).expect(0).stdout;
        history.contains(&new) && !history.contains(&old)
    });
    assert_eq!(home.get("secrets/keys")["status"]["generation"], generation);
    home.apply(&manifests).saying(&[&format!("{MANY} unchanged")]);
    home.until_ready(&["server/files"]);
    assert_eq!(
        copies(&home, "files")[0]["status"]["uid"],
        copy,
        "the same value is no reason for another copy"
    );
    // What is written from now on is sealed with the new key.
    home.apply(&secret(NEXT));
    let export = home.orchctl(&["get", "secret/keys", "-o", "yaml"]).expect(0).stdout;
    assert!(export.contains(&new), "{export}");
    home.orchctl(&["rollback", "secret/keys", "--to", "2"]).expect(0);
    home.orchctl(&["get", "secret/keys", "--show-values", "-o", "yaml"])
        .expect(0)
        .saying(&[VALUE]);
    eventually("it is noted", || {
        fs::read_to_string(home.path("data/sealed-with")).is_ok_and(|key| key == new)
    });
}

#[test]
fn a_rotation_that_is_cut_short_loses_nothing_and_is_taken_up_by_the_next() {
    const MANY: usize = 2_000;
    let mut home = Home::new().started();
    let manifests: String = (0..MANY)
        .map(|number| {
            manifest(
                "Secret",
                &format!("s{number}"),
                &json!({"data": {"token": format!("value-{number}")}}),
            )
        })
        .collect();
    home.apply(&manifests);
    home.stop();
    let first = active_key(&home);
    let mut rotating = home
        .orchd(&["key", "rotate"])
        .stderr(Stdio::null())
        .spawn()
        .expect("orchd runs");
    eventually("the new key is there", || active_key(&home) != first);
    rotating.kill().expect("it can be killed");
    let cut_short = !rotating.wait().expect("it ends").success();
    assert!(cut_short, "the rotation was over before it could be killed");

    let read = |home: &Home| -> Vec<String> {
        let shown = home
            .orchctl(&["get", "secrets", "--show-values", "-o", "json"])
            .expect(0)
            .stdout;
        let list: Value = serde_json::from_str(&shown).expect("JSON");
        let items = list["items"].as_array().expect("a list");
        let mut values: Vec<_> = items
            .iter()
            .map(|item| item["spec"]["data"]["token"].to_string())
            .collect();
        values.sort();
        values
    };
    home.start();
    let mut expected: Vec<_> = (0..MANY).map(|number| format!("\"value-{number}\"")).collect();
    expected.sort();
    assert_eq!(read(&home), expected);
    home.apply(&manifests).saying(&[&format!("{MANY} unchanged")]);
    home.stop();
    rotate(&home).saying(&[&format!("{MANY} objects, {MANY} generations")]);
    home.start();
    assert_eq!(read(&home), expected);
    let stored = home.http("GET", "/api/v1/secrets").send().expect(200).body;
    assert_eq!(
        stored.matches(&format!("sealed:v1:{}:", active_key(&home))).count(),
        MANY
    );
}

#[test]
fn keys_and_tokens_are_changed_only_where_a_daemon_has_lived() {
    let home = Home::new();
    for arguments in [["key", "rotate"], ["token", "reset"]] {
        home.orchd_to_end(&arguments)
            .expect(1)
            .saying(&["no daemon has used", "--data-dir"]);
        assert!(!home.path("data").exists());
    }
    // A daemon that runs takes a key up by itself, and keeps its tokens.
    let home = home.started();
    home.orchd_to_end(&["key", "rotate"]).expect(0).saying(&["takes it up"]);
    home.orchd_to_end(&["token", "reset"])
        .expect(1)
        .saying(&["is in use by process"]);
}

#[test]
fn a_sealed_value_under_another_name_is_refused() {
    let home = Home::new().started();
    home.apply(&secret(VALUE));
    let sealed = home.orchctl(&["get", "secret/keys", "-o", "yaml"]).expect(0).stdout;
    let stolen = sealed.replace("name: keys", "name: mine");
    home.orchctl_reading(&stolen, &["apply", "-f", "-"])
        .expect(1)
        .saying(&["spec.data.token", "sealed for another secret"]);
}

#[test]
fn a_template_hands_a_secret_on() {
    let home = Home::new().started();
    let template = json!({
        "parameters": [
            {"name": "greeting", "default": "hello"},
            {"name": "token", "secret": true, "required": true},
        ],
        "server": {
            "command": ["orch-fixture", "--say", "${greeting} $${x}", "--tell", "TOKEN", "--tell", "MODE"],
            "env": [{"name": "TOKEN", "value": "${token}"}],
        },
    });
    let parameters = json!({"greeting": "good day", "token": {"secretRef": {"name": "keys", "key": "token"}}});
    let user = manifest(
        "Server",
        "files",
        &json!({
            "template": {"name": "base", "parameters": parameters},
            "env": [{"name": "MODE", "value": "fast"}],
            "workingDirectory": "/",
        }),
    );
    home.apply(&[manifest("Template", "base", &template), secret(VALUE), user].concat());
    home.until_ready(&["server/files"]);
    eventually("the child tells", || {
        home.orchctl(&["logs", "files"]).stdout.contains("TOKEN is <***>")
    });
    // What the server says itself is there beside what the template says.
    home.orchctl(&["logs", "files"])
        .expect(0)
        .saying(&["good day ${x}", "MODE is <fast>"]);
    let directory = fs::read_link(format!("/proc/{}/cwd", pids(&home, "files")[0]));
    assert_eq!(directory.expect("a running process"), Path::new("/"));
    assert_eq!(condition(&home.get("servers/files"), "Implemented"), Default::default());
    let mut changed = template;
    changed["parameters"][0]["default"] = json!("unused");
    changed["server"]["description"] = json!("changed");
    home.apply(&manifest("Template", "base", &changed));
    eventually("the server follows its template", || {
        home.get("servers/files")["status"]["template"]["generation"] == 2
    });
    home.orchctl(&["delete", "template", "base"])
        .expect(4)
        .saying(&["server/files"]);
}

#[test]
fn a_key_that_goes_is_told() {
    let home = Home::new().started();
    home.apply(&format!("{}{}", secret(VALUE), user()));
    home.until_ready(&["server/files"]);
    let without = manifest("Secret", "keys", &json!({"data": {"other": "x"}}));
    home.apply(&without);
    eventually("the server says what it misses", || {
        condition(&home.get("servers/files"), "ReferencesResolved").0 == "False"
    });
    home.orchctl(&["why", "server/files"]).saying(&["no key `token`"]);
}

#[test]
fn only_a_value_that_is_used_makes_a_server_anew() {
    let home = Home::new().started();
    home.apply(&format!("{}{}", secret(VALUE), user()));
    home.until_ready(&["server/files"]);
    let before = pids(&home, "files");
    home.apply(&manifest(
        "Secret",
        "keys",
        &json!({"data": {"token": VALUE, "other": "x"}}),
    ));
    home.orchctl(&[
        "patch",
        "secret",
        "keys",
        "-P",
        r#"{"metadata": {"labels": {"team": "core"}}}"#,
    ])
    .expect(0);
    // A change that does reach it comes after the others, so they have been looked at by then.
    let more = json!({"description": "seen", "env": [{"name": "TOKEN", "valueFrom": {"secretRef": {"name": "keys", "key": "token"}}}]});
    home.apply(&server_with("files", &["--tell", "TOKEN", "--tell", "OTHER"], more));
    eventually("the description is seen", || {
        let server = home.get("servers/files");
        server["status"]["observedGeneration"] == server["status"]["generation"]
    });
    assert_eq!((pids(&home, "files"), copies(&home, "files").len()), (before, 1));
}

#[test]
fn a_key_file_that_is_gone_is_not_replaced_in_silence() {
    let mut home = Home::new().started();
    home.apply(&format!("{}{}", secret(VALUE), user()));
    home.until_ready(&["server/files"]);
    home.stop();
    let keys = home.path("data/keys.json");
    let kept = home.path("keys.kept");
    fs::rename(&keys, &kept).expect("the key file can be moved");
    home.orchd_to_end(&["serve"]).expect(1).saying(&[
        "keys.json is missing",
        "1 stored secret values",
        "hint: restore it",
    ]);
    assert!(!keys.exists());

    // Given up on purpose: the daemon starts, and says of everything that needs the old key that it cannot be opened.
    fs::write(&keys, "new\n").expect("the file can be written");
    home.start();
    for object in ["secrets/keys", "servers/files"] {
        eventually(&format!("{object} is said to be broken"), || {
            condition(&home.get(object), "ReferencesResolved").0 == "False"
        });
    }
    home.orchctl(&["why", "server/files"]).saying(&["cannot be opened"]);
    home.apply(&secret(VALUE));
    home.until_ready(&["server/files"]);
}

#[test]
fn a_value_in_the_wrong_place_is_not_repeated() {
    let home = Home::new().started();
    let specs = [
        json!(VALUE),
        json!({ "data": VALUE }),
        json!({"data": [VALUE]}),
        json!({"data": {"token": {"value": VALUE}}}),
        json!({"data": {"token": format!("sealed:v1:{VALUE}")}}),
        json!({"backend": VALUE.to_uppercase()}),
    ];
    for spec in &specs {
        let text = manifest("Secret", "keys", spec);
        let refused = home.orchctl_reading(&text, &["apply", "-f", "-"]).expect(1);
        let object =
            json!({"apiVersion": "orchctl.dev/v1", "kind": "Secret", "metadata": {"name": "keys"}, "spec": spec});
        let answer = home.http("POST", "/api/v1/secrets").json(&object).send().expect(422);
        let patch = home.http("POST", "/api/v1/apply").json(&json!({"objects": [object]}));
        for told in [refused.stderr, answer.body, patch.send().expect(422).body] {
            check(&told.to_lowercase(), &spec.to_string());
        }
    }
    for body in [
        json!({"name": "x", "data": VALUE}),
        json!({"name": "x", "data": {"a": [VALUE]}}),
        json!([VALUE]),
    ] {
        let refused = home.http("POST", "/api/v1/seal").json(&body).send().expect(400);
        check(&refused.body, &body.to_string());
    }
    check(&home.logs(), "the daemon's log");
}

//! Secret values: used by children, seen by nobody.

use std::fs;
use std::path::Path;
use std::process::Stdio;

use serde_json::json;

use super::{condition, copies, manifest, pids, server_with};
use crate::support::daemon::{Home, Output, eventually, on_each_database};

on_each_database!(a_value_is_never_in_the_open);

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
    search(&home.path("data"));
}

#[track_caller]
fn check(text: &str, place: &str) {
    for value in [VALUE, NEXT] {
        assert!(!text.contains(value), "a secret value stands in {place}:\n{text}");
    }
}

/// Looks into every file of a directory.
fn search(directory: &Path) {
    for entry in fs::read_dir(directory).expect("a directory").flatten() {
        let path = entry.path();
        if entry.file_type().expect("a type").is_dir() {
            search(&path);
        } else if let Ok(bytes) = fs::read(&path) {
            check(&String::from_utf8_lossy(&bytes), &path.display().to_string());
        }
    }
}

#[test]
fn a_key_is_rotated_and_everything_still_opens() {
    let mut home = Home::new().started();
    home.apply(&format!("{}{}", secret(VALUE), user()));
    home.until_ready(&["server/files"]);
    let sealed = home.orchctl(&["get", "secret/keys", "-o", "yaml"]).expect(0).stdout;
    let generation = home.get("secrets/keys")["status"]["generation"].clone();
    home.stop();
    let rotate = home
        .orchd(&["key", "rotate"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    Output::of(rotate.expect("orchd runs")).expect(0);
    home.start();
    let resealed = home.orchctl(&["get", "secret/keys", "-o", "yaml"]).expect(0).stdout;
    assert_ne!(resealed, sealed);
    assert_eq!(home.get("secrets/keys")["status"]["generation"], generation);
    home.apply(&sealed).saying(&["unchanged"]);
    home.apply(&secret(VALUE)).saying(&["unchanged"]);
    home.until_ready(&["server/files"]);
    home.orchctl(&["get", "secret/keys", "--show-values", "-o", "yaml"])
        .expect(0)
        .saying(&[VALUE]);
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
            "command": ["orch-fixture", "--say", "${greeting} $${x}", "--tell", "TOKEN"],
            "env": [{"name": "TOKEN", "value": "${token}"}],
        },
    });
    let parameters = json!({"greeting": "good day", "token": {"secretRef": {"name": "keys", "key": "token"}}});
    let user = manifest(
        "Server",
        "files",
        &json!({"template": {"name": "base", "parameters": parameters}}),
    );
    home.apply(&[manifest("Template", "base", &template), secret(VALUE), user].concat());
    home.until_ready(&["server/files"]);
    eventually("the child tells", || {
        home.orchctl(&["logs", "files"]).stdout.contains("TOKEN is <***>")
    });
    home.orchctl(&["logs", "files"]).expect(0).saying(&["good day ${x}"]);
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
    let removed = home.orchctl_reading(&without, &["apply", "-f", "-"]);
    if removed.code == 0 {
        eventually("the server says what it misses", || {
            condition(&home.get("servers/files"), "ReferencesResolved").0 == "False"
        });
    } else {
        removed.saying(&["token"]);
    }
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

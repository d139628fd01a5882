//! Secret values that live in a backend: they reach whoever uses them, wherever they are, and are found nowhere else.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::{condition, manifest, pids, server_with};
use crate::support::daemon::{Home, eventually, on_each_database};
use crate::support::vault::{Mood, ROOT, Vault};

on_each_database!(
    a_value_in_a_backend_reaches_a_child_and_nothing_else,
    values_are_migrated_one_secret_after_the_other
);

pub(super) const VALUE: &str = "correct-horse-battery-staple";
pub(super) const NEXT: &str = "another-horse-altogether";

/// The token of a backend, and the backend.
pub(super) fn backend(vault: &Vault, token: &str, more: Value) -> String {
    let mut spec = json!({
        "type": "openbao", "url": vault.url(), "mount": "team", "pathPrefix": "orch", "timeout": "600ms",
        "auth": {"token": {"secretRef": {"name": "bao-token", "key": "token"}}},
    });
    merge(&mut spec, more);
    let secret = manifest("Secret", "bao-token", &json!({"data": {"token": token}}));
    format!("{secret}{}", manifest("SecretBackend", "bao", &spec))
}

fn merge(into: &mut Value, more: Value) {
    match (into, more) {
        (Value::Object(into), Value::Object(more)) => {
            for (name, value) in more {
                merge(into.entry(name).or_insert(Value::Null), value);
            }
        }
        (into, more) => *into = more,
    }
}

pub(super) fn secret(name: &str, data: Value) -> String {
    manifest("Secret", name, &json!({"backend": "bao", "data": data}))
}

pub(super) fn user(name: &str, secret: &str) -> String {
    let token = json!([{"name": "TOKEN", "valueFrom": {"secretRef": {"name": secret, "key": "token"}}}]);
    server_with(name, &["--tell", "TOKEN"], json!({"env": token}))
}

/// What the one copy of a server has in its environment.
fn environment(home: &Home, server: &str) -> String {
    let [pid] = pids(home, server)[..] else {
        return String::new();
    };
    let text = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
    String::from_utf8_lossy(&text).into_owned()
}

pub(super) fn has_value(home: &Home, server: &str, value: &str) {
    eventually("the child has the value", || {
        environment(home, server)
            .split('\0')
            .any(|variable| variable == format!("TOKEN={value}"))
    });
}

fn exported(home: &Home, object: &str) -> String {
    home.orchctl(&["get", object, "-o", "yaml"]).expect(0).stdout
}

/// Nothing of that stands in what the daemon wrote.
#[track_caller]
pub(super) fn nowhere(home: &Home, values: &[&str]) {
    let check = |text: &str, place: &str| {
        for value in values {
            assert!(!text.contains(value), "{value} stands in {place}");
        }
    };
    check(&home.logs(), "the daemon's log");
    search(&home.path("data"), &check);
}

fn search(directory: &Path, check: &impl Fn(&str, &str)) {
    for entry in fs::read_dir(directory).expect("a directory").flatten() {
        let path = entry.path();
        if entry.file_type().expect("a type").is_dir() {
            search(&path, check);
        } else if let Ok(bytes) = fs::read(&path) {
            check(&String::from_utf8_lossy(&bytes), &path.display().to_string());
        }
    }
}

fn a_value_in_a_backend_reaches_a_child_and_nothing_else(home: Home) {
    let (vault, token) = Vault::set_up("team", "orch");
    let mut home = home.started();
    // In one set: the backend is used while it is made.
    let set = [
        backend(&vault, &token, json!({})),
        secret("keys", json!({"token": VALUE})),
        user("files", "keys"),
    ];
    home.apply(&set.concat()).saying(&["secret/keys", "created"]);
    home.until_ready(&["server/files", "secretbackend/bao", "secret/keys"]);
    has_value(&home, "files", VALUE);
    eventually("the child tells", || {
        home.orchctl(&["logs", "files"]).stdout.contains("TOKEN is <***>")
    });
    assert_eq!(vault.document("team/orch/keys"), Some((1, json!({"token": VALUE}))));

    // What is exported is a reference, and applies again; so does the value in the open.
    let first = exported(&home, "secret/keys");
    assert!(first.contains("token: external:v1:bao:1"), "{first}");
    home.apply(&first).saying(&["unchanged"]);
    home.apply(&secret("keys", json!({"token": VALUE})))
        .saying(&["unchanged"]);
    home.apply(&set.concat()).saying(&["0 changed"]);
    assert_eq!(vault.document("team/orch/keys").map(|(version, _)| version), Some(1));

    // Another value of the Secret is nothing to the server.
    let before = pids(&home, "files");
    home.apply(&secret("keys", json!({"token": VALUE, "other": "x"})))
        .saying(&["configured"]);
    assert_eq!(
        vault.document("team/orch/keys"),
        Some((2, json!({"token": VALUE, "other": "x"})))
    );
    assert!(exported(&home, "secret/keys").contains("token: external:v1:bao:2"));
    home.apply(&secret("keys", json!({"token": NEXT, "other": "x"})))
        .saying(&["configured"]);
    has_value(&home, "files", NEXT);
    assert_ne!(pids(&home, "files"), before);
    let changed = pids(&home, "files");
    home.apply(&secret("keys", json!({"token": NEXT})))
        .saying(&["configured"]);
    assert_eq!(vault.document("team/orch/keys").map(|(version, _)| version), Some(4));

    home.orchctl(&["get", "secret/keys", "--show-values", "-o", "yaml"])
        .expect(0)
        .saying(&[NEXT]);
    for hidden in [
        &["describe", "secret", "keys"][..],
        &["get", "secret/keys", "-o", "json"],
        &["history", "secret/keys", "-o", "json"],
        &["get", "secretbackend/bao", "-o", "json"],
        &["events", "-o", "json"],
        &["logs", "files"],
    ] {
        let said = home.orchctl(hidden).expect(0).stdout;
        for value in [VALUE, NEXT, token.as_str()] {
            assert!(!said.contains(value), "{hidden:?}: {said}");
        }
    }
    // Back to what it was: that version is read, and what it says is written as the next.
    home.orchctl(&["rollback", "secret/keys", "--to", "1"]).expect(0);
    assert_eq!(vault.document("team/orch/keys"), Some((5, json!({"token": VALUE}))));
    has_value(&home, "files", VALUE);
    assert_ne!(pids(&home, "files"), changed);
    assert!(
        home.orchctl(&["get", "secretbackends"])
            .expect(0)
            .stdout
            .contains("openbao")
    );

    // What nobody refers to any more goes, there too.
    home.orchctl(&["delete", "secretbackend", "bao"])
        .expect(4)
        .saying(&["is used by secret/keys"]);
    home.orchctl(&["delete", "server/files", "secret/keys"]).expect(0);
    eventually("the values are deleted", || vault.document("team/orch/keys").is_none());
    home.orchctl(&["delete", "secretbackend", "bao"]).expect(0);
    for asked in vault.asked() {
        assert!(asked.has_request_header, "{asked:?}");
    }
    home.stop();
    nowhere(&home, &[VALUE, NEXT, &token]);
}

#[test]
fn a_backend_that_is_away_is_a_condition_and_a_retry_and_never_an_empty_value() {
    let sealed = json!({"errors": ["error performing token check: Vault is sealed"]}).to_string();
    let denied = json!({"errors": ["permission denied"]}).to_string();
    // Most of the time is spent waiting for the next try: they wait together.
    std::thread::scope(|scope| {
        for (mood, reason) in [
            (Mood::Hung, "BackendSlow"),
            (Mood::Slow(Duration::from_secs(2)), "BackendSlow"),
            (Mood::Half, "BackendGarbled"),
            (Mood::Says(200, "{}".to_owned()), "BackendGarbled"),
            (Mood::Says(503, sealed), "BackendSealed"),
            (Mood::Says(403, denied), "BackendDenied"),
        ] {
            scope.spawn(move || is_away(&mood, reason));
        }
    });
}

/// A backend in that mood, for that reason: what is told of it, and that all is well again once it is.
fn is_away(mood: &Mood, reason: &str) {
    let (vault, token) = Vault::set_up("team", "orch");
    let home = Home::new().started();
    home.apply(
        &[
            backend(&vault, &token, json!({})),
            secret("keys", json!({"token": VALUE})),
        ]
        .concat(),
    );
    let export = exported(&home, "secret/keys");
    vault.be(mood.clone());
    home.apply(&user("files", "keys"));
    eventually("the server says why it waits", || {
        let server = home.get("servers/files");
        condition(&server, "ReferencesResolved") == ("False".to_owned(), reason.to_owned())
    });
    assert_eq!(pids(&home, "files"), Vec::<u32>::new(), "{mood:?}");
    eventually("the backend says what is the matter", || {
        condition(&home.get("secretbackends/bao"), "Ready") == ("False".to_owned(), reason.to_owned())
    });
    eventually("so does the Secret", || {
        condition(&home.get("secrets/keys"), "ReferencesResolved").0 == "False"
    });
    // What mends the backend is not asked of what refers to it.
    let why = home.orchctl(&["why", "server/files"]).expect(0).stdout;
    assert!(
        why.contains("orchctl describe secretbackend NAME") || why.contains("orchctl describe secretbackend/bao"),
        "{mood:?}: {why}"
    );
    // What is there already needs no backend; what is new is refused, and changes nothing.
    home.apply(&export).saying(&["unchanged"]);
    let refused = home.orchctl_reading(&secret("keys", json!({"token": NEXT})), &["apply", "-f", "-"]);
    assert!(refused.stderr.contains("ORCH603"), "{mood:?}: {}", refused.stderr);
    let refused = home.orchctl(&["get", "secret/keys", "--show-values", "-o", "yaml"]);
    assert!(
        refused.stderr.contains("ORCH603") && !refused.stdout.contains("token"),
        "{mood:?}: {}",
        refused.stderr
    );
    vault.be(Mood::Well);
    home.until_ready(&["server/files", "secretbackend/bao", "secret/keys"]);
    has_value(&home, "files", VALUE);
    let server = home.get("servers/files");
    assert_eq!(condition(&server, "ReferencesResolved").0, "True");
    assert_eq!(exported(&home, "secret/keys"), export);
}

#[test]
fn a_backend_that_hangs_is_waited_for_no_longer_than_one_that_is_away() {
    let vault = Vault::start();
    let home = Home::new().started();
    home.apply(&backend(&vault, ROOT, json!({"timeout": "4s"})));
    home.until_ready(&["secretbackend/bao"]);
    vault.be(Mood::Hung);
    let began = Instant::now();
    home.orchctl_reading(&secret("keys", json!({"token": VALUE})), &["apply", "-f", "-"])
        .expect(6)
        .saying(&["does not answer within 4000 ms"]);
    let took = began.elapsed();
    assert!(took < Duration::from_secs(20), "it took {took:?}");
}

#[test]
fn values_that_are_gone_are_told_apart_and_values_that_stay_are_told_of() {
    let (vault, token) = Vault::set_up("team", "orch");
    let mut home = Home::new().started();
    home.apply(
        &[
            backend(&vault, &token, json!({})),
            secret("keys", json!({"token": VALUE})),
        ]
        .concat(),
    );
    // A value that is not there any more is told apart from one that is out of reach, and is healed by applying it.
    vault.ask("DELETE", "/v1/team/metadata/orch/keys", Some(ROOT), Value::Null);
    home.apply(&user("late", "keys"));
    eventually("it waits for what is gone", || {
        condition(&home.get("servers/late"), "ReferencesResolved").1 == "ValueGone"
    });
    home.apply(&secret("keys", json!({"token": NEXT})))
        .saying(&["configured"]);
    home.until_ready(&["server/late"]);
    has_value(&home, "late", NEXT);

    // Values that cannot be deleted stay behind, and that is told.
    vault.be(Mood::Gone);
    home.orchctl(&["delete", "server/late", "secret/keys"]).expect(0);
    home.orchctl(&["events", "-o", "json"])
        .expect(0)
        .saying(&["ValuesLeft"]);
    home.stop();
    nowhere(&home, &[VALUE, NEXT, &token]);
}

#[test]
fn a_write_that_does_not_come_to_its_end_applies_nothing_and_loses_nothing() {
    let (vault, token) = Vault::set_up("team", "orch");
    let mut home = Home::new().started();
    home.apply(&backend(&vault, &token, json!({"timeout": "30s"})));
    // A set that is refused, or only rehearsed, writes nothing there.
    let broken = format!(
        "{}{}",
        secret("keys", json!({"token": VALUE})),
        user("files", "nothing")
    );
    home.orchctl_reading(&broken, &["apply", "-f", "-"])
        .expect(1)
        .saying(&["ORCH2101"]);
    home.orchctl_reading(
        &secret("keys", json!({"token": VALUE})),
        &["apply", "-f", "-", "--dry-run=server"],
    )
    .expect(0)
    .saying(&["created"]);
    assert_eq!(vault.document("team/orch/keys"), None);

    home.apply(&secret("keys", json!({"token": VALUE})));
    // Killed while the backend has the new version in its hands, and while it has it already.
    for mood in [Mood::Hung, Mood::Slow(Duration::from_secs(3))] {
        vault.forget();
        vault.be_at(mood.clone(), Some("/data/orch/keys"));
        let mut applying = home.orchctl_command(&["apply", "-f", "-"]);
        let mut child = applying.spawn().expect("orchctl runs");
        let text = secret("keys", json!({"token": NEXT}));
        std::io::Write::write_all(child.stdin.as_mut().expect("a pipe"), text.as_bytes()).expect("it reads");
        drop(child.stdin.take());
        eventually("the backend is asked", || {
            vault.asked().iter().any(|asked| asked.path.contains("/data/orch/keys"))
        });
        home.kill_9();
        vault.be(Mood::Well);
        child.kill().ok();
        child.wait().expect("it ends");
        home.start();
        home.orchctl(&["get", "secret/keys", "--show-values", "-o", "yaml"])
            .expect(0)
            .saying(&[VALUE]);
    }
    // However often it is tried in vain, what is in use is not pushed out of what the backend keeps.
    home.apply(&secret("keys", json!({"token": NEXT})))
        .saying(&["configured"]);
    let (version, _) = vault.document("team/orch/keys").expect("it is there");
    home.apply(&secret("keys", json!({"token": NEXT})))
        .saying(&["unchanged"]);
    assert_eq!(
        vault.document("team/orch/keys").map(|(version, _)| version),
        Some(version)
    );
    for number in 0..9 {
        let body = json!({"data": {"token": format!("orphan-{number}")}});
        vault.ask("POST", "/v1/team/data/orch/keys", Some(ROOT), body);
    }
    let refused = home.orchctl_reading(&secret("keys", json!({"token": VALUE})), &["apply", "-f", "-"]);
    refused.expect(1).saying(&["ORCH6031", "would push out version"]);
    vault.keep("team/orch/keys", 30);
    home.apply(&secret("keys", json!({"token": VALUE})))
        .saying(&["configured"]);
    home.orchctl(&["get", "secret/keys", "--show-values", "-o", "yaml"])
        .expect(0)
        .saying(&[VALUE]);
}

#[test]
fn exactly_one_backend_is_the_default_and_no_token_is_locked_in() {
    let (vault, token) = Vault::set_up("team", "orch");
    let home = Home::new().started();
    let is_default = |name: &str| home.get(&format!("secretbackends/{name}"))["spec"]["default"] == true;
    assert!(is_default("default"), "the daemon's own store is, from the start");
    home.orchctl(&["delete", "secretbackend", "default"])
        .expect(4)
        .saying(&["ORCH2110"]);
    home.orchctl(&[
        "patch",
        "secretbackend",
        "default",
        "-P",
        "{\"spec\": {\"default\": false}}",
    ])
    .expect(4)
    .saying(&["ORCH2110"]);
    let far = backend(&vault, &token, json!({"default": true}));
    let both = format!(
        "{far}{}",
        manifest("SecretBackend", "default", &json!({"type": "local", "default": true}))
    );
    home.orchctl_reading(&both, &["apply", "-f", "-"])
        .expect(1)
        .saying(&["ORCH2110", "exactly one"]);
    home.apply(&far).saying(&["no longer the default"]);
    assert!(is_default("bao") && !is_default("default"));

    // What names no backend goes there when it is new; the backend's own token never does.
    home.apply(&manifest("Secret", "keys", &json!({"data": {"token": VALUE}})));
    assert!(exported(&home, "secret/keys").contains("external:v1:bao:1"));
    home.apply(&manifest(
        "Secret",
        "bao-token",
        &json!({"data": {"token": token, "more": "x"}}),
    ));
    assert!(exported(&home, "secret/bao-token").contains("more: sealed:v1:"));
    let locked = secret("bao-token", json!({"token": token}));
    home.orchctl_reading(&locked, &["apply", "-f", "-"])
        .expect(1)
        .saying(&["ORCH2111"]);
    let by_itself = backend(
        &vault,
        &token,
        json!({"auth": {"token": {"secretRef": {"name": "keys", "key": "token"}}}}),
    );
    home.orchctl_reading(&by_itself, &["apply", "-f", "-"])
        .expect(1)
        .saying(&["lives in the backend `bao`"]);

    // Back again: what is there stays where it is.
    home.orchctl(&[
        "patch",
        "secretbackend",
        "default",
        "-P",
        "{\"spec\": {\"default\": true}}",
    ])
    .expect(0);
    assert!(!is_default("bao") && is_default("default"));
    home.apply(&manifest("Secret", "keys", &json!({"data": {"token": VALUE}})))
        .saying(&["unchanged"]);
    home.apply(&manifest("Secret", "late", &json!({"data": {"token": VALUE}})));
    assert!(exported(&home, "secret/late").contains("sealed:v1:"));
    // Where it says that it lives is where it is put.
    home.apply(&manifest(
        "Secret",
        "keys",
        &json!({"backend": "default", "data": {"token": VALUE}}),
    ));
    assert!(exported(&home, "secret/keys").contains("sealed:v1:"));
    eventually("what is left behind is deleted", || {
        vault.document("team/orch/keys").is_none()
    });

    let described = home.orchctl(&["create", "secretbackend", "x", "--auth", "token", "--url", "http://x"]);
    described.expect(2).saying(&["secretRef"]);
    home.orchctl(&[
        "create",
        "secretbackend",
        "x",
        "--auth",
        "kubernetes",
        "--url",
        "http://x",
    ])
    .expect(2)
    .saying(&["role"]);
    let both = ["--token-secret", "bao-token/token", "--role", "r"];
    home.orchctl(&[&["create", "secretbackend", "x", "--url", "http://x"][..], &both].concat())
        .expect(2)
        .saying(&["two ways"]);
    home.orchctl(&[
        "create",
        "secretbackend",
        "second",
        "--url",
        &vault.url(),
        "--mount",
        "team",
        "--token-secret",
        "bao-token/token",
    ])
    .expect(0);
    home.until_ready(&["secretbackend/second"]);
}

fn values_are_migrated_one_secret_after_the_other(home: Home) {
    let (vault, token) = Vault::set_up("team", "orch");
    let mut home = home.started();
    let plain = |name: &str| manifest("Secret", name, &json!({"data": {"token": format!("{VALUE}-{name}")}}));
    let set = [
        backend(&vault, &token, json!({})),
        plain("a"),
        plain("b"),
        plain("c"),
        user("files", "a"),
    ];
    home.apply(&set.concat());
    home.until_ready(&["server/files"]);
    let before = pids(&home, "files");
    let migrate = |home: &Home, arguments: &[&str]| home.orchctl(&[&["migrate", "secrets"], arguments].concat());
    let there = ["--from", "default", "--to", "bao"];
    let rehearsed = migrate(&home, &[&there[..], &["--dry-run"]].concat()).expect(0);
    for secret in ["secret/a", "secret/b", "secret/c"] {
        assert!(
            rehearsed.stdout.contains(&format!("{secret}   would be moved")),
            "{}",
            rehearsed.stdout
        );
    }
    assert!(
        !rehearsed.stdout.contains("secret/bao-token   would"),
        "{}",
        rehearsed.stdout
    );
    assert_eq!(vault.document("team/orch/a"), None);

    // The backend gives up half-way: what has moved has moved, and the rest is as it was.
    vault.be_at(Mood::Gone, Some("/orch/b"));
    migrate(&home, &there)
        .expect(2)
        .saying(&["secret/a   moved", "secret/b   failed", "secret/c   moved"]);
    assert!(exported(&home, "secret/b").contains("sealed:v1:"));
    home.kill_9();
    vault.be(Mood::Well);
    home.start();
    let again = migrate(&home, &there).expect(0).saying(&["secret/b   moved"]);
    assert!(!again.stdout.contains("secret/a   moved") && !again.stdout.contains("secret/c   moved"));
    migrate(&home, &there).expect(0).saying(&["0 moved"]);
    for name in ["a", "b", "c"] {
        let (_, data) = vault.document(&format!("team/orch/{name}")).expect("it is there");
        assert_eq!(data, json!({"token": format!("{VALUE}-{name}")}));
        assert!(exported(&home, &format!("secret/{name}")).contains("external:v1:bao:"));
    }
    let generation = home.get("secrets/a")["status"]["generation"].clone();
    home.until_ready(&["server/files"]);
    has_value(&home, "files", &format!("{VALUE}-a"));
    assert_ne!(before, Vec::<u32>::new());
    let settled = pids(&home, "files");

    // The token by which the backend is read stays, even when it is named.
    migrate(&home, &[&there[..], &["--names", "bao-token"]].concat())
        .expect(2)
        .saying(&["secret/bao-token   failed", "locked out"]);
    migrate(&home, &[&there[..], &["--names", "a,nothing"]].concat())
        .expect(2)
        .saying(&["secret/a   left", "secret/nothing   failed"]);

    // And back, with a copy left behind; nobody who uses it is disturbed.
    let back = ["--from", "bao", "--to", "default"];
    migrate(&home, &[&back[..], &["--names", "a", "--keep-source"]].concat())
        .expect(0)
        .saying(&["secret/a   moved", "stay in `bao`"]);
    assert!(exported(&home, "secret/a").contains("sealed:v1:") && vault.document("team/orch/a").is_some());
    migrate(&home, &back).expect(0).saying(&["2 moved"]);
    assert_eq!(vault.document("team/orch/b"), None);
    assert!(home.get("secrets/a")["status"]["generation"].as_i64() >= generation.as_i64());
    std::thread::sleep(Duration::from_secs(1));
    assert_eq!(
        pids(&home, "files"),
        settled,
        "the same value is no reason for another copy"
    );
    migrate(&home, &["--from", "bao", "--to", "nowhere"])
        .expect(3)
        .saying(&["secretbackend/nowhere does not exist"]);
    migrate(&home, &["--from", "bao", "--to", "bao"])
        .expect(1)
        .saying(&["both the backend"]);
    home.stop();
    nowhere(&home, &[VALUE, &token]);
}

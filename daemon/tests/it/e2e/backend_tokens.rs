//! The token by which a daemon reads a backend: made by the wizard, replaced every day, seen by nobody.

use serde_json::{Value, json};

use super::backends::{NEXT, VALUE, backend, has_value, nowhere, secret, user};
use super::manifest;
use crate::support::daemon::{Home, eventually, on_each_database};
use crate::support::vault::{Mood, ROOT, Vault};

on_each_database!(a_token_is_replaced_and_a_failure_keeps_the_old_one);

#[test]
fn the_wizard_sets_a_server_up_and_forgets_the_token_that_may() {
    let vault = Vault::start();
    let mut home = Home::new().started();
    let wizard = |home: &Home, name: &str, admin: &str, more: &[&str]| {
        let url = vault.url();
        let arguments = [
            "create",
            "secretbackend",
            name,
            "--type",
            "openbao",
            "--wizard",
            "--url",
            &url,
            "--mount",
            "team",
        ];
        let mut command = home.orchctl_command(&[&arguments[..], more].concat());
        command.env("ORCHCTL_ADMIN_TOKEN", admin);
        crate::support::daemon::Output::of(command.spawn().expect("orchctl runs"))
    };
    // What cannot be done leaves nothing behind here.
    let refused = wizard(&home, "bao", "s.not-a-token", &[]);
    assert!(
        refused.code != 0 && refused.stderr.contains("permission denied"),
        "{}",
        refused.stderr
    );
    assert!(!refused.stderr.contains("s.not-a-token"));
    vault.seal(true);
    assert!(wizard(&home, "bao", ROOT, &[]).stderr.contains("is sealed"));
    vault.seal(false);
    wizard(&home, "bao", "", &[]).expect(2).saying(&["there is no token"]);
    home.orchctl(&["get", "secretbackend", "bao"]).expect(3);
    assert_eq!(vault.tokens(), Vec::<String>::new(), "no token of ours is left");

    let said = wizard(&home, "bao", ROOT, &["--path-prefix", "orch"])
        .expect(0)
        .saying(&[
            "version 1.8.0-dev",
            "mounted a KV v2 engine at team/",
            "wrote the policy orchd-bao: only team/orch/*",
            "wrote the token role orchd-bao",
            "for 720 hours",
            "wrote, read and deleted a value",
            "secretbackend/bao   created",
            "orchctl migrate secrets --from default --to bao --dry-run",
        ]);
    assert!(!said.stdout.contains(ROOT) && !said.stderr.contains(ROOT));
    home.until_ready(&["secretbackend/bao", "secret/bao-token"]);
    let [token] = &vault.tokens()[..] else {
        panic!("one token is left: {:?}", vault.tokens())
    };
    let (_, policy) = vault.ask("GET", "/v1/sys/policies/acl/orchd-bao", Some(ROOT), Value::Null);
    let policy = policy["data"]["policy"].as_str().expect("a policy");
    assert!(
        policy.contains("path \"team/data/orch/*\"") && !policy.contains("sys/"),
        "{policy}"
    );
    let (status, _) = vault.ask("GET", "/v1/team/data/elsewhere/x", Some(token), Value::Null);
    assert_eq!(status, 403, "the daemon's own token may do nothing else");
    assert_eq!(vault.document("team/orch/.set-up"), None);
    assert_eq!(
        home.get("secretbackends/bao")["spec"]["auth"]["token"]["tokenRole"],
        "orchd-bao"
    );
    home.orchctl(&["describe", "secretbackend", "bao"])
        .expect(0)
        .saying(&["healthy"]);

    // It is the default: what is new goes there, with the daemon's own token.
    vault.forget();
    home.apply(&format!(
        "{}{}",
        manifest("Secret", "keys", &json!({"data": {"token": VALUE}})),
        user("files", "keys")
    ));
    home.until_ready(&["server/files"]);
    has_value(&home, "files", VALUE);
    assert!(vault.asked().iter().all(|asked| asked.token.as_deref() != Some(ROOT)));
    home.orchctl(&["rotate", "secretbackend", "bao"]).expect(0);

    // Twice is once too often; another beside it leaves the default where it is.
    wizard(&home, "bao", ROOT, &[]).expect(4).saying(&["exists already"]);
    let second = [
        "--path-prefix",
        "second",
        "--policy-name",
        "narrow",
        "--token-role",
        "maker",
        "--no-promote-default",
    ];
    wizard(&home, "second", ROOT, &second)
        .expect(0)
        .saying(&["a KV v2 engine is mounted", "wrote the policy narrow"]);
    assert_eq!(home.get("secretbackends/bao")["spec"]["default"], true);
    assert_eq!(
        home.get("secretbackends/second")["spec"]["auth"]["token"]["tokenRole"],
        "maker"
    );

    // When the last step fails, the token that was made is ended again.
    vault.be_at(
        Mood::Says(403, json!({"errors": ["permission denied"]}).to_string()),
        Some("/data/third/"),
    );
    let count = vault.tokens().len();
    let failed = wizard(&home, "third", ROOT, &["--path-prefix", "third"]);
    assert!(
        failed.code != 0 && failed.stderr.contains("permission denied"),
        "{}",
        failed.stderr
    );
    assert_eq!(vault.tokens().len(), count);
    home.orchctl(&["get", "secretbackend", "third"]).expect(3);

    // From a file, and from standard input.
    vault.be(Mood::Well);
    let url = vault.url();
    let by_input = [
        "create",
        "secretbackend",
        "fourth",
        "--wizard",
        "--url",
        &url,
        "--mount",
        "team",
        "--path-prefix",
        "fourth",
        "--admin-token-file",
        "-",
    ];
    home.orchctl_reading(&format!("{ROOT}\n"), &by_input).expect(0);
    home.stop();
    nowhere(&home, &[ROOT, VALUE, "s.not-a-token"]);
}

fn a_token_is_replaced_and_a_failure_keeps_the_old_one(home: Home) {
    let (vault, token) = Vault::set_up("team", "orch");
    let mut home = home.started();
    let rotated = json!({"auth": {"token": {"tokenRole": "orchd"}}});
    let set = [
        backend(&vault, &token, rotated),
        secret("keys", json!({"token": VALUE})),
        user("files", "keys"),
    ];
    home.apply(&set.concat());
    home.until_ready(&["server/files", "secretbackend/bao"]);
    let stored = |home: &Home| {
        let shown = home
            .orchctl(&["get", "secret/bao-token", "--show-values", "-o", "json"])
            .expect(0)
            .stdout;
        let shown: Value = serde_json::from_str(&shown).expect("JSON");
        shown["spec"]["data"]["token"].as_str().expect("a token").to_owned()
    };
    let health = |home: &Home| home.get("secretbackends/bao")["status"]["token"]["health"].clone();
    eventually("its health is told", || health(&home) == "healthy");
    let status = home.get("secretbackends/bao")["status"]["token"].clone();
    for field in ["generatedAt", "renewalAt", "expiresAt"] {
        assert!(status[field].is_string(), "{status}");
    }

    // By hand: the successor is in use, and the predecessor has ended.
    home.orchctl(&["rotate", "secretbackend", "bao"])
        .expect(0)
        .saying(&["secretbackend/bao   rotated"]);
    let second = stored(&home);
    assert_ne!(second, token);
    assert_eq!(vault.tokens(), std::slice::from_ref(&second));
    home.apply(&secret("keys", json!({"token": NEXT})));
    has_value(&home, "files", NEXT);

    // Whatever fails leaves the token that works, and stands in status.
    for (path, mood) in [
        (
            "auth/token/create",
            Mood::Says(403, json!({"errors": ["permission denied"]}).to_string()),
        ),
        ("auth/token/create", Mood::Half),
        (
            "metadata/orch/.check",
            Mood::Says(403, json!({"errors": ["permission denied"]}).to_string()),
        ),
    ] {
        vault.be_at(mood.clone(), Some(path));
        let failed = home.orchctl(&["rotate", "secretbackend", "bao"]);
        assert!(failed.code != 0, "{path} {mood:?}: {}", failed.stdout);
        vault.be(Mood::Well);
        assert_eq!(stored(&home), second, "{path} {mood:?}");
        eventually("that it failed is told", || health(&home) == "WARNING");
        let told = home
            .orchctl(&["describe", "secretbackend", "bao"])
            .expect(0)
            .saying(&["WARNING", "RotationFailed"]);
        assert!(!told.stdout.contains(&second));
        home.orchctl(&["get", "secret/keys", "--show-values", "-o", "yaml"])
            .expect(0)
            .saying(&[NEXT]);
    }
    // A predecessor that cannot be revoked stays noted, and is revoked later.
    vault.be_at(Mood::Gone, Some("revoke-accessor"));
    home.orchctl(&["rotate", "secretbackend", "bao"]).expect(0);
    let third = stored(&home);
    assert!(
        third != second && vault.tokens().contains(&second),
        "{:?}",
        vault.tokens()
    );
    assert_eq!(
        home.get("secretbackends/bao")["status"]["token"]["superseded"]
            .as_array()
            .map(Vec::len),
        Some(1)
    );
    eventually("it is told", || health(&home) == "WARNING");
    home.orchctl(&["describe", "secretbackend", "bao"])
        .expect(0)
        .saying(&["an earlier token could not be revoked yet", "PredecessorLeft"]);
    home.kill_9();
    vault.be(Mood::Well);
    home.start();
    eventually("it is revoked", || !vault.tokens().contains(&second));
    eventually("and no longer noted", || {
        home.get("secretbackends/bao")["status"]["token"]
            .get("superseded")
            .is_none()
    });
    eventually("it is well again", || health(&home) == "healthy");
    let told = home.get("secretbackends/bao")["status"]["token"].clone();
    assert!(told.get("lastError").is_none(), "{told}");

    // One that became overdue while the daemon was down is replaced at the start.
    home.stop();
    vault.age(&third, 2 * 24 * 60 * 60);
    home.start();
    eventually("it is replaced", || !vault.tokens().contains(&third));
    let fourth = stored(&home);
    assert!(fourth != third && vault.tokens().contains(&fourth));

    // One that has ended elsewhere is told for what it is.
    vault.revoke(&fourth);
    home.stop();
    home.start();
    eventually("it does not work any more", || health(&home) == "ERROR");
    home.orchctl(&["rotate", "secretbackend", "default"])
        .expect(1)
        .saying(&["has no token that the daemon can replace"]);
    home.stop();
    nowhere(&home, &[VALUE, NEXT, &token, &second, &third, &fourth]);
}

/// What would be refused in the end is refused before anything is done at the server.
#[test]
fn whoever_may_not_set_a_backend_up_asks_nothing_of_the_server() {
    let vault = Vault::start();
    let home = Home::new().started();
    let grants = json!([{"roles": ["create", "view"], "resources": ["secretbackends", "secrets"]}]);
    let narrow = json!({"subjects": [{"kind": "ServiceAccount", "name": "narrow"}], "grants": grants});
    let token = |name: &str| {
        let spec = json!({"serviceAccount": "narrow", "rbac": "owner"});
        let object = json!({"apiVersion": "orchctl.dev/v1", "kind": "Token", "metadata": {"name": name}, "spec": spec});
        let made = home.http("POST", "/api/v1/tokens").json(&object).send().expect(201);
        made.json()["credential"].as_str().expect("a credential").to_owned()
    };
    home.apply(
        &[
            manifest("ServiceAccount", "narrow", &json!({})),
            manifest("RoleBinding", "narrow", &narrow),
        ]
        .concat(),
    );
    let token = token("narrow");
    let set_up = |promoted: bool| {
        let body = json!({"name": "bao", "url": vault.url(), "adminToken": ROOT, "promoteDefault": promoted});
        let request = home.http("POST", "/api/v1/set-up-secretbackend").token(&token);
        request.json(&body).send()
    };
    let refused = set_up(false).expect(403);
    assert!(refused.body.contains("migrate-secrets"), "{}", refused.body);
    let mut wider = narrow.clone();
    wider["operations"] = json!(["migrate-secrets"]);
    home.apply(&manifest("RoleBinding", "narrow", &wider));
    let refused = set_up(true).expect(403);
    assert!(
        refused.body.contains("the backend that is the default now"),
        "{}",
        refused.body
    );
    assert!(vault.asked().is_empty(), "{:?}", vault.asked());
    set_up(false).expect(200);
    assert!(!vault.asked().is_empty());
}

/// A server may repeat what it does not take, in any form.
#[test]
fn a_value_that_a_server_repeats_is_not_told() {
    let (vault, token) = Vault::set_up("team", "orch");
    let home = Home::new().started();
    home.apply(&backend(&vault, &token, json!({})));
    let value = "zebra \"with\" stripes\nwalrus \\ with  tusks";
    let repeated = [
        format!("1 error occurred:\n\t* bad data: {value}\n\n"),
        json!({ "data": value }).to_string(),
    ];
    vault.be_at(Mood::Says(400, json!({"errors": repeated}).to_string()), Some("/data/"));
    let manifest = home.write("keys.yaml", &secret("keys", json!({"token": value})));
    let refused = home.orchctl(&["apply", "-f", manifest.to_str().expect("a plain path")]);
    assert!(
        refused.code != 0 && refused.stderr.contains("bad data: ***"),
        "{}",
        refused.stderr
    );
    for part in ["zebra", "stripes", "walrus", "tusks"] {
        assert!(!refused.stderr.contains(part), "{}", refused.stderr);
        assert!(!home.logs().contains(part), "it is in the log");
    }
}

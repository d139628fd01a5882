//! The driver: what it makes of every answer that was recorded, and of servers that misbehave.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use orch_daemon::secrets::vault::{Connection, Credential, Error, Policy};
use orch_daemon::secrets::{Backends, Plaintext, vault};
use serde_json::json;

use super::recorded::exchanges;
use crate::support::vault::{Mood, ROOT, Vault};

const DEADLINE: Duration = Duration::from_millis(400);

fn plaintext(text: &str) -> Plaintext {
    Plaintext::new(text.to_owned())
}

fn connection(vault: &Vault, credential: Credential) -> Connection {
    Connection {
        name: "bao".parse().unwrap(),
        url: vault.url(),
        mount: "team".to_owned(),
        path_prefix: "orch".to_owned(),
        namespace: None,
        timeout: DEADLINE,
        credential,
    }
}

fn with_token(vault: &Vault, token: &str) -> vault::Vault {
    Backends::default().open(connection(vault, Credential::Token(plaintext(token))))
}

fn data(pairs: &[(&str, &str)]) -> BTreeMap<String, Plaintext> {
    pairs
        .iter()
        .map(|(key, value)| ((*key).to_owned(), plaintext(value)))
        .collect()
}

/// What a call comes to, in a line.
fn told<T: std::fmt::Debug>(outcome: Result<T, Error>) -> String {
    match outcome {
        Ok(value) => format!("{value:?}"),
        Err(error) => format!("{} {error}", if error.is_passing() { "passing:" } else { "final:" }),
    }
}

#[tokio::test]
async fn every_recorded_answer_is_understood() {
    let double = Vault::start();
    let vault = with_token(&double, "s.some-token");
    let policy = Policy {
        mount: "team".to_owned(),
        path_prefix: "orch".to_owned(),
        role: "orchd".to_owned(),
    };
    let plan = vault::Plan {
        policy: "orchd".to_owned(),
        role: "orchd".to_owned(),
    };
    let jwt = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(jwt.path(), "eyJ.y.z").unwrap();
    let account = Credential::Kubernetes {
        role: "orchd".to_owned(),
        mount: "kubernetes".to_owned(),
        path: jwt.path().display().to_string(),
    };
    for exchange in exchanges() {
        let body = if exchange.answer.is_null() {
            String::new()
        } else {
            exchange.answer.to_string()
        };
        double.be(Mood::Says(exchange.status, body));
        let is_data = exchange.path.contains("/team/data/");
        let step = exchange.step.as_str();
        let version = exchange
            .path
            .split_once("version=")
            .map(|(_, version)| version.parse().unwrap());
        let outcome = match (exchange.method.as_str(), exchange.path.as_str()) {
            (_, "/v1/sys/health") => told(vault.health().await),
            ("GET", "/v1/sys/mounts") | ("POST", "/v1/sys/mounts/team") => told(vault.ensure_engine().await),
            ("PUT", path) if path.contains("/policies/") => told(vault.write_policy("orchd", &policy).await),
            ("POST", "/v1/auth/token/roles/orchd") => told(vault.write_role(&plan).await),
            ("POST", "/v1/auth/token/create/orchd") => {
                told(vault.mint("orchd").await.map(|minted| (minted.accessor, minted.lease)))
            }
            ("GET", "/v1/auth/token/lookup-self") => told(
                vault
                    .look_up_self()
                    .await
                    .map(|known| (known.accessor, known.created, known.expires.map(|end| end.to_string()))),
            ),
            ("POST", "/v1/auth/token/revoke-accessor") => told(vault.revoke("a").await),
            ("POST", "/v1/auth/kubernetes/login") => {
                let vault = Backends::default().open(connection(&double, account.clone()));
                told(vault.look_up_self().await)
            }
            ("GET", _) if is_data => told(vault.read("gitea", version).await.map(|document| {
                document.map(|document| {
                    let data: Vec<String> = document
                        .data
                        .iter()
                        .map(|(key, value)| format!("{key}={}", value.reveal()))
                        .collect();
                    (document.version, data)
                })
            })),
            ("POST", _) if is_data => told(vault.write("gitea", &data(&[("token", "abc")]), 1).await),
            ("GET", path) if path.contains("/metadata/") => told(vault.kept("gitea").await),
            ("DELETE", path) if path.contains("/metadata/") => told(vault.delete("gitea").await),
            // What the driver never asks: listing, soft deletion, undeletion, destruction, renewal, enabling of auth methods.
            _ => told(
                vault
                    .read("gitea", None)
                    .await
                    .map(|document| document.map(|document| document.version)),
            ),
        };
        let expected = match step {
            "health" => r#""1.8.0-dev""#,
            // There is no `team/` among the mounts, and making it is answered with the same.
            "mounts before" => "true",
            "mount kv v2 at team" => "final: refuses with status 204",
            "mount again: in use" => "final: refuses with status 400: path is already in use at team/",
            "write v1" => "1",
            "write v2 with matching cas" => "2",
            "write with stale cas" | "create only: cas 0 on existing" => {
                "passing: was written at the same place by somebody else"
            }
            "read latest" | "read again" | "read with client token" => r#"Some((2, ["token=def"]))"#,
            "read version 1" => r#"Some((1, ["token=abc", "url=http://x"]))"#,
            "read absent" | "read soft-deleted" | "read destroyed v1" | "list absent" => "None",
            "metadata" => "Kept { newest: 2, most: 10 }",
            "policy write"
            | "token role write"
            | "revoke predecessor by accessor"
            | "revoke unknown accessor"
            | "delete metadata" => "()",
            "policy syntax error" => {
                "final: refuses with status 400: failed to parse policy: At 1:28: unexpected token while parsing list: IDENT"
            }
            "mint first token by role" => r#"("<accessor-1>", 2592000s)"#,
            "self mint successor" => r#"("<accessor-2>", 2592000s)"#,
            "lookup-self" => r#"("<accessor-2>", 1795228508, Some("2026-12-21T02:35:08.802Z"))"#,
            "read outside the policy" | "list mounts without right" | "use revoked token" | "garbage token" => {
                "final: refuses that: permission denied"
            }
            "no token" => "final: refuses with status 400: missing client token",
            "malformed json" => "final: refuses with status 400: no data provided",
            "kubernetes login: unknown role" => r#"final: does not let the daemon log in: invalid role name "orchd""#,
            "kubernetes login: bad jwt" => {
                "final: does not let the daemon log in: could not load backend configuration"
            }
            "kubernetes login: missing jwt" => "final: does not let the daemon log in: missing jwt",
            "unknown path" => "final: refuses with status 404: no handler for route 'nothing/here'",
            "read while sealed" | "health while sealed" => "passing: is sealed",
            // Not asked for by the driver; as the answer to a read they are no document, and never an empty one.
            "mount tuning info"
            | "list"
            | "policy read"
            | "token role read"
            | "renew-self"
            | "patch (1.8: not there)"
            | "soft delete latest"
            | "undelete v2"
            | "destroy v1"
            | "enable kubernetes auth"
            | "kubernetes config"
            | "kubernetes role"
            | "seal" => {
                assert!(
                    outcome.starts_with("passing: ") || outcome.starts_with("final: "),
                    "{step}: {outcome}"
                );
                continue;
            }
            other => panic!("nobody says what becomes of `{other}`: {outcome}"),
        };
        assert_eq!(outcome, expected, "{step}");
    }
}

#[tokio::test]
async fn a_server_that_misbehaves_is_told_apart_and_never_taken_for_an_empty_value() {
    let (double, token) = Vault::set_up("team", "orch");
    let vault = with_token(&double, &token);
    assert_eq!(vault.write("gitea", &data(&[("token", "abc")]), 0).await, Ok(1));
    for (mood, expected) in [
        (Mood::Hung, "passing: does not answer within 400 ms"),
        (
            Mood::Slow(Duration::from_millis(900)),
            "passing: does not answer within 400 ms",
        ),
        (
            Mood::Half,
            "passing: does not answer as it should: the answer breaks off",
        ),
        (Mood::Gone, "passing: "),
        (Mood::Says(200, String::new()), "passing: does not answer as it should"),
        (
            Mood::Says(200, "{\"data\": ".to_owned()),
            "passing: does not answer as it should: the answer is not the JSON",
        ),
        (
            Mood::Says(200, "{}".to_owned()),
            "passing: does not answer as it should",
        ),
        (
            Mood::Says(200, "<html>".to_owned()),
            "passing: does not answer as it should",
        ),
        (Mood::Says(204, String::new()), "final: refuses with status 204"),
        (
            Mood::Says(
                200,
                json!({"data": {"data": null, "metadata": {"version": 1}}}).to_string(),
            ),
            "passing: does not answer as it should",
        ),
        (
            Mood::Says(
                200,
                json!({"data": {"data": {"token": 5}, "metadata": {"version": 1}}}).to_string(),
            ),
            "passing: does not answer as it should: a value of the document is no text",
        ),
        (
            Mood::Says(
                200,
                json!({"data": {"data": {"token": ""}, "metadata": {"version": 9}}}).to_string(),
            ),
            "passing: does not answer as it should: the answer is another version",
        ),
        (Mood::Says(307, String::new()), "final: sends on to another address"),
        (Mood::Says(500, "oops".to_owned()), "passing: answers with status 500"),
        (
            Mood::Says(502, "<html>bad gateway</html>".to_owned()),
            "passing: answers with status 502",
        ),
        (Mood::Says(429, "{}".to_owned()), "passing: answers with status 429"),
        (
            Mood::Says(403, json!({"errors": [format!("no, {token} may not")]}).to_string()),
            "final: refuses that: permission denied: no, *** may not",
        ),
        (
            Mood::Says(200, "x".repeat(9 << 20)),
            "passing: does not answer as it should: the answer is longer",
        ),
    ] {
        double.be(mood.clone());
        let started = Instant::now();
        let outcome = told(
            vault
                .value("gitea", "token", 1)
                .await
                .map(|value| value.reveal().to_owned()),
        );
        assert!(outcome.starts_with(expected), "{mood:?}: {outcome}");
        assert!(!outcome.contains(&token), "{outcome}");
        assert!(started.elapsed() < DEADLINE * 3, "{mood:?}: {:?}", started.elapsed());
    }
    double.be(Mood::Well);
    assert_eq!(
        told(
            vault
                .value("gitea", "token", 1)
                .await
                .map(|value| value.reveal().to_owned())
        ),
        "\"abc\""
    );
    assert_eq!(
        vault.value("gitea", "other", 1).await,
        Err(Error::NoKey {
            key: "other".to_owned(),
            version: 1
        })
    );
    assert_eq!(vault.value("gitea", "token", 2).await, Err(Error::Gone(2)));
    double.seal(true);
    assert_eq!(vault.value("gitea", "token", 1).await, Err(Error::Sealed));
    assert_eq!(vault.health().await, Err(Error::Sealed));
}

#[tokio::test]
async fn nobody_listening_is_told() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let double = Vault::start();
    let connection = Connection {
        url,
        ..connection(&double, Credential::Token(plaintext("t")))
    };
    let outcome = told(Backends::default().open(connection).read("x", None).await);
    assert_eq!(
        outcome,
        "passing: cannot be reached: nobody answers there: connection refused"
    );
}

#[tokio::test]
async fn every_request_says_what_it_must() {
    let (double, token) = Vault::set_up("team", "orch");
    let vault = Backends::default().open(Connection {
        namespace: Some("unit/a".to_owned()),
        ..connection(&double, Credential::Token(plaintext(&token)))
    });
    assert_eq!(vault.kept("gitea").await.map(|kept| kept.newest), Ok(0));
    assert_eq!(vault.write("gitea", &data(&[("a", "1"), ("b", "2")]), 0).await, Ok(1));
    assert_eq!(
        vault.write("gitea", &data(&[("a", "3")]), 0).await,
        Err(Error::Overtaken)
    );
    assert_eq!(vault.delete("gitea").await, Ok(()));
    assert_eq!(vault.read("gitea", None).await, Ok(None));
    let told: Vec<_> = double
        .asked()
        .into_iter()
        .map(|asked| {
            assert_eq!(asked.token.as_deref(), Some(token.as_str()));
            assert_eq!(asked.namespace.as_deref(), Some("unit/a"));
            assert!(asked.has_request_header);
            format!("{} {} {}", asked.method, asked.path, asked.body)
        })
        .collect();
    assert_eq!(
        told,
        [
            "GET /v1/team/metadata/orch/gitea null",
            r#"POST /v1/team/data/orch/gitea {"options":{"cas":0},"data":{"a":"1","b":"2"}}"#,
            r#"POST /v1/team/data/orch/gitea {"options":{"cas":0},"data":{"a":"3"}}"#,
            "DELETE /v1/team/metadata/orch/gitea null",
            "GET /v1/team/data/orch/gitea null",
        ]
    );
}

#[tokio::test]
async fn a_service_account_logs_in_once_and_once_more_when_it_is_no_longer_accepted() {
    let (double, _) = Vault::set_up("team", "orch");
    double.let_in("eythe.account.token", "orchd", "orchd", 3600);
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "eythe.account.token\n").unwrap();
    let account = |mount: &str, path: String| Credential::Kubernetes {
        role: "orchd".to_owned(),
        mount: mount.to_owned(),
        path,
    };
    let backends = Backends::default();
    let open = || {
        backends.open(connection(
            &double,
            account("kubernetes", file.path().display().to_string()),
        ))
    };
    let logins = || {
        double
            .asked()
            .iter()
            .filter(|asked| asked.path.ends_with("/login"))
            .count()
    };
    for _ in 0..3 {
        assert_eq!(open().read("gitea", None).await, Ok(None));
    }
    assert_eq!(logins(), 1, "the token is kept");
    let in_use = double
        .tokens()
        .into_iter()
        .find(|token| token.starts_with("s.logged-in"))
        .unwrap();
    double.revoke(&in_use);
    assert_eq!(open().read("gitea", None).await, Ok(None));
    assert_eq!(logins(), 2);
    // One that may not is asked once more and no more.
    double.ask("PUT", "/v1/sys/policies/acl/orchd", Some(ROOT), json!({"policy": ""}));
    double.forget();
    let refused = open().read("gitea", None).await;
    assert!(matches!(refused, Err(Error::Denied(_))), "{refused:?}");
    assert_eq!(logins(), 1);
    assert_eq!(double.asked().len(), 3);

    // A lease that is about to end is used for what it was taken for.
    double.let_in("eythe.account.token", "orchd", "orchd", 60);
    double.forget();
    let short = backends.open(Connection {
        namespace: Some("short".to_owned()),
        ..connection(&double, account("kubernetes", file.path().display().to_string()))
    });
    for _ in 0..2 {
        drop(short.read("gitea", None).await);
    }
    assert!(logins() >= 2, "{}", logins());

    // What is wrong is told without the account's token.
    std::fs::write(file.path(), "eyanother.account.token").unwrap();
    let denied = Backends::default().open(connection(
        &double,
        account("kubernetes", file.path().display().to_string()),
    ));
    let told_of = told(denied.read("gitea", None).await);
    assert_eq!(
        told_of,
        "final: does not let the daemon log in: could not load backend configuration"
    );
    let missing = Backends::default().open(connection(&double, account("kubernetes", "/nowhere/token".to_owned())));
    let told_of = told(missing.read("gitea", None).await);
    assert_eq!(
        told_of,
        "final: cannot be logged in to: /nowhere/token cannot be read (entity not found)"
    );
}

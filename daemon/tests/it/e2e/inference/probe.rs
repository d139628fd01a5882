//! Keys are tried before anything is written: one that is not taken keeps the whole set out, and whoever does not answer
//! keeps nothing out.

use serde_json::{Value, json};

use super::{KEY, keys, listing, model, provider, scripted, seen};
use crate::e2e::manifest;
use crate::support::daemon::{Home, eventually};

/// A key that nobody takes.
const WRONG: &str = "sk-of-nobody";

fn wrong_key() -> Value {
    json!({"apiKeyRef": {"name": "keys", "key": "wrong"}})
}

/// A manifest of ours, as JSON.
fn object(manifest: &str) -> Value {
    let field = |name: &str| {
        manifest
            .lines()
            .find_map(|line| line.strip_prefix(name))
            .unwrap_or_default()
    };
    let spec: Value = serde_json::from_str(field("spec: ")).expect("JSON");
    let name = field("metadata: {name: ").trim_end_matches('}');
    json!({"apiVersion": "orchctl.dev/v1", "kind": field("kind: "), "metadata": {"name": name}, "spec": spec})
}

/// How often a provider was asked whether it takes a key, or whether it answers.
fn asked(far: &crate::support::far::Far) -> (u64, u64) {
    let seen = seen(far);
    (
        seen["listed"].as_u64().unwrap_or(0),
        seen["asked"]["ping"].as_u64().unwrap_or(0),
    )
}

#[test]
fn a_key_that_is_not_taken_keeps_the_whole_set_out() {
    let (home, far) = (Home::new().started(), provider());
    let set = [
        keys(),
        manifest("Project", "web", &json!({})),
        model("right", &far, "openai", "plain", &json!({})),
        model("wrong", &far, "openai", "plain", &wrong_key()),
        model("claude", &far, "anthropic", "ping", &wrong_key()),
    ];
    let path = home.write("set.yaml", &set.concat());
    let path = path.to_str().expect("text");
    for dry in [&[][..], &["--dry-run=server"]] {
        let refused = home.orchctl(&[&["apply", "-f", path], dry].concat()).expect(1);
        // Both of them, each at its place, in the provider's words and without the key.
        let places = refused.stderr.matches("set.yaml:").count();
        assert!(places >= 2, "{}", refused.stderr);
        assert_eq!(
            refused.stderr.matches("spec.apiKeyRef").count(),
            2,
            "{}",
            refused.stderr
        );
        assert!(
            refused.stderr.contains("the key *** is not known"),
            "{}",
            refused.stderr
        );
        assert!(!refused.stderr.contains(WRONG), "{}", refused.stderr);
        for address in ["llms/right", "llms/wrong", "secrets/keys", "projects/web"] {
            home.http("GET", &format!("/api/v1/{address}")).send().expect(404);
        }
    }
    // As it goes over the wire.
    let objects: Vec<Value> = set.iter().map(|text| object(text)).collect();
    let refused = home
        .http("POST", "/api/v1/apply")
        .json(&json!({"objects": objects}))
        .send()
        .expect(422)
        .json();
    let problems = refused["errors"].as_array().expect("problems");
    let told: Vec<(&Value, &Value, &Value)> = problems
        .iter()
        .map(|problem| (&problem["object"], &problem["pointer"], &problem["code"]))
        .collect();
    let (place, code) = (json!("/spec/apiKeyRef"), json!("ORCH2112"));
    assert_eq!(
        told,
        [(&json!(3), &place, &code), (&json!(4), &place, &code)],
        "{refused}"
    );

    // With the right ones, all of it is there; the Secret came with them.
    home.apply(&set[..3].concat());
    home.until_ready(&["llm/right"]);
    // Whatever way a change comes in, it is tried alike.
    let before = home.get("llms/right");
    let mut put = before.clone();
    put.as_object_mut().expect("an object").remove("status");
    put["spec"]["apiKeyRef"]["key"] = json!("wrong");
    let refused = home.http("PUT", "/api/v1/llms/right").json(&put).send().expect(422);
    assert!(!refused.body.contains(WRONG), "{}", refused.body);
    home.orchctl(&[
        "patch",
        "llm",
        "right",
        "-P",
        r#"{"spec": {"apiKeyRef": {"key": "wrong"}}}"#,
    ])
    .expect(1)
    .saying(&["spec.apiKeyRef", "is not known"]);
    let create = [
        "create",
        "llm",
        "made",
        "--provider",
        "openai",
        "--model",
        "m",
        "--url",
        &far.url("/v1"),
    ];
    home.orchctl(&[&create[..], &["--api-key-ref", "keys/wrong"]].concat())
        .expect(1)
        .saying(&["does not take the key", "--skip-auth-check"]);
    home.http("GET", "/api/v1/llms/made").send().expect(404);
    assert_eq!(home.get("llms/right")["spec"], before["spec"]);

    // Skipped, it is written, and nowhere does it say so.
    home.orchctl(&[&create[..], &["--api-key-ref", "keys/wrong", "--skip-auth-check"]].concat())
        .expect(0);
    let made = home.get("llms/made");
    assert!(!made["spec"].to_string().contains("kip"), "{made}");
    home.orchctl(&[
        "patch",
        "llm",
        "right",
        "-P",
        r#"{"spec": {"apiKeyRef": {"key": "wrong"}}}"#,
        "--skip-auth-check",
    ])
    .expect(0);
    home.orchctl(&["rollback", "llm", "right"]).expect(0);
    home.orchctl(&["rollback", "llm", "right"])
        .expect(1)
        .saying(&["is not known"]);
    home.orchctl_reading(&set[3], &["apply", "-f", "-", "--skip-auth-check"])
        .expect(0);

    // The keys are nowhere in what was written down or said.
    eventually("it is seen that the key is not taken", || {
        home.get("llms/made")["status"]["phase"] == "Degraded"
    });
    let everything = [
        home.orchctl(&["get", "llms,secrets", "-o", "json"]).stdout,
        home.orchctl(&["describe", "llm", "made"]).stdout,
        home.get("events").to_string(),
        home.get("audit?limit=1000").to_string(),
        home.logs(),
    ]
    .concat();
    for key in [KEY, WRONG] {
        assert!(!everything.contains(key), "{key} is in what was said");
    }
}

#[test]
fn who_does_not_answer_is_told_and_keeps_nothing_out() {
    let (home, far) = (Home::new().started(), provider());
    home.apply(&keys());
    listing(&far, &json!({"status": 404}));
    let applied = home.apply(
        &[
            model("gone", &far, "openai", "plain", &json!({"url": "http://127.0.0.1:9"})),
            model("odd", &far, "openai", "plain", &json!({})),
            model("failing", &far, "anthropic", "status.500", &json!({})),
            scripted("demo", &json!([{"text": "hello"}])),
        ]
        .concat(),
    );
    for told in [
        "llm/gone: it is not known",
        "llm/odd: it is not known",
        "llm/failing: it is not known",
    ] {
        assert!(applied.stderr.contains(told), "{}", applied.stderr);
    }
    assert!(!applied.stderr.contains("llm/demo"), "{}", applied.stderr);
    let create = [
        "create",
        "llm",
        "made",
        "--provider",
        "openai",
        "--model",
        "m",
        "--url",
        "http://127.0.0.1:9",
    ];
    let made = home.orchctl(&[&create[..], &["--api-key-ref", "keys/provider"]].concat());
    assert!(made.expect(0).stderr.contains("cannot be reached"));
    let gone = |name: &str| crate::e2e::condition(&home.get(&format!("llms/{name}")), "Available");
    eventually("it is seen that nobody is there", || {
        gone("gone") == ("False".to_owned(), "Unreachable".to_owned())
    });
    eventually("it is seen that nothing is known", || {
        gone("odd") == ("Unknown".to_owned(), "OddAnswer".to_owned())
    });
}

#[test]
fn many_models_take_no_longer_than_one() {
    let (home, far) = (Home::new().started(), provider());
    home.apply(&keys());
    // Nobody answers in time; each has an address of its own, so that each is asked. One after the other would take longer
    // than the command line waits.
    listing(&far, &json!({"late": 60_000}));
    let silent = |number: usize| {
        let url = far.url(&format!("/?n={number}"));
        model(
            &format!("silent-{number}"),
            &far,
            "openai",
            "plain",
            &json!({"url": url}),
        )
    };
    let applied = home.apply(&(0..150).map(silent).collect::<String>());
    assert_eq!(
        applied.stderr.matches("there is no answer within").count(),
        150,
        "{}",
        applied.stderr
    );
    // Those that share a key and an address are asked about once.
    let other = provider();
    let alike = |number: usize| model(&format!("alike-{number}"), &other, "openai", "plain", &json!({}));
    home.orchctl_reading(
        &(0..50).map(alike).collect::<String>(),
        &["apply", "-f", "-", "--dry-run=server"],
    )
    .expect(0);
    assert_eq!(asked(&other), (1, 0));
}

#[test]
fn a_key_is_tried_again_when_what_decides_about_it_changes() {
    let home = Home::new().with(&["--llm-check-interval", "1h"]).started();
    let far = provider();
    home.apply(&(keys() + &model("gpt", &far, "openai", "plain", &json!({}))));
    // Once for the key, and once to see how it fares.
    eventually("it was looked at", || asked(&far) == (2, 0));
    home.until_ready(&["llm/gpt"]);
    for more in [
        json!({"tier": "heavy"}),
        json!({"tier": "heavy", "model": "other"}),
        json!({"tier": "fast"}),
    ] {
        home.apply(&model("gpt", &far, "openai", "plain", &more));
        home.until_ready(&["llm/gpt"]);
        assert_eq!(asked(&far), (2, 0), "{more}");
    }
    home.apply(&model("gpt", &far, "openai", "plain", &json!({"url": far.url("/v1")})));
    eventually("another address is another question", || asked(&far) == (4, 0));
    home.apply(&model(
        "gpt",
        &far,
        "openai",
        "plain",
        &json!({"url": far.url("/v1"), "tier": "heavy"}),
    ));
    home.apply(&manifest("Secret", "more", &json!({"data": {"key": KEY}})));
    let other = json!({"url": far.url("/v1"), "apiKeyRef": {"name": "more", "key": "key"}});
    home.apply(&model("gpt", &far, "openai", "plain", &other));
    eventually("another key is another question", || asked(&far) == (6, 0));
    // Anthropic's keys are proved by a message, and looked at without one.
    home.apply(&model("claude", &far, "anthropic", "ping", &json!({})));
    eventually("it was looked at", || asked(&far) == (7, 1));
    assert_eq!(seen(&far)["last"]["body"]["max_tokens"], 1);
    assert_eq!(seen(&far)["refused"], 0);
}

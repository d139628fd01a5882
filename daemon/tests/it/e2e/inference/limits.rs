//! What goes over a limit is refused at once, with the time to come back at.

use serde_json::json;

use super::{chat, post};
use crate::e2e::manifest;
use crate::support::daemon::Home;

#[test]
fn limits_of_models_and_of_principals_are_kept() {
    let home = Home::new().with(&["--principal-tokens-per-minute", "1000"]).started();
    let limited = |name: &str, limits: serde_json::Value| {
        let script = json!([{"text": "word ".repeat(600)}]);
        manifest(
            "Llm",
            name,
            &json!({"provider": "scripted", "model": "none", "script": script, "limits": limits}),
        )
    };
    home.apply(&(limited("few", json!({"requestsPerMinute": 1})) + &limited("free", json!({}))));
    let ask = |name: &str| post(&home, "/v1/chat/completions", &chat(name)).send();
    ask("few").expect(200);
    let refused = ask("few").expect(429);
    assert!(
        refused
            .header("retry-after")
            .is_some_and(|wait| wait.parse::<u64>().is_ok_and(|wait| wait > 0))
    );
    assert_eq!(refused.json()["error"]["code"], "rate_limit_exceeded");
    assert!(
        refused.body.contains("llm/few may be asked 1 times a minute"),
        "{}",
        refused.body
    );
    // Some 800 tokens each: after two, more were taken than there are in a minute.
    ask("free").expect(200);
    let refused = ask("free").expect(429);
    assert!(
        refused.body.contains("`admin` may take 1000 tokens a minute"),
        "{}",
        refused.body
    );
}

#[test]
fn budgets_are_held_before_a_model_is_asked_and_what_was_used_is_told() {
    let home = Home::new().started();
    let pricing = json!({"inputPerMillion": 1000, "outputPerMillion": 1000, "currency": "EUR"});
    let script = json!([{"text": "word ".repeat(200)}]);
    home.apply(
        &[
            manifest("Project", "web", &json!({"budget": {"tokens": 2000, "period": "day"}})),
            manifest(
                "Llm",
                "demo",
                &json!({"provider": "scripted", "model": "none", "script": script, "pricing": pricing}),
            ),
        ]
        .concat(),
    );
    let token = |name: &str, spec: serde_json::Value| {
        let object = json!({"apiVersion": "orchctl.dev/v1", "kind": "Token", "metadata": {"name": name}, "spec": spec});
        let made = home
            .http("POST", "/api/v1/tokens")
            .json(&object)
            .send()
            .expect(201)
            .json();
        made["credential"].as_str().expect("a credential").to_owned()
    };
    let ask = |token: &str, most: u64| {
        let mut body = chat("demo");
        body["max_tokens"] = most.into();
        let request = crate::support::http::Request::new(home.address(), "POST", "/v1/chat/completions");
        request.token(token).json(&body).send()
    };
    let thrifty = token(
        "thrifty",
        json!({"rbac": "owner", "budget": {"cost": 0.5, "currency": "EUR", "period": "total"}}),
    );
    // What it may take at most does not fit, and nobody is asked.
    let refused = ask(&thrifty, 1000).expect(402);
    assert_eq!(refused.json()["error"]["code"], "budget_exceeded", "{}", refused.body);
    assert!(refused.body.contains("token/thrifty"), "{}", refused.body);
    // It fits once; what it took then leaves too little.
    ask(&thrifty, 400).expect(200);
    crate::support::daemon::eventually("what was used is written down", || {
        home.get("usage?by=token")["items"]
            .as_array()
            .is_some_and(|items| items.len() == 1)
    });
    ask(&thrifty, 400).expect(402);
    let limited = token("limited", json!({"rbac": "owner", "limits": {"requestsPerMinute": 1}}));
    ask(&limited, 10).expect(200);
    let refused = ask(&limited, 10).expect(429);
    assert!(
        refused.body.contains("token/limited may be asked 1 times a minute"),
        "{}",
        refused.body
    );
    // What is asked for a project counts for it.
    let for_project = |project: &str, most: u64| {
        let mut body = chat("demo");
        body["max_tokens"] = most.into();
        post(&home, "/v1/chat/completions", &body)
            .header("X-Orch-Project", project)
            .send()
    };
    let refused = for_project("web", 5000).expect(402);
    assert!(refused.body.contains("project/web"), "{}", refused.body);
    for_project("web", 1000).expect(200);
    for_project("none", 1000).expect(404);
    crate::support::daemon::eventually("both calls are written down", || {
        home.get("usage?by=llm")["items"][0]["requests"] == 3
    });
    let told = home.get("usage?by=llm");
    let sums = &told["items"][0];
    assert_eq!((&sums["requests"], &sums["failed"]), (&json!(3), &json!(0)), "{told}");
    assert!(sums["outputTokens"].as_i64() > Some(300), "{told}");
    assert!(
        home.orchctl(&["usage", "--by", "llm"])
            .expect(0)
            .stdout
            .contains("demo")
    );
}

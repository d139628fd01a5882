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

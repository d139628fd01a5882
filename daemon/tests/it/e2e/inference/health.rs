//! Whether a model can be asked stands in its status: from those who ask it, and from somebody who looks now and then.

use serde_json::{Value, json};

use super::{chat, keys, listing, model, post, provider, scripted, seen};
use crate::e2e::{condition, manifest};
use crate::support::daemon::{Home, eventually};

/// The condition of a model, in words.
fn available(home: &Home, name: &str) -> (String, String) {
    condition(&home.get(&format!("llms/{name}")), "Available")
}

fn said(status: &str, reason: &str) -> (String, String) {
    (status.to_owned(), reason.to_owned())
}

#[test]
fn models_are_looked_at_now_and_then() {
    let home = Home::new().with(&["--llm-check-interval", "1s"]).started();
    let far = provider();
    let bare = json!({"provider": "ollama", "model": "plain", "url": far.url("")});
    home.apply(
        &[
            keys(),
            model("gpt", &far, "openai", "plain", &json!({})),
            manifest("Llm", "bare", &bare),
            scripted("demo", &json!([{"text": "hello"}])),
        ]
        .concat(),
    );
    home.until_ready(&["llm/gpt", "llm/demo"]);
    assert_eq!(available(&home, "demo"), said("True", "Scripted"));
    // Models without a key are looked at as well.
    eventually("it wants a key", || {
        available(&home, "bare") == said("False", "KeyMissing")
    });
    listing(&far, &json!({"status": 503}));
    eventually("its trouble is seen", || {
        available(&home, "gpt") == said("False", "ProviderFails")
    });
    let shown = home.orchctl(&["get", "llms"]).expect(0).stdout;
    assert!(
        shown.contains("Degraded") && shown.contains("no models today"),
        "{shown}"
    );
    home.orchctl(&["describe", "llm", "gpt"])
        .expect(0)
        .saying(&["Available", "ProviderFails"]);
    // It answers for somebody who asks: what was seen keeps nobody from asking.
    post(&home, "/v1/chat/completions", &chat("gpt")).send().expect(200);
    listing(&far, &json!({}));
    eventually("it is well again", || {
        available(&home, "gpt") == said("True", "Answers")
    });
    home.until_ready(&["llm/gpt"]);
    let events = home.get("events?kind=Llm&name=gpt");
    let reasons: Vec<&Value> = events["items"]
        .as_array()
        .expect("events")
        .iter()
        .map(|event| &event["reason"])
        .collect();
    assert!(
        reasons.contains(&&json!("ProviderFails")) && reasons.contains(&&json!("Available")),
        "{events}"
    );
    // What is well is looked at again, and nothing is written then.
    let (before, revision) = (
        seen(&far)["listed"].as_u64(),
        home.get("llms/gpt")["status"]["revision"].clone(),
    );
    eventually("it is looked at again", || {
        seen(&far)["listed"].as_u64() > before.map(|before| before + 2)
    });
    assert_eq!(home.get("llms/gpt")["status"]["revision"], revision);
    assert_eq!(seen(&far)["asked"], json!({"plain": 1}), "looking costs nothing");
}

#[test]
fn who_keeps_failing_says_so_and_is_well_once_it_answers() {
    let (home, far) = (Home::new().started(), provider());
    home.apply(&(keys() + &model("flaky", &far, "openai", "flaky.6", &json!({}))));
    home.until_ready(&["llm/flaky"]);
    let ask = || post(&home, "/v1/chat/completions", &chat("flaky")).send().status;
    for _ in 0..3 {
        ask();
    }
    eventually("it is said", || available(&home, "flaky") == said("False", "LeftAlone"));
    let status = home.get("llms/flaky")["status"].clone();
    assert_eq!(status["phase"], "Degraded");
    assert!(status.to_string().contains("answers HTTP 503"), "{status}");
    home.orchctl(&["get", "llms"])
        .expect(0)
        .saying(&["Degraded", "kept failing"]);
    // After a while one is let through, and answers.
    eventually("it is asked again", || ask() == 200);
    eventually("it is well again", || {
        available(&home, "flaky") == said("True", "Answers")
    });
    assert_eq!(home.get("llms/flaky")["status"]["phase"], "Ready");
    let events = home.get("events?kind=Llm&name=flaky").to_string();
    assert!(
        events.contains("LeftAlone") && events.contains("\"Available\""),
        "{events}"
    );
}

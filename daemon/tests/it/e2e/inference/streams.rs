//! Answers that come bit by bit: what is cut out of them, how they end, and that nothing goes on for a client that is gone.

use std::time::Duration;

use serde_json::{Value, json};

use super::{chat, data, keys, messages, model, post, provider, rows, seen, streamed};
use crate::support::daemon::{Home, eventually};

#[test]
fn what_was_used_is_told_to_those_who_ask() {
    let (home, far) = (Home::new().started(), provider());
    home.apply(&(keys() + &model("gpt", &far, "openai", "chunks.40", &json!({}))));
    let answer = post(&home, "/v1/chat/completions", &streamed(chat("gpt")))
        .send()
        .expect(200);
    assert!(!answer.body.contains("prompt_tokens"), "{}", answer.body);
    assert_eq!(
        data(&answer.body).len(),
        43,
        "the role, 40 pieces, the end, and the mark"
    );
    let mut asked = streamed(chat("gpt"));
    asked["stream_options"] = json!({"include_usage": true});
    let answer = post(&home, "/v1/chat/completions", &asked).send().expect(200);
    assert_eq!(answer.body.matches("prompt_tokens\":11").count(), 1, "{}", answer.body);
    assert_eq!(data(&answer.body).len(), 44);
}

#[test]
fn an_answer_that_breaks_off_says_so() {
    let (home, far) = (Home::new().started(), provider());
    home.apply(
        &[
            keys(),
            model("gpt", &far, "openai", "break.3.slow.20", &json!({})),
            model("claude", &far, "anthropic", "break.4.slow.20", &json!({})),
            model("quiet", &far, "openai", "silent.2", &json!({"timeout": "1s"})),
        ]
        .concat(),
    );
    for (name, path, body, kind) in [
        ("gpt", "/v1/chat/completions", chat("gpt"), "api_error"),
        ("gpt", "/v1/messages", messages("gpt"), "api_error"),
        ("claude", "/v1/messages", messages("claude"), "api_error"),
        ("claude", "/v1/chat/completions", chat("claude"), "api_error"),
        ("quiet", "/v1/chat/completions", chat("quiet"), "api_error"),
    ] {
        let answer = post(&home, path, &streamed(body)).send().expect(200);
        let last = data(&answer.body).pop().expect("an event");
        let last: Value = serde_json::from_str(&last).expect("JSON");
        assert!(last["error"]["message"].is_string(), "{name} {path}: {}", answer.body);
        assert!(
            !answer.body.contains("[DONE]") && !answer.body.contains("message_stop"),
            "{name} {path}"
        );
        let said = last["error"]["type"].as_str().unwrap_or_default();
        assert!(said == kind || said == "server_error", "{name} {path}: {last}");
    }
    eventually("the rows are written", || rows(&home).len() == 5);
    assert!(
        rows(&home).iter().all(|row| row["outcome"] == "failed"),
        "{:?}",
        rows(&home)
    );
    assert_eq!(seen(&far)["underWay"], 0);
}

/// Some providers leave out the last event; they have said why they stopped.
#[test]
fn an_answer_that_says_why_it_ends_is_whole() {
    let (home, far) = (Home::new().started(), provider());
    home.apply(
        &[
            keys(),
            model("gpt", &far, "openai", "unmarked", &json!({})),
            model("claude", &far, "anthropic", "unmarked", &json!({})),
        ]
        .concat(),
    );
    for (path, body, end) in [
        ("/v1/chat/completions", chat("gpt"), "[DONE]"),
        ("/v1/messages", messages("gpt"), "message_stop"),
        ("/v1/messages", messages("claude"), "message_stop"),
        ("/v1/chat/completions", chat("claude"), "[DONE]"),
    ] {
        let answer = post(&home, path, &streamed(body.clone())).send().expect(200);
        let last = data(&answer.body).pop().expect("an event");
        assert!(last.contains(end), "{path} {body}: {}", answer.body);
        assert!(!answer.body.contains("error"), "{path} {body}: {}", answer.body);
    }
    eventually("the rows are written", || rows(&home).len() == 4);
    assert!(
        rows(&home).iter().all(|row| row["outcome"] == "allowed"),
        "{:?}",
        rows(&home)
    );
}

#[test]
fn nothing_goes_on_for_a_client_that_is_gone() {
    let (home, far) = (Home::new().started(), provider());
    home.apply(
        &[
            keys(),
            model("slow", &far, "openai", "chunks.10000.slow.20", &json!({})),
            model("late", &far, "openai", "late.60000", &json!({})),
        ]
        .concat(),
    );
    let mut stream = post(&home, "/v1/chat/completions", &streamed(chat("slow"))).stream();
    assert_eq!(stream.status, 200);
    stream.line().expect("a line");
    let late = post(&home, "/v1/chat/completions", &chat("late")).leave();
    eventually("both are under way", || seen(&far)["underWay"] == 2);
    drop((stream, late));
    eventually("the provider works for nobody", || seen(&far)["underWay"] == 0);
    eventually("the rows are written", || rows(&home).len() == 2);
    for row in rows(&home) {
        assert_eq!(
            (&row["outcome"], &row["detail"]),
            (&json!("failed"), &json!("the client went away")),
            "{row}"
        );
    }
    std::thread::sleep(Duration::from_millis(50));
}

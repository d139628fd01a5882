//! Threads that become too long for their model.

use serde_json::{Value, json};

use super::{agent, chat, events, messages, say_in, scripted_with, text};
use crate::e2e::manifest;
use crate::support::daemon::Home;

fn long(word: &str) -> String {
    format!("{word} ").repeat(400)
}

/// A daemon with an agent whose model takes so many tokens, and says the same each time.
fn home(script: &Value, window: u64) -> Home {
    let home = Home::new().started();
    let model = scripted_with("m", script, json!({"contextWindow": window}));
    home.apply(&(model + &agent(json!({"project": null}))));
    home
}

#[test]
fn older_turns_are_summed_up_where_all_can_see_it() {
    let home = home(&json!([{"text": "said"}]), 2000);
    let said = chat(&home, &json!({"message": long("first")})).expect(200).json();
    let thread = text(&said["threadId"]).to_owned();
    say_in(&home, &thread, &long("second"));
    let answer = chat(
        &home,
        &json!({"message": long("third"), "threadId": thread, "stream": true}),
    )
    .expect(200);
    let told = events(&answer);
    let compacted = told
        .iter()
        .find(|(name, _)| name == "compacted")
        .map(|(_, data)| data)
        .expect("it is told");
    assert_eq!((&compacted["from"], &compacted["text"]), (&json!(1), &json!("said")));
    assert_eq!(told.last().map(|(name, _)| name.as_str()), Some("final"));
    let kept = messages(&home, &thread);
    let summary = kept
        .iter()
        .find(|message| message["role"] == "summary")
        .expect("it is kept");
    assert_eq!(
        (&summary["summarises"]["from"], &summary["llm"], &summary["turn"]),
        (&json!(1), &json!("m"), &json!(3))
    );
    assert_eq!(
        kept.iter().filter(|message| message["role"] == "user").count(),
        3,
        "nothing is gone"
    );
    // And again, with what was summed up before.
    for word in ["fourth", "fifth"] {
        say_in(&home, &thread, &long(word));
    }
    let summaries = messages(&home, &thread)
        .into_iter()
        .filter(|message| message["role"] == "summary")
        .count();
    assert!(summaries >= 2, "{summaries}");
    // The words for it are those of the project orch-system.
    let worded = json!({"content": "{{conversation}}\nEnd."});
    home.apply(
        &manifest("Prompt", "thread-summary", &worded)
            .replace("{name: thread-summary}", "{name: thread-summary, project: orch-system}"),
    );
    say_in(&home, &thread, &long("sixth"));
}

#[test]
fn a_model_that_does_not_sum_up_leaves_an_outline() {
    // The third answer is asked for with a summary alone, which holds no answer of an assistant.
    let script = json!([{"error": {"status": 400, "message": "I will not"}}, {"text": "said"}, {"text": "said"}]);
    let home = home(&json!([{"text": "said"}]), 2000);
    let said = chat(&home, &json!({"message": long("first")})).expect(200).json();
    let thread = text(&said["threadId"]).to_owned();
    say_in(&home, &thread, &long("second"));
    home.apply(&scripted_with("m", &script, json!({"contextWindow": 2000})));
    let answer = chat(&home, &json!({"message": long("third"), "threadId": thread}));
    let kept = messages(&home, &thread);
    let summary = kept
        .iter()
        .find(|message| message["role"] == "summary")
        .expect("it is kept");
    assert!(
        text(&summary["text"]).starts_with("(An outline; the model did not sum it up.)"),
        "{summary}"
    );
    assert!(text(&summary["text"]).contains("- Turn 1: \"first first"), "{summary}");
    assert_eq!(summary["llm"], Value::Null);
    assert!([200, 502].contains(&answer.status), "{}", answer.body);
}

#[test]
fn what_does_not_fit_at_all_is_refused_and_never_cut() {
    let home = home(&json!([{"text": "said"}]), 300);
    let refused = chat(&home, &json!({"message": long("much")})).expect(422);
    assert_eq!(refused.code(), "ORCH6044");
}

#[test]
fn a_provider_that_says_so_is_believed() {
    let home = Home::new().started();
    let too_long = json!({"error": {"status": 400, "message": "This model's maximum context length is 10 tokens"}});
    let model = |script: Value| {
        manifest(
            "Llm",
            "m",
            &json!({"provider": "scripted", "model": "none", "script": script}),
        )
    };
    home.apply(&(model(json!([{"text": "a"}])) + &agent(json!({"project": null}))));
    let said = chat(&home, &json!({"message": "one"})).expect(200).json();
    let thread = text(&said["threadId"]).to_owned();
    // After one answer the model has enough; what sums that up begins anew, and what is left fits.
    home.apply(&model(json!([{"text": "fits"}, too_long])));
    let said = say_in(&home, &thread, "two");
    assert_eq!(text(&said["assistant"]), "fits");
    let kept = messages(&home, &thread);
    let roles: Vec<&str> = kept.iter().map(|message| text(&message["role"])).collect();
    assert_eq!(roles, ["user", "assistant", "user", "summary", "assistant"]);
}

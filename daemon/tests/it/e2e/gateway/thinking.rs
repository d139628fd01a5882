//! Models that help the gateway: which prompts fit, what is on the pages of a long result, what a prompt is about; each of it done
//! in a plain way where no model answers, or none that may be asked.

use serde_json::{Value, json};

use super::{manifest, raw};
use crate::support::client::{Client, ERAS, Era};
use crate::support::daemon::{Home, eventually};
use crate::support::far::Far;
use crate::support::http::Request;

const PATH: &str = "/mcp/projects/shop";

fn model(name: &str, tier: &str, turn: &Value) -> String {
    let spec = json!({"provider": "scripted", "model": "none", "tier": tier, "script": [turn]});
    manifest("Llm", name, &spec)
}

fn prompt(name: &str, spec: &Value) -> String {
    manifest("Prompt", name, spec).replace(
        &format!("{{name: {name}}}"),
        &format!("{{name: {name}, project: shop}}"),
    )
}

/// A gated project with some prompts.
fn home_with(manifests: &str) -> Home {
    let home = Home::new().started();
    let spec = json!({"servers": ["raw"], "gated": true});
    let prompts = prompt("rules", &json!({"content": "Nobody works alone.", "priority": 100}))
        + &prompt(
            "reviews",
            &json!({"content": "Ask first.", "summary": "How we review code."}),
        )
        + &prompt(
            "gardening",
            &json!({"content": "Water the plants.", "summary": "About plants."}),
        );
    home.apply(&(raw("raw", &[]) + &manifest("Project", "shop", &spec) + &prompts + manifests));
    home.until_ready(&["server/raw", "project/shop"]);
    home
}

/// The names of the prompts that whoever begins is told.
#[track_caller]
fn told(client: &Client) -> Vec<String> {
    let answer = client.call("begin_session", json!({"description": "Review the code"}));
    let prompts = answer["structuredContent"]["prompts"]
        .as_array()
        .expect("prompts")
        .iter();
    prompts
        .map(|prompt| prompt["name"].as_str().expect("a name").to_owned())
        .collect()
}

#[test]
fn a_quick_model_chooses_prompts() {
    let choice = json!({"text": "Here you are: [\"gardening\", \"nobody\"]"});
    let home = home_with(&model("quick", "fast", &choice));
    for era in ERAS {
        let client = Client::begin(&home, era, PATH);
        assert_eq!(told(&client), ["rules", "gardening"], "the model has chosen");
    }
    eventually("it counts for the project", || {
        home.get("usage?by=project").to_string().contains("\"shop\"")
    });
    // Whoever may not ask the model is told by words, as everybody is when it fails or talks nonsense.
    let binding = json!({
        "subjects": [{"kind": "ServiceAccount", "name": "ci"}],
        "grants": [
            {"roles": ["view"], "resources": ["projects", "prompts"]},
            {"roles": ["view", "run"], "resources": ["servers"]},
        ],
    });
    let token = json!({"serviceAccount": "ci", "rbac": "owner"});
    let objects = manifest("ServiceAccount", "ci", &json!({})) + &manifest("RoleBinding", "ci", &binding);
    home.apply(&objects);
    let made = home
        .http("POST", "/api/v1/tokens")
        .json(&json!({"apiVersion": "orchctl.dev/v1", "kind": "Token", "metadata": {"name": "ci"}, "spec": token}))
        .send()
        .expect(201)
        .json();
    let credential = made["credential"].as_str().expect("a credential");
    let client = Client::begin_as(&home, Era::Legacy, PATH, credential);
    assert_eq!(told(&client), ["rules", "reviews"], "by words");
    for turn in [
        json!({"error": {"status": 500}}),
        json!({"text": "I do not know."}),
        json!({"text": "[\"nobody\"]"}),
    ] {
        home.apply(&model("quick", "fast", &turn));
        let client = Client::begin(&home, Era::Legacy, PATH);
        assert_eq!(told(&client), ["rules", "reviews"], "{turn}");
    }
}

/// One that hangs takes its share of the time, and is asked last from then on.
#[test]
fn a_model_that_hangs_keeps_no_other_from_helping() {
    let far = Far::start("orch-model", "--http", &[]);
    let hanging = json!({"provider": "openai-compatible", "model": "late.60000", "url": far.url(""), "tier": "fast"});
    let choice = json!({"text": "[\"gardening\"]"});
    let home = home_with(&(manifest("Llm", "another", &hanging) + &model("quick", "fast", &choice)));
    for _ in 0..2 {
        let client = Client::begin(&home, Era::Modern, PATH);
        assert_eq!(told(&client), ["rules", "gardening"]);
    }
    let address = far.url("").trim_start_matches("http://").parse().expect("an address");
    let seen = Request::new(address, "GET", "/seen").send().expect(200).json();
    assert_eq!(seen["asked"]["late.60000"], 1, "{seen}");
}

#[test]
fn a_quick_model_names_pages() {
    let titles = json!(["One", "Two", "Three", "Four", "Five"]).to_string();
    let home = Home::new().started();
    let declare = |turn: &Value| {
        let spec = json!({"servers": ["raw"], "pages": {"size": "1Ki"}});
        home.apply(&(raw("raw", &[]) + &manifest("Project", "shop", &spec) + &model("quick", "fast", turn)));
        home.until_ready(&["server/raw", "project/shop"]);
    };
    declare(&json!({"text": titles}));
    let client = Client::begin(&home, Era::Legacy, PATH);
    let long = footer(&client.call("raw__big", json!({"bytes": 5000})));
    assert!(long.contains("Page 1 of 5") && long.contains("Page 2: Two"), "{long}");
    let id = long.split('"').nth(3).expect("an id");
    let last = footer(&client.call("orch_read_page", json!({"id": id, "page": 5})));
    assert!(
        last.contains("Page 5 of 5, the last one") && last.contains("Page 4: Four"),
        "{last}"
    );
    // One that counts wrongly names nothing.
    declare(&json!({"text": "[\"One\"]"}));
    let other = Client::begin(&home, Era::Legacy, PATH);
    let long = footer(&other.call("raw__big", json!({"bytes": 5001})));
    assert!(long.contains("Page 1 of 5") && !long.contains("Page 2:"), "{long}");
}

/// What stands below a page.
fn footer(result: &Value) -> String {
    result["content"][1]["text"].as_str().expect("a footer").to_owned()
}

#[test]
fn an_able_model_sums_prompts_up_once() {
    let summary = json!({"text": "{\"summary\": \"All about reviews.\", \"chapters\": [\"Before\", \"After\"]}"});
    let long = format!("# Style\n\nReview kindly. {}", "Mind the words. ".repeat(60));
    let manifests = model("able", "heavy", &summary) + &prompt("long", &json!({"content": long}));
    let mut home = home_with(&manifests);
    let summary_of = |home: &Home| -> String {
        let client = Client::begin(home, Era::Legacy, PATH);
        let answer = client.call("begin_session", json!({"description": "Review style"}));
        let prompts = answer["structuredContent"]["prompts"]
            .as_array()
            .expect("prompts")
            .iter();
        let mut found = prompts.filter(|prompt| prompt["name"] == "long");
        let found = found.next().unwrap_or_else(|| panic!("it fits: {answer}"));
        found["summary"].as_str().unwrap_or_default().to_owned()
    };
    assert_eq!(summary_of(&home), "Review kindly.", "in a plain way at first");
    eventually("the model has summed it up", || {
        summary_of(&home) == "All about reviews."
    });
    // It is asked once, and what it said is there after the daemon was started anew.
    home.stop();
    home.start();
    home.until_ready(&["server/raw", "project/shop"]);
    assert_eq!(summary_of(&home), "All about reviews.");
    eventually("one request is counted", || {
        home.get("usage?by=llm")["items"][0]["requests"] == 1
    });
}

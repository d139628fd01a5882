//! Agents that are published, by themselves or with their models.

use serde_json::json;

use super::{Publisher, Raw, local_model, machine, offer, state, until};
use crate::e2e::manifest;
use crate::support::daemon::Home;

fn agent(name: &str, llm: &str) -> serde_json::Value {
    json!({"manifest": {"apiVersion": "orchctl.dev/v1", "kind": "Agent", "metadata": {"name": name},
        "spec": {"llm": llm, "published": true}}})
}

#[test]
fn agents_come_and_go_with_their_publisher() {
    let (home, far) = (Home::new().started(), local_model());
    let scripted = json!({"provider": "scripted", "model": "none", "script": [{"text": "a"}]});
    home.apply(&manifest("Llm", "declared", &scripted));
    let url = far.url("");
    let file = home.write(
        "published.yaml",
        &[
            manifest("Agent", "helper", &json!({"llm": "local", "description": "of this machine"})),
            "---\napiVersion: orchctl.dev/v1\nkind: Llm\nmetadata: {name: local, annotations: {orchctl.dev/api-key-env: LOCAL_KEY}}\n".to_owned()
                + &format!("spec: {{provider: openai-compatible, model: plain, url: \"{url}\"}}\n"),
            manifest("Agent", "reviewer", &json!({"llm": "declared"})),
        ]
        .concat(),
    );
    let publisher = Publisher::start(&home, &["-f", &file.display().to_string()]);
    for path in ["llms/local", "agents/helper", "agents/reviewer"] {
        until(&home, path, "active");
    }
    super::ask(&home, &super::chat("local")).expect(200);
    let exported = home.orchctl(&["get", "agents,llms", "-o", "yaml"]).expect(0).stdout;
    assert!(
        !exported.contains("LOCAL_KEY") && !exported.contains(&url),
        "{exported}"
    );
    let applied = home.orchctl_reading(&exported, &["apply", "-f", "-"]).expect(0);
    assert!(!applied.stdout.contains("configured"), "{}", applied.stdout);
    publisher.kill();
    for path in ["llms/local", "agents/helper", "agents/reviewer"] {
        until(&home, path, "inactive");
    }
    // By themselves, and with a model from the command line.
    let alone = home.write("alone.yaml", &manifest("Agent", "alone", &json!({"llm": "declared"})));
    let _alone = Publisher::start(&home, &["agent", "-f", &alone.display().to_string()]);
    until(&home, "agents/alone", "active");
    let with = home.write("with.yaml", &manifest("Agent", "with", &json!({"llm": "other"})));
    let _with = Publisher::of_model(
        &home,
        "other",
        &far,
        "plain",
        &["--with-agent", &with.display().to_string()],
    );
    until(&home, "agents/with", "active");
}

#[test]
fn an_agent_is_published_by_those_who_may_ask_its_model() {
    let home = Home::new().started();
    let scripted = json!({"provider": "scripted", "model": "none", "script": [{"text": "a"}]});
    home.apply(&manifest("Llm", "declared", &scripted));
    let makes = json!([{"roles": ["view", "create"], "resources": ["agents", "llms"]}]);
    let token = machine(&home, "maker", &makes);
    let refused = Raw::try_register(&home, &token, None, &[agent("helper", "declared")]).expect(403);
    assert!(refused.body.contains("may not run llm/declared"), "{}", refused.body);
    assert_eq!(state(&home, "agents/helper"), "absent");
    // Their own model they may.
    Raw::try_register(&home, &token, None, &[agent("helper", "own"), offer("own", &json!({}))]).expect(200);
    Raw::try_register(&home, &token, None, &[agent("lost", "absent")]).expect(422);
}

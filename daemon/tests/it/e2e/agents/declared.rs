//! Agents and personalities as they are declared: what is refused, what their status says, and what goes with them.

use serde_json::json;

use super::{agent, in_project, scripted, with_agent};
use crate::e2e::{condition, manifest};
use crate::support::daemon::{Home, eventually};

fn home() -> Home {
    let home = Home::new().started();
    home.apply(&(scripted("m", &json!([{"text": "one"}])) + &manifest("Project", "p", &json!({})) + &agent(json!({}))));
    home.until_ready(&["agent/a"]);
    home
}

fn refused(home: &Home, manifests: &str, says: &[&str]) {
    let output = home.orchctl_reading(manifests, &["apply", "-f", "-"]);
    assert_ne!(output.code, 0, "{manifests}");
    for part in says {
        assert!(output.stderr.contains(part), "{part}: {}", output.stderr);
    }
}

#[test]
fn a_personality_names_prompts_within_reach() {
    let home = home();
    let prompt = json!({"content": "x"});
    home.apply(
        &[
            manifest("Project", "other", &json!({})),
            manifest("Prompt", "everybody", &prompt),
            in_project("Prompt", "of-project", &prompt),
            with_agent("Prompt", "of-agent", &prompt),
            in_project("Prompt", "elsewhere", &prompt).replace("project: p", "project: other"),
        ]
        .concat(),
    );
    let chosen =
        |names: &[&str]| json!({"prompts": names.iter().map(|name| json!({"name": name})).collect::<Vec<_>>()});
    let fine = chosen(&["everybody", "of-project", "of-agent"]);
    home.apply(&with_agent("Personality", "brief", &fine));
    home.orchctl(&["wait", "--timeout", "30s", "personality/brief", "--agent", "a"])
        .expect(0);
    refused(
        &home,
        &with_agent("Personality", "bad", &chosen(&["everybody", "elsewhere"])),
        &["spec.prompts[1].name", "there is no prompt `elsewhere`"],
    );
    refused(
        &home,
        &with_agent("Personality", "bad", &chosen(&["everybody", "everybody"])),
        &["prompt `everybody` is there already"],
    );
    refused(
        &home,
        &with_agent(
            "Personality",
            "bad",
            &json!({"prompts": [{"name": "everybody", "priority": 101}]}),
        ),
        &["priority"],
    );
    refused(&home, &manifest("Personality", "bad", &json!({})), &["metadata"]);
    // Together with what it needs, in any order.
    let set = with_agent("Personality", "late", &chosen(&["new"])) + &with_agent("Prompt", "new", &prompt);
    home.apply(&set);
    // What is shown can be applied again.
    let shown = home
        .orchctl(&["get", "personality", "brief", "--agent", "a", "-o", "yaml"])
        .expect(0);
    let again = home.orchctl_reading(&shown.stdout, &["apply", "-f", "-"]).expect(0);
    assert!(again.stdout.contains("unchanged"), "{}", again.stdout);
    let agents = home.orchctl(&["get", "agents", "-o", "yaml"]).expect(0);
    let again = home.orchctl_reading(&agents.stdout, &["apply", "-f", "-"]).expect(0);
    assert!(again.stdout.contains("unchanged"), "{}", again.stdout);
    // A prompt that goes is missed.
    home.orchctl(&["delete", "prompt", "everybody"]).expect(0);
    eventually("the personality says so", || {
        let seen = home.get("agents/a/personalities/brief");
        condition(&seen, "ReferencesResolved").0 == "False"
    });
}

#[test]
fn a_default_personality_is_one_of_the_agents_own() {
    let home = home();
    refused(
        &home,
        &agent(json!({"defaultPersonality": "brief"})),
        &["spec.defaultPersonality", "personality `brief` does not exist"],
    );
    let set = agent(json!({"defaultPersonality": "brief"})) + &with_agent("Personality", "brief", &json!({}));
    home.apply(&set);
    home.until_ready(&["agent/a"]);
    let used = home.orchctl(&["delete", "personality", "brief", "--agent", "a"]);
    assert_ne!(used.code, 0, "{}", used.stdout);
    assert!(used.stderr.contains("agent/a"), "{}", used.stderr);
    // They go with their agent, and its prompts do.
    home.apply(&with_agent("Prompt", "own", &json!({"content": "x"})));
    home.orchctl(&["delete", "agent", "a", "--with-dependents"]).expect(0);
    home.http("GET", "/api/v1/agents/a/personalities/brief")
        .send()
        .expect(404);
    home.apply(&agent(json!({})));
    assert_eq!(home.get("agents/a/personalities")["items"], json!([]));
    assert_eq!(home.get("agents/a/prompts")["items"], json!([]));
}

#[test]
fn an_agent_says_how_it_fares() {
    let home = home();
    let seen = home.get("agents/a");
    assert_eq!(condition(&seen, "Ready").0, "True");
    assert_eq!(condition(&seen, "Implemented").0, "", "everything is acted on");
    let everything = agent(json!({
        "tools": {"allow": ["raw__*"]}, "budget": {"tokens": 5, "cost": 1.0, "toolCalls": 2, "wallTime": "5s"},
        "toolTimeout": "5s", "maxIterations": 3,
    }));
    home.apply(&everything);
    home.until_ready(&["agent/a"]);
    assert_eq!(condition(&home.get("agents/a"), "Implemented").0, "");
    // A server that does not run is told, and keeps nobody from speaking to the agent.
    let server = manifest("Server", "raw", &json!({"command": ["orch-raw"], "replicas": 0}));
    home.apply(&(server + &manifest("Project", "p", &json!({"servers": ["raw"]}))));
    eventually("its tools are not known", || {
        let seen = home.get("agents/a");
        condition(&seen, "ToolsKnown").0 == "Unknown" && condition(&seen, "Ready").0 == "True"
    });
    home.apply(&manifest("Server", "raw", &json!({"command": ["orch-raw"]})));
    eventually("its tools are counted", || {
        home.get("agents/a")["status"]["tools"]["count"].as_u64() > Some(5)
    });
}

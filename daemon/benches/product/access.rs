//! What it costs that everybody does and sees their own, and that it is noted: requests of somebody with narrow rights
//! beside those that nobody bounds; and the list of a few among very many beside the list of a few.

use serde_json::{Value, json};

use crate::amount::{median, timed};
use crate::ask::Effort;
use crate::gateway::guarded;
use crate::report::{Line, Report};
use crate::support::daemon::Home;

pub(crate) fn measure(effort: Effort, report: &mut Report) {
    let (many, few) = (effort.pick(10_000, 30), 10);
    let crowded = home_with(many, few);
    let narrow = narrow(&crowded);
    guarded::calls(effort, self::narrow, report);
    guarded::requests(effort, &crowded, &narrow, "/api/v1/prompts/prompt-00003", report);

    let small = home_with(few, few);
    let rounds = effort.pick(15, 1);
    let path = "/api/v1/prompts";
    let list = |home: &Home, token: &str| {
        let request = home.http("GET", path).token(token);
        let (took, answer) = timed(|| request.send().expect(200));
        assert_eq!(answer.json()["metadata"]["total"], few);
        took
    };
    let (mut ours, mut floor) = (Vec::new(), Vec::new());
    let admin = small.token();
    for _ in 0..rounds {
        ours.push(list(&crowded, &narrow));
        floor.push(list(&small, &admin));
    }
    report.tell(
        Line::of(format!("list of {many} of which {few} may be seen | list of {few}"))
            .times(median(&ours), median(&floor)),
    );
}

/// Objects of which a few have a label, and nothing else.
fn home_with(many: usize, few: usize) -> Home {
    let home = Home::new().started();
    let prompt = |number: usize| {
        let labels = if number < few {
            json!({"team": "core"})
        } else {
            json!({"team": "other"})
        };
        json!({
            "apiVersion": "orchctl.dev/v1", "kind": "Prompt",
            "metadata": {"name": format!("prompt-{number:05}"), "labels": labels}, "spec": {"content": "hello"},
        })
    };
    let objects: Vec<Value> = (0..many).map(prompt).collect();
    home.http("POST", "/api/v1/apply")
        .json(&json!({"objects": objects}))
        .send()
        .expect(200);
    home
}

/// The token of a machine that sees what has the label, and a little else.
fn narrow(home: &Home) -> String {
    let object = |kind: &str, spec: Value| json!({"apiVersion": "orchctl.dev/v1", "kind": kind, "metadata": {"name": "narrow"}, "spec": spec});
    let more =
        (0..20).map(|number| json!({"roles": ["view"], "resources": ["servers"], "names": [format!("s{number}")]}));
    let labelled = json!({"roles": ["view"], "resources": ["prompts"], "selector": "team=core"});
    let runs = json!({"roles": ["run"], "resources": ["servers"], "names": ["local"], "tools": ["test_*"]});
    let grants: Vec<Value> = more.chain([labelled, runs]).collect();
    let objects = [
        object("ServiceAccount", json!({})),
        object(
            "RoleBinding",
            json!({"subjects": [{"kind": "ServiceAccount", "name": "narrow"}], "grants": grants}),
        ),
        object("Token", json!({"serviceAccount": "narrow", "rbac": "owner"})),
    ];
    let applied = home
        .http("POST", "/api/v1/apply")
        .json(&json!({"objects": objects}))
        .send()
        .expect(200)
        .json();
    let credential = applied["results"][2]["credential"].as_str();
    credential.expect("a credential").to_owned()
}

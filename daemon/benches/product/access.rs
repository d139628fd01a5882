//! What it costs that everybody sees their own: one request after the other by many at once, of somebody with narrow rights
//! beside somebody with all of them; and the list of a few among very many beside the list of a few.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::amount::{median, timed};
use crate::ask::Effort;
use crate::report::{Holds, Line, Report};
use crate::support::daemon::Home;

const MOST: f64 = 1.3;

pub(crate) fn measure(effort: Effort, report: &mut Report) {
    let (many, few) = (effort.pick(10_000, 30), 10);
    let crowded = home_with(many, few);
    let narrow = narrow(&crowded);
    requests(effort, &crowded, &narrow, report);

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
    let grants: Vec<Value> = more.chain([labelled]).collect();
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

/// Many clients, each one request after the other: by turns with narrow rights and with all of them.
fn requests(effort: Effort, home: &Home, narrow: &str, report: &mut Report) {
    let (clients, each, rounds) = (effort.pick(64, 2), effort.pick(50, 1), effort.pick(6, 1));
    let admin = home.token();
    let run = |token: &str| {
        let mut took: Vec<Duration> = Vec::new();
        std::thread::scope(|scope| {
            let ask = || {
                let request = home.http("GET", "/api/v1/prompts/prompt-00003").token(token);
                (0..each)
                    .map(|_| {
                        let started = Instant::now();
                        request.send().expect(200);
                        started.elapsed()
                    })
                    .collect::<Vec<_>>()
            };
            let asking: Vec<_> = (0..clients).map(|_| scope.spawn(ask)).collect();
            took = asking
                .into_iter()
                .flat_map(|thread| thread.join().expect("a client"))
                .collect();
        });
        took
    };
    let (mut ours, mut floor) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        ours.extend(run(narrow));
        floor.extend(run(&admin));
    }
    let (ours, floor) = (median(&ours), median(&floor));
    report.tell(
        Line::of(format!("request of {clients} clients, narrow rights | all rights"))
            .times(ours, floor)
            .target(
                format!("<= {MOST}x"),
                ours.as_secs_f64() <= MOST * floor.as_secs_f64(),
                Holds::Anywhere,
            ),
    );
}

//! `tools/list` of a project of many servers, beside one server that lists as many tools, and beside its slowest server.

use std::time::Duration;

use serde_json::{Value, json};

use super::client::{Client, Era, Place};
use super::{declare, home, project, server};
use crate::amount::{median, millis, timed};
use crate::ask::Effort;
use crate::far::Far;
use crate::report::{Holds, Line, Report};
use crate::support::daemon::Home;

/// Tools of each server.
const TOOLS: usize = 5;
/// How slow the slowest server of a project is.
const SLOWEST: Duration = Duration::from_millis(300);
const MORE: Duration = Duration::from_millis(50);
const TIMES: f64 = 1.5;
/// Longer than what was listed is kept.
const FORGOTTEN: Duration = Duration::from_secs(65);

pub(crate) fn measure(effort: Effort, report: &mut Report) {
    let sizes = match effort {
        Effort::Full => vec![10, 50, 200],
        Effort::Smoke => vec![3],
    };
    let home = home();
    let most = *sizes.last().expect("sizes");
    // Checked so seldom that nothing is listed but by us.
    let spec = |arguments: &[String]| {
        let command = [&["orch-raw", "--bare", "--tools"].map(str::to_owned), arguments].concat();
        json!({"command": command, "healthCheck": {"interval": "1h"}})
    };
    let names: Vec<String> = (0..most).map(|number| format!("s{number:03}")).collect();
    let slow = format!("tools/list={}", SLOWEST.as_millis());
    let mut declared: Vec<Value> = names
        .iter()
        .enumerate()
        .map(|(number, name)| match number {
            0 => server(name, &spec(&[TOOLS.to_string(), "--slow".to_owned(), slow.clone()])),
            _ => server(name, &spec(&[TOOLS.to_string()])),
        })
        .collect();
    declared.extend(sizes.iter().map(|size| project(&format!("p{size}"), &names[..*size])));
    declare(&home, declared, most);

    for size in sizes {
        if effort == Effort::Full {
            std::thread::sleep(FORGOTTEN);
        }
        let one = Far::server("orch-raw", &["--bare", "--tools", &(size * TOOLS).to_string()]);
        let directly = Place {
            address: one.address,
            path: "/mcp".to_owned(),
            token: None,
        };
        let (cold, _) = list(&through(&home, size), 1, size * TOOLS);
        report.tell(
            Line::of(format!("tools/list of {size} servers, cold | the slowest of them"))
                .times(cold, SLOWEST)
                .target(format!("<= +{}", millis(MORE)), cold <= SLOWEST + MORE, Holds::AtRest),
        );
        let rounds = effort.pick(15, 1);
        let (mut ours, mut bare, mut bytes) = (Vec::new(), Vec::new(), (0, 0));
        for _ in 0..rounds {
            let (took, length) = list(&through(&home, size), effort.pick(20, 1), size * TOOLS);
            ours.push(took);
            bytes.0 = length;
            let (took, length) = list(&directly, effort.pick(20, 1), size * TOOLS);
            bare.push(took);
            bytes.1 = length;
        }
        let (ours, bare) = (median(&ours), median(&bare));
        let what = format!(
            "tools/list of {size} servers, {} KB | of one, {} KB",
            bytes.0 / 1000,
            bytes.1 / 1000
        );
        report.tell(Line::of(what).times(ours, bare).target(
            format!("<= {TIMES}x"),
            ours.as_secs_f64() <= bare.as_secs_f64() * TIMES,
            Holds::AtRest,
        ));
    }
}

fn through(home: &Home, size: usize) -> Place {
    Place {
        address: home.address(),
        path: format!("/mcp/projects/p{size}"),
        token: Some(home.token()),
    }
}

/// All pages of the list so often, from the first byte asked to the last one read: what it takes as a rule, and how many
/// bytes there are.
fn list(place: &Place, rounds: usize, expected: usize) -> (Duration, usize) {
    let mut client = Client::connect(place, Era::Modern);
    let first = client.request("tools/list", json!({}));
    let mut length = 0;
    let mut counted = None;
    let times: Vec<Duration> = (0..rounds)
        .map(|_| {
            let (took, body) = timed(|| client.send(&first).to_vec());
            length = body.len();
            // Counted once; reading is the client's own affair.
            if counted.is_none() {
                let text = String::from_utf8(body).expect("text");
                let json = text
                    .lines()
                    .rev()
                    .find_map(|line| line.strip_prefix("data: "))
                    .unwrap_or(&text);
                let answer: Value = serde_json::from_str(json).expect("JSON");
                assert_eq!(answer["result"]["nextCursor"], Value::Null, "one page is expected");
                // The gateway may offer tools of its own.
                let tools = answer["result"]["tools"].as_array().expect("tools").iter();
                counted = Some(tools.filter(|tool| tool["name"].to_string().contains("extra_")).count());
            }
            took
        })
        .collect();
    assert_eq!(counted, Some(expected), "{place:?}");
    (median(&times), length)
}

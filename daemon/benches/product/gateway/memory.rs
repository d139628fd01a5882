//! What the daemon keeps for a client that is silent, and for a server that nobody calls.

use serde_json::json;

use super::client::{Client, Era, Place};
use super::{declare, home, project, server};
use crate::ask::Effort;
use crate::process::resident;
use crate::report::{Line, Report};

pub(crate) fn measure(effort: Effort, report: &mut Report) {
    let home = home();
    let few = effort.pick(10, 1);
    let notes = |from: usize, to: usize| {
        (from..to).map(|number| server(&format!("notes-{number:03}"), &json!({"command": ["orch-notes"]})))
    };
    let mut declared: Vec<_> = notes(0, few).collect();
    declared.push(project("all", &["notes-000".to_owned()]));
    declare(&home, declared, few);

    let sessions = effort.pick(2000, 5);
    let place = Place {
        address: home.address(),
        path: "/mcp/projects/all".to_owned(),
        token: Some(home.token()),
    };
    let open = |count: usize| {
        for _ in 0..count {
            let mut client = Client::connect(&place, Era::Legacy);
            let list = client.request("tools/list", json!({}));
            client.send(&list);
        }
    };
    // What the first of them brings along is not theirs.
    open(effort.pick(200, 1));
    let before = resident(home.pid());
    open(sessions);
    tell(report, "an idle session", before, resident(home.pid()), sessions);

    let servers = effort.pick(100, 1);
    let before = resident(home.pid());
    declare(&home, notes(few, few + servers).collect(), few + servers);
    tell(
        report,
        "an idle server over a pipe",
        before,
        resident(home.pid()),
        servers,
    );
}

fn tell(report: &mut Report, what: &str, before: u32, after: u32, count: usize) {
    let count = u32::try_from(count).expect("no bench counts further");
    let each = f64::from(after.saturating_sub(before)) / f64::from(count);
    report.tell(Line::of(format!("memory of the daemon for {what}, of {count}")).ours(format!("{each:.1} KiB")));
}

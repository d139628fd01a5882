//! What rights and the audit log cost a request of many clients at once: of a machine with narrow rights, every request
//! noted, beside somebody whose rights nobody asks about, or who has all of them.

use std::time::Duration;

use serde_json::json;

use super::client::{self, Era, Place};
use super::{declare, server};
use crate::amount::median;
use crate::ask::Effort;
use crate::report::{Holds, Line, Report};
use crate::support::daemon::Home;

const SERVER: &str = "orch-conformance";
const TOOL: &str = "test_simple_text";
/// Of the delay of those that are not guarded.
const MOST: f64 = 1.3;
const CROWD: usize = 64;

/// A call through the gateway, beside one through a gateway that is open to everybody and notes only what changes something.
pub(crate) fn calls(effort: Effort, narrow: impl Fn(&Home) -> String, report: &mut Report) {
    let flags: [&[&str]; 2] = [&[], &["--insecure-open-gateway", "--audit", "changes"]];
    let homes = flags.map(|flags| {
        let home = Home::new().with(flags).started();
        declare(&home, vec![server("local", &json!({"command": [SERVER]}))], 1);
        home
    });
    let place = |home: &Home, token: Option<String>| Place {
        address: home.address(),
        path: "/mcp/servers/local".to_owned(),
        token,
    };
    let [guarded, open] = &homes;
    let (guarded, open) = (place(guarded, Some(narrow(guarded))), place(open, None));
    for era in [Era::Modern, Era::Legacy] {
        let run = |place: &Place| {
            let amount = (effort.pick(CROWD, 2), effort.pick(60, 1));
            client::load(place, era, TOOL, amount, || Duration::ZERO).each
        };
        let what = format!("call of {CROWD} clients, {}: rights and audit on | off", era.name());
        tell(effort, report, what, || run(&guarded), || run(&open));
    }
}

/// A request of the API with narrow rights, beside one with all of them.
pub(crate) fn requests(effort: Effort, home: &Home, narrow: &str, path: &str, report: &mut Report) {
    let run = |token: &str| {
        let place = Place {
            address: home.address(),
            path: path.to_owned(),
            token: Some(token.to_owned()),
        };
        let amount = (effort.pick(CROWD, 2), effort.pick(100, 1));
        let asked = |client: &client::Client| client.reading(path);
        client::repeat(&place, Era::Modern, (asked, "metadata"), amount, || Duration::ZERO).each
    };
    let admin = home.token();
    let what = format!("request of {CROWD} clients, narrow rights | all rights");
    tell(effort, report, what, || run(narrow), || run(&admin));
}

fn tell(
    effort: Effort,
    report: &mut Report,
    what: String,
    guarded: impl Fn() -> Vec<Duration>,
    open: impl Fn() -> Vec<Duration>,
) {
    let (mut ours, mut floor) = (Vec::new(), Vec::new());
    for _ in 0..effort.pick(8, 1) {
        ours.extend(guarded());
        floor.extend(open());
    }
    let (ours, floor) = (median(&ours), median(&floor));
    let is_met = ours.as_secs_f64() <= MOST * floor.as_secs_f64();
    let line = Line::of(what).times(ours, floor);
    report.tell(line.target(format!("<= {MOST}x"), is_met, Holds::AtRest));
}

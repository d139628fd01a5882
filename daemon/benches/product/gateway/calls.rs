//! `tools/call` through the gateway, beside calling the same server directly, nginx in front of it, and a peer.
//!
//! The server is `orch-conformance`, written with the official SDK as most servers are. All stand in turns within a round,
//! so that a busy machine slows down all of them.

use std::time::Duration;

use serde_json::json;

use super::client::{self, Era, Place, Seen};
use super::{declare, home, pipe, server};
use crate::amount::{median, per_second, rate};
use crate::ask::Effort;
use crate::far::Far;
use crate::process::processor_time;
use crate::report::{Holds, Line, Report};

const SERVER: &str = "orch-conformance";
const NGINX: &str = "nginx";
const TOOL: &str = "test_simple_text";
/// Added to a call of one client.
const MORE: Duration = Duration::from_micros(120);
/// What is left of the rate of direct calls, with so many clients.
const LEFT: f64 = 0.5;
const CROWD: usize = 64;
/// Processor time of the daemon for a call.
const COST: Duration = Duration::from_micros(100);

/// One of those that are measured in turns.
struct Turn<'a> {
    name: String,
    load: Box<dyn Fn(Era, usize, usize) -> Seen + 'a>,
    ours: bool,
    /// It is given one call of so many that the others are given.
    one_of: usize,
    /// The turn that it is compared with.
    floor: usize,
}

/// What became of all rounds of a turn.
#[derive(Default)]
struct Sum {
    each: Vec<Duration>,
    all: Duration,
    spent: Duration,
}

impl Sum {
    /// What was spent on one call.
    fn cost(&self) -> Duration {
        self.spent / u32::try_from(self.each.len()).expect("no bench counts further")
    }
}

pub(crate) fn measure(effort: Effort, report: &mut Report) {
    let home = home();
    let far = Far::server(SERVER, &[]);
    let url = format!("http://{}/mcp", far.address);
    let declared = vec![
        server("remote", &json!({"remote": {"url": url}})),
        server("local", &json!({"command": [SERVER]})),
    ];
    declare(&home, declared, 2);
    let nginx = Far::nginx(far.address);
    let peer = match effort {
        Effort::Full => Far::peer(far.address),
        // Not worth an installation: whether it works is not asked.
        Effort::Smoke => None,
    };

    let place = |address, path: &str, token| Place {
        address,
        path: path.to_owned(),
        token,
    };
    let nobody = || Duration::ZERO;
    let daemon = || processor_time(home.pid());
    let through = |name: &str| place(home.address(), &format!("/mcp/servers/{name}"), Some(home.token()));
    let mut turns: Vec<Turn<'_>> = vec![
        turn("HTTP", over(place(far.address, "/mcp", None), nobody), false, 0),
        turn(
            "pipe",
            |_, clients, calls| pipe::load(SERVER, TOOL, clients, clients * calls),
            false,
            1,
        ),
        turn("gateway, HTTP", over(through("remote"), daemon), true, 0),
        turn("gateway, pipe", over(through("local"), daemon), true, 1),
    ];
    for (name, far) in [(NGINX, &nginx), ("FastMCP proxy", &peer)] {
        if let Some(far) = far {
            let load = over(place(far.address, "/mcp", None), || far.processor_time());
            let mut turn = turn(name, load, false, 0);
            // A peer that takes a hundred times as long would be all that there is to wait for.
            if name != NGINX {
                turn.one_of = 20;
            }
            turns.push(turn);
        }
    }

    let rounds = effort.pick(5, 1);
    for era in [Era::Modern, Era::Legacy] {
        for (clients, calls) in [
            (1, effort.pick(400, 2)),
            (16, effort.pick(60, 2)),
            (CROWD, effort.pick(60, 2)),
        ] {
            let mut sums: Vec<Sum> = turns.iter().map(|_| Sum::default()).collect();
            for _ in 0..rounds {
                for (turn, sum) in turns.iter().zip(&mut sums) {
                    let Seen { each, all, spent } = (turn.load)(era, clients, calls.div_ceil(turn.one_of));
                    sum.each.extend(each);
                    sum.all += all;
                    sum.spent += spent;
                }
            }
            let nginx = turns.iter().zip(&sums).find(|(turn, _)| turn.name == NGINX);
            let nginx = nginx.map(|(_, sum)| sum.cost());
            for (turn, sum) in turns.iter().zip(&sums).skip(2) {
                tell(
                    report,
                    turn,
                    sum,
                    &sums[turn.floor],
                    &turns[turn.floor].name,
                    era,
                    clients,
                );
                if clients == CROWD && turn.name != NGINX {
                    tell_cost(report, turn, sum, nginx, era);
                }
            }
        }
    }
}

/// Clients over HTTP, beside what somebody spends on them.
fn over<'a>(place: Place, spent: impl Fn() -> Duration + 'a) -> impl Fn(Era, usize, usize) -> Seen + 'a {
    move |era, clients, calls| client::load(&place, era, TOOL, (clients, calls), &spent)
}

fn turn<'a>(name: &str, load: impl Fn(Era, usize, usize) -> Seen + 'a, ours: bool, floor: usize) -> Turn<'a> {
    Turn {
        name: name.to_owned(),
        load: Box::new(load),
        ours,
        one_of: 1,
        floor,
    }
}

fn tell(report: &mut Report, turn: &Turn<'_>, sum: &Sum, floor: &Sum, directly: &str, era: Era, clients: usize) {
    let what = format!("{} | {directly}, {}, {clients} clients", turn.name, era.name());
    if clients == 1 {
        let (ours, bare) = (median(&sum.each), median(&floor.each));
        let mut line = Line::of(format!("{what}, p50"))
            .ours(micros(ours))
            .floor(micros(bare))
            .ratio(ours.as_secs_f64() / bare.as_secs_f64());
        if turn.ours {
            line = line.target(format!("<= +{}", micros(MORE)), ours <= bare + MORE, Holds::AtRest);
        }
        report.tell(line);
        return;
    }
    let (ours, bare) = (rate(sum.each.len(), sum.all), rate(floor.each.len(), floor.all));
    let mut line = Line::of(what)
        .ours(per_second(ours))
        .floor(per_second(bare))
        .ratio(ours / bare);
    if turn.ours && clients == CROWD {
        line = line.target(format!(">= {LEFT}x"), ours >= bare * LEFT, Holds::AtRest);
    }
    report.tell(line);
}

/// Beside what nginx spends on a call, which knows nothing of what it passes on.
fn tell_cost(report: &mut Report, turn: &Turn<'_>, sum: &Sum, nginx: Option<Duration>, era: Era) {
    let cost = sum.cost();
    let what = format!("processor time per call, {}: {} | {NGINX}", era.name(), turn.name);
    let mut line = Line::of(what).ours(micros(cost));
    if let Some(nginx) = nginx {
        line = line
            .floor(micros(nginx))
            .ratio(cost.as_secs_f64() / nginx.as_secs_f64());
    }
    if turn.ours {
        line = line.target(format!("<= {}", micros(COST)), cost <= COST, Holds::AtRest);
    }
    report.tell(line);
}

/// `123 us`.
fn micros(time: Duration) -> String {
    format!("{:.0} us", time.as_secs_f64() * 1e6)
}

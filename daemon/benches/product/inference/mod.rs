//! Asking a model through the daemon, beside asking it directly, nginx in front of it, and a peer: a proxy of LiteLLM. With narrow
//! rights, limits, prices, the audit log and rows of usage, as users have them.
//!
//! The model is `orch-model`, whose answers are made once and then sent again. All stand in turns within a round, so that a
//! busy machine slows down all of them.

mod client;

use std::time::Duration;

use serde_json::{Value, json};

use crate::amount::{mebibytes, median, per_second, percentile, rate};
use crate::ask::Effort;
use crate::far::Far;
use crate::objects;
use crate::process::{processor_time, resident};
use crate::report::{Holds, Line, Report};
use crate::support::daemon::Home;
use client::{Client, Form, Place, Seen, Took};

const KEY: &str = "sk-of-the-provider";
/// The pieces of a stream.
const PIECES: usize = 200;
const CROWD: usize = 64;

/// Added to a request of one client.
const MORE: Duration = Duration::from_micros(150);
/// Added until the first of a stream is there.
const SOONEST: Duration = Duration::from_micros(300);
/// What is left of the rate of nginx.
const LEFT: f64 = 0.5;
/// Memory of the daemon with a thousand streams open, in kibibytes.
const MEMORY: u32 = 150 << 10;

/// Processor time of the daemon for one answer.
const fn cost(form: Form) -> Duration {
    match form {
        Form::Whole => Duration::from_micros(75),
        Form::Streamed => Duration::from_micros(500),
    }
}

/// One of those that are measured in turns.
struct Turn<'a> {
    name: &'static str,
    place: Place,
    spent: Box<dyn Fn() -> Duration + 'a>,
    /// It is given one request of so many that the others are given.
    one_of: usize,
    /// With no more clients than that.
    most: usize,
}

pub(crate) fn measure(effort: Effort, report: &mut Report) {
    let home = Home::new().with(&["--log", "info"]).started();
    let far = Far::server("orch-model", &["--key", KEY]);
    let token = declare(&home, &far);
    let nginx = Far::nginx(far.address);
    let peer = match effort {
        Effort::Full => Far::litellm(far.address, KEY, &[("plain", "chunks.3"), ("stream", &stream())]),
        // Not worth an installation: whether it works is not asked.
        Effort::Smoke => None,
    };
    for form in [Form::Whole, Form::Streamed] {
        let (there, here) = match form {
            Form::Whole => ("chunks.3".to_owned(), "plain"),
            Form::Streamed => (stream(), "stream"),
        };
        let place = |address, token: &str, model: &str| Place {
            address,
            token: token.to_owned(),
            model: model.to_owned(),
            form,
        };
        let mut turns = vec![
            Turn::of("direct", place(far.address, KEY, &there), || Duration::ZERO),
            Turn::of("orchd", place(home.address(), &token, here), || {
                processor_time(home.pid())
            }),
        ];
        if let Some(nginx) = &nginx {
            turns.push(Turn::of("nginx", place(nginx.address, KEY, &there), || {
                nginx.processor_time()
            }));
        }
        if let Some(peer) = &peer {
            let turn = Turn::of("LiteLLM", place(peer.address, KEY, here), || peer.processor_time());
            // It takes hundreds of times as long, and would be all that there is to wait for; of a crowd it closes the
            // connections before all of them have had an answer.
            turns.push(Turn {
                one_of: 50,
                most: 16,
                ..turn
            });
        }
        compare(effort, form, &turns, report);
    }
    memory(effort, report);
}

fn stream() -> String {
    format!("chunks.{PIECES}")
}

/// Declares both models; the token of somebody who may ask them, and nothing else.
fn declare(home: &Home, far: &Far) -> String {
    let object = |kind: &str, name: &str, spec: Value| json!({"apiVersion": "orchctl.dev/v1", "kind": kind, "metadata": {"name": name}, "spec": spec});
    let model = |name: &str, model: &str| {
        let spec = json!({
            "provider": "openai", "model": model, "url": format!("http://{}", far.address),
            "apiKeyRef": {"name": "keys", "key": "provider"},
            "pricing": {"inputPerMillion": 3, "outputPerMillion": 15},
            "limits": {"requestsPerMinute": 4_000_000_000_u32, "tokensPerMinute": 1_000_000_000_000_u64, "concurrent": 100_000},
        });
        object("Llm", name, spec)
    };
    let grants = json!([{"roles": ["run"], "resources": ["llms"], "names": ["plain", "stream", "silent"]}]);
    let set = vec![
        object("Secret", "keys", json!({"data": {"provider": KEY}})),
        model("plain", "chunks.3"),
        model("stream", &stream()),
        model("silent", "silent.3"),
        object("ServiceAccount", "narrow", json!({})),
        object(
            "RoleBinding",
            "narrow",
            json!({"subjects": [{"kind": "ServiceAccount", "name": "narrow"}], "grants": grants}),
        ),
    ];
    objects::apply(home, serde_json::to_vec(&objects::set_of(set)).expect("plain data"));
    let made = home
        .http("POST", "/api/v1/tokens")
        .json(&object(
            "Token",
            "narrow",
            json!({"serviceAccount": "narrow", "rbac": "owner"}),
        ))
        .send()
        .expect(201)
        .json();
    made["credential"].as_str().expect("a credential").to_owned()
}

impl<'a> Turn<'a> {
    fn of(name: &'static str, place: Place, spent: impl Fn() -> Duration + 'a) -> Self {
        Self {
            name,
            place,
            spent: Box::new(spent),
            one_of: 1,
            most: usize::MAX,
        }
    }
}

fn compare(effort: Effort, form: Form, turns: &[Turn<'_>], report: &mut Report) {
    let rounds = effort.pick(5, 1);
    // A stream is as much work as many plain answers.
    let share = match form {
        Form::Whole => 1,
        Form::Streamed => 5,
    };
    for (clients, times) in [
        (1, effort.pick(1000 / share, 2)),
        (effort.pick(16, 4), effort.pick(200 / share, 1)),
        (effort.pick(CROWD, 8), effort.pick(100 / share, 1)),
        (effort.pick(256, 16), effort.pick(40 / share, 1)),
    ] {
        let mut sums: Vec<Seen> = turns.iter().map(|_| Seen::default()).collect();
        for _ in 0..rounds {
            for (turn, sum) in turns.iter().zip(&mut sums).filter(|(turn, _)| clients <= turn.most) {
                let seen = client::load(&turn.place, clients, times.div_ceil(turn.one_of), &turn.spent);
                sum.each.extend(seen.each);
                sum.all += seen.all;
                sum.spent += seen.spent;
            }
        }
        let found: Vec<(&'static str, Seen)> = turns.iter().map(|turn| turn.name).zip(sums).collect();
        tell(form, clients, &found, report);
    }
}

fn tell(form: Form, clients: usize, found: &[(&'static str, Seen)], report: &mut Report) {
    let what = match form {
        Form::Whole => "plain".to_owned(),
        Form::Streamed => format!("{PIECES} pieces"),
    };
    let of = |name: &str| {
        let found = found
            .iter()
            .find(|(known, seen)| *known == name && !seen.each.is_empty());
        found.map(|(_, seen)| seen)
    };
    let Some(direct) = of("direct") else { return };
    for name in ["orchd", "nginx", "LiteLLM"] {
        let Some(seen) = of(name) else { continue };
        let is_ours = name == "orchd";
        if clients == 1 {
            for (share, said) in [(0.5, "p50"), (0.99, "p99")] {
                let (ours, bare) = (whole(seen, share), whole(direct, share));
                let mut line = delays(format!("{what}, {clients} client, {said}: {name} | direct"), ours, bare);
                if is_ours && share == 0.5 && form == Form::Whole {
                    line = line.target(format!("<= +{}", micros(MORE)), ours <= bare + MORE, Holds::AtRest);
                }
                report.tell(line);
            }
            if form == Form::Streamed {
                let (ours, bare) = (first(seen), first(direct));
                let mut line = delays(
                    format!("first of {what}, {clients} client, p50: {name} | direct"),
                    ours,
                    bare,
                );
                if is_ours {
                    line = line.target(
                        format!("<= +{}", micros(SOONEST)),
                        ours <= bare + SOONEST,
                        Holds::AtRest,
                    );
                }
                report.tell(line);
            }
            continue;
        }
        let per = |seen: &Seen| rate(seen.each.len(), seen.all);
        let (ours, bare) = (per(seen), per(direct));
        report.tell(
            Line::of(format!("{what}, {clients} clients: {name} | direct"))
                .ours(per_second(ours))
                .floor(per_second(bare))
                .ratio(ours / bare),
        );
        report.tell(delays(
            format!("{what}, {clients} clients, p99: {name} | direct"),
            whole(seen, 0.99),
            whole(direct, 0.99),
        ));
        let Some(nginx) = of("nginx").filter(|_| name != "nginx") else {
            continue;
        };
        let mut line = Line::of(format!("{what}, {clients} clients: {name} | nginx"))
            .ours(per_second(ours))
            .floor(per_second(per(nginx)))
            .ratio(ours / per(nginx));
        if is_ours {
            line = line.target(format!(">= {LEFT}x"), ours >= LEFT * per(nginx), Holds::AtRest);
        }
        report.tell(line);
    }
    if clients == CROWD {
        tell_cost(form, &what, of, report);
    }
}

/// Beside what nginx spends on an answer, which knows nothing of what it passes on.
fn tell_cost<'s>(form: Form, what: &str, of: impl Fn(&str) -> Option<&'s Seen>, report: &mut Report) {
    let each = |seen: &Seen| seen.spent / u32::try_from(seen.each.len()).expect("no bench counts further");
    let Some(ours) = of("orchd").map(each) else { return };
    let mut line = Line::of(format!("processor time, {what}: orchd | nginx")).ours(micros(ours));
    if let Some(nginx) = of("nginx").map(each).filter(|nginx| !nginx.is_zero()) {
        line = line
            .floor(micros(nginx))
            .ratio(ours.as_secs_f64() / nginx.as_secs_f64());
    }
    report.tell(line.target(format!("<= {}", micros(cost(form))), ours <= cost(form), Holds::AtRest));
}

/// What the daemon holds for streams that go on and on.
fn memory(effort: Effort, report: &mut Report) {
    // Their connections are more than a process usually may have.
    let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile);
    let raised = rustix::process::Rlimit {
        current: limit.maximum,
        ..limit
    };
    rustix::process::setrlimit(rustix::process::Resource::Nofile, raised).expect("up to what is allowed");
    let home = Home::new().with(&["--log", "info"]).started();
    let far = Far::server("orch-model", &["--key", KEY]);
    let place = Place {
        address: home.address(),
        token: declare(&home, &far),
        model: "silent".to_owned(),
        form: Form::Streamed,
    };
    let streams = effort.pick(1000, 5);
    let open: Vec<Client> = (0..streams)
        .map(|_| {
            let mut client = Client::connect(place.address);
            client.begin(&place);
            client
        })
        .collect();
    let held = resident(home.pid());
    drop(open);
    report.tell(
        Line::of(format!("resident memory with {streams} open streams"))
            .ours(mebibytes(held))
            .target(format!("<= {}", mebibytes(MEMORY)), held <= MEMORY, Holds::Anywhere),
    );
}

/// How long answers took, all of each.
fn whole(seen: &Seen, share: f64) -> Duration {
    let times: Vec<Duration> = seen.each.iter().map(|Took { all, .. }| *all).collect();
    percentile(&times, share)
}

/// How long it took until the first of them was there.
fn first(seen: &Seen) -> Duration {
    let times: Vec<Duration> = seen.each.iter().map(|Took { first, .. }| *first).collect();
    median(&times)
}

fn delays(what: String, ours: Duration, floor: Duration) -> Line {
    Line::of(what)
        .ours(micros(ours))
        .floor(micros(floor))
        .ratio(ours.as_secs_f64() / floor.as_secs_f64())
}

/// `123 us`.
fn micros(time: Duration) -> String {
    format!("{:.0} us", time.as_secs_f64() * 1e6)
}

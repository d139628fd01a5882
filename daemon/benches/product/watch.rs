//! A change, told to many watchers: how long it takes from the request that makes it until the last of them has heard.

use std::sync::mpsc;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::amount::{millis, percentile};
use crate::ask::Effort;
use crate::objects::home_with;
use crate::report::{Line, Report};
use crate::support::daemon::Home;

pub(crate) fn measure(effort: Effort, report: &mut Report) {
    let (many, rounds) = (effort.pick(500, 10), effort.pick(20, 2));
    let home = home_with(effort.pick(100, 3), &[]);
    let one = percentile(&delays(&home, 1, rounds), 0.99);
    let all = percentile(&delays(&home, many, rounds), 0.99);
    report.tell(
        Line::of(format!("a change reaches {many} watchers | one, p99"))
            .ours(millis(all))
            .floor(millis(one))
            .ratio(all.as_secs_f64() / one.as_secs_f64()),
    );
}

/// From sending a change to each watcher's reading of it.
fn delays(home: &Home, watchers: usize, rounds: usize) -> Vec<Duration> {
    let revision = home.get("status")["revision"].to_string();
    let path = format!("/api/v1/servers?watch=1&revision={revision}");
    let (heard, hearing) = mpsc::channel();
    std::thread::scope(|scope| {
        for _ in 0..watchers {
            let (mut stream, heard) = (home.http("GET", &path).stream(), heard.clone());
            scope.spawn(move || {
                for _ in 0..rounds {
                    // The reconciler's answers to a change are changes, too.
                    while !stream.line().expect("the watch goes on").contains("\"round\":\"") {}
                    heard.send(Instant::now()).expect("somebody counts");
                }
            });
        }
        let mut delays = Vec::new();
        for round in 0..rounds {
            let patch = json!({"metadata": {"annotations": {"round": round.to_string()}}});
            let request = home.http("PATCH", "/api/v1/servers/server-0001").json(&patch);
            let sent = Instant::now();
            request.send().expect(200);
            delays.extend(hearing.iter().take(watchers).map(|heard| heard - sent));
        }
        delays
    })
}

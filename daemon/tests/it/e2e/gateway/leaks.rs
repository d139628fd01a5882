//! What is left when everything was used and nobody has tidied up: nothing. The figures are printed.

use std::fs;

use rustix::process::Signal;
use serde_json::json;

use super::{at, project, raw_with, remote, stats_of};
use crate::support::client::{Client, ERAS, Era};
use crate::support::daemon::{Home, eventually, say};
use crate::support::database;
use crate::support::far::Far;
use crate::support::processes;

const SESSIONS: usize = 2000;
const SERVER_KILLS: usize = 100;
const DAEMON_KILLS: usize = 20;

/// What a daemon holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Held {
    processes: usize,
    /// Files, pipes and sockets that the daemon has open.
    open: usize,
    /// Sessions that are written down.
    sessions: usize,
    /// Sessions that a server on the other side of the network has with it.
    far: u64,
}

impl Held {
    fn of(home: &Home, far: &Far) -> Self {
        let open = fs::read_dir(format!("/proc/{}/fd", home.pid())).expect("its files can be listed");
        Self {
            processes: home.processes().len(),
            open: open.count(),
            sessions: database::sessions(home),
            far: stats_of(far)["sessionsOpen"].as_u64().unwrap_or(0),
        }
    }

    /// Connections that are kept for the next request, and files of the database, come and go.
    fn is_within(self, baseline: Self) -> bool {
        let slack = 8;
        self.processes == baseline.processes
            && self.open <= baseline.open + slack
            && self.sessions == baseline.sessions
            && self.far <= baseline.far
    }
}

fn returns(home: &Home, far: &Far, baseline: Held, after: &str) {
    let mut now = Held::of(home, far);
    let mut looks = 0;
    // Rows of sessions that nobody came back for after the daemon had ended go last, some minutes later.
    while !now.is_within(baseline) && looks < 300 {
        std::thread::sleep(std::time::Duration::from_secs(1));
        looks += 1;
        now = Held::of(home, far);
    }
    say(&format!("after {after}: {now:?}, before: {baseline:?}"));
    assert!(now.is_within(baseline), "after {after}: {now:?}, before: {baseline:?}");
}

#[test]
fn nothing_is_left_behind() {
    let mut home = Home::new().with(&["--session-idle", "2s"]).started();
    let far = Far::start("orch-raw", "--http", &["--era", "legacy"]);
    let soon = json!({"backoffInitial": "1s", "backoffMax": "1s"});
    let twice = json!({"replicas": 2, "restart": soon});
    let once = json!({"restart": soon});
    home.apply(&(raw_with("pipe", &["--era", "legacy"], twice) + &raw_with("new", &["--era", "modern"], once)));
    home.apply(&(remote("far", &far) + &project("all", &["pipe", "new", "far"])));
    let objects = ["server/pipe", "server/new", "server/far"];
    home.until_ready(&objects);
    for era in ERAS {
        assert!(
            !Client::begin(&home, era, "/mcp/projects/all")
                .names("tools/list")
                .is_empty()
        );
    }
    eventually("the first session is over", || database::sessions(&home) == 0);
    let baseline = Held::of(&home, &far);
    assert_eq!(baseline.processes, 3, "{baseline:?}");

    let paths = ["/mcp/projects/all".to_owned(), at("far"), at("pipe"), at("new")];
    std::thread::scope(|scope| {
        for worker in 0..4 {
            let (home, paths) = (&home, &paths);
            scope.spawn(move || {
                for number in 0..SESSIONS / 4 {
                    let client = Client::begin(home, Era::Legacy, &paths[(number + worker) % 4]);
                    match number % 4 {
                        0 => drop(client.ask("ping", json!({}))),
                        1 => drop(client.ask("tools/list", json!({}))),
                        2 => drop(client.listen(json!({}))),
                        _ => {
                            let tool = if client.names("tools/list").contains(&"echo".to_owned()) {
                                "echo"
                            } else {
                                "far__echo"
                            };
                            drop(client.ask("tools/call", json!({"name": tool, "arguments": {}})));
                        }
                    }
                }
            });
        }
    });
    returns(&home, &far, baseline, &format!("{SESSIONS} sessions without a goodbye"));

    let mut kills = 0;
    while kills < SERVER_KILLS {
        let client = Client::begin(&home, ERAS[kills % 2], "/mcp/projects/all");
        for server in ["pipe", "new"] {
            drop(client.ask(
                "tools/call",
                json!({"name": format!("{server}__echo"), "arguments": {}}),
            ));
            for pid in super::super::pids(&home, server) {
                if processes::is_alive(pid) {
                    processes::signal(pid, Signal::KILL);
                    kills += 1;
                }
            }
        }
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    home.until_ready(&objects);
    returns(&home, &far, baseline, &format!("{kills} kills of servers"));

    for _ in 0..DAEMON_KILLS {
        let client = Client::begin(&home, Era::Legacy, "/mcp/projects/all");
        drop(client.ask("tools/call", json!({"name": "pipe__echo", "arguments": {}})));
        let _listening = client.listen(json!({}));
        home.kill_9();
        home.start();
    }
    home.until_ready(&objects);
    let after = Held::of(&home, &far);
    say(&format!("right after {DAEMON_KILLS} kills of the daemon: {after:?}"));
    // Nobody could tell the server on the other side that they were gone; it has to forget by itself.
    let baseline = Held {
        far: after.far,
        ..baseline
    };
    returns(&home, &far, baseline, &format!("{DAEMON_KILLS} kills of the daemon"));
}

//! Servers with several copies: calls are spread over them, and a session stays with its own.

use std::collections::BTreeSet;

use serde_json::json;

use super::{at, project, raw, raw_with, remote, stats, stats_of};
use crate::support::client::{Client, ERAS, Era};
use crate::support::daemon::{Home, eventually};
use crate::support::database;
use crate::support::far::Far;

fn with_copies(count: u32) -> Home {
    let home = Home::new().started();
    home.apply(&(raw_with("raw", &["--era", "legacy"], json!({"replicas": count})) + &project("all", &["raw"])));
    home.until_ready(&["server/raw"]);
    eventually("all copies run", || {
        super::super::pids(&home, "raw").len() == count as usize
    });
    home
}

/// Every call goes to the copy with the least to do.
#[test]
fn calls_are_spread_over_the_copies() {
    let home = with_copies(3);
    let client = Client::begin(&home, Era::Modern, &at("raw"));
    let pid = || stats(&client, "stats")["pid"].to_string();
    let mut busy = BTreeSet::new();
    let mut waiting = Vec::new();
    for _ in 0..2 {
        let request = client.request("tools/call", json!({"name": "wait", "arguments": {}}));
        // The answer begins as a stream once it takes longer.
        waiting.push(request.stream());
        let free: BTreeSet<String> = (0..12).map(|_| pid()).collect();
        assert_eq!(
            free.len(),
            3 - waiting.len(),
            "only copies with nothing to do are asked: {free:?}"
        );
        busy.insert(free);
    }
    assert_eq!(busy.len(), 2);
}

/// A session stays with its copy; sessions are spread.
#[test]
fn a_session_stays_with_its_copy() {
    let home = with_copies(3);
    let mut pids = BTreeSet::new();
    for path in [at("raw"), "/mcp/projects/all".to_owned()] {
        let tool = if path.contains("projects") {
            "raw__stats"
        } else {
            "stats"
        };
        let sessions: Vec<Client> = (0..12).map(|_| Client::begin(&home, Era::Legacy, &path)).collect();
        for client in &sessions {
            let of: BTreeSet<String> = (0..5).map(|_| stats(client, tool)["pid"].to_string()).collect();
            assert_eq!(of.len(), 1, "one session, one copy: {of:?}");
            pids.extend(of);
        }
    }
    assert_eq!(pids.len(), 3, "all copies have sessions: {pids:?}");
}

/// However many clients come, and whether or not they say goodbye: no process is started for them.
#[test]
fn clients_start_no_processes() {
    let home = Home::new().started();
    home.apply(&(raw("legacy", &["--era", "legacy"]) + &raw("modern", &["--era", "modern"])));
    home.until_ready(&["server/legacy", "server/modern"]);
    let (count, before) = (home.processes().len(), home.processes());
    for server in ["legacy", "modern"] {
        for number in 0..40 {
            let client = Client::begin(&home, ERAS[number % 2], &at(server));
            let stats = stats(&client, "stats");
            assert_eq!(stats["sessionsOpened"], 1, "{server}: {stats}");
        }
    }
    assert_eq!((home.processes().len(), home.processes()), (count, before));
}

/// A session with a server over HTTP goes when the client's does: at once when it says so, else after it was idle.
#[test]
fn sessions_with_servers_end_with_those_of_clients() {
    let home = Home::new().with(&["--session-idle", "2s"]).started();
    let far = Far::start("orch-raw", "--http", &["--era", "legacy"]);
    home.apply(&remote("far", &far));
    home.until_ready(&["server/far"]);
    let open = || stats_of(&far)["sessionsOpen"].as_u64().unwrap_or(0);
    let modern = Client::begin(&home, Era::Modern, &at("far"));
    assert!(modern.said("echo", json!({})).contains("tools/call"));
    let baseline = open();
    let clients: Vec<Client> = (0..10).map(|_| Client::begin(&home, Era::Legacy, &at("far"))).collect();
    for client in &clients {
        // Not one question of its own is asked of a server before it is.
        assert!(client.said("echo", json!({})).contains("tools/call"));
    }
    let (leaving, _silent) = clients.split_at(5);
    for client in leaving {
        client.end().expect(204);
    }
    eventually("all sessions are over", || {
        open() == baseline && database::sessions(&home) == 0
    });
    assert!(stats_of(&far)["sessionsClosed"].as_u64() >= Some(10));
}

//! Watches from outside: resumed, out of reach, left alone, and many.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::net::TcpListener;
use std::process::Stdio;
use std::sync::mpsc;
use std::time::Duration;

use serde_json::{Value, json};
use sqlx::postgres::PgConnectOptions;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions as _, Connection as _};

use super::manifest;
use crate::support::daemon::{Home, eventually, on_each_database};
use crate::support::http::Stream;
use crate::support::processes;

on_each_database!(a_watch_goes_on_where_it_was_left, a_watch_that_cannot_go_on_is_told_so);

fn prompt(name: &str, content: &str) -> String {
    manifest("Prompt", name, &json!({ "content": content }))
}

/// The next event about an object of that name, with its id.
fn until(watch: &mut Stream, name: &str) -> (String, Value) {
    loop {
        let (id, event) = watch.event().expect("the watch goes on");
        if event["object"]["metadata"]["name"] == name {
            return (id, event);
        }
    }
}

fn a_watch_goes_on_where_it_was_left(home: Home) {
    let home = home.started();
    home.apply(&prompt("one", "1"));
    let mut watch = home.http("GET", "/api/v1/prompts?watch=1").stream();
    assert_eq!(watch.status, 200);
    let (id, event) = until(&mut watch, "one");
    assert_eq!(
        (id.as_str(), &event["type"]),
        ("", &json!("ADDED")),
        "what is there at first is no place to go on from"
    );
    let (place, event) = watch.event().expect("the watch goes on");
    assert_eq!(event["type"], "BOOKMARK");
    home.apply(&prompt("two", "1"));
    home.apply(&prompt("one", "2"));
    assert_eq!(until(&mut watch, "two").1["type"], "ADDED");
    assert_eq!(until(&mut watch, "one").1["type"], "MODIFIED");

    let mut resumed = home
        .http("GET", "/api/v1/prompts?watch=1")
        .header("Last-Event-ID", &place)
        .stream();
    assert_eq!(until(&mut resumed, "two").1["type"], "ADDED");
    let (place, event) = until(&mut resumed, "one");
    assert_eq!(event["object"]["spec"]["content"], "2");
    home.orchctl(&["delete", "prompt", "two"]).expect(0);
    let mut resumed = home
        .http("GET", "/api/v1/prompts?watch=1")
        .header("Last-Event-ID", &place)
        .stream();
    assert_eq!(until(&mut resumed, "two").1["type"], "DELETED");
    let nonsense = home.http("GET", "/api/v1/prompts?watch=1").header("Last-Event-ID", "x");
    assert_eq!(nonsense.send().expect(400).code(), "ORCH4101");
}

/// Lets the change log begin behind everything that anybody has seen, as it does some time after many changes.
fn compact(home: &Home) {
    const STATEMENTS: &str =
        "DELETE FROM change; UPDATE meta SET compacted = revision + 9, revision = revision + 9 WHERE id = 1";
    let doing = async {
        match home.database_url() {
            None => {
                let options = SqliteConnectOptions::new().filename(home.path("data/orchd.db"));
                let mut shell = options.connect().await?;
                sqlx::raw_sql(STATEMENTS).execute(&mut shell).await?;
                shell.close().await
            }
            Some(url) => {
                let mut shell = url.parse::<PgConnectOptions>()?.connect().await?;
                sqlx::raw_sql(STATEMENTS).execute(&mut shell).await?;
                shell.close().await
            }
        }
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let done: Result<(), sqlx::Error> = runtime.expect("a runtime").block_on(doing);
    done.expect("the log can be compacted");
}

fn a_watch_that_cannot_go_on_is_told_so(home: Home) {
    // A port that stays the same when the daemon is started anew.
    let port = TcpListener::bind("127.0.0.1:0")
        .and_then(|listener| listener.local_addr())
        .expect("a free port");
    let mut home = home.with(&["--listen", &port.to_string()]).started();
    home.apply(&prompt("one", "1"));
    home.apply(&prompt("one", "2"));
    let mut child = home
        .orchctl_command(&["get", "prompts", "-w", "-o", "name"])
        .stderr(Stdio::inherit())
        .spawn()
        .expect("orchctl runs");
    let (line, told) = mpsc::channel();
    let stdout = BufReader::new(child.stdout.take().expect("a pipe"));
    std::thread::spawn(move || {
        stdout
            .lines()
            .map_while(Result::ok)
            .try_for_each(|text| line.send(text))
    });
    let told = || {
        told.recv_timeout(Duration::from_secs(60))
            .expect("the command line goes on")
    };
    assert_eq!(told(), "prompt/one");
    home.apply(&prompt("zero", "1"));
    eventually("the watch has begun", || told() == "prompt/zero");

    home.stop();
    compact(&home);
    home.start();
    for past in [json!(0), json!(1), json!(1_000_000)] {
        let watch = |request: crate::support::http::Request| {
            let answer = request.send().expect(410);
            assert_eq!(answer.code(), "ORCH3007");
        };
        watch(home.http("GET", &format!("/api/v1/prompts?watch=1&revision={past}")));
        watch(
            home.http("GET", "/api/v1/prompts?watch=1")
                .header("Last-Event-ID", &past.to_string()),
        );
    }
    // The command line begins anew by itself, and goes on.
    eventually("it shows everything again", || told() == "prompt/one");
    eventually("all of it", || told() == "prompt/zero");
    home.apply(&prompt("two", "1"));
    eventually("it goes on", || told() == "prompt/two");
    child.kill().expect("it can be ended");
    child.wait().expect("it ends");
}

#[test]
fn a_watch_tells_only_of_what_it_selects() {
    let home = Home::new().started();
    let prompt = |name: &str, team: &str| {
        format!(
            "---\napiVersion: orchctl.dev/v1\nkind: Prompt\nmetadata: {{name: {name}, labels: {{team: {team}}}}}\nspec: {{content: x}}\n"
        )
    };
    home.apply(&format!("{}{}", prompt("ours", "a"), prompt("theirs", "b")));
    let from = home.get("prompts")["metadata"]["revision"].to_string();
    let path = format!("/api/v1/prompts?watch=1&labelSelector=team%3Da&revision={from}");
    let mut watch = home.http("GET", &path).stream();
    for team in ["c", "d", "e"] {
        home.apply(&format!("{}{}", prompt("theirs", team), prompt("new", team)));
    }
    home.apply(&prompt("ours", "z"));
    let mut gone = Vec::new();
    while gone.last().is_none_or(|name| name != "ours") {
        let (_, event) = watch.event().expect("the watch goes on");
        let name = event["object"]["metadata"]["name"].as_str().unwrap_or_default();
        assert!(name != "new", "it was never selected: {event}");
        if event["type"] == "DELETED" {
            gone.push(name.to_owned());
        }
    }
    // One that was there before may have been selected then, so its leaving is told; but once.
    assert_eq!(gone, ["theirs", "ours"]);
}

/// The memory of the daemon, in MiB.
fn memory(home: &Home) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", home.pid())).expect("readable");
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))
        .expect("a size");
    line.trim().trim_end_matches(" kB").parse::<u64>().expect("a number") / 1024
}

#[test]
fn watchers_that_do_not_read_hold_up_nobody_and_leave_nothing() {
    const WATCHERS: usize = 500;
    let home = Home::new().started();
    // Far more than a connection takes in by itself.
    let content = "x".repeat(20_000);
    let many: String = (0..500).map(|number| prompt(&format!("p{number}"), &content)).collect();
    home.apply(&many);
    let (sockets, before) = (processes::sockets(home.pid()), memory(&home));
    let watch = || home.http("GET", "/api/v1/prompts?watch=1").stream();
    let slow: Vec<Stream> = (0..WATCHERS).map(|_| watch()).collect();
    assert!(slow.iter().all(|watch| watch.status == 200));
    assert!(processes::sockets(home.pid()) >= sockets + WATCHERS);

    // Somebody who reads is told at once, and everybody is served.
    let mut quick = watch();
    until(&mut quick, "p99");
    for round in 0..20 {
        home.apply(&prompt("news", &format!("{round}")));
        // What the daemon says of the one before comes along as well.
        while until(&mut quick, "news").1["object"]["spec"]["content"] != format!("{round}") {}
    }
    // All of them together want 5 GB; held is what is on its way to each.
    let grown = memory(&home).saturating_sub(before);
    assert!(grown < 1_000, "{WATCHERS} watchers hold {grown} MiB");

    drop(slow);
    drop(quick);
    home.apply(&prompt("news", "after"));
    eventually("nothing of the watchers is left", || {
        processes::sockets(home.pid()) <= sockets + 2
    });
    home.get("status");
}

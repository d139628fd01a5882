//! Servers that start anew, and what clients notice of it: their sessions go on, what they listen for is told, and what
//! they see is what is there.

use rustix::process::Signal;
use serde_json::{Value, json};

use super::{SERVERS, asked, at, home_with_all, project, raw, remote, stats};
use crate::support::client::{Client, ERAS, Era, Heard};
use crate::support::daemon::{Home, eventually};
use crate::support::far::Far;
use crate::support::processes;

fn pid(stats: &Value) -> u32 {
    stats["pid"]
        .as_u64()
        .and_then(|pid| u32::try_from(pid).ok())
        .expect("a pid")
}

/// Kills a server's process, and waits until another one answers.
fn kill(client: &Client, tool: &str) {
    let before = pid(&stats(client, tool));
    processes::signal(before, Signal::KILL);
    eventually("another process answers", || {
        let told = client.ask("tools/call", json!({"name": tool, "arguments": {}}));
        let now = &told.answer["result"]["structuredContent"]["pid"];
        !now.is_null() && *now != before
    });
}

/// Hears of a resource that is changed until it is.
fn hear_update(heard: &mut Heard, actor: &Client, uri: &str) -> Value {
    std::thread::scope(|scope| {
        let hearing = scope.spawn(|| heard.method("notifications/resources/updated"));
        eventually("the news are heard", || {
            let params = json!({"name": "update_resource", "arguments": {"uri": uri}});
            drop(actor.ask("tools/call", params));
            hearing.is_finished()
        });
        hearing.join().expect("no panic")
    })
}

/// A process that dies is started anew behind the client's back; what was subscribed to stays so.
#[test]
fn sessions_go_on_when_a_server_starts_anew() {
    for server in ["legacy", "modern"] {
        let home = super::home_with("raw", &["--era", server]);
        for era in ERAS {
            let client = Client::begin(&home, era, &at("raw"));
            if era == Era::Legacy {
                client.result("resources/subscribe", json!({"uri": "raw://echo"}));
            }
            let mut heard = client.listen(json!({"resourceSubscriptions": ["raw://echo"]}));
            let actor = Client::begin(&home, Era::Modern, &at("raw"));
            hear_update(&mut heard, &actor, "raw://echo");
            kill(&client, "stats");
            let told = hear_update(&mut heard, &actor, "raw://echo");
            assert_eq!(told["params"]["uri"], "raw://echo", "{server} {era:?}");
        }
    }
}

/// A server on the other side of the network that forgets all sessions is greeted anew.
#[test]
fn a_server_that_forgets_its_sessions_is_greeted_anew() {
    let home = Home::new().started();
    let far = Far::start("orch-raw", "--http", &["--era", "legacy"]);
    home.apply(&remote("far", &far));
    home.until_ready(&["server/far"]);
    let legacy = Client::begin(&home, Era::Legacy, &at("far"));
    let modern = Client::begin(&home, Era::Modern, &at("far"));
    for _ in 0..3 {
        let before = asked(&far, "initialize");
        assert!(modern.said("forget_sessions", json!({})).starts_with("forgot"));
        for client in [&legacy, &modern, &legacy] {
            assert!(client.said("echo", json!({})).contains("tools/call"));
        }
        assert!(asked(&far, "initialize") > before);
    }
}

/// What has come back is in the list again, and clients hear of it.
#[test]
fn who_comes_back_is_in_the_list_again() {
    let home = Home::new().started();
    home.apply(&(raw("well", &[]) + &raw("other", &[]) + &project("all", &["well", "other"])));
    home.until_ready(&["server/well", "server/other"]);
    let clients = ERAS.map(|era| Client::begin(&home, era, "/mcp/projects/all"));
    let has = |client: &Client, name: &str| client.names("tools/list").contains(&name.to_owned());
    for client in &clients {
        assert!(has(client, "other__echo"));
        client.call("other__change_tools", json!({}));
        eventually("the tool is there", || has(client, "other__grown_00000"));
    }
    let mut listening: Vec<Heard> = clients
        .iter()
        .map(|client| client.listen(json!({"toolsListChanged": true})))
        .collect();
    kill(&clients[1], "other__stats");
    for (client, heard) in clients.iter().zip(&mut listening) {
        // The new process has not grown.
        loop {
            heard.method("notifications/tools/list_changed");
            if has(client, "other__echo") && !has(client, "other__grown_00000") {
                break;
            }
        }
    }
}

/// Sessions go on after the daemon has ended in good order, or has not: with what they had asked to hear.
#[test]
fn sessions_go_on_when_the_daemon_starts_anew() {
    let (mut home, _far) = home_with_all(Home::new());
    let mut clients = SERVERS.map(|server| Client::begin(&home, Era::Legacy, &at(server)));
    for client in &clients {
        client.result("resources/subscribe", json!({"uri": "raw://echo"}));
        client.result("logging/setLevel", json!({"level": "error"}));
    }
    for how in ["stop", "kill"] {
        match how {
            "stop" => assert_eq!(home.stop(), 0),
            _ => home.kill_9(),
        }
        home.start();
        home.until_ready(
            &SERVERS
                .map(|name| format!("server/{name}"))
                .each_ref()
                .map(String::as_str),
        );
        for (client, server) in clients.iter_mut().zip(SERVERS) {
            client.follow(&home);
            // It comes back to listen first, as clients do that have lost their connection.
            let mut heard = client.listen(json!({}));
            let actor = Client::begin(&home, Era::Modern, &at(server));
            let told = hear_update(&mut heard, &actor, "raw://echo");
            assert_eq!(told["params"]["uri"], "raw://echo", "{how} {server}");
            let told = client.ask("tools/call", json!({"name": "log", "arguments": {}}));
            assert!(told.answer["result"].is_object(), "{how} {server}: {told:?}");
            assert!(
                told.before.is_empty(),
                "{how} {server}: the level is forgotten: {told:?}"
            );
        }
    }
}

/// Streams that are open when the daemon ends, end; nobody waits for ever.
#[test]
fn streams_end_with_the_daemon() {
    for how in ["stop", "kill"] {
        let mut home = super::home_with("raw", &[]);
        let clients = ERAS.map(|era| Client::begin(&home, era, &at("raw")));
        let listening = clients
            .each_ref()
            .map(|client| client.listen(json!({"toolsListChanged": true})));
        match how {
            "stop" => assert_eq!(home.stop(), 0),
            _ => home.kill_9(),
        }
        for heard in listening {
            heard.wait_for_end();
        }
    }
}

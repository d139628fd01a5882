//! Several daemons on one PostgreSQL: whichever a client asks, it speaks with the servers of the one that leads.

use std::net::TcpListener;

use rustix::process::Signal;
use serde_json::json;

use super::super::copies;
use super::{at, project, raw, stats};
use crate::support::client::{Client, ERAS, Era, abilities, greeting, post};
use crate::support::daemon::{Home, eventually};
use crate::support::outside::certificate;
use crate::support::processes;

const ALL: &str = "/mcp/projects/all";

/// A daemon that leads, with a lease that lasts so long, and one beside it that follows; the server and the project were
/// declared at the latter.
fn leader_and_follower(lease: &str) -> Option<(Home, Home)> {
    let first = Home::on_postgres()?.with(&["--lease-duration", lease]).started();
    let second = first.beside().started();
    declare(&second);
    Some((first, second))
}

fn declare(home: &Home) {
    home.apply(&(raw("raw", &[]) + &project("all", &["raw"])));
    home.until_ready(&["server/raw"]);
}

/// The name of the server's instance.
fn instance(home: &Home) -> String {
    let copies = copies(home, "raw");
    copies[0]["metadata"]["name"].as_str().expect("a name").to_owned()
}

#[test]
fn a_follower_passes_on_what_only_the_leader_can_answer() {
    let Some((first, second)) = leader_and_follower("30s") else {
        return;
    };
    assert_eq!((first.processes().len(), second.processes().len()), (1, 0));
    for era in ERAS {
        for (path, prefix) in [(at("raw"), ""), (ALL.to_owned(), "raw__")] {
            let client = Client::begin(&second, era, &path);
            assert!(client.names("tools/list").contains(&format!("{prefix}echo")), "{era:?}");
            assert!(client.said(&format!("{prefix}echo"), json!({})).contains("tools/call"));
            // A stream that is open while nothing is said, and what is told on it.
            let mut heard = client.listen(json!({"toolsListChanged": true}));
            client.call(&format!("{prefix}change_tools"), json!({}));
            heard.method("notifications/tools/list_changed");
            // An answer that is a stream itself.
            let told = client.ask(
                "tools/call",
                json!({"name": format!("{prefix}wait"), "arguments": {"ms": 2500}}),
            );
            assert_eq!(told.answer["result"]["content"][0]["text"], "waited", "{told:?}");
            let (questions, answer) = client.asked_back(
                "tools/call",
                json!({"name": format!("{prefix}ask_roots"), "arguments": {}}),
                &json!({"roots": []}),
            );
            assert_eq!(questions.len(), 1, "{answer}");
            match era {
                Era::Legacy => {
                    client.end().expect(204);
                    let gone = client.ask("tools/list", json!({}));
                    assert_eq!((gone.status, &gone.answer["error"]["code"]), (404, &json!(-32001)));
                }
                Era::Modern => {}
            }
        }
    }

    // Who goes, goes at the server too.
    let modern = Client::begin(&second, Era::Modern, &at("raw"));
    let cancelled = || stats(&modern, "stats")["cancelled"].as_array().map_or(0, Vec::len);
    let before = cancelled();
    for pause in [0, 3] {
        let connection = modern.request("tools/call", json!({"name": "wait", "arguments": {"ms": 60_000}}));
        let connection = connection.leave();
        std::thread::sleep(std::time::Duration::from_secs(pause));
        eventually("the call is under way", || {
            stats(&modern, "stats")["methods"]["tools/call"].as_u64() > Some(0)
        });
        std::thread::sleep(std::time::Duration::from_millis(500));
        drop(connection);
    }
    eventually("the server has given both up", || cancelled() == before + 2);

    // The oldest transport: the stream names an address that is passed on as well.
    let mut stream = second.http("GET", &format!("{}/sse", at("raw"))).stream();
    assert_eq!(stream.line().as_deref(), Some("event: endpoint"));
    let line = stream.line().expect("an address");
    let post_to = line.strip_prefix("data: ").expect("an address");
    second
        .http("POST", post_to)
        .json(&greeting("2024-11-05", &abilities()))
        .send()
        .expect(202);
    let hello = stream.event().expect("the stream goes on").1;
    assert_eq!(hello["result"]["protocolVersion"], "2024-11-05", "{hello}");

    // Sessions, what is said in them, and what instances write.
    let client = Client::begin(&second, Era::Legacy, ALL);
    let sessions = second.get("projects/all/sessions");
    assert_eq!(sessions, first.get("projects/all/sessions"));
    let id = sessions["items"][0]["id"].as_str().expect("a session");
    let mut traffic = second
        .http("GET", &format!("/api/v1/projects/all/sessions/{id}/traffic"))
        .stream();
    client.said("raw__echo", json!({}));
    assert!(
        traffic
            .event()
            .expect("the stream goes on")
            .1
            .to_string()
            .contains("raw__echo")
    );
    let logs = format!("/api/v1/instances/{}/logs", instance(&second));
    let told = |home: &Home| home.http("GET", &logs).send().expect(200).body;
    assert_eq!(told(&second), told(&first));
    assert_eq!(second.http("HEAD", &logs).send().expect(200).body, "");
    let follow = second.http("GET", &format!("{logs}?follow=true")).stream();
    assert_eq!(follow.status, 200);

    // The guard here comes first, and its name for the request is the one that counts.
    let path = at("raw");
    let greet = |home: &Home| post(home, &path, &greeting("2025-11-25", &abilities()));
    greet(&second)
        .token(&format!("orch_{}", "0".repeat(64)))
        .send()
        .expect(401);
    greet(&second).header("Host", "evil.example").send().expect(403);
    greet(&second)
        .header("Origin", "https://evil.example")
        .send()
        .expect(403);
    let own = format!("http://{}", second.address());
    greet(&second).header("Origin", &own).send().expect(200);
    let named = second
        .http("GET", &logs)
        .header("X-Request-Id", "mine")
        .send()
        .expect(200);
    let ids: Vec<_> = named
        .headers
        .iter()
        .filter(|(name, _)| name == "x-request-id")
        .collect();
    assert_eq!(ids, [&("x-request-id".to_owned(), "mine".to_owned())]);
    second
        .http("GET", "/mcp/servers/nosuch")
        .header("Accept", "text/event-stream")
        .send()
        .expect(400);
    second.http("PUT", &path).send().expect(405);

    // What was passed on once is not passed on again.
    greet(&first).header("X-Orch-Forwarded", "1").send().expect(200);
    let refused = greet(&second).header("X-Orch-Forwarded", "1").send().expect(503);
    assert_eq!(refused.header("retry-after"), Some("2"));
    assert!(
        refused.json()["error"]["message"]
            .as_str()
            .is_some_and(|text| text.contains("ORCH5004"))
    );
}

#[test]
fn sessions_outlive_the_leader() {
    let Some((mut first, second)) = leader_and_follower("6s") else {
        return;
    };
    let clients = ERAS.map(|era| Client::begin(&second, era, ALL));
    let listening = clients.each_ref().map(|client| {
        client.said("raw__echo", json!({}));
        client.listen(json!({"toolsListChanged": true}))
    });
    let waiting = clients.each_ref().map(|client| {
        let request = client.request("tools/call", json!({"name": "raw__wait", "arguments": {"ms": 60_000}}));
        std::thread::spawn(move || request.try_send().map(|answer| answer.status))
    });
    let logs = format!("/api/v1/instances/{}/logs", instance(&second));
    std::thread::sleep(std::time::Duration::from_secs(1));
    first.kill_9();

    // What was open ends, and nobody waits for ever.
    for heard in listening {
        heard.wait_for_end();
    }
    for waiting in waiting {
        let status = waiting.join().expect("no panic").ok();
        assert!(status.is_none_or(|status| matches!(status, 200 | 503)), "{status:?}");
    }

    // Until another daemon has taken over, everybody is told to come back; then everything goes on.
    let refused = second.http("GET", &logs).send().expect(503);
    assert_eq!(
        (refused.code().as_str(), refused.header("retry-after")),
        ("ORCH5004", Some("2"))
    );
    for client in &clients {
        let echo = json!({"name": "raw__echo", "arguments": {}});
        let refused = client.request("tools/call", echo.clone()).send().expect(503);
        assert_eq!(refused.header("retry-after"), Some("2"));
        assert!(
            refused.json()["error"]["message"]
                .as_str()
                .is_some_and(|text| text.contains("ORCH5004"))
        );
    }
    for client in &clients {
        eventually("the same client goes on", || {
            let told = client.ask("tools/call", json!({"name": "raw__echo", "arguments": {}}));
            assert!(matches!(told.status, 200 | 503), "{told:?}");
            told.answer["result"].is_object()
        });
        let mut heard = client.listen(json!({"toolsListChanged": true}));
        client.call("raw__change_tools", json!({}));
        heard.method("notifications/tools/list_changed");
    }

    // Who comes back follows, and passes on what the same clients ask it.
    first.start();
    for mut client in clients {
        client.follow(&first);
        assert!(client.said("raw__echo", json!({})).contains("tools/call"));
    }
    assert_eq!((first.processes().len(), second.processes().len()), (0, 1));
}

#[test]
fn a_leader_that_was_away_lets_its_clients_go() {
    let Some((first, second)) = leader_and_follower("2s") else {
        return;
    };
    let through = ERAS.map(|era| Client::begin(&second, era, ALL));
    let at_leader = ERAS.map(|era| Client::begin(&first, era, ALL));
    let all = || at_leader.iter().chain(&through);
    let listening: Vec<_> = all()
        .map(|client| client.listen(json!({"toolsListChanged": true})))
        .collect();
    processes::signal(first.pid(), Signal::STOP);
    eventually("the follower takes over", || second.processes().len() == 1);
    second.until_ready(&["server/raw"]);
    processes::signal(first.pid(), Signal::CONT);
    for heard in listening {
        heard.wait_for_end();
    }
    for client in all() {
        eventually("the same client goes on", || {
            let told = client.ask("tools/call", json!({"name": "raw__echo", "arguments": {}}));
            assert!(matches!(told.status, 200 | 503), "{told:?}");
            told.answer["result"].is_object()
        });
    }
    eventually("nothing runs twice", || {
        (first.processes().len(), second.processes().len()) == (0, 1)
    });
}

#[test]
fn daemons_reach_each_other_where_they_say() {
    let Some(home) = Home::on_postgres() else { return };
    let port = {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        listener.local_addr().expect("an address").port()
    };
    // A name that is not its own otherwise; the lease, which lasts, keeps it the leader when it starts anew.
    let everywhere = ["--listen", &format!("0.0.0.0:{port}"), "--insecure-http"];
    let mut first = home.with(&["--lease-duration", "30s"]).started();
    let mut second = first.beside();
    assert_eq!(first.stop(), 0);
    let internal = [
        "--lease-duration",
        "30s",
        "--internal-url",
        &format!("http://127.0.0.2:{port}"),
    ];
    let mut first = first.with(&[&everywhere[..], &internal].concat()).started();
    second.start();
    declare(&second);
    let echoes = |home: &Home| Client::begin(home, Era::Legacy, ALL).said("raw__echo", json!({}));
    assert!(echoes(&second).contains("tools/call"));
    let named = first.http("GET", "/mcp/servers/raw").header("Host", "127.0.0.3").send();
    assert_eq!(named.status, 403);

    // Two that give the same address: nobody asks itself.
    assert_eq!(second.stop(), 0);
    let key_file = first.path("data/keys.json").display().to_string();
    let mut second = second
        .with(&[&internal[..], &["--key-file", &key_file]].concat())
        .started();
    let refused = second.http("GET", "/mcp/servers/raw").send().expect(503);
    assert!(refused.body.contains("--internal-url"), "{}", refused.body);

    // Over TLS, when this machine trusts the certificate.
    let Some((certificate, key)) = certificate(&second) else {
        return;
    };
    assert_eq!(second.stop(), 0);
    assert_eq!(first.stop(), 0);
    let mut first = first.with(&["--lease-duration", "30s", "--tls-cert", &certificate, "--tls-key", &key]);
    first.start_unasked();
    second.start();
    eventually("the leader has not what it needs to be trusted", || {
        let logs = second.http("GET", "/mcp/servers/raw").send();
        logs.status == 503 && logs.body.contains("certificate")
    });
    assert_eq!(second.stop(), 0);
    let mut second = second.with_environment(&[("SSL_CERT_FILE", &certificate)]);
    second.start();
    second.until_ready(&["server/raw"]);
    assert!(echoes(&second).contains("tools/call"));
    assert_eq!((first.processes().len(), second.processes().len()), (1, 0));
}

//! Servers in containers, from the manifest to the engine: declared, shown, refused, kept over restarts of the daemon.

use serde_json::{Value, json};

use super::{condition, copies, manifest, server_with};
use crate::support::client::{Client, Era};
use crate::support::daemon::{Home, eventually, say};
use crate::support::engine::{self, Engine};

const SECRET: &str = "a-value-that-nobody-sees";

/// A server of that image.
pub(super) fn image(name: &str, image: &str, arguments: &[&str], more: Value) -> String {
    let mut spec = json!({"image": {"reference": image, "args": arguments, "pullPolicy": "Never"}});
    let fields = spec.as_object_mut().expect("a mapping");
    fields.extend(more.as_object().expect("a mapping").clone());
    manifest("Server", name, &spec)
}

fn fixture() -> String {
    let path = std::path::Path::new(env!("CARGO_BIN_EXE_orchd")).with_file_name("orch-fixture");
    path.to_str().expect("a path in UTF-8").to_owned()
}

/// A place whose containers run in the engine of this machine, and that engine's image of the fixture.
pub(super) async fn place(flags: &[&str]) -> Option<(Home, Engine, String)> {
    let engine = engine::engine().await?;
    let image = engine.fixture(&fixture()).await;
    let home = Home::new()
        .with(&[&["--docker-host", &engine.host], flags].concat())
        .started();
    Some((home, engine, image))
}

/// The only copy of a server.
#[track_caller]
pub(super) fn copy(home: &Home, server: &str) -> Value {
    let copies = copies(home, server);
    assert_eq!(copies.len(), 1, "{copies:?}");
    copies[0].clone()
}

pub(super) fn container_of(home: &Home, server: &str) -> String {
    let copy = copy(home, server);
    copy["status"]["container"]["id"]
        .as_str()
        .expect("a container")
        .to_owned()
}

/// Until a server's only copy runs, in another container than before.
fn until_another(home: &Home, server: &str, before: &str) {
    eventually(&format!("{server} runs in another container"), || {
        let copies = copies(home, server);
        copies.len() == 1
            && copies[0]["status"]["phase"] == "Running"
            && copies[0]["status"]["container"]["id"]
                .as_str()
                .is_some_and(|id| id != before)
    });
}

#[tokio::test]
async fn servers_in_containers() {
    let Some((mut home, engine, reference)) = place(&[]).await else {
        return;
    };
    let secret = manifest("Secret", "vault", &json!({"data": {"token": SECRET}}));
    let token = json!([{"name": "TOKEN", "valueFrom": {"secretRef": {"name": "vault", "key": "token"}}}]);
    let boxed = image(
        "boxed",
        &reference,
        &["--tell", "TOKEN"],
        json!({"env": token, "resources": {"memory": "128Mi", "cpu": "500m", "pids": 64}}),
    );
    let http = json!({"transport": "streamable-http", "containerPort": 8080});
    let web = image("web", &reference, &["--http", "0.0.0.0:8080", "--any-host"], http);
    let gone = image("gone", "orchctl-test/nothing:1", &[], json!({}));
    let applied = [secret, boxed, web, gone].concat();
    home.apply(&applied);
    home.until_ready(&["server/boxed", "server/web"]);

    // What runs is told, secrets apart.
    let server = home.get("servers/boxed");
    let digest = server["status"]["resolved"]["version"]
        .as_str()
        .unwrap_or_default()
        .to_owned();
    assert!(digest.starts_with("sha256:"), "{server}");
    assert_eq!(server["status"]["tools"]["count"], 3, "{server}");
    assert_eq!(condition(&server, "Implemented").0, "", "{server}");
    let instance = copy(&home, "boxed");
    let name = instance["metadata"]["name"].as_str().expect("a name").to_owned();
    let container = &instance["status"]["container"];
    assert_eq!(container["image"], reference.as_str(), "{instance}");
    assert!(!condition(&instance, "LimitsEnforced").0.is_empty(), "{instance}");
    let described = home.orchctl(&["describe", "instance", &name]).expect(0);
    let id = container["id"].as_str().expect("an id").to_owned();
    let described = described.saying(&[
        &reference,
        &digest,
        &id,
        "memory 128Mi, cpu 500m, 64 processes",
        "read-only root, no capabilities, no new privileges",
        "TOKEN",
        "attach",
    ]);
    assert!(!described.stdout.contains(SECRET), "{}", described.stdout);
    home.orchctl(&["logs", "boxed"]).expect(0).saying(&["TOKEN is <***>"]);
    let there = engine.inspect(&id).await;
    let labels = there.config.and_then(|config| config.labels).unwrap_or_default();
    assert_eq!(labels.get("orchctl.dev/server").map(String::as_str), Some("boxed"));
    assert!(!format!("{labels:?}").contains(SECRET));
    assert!(!home.logs().contains(SECRET));

    // What cannot be had says so, and what to do.
    eventually("the missing image is told", || {
        condition(&home.get("servers/gone"), "Ready").1 == "ImageUnavailable"
    });
    home.orchctl(&["why", "server/gone"])
        .saying(&["orchctl-test/nothing:1", "ORCH6022"]);

    // Over streams a container goes with its daemon; over HTTP it stays, whichever way the daemon ends.
    for graceful in [true, false] {
        let before = (container_of(&home, "boxed"), container_of(&home, "web"));
        if graceful {
            home.stop();
        } else {
            home.kill_9();
        }
        home.start();
        until_another(&home, "boxed", &before.0);
        home.until_ready(&["server/web"]);
        assert_eq!(container_of(&home, "web"), before.1, "graceful: {graceful}");
    }
    home.orchctl(&["diff", "-f", "-"]);
    home.apply(&applied).saying(&["unchanged"]);

    // A killed container is a crash, and is told and mended as one.
    let before = container_of(&home, "web");
    engine.remove(&before).await;
    until_another(&home, "web", &before);
    assert_eq!(copy(&home, "web")["status"]["restarts"], 1);

    let mark = labels.get("orchctl.dev/daemon").expect("a mark").clone();
    home.orchctl(&["delete", "servers", "--all"]).expect(0);
    let left = engine.containers(&format!("orchctl.dev/daemon={mark}")).await;
    assert!(left.is_empty(), "{left:?}");
    // Nor do the networks wait for the end of the daemon.
    for _ in 0..60 {
        if engine.networks(&format!("orchctl.dev/daemon={mark}")).await == 0 {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(500)).await;
    }
    assert_eq!(engine.networks(&format!("orchctl.dev/daemon={mark}")).await, 0);
    home.stop();
    assert_eq!(engine.networks(&format!("orchctl.dev/daemon={mark}")).await, 0);
}

/// Sessions that nobody ends, containers that are killed and a daemon that is: as many containers as before, the figures printed.
#[tokio::test]
async fn no_container_is_left_behind() {
    const SESSIONS: usize = 40;
    const CONTAINER_KILLS: usize = 6;
    const DAEMON_KILLS: usize = 3;
    let Some((mut home, engine, reference)) = place(&["--session-idle", "2s"]).await else {
        return;
    };
    let soon = json!({"backoffInitial": "100ms", "backoffMax": "300ms"});
    let http = json!({"transport": "streamable-http", "containerPort": 8080, "restart": soon});
    let own = json!({"sessions": "isolated", "sessionLimits": {"max": 3}, "restart": soon});
    home.apply(
        &[
            image("pipe", &reference, &[], json!({"restart": soon})),
            image("web", &reference, &["--http", "0.0.0.0:8080", "--any-host"], http),
            image("own", &reference, &[], own),
        ]
        .concat(),
    );
    let all = ["server/pipe", "server/web", "server/own"];
    home.until_ready(&all);
    let inspected = engine.inspect(&container_of(&home, "pipe")).await;
    let labels = inspected.config.and_then(|config| config.labels).unwrap_or_default();
    let mark = format!("orchctl.dev/daemon={}", labels["orchctl.dev/daemon"]);
    let baseline = engine.containers(&mark).await.len();
    assert_eq!(baseline, 3, "one for each server");
    let returns = async |after: &str| {
        let mut left = engine.containers(&mark).await.len();
        for _ in 0..60 {
            if left == baseline {
                break;
            }
            tokio::time::sleep(std::time::Duration::from_secs(1)).await;
            left = engine.containers(&mark).await.len();
        }
        say(&format!("containers after {after}: {left}, before: {baseline}"));
        assert_eq!(left, baseline, "after {after}");
    };

    let (mut most, mut told) = (0, Value::Null);
    for number in 0..SESSIONS {
        let server = ["pipe", "web", "own"][number % 3];
        let client = Client::begin(&home, Era::Legacy, &format!("/mcp/servers/{server}"));
        // Of those with a container of their own, only three may be open at a time; the others are told so.
        told = client
            .ask("tools/call", json!({"name": "echo", "arguments": {}}))
            .answer;
        most = most.max(engine.containers(&mark).await.len());
    }
    assert!(most > baseline, "sessions had containers of their own: {told}");
    returns(&format!("{SESSIONS} sessions without a goodbye")).await;

    for number in 0..CONTAINER_KILLS {
        let server = ["pipe", "web"][number % 2];
        let before = container_of(&home, server);
        engine.remove(&before).await;
        until_another(&home, server, &before);
    }
    returns(&format!("{CONTAINER_KILLS} kills of containers")).await;

    for _ in 0..DAEMON_KILLS {
        let client = Client::begin(&home, Era::Legacy, "/mcp/servers/own");
        drop(client.ask("tools/call", json!({"name": "echo", "arguments": {}})));
        home.kill_9();
        home.start();
        home.until_ready(&all);
    }
    returns(&format!("{DAEMON_KILLS} kills of the daemon")).await;
    home.orchctl(&["delete", "servers", "--all"]).expect(0);
    assert!(engine.containers(&mark).await.is_empty());
}

#[test]
fn what_cannot_hold_is_refused() {
    let home = Home::new().started();
    let http = json!({"transport": "streamable-http"});
    let volume = |volume: Value| json!({"volumes": [volume]});
    for (manifest, told) in [
        (image("x", "a b", &[], json!({})), "not an image reference"),
        (image("x", "a@sha256:12", &[], json!({})), "not a digest"),
        (image("x", "a", &[], http), "spec.containerPort"),
        (image("x", "a", &[], json!({"containerPort": 1})), "has no address"),
        (image("x", "a", &[], json!({"runtime": "process"})), "spec.runtime"),
        (
            image("x", "a", &[], json!({"network": {"mode": "internal", "allow": ["a"]}})),
            "reaches no host",
        ),
        (
            image(
                "x",
                "a",
                &[],
                json!({"network": {"mode": "egress", "allow": ["http://a"]}}),
            ),
            "is not a host",
        ),
        (image("x", "a", &[], volume(json!({"target": "data"}))), "absolute path"),
        (
            image("x", "a", &[], volume(json!({"source": "../up", "target": "/data"}))),
            "neither an absolute path",
        ),
        (
            server_with("x", &[], volume(json!({"target": "/data"}))),
            "only a container",
        ),
        (
            server_with("x", &[], json!({"network": {"mode": "none"}})),
            "only a container",
        ),
        (server_with("x", &[], json!({"runtime": "docker"})), "image.command"),
    ] {
        home.orchctl_reading(&manifest, &["apply", "-f", "-"])
            .expect(1)
            .saying(&[told]);
    }
}

#[tokio::test]
async fn without_an_engine_it_is_said_what_to_do() {
    let mut home = Home::new()
        .with(&["--docker-host", "unix:///nowhere/docker.sock"])
        .started();
    home.apply(&image("boxed", "a:1", &[], json!({})));
    eventually("the missing engine is told", || {
        condition(&home.get("servers/boxed"), "Ready").1 == "EngineUnavailable"
    });
    home.orchctl(&["why", "server/boxed"])
        .saying(&["/nowhere/docker.sock", "--docker-host", "ORCH6021"]);
    // It is tried again in place.
    eventually("it is tried again", || {
        copies(&home, "boxed")[0]["status"]["crashesInARow"].as_u64() > Some(1)
    });
    home.orchctl(&["delete", "server", "boxed"]).expect(0);
    assert_eq!(home.stop(), 0);
}

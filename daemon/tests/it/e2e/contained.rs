//! What a manifest says about a container, seen from outside: the program beside the entry point, limits, the way out, packages.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;

use serde_json::json;

use super::containers::{container_of, copy, image, place};
use super::{condition, copies, manifest};
use crate::support::daemon::{Home, eventually};
use crate::support::engine;
use crate::support::outside::registries_answer;

/// A server of this machine with one page; its port.
fn page() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let _read = stream.read(&mut [0; 1024]);
            let answer = "HTTP/1.1 200 OK\r\nContent-Length: 8\r\nConnection: close\r\n\r\nthe page";
            let _sent = stream.write_all(answer.as_bytes());
        }
    });
    port
}

#[tokio::test]
async fn what_is_declared_of_a_container_holds() {
    let Some((home, _engine, reference)) = place(&[]).await else {
        return;
    };
    let beside = json!({"image": {
        "reference": reference, "pullPolicy": "Never", "command": ["/orch-fixture"], "args": ["--say", "beside the entry point"],
    }});
    let (open, shut) = (page(), page());
    let [allowed, refused] = [open, shut].map(|port| format!("http://127.0.0.1:{port}/"));
    let fenced = image(
        "fenced",
        &reference,
        &["--fetch", &allowed, "--fetch", &refused],
        json!({"network": {"mode": "egress", "allow": [format!("127.0.0.1:{open}")]}}),
    );
    let greedy = image(
        "greedy",
        &reference,
        &["--eat", "200000000"],
        json!({"resources": {"memory": "64Mi"}, "restart": {"backoffInitial": "1m"}}),
    );
    home.apply(&[manifest("Server", "beside", &beside), fenced, greedy].concat());
    home.until_ready(&["server/beside", "server/fenced"]);
    let described = |server: &str| {
        let name = copy(&home, server)["metadata"]["name"].clone();
        let name = name.as_str().expect("a name").to_owned();
        home.orchctl(&["describe", "instance", &name]).expect(0)
    };

    assert_eq!(copy(&home, "beside")["status"]["container"]["reached"], "exec");
    described("beside").saying(&["exec"]);
    home.orchctl(&["logs", "beside"])
        .expect(0)
        .saying(&["beside the entry point"]);

    described("fenced").saying(&[&format!("egress to 127.0.0.1:{open} only")]);
    home.orchctl(&["logs", "fenced"]).expect(0).saying(&[
        &format!("fetch {allowed}: 200 the page"),
        &format!("fetch {refused}: 403"),
        &format!("network: 127.0.0.1:{shut} is not in spec.network.allow"),
    ]);

    eventually("what it was ended for is told", || {
        copies(&home, "greedy").iter().any(|copy| {
            let exit = copy["status"].to_string();
            exit.contains("memory limit of 64Mi exceeded")
        })
    });
    described("greedy").saying(&["memory limit of 64Mi exceeded"]);
    home.orchctl(&["why", "server/greedy"])
        .saying(&["memory limit of 64Mi exceeded"]);
    assert_ne!(condition(&home.get("servers/greedy"), "Ready").0, "True");
    home.orchctl(&["delete", "servers", "--all"]).expect(0);
}

/// Packages of both registries, in containers that have no network once they are installed.
#[tokio::test]
async fn packages_run_in_containers() {
    if !registries_answer() {
        return;
    }
    let Some(engine) = engine::engine().await else { return };
    let runner = engine.runner().await;
    let home = Home::new()
        .with(&[
            "--docker-host",
            &engine.host,
            "--docker-runner-npm",
            &runner,
            "--docker-runner-pypi",
            &runner,
        ])
        .started();
    let package = |name: &str, registry: &str, package: &str| {
        let spec = json!({"package": {"registry": registry, "name": package}, "runtime": "docker"});
        manifest("Server", name, &spec)
    };
    let all = [
        package("notes", "npm", "@modelcontextprotocol/server-memory"),
        package("clock", "pypi", "mcp-server-time"),
    ];
    home.apply(&all.concat());
    home.until_ready(&["server/notes", "server/clock"]);
    for server in ["notes", "clock"] {
        let container = &copy(&home, server)["status"]["container"];
        assert_eq!(
            (&container["image"], &container["network"]),
            (&json!(runner), &json!("none")),
            "{container}"
        );
    }
    let zone = json!({"timezone": "Europe/Berlin"}).to_string();
    home.orchctl(&[
        "tools",
        "call",
        "get_current_time",
        "--server",
        "clock",
        "--json",
        &zone,
    ])
    .expect(0)
    .saying(&["Europe/Berlin"]);
    let inspected = engine.inspect(&container_of(&home, "clock")).await;
    let labels = inspected.config.and_then(|config| config.labels).unwrap_or_default();
    home.orchctl(&["delete", "servers", "--all"]).expect(0);
    let mark = format!("orchctl.dev/daemon={}", labels["orchctl.dev/daemon"]);
    eventually("no container is left", || copies(&home, "clock").is_empty());
    assert!(engine.containers(&mark).await.is_empty());
    assert_eq!(engine.remove_volumes(&mark).await, 2, "one volume for each package");
}

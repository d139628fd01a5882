//! What containers reach, and what they do not.

use orch_shared::kinds::server::AllowedHost;

use super::*;
use crate::support::daemon::say;

#[tokio::test]
async fn only_allowed_hosts_are_reached() {
    let Some(yard) = Yard::new().await else { return };
    let (page, closed) = (server().await, server().await);
    let (allowed, forbidden) = (
        format!("http://127.0.0.1:{page}/"),
        format!("http://127.0.0.1:{closed}/"),
    );
    let Some(world) = World::new() else {
        return yard.close().await;
    };
    let direct = world.address();
    let arguments = [
        "--fetch",
        &allowed,
        "--fetch",
        &forbidden,
        "--fetch",
        "http://localhost:1/",
        "--dial",
        &direct,
    ];
    let hosts = [format!("127.0.0.1:{page}"), "localhost:1".to_owned()];
    let hosts: Vec<_> = hosts
        .iter()
        .map(|host| AllowedHost::parse(host).expect("a host"))
        .collect();
    let uid = yard.start(
        |launch| container(launch).network = Network::Only(hosts.clone()),
        &arguments,
    );
    let seen = yard.house.until_running(&uid).await;
    let log = yard.house.texts(&uid, Which::Current).await.join("\n");
    for line in [
        format!("fetch {allowed}: 200 the page"),
        format!("fetch {forbidden}: 403 127.0.0.1:{closed} is not in spec.network.allow"),
        format!("network: 127.0.0.1:{closed} is not in spec.network.allow"),
        "which is this machine or its link".to_owned(),
    ] {
        assert!(log.contains(&line), "{line} is not in:\n{log}");
    }
    assert!(
        log.contains(&format!("dial {direct}: ")) && !log.contains("connected"),
        "{log}"
    );
    let network = seen.container.map(|container| container.network).unwrap_or_default();
    assert_eq!(network, format!("egress to 127.0.0.1:{page}, localhost:1 only"));

    // Containers on one network do not reach each other; nor does one without a network reach anything.
    let http = yard.start(over_http, HTTP);
    let seen = yard.house.until_running(&http).await;
    let neighbour = seen
        .container
        .and_then(|container| container.address)
        .expect("an address");
    let neighbour = format!("{neighbour}:8080");
    for network in [Network::Internal, Network::None] {
        let uid = yard.start(
            |launch| container(launch).network = network.clone(),
            &["--dial", &neighbour],
        );
        yard.house.until_running(&uid).await;
        let log = yard.house.texts(&uid, Which::Current).await.join("\n");
        assert!(!log.contains("connected") && log.contains("dial"), "{network:?}: {log}");
    }
    yard.close().await;
}

/// Something outside of this machine: a server on a network of its own, which this machine leads to.
struct World {
    name: String,
    number: u32,
    server: std::process::Child,
}

impl World {
    /// Needs root and `ip`; required where `ORCH_REQUIRE_ALL` asks root for everything.
    fn new() -> Option<Self> {
        let is_root = rustix::process::geteuid().is_root();
        let has_ip = std::process::Command::new("ip").arg("netns").output().is_ok();
        if !is_root || !has_ip {
            let required = is_root && std::env::var_os("ORCH_REQUIRE_ALL").is_some();
            assert!(!required, "`ip` is missing, and ORCH_REQUIRE_ALL asks for it");
            say("skipped: a network outside needs root and `ip`");
            return None;
        }
        let number = std::process::id() % 200 + 20;
        let name = format!("orch{number}");
        let (ours, theirs) = (format!("198.18.{number}.1/24"), format!("198.18.{number}.2/24"));
        let link = format!("{name}x");
        for words in [
            vec!["netns", "add", &name],
            vec!["link", "add", &name, "type", "veth", "peer", "name", &link],
            vec!["link", "set", &link, "netns", &name],
            vec!["addr", "add", &ours, "dev", &name],
            vec!["link", "set", &name, "up"],
            vec!["-n", &name, "addr", "add", &theirs, "dev", &link],
            vec!["-n", &name, "link", "set", &link, "up"],
        ] {
            let done = std::process::Command::new("ip").args(&words).status();
            assert!(done.is_ok_and(|status| status.success()), "ip {words:?}");
        }
        let server = std::process::Command::new("ip")
            .args(["netns", "exec", &name, &fixture(), "--http", "0.0.0.0:8080"])
            .spawn()
            .expect("the fixture runs");
        let world = Self { name, number, server };
        let begun = std::time::Instant::now();
        while std::net::TcpStream::connect(world.address()).is_err() {
            assert!(begun.elapsed() < Duration::from_secs(30), "the world is not there");
            std::thread::sleep(Duration::from_millis(20));
        }
        Some(world)
    }

    fn address(&self) -> String {
        format!("198.18.{}.2:8080", self.number)
    }
}

impl Drop for World {
    fn drop(&mut self) {
        let _ended = self.server.kill();
        let _ended = self.server.wait();
        for words in [["link", "delete", &self.name], ["netns", "delete", &self.name]] {
            let _gone = std::process::Command::new("ip").args(words).status();
        }
    }
}

/// A server of this machine with one page; its port.
async fn server() -> u16 {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("an address").port();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut asked = [0; 1024];
            let _read = stream.read(&mut asked).await;
            let answer = "HTTP/1.1 200 OK\r\nContent-Length: 8\r\nConnection: close\r\n\r\nthe page";
            let _sent = stream.write_all(answer.as_bytes()).await;
        }
    });
    port
}

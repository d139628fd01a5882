//! Copies in containers of a real engine, with images that are made on the spot.

use std::collections::BTreeSet;
use std::time::Duration;

use orch_daemon::runtime::docker::Settings;
use orch_daemon::runtime::launch::{
    Access, Container, Contents, Image, Limits, Network, Pull, RemoteTransport, Source, Speech, Volume,
};
use orch_daemon::runtime::log::Which;
use orch_daemon::runtime::observation::{Cause, Enforced, Failure, State};
use orch_daemon::runtime::{Launch, Observation};
use orch_shared::kinds::server::AllowedHost;

use super::house::{self, House, Plan, fixture, secret};
use crate::support::engine::{self, Engine};

/// A house whose containers run in that engine, and the image of the fixture.
struct Yard {
    engine: Engine,
    house: House,
    image: String,
}

impl Yard {
    async fn new() -> Option<Self> {
        let engine = engine::engine().await?;
        let house = House::built(plan(&engine.host));
        let image = engine.fixture(&fixture()).await;
        Some(Self { engine, house, image })
    }

    /// Starts the fixture in a container, and says under which uid.
    fn start(&self, change: impl FnOnce(&mut Launch), arguments: &[&str]) -> String {
        self.house.start_as(
            |launch| {
                launch.source = Source::Container(contained(&self.image, arguments));
                change(launch);
            },
            &[],
        )
    }

    fn label(&self) -> String {
        format!("orchctl.dev/daemon={}", self.house.daemon)
    }

    async fn ids(&self) -> Vec<String> {
        let found = self.engine.containers(&self.label()).await;
        found.into_iter().filter_map(|container| container.id).collect()
    }

    /// Ends everything; nothing of it may be left in the engine.
    async fn close(self) {
        self.house.runtime.let_go(Duration::from_secs(1)).await;
        self.house.runtime.shut_down(Duration::from_secs(1)).await;
        assert_eq!(self.ids().await, Vec::<String>::new());
        assert_eq!(self.engine.networks(&self.label()).await, 0);
    }
}

fn plan(host: &str) -> Plan {
    Plan {
        docker: Settings {
            host: host.to_owned(),
            ..Settings::default()
        },
        ..Plan::default()
    }
}

fn contained(image: &str, arguments: &[&str]) -> Container {
    Container {
        contents: Contents::Image(Image {
            reference: image.to_owned(),
            command: None,
            args: arguments.iter().map(|&argument| argument.to_owned()).collect(),
            pull: Pull::Never,
        }),
        speech: Speech::Stdio,
        network: Network::None,
        volumes: vec![],
        root: Access::ReadOnly,
        capabilities: vec![],
    }
}

fn container(launch: &mut Launch) -> &mut Container {
    match &mut launch.source {
        Source::Container(container) => container,
        other => panic!("{other:?} is no container"),
    }
}

fn image(launch: &mut Launch) -> &mut Image {
    match &mut container(launch).contents {
        Contents::Image(image) => image,
        Contents::Package(package) => panic!("{package:?} is no image"),
    }
}

/// Over HTTP, on a network of its own.
fn over_http(launch: &mut Launch) {
    let container = container(launch);
    container.network = Network::Internal;
    container.speech = Speech::Http {
        transport: RemoteTransport::StreamableHttp,
        port: 8080,
        path: "/mcp".to_owned(),
    };
}

const HTTP: &[&str] = &["--http", "0.0.0.0:8080", "--any-host"];

fn failure(seen: &Observation) -> &Failure {
    match &seen.state {
        State::Failed(failure) => failure,
        other => panic!("{other:?} is no failure"),
    }
}

#[tokio::test]
async fn the_entry_point_is_the_server() {
    let Some(yard) = Yard::new().await else { return };
    let uid = yard.start(|_| {}, &["--say", "hello from inside"]);
    let seen = yard.house.until_running(&uid).await;
    let State::Running(answer) = &seen.state else {
        panic!("{seen:?}");
    };
    assert_eq!(answer.name.as_deref(), Some("orch-fixture"));
    assert_eq!(answer.tools.as_ref().map(|tools| tools.count), Some(3));
    let about = seen.container.expect("what the engine says");
    assert_eq!((about.reached.as_str(), about.network.as_str()), ("attach", "none"));
    assert_eq!(about.image, yard.image);
    assert!(
        about.digest.starts_with("sha256:") && about.started_at.is_some(),
        "{about:?}"
    );
    assert_eq!(seen.resolved.map(|resolved| resolved.version), Some(about.digest));
    assert_eq!(
        yard.house.runtime.check(&uid, Duration::from_secs(20)).await,
        Some(Ok(()))
    );
    // What goes to standard error is the log, and what is protocol is not.
    let texts = yard.house.texts(&uid, Which::Current).await;
    assert_eq!(texts, ["hello from inside"]);
    assert_eq!(yard.ids().await, [about.id]);
    yard.house.runtime.stop(&uid, Duration::from_secs(5)).await;
    let over = yard.house.until_over(&uid).await;
    assert!(
        matches!(&over.state, State::Exited(exit) if exit.cause == Cause::Stopped),
        "{over:?}"
    );
    yard.close().await;
}

#[tokio::test]
async fn a_command_runs_beside_the_entry_point() {
    let Some(yard) = Yard::new().await else { return };
    let beside = |launch: &mut Launch| image(launch).command = Some(vec!["/orch-fixture".to_owned()]);
    let uid = yard.start(beside, &["--say", "I am the server"]);
    let seen = yard.house.until_running(&uid).await;
    assert_eq!(
        seen.container.map(|container| container.reached).as_deref(),
        Some("exec")
    );
    assert_eq!(yard.house.texts(&uid, Which::Current).await, ["I am the server"]);
    yard.house.runtime.stop(&uid, Duration::from_secs(5)).await;

    // The program's exit is the copy's, though the entry point goes on.
    let uid = yard.start(beside, &["--exit-after", "300", "--exit-code", "7"]);
    let over = yard.house.until_over(&uid).await;
    assert!(
        matches!(&over.state, State::Exited(exit) if exit.code == Some(7)),
        "{over:?}"
    );

    // In an image that does not say what to run, the command is all there is.
    let bare = yard.engine.bare(&fixture()).await;
    let uid = yard.start(
        |launch| {
            beside(launch);
            image(launch).reference = bare;
        },
        &[],
    );
    let seen = yard.house.until_running(&uid).await;
    assert_eq!(
        seen.container.map(|container| container.reached).as_deref(),
        Some("attach")
    );
    let uid = yard.start(
        |launch| image(launch).command = Some(vec!["/nothing-here".to_owned()]),
        &[],
    );
    let over = yard.house.until_over(&uid).await;
    assert!(matches!(failure(&over), Failure::ContainerRefused { .. }), "{over:?}");
    assert!(failure(&over).to_string().contains("nothing-here"), "{over:?}");
    yard.close().await;
}

#[tokio::test]
async fn what_cannot_be_had_is_told() {
    let Some(yard) = Yard::new().await else { return };
    let uid = yard.start(
        |launch| image(launch).reference = "orchctl-test/nothing:1".to_owned(),
        &[],
    );
    let over = yard.house.until_over(&uid).await;
    let told = failure(&over).to_string();
    assert!(
        told.contains("orchctl-test/nothing:1") && told.contains("Never"),
        "{told}"
    );
    assert!(
        failure(&over).hint().is_some_and(|hint| hint.contains("pullPolicy")),
        "{over:?}"
    );

    // No registry is there, and that is what is said.
    let uid = yard.start(
        |launch| {
            image(launch).reference = "127.0.0.1:9/nothing/there:1".to_owned();
            image(launch).pull = Pull::IfMissing;
        },
        &[],
    );
    let over = yard.house.until_over(&uid).await;
    assert!(matches!(failure(&over), Failure::ImageUnavailable { .. }), "{over:?}");
    let texts = yard.house.texts(&uid, Which::Current).await;
    assert_eq!(
        texts.first().map(String::as_str),
        Some("pulling 127.0.0.1:9/nothing/there:1")
    );

    // An image that is there is not pulled, unless that is always to be done.
    for (pull, runs) in [(Pull::IfMissing, true), (Pull::Always, false)] {
        let uid = yard.start(|launch| image(launch).pull = pull, &[]);
        let seen = yard
            .house
            .until(&uid, |seen| {
                seen.state.is_over() || matches!(seen.state, State::Running(_))
            })
            .await;
        assert_eq!(matches!(seen.state, State::Running(_)), runs, "{pull:?} {seen:?}");
    }

    let uid = yard.start(
        |launch| {
            container(launch).volumes = vec![Volume {
                source: Some("/nothing/of/the/kind".to_owned()),
                target: "/data".to_owned(),
                access: Access::ReadOnly,
            }];
        },
        &[],
    );
    let over = yard.house.until_over(&uid).await;
    assert!(matches!(failure(&over), Failure::ContainerRefused { .. }), "{over:?}");
    assert!(
        failure(&over).hint().is_some_and(|hint| hint.contains("volume")),
        "{over:?}"
    );
    yard.close().await;
}

#[tokio::test]
async fn a_container_can_do_what_is_declared_and_no_more() {
    let Some(yard) = Yard::new().await else { return };
    let shared = tempfile::tempdir().expect("a directory");
    let volume = |source: Option<String>, target: &str, access| Volume {
        source,
        target: target.to_owned(),
        access,
    };
    let host = shared.path().to_str().map(str::to_owned);
    let arguments =
        ["/root-file", "/tmp/file", "/data/file", "/scratch/file", "/work/file"].map(|file| ["--touch", file]);
    let uid = yard.start(
        |launch| {
            secret(launch, "TOKEN", "a-very-secret-value");
            launch.working_directory = Some("/work".into());
            container(launch).volumes = vec![
                volume(host.clone(), "/data", Access::ReadOnly),
                volume(None, "/scratch", Access::Writable),
                volume(host.clone(), "/work", Access::Writable),
            ];
        },
        &[arguments.concat().as_slice(), &["--tell", "TOKEN", "--env-names"]].concat(),
    );
    let seen = yard.house.until_running(&uid).await;
    let log = yard.house.texts(&uid, Which::Current).await.join("\n");
    for line in [
        "touch /root-file: failed: Read-only file system",
        "touch /tmp/file: written",
        "touch /data/file: failed: Read-only file system",
        "touch /scratch/file: written",
        "touch /work/file: written",
        "TOKEN is <***>",
    ] {
        assert!(log.contains(line), "{line} is not in:\n{log}");
    }
    assert!(shared.path().join("file").exists());
    let about = seen.container.expect("what the engine says");
    let shown = serde_json::to_string(&about).expect("plain data");
    assert!(
        !shown.contains("a-very-secret-value") && shown.contains("TOKEN"),
        "{shown}"
    );
    assert_eq!(about.security, "read-only root, no capabilities, no new privileges");
    let there = yard.engine.inspect(&about.id).await;
    let config = there.config.expect("a configuration");
    let labels = format!("{:?}", config.labels);
    assert!(
        labels.contains(&uid) && !labels.contains("a-very-secret-value"),
        "{labels}"
    );
    let host = there.host_config.expect("a configuration");
    assert_eq!(host.log_config.and_then(|log| log.typ).as_deref(), Some("none"));
    assert_eq!(host.privileged, Some(false));
    assert_eq!(there.restart_count, Some(0));

    // What is asked for besides is given.
    let uid = yard.start(
        |launch| {
            container(launch).root = Access::Writable;
            container(launch).capabilities = vec!["NET_BIND_SERVICE".to_owned()];
        },
        &["--touch", "/root-file"],
    );
    let seen = yard.house.until_running(&uid).await;
    let log = yard.house.texts(&uid, Which::Current).await;
    assert_eq!(log, ["touch /root-file: written"]);
    let security = seen.container.map(|container| container.security).unwrap_or_default();
    assert!(
        security.contains("writable root") && security.contains("NET_BIND_SERVICE"),
        "{security}"
    );
    yard.close().await;
}

#[tokio::test]
async fn limits_hold_and_exits_are_told() {
    let Some(yard) = Yard::new().await else { return };
    let limited = |launch: &mut Launch| {
        launch.limits = Limits {
            memory: Some(64 << 20),
            cpu: Some(500),
            processes: Some(64),
        };
    };
    let uid = yard.start(limited, &[]);
    let seen = yard.house.until_running(&uid).await;
    assert!(!matches!(seen.limits, Enforced::NotAsked), "{seen:?}");
    let about = seen.container.expect("what the engine says");
    assert_eq!(about.limits.as_deref(), Some("memory 64Mi, cpu 500m, 64 processes"));

    let uid = yard.start(limited, &["--eat", "200000000"]);
    let over = yard.house.until_over(&uid).await;
    let State::Exited(exit) = &over.state else {
        panic!("{over:?}")
    };
    assert_eq!(
        exit.cause,
        Cause::LimitExceeded("memory limit of 64Mi exceeded".to_owned())
    );
    assert!(over.container.is_some_and(|container| container.oom_killed));

    // The same beside an entry point that goes on living.
    let uid = yard.start(
        |launch| {
            limited(launch);
            image(launch).command = Some(vec!["/orch-fixture".to_owned()]);
        },
        &["--eat", "200000000"],
    );
    let over = yard.house.until_over(&uid).await;
    let State::Exited(exit) = &over.state else {
        panic!("{over:?}")
    };
    assert_eq!(
        exit.cause,
        Cause::LimitExceeded("memory limit of 64Mi exceeded".to_owned())
    );

    let uid = yard.start(|launch| launch.startup_deadline = Duration::from_secs(1), &["--hang"]);
    let over = yard.house.until_over(&uid).await;
    assert!(matches!(failure(&over), Failure::StartupDeadline { .. }), "{over:?}");

    // Both runs are there to be read.
    let uid = yard.start(|_| {}, &["--exit", "--exit-code", "3", "--say", "goodbye"]);
    let over = yard.house.until_over(&uid).await;
    assert!(
        matches!(&over.state, State::Exited(exit) if exit.code == Some(3)),
        "{over:?}"
    );
    yard.house.start_as(
        |launch| {
            launch.uid.clone_from(&uid);
            launch.source = Source::Container(contained(&yard.image, &["--say", "once more"]));
        },
        &[],
    );
    yard.house.until_running(&uid).await;
    let before = yard.house.texts(&uid, Which::Previous).await;
    assert!(before.contains(&"goodbye".to_owned()), "{before:?}");
    assert_eq!(yard.house.texts(&uid, Which::Current).await, ["once more"]);
    yard.close().await;
}

#[tokio::test]
async fn a_server_that_dies_of_the_probe_is_greeted_in_the_older_way() {
    let Some(yard) = Yard::new().await else { return };
    let uid = yard.start(|_| {}, &["--die-of-probe", "--era", "legacy"]);
    yard.house.until_running(&uid).await;
    yard.close().await;
}

#[tokio::test]
async fn over_http_a_container_outlives_its_daemon_and_nothing_else_does() {
    let Some(engine) = engine::engine().await else { return };
    let data = tempfile::tempdir().expect("a directory");
    let daemon = house::daemon_id();
    let image = engine.fixture(&fixture()).await;
    let begin = || House::built_in(data.path(), plan(&engine.host), daemon.clone());
    // Somebody else's, on the same engine.
    let other = foreign(&engine, &image).await;

    let first = begin();
    first.runtime.expect(BTreeSet::new()).await;
    let http = first.start_as(
        |launch| {
            launch.source = Source::Container(contained(&image, &[HTTP, &["--say", "listening"]].concat()));
            over_http(launch);
        },
        &[],
    );
    let mut again = None;
    let orphaned = first.start_as(
        |launch| {
            launch.source = Source::Container(contained(&image, HTTP));
            over_http(launch);
        },
        &[],
    );
    let stdio = first.start_as(|launch| launch.source = Source::Container(contained(&image, &[])), &[]);
    let mut before = Vec::new();
    for uid in [&http, &orphaned, &stdio] {
        let seen = first.until_running(uid).await;
        let about = seen.container.expect("what the engine says");
        again.get_or_insert_with(|| about.reached.clone());
        before.push(about.id);
    }
    let url = again.expect("an address");
    assert!(url.starts_with("http://") && url.ends_with(":8080/mcp"), "{url}");
    assert_eq!(first.texts(&http, Which::Current).await, ["listening"]);
    first.runtime.shut_down(Duration::from_secs(2)).await;
    let left = engine.containers(&format!("orchctl.dev/daemon={daemon}")).await;
    assert_eq!(left.len(), 2, "those over HTTP stay: {left:?}");
    drop(first);

    let second = begin();
    second
        .runtime
        .expect(BTreeSet::from([http.clone(), stdio.clone()]))
        .await;
    let left = engine.containers(&format!("orchctl.dev/daemon={daemon}")).await;
    assert_eq!(left.len(), 1, "the one that nobody expects is removed: {left:?}");
    second.start_as(
        |launch| {
            launch.uid.clone_from(&http);
            launch.source = Source::Container(contained(&image, HTTP));
            over_http(launch);
        },
        &[],
    );
    second.start_as(
        |launch| {
            launch.uid.clone_from(&stdio);
            launch.source = Source::Container(contained(&image, &[]));
        },
        &[],
    );
    let taken_over = second
        .until_running(&http)
        .await
        .container
        .expect("what the engine says");
    let replaced = second
        .until_running(&stdio)
        .await
        .container
        .expect("what the engine says");
    assert_eq!(taken_over.id, before[0]);
    assert_ne!(replaced.id, before[2]);
    assert_eq!(second.runtime.check(&http, Duration::from_secs(20)).await, Some(Ok(())));

    // A copy that nobody starts any more is forgotten with its container.
    second.runtime.shut_down(Duration::from_secs(2)).await;
    drop(second);
    let third = begin();
    third.runtime.expect(BTreeSet::from([http.clone()])).await;
    third.runtime.forget(&http).await;
    assert!(
        engine
            .containers(&format!("orchctl.dev/daemon={daemon}"))
            .await
            .is_empty()
    );
    third.runtime.shut_down(Duration::from_secs(2)).await;

    let untouched = engine.inspect(&other).await.state.and_then(|state| state.running);
    assert_eq!(untouched, Some(true), "what is not ours is left alone");
    engine.remove(&other).await;
}

/// A running container that is nobody's.
async fn foreign(engine: &Engine, image: &str) -> String {
    use bollard::models::ContainerCreateBody;
    use bollard::query_parameters::{CreateContainerOptions, StartContainerOptions};
    let body = ContainerCreateBody {
        image: Some(image.to_owned()),
        open_stdin: Some(true),
        labels: Some([("orchctl.dev/daemon".to_owned(), "another".to_owned())].into()),
        ..ContainerCreateBody::default()
    };
    let made = engine
        .client
        .create_container(None::<CreateContainerOptions>, body)
        .await;
    let id = made.expect("a container").id;
    let started = engine.client.start_container(&id, None::<StartContainerOptions>).await;
    started.expect("it starts");
    id
}

#[tokio::test]
async fn only_allowed_hosts_are_reached() {
    let Some(yard) = Yard::new().await else { return };
    let (page, closed) = (server().await, server().await);
    let (allowed, forbidden) = (
        format!("http://127.0.0.1:{page}/"),
        format!("http://127.0.0.1:{closed}/"),
    );
    let world = World::new();
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
    fn new() -> Self {
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
        world
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

#[tokio::test]
async fn an_engine_that_goes_away_comes_back() {
    let house = House::built(plan("unix:///nowhere/docker.sock"));
    let uid = house.start_as(|launch| launch.source = Source::Container(contained("a", &[])), &[]);
    let over = house.until_over(&uid).await;
    assert!(matches!(failure(&over), Failure::EngineUnavailable { .. }), "{over:?}");
    assert!(
        failure(&over).hint().is_some_and(|hint| hint.contains("--docker-host")),
        "{over:?}"
    );

    let Some(engine) = engine::engine().await else { return };
    let image = engine.fixture(&fixture()).await;
    let gate = gate::Gate::before(&engine.host).await;
    let house = House::built(plan(&gate.url()));
    let begin = |http: bool, uid: Option<&str>| {
        house.start_as(
            |launch| {
                if let Some(uid) = uid {
                    uid.clone_into(&mut launch.uid);
                }
                launch.source = Source::Container(contained(&image, if http { HTTP } else { &[] }));
                if http {
                    over_http(launch);
                }
            },
            &[],
        )
    };
    let (stdio, http) = (begin(false, None), begin(true, None));
    house.until_running(&stdio).await;
    let before = house
        .until_running(&http)
        .await
        .container
        .expect("what the engine says")
        .id;
    gate.shut();
    // Over the streams the conversation is lost with the engine, and that is said.
    let over = house.until_over(&stdio).await;
    assert!(matches!(failure(&over), Failure::EngineUnavailable { .. }), "{over:?}");
    let again = begin(false, Some(&stdio));
    let over = house.until_over(&again).await;
    assert!(matches!(failure(&over), Failure::EngineUnavailable { .. }), "{over:?}");
    gate.open();
    begin(false, Some(&stdio));
    house.until_running(&stdio).await;
    // Over HTTP nothing has happened.
    let seen = house.until_running(&http).await;
    assert_eq!(
        (seen.attempt, seen.container.map(|container| container.id)),
        (1, Some(before))
    );
    let label = format!("orchctl.dev/daemon={}", house.daemon);
    assert_eq!(engine.containers(&label).await.len(), 2);
    house.runtime.let_go(Duration::from_secs(1)).await;
    house.runtime.shut_down(Duration::from_secs(1)).await;
    assert!(engine.containers(&label).await.is_empty());
}

/// A way to an engine that can be shut.
mod gate {
    use std::path::PathBuf;
    use tokio::net::{UnixListener, UnixStream};
    use tokio::sync::watch;

    pub(super) struct Gate {
        directory: tempfile::TempDir,
        open: watch::Sender<bool>,
    }

    impl Gate {
        /// A gate before an engine on a socket of this machine.
        pub(super) async fn before(host: &str) -> Self {
            let engine = PathBuf::from(host.strip_prefix("unix://").expect("an engine of this machine"));
            let directory = tempfile::tempdir().expect("a directory");
            let listener = UnixListener::bind(directory.path().join("socket")).expect("a socket");
            let (open, is_open) = watch::channel(true);
            tokio::spawn(async move {
                while let Ok((mut client, _)) = listener.accept().await {
                    let (engine, mut is_open) = (engine.clone(), is_open.clone());
                    tokio::spawn(async move {
                        if !*is_open.borrow() {
                            return;
                        }
                        let mut engine = UnixStream::connect(engine).await.expect("an engine");
                        tokio::select! {
                            _ = tokio::io::copy_bidirectional(&mut client, &mut engine) => {}
                            _ = is_open.wait_for(|open| !open) => {}
                        }
                    });
                }
            });
            Self { directory, open }
        }

        pub(super) fn url(&self) -> String {
            format!("unix://{}/socket", self.directory.path().display())
        }

        pub(super) fn shut(&self) {
            self.open.send_replace(false);
        }

        pub(super) fn open(&self) {
            self.open.send_replace(true);
        }
    }
}

//! Copies in containers of a real engine, with images that are made on the spot.

mod confinement;
mod network;
mod packages;
mod survival;

use std::time::Duration;

use orch_daemon::runtime::docker::Settings;
use orch_daemon::runtime::launch::{
    Access, Container, Contents, Image, Network, Pull, RemoteTransport, Source, Speech, Volume,
};
use orch_daemon::runtime::log::Which;
use orch_daemon::runtime::observation::{Cause, Failure, State};
use orch_daemon::runtime::{Launch, Observation};

use super::house::{House, Plan, fixture};
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
async fn a_server_that_dies_of_the_probe_is_greeted_in_the_older_way() {
    let Some(yard) = Yard::new().await else { return };
    let uid = yard.start(|_| {}, &["--die-of-probe", "--era", "legacy"]);
    yard.house.until_running(&uid).await;
    yard.close().await;
}

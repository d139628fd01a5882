//! What outlives what: daemons, engines, containers of ours and of others.

use std::collections::BTreeSet;

use super::super::house;
use super::*;

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

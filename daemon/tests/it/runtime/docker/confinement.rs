//! What a container can do, what it may use, and how it is told when it went too far.

use orch_daemon::runtime::launch::Limits;
use orch_daemon::runtime::observation::Enforced;

use super::super::house::secret;
use super::*;

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
        ["/root-file", "/tmp/file", "/data/file", "/scratch/file", "/job/file"].map(|file| ["--touch", file]);
    let uid = yard.start(
        |launch| {
            secret(launch, "TOKEN", "a-very-secret-value");
            launch.working_directory = Some("/job".into());
            container(launch).volumes = vec![
                volume(host.clone(), "/data", Access::ReadOnly),
                volume(None, "/scratch", Access::Writable),
                volume(host.clone(), "/job", Access::Writable),
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
        "touch /job/file: written",
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

/// An image may want volumes; nobody has declared them, and none is made: what is written there is in memory, and goes with
/// the container.
#[tokio::test]
async fn an_image_gets_no_volumes_that_are_not_declared() {
    let Some(yard) = Yard::new().await else { return };
    let wanting = yard.engine.wanting(&fixture()).await;
    let shared = tempfile::tempdir().expect("a directory");
    let uid = yard.start(
        |launch| {
            image(launch).reference = wanting;
            container(launch).volumes = vec![Volume {
                source: shared.path().to_str().map(str::to_owned),
                target: "/data".to_owned(),
                access: Access::ReadOnly,
            }];
        },
        &["--touch", "/state/file", "--touch", "/data/file"],
    );
    let seen = yard.house.until_running(&uid).await;
    let log = yard.house.texts(&uid, Which::Current).await;
    assert_eq!(
        log,
        [
            "touch /state/file: written",
            "touch /data/file: failed: Read-only file system (os error 30)"
        ]
    );
    let about = seen.container.expect("what the engine says");
    let told = about.volumes.join(", ");
    assert!(
        told.contains("in memory -> /state") && told.contains("in memory -> /tmp"),
        "{told}"
    );
    assert!(told.contains("-> /data (read-only)"), "{told}");
    let there = yard.engine.inspect(&about.id).await.mounts.unwrap_or_default();
    let kinds: Vec<_> = there.iter().map(|mount| format!("{:?}", mount.typ)).collect();
    assert!(
        kinds.len() == 3 && kinds.iter().all(|kind| !kind.contains("VOLUME")),
        "{kinds:?}"
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

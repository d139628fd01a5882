//! Packages of the real registries, installed once and then run without them.
//!
//! What needs npm, Python or the network is skipped where that is missing, and required where `ORCH_REQUIRE_ALL` is set.

use std::process::Command;
use std::time::Duration;

use orch_daemon::runtime::launch::{InstallScripts, Package, Registry, Source};
use orch_daemon::runtime::log::Which;
use orch_daemon::runtime::observation::{Cause, Failure, State};
use orch_daemon::runtime::{Launch, Observation};
use orch_shared::problem::Code;

use super::house::{House, Plan};

fn package(registry: Registry, name: &str, version: Option<&str>) -> Package {
    let (name, version) = (name.to_owned(), version.map(str::to_owned));
    Package {
        registry,
        name,
        version,
        pinned: None,
        executable: None,
        args: vec![],
        scripts: InstallScripts::Ignored,
    }
}

fn running(package: Package) -> impl FnOnce(&mut Launch) {
    move |launch| {
        launch.source = Source::Package(package);
        launch.startup_deadline = Duration::from_secs(60);
    }
}

/// Whether a registry can be used here.
#[expect(clippy::print_stderr, reason = "a skipped test says why")]
fn is_there(registry: Registry) -> bool {
    let (program, arguments): (&str, &[&str]) = match registry {
        Registry::Npm => ("npm", &["ping"]),
        Registry::Pypi => (
            "python3",
            &[
                "-m",
                "pip",
                "download",
                "--no-deps",
                "--quiet",
                "--dest",
                "/dev/null/x",
                "mcp-server-time",
            ],
        ),
    };
    let output = Command::new(program).args(arguments).output();
    let is_there = match (registry, &output) {
        (_, Err(_)) => false,
        (Registry::Npm, Ok(output)) => output.status.success(),
        // It gets as far as writing the file, which cannot be done there.
        (Registry::Pypi, Ok(output)) => !String::from_utf8_lossy(&output.stderr).contains("from versions: none"),
    };
    if !is_there {
        assert!(std::env::var_os("ORCH_REQUIRE_ALL").is_none(), "{registry} is required");
        eprintln!("skipped: {registry} cannot be used here");
    }
    is_there
}

/// An environment in which no registry answers.
fn cut_off() -> Vec<(String, String)> {
    let dead = "http://127.0.0.1:9";
    [
        "npm_config_registry",
        "PIP_INDEX_URL",
        "UV_INDEX_URL",
        "https_proxy",
        "HTTPS_PROXY",
    ]
    .iter()
    .map(|name| ((*name).to_owned(), dead.to_owned()))
    .collect()
}

fn version(seen: &Observation) -> String {
    seen.resolved.as_ref().expect("resolved").version.clone()
}

async fn check(registry: Registry, name: &str, args: &[&str], range: Option<&str>, tools: usize) {
    if !is_there(registry) {
        return;
    }
    let house = House::new();
    let mut wanted = package(registry, name, range);
    wanted.args = args.iter().map(|&argument| argument.to_owned()).collect();
    let both: Vec<_> = (0..2).map(|_| house.start_as(running(wanted.clone()), &[])).collect();
    house.until(&both[0], |seen| seen.state == State::Installing).await;
    let first = house.until_running(&both[0]).await;
    let second = house.until_running(&both[1]).await;
    assert_eq!(first.resolved, second.resolved, "both copies share one installation");
    let State::Running(answer) = &first.state else {
        panic!("not running")
    };
    assert!(
        answer.tools.as_ref().is_some_and(|found| found.count >= tools),
        "{answer:?}"
    );
    let pid = first.pid.expect("a process");
    let command = std::fs::read_to_string(format!("/proc/{pid}/cmdline")).expect("readable");
    assert!(
        !command.contains("npm\0") && !command.contains("npx") && !command.contains("pip"),
        "no wrapper: {command}"
    );
    house.runtime.shut_down(Duration::from_secs(5)).await;

    // Once installed, nothing is asked of any registry.
    let plan = Plan {
        environment: cut_off(),
        ..Plan::default()
    };
    let later = House::built_in(&house.path(""), plan, house.daemon.clone());
    wanted.pinned = Some(version(&first));
    let uid = later.start_as(running(wanted.clone()), &[]);
    let again = later
        .until(&uid, |seen| matches!(seen.state, State::Running(_) | State::Installing))
        .await;
    assert!(matches!(again.state, State::Running(_)), "{again:?}");
    assert_eq!(version(&again), version(&first));
    // What is not installed cannot be got then, and that is said.
    wanted.pinned = Some("0.0.1".to_owned());
    let uid = later.start_as(running(wanted), &[]);
    let State::Failed(failure) = later.until_over(&uid).await.state else {
        panic!("not failed")
    };
    assert!(matches!(failure, Failure::NoNetwork { .. }), "{failure:#?}");
    later.runtime.shut_down(Duration::from_secs(5)).await;
}

#[tokio::test]
async fn npm_server_everything() {
    check(Registry::Npm, "@modelcontextprotocol/server-everything", &[], None, 5).await;
}

#[tokio::test]
async fn npm_server_memory() {
    check(
        Registry::Npm,
        "@modelcontextprotocol/server-memory",
        &[],
        Some(">=2025"),
        5,
    )
    .await;
}

#[tokio::test]
async fn npm_server_filesystem() {
    check(
        Registry::Npm,
        "@modelcontextprotocol/server-filesystem",
        &["/tmp"],
        Some("latest"),
        5,
    )
    .await;
}

#[tokio::test]
async fn pypi_mcp_server_time() {
    check(Registry::Pypi, "mcp-server-time", &["--local-timezone", "UTC"], None, 2).await;
}

#[tokio::test]
async fn what_the_registry_does_not_have() {
    for (registry, name, wanted, reason) in [
        (
            Registry::Npm,
            "@modelcontextprotocol/server-nothing-of-the-kind",
            None,
            "knows no such package",
        ),
        (
            Registry::Npm,
            "@modelcontextprotocol/server-memory",
            Some("0.0.1"),
            "has no such version",
        ),
        (Registry::Npm, "is-number", Some("7.0.0"), "it has no program to run"),
        (
            Registry::Pypi,
            "mcp-server-nothing-of-the-kind",
            None,
            "knows no such package",
        ),
        (
            Registry::Pypi,
            "mcp-server-time",
            Some("0.0.0.1"),
            "has no such version",
        ),
    ] {
        if !is_there(registry) {
            continue;
        }
        let house = House::new();
        let uid = house.start_as(running(package(registry, name, wanted)), &[]);
        let State::Failed(failure) = house.until_over(&uid).await.state else {
            panic!("not failed: {name}")
        };
        assert_eq!(failure.code(), Code::InstallFailed, "{failure:#?}");
        assert!(failure.to_string().contains(reason), "{failure:#?}");
        // Nothing half-done is left.
        let home = house
            .path("packages")
            .join(registry.to_string())
            .join(name.replace('/', "%2F"));
        let left: Vec<_> = std::fs::read_dir(home)
            .expect("readable")
            .flatten()
            .map(|entry| entry.path())
            .collect();
        assert!(left.is_empty(), "{left:?}");
    }
}

#[tokio::test]
async fn what_is_no_name_is_not_handed_on() {
    let house = House::new();
    for (registry, name, wanted) in [
        (Registry::Npm, "--global", None),
        (Registry::Npm, "x", Some("git+https://example.com/x")),
        (Registry::Pypi, "../x", None),
        (Registry::Pypi, "x", Some("@ https://example.com/x")),
    ] {
        let uid = house.start_as(running(package(registry, name, wanted)), &[]);
        let seen = house.until_over(&uid).await;
        assert!(
            matches!(&seen.state, State::Failed(failure @ Failure::InstallFailed { .. }) if failure.hint().is_some()),
            "{seen:?}"
        );
        assert!(!house.path("packages").exists(), "{name}: nothing was begun");
    }
}

#[tokio::test]
async fn missing_programs_are_named_with_a_way_to_get_them() {
    let nothing = tempfile::tempdir().expect("a directory");
    for (registry, program) in [(Registry::Npm, "npm"), (Registry::Pypi, "python3")] {
        let environment = vec![("PATH".to_owned(), nothing.path().to_str().expect("UTF-8").to_owned())];
        let house = House::built(Plan {
            environment,
            ..Plan::default()
        });
        let uid = house.start_as(running(package(registry, "x", None)), &[]);
        let State::Failed(failure) = house.until_over(&uid).await.state else {
            panic!("not failed")
        };
        assert_eq!(failure.code(), Code::ToolMissing);
        assert_eq!(
            failure.to_string(),
            format!("{program} is not installed, and installing {registry} packages needs it")
        );
        assert!(
            failure.hint().is_some_and(|hint| hint.contains("apt-get install")),
            "{failure:?}"
        );
    }
}

/// A stand-in for npm that takes its time, and says so in a file.
fn slow_npm(house_path: &std::path::Path) -> Vec<(String, String)> {
    let bin = house_path.join("bin");
    std::fs::create_dir_all(&bin).expect("made");
    let script = "#!/bin/sh\necho started >> \"$TMPDIR/npm-calls\"\nsleep 600 &\nwait\n";
    for program in ["npm", "node"] {
        let path = bin.join(program);
        std::fs::write(&path, script).expect("written");
        std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o755)).expect("set");
    }
    let text = |path: &std::path::Path| path.to_str().expect("UTF-8").to_owned();
    vec![
        ("PATH".to_owned(), format!("{}:/usr/bin:/bin", text(&bin))),
        ("TMPDIR".to_owned(), text(house_path)),
    ]
}

#[tokio::test]
async fn an_installation_can_be_stopped_and_leaves_rubbish_only_until_the_next_start() {
    let root = tempfile::tempdir().expect("a directory");
    let plan = Plan {
        environment: slow_npm(root.path()),
        ..Plan::default()
    };
    let house = House::built_in(root.path(), plan.clone(), super::house::daemon_id());
    let uids: Vec<_> = (0..2)
        .map(|_| house.start_as(running(package(Registry::Npm, "x", None)), &[]))
        .collect();
    let calls = || {
        std::fs::read_to_string(root.path().join("npm-calls"))
            .unwrap_or_default()
            .lines()
            .count()
    };
    super::house::eventually("npm is started", || calls() == 1).await;
    for uid in &uids {
        assert_eq!(house.until(uid, |_| true).await.state, State::Installing);
    }
    let leader = {
        let seen: Vec<_> = house.runtime.observe_all().into_values().collect();
        assert!(seen.iter().all(|seen| seen.pid.is_none()));
        uids.clone()
    };
    // The one that waits takes over when the one that installs is stopped.
    let notes = house.texts(&leader[0], Which::Current).await;
    let (first, second) = if notes.is_empty() {
        (&leader[1], &leader[0])
    } else {
        (&leader[0], &leader[1])
    };
    house.runtime.stop(first, Duration::from_secs(5)).await;
    let State::Exited(exit) = house.runtime.observe(first).expect("seen").state else {
        panic!("not exited")
    };
    assert_eq!(exit.cause, Cause::Stopped);
    super::house::eventually("the other takes over", || calls() == 2).await;
    house.runtime.stop(second, Duration::from_secs(5)).await;
    let report = house.runtime.reap_leftovers().await;
    assert_eq!(report.killed, vec![], "a stopped installation leaves no process");
    assert_eq!(report.installations, 2);
}

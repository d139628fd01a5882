//! From start to end: eras, answers, crashes, refusals, deadlines, stops and restarts.

use std::time::Duration;

use orch_daemon::runtime::launch::{Era, Source};
use orch_daemon::runtime::link::Error;
use orch_daemon::runtime::log::Which;
use orch_daemon::runtime::observation::{Answer, Cause, Failure, State};
use serde_json::json;

use super::house::{House, eventually, is_there, tool};

fn answer(state: &State) -> &Answer {
    match state {
        State::Running(answer) => answer,
        other => panic!("not running: {other:?}"),
    }
}

#[tokio::test]
async fn each_era_is_greeted_in_its_own_way() {
    let house = House::new();
    for (arguments, hint, era, revision) in [
        (&[][..], None, Era::Modern, "2026-07-28"),
        (&["--era", "modern"], None, Era::Modern, "2026-07-28"),
        (&["--era", "legacy"], None, Era::Legacy, "2025-11-25"),
        (&["--era", "legacy"], Some(Era::Legacy), Era::Legacy, "2025-11-25"),
        // A hint that no longer holds only decides what is tried first.
        (&["--era", "legacy"], Some(Era::Modern), Era::Legacy, "2025-11-25"),
        // A server that is slow to come up answers the question late, and is greeted all the same.
        (&["--era", "legacy", "--delay", "1500"], None, Era::Legacy, "2025-11-25"),
        (&["--delay", "1500"], None, Era::Modern, "2025-11-25"),
        (&["--era", "modern", "--delay", "1500"], None, Era::Modern, "2026-07-28"),
        // A server that ends when asked is started again without being asked.
        (&["--era", "legacy", "--die-of-probe"], None, Era::Legacy, "2025-11-25"),
    ] {
        let uid = house.start_as(|launch| launch.era_hint = hint, arguments);
        let seen = house.until_running(&uid).await;
        let answer = answer(&seen.state);
        assert_eq!(
            (seen.era, answer.protocol_version.as_str()),
            (Some(era), revision),
            "{arguments:?} {hint:?}"
        );
        assert_eq!(answer.name.as_deref(), Some("orch-fixture"), "{arguments:?}");
        assert_eq!(answer.tools.as_ref().map(|tools| tools.count), Some(3), "{arguments:?}");
        house.runtime.stop(&uid, Duration::from_secs(5)).await;
    }
}

#[tokio::test]
async fn tools_that_change_are_seen() {
    let house = House::new();
    for era in ["legacy", "both"] {
        let uid = house.start(&["--era", era]);
        let before = house.until_running(&uid).await;
        let before = answer(&before.state).tools.clone().expect("tools");
        let link = house.runtime.link(&uid).expect("a conversation");
        let grown = link.request(tool("grow", json!({}))).await.expect("under way");
        grown.outcome().await.expect("called");
        if era == "legacy" {
            let count = |state: &State| matches!(state, State::Running(answer) if answer.tools.as_ref().is_some_and(|tools| tools.count == 4));
            let after = house.until(&uid, |seen| count(&seen.state)).await;
            let after = answer(&after.state).tools.clone().expect("tools");
            assert_ne!(before.digest, after.digest);
        }
        assert_eq!(house.runtime.check(&uid, Duration::from_secs(10)).await, Some(Ok(())));
    }
}

#[tokio::test]
async fn a_crash_is_told_and_a_restart_counted() {
    let house = House::new();
    let uid = house.start(&["--say", "about to fail", "--exit", "--exit-code", "7"]);
    let State::Exited(exit) = house.until_over(&uid).await.state else {
        panic!("not exited")
    };
    assert_eq!(
        (exit.code, exit.signal.as_deref(), &exit.cause),
        (Some(7), None, &Cause::Itself)
    );
    // A program that has read the first question before it exits may have died of it, and is asked once more in the other era.
    let said: Vec<_> = exit.last_lines.iter().map(String::as_str).collect();
    assert!(
        matches!(said[..], ["about to fail"] | ["about to fail", "about to fail"]),
        "{said:?}"
    );
    assert!(exit.to_string().starts_with("exited with code 7 after "), "{exit}");

    let before = house.rung();
    house.start_as(|launch| launch.uid.clone_from(&uid), &[]);
    let seen = house.until_running(&uid).await;
    assert_eq!(seen.attempt, 2);
    assert_eq!(
        seen.last_exit.expect("an exit").code,
        Some(7),
        "the last exit is still known"
    );
    assert!(house.rung() > before, "the bell has rung");
    // Starting what runs changes nothing.
    let pid = seen.pid;
    house.start_as(|launch| launch.uid.clone_from(&uid), &[]);
    assert_eq!(house.runtime.observe(&uid).expect("seen").pid, pid);
    let previous = house.texts(&uid, Which::Previous).await;
    assert!(previous.contains(&"about to fail".to_owned()), "{previous:?}");
}

#[tokio::test]
async fn a_crash_in_a_call_and_a_kill_from_outside() {
    let house = House::new();
    let uid = house.start(&["--exit-code", "9"]);
    house.until_running(&uid).await;
    let link = house.runtime.link(&uid).expect("a conversation");
    let crash = link.request(tool("crash", json!({}))).await.expect("under way");
    let error = crash.outcome().await.expect_err("no answer");
    assert!(matches!(error, Error::Closed(_)), "{error}");
    link.closed().await;
    let State::Exited(exit) = house.until_over(&uid).await.state else {
        panic!("not exited")
    };
    assert_eq!((exit.code, exit.cause), (Some(9), Cause::Itself));
    assert!(house.runtime.link(&uid).is_none());

    let uid = house.start(&[]);
    let pid = house.until_running(&uid).await.pid.expect("a process");
    let killed = std::process::Command::new("kill")
        .args(["-9", &pid.to_string()])
        .status();
    assert!(killed.is_ok_and(|status| status.success()));
    let State::Exited(exit) = house.until_over(&uid).await.state else {
        panic!("not exited")
    };
    assert_eq!(
        (exit.code, exit.signal.as_deref(), exit.cause),
        (None, Some("SIGKILL"), Cause::Itself)
    );
    eventually("no zombie", || !is_there(pid)).await;
}

#[tokio::test]
async fn what_cannot_be_started() {
    let house = House::new();
    let text = house.path("text");
    std::fs::write(&text, "no program").expect("written");
    let broken = house.path("broken");
    std::fs::write(&broken, "#!/nonexistent/interpreter\n").expect("written");
    std::fs::set_permissions(&broken, std::os::unix::fs::PermissionsExt::from_mode(0o755)).expect("set");
    let shown = |path: &std::path::Path| path.to_str().expect("UTF-8").to_owned();
    for (program, reason, hint) in [
        (
            "orch-fixtuer".to_owned(),
            "there is no such program",
            Some("did you mean `orch-fixture`?"),
        ),
        ("/nonexistent/program".to_owned(), "there is no such program", None),
        (shown(&text), "is not executable", Some("chmod +x")),
        (shown(&broken), "No such file", None),
    ] {
        let argv = vec![program.clone()];
        let uid = house.start_as(|launch| launch.source = Source::Command { argv }, &[]);
        let State::Failed(failure) = house.until_over(&uid).await.state else {
            panic!("not failed: {program}")
        };
        assert!(
            matches!(&failure, Failure::CommandNotFound { .. }) && failure.to_string().contains(reason),
            "{program}: {failure}"
        );
        if let Some(hint) = hint {
            assert!(
                failure.hint().is_some_and(|given| given.contains(hint)),
                "{program}: {:?}",
                failure.hint()
            );
        }
    }
    let uid = house.start_as(|launch| launch.working_directory = Some("/nonexistent".into()), &[]);
    let State::Failed(failure) = house.until_over(&uid).await.state else {
        panic!("not failed")
    };
    assert!(failure.to_string().contains("/nonexistent"), "{failure}");
}

#[tokio::test]
async fn what_does_not_speak() {
    let house = House::new();
    for (arguments, expected) in [
        (&["--hang", "--say", "thinking"][..], "StartupDeadline"),
        (&["--refuse"], "HandshakeFailed"),
        (&["--close-stdout"], "ClosedOutput"),
        (&["--garbage", "50000"], "Garbage"),
    ] {
        let deadline = if expected == "StartupDeadline" {
            Duration::from_millis(1500)
        } else {
            Duration::from_secs(30)
        };
        let uid = house.start_as(|launch| launch.startup_deadline = deadline, arguments);
        let seen = house.until_over(&uid).await;
        let last = seen.last_exit.as_ref().expect("an exit");
        match (&seen.state, expected) {
            (State::Failed(failure @ Failure::StartupDeadline { last_lines, .. }), "StartupDeadline") => {
                assert_eq!(failure.to_string(), "it did not answer the MCP handshake within 1.5 s");
                assert_eq!(
                    (last_lines, &last.cause),
                    (&vec!["thinking".to_owned()], &Cause::Deadline)
                );
            }
            (State::Failed(failure @ Failure::HandshakeFailed { .. }), "HandshakeFailed") => {
                assert!(failure.to_string().contains("error -32000: not today"), "{failure}");
                assert_eq!(last.cause, Cause::NotMcp);
            }
            (State::Exited(exit), "ClosedOutput") => assert_eq!(exit.cause, Cause::ClosedOutput),
            (State::Exited(exit), "Garbage") => assert_eq!(exit.cause, Cause::Garbage),
            (other, _) => panic!("{arguments:?}: {other:?}"),
        }
    }
}

#[tokio::test]
async fn a_little_garbage_is_logged_and_forgiven() {
    let house = House::new();
    let uid = house.start(&["--garbage", "3"]);
    house.until_running(&uid).await;
    let texts = house.texts(&uid, Which::Current).await;
    assert_eq!(
        texts,
        (0..3)
            .map(|number| format!("banner {number}: this is not protocol"))
            .collect::<Vec<_>>()
    );
}

#[tokio::test]
async fn a_stop_is_polite_first() {
    let house = House::new();
    for (arguments, signal) in [
        (&[][..], None),
        (&["--hang"], Some("SIGTERM")),
        (&["--ignore-end"], Some("SIGKILL")),
    ] {
        let uid = house.start(arguments);
        house.until(&uid, |seen| seen.pid.is_some()).await;
        if arguments != ["--hang"] {
            house.until_running(&uid).await;
        }
        let pid = house
            .runtime
            .observe(&uid)
            .and_then(|seen| seen.pid)
            .expect("a process");
        house.runtime.stop(&uid, Duration::from_secs(2)).await;
        assert!(!is_there(pid), "{arguments:?}");
        let State::Exited(exit) = house.runtime.observe(&uid).expect("seen").state else {
            panic!("not exited: {arguments:?}")
        };
        assert_eq!(
            (exit.signal.as_deref(), exit.cause),
            (signal, Cause::Stopped),
            "{arguments:?}"
        );
    }
}

#[tokio::test]
async fn stopping_and_forgetting_leave_nothing() {
    let house = House::new();
    let uid = house.start(&[]);
    house.until_running(&uid).await;
    house.runtime.forget(&uid).await;
    assert!(house.runtime.observe(&uid).is_some(), "what runs is not forgotten");
    tokio::join!(
        house.runtime.stop(&uid, Duration::from_secs(5)),
        house.runtime.stop(&uid, Duration::ZERO)
    );
    house.runtime.forget(&uid).await;
    assert!(house.runtime.observe(&uid).is_none());
    assert!(!house.path("instances").join(&uid).exists());
    house.runtime.stop("0193-unknown", Duration::ZERO).await;
    house.runtime.forget("../escape").await;
}

#[tokio::test]
async fn a_shutdown_ends_everything_and_starts_nothing_more() {
    let house = House::new();
    let mut uids = vec![house.start(&["--hang"]), house.start(&["--exit"])];
    uids.extend((0..3).map(|_| house.start(&[])));
    for uid in &uids[2..] {
        house.until_running(uid).await;
    }
    let pids: Vec<_> = house
        .runtime
        .observe_all()
        .into_values()
        .filter_map(|seen| seen.pid)
        .collect();
    house.runtime.shut_down(Duration::from_secs(3)).await;
    assert!(pids.iter().all(|pid| !is_there(*pid)));
    assert!(house.runtime.observe_all().values().all(|seen| seen.state.is_over()));
    let late = house.start(&[]);
    assert!(house.runtime.observe(&late).is_none());
}

#[tokio::test]
async fn only_the_documented_environment_goes_along() {
    let plan = super::house::Plan {
        environment: vec![("ORCHD_DATABASE_URL".into(), "secret".into())],
        ..Default::default()
    };
    let house = House::built(plan);
    let uid = house.start_as(
        |launch| launch.env = vec![("MODE".into(), "fast".into()), ("TZ".into(), "UTC".into())],
        &["--env-names"],
    );
    house.until_running(&uid).await;
    let texts = house.texts(&uid, Which::Current).await;
    let names = texts
        .iter()
        .find_map(|text| text.strip_prefix("names: "))
        .expect("names");
    let allowed = ["PATH", "HOME", "LANG", "TZ", "TMPDIR", "USER", "MODE", "ORCHD_INSTANCE"];
    let mut names: Vec<_> = names.split(' ').collect();
    assert!(names.iter().all(|name| allowed.contains(name)), "{names:?}");
    for wanted in ["PATH", "MODE", "TZ", "ORCHD_INSTANCE"] {
        assert!(names.contains(&wanted), "{wanted}");
    }
    let count = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), count, "each name once");
}

#[tokio::test]
async fn a_child_is_prepared_as_promised() {
    let house = House::new();
    let uid = house.start(&[]);
    let pid = house.until_running(&uid).await.pid.expect("a process");
    let read = |file: &str| std::fs::read_to_string(format!("/proc/{pid}/{file}")).expect("readable");
    let limits = read("limits");
    let soft = |name: &str| {
        limits
            .lines()
            .find_map(|line| line.strip_prefix(name)?.split_whitespace().next().map(str::to_owned))
    };
    assert_eq!(soft("Max core file size").as_deref(), Some("0"));
    assert_eq!(soft("Max open files").as_deref(), Some("1024"));
    let stat = read("stat");
    let fields: Vec<_> = stat.rsplit_once(')').expect("a name").1.split_whitespace().collect();
    let own = pid.to_string();
    assert_eq!(
        (fields[1], fields[2], fields[3]),
        (std::process::id().to_string().as_str(), own.as_str(), own.as_str()),
        "parent, group, session"
    );
    let command = read("cmdline");
    assert!(command.starts_with(&super::house::fixture()), "no wrapper: {command}");
    let cwd = std::fs::read_link(format!("/proc/{pid}/cwd")).expect("readable");
    assert_eq!(cwd, house.path("instances").join(&uid).canonicalize().expect("there"));
}

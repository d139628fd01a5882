//! What children say is kept, bounded, masked, and can be followed.

use std::time::Duration;

use orch_daemon::runtime::log::{Bounds, Stream, Which, Window};
use orch_daemon::runtime::observation::State;

use super::house::{House, Plan, secret};

#[tokio::test]
async fn secrets_are_masked_wherever_they_are_said() {
    let house = House::new();
    let change = |launch: &mut orch_daemon::runtime::Launch| {
        secret(launch, "TOKEN", "hunter2-hunter2");
        secret(launch, "KEY", "-----BEGIN KEY-----\nMIIEvQIBADANBg\n-----END KEY-----");
    };
    let arguments = ["--tell", "TOKEN", "--tell", "KEY", "--say", "hunter2-hunter2", "--exit"];
    let uid = house.start_as(change, &arguments);
    let State::Exited(exit) = house.until_over(&uid).await.state else {
        panic!("not exited")
    };
    let expected = ["***", "TOKEN is <***>", "KEY is <***", "***", "***>"];
    assert_eq!(exit.last_lines, expected);
    let lines = house.runtime.logs(&uid, Which::Current, Window::default()).await;
    let texts: Vec<_> = lines
        .iter()
        .filter(|line| line.stream == Stream::Stderr)
        .map(|line| line.text.as_str())
        .collect();
    assert_eq!(texts, expected);
    for entry in std::fs::read_dir(house.path("instances").join(&uid)).expect("readable") {
        let bytes = std::fs::read(entry.expect("an entry").path()).expect("readable");
        let text = String::from_utf8_lossy(&bytes);
        assert!(!text.contains("hunter2") && !text.contains("MIIEvQ"), "{text}");
    }
}

#[tokio::test]
async fn a_flood_neither_blocks_nor_fills_the_disk() {
    let bounds = Bounds {
        segment: 64 << 10,
        segments: 2,
        ..Bounds::default()
    };
    let house = House::built(Plan {
        log: bounds,
        ..Plan::default()
    });
    let uid = house.start(&["--flood", "20000000", "--say", "first"]);
    house.until_running(&uid).await;
    house.runtime.stop(&uid, Duration::from_secs(5)).await;
    let sizes = std::fs::read_dir(house.path("instances").join(&uid))
        .expect("readable")
        .map(|entry| entry.expect("an entry").metadata().expect("known").len());
    let sizes: Vec<_> = sizes.collect();
    assert!(
        sizes.len() <= 3 && sizes.iter().all(|size| *size <= 128 << 10),
        "{sizes:?}"
    );
    let texts = house.texts(&uid, Which::Current).await;
    assert!(
        texts.len() > 100 && !texts.contains(&"first".to_owned()),
        "{}",
        texts.len()
    );
    let tail = house
        .runtime
        .logs(
            &uid,
            Which::Current,
            Window {
                tail: Some(3),
                since: None,
            },
        )
        .await;
    assert_eq!(tail.len(), 3);
    assert_eq!(tail[2].text, *texts.last().expect("a line"));
}

#[tokio::test]
async fn long_lines_are_cut_and_bytes_are_survived() {
    let bounds = Bounds {
        line: 100,
        ..Bounds::default()
    };
    let house = House::built(Plan {
        log: bounds,
        ..Plan::default()
    });
    let long = "é".repeat(200);
    let uid = house.start(&["--say", &long, "--say", "bell \u{7} and \u{1b}[31mred", "--exit"]);
    house.until_over(&uid).await;
    let texts = house.texts(&uid, Which::Current).await;
    assert_eq!(texts[0], format!("{} … (300 bytes more)", "é".repeat(50)));
    assert_eq!(texts[1], "bell \u{7} and \u{1b}[31mred");
}

#[tokio::test]
async fn runs_are_told_apart_and_windows_hold() {
    let house = House::new();
    let uid = house.start(&["--say", "run one", "--exit"]);
    house.until_over(&uid).await;
    for number in ["two", "three"] {
        let text = format!("run {number}");
        house.start_as(|launch| launch.uid.clone_from(&uid), &["--say", &text, "--exit"]);
        house
            .until(&uid, |seen| {
                seen.state.is_over()
                    && seen
                        .last_exit
                        .as_ref()
                        .is_some_and(|exit| exit.last_lines == [text.clone()])
            })
            .await;
    }
    assert_eq!(house.texts(&uid, Which::Current).await[0], "run three");
    assert_eq!(house.texts(&uid, Which::Previous).await[0], "run two");
    let all = house.runtime.logs(&uid, Which::Current, Window::default()).await;
    let since = Window {
        tail: None,
        since: Some(all[1].at),
    };
    let later = house.runtime.logs(&uid, Which::Current, since).await;
    assert!(later.contains(&all[1]) && later.iter().all(|line| line.at >= all[1].at));
    let never = Window {
        tail: None,
        since: Some(all[1].at.after(Duration::from_secs(3600))),
    };
    assert_eq!(house.runtime.logs(&uid, Which::Current, never).await, []);
    assert_eq!(
        house
            .runtime
            .logs("0193-unknown", Which::Current, Window::default())
            .await,
        []
    );
    // A log is there as long as the copy was not forgotten, also for a runtime that has never heard of it.
    let later = House::built_in(&house.path(""), Plan::default(), house.daemon.clone());
    assert_eq!(later.texts(&uid, Which::Current).await[0], "run three");
}

#[tokio::test]
async fn a_log_is_followed_over_restarts() {
    let house = House::new();
    let uid = house.start(&["--say", "run one", "--exit"]);
    house.until_over(&uid).await;
    let mut follower = house
        .runtime
        .follow(
            &uid,
            Window {
                tail: Some(1),
                since: None,
            },
        )
        .expect("known");
    let first = follower.next().await.expect("lines");
    assert_eq!(first.len(), 1);
    house.start_as(|launch| launch.uid.clone_from(&uid), &["--say", "run two"]);
    let mut texts = Vec::new();
    while !texts.contains(&"run two".to_owned()) {
        let more = tokio::time::timeout(Duration::from_secs(30), follower.next())
            .await
            .expect("in time");
        texts.extend(more.expect("lines").into_iter().map(|line| line.text));
    }
    assert!(
        !texts.contains(&"run one".to_owned()),
        "nothing is told twice: {texts:?}"
    );
    house.runtime.stop(&uid, Duration::from_secs(5)).await;
    house.runtime.forget(&uid).await;
    let ends = async { while follower.next().await.is_some() {} };
    tokio::time::timeout(Duration::from_secs(30), ends)
        .await
        .expect("it ends when the copy is forgotten");
    assert!(house.runtime.follow(&uid, Window::default()).is_none());
}

//! Whoever cannot log in: a name that is locked, whether somebody has it or not, and a daemon that many try to enter at once.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde_json::json;

use super::PASSWORD;
use crate::support::daemon::{Home, on_each_database};
use crate::support::http::{Answer, Request};

on_each_database!(a_name_stays_locked_whether_or_not_somebody_has_it);

fn log_in(home: &Home, name: &str, password: &str) -> Answer {
    let body = json!({"user": name, "password": password});
    Request::new(home.address(), "POST", "/api/v1/login").json(&body).send()
}

/// Longer than any password: it is wrong, and not looked at for long.
fn long() -> String {
    "x".repeat(1025)
}

fn with_password(home: &Home, name: &str) {
    home.orchctl(&["create", "user", name]).expect(0);
    home.orchctl_reading(PASSWORD, &["passwd", name, "--password-stdin"])
        .expect(0);
}

/// What is said of a login, without the name.
fn said(home: &Home, name: &str) -> (u16, String, bool) {
    let answer = log_in(home, name, &long());
    let detail = answer.json()["detail"].as_str().expect("a detail").replace(name, "X");
    (answer.status, detail, answer.header("retry-after").is_some())
}

fn a_name_stays_locked_whether_or_not_somebody_has_it(home: Home) {
    let mut home = home.started();
    with_password(&home, "ann");
    home.orchctl(&["create", "user", "without"]).expect(0);
    // Somebody, somebody who has no password, nobody, and what cannot be a name.
    let names = ["ann", "without", "nobody", "No Body"];
    let alike = |home: &Home| {
        let all: Vec<_> = names.iter().map(|name| said(home, name)).collect();
        assert!(all.iter().all(|one| *one == all[0]), "{all:?}");
        all[0].clone()
    };
    for _ in 0..5 {
        assert_eq!(alike(&home).0, 401);
    }
    let (status, detail, has_end) = alike(&home);
    assert!(
        status == 429 && detail.contains("too many wrong passwords") && has_end,
        "{status} {detail}"
    );
    assert_eq!(
        log_in(&home, "ann", PASSWORD).status,
        429,
        "the right one does not help"
    );
    assert_eq!(
        log_in(&home, "other", &long()).status,
        401,
        "another name is not locked"
    );
    home.stop();
    home.start();
    assert_eq!(alike(&home), (status, detail, has_end), "a restart unlocks nobody");
}

#[test]
fn many_who_try_to_log_in_keep_nobody_out() {
    let home = Home::new().started();
    with_password(&home, "ann");
    let is_over = AtomicBool::new(false);
    let answers: Vec<Answer> = std::thread::scope(|scope| {
        let strangers: Vec<_> = (0..80)
            .map(|number| {
                let (home, is_over) = (&home, &is_over);
                scope.spawn(move || {
                    let mut answers = Vec::new();
                    for round in 0_u32.. {
                        answers.push(log_in(home, &format!("made-up-{number}-{round}"), PASSWORD));
                        if is_over.load(Ordering::Relaxed) {
                            return answers;
                        }
                        std::thread::sleep(Duration::from_millis(50));
                    }
                    answers
                })
            })
            .collect();
        // Whoever has logged in waits for none of them.
        home.orchctl(&["create", "user", "bob"]).expect(0);
        home.orchctl_reading(PASSWORD, &["passwd", "bob", "--password-stdin"])
            .expect(0);
        is_over.store(true, Ordering::Relaxed);
        strangers
            .into_iter()
            .flat_map(|stranger| stranger.join().expect("a stranger ends"))
            .collect()
    });
    let shed: Vec<&Answer> = answers.iter().filter(|answer| answer.status == 429).collect();
    assert!(!shed.is_empty(), "nobody is sent away");
    for answer in &answers {
        assert!(matches!(answer.status, 401 | 429), "{}: {}", answer.status, answer.body);
    }
    for answer in shed {
        let wait: u64 = answer
            .header("retry-after")
            .expect("when to come again")
            .parse()
            .expect("seconds");
        assert!((1..=60).contains(&wait), "{wait}");
    }
    // Whoever comes again when told to gets in.
    let deadline = Instant::now() + Duration::from_secs(60);
    loop {
        let answer = log_in(&home, "ann", PASSWORD);
        match answer.header("retry-after").map(str::parse) {
            Some(wait) => std::thread::sleep(Duration::from_secs(wait.expect("seconds"))),
            None => break drop(answer.expect(200)),
        }
        assert!(Instant::now() < deadline, "nobody gets in any more");
    }
}

#[test]
fn logins_that_fail_are_counted_by_where_they_come_from() {
    let home = Home::new().started();
    with_password(&home, "ann");
    let mut answers = (0..2000).map(|number| log_in(&home, &format!("made-up-{number}"), &long()));
    let refused = answers.find(|answer| answer.status != 401).expect("an end");
    assert_eq!(refused.status, 429);
    assert!(refused.body.contains("from this address"), "{}", refused.body);
    let wait = refused.header("retry-after").expect("when to come again").parse();
    std::thread::sleep(Duration::from_secs(wait.expect("seconds")));
    log_in(&home, "ann", PASSWORD).expect(200);
}

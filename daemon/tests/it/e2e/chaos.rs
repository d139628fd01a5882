//! The daemon is killed at any instant, again and again, under writers, and loses nothing.
//!
//! Each writer owns a set of objects and applies it again and again, all with the same number. What it was told is
//! committed must be there after the crash, or something newer of its own; and all of a set must carry one number.
//! `ORCH_CHAOS_ROUNDS` says how often the daemon is killed (15 unless told otherwise; 200 is a thorough run), and
//! `ORCH_CHAOS_SEED` repeats the moments of an earlier run.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde_json::{Value, json};

use super::{pids, server};
use crate::support::daemon::{Home, eventually, on_each_database, say};
use crate::support::http::Request;
use crate::support::processes;

on_each_database!(nothing_is_lost);

const WRITERS: usize = 3;
/// Objects in the set of a writer.
const MEMBERS: usize = 4;

fn nothing_is_lost(home: Home) {
    let setting = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let rounds = setting("ORCH_CHAOS_ROUNDS").unwrap_or(15);
    let seed = setting("ORCH_CHAOS_SEED").unwrap_or_else(|| u64::from(std::process::id()));
    say(&format!("{rounds} rounds with ORCH_CHAOS_SEED={seed}"));
    let mut dice = seed;

    let mut home = home.started();
    home.apply(&[server("steady", &[]), server("forking", &["--fork", "2"])].concat());
    let mut acknowledged = [0_u64; WRITERS];
    for round in 1..=rounds {
        let killed = AtomicBool::new(false);
        let (address, token) = (home.address(), home.token());
        let last = acknowledged;
        std::thread::scope(|scope| {
            let writers: Vec<_> = (0..WRITERS)
                .map(|writer| {
                    let (token, killed) = (&token, &killed);
                    scope.spawn(move || {
                        let mut number = last[writer];
                        // Numbers that were sent and not acknowledged are used up.
                        let mut next = number + 1000;
                        while !killed.load(Ordering::SeqCst) {
                            let request = Request::new(address, "POST", "/api/v1/apply").token(token);
                            match request.json(&set_of(writer, next)).try_send() {
                                Ok(answer) if answer.status == 200 => number = next,
                                Ok(answer) => assert!(answer.status >= 500, "{}: {}", answer.status, answer.body),
                                Err(_) => break,
                            }
                            next += 1;
                        }
                        number
                    })
                })
                .collect();
            std::thread::sleep(Duration::from_millis(random(&mut dice) % 700));
            home.kill_9();
            killed.store(true, Ordering::SeqCst);
            for (writer, thread) in writers.into_iter().enumerate() {
                acknowledged[writer] = thread.join().expect("the writer is well");
            }
        });
        let old = home.processes();
        home.start();
        let left: Vec<_> = old
            .iter()
            .filter(|pid| processes::is_alive(**pid))
            .map(|pid| processes::describe(*pid))
            .collect();
        assert_eq!(left, Vec::<String>::new(), "round {round}");
        for (writer, number) in acknowledged.iter_mut().enumerate() {
            let found = numbers(&home, writer);
            assert!(
                found.windows(2).all(|pair| pair[0] == pair[1]),
                "round {round}: half a set of writer {writer}: {found:?}"
            );
            let now = found.first().copied().unwrap_or_default();
            assert!(
                now >= *number,
                "round {round}: writer {writer} was told {number}, and there is {now}"
            );
            assert!(found.is_empty() || found.len() == MEMBERS, "round {round}: {found:?}");
            *number = now;
        }
    }
    home.until_ready(&["server/steady", "server/forking"]);
    // The status that is read first may still be the killed daemon's.
    eventually("the steady server runs", || pids(&home, "steady").len() == 1);
}

/// The set of a writer, every member with that number.
fn set_of(writer: usize, number: u64) -> Value {
    let objects: Vec<Value> = (0..MEMBERS)
        .map(|member| {
            json!({
                "apiVersion": "orchctl.dev/v1", "kind": "Prompt",
                "metadata": {"name": format!("p-{writer}-{member}"), "labels": {"writer": writer.to_string(), "number": number.to_string()}},
                "spec": {"content": "x"},
            })
        })
        .collect();
    json!({"objects": objects, "set": format!("writer-{writer}")})
}

/// The numbers of a writer's objects.
fn numbers(home: &Home, writer: usize) -> Vec<u64> {
    let list = home.get(&format!("prompts?labelSelector=writer%3D{writer}"));
    let items = list["items"].as_array().expect("a list").iter();
    items
        .map(|item| {
            item["metadata"]["labels"]["number"]
                .as_str()
                .and_then(|text| text.parse().ok())
                .expect("a number")
        })
        .collect()
}

/// The next number of a xorshift generator.
fn random(state: &mut u64) -> u64 {
    *state = (*state).max(1);
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    *state
}

//! Keys that several make at once, and files that come back from a backup: no key is lost while anybody lives who knows it.

use std::collections::BTreeSet;
use std::fs;
use std::process::{Child, Stdio};

use serde_json::{Value, json};

use super::manifest;
use crate::support::daemon::{Home, eventually, on_each_database};

on_each_database!(
    keys_that_are_made_at_once_all_stay,
    a_key_file_that_knows_less_is_mended_while_the_daemon_lives
);

/// So many secrets are there.
const MANY: usize = 40;

fn secrets() -> String {
    let secret = |number: usize| {
        let data = json!({"token": format!("value-{number}")});
        manifest("Secret", &format!("s{number}"), &json!({ "data": data }))
    };
    (0..MANY).map(secret).collect()
}

/// Ids of the keys in the file, and the one that seals.
fn keys(home: &Home) -> (BTreeSet<String>, String) {
    let text = fs::read_to_string(home.path("data/keys.json")).expect("there are keys");
    let file: Value = serde_json::from_str(&text).expect("they are JSON");
    let id = |value: &Value| value.as_str().expect("an id").to_owned();
    let all = file["keys"].as_array().expect("keys").iter();
    (all.map(|key| id(&key["id"])).collect(), id(&file["active"]))
}

fn rotating(home: &Home) -> Child {
    let mut command = home.orchd(&["key", "rotate"]);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command.spawn().expect("orchd runs")
}

/// The key that a rotation says it has made.
fn made(child: Child) -> String {
    let output = child.wait_with_output().expect("it ends");
    let told = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{told}");
    let (_, rest) = told.split_once("key ").expect("it names the key");
    rest.split(' ').next().expect("a word").to_owned()
}

/// Every value opens, and all are sealed with the key that seals.
fn opens(home: &Home) {
    let (_, active) = keys(home);
    eventually("everything is sealed with the key that seals", || {
        let stored = home.http("GET", "/api/v1/secrets").send().expect(200).body;
        stored.matches(&format!("sealed:v1:{active}:")).count() == MANY
    });
    let shown = home
        .orchctl(&["get", "secrets", "--show-values", "-o", "json"])
        .expect(0);
    for number in 0..MANY {
        assert!(shown.stdout.contains(&format!("\"value-{number}\"")), "s{number}");
    }
}

fn keys_that_are_made_at_once_all_stay(home: Home) {
    const ROUNDS: usize = 3;
    let mut home = home.started();
    home.apply(&secrets());
    let mut known = keys(&home).0;
    for round in 0..ROUNDS {
        // As long as somebody else writes the file, both wait; then one takes in what the other has written.
        let lock = fs::File::create(home.path("data/keys.lock")).expect("a lock");
        lock.lock().expect("it can be taken");
        let mut both = [rotating(&home), rotating(&home)];
        std::thread::sleep(std::time::Duration::from_millis(500));
        for child in &mut both {
            assert!(
                child.try_wait().expect("it can be asked").is_none(),
                "round {round}: it waits"
            );
        }
        drop(lock);
        known.extend(both.map(made));
        assert_eq!(keys(&home).0, known, "round {round}");
        opens(&home);
    }
    assert_eq!(known.len(), 1 + 2 * ROUNDS);
    home.stop();
    home.start();
    opens(&home);
    // While no daemon runs, the second leaves to the first what that does.
    home.stop();
    known.extend([rotating(&home), rotating(&home)].map(made));
    assert_eq!(keys(&home).0, known);
    home.start();
    opens(&home);
    let files = fs::read_dir(home.path("data")).expect("it is there");
    let left = files.filter(|file| {
        let name = file.as_ref().expect("a file").file_name();
        name.to_string_lossy().ends_with(".new")
    });
    assert_eq!(left.count(), 0, "nothing lies about");
}

fn a_key_file_that_knows_less_is_mended_while_the_daemon_lives(home: Home) {
    let mut home = home.started();
    home.apply(&secrets());
    let file = home.path("data/keys.json");
    let backup = fs::read(&file).expect("there are keys");
    let new = made(rotating(&home));
    opens(&home);
    let known = keys(&home);
    assert_eq!(known.1, new);
    fs::write(&file, &backup).expect("it is put back");
    eventually("the file has all keys again", || keys(&home) == known);
    eventually("it is told", || home.logs().contains("the key file lacked keys"));
    // Another one that was made from the older file is kept beside it.
    fs::write(&file, &backup).expect("it is put back");
    let other = made(rotating(&home));
    eventually("the file has all keys", || {
        let (all, active) = keys(&home);
        all.len() == 3 && all.contains(&new) && all.contains(&other) && all.contains(&active)
    });
    home.stop();
    home.start();
    opens(&home);
}

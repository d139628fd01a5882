//! Passwords that are guessed: at the login, at one's own password, and many at once.

use std::thread;

use serde_json::json;

use super::{make_token, with};
use crate::e2e::manifest;
use crate::support::daemon::Home;
use crate::support::http::Request;

const RIGHT: &str = "correct horse battery";
const WRONG: &str = "wrong wrong wrong";

/// A daemon with a user `ann`, and hers the right password.
fn house() -> Home {
    let home = Home::new().started();
    home.apply(&manifest("User", "ann", &json!({})));
    home.http("PUT", "/api/v1/users/ann/password")
        .json(&json!({"password": RIGHT}))
        .send()
        .expect(204);
    home
}

fn log_in(home: &Home, user: &str, password: &str) -> crate::support::http::Answer {
    let request = Request::new(home.address(), "POST", "/api/v1/login");
    request.json(&json!({"user": user, "password": password})).send()
}

#[test]
fn many_guesses_at_once_are_no_more_than_many_in_a_row() {
    let home = house();
    for user in ["ann", "nobody"] {
        let statuses: Vec<u16> = thread::scope(|scope| {
            let asking: Vec<_> = (0..16)
                .map(|_| scope.spawn(|| log_in(&home, user, WRONG).status))
                .collect();
            asking.into_iter().map(|one| one.join().expect("a thread")).collect()
        });
        let looked_at = statuses.iter().filter(|status| **status == 401).count();
        // Five are free; one more may be looked at beside the last of them.
        assert!((5..=6).contains(&looked_at), "{user}: {statuses:?}");
        assert_eq!(looked_at + statuses.iter().filter(|status| **status == 429).count(), 16);
    }
    log_in(&home, "ann", RIGHT).expect(429);
}

#[test]
fn ones_own_password_is_guessed_no_faster_and_by_no_token() {
    let home = house();
    let session = log_in(&home, "ann", RIGHT).expect(200).json()["token"]
        .as_str()
        .expect("a token")
        .to_owned();
    let change = |credential: &str, current: &str| {
        let body = json!({"current": current, "password": "another horse battery"});
        let answer = with(&home, "PUT", "/api/v1/users/ann/password", credential)
            .json(&body)
            .send();
        (answer.status, answer.json()["detail"].to_string())
    };
    home.apply(&manifest(
        "RoleBinding",
        "ann",
        &json!({"subjects": [{"kind": "User", "name": "ann"}], "grants": [{"roles": ["create"], "resources": ["tokens"]}]}),
    ));
    let made = make_token(&home, &session, "of-ann", &json!({})).expect(201).json();
    let token = made["credential"].as_str().expect("a credential").to_owned();
    // A token is told the same, whatever it tries.
    assert_eq!(change(&token, WRONG), change(&token, RIGHT));
    assert_eq!(change(&token, RIGHT).0, 403);
    let statuses: Vec<u16> = (0..7).map(|_| change(&session, WRONG).0).collect();
    assert_eq!(statuses, [403, 403, 403, 403, 403, 429, 429]);
    assert_eq!(change(&session, RIGHT).0, 429);
    log_in(&home, "ann", RIGHT).expect(429);
}

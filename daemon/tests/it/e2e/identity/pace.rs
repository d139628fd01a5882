//! How often and for how long: what one principal may ask in a minute, and when a login is over, through the real daemon.

use serde_json::{Value, json};

use super::{PASSWORD, Person};
use crate::support::daemon::{Home, eventually};
use crate::support::http::{Answer, Request};

/// Asks until it is too often: how often it was not. More than twice what a minute holds is never asked.
#[track_caller]
fn until_too_many(told: &str, a_minute: usize, mut ask: impl FnMut(usize) -> Answer) -> usize {
    for count in 0..=2 * a_minute {
        let answer = ask(count);
        if answer.status == 429 && answer.body.contains(told) {
            let wait: u64 = answer
                .header("retry-after")
                .expect("when to ask again")
                .parse()
                .expect("seconds");
            assert!((1..=60).contains(&wait), "{wait}");
            return count;
        }
    }
    panic!("nobody says `{told}`");
}

#[test]
fn logins_looks_and_new_tokens_have_a_measure_each() {
    let home = Home::new().started();
    let anonymous = |path: &str, body: &Value| Request::new(home.address(), "POST", path).json(body).send();
    let log_in = |name: &str| anonymous("/api/v1/login", &json!({"user": name, "password": PASSWORD}));
    // Nobody of that name is there, and nobody is locked.
    let count = until_too_many("logins with this name", 20, |_| log_in("nobody"));
    assert!(count >= 20, "{count}");
    assert_eq!(log_in("somebody").status, 401, "another name is another measure");

    let other = Person::logged_in(&home, "ann").token();
    let look = |token: &str| {
        let body = json!({"token": format!("orch_{}", "0".repeat(64))});
        home.http("POST", "/api/v1/introspect").token(token).json(&body).send()
    };
    let admin = home.token();
    let count = until_too_many("looks at credentials", 60, |_| look(&admin));
    assert!(count >= 60, "{count}");
    assert_eq!(look(&other).status, 200);

    let make = |token: &str, name: &str| {
        let object = json!({"apiVersion": "orchctl.dev/v1", "kind": "Token", "metadata": {"name": name}, "spec": {}});
        home.http("POST", "/api/v1/tokens").token(token).json(&object).send()
    };
    let count = until_too_many("new tokens", 60, |count| make(&admin, &format!("t{count}")));
    assert!(count >= 60, "{count}");
    let made = home.get("tokens")["metadata"]["total"].as_u64();
    assert_eq!(made, u64::try_from(count).ok(), "what is too much is not made");
    // What she may not do she is told, and not that it is too often.
    assert_eq!(make(&other, "of-ann").status, 403);
}

#[test]
fn each_principal_writes_so_often_in_a_minute() {
    let home = Home::new().with(&["--principal-writes-per-minute", "12"]).started();
    let other = Person::logged_in(&home, "ann");
    super::grant(&home, "ann", "view", "prompts");
    super::grant(&home, "ann", "create", "prompts");
    let make = |token: &str, name: &str| {
        let spec = json!({"content": "x"});
        let object =
            json!({"apiVersion": "orchctl.dev/v1", "kind": "Prompt", "metadata": {"name": name}, "spec": spec});
        home.http("POST", "/api/v1/prompts").token(token).json(&object).send()
    };
    let admin = home.token();
    let count = until_too_many("writes in a minute", 12, |count| make(&admin, &format!("p{count}")));
    let made = home.get("prompts?labelSelector=")["metadata"]["total"].as_u64();
    assert!(made.is_some_and(|made| made >= count as u64), "{made:?}");
    home.http("GET", &format!("/api/v1/prompts/p{count}"))
        .send()
        .expect(404);
    // Reading is no writing, and others have a measure of their own.
    make(&other.token(), "of-ann").expect(201);
    home.orchctl(&["get", "prompts"]).expect(0).saying(&["of-ann"]);
}

#[test]
fn a_login_is_over_when_its_time_is() {
    // Longer than a busy machine needs to go on from the login to the first request.
    let home = Home::new().with(&["--login-lifetime", "8s"]).started();
    let ann = Person::logged_in(&home, "ann");
    let token = ann.token();
    let me = |token: &str| home.http("GET", "/api/v1/whoami").token(token).send().status;
    assert_eq!(me(&token), 200);
    eventually("the login is over", || me(&token) == 401);
    ann.run(&["whoami"]).expect(5).saying(&["orchctl login"]);
    // It is not there any more for those who look, and another one begins.
    ann.log_in("ann", PASSWORD).expect(0);
    assert_ne!(ann.token(), token);
    let logins = ann.json(&["auth", "logins", "-o", "json"]);
    assert_eq!(logins["items"].as_array().map(Vec::len), Some(1), "{logins}");
}

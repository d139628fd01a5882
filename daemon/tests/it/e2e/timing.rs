//! What the time of a refusal tells: nothing. Two kinds of refusals are asked for in turns, and compared in the same run.

use std::time::{Duration, Instant};

use serde_json::json;

use super::manifest;
use crate::support::daemon::{Home, say};
use crate::support::http::Request;

/// Between classes of work, such as to hash a password or not, are more than ten times; between runs of the same there is less
/// than this, as medians, however busy the machine is.
const SAME: f64 = 4.0;

fn median(mut times: Vec<Duration>) -> f64 {
    times.sort_unstable();
    times[times.len() / 2].as_secs_f64()
}

/// Asks both in turns; their medians may not be apart.
#[track_caller]
fn alike(what: &str, rounds: usize, mut one: impl FnMut(usize), mut other: impl FnMut(usize)) {
    let timed = |ask: &mut dyn FnMut(usize), round| {
        let began = Instant::now();
        ask(round);
        began.elapsed()
    };
    let (mut first, mut second) = (Vec::new(), Vec::new());
    for round in 0..rounds {
        first.push(timed(&mut one, round));
        second.push(timed(&mut other, round));
    }
    let ratio = median(first) / median(second);
    say(&format!("{what}: {ratio:.2}x"));
    assert!((1.0 / SAME..SAME).contains(&ratio), "{what}: {ratio}");
}

#[test]
fn a_refusal_takes_as_long_whatever_its_reason() {
    let home = Home::new().started();
    let grants = json!([{"roles": ["view"], "resources": ["projects"]}]);
    let binding = json!({"subjects": [{"kind": "ServiceAccount", "name": "narrow"}], "grants": grants});
    home.apply(
        &[
            manifest("ServiceAccount", "narrow", &json!({})),
            manifest("RoleBinding", "narrow", &binding),
            manifest("Secret", "hidden", &json!({"data": {"a": "b"}})),
        ]
        .concat(),
    );
    let spec = json!({"serviceAccount": "narrow", "rbac": "owner"});
    let object = json!({"apiVersion": "orchctl.dev/v1", "kind": "Token", "metadata": {"name": "narrow"}, "spec": spec});
    let made = home
        .http("POST", "/api/v1/tokens")
        .json(&object)
        .send()
        .expect(201)
        .json();
    let narrow = made["credential"].as_str().expect("a credential").to_owned();
    let ask = |path: &str, token: &str, status: u16| {
        let answer = Request::new(home.address(), "GET", path).token(token).send();
        answer.expect(status);
    };
    alike(
        "what may not be seen | what is not there",
        150,
        |_| ask("/api/v1/secrets/hidden", &narrow, 404),
        |_| ask("/api/v1/secrets/absent", &narrow, 404),
    );
    let near = format!(
        "{}{}",
        &narrow[..narrow.len() - 1],
        if narrow.ends_with('0') { '1' } else { '0' }
    );
    let far = format!("orch_{}", "0".repeat(64));
    alike(
        "a token that is nearly right | one that is not",
        150,
        |_| ask("/api/v1/projects", &near, 401),
        |_| ask("/api/v1/projects", &far, 401),
    );
    // Fewer than lock anybody out, of users of whom each is tried once.
    const USERS: usize = 7;
    for number in 0..USERS {
        let name = format!("user-{number}");
        home.orchctl(&["create", "user", &name]).expect(0);
        home.orchctl_reading("correct horse battery staple", &["passwd", &name, "--password-stdin"])
            .expect(0);
    }
    let login = |user: String| {
        let body = json!({"user": user, "password": "not the right one"});
        let answer = Request::new(home.address(), "POST", "/api/v1/login").json(&body).send();
        answer.expect(401);
    };
    alike(
        "a wrong password | a name that nobody has",
        USERS,
        |number| login(format!("user-{number}")),
        |number| login(format!("nobody-{number}")),
    );
}

//! Several daemons on one PostgreSQL: one reconciles, the others serve and stand by.

use super::{copies, manifest, pids, server_with};
use std::time::{Duration, Instant};

use crate::support::daemon::{Home, eventually};
use crate::support::http::Request;
use serde_json::json;

#[test]
fn one_daemon_reconciles_and_another_takes_over() {
    let Some(home) = Home::on_postgres() else { return };
    let mut first = home.with(&["--lease-duration", "2s"]).started();
    let mut second = first.beside();
    second.start();

    // What is declared at the follower runs at the leader.
    let secret = manifest("Secret", "key", &json!({"data": {"token": "correct horse battery"}}));
    let env =
        json!({"env": [{"name": "TOKEN", "valueFrom": {"secretRef": {"name": "key", "key": "token"}}}], "replicas": 2});
    second.apply(&format!("{secret}{}", server_with("files", &["--say", "hello"], env)));
    second.until_ready(&["server/files"]);
    assert_eq!((first.processes().len(), second.processes()), (2, vec![]));

    // Only the leader has the logs, and the follower asks it for them.
    for daemon in [&first, &second] {
        daemon.orchctl(&["logs", "files"]).expect(0).saying(&["hello"]);
    }

    // The leader dies: the other one takes over, and nothing is there twice.
    first.kill_9();
    eventually("the follower takes over", || {
        second.processes().len() == 2 && pids(&second, "files").len() == 2
    });
    second.until_ready(&["server/files"]);
    assert_eq!(copies(&second, "files").len(), 2);
    second.orchctl(&["logs", "files"]).expect(0).saying(&["hello"]);

    // Who comes back follows; who leaves in order is succeeded at once.
    first.start();
    first.until_ready(&["server/files"]);
    assert_eq!((first.processes(), second.processes().len()), (vec![], 2));
    assert_eq!(second.stop(), 0);
    eventually("the first one leads again", || pids(&first, "files").len() == 2);
    assert_eq!(second.processes(), Vec::<u32>::new());
    first.until_ready(&["server/files"]);
}

/// A way in which a login ends, and what it is called.
type End<'e> = (&'e str, &'e dyn Fn(&str));

/// What ends at one daemon is over at the others, and not only once they ask again.
#[test]
fn a_login_that_ends_at_one_daemon_opens_nothing_at_another() {
    let Some(home) = Home::on_postgres() else { return };
    let first = home.started();
    let mut second = first.beside();
    second.start();
    let binding = json!({"subjects": [{"kind": "User", "name": "ann"}],
        "grants": [{"roles": ["view", "create"], "resources": ["*"]}]});
    first.apply(&(manifest("User", "ann", &json!({})) + &manifest("RoleBinding", "ann", &binding)));
    let password = "a password that is long enough";
    let set = || {
        let set = first.http("PUT", "/api/v1/users/ann/password");
        set.json(&json!({"password": password})).send().expect(204);
    };
    set();
    let at = |home: &Home, method: &str, path: &str, credential: &str| {
        Request::new(home.address(), method, path).token(credential)
    };
    let log_in = || {
        let login = json!({"user": "ann", "password": password});
        let login = Request::new(first.address(), "POST", "/api/v1/login")
            .json(&login)
            .send();
        let login = login.expect(200).json();
        login["token"].as_str().expect("a credential").to_owned()
    };
    let ways: [End<'_>; 2] = [
        ("logged out", &|login| {
            at(&first, "DELETE", "/api/v1/logins/current", login).send().expect(204);
        }),
        ("another password", &|_| set()),
    ];
    for (round, (how, end)) in ways.iter().cycle().take(4).enumerate() {
        let login = log_in();
        eventually("the other one knows it", || {
            at(&second, "GET", "/api/v1/whoami", &login).send().status == 200
        });
        let mut watch = at(&second, "GET", "/api/v1/projects?watch=1", &login).stream();
        assert_eq!(watch.status, 200);
        end(&login);
        let began = Instant::now();
        let kept = |number: usize| {
            json!({"apiVersion": "orchctl.dev/v1", "kind": "Token", "metadata": {"name": format!("kept-{round}-{number}")},
                "spec": {"rbac": "owner"}})
        };
        let refused = (0..).find(|number| {
            let made = at(&second, "POST", "/api/v1/tokens", &login)
                .json(&kept(*number))
                .send();
            made.status == 401
        });
        let took = began.elapsed();
        assert!(took < Duration::from_secs(1), "{how}: {took:?}, {refused:?} tokens");
        assert_eq!(
            at(&second, "GET", "/api/v1/projects", &login).send().status,
            401,
            "{how}"
        );
        while watch.line().is_some() {}
        let took = began.elapsed();
        assert!(took < Duration::from_secs(10), "{how}: the watch took {took:?}");
    }
}

//! Several daemons on one PostgreSQL: one reconciles, the others serve and stand by.

use super::{copies, manifest, pids, server_with};
use crate::support::daemon::{Home, eventually};
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

//! What is tried again, and for how long: an object that is being deleted is waited for, a backend that is away no longer for
//! a creation than for anything else.

use serde_json::json;

use crate::support::daemon::{Answer, Daemon};
use crate::support::home::Home;

const CREATE: [&str; 5] = ["create", "secret", "keys", "--from-literal", "a=b"];

#[test]
fn a_backend_that_is_away_is_not_waited_for_longer_than_usual() {
    // Longer than is usually waited, and shorter than for a deletion.
    let away = || Answer::problem(503, "ORCH6030", "secretbackend `bao` cannot be reached").header("retry-after", "20");
    for arguments in [&CREATE[..], &["apply", "-f", "keys.yaml"], &["get", "secrets"]] {
        let daemon = Daemon::playing([away()]);
        let home = Home::with_daemon(&daemon.address);
        home.write(
            "keys.yaml",
            "{apiVersion: orchctl.dev/v1, kind: Secret, metadata: {name: keys}, spec: {data: {a: b}}}",
        );
        let told = home.run(arguments);
        // Nobody answers a second time; who asks again is told something else.
        assert!(
            told.stderr.contains("cannot be reached"),
            "{arguments:?}: {}",
            told.stderr
        );
        assert!(told.stderr.contains("bao"), "{arguments:?}: {}", told.stderr);
        assert_eq!(daemon.asked().len(), 1, "{arguments:?}");
    }
}

#[test]
fn what_is_being_deleted_is_waited_for() {
    let going = || Answer::problem(409, "ORCH3004", "secret/keys is being deleted");
    let made = json!({"apiVersion": "orchctl.dev/v1", "kind": "Secret", "metadata": {"name": "keys"}, "spec": {}, "status": {}});
    let daemon = Daemon::playing([going(), going(), Answer::json(201, &made)]);
    let home = Home::with_daemon(&daemon.address);
    let told = home.run(&CREATE);
    assert_eq!(told.code, 0, "{}", told.stderr);
    assert_eq!(daemon.asked().len(), 3);
}

//! The database cannot be written, or is away: what is refused says so, what can go on does, and all is well again as soon
//! as the database is.

use std::fs;
use std::io::Write as _;
use std::process::Command;

use serde_json::{Value, json};

use super::{manifest, pids, server};
use crate::support::daemon::{Home, eventually, say};
use crate::support::http::Request;

fn prompt(name: &str) -> Value {
    let content = "x".repeat(32 * 1024);
    json!({"apiVersion": "orchctl.dev/v1", "kind": "Prompt", "metadata": {"name": name}, "spec": {"content": content}})
}

/// Tries to make an object; tells the code of the problem where it is refused.
fn make(home: &Home, name: &str) -> Result<(), String> {
    let answer = home.http("POST", "/api/v1/prompts").json(&prompt(name)).send();
    if answer.status == 201 {
        return Ok(());
    }
    let code = answer.expect(503);
    assert!(code.header("retry-after").is_some(), "{code:?}");
    Err(code.code())
}

/// Status of `/readyz`, and the checks that fail.
fn readiness(home: &Home) -> (u16, Vec<String>) {
    let answer = Request::new(home.address(), "GET", "/readyz").send();
    let checks = answer.json()["checks"].as_array().cloned().unwrap_or_default();
    let failing = checks.iter().filter(|check| check["ok"] == false);
    let names = failing.map(|check| check["name"].as_str().unwrap_or_default().to_owned());
    (answer.status, names.collect())
}

#[test]
fn a_full_disk() {
    let mount = "mount -t tmpfs -o size=6m none data && exec \"$@\"";
    let possible = Command::new("unshare")
        .args(["--mount", "sh", "-c", "mount -t tmpfs none /mnt"])
        .status();
    if !possible.is_ok_and(|status| status.success()) {
        return say("skipped: a small file system cannot be mounted here; that takes root");
    }
    let home = Home::new().through(&["unshare", "--mount", "sh", "-c", mount, "sh"]);
    fs::create_dir(home.path("data")).expect("a directory can be made");
    let home = home.started();
    home.apply(&server("files", &[]));
    home.until_ready(&["server/files"]);
    let running = pids(&home, "files");
    make(&home, "before").expect("there is room");
    assert_eq!(readiness(&home), (200, vec![]));

    // Fills the daemon's own file system, as it sees it.
    let data = home.path("data");
    let data = data.strip_prefix("/").expect("an absolute path");
    let ballast = fs::canonicalize(format!("/proc/{}/root", home.pid()))
        .map(|_| format!("/proc/{}/root/{}/ballast", home.pid(), data.display()))
        .expect("the daemon's root can be entered");
    let mut file = fs::File::create(&ballast).expect("a file can be made");
    while file.write_all(&[0; 4096]).is_ok() {}
    drop(file);
    let mut made = vec!["before".to_owned()];
    eventually("writes are refused", || {
        let name = format!("p{}", made.len());
        match make(&home, &name) {
            Ok(()) => {
                made.push(name);
                false
            }
            Err(code) => code == "ORCH5002",
        }
    });
    assert_eq!(readiness(&home), (503, vec!["database-writes".to_owned()]));
    Request::new(home.address(), "GET", "/healthz").send().expect(200);
    assert_eq!(home.get("prompts")["metadata"]["total"], made.len());
    assert_eq!(home.http("GET", "/api/v1/prompts?watch=1").stream().status, 200);
    assert_eq!(pids(&home, "files"), running, "what runs goes on");

    fs::remove_file(&ballast).expect("the file can be removed");
    eventually("the daemon finds out by itself", || readiness(&home).0 == 200);
    make(&home, "after").expect("there is room again");
    for name in made.iter().map(String::as_str).chain(["after"]) {
        home.get(&format!("prompts/{name}"));
    }
    assert_eq!(home.get("prompts")["metadata"]["total"], made.len() + 1);
}

#[test]
fn a_database_that_goes_away_and_comes_back() {
    let Some((home, postgres)) = Home::on_own_postgres() else {
        return;
    };
    let home = home.started();
    home.apply(&server("files", &[]));
    home.until_ready(&["server/files"]);
    let running = pids(&home, "files");
    make(&home, "before").expect("the database is there");

    postgres.stop();
    eventually("it is seen", || {
        readiness(&home) == (503, vec!["database".to_owned(), "database-writes".to_owned()])
    });
    Request::new(home.address(), "GET", "/healthz").send().expect(200);
    for path in ["/api/v1/prompts", "/api/v1/prompts/before", "/api/v1/status"] {
        let answer = home.http("GET", path).send().expect(503);
        assert!(answer.header("retry-after").is_some(), "{answer:?}");
        assert_eq!(answer.code(), "ORCH5001", "{path}");
    }
    assert_eq!(make(&home, "meanwhile"), Err("ORCH5001".to_owned()));

    postgres.resume();
    eventually("the daemon goes on by itself", || readiness(&home).0 == 200);
    make(&home, "after").expect("the database is there again");
    home.get("prompts/before");
    home.http("GET", "/api/v1/prompts/meanwhile").send().expect(404);
    assert_eq!(pids(&home, "files"), running, "what runs goes on");
    home.apply(&manifest("Prompt", "last", &json!({"content": "x"})));
}

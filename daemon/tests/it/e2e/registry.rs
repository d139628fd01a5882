//! Real servers from the real registries. Skipped, with the reason, where they cannot be had; required where
//! `ORCH_REQUIRE_ALL` asks for everything.

use std::path::Path;

use rustix::process::Signal;

use super::pids;
use crate::support::daemon::{Home, eventually};
use crate::support::outside::{is_required, skip, succeeds};
use crate::support::processes;

#[test]
fn servers_from_npm_and_pypi_on_sqlite() {
    if is_possible() {
        story(Home::new());
    }
}

#[test]
fn servers_from_npm_and_pypi_on_postgres() {
    // Installing everything twice is for those who ask for everything.
    if is_required()
        && is_possible()
        && let Some(home) = Home::on_postgres()
    {
        story(home);
    }
}

fn story(home: Home) {
    let mut home = home.with_registries().started();
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/registry");
    for name in ["everything", "files", "memory", "time"] {
        let manifest = std::fs::read_to_string(examples.join(name).with_extension("yaml")).expect("an example");
        home.write(&format!("registry/{name}.yaml"), &manifest);
    }
    let servers = ["server/everything", "server/files", "server/memory", "server/time"];
    home.orchctl(&["apply", "-f", "registry"]).expect(0);
    home.orchctl(&[&["wait", "--timeout", "9m"], servers.as_slice()].concat())
        .expect(0);
    home.orchctl(&["get", "servers"]).expect(0).saying(&[
        "2/2",
        "npm @modelcontextprotocol/server-memory",
        "pypi mcp-server-time",
    ]);
    for name in ["everything", "files", "memory", "time"] {
        let server = home.get(&format!("servers/{name}"));
        assert!(server["status"]["resolved"]["version"].is_string(), "{server}");
        assert!(
            server["status"]["tools"]["count"]
                .as_u64()
                .is_some_and(|count| count > 0),
            "{server}"
        );
        home.orchctl(&["describe", "server", name]).expect(0).saying(&["Ready"]);
    }
    home.orchctl(&["diff", "-f", "registry"]).expect(0);
    let export = home.orchctl(&["get", "servers", "-o", "yaml"]).expect(0).stdout;
    home.apply(&export).saying(&["4 unchanged"]);

    // What is installed runs again without being installed again, and without a wrapper.
    let before = pids(&home, "memory");
    assert_eq!(before.len(), 1);
    processes::signal(before[0], Signal::KILL);
    eventually("the killed copy is back", || {
        let now = pids(&home, "memory");
        now.len() == 1 && now != before
    });
    home.kill_9();
    home.start();
    home.orchctl(&[&["wait", "--timeout", "2m"], servers.as_slice()].concat())
        .expect(0);
    home.orchctl(&["delete", "-f", "registry"]).expect(0);
    assert_eq!(
        home.processes()
            .into_iter()
            .map(processes::describe)
            .collect::<Vec<_>>(),
        Vec::<String>::new()
    );
}

/// Whether the registries can be used from here.
pub(super) fn is_possible() -> bool {
    let missing = [
        (
            "npm view @modelcontextprotocol/server-memory version",
            "npm, or the way to its registry",
        ),
        ("python3 -c 'import venv, ensurepip'", "python3 with venv"),
    ]
    .into_iter()
    .find(|(command, _)| !succeeds(command));
    if let Some((_, what)) = missing {
        skip(&format!("{what} is missing"));
    }
    missing.is_none()
}

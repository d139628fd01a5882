//! Real servers from the real registries. Skipped, with the reason, where they cannot be had; required where
//! `ORCH_REQUIRE_ALL` asks for everything.

use std::path::Path;

use orch_shared::kind::downcast;
use orch_shared::kinds::template::Template;
use rustix::process::Signal;

use super::pids;
use crate::support::daemon::{Home, eventually};
use crate::support::outside::{is_required, registries_answer, succeeds};
use crate::support::processes;

#[test]
fn servers_from_npm_and_pypi_on_sqlite() {
    if registries_answer() {
        story(Home::new());
    }
}

#[test]
fn servers_from_npm_and_pypi_on_postgres() {
    // Installing everything twice is for those who ask for everything.
    if is_required()
        && registries_answer()
        && let Some(home) = Home::on_postgres()
    {
        story(home);
    }
}

/// What each entry of the catalogue is given, beside its secrets.
const GIVEN: &[(&str, &[(&str, &str)])] = &[
    ("arxiv", &[("directory", "DIR")]),
    ("azure", &[("tenant_id", "t"), ("client_id", "c")]),
    ("filesystem", &[("directory", "DIR")]),
    ("git", &[("repository", "DIR/repository")]),
    (
        "jira",
        &[
            ("url", "https://acme.atlassian.example"),
            ("username", "a@acme.example"),
        ],
    ),
    ("kubernetes", &[("kubeconfig", "DIR/kubeconfig")]),
    ("memory", &[("file", "DIR/memory.json")]),
];

#[test]
fn every_entry_of_the_catalogue_starts() {
    // Installing all of them is for those who ask for everything.
    if !is_required() || !registries_answer() {
        return;
    }
    let home = Home::new().with_registries().started();
    let directory = home.path("given").display().to_string();
    assert!(succeeds(&format!("git init -q {directory}/repository")));
    // It wants to know of a cluster; it does not ask whether that answers.
    let kubeconfig = serde_json::json!({
        "apiVersion": "v1", "kind": "Config", "current-context": "none",
        "clusters": [{"name": "none", "cluster": {"server": "http://127.0.0.1:9"}}],
        "users": [{"name": "none", "user": {"token": "none"}}],
        "contexts": [{"name": "none", "context": {"cluster": "none", "user": "none"}}],
    });
    home.write("given/kubeconfig", &kubeconfig.to_string());
    let key = "mongodb://127.0.0.1:9/none";
    home.apply(&super::manifest(
        "Secret",
        "keys",
        &serde_json::json!({"data": {"key": key}}),
    ));
    let mut servers = Vec::new();
    for resource in orch_daemon::catalogue::objects() {
        let name = resource.metadata.name.as_str();
        let template = downcast::<Template>(resource.spec.as_ref()).expect("a Template");
        let given = GIVEN
            .iter()
            .find(|(known, _)| *known == name)
            .map_or(&[][..], |(_, given)| given);
        let mut line = ["create", "server", name, "--from-template", name]
            .map(str::to_owned)
            .to_vec();
        for (parameter, value) in given {
            let value = value.replace("DIR", &directory);
            line.extend(["--param".to_owned(), format!("{parameter}={value}")]);
        }
        for parameter in template
            .parameters
            .iter()
            .flatten()
            .filter(|parameter| parameter.is_secret())
        {
            line.extend(["--param-secret".to_owned(), format!("{}=keys/key", parameter.name)]);
        }
        // Twenty installations at a time need more than the usual minute to the first answer.
        line.extend(["--health-check-startup-deadline".to_owned(), "9m".to_owned()]);
        let line: Vec<&str> = line.iter().map(String::as_str).collect();
        home.orchctl(&line).expect(0);
        servers.push(format!("server/{name}"));
    }
    let servers: Vec<&str> = servers.iter().map(String::as_str).collect();
    home.orchctl(&[&["wait", "--timeout", "20m"], servers.as_slice()].concat())
        .expect(0);
    for server in servers {
        let tools = || home.get(&server.replace('/', "s/"))["status"]["tools"]["count"].as_u64();
        eventually("its tools are known", || tools().is_some_and(|count| count > 0));
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

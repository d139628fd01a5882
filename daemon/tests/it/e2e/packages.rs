//! Packages as far as they can be told without any registry: which program is run, and what is said when none can be got.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;

use serde_json::{Value, json};

use super::{condition, copies, manifest, server};
use crate::support::daemon::{Home, eventually, say};

/// A stand-in for npm: whatever it is asked for, it installs a package of two programs.
const NPM: &str = r#"#!/bin/sh
for requirement; do :; done
module="node_modules/${requirement%@*}"
mkdir -p "$module"
echo '{"name": "acme", "version": "1.2.3", "bin": {"first": "first", "second": "second"}}' > "$module/package.json"
for program in first second; do
    printf '#!/bin/sh\nexec orch-fixture --say "this is %s"\n' "$program" > "$module/$program"
    chmod +x "$module/$program"
done
"#;

/// A Server that runs a package.
fn package(name: &str, registry: &str, more: &Value) -> String {
    let mut package = json!({"registry": registry, "name": "acme"});
    let fields = package.as_object_mut().expect("a mapping");
    fields.extend(more.as_object().expect("a mapping").clone());
    manifest("Server", name, &json!({ "package": package }))
}

/// Whether the server is told to be in trouble, with that reason and all of those texts.
fn is_in_trouble(home: &Home, name: &str, reason: &str, texts: &[&str]) -> bool {
    let server = home.get(&format!("servers/{name}"));
    let conditions = server["status"]["conditions"].as_array().cloned().unwrap_or_default();
    let ready = conditions.iter().find(|condition| condition["type"] == "Ready");
    let message = ready.and_then(|ready| ready["message"].as_str()).unwrap_or_default();
    condition(&server, "Ready") == ("False".to_owned(), reason.to_owned())
        && texts.iter().all(|text| message.contains(text))
}

/// Waits until a server's copy has failed in its place of others, and is left alone for longer than the first was.
#[track_caller]
fn until_left_alone(home: &Home, name: &str) {
    eventually("the pauses between two tries grow", || {
        copies(home, name).iter().any(|copy| {
            let failed_before = copy["spec"]["failedBefore"].as_u64().unwrap_or(0);
            let instant = |value: &Value| {
                let text = value.as_str().unwrap_or_default();
                text.parse::<orch_shared::resource::Timestamp>()
            };
            let (failed, next) = (
                instant(&copy["status"]["lastExit"]["at"]),
                instant(&copy["status"]["nextTry"]),
            );
            failed_before >= 2
                && copy["status"]["restarts"].as_u64().unwrap_or(0) == 0
                && matches!((failed, next), (Ok(failed), Ok(next)) if next.since(failed).as_secs() >= 3)
        })
    });
}

#[test]
fn the_program_that_is_asked_for_is_run() {
    let home = Home::new();
    for (program, script) in [("npm", NPM), ("node", "#!/bin/sh\nexit 1\n")] {
        let path = home.write(&format!("bin/{program}"), script);
        std::fs::set_permissions(path, Permissions::from_mode(0o755)).expect("the mode can be set");
    }
    let path = format!("{}:/usr/bin:/bin", home.path("bin").display());
    let home = home.with_environment(&[("PATH", &path)]).started();
    home.apply(&package("acme", "npm", &json!({"executable": "second"})));
    home.until_ready(&["server/acme"]);
    eventually("the copy tells which program it is", || {
        home.orchctl(&["logs", "acme"]).stdout.contains("this is second")
    });

    // The same installation, another program: a change like any other.
    home.apply(&package("acme", "npm", &json!({"executable": "first"})));
    home.until_ready(&["server/acme"]);
    eventually("the other program runs", || {
        home.orchctl(&["logs", "acme"]).stdout.contains("this is first")
    });

    home.apply(&package("acme", "npm", &json!({"executable": "frist"})));
    eventually("the programs there are get named", || {
        let texts = ["no such program", "did you mean `first`?", "first, second", "ORCH60"];
        is_in_trouble(&home, "acme", "CommandNotFound", &texts)
    });
    home.apply(&package("acme", "npm", &json!({})));
    eventually("nobody guesses", || {
        let texts = ["several programs", "spec.package.executable", "first, second"];
        is_in_trouble(&home, "acme", "CommandNotFound", &texts)
    });
    home.orchctl_reading(
        &package("acme", "npm", &json!({"executable": "../../bin/sh"})),
        &["apply", "-f", "-"],
    )
    .expect(1)
    .saying(&["spec.package.executable"]);
}

#[test]
fn where_npm_and_python_are_missing_that_is_said() {
    let home = Home::new();
    let nothing = home.path("nothing");
    std::fs::create_dir(&nothing).expect("a directory can be made");
    let path = nothing.to_str().expect("text").to_owned();
    let home = home.with_environment(&[("PATH", &path)]).started();
    home.apply(
        &[
            package("js", "npm", &json!({})),
            package("py", "pypi", &json!({})),
            server("other", &[]),
        ]
        .concat(),
    );
    for (name, program) in [("js", "npm"), ("py", "python3")] {
        eventually("it is said what is missing", || {
            let missing = format!("{program} is not installed");
            let texts = [missing.as_str(), "apt-get install", "ORCH60"];
            is_in_trouble(&home, name, "ToolMissing", &texts)
        });
        until_left_alone(&home, name);
        home.orchctl(&["why", &format!("server/{name}")])
            .saying(&[program, "apt-get install"]);
    }
    // What needs neither is not disturbed.
    home.until_ready(&["server/other"]);
}

#[test]
fn where_no_registry_answers_that_is_said() {
    let dead = "http://127.0.0.1:9/";
    let home = Home::new().with_environment(&[
        ("npm_config_registry", dead),
        ("npm_config_fetch_retries", "0"),
        ("PIP_INDEX_URL", dead),
        ("PIP_NO_INDEX", "false"),
        ("PIP_FIND_LINKS", ""),
        ("UV_INDEX_URL", dead),
    ]);
    let tools = [
        ("js", "npm", "npm --version"),
        ("py", "pypi", "python3 -c 'import venv, ensurepip'"),
    ];
    let there = tools.map(|(_, registry, question)| {
        let there = crate::support::outside::succeeds(question);
        let required = std::env::var_os("ORCH_REQUIRE_ALL").is_some();
        assert!(
            there || !required,
            "what {registry} needs is missing, and ORCH_REQUIRE_ALL asks for it"
        );
        if !there {
            say(&format!("skipped for {registry}: what installs from it is missing"));
        }
        there
    });
    let home = home.started();
    for ((name, registry, _), _) in tools.iter().zip(there).filter(|(_, there)| *there) {
        home.apply(&package(name, registry, &json!({"version": "1.0.0"})));
        eventually("it is said that there is no way to the registry", || {
            let texts = ["registry cannot be reached", "check the network", "ORCH60"];
            is_in_trouble(&home, name, "NoNetwork", &texts)
        });
    }
}

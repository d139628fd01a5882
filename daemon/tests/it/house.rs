//! The invariants of the house, held by reading its source: which room knows which crate, which way the arrows run, how
//! large a file may be, and that nothing is forgotten. What stands here as a table is the rule; changing a table is
//! changing the architecture.

pub(crate) mod source;

use std::collections::BTreeSet;
use std::fs;

use source::{Source, dependencies, root, sources};

/// Crates from outside that belong to a room, and the rooms: folders, files, or beginnings of both.
const OWNED: &[(&str, &[&str])] = &[
    ("aes_gcm", &["daemon/src/secrets/"]),
    (
        "anyhow",
        &["daemon/src/main.rs", "daemon/src/up.rs", "daemon/src/serve/"],
    ),
    ("argon2", &["daemon/src/auth/"]),
    (
        "axum",
        &[
            "daemon/src/api/",
            "daemon/src/body.rs",
            "daemon/src/gateway/",
            "daemon/src/inference/",
            "daemon/src/serve/doors.rs",
            "daemon/src/serve/listen.rs",
        ],
    ),
    ("bollard", &["daemon/src/runtime/docker/"]),
    (
        "clap",
        &[
            "cli/src/",
            "daemon/src/main.rs",
            "daemon/src/config",
            "daemon/src/telemetry.rs",
        ],
    ),
    ("clap_complete", &["cli/src/"]),
    ("clap_mangen", &["cli/src/"]),
    ("comfy_table", &["cli/src/render/"]),
    ("crossterm", &["cli/src/ui/hidden.rs", "cli/src/verbs/console"]),
    (
        "getrandom",
        &[
            "daemon/src/auth/",
            "daemon/src/clock.rs",
            "daemon/src/gateway/",
            "daemon/src/secrets/",
        ],
    ),
    ("glob", &["cli/src/input.rs"]),
    (
        "http",
        &[
            "daemon/src/auth/",
            "daemon/src/gateway/",
            "daemon/src/runtime/link/http/",
            "daemon/src/secrets/vault/",
            "daemon/src/telemetry.rs",
        ],
    ),
    ("governor", &["daemon/src/auth/", "daemon/src/limits.rs"]),
    (
        "http_body_util",
        &[
            "daemon/src/api/",
            "daemon/src/body.rs",
            "daemon/src/inference/",
            "daemon/src/runtime/link/http/",
            "daemon/src/secrets/vault/",
        ],
    ),
    ("httpdate", &["daemon/src/inference/"]),
    (
        "hyper",
        &[
            "daemon/src/inference/",
            "daemon/src/runtime/link/http/",
            "daemon/src/serve/",
        ],
    ),
    (
        "hyper_rustls",
        &["daemon/src/runtime/link/http/", "daemon/src/secrets/vault/"],
    ),
    (
        "hyper_util",
        &[
            "daemon/src/runtime/link/http/",
            "daemon/src/secrets/vault/",
            "daemon/src/serve/",
        ],
    ),
    ("indicatif", &["cli/src/ui", "daemon/src/up.rs"]),
    (
        "jiff",
        &[
            "cli/src/render/age.rs",
            "cli/src/verbs/doctor.rs",
            "shared/src/resource.rs",
        ],
    ),
    ("memchr", &["shared/src/inference/", "shared/src/sse/frames.rs"]),
    ("tikv_jemalloc_sys", &["daemon/src/serve/memory.rs"]),
    ("prometheus_client", &["daemon/src/telemetry.rs"]),
    ("pulldown_cmark", &["cli/src/render/markdown/inline.rs"]),
    ("ratatui", &["cli/src/verbs/console"]),
    ("rmcp", &["daemon/src/runtime/"]),
    (
        "rustix",
        &[
            "cli/src/ui/signals.rs",
            "daemon/src/runtime/",
            "daemon/src/store/lock.rs",
            "daemon/src/telemetry.rs",
        ],
    ),
    (
        "rustls",
        &[
            "cli/src/client",
            "daemon/src/runtime/",
            "daemon/src/secrets/vault/",
            "daemon/src/serve/",
        ],
    ),
    ("rustyline", &["cli/src/verbs/chat/prompt.rs"]),
    ("saphyr_parser", &["shared/src/manifest/"]),
    ("serde_json_path", &["cli/src/render/jsonpath.rs"]),
    (
        "serde_yaml",
        &["cli/src/settings/file.rs", "daemon/src/config.rs", "daemon/src/serve/"],
    ),
    ("signal_hook", &["cli/src/ui/signals.rs"]),
    ("similar", &["shared/src/diff.rs"]),
    ("sqlx", &["daemon/src/store/"]),
    ("sse_stream", &["daemon/src/runtime/link/http/"]),
    ("strsim", &["shared/src/problem.rs"]),
    ("subtle", &["daemon/src/auth/"]),
    ("tokio_rustls", &["daemon/src/serve/"]),
    ("toml_edit", &["cli/src/clients/"]),
    ("tower", &["daemon/src/api/", "daemon/src/runtime/link/http/"]),
    ("tracing_subscriber", &["daemon/src/telemetry.rs"]),
    (
        "unicode_width",
        &["cli/src/render/markdown/", "cli/src/render/table.rs"],
    ),
    ("ureq", &["cli/src/client"]),
    ("url", &["daemon/src/runtime/link/http/"]),
    ("uuid", &["daemon/src/clock.rs", "daemon/src/store/"]),
];

/// Crates from outside that any room of the crates that depend on them may use: plain data, errors, tasks, logs.
const COMMON: &[&str] = &[
    "base64",
    "bytes",
    "futures_util",
    "hex",
    "orch_shared",
    "schemars",
    "serde",
    "serde_json",
    "sha2",
    "thiserror",
    "tokio",
    "tokio_util",
    "tracing",
    "zeroize",
];

/// Which rooms of the daemon a room may know. What is not listed here knows no other room but the clock, the batch and the mask.
const ARROWS: &[(&str, &[&str])] = &[
    (
        "api",
        &[
            "admission",
            "agents",
            "audit",
            "auth",
            "publishing",
            "store",
            "runtime",
            "telemetry",
            "usage",
        ],
    ),
    ("agents", &["audit", "gateway", "inference", "store"]),
    ("gateway", &["audit", "limits", "reconcile", "store", "runtime"]),
    (
        "inference",
        &[
            "audit",
            "limits",
            "publishing",
            "reconcile",
            "secrets",
            "store",
            "runtime",
            "usage",
        ],
    ),
    ("auth", &["audit", "store"]),
    ("admission", &["audit", "auth", "store", "secrets"]),
    ("audit", &["store"]),
    ("usage", &["store"]),
    ("publishing", &["admission", "store"]),
    ("catalogue", &[]),
    ("secrets", &[]),
    ("store", &[]),
    ("reconcile", &["admission", "store", "runtime", "secrets", "telemetry"]),
    ("runtime", &[]),
];

/// Lines of a file, its tests not counted.
const LINES: usize = 600;

fn in_one_of(path: &str, places: &[&str]) -> bool {
    places.iter().any(|place| path.starts_with(place))
}

/// Fails with everything that was found, not just the first.
fn none(rule: &str, found: impl IntoIterator<Item = String>) {
    let found: Vec<_> = found.into_iter().collect();
    assert!(found.is_empty(), "{rule}:\n  {}", found.join("\n  "));
}

#[test]
fn outside_crates_stay_in_their_rooms() {
    let code = sources(&["cli/src", "daemon/src", "shared/src"]);
    let strays = code.iter().flat_map(|source| {
        let foreign = |(name, places): &&(&str, &[&str])| source.uses(name) && !in_one_of(&source.path, places);
        OWNED
            .iter()
            .filter(foreign)
            .map(|(name, places)| format!("{}: {name} belongs to {places:?}", source.path))
    });
    none("crates used outside their rooms", strays);
}

#[test]
fn every_room_in_the_table_is_lived_in() {
    let code = sources(&["cli/src", "daemon/src", "shared/src"]);
    let empty = OWNED.iter().flat_map(|(name, places)| {
        let lived_in = |place: &&&str| {
            code.iter()
                .any(|source| source.path.starts_with(**place) && source.uses(name))
        };
        places
            .iter()
            .filter(move |place| !lived_in(place))
            .map(move |place| format!("{place}: {name}"))
    });
    none("rooms that do not use the crate they are listed for", empty);
}

#[test]
fn every_dependency_has_a_place() {
    let homeless = ["cli", "daemon", "shared"].into_iter().flat_map(|member| {
        let known = |name: &String| COMMON.contains(&name.as_str()) || OWNED.iter().any(|(owned, _)| owned == name);
        dependencies(member)
            .into_iter()
            .filter(move |name| !known(name))
            .map(move |name| format!("{member}: {name}"))
    });
    none(
        "dependencies without a room (OWNED) that are not common either (COMMON)",
        homeless,
    );
}

#[test]
fn no_dependency_is_idle() {
    let idle = ["cli", "daemon", "shared"].into_iter().flat_map(|member| {
        let code = sources(&[&format!("{member}/src")]);
        let used = move |name: &String| code.iter().any(|source| source.uses(name));
        dependencies(member)
            .into_iter()
            .filter(move |name| !used(name))
            .map(move |name| format!("{member}: {name}"))
    });
    none("dependencies that no code uses", idle);
}

/// What `deny.toml` keeps out is not there, on machines without `cargo deny` too.
#[test]
fn what_is_banned_is_not_locked() {
    let policy = fs::read_to_string(root().join("deny.toml")).unwrap();
    let banned: Vec<&str> = policy
        .lines()
        .filter_map(|line| line.trim().strip_prefix("{ crate = \"")?.split('"').next())
        .collect();
    assert!(banned.len() >= 5, "{banned:?}");
    let lock = fs::read_to_string(root().join("Cargo.lock")).unwrap();
    let locked: BTreeSet<&str> = lock
        .lines()
        .filter_map(|line| line.strip_prefix("name = \"")?.strip_suffix('"'))
        .collect();
    assert!(locked.contains("ring"));
    none(
        "banned crates",
        banned
            .into_iter()
            .filter(|name| locked.contains(name))
            .map(str::to_owned),
    );
}

#[test]
fn arrows_run_downward() {
    let rooms: Vec<&str> = ARROWS
        .iter()
        .map(|(room, _)| *room)
        .chain(["serve", "up", "telemetry", "config"])
        .collect();
    let upward = ARROWS.iter().flat_map(|(room, known)| {
        sources(&[&format!("daemon/src/{room}")]).into_iter().flat_map({
            let rooms = rooms.clone();
            move |source| {
                let foreign =
                    |other: &&str| other != room && !known.contains(other) && source.uses(&format!("crate::{other}"));
                rooms
                    .iter()
                    .filter(|other| foreign(other))
                    .map(|other| format!("{} -> {other}", source.path))
                    .collect::<Vec<_>>()
            }
        })
    });
    none("rooms that know a room they must not know", upward);
}

#[test]
fn the_vocabulary_does_nothing() {
    let forbidden = [
        "std::fs",
        "std::env",
        "std::net",
        "std::process",
        "std::thread",
        "std::time::Instant",
        "SystemTime",
        "tokio",
        "sqlx",
        "axum",
        "clap",
        "getrandom",
        "rand",
    ];
    let acting = sources(&["shared/src"]).into_iter().flat_map(|source| {
        let used = forbidden.iter().filter(|name| source.uses(name));
        used.map(|name| format!("{}: {name}", source.path)).collect::<Vec<_>>()
    });
    none("the shared crate has IO, a clock or randomness", acting);
}

#[test]
fn deciding_is_pure() {
    let doing = [
        "async ",
        ".await",
        "tokio",
        "tracing",
        "std::fs",
        "Instant::now",
        "SystemTime",
        "crate::store::Store",
    ];
    let impure = sources(&["daemon/src/reconcile/plan"]).into_iter().flat_map(|source| {
        let found = doing.iter().filter(|word| source.code.contains(**word));
        found.map(|word| format!("{}: {word}", source.path)).collect::<Vec<_>>()
    });
    none("plans do something", impure);
}

/// Where the command line says a kind by its name, and why it must.
const NAMES_OF_KINDS: &[&str] = &[
    // What `-p` and `--agent` name, to be completed and to be looked up.
    "cli/src/complete.rs",
    "cli/src/verbs/get.rs",
    // What the texts of flags stand for is in a Template.
    "cli/src/verbs/create/parameters.rs",
    // Only a Template is made of a document that others write.
    "cli/src/verbs/create/server_json.rs",
    // Only a model and an agent are published.
    "cli/src/provide/offer.rs",
    // Of what an import would replace, its Project is told of apart.
    "cli/src/verbs/client/import.rs",
    // Short ways of typing what is common.
    "cli/src/verbs/create/shorthands.rs",
    "cli/src/verbs/create/examples.rs",
    // Logs are of instances, and so of servers.
    "cli/src/verbs/logs.rs",
    "cli/src/verbs/why.rs",
    // A token that lives in the cluster is not everybody's.
    "cli/src/verbs/describe.rs",
    // Whoever speaks to an agent names it, and the personality that it is to take on.
    "cli/src/verbs/agents.rs",
    // The gateway serves projects and servers.
    "cli/src/mcp/target.rs",
];

#[test]
fn the_command_line_knows_kinds_by_their_list() {
    let names = fs::read_dir(root().join("shared/src/kinds")).unwrap();
    let names = names.filter_map(|file| {
        let name = file.unwrap().file_name().into_string().unwrap();
        let (first, rest) = name.strip_suffix(".rs")?.split_at(1);
        Some(format!("Kind::{}{rest}", first.to_uppercase()))
    });
    let names: Vec<String> = names.collect();
    let naming = |source: &Source| names.iter().any(|name| source.uses(name));
    let found: BTreeSet<String> = sources(&["cli/src"])
        .into_iter()
        .filter(naming)
        .map(|source| source.path)
        .collect();
    let allowed: BTreeSet<String> = NAMES_OF_KINDS.iter().map(|&path| path.to_owned()).collect();
    assert_eq!(
        found, allowed,
        "files of the command line that name a kind, and those that may"
    );
}

#[test]
fn what_holds_everywhere_is_held_by_tests_that_exist() {
    let tests = sources(&["daemon/tests", "shared/tests"]);
    let exists = |name: &str| {
        let function = format!("fn {}(", name.rsplit("::").next().unwrap_or(name));
        tests.iter().any(|source| source.text.contains(&function))
    };
    for page in ["daemon/src/lib.rs", "shared/src/lib.rs"] {
        let text = fs::read_to_string(root().join(page)).unwrap();
        let doc: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("//!")).collect();
        let doc = doc.join(" ");
        let names: Vec<&str> = doc
            .split('`')
            .skip(1)
            .step_by(2)
            .filter(|name| {
                ["house::", "laws::", "plan::", "store::", "e2e::"]
                    .iter()
                    .any(|room| name.starts_with(room))
            })
            .collect();
        assert!(names.len() > 3, "{page}: {names:?}");
        none(page, names.into_iter().filter(|name| !exists(name)).map(str::to_owned));
    }
}

#[test]
fn processes_start_in_one_room() {
    let places = [
        "daemon/src/runtime/",
        "cli/src/verbs/edit",
        "cli/src/verbs/doctor",
        "cli/src/provide/engine.rs",
    ];
    let starting = sources(&["cli/src", "daemon/src", "shared/src"]).into_iter();
    let starting = starting.filter(|source| source.uses("std::process::Command") || source.uses("tokio::process"));
    none(
        "processes start elsewhere",
        starting
            .map(|source| source.path)
            .filter(|path| !in_one_of(path, &places)),
    );
}

#[test]
fn only_admission_writes_specs() {
    let places = [
        "daemon/src/store/",
        "daemon/src/admission/",
        "daemon/src/serve/rotate.rs",
    ];
    let writing = sources(&["daemon/src"]).into_iter();
    let writing = writing.filter(|source| source.uses("Mutation::Create") || source.uses("Mutation::Update"));
    let writing: Vec<_> = writing.map(|source| source.path).collect();
    assert!(
        writing.iter().any(|path| path.starts_with("daemon/src/admission/")),
        "nobody writes specs: {writing:?}"
    );
    none(
        "specs are written elsewhere",
        writing.into_iter().filter(|path| !in_one_of(path, &places)),
    );
}

#[test]
fn files_say_what_they_are_and_stay_small() {
    let files = sources(&["cli", "daemon", "shared", "examples"]);
    assert!(files.len() > 100, "{} files", files.len());
    let silent = files.iter().filter(|file| !file.text.starts_with("//!"));
    none(
        "modules that do not open with a sentence (//!)",
        silent.map(|file| file.path.clone()),
    );
    let large = files.iter().filter(|file| file.code.lines().count() > LINES);
    none(
        "files to be split by noun",
        large.map(|file| format!("{}: {} lines", file.path, file.code.lines().count())),
    );
    let main = files
        .iter()
        .filter(|file| file.path.ends_with("/src/main.rs") && file.code.lines().count() >= 50);
    none(
        "a main.rs is under 50 lines",
        main.map(|file| format!("{}: {} lines", file.path, file.code.lines().count())),
    );
    let drawers = ["utils", "util", "helpers", "helper", "misc", "common"];
    let drawer = |path: &str| {
        path.trim_end_matches(".rs")
            .split('/')
            .skip(1)
            .any(|part| drawers.contains(&part))
    };
    none(
        "names that say nothing",
        files.iter().map(|file| file.path.clone()).filter(|path| drawer(path)),
    );
}

#[test]
fn nothing_is_left_for_later_or_silenced() {
    // In two parts, so that this file does not find itself.
    let words = [
        concat!("to", "do!("),
        concat!("unimple", "mented!("),
        concat!("TO", "DO"),
        concat!("FIX", "ME"),
        concat!("db", "g!("),
        concat!("#[al", "low("),
        concat!("#![al", "low("),
    ];
    let found = sources(&["cli", "daemon", "shared", "examples"])
        .into_iter()
        .flat_map(|file| {
            let found = words.iter().filter(|word| file.text.contains(**word));
            found.map(|word| format!("{}: {word}", file.path)).collect::<Vec<_>>()
        });
    none("left for later, or silenced without a reason", found);
}

/// A file that no `mod` names is never compiled, and a test in it never fails.
#[test]
fn no_file_is_forgotten() {
    let files = sources(&["cli", "daemon", "shared", "examples"]);
    let named = |file: &Source| {
        file.parents().iter().any(|parent| {
            let declared = |text: &str| text.lines().any(|line| source::declares(line, &file.module(), parent));
            files.iter().any(|other| other.path == *parent && declared(&other.text))
        })
    };
    let forgotten = files.iter().filter(|file| !file.is_root() && !named(file));
    none("files that no mod names", forgotten.map(|file| file.path.clone()));
}

#[test]
fn the_top_level_is_what_the_readme_says() {
    let allowed = BTreeSet::from(["cli", "completions", "daemon", "docs", "examples", "shared"]);
    let found: BTreeSet<String> = fs::read_dir(root())
        .unwrap()
        .map(Result::unwrap)
        .filter(|entry| entry.path().is_dir())
        .map(|entry| entry.file_name().into_string().unwrap())
        .filter(|name| !name.starts_with('.') && name != "target")
        .collect();
    none(
        "folders beside the crates",
        found.iter().filter(|name| !allowed.contains(name.as_str())).cloned(),
    );
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    none(
        "folders that the README does not explain",
        found.into_iter().filter(|name| !readme.contains(&format!("{name}/"))),
    );
}

#[test]
fn what_people_run_is_what_is_tested() {
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    let pipeline = fs::read_to_string(root().join(".ci/run")).unwrap();
    let command = "cargo test --workspace --locked";
    assert!(
        readme.lines().any(|line| line.trim() == command),
        "the README names another test command than `{command}`"
    );
    assert!(
        pipeline.contains(&format!("ORCH_REQUIRE_ALL=1 {command}")),
        ".ci/run runs another test command than `{command}`"
    );
}

//! Objects from flags.

use crate::support::daemon::{Answer, Daemon};
use crate::support::home::{Home, story};
use serde_json::json;

#[test]
fn flags_make_manifests() {
    let home = Home::new();
    home.write("values.env", "# values\nUSER=me\nPASSWORD='a b'\n");
    let client = ["--dry-run=client"];
    let runs: [&[&str]; 13] = [
        &[
            "create",
            "server",
            "files",
            "--package",
            "npm:@modelcontextprotocol/server-filesystem@2026.8.31",
            "--arg",
            "/srv",
            "--env",
            "A=B=C",
            "--env-from-secret",
            "T=gitea/token",
            "--replicas",
            "2",
            "--label",
            "team=core",
        ],
        &[
            "create",
            "srv",
            "mine",
            "--health-check-interval",
            "10s",
            "--resources-memory",
            "512Mi",
            "--",
            "/usr/bin/mine",
            "--stdio",
        ],
        &[
            "create",
            "server",
            "far",
            "--remote",
            "https://mcp.example.com/mcp",
            "--header-from-secret",
            "Authorization=far/bearer",
        ],
        &[
            "create",
            "server",
            "git",
            "--from-template",
            "gitea",
            "--param",
            "host=git.example.com",
            "--param",
            "port=3000",
        ],
        &[
            "create",
            "llm",
            "fast",
            "--provider",
            "openai",
            "--model",
            "gpt-5-mini",
            "--api-key-ref",
            "openai/key",
            "--fallbacks",
            "slow,slower",
        ],
        &[
            "create",
            "agent",
            "reviewer",
            "--llm",
            "fast",
            "-p",
            "web",
            "--default-params-temperature",
            "0.2",
        ],
        &["create", "project", "web", "--servers", "files,git", "--gated"],
        &[
            "create",
            "token",
            "ci",
            "--limits-requests-per-minute",
            "60",
            "--limits-concurrent",
            "4",
            "--budget-tokens",
            "2000000",
            "--budget-cost",
            "2.5",
            "--budget-period",
            "day",
        ],
        &[
            "create",
            "prompt",
            "tone",
            "-p",
            "web",
            "--content",
            "8080",
            "--priority",
            "7",
        ],
        &[
            "create",
            "prompt",
            "tone",
            "--set",
            "content=8080",
            "--set",
            "chapters[0]=one",
            "--annotation",
            "note=a=b",
        ],
        &[
            "create",
            "template",
            "gitea",
            "--server-command",
            "/bin/gitea",
            "--parameters",
            "{name: host, required: true}",
            "--set",
            "server.env[0].name=HOST",
            "--set",
            "server.env[0].value=${host}",
        ],
        &[
            "create",
            "secret",
            "login",
            "--from-env-file",
            "values.env",
            "--from-literal",
            "x=sealed:v1:no",
            "--plaintext",
        ],
        &[
            "create",
            "secret",
            "login",
            "--from-file",
            "values.env",
            "--plaintext",
            "-o",
            "json",
        ],
    ];
    insta::assert_snapshot!(story(runs.map(|arguments| {
        // What comes after `--` is the command's.
        let at = arguments
            .iter()
            .position(|word| *word == "--")
            .unwrap_or(arguments.len());
        home.run(&[&arguments[..at], &client, &arguments[at..]].concat())
    })));
}

/// The manifest that flags make.
#[track_caller]
fn made(home: &Home, arguments: &[&str], input: &str) -> serde_json::Value {
    let arguments = [&["create"], arguments, &["--dry-run=client", "-o", "json"]].concat();
    let shown = home.run_with_input(&arguments, input);
    assert_eq!(shown.code, 0, "{shown}");
    serde_json::from_str(&shown.stdout).unwrap_or_else(|error| panic!("{error}: {shown}"))
}

#[test]
fn switches_say_yes_and_no() {
    let home = Home::new();
    for (flags, expected) in [
        (&["--gated"][..], json!(true)),
        (&["--gated=true"], json!(true)),
        (&["--gated=false"], json!(false)),
        (&["--no-gated"], json!(false)),
        (&["--gated", "--no-gated"], json!(false)),
        (&["--no-gated", "--gated"], json!(true)),
        (&[], json!(null)),
    ] {
        let manifest = made(&home, &[&["project", "web"], flags].concat(), "");
        assert_eq!(manifest["spec"]["gated"], expected, "{flags:?}");
    }
    let wrong = home.run(&["create", "project", "web", "--gated=perhaps"]);
    assert!(wrong.code != 0 && wrong.stderr.contains("true"), "{wrong}");
}

#[test]
fn a_model_is_made_of_flags() {
    let home = Home::new();
    let flags = [
        "llm heavy --provider anthropic --model claude --tier heavy --api-key-ref keys/anthropic --url https://a.b/v1",
        "--extra temperature=0.5 --extra top_k=3 --pricing-input-per-million 3 --pricing-output-per-million 15",
        "--limits-requests-per-minute 60 --limits-concurrent 4 --fallback fast --fallback slow,last --timeout 90s",
        "--skip-auth-check",
    ];
    let typed = flags.join(" ");
    let manifest = made(&home, &typed.split(' ').collect::<Vec<_>>(), "");
    let spec = json!({
        "provider": "anthropic", "model": "claude", "url": "https://a.b/v1", "tier": "heavy",
        "apiKeyRef": {"name": "keys", "key": "anthropic"}, "extra": {"temperature": 0.5, "top_k": 3},
        "pricing": {"inputPerMillion": 3.0, "outputPerMillion": 15.0},
        "limits": {"requestsPerMinute": 60, "concurrent": 4}, "fallbacks": ["fast", "slow", "last"], "timeout": "90s",
    });
    assert_eq!(manifest["spec"], spec);
}

#[test]
fn a_prompt_is_made_of_a_file() {
    let home = Home::new();
    home.write("tone.md", "# Tone\n\nBe brief.\n");
    let from_file = ["prompt", "tone", "-p", "web", "--from-file", "tone.md"];
    let more = [
        "--priority",
        "80",
        "--summary",
        "How we write",
        "--tag",
        "style",
        "--tag",
        "words",
    ];
    let manifest = made(&home, &[&from_file[..], &more].concat(), "");
    let spec = json!({
        "content": "# Tone\n\nBe brief.\n", "priority": 80, "summary": "How we write", "tags": ["style", "words"],
    });
    assert_eq!(
        (&manifest["metadata"]["project"], &manifest["spec"]),
        (&json!("web"), &spec)
    );
    let manifest = made(&home, &["prompt", "tone", "--from-file", "-"], "Be brief.");
    assert_eq!(manifest["spec"], json!({"content": "Be brief."}));
    let link = "web/files:file:///tone.md";
    let manifest = made(&home, &["prompt", "tone", "--link", link], "");
    assert_eq!(manifest["spec"], json!({"link": link}));
    for wrong in [
        ["--from-file", "missing.md"],
        ["--priority", "101"],
        ["--priority", "0"],
        ["--link", "nowhere"],
    ] {
        let refused = home.run(&[
            "create",
            "prompt",
            "tone",
            "--content",
            "x",
            wrong[0],
            wrong[1],
            "--dry-run=client",
        ]);
        assert_ne!(refused.code, 0, "{refused}");
    }
}

#[test]
fn flags_that_are_wrong_are_named() {
    let home = Home::new();
    let runs: [&[&str]; 13] = [
        &["create", "server", "x", "--package", "left-pad"],
        &["create", "server", "x", "--replicas", "two", "--path", "mcp"],
        &["create", "server", "x", "--env", "A", "--package", "npm:x"],
        &["create", "server", "x", "--arg", "y"],
        &["create", "server", "x", "--transport", "studio"],
        &["create", "server", "x", "--packge", "npm:x"],
        &["create", "severs", "x"],
        &["create", "agent", "x"],
        &["create", "server", "x", "--package", "npm:x", "--set", "replcas=1"],
        &[
            "create",
            "server",
            "x",
            "--package",
            "npm:x",
            "--env-from-secret",
            "FOO=a",
        ],
        &["create", "project", "x", "--server", "notes"],
        &[
            "create",
            "project",
            "x",
            "--budget-currency",
            "EUR",
            "--budget-period",
            "day",
        ],
        &["create", "token", "x", "--budget-cost", "5", "--budget-period", "week"],
    ];
    insta::assert_snapshot!(story(runs.map(|arguments| home.run(arguments))));
}

#[test]
fn a_secret_from_standard_input_is_sealed_before_it_is_printed() {
    let daemon = Daemon::playing([Answer::json(200, &json!({"data": {"token": "sealed:v1:k1:AAAA"}}))]);
    let home = Home::with_daemon(&daemon.address);
    let arguments = [
        "create",
        "secret",
        "gitea",
        "--from-file",
        "token=-",
        "--dry-run=client",
    ];
    insta::assert_snapshot!(story([home.run_with_input(&arguments, "hunter2\n")]));
    let asked = daemon.asked();
    assert_eq!(asked[0].line, "POST /api/v1/seal");
    assert_eq!(asked[0].json(), json!({"name": "gitea", "data": {"token": "hunter2"}}));
}

#[test]
fn a_secret_is_not_printed_in_the_open_when_it_cannot_be_sealed() {
    let home = Home::new();
    let shown = home.run(&[
        "create",
        "secret",
        "x",
        "--from-literal",
        "a=hunter2",
        "--dry-run=client",
    ]);
    assert!(
        !shown.to_string().replace("a=hunter2", "").contains("hunter2"),
        "{shown}"
    );
    assert_eq!(shown.code, 2, "{shown}");
    assert!(shown.stderr.contains("--plaintext"), "{shown}");
}

#[test]
fn templates_are_made_of_registry_documents() {
    let home = Home::new();
    let document = json!({
        "name": "io.github.acme/weather", "description": "Weather: now and later", "version": "2.0.1",
        "packages": [
            {"registryType": "npm", "identifier": "@acme/weather", "version": "2.0.1", "transport": {"type": "stdio"},
             "packageArguments": [
                 {"type": "positional", "valueHint": "city", "isRequired": true, "isRepeated": true},
                 {"type": "named", "name": "--units", "choices": ["metric", "imperial"], "default": "metric"},
             ],
             "environmentVariables": [{"name": "KEY", "description": "A key", "isRequired": true, "isSecret": true}]},
            {"registryType": "oci", "identifier": "ghcr.io/acme/weather:2.0.1", "transport": {"type": "stdio"},
             "runtimeArguments": [{"type": "named", "name": "--network", "value": "host"}]},
        ],
        "remotes": [{"type": "streamable-http", "url": "https://weather.example/mcp"}],
    });
    home.write("server.json", &document.to_string());
    home.write("broken.json", "{\"name\": \"x\",\n \"packages\": [}");
    let from = |more: &[&'static str]| {
        let base = [
            "create",
            "template",
            "weather",
            "--dry-run=client",
            "--from-server-json",
        ];
        home.run(&[&base, more].concat())
    };
    insta::assert_snapshot!(story([
        from(&["server.json", "--package", "npm", "--description", "Ours"]),
        from(&["server.json", "--package", "remote"]),
        from(&["server.json"]),
        from(&["server.json", "--package", "oci"]),
        from(&["server.json", "--package", "nuget"]),
        from(&["broken.json"]),
        from(&["missing.json"]),
        home.run(&["create", "server", "x", "--package", "npm:x", "--param", "a=b"]),
    ]));
}

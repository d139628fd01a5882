//! MCP clients: servers of theirs become objects of ours.

use crate::support::daemon::Home;

#[test]
fn servers_of_clients_are_imported_and_applied() {
    let home = Home::new().started();
    home.write(
        "theirs.json",
        r#"{"mcpServers": {
            "memory": {"command": "npx", "args": ["-y", "@modelcontextprotocol/server-memory@2026.1.1"], "disabled": true},
            "time": {"command": "uvx", "args": ["mcp-server-time", "--local-timezone", "UTC"], "disabled": true},
            "box": {"command": "docker", "args": ["run", "-i", "--rm", "-e", "API_KEY", "ghcr.io/acme/box:1"],
                    "env": {"API_KEY": "sesame"}, "disabled": true},
            "Far Away": {"url": "https://far.example.com/mcp",
                         "headers": {"Authorization": "Bearer sesame", "X-Team": "core"}, "disabled": true},
            "own": {"command": "/bin/own", "args": ["--stdio"], "env": {"PASSWORD": "sesame", "MODE": "fast"}, "disabled": true}
        }}"#,
    );
    let import = ["client", "import", "--file", "theirs.json", "-p", "web"];
    let manifests = home.orchctl(&import).expect(0).stdout;
    assert!(!manifests.contains("sesame"), "{manifests}");
    assert_eq!(manifests.matches("sealed:v1:").count(), 3, "{manifests}");
    home.apply(&manifests)
        .saying(&["9 changed", "project/web", "server/far-away"]);
    home.orchctl_reading(&manifests, &["diff", "-f", "-"]).expect(0);
    let project = home.get("projects/web");
    assert_eq!(
        project["spec"]["servers"],
        serde_json::json!(["memory", "time", "box", "far-away", "own"])
    );
    let revealed = home.get("servers/own");
    assert_eq!(revealed["spec"]["env"][0]["valueFrom"]["secretRef"]["name"], "own");

    // A project that is there keeps what it has, and a second import changes nothing.
    let again = home.orchctl(&import).expect(0).stdout;
    home.apply(&again).saying(&["9 unchanged"]);
    // In the open only for those who ask, and equal to what was sealed.
    let open = home
        .orchctl(&[&import[..], &["--show-values"]].concat())
        .expect(0)
        .stdout;
    assert_eq!(open.matches("sesame").count(), 3, "{open}");
    home.apply(&open).saying(&["9 unchanged"]);
}

#[test]
fn keys_are_taken_out_of_addresses_and_lines_and_nothing_else() {
    let home = Home::new().started();
    home.write(
        "theirs.json",
        r#"{"mcpServers": {
            "far": {"url": "https://x.example/mcp/sk-ant-REDACTME0123456789/sse?key=K123456", "disabled": true},
            "zap": {"url": "https://x.example/s/MzA5ZDk3YjQtMmYxNy00Y2E4LWJhZTktN2QxYzU4ZmIxYTBl/mcp", "disabled": true},
            "open": {"url": "https://x.example/team-7/mcp?page=2", "disabled": true},
            "line": {"command": "bash", "args": ["-c", "API_KEY=s3cr3tvalue npx foo --mode fast"], "disabled": true},
            "text": {"command": "bash -c \"API_KEY=s3cr3tvalue npx foo\"", "disabled": true},
            "box": {"command": "docker", "args": ["run", "-i", "--rm", "ghcr.io/acme/box:1"], "disabled": true}
        }}"#,
    );
    let made = home
        .orchctl(&["client", "import", "--file", "theirs.json", "-p", "web"])
        .expect(0)
        .saying(&[
            "far: its address carries a key",
            "zap: its address carries a key",
            "line: a key stood in an argument",
            "box: its container may reach everything",
            "next: put the keys in the place of REPLACE-ME",
        ]);
    for key in ["REDACTME", "K123456", "MzA5ZDk3", "s3cr3tvalue"] {
        assert!(
            !made.stdout.contains(key) && !made.stderr.contains(key),
            "{key}: {made:?}"
        );
    }
    home.apply(&made.stdout);
    let spec = |name: &str| home.get(&format!("servers/{name}"))["spec"].clone();
    for (name, url) in [
        ("far", "https://x.example/mcp/REPLACE-ME/sse?key=REPLACE-ME"),
        ("zap", "https://x.example/s/REPLACE-ME/mcp"),
        ("open", "https://x.example/team-7/mcp?page=2"),
    ] {
        assert_eq!(spec(name)["remote"]["url"], url);
    }
    for (name, line) in [
        ("line", "API_KEY=REPLACE-ME npx foo --mode fast"),
        ("text", "API_KEY=REPLACE-ME npx foo"),
    ] {
        assert_eq!(spec(name)["command"], serde_json::json!(["bash", "-c", line]));
    }
    // An image that ran with the whole world around it reaches what it needs here, too.
    let egress = serde_json::json!({"mode": "egress"});
    assert_eq!(spec("box")["network"], egress);
    home.write(
        "server.json",
        r#"{"name": "io.github.acme/box", "description": "Box", "version": "1.0.0", "packages": [
            {"registryType": "oci", "identifier": "ghcr.io/acme/box:1", "transport": {"type": "stdio"}}]}"#,
    );
    home.orchctl(&["create", "template", "box", "--from-server-json", "server.json"])
        .expect(0)
        .saying(&["its container may reach everything"]);
    assert_eq!(home.get("templates/box")["spec"]["server"]["network"], egress);
}

#[test]
fn what_would_be_replaced_is_told() {
    let mut home = Home::new().started();
    let theirs = |token: &str| {
        let text = r#"{"mcpServers": {
            "good": {"command": "/bin/new", "disabled": true},
            "same": {"command": "/bin/same", "env": {"API_KEY": "TOKEN"}, "disabled": true}}}"#;
        text.replace("TOKEN", token)
    };
    home.apply(
        r#"
{apiVersion: orchctl.dev/v1, kind: Server, metadata: {name: good}, spec: {command: [/bin/old], replicas: 0}}
---
{apiVersion: orchctl.dev/v1, kind: Server, metadata: {name: other}, spec: {command: [/bin/other], replicas: 0}}
---
{apiVersion: orchctl.dev/v1, kind: Project, metadata: {name: mix}, spec: {servers: [other]}}
"#,
    );
    home.write("theirs.json", &theirs("sesame"));
    let import = ["client", "import", "--file", "theirs.json", "-p", "mix"];
    let made = home
        .orchctl(&import)
        .expect(0)
        .saying(&["warning: server/good is there already and is another"]);
    assert!(!made.stderr.contains("server/same"), "{made:?}");
    home.apply(&made.stdout);
    assert_eq!(
        home.get("projects/mix")["spec"]["servers"],
        serde_json::json!(["other", "good", "same"])
    );
    // What means the same is not worth a word; a key that has changed is.
    let again = home.orchctl(&import).expect(0);
    assert!(!again.stderr.contains("is there already"), "{again:?}");
    home.write("theirs.json", &theirs("simsalabim"));
    let changed = home
        .orchctl(&import)
        .expect(0)
        .saying(&["warning: secret/same is there already and is another"]);
    assert!(!changed.stderr.contains("server/"), "{changed:?}");

    // Without a daemon nobody knows, and that is said.
    home.stop();
    home.orchctl(&import).expect(0).saying(&[
        "warning: project/mix lists these servers only",
        "applying this replaces it",
        "kind: Project",
    ]);
}

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

//! Files of MCP clients: our entry goes in, is seen, and goes out without a trace; and nothing else is touched.

use std::path::PathBuf;
use std::process::Stdio;

use crate::support::home::{Home, ended};

/// A home whose daemon cannot be reached: files are written all the same.
fn home() -> Home {
    Home::with_daemon("http://127.0.0.1:1")
}

/// Each client, its file, what a person has in it, and what of our entry must be in it.
const CLIENTS: [(&str, &str, &str, &[&str]); 8] = [
    (
        "claude-code",
        ".claude.json",
        "{\n  \"numStartups\": 3,\n  \"mcpServers\": {\n    \"theirs\": {\n      \"command\": \"x\"\n    }\n  }\n}\n",
        &[
            "\"type\": \"http\"",
            "\"url\": \"http://127.0.0.1:1/mcp/projects/web\"",
            "mcp headers --context test",
        ],
    ),
    (
        "claude-desktop",
        ".config/Claude/claude_desktop_config.json",
        "{\"mcpServers\": {}}",
        &[
            "\"command\": \"/",
            "\"serve\"",
            "\"--project\"",
            "\"web\"",
            "\"--context\"",
            "\"ORCHCTL_CONFIG\"",
        ],
    ),
    (
        "cursor",
        ".cursor/mcp.json",
        "{\n\t\"mcpServers\": {\n\t\t\"theirs\": {\"env\": {\"API_KEY\": \"sesame\"}}\n\t}\n}",
        &[
            "\"url\": \"http://127.0.0.1:1/mcp/projects/web\"",
            "Bearer ${env:ORCHCTL_TOKEN}",
        ],
    ),
    (
        "vscode",
        ".config/Code/User/mcp.json",
        "{\n    // theirs\n    \"servers\": {\n        \"theirs\": {\"url\": \"https://x\"}, // keep\n    },\n}\n",
        &[
            "// theirs",
            "// keep",
            "\"promptString\"",
            "Bearer ${input:orchctl-token}",
        ],
    ),
    (
        "codex",
        ".codex/config.toml",
        "# theirs\nmodel = 'o'    # chosen\n\n[mcp_servers.theirs]\ncommand = \"x\"\n\n[tui]\nshow = true\n",
        &[
            "# theirs",
            "# chosen",
            "[mcp_servers.orch-web]",
            "bearer_token_env_var = \"ORCHCTL_TOKEN\"",
        ],
    ),
    (
        "gemini-cli",
        ".gemini/settings.json",
        "{\n  // theirs\n  \"theme\": \"x\"\n}\n",
        &["// theirs", "\"httpUrl\"", "Bearer $ORCHCTL_TOKEN"],
    ),
    (
        "windsurf",
        ".codeium/windsurf/mcp_config.json",
        "{\r\n  \"mcpServers\": {\r\n  }\r\n}\r\n",
        &["\"serverUrl\"", "${env:ORCHCTL_TOKEN}"],
    ),
    (
        "zed",
        ".config/zed/settings.json",
        "// Zed's\n{\n  \"theme\": \"One\", /* nice */\n  \"context_servers\": {\n    // none yet\n  },\n}\n",
        &["// Zed's", "/* nice */", "// none yet", "\"serve\""],
    ),
];

fn read(home: &Home, name: &str) -> String {
    std::fs::read_to_string(home.path().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// What a text says: brackets that are empty again are closed at once.
fn without_blanks(text: &str) -> String {
    text.split_whitespace().collect()
}

fn copies(home: &Home) -> Vec<PathBuf> {
    let folder = std::fs::read_dir(home.path().join("clients")).into_iter().flatten();
    folder.map(|entry| entry.unwrap().path()).collect()
}

#[test]
fn an_entry_comes_and_goes_without_a_trace_in_every_client() {
    for (client, file, before, expected) in CLIENTS {
        let home = home();
        let path = home.write(file, before);
        set_mode(&path, 0o640);
        let rehearsed = home.run(&["client", "install", client, "-p", "web", "--dry-run"]);
        assert_eq!((rehearsed.code, read(&home, file).as_str()), (0, before), "{rehearsed}");
        assert!(copies(&home).is_empty(), "{rehearsed}");

        let run = home.run(&["client", "install", client, "-p", "web"]);
        assert_eq!(run.code, 0, "{run}");
        let after = read(&home, file);
        for text in expected {
            assert!(after.contains(text), "{client}: {text} is missing\n{after}");
        }
        assert!(
            !after.contains("orch_test") && !run.to_string().contains("orch_test"),
            "{run}{after}"
        );
        assert!(!run.stdout.contains("sesame"), "keys of others are not shown: {run}");
        assert!(
            run.stdout.contains("\n+") && run.stdout.contains("   installed   "),
            "{run}"
        );
        assert_eq!(mode(&path), 0o640, "{client}");
        assert!(copies(&home).iter().all(|copy| mode(copy) == 0o600), "{client}");
        let again = home.run(&["client", "install", client, "-p", "web", "--yes"]);
        assert!(
            again.stdout.contains("   unchanged   ") && read(&home, file) == after,
            "{again}"
        );

        let list = home.run(&["client", "list"]);
        let line = list
            .stdout
            .lines()
            .find(|line| line.starts_with(client))
            .unwrap_or_default();
        assert!(
            line.contains("orch-web   project/web   installed") && line.ends_with(file),
            "{list}"
        );

        let run = home.run(&["client", "uninstall", client]);
        assert_eq!(run.code, 0, "{run}");
        assert_eq!(read(&home, file), before, "{client}");
        assert_eq!((mode(&path), copies(&home).len()), (0o640, 0), "{client}");
        let nothing = home.run(&["client", "uninstall", client]);
        assert_eq!(nothing.code, 2, "{nothing}");
    }
}

#[test]
fn where_there_was_no_file_there_is_none_again() {
    for (client, file, _, expected) in CLIENTS {
        let home = home();
        assert_eq!(home.run(&["client", "install", client, "-p", "web"]).code, 0);
        let text = read(&home, file);
        assert!(text.contains(expected[expected.len() - 1]), "{client}: {text}");
        assert_eq!(home.run(&["client", "uninstall", client]).code, 0);
        assert!(!home.path().join(file).exists(), "{client}");
    }
}

#[cfg(unix)]
#[test]
fn a_link_stays_a_link_wherever_it_leads() {
    for before in [None, Some("{\n  \"mcpServers\": {}\n}\n")] {
        let home = home();
        let link = home.path().join(".cursor/mcp.json");
        std::fs::create_dir(home.path().join(".cursor")).unwrap();
        std::os::unix::fs::symlink("../dotfiles/cursor.json", &link).unwrap();
        if let Some(text) = before {
            home.write("dotfiles/cursor.json", text);
        }
        let run = home.run(&["client", "install", "cursor", "-p", "web"]);
        assert_eq!(run.code, 0, "{run}");
        assert!(read(&home, "dotfiles/cursor.json").contains("orch-web"), "{run}");
        let points = |path: &PathBuf| std::fs::read_link(path).ok();
        assert_eq!(points(&link), Some("../dotfiles/cursor.json".into()), "{run}");
        let run = home.run(&["client", "uninstall", "cursor"]);
        assert_eq!(run.code, 0, "{run}");
        assert_eq!(points(&link), Some("../dotfiles/cursor.json".into()), "{run}");
        assert_eq!(std::fs::read_to_string(&link).ok().as_deref(), before, "{run}");
    }
}

#[cfg(unix)]
#[test]
fn what_is_closed_to_writing_is_not_written() {
    let before = "{\n  \"mcpServers\": {}\n}\n";
    for (name, closed, said) in [
        (
            ".cursor/mcp.json",
            0o444,
            "error: .cursor/mcp.json is read-only; it was not touched\nhint: allow it: chmod u+w .cursor/mcp.json; or",
        ),
        (
            ".cursor",
            0o555,
            "error: the folder .cursor is read-only; .cursor/mcp.json was not touched\nhint: allow it: chmod u+w .cursor; or",
        ),
    ] {
        let home = home();
        home.write(".cursor/mcp.json", before);
        let path = home.path().join(name);
        let open = mode(&path);
        let refused = |arguments: &[&str], text: &str| {
            set_mode(&path, closed);
            let run = home.run(arguments);
            set_mode(&path, open);
            assert_eq!((run.code, read(&home, ".cursor/mcp.json").as_str()), (1, text), "{run}");
            assert!(run.stderr.contains(said) && run.stdout.is_empty(), "{run}");
        };
        refused(&["client", "install", "cursor", "-p", "web"], before);
        refused(&["client", "install", "cursor", "-p", "web", "--dry-run"], before);
        assert!(copies(&home).is_empty());
        assert_eq!(home.run(&["client", "install", "cursor", "-p", "web"]).code, 0);
        let installed = read(&home, ".cursor/mcp.json");
        refused(&["client", "uninstall", "cursor"], &installed);
        assert_eq!(home.run(&["client", "uninstall", "cursor"]).code, 0);
        assert_eq!(read(&home, ".cursor/mcp.json"), before);
    }
}

#[cfg(unix)]
#[test]
fn what_is_no_file_is_neither_opened_nor_replaced() {
    let home = home();
    let path = home.path().join("odd");
    for kind in ["a pipe", "a socket", "a device"] {
        match kind {
            "a pipe" => {
                let made = std::process::Command::new("mkfifo").arg(&path).status();
                assert!(made.unwrap().success());
            }
            "a socket" => drop(std::os::unix::net::UnixListener::bind(&path).unwrap()),
            _ => std::os::unix::fs::symlink("/dev/null", &path).unwrap(),
        }
        let before = std::fs::symlink_metadata(&path).unwrap().file_type();
        let install = ["client", "install", "cursor", "-p", "web", "--path", "odd"];
        let mut command = home.command(&install);
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let run = home.transcript(&install, &ended(command.spawn().unwrap()));
        assert_eq!(run.code, 1, "{run}");
        assert!(
            run.stderr.contains(&format!("error: odd is {kind}, ")) && run.stderr.contains("--path FILE"),
            "{run}"
        );
        assert_eq!(std::fs::symlink_metadata(&path).unwrap().file_type(), before);
        std::fs::remove_file(&path).unwrap();
    }
    let run = home.run(&["client", "install", "cursor", "-p", "web", "--path", "."]);
    assert!(run.code == 1 && run.stderr.contains(" is a folder, "), "{run}");
}

#[test]
fn line_ends_and_the_mark_at_the_beginning_stay() {
    for (client, file, before, _) in CLIENTS {
        let home = home();
        let before = format!("\u{feff}{}", before.replace("\r\n", "\n").replace('\n', "\r\n"));
        home.write(file, &before);
        assert_eq!(home.run(&["client", "install", client, "-p", "web"]).code, 0);
        let after = read(&home, file);
        assert!(
            after.starts_with('\u{feff}') && after.contains("orch-web"),
            "{client}: {after:?}"
        );
        // What has no lines cannot say how they end.
        let is_flat = !before.contains('\n');
        assert!(
            is_flat || !after.replace("\r\n", "").contains('\n'),
            "{client}: {after:?}"
        );
        // Somebody writes more, so that the copy is of no use.
        home.write(file, &(after + "\r\n"));
        assert_eq!(home.run(&["client", "uninstall", client]).code, 0);
        let left = read(&home, file);
        assert!(
            left.starts_with('\u{feff}') && !left.contains("orch-web"),
            "{client}: {left:?}"
        );
        assert!(
            is_flat || !left.replace("\r\n", "").contains('\n'),
            "{client}: {left:?}"
        );
        assert_eq!(without_blanks(&left), without_blanks(&before), "{client}");
    }
}

#[test]
fn what_others_wrote_since_stays() {
    for (client, file, before, _) in CLIENTS {
        let home = home();
        home.write(file, before);
        home.run(&["client", "install", client, "-p", "web"]);
        // Somebody writes a line at the end, as is right for each form.
        let (addition, comment) = match client {
            "codex" => ("\n[later]\nx = 1\n", true),
            _ => ("\n", false),
        };
        let changed = read(&home, file) + addition;
        home.write(file, &changed);
        let run = home.run(&["client", "uninstall", client]);
        assert_eq!(run.code, 0, "{run}");
        let after = read(&home, file);
        assert!(
            !after.contains("orch-web") && !after.contains("orchctl-token"),
            "{client}: {after}"
        );
        assert!(after.ends_with(addition), "{client}: {after}");
        if !comment && before.contains("theirs") {
            assert!(after.contains("theirs"), "{client}: {after}");
        }
    }
}

#[test]
fn what_was_made_for_an_entry_goes_with_it() {
    for (client, file, before, _) in CLIENTS {
        let is_toml = client == "codex";
        let empty = if is_toml { "" } else { "{\n}\n" };
        // A file without a place for servers, one that others wrote, and none at all.
        for before in [Some(empty), Some(before), None] {
            let home = home();
            if let Some(text) = before {
                home.write(file, text);
            }
            // Two entries, so that the first to go is not the last.
            for target in [["-p", "web"], ["--server", "files"]] {
                let run = home.run(&[&["client", "install", client], &target[..]].concat());
                assert_eq!(run.code, 0, "{run}");
            }
            home.write(file, &(read(&home, file) + "\n"));
            for name in ["orch-web", "orch-files"] {
                let run = home.run(&["client", "uninstall", client, "--name", name]);
                assert_eq!(run.code, 0, "{run}");
            }
            let left = std::fs::read_to_string(home.path().join(file)).ok();
            assert_eq!(
                left.as_deref().map(without_blanks),
                before.map(without_blanks),
                "{client}"
            );
        }
    }
}

#[test]
fn several_entries_leave_in_any_order() {
    for (client, file, before, _) in CLIENTS {
        // What only a copy can give back: commas and blanks where nobody needs them.
        let odd = match client {
            "codex" => "model = \"x\"",
            "vscode" | "zed" | "gemini-cli" => "{ \"theirs\": [1,],\n\n}",
            _ => "{ }\n",
        };
        for before in [before, odd, "\n"] {
            for first in ["orch-web", "orch-files"] {
                let home = home();
                home.write(file, before);
                for target in [["-p", "web"], ["--server", "files"]] {
                    let run = home.run(&[&["client", "install", client], &target[..]].concat());
                    assert_eq!(run.code, 0, "{run}");
                }
                let run = home.run(&["client", "uninstall", client, "--name", first]);
                assert_eq!(run.code, 0, "{run}");
                assert!(!read(&home, file).contains(first));
                assert_eq!(home.run(&["client", "uninstall", client]).code, 0);
                assert_eq!(read(&home, file), before, "{client}: {first} first");
                let copies = home.path().join("clients");
                let left = std::fs::read_dir(copies).map_or(0, Iterator::count);
                assert_eq!(left, 0, "no copy is left behind");
            }
        }
    }
}

#[test]
fn what_cannot_be_read_is_not_touched() {
    let home = home();
    for (client, file, text) in [
        ("cursor", ".cursor/mcp.json", "{\"mcpServers\": {"),
        ("cursor", ".cursor/mcp.json", "[]"),
        ("vscode", ".config/Code/User/mcp.json", "{\"servers\": 7}"),
        ("codex", ".codex/config.toml", "a = \n"),
    ] {
        home.write(file, text);
        let run = home.run(&["client", "install", client, "-p", "web", "--yes"]);
        assert_eq!((run.code, read(&home, file).as_str()), (1, text), "{run}");
        assert!(run.stderr.contains("it was not touched"), "{run}");
    }
    home.write(
        ".cursor/mcp.json",
        "{\"mcpServers\": {\"orch-web\": {\"url\": \"https://elsewhere\"}}}",
    );
    let run = home.run(&["client", "install", "cursor", "-p", "web"]);
    assert_eq!(run.code, 2, "{run}");
    assert!(run.stderr.contains("which is not ours"), "{run}");
    let run = home.run(&["client", "install", "cursor", "-p", "web", "--replace"]);
    assert_eq!(run.code, 0, "{run}");
    assert_eq!(home.run(&["client", "uninstall", "cursor"]).code, 0);
    assert!(read(&home, ".cursor/mcp.json").contains("https://elsewhere"));
}

#[test]
fn flags_choose_the_file_and_the_way() {
    let home = home();
    let run = home.run(&["client", "install", "claude-code", "-p", "web", "--scope", "project"]);
    assert_eq!(run.code, 0, "{run}");
    let shared = read(&home, ".mcp.json");
    assert!(
        shared.contains("\"headersHelper\": \"orchctl mcp headers http"),
        "{shared}"
    );
    assert!(
        !shared.contains(&home.path().display().to_string()),
        "a shared file knows no machine: {shared}"
    );
    let run = home.run(&[
        "client", "install", "cursor", "-p", "web", "--via", "stdio", "--path", "odd.json", "--name", "x",
    ]);
    assert_eq!(run.code, 0, "{run}");
    assert!(read(&home, "odd.json").contains("\"serve\""));
    for (arguments, said) in [
        (
            &["client", "install", "claude-desktop", "-p", "web", "--via", "url"][..],
            "--via stdio",
        ),
        (
            &["client", "install", "windsurf", "-p", "web", "--scope", "project"],
            "has no file for a folder",
        ),
        (&["client", "install", "cursor"], "-p PROJECT"),
        (
            &["client", "install", "cursor", "-p", "web", "--server", "files"],
            "not both",
        ),
        (&["client", "import", "--file", "nowhere.json"], "there is no "),
    ] {
        let run = home.run(arguments);
        assert!(run.code != 0 && run.stderr.contains(said), "{run}");
    }
}

#[test]
fn servers_are_read_without_showing_keys() {
    let home = home();
    home.write(
        ".cursor/mcp.json",
        r#"{"mcpServers": {
            "git": {"command": "uvx", "args": ["mcp-server-git==1.2"], "env": {"GIT_TOKEN": "sesame"}},
            "Far Away": {"url": "https://far/mcp", "headers": {"Authorization": "Bearer sesame"}}
        }}"#,
    );
    let run = home.run(&["client", "import", "cursor", "-p", "web"]);
    assert_eq!(run.code, 0, "{run}");
    assert!(!run.to_string().contains("sesame"), "{run}");
    for text in [
        "GIT_TOKEN: REPLACE-ME",
        "name: far-away",
        "registry: pypi",
        "version: \"1.2\"",
        "kind: Project",
    ] {
        assert!(run.stdout.contains(text), "{text}: {run}");
    }
    assert!(
        run.stderr.contains("keys were left out") && run.stderr.contains("next: put the keys"),
        "{run}"
    );
    let run = home.run(&["client", "import", "cursor", "--show-values", "-o", "out"]);
    assert_eq!(run.code, 0, "{run}");
    assert!(read(&home, "out/secret-git.yaml").contains("GIT_TOKEN: sesame"));
    let again = home.run(&["client", "import", "cursor", "-o", "out"]);
    assert!(
        again.code == 1 && again.stderr.contains("nothing was written"),
        "{again}"
    );
}

#[cfg(unix)]
fn mode(path: &std::path::Path) -> u32 {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::metadata(path).expect("a file").permissions().mode() & 0o777
}

#[cfg(unix)]
fn set_mode(path: &std::path::Path, mode: u32) {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).expect("a file of ours");
}

//! Which clients there are, where each keeps its servers, and in which form.
//!
//! Enters: the user's folders ([`Places`]). Leaves: paths and forms. A new client is a line in each match.

use std::path::{Path, PathBuf};

/// A program that uses MCP servers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Client {
    /// Claude Code.
    ClaudeCode,
    /// Claude Desktop.
    ClaudeDesktop,
    /// Cursor.
    Cursor,
    /// Visual Studio Code.
    Vscode,
    /// Codex, as a command line and in editors.
    Codex,
    /// Gemini CLI.
    GeminiCli,
    /// Windsurf.
    Windsurf,
    /// Zed.
    Zed,
}

/// Whose servers a file holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Scope {
    /// The user's, wherever they work.
    User,
    /// Those of the folder one is in, to be shared with whoever works there.
    Project,
}

/// How a file is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    /// JSON, and nothing but.
    Json,
    /// JSON with comments, and commas behind the last of a list.
    JsonWithComments,
    /// TOML.
    Toml,
}

/// The systems whose folders we know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum System {
    /// Linux, and what follows its habits.
    Linux,
    /// macOS.
    Mac,
}

/// The folders in which clients keep their files.
#[derive(Debug, Clone)]
pub(crate) struct Places {
    /// The system.
    pub(crate) system: System,
    /// The user's home.
    pub(crate) home: PathBuf,
    /// Where programs keep settings: `XDG_CONFIG_HOME`, else `.config` in the home.
    pub(crate) config: PathBuf,
    /// The folder one is in.
    pub(crate) here: PathBuf,
    /// `CLAUDE_CONFIG_DIR`, where Claude Code was told to keep its file.
    pub(crate) claude: Option<PathBuf>,
    /// `CODEX_HOME`, the same for Codex.
    pub(crate) codex: Option<PathBuf>,
}

impl Places {
    /// The folders of this user.
    pub(crate) fn of_user() -> Option<Self> {
        let folder = |name: &str| {
            std::env::var_os(name)
                .filter(|value| !value.is_empty())
                .map(PathBuf::from)
        };
        let home = std::env::home_dir()?;
        Some(Self {
            system: if cfg!(target_os = "macos") {
                System::Mac
            } else {
                System::Linux
            },
            config: folder("XDG_CONFIG_HOME").unwrap_or_else(|| home.join(".config")),
            here: std::env::current_dir().ok()?,
            claude: folder("CLAUDE_CONFIG_DIR"),
            codex: folder("CODEX_HOME"),
            home,
        })
    }

    /// Where programs with windows keep their settings.
    fn application(&self, name: &str) -> PathBuf {
        match self.system {
            System::Linux => self.config.join(name),
            System::Mac => self.home.join("Library/Application Support").join(name),
        }
    }
}

impl Client {
    /// All of them.
    pub(crate) const ALL: [Self; 8] = [
        Self::ClaudeCode,
        Self::ClaudeDesktop,
        Self::Cursor,
        Self::Vscode,
        Self::Codex,
        Self::GeminiCli,
        Self::Windsurf,
        Self::Zed,
    ];

    /// What it is called on the command line.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::ClaudeCode => "claude-code",
            Self::ClaudeDesktop => "claude-desktop",
            Self::Cursor => "cursor",
            Self::Vscode => "vscode",
            Self::Codex => "codex",
            Self::GeminiCli => "gemini-cli",
            Self::Windsurf => "windsurf",
            Self::Zed => "zed",
        }
    }

    /// The client of that name.
    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|client| client.as_str() == name)
    }

    /// What its makers call it.
    pub(crate) const fn title(self) -> &'static str {
        match self {
            Self::ClaudeCode => "Claude Code",
            Self::ClaudeDesktop => "Claude Desktop",
            Self::Cursor => "Cursor",
            Self::Vscode => "VS Code",
            Self::Codex => "Codex",
            Self::GeminiCli => "Gemini CLI",
            Self::Windsurf => "Windsurf",
            Self::Zed => "Zed",
        }
    }

    /// How its file is written.
    pub(crate) const fn format(self) -> Format {
        match self {
            Self::ClaudeCode | Self::ClaudeDesktop | Self::Cursor | Self::Windsurf => Format::Json,
            Self::Vscode | Self::GeminiCli | Self::Zed => Format::JsonWithComments,
            Self::Codex => Format::Toml,
        }
    }

    /// The member of its file that holds the servers by name.
    pub(crate) const fn member(self) -> &'static str {
        match self {
            Self::ClaudeCode | Self::ClaudeDesktop | Self::Cursor | Self::GeminiCli | Self::Windsurf => "mcpServers",
            Self::Vscode => "servers",
            Self::Codex => "mcp_servers",
            Self::Zed => "context_servers",
        }
    }

    /// Its file for that scope; nothing when it has none.
    pub(crate) fn file(self, scope: Scope, places: &Places) -> Option<PathBuf> {
        let (home, here) = (&places.home, &places.here);
        match (self, scope) {
            (Self::ClaudeCode, Scope::User) => Some(places.claude.as_ref().unwrap_or(home).join(".claude.json")),
            (Self::ClaudeCode, Scope::Project) => Some(here.join(".mcp.json")),
            (Self::ClaudeDesktop, Scope::User) => Some(places.application("Claude").join("claude_desktop_config.json")),
            (Self::Cursor, Scope::User) => Some(home.join(".cursor/mcp.json")),
            (Self::Cursor, Scope::Project) => Some(here.join(".cursor/mcp.json")),
            (Self::Vscode, Scope::User) => Some(places.application("Code").join("User/mcp.json")),
            (Self::Vscode, Scope::Project) => Some(here.join(".vscode/mcp.json")),
            (Self::Codex, Scope::User) => {
                let folder = places.codex.clone().unwrap_or_else(|| home.join(".codex"));
                Some(folder.join("config.toml"))
            }
            (Self::Codex, Scope::Project) => Some(here.join(".codex/config.toml")),
            (Self::GeminiCli, Scope::User) => Some(home.join(".gemini/settings.json")),
            (Self::GeminiCli, Scope::Project) => Some(here.join(".gemini/settings.json")),
            (Self::Windsurf, Scope::User) => Some(home.join(".codeium/windsurf/mcp_config.json")),
            // The same on every system.
            (Self::Zed, Scope::User) => Some(places.config.join("zed/settings.json")),
            (Self::Zed, Scope::Project) => Some(here.join(".zed/settings.json")),
            (Self::ClaudeDesktop | Self::Windsurf, Scope::Project) => None,
        }
    }

    /// What a person does so that it reads its file again.
    pub(crate) const fn next(self) -> &'static str {
        match self {
            Self::ClaudeCode => "start Claude Code anew; /mcp shows whether it is connected",
            Self::ClaudeDesktop => "quit Claude Desktop and start it anew",
            Self::Cursor => "switch the server on in Cursor's settings, under MCP",
            Self::Vscode => "in VS Code: MCP: List Servers, and start it there",
            Self::Codex => "start Codex anew; /mcp shows whether it is connected",
            Self::GeminiCli => "start Gemini CLI anew; /mcp shows whether it is connected",
            Self::Windsurf => "refresh the servers in Windsurf's settings, under Cascade",
            Self::Zed => "Zed connects at once; its agent settings show whether it did",
        }
    }
}

/// The form of a file that somebody names, by the end of its name.
pub(crate) fn format_of(path: &Path) -> Format {
    match path.extension().and_then(|extension| extension.to_str()) {
        Some("toml") => Format::Toml,
        Some(_) | None => Format::JsonWithComments,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::ValueEnum as _;

    fn places(system: System) -> Places {
        Places {
            system,
            home: "/home/ada".into(),
            config: "/home/ada/.config".into(),
            here: "/project".into(),
            claude: None,
            codex: None,
        }
    }

    #[test]
    fn each_client_keeps_its_servers_where_it_does() {
        let mac = "/home/ada/Library/Application Support";
        for (client, linux, on_mac, of_folder) in [
            (
                "claude-code",
                "/home/ada/.claude.json",
                None,
                Some("/project/.mcp.json"),
            ),
            (
                "claude-desktop",
                "/home/ada/.config/Claude/claude_desktop_config.json",
                Some(format!("{mac}/Claude/claude_desktop_config.json")),
                None,
            ),
            (
                "cursor",
                "/home/ada/.cursor/mcp.json",
                None,
                Some("/project/.cursor/mcp.json"),
            ),
            (
                "vscode",
                "/home/ada/.config/Code/User/mcp.json",
                Some(format!("{mac}/Code/User/mcp.json")),
                Some("/project/.vscode/mcp.json"),
            ),
            (
                "codex",
                "/home/ada/.codex/config.toml",
                None,
                Some("/project/.codex/config.toml"),
            ),
            (
                "gemini-cli",
                "/home/ada/.gemini/settings.json",
                None,
                Some("/project/.gemini/settings.json"),
            ),
            ("windsurf", "/home/ada/.codeium/windsurf/mcp_config.json", None, None),
            (
                "zed",
                "/home/ada/.config/zed/settings.json",
                None,
                Some("/project/.zed/settings.json"),
            ),
        ] {
            let client = Client::named(client).unwrap();
            let at = |scope, system| {
                client
                    .file(scope, &places(system))
                    .map(|path| path.display().to_string())
            };
            assert_eq!(at(Scope::User, System::Linux).as_deref(), Some(linux), "{client:?}");
            let on_mac = on_mac.unwrap_or_else(|| linux.to_owned());
            assert_eq!(at(Scope::User, System::Mac), Some(on_mac), "{client:?}");
            assert_eq!(at(Scope::Project, System::Linux).as_deref(), of_folder, "{client:?}");
        }
    }

    #[test]
    fn folders_that_a_client_was_told_go_first() {
        let told = Places {
            claude: Some("/c".into()),
            codex: Some("/x".into()),
            ..places(System::Linux)
        };
        let file = |client: Client| client.file(Scope::User, &told).unwrap().display().to_string();
        assert_eq!(file(Client::ClaudeCode), "/c/.claude.json");
        assert_eq!(file(Client::Codex), "/x/config.toml");
    }

    #[test]
    fn names_are_those_of_the_command_line() {
        for client in Client::ALL {
            let typed = client.to_possible_value().unwrap().get_name().to_owned();
            assert_eq!(typed, client.as_str());
            assert_eq!(Client::named(&typed), Some(client));
        }
    }
}

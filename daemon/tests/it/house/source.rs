//! The workspace's source, read: files with their code apart from comments and tests, and what they name.

use std::fs;
use std::path::{Path, PathBuf};

/// A source file.
pub(crate) struct Source {
    /// From the workspace's root, with `/`.
    pub(crate) path: String,
    /// All of it.
    pub(crate) text: String,
    /// Without its unit tests.
    pub(crate) code: String,
    /// Its code without comments, in one piece.
    bare: String,
}

/// The workspace's folder.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("the crate lies in a workspace")
        .to_owned()
}

/// Every source file below those folders.
pub(crate) fn sources(folders: &[&str]) -> Vec<Source> {
    let mut paths = Vec::new();
    for folder in folders {
        collect(&root().join(folder), &mut paths);
    }
    paths.sort();
    paths.into_iter().map(|path| Source::read(&path)).collect()
}

fn collect(folder: &Path, paths: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).into_iter().flatten() {
        let path = entry.expect("a folder can be listed").path();
        if path.is_dir() && !path.ends_with("target") {
            collect(&path, paths);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            paths.push(path);
        }
    }
}

/// The crates that a member depends on, as code writes them.
pub(crate) fn dependencies(member: &str) -> Vec<String> {
    let manifest = fs::read_to_string(root().join(member).join("Cargo.toml")).expect("a member has a manifest");
    let lines = manifest.lines().skip_while(|line| *line != "[dependencies]").skip(1);
    let lines = lines.take_while(|line| !line.starts_with('['));
    let names = lines
        .filter_map(|line| line.split(['.', ' ', '=']).next())
        .filter(|name| !name.is_empty());
    names.map(|name| name.replace('-', "_")).collect()
}

/// Whether a line of that file declares that module.
pub(crate) fn declares(line: &str, module: &str, file: &str) -> bool {
    let line = line.trim();
    let declaration = line
        .split_once("mod ")
        .filter(|(before, _)| before.is_empty() || before.starts_with("pub"));
    // The list of kinds declares its modules by a macro: `server::Server,`.
    let listed = file == "shared/src/kinds.rs" && line.starts_with(&format!("{module}::")) && line.ends_with(',');
    listed || declaration.is_some_and(|(_, rest)| rest == format!("{module};"))
}

impl Source {
    fn read(path: &Path) -> Self {
        let text = fs::read_to_string(path).expect("source is text");
        let code = text
            .split_once("\n#[cfg(test)]")
            .map_or(text.as_str(), |(code, _)| code)
            .to_owned();
        let bare = code.lines().map(without_comment).collect::<Vec<_>>().join("\n");
        let path = path
            .strip_prefix(root())
            .expect("below the root")
            .to_string_lossy()
            .replace('\\', "/");
        Self { path, text, code, bare }
    }

    /// Whether the code names that path: as a whole word, at the beginning of a path.
    pub(crate) fn uses(&self, name: &str) -> bool {
        let word = |c: char| c.is_alphanumeric() || c == '_';
        self.bare.match_indices(name).any(|(at, _)| {
            let (before, after) = (
                self.bare[..at].chars().next_back(),
                self.bare[at + name.len()..].chars().next(),
            );
            let begins = before.is_none_or(|c| !word(c) && c != ':' && c != '.' && c != '"' && c != '-');
            let whole = after.is_some_and(|c| !word(c));
            let a_path =
                name.contains("::") || self.bare[at + name.len()..].starts_with("::") || self.imported(at, name);
            begins && whole && a_path
        })
    }

    /// Whether the name at that place is the whole of a `use`.
    fn imported(&self, at: usize, name: &str) -> bool {
        let rest = &self.bare[at + name.len()..];
        self.bare[..at].ends_with("use ") && (rest.starts_with(';') || rest.starts_with(" as "))
    }

    /// A file that cargo finds by itself.
    pub(crate) fn is_root(&self) -> bool {
        let parts: Vec<_> = self.path.split('/').collect();
        let last = parts.len() - 1;
        match parts[last] {
            "main.rs" | "lib.rs" | "build.rs" => true,
            _ => matches!(parts[last - 1], "benches" | "tests" | "bin" | "fuzz_targets"),
        }
    }

    /// The module this file is.
    pub(crate) fn module(&self) -> String {
        let path = self
            .path
            .strip_suffix("/mod.rs")
            .or_else(|| self.path.strip_suffix(".rs"))
            .unwrap_or(&self.path);
        path.rsplit('/').next().unwrap_or_default().to_owned()
    }

    /// The files that may declare this one.
    pub(crate) fn parents(&self) -> Vec<String> {
        let path = self
            .path
            .strip_suffix("/mod.rs")
            .or_else(|| self.path.strip_suffix(".rs"))
            .unwrap_or(&self.path);
        let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
        let beside = ["mod.rs", "lib.rs", "main.rs"].map(|name| format!("{folder}/{name}"));
        beside.into_iter().chain([format!("{folder}.rs")]).collect()
    }
}

/// A line without what follows `//` in it. A `//` after a colon is a URL's.
fn without_comment(line: &str) -> &str {
    let comment = line.match_indices("//").find(|(at, _)| !line[..*at].ends_with(':'));
    comment.map_or(line, |(at, _)| &line[..at])
}

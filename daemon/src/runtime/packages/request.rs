//! What is asked of a registry, checked before any installer sees it.
//!
//! Names and versions end up in the arguments of installers and in paths. So neither can be an option, a path, an address
//! or an alias: what npm and pip would take beyond plain names and versions is refused.

use super::super::launch::{InstallScripts, Package, Registry};
use super::super::observation::Failure;

/// What is asked for. Equal requests share one installation.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(in crate::runtime) struct Request {
    pub(in crate::runtime) registry: Registry,
    pub(in crate::runtime) name: String,
    /// The pinned version where there is one.
    pub(in crate::runtime) version: Option<String>,
    pub(in crate::runtime) scripts: InstallScripts,
}

impl Request {
    /// Checks what a package asks for.
    pub(in crate::runtime) fn of(package: &Package) -> Result<Self, Failure> {
        let version = package.pinned.clone().or_else(|| package.version.clone());
        let request = Self {
            registry: package.registry,
            name: package.name.clone(),
            version,
            scripts: package.scripts,
        };
        let refuse = |what: &str, hint: &str| Failure::InstallFailed {
            package: request.to_string(),
            reason: format!("that is no {what} of {}", request.registry),
            last_lines: vec![],
            hint: Some(hint.to_owned()),
        };
        let is_name = match request.registry {
            Registry::Npm => is_npm_name(&request.name),
            Registry::Pypi => is_pypi_name(&request.name),
        };
        if !is_name {
            return Err(refuse(
                "package name",
                "give the name as the registry shows it, without version or address",
            ));
        }
        let is_version = match (&request.version, request.registry) {
            (None, _) => true,
            (Some(version), Registry::Npm) => is_npm_version(version),
            (Some(version), Registry::Pypi) => is_pypi_version(version),
        };
        if !is_version {
            return Err(refuse(
                "version",
                "give an exact version or a range, such as 1.2.3 or >=1.2,<2",
            ));
        }
        Ok(request)
    }

    /// The version, when exactly one is asked for.
    pub(in crate::runtime) fn exact(&self) -> Option<&str> {
        let version = self.version.as_deref()?;
        let is_exact = match self.registry {
            Registry::Npm => is_exact_npm(version),
            Registry::Pypi => is_plain(version),
        };
        is_exact.then_some(version)
    }

    /// How the installers of the registry want it written.
    pub(in crate::runtime) fn requirement(&self) -> String {
        match (&self.version, self.registry) {
            (None, Registry::Npm) => format!("{}@latest", self.name),
            (Some(version), Registry::Npm) => format!("{}@{version}", self.name),
            (None, Registry::Pypi) => self.name.clone(),
            (Some(version), Registry::Pypi) if is_plain(version) => format!("{}=={version}", self.name),
            (Some(version), Registry::Pypi) => format!("{}{version}", self.name),
        }
    }
}

impl std::fmt::Display for Request {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} package {}", self.registry, self.name)?;
        match &self.version {
            Some(version) => write!(f, " {version}"),
            None => Ok(()),
        }
    }
}

fn is_word(text: &str, also: &str) -> bool {
    let starts = text.bytes().next().is_some_and(|first| first.is_ascii_alphanumeric());
    starts
        && text.len() <= 214
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || also.as_bytes().contains(&byte))
}

fn is_npm_name(name: &str) -> bool {
    match name.strip_prefix('@') {
        Some(scoped) => scoped
            .split_once('/')
            .is_some_and(|(scope, name)| is_word(scope, "._-~") && is_word(name, "._-~")),
        None => is_word(name, "._-~"),
    }
}

fn is_pypi_name(name: &str) -> bool {
    is_word(name, "._-") && name.ends_with(|last: char| last.is_ascii_alphanumeric())
}

/// Exact versions, ranges and tags of npm; nothing with a slash, a colon or an at sign, which would name other places.
fn is_npm_version(version: &str) -> bool {
    let starts = version.starts_with(|first: char| first.is_ascii_alphanumeric() || "^~<>=*".contains(first));
    starts
        && version.len() <= 100
        && version
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"^~<>=*.+-| ".contains(&byte))
}

/// Version specifiers of PyPI, joined by commas.
fn is_pypi_version(version: &str) -> bool {
    let is_clause = |clause: &str| {
        let clause = clause.trim();
        let bare = clause.trim_start_matches(['=', '<', '>', '~', '!']);
        let operator = &clause[..clause.len() - bare.len()];
        let bare = bare.trim_start();
        ["", "==", "!=", "<=", ">=", "<", ">", "~=", "==="].contains(&operator) && is_word(bare, ".*+!_-")
    };
    // A bare version stands alone.
    version.len() <= 100
        && version.split(',').all(is_clause)
        && (is_plain(version) || version.starts_with(['=', '<', '>', '~', '!']))
}

/// A version without any operator or wildcard.
fn is_plain(version: &str) -> bool {
    is_word(version, ".+!_-")
}

/// Three numbers, and what may follow them: anything else could move.
fn is_exact_npm(version: &str) -> bool {
    let core = version.split(['-', '+']).next().unwrap_or_default();
    let numbers: Vec<_> = core.split('.').collect();
    is_plain(version)
        && numbers.len() == 3
        && numbers
            .iter()
            .all(|number| !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(registry: Registry, name: &str, version: Option<&str>, expected: Option<(&str, bool)>) {
        let package = Package {
            registry,
            name: name.to_owned(),
            version: version.map(str::to_owned),
            pinned: None,
            executable: None,
            args: vec![],
            scripts: InstallScripts::Ignored,
        };
        let request = Request::of(&package).ok();
        let seen = request
            .as_ref()
            .map(|request| (request.requirement(), request.exact().is_some()));
        assert_eq!(
            seen,
            expected.map(|(requirement, exact)| (requirement.to_owned(), exact)),
            "{name} {version:?}"
        );
    }

    #[test]
    fn plain_names_and_versions_pass() {
        use Registry::{Npm, Pypi};
        check(Npm, "left-pad", None, Some(("left-pad@latest", false)));
        check(
            Npm,
            "@modelcontextprotocol/server-memory",
            Some("2026.8.31"),
            Some(("@modelcontextprotocol/server-memory@2026.8.31", true)),
        );
        check(Npm, "x", Some("1.2.3-beta.1"), Some(("x@1.2.3-beta.1", true)));
        check(Npm, "x", Some("1.2"), Some(("x@1.2", false)));
        check(Npm, "x", Some("^1.2.0"), Some(("x@^1.2.0", false)));
        check(Npm, "x", Some(">=1 <2 || 3.x"), Some(("x@>=1 <2 || 3.x", false)));
        check(Npm, "x", Some("next"), Some(("x@next", false)));
        check(Pypi, "mcp-server-time", None, Some(("mcp-server-time", false)));
        check(
            Pypi,
            "mcp_server.time",
            Some("2025.9.25"),
            Some(("mcp_server.time==2025.9.25", true)),
        );
        check(Pypi, "x", Some("1.0rc1"), Some(("x==1.0rc1", true)));
        check(Pypi, "x", Some(">=1.2,<2"), Some(("x>=1.2,<2", false)));
        check(Pypi, "x", Some("==1.*"), Some(("x==1.*", false)));
    }

    #[test]
    fn nothing_else_passes() {
        use Registry::{Npm, Pypi};
        for name in [
            "",
            "-g",
            "--registry=http://x",
            "../x",
            "a/b",
            "@a",
            "@a/",
            "@/b",
            "@a/b/c",
            "@../x",
            "git+https://x",
            "x@1",
            ".x",
            "a b",
            "http://x",
            "~x",
        ] {
            check(Npm, name, None, None);
        }
        for name in [
            "",
            "-r",
            "--pre",
            "../x",
            "a/b",
            "x==1",
            "x[extra]",
            "x @ http://y",
            ".x",
            "x.",
            "git+https://x",
        ] {
            check(Pypi, name, None, None);
        }
        for version in [
            "",
            "-1",
            "..",
            ".",
            "git+https://x",
            "file:../x",
            "npm:other@1",
            "http://x",
            "1/2",
            "a@b",
            "1\n2",
            "/etc",
            "~/x",
        ] {
            check(Npm, "x", Some(version), None);
        }
        for version in [
            "",
            "-1",
            "..",
            "@ http://x",
            ">=",
            "=>1",
            ">=1;python",
            "1,2",
            "1 --pre",
            "== 1 --pre",
            "$(x)",
            "/etc",
        ] {
            check(Pypi, "x", Some(version), None);
        }
    }

    #[test]
    fn a_pin_wins() {
        let package = Package {
            registry: Registry::Npm,
            name: "x".to_owned(),
            version: Some("^1".to_owned()),
            pinned: Some("1.2.3".to_owned()),
            executable: None,
            args: vec![],
            scripts: InstallScripts::Ignored,
        };
        assert_eq!(Request::of(&package).expect("a request").exact(), Some("1.2.3"));
    }
}

//! The programs of an installation, and which of them is run.

use std::collections::BTreeMap;
use std::path::PathBuf;

use orch_shared::problem::near_miss;
use serde::{Deserialize, Serialize};

use super::super::launch::Registry;
use super::super::observation::Failure;
use super::request::Request;

/// The programs of an installation, by the names its package gives them; never empty.
pub(in crate::runtime) type Programs = BTreeMap<String, Executable>;

/// A program of an installation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::runtime) struct Executable {
    /// Its path within the directory of the installation.
    pub(in crate::runtime) path: PathBuf,
    /// What executes it.
    pub(in crate::runtime) interpreter: Interpreter,
}

/// What executes the program of a package.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(in crate::runtime) enum Interpreter {
    /// Node.js, found by name when the program is started.
    Node,
    /// The Python of the installation's own virtual environment.
    Python,
    /// Nothing: the program is executable by itself.
    Itself,
}

/// The program that is asked for; without a wish the one that is called like the package, or the only one.
pub(in crate::runtime) fn choose<'p>(
    request: &Request,
    wanted: Option<&str>,
    programs: &'p Programs,
) -> Result<&'p Executable, Failure> {
    let names = || programs.keys().map(String::as_str);
    let all = || names().collect::<Vec<_>>().join(", ");
    let (found, command, reason) = match wanted {
        Some(wanted) => (
            programs.get(wanted),
            wanted,
            format!("the {} package {} has no such program", request.registry, request.name),
        ),
        None => {
            let only = programs.values().next().filter(|_| programs.len() == 1);
            let same = || programs.iter().find(|(name, _)| is_called_like(request, name));
            (
                only.or_else(|| same().map(|(_, program)| program)),
                request.name.as_str(),
                "it has several programs, and none is called like it".to_owned(),
            )
        }
    };
    found.ok_or_else(|| Failure::CommandNotFound {
        command: command.to_owned(),
        reason,
        hint: Some(match wanted.and_then(|wanted| near_miss(wanted, names())) {
            Some(near) => format!("did you mean `{near}`? spec.package.executable can be: {}", all()),
            None => format!("set spec.package.executable to one of: {}", all()),
        }),
    })
}

fn is_called_like(request: &Request, program: &str) -> bool {
    match request.registry {
        Registry::Npm => request.name.rsplit('/').next() == Some(program),
        Registry::Pypi => {
            // Case and separators mean nothing in the names of PyPI.
            let plain = |text: &str| text.to_lowercase().replace(['_', '.'], "-");
            plain(&request.name) == plain(program)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::launch::InstallScripts;
    use super::*;

    #[test]
    fn the_program_that_is_run() {
        use Registry::{Npm, Pypi};
        for (registry, name, programs, wanted, expected) in [
            (Npm, "x", &["y"][..], None, Ok("y")),
            (Npm, "@a/x", &["x", "y"], None, Ok("x")),
            (Npm, "@a/x", &["x", "y"], Some("y"), Ok("y")),
            (
                Pypi,
                "mcp_server.time",
                &["mcp-server-time", "other"],
                None,
                Ok("mcp-server-time"),
            ),
            (
                Pypi,
                "mcp-server-time",
                &["mcp-server-time", "other"],
                Some("other"),
                Ok("other"),
            ),
            (
                Npm,
                "z",
                &["x", "y"],
                None,
                Err(
                    "`z` cannot be started: it has several programs, and none is called like it; \
                     set spec.package.executable to one of: x, y",
                ),
            ),
            (
                Pypi,
                "z",
                &["first", "second"],
                Some("secnd"),
                Err("`secnd` cannot be started: the pypi package z has no such program; \
                     did you mean `second`? spec.package.executable can be: first, second"),
            ),
            (
                Npm,
                "@a/x",
                &["x"],
                Some("something"),
                Err(
                    "`something` cannot be started: the npm package @a/x has no such program; \
                     set spec.package.executable to one of: x",
                ),
            ),
        ] {
            let request = Request {
                registry,
                name: name.to_owned(),
                version: None,
                scripts: InstallScripts::Ignored,
            };
            let programs: Programs = programs
                .iter()
                .map(|program| {
                    let (path, interpreter) = (PathBuf::from(program), Interpreter::Itself);
                    ((*program).to_owned(), Executable { path, interpreter })
                })
                .collect();
            let chosen = choose(&request, wanted, &programs)
                .map(|program| program.path.to_str().expect("text"))
                .map_err(|failure| format!("{failure}; {}", failure.hint().unwrap_or_default()));
            assert_eq!(chosen, expected.map_err(str::to_owned), "{name} {wanted:?}");
        }
    }
}

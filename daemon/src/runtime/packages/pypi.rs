//! Installing from PyPI, by uv where it is there, else by pip in a virtual environment.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::super::observation::Failure;
use super::installer::Installer;
use super::{Interpreter, Receipt};

/// The Python of an installation.
pub(super) const PYTHON: &str = "bin/python";

/// Asks an installation what it has got.
const QUESTION: &str = r#"
import importlib.metadata, json, sys
found = importlib.metadata.distribution(sys.argv[1])
scripts = [entry.name for entry in found.entry_points if entry.group == "console_scripts"]
print(json.dumps({"version": found.version, "scripts": scripts}))
"#;

/// What it answers.
#[derive(Debug, Deserialize)]
struct About {
    version: String,
    scripts: Vec<String>,
}

/// Installs a package into an empty directory, which becomes a virtual environment.
pub(super) async fn install(installer: &Installer<'_>, directory: &Path) -> Result<Receipt, Failure> {
    let requirement = installer.request.requirement();
    let python = directory.join(PYTHON);
    let place = directory.to_string_lossy();
    match installer.has("uv") {
        Some(uv) => {
            installer
                .run(directory, &uv, &["venv", "--quiet", "--allow-existing", &place])
                .await?;
            let python = python.to_string_lossy();
            installer
                .run(
                    directory,
                    &uv,
                    &["pip", "install", "--quiet", "--python", &python, "--", &requirement],
                )
                .await?;
        }
        None => {
            let system = installer.find("python3")?;
            installer.run(directory, &system, &["-m", "venv", &place]).await?;
            let mut arguments = vec![
                "-m",
                "pip",
                "install",
                "--quiet",
                "--no-input",
                "--disable-pip-version-check",
                "--no-warn-script-location",
                "--retries",
                "1",
            ];
            if !installer.has_set("PIP_DEFAULT_TIMEOUT") {
                arguments.extend(["--timeout", "15"]);
            }
            arguments.extend(["--", &requirement]);
            installer.run(directory, &python, &arguments).await?;
        }
    }
    let answer = installer
        .ask(directory, &python, &["-I", "-c", QUESTION, &installer.request.name])
        .await?;
    let about: About = serde_json::from_str(answer.trim())
        .map_err(|_| installer.failed("it cannot be found where it was installed".to_owned()))?;
    let script = script(&installer.request.name, &about.scripts).map_err(|reason| installer.failed(reason))?;
    let directory = directory.file_name().unwrap_or_default().to_string_lossy().into_owned();
    Ok(Receipt {
        version: about.version,
        directory,
        program: PathBuf::from("bin").join(script),
        interpreter: Interpreter::Python,
    })
}

/// The console script of a package: its only one, or the one that is called like it.
fn script<'s>(name: &str, scripts: &'s [String]) -> Result<&'s str, String> {
    let plain = |text: &str| text.to_lowercase().replace(['_', '.'], "-");
    let same = scripts.iter().find(|script| plain(script) == plain(name));
    match (same, scripts) {
        (Some(script), _) | (None, [script]) if !script.contains('/') => Ok(script),
        (None, []) => Err("it has no program to run".to_owned()),
        (Some(_) | None, _) => Err(format!(
            "it has several programs and none is called {name}: {}",
            scripts.join(", ")
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_script_of_a_package() {
        for (name, scripts, expected) in [
            ("mcp-server-time", &["mcp-server-time"][..], Ok("mcp-server-time")),
            ("mcp_server.time", &["other", "mcp-server-time"], Ok("mcp-server-time")),
            ("x", &["y"], Ok("y")),
            ("x", &[], Err("it has no program to run")),
            (
                "x",
                &["y", "z"],
                Err("it has several programs and none is called x: y, z"),
            ),
        ] {
            let scripts: Vec<_> = scripts.iter().map(|&script| script.to_owned()).collect();
            assert_eq!(
                script(name, &scripts),
                expected.map_err(str::to_owned),
                "{name} {scripts:?}"
            );
        }
    }
}

//! Installing from PyPI, by uv where it is there, else by pip in a virtual environment.

use std::path::Path;

use serde::Deserialize;

use super::super::observation::Failure;
use super::Receipt;
use super::installer::Installer;
use super::programs::{Executable, Interpreter, Programs};

/// The Python of an installation.
pub(super) const PYTHON: &str = "bin/python";

/// Asks an installation what it has got.
pub(in crate::runtime) const QUESTION: &str = r#"
import importlib.metadata, json, sys
found = importlib.metadata.distribution(sys.argv[1])
scripts = [entry.name for entry in found.entry_points if entry.group == "console_scripts"]
print(json.dumps({"version": found.version, "scripts": scripts}))
"#;

/// What it answers.
#[derive(Debug, Deserialize)]
pub(in crate::runtime) struct About {
    pub(in crate::runtime) version: String,
    pub(in crate::runtime) scripts: Vec<String>,
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
    let programs: Programs = about
        .scripts
        .into_iter()
        .map(|name| {
            let path = Path::new("bin").join(&name);
            (name, path)
        })
        .filter(|(name, path)| !name.contains('/') && directory.join(path).is_file())
        .map(|(name, path)| {
            let interpreter = Interpreter::Python;
            (name, Executable { path, interpreter })
        })
        .collect();
    if programs.is_empty() {
        return Err(installer.failed("it has no program to run".to_owned()));
    }
    let directory = directory.file_name().unwrap_or_default().to_string_lossy().into_owned();
    Ok(Receipt {
        version: about.version,
        directory,
        programs,
    })
}

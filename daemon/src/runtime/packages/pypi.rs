//! Installing from PyPI, by uv where it is there, else by pip in a virtual environment.

use std::path::Path;

use serde::Deserialize;

use super::super::observation::Failure;
use super::Receipt;
use super::installer::Installer;
use super::programs::{Executable, Interpreter, Programs};

/// The Python of an installation.
pub(super) const PYTHON: &str = "bin/python";

/// Asks whether the machine's pip installs into other environments than its own, which it does from 22.3 on. A pip of its
/// own takes most of the time that a new environment takes.
const CAN_INSTALL_ELSEWHERE: &str = r#"
try:
    import pip
    if tuple(int(part) for part in pip.__version__.split(".")[:2]) >= (22, 3):
        print("yes")
except Exception:
    pass
"#;

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
            let can = installer
                .ask(directory, &system, &["-c", CAN_INSTALL_ELSEWHERE])
                .await?;
            let elsewhere = python.to_string_lossy();
            let (program, mut arguments) = if can.trim() == "yes" {
                let empty = ["-m", "venv", "--without-pip", &place];
                installer.run(directory, &system, &empty).await?;
                (&system, vec!["-m", "pip", "--python", &elsewhere])
            } else {
                installer.run(directory, &system, &["-m", "venv", &place]).await?;
                (&python, vec!["-m", "pip"])
            };
            arguments.extend([
                "install",
                "--quiet",
                "--no-input",
                "--disable-pip-version-check",
                "--no-warn-script-location",
                "--retries",
                "1",
            ]);
            if !installer.has_set("PIP_DEFAULT_TIMEOUT") {
                arguments.extend(["--timeout", "15"]);
            }
            arguments.extend(["--", &requirement]);
            installer.run(directory, program, &arguments).await?;
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

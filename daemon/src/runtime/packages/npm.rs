//! Installing from npm.

use std::fs;
use std::io::Read as _;
use std::path::{Component, Path, PathBuf};

use serde_json::Value;

use super::super::launch::InstallScripts;
use super::super::observation::Failure;
use super::installer::Installer;
use super::{Interpreter, Receipt};

/// Installs a package into an empty directory.
pub(super) async fn install(installer: &Installer<'_>, directory: &Path) -> Result<Receipt, Failure> {
    let npm = installer.find("npm")?;
    installer.find("node")?;
    // Without this, npm would look for a project further up.
    fs::write(directory.join("package.json"), r#"{"private":true}"#)
        .map_err(|error| installer.failed(error.to_string()))?;
    let scripts = match installer.request.scripts {
        InstallScripts::Ignored => "--ignore-scripts",
        InstallScripts::Allowed => "--foreground-scripts",
    };
    let requirement = installer.request.requirement();
    let arguments = [
        "install",
        scripts,
        "--no-audit",
        "--no-fund",
        "--no-update-notifier",
        "--omit=dev",
        "--no-progress",
        "--save-exact",
        "--fetch-retries=1",
        "--loglevel=error",
        "--",
        &requirement,
    ];
    installer.run(directory, &npm, &arguments).await?;
    let module = Path::new("node_modules").join(&installer.request.name);
    let about = fs::read(directory.join(&module).join("package.json"))
        .ok()
        .and_then(|text| serde_json::from_slice::<Value>(&text).ok())
        .ok_or_else(|| installer.failed("npm has installed something else".to_owned()))?;
    let version = about["version"]
        .as_str()
        .ok_or_else(|| installer.failed("its package.json names no version".to_owned()))?;
    let program = program(&installer.request.name, &about).map_err(|reason| installer.failed(reason))?;
    let program = module.join(program);
    let interpreter = interpreter(&directory.join(&program));
    let directory = directory.file_name().unwrap_or_default().to_string_lossy().into_owned();
    Ok(Receipt {
        version: version.to_owned(),
        directory,
        program,
        interpreter,
    })
}

/// The program of a package: its only one, or the one that is called like it.
fn program(name: &str, about: &Value) -> Result<PathBuf, String> {
    let short = name.rsplit('/').next().unwrap_or(name);
    let path = match &about["bin"] {
        Value::String(path) => path,
        Value::Object(programs) => {
            let only = programs.values().next().filter(|_| programs.len() == 1);
            match programs.get(short).or(only).and_then(Value::as_str) {
                Some(path) => path,
                None => {
                    let names: Vec<_> = programs.keys().map(String::as_str).collect();
                    return Err(format!(
                        "it has several programs and none is called {short}: {}",
                        names.join(", ")
                    ));
                }
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) => {
            return Err("it has no program to run".to_owned());
        }
    };
    let inside = |part: Component<'_>| matches!(part, Component::Normal(_) | Component::CurDir);
    let path = PathBuf::from(path);
    if path.components().all(inside) {
        Ok(path)
    } else {
        Err("its program is outside of it".to_owned())
    }
}

/// What executes a program: Node.js, unless its first line asks for something else.
fn interpreter(path: &Path) -> Interpreter {
    let mut start = [0; 128];
    let read = fs::File::open(path)
        .and_then(|mut file| file.read(&mut start))
        .unwrap_or(0);
    let first = start[..read].split(|byte| *byte == b'\n').next().unwrap_or_default();
    let first = String::from_utf8_lossy(first);
    let script = path
        .extension()
        .is_some_and(|end| end == "js" || end == "mjs" || end == "cjs");
    if script || !first.starts_with("#!") || first.contains("node") {
        Interpreter::Node
    } else {
        Interpreter::Itself
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_program_of_a_package() {
        for (name, about, expected) in [
            ("x", r#"{"bin":"dist/index.js"}"#, Ok("dist/index.js")),
            ("@a/x", r#"{"bin":{"anything":"./cli.js"}}"#, Ok("./cli.js")),
            ("@a/x", r#"{"bin":{"x":"a.js","y":"b.js"}}"#, Ok("a.js")),
            (
                "z",
                r#"{"bin":{"x":"a.js","y":"b.js"}}"#,
                Err("it has several programs and none is called z: x, y"),
            ),
            ("x", r#"{"main":"index.js"}"#, Err("it has no program to run")),
            ("x", r#"{"bin":"../../../bin/sh"}"#, Err("its program is outside of it")),
            ("x", r#"{"bin":"/bin/sh"}"#, Err("its program is outside of it")),
        ] {
            let about = serde_json::from_str(about).expect("JSON");
            assert_eq!(
                program(name, &about),
                expected.map(PathBuf::from).map_err(str::to_owned),
                "{name} {about}"
            );
        }
    }
}

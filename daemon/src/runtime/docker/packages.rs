//! Packages in containers: installed by a runner image into a volume, once per version, and then run from it.
//!
//! An installation is a volume of the engine. It counts only once a receipt in the data directory names it; a volume of ours
//! that no receipt names is rubbish of an interrupted installation. The installer may reach the world; the server that comes
//! of it reaches what its manifest says, and can only read its package.

use std::collections::HashMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use bollard::Docker;
use bollard::models::VolumeCreateRequest;
use bollard::query_parameters::{ListVolumesOptions, RemoveVolumeOptions};
use serde::{Deserialize, Serialize};
use tokio::io::AsyncReadExt as _;

use super::super::environment;
use super::super::launch::{Access, InstallScripts, Limits, Network, Package, Pull, Registry, Speech, Volume};
use super::super::log::{self, Stream};
use super::super::observation::{Failure, ResolvedPackage};
use super::super::packages::programs::{self, Executable, Interpreter, Programs};
use super::super::packages::request::Request;
use super::super::packages::{failure, npm, pypi};
use super::container::{Container, Order, Talk};
use super::engine::{Engine, Trouble};
use super::image::{self, Image};
use super::life::Job;
use super::network;
use super::streams::Streams;

/// Where the package is in a container.
const HOME: &str = "/orch";

/// How long an installation may take.
const PATIENCE: Duration = Duration::from_secs(300);

/// How much of an installer's answer is taken.
const ANSWER: u64 = 1 << 20;

/// Installs from npm; answers with the package's own description.
const NPM: &str = r#"set -e
cd /orch
echo '{"private":true}' > package.json
npm install "$3" --no-audit --no-fund --no-update-notifier --omit=dev --no-progress --save-exact \
  --fetch-retries=1 --loglevel=error -- "$1" >&2
cat "node_modules/$2/package.json""#;

/// Installs from PyPI; answers with version and programs.
const PYPI: &str = r#"set -e
python3 -m venv /orch
/orch/bin/python -m pip install --quiet --no-input --disable-pip-version-check --no-warn-script-location \
  --retries 1 -- "$1" >&2
exec /orch/bin/python -I -c "$3" "$2""#;

/// What is known of installations.
pub(in crate::runtime) struct Installations {
    root: PathBuf,
    /// One at a time, so that whatever else carries our mark and has no receipt is rubbish.
    installing: tokio::sync::Mutex<()>,
}

impl Installations {
    pub(in crate::runtime) fn new(root: PathBuf) -> Self {
        Self {
            root,
            installing: tokio::sync::Mutex::default(),
        }
    }

    fn receipts(&self) -> Vec<Receipt> {
        let entries = fs::read_dir(&self.root).into_iter().flatten().flatten();
        entries
            .filter(|entry| entry.path().extension().is_some_and(|end| end == "json"))
            .filter_map(|entry| serde_json::from_slice(&fs::read(entry.path()).ok()?).ok())
            .collect()
    }

    fn write(&self, receipt: &Receipt) -> io::Result<()> {
        fs::create_dir_all(&self.root)?;
        let path = self.path(&receipt.volume);
        let draft = path.with_extension("draft");
        let file = fs::File::create(&draft)?;
        serde_json::to_writer(&file, receipt)?;
        file.sync_all()?;
        fs::rename(&draft, path)
    }

    fn path(&self, volume: &str) -> PathBuf {
        self.root.join(format!("{volume}.json"))
    }
}

/// What is written down of an installation when it is complete.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Receipt {
    /// The engine's id of the image that has installed it, and runs it.
    image: String,
    registry: String,
    name: String,
    version: String,
    scripts: bool,
    volume: String,
    /// Its programs, by paths below [`HOME`].
    programs: Programs,
}

/// A package that can be run.
pub(super) struct Installed {
    pub(super) image: Image,
    pub(super) reference: String,
    pub(super) argv: Vec<String>,
    pub(super) volume: Volume,
    pub(super) resolved: ResolvedPackage,
}

/// The image that runs packages of a registry.
pub(super) fn runner(engine: &Engine, registry: Registry) -> &str {
    match registry {
        Registry::Npm => &engine.settings.runner_npm,
        Registry::Pypi => &engine.settings.runner_pypi,
    }
}

/// Makes sure that a package is installed, and tells how to start it.
pub(super) async fn ensure(job: Job<'_>, client: &Docker, package: &Package) -> Result<Installed, Failure> {
    // What this copy was resolved to before is not asked for again.
    let before = job.desk.observed.borrow().resolved.clone();
    let before = before.filter(|before| before.name == package.name);
    let request = Request::of(&Package {
        pinned: package.pinned.clone().or(before.map(|before| before.version)),
        ..package.clone()
    })?;
    let engine = job.engine;
    let reference = runner(engine, request.registry).to_owned();
    let image = image::ensure(engine, client, &reference, Pull::IfMissing, |told| job.tell(told)).await?;
    let receipt = match installed(engine, client, &image, &request).await {
        Some(receipt) => receipt,
        None => {
            job.tell(format!("installing {request}"));
            let _alone = engine.installations.installing.lock().await;
            match installed(engine, client, &image, &request).await {
                Some(receipt) => receipt,
                None => install(job, client, &image, &request).await?,
            }
        }
    };
    let chosen = programs::choose(&request, package.executable.as_deref(), &receipt.programs)?;
    let mut argv = vec![Path::new(HOME).join(&chosen.path).to_string_lossy().into_owned()];
    argv.extend(package.args.iter().cloned());
    Ok(Installed {
        image,
        reference,
        argv,
        volume: Volume {
            source: Some(receipt.volume),
            target: HOME.to_owned(),
            access: Access::ReadOnly,
        },
        resolved: ResolvedPackage {
            name: request.name,
            version: receipt.version,
            path: HOME.into(),
        },
    })
}

/// The installation of exactly the version that is asked for.
async fn installed(engine: &Engine, client: &Docker, image: &Image, request: &Request) -> Option<Receipt> {
    let version = request.exact()?;
    let scripts = request.scripts == InstallScripts::Allowed;
    let known = engine.installations.receipts().into_iter().find(|receipt| {
        receipt.image == image.id
            && receipt.registry == request.registry.to_string()
            && receipt.name == request.name
            && receipt.version == version
            && receipt.scripts == scripts
    })?;
    // The engine may have lost it, or been told to.
    client.inspect_volume(&known.volume).await.is_ok().then_some(known)
}

async fn install(job: Job<'_>, client: &Docker, image: &Image, request: &Request) -> Result<Receipt, Failure> {
    let trouble = |trouble| job.failure(trouble, "made");
    let volume = new_volume(job.engine, client, request).await.map_err(trouble)?;
    let made = run(job, client, image, request, &volume).await;
    let receipt = made.and_then(|answer| {
        let (version, programs) = understand(request, &answer).map_err(|reason| failed(job, request, &reason))?;
        let receipt = Receipt {
            image: image.id.clone(),
            registry: request.registry.to_string(),
            name: request.name.clone(),
            version,
            scripts: request.scripts == InstallScripts::Allowed,
            volume: volume.clone(),
            programs,
        };
        let written = job.engine.installations.write(&receipt);
        written.map_err(|error| failed(job, request, &format!("its receipt cannot be written: {error}")))?;
        Ok(receipt)
    });
    if receipt.is_err() {
        drop(client.remove_volume(&volume, None::<RemoveVolumeOptions>).await);
    }
    receipt
}

fn failed(job: Job<'_>, request: &Request, reason: &str) -> Failure {
    Failure::InstallFailed {
        package: request.to_string(),
        reason: reason.to_owned(),
        last_lines: job.log.last_lines(),
        hint: None,
    }
}

/// Makes an empty volume, and removes ours that no receipt names.
async fn new_volume(engine: &Engine, client: &Docker, request: &Request) -> Result<String, Trouble> {
    let options = ListVolumesOptions {
        filters: Some(engine.labels.filter(None)),
    };
    let there: HashMap<_, _> = client
        .list_volumes(Some(options))
        .await?
        .volumes
        .unwrap_or_default()
        .into_iter()
        .map(|volume| (volume.name, volume.labels))
        .collect();
    let receipts = engine.installations.receipts();
    for (name, labels) in &there {
        if engine.labels.is_ours(labels) && receipts.iter().all(|receipt| receipt.volume != *name) {
            // One that is in use after all stays.
            drop(client.remove_volume(name, None::<RemoveVolumeOptions>).await);
        }
    }
    let stem = format!(
        "orchctl-{}-{}",
        request.registry,
        engine.labels.word(&request.to_string())
    );
    let taken = |name: &String| there.contains_key(name) || receipts.iter().any(|receipt| receipt.volume == *name);
    let name = (1_u64..)
        .map(|number| format!("{stem}-{number}"))
        .find(|name| !taken(name))
        .unwrap_or(stem);
    let order = VolumeCreateRequest {
        name: Some(name.clone()),
        labels: Some(engine.labels.own()),
        ..VolumeCreateRequest::default()
    };
    client.create_volume(order).await?;
    Ok(name)
}

/// Runs the installer; its answer.
async fn run(job: Job<'_>, client: &Docker, image: &Image, request: &Request, volume: &str) -> Result<String, Failure> {
    let engine = job.engine;
    let trouble = |trouble| job.failure(trouble, "made");
    let joined = network::ensure(engine, client, &Network::Egress)
        .await
        .map_err(trouble)?;
    let (script, last) = match (request.registry, request.scripts) {
        (Registry::Npm, InstallScripts::Ignored) => (NPM, "--ignore-scripts"),
        (Registry::Npm, InstallScripts::Allowed) => (NPM, "--foreground-scripts"),
        (Registry::Pypi, _) => (PYPI, pypi::QUESTION),
    };
    let words = ["-c", script, "install", &request.requirement(), &request.name, last];
    let mut variables = environment::contained_installer(&job.desk.context.config.environment);
    variables.push(("HOME".to_owned(), "/tmp".to_owned()));
    let order = Order {
        name: format!("{}-install", engine.labels.container_name(job.launch)),
        image: image.id.clone(),
        entry: Some(vec!["/bin/sh".to_owned()]),
        arguments: Some(words.map(str::to_owned).into()),
        environment: variables,
        directory: Some("/tmp".to_owned()),
        limits: Limits::default(),
        volumes: vec![super::life::own_volume(volume.to_owned(), HOME, Access::Writable)],
        scratch: image.volumes.clone(),
        root: Access::ReadOnly,
        capabilities: vec![],
        labels: engine.labels.of_copy(job.launch, &Speech::Stdio, None),
        talk: Talk::Spoken,
    };
    let (container, _) = Container::make(client, order, &joined).await.map_err(trouble)?;
    let finished = tokio::time::timeout(PATIENCE, listen(job, &container)).await;
    let removed = container.remove().await;
    let (answer, code) = match finished {
        Ok(finished) => finished.map_err(trouble)?,
        Err(_) => {
            let reason = format!("the installer was not done after {} s", PATIENCE.as_secs());
            return Err(failed(job, request, &reason));
        }
    };
    removed.map_err(trouble)?;
    if code == Some(0) {
        Ok(answer)
    } else {
        Err(failure::explain(request, job.log.last_lines()))
    }
}

async fn listen(job: Job<'_>, container: &Container) -> Result<(String, Option<i32>), Trouble> {
    let (input, streams) = container.attach().await?;
    container.start().await?;
    drop(input);
    let Streams { stdout, stderr, .. } = streams;
    let answer = async {
        let mut answer = Vec::new();
        // What breaks off is no answer, and is seen as none.
        let _read = stdout.take(ANSWER).read_to_end(&mut answer).await;
        String::from_utf8_lossy(&answer).into_owned()
    };
    let (answer, ()) = tokio::join!(answer, log::capture(stderr, Stream::Install, job.log.clone()));
    container.ended().await?;
    Ok((answer, container.end().await?.and_then(|end| end.code)))
}

/// Version and programs, from an installer's answer.
fn understand(request: &Request, answer: &str) -> Result<(String, Programs), String> {
    let itself = |name: String, path: PathBuf| {
        let interpreter = Interpreter::Itself;
        (name, Executable { path, interpreter })
    };
    let (version, programs): (String, Programs) = match request.registry {
        Registry::Npm => {
            let about: serde_json::Value =
                serde_json::from_str(answer).map_err(|_| "npm has installed something else".to_owned())?;
            let version = about["version"]
                .as_str()
                .ok_or("its package.json names no version")?
                .to_owned();
            let declared = npm::programs(&request.name, &about)?;
            // npm has made a link to each, by its name.
            let bin = Path::new("node_modules/.bin");
            let programs = declared
                .into_iter()
                .map(|(name, _)| itself(name.clone(), bin.join(name)));
            (version, programs.collect())
        }
        Registry::Pypi => {
            let about: pypi::About = serde_json::from_str(answer.trim())
                .map_err(|_| "it cannot be found where it was installed".to_owned())?;
            let named = about.scripts.into_iter().filter(|name| !name.contains('/'));
            let programs = named.map(|name| itself(name.clone(), Path::new("bin").join(name)));
            (about.version, programs.collect())
        }
    };
    if programs.is_empty() {
        return Err("it has no program to run".to_owned());
    }
    Ok((version, programs))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(registry: Registry, name: &str) -> Request {
        Request {
            registry,
            name: name.to_owned(),
            version: None,
            scripts: InstallScripts::Ignored,
        }
    }

    #[test]
    fn answers_of_installers() {
        for (registry, answer, expected) in [
            (
                Registry::Npm,
                r#"{"version":"1.2.3","bin":"dist/index.js"}"#,
                Ok(("1.2.3", vec![("x", "node_modules/.bin/x")])),
            ),
            (Registry::Npm, r#"{"version":"1.2.3"}"#, Err("it has no program to run")),
            (Registry::Npm, "npm warn", Err("npm has installed something else")),
            (
                Registry::Pypi,
                "{\"version\":\"2.0\",\"scripts\":[\"x-server\",\"../y\"]}\n",
                Ok(("2.0", vec![("x-server", "bin/x-server")])),
            ),
            (Registry::Pypi, "", Err("it cannot be found where it was installed")),
        ] {
            let seen = understand(&request(registry, "x"), answer);
            let seen = seen.as_ref().map(|(version, programs)| {
                let programs = programs.iter();
                let programs =
                    programs.map(|(name, program)| (name.as_str(), program.path.to_str().unwrap_or_default()));
                (version.as_str(), programs.collect::<Vec<_>>())
            });
            assert_eq!(seen.map_err(String::as_str), expected, "{answer}");
        }
    }
}

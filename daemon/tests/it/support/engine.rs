//! A real Docker engine, and an image that is made on the spot: the fixture and the libraries it needs, nothing else.

use std::collections::{BTreeSet, HashMap};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::SystemTime;

use bollard::Docker;
use bollard::models::{ContainerInspectResponse, ContainerSummary};
use bollard::query_parameters::{
    CreateImageOptions, InspectContainerOptions, ListContainersOptions, ListNetworksOptions, ListVolumesOptions,
    RemoveContainerOptions, RemoveVolumeOptions,
};
use futures_util::StreamExt as _;

use super::daemon::say;

/// Where the engine is, and the way to it.
pub(crate) struct Engine {
    pub(crate) client: Docker,
    pub(crate) host: String,
}

/// The engine of this machine. Skipped, with the reason, where there is none; required where `ORCH_REQUIRE_ALL` asks for
/// everything.
pub(crate) async fn engine() -> Option<Engine> {
    let host = std::env::var("DOCKER_HOST").unwrap_or_else(|_| "unix:///var/run/docker.sock".to_owned());
    let answer = async {
        let client = Docker::connect_with_host(&host).map_err(|error| error.to_string())?;
        client.version().await.map_err(|error| error.to_string())?;
        Ok::<_, String>(client)
    };
    match answer.await {
        Ok(client) => Some(Engine { client, host }),
        Err(error) => {
            assert!(
                std::env::var_os("ORCH_REQUIRE_ALL").is_none(),
                "a Docker engine is required, and {host} does not answer: {error}"
            );
            say(&format!("skipped: there is no Docker engine at {host}: {error}"));
            None
        }
    }
}

impl Engine {
    /// An image whose entry point is the fixture.
    pub(crate) async fn fixture(&self, fixture: &str) -> String {
        self.image(fixture, "fixture", &["ENTRYPOINT [\"/orch-fixture\"]"])
            .await
    }

    /// An image with the fixture in it, that does not say what to run.
    pub(crate) async fn bare(&self, fixture: &str) -> String {
        self.image(fixture, "bare", &["ENV IMAGE=bare"]).await
    }

    /// An image of the fixture that wants volumes.
    pub(crate) async fn wanting(&self, fixture: &str) -> String {
        let changes = ["ENTRYPOINT [\"/orch-fixture\"]", "VOLUME [\"/data\", \"/state\"]"];
        self.image(fixture, "wanting", &changes).await
    }

    /// An image with the node, npm and python of this machine.
    pub(crate) async fn runner(&self) -> String {
        let certificates = "/etc/ssl/certs/ca-certificates.crt";
        let changes = [
            format!("ENV NODE_EXTRA_CA_CERTS={certificates}"),
            format!("ENV PIP_CERT={certificates}"),
            "ENV PATH=/usr/local/bin:/usr/bin:/bin".to_owned(),
        ];
        let changes: Vec<&str> = changes.iter().map(String::as_str).collect();
        self.import("runner", "here", &changes, tar_of_runner).await
    }

    async fn image(&self, fixture: &str, name: &str, changes: &[&str]) -> String {
        let about = std::fs::metadata(fixture).expect("the fixture is there");
        let made = about.modified().expect("it has a time");
        let stamp = made.duration_since(SystemTime::UNIX_EPOCH).expect("it is not that old");
        let tag = format!("{}-{}", about.len(), stamp.as_millis());
        self.import(name, &tag, changes, || tar_of(fixture)).await
    }

    async fn import(&self, name: &str, tag: &str, changes: &[&str], files: impl FnOnce() -> Vec<u8>) -> String {
        let (repository, tag) = (format!("orchctl-test/{name}"), tag.to_owned());
        let reference = format!("{repository}:{tag}");
        if self.client.inspect_image(&reference).await.is_ok() {
            return reference;
        }
        let options = CreateImageOptions {
            from_src: Some("-".to_owned()),
            repo: Some(repository),
            tag: Some(tag),
            changes: changes.iter().map(|change| (*change).to_owned()).collect(),
            ..CreateImageOptions::default()
        };
        let tar = bollard::body_full(files().into());
        let mut importing = self.client.create_image(Some(options), Some(tar), None);
        while let Some(news) = importing.next().await {
            news.expect("an image can be imported");
        }
        reference
    }

    /// The containers with a label.
    pub(crate) async fn containers(&self, label: &str) -> Vec<ContainerSummary> {
        let options = ListContainersOptions {
            all: true,
            filters: Some(HashMap::from([("label".to_owned(), vec![label.to_owned()])])),
            ..ListContainersOptions::default()
        };
        self.client.list_containers(Some(options)).await.expect("a list")
    }

    /// The networks with a label.
    pub(crate) async fn networks(&self, label: &str) -> usize {
        let options = ListNetworksOptions {
            filters: Some(HashMap::from([("label".to_owned(), vec![label.to_owned()])])),
        };
        self.client.list_networks(Some(options)).await.expect("a list").len()
    }

    pub(crate) async fn inspect(&self, id: &str) -> ContainerInspectResponse {
        let found = self.client.inspect_container(id, None::<InspectContainerOptions>).await;
        found.expect("the container is there")
    }

    /// Removes the volumes with a label; how many there were.
    pub(crate) async fn remove_volumes(&self, label: &str) -> usize {
        let options = ListVolumesOptions {
            filters: Some(HashMap::from([("label".to_owned(), vec![label.to_owned()])])),
        };
        let there = self.client.list_volumes(Some(options)).await.expect("a list");
        let there = there.volumes.unwrap_or_default();
        for volume in &there {
            let removed = self
                .client
                .remove_volume(&volume.name, None::<RemoveVolumeOptions>)
                .await;
            removed.expect("nothing uses it");
        }
        there.len()
    }

    pub(crate) async fn remove(&self, id: &str) {
        let options = RemoveContainerOptions {
            force: true,
            ..RemoveContainerOptions::default()
        };
        let _gone = self.client.remove_container(id, Some(options)).await;
    }
}

/// A file system with a program and the libraries it is linked to.
fn tar_of(program: &str) -> Vec<u8> {
    let root = tempfile::tempdir().expect("a directory");
    for directory in ["data", "proc", "state", "tmp"] {
        std::fs::create_dir(root.path().join(directory)).expect("a directory");
    }
    let inside = root.path().join("orch-fixture");
    let stripped = Command::new("strip").arg("-o").arg(&inside).arg(program).status();
    if !stripped.is_ok_and(|status| status.success()) {
        std::fs::copy(program, &inside).expect("the program can be copied");
    }
    copy(root.path(), "-aL", &libraries(program));
    tar(root.path())
}

/// A file system with what installs and runs packages.
fn tar_of_runner() -> Vec<u8> {
    let root = tempfile::tempdir().expect("a directory");
    std::fs::create_dir(root.path().join("tmp")).expect("a directory");
    std::fs::create_dir_all(root.path().join("usr/local/bin")).expect("a directory");
    let about = "import sys, sysconfig; print(sys._base_executable, sysconfig.get_path('stdlib'))";
    let python = Command::new("python3")
        .args(["-c", about])
        .output()
        .expect("python3 runs");
    let python = String::from_utf8_lossy(&python.stdout).trim().to_owned();
    let (python, library) = python.split_once(' ').expect("two paths");
    let node = Command::new("node")
        .args(["-p", "process.execPath"])
        .output()
        .expect("node runs");
    let node = String::from_utf8_lossy(&node.stdout).trim().to_owned();

    let mut files = vec![
        "/bin/sh".to_owned(),
        "/bin/cat".to_owned(),
        "/usr/bin/env".to_owned(),
        node,
    ];
    files.extend(["/etc/ssl/certs/ca-certificates.crt", "/etc/passwd"].map(str::to_owned));
    let modules = std::fs::read_dir(format!("{library}/lib-dynload"))
        .into_iter()
        .flatten()
        .flatten();
    let modules = modules.map(|entry| entry.path().display().to_string());
    let programs = files.clone().into_iter().chain([python.to_owned()]).chain(modules);
    let linked: Vec<_> = programs.flat_map(|program| libraries(&program)).collect();
    // What belongs to the C library, and is linked to by what is installed later.
    let beside = linked
        .iter()
        .find_map(|path| path.strip_suffix("/libc.so.6"))
        .expect("a C library");
    let beside = [
        "librt.so.1",
        "libpthread.so.0",
        "libdl.so.2",
        "libutil.so.1",
        "libgcc_s.so.1",
        "libstdc++.so.6",
    ]
    .map(|name| format!("{beside}/{name}"));
    let beside: Vec<_> = beside.into_iter().filter(|path| Path::new(path).exists()).collect();
    copy(root.path(), "-aL", &[files, linked, beside].concat());
    copy(root.path(), "-aL", &[python.to_owned()]);
    let trees = [
        library,
        "/usr/bin/npm",
        "/usr/lib/node_modules/npm",
        "/usr/share/nodejs",
    ];
    let trees: Vec<_> = trees
        .into_iter()
        .filter(|tree| Path::new(tree).exists())
        .map(|tree| tree.trim_start_matches('/'))
        .collect();
    let mut reading = Command::new("tar");
    // What was installed beside python, and its own tests, is most of it.
    for left_out in [
        "site-packages",
        "dist-packages",
        "__pycache__",
        "test",
        "idlelib",
        "tkinter",
        "config-*",
    ] {
        reading.arg(format!("--exclude={library}/{left_out}").replace("=/", "="));
    }
    let read = reading
        .args(["-C", "/", "-cf", "-"])
        .args(trees)
        .stdout(Stdio::piped())
        .spawn();
    let mut read = read.expect("tar runs");
    let written = Command::new("tar")
        .arg("-C")
        .arg(root.path())
        .args(["-xf", "-"])
        .stdin(read.stdout.take().expect("a pipe"))
        .status();
    assert!(written.is_ok_and(|status| status.success()) && read.wait().is_ok_and(|status| status.success()));
    std::os::unix::fs::symlink(python, root.path().join("usr/local/bin/python3")).expect("a link");
    tar(root.path())
}

/// The files that a program is linked to.
fn libraries(program: &str) -> Vec<String> {
    let linked = Command::new("ldd").arg(program).output().expect("ldd runs");
    let text = String::from_utf8_lossy(&linked.stdout).into_owned();
    let paths = text
        .split_whitespace()
        .filter(|word| word.starts_with('/') && Path::new(word).is_file());
    paths.map(str::to_owned).collect()
}

/// Copies files and directories to the same places below a root.
fn copy(root: &Path, how: &str, paths: &[String]) {
    // From the top, for cp keeps the directories on the way as they are there.
    let paths: BTreeSet<&str> = paths.iter().map(|path| path.trim_start_matches('/')).collect();
    let mut command = Command::new("cp");
    command.current_dir("/").args([how, "--parents", "-t"]).arg(root);
    let done = command.args(paths).output();
    let done = done.expect("cp runs");
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
}

fn tar(root: &Path) -> Vec<u8> {
    let tar = Command::new("tar").arg("-C").arg(root).args(["-cf", "-", "."]).output();
    let tar = tar.expect("tar runs");
    assert!(tar.status.success(), "{}", String::from_utf8_lossy(&tar.stderr));
    tar.stdout
}

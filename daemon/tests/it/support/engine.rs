//! A real Docker engine, and an image that is made on the spot: the fixture and the libraries it needs, nothing else.

use std::collections::HashMap;
use std::path::Path;
use std::process::Command;
use std::time::SystemTime;

use bollard::Docker;
use bollard::models::{ContainerInspectResponse, ContainerSummary};
use bollard::query_parameters::{
    CreateImageOptions, InspectContainerOptions, ListContainersOptions, ListNetworksOptions, RemoveContainerOptions,
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

    async fn image(&self, fixture: &str, name: &str, changes: &[&str]) -> String {
        let about = std::fs::metadata(fixture).expect("the fixture is there");
        let made = about.modified().expect("it has a time");
        let stamp = made.duration_since(SystemTime::UNIX_EPOCH).expect("it is not that old");
        let (repository, tag) = (
            format!("orchctl-test/{name}"),
            format!("{}-{}", about.len(), stamp.as_millis()),
        );
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
        let tar = bollard::body_full(tar_of(fixture).into());
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
    for directory in ["data", "proc", "tmp", "work"] {
        std::fs::create_dir(root.path().join(directory)).expect("a directory");
    }
    let inside = root.path().join("orch-fixture");
    let stripped = Command::new("strip").arg("-o").arg(&inside).arg(program).status();
    if !stripped.is_ok_and(|status| status.success()) {
        std::fs::copy(program, &inside).expect("the program can be copied");
    }
    let linked = Command::new("ldd").arg(program).output().expect("ldd runs");
    for word in String::from_utf8_lossy(&linked.stdout).split_whitespace() {
        let path = Path::new(word);
        if path.is_absolute() && path.is_file() {
            let copy = root.path().join(path.strip_prefix("/").expect("an absolute path"));
            std::fs::create_dir_all(copy.parent().expect("a directory")).expect("directories can be made");
            std::fs::copy(path, copy).expect("a library can be copied");
        }
    }
    let tar = Command::new("tar")
        .arg("-C")
        .arg(root.path())
        .args(["-cf", "-", "."])
        .output();
    let tar = tar.expect("tar runs");
    assert!(tar.status.success(), "{}", String::from_utf8_lossy(&tar.stderr));
    tar.stdout
}

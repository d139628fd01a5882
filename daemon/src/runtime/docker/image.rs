//! Images: there, pulled, or not to be had.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use bollard::Docker;
use bollard::models::{ContainerInspectResponse, CreateImageInfo};
use bollard::query_parameters::CreateImageOptions;
use futures_util::StreamExt as _;

use super::super::launch::Pull;
use super::super::observation::Failure;
use super::engine::{Engine, Trouble};

/// Progress is told this often at most.
const PACE: Duration = Duration::from_secs(1);

/// An image that the engine has.
#[derive(Debug, Clone)]
pub(super) struct Image {
    /// The engine's id, which never means another image.
    pub(super) id: String,
    /// The digest it has in its registry; else the id.
    pub(super) digest: String,
    /// Whether it says what to run.
    pub(super) runs_something: bool,
    /// Where it wants volumes: absolute paths.
    pub(super) volumes: Vec<String>,
}

/// Makes sure that the engine has an image. `tell` hears how far a pull has come.
pub(super) async fn ensure(
    engine: &Engine,
    client: &Docker,
    reference: &str,
    pull: Pull,
    tell: impl Fn(String),
) -> Result<Image, Failure> {
    let failed = |trouble: Trouble| match trouble {
        Trouble::Away { .. } => engine.failure(trouble, "made"),
        Trouble::Refused { message, .. } => Failure::ImageUnavailable {
            image: reference.to_owned(),
            hint: Some(hint(&message).to_owned()),
            reason: message,
        },
    };
    let there = inspect(client, reference, reference).await.map_err(failed)?;
    match (pull, there) {
        (Pull::IfMissing | Pull::Never, Some(image)) => Ok(image),
        (Pull::Never, None) => Err(Failure::ImageUnavailable {
            image: reference.to_owned(),
            reason: "the engine does not have it, and pullPolicy: Never forbids pulling it".to_owned(),
            hint: Some("load it into the engine, or set image.pullPolicy: IfNotPresent".to_owned()),
        }),
        (Pull::Always, _) | (Pull::IfMissing, None) => {
            fetch(client, reference, &tell).await.map_err(failed)?;
            let there = inspect(client, reference, reference).await.map_err(failed)?;
            there.ok_or_else(|| Failure::ImageUnavailable {
                image: reference.to_owned(),
                reason: "it was pulled, and is not there".to_owned(),
                hint: None,
            })
        }
    }
}

async fn inspect(client: &Docker, name: &str, reference: &str) -> Result<Option<Image>, Trouble> {
    let found = match client.inspect_image(name).await.map_err(Trouble::from) {
        Ok(found) => found,
        Err(trouble) if trouble.is_missing() => return Ok(None),
        Err(trouble) => return Err(trouble),
    };
    let id = found.id.unwrap_or_else(|| name.to_owned());
    let repository = repository(reference);
    let digests: Vec<_> = found.repo_digests.unwrap_or_default();
    let digest = digests
        .iter()
        .find_map(|known| known.strip_prefix(repository)?.strip_prefix('@'))
        .or_else(|| digests.first()?.split_once('@').map(|(_, digest)| digest))
        .unwrap_or(&id)
        .to_owned();
    let config = found.config.unwrap_or_default();
    let says = |words: &Option<Vec<String>>| words.as_ref().is_some_and(|words| !words.is_empty());
    Ok(Some(Image {
        id,
        digest,
        runs_something: says(&config.entrypoint) || says(&config.cmd),
        volumes: config.volumes.unwrap_or_default(),
    }))
}

/// The image of a container.
pub(super) async fn of_container(
    client: &Docker,
    container: &ContainerInspectResponse,
    reference: &str,
) -> Result<Image, Trouble> {
    let id = container.image.clone().unwrap_or_default();
    let known = inspect(client, &id, reference).await?;
    // An image may be removed while a container of it runs.
    Ok(known.unwrap_or(Image {
        digest: id.clone(),
        id,
        runs_something: true,
        volumes: Vec::new(),
    }))
}

async fn fetch(client: &Docker, reference: &str, tell: &impl Fn(String)) -> Result<(), Trouble> {
    let options = CreateImageOptions {
        from_image: Some(in_full(reference)),
        ..CreateImageOptions::default()
    };
    tell(format!("pulling {reference}"));
    let mut pulling = client.create_image(Some(options), None, None);
    let mut layers = BTreeMap::new();
    let mut told = Instant::now();
    while let Some(news) = pulling.next().await {
        note(&mut layers, news?);
        if !layers.is_empty() && told.elapsed() >= PACE {
            told = Instant::now();
            let done = layers.values().filter(|done| **done).count();
            tell(format!("pulling {reference}: {done} of {} layers", layers.len()));
        }
    }
    Ok(())
}

/// Takes note of what is said of a layer.
fn note(layers: &mut BTreeMap<String, bool>, news: CreateImageInfo) {
    let (Some(id), Some(status)) = (news.id, news.status) else {
        return;
    };
    match status.as_str() {
        "Pull complete" | "Already exists" => layers.insert(id, true),
        "Pulling fs layer" | "Waiting" | "Downloading" | "Verifying Checksum" | "Download complete" | "Extracting" => {
            layers.insert(id, false)
        }
        // Something about the whole.
        _ => None,
    };
}

/// A reference that means one image: without a tag, the engine would fetch all there are.
fn in_full(reference: &str) -> String {
    let last = reference.rsplit('/').next().unwrap_or(reference);
    if last.contains([':', '@']) {
        reference.to_owned()
    } else {
        format!("{reference}:latest")
    }
}

/// The reference without tag and digest.
fn repository(reference: &str) -> &str {
    let bare = reference.split('@').next().unwrap_or(reference);
    match bare.rsplit_once(':') {
        Some((repository, tag)) if !tag.contains('/') => repository,
        Some(_) | None => bare,
    }
}

fn hint(message: &str) -> &'static str {
    let says = |words: &[&str]| words.iter().any(|word| message.contains(word));
    if says(&["denied", "unauthorized", "authentication"]) {
        "the registry wants a login, or there is no such image: pull it into the engine yourself, or correct the reference"
    } else if says(&["not found", "manifest unknown", "does not exist"]) {
        "check the name and the tag"
    } else {
        "check the way from the engine to the registry, or load the image into the engine yourself"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_in_full() {
        for (reference, full, bare) in [
            ("alpine", "alpine:latest", "alpine"),
            ("alpine:3", "alpine:3", "alpine"),
            ("host:5000/a/b", "host:5000/a/b:latest", "host:5000/a/b"),
            ("host:5000/a/b:1", "host:5000/a/b:1", "host:5000/a/b"),
            ("a/b@sha256:00", "a/b@sha256:00", "a/b"),
            ("a/b:1@sha256:00", "a/b:1@sha256:00", "a/b"),
        ] {
            assert_eq!((in_full(reference).as_str(), repository(reference)), (full, bare));
        }
    }
}

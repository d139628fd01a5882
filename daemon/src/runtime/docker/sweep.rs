//! Clearing away: what earlier daemons have left behind, and what is left of a copy.

use std::collections::{BTreeSet, HashMap};

use bollard::Docker;
use bollard::models::ContainerSummaryStateEnum;
use bollard::query_parameters::{ListContainersOptions, RemoveContainerOptions};

use super::engine::Trouble;
use super::labels::{INSTANCE, Labels, outlives_us};

/// A container of ours.
pub(super) struct Found {
    pub(super) id: String,
    pub(super) labels: HashMap<String, String>,
    pub(super) running: bool,
}

/// Our containers, or those of a copy, whatever their state.
pub(super) async fn ours(client: &Docker, labels: &Labels, uid: Option<&str>) -> Result<Vec<Found>, Trouble> {
    let options = ListContainersOptions {
        all: true,
        filters: Some(labels.filter(uid)),
        ..ListContainersOptions::default()
    };
    let found = client.list_containers(Some(options)).await?.into_iter();
    let found = found.filter_map(|summary| {
        Some(Found {
            id: summary.id?,
            running: summary.state == Some(ContainerSummaryStateEnum::RUNNING),
            labels: summary.labels.unwrap_or_default(),
        })
    });
    // The engine's filter is not the only thing that stands between us and others.
    Ok(found.filter(|found| labels.is_ours(&found.labels)).collect())
}

/// Removes what earlier runs of this daemon have left, but for the running containers of expected copies that outlive it.
pub(super) async fn leftovers(client: &Docker, labels: &Labels, expected: &BTreeSet<String>) -> Result<(), Trouble> {
    for found in ours(client, labels, None).await? {
        let is_expected = found.labels.get(INSTANCE).is_some_and(|uid| expected.contains(uid));
        let stays = found.running && outlives_us(&found.labels) && is_expected;
        if !stays && !labels.is_of_this_run(&found.labels) {
            tracing::info!(container = found.id, "removing a container of an earlier run");
            remove(client, &found.id).await?;
        }
    }
    Ok(())
}

/// Removes the containers of a copy.
pub(super) async fn remove_of(client: &Docker, labels: &Labels, uid: &str) -> Result<(), Trouble> {
    for found in ours(client, labels, Some(uid)).await? {
        remove(client, &found.id).await?;
    }
    Ok(())
}

/// Removes a container, running or not, with the nameless volumes that came with it.
pub(super) async fn remove(client: &Docker, id: &str) -> Result<(), Trouble> {
    let options = RemoveContainerOptions {
        force: true,
        v: true,
        link: false,
    };
    match client.remove_container(id, Some(options)).await.map_err(Trouble::from) {
        // Gone, or somebody is at it already.
        Ok(()) | Err(Trouble::Refused { status: 404 | 409, .. }) => Ok(()),
        Err(trouble) => Err(trouble),
    }
}

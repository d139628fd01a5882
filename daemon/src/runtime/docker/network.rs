//! The private networks of a daemon: one from which nothing is reached, and one from which everything is.
//!
//! Both are made when first needed and carry our labels. Containers on them do not reach each other; this machine reaches
//! each by its address. The networks are removed when nothing is on them and no copy is to run in a container.

use std::collections::HashMap;
use std::net::IpAddr;

use bollard::Docker;
use bollard::models::{NetworkCreateRequest, NetworkInspect};
use bollard::query_parameters::{InspectNetworkOptions, ListNetworksOptions};

use super::super::launch::Network;
use super::engine::{Engine, Trouble};
use super::labels::Labels;

/// Between containers on one bridge.
const BETWEEN: &str = "com.docker.network.bridge.enable_icc";

/// What a container is joined to.
#[derive(Debug, Clone)]
pub(super) struct Joined {
    /// The name of the network, or `none`.
    pub(super) name: String,
    /// The address of this machine in it.
    pub(super) gateway: Option<IpAddr>,
    /// Whether names of the world are resolved for the container.
    pub(super) resolves: bool,
}

/// Makes sure of the network for a copy.
pub(super) async fn ensure(engine: &Engine, client: &Docker, network: &Network) -> Result<Joined, Trouble> {
    let (purpose, internal) = match network {
        Network::None => {
            return Ok(Joined {
                name: "none".to_owned(),
                gateway: None,
                resolves: false,
            });
        }
        Network::Internal | Network::Only(_) => ("internal", true),
        Network::Egress => ("egress", false),
    };
    let name = format!("orchctl-{purpose}-{}", engine.labels.word("network"));
    let _one_at_a_time = engine.making.lock().await;
    let found = match inspect(client, &name).await? {
        Some(found) => found,
        None => {
            let request = NetworkCreateRequest {
                name: name.clone(),
                driver: Some("bridge".to_owned()),
                internal: Some(internal),
                options: Some(HashMap::from([(BETWEEN.to_owned(), "false".to_owned())])),
                labels: Some(engine.labels.own()),
                ..NetworkCreateRequest::default()
            };
            client.create_network(request).await?;
            inspect(client, &name)
                .await?
                .ok_or_else(|| Trouble::away("a network that was just made is gone"))?
        }
    };
    if !engine.labels.is_ours(found.labels.as_ref().unwrap_or(&HashMap::new())) || found.internal != Some(internal) {
        return Err(Trouble::Refused {
            status: 0,
            message: format!("the network {name} is not ours"),
        });
    }
    Ok(Joined {
        name,
        gateway: gateway(&found),
        resolves: !internal,
    })
}

async fn inspect(client: &Docker, name: &str) -> Result<Option<NetworkInspect>, Trouble> {
    let found = client.inspect_network(name, None::<InspectNetworkOptions>).await;
    match found.map_err(Trouble::from) {
        Ok(found) => Ok(Some(found)),
        Err(trouble) if trouble.is_missing() => Ok(None),
        Err(trouble) => Err(trouble),
    }
}

fn gateway(network: &NetworkInspect) -> Option<IpAddr> {
    let configs = network.ipam.as_ref()?.config.as_ref()?;
    configs.iter().find_map(|config| {
        let address = config.gateway.as_ref()?;
        address.split('/').next()?.parse().ok()
    })
}

/// Removes our networks that nothing is on.
pub(super) async fn remove_unused(client: &Docker, labels: &Labels) {
    let options = ListNetworksOptions {
        filters: Some(labels.filter(None)),
    };
    let Ok(networks) = client.list_networks(Some(options)).await else {
        return;
    };
    for network in networks {
        if let (Some(id), Some(own)) = (network.id, network.labels)
            && labels.is_ours(&own)
        {
            // The engine refuses when a container is on it.
            let _in_use = client.remove_network(&id).await;
        }
    }
}

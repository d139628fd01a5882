//! What is shown of a container: what its engine says of it, without the values of its environment.

use std::net::IpAddr;

use bollard::models::{ContainerInspectResponse, HostConfig, MountPoint};
use orch_shared::kinds::instance::ContainerStatus;

use super::super::launch::{Limits, Network};
use super::super::limits::size;
use super::super::observation::Enforced;

/// The networks of a container are told in these words.
pub(super) fn spoken(network: &Network) -> String {
    match network {
        Network::None => "none".to_owned(),
        Network::Internal => "internal".to_owned(),
        Network::Egress => "egress".to_owned(),
        Network::Only(hosts) => {
            let hosts: Vec<_> = hosts
                .iter()
                .map(|host| {
                    let below = if host.below { "*." } else { "" };
                    let port = host.port.map(|port| format!(":{port}")).unwrap_or_default();
                    format!("{below}{}{port}", host.name)
                })
                .collect();
            format!("egress to {} only", hosts.join(", "))
        }
    }
}

/// The address of a container in its network.
pub(super) fn address(found: &ContainerInspectResponse) -> Option<IpAddr> {
    let networks = found.network_settings.as_ref()?.networks.as_ref()?;
    networks
        .values()
        .find_map(|endpoint| endpoint.ip_address.as_ref()?.parse().ok())
}

/// What is shown of a container.
pub(super) fn status(
    found: &ContainerInspectResponse,
    image: &str,
    digest: &str,
    reached: String,
    network: &Network,
) -> ContainerStatus {
    let blank = HostConfig::default();
    let host = found.host_config.as_ref().unwrap_or(&blank);
    let state = found.state.clone().unwrap_or_default();
    let config = found.config.clone().unwrap_or_default();
    let names = config.env.unwrap_or_default().into_iter();
    let mut environment: Vec<_> = names
        .map(|variable| variable.split('=').next().unwrap_or_default().to_owned())
        .collect();
    environment.sort();
    environment.dedup();
    ContainerStatus {
        id: found.id.clone().unwrap_or_default(),
        name: found
            .name
            .as_deref()
            .unwrap_or_default()
            .trim_start_matches('/')
            .to_owned(),
        image: image.to_owned(),
        digest: digest.to_owned(),
        reached,
        network: spoken(network),
        address: address(found).map(|address| address.to_string()),
        limits: limits(host),
        user: config.user.filter(|user| !user.is_empty()),
        volumes: found.mounts.iter().flatten().map(volume).collect(),
        environment,
        security: security(host),
        started_at: state.started_at.and_then(|at| at.parse().ok()),
        oom_killed: state.oom_killed.unwrap_or(false),
        engine_restarts: found
            .restart_count
            .and_then(|count| u32::try_from(count).ok())
            .unwrap_or(0),
    }
}

fn limits(host: &HostConfig) -> Option<String> {
    let set = |number: Option<i64>| {
        number
            .and_then(|number| u64::try_from(number).ok())
            .filter(|number| *number > 0)
    };
    let told = [
        set(host.memory).map(|bytes| format!("memory {}", size(bytes))),
        set(host.nano_cpus).map(|nano| format!("cpu {}m", nano / 1_000_000)),
        set(host.pids_limit).map(|count| format!("{count} processes")),
    ];
    let told: Vec<_> = told.into_iter().flatten().collect();
    (!told.is_empty()).then(|| told.join(", "))
}

fn volume(mount: &MountPoint) -> String {
    let source = match (mount.name.as_deref(), mount.source.as_deref()) {
        (Some(name), _) if !name.is_empty() => name,
        (_, Some(source)) if !source.is_empty() => source,
        _ => "in memory",
    };
    let target = mount.destination.as_deref().unwrap_or_default();
    let access = if mount.rw == Some(false) { " (read-only)" } else { "" };
    format!("{source} -> {target}{access}")
}

fn security(host: &HostConfig) -> String {
    let root = if host.readonly_rootfs == Some(true) {
        "read-only root"
    } else {
        "writable root"
    };
    let drops_all = host
        .cap_drop
        .iter()
        .flatten()
        .any(|dropped| dropped.eq_ignore_ascii_case("all"));
    let kept = host.cap_add.clone().unwrap_or_default();
    let capabilities = match (drops_all, kept.as_slice()) {
        (true, []) => "no capabilities".to_owned(),
        (true, kept) => format!("capabilities {}", kept.join(", ")),
        (false, _) => "the engine's capabilities".to_owned(),
    };
    let options = host.security_opt.iter().flatten();
    let privileges = if options.clone().any(|option| option.starts_with("no-new-privileges")) {
        "no new privileges"
    } else {
        "new privileges"
    };
    format!("{root}, {capabilities}, {privileges}")
}

/// Whether limits hold, as far as the engine says.
pub(super) fn enforced(limits: Limits, warnings: &[String]) -> Enforced {
    let limit = |warning: &&String| {
        let warning = warning.to_ascii_lowercase();
        ["memory", "swap", "cpu", "pids"]
            .iter()
            .any(|word| warning.contains(word))
    };
    if limits.is_none() {
        return Enforced::NotAsked;
    }
    let doubts: Vec<_> = warnings.iter().filter(limit).map(String::as_str).collect();
    if doubts.is_empty() {
        Enforced::Full
    } else {
        Enforced::Partial(doubts.join("; "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bollard::models::{ContainerConfig, ContainerState};

    #[test]
    fn values_of_the_environment_are_not_shown() {
        let found = ContainerInspectResponse {
            config: Some(ContainerConfig {
                env: Some(vec!["TOKEN=very-secret".to_owned(), "PATH=/bin".to_owned()]),
                ..ContainerConfig::default()
            }),
            state: Some(ContainerState {
                started_at: Some("2026-11-21T10:00:00.123456789Z".to_owned()),
                oom_killed: Some(true),
                ..ContainerState::default()
            }),
            host_config: Some(HostConfig {
                memory: Some(64 << 20),
                nano_cpus: Some(500_000_000),
                readonly_rootfs: Some(true),
                cap_drop: Some(vec!["ALL".to_owned()]),
                security_opt: Some(vec!["no-new-privileges".to_owned()]),
                ..HostConfig::default()
            }),
            ..ContainerInspectResponse::default()
        };
        let status = status(&found, "a/b:1", "sha256:0", "attach".to_owned(), &Network::None);
        let shown = serde_json::to_string(&status).expect("plain data");
        assert!(!shown.contains("very-secret"), "{shown}");
        assert_eq!(status.environment, ["PATH", "TOKEN"]);
        assert_eq!(status.limits.as_deref(), Some("memory 64Mi, cpu 500m"));
        assert_eq!(status.security, "read-only root, no capabilities, no new privileges");
        assert!(status.oom_killed && status.started_at.is_some());
    }

    #[test]
    fn what_the_engine_warns_of_is_told() {
        let asked = Limits {
            memory: Some(1 << 20),
            ..Limits::default()
        };
        let swap = "Your kernel does not support swap limit capabilities".to_owned();
        for (limits, warnings, expected) in [
            (Limits::default(), vec![swap.clone()], Enforced::NotAsked),
            (asked, vec![], Enforced::Full),
            (asked, vec!["IPv4 forwarding is disabled".to_owned()], Enforced::Full),
            (asked, vec![swap.clone()], Enforced::Partial(swap)),
        ] {
            assert_eq!(enforced(limits, &warnings), expected);
        }
    }
}

//! One container: described, made, started, watched, ended.

use std::collections::HashMap;
use std::time::Duration;

use bollard::Docker;
use bollard::errors::Error;
use bollard::models::{
    ContainerCreateBody, ContainerInspectResponse, HostConfig, HostConfigLogConfig, Mount, MountTmpfsOptions,
    MountType, MountVolumeOptions,
};
use bollard::query_parameters::{
    AttachContainerOptions, CreateContainerOptions, InspectContainerOptions, KillContainerOptions,
    StartContainerOptions, WaitContainerOptions,
};
use futures_util::StreamExt as _;

use super::super::launch::{Access, Limits, Volume};
use super::engine::Trouble;
use super::network::Joined;
use super::streams::{Input, Streams, split};
use super::sweep;

/// What is to be made.
#[derive(Debug, Clone, Default)]
pub(super) struct Order {
    pub(super) name: String,
    /// The engine's id of the image.
    pub(super) image: String,
    /// What replaces the image's entry point.
    pub(super) entry: Option<Vec<String>>,
    /// What replaces the image's arguments.
    pub(super) arguments: Option<Vec<String>>,
    pub(super) environment: Vec<(String, String)>,
    pub(super) directory: Option<String>,
    pub(super) limits: Limits,
    pub(super) volumes: Vec<Volume>,
    /// Where the image wants volumes that nobody has declared.
    pub(super) scratch: Vec<String>,
    pub(super) root: Access,
    pub(super) capabilities: Vec<String>,
    pub(super) labels: HashMap<String, String>,
    pub(super) talk: Talk,
}

/// What becomes of the standard streams of a container's first process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Talk {
    /// They are the conversation.
    #[default]
    Spoken,
    /// The input is held open, for a program that would end without.
    Held,
    /// There is no input; the engine keeps what is written.
    Closed,
}

/// The size of the log that the engine keeps for those who come back to a container.
const KEPT: [(&str, &str); 2] = [("max-size", "4m"), ("max-file", "2")];

/// The size of directories in memory, unless the memory limit is smaller.
const IN_MEMORY: u64 = 256 << 20;

impl Order {
    /// In the engine's words.
    fn body(self, joined: &Joined) -> ContainerCreateBody {
        let room = self.limits.memory.map_or(IN_MEMORY, |limit| (limit / 2).min(IN_MEMORY));
        let signed = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
        // Where an image wants a volume, the engine would make one that nobody has declared, and that stays.
        let mut scratch: Vec<_> = self.scratch.iter().map(|path| bare(path)).chain(["/tmp"]).collect();
        scratch.retain(|path| !path.is_empty() && self.volumes.iter().all(|volume| bare(&volume.target) != *path));
        scratch.sort_unstable();
        scratch.dedup();
        let mut mounts: Vec<_> = scratch.into_iter().map(|path| in_memory(path, room)).collect();
        mounts.extend(self.volumes.iter().map(|volume| mount(volume, room)));
        let (log, log_config) = match self.talk {
            // What is said over the streams is not for files of the engine.
            Talk::Spoken | Talk::Held => ("none", None),
            Talk::Closed => (
                "json-file",
                Some(KEPT.map(|(name, value)| (name.to_owned(), value.to_owned())).into()),
            ),
        };
        let host = HostConfig {
            network_mode: Some(joined.name.clone()),
            // A resolver that is not there: names must not be a way out.
            dns: (!joined.resolves && joined.name != "none").then(|| vec!["127.0.0.1".to_owned()]),
            memory: self.limits.memory.map(signed),
            // The same as the memory: nothing may be swapped beyond it.
            memory_swap: self.limits.memory.map(signed),
            nano_cpus: self.limits.cpu.map(|thousandths| signed(thousandths * 1_000_000)),
            pids_limit: self.limits.processes.map(signed),
            readonly_rootfs: Some(self.root == Access::ReadOnly),
            cap_drop: Some(vec!["ALL".to_owned()]),
            cap_add: (!self.capabilities.is_empty()).then_some(self.capabilities),
            security_opt: Some(vec!["no-new-privileges".to_owned()]),
            mounts: Some(mounts),
            log_config: Some(HostConfigLogConfig {
                typ: Some(log.to_owned()),
                config: log_config,
            }),
            ..HostConfig::default()
        };
        let spoken = self.talk != Talk::Closed;
        ContainerCreateBody {
            image: Some(self.image),
            entrypoint: self.entry,
            cmd: self.arguments,
            env: Some(
                self.environment
                    .into_iter()
                    .map(|(name, value)| format!("{name}={value}"))
                    .collect(),
            ),
            working_dir: self.directory,
            labels: Some(self.labels),
            tty: Some(false),
            open_stdin: Some(spoken),
            stdin_once: Some(self.talk == Talk::Spoken),
            attach_stdin: Some(spoken),
            attach_stdout: Some(spoken),
            attach_stderr: Some(spoken),
            host_config: Some(host),
            ..ContainerCreateBody::default()
        }
    }
}

/// A path without slashes at its end.
fn bare(path: &str) -> &str {
    path.trim_end_matches('/')
}

fn in_memory(target: &str, room: u64) -> Mount {
    Mount {
        typ: Some(MountType::TMPFS),
        target: Some(target.to_owned()),
        tmpfs_options: Some(MountTmpfsOptions {
            size_bytes: i64::try_from(room).ok(),
            mode: Some(0o1777),
            options: None,
        }),
        ..Mount::default()
    }
}

fn mount(volume: &Volume, room: u64) -> Mount {
    let Some(source) = &volume.source else {
        return in_memory(&volume.target, room);
    };
    let typ = if source.starts_with('/') {
        MountType::BIND
    } else {
        MountType::VOLUME
    };
    Mount {
        volume_options: (typ == MountType::VOLUME).then(MountVolumeOptions::default),
        typ: Some(typ),
        source: Some(source.clone()),
        target: Some(volume.target.clone()),
        read_only: Some(volume.access == Access::ReadOnly),
        ..Mount::default()
    }
}

/// A container that was made.
#[derive(Clone)]
pub(super) struct Container {
    client: Docker,
    pub(super) id: String,
}

/// How a container ended.
#[derive(Debug, Clone, Default)]
pub(super) struct End {
    pub(super) code: Option<i32>,
    pub(super) oom_killed: bool,
}

impl Container {
    /// One that is there.
    pub(super) fn known(client: &Docker, id: String) -> Self {
        Self {
            client: client.clone(),
            id,
        }
    }

    /// Makes one. Also says what the engine warns of.
    pub(super) async fn make(client: &Docker, order: Order, joined: &Joined) -> Result<(Self, Vec<String>), Trouble> {
        let options = CreateContainerOptions {
            name: Some(order.name.clone()),
            ..CreateContainerOptions::default()
        };
        let made = client.create_container(Some(options), order.body(joined)).await?;
        Ok((Self::known(client, made.id), made.warnings))
    }

    /// Takes hold of its streams. To be done before it is started, so that nothing is missed.
    pub(super) async fn attach(&self) -> Result<(Input, Streams), Trouble> {
        let options = AttachContainerOptions {
            stream: true,
            stdin: true,
            stdout: true,
            stderr: true,
            ..AttachContainerOptions::default()
        };
        let attached = self.client.attach_container(&self.id, Some(options)).await?;
        Ok((attached.input, split(attached.output)))
    }

    pub(super) async fn start(&self) -> Result<(), Trouble> {
        let started = self
            .client
            .start_container(&self.id, None::<StartContainerOptions>)
            .await;
        Ok(started?)
    }

    pub(super) async fn inspect(&self) -> Result<ContainerInspectResponse, Trouble> {
        let found = self
            .client
            .inspect_container(&self.id, None::<InspectContainerOptions>)
            .await;
        Ok(found?)
    }

    /// Waits for its end, or for the engine's. Dropping the future changes nothing.
    pub(super) async fn ended(&self) -> Result<(), Trouble> {
        let options = WaitContainerOptions {
            condition: "not-running".to_owned(),
        };
        let waited = self.client.wait_container(&self.id, Some(options)).next().await;
        match waited {
            Some(Ok(_) | Err(Error::DockerContainerWaitError { .. })) => Ok(()),
            Some(Err(error)) => match Trouble::from(error) {
                trouble if trouble.is_missing() => Ok(()),
                trouble => Err(trouble),
            },
            None => Err(Trouble::away("it has hung up")),
        }
    }

    /// Whether it ends within that time.
    pub(super) async fn ends_within(&self, patience: Duration) -> Result<bool, Trouble> {
        match tokio::time::timeout(patience, self.ended()).await {
            Ok(ended) => ended.map(|()| true),
            Err(_) => Ok(false),
        }
    }

    /// Sends a signal to its first process.
    pub(super) async fn signal(&self, name: &str) {
        let options = KillContainerOptions {
            signal: name.to_owned(),
        };
        if let Err(error) = self.client.kill_container(&self.id, Some(options)).await {
            // It has just ended, or the engine has; both are seen elsewhere.
            tracing::debug!(container = self.id, %error, "a signal was not delivered");
        }
    }

    /// How it ended; nothing when it still runs.
    pub(super) async fn end(&self) -> Result<Option<End>, Trouble> {
        let state = match self.inspect().await {
            Ok(found) => found.state.unwrap_or_default(),
            Err(trouble) if trouble.is_missing() => return Ok(Some(End::default())),
            Err(trouble) => return Err(trouble),
        };
        let running = state.running.unwrap_or(false);
        Ok((!running).then(|| End {
            code: state.exit_code.and_then(|code| i32::try_from(code).ok()),
            oom_killed: state.oom_killed.unwrap_or(false),
        }))
    }

    /// Ends it, whatever it takes.
    pub(super) async fn kill(&self) -> Result<End, Trouble> {
        if let Some(end) = self.end().await? {
            return Ok(end);
        }
        self.signal("KILL").await;
        self.ends_within(Duration::from_secs(10)).await?;
        Ok(self.end().await?.unwrap_or_default())
    }

    pub(super) async fn remove(&self) -> Result<(), Trouble> {
        sweep::remove(&self.client, &self.id).await
    }

    pub(super) fn client(&self) -> &Docker {
        &self.client
    }
}

//! Looking: from a snapshot and the runtime to what a plan needs to know.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use orch_shared::excerpt::printable;
use orch_shared::kind::{self, Kind, Pending, Reference};
use orch_shared::kinds::instance::{Health, HealthState, Instance, LastExit};
use orch_shared::kinds::secret::{Form, Secret};
use orch_shared::kinds::server::{self, ResolvedTemplate, Server, ToolSurface};
use orch_shared::kinds::template::Template;
use orch_shared::name::ObjectRef;
use orch_shared::resource::Timestamp;
use orch_shared::tools::Filter;
use sha2::{Digest, Sha256};

use super::plan::Broken;
use super::plan::instance::{Failure, Limits, Observed, Remedy, Running, State};
use super::values::{Fetched, secret_value, values};
use crate::runtime::Load;
use crate::runtime::launch::{self, Era, Launch};
use crate::runtime::observation::{self, Enforced, Observation};
use crate::secrets::{Keyring, Place};
use crate::store::{Object, Snapshot};

/// What follows from a Server and what it names, as long as none of them changes.
#[derive(Debug)]
pub(super) struct Prepared {
    /// Everything the preparation depends on.
    key: Vec<i64>,
    /// What to run; nothing when its template cannot be filled in.
    pub(super) run: Option<Server>,
    pub(super) template: Option<ResolvedTemplate>,
    pub(super) digest: String,
    pub(super) pending: Vec<Pending>,
    pub(super) broken: Vec<Broken>,
}

/// Remembers preparations, so that visiting ten thousand unchanged Servers costs no copying and no hashing.
#[derive(Debug, Clone)]
pub(super) struct Preparations {
    known: Arc<Mutex<HashMap<Arc<str>, Arc<Prepared>>>>,
    /// Where packages run that do not say so themselves.
    runtime: server::Runtime,
}

impl Preparations {
    pub(super) fn new(runtime: server::Runtime) -> Self {
        Self {
            known: Arc::default(),
            runtime,
        }
    }

    /// The preparation of a Server.
    pub(super) fn of(&self, object: &Object, spec: &Server, snapshot: &Snapshot, keyring: &Keyring) -> Arc<Prepared> {
        let world = World::of(spec, snapshot, keyring);
        let key = world.key_of(object);
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(prepared) = known.get(&object.uid).filter(|prepared| prepared.key == key) {
            return Arc::clone(prepared);
        }
        let prepared = Arc::new(prepare(key, object, spec, &world, self.runtime));
        known.insert(Arc::clone(&object.uid), Arc::clone(&prepared));
        prepared
    }

    /// Drops what is remembered of an object that is gone.
    pub(super) fn forget(&self, uid: &str) {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).remove(uid);
    }
}

/// What a Server depends on.
struct World<'w> {
    snapshot: &'w Snapshot,
    keyring: &'w Keyring,
    /// The Template it is made from, with its generation.
    template: Option<(i64, &'w Template)>,
    /// Its own references, then those of the Template.
    references: Vec<Reference>,
}

impl<'w> World<'w> {
    fn of(spec: &Server, snapshot: &'w Snapshot, keyring: &'w Keyring) -> Self {
        let template = spec.template.as_ref().and_then(|usage| {
            let found = snapshot.get(&ObjectRef::cluster(Kind::Template, usage.name.clone()))?;
            Some((found.generation, found.spec::<Template>()?))
        });
        // Most name nothing, and pay nothing for it.
        let plain = spec.env.is_none() && spec.template.is_none() && spec.remote.is_none();
        let mut references = if plain {
            Vec::new()
        } else {
            kind::Spec::references(spec)
        };
        references.extend(
            template
                .iter()
                .flat_map(|(_, template)| kind::Spec::references(*template)),
        );
        Self {
            snapshot,
            keyring,
            template,
            references,
        }
    }

    fn key_of(&self, object: &Object) -> Vec<i64> {
        let mut key = Vec::with_capacity(2 + self.references.len());
        key.push(object.generation);
        key.push(object.restarted_at.map_or(0, Timestamp::millis));
        key.extend(
            self.references
                .iter()
                .map(|reference| match self.snapshot.get(&reference.target) {
                    // Another object of the same name has another uid, and was made at another revision.
                    Some(target) if target.deleting_since.is_none() => {
                        target.created_at.millis() ^ (target.generation << 48)
                    }
                    Some(_) | None => -1,
                }),
        );
        key
    }
}

fn prepare(key: Vec<i64>, object: &Object, spec: &Server, world: &World<'_>, runtime: server::Runtime) -> Prepared {
    let mut broken = broken(&world.references, world.snapshot);
    let mut template = None;
    let run = match (&spec.template, world.template) {
        (None, _) => Some(spec.clone()),
        (Some(_), None) => None,
        (Some(usage), Some((generation, catalogued))) => match catalogued.resolve(spec, usage) {
            Ok(server) => {
                template = Some(ResolvedTemplate {
                    name: usage.name.clone(),
                    generation,
                    server: Box::new(server.clone()),
                });
                Some(server)
            }
            Err(report) => {
                let problems = report.into_problems().into_iter();
                broken.extend(problems.map(|problem| Broken(format!("{}: {}", problem.pointer, problem.message))));
                None
            }
        },
    };
    // The manifest leaves it to the daemon where a package runs.
    let run = run.map(|mut run| {
        if run.package.is_some() {
            run.runtime.get_or_insert(runtime);
        }
        run
    });
    broken.extend(run.iter().flat_map(|run| unreadable(run, world)));
    let pending = kind::Spec::pending(run.as_ref().unwrap_or(spec));
    let run = run.map(|run| kind::Spec::effective(&run));
    let digest = run
        .as_ref()
        .map(|run| digest(run, object.restarted_at, world))
        .unwrap_or_default();
    Prepared {
        key,
        run,
        template,
        digest,
        pending,
        broken,
    }
}

/// What makes a copy what it is: everything but how many there are and what the gateway makes of them; the last restart
/// asked for; and the values of Secrets that go in, so that a new one reaches the server.
fn digest(run: &Server, restarted_at: Option<Timestamp>, world: &World<'_>) -> String {
    let same = Server {
        replicas: None,
        description: None,
        tools: None,
        limits: None,
        idle: None,
        session_limits: None,
        ..run.clone()
    };
    let secrets: Vec<_> = kind::Spec::references(run)
        .iter()
        .filter_map(|reference| {
            let key = reference.key.as_deref()?;
            let value = secret_value(&reference.target, key, world.snapshot)?;
            if let Form::External { .. } = Form::of(value) {
                let status = world.snapshot.get(&reference.target)?.status::<Secret>();
                // Without a mark the place alone tells one value from the next.
                let mark = status
                    .and_then(|status| status.marks.get(key))
                    .map_or(value, String::as_str);
                return Some(mark.to_owned());
            }
            let place = Place {
                object: &reference.target,
                key,
            };
            Some(world.keyring.fingerprint(place, value))
        })
        .collect();
    let text = serde_json::json!([same, restarted_at, secrets]).to_string();
    let hash = Sha256::digest(text);
    hex::encode(hash)
}

/// The references that find a value which cannot be opened.
fn unreadable(run: &Server, world: &World<'_>) -> Vec<Broken> {
    let references = kind::Spec::references(run).into_iter();
    references
        .filter_map(|reference| {
            let key = reference.key.as_deref()?;
            let value = secret_value(&reference.target, key, world.snapshot)?;
            let error = world.keyring.can_open(value).err()?;
            Some(Broken(format!(
                "the value `{key}` of secret `{}` cannot be opened: {error}",
                reference.target.name
            )))
        })
        .collect()
}

/// The references that find nothing.
pub(super) fn broken(references: &[Reference], snapshot: &Snapshot) -> Vec<Broken> {
    let tell = |reference: &Reference| {
        let Reference { target, key, .. } = reference;
        let noun = target.kind.meta().singular;
        match snapshot.get(target).filter(|found| found.deleting_since.is_none()) {
            None => Some(format!("{noun} `{}` is gone", target.name)),
            Some(found) => {
                let missing = key.as_deref().filter(|key| !found.spec.has_key(key))?;
                let missing = printable(missing);
                Some(format!("{noun} `{}` has no key `{missing}` any more", target.name))
            }
        }
    };
    references.iter().filter_map(tell).map(Broken).collect()
}

/// The tools that are offered. Patterns that cannot be read offer nothing.
fn offered(tools: &observation::Tools, offers: Option<&server::Tools>) -> ToolSurface {
    let (count, digest) = match offers {
        None => tools.offered(|_| true),
        Some(offers) => {
            let filter = Filter::parse(offers.allow.as_deref(), offers.deny.as_deref());
            let filter = filter.unwrap_or_else(|_| Filter::nothing());
            tools.offered(|tool| filter.admits(tool))
        }
    };
    ToolSurface {
        count: u32::try_from(count).unwrap_or(u32::MAX),
        digest,
    }
}

/// What the runtime sees of a copy, in the words of the plan; of the tools those that its server offers.
pub(super) fn observed(observation: Observation, load: Load, offers: Option<&server::Tools>) -> Observed {
    let at = observation.since;
    let state = match observation.state {
        observation::State::Installing => State::Installing(
            observation
                .progress
                .map_or_else(|| "its package is being installed".to_owned(), printable),
        ),
        observation::State::Starting => State::Starting,
        observation::State::Running(answer) => State::Running(Running {
            since: at,
            protocol_version: printable(answer.protocol_version),
            server_info: answer.name.map(|name| match answer.version {
                Some(version) => printable(format!("{name} {version}")),
                None => printable(name),
            }),
            tools: answer.tools.map(|tools| offered(&tools, offers)),
        }),
        observation::State::Stopping => State::Stopping,
        observation::State::Exited(exit) => State::Exited(LastExit {
            unhealthy: matches!(exit.cause, observation::Cause::Unhealthy(_)),
            reason: exit.cause.reason(),
            code: exit.code,
            signal: exit.signal,
            at: Some(exit.at),
            ran_for_ms: Some(u64::try_from(exit.after.as_millis()).unwrap_or(u64::MAX)),
            stderr: exit.last_lines,
        }),
        observation::State::Failed(failure) => State::Failed(Failure {
            code: failure.code(),
            reason: failure.reason(),
            message: printable(match failure.hint() {
                Some(hint) => format!("{failure}; {hint}"),
                None => failure.to_string(),
            }),
            at,
            remedy: match failure {
                observation::Failure::RemoteUnreachable { .. } | observation::Failure::EngineUnavailable { .. } => {
                    Remedy::Retry
                }
                observation::Failure::ToolMissing { .. }
                | observation::Failure::InstallFailed { .. }
                | observation::Failure::NoNetwork { .. }
                | observation::Failure::CommandNotFound { .. }
                | observation::Failure::StartupDeadline { .. }
                | observation::Failure::HandshakeFailed { .. }
                | observation::Failure::ImageUnavailable { .. }
                | observation::Failure::ContainerRefused { .. } => Remedy::Replace,
            },
            stderr: failure.last_lines().to_vec(),
        }),
    };
    Observed {
        state,
        pid: observation.pid,
        container: observation.container,
        resolved: observation.resolved.map(|resolved| (resolved.name, resolved.version)),
        health: observation.health.map(|health| Health {
            state: match health.state {
                observation::HealthState::Unknown => HealthState::Unknown,
                observation::HealthState::Healthy => HealthState::Healthy,
                observation::HealthState::Degraded => HealthState::Degraded,
                observation::HealthState::Unhealthy => HealthState::Unhealthy,
            },
            failures: health.failures,
            last_error: health.last_error.map(printable),
        }),
        busy: load != Load::default(),
        limits: match observation.limits {
            Enforced::NotAsked => None,
            Enforced::Full => Some(Limits::Enforced),
            Enforced::Partial(why) => Some(Limits::Watched(why)),
        },
    }
}

/// What the runtime is to start for an Instance: values resolved, versions pinned.
///
/// # Errors
/// The reference that cannot be resolved.
pub(super) fn launch(
    object: &Object,
    spec: &Instance,
    snapshot: &Snapshot,
    keyring: &Keyring,
    fetched: &Fetched,
) -> Result<Launch, Broken> {
    let run = &spec.run;
    let mut masked = Vec::new();
    let opening = (keyring, fetched);
    let env = values(run.env.as_deref().unwrap_or_default(), snapshot, opening, &mut masked)?;
    let source = if let Some(remote) = &run.remote {
        let headers = values(
            remote.headers.as_deref().unwrap_or_default(),
            snapshot,
            opening,
            &mut masked,
        )?;
        launch::Source::Remote(launch::Remote {
            url: remote.url.clone(),
            headers,
            transport: match run.transport {
                Some(server::Transport::Sse) => launch::RemoteTransport::Sse,
                Some(server::Transport::StreamableHttp) => launch::RemoteTransport::StreamableHttp,
                Some(server::Transport::Stdio) | None => launch::RemoteTransport::Auto,
            },
        })
    } else if let Some(argv) = &run.command {
        launch::Source::Command { argv: argv.clone() }
    } else if run.is_contained() {
        contained(object, spec, snapshot)?
    } else if run.package.is_some() {
        launch::Source::Package(package(object, spec, snapshot)?)
    } else {
        return Err(nothing_to_start());
    };
    let limits = run.resources.as_ref().map(|resources| launch::Limits {
        memory: resources.memory.as_ref().map(orch_shared::quantity::Size::bytes),
        cpu: resources.cpu.as_ref().map(orch_shared::quantity::Cpu::millicores),
        processes: resources.pids.map(u64::from),
    });
    let deadline = run
        .health_check
        .as_ref()
        .and_then(|check| check.startup_deadline.as_ref());
    Ok(Launch {
        uid: object.uid.to_string(),
        instance: object.object.name.to_string(),
        server: spec.server.to_string(),
        source,
        env,
        masked,
        working_directory: run.working_directory.as_ref().map(Into::into),
        limits: limits.unwrap_or_default(),
        startup_deadline: deadline.map_or(Duration::from_secs(60), orch_shared::quantity::Span::duration),
        probe: probe(run.health_check.as_ref()),
        era_hint: era(object, spec, snapshot),
    })
}

fn nothing_to_start() -> Broken {
    Broken("there is nothing that this runtime can start".to_owned())
}

/// The package that an Instance runs.
fn package(object: &Object, spec: &Instance, snapshot: &Snapshot) -> Result<launch::Package, Broken> {
    let package = spec.run.package.as_ref().ok_or_else(nothing_to_start)?;
    Ok(launch::Package {
        registry: match package.registry {
            server::Registry::Npm => launch::Registry::Npm,
            server::Registry::Pypi => launch::Registry::Pypi,
        },
        name: package.name.clone(),
        version: package.version.clone(),
        pinned: pinned(object, spec, snapshot),
        executable: package.executable.clone(),
        args: package.args.clone().unwrap_or_default(),
        scripts: match package.allow_scripts {
            Some(true) => launch::InstallScripts::Allowed,
            Some(false) | None => launch::InstallScripts::Ignored,
        },
    })
}

/// What an Instance runs in a container.
fn contained(object: &Object, spec: &Instance, snapshot: &Snapshot) -> Result<launch::Source, Broken> {
    let run = &spec.run;
    let contents = match &run.image {
        Some(image) => launch::Contents::Image(launch::Image {
            reference: image.reference.clone(),
            command: image.command.clone(),
            args: image.args.clone().unwrap_or_default(),
            pull: match image.pull_policy {
                Some(server::PullPolicy::Always) => launch::Pull::Always,
                Some(server::PullPolicy::IfNotPresent) | None => launch::Pull::IfMissing,
                Some(server::PullPolicy::Never) => launch::Pull::Never,
            },
        }),
        None => launch::Contents::Package(package(object, spec, snapshot)?),
    };
    let http = |transport| launch::Speech::Http {
        transport,
        port: run.container_port.unwrap_or_default(),
        path: run.path.clone().unwrap_or_else(|| "/mcp".to_owned()),
    };
    let access = |read_only: Option<bool>, usual| match read_only.unwrap_or(usual) {
        true => launch::Access::ReadOnly,
        false => launch::Access::Writable,
    };
    let image = run.image.as_ref();
    Ok(launch::Source::Container(launch::Container {
        contents,
        speech: match run.transport {
            Some(server::Transport::StreamableHttp) => http(launch::RemoteTransport::StreamableHttp),
            Some(server::Transport::Sse) => http(launch::RemoteTransport::Sse),
            Some(server::Transport::Stdio) | None => launch::Speech::Stdio,
        },
        network: network(run)?,
        volumes: run
            .volumes
            .iter()
            .flatten()
            .map(|volume| launch::Volume {
                source: volume.source.clone(),
                target: volume.target.clone(),
                access: access(volume.read_only, false),
            })
            .collect(),
        root: access(image.and_then(|image| image.read_only_root), true),
        capabilities: image.and_then(|image| image.capabilities.clone()).unwrap_or_default(),
    }))
}

/// What a container may reach.
fn network(run: &Server) -> Result<launch::Network, Broken> {
    let allow = run.network.as_ref().and_then(|network| network.allow.as_ref());
    Ok(match (run.network_mode(), allow) {
        (server::NetworkMode::None, _) => launch::Network::None,
        (server::NetworkMode::Internal, _) => launch::Network::Internal,
        (server::NetworkMode::Egress, None) => launch::Network::Egress,
        (server::NetworkMode::Egress, Some(hosts)) => {
            let read = |host: &String| {
                server::AllowedHost::parse(host).ok_or_else(|| {
                    Broken(format!(
                        "spec.network.allow: {} is not a host",
                        printable(host.as_str())
                    ))
                })
            };
            launch::Network::Only(hosts.iter().map(read).collect::<Result<_, _>>()?)
        }
    })
}

/// How a copy is checked, as its spec says.
fn probe(check: Option<&server::HealthCheck>) -> launch::Probe {
    let plain = launch::Probe::default();
    let Some(check) = check else { return plain };
    let span = |given: &Option<orch_shared::quantity::Span>, plain| {
        given.as_ref().map_or(plain, orch_shared::quantity::Span::duration)
    };
    launch::Probe {
        tool: check.tool.clone(),
        arguments: check.arguments.clone().unwrap_or_default(),
        interval: span(&check.interval, plain.interval),
        timeout: span(&check.timeout, plain.timeout),
        threshold: check.failure_threshold.unwrap_or(plain.threshold),
    }
}

/// The version that this generation of the Server was resolved to before.
fn pinned(object: &Object, spec: &Instance, snapshot: &Snapshot) -> Option<String> {
    let own = object.status::<Instance>().and_then(|status| status.resolved.as_ref());
    let servers = || {
        let server = snapshot.by_uid(&object.owner.as_ref()?.uid)?;
        server
            .status::<Server>()?
            .resolved
            .as_ref()
            .filter(|resolved| resolved.generation == spec.generation)
    };
    own.or_else(servers).map(|resolved| resolved.version.clone())
}

/// The era that this copy, or another of the same digest, was found to speak.
fn era(object: &Object, spec: &Instance, snapshot: &Snapshot) -> Option<Era> {
    let family = object
        .owner
        .as_ref()
        .map(|owner| snapshot.owned_by(&owner.uid))
        .unwrap_or_default();
    let spoken = family
        .iter()
        .filter(|copy| copy.spec::<Instance>().is_some_and(|other| other.digest == spec.digest));
    let version = spoken
        .filter_map(|copy| copy.status::<Instance>()?.protocol_version.as_deref())
        .next()?;
    // Revisions are dates; the stateless era began with this one.
    Some(if version >= "2026-07-28" {
        Era::Modern
    } else {
        Era::Legacy
    })
}

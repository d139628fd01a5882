//! One start of a copy in a container, from the image to the end.

use std::sync::Arc;
use std::time::Instant;

use bollard::Docker;
use tokio::sync::mpsc;

use super::super::instance::{Check, Desk, Stop};
use super::super::launch::{
    Access, Container as Wanted, Contents, Era, Image as Declared, Launch, Network, Speech, Volume,
};
use super::super::log::Log;
use super::super::observation::{Cause, Exit, Failure, ResolvedPackage, State};
use super::container::{Container, End, Order, Talk};
use super::egress::Proxy;
use super::engine::{Engine, Trouble};
use super::image::{self, Image};
use super::labels;
use super::network::Joined;
use super::{inspect, network, packages, served, spoken, sweep};

/// All that a start is about.
#[derive(Clone, Copy)]
pub(super) struct Job<'j> {
    pub(super) launch: &'j Launch,
    pub(super) wanted: &'j Wanted,
    pub(super) desk: &'j Desk,
    pub(super) log: &'j Log,
    pub(super) engine: &'j Engine,
}

/// A container that is there.
pub(super) struct Ready {
    pub(super) container: Container,
    pub(super) way: Way,
    pub(super) image: Image,
    /// What was asked for.
    pub(super) reference: String,
    /// Its way out, while it has one.
    pub(super) proxy: Option<Proxy>,
    /// What the engine warns of.
    pub(super) warnings: Vec<String>,
    /// Whether it runs already.
    pub(super) runs: bool,
}

/// How the server in a container is reached.
#[derive(Debug, Clone)]
pub(super) enum Way {
    /// It is the first process: its streams are the conversation.
    Attach,
    /// It is this program, run beside the first process.
    Exec(Vec<String>),
    /// Over HTTP.
    Http,
}

/// One start of a copy.
pub(in crate::runtime) async fn run(
    launch: &Launch,
    wanted: &Wanted,
    hint: Option<Era>,
    desk: &Desk,
    stop: &mut Stop,
    log: &Log,
    mut checks: mpsc::Receiver<Check>,
) -> State {
    let job = Job {
        launch,
        wanted,
        desk,
        log,
        engine: &desk.context.engine,
    };
    job.engine.copy_begins();
    let state = match wanted.speech {
        Speech::Http { .. } => match prepared(job, stop).await {
            Ok(ready) => served::serve(job, ready, hint, stop, &mut checks).await,
            Err(state) => state,
        },
        Speech::Stdio => spoken::run(job, hint, stop).await,
    };
    if job.engine.copy_ends() {
        let context = Arc::clone(&desk.context);
        // Nobody who waits for the end of the copy waits for that.
        tokio::spawn(async move { context.engine.tidy().await });
    }
    state
}

/// Prepares a container, unless the copy is asked to stop meanwhile.
pub(super) async fn prepared(job: Job<'_>, stop: &mut Stop) -> Result<Ready, State> {
    tokio::select! {
        biased;
        _ = stop.asked() => {
            job.desk.enter(State::Stopping);
            job.clear().await;
            Err(State::Exited(job.exit(&End::default(), Cause::Stopped, None)))
        }
        ready = job.prepare() => ready.map_err(State::Failed),
    }
}

impl Job<'_> {
    /// A trouble, as it is shown.
    pub(super) fn failure(&self, trouble: Trouble, step: &'static str) -> Failure {
        match self.engine.failure(trouble, step) {
            Failure::ContainerRefused { step, reason, hint, .. } => Failure::ContainerRefused {
                step,
                // The engine repeats what it was told.
                reason: self.log.mask().text(&reason),
                hint,
                last_lines: self.log.last_lines(),
            },
            other => other,
        }
    }

    /// How a container ended.
    pub(super) fn exit(&self, end: &End, cause: Cause, began: Option<Instant>) -> Exit {
        let cause = match (cause, self.launch.limits.memory) {
            (Cause::Itself, Some(limit)) if end.oom_killed => {
                Cause::LimitExceeded(super::super::limits::exceeded_memory(limit))
            }
            (Cause::Itself, None) if end.oom_killed => Cause::LimitExceeded("the machine ran out of memory".to_owned()),
            (cause, _) => cause,
        };
        Exit {
            code: end.code,
            signal: None,
            cause,
            after: began.map(|began| began.elapsed()).unwrap_or_default(),
            at: self.desk.now(),
            last_lines: self.log.last_lines(),
        }
    }

    /// Removes whatever there is of the copy.
    pub(super) async fn clear(&self) {
        let Some(client) = self.engine.used().await else { return };
        if let Err(trouble) = sweep::remove_of(&client, &self.engine.labels, &self.launch.uid).await {
            tracing::warn!(instance = self.launch.instance, %trouble, "containers may be left until the engine is back");
        }
    }

    async fn prepare(&self) -> Result<Ready, Failure> {
        let made = |trouble| self.failure(trouble, "made");
        let client = self.engine.client().await.map_err(made)?;
        if let Some(ready) = self.found(&client).await.map_err(made)? {
            return Ok(ready);
        }
        sweep::remove_of(&client, &self.engine.labels, &self.launch.uid)
            .await
            .map_err(made)?;
        match &self.wanted.contents {
            Contents::Image(declared) => self.prepare_image(&client, declared).await,
            Contents::Package(package) => {
                let installed = packages::ensure(*self, &client, package).await?;
                self.desk.publish(|seen| seen.resolved = Some(installed.resolved));
                self.desk.enter(State::Starting);
                let mut argv = installed.argv.into_iter();
                let order = Order {
                    entry: Some(argv.by_ref().take(1).collect()),
                    arguments: Some(argv.collect()),
                    volumes: vec![installed.volume],
                    ..Order::default()
                };
                let way = match self.wanted.speech {
                    Speech::Stdio => Way::Attach,
                    Speech::Http { .. } => Way::Http,
                };
                self.make(&client, installed.image, installed.reference, way, order)
                    .await
            }
        }
    }

    async fn prepare_image(&self, client: &Docker, declared: &Declared) -> Result<Ready, Failure> {
        let reference = declared.reference.clone();
        let image = image::ensure(self.engine, client, &reference, declared.pull, |told| self.tell(told)).await?;
        let resolved = ResolvedPackage {
            name: reference.clone(),
            version: image.digest.clone(),
            path: std::path::PathBuf::new(),
        };
        self.desk.publish(|seen| seen.resolved = Some(resolved));
        if matches!(self.desk.observed.borrow().state, State::Installing) {
            self.desk.enter(State::Starting);
        }
        let given = |arguments: &[String]| (!arguments.is_empty()).then(|| arguments.to_vec());
        let arguments = given(&declared.args);
        let (way, entry, arguments) = match (&declared.command, &self.wanted.speech) {
            (None, Speech::Stdio) => (Way::Attach, None, arguments),
            (Some(command), Speech::Stdio) if image.runs_something => {
                (Way::Exec([command.as_slice(), &declared.args].concat()), None, None)
            }
            // There is nothing to run it beside.
            (Some(command), Speech::Stdio) => (Way::Attach, Some(command.clone()), arguments),
            (command, Speech::Http { .. }) => (Way::Http, command.clone(), arguments),
        };
        let order = Order {
            entry,
            arguments,
            ..Order::default()
        };
        self.make(client, image, reference, way, order).await
    }

    /// Tells how far installing has come.
    pub(super) fn tell(&self, progress: String) {
        if matches!(self.desk.observed.borrow().state, State::Installing) {
            self.desk.publish(|seen| seen.progress = Some(progress));
        } else {
            self.log.note(&progress);
            self.desk.observed.send_if_modified(|seen| {
                seen.progress = Some(progress);
                false
            });
            self.desk.enter(State::Installing);
        }
    }

    async fn make(
        &self,
        client: &Docker,
        image: Image,
        reference: String,
        way: Way,
        order: Order,
    ) -> Result<Ready, Failure> {
        let joined = network::ensure(self.engine, client, &self.wanted.network)
            .await
            .map_err(|trouble| self.failure(trouble, "put on its network"))?;
        let proxy = self.proxy(&joined, None).await?;
        let launch = self.launch;
        let mut environment = proxy.as_ref().map(Proxy::environment).unwrap_or_default();
        if matches!(self.wanted.contents, Contents::Package(_)) {
            environment.push(("HOME".to_owned(), "/tmp".to_owned()));
        }
        environment.retain(|(name, _)| launch.env.iter().all(|(declared, _)| declared != name));
        environment.extend(launch.env.iter().cloned());
        let port = proxy.as_ref().map(Proxy::port);
        let order = Order {
            name: self.engine.labels.container_name(launch),
            image: image.id.clone(),
            environment,
            directory: launch
                .working_directory
                .as_ref()
                .map(|directory| directory.to_string_lossy().into_owned()),
            limits: launch.limits,
            volumes: [order.volumes.as_slice(), &self.wanted.volumes].concat(),
            scratch: image.volumes.clone(),
            root: self.wanted.root,
            capabilities: self.wanted.capabilities.clone(),
            labels: self.engine.labels.of_copy(launch, &self.wanted.speech, port),
            talk: match way {
                Way::Attach => Talk::Spoken,
                Way::Exec(_) => Talk::Held,
                Way::Http => Talk::Closed,
            },
            ..order
        };
        let (container, warnings) = Container::make(client, order, &joined)
            .await
            .map_err(|trouble| self.failure(trouble, "made"))?;
        Ok(Ready {
            container,
            way,
            image,
            reference,
            proxy,
            warnings,
            runs: false,
        })
    }

    /// The container's way out, when it may reach some hosts only.
    async fn proxy(&self, joined: &Joined, port: Option<u16>) -> Result<Option<Proxy>, Failure> {
        let Network::Only(hosts) = &self.wanted.network else {
            return Ok(None);
        };
        let refused = |reason: String| {
            Failure::ContainerRefused {
            step: "given its way out",
            reason,
            hint: Some(
                "network.allow is held by the daemon, on the machine of the engine: run both on one, or leave `allow` out"
                    .to_owned(),
            ),
            last_lines: vec![],
        }
        };
        let gateway = joined
            .gateway
            .ok_or_else(|| refused("its network has no address of this machine".to_owned()))?;
        let started = Proxy::start(gateway, port, hosts, self.log).await;
        started
            .map(Some)
            .map_err(|error| refused(format!("the daemon cannot listen on {gateway}: {error}")))
    }

    /// The running container of an earlier daemon, when it can be taken over.
    async fn found(&self, client: &Docker) -> Result<Option<Ready>, Trouble> {
        let (Speech::Http { .. }, Contents::Image(_) | Contents::Package(_)) =
            (&self.wanted.speech, &self.wanted.contents)
        else {
            return Ok(None);
        };
        let there = sweep::ours(client, &self.engine.labels, Some(&self.launch.uid)).await?;
        let Some(there) = there
            .into_iter()
            .find(|there| there.running && labels::outlives_us(&there.labels))
        else {
            return Ok(None);
        };
        let joined = network::ensure(self.engine, client, &self.wanted.network).await?;
        let proxy = match self.proxy(&joined, labels::proxy_port(&there.labels)).await {
            Ok(proxy) => proxy,
            Err(failure) => {
                self.log.note(&format!("its container is made anew: {failure}"));
                return Ok(None);
            }
        };
        let container = Container::known(client, there.id);
        let about = container.inspect().await?;
        let reference = match &self.wanted.contents {
            Contents::Image(declared) => declared.reference.clone(),
            Contents::Package(package) => packages::runner(self.engine, package.registry).to_owned(),
        };
        let image = image::of_container(client, &about, &reference).await?;
        self.log.note("the daemon was restarted; its container went on running");
        Ok(Some(Ready {
            container,
            way: Way::Http,
            image,
            reference,
            proxy,
            warnings: vec![],
            runs: true,
        }))
    }
}

impl Ready {
    /// Shows the container as it is, and tells its proxy whom it belongs to.
    pub(super) async fn show(&self, job: Job<'_>) -> Result<Option<std::net::IpAddr>, Trouble> {
        let found = self.container.inspect().await?;
        let address = inspect::address(&found);
        if let (Some(proxy), Some(address)) = (&self.proxy, address) {
            proxy.belongs_to(address);
        }
        let reached = match (&self.way, &job.wanted.speech, address) {
            (Way::Attach, ..) => "attach".to_owned(),
            (Way::Exec(_), ..) => "exec".to_owned(),
            (Way::Http, Speech::Http { port, path, .. }, Some(address)) => served::url(address, *port, path),
            (Way::Http, ..) => "nowhere".to_owned(),
        };
        let shown = inspect::status(
            &found,
            &self.reference,
            &self.image.digest,
            reached,
            &job.wanted.network,
        );
        let enforced = inspect::enforced(job.launch.limits, &self.warnings);
        job.desk.publish(|seen| {
            seen.container = Some(shown);
            seen.limits = enforced;
        });
        Ok(address)
    }

    /// Ends the container and takes it away. Tells how it ended, also when the engine does not answer any more.
    pub(super) async fn finish(&self, job: Job<'_>) -> Result<End, Trouble> {
        let end = self.container.kill().await?;
        if end.oom_killed {
            job.desk.publish(|seen| {
                if let Some(container) = &mut seen.container {
                    container.oom_killed = true;
                }
            });
        }
        Ok(end)
    }
}

/// A volume that only the daemon has asked for.
pub(super) fn own_volume(source: String, target: &str, access: Access) -> Volume {
    Volume {
        source: Some(source),
        target: target.to_owned(),
        access,
    }
}

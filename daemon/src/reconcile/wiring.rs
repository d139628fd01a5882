//! What is ours: which key wakes when, and which plan belongs to which kind.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use orch_shared::kind::{Kind, Reference};
use orch_shared::kinds::agent::Agent;
use orch_shared::kinds::instance::Instance;
use orch_shared::kinds::prompt::Prompt;
use orch_shared::kinds::secret::Secret;
use orch_shared::kinds::server::Server;
use orch_shared::resource::PlainStatus;
use serde::Serialize;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::act::{GRACE, Hands};
use super::agents;
use super::backends::Watchman;
use super::driver::{Bell, Gauge, Outcome, Pace, Step, driver};
use super::election::{Candidate, Election};
use super::far;
use super::lists::Lists;
use super::models::Models;
use super::observe::{self, Preparations};
use super::plan::instance::Deleting;
use super::plan::server::Activity;
use super::plan::{self, Broken, Plan};
use super::providers::Watch;
use super::referrers::Referrers;
use super::sessions;
use super::values::{self, Fetched};
use super::waking::Waker;
use crate::admission::{Admission, Providers};
use crate::runtime::{Launch, Runtime};
use crate::secrets::{Backends, Keyring};
use crate::store::{Change, Object, Snapshot, Standing, Store};
use crate::telemetry::Metrics;

/// How long the copies of a server that is deleted may serve on.
const LAST_CALLS: Duration = Duration::from_secs(5);

/// So long what is asked of servers waits, at most, for every status to tell what is so now.
pub const FIRST_VISIT: Duration = Duration::from_secs(10);

/// How many objects are worked on at the same time.
const WORKERS: usize = 32;

/// The key of an object: its uid.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Key(Arc<str>);

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What reconciling needs.
pub struct Reconciler {
    /// What is declared.
    pub store: Store,
    /// What opens secret values.
    pub keyring: Keyring,
    /// What asks backends for values that live there.
    pub backends: Backends,
    /// The way to providers of models.
    pub providers: Providers,
    /// How models fare.
    pub models: Models,
    /// How often it is looked whether the provider of a model answers.
    pub check_interval: Duration,
    /// What runs.
    pub runtime: Runtime,
    /// What is counted.
    pub metrics: Metrics,
    /// Time between two visits to all objects.
    pub resync: Duration,
    /// Uids of which the runtime sees something new, or that somebody wants looked at.
    pub seen: UnboundedReceiver<String>,
    /// Where packages run that do not say so themselves.
    pub default_runtime: orch_shared::kinds::server::Runtime,
    /// How servers are used.
    pub waker: Waker,
    /// Which lists of servers are missing.
    pub lists: Lists,
    /// How long a copy that is to go may serve on because of calls and sessions.
    pub drain: Duration,
    /// How it is decided whether this daemon is the one to reconcile; nothing when there is no other.
    pub election: Option<Election>,
    /// Told whether this daemon leads, once every status tells what is so now, or which one does.
    pub standing: watch::Sender<Standing>,
}

/// Reconciles until shutdown, whenever this daemon is the one to do so.
pub async fn run(mut reconciler: Reconciler, shutdown: CancellationToken) {
    let Some(election) = reconciler.election.clone() else {
        return lead(&mut reconciler, shutdown).await;
    };
    let standing = reconciler.standing.clone();
    let follows = |leader: &str| {
        if tell(&standing, Standing::Follows(leader.to_owned())) {
            tracing::info!(leader, "follows: another daemon reconciles");
        }
    };
    let mut candidate = Candidate::new(election, reconciler.store.clone());
    while candidate.wins(follows, &shutdown).await {
        let until = shutdown.child_token();
        let leading = lead(&mut reconciler, until.clone());
        let deposing = async {
            let superseded = candidate.is_superseded();
            if until.run_until_cancelled(superseded).await.is_some() {
                tell(&standing, Standing::Undecided);
                until.cancel();
            }
        };
        tokio::join!(leading, deposing);
        if !shutdown.is_cancelled() {
            reconciler.runtime.let_go(GRACE).await;
        }
    }
}

/// Reconciles until told to stop.
async fn lead(reconciler: &mut Reconciler, until: CancellationToken) {
    let Reconciler {
        store,
        keyring,
        backends,
        providers,
        models,
        check_interval,
        runtime,
        metrics,
        resync,
        seen,
        default_runtime,
        waker,
        lists,
        drain,
        election,
        standing,
    } = reconciler;
    let lease = election.as_ref().map(|election| Arc::new(election.claim.clone()));
    recall(waker, &until).await;
    sessions::clear(store, lease.clone(), &until).await;
    let gauge = Gauge::default();
    let (driver, bell) = driver::<Key>(
        Pace {
            resync: *resync,
            workers: WORKERS,
        },
        gauge.clone(),
    );
    let ringing = tokio::spawn(ring_on_changes(store.clone(), bell.clone(), until.clone()));
    let eyes = Eyes {
        hands: Hands {
            store: store.clone(),
            runtime: runtime.clone(),
            lease,
        },
        waker: waker.clone(),
        lists: lists.clone(),
        drain: *drain,
        admission: Admission {
            store: store.clone(),
            keyring: keyring.clone(),
            backends: backends.clone(),
            providers: providers.clone(),
        },
        backends: Watchman::new({
            let bell = bell.clone();
            move |uid| bell.ring(Key(uid))
        }),
        providers: Watch::new(models.clone(), *check_interval, until.child_token(), {
            let bell = bell.clone();
            move |uid| bell.ring(Key(uid))
        }),
        preparations: Preparations::new(*default_runtime),
        metrics: metrics.clone(),
        gauge,
    };
    let all = || {
        let snapshot = store.snapshot();
        snapshot.iter().map(|object| Key(Arc::clone(&object.uid))).collect()
    };
    let relaying = async {
        while let Some(Some(uid)) = until.run_until_cancelled(seen.recv()).await {
            bell.ring(Key(uid.into()));
        }
    };
    let leads = || {
        if !until.is_cancelled() {
            tell(standing, Standing::Leads);
        }
    };
    // What takes long to look at keeps nobody from asking for the rest.
    let overdue = async {
        if until
            .run_until_cancelled(tokio::time::sleep(FIRST_VISIT))
            .await
            .is_some()
            && tell(standing, Standing::Leads)
        {
            tracing::warn!("leads before everything has been visited: the database is slow, or does not answer");
        }
    };
    tokio::join!(
        driver.run(all, |key: &Key| eyes.step(key), leads, until.clone()),
        relaying,
        overdue
    );
    if let Err(error) = ringing.await {
        tracing::error!(%error, "a part of the reconciler has ended early");
    }
}

/// Tells how this daemon stands from now on; whether that is new.
fn tell(standing: &watch::Sender<Standing>, now: Standing) -> bool {
    standing.send_if_modified(|known| {
        let is_new = *known != now;
        *known = now;
        is_new
    })
}

/// Takes in how servers were used under an earlier daemon: without it, one in use would be suspended.
async fn recall(waker: &Waker, until: &CancellationToken) {
    while let Err(error) = waker.load().await {
        tracing::warn!(%error, "it cannot be read yet when servers were last used");
        let pause = tokio::time::sleep(Duration::from_secs(1));
        if until.run_until_cancelled(pause).await.is_none() {
            return;
        }
    }
}

/// Wakes what a change concerns: the object, its owner, whoever names it, and what it owns when it says something new.
async fn ring_on_changes(store: Store, bell: Bell<Key>, shutdown: CancellationToken) {
    while !shutdown.is_cancelled() {
        let snapshot = store.snapshot();
        let mut referrers = Referrers::of(&snapshot);
        let watch = store.watch(Some(snapshot.revision())).await;
        let Ok(mut watch) = watch else {
            // The database does not answer; the next resync visits everything anyway.
            let pause = tokio::time::sleep(Duration::from_secs(1));
            shutdown.run_until_cancelled(pause).await;
            continue;
        };
        while let Some(Ok(change)) = shutdown.run_until_cancelled(watch.next()).await {
            ring(&change, &store.snapshot(), &mut referrers, &bell);
        }
    }
}

fn ring(change: &Change, snapshot: &Snapshot, referrers: &mut Referrers, bell: &Bell<Key>) {
    let entry = &change.entry;
    bell.ring(Key(Arc::clone(&entry.uid)));
    if let Some(owner) = &entry.owner {
        bell.ring(Key(owner.uid.as_str().into()));
    }
    if referrers.note(&entry.uid, snapshot.by_uid(&entry.uid).map(AsRef::as_ref)) {
        // What is said of a copy follows also from what is declared of its server.
        for owned in snapshot.owned_by(&entry.uid) {
            bell.ring(Key(Arc::clone(&owned.uid)));
        }
    }
    for uid in referrers.to(&entry.object) {
        bell.ring(Key(Arc::clone(uid)));
        if entry.object.kind == Kind::Template {
            // What a template says of tools is counted with the copies, which go on as they are.
            for owned in snapshot.owned_by(uid) {
                bell.ring(Key(Arc::clone(&owned.uid)));
            }
        }
        // What a server offers an agent has through its project.
        let project = snapshot
            .by_uid(uid)
            .filter(|referrer| referrer.object.kind == Kind::Project);
        for uid in project.into_iter().flat_map(|project| referrers.to(&project.object)) {
            bell.ring(Key(Arc::clone(uid)));
        }
    }
}

/// Looks at one key and says what is to be done.
struct Eyes {
    hands: Hands,
    waker: Waker,
    lists: Lists,
    drain: Duration,
    admission: Admission,
    backends: Watchman,
    providers: Watch,
    preparations: Preparations,
    metrics: Metrics,
    gauge: Gauge,
}

impl Eyes {
    fn step(&self, key: &Key) -> Step {
        let started = Instant::now();
        let snapshot = self.hands.store.snapshot();
        let Some(object) = snapshot.by_uid(&key.0) else {
            return self.clear_up(key);
        };
        let kind = object.object.kind;
        let step = match kind {
            Kind::Server => self.server(object, &snapshot),
            Kind::Instance => self.instance(object, &snapshot),
            Kind::Agent => self.agent(object, &snapshot),
            Kind::Personality => self.plain(object, &snapshot, agents::without_prompts(object, &snapshot)),
            Kind::Template
            | Kind::Project
            | Kind::Prompt
            | Kind::User
            | Kind::Group
            | Kind::ServiceAccount
            | Kind::RoleBinding => self.plain(object, &snapshot, Vec::new()),
            // What is reported of a token is written together with what it opens.
            Kind::Token => Step::Done(None),
            // People decide, and what comes of it is one write with that.
            Kind::PromptRequest => Step::Done(None),
            Kind::Secret => self.secret(object, &snapshot),
            Kind::Llm => self.providers.step(&self.admission, &self.hands, object, &snapshot),
            Kind::SecretBackend => self.backends.step(&self.admission, &self.hands, object, &snapshot),
        };
        self.metrics.queue(self.gauge.queued(), self.gauge.working());
        match step {
            Step::Done(again) => {
                self.metrics.reconcile(kind.as_str(), started.elapsed());
                Step::Done(again)
            }
            Step::Work(work) => {
                let metrics = self.metrics.clone();
                Step::Work(Box::pin(async move {
                    let outcome = work.await;
                    metrics.reconcile(kind.as_str(), started.elapsed());
                    outcome
                }))
            }
        }
    }

    /// The object is gone. Nothing of it may be left running.
    fn clear_up(&self, key: &Key) -> Step {
        self.preparations.forget(&key.0);
        self.waker.forget(&key.0);
        self.lists.forget(&key.0);
        self.backends.forget(&key.0);
        self.providers.forget(&key.0);
        if self.hands.runtime.observe(&key.0).is_none() {
            return Step::Done(None);
        }
        let (runtime, uid) = (self.hands.runtime.clone(), Arc::clone(&key.0));
        Step::Work(Box::pin(async move {
            runtime.stop(&uid, GRACE).await;
            runtime.forget(&uid).await;
            Outcome::Done(None)
        }))
    }

    /// Nothing to do, or work.
    fn settle<S: Serialize + PartialEq + Send + 'static>(
        &self,
        object: &Arc<Object>,
        before: Option<&S>,
        plan: Plan<S>,
        launch: Option<Launch>,
    ) -> Step {
        if plan.actions.is_empty() && plan.events.is_empty() && before == Some(&plan.status) {
            return Step::Done(plan.look_again);
        }
        Step::Work(Box::pin(self.hands.clone().act(Arc::clone(object), plan, launch)))
    }

    fn server(&self, object: &Arc<Object>, snapshot: &Snapshot) -> Step {
        let Some(spec) = object.spec::<Server>() else {
            return unreadable(object);
        };
        let prepared = self.preparations.of(object, spec, snapshot, &self.admission.keyring);
        let known = object.status::<Server>();
        let (blank, fresh) = (Default::default(), Default::default());
        let copies: Vec<_> = snapshot
            .owned_by(&object.uid)
            .iter()
            .filter_map(|copy| {
                let spec = copy.spec::<Instance>()?;
                Some(plan::server::Copy {
                    uid: &copy.uid,
                    name: &copy.object.name,
                    digest: &spec.digest,
                    failed_before: spec.failed_before.unwrap_or(0),
                    created_at: copy.created_at,
                    is_of_session: spec.session.is_some(),
                    deleting: copy.deleting_since.is_some(),
                    status: copy.status::<Instance>().unwrap_or(&fresh),
                })
            })
            .collect();
        let world = plan::server::World {
            name: &object.object.name,
            generation: object.generation,
            deleting: object.deleting_since.is_some(),
            run: prepared.run.as_ref(),
            digest: &prepared.digest,
            template: prepared.template.clone(),
            status: known.unwrap_or(&blank),
            broken: &prepared.broken,
            pending: &prepared.pending,
            restarted_at: object.restarted_at,
            activity: self.activity(object, prepared.run.as_ref(), &copies),
            missing: self.lists.of(&object.uid),
            copies: &copies,
        };
        let plan = plan::server::plan(&world, self.hands.store.clock().now());
        self.settle(object, known, plan, None)
    }

    /// How a server is used; of one that is never suspended nobody needs to know.
    fn activity(&self, object: &Object, run: Option<&Server>, copies: &[plan::server::Copy<'_>]) -> Activity {
        let rests = run.is_some_and(|run| run.idle.as_ref().is_some_and(|idle| idle.suspend_after.is_some()));
        if !rests {
            return Activity::default();
        }
        Activity {
            busy: copies.iter().any(|copy| self.hands.runtime.load(copy.uid).calls > 0),
            ..self.waker.activity(&object.uid)
        }
    }

    /// The end of a copy: it may serve on for a while, unless its whole server is to go.
    fn end_of(&self, object: &Object, snapshot: &Snapshot) -> Option<Deleting> {
        let owner = object.owner.as_ref().and_then(|owner| snapshot.by_uid(&owner.uid));
        let drain = match owner.filter(|owner| owner.deleting_since.is_none()) {
            Some(_) => self.drain,
            None => self.drain.min(LAST_CALLS),
        };
        object.deleting_since.map(|since| Deleting { since, drain })
    }

    fn instance(&self, object: &Arc<Object>, snapshot: &Snapshot) -> Step {
        let Some(spec) = object.spec::<Instance>() else {
            return unreadable(object);
        };
        let known = object.status::<Instance>();
        let blank = Default::default();
        let observed = self.hands.runtime.observe(&object.uid);
        let observed = observed.map(|seen| {
            let server = object.owner.as_ref().and_then(|owner| snapshot.by_uid(&owner.uid));
            let prepared = server
                .and_then(|server| Some((server, server.spec::<Server>()?)))
                .map(|(server, spec)| self.preparations.of(server, spec, snapshot, &self.admission.keyring));
            let run = prepared.as_ref().and_then(|prepared| prepared.run.as_ref());
            let offers = run.and_then(|run| run.tools.as_ref());
            observe::observed(seen, self.hands.runtime.load(&object.uid), offers)
        });
        let world = plan::instance::World {
            uid: &object.uid,
            generation: object.generation,
            deleting: self.end_of(object, snapshot),
            spec,
            status: known.unwrap_or(&blank),
            observed: observed.as_ref(),
        };
        let now = self.hands.store.clock().now();
        let mut plan = plan::instance::plan(&world, now);
        let mut launch = None;
        if plan.actions.contains(&plan::Action::Start) {
            if far::needs_backends(spec, snapshot) {
                let start = far::Start {
                    object: Arc::clone(object),
                    snapshot: snapshot.clone(),
                    deleting: world.deleting,
                    observed,
                    plan,
                };
                return Step::Work(Box::pin(start.run(
                    self.admission.clone(),
                    self.backends.clone(),
                    self.hands.clone(),
                )));
            }
            match observe::launch(object, spec, snapshot, &self.admission.keyring, &Fetched::new()) {
                Ok(resolved) => launch = Some(resolved),
                Err(Broken(why)) => plan = plan::instance::hold(&world, plan::want::Want::reference(why), now),
            }
        }
        self.settle(object, known, plan, launch)
    }

    /// What is known of what a Prompt links to.
    fn link(&self, object: &Object) -> plan::plain::Link {
        use plan::plain::Link;
        let links = object.spec::<Prompt>().is_some_and(|prompt| prompt.link.is_some());
        match self.lists.of(&object.uid) {
            _ if !links => Link::None,
            None => Link::Unread,
            Some(reason) if reason.is_empty() => Link::Sound,
            Some(reason) => Link::Broken(reason),
        }
    }

    /// Values that live in a backend are deleted there before their Secret goes; what cannot be deleted is told, and keeps
    /// nobody waiting.
    fn secret(&self, object: &Arc<Object>, snapshot: &Snapshot) -> Step {
        let places = object.spec::<Secret>().map(Secret::places).unwrap_or_default();
        if object.deleting_since.is_some() && !places.is_empty() {
            let backends = places.into_keys().collect();
            let work = far::remove(self.admission.clone(), self.hands.clone(), Arc::clone(object), backends);
            return Step::Work(Box::pin(work));
        }
        let broken = places.keys().filter_map(|backend| far::trouble_of(backend, snapshot));
        self.plain(object, snapshot, broken.collect())
    }

    fn agent(&self, object: &Arc<Object>, snapshot: &Snapshot) -> Step {
        let Some(spec) = object.spec::<Agent>() else {
            return unreadable(object);
        };
        let known = object.status::<Agent>().filter(|_| object.status_text != "{}");
        let (blank, broken) = (Default::default(), agents::broken(object, spec, snapshot));
        let world = plan::agent::World {
            generation: object.generation,
            deleting: object.deleting_since.is_some(),
            status: known.unwrap_or(&blank),
            broken: &broken,
            tools: agents::tools(spec, snapshot, &self.hands.runtime),
            is_published: spec.published == Some(true),
        };
        let plan = plan::agent::plan(&world, self.hands.store.clock().now());
        self.settle(object, known, plan, None)
    }

    fn plain(&self, object: &Arc<Object>, snapshot: &Snapshot, further: Vec<Broken>) -> Step {
        let known = serde_json::from_str::<PlainStatus>(&object.status_text)
            .ok()
            .filter(|_| object.status_text != "{}");
        let blank = PlainStatus::default();
        let references: Vec<Reference> = object.spec.references();
        let mut broken = observe::broken(&references, snapshot);
        broken.extend(values::sealed_away(object, &self.admission.keyring));
        broken.extend(further);
        let pending = object.spec.pending();
        let world = plan::plain::World {
            generation: object.generation,
            deleting: object.deleting_since.is_some(),
            status: known.as_ref().unwrap_or(&blank),
            broken: &broken,
            pending: &pending,
            link: self.link(object),
        };
        let plan = plan::plain::plan(&world, self.hands.store.clock().now());
        self.settle(object, known.as_ref(), plan, None)
    }
}

/// The stored spec is not of the kind it should be: written by a newer daemon, or by hand.
fn unreadable(object: &Object) -> Step {
    tracing::error!(kind = %object.object.kind, name = %object.object.name, "the stored spec is of another kind; the object is left alone");
    Step::Done(None)
}

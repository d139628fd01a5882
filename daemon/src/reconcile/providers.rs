//! Looking after models: asking their providers now and then whether they answer, and saying what is known of them.
//!
//! Nobody waits for a provider: a look is begun beside, and when it is over the model is visited again. What was seen is
//! remembered for a while, so that visiting a model asks nobody anything most of the time. What is asked costs nothing.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use orch_shared::inference::probe::{Found, Probe};
use orch_shared::kind::Kind;
use orch_shared::kinds::llm::{Llm, Provider};
use orch_shared::name::ObjectRef;
use orch_shared::resource::PlainStatus;
use orch_shared::value::SecretKeyRef;
use tokio::sync::Semaphore;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::act::Hands;
use super::driver::Step;
use super::models::Models;
use super::observe;
use super::plan::llm::{self, Behind, World};
use crate::admission::{Admission, ask_provider};
use crate::store::{Object, Snapshot};

/// So many providers are asked at the same time.
const AT_ONCE: usize = 16;

/// What decides how a provider is found.
#[derive(Debug, Clone, PartialEq)]
struct About {
    provider: Provider,
    url: Option<String>,
    key: Option<SecretKeyRef>,
    /// The uid and the generation of the Secret with the key.
    secret: Option<(Arc<str>, i64)>,
}

impl About {
    fn of(spec: &Llm, snapshot: &Snapshot) -> Self {
        let secret = spec.api_key_ref.as_ref().and_then(|key| {
            let object = snapshot.get(&ObjectRef::cluster(Kind::Secret, key.name.clone()))?;
            Some((Arc::clone(&object.uid), object.generation))
        });
        Self {
            provider: spec.provider,
            url: spec.url.clone(),
            key: spec.api_key_ref.clone(),
            secret,
        }
    }
}

/// What was seen of the provider of a model.
struct Look {
    about: About,
    /// How it was found last, and until when that is good.
    found: Option<(Found, Instant)>,
    /// Whether somebody is looking.
    is_under_way: bool,
}

/// Looks after models. Cheap to clone.
#[derive(Clone)]
pub(super) struct Watch {
    looks: Arc<Mutex<HashMap<Arc<str>, Look>>>,
    turns: Arc<Semaphore>,
    models: Models,
    interval: Duration,
    until: CancellationToken,
    /// Has somebody visit the model with that uid.
    ring: Arc<dyn Fn(Arc<str>) + Send + Sync>,
}

impl Watch {
    /// One that has nothing to remember yet, and looks at what answers once in that interval.
    pub(super) fn new(
        models: Models,
        interval: Duration,
        until: CancellationToken,
        ring: impl Fn(Arc<str>) + Send + Sync + 'static,
    ) -> Self {
        Self {
            looks: Arc::default(),
            turns: Arc::new(Semaphore::new(AT_ONCE)),
            models,
            interval,
            until,
            ring: Arc::new(ring),
        }
    }

    fn looks(&self) -> std::sync::MutexGuard<'_, HashMap<Arc<str>, Look>> {
        self.looks.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Drops what is remembered of a model that is gone.
    pub(super) fn forget(&self, uid: &str) {
        self.looks().remove(uid);
        self.models.forget(uid);
    }

    /// Visits a model.
    pub(super) fn step(&self, admission: &Admission, hands: &Hands, object: &Arc<Object>, snapshot: &Snapshot) -> Step {
        let Some(spec) = object.spec::<Llm>() else {
            return Step::Done(None);
        };
        let known = object.status::<Llm>();
        // Where a published model stands is written by others, and kept.
        let status = &known.map_or_else(PlainStatus::default, |known| PlainStatus {
            phase: known.phase,
            observed_generation: known.observed_generation,
            conditions: known.conditions.clone(),
        });
        let is_published = spec.published == Some(true);
        if status.observed_generation.is_some_and(|seen| seen != object.generation) {
            // How it fared as it was declared before says nothing.
            self.models.forget(&object.uid);
        }
        let broken = observe::broken(&object.spec.references(), snapshot);
        let is_watched = spec.provider != Provider::Scripted && !is_published && object.deleting_since.is_none();
        let (found, mut again) = match is_watched {
            true if broken.is_empty() => self.look(admission, object, spec, snapshot),
            true | false => (None, None),
        };
        let failing = self
            .models
            .failing(&object.uid)
            .filter(|failing| failing.ago < self.interval);
        if let (true, Some(failing)) = (is_watched, &failing) {
            let left = self.interval.saturating_sub(failing.ago);
            again = Some(again.map_or(left, |again: Duration| again.min(left)));
        }
        let world = World {
            generation: object.generation,
            deleting: object.deleting_since.is_some(),
            status,
            broken: &broken,
            behind: match spec.provider {
                _ if is_published => Behind::Publisher(known.and_then(|known| known.publication.as_ref())),
                Provider::Scripted => Behind::Script,
                Provider::Openai
                | Provider::Anthropic
                | Provider::Deepseek
                | Provider::Vllm
                | Provider::Ollama
                | Provider::OpenaiCompatible => Behind::Provider {
                    failing: failing.as_ref().map(|failing| failing.why.as_str()),
                    found: found.as_ref(),
                },
            },
        };
        let mut plan = llm::plan(&world, hands.store.clock().now());
        plan.look_again = again;
        if plan.actions.is_empty() && plan.events.is_empty() && known.is_some() && *status == plan.status {
            return Step::Done(plan.look_again);
        }
        Step::Work(Box::pin(hands.clone().act(Arc::clone(object), plan, None)))
    }

    /// How the provider of a model was found last, and how long that is still good. Where it is not, a look is begun.
    fn look(
        &self,
        admission: &Admission,
        object: &Arc<Object>,
        spec: &Llm,
        snapshot: &Snapshot,
    ) -> (Option<Found>, Option<Duration>) {
        let about = About::of(spec, snapshot);
        let now = Instant::now();
        let mut looks = self.looks();
        let look = looks.entry(Arc::clone(&object.uid)).or_insert_with(|| Look {
            about: about.clone(),
            found: None,
            is_under_way: false,
        });
        if look.about != about {
            // A look that is under way is about something else, and finds itself overtaken.
            *look = Look {
                about: about.clone(),
                found: None,
                is_under_way: false,
            };
        }
        let found = look.found.as_ref().map(|(found, _)| found.clone());
        if let Some((_, until)) = &look.found
            && now < *until
        {
            return (found, Some(*until - now));
        }
        if !std::mem::replace(&mut look.is_under_way, true) {
            let (watch, admission) = (self.clone(), admission.clone());
            let (uid, spec, snapshot) = (Arc::clone(&object.uid), spec.clone(), snapshot.clone());
            drop(tokio::spawn(async move {
                let until = watch.until.clone();
                let looking = watch.go(&admission, uid, &spec, &snapshot, about);
                until.run_until_cancelled(looking).await;
            }));
        }
        (found, None)
    }

    /// Looks, remembers what was seen, and has the model visited.
    async fn go(&self, admission: &Admission, uid: Arc<str>, spec: &Llm, snapshot: &Snapshot, about: About) {
        let Ok(_turn) = self.turns.acquire().await else { return };
        let found = ask_provider(admission, snapshot, spec, Probe::Health).await;
        let good_until = Instant::now() + llm::good_for(&found, self.interval, &uid);
        {
            let mut looks = self.looks();
            match looks.get_mut(&uid) {
                Some(look) if look.about == about => {
                    look.found = Some((found, good_until));
                    look.is_under_way = false;
                }
                Some(_) | None => return,
            }
        }
        (self.ring)(uid);
    }
}

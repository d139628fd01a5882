//! Asking providers, before models are written, whether they take the keys that are declared.
//!
//! Flow: a write that meets a model with a new key, address or provider works everything else out first, and then gives up with
//! a list of whom to ask, as it does for backends. They are asked outside of the write, all at once, with the Secrets of
//! the same set; then the write is begun again, with what they said.
//!
//! Guarantees: a key that is not taken keeps the whole set from being written; whoever does not answer, or answers something
//! else, keeps nothing from being written and is told as a warning. All of it takes about five seconds at most, however many
//! models there are. Who asks may write the models and name the Secrets; nothing is asked for anybody else.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use futures_util::{StreamExt as _, stream};
use orch_shared::inference::probe::{Found, Probe};
use orch_shared::kind::{Kind, downcast};
use orch_shared::kinds::llm::{Llm, Provider};
use orch_shared::kinds::secret::Secret;
use orch_shared::name::ObjectRef;
use orch_shared::path::FieldPath;
use orch_shared::problem::{Code, FieldProblem, Problem};
use orch_shared::resource::Resource;
use orch_shared::value::SecretKeyRef;
use tokio::time::{Instant, timeout_at};

use super::Admission;
use super::away::{Closed, Find, Opener};
use crate::secrets::{Place, Plaintext};

/// How long all providers of a set may take.
const PATIENCE: Duration = Duration::from_secs(5);
/// So many are asked at the same time.
const AT_ONCE: usize = 64;

/// Asks the provider of a model, with its key if it has one.
type Ask = dyn Fn(Llm, Option<Plaintext>, Probe) -> BoxFuture<'static, Found> + Send + Sync;

/// The way to providers. Cheap to clone.
#[derive(Clone)]
pub struct Providers(Arc<Ask>);

impl Providers {
    /// The way that this function knows.
    #[must_use]
    pub fn new(
        ask: impl Fn(Llm, Option<Plaintext>, Probe) -> BoxFuture<'static, Found> + Send + Sync + 'static,
    ) -> Self {
        Self(Arc::new(ask))
    }
}

/// No way: for daemons that are not running.
impl Default for Providers {
    fn default() -> Self {
        Self::new(|_, _, _| Box::pin(async { Found::Unfit("no provider is asked here".to_owned()) }))
    }
}

/// Whether providers are asked if they take the keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AuthCheck {
    /// They are.
    Made,
    /// They are not.
    Skipped,
}

impl AuthCheck {
    /// What a request says that asks to skip it, or does not.
    #[must_use]
    pub fn unless(skipped: Option<bool>) -> Self {
        match skipped {
            Some(true) => Self::Skipped,
            Some(false) | None => Self::Made,
        }
    }
}

/// A key cannot be had.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shut {
    /// Why, in a clause.
    pub why: String,
    /// Whether that may be different in a moment.
    pub is_passing: bool,
}

/// Opens a key of a Secret that is declared.
///
/// # Errors
/// When it is not there, or cannot be had.
pub async fn open_key(admission: &Admission, declared: &impl Find, key: &SecretKeyRef) -> Result<Plaintext, Shut> {
    let secret = ObjectRef::cluster(Kind::Secret, key.name.clone());
    let found = declared.find(&secret).and_then(downcast::<Secret>);
    let value = found.and_then(|spec| spec.data.as_ref()?.get(&key.key));
    let value = value.ok_or_else(|| Shut {
        why: format!("{secret} has no key `{}`", key.key),
        is_passing: false,
    })?;
    let place = Place {
        object: &secret,
        key: &key.key,
    };
    let mut opener = Opener::new(&admission.keyring, &admission.backends, declared);
    opener.open(place, value).await.map_err(|closed| Shut {
        why: closed.to_string(),
        is_passing: match &closed {
            Closed::Away(away) => away.is_passing(),
            Closed::Sealed(_) => false,
        },
    })
}

/// How the provider of a model is found.
pub async fn ask_provider(admission: &Admission, declared: &impl Find, spec: &Llm, probe: Probe) -> Found {
    ask_until(admission, declared, spec, probe, Instant::now() + PATIENCE).await
}

async fn ask_until(admission: &Admission, declared: &impl Find, spec: &Llm, probe: Probe, until: Instant) -> Found {
    let asking = async {
        let key = match &spec.api_key_ref {
            None => None,
            Some(key) => match open_key(admission, declared, key).await {
                Ok(key) => Some(key),
                Err(shut) => return Found::Unfit(format!("its key cannot be had: {}", shut.why)),
            },
        };
        (admission.providers.0)(spec.clone(), key, probe).await
    };
    let late = || Found::Unreachable(format!("there is no answer within {} s", PATIENCE.as_secs()));
    timeout_at(until, asking).await.unwrap_or_else(|_| late())
}

/// Whom to ask before a model can be written.
#[derive(Debug, Clone)]
pub(super) struct Question {
    pub(super) object: ObjectRef,
    /// Its place in the set.
    pub(super) index: usize,
    pub(super) spec: Llm,
}

/// What a provider has said about a key.
#[derive(Debug, Clone)]
struct Said {
    about: Llm,
    /// What is to be told, when it did not simply say yes.
    warning: Option<String>,
}

/// What providers have said.
#[derive(Debug, Clone, Default)]
pub(super) struct Answers(BTreeMap<ObjectRef, Said>);

impl Answers {
    /// What is to be told about a model.
    pub(super) fn warning(&self, object: &ObjectRef) -> Option<&str> {
        self.0.get(object)?.warning.as_deref()
    }

    /// Whether that was asked already.
    pub(super) fn has(&self, question: &Question) -> bool {
        self.0
            .get(&question.object)
            .is_some_and(|said| is_same_key(&said.about, &question.spec))
    }
}

/// Whether a set may need that providers are asked.
pub(super) fn may_need_providers(set: &[Resource]) -> bool {
    set.iter().any(|resource| resource.kind == Kind::Llm)
}

/// Whether both send the same key to the same place.
fn is_same_key(one: &Llm, other: &Llm) -> bool {
    one.provider == other.provider && one.url == other.url && one.api_key_ref == other.api_key_ref
}

/// The question that a model brings up, beside what is live.
pub(super) fn question(index: usize, resource: &Resource, live: Option<&Resource>) -> Option<Question> {
    let spec = downcast::<Llm>(resource.spec.as_ref())?;
    let before = live.and_then(|live| downcast::<Llm>(live.spec.as_ref()));
    let is_new = before.is_none_or(|before| !is_same_key(before, spec));
    let has_key = spec.api_key_ref.is_some() && spec.provider != Provider::Scripted;
    (is_new && has_key).then(|| Question {
        object: resource.reference(),
        index,
        spec: spec.clone(),
    })
}

/// Asks, each place once for each key, and adds what was said to what is known.
pub(super) async fn ask(
    admission: &Admission,
    declared: &impl Find,
    questions: Vec<Question>,
    known: &mut Answers,
) -> Result<(), Problem> {
    let until = Instant::now() + PATIENCE;
    let mut groups: Vec<Vec<Question>> = Vec::new();
    for question in questions {
        let is_alike = |group: &&mut Vec<Question>| {
            group.first().is_some_and(|first| {
                // What is asked of Anthropic names the model.
                is_same_key(&first.spec, &question.spec)
                    && (Probe::Key.body(&first.spec).is_none() || first.spec.model == question.spec.model)
            })
        };
        match groups.iter_mut().find(is_alike) {
            Some(group) => group.push(question),
            None => groups.push(vec![question]),
        }
    }
    let asking = stream::iter(groups).map(|group| async {
        let found = match group.first() {
            Some(first) => ask_until(admission, declared, &first.spec, Probe::Key, until).await,
            None => Found::Well,
        };
        (group, found)
    });
    let found: Vec<(Vec<Question>, Found)> = asking.buffer_unordered(AT_ONCE).collect().await;
    let mut refused = Vec::new();
    for (group, found) in found {
        for question in group {
            let provider = question.spec.provider.as_str();
            let message = format!("the provider ({provider}) {}", found.clause());
            let warning = match &found {
                Found::KeyRefused(..) => {
                    let path = FieldPath::root().key("spec").key("apiKeyRef");
                    let problem = FieldProblem::new(Code::KeyRefused, path, message)
                        .hint("put the right key into the Secret, or skip the question: --skip-auth-check");
                    refused.push(problem.in_object(question.index));
                    continue;
                }
                Found::Well => None,
                Found::KeyMissing(..)
                | Found::Failing(..)
                | Found::Odd(..)
                | Found::Unreachable(_)
                | Found::Unfit(_) => Some(format!("it is not known whether the key is right: {message}")),
            };
            let said = Said {
                about: question.spec,
                warning,
            };
            known.0.insert(question.object, said);
        }
    }
    refused.sort_by_key(|problem| problem.object);
    match Problem::of_fields(refused) {
        None => Ok(()),
        Some(problem) => Err(problem),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn model(spec: &serde_json::Value) -> Resource {
        let manifest = json!({
            "apiVersion": "orchctl.dev/v1", "kind": "Llm", "metadata": {"name": "m"}, "spec": spec,
        });
        orch_shared::manifest::resource(&manifest).expect("a model")
    }

    #[test]
    fn only_what_decides_about_the_key_brings_up_the_question() {
        let key = json!({"name": "keys", "key": "a"});
        let plain = json!({"provider": "openai", "model": "m", "apiKeyRef": key});
        let with = |field: &str, value: serde_json::Value| {
            let mut spec = plain.clone();
            spec[field] = value;
            spec
        };
        let live = model(&plain);
        for (spec, is_asked_new, is_asked_again) in [
            (plain.clone(), true, false),
            (with("tier", json!("heavy")), true, false),
            (with("model", json!("other")), true, false),
            (with("url", json!("http://a.b")), true, true),
            (with("provider", json!("deepseek")), true, true),
            (with("apiKeyRef", json!({"name": "keys", "key": "b"})), true, true),
            (json!({"provider": "openai", "model": "m"}), false, false),
            (
                json!({"provider": "scripted", "model": "m", "apiKeyRef": key, "script": [{"text": "a"}]}),
                false,
                false,
            ),
        ] {
            let resource = model(&spec);
            assert_eq!(question(0, &resource, None).is_some(), is_asked_new, "{spec}");
            assert_eq!(question(0, &resource, Some(&live)).is_some(), is_asked_again, "{spec}");
        }
    }
}

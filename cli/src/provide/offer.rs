//! What is offered: the objects that are published, and what this machine knows of each model and nobody else does: where
//! it is, its key, and how it is started.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use orch_shared::inference::address;
use orch_shared::kind::{Kind, downcast};
use orch_shared::kinds::agent::Agent;
use orch_shared::kinds::llm::{Llm, Provider};
use orch_shared::name::{Name, ObjectRef};
use orch_shared::publishing::{Offer, Readiness};
use orch_shared::quantity::Span;
use orch_shared::resource::{Metadata, Resource};

use super::engine::{Engine, Start};
use crate::client::site::{Answered, Site};
use crate::report::Failure;

/// What is said of a model in annotations of its manifest, for this machine alone.
const KEY: &str = "orchctl.dev/api-key-env";
const START: &str = "orchctl.dev/start";
const START_TIMEOUT: &str = "orchctl.dev/start-timeout";
const IDLE: &str = "orchctl.dev/idle";
const LOG: &str = "orchctl.dev/log";
const WARM: &str = "orchctl.dev/warm-projects";
const OURS: [&str; 6] = [KEY, START, START_TIMEOUT, IDLE, LOG, WARM];

/// How long a model server may take to answer after it was started, when nobody says.
const STARTING: Duration = Duration::from_secs(5 * 60);
/// After so long without use a model server is stopped, when nobody says.
const RESTING: Duration = Duration::from_secs(15 * 60);
/// How long connecting to a model may take.
const CONNECTING: Duration = Duration::from_secs(10);

/// A model of this machine.
pub(crate) struct Local {
    /// Under which it is published.
    pub(crate) name: Name,
    /// Its own name, for whoever asks it directly.
    pub(crate) model: String,
    pub(crate) provider: Provider,
    pub(crate) site: Site,
    /// The headers that carry its key.
    pub(crate) key: Vec<(String, String)>,
    /// The key by itself, which nobody is told.
    secret: Option<String>,
    /// Its process, when that is this program's.
    pub(crate) engine: Option<Engine>,
    warm_projects: Vec<Name>,
}

/// Everything that is offered.
pub(crate) struct Offered {
    pub(crate) models: BTreeMap<Name, Arc<Local>>,
    resources: Vec<Resource>,
}

/// What is said of a model on the command line, beside its manifest.
#[derive(Debug, Default)]
pub(crate) struct Means {
    pub(crate) url: Option<String>,
    pub(crate) key_variable: Option<String>,
    pub(crate) start: Option<String>,
    pub(crate) start_timeout: Option<Duration>,
    pub(crate) idle: Option<Duration>,
    pub(crate) log: Option<PathBuf>,
    pub(crate) warm_projects: Vec<Name>,
}

impl Offered {
    /// Takes up resources; `means` is for the one model that the command line speaks of.
    pub(crate) fn of(resources: Vec<Resource>, means: Option<Means>) -> Result<Self, Failure> {
        let mut offered = Self {
            models: BTreeMap::new(),
            resources: Vec::new(),
        };
        let mut means = means;
        for resource in resources {
            match resource.kind {
                Kind::Llm => offered.take_model(resource, means.take())?,
                Kind::Agent => offered.take_agent(resource),
                other => {
                    let noun = other.meta().singular;
                    return Err(Failure::usage(format!("a {noun} cannot be published")).hint("an Llm or an Agent can"));
                }
            }
        }
        Ok(offered)
    }

    fn take_agent(&mut self, mut resource: Resource) {
        if let Some(agent) = downcast::<Agent>(resource.spec.as_ref()) {
            let published = Some(true);
            resource.spec = Box::new(Agent {
                published,
                ..agent.clone()
            });
        }
        self.resources.push(resource);
    }

    fn take_model(&mut self, mut resource: Resource, means: Option<Means>) -> Result<(), Failure> {
        let Some(llm) = downcast::<Llm>(resource.spec.as_ref()).cloned() else {
            return Ok(());
        };
        let said = take_ours(&mut resource.metadata);
        let means = match means {
            Some(means) => means,
            None => Means::of_annotations(&said, llm.url.clone())?,
        };
        let name = resource.metadata.name.clone();
        if llm.api_key_ref.is_some() {
            return Err(Failure::usage(format!(
                "llm/{name}: a published model has no apiKeyRef; its key stays here"
            ))
            .hint(format!(
                "name a variable that holds it: --api-key-env, or the annotation {KEY}"
            )));
        }
        let local = Local::new(name.clone(), &llm, means)?;
        resource.spec = Box::new(Llm {
            url: None,
            published: Some(true),
            ..llm
        });
        self.models.insert(name, Arc::new(local));
        self.resources.push(resource);
        Ok(())
    }

    /// The objects.
    pub(crate) fn objects(&self) -> Vec<ObjectRef> {
        self.resources.iter().map(Resource::reference).collect()
    }

    /// What is told to the daemon.
    pub(crate) fn offers(&self) -> Vec<Offer> {
        let offer = |resource: &Resource| {
            let local = match resource.kind {
                Kind::Llm => self.models.get(&resource.metadata.name),
                _ => None,
            };
            Offer {
                manifest: resource.manifest(),
                state: local.map(|local| local.readiness()),
                warm_projects: local.map(|local| local.warm_projects.clone()).unwrap_or_default(),
            }
        };
        self.resources.iter().map(offer).collect()
    }

    /// Where the models stand.
    pub(crate) fn standing(&self) -> BTreeMap<Name, Readiness> {
        let models = self.models.iter();
        models.map(|(name, local)| (name.clone(), local.readiness())).collect()
    }
}

/// A model as the command line declares it.
pub(crate) fn declared(name: &Name, llm: Llm) -> Resource {
    Resource {
        kind: Kind::Llm,
        metadata: Metadata::named(name.clone()),
        spec: Box::new(llm),
    }
}

/// Takes what is for this machine alone out of the annotations.
fn take_ours(metadata: &mut Metadata) -> BTreeMap<String, String> {
    let Some(annotations) = &mut metadata.annotations else {
        return BTreeMap::new();
    };
    let ours = OURS.iter().filter_map(|name| annotations.remove_entry(*name)).collect();
    if annotations.is_empty() {
        metadata.annotations = None;
    }
    ours
}

impl Means {
    fn of_annotations(said: &BTreeMap<String, String>, url: Option<String>) -> Result<Self, Failure> {
        let span = |name: &str| {
            let text = said.get(name);
            let read = text.map(|text| text.parse::<Span>().map(|span| span.duration()));
            read.transpose()
                .map_err(|error| Failure::usage(format!("the annotation {name}: {error}")))
        };
        let warm = said.get(WARM).map(String::as_str).unwrap_or_default();
        let warm = warm.split(',').map(str::trim).filter(|name| !name.is_empty());
        let warm: Result<Vec<Name>, Failure> = warm.map(|name| crate::settings::parse_name(name, "project")).collect();
        Ok(Self {
            url,
            key_variable: said.get(KEY).cloned(),
            start: said.get(START).cloned(),
            start_timeout: span(START_TIMEOUT)?,
            idle: span(IDLE)?,
            log: said.get(LOG).map(PathBuf::from),
            warm_projects: warm?,
        })
    }
}

impl Local {
    fn new(name: Name, llm: &Llm, means: Means) -> Result<Self, Failure> {
        if llm.provider == Provider::Scripted {
            return Err(
                Failure::usage(format!("llm/{name}: a scripted model is not published: declare it"))
                    .hint("orchctl apply -f FILE"),
            );
        }
        let url = means.url.as_deref().or_else(|| address::default_base(llm.provider));
        let url = url.ok_or_else(|| {
            let provider = llm.provider.as_str();
            Failure::usage(format!("llm/{name}: nothing says where the model answers")).hint(format!(
                "{provider} has no address of its own: --url http://127.0.0.1:PORT"
            ))
        })?;
        let url = crate::settings::address(url).map_err(|no_address| {
            Failure::usage(format!(
                "llm/{name}: `{url}` is not the address of a model (--url, or `spec.url` of a manifest){no_address}"
            ))
            .hint("such as http://127.0.0.1:8000; only http and https are spoken")
        })?;
        let secret = means.key_variable.as_deref().map(key_in).transpose()?;
        let key = secret.iter().map(|key| header_of(llm.provider, key)).collect();
        let site = Site::at(&url, None, CONNECTING)?;
        let engine = means.start.map(|command| {
            Engine::new(Start {
                command,
                site: site.clone(),
                ready: address::join(&url, "/v1/models"),
                patience: means.start_timeout.unwrap_or(STARTING),
                idle: Some(means.idle.unwrap_or(RESTING)).filter(|idle| !idle.is_zero()),
                log: means.log.unwrap_or_else(|| PathBuf::from(format!("{name}.log"))),
            })
        });
        Ok(Self {
            name,
            model: llm.model.clone(),
            provider: llm.provider,
            site,
            key,
            secret,
            engine,
            warm_projects: means.warm_projects,
        })
    }

    /// What it has answered, as others may read it: a refusal without its key.
    pub(crate) fn told(&self, answered: Answered) -> Answered {
        match &self.secret {
            Some(key) => answered.without(key),
            None => answered,
        }
    }

    /// Where it stands.
    pub(crate) fn readiness(&self) -> Readiness {
        match &self.engine {
            Some(engine) if !engine.is_running() => Readiness::Hibernating,
            Some(_) | None => Readiness::Active,
        }
    }
}

fn key_in(variable: &str) -> Result<String, Failure> {
    let key = std::env::var(variable).ok().filter(|key| !key.trim().is_empty());
    key.map(|key| key.trim().to_owned()).ok_or_else(|| {
        Failure::usage(format!("the variable {variable} holds no key")).hint(format!("export {variable}=..."))
    })
}

/// The header in which a provider wants its key.
fn header_of(provider: Provider, key: &str) -> (String, String) {
    match provider {
        Provider::Anthropic => ("x-api-key".to_owned(), key.to_owned()),
        Provider::Openai
        | Provider::Deepseek
        | Provider::Vllm
        | Provider::Ollama
        | Provider::OpenaiCompatible
        | Provider::Scripted => ("authorization".to_owned(), format!("Bearer {key}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_for_this_machine_does_not_leave_it() {
        let mut resource = declared(
            &"local".parse().unwrap(),
            serde_json::from_value(serde_json::json!({
                "provider": "vllm", "model": "m", "url": "http://127.0.0.1:1/v1",
            }))
            .unwrap(),
        );
        let annotations = [
            (START, "serve --key sesame"),
            (IDLE, "5m"),
            ("team", "core"),
            (WARM, "web, shop"),
        ];
        resource.metadata.annotations = Some(
            annotations
                .map(|(name, text)| (name.to_owned(), text.to_owned()))
                .into(),
        );
        let offered = Offered::of(vec![resource], None).unwrap();
        let offers = offered.offers();
        let told = serde_json::to_string(&offers[0].manifest).unwrap();
        for kept in ["sesame", "127.0.0.1", "orchctl.dev/start"] {
            assert!(!told.contains(kept), "{told}");
        }
        assert!(
            told.contains("\"team\":\"core\"") && told.contains("\"published\":true"),
            "{told}"
        );
        assert_eq!(offers[0].state, Some(Readiness::Hibernating));
        assert_eq!(offers[0].warm_projects.len(), 2);
    }

    #[test]
    fn what_cannot_be_published_is_told() {
        let of = |spec: serde_json::Value| {
            let resource = declared(&"x".parse().unwrap(), serde_json::from_value(spec).unwrap());
            Offered::of(vec![resource], None)
                .err()
                .map(|failure| failure.to_string())
        };
        for (spec, expected) in [
            (serde_json::json!({"provider": "ollama", "model": "m"}), None),
            (
                serde_json::json!({"provider": "vllm", "model": "m"}),
                Some("nothing says where"),
            ),
            (
                serde_json::json!({"provider": "ollama", "model": "m", "apiKeyRef": {"name": "x", "key": "y"}}),
                Some("no apiKeyRef"),
            ),
            (
                serde_json::json!({"provider": "scripted", "model": "m", "script": []}),
                Some("scripted"),
            ),
        ] {
            let refused = of(spec.clone());
            assert_eq!(refused.is_some(), expected.is_some(), "{spec} {refused:?}");
            assert!(
                expected.is_none_or(|expected| refused.as_deref().is_some_and(|said| said.contains(expected))),
                "{spec} {refused:?}"
            );
        }
    }
}

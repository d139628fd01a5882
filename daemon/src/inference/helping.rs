//! Models that help the daemon with its own work: choosing, naming, summing up. They are asked for whoever the work is done for,
//! who must be allowed to ask them, and counted like any other request of theirs. One that does not answer in time is asked last
//! for a while, so that not everybody waits for it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use orch_shared::access::Principal;
use orch_shared::kind::Spec as _;
use orch_shared::kinds::llm::Tier;
use orch_shared::name::Name;
use serde_json::json;
use tokio::time::{Instant, timeout};

use super::asking::Of;
use super::{Inference, choice};
use crate::audit::{self, Trail};

/// So many models are asked, one after the other, before it is done without one.
const TRIES: usize = 2;
/// For so long after it has not answered in time, a model is asked after the others.
const SLOW: Duration = Duration::from_secs(60);
/// The longest answer, in tokens.
const LONGEST: u32 = 2000;

/// Something that a model is asked.
#[derive(Debug, Clone)]
pub struct Question {
    /// What it takes.
    pub tier: Tier,
    /// For whom.
    pub principal: Principal,
    /// The project that it counts for.
    pub project: Option<Name>,
    /// What is asked.
    pub text: String,
    /// How long an answer is waited for.
    pub patience: Duration,
}

/// Models that did not answer in time lately, by uid, and when that was.
#[derive(Default)]
pub(super) struct Slow(Mutex<HashMap<Arc<str>, Instant>>);

impl Slow {
    fn was(&self, uid: &str) -> bool {
        let slow = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        slow.get(uid).is_some_and(|since| since.elapsed() < SLOW)
    }

    fn note(&self, uid: Arc<str>) {
        let mut slow = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        slow.retain(|_, since| since.elapsed() < SLOW);
        slow.insert(uid, Instant::now());
    }
}

impl Inference {
    /// The answer of a model of that tier which is declared and may be asked; nothing when there is none, or none answers soon.
    pub async fn help(&self, question: Question) -> Option<String> {
        let mut models = self.of_tier(&question.principal, question.tier);
        models.truncate(TRIES);
        let deadline = Instant::now() + question.patience;
        let mut left = u32::try_from(models.len()).unwrap_or(u32::MAX);
        for (uid, llm) in models {
            // What remains is for all that are asked yet.
            let share = deadline.saturating_duration_since(Instant::now()) / left.max(1);
            left -= 1;
            let Question {
                principal,
                project,
                text,
                ..
            } = question.clone();
            let body = json!({
                "model": llm, "messages": [{"role": "user", "content": text}],
                "max_tokens": LONGEST, "stream": true, "stream_options": {"include_usage": true},
            });
            let trail = Trail::begin("", None, "chat/completions");
            trail.by(&principal);
            let of = Of::Named {
                project: project.map(|project| project.to_string()),
            };
            let asking = async {
                let saying = self.begin(principal, of, body.to_string()).await?;
                saying.whole().await
            };
            match timeout(share, audit::scoped(trail, asking)).await {
                Ok(Ok(said)) if !said.reply.text.trim().is_empty() => return Some(said.reply.text),
                Ok(Ok(_)) => {}
                Ok(Err(unanswered)) => tracing::debug!(%llm, error = %unanswered, "a model does not help"),
                Err(_) => {
                    tracing::debug!(%llm, ?share, "a model does not help in time");
                    self.0.slow.note(uid);
                }
            }
        }
        None
    }

    /// The models of a tier that somebody may ask, each with its uid: those that say so first, then those that say nothing of
    /// it, by name; behind all of them those that were slow.
    fn of_tier(&self, principal: &Principal, tier: Tier) -> Vec<(Arc<str>, Name)> {
        let shared = &self.0;
        let mut models: Vec<(bool, bool, Name, Arc<str>)> = choice::all(principal, &shared.store.snapshot())
            .into_iter()
            .filter(|model| model.spec().effective().tier == Some(tier))
            // Whoever publishes a model is not thereby shown what everybody else works at.
            .filter(|model| model.spec().published != Some(true))
            .filter(|model| shared.models.failing(&model.object.uid).is_none())
            .map(|model| {
                let uid = Arc::clone(&model.object.uid);
                let says_nothing = model.spec().tier.is_none();
                (shared.slow.was(&uid), says_nothing, model.name().clone(), uid)
            })
            .collect();
        models.sort();
        models.into_iter().map(|(_, _, name, uid)| (uid, name)).collect()
    }
}

//! Models that help the daemon with its own work: choosing, naming, summing up. They are asked for whoever the work is done for,
//! who must be allowed to ask them, and counted like any other request of theirs.

use std::time::Duration;

use orch_shared::access::Principal;
use orch_shared::kind::Spec as _;
use orch_shared::kinds::llm::Tier;
use orch_shared::name::Name;
use serde_json::json;
use tokio::time::timeout;

use super::asking::Of;
use super::{Inference, choice};
use crate::audit::{self, Trail};

/// So many models are asked, one after the other, before it is done without one.
const TRIES: usize = 2;
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

impl Inference {
    /// The answer of a model of that tier which is declared and may be asked; nothing when there is none, or none answers soon.
    pub async fn help(&self, question: Question) -> Option<String> {
        let patience = question.patience;
        timeout(patience, self.helped(question)).await.ok().flatten()
    }

    async fn helped(&self, question: Question) -> Option<String> {
        let models = self.of_tier(&question.principal, question.tier);
        for llm in models.into_iter().take(TRIES) {
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
            match audit::scoped(trail, asking).await {
                Ok(said) if !said.reply.text.trim().is_empty() => return Some(said.reply.text),
                Ok(_) => {}
                Err(unanswered) => tracing::debug!(%llm, error = %unanswered, "a model does not help"),
            }
        }
        None
    }

    /// The models of a tier that somebody may ask: those that say so first, then those that say nothing of it; by name.
    fn of_tier(&self, principal: &Principal, tier: Tier) -> Vec<Name> {
        let shared = &self.0;
        let mut models: Vec<(bool, Name)> = choice::all(principal, &shared.store.snapshot())
            .into_iter()
            .filter(|model| model.spec().effective().tier == Some(tier))
            // Whoever publishes a model is not thereby shown what everybody else works at.
            .filter(|model| model.spec().published != Some(true))
            .filter(|model| shared.models.failing(&model.object.uid).is_none())
            .map(|model| (model.spec().tier.is_none(), model.name().clone()))
            .collect();
        models.sort();
        models.into_iter().map(|(_, name)| name).collect()
    }
}

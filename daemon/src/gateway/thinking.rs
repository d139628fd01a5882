//! What the gateway has models think about, where there are any that whoever asks may ask: which prompts fit a task, what is on
//! the pages of a long result, what a prompt is about. Who answers is not known here; and all of it is done in a plain way
//! where nobody does, or not soon enough.

use std::collections::HashMap;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use orch_shared::access::Principal;
use orch_shared::digest::sha256;
use orch_shared::kinds::llm::Tier;
use orch_shared::matching::{self, Candidate, Match, Task};
use orch_shared::name::Name;
use orch_shared::outline::{self, Outline};
use orch_shared::system::Text;
use tokio::time::Instant;

use super::Gateway;
use crate::store::Error;

/// How long whoever begins waits for a choice.
const CHOOSING: Duration = Duration::from_secs(8);
/// How long whoever called a tool waits for titles.
const TITLES: Duration = Duration::from_secs(3);
/// How long a summary may take; nobody waits for it.
const SUMMARY: Duration = Duration::from_secs(60);
/// After a failure a summary is asked for again after so long.
const REST: Duration = Duration::from_secs(300);
/// So many bytes of a text are read for its summary.
const READ: usize = 48 << 10;
/// What is shorter says what it is about by itself, in bytes.
const SHORT: usize = 400;
/// So many pages are given titles.
const PAGES: usize = 40;
/// So many characters of a page are shown for its title.
const BEGINNING: usize = 600;
/// So many summaries are kept at hand.
const KNOWN: usize = 4096;

/// A question to a model.
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

/// An answer on its way; nothing when nobody answers.
pub(super) type Thinking = Pin<Box<dyn Future<Output = Option<String>> + Send>>;

/// Asks a model.
pub type Think = Arc<dyn Fn(Question) -> Thinking + Send + Sync>;

/// For whom a model is asked, and which project that counts for.
#[derive(Debug, Clone)]
pub(super) struct Behalf {
    pub(super) principal: Principal,
    pub(super) project: Option<Name>,
}

/// What is known of texts, by their hash.
#[derive(Default)]
pub(super) struct Outlines(Mutex<HashMap<String, State>>);

#[derive(Clone)]
enum State {
    Known(Arc<Outline>),
    Asked,
    Failed(Instant),
}

impl Outlines {
    fn locked(&self) -> std::sync::MutexGuard<'_, HashMap<String, State>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set(&self, hash: String, state: State) {
        let mut known = self.locked();
        if known.len() >= KNOWN {
            known.retain(|_, state| matches!(state, State::Asked));
        }
        known.insert(hash, state);
    }
}

impl Gateway {
    fn think(&self, tier: Tier, behalf: &Behalf, text: String, patience: Duration) -> Thinking {
        let Behalf { principal, project } = behalf.clone();
        (self.0.think)(Question {
            tier,
            principal,
            project,
            text,
            patience,
        })
    }

    /// The prompts that fit a task: those that a model chooses, or else by tags and words.
    pub(super) async fn chosen(&self, behalf: &Behalf, task: &Task, candidates: &[Candidate<'_>]) -> Vec<Match> {
        // Of one there is nothing to choose.
        if candidates.len() > 1 {
            let told: Vec<String> = candidates.iter().map(told).collect();
            let project = behalf.project.as_ref().map(Name::as_str).unwrap_or_default();
            let tags = task.tags.join(", ");
            let values = [
                ("task", task.description.as_str()),
                ("tags", &tags),
                ("project", project),
                ("prompts", &told.join("\n")),
            ];
            let text = self.say(Text::SessionSelection, &values);
            let answer = self.think(Tier::Fast, behalf, text, CHOOSING).await;
            if let Some(names) = answer.as_deref().and_then(outline::list) {
                let is_known = |name: &String| candidates.iter().any(|candidate| candidate.name == name.trim());
                // Who names only what is not there has not understood.
                if names.is_empty() || names.iter().any(is_known) {
                    return matching::chosen(task, candidates, &names);
                }
            }
        }
        matching::matching(task, candidates)
    }

    /// Titles for pages, if a model finds them soon.
    pub(super) async fn titles(&self, behalf: &Behalf, pages: &[&str]) -> Option<Vec<String>> {
        if pages.len() > PAGES {
            return None;
        }
        let begin = |(number, page): (usize, &&str)| {
            let beginning: String = page.chars().take(BEGINNING).collect();
            format!("--- Page {number} ---\n{beginning}")
        };
        let told: Vec<String> = (1..).zip(pages).map(begin).collect();
        let values = [("pages", &*told.join("\n")), ("count", &pages.len().to_string())];
        let text = self.say(Text::PageTitles, &values);
        let answer = self.think(Tier::Fast, behalf, text, TITLES).await?;
        outline::list(&answer).filter(|titles| titles.len() == pages.len())
    }

    /// What a text of a prompt is about: as a model has said it before, or else in a plain way; then a model is asked, for the
    /// next time. Short ones say it themselves.
    pub(super) async fn outlines(&self, behalf: &Behalf, texts: &[(&str, &str)]) -> Vec<Arc<Outline>> {
        let long = texts.iter().filter(|(_, text)| text.len() >= SHORT);
        let hashes: Vec<String> = long.map(|(_, text)| sha256(text)).collect();
        self.recall(&hashes).await;
        let mut outlines = Vec::with_capacity(texts.len());
        for (name, text) in texts {
            let plain = || Arc::new(Outline::plain(text));
            if text.len() < SHORT {
                outlines.push(plain());
                continue;
            }
            let hash = sha256(text);
            let state = self.0.outlines.locked().get(&hash).cloned();
            outlines.push(match state {
                Some(State::Known(outline)) => outline,
                Some(State::Failed(since)) if since.elapsed() < REST => plain(),
                Some(State::Asked) => plain(),
                Some(State::Failed(_)) | None => {
                    self.0.outlines.set(hash.clone(), State::Asked);
                    drop(tokio::spawn(self.clone().sum_up(behalf.clone(), hash, name, text)));
                    plain()
                }
            });
        }
        outlines
    }

    /// Brings to mind what was said of texts before this run of the daemon.
    async fn recall(&self, hashes: &[String]) {
        let unknown: Vec<String> = {
            let known = self.0.outlines.locked();
            hashes
                .iter()
                .filter(|hash| !known.contains_key(*hash))
                .cloned()
                .collect()
        };
        if unknown.is_empty() {
            return;
        }
        match self.0.store.outlines(&unknown).await {
            Ok(found) => {
                for (hash, outline) in found {
                    if let Ok(outline) = serde_json::from_str(&outline) {
                        self.0.outlines.set(hash, State::Known(Arc::new(outline)));
                    }
                }
            }
            Err(error) => tracing::debug!(%error, "summaries of prompts cannot be looked up"),
        }
    }

    fn sum_up(self, behalf: Behalf, hash: String, name: &str, text: &str) -> impl Future<Output = ()> + Send + use<> {
        let mut end = text.len().min(READ);
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        let asked = self.say(Text::PromptSummary, &[("text", &text[..end]), ("name", name)]);
        async move {
            let answer = self.think(Tier::Heavy, &behalf, asked, SUMMARY).await;
            let Some(outline) = answer.as_deref().and_then(Outline::of_answer) else {
                return self.0.outlines.set(hash, State::Failed(Instant::now()));
            };
            let kept = serde_json::to_string(&outline).expect("an outline is plain data");
            let written: Result<(), Error> = self.0.store.keep_outline(&hash, kept).await;
            if let Err(error) = written {
                tracing::debug!(%error, "a summary of a prompt cannot be kept");
            }
            self.0.outlines.set(hash, State::Known(Arc::new(outline)));
        }
    }
}

/// A candidate in a line.
fn told(candidate: &Candidate<'_>) -> String {
    let Candidate {
        name,
        priority: _,
        summary,
        chapters,
        tags,
    } = candidate;
    let mut line = format!("- {name}: {summary}");
    for (what, words) in [("parts", chapters), ("tags", tags)] {
        if !words.is_empty() {
            line.push_str(&format!(" ({what}: {})", words.join(", ")));
        }
    }
    line
}

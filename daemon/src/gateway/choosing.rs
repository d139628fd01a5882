//! Which prompts somebody is given who begins a session: chosen by a model or by words, and told as far as there is room.
//!
//! The best fitting are told in full, links followed; those for which there is no room, by an outline that says where they
//! are read; those beyond, by their number.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use orch_shared::access::Principal;
use orch_shared::jsonrpc::Outcome;
use orch_shared::kinds::prompt::Prompt;
use orch_shared::matching::{Candidate, Task};
use orch_shared::outline::Outline;
use orch_shared::system::Text;
use serde::Serialize;
use tokio::time::error::Elapsed;
use tokio::time::timeout;

use super::Gateway;
use super::gate::prompt_uri;
use super::thinking::Behalf;
use super::view::View;
use crate::store::Object;

/// So many bytes of prompts are told in full.
const ROOM: usize = 48 << 10;
/// So many prompts are told in full.
const FULL: usize = 20;
/// So many are told at all.
const TOLD: usize = 60;
/// How long the texts that prompts link to are waited for.
pub(super) const PATIENCE: Duration = Duration::from_secs(8);

/// What is told of a text that did not come in time.
pub(super) const LATE: &str = "(What it links to did not come in time.)";

/// The text of a prompt on its way.
type Reading<'r> = Pin<Box<dyn Future<Output = Result<Result<String, Outcome>, Elapsed>> + Send + 'r>>;

/// The prompts for a task.
pub(super) struct Digest {
    /// For a model.
    pub(super) text: String,
    /// For a program.
    pub(super) told: Vec<Told>,
    /// How many fit besides.
    pub(super) more: usize,
}

/// A prompt that fits.
#[derive(Debug, Serialize)]
pub(super) struct Told {
    name: String,
    uri: String,
    priority: u32,
    #[serde(skip_serializing_if = "String::is_empty")]
    summary: String,
    /// The tags and words that it has in common with the task.
    because: Vec<String>,
    /// Whether its text is in the answer.
    shown: bool,
}

/// What is told when nothing fits.
const NOTHING: &str = "No prompt is about this task. The tools of the project are there from now on.";

impl Gateway {
    /// The prompts of a project that fit a task.
    pub(super) async fn digest(&self, view: &View, principal: &Principal, task: &Task) -> Digest {
        let offered: Vec<(&Object, &Prompt)> = view
            .prompts
            .iter()
            .filter_map(|prompt| Some((&**prompt, prompt.spec::<Prompt>()?)))
            .collect();
        let behalf = Behalf {
            principal: principal.clone(),
            project: view.project().cloned(),
        };
        let outlines = self.outlines_of(&behalf, &offered).await;
        let candidates: Vec<Candidate<'_>> = offered
            .iter()
            .zip(&outlines)
            .map(|((object, spec), outline)| candidate(object, spec, outline.as_deref()))
            .collect();
        let chosen = self.chosen(&behalf, task, &candidates).await;
        let mut reading: Vec<Reading<'_>> = Vec::new();
        for found in chosen.iter().take(FULL) {
            let (object, _) = offered[found.index];
            reading.push(Box::pin(timeout(PATIENCE, self.text_of(view, principal, object))));
        }
        let mut texts = futures_util::future::join_all(reading).await.into_iter();
        let (mut shown, mut outlined, mut told) = (Vec::new(), Vec::new(), Vec::new());
        let mut room = ROOM;
        for found in chosen.iter().take(TOLD) {
            let candidate = &candidates[found.index];
            let text = texts.next().map(|read| match read {
                Ok(Ok(text)) => text,
                Ok(Err(refused)) => unreadable(&refused),
                Err(_) => LATE.to_owned(),
            });
            let section = text.map(|text| section(candidate, &text));
            let fitting = section.filter(|section| section.len() <= room);
            told.push(Told {
                name: candidate.name.to_owned(),
                uri: prompt_uri(candidate.name),
                priority: candidate.priority,
                summary: candidate.summary.to_owned(),
                because: found.because.clone(),
                shown: fitting.is_some(),
            });
            match fitting {
                Some(section) => {
                    room -= section.len();
                    shown.push(section);
                }
                None => outlined.push(self.outline(candidate)),
            }
        }
        let more = chosen.len().saturating_sub(TOLD);
        if more > 0 {
            outlined.push(format!("- and {more} more, which prompts/list has"));
        }
        if !outlined.is_empty() {
            shown.push(format!("More that fit:\n{}", outlined.join("\n")));
        }
        let text = match shown.is_empty() {
            true => NOTHING.to_owned(),
            false => shown.join("\n\n"),
        };
        Digest { text, told, more }
    }

    /// What prompts are about that do not say so themselves.
    async fn outlines_of(&self, behalf: &Behalf, offered: &[(&Object, &Prompt)]) -> Vec<Option<Arc<Outline>>> {
        let text = |spec: &&Prompt| -> Option<String> {
            let is_told = spec.summary.is_some() && spec.chapters.is_some();
            spec.content.clone().filter(|_| !is_told)
        };
        let texts: Vec<Option<String>> = offered.iter().map(|(_, spec)| text(spec)).collect();
        let named = offered.iter().zip(&texts);
        let wanted: Vec<(&str, &str)> = named
            .filter_map(|((object, _), text)| Some((object.object.name.as_str(), text.as_deref()?)))
            .collect();
        let mut outlines = self.outlines(behalf, &wanted).await.into_iter();
        texts
            .iter()
            .map(|text| text.as_ref().and_then(|_| outlines.next()))
            .collect()
    }

    fn outline(&self, candidate: &Candidate<'_>) -> String {
        let values = [
            ("name", candidate.name),
            ("uri", &prompt_uri(candidate.name)),
            ("summary", candidate.summary),
            ("chapters", &candidate.chapters.join(", ")),
            ("priority", &candidate.priority.to_string()),
        ];
        self.say(Text::PromptOutline, &values)
    }
}

/// A prompt as it is chosen by: what it says of itself, and where it says nothing, what is known of it.
fn candidate<'c>(object: &'c Object, spec: &'c Prompt, outline: Option<&'c Outline>) -> Candidate<'c> {
    let summary = outline.map(|outline| outline.summary.as_str());
    let chapters = outline.map(|outline| outline.chapters.as_slice());
    Candidate {
        name: object.object.name.as_str(),
        priority: spec.rank(),
        summary: spec.summary.as_deref().or(summary).unwrap_or_default(),
        chapters: spec.chapters.as_deref().or(chapters).unwrap_or_default(),
        tags: spec.tags.as_deref().unwrap_or_default(),
    }
}

/// A prompt, told in full.
fn section(candidate: &Candidate<'_>, text: &str) -> String {
    let mut section = format!("## {}\n", candidate.name);
    // A summary that is how the text begins is told with it.
    let is_other = candidate.summary != Outline::plain(text).summary;
    if is_other && !candidate.summary.is_empty() {
        section.push_str(candidate.summary);
        section.push('\n');
    }
    section.push('\n');
    section.push_str(text.trim_end());
    section
}

/// What is told of a text that cannot be read.
pub(super) fn unreadable(refused: &Outcome) -> String {
    let why = refused.message().unwrap_or_default();
    format!("(What it links to cannot be read now: {why})")
}

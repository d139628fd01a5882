//! The texts that the daemon itself speaks to models with: Prompts of a project of their own, so that whoever runs a daemon
//! can word them anew.
//!
//! A text has places, `{{name}}`, that the daemon fills in. Those without which it would not do its work are required, and
//! places that nobody fills are refused: held when such a Prompt is declared ([`check`]). A text that is missing, or was
//! broken by hand, is spoken as it is written here.

use std::collections::BTreeSet;

use crate::kind::{AnySpec, Kind, downcast};
use crate::kinds::API_VERSION;
use crate::kinds::prompt::Prompt;
use crate::name::{ObjectRef, Scope};
use crate::path::FieldPath;
use crate::problem::{Code, FieldProblem, near_miss};
use crate::resource::Resource;

/// The project that the texts live in.
pub const PROJECT: &str = "orch-system";
/// The project for those who have none of their own yet.
pub const DEFAULT_PROJECT: &str = "default";

/// A text that the daemon speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Text {
    /// What a client of a gated project is told when it connects.
    GateInstructions,
    /// What it is told when it wants something before it has begun.
    GateRefusal,
    /// What it is answered when it begins.
    SessionAnswer,
    /// A prompt that fits, and is not shown in full.
    PromptOutline,
    /// What whoever proposes a prompt is answered.
    ProposalAnswer,
    /// What stands below a page of a long result.
    PageFooter,
    /// What a model is asked for that sums up what was said in a thread.
    ThreadSummary,
    /// What the model of an agent is told instead of older turns.
    ThreadSummarised,
    /// What a quick model is asked for that chooses prompts for a task.
    SessionSelection,
    /// What a quick model is asked for that finds titles for the pages of a long result.
    PageTitles,
    /// What an able model is asked for that says what a prompt is about.
    PromptSummary,
}

impl Text {
    /// Every text.
    pub const ALL: [Self; 11] = [
        Self::GateInstructions,
        Self::GateRefusal,
        Self::SessionAnswer,
        Self::PromptOutline,
        Self::ProposalAnswer,
        Self::PageFooter,
        Self::ThreadSummary,
        Self::ThreadSummarised,
        Self::SessionSelection,
        Self::PageTitles,
        Self::PromptSummary,
    ];

    /// The name of its Prompt.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::GateInstructions => "gate-instructions",
            Self::GateRefusal => "gate-refusal",
            Self::SessionAnswer => "session-answer",
            Self::PromptOutline => "prompt-outline",
            Self::ProposalAnswer => "proposal-answer",
            Self::PageFooter => "page-footer",
            Self::ThreadSummary => "thread-summary",
            Self::ThreadSummarised => "thread-summarised",
            Self::SessionSelection => "session-selection",
            Self::PageTitles => "page-titles",
            Self::PromptSummary => "prompt-summary",
        }
    }

    /// The text whose Prompt that is.
    #[must_use]
    pub fn of(object: &ObjectRef) -> Option<Self> {
        let is_ours = object.kind == Kind::Prompt
            && matches!(&object.scope, Scope::Project(project) if project.as_str() == PROJECT);
        Self::ALL
            .into_iter()
            .find(|text| is_ours && text.name() == object.name.as_str())
    }

    /// What it is for, in a sentence.
    const fn summary(self) -> &'static str {
        match self {
            Self::GateInstructions => "What a client of a gated project is told when it connects",
            Self::GateRefusal => "What a client is told that wants something before its session has begun",
            Self::SessionAnswer => "What a client is answered when its session begins",
            Self::PromptOutline => "How a prompt is told that fits a task and is not shown in full",
            Self::ProposalAnswer => "What whoever proposes a prompt is answered",
            Self::PageFooter => "What stands below a page of a long result, but for the last one",
            Self::ThreadSummary => {
                "What the model of an agent is asked when older turns of a thread are to be summed up"
            }
            Self::ThreadSummarised => "What the model of an agent is told instead of older turns of a thread",
            Self::SessionSelection => "What a model of the tier fast is asked when prompts are chosen for a task",
            Self::PageTitles => "What a model of the tier fast is asked for titles of the pages of a long result",
            Self::PromptSummary => "What a model of the tier heavy is asked about a prompt that does not sum itself up",
        }
    }

    /// How it is spoken where nobody has worded it anew.
    #[must_use]
    pub const fn wording(self) -> &'static str {
        match self {
            Self::GateInstructions => {
                "Before anything else, call the tool `{{tool}}` and say in a sentence or two what you are going to do. \
                 You are given the prompts of the project {{project}} that fit, and see its tools from then on."
            }
            Self::GateRefusal => {
                "The session has not begun: call the tool `{{tool}}` first, with a description of the task. \
                 Until then there is nothing else in project {{project}}."
            }
            Self::SessionAnswer => {
                "The session has begun. What to know about this task in project {{project}}:\n\n{{prompts}}"
            }
            Self::PromptOutline => "- {{name}} (read {{uri}}): {{summary}}",
            Self::ProposalAnswer => {
                "The prompt `{{name}}` is proposed, as {{request}}. It waits until somebody approves it; \
                 until then only this session sees it."
            }
            Self::PageFooter => {
                "[Page {{page}} of {{pageCount}}. The next one: call {{tool}} with {\"id\": \"{{id}}\", \"page\": {{next}}}]\
                 {{contents}}"
            }
            Self::ThreadSummary => {
                "Sum up this part of a conversation, so that somebody who has not read it can go on with it: what was wanted, \
                 what was found out and done, what was decided, and what is still open. Keep names, numbers and words that \
                 may be needed as they are. Answer with the summary alone.\n\n{{conversation}}"
            }
            Self::ThreadSummarised => {
                "[Turns {{from}} to {{to}} of this conversation have become too long and are summed up here.]\n\n{{summary}}"
            }
            Self::SessionSelection => {
                "Somebody begins to work at a task. Which of these prompts should they read before? Take those that are about \
                 the task, and leave out the others. Answer with a JSON array of their names, the most useful one first, \
                 and nothing else; with [] if none is.\n\nThe task:\n{{task}}\n\nTags: {{tags}}\n\nThe prompts:\n{{prompts}}"
            }
            Self::PageTitles => {
                "A long text was cut into {{count}} pages. Find a title for each that says what is on it, in at most eight \
                 words. Answer with a JSON array of {{count}} strings in the order of the pages, and nothing else. \
                 This is how the pages begin:\n\n{{pages}}"
            }
            Self::PromptSummary => {
                "Say what this text is about, for somebody who decides whether to read it. Answer with a JSON object and nothing \
                 else: \"summary\", a sentence of at most 25 words, and \"chapters\", an array of the titles of its parts, at \
                 most 12.\n\n{{text}}"
            }
        }
    }

    /// The places without which it would not do its work.
    #[must_use]
    pub const fn required(self) -> &'static [&'static str] {
        match self {
            Self::GateInstructions | Self::GateRefusal => &["tool"],
            Self::SessionAnswer => &["prompts"],
            Self::PromptOutline => &["name", "uri"],
            Self::ProposalAnswer => &["request"],
            Self::PageFooter => &["page", "pageCount", "tool", "id", "next"],
            Self::ThreadSummary => &["conversation"],
            Self::ThreadSummarised => &["summary"],
            Self::SessionSelection => &["task", "prompts"],
            Self::PageTitles => &["pages"],
            Self::PromptSummary => &["text"],
        }
    }

    /// The places that it may have besides.
    const fn optional(self) -> &'static [&'static str] {
        match self {
            Self::GateInstructions | Self::GateRefusal => &["project"],
            Self::SessionAnswer => &["project", "task"],
            Self::PromptOutline => &["summary", "chapters", "priority"],
            Self::ProposalAnswer => &["name", "project"],
            Self::PageFooter => &["contents"],
            Self::ThreadSummary => &[],
            Self::ThreadSummarised => &["from", "to"],
            Self::SessionSelection => &["tags", "project"],
            Self::PageTitles => &["count"],
            Self::PromptSummary => &["name"],
        }
    }

    fn knows(self, place: &str) -> bool {
        self.required().contains(&place) || self.optional().contains(&place)
    }

    /// Whether a wording does its work.
    #[must_use]
    pub fn accepts(self, wording: &str) -> bool {
        let places: BTreeSet<&str> = places(wording).collect();
        self.required().iter().all(|place| places.contains(place)) && places.iter().all(|place| self.knows(place))
    }

    /// The Prompt that says it as it is written here.
    ///
    /// # Panics
    /// Never: what is written here is sound, which a test shows.
    #[must_use]
    pub fn default_prompt(self) -> Resource {
        declared(&serde_json::json!({
            "apiVersion": API_VERSION,
            "kind": "Prompt",
            "metadata": {"name": self.name(), "project": PROJECT},
            "spec": {"content": self.wording(), "summary": self.summary()},
        }))
    }
}

/// What every daemon brings along beside its catalogue: a project to begin with, the daemon's own, and its texts.
#[must_use]
pub fn objects() -> Vec<Resource> {
    let mut objects = vec![
        project(DEFAULT_PROJECT, "For those who have no project of their own yet"),
        home(),
    ];
    objects.extend(Text::ALL.map(Text::default_prompt));
    objects
}

/// The project that the texts live in.
fn home() -> Resource {
    project(
        PROJECT,
        "How the daemon itself speaks to models; a prompt that is deleted is worded as at first",
    )
}

fn project(name: &str, description: &str) -> Resource {
    declared(&serde_json::json!({
        "apiVersion": API_VERSION, "kind": "Project", "metadata": {"name": name}, "spec": {"description": description},
    }))
}

/// An object that comes with the daemon, marked so.
fn declared(manifest: &serde_json::Value) -> Resource {
    let mut resource = crate::manifest::resource(manifest).expect("what is written here is sound");
    crate::seeded::mark(&mut resource);
    resource
}

/// Whether that is the project that the texts live in, which cannot go.
#[must_use]
pub fn is_home(object: &ObjectRef) -> bool {
    object.kind == Kind::Project && object.scope == Scope::Cluster && object.name.as_str() == PROJECT
}

/// How an object that cannot go comes with the daemon; nothing for any other.
#[must_use]
pub fn default_of(object: &ObjectRef) -> Option<Resource> {
    if is_home(object) {
        return Some(home());
    }
    Text::of(object).map(Text::default_prompt)
}

/// What is wrong with an object that is to be one of the texts; nothing for any other.
#[must_use]
pub fn check(object: &ObjectRef, spec: &dyn AnySpec) -> Vec<FieldProblem> {
    let (Some(text), Some(prompt)) = (Text::of(object), downcast::<Prompt>(spec)) else {
        return Vec::new();
    };
    let path = |field: &str| FieldPath::root().key("spec").key(field);
    if prompt.link.is_some() {
        let problem = FieldProblem::new(
            Code::InvalidValue,
            path("link"),
            "the daemon speaks this text itself, and reads it nowhere",
        );
        return vec![problem.hint("write it into `content`").at_key()];
    }
    let wording = prompt.content.as_deref().unwrap_or_default();
    let places: BTreeSet<&str> = places(wording).collect();
    let known = || text.required().iter().chain(text.optional()).copied();
    let all: Vec<String> = known().map(|place| format!("{{{{{place}}}}}")).collect();
    let missing = text
        .required()
        .iter()
        .filter(|place| !places.contains(*place))
        .map(|place| {
            let message = format!("the text needs the place {{{{{place}}}}}, which the daemon fills in");
            let hint = format!("places that it may have: {}", all.join(", "));
            FieldProblem::new(Code::InvalidValue, path("content"), message).hint(hint)
        });
    let unknown = places.iter().filter(|place| !text.knows(place)).map(|place| {
        let message = format!("nobody fills in the place {{{{{place}}}}}");
        let hint = match near_miss(place, known()) {
            Some(near) => format!(
                "did you mean {{{{{near}}}}}? places that it may have: {}",
                all.join(", ")
            ),
            None => format!("places that it may have: {}", all.join(", ")),
        };
        FieldProblem::new(Code::InvalidValue, path("content"), message).hint(hint)
    });
    missing.chain(unknown).collect()
}

/// A wording with its places filled in, in one go: what is filled in has no places. One that has no value stays as it is.
#[must_use]
pub fn fill(wording: &str, values: &[(&str, &str)]) -> String {
    let mut filled = String::with_capacity(wording.len());
    let mut rest = wording;
    while let Some((before, place, after)) = next_place(rest) {
        filled.push_str(before);
        match values.iter().find(|(name, _)| *name == place) {
            Some((_, value)) => filled.push_str(value),
            None => {
                filled.push_str("{{");
                filled.push_str(place);
                filled.push_str("}}");
            }
        }
        rest = after;
    }
    filled.push_str(rest);
    filled
}

/// The names of the places of a wording.
fn places(wording: &str) -> impl Iterator<Item = &str> {
    let mut rest = wording;
    std::iter::from_fn(move || {
        let (_, place, after) = next_place(rest)?;
        rest = after;
        Some(place)
    })
}

/// What stands before the next place, its name, and what stands behind it. Braces around anything but a word are text.
fn next_place(text: &str) -> Option<(&str, &str, &str)> {
    let mut from = 0;
    while let Some(at) = text[from..].find("{{").map(|at| from + at) {
        let inner = &text[at + 2..];
        let length = inner.bytes().take_while(u8::is_ascii_alphanumeric).count();
        if length > 0 && inner[length..].starts_with("}}") {
            return Some((&text[..at], &inner[..length], &inner[length + 2..]));
        }
        from = at + 1;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn places_are_filled_in_once() {
        let values = [("a", "1"), ("b", "{{a}}"), ("next", "2")];
        for (wording, filled) in [
            ("", ""),
            ("no places", "no places"),
            ("{{a}}-{{b}}", "1-{{a}}"),
            ("{{c}} {{ a }} {{}} {{{a}}}", "{{c}} {{ a }} {{}} {1}"),
            ("{\"page\": {{next}}}", "{\"page\": 2}"),
            ("{{a", "{{a"),
            ("é{{a}}é", "é1é"),
        ] {
            assert_eq!(fill(wording, &values), filled, "{wording}");
        }
    }

    #[test]
    fn what_is_written_here_does_its_work() {
        assert_eq!(objects().len(), 2 + Text::ALL.len());
        for text in Text::ALL {
            assert!(text.accepts(text.wording()), "{text:?}");
            let prompt = text.default_prompt();
            assert_eq!(Text::of(&prompt.reference()), Some(text));
            assert_eq!(check(&prompt.reference(), prompt.spec.as_ref()), vec![], "{text:?}");
        }
    }

    #[test]
    fn a_wording_keeps_its_places() {
        let prompt = |project: Option<&str>, name: &str, spec: serde_json::Value| {
            let mut manifest =
                json!({"apiVersion": API_VERSION, "kind": "Prompt", "metadata": {"name": name}, "spec": spec});
            if let Some(project) = project {
                manifest["metadata"]["project"] = json!(project);
            }
            crate::manifest::resource(&manifest).map(drop).map_err(|problems| {
                let told: Vec<_> = problems.iter().map(|one| one.message.clone()).collect();
                told.join("; ")
            })
        };
        let ours = Some(PROJECT);
        for (project, name, spec, expected) in [
            (ours, "gate-refusal", json!({"content": "Call {{tool}}."}), Ok(())),
            (
                ours,
                "gate-refusal",
                json!({"content": "Begin."}),
                Err("needs the place {{tool}}"),
            ),
            (
                ours,
                "gate-refusal",
                json!({"content": "{{tool}} {{tol}}"}),
                Err("nobody fills in the place {{tol}}"),
            ),
            (
                ours,
                "page-footer",
                json!({"content": "{{page}}/{{pageCount}} {{tool}} {{id}}"}),
                Err("needs the place {{next}}"),
            ),
            (
                ours,
                "gate-refusal",
                json!({"link": "web/files:file:///x"}),
                Err("reads it nowhere"),
            ),
            (ours, "another", json!({"content": "{{whatever}}"}), Ok(())),
            (Some("web"), "gate-refusal", json!({"content": "Begin."}), Ok(())),
            (None, "gate-refusal", json!({"content": "Begin."}), Ok(())),
        ] {
            let told = prompt(project, name, spec.clone());
            match (&told, expected) {
                (Ok(()), Ok(())) => {}
                (Err(told), Err(expected)) if told.contains(expected) => {}
                (told, expected) => panic!("{name} {spec}: {told:?}, not {expected:?}"),
            }
        }
    }
}

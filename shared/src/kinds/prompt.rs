//! Prompt: a text that is given to models, on its own or with a project or an agent.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::kind::{Action, Cell, Column, Kind, Maker, Meta, Reference, Removal, Report, ScopeType, Spec};
use crate::name::Name;
use crate::resource::PlainStatus;

/// A text for models. It belongs to a project or an agent when `metadata` says so, to everybody otherwise.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Prompt {
    /// The text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content: Option<String>,
    /// Its rank among others; higher comes first. Default: 50.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(max = 100))]
    pub priority: Option<u32>,
    /// What it says, in a sentence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub summary: Option<String>,
    /// The headings of its parts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chapters: Option<Vec<String>>,
    /// Words by which it is found.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tags: Option<Vec<String>>,
    /// A server's resource whose text stands for the content: `<project>/<server>:<uri>`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
}

impl Spec for Prompt {
    type Status = PlainStatus;

    const META: Meta = Meta {
        singular: "prompt",
        plural: "prompts",
        short: &[],
        scopes: &[ScopeType::Cluster, ScopeType::Project, ScopeType::Agent],
        maker: Maker::User,
        columns: &[
            Column::new("PRI", Cell::Field("spec.priority")),
            Column::new("LINK", Cell::Field("spec.link")),
            Column::new("STATUS", Cell::Field("status.phase")),
            Column::wide("SUMMARY", Cell::Field("spec.summary")),
            Column::wide("SET", Cell::Field("status.applySet")),
            Column::new("", Cell::Trouble),
        ],
        actions: &[Action::Rollback],
        removal: Removal::AtOnce,
        name_max: Name::MAX,
        refers_to: &[Kind::Project, Kind::Agent, Kind::Server],
    };

    fn validate(&self, report: &mut Report) {
        if self.content.is_none() && self.link.is_none() {
            report.missing("", "a prompt has `content`, a `link`, or both");
        }
        if let Some(link) = &self.link
            && parse_link(link).is_none()
        {
            report
                .invalid("link", format!("`{link}` is not a link"))
                .hint("write <project>/<server>:<uri>, such as web/files:file:///README.md");
        }
    }

    fn references(&self) -> Vec<Reference> {
        let Some((project, server, _)) = self.link.as_deref().and_then(parse_link) else {
            return Vec::new();
        };
        vec![
            Reference::to(Kind::Project, &project, "link"),
            Reference::to(Kind::Server, &server, "link"),
        ]
    }

    fn effective(&self) -> Self {
        Self {
            priority: Some(self.priority.unwrap_or(50)),
            ..self.clone()
        }
    }
}

impl Prompt {
    /// The server and the URI of the resource whose text stands for the content.
    #[must_use]
    pub fn linked(&self) -> Option<(Name, &str)> {
        let (_, server, uri) = self.link.as_deref().and_then(parse_link)?;
        Some((server, uri))
    }
}

/// Project, server and URI of a link.
fn parse_link(link: &str) -> Option<(Name, Name, &str)> {
    let (place, uri) = link.split_once(':')?;
    let (project, server) = place.split_once('/')?;
    (!uri.is_empty()).then_some((project.parse().ok()?, server.parse().ok()?, uri))
}

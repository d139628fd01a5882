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
    /// Its rank among others, 1 to 100; higher comes first, and 100 is for everybody who begins a session. Default: 50.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 100))]
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
        let Some(link) = self.linked() else {
            return Vec::new();
        };
        vec![
            Reference::to(Kind::Project, &link.project, "link"),
            Reference::to(Kind::Server, &link.server, "link"),
        ]
    }

    fn effective(&self) -> Self {
        Self {
            priority: Some(self.rank()),
            ..self.clone()
        }
    }
}

/// The rank of a prompt that names none.
const PRIORITY: u32 = 50;

/// Where a prompt's text is: a resource of a server, as a project offers it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link<'p> {
    /// The project.
    pub project: Name,
    /// The server, one of the project's.
    pub server: Name,
    /// What the server calls the resource.
    pub uri: &'p str,
}

impl Prompt {
    /// The resource whose text stands for the content, or behind it.
    #[must_use]
    pub fn linked(&self) -> Option<Link<'_>> {
        parse_link(self.link.as_deref()?)
    }

    /// Its rank among others, 1 to 100.
    #[must_use]
    pub fn rank(&self) -> u32 {
        self.priority.unwrap_or(PRIORITY)
    }
}

/// Reads `<project>/<server>:<uri>`.
fn parse_link(link: &str) -> Option<Link<'_>> {
    let (place, uri) = link.split_once(':')?;
    let (project, server) = place.split_once('/')?;
    let uri = Some(uri).filter(|uri| !uri.is_empty())?;
    Some(Link {
        project: project.parse().ok()?,
        server: server.parse().ok()?,
        uri,
    })
}

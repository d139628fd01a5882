//! PromptRequest: a prompt that somebody proposes in a session, until somebody else decides about it.
//!
//! To propose is one right, to publish another: what is proposed is shown to nobody but its session before it is approved.
//! The daemon makes these objects, for the tool `propose_prompt`; people approve, reject and delete them. The reconciler has
//! no part in them: a decision and what comes of it are one write.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::kind::{Action, Cell, Column, Kind, Maker, Meta, Removal, ScopeType, Spec};
use crate::kinds::prompt::Prompt;
use crate::name::Name;
use crate::resource::Timestamp;

/// A proposed Prompt that waits for approval.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct PromptRequest {
    /// What the Prompt is to be called.
    pub prompt: Name,
    /// The text.
    pub content: String,
    /// What it says, in a sentence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub summary: Option<String>,
    /// Words by which it is found.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tags: Option<Vec<String>>,
    /// Its rank among others, 1 to 100; higher comes first. Default: 50.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 100))]
    pub priority: Option<u32>,
}

/// What became of a proposal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub enum Verdict {
    /// Nobody has decided yet.
    #[default]
    Pending,
    /// There is a Prompt of it.
    Approved,
    /// There is to be none.
    Rejected,
}

/// Who proposed it, and what became of it.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PromptRequestStatus {
    /// What became of it.
    #[serde(default)]
    pub phase: Verdict,
    /// Who proposed it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub proposed_by: String,
    /// The session that it was proposed in: the SHA-256 of its id.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub session: String,
    /// Who decided about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decided_by: Option<String>,
    /// When.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decided_at: Option<Timestamp>,
    /// Why it was rejected, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

impl Spec for PromptRequest {
    type Status = PromptRequestStatus;

    const META: Meta = Meta {
        singular: "promptrequest",
        plural: "promptrequests",
        short: &["pr"],
        scopes: &[ScopeType::Project],
        maker: Maker::Daemon,
        columns: &[
            Column::new("PROMPT", Cell::Field("spec.prompt")),
            Column::new("PRI", Cell::Field("spec.priority")),
            Column::new("STATUS", Cell::Field("status.phase")),
            Column::new("BY", Cell::Field("status.proposedBy")),
            Column::new("SUMMARY", Cell::Field("spec.summary")),
            Column::wide("DECIDED BY", Cell::Field("status.decidedBy")),
            Column::wide("REASON", Cell::Field("status.reason")),
        ],
        actions: &[Action::Approve, Action::Reject],
        removal: Removal::AtOnce,
        name_max: Name::MAX,
        refers_to: &[Kind::Project],
    };

    fn effective(&self) -> Self {
        Self {
            priority: Some(self.proposed().rank()),
            ..self.clone()
        }
    }
}

impl PromptRequest {
    /// The Prompt that comes of it when it is approved.
    #[must_use]
    pub fn proposed(&self) -> Prompt {
        Prompt {
            content: Some(self.content.clone()),
            summary: self.summary.clone(),
            tags: self.tags.clone(),
            priority: self.priority,
            ..Prompt::default()
        }
    }
}

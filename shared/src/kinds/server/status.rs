//! What the daemon tells of a Server.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Server;
use crate::name::Name;
use crate::resource::{Condition, Phase, Timestamp};

/// What the reconciler reports of a Server.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ServerStatus {
    /// How far the server is from what is declared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phase: Option<Phase>,
    /// How many copies there are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replicas: Option<ReplicaCount>,
    /// What is run, in a line: `npm @acme/files 1.2.0`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// The version the package was resolved to, for the generation that is running.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resolved: Option<ResolvedPackage>,
    /// What the template resolved to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub template: Option<ResolvedTemplate>,
    /// The tools the server offers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tools: Option<ToolSurface>,
    /// Restarts of the copies that exist now, summed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub restarts: Option<u32>,
    /// Since when nothing runs because nobody used it; present until it has woken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suspended_since: Option<Timestamp>,
    /// When it was last meant to run for a reason other than use: it was changed, or has woken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub awake_since: Option<Timestamp>,
    /// The last two generations whose copies were all ready, the newer one first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ready_generations: Vec<i64>,
    /// The generation this status is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// Ready, Available, Progressing, ReferencesResolved, Healthy, Implemented.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub conditions: Vec<Condition>,
}

impl ServerStatus {
    /// The newest generation before that one whose copies were all ready: what to go back to.
    #[must_use]
    pub fn ready_before(&self, generation: i64) -> Option<i64> {
        let mut ready = self.ready_generations.iter().copied();
        ready.find(|ready| *ready < generation)
    }

    /// Notes that the copies of a generation are all ready.
    pub fn note_ready(&mut self, generation: i64) {
        self.ready_generations.retain(|ready| *ready != generation);
        self.ready_generations.insert(0, generation);
        self.ready_generations.truncate(2);
    }
}

/// How many copies there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ReplicaCount {
    /// How many there should be.
    pub desired: u32,
    /// How many answer.
    pub running: u32,
    /// How many answer, are well, and run the current generation.
    pub ready: u32,
}

/// The version a package was resolved to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ResolvedPackage {
    /// The package's name.
    pub name: String,
    /// Its exact version.
    pub version: String,
    /// The generation of the Server for which it was resolved.
    pub generation: i64,
}

/// What a template resolved to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ResolvedTemplate {
    /// The Template's name.
    pub name: Name,
    /// Its generation at that time.
    pub generation: i64,
    /// The Server spec that came of it.
    pub server: Box<Server>,
}

/// The tools a server offers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ToolSurface {
    /// How many.
    pub count: u32,
    /// SHA-256 over the canonical list; changes when any tool does.
    pub digest: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_generation_that_was_ready_is_what_to_go_back_to() {
        let mut status = ServerStatus::default();
        assert_eq!(status.ready_before(1), None);
        for (ready, then) in [(2, None), (3, Some(2)), (3, Some(2)), (7, Some(3))] {
            status.note_ready(ready);
            assert_eq!(status.ready_before(ready), then);
            assert_eq!(status.ready_before(ready + 2), Some(ready));
        }
        assert_eq!(status.ready_generations, [7, 3]);
    }
}

//! What an engine says of the container of a copy. Values of its environment are not part of it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::resource::Timestamp;

/// The container of a copy, as its engine describes it.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ContainerStatus {
    /// The engine's id of it.
    pub id: String,
    /// Its name there.
    pub name: String,
    /// The image it was asked for.
    pub image: String,
    /// The digest that the image has in its registry, or the engine's id of an image that comes from no registry.
    pub digest: String,
    /// How the server is reached: `attach` and `exec` speak over standard input and output; else its URL.
    pub reached: String,
    /// What it may reach.
    pub network: String,
    /// Its address in that network.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// The limits that the engine holds, such as `memory 512Mi, cpu 500m, 64 processes`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limits: Option<String>,
    /// The user it runs as, where it is not root.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// What it sees of the outside: `source -> target`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub volumes: Vec<String>,
    /// The names of the variables in its environment.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub environment: Vec<String>,
    /// What it may do, in a line: `read-only root, no capabilities, no new privileges`.
    pub security: String,
    /// When it was started.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_at: Option<Timestamp>,
    /// Whether the kernel has ended it, or a process in it, for want of memory.
    pub oom_killed: bool,
    /// How often the engine itself has started it again.
    pub engine_restarts: u32,
}

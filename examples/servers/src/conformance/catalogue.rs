//! What the suite fixes, as data: tools, prompts, resources, their answers, and the questions that some of them ask.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use rmcp::model::{CallToolResult, ErrorData, InputRequests, Prompt, PromptMessage, Resource, ResourceTemplate, Tool};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// The catalogue.
pub(crate) static CATALOGUE: LazyLock<Catalogue> =
    LazyLock::new(|| serde_json::from_str(include_str!("catalogue.json")).expect("the catalogue is what it says"));

/// What the suite fixes.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Catalogue {
    pub(crate) tools: Vec<Tool>,
    pub(crate) prompts: Vec<Prompt>,
    pub(crate) resources: Vec<Resource>,
    pub(crate) templates: Vec<ResourceTemplate>,
    pub(crate) added_tool: Tool,
    pub(crate) added_prompt: Prompt,
    /// Tools that always answer the same.
    pub(crate) results: BTreeMap<String, CallToolResult>,
    /// Prompts that always say the same.
    pub(crate) messages: BTreeMap<String, Vec<PromptMessage>>,
    /// Resources that always hold the same; without the URI.
    pub(crate) contents: BTreeMap<String, Value>,
    /// What tools and prompts ask the client, round by round.
    pub(crate) questions: BTreeMap<String, Vec<InputRequests>>,
}

/// A value of the protocol from its JSON form.
pub(crate) fn wire<T: DeserializeOwned>(value: Value) -> Result<T, ErrorData> {
    serde_json::from_value(value).map_err(|error| ErrorData::internal_error(error.to_string(), None))
}

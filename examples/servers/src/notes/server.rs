//! The tools of the notebook.

use std::sync::{Mutex, PoisonError};

use rmcp::model::{
    CallToolRequestParams, CallToolResponse, CallToolResult, ContentBlock, Implementation, ListToolsResult,
    PaginatedRequestParams, ServerCapabilities, ServerConfig, Tool, ToolAnnotations,
};
use rmcp::service::RequestContext;
use rmcp::{ErrorData, RoleServer, ServerHandler};
use serde_json::{Map, Value, json};

use crate::notebook::{NoteError, Notebook};

/// Offers a notebook to whoever speaks MCP.
#[derive(Debug)]
pub(crate) struct NotesServer {
    notebook: Mutex<Notebook>,
}

impl NotesServer {
    pub(crate) fn new(notebook: Notebook) -> Self {
        Self {
            notebook: Mutex::new(notebook),
        }
    }

    fn call(&self, tool: &str, arguments: &Map<String, Value>) -> Result<String, CallError> {
        let text = |name: &'static str| {
            arguments
                .get(name)
                .and_then(Value::as_str)
                .ok_or(CallError::Missing(name))
        };
        let mut notebook = self.notebook.lock().unwrap_or_else(PoisonError::into_inner);
        let answer = match tool {
            "add_note" => match notebook.add(text("title")?, text("text")?)? {
                true => "replaced".to_owned(),
                false => "added".to_owned(),
            },
            "read_note" => notebook.read(text("title")?)?.to_owned(),
            "list_notes" => notebook.titles().join("\n"),
            "search_notes" => notebook.search(text("query")?).join("\n"),
            "delete_note" => {
                notebook.remove(text("title")?)?;
                "deleted".to_owned()
            }
            _ => return Err(CallError::Unknown),
        };
        Ok(answer)
    }
}

/// Why a call has no answer.
enum CallError {
    /// There is no such tool.
    Unknown,
    /// An argument is missing, or is no text.
    Missing(&'static str),
    /// The notebook says no.
    Note(NoteError),
}

impl From<NoteError> for CallError {
    fn from(error: NoteError) -> Self {
        Self::Note(error)
    }
}

impl ServerHandler for NotesServer {
    fn get_info(&self) -> ServerConfig {
        ServerConfig::new(ServerCapabilities::builder().enable_tools().build())
            .with_server_info(Implementation::new("orch-notes", env!("CARGO_PKG_VERSION")))
            .with_instructions("Keeps short notes. Search before you add.")
    }

    async fn list_tools(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        Ok(ListToolsResult::with_all_items(tools()))
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        _: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let arguments = request.arguments.unwrap_or_default();
        match self.call(&request.name, &arguments) {
            Ok(answer) => Ok(CallToolResult::success(vec![ContentBlock::text(answer)]).into()),
            Err(CallError::Note(error)) => {
                Ok(CallToolResult::error(vec![ContentBlock::text(error.to_string())]).into())
            }
            Err(CallError::Missing(name)) => Err(ErrorData::invalid_params(format!("`{name}` must be a text"), None)),
            Err(CallError::Unknown) => Err(ErrorData::invalid_params(
                format!("there is no tool `{}`", request.name),
                None,
            )),
        }
    }
}

/// Which tools there are.
fn tools() -> Vec<Tool> {
    let reads = || ToolAnnotations::new().read_only(true);
    let title = ("title", "The note's title");
    vec![
        tool(
            "add_note",
            "Keep a note. A note of the same title is replaced.",
            &[title, ("text", "The note itself")],
        )
        .with_annotations(ToolAnnotations::new().destructive(false)),
        tool("read_note", "Read a note.", &[title]).with_annotations(reads()),
        tool("list_notes", "List the titles of all notes, one per line.", &[]).with_annotations(reads()),
        tool(
            "search_notes",
            "List the titles of notes that hold all words of a query.",
            &[("query", "The words")],
        )
        .with_annotations(reads()),
        tool("delete_note", "Throw a note away.", &[title]).with_annotations(ToolAnnotations::new().destructive(true)),
    ]
}

/// A tool whose arguments are texts, all of them required.
fn tool(name: &'static str, description: &'static str, arguments: &[(&str, &str)]) -> Tool {
    let properties: Map<String, Value> = arguments
        .iter()
        .map(|(name, meaning)| ((*name).to_owned(), json!({"type": "string", "description": meaning})))
        .collect();
    let required: Vec<_> = arguments.iter().map(|(name, _)| *name).collect();
    let mut schema = Map::new();
    schema.insert("type".to_owned(), "object".into());
    schema.insert("properties".to_owned(), properties.into());
    schema.insert("required".to_owned(), required.into());
    Tool::new(name, description, schema)
}

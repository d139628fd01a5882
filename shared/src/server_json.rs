//! `server.json`, in which the MCP registry describes a server, to a Template.
//!
//! Enters: the document (schema 2025-09-29 and later, or what the registry's API answers) and which of its packages or
//! remotes is meant. Leaves: an [`Import`], or everything that a Template cannot say. Nothing is left out in silence: what
//! does not matter here is told in [`Import::notes`].

mod document;
mod inputs;
mod offers;

use serde_json::Value;

use crate::kinds::Kind;
use crate::kinds::template::Template;
use crate::path::FieldPath;
use crate::problem::{Code, FieldProblem};
use document::Document;
use inputs::Inputs;

pub use offers::{Choice, Way};

/// What became of a `server.json`.
#[derive(Debug, Clone, PartialEq)]
pub struct Import {
    /// The Template.
    pub template: Template,
    /// What the Template does not say and nobody will miss, in sentences.
    pub notes: Vec<String>,
}

/// Makes a Template of a document.
///
/// # Errors
/// What cannot be said in a Template, or that nothing says which package is meant. Paths are within the document.
pub fn import(document: &Value, choice: Option<&Choice>) -> Result<Import, Vec<FieldProblem>> {
    // The registry's API answers with the document in an envelope.
    let (document, root) = match document.get("server") {
        Some(inner) if document.get("name").is_none() => (inner, FieldPath::root().key("server")),
        Some(_) | None => (document, FieldPath::root()),
    };
    let read: Document = serde_json::from_value(document.clone()).map_err(|error| {
        let problem = FieldProblem::new(
            Code::InvalidValue,
            root.clone(),
            format!("this is no server.json: {error}"),
        );
        vec![problem.hint("its form: https://static.modelcontextprotocol.io/schemas/2025-12-11/server.schema.json")]
    })?;
    let offer = offers::chosen(&read, choice, &root).map_err(|problem| vec![problem])?;
    let mut inputs = Inputs::default();
    let server = offer.server(&mut inputs, &root);
    let (parameters, problems, notes) = inputs.finish();
    if !problems.is_empty() {
        return Err(problems);
    }
    let template = Template {
        description: read.description.or(read.title),
        parameters: (!parameters.is_empty()).then_some(parameters),
        server: Box::new(server),
    };
    // A document may say what no Server can be: a package name with blanks, a URL without a scheme.
    let spec = serde_json::to_value(&template).expect("a spec is plain data");
    match Kind::Template.definition().parse(&spec) {
        Ok(_) => Ok(Import { template, notes }),
        Err(problems) => Err(problems),
    }
}

#[cfg(test)]
mod tests;

//! The addresses at which models are asked. Bodies and answers are those of the API references of OpenAI and of Anthropic; what
//! the door itself reads of them is told here.

use serde_json::{Map, Value, json};

use super::{in_path, operation};

pub(super) fn describe(paths: &mut Map<String, Value>) {
    let asked = json!({
        "type": "object",
        "required": ["model"],
        "properties": {
            "model": {"type": "string", "description": "The name of an Llm."},
            "stream": {"type": "boolean", "description": "Whether the answer comes bit by bit, as server-sent events."},
        },
        "additionalProperties": true,
    });
    for (path, summary) in [
        (
            "/v1/chat/completions",
            "Ask a model, in the words of OpenAI's chat completions",
        ),
        ("/v1/responses", "Ask a model, in the words of OpenAI's Responses"),
        ("/v1/embeddings", "Ask a model for embeddings, in OpenAI's words"),
        ("/v1/messages", "Ask a model, in the words of Anthropic's Messages"),
        (
            "/v1/messages/count_tokens",
            "How many tokens a request in the words of Anthropic's Messages has, roughly",
        ),
    ] {
        paths.insert(
            path.into(),
            json!({"post": told(operation(summary, vec![], Some(asked.clone()), answer()))}),
        );
    }
    let named = json!({"type": "object", "additionalProperties": true});
    let name = in_path("name", "Its name.");
    let infer = operation(
        "Ask this model, in the words of OpenAI's chat completions",
        vec![name.clone()],
        Some(named),
        answer(),
    );
    paths.insert("/api/v1/llms/{name}/infer".into(), json!({"post": told(infer)}));
    let list = operation("The models that you may ask", vec![], None, answer());
    paths.insert("/v1/models".into(), json!({"get": told(list)}));
    let one = operation("A model that you may ask", vec![name], None, answer());
    paths.insert("/v1/models/{name}".into(), json!({"get": told(one)}));
}

fn answer() -> Option<(&'static str, Value)> {
    Some(("200", json!({"type": "object", "additionalProperties": true})))
}

/// Errors are in the words of whoever's clients ask there.
fn told(mut operation: Value) -> Value {
    let error = json!({
        "type": "object",
        "required": ["error"],
        "properties": {
            "error": {
                "type": "object",
                "required": ["type", "message"],
                "properties": {"type": {"type": "string"}, "message": {"type": "string"}},
                "additionalProperties": true,
            },
        },
        "additionalProperties": true,
    });
    operation["responses"]["default"] = json!({
        "description": "An error, as OpenAI's or Anthropic's clients understand it.",
        "content": {"application/json": {"schema": error}},
    });
    operation
}

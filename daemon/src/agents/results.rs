//! Results of tools as a model is told them: text, and not without end. Pure.

use orch_shared::chat::CallState;
use serde_json::Value;

/// The longest result that a model is told, in bytes.
pub(super) const LONGEST: usize = 64 << 10;

/// What a model is told of a call that was under way when the daemon ended.
pub(super) const UNKNOWN: &str = "[The call was interrupted. It is not known whether it took effect; it was not made again. Find out before you repeat it.]";
/// What it is told of one that was under way when the turn was cancelled.
pub(super) const CANCELLED: &str = "[The call was cancelled. It is not known whether it took effect.]";
/// What it is told of one that was not made.
pub(super) const NOT_MADE: &str = "[The call was not made: the turn had ended.]";

/// A result, told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Told {
    pub(super) state: CallState,
    pub(super) text: String,
    /// How many bytes were left out.
    pub(super) left_out: Option<i64>,
}

impl Told {
    /// A call that has failed: why, in a sentence.
    pub(super) fn failed(why: impl Into<String>) -> Self {
        bounded(CallState::Error, why.into())
    }

    /// What an agent has said.
    pub(super) fn said(text: String) -> Self {
        bounded(CallState::Complete, text)
    }
}

/// A result of MCP's `tools/call`, told.
pub(super) fn told(result: &Value) -> Told {
    let parts = result["content"].as_array().into_iter().flatten().map(part);
    let mut text = parts.collect::<Vec<_>>().join("\n");
    if text.is_empty()
        && let Some(structured) = result.get("structuredContent")
    {
        text = structured.to_string();
    }
    let state = match result["isError"] == true {
        true => CallState::Error,
        false => CallState::Complete,
    };
    bounded(state, text)
}

/// One part of a result. What is no text is named, with its size.
fn part(content: &Value) -> String {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let size = |data: &Value| data.as_str().map_or(0, |data| data.len() / 4 * 3);
    let media = content["mimeType"].as_str().unwrap_or("unknown type");
    match content["type"].as_str().unwrap_or_default() {
        "text" => text(&content["text"]).unwrap_or_default(),
        kind @ ("image" | "audio") => format!("[{kind}, {media}, {} bytes: not shown]", size(&content["data"])),
        "resource" => {
            let resource = &content["resource"];
            let uri = resource["uri"].as_str().unwrap_or_default();
            match text(&resource["text"]) {
                Some(text) => format!("[{uri}]\n{text}"),
                None => format!("[{uri}, {} bytes: not shown]", size(&resource["blob"])),
            }
        }
        "resource_link" => format!("[{}]", content["uri"].as_str().unwrap_or_default()),
        _ => content.to_string(),
    }
}

/// A text that is not too long; what is left out is said.
fn bounded(state: CallState, text: String) -> Told {
    if text.len() <= LONGEST {
        let left_out = None;
        return Told { state, text, left_out };
    }
    let kept = text.floor_char_boundary(LONGEST);
    let left_out = text.len() - kept;
    let whole = text.len();
    Told {
        state,
        text: format!(
            "{}\n[{left_out} of {whole} bytes of the result were left out]",
            &text[..kept]
        ),
        left_out: Some(i64::try_from(left_out).unwrap_or(i64::MAX)),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn results_are_told_in_words() {
        for (result, state, text) in [
            (
                json!({"content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]}),
                CallState::Complete,
                "a\nb",
            ),
            (
                json!({"content": [{"type": "text", "text": "no"}], "isError": true}),
                CallState::Error,
                "no",
            ),
            (
                json!({"content": [], "structuredContent": {"n": 1}}),
                CallState::Complete,
                "{\"n\":1}",
            ),
            (
                json!({"content": [{"type": "image", "mimeType": "image/png", "data": "AAAAAAAA"}]}),
                CallState::Complete,
                "[image, image/png, 6 bytes: not shown]",
            ),
            (
                json!({"content": [{"type": "resource", "resource": {"uri": "file:///a", "text": "x"}}]}),
                CallState::Complete,
                "[file:///a]\nx",
            ),
            (
                json!({"content": [{"type": "resource_link", "uri": "file:///a"}]}),
                CallState::Complete,
                "[file:///a]",
            ),
            (json!({}), CallState::Complete, ""),
            (json!("odd"), CallState::Complete, ""),
        ] {
            let told = told(&result);
            assert_eq!(
                (told.state, told.text.as_str(), told.left_out),
                (state, text, None),
                "{result}"
            );
        }
    }

    #[test]
    fn what_is_left_out_is_said() {
        let long = "é".repeat(LONGEST);
        let told = told(&json!({"content": [{"type": "text", "text": long}]}));
        let left_out = told.left_out.expect("something is left out");
        assert_eq!(usize::try_from(left_out).unwrap(), LONGEST);
        let mark = format!("\n[{left_out} of {} bytes of the result were left out]", 2 * LONGEST);
        assert!(told.text.ends_with(&mark) && told.text.len() < LONGEST + 100);
    }
}

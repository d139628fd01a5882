//! What a model thought before it spoke, in all the spellings there are.

use serde_json::Value;

/// What stands at the end of a text that was cut off by the limit of its length.
pub const TRUNCATED: &str = "[response truncated by max_tokens]";

/// What stands before reasoning where it is told in place of an answer.
pub const MARK: &str = "[reasoning]";

/// The reasoning in a message or in a delta of one, of any dialect: `reasoning_content` (DeepSeek, vLLM and many more),
/// `reasoning` (OpenRouter, Ollama), the same two in `provider_specific_fields`, a delta's `thinking`, or the `thinking`
/// blocks of Anthropic's content. The first that says something counts, since proxies repeat one under several names.
#[must_use]
pub fn of(message: &Value) -> Option<String> {
    let specific = &message["provider_specific_fields"];
    let spellings = [
        &message["reasoning_content"],
        &message["reasoning"],
        &specific["reasoning_content"],
        &specific["reasoning"],
        &message["thinking"],
    ];
    let said = spellings.into_iter().filter_map(Value::as_str);
    said.map(str::to_owned).find(|text| !text.is_empty()).or_else(|| {
        let blocks = message["content"].as_array()?.iter();
        let thoughts: String = blocks
            .filter(|block| block["type"] == "thinking")
            .filter_map(|block| block["thinking"].as_str())
            .collect();
        Some(thoughts).filter(|thoughts| !thoughts.is_empty())
    })
}

/// The text to show of an answer: what it says, or what it thought, marked as that, when it says nothing. Where the limit
/// of its length cut it off (`length`, or Anthropic's `max_tokens`), it says so.
#[must_use]
pub fn assistant_text(message: &Value, finish_reason: Option<&str>) -> String {
    let said = super::fields::plain_text(&message["content"], &["text", "output_text"]).unwrap_or_default();
    let mut text = if said.trim().is_empty() {
        of(message).map_or(String::new(), |thoughts| format!("{MARK} {thoughts}"))
    } else {
        said
    };
    if matches!(finish_reason, Some("length" | "max_tokens")) {
        if !text.is_empty() {
            text.push('\n');
        }
        text.push_str(TRUNCATED);
    }
    text
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_spelling_is_read() {
        for (message, thoughts) in [
            (json!({"reasoning_content": "a", "reasoning": "b"}), Some("a")),
            (json!({"reasoning_content": "", "reasoning": "b"}), Some("b")),
            (json!({"reasoning_content": null, "reasoning": {"x": 1}}), None),
            (
                json!({"provider_specific_fields": {"reasoning_content": "a"}}),
                Some("a"),
            ),
            (json!({"provider_specific_fields": {"reasoning": "a"}}), Some("a")),
            (json!({"type": "thinking_delta", "thinking": "a"}), Some("a")),
            (
                json!({"content": [{"type": "thinking", "thinking": "a"}, {"type": "text", "text": "b"},
                    {"type": "thinking", "thinking": "c"}]}),
                Some("ac"),
            ),
            (json!({"content": "a"}), None),
            (json!([]), None),
            (json!(7), None),
        ] {
            assert_eq!(of(&message).as_deref(), thoughts, "{message}");
        }
    }

    #[test]
    fn something_is_shown() {
        for (message, finish, text) in [
            (json!({"content": "a", "reasoning": "b"}), Some("stop"), "a"),
            (
                json!({"content": null, "reasoning": "b"}),
                Some("stop"),
                "[reasoning] b",
            ),
            (json!({"content": " \n", "reasoning": "b"}), None, "[reasoning] b"),
            (
                json!({"content": "a"}),
                Some("length"),
                "a\n[response truncated by max_tokens]",
            ),
            (
                json!({"content": "", "reasoning_content": "b"}),
                Some("length"),
                "[reasoning] b\n[response truncated by max_tokens]",
            ),
            (
                json!({"content": ""}),
                Some("length"),
                "[response truncated by max_tokens]",
            ),
            (
                json!({"content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]}),
                Some("max_tokens"),
                "ab\n[response truncated by max_tokens]",
            ),
            (json!({}), None, ""),
        ] {
            assert_eq!(assistant_text(&message, finish), text, "{message}");
        }
    }
}

//! Whole answers: the same said in each dialect, and why each ended.

use orch_shared::inference::anthropic;
use orch_shared::inference::responses::{self, Echo};
use serde_json::{Value, json};

use super::{object, stamp};

#[test]
fn answers_side_by_side() {
    let usage =
        json!({"input_tokens": 5, "cache_creation_input_tokens": 1, "cache_read_input_tokens": 2, "output_tokens": 9});
    let message = json!({
        "id": "msg_1", "type": "message", "role": "assistant", "model": "m",
        "content": [{"type": "thinking", "thinking": "t", "signature": ""}, {"type": "text", "text": "a"},
            {"type": "tool_use", "id": "c", "name": "f", "input": {"x": 1}}],
        "stop_reason": "tool_use", "stop_sequence": null, "usage": usage,
    });
    let chat = json!({
        "id": "chatcmpl-1", "object": "chat.completion", "created": 1_700_000_000, "model": "m",
        "choices": [{"index": 0, "message": {"role": "assistant", "content": "a", "refusal": null, "reasoning_content": "t",
            "tool_calls": [{"id": "c", "type": "function", "function": {"name": "f", "arguments": "{\"x\":1}"}}]},
            "logprobs": null, "finish_reason": "tool_calls"}],
        "usage": {"prompt_tokens": 8, "completion_tokens": 9, "total_tokens": 17,
            "prompt_tokens_details": {"cached_tokens": 2, "cache_write_tokens": 1},
            "completion_tokens_details": {"reasoning_tokens": 0}},
    });
    assert_eq!(
        json!(anthropic::response_to_chat(&object(message.clone()), &stamp())),
        chat
    );
    assert_eq!(
        json!(anthropic::response_from_chat(&object(chat.clone()), &stamp())),
        message
    );

    let echo = Echo::of(&object(
        json!({"model": "x", "instructions": "i", "tools": [1], "temperature": null}),
    ));
    let response = responses::response_from_chat(&object(chat), &echo, &stamp());
    let expected = json!({
        "id": "resp_1", "object": "response", "created_at": 1_700_000_000, "status": "completed", "error": null,
        "incomplete_details": null, "model": "m",
        "output": [
            {"id": "rs_1_0", "type": "reasoning", "summary": [], "content": [{"type": "reasoning_text", "text": "t"}]},
            {"id": "msg_1_1", "type": "message", "status": "completed", "role": "assistant",
                "content": [{"type": "output_text", "text": "a", "annotations": [], "logprobs": []}]},
            {"id": "fc_1_2", "type": "function_call", "status": "completed", "call_id": "c", "name": "f", "arguments": "{\"x\":1}"}],
        "previous_response_id": null, "store": false, "truncation": "disabled",
        "usage": {"input_tokens": 8, "input_tokens_details": {"cached_tokens": 2, "cache_write_tokens": 1}, "output_tokens": 9,
            "output_tokens_details": {"reasoning_tokens": 0}, "total_tokens": 17},
        "instructions": "i", "max_output_tokens": null, "metadata": {}, "parallel_tool_calls": true,
        "reasoning": {"effort": null, "summary": null}, "temperature": 1.0, "text": {"format": {"type": "text"}},
        "tool_choice": "auto", "tools": [1], "top_p": 1.0, "user": null,
    });
    assert_eq!(json!(response), expected);
}

#[test]
fn ends_of_answers() {
    for (finish, stop, status, reason) in [
        ("stop", "end_turn", "completed", Value::Null),
        (
            "length",
            "max_tokens",
            "incomplete",
            json!({"reason": "max_output_tokens"}),
        ),
        (
            "content_filter",
            "refusal",
            "incomplete",
            json!({"reason": "content_filter"}),
        ),
        ("new", "end_turn", "completed", Value::Null),
    ] {
        let chat = object(json!({"choices": [{"message": {"content": "a"}, "finish_reason": finish}]}));
        assert_eq!(anthropic::response_from_chat(&chat, &stamp())["stop_reason"], stop);
        let response = responses::response_from_chat(&chat, &Echo::default(), &stamp());
        assert_eq!(
            (&response["status"], &response["incomplete_details"]),
            (&json!(status), &reason)
        );
    }
    for (stop, finish) in [
        ("end_turn", "stop"),
        ("stop_sequence", "stop"),
        ("max_tokens", "length"),
        ("model_context_window_exceeded", "length"),
        ("tool_use", "tool_calls"),
        ("refusal", "content_filter"),
        ("pause_turn", "stop"),
    ] {
        let message = object(json!({"content": [], "stop_reason": stop}));
        let chat = json!(anthropic::response_to_chat(&message, &stamp()));
        assert_eq!(chat["choices"][0]["finish_reason"], finish);
    }
    // Arguments that are no object are not lost.
    let call = json!({"function": {"name": "f", "arguments": "{oops"}});
    let chat = object(json!({"choices": [{"message": {"tool_calls": [call]}, "finish_reason": "stop"}]}));
    let message = json!(anthropic::response_from_chat(&chat, &stamp()));
    assert_eq!(message["content"][0]["input"], json!({"invalid_arguments": "{oops"}));
    assert_eq!(
        (&message["content"][0]["id"], &message["stop_reason"]),
        (&json!("call_1_0"), &json!("tool_use"))
    );
}

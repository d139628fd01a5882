//! Requests and answers in each dialect, side by side.

use orch_shared::inference::responses;
use orch_shared::inference::{Object, Refused, Translated, anthropic};
use serde_json::{Value, json};

use super::object;

fn check(translate: fn(Object) -> Result<Translated, Refused>, from: Value, to: &Value, noted: &[&str]) {
    let translated = translate(object(from.clone())).unwrap_or_else(|refused| panic!("{refused}: {from}"));
    assert_eq!(json!(translated.body), *to, "{from}");
    let fields: Vec<&str> = translated.notes.iter().map(|note| note.field.as_str()).collect();
    assert_eq!(fields, noted, "{from}");
}

fn user(content: Value) -> Value {
    json!([{"role": "user", "content": content}])
}

#[test]
fn chats_become_messages() {
    let hi = || user(json!("hi"));
    let base = |more: Value| {
        let mut body = object(json!({"model": "m", "messages": hi(), "max_tokens": 4096}));
        body.extend(object(more));
        Value::Object(body)
    };
    let tool = json!({"type": "function", "function": {"name": "f", "description": "d",
        "parameters": {"type": "object", "properties": {"a": {}}}, "strict": true}});
    let offered = json!([{"name": "f", "description": "d", "input_schema": {"type": "object", "properties": {"a": {}}},
        "strict": true}]);
    let with_tools = |more: Value| {
        let mut body = object(json!({"tools": offered}));
        body.extend(object(more));
        base(Value::Object(body))
    };
    for (chat, messages, noted) in [
        (json!({}), base(json!({})), vec![]),
        (json!({"max_tokens": 7}), base(json!({"max_tokens": 7})), vec![]),
        (
            json!({"max_tokens": 7, "max_completion_tokens": 9}),
            base(json!({"max_tokens": 9})),
            vec![],
        ),
        (
            json!({"temperature": 1.7}),
            base(json!({"temperature": 1.0})),
            vec!["temperature"],
        ),
        (
            json!({"temperature": 0.25, "top_p": 0.5, "top_k": 3}),
            base(json!({"temperature": 0.25, "top_p": 0.5, "top_k": 3})),
            vec![],
        ),
        (
            json!({"stop": "x", "stream": true, "stream_options": {}}),
            base(json!({"stop_sequences": ["x"], "stream": true})),
            vec![],
        ),
        (
            json!({"stop": ["x", "y"], "user": "u"}),
            base(json!({"stop_sequences": ["x", "y"], "metadata": {"user_id": "u"}})),
            vec![],
        ),
        (
            json!({"reasoning_effort": "high", "temperature": 0.5}),
            base(json!({"max_tokens": 4096 + 16_384, "thinking": {"type": "enabled", "budget_tokens": 16_384}})),
            vec!["temperature"],
        ),
        (
            json!({"reasoning_effort": "medium", "max_tokens": 2000}),
            base(json!({"max_tokens": 2000, "thinking": {"type": "enabled", "budget_tokens": 1999}})),
            vec![],
        ),
        (
            json!({"reasoning_effort": "low", "max_tokens": 1024}),
            base(json!({"max_tokens": 1024})),
            vec!["reasoning_effort"],
        ),
        (json!({"reasoning_effort": "none"}), base(json!({})), vec![]),
        (
            json!({"reasoning_effort": "low", "thinking": {"type": "disabled"}}),
            base(json!({"thinking": {"type": "disabled"}})),
            vec!["reasoning_effort"],
        ),
        (
            json!({"response_format": {"type": "json_schema", "json_schema": {"name": "x", "strict": true, "schema": {"type": "object"}}}}),
            base(json!({"output_config": {"format": {"type": "json_schema", "schema": {"type": "object"}}}})),
            vec![],
        ),
        (
            json!({"response_format": {"type": "json_object"}}),
            base(json!({})),
            vec!["response_format"],
        ),
        (
            json!({"response_format": {"type": "text"}, "n": 1, "seed": null}),
            base(json!({})),
            vec![],
        ),
        (
            json!({"n": 2, "seed": 7, "logit_bias": {}, "frequency_penalty": 1, "metadata": {"user_id": "u", "x": "y"}}),
            base(json!({"metadata": {"user_id": "u"}})),
            vec!["metadata", "n", "frequency_penalty", "logit_bias", "seed"],
        ),
        (
            json!({"service_tier": "default"}),
            base(json!({"service_tier": "standard_only"})),
            vec![],
        ),
        (
            json!({"service_tier": "flex", "new": {"x": 1}}),
            base(json!({"new": {"x": 1}})),
            vec!["service_tier"],
        ),
        (json!({"tools": [tool]}), with_tools(json!({})), vec![]),
        (
            json!({"tools": [tool], "tool_choice": "auto"}),
            with_tools(json!({"tool_choice": {"type": "auto"}})),
            vec![],
        ),
        (
            json!({"tools": [tool], "tool_choice": "none"}),
            with_tools(json!({"tool_choice": {"type": "none"}})),
            vec![],
        ),
        (
            json!({"tools": [tool], "tool_choice": "required", "parallel_tool_calls": false, "reasoning_effort": "low"}),
            with_tools(json!({"tool_choice": {"type": "any", "disable_parallel_tool_use": true}})),
            vec!["reasoning_effort"],
        ),
        (
            json!({"tools": [tool], "parallel_tool_calls": false}),
            with_tools(json!({"tool_choice": {"type": "auto", "disable_parallel_tool_use": true}})),
            vec![],
        ),
        (
            json!({"tools": [tool], "tool_choice": {"type": "function", "function": {"name": "f"}}, "parallel_tool_calls": true}),
            with_tools(json!({"tool_choice": {"type": "tool", "name": "f"}})),
            vec![],
        ),
        (
            json!({"tools": [{"type": "function", "function": {"name": "f"}}]}),
            base(json!({"tools": [{"name": "f", "input_schema": {"properties": {}, "type": "object"}}]})),
            vec![],
        ),
        (json!({"tools": [], "tool_choice": "auto"}), base(json!({})), vec![]),
    ] {
        let mut request = object(json!({"model": "m", "messages": hi()}));
        request.extend(object(chat));
        check(anthropic::request_from_chat, Value::Object(request), &messages, &noted);
    }
}

#[test]
fn conversations_become_turns() {
    let call = |id: &str| json!({"id": id, "type": "function", "function": {"name": "f", "arguments": "{\"a\":1}"}});
    let used = |id: &str| json!({"type": "tool_use", "id": id, "name": "f", "input": {"a": 1}});
    let result = |id: &str, content: &str| json!({"type": "tool_result", "tool_use_id": id, "content": content});
    for (chat, system, turns, noted) in [
        (
            json!([{"role": "system", "content": "a"}, {"role": "user", "content": "x"}, {"role": "developer", "content": "b"}]),
            json!("a\n\nb"),
            user(json!("x")),
            vec![],
        ),
        (
            json!([{"role": "system", "content": [{"type": "text", "text": "a", "cache_control": {"type": "ephemeral"}}]},
                {"role": "user", "content": [{"type": "text", "text": ""}, {"type": "text", "text": "x"}]}]),
            json!([{"type": "text", "text": "a", "cache_control": {"type": "ephemeral"}}]),
            user(json!("x")),
            vec![],
        ),
        (
            json!([{"role": "user", "content": "a", "name": "n"}, {"role": "user", "content": "b"}, {"role": "assistant", "content": ""}]),
            Value::Null,
            user(json!([{"type": "text", "text": "a"}, {"type": "text", "text": "b"}])),
            vec!["messages[].name"],
        ),
        (
            json!([{"role": "user", "content": [
                {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA", "detail": "low"}},
                {"type": "image_url", "image_url": "https://a/b.png"},
                {"type": "file", "file": {"filename": "x.pdf", "file_data": "data:application/pdf;base64,BBBB"}}]}]),
            Value::Null,
            user(json!([
                {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AAAA"}},
                {"type": "image", "source": {"type": "url", "url": "https://a/b.png"}},
                {"type": "document", "source": {"type": "base64", "media_type": "application/pdf", "data": "BBBB"}, "title": "x.pdf"}])),
            vec![],
        ),
        (
            json!([{"role": "user", "content": "x"},
                {"role": "assistant", "content": "y", "tool_calls": [call("c:1"), call("c2")], "reasoning_content": "r"},
                {"role": "tool", "tool_call_id": "c:1", "content": "1"},
                {"role": "user", "content": "and"},
                {"role": "tool", "tool_call_id": "c2", "content": [{"type": "text", "text": "2"}]}]),
            Value::Null,
            json!([{"role": "user", "content": "x"},
                {"role": "assistant", "content": [{"type": "text", "text": "y"}, used("c_1"), used("c2")]},
                {"role": "user", "content": [result("c_1", "1"), result("c2", "2"), {"type": "text", "text": "and"}]}]),
            vec!["messages[].reasoning_content"],
        ),
        (
            json!([{"role": "user", "content": "x"},
                {"role": "assistant", "content": null, "reasoning_content": "r", "tool_calls": [call("c")],
                    "thinking_blocks": [{"type": "thinking", "thinking": "r", "signature": "s", "index": 0}]}]),
            Value::Null,
            json!([{"role": "user", "content": "x"},
                {"role": "assistant", "content": [{"type": "thinking", "thinking": "r", "signature": "s"}, used("c")]}]),
            vec![],
        ),
    ] {
        let mut expected = json!({"model": "m", "system": system, "messages": turns, "max_tokens": 4096});
        if expected["system"].is_null() {
            expected.as_object_mut().unwrap().shift_remove("system");
        }
        check(
            anthropic::request_from_chat,
            json!({"model": "m", "messages": chat}),
            &expected,
            &noted,
        );
    }
}

#[test]
fn messages_become_chats() {
    let base = |more: Value| {
        let mut body = object(json!({"model": "m", "messages": user(json!("hi")), "max_completion_tokens": 9}));
        body.extend(object(more));
        Value::Object(body)
    };
    let tool = json!({"name": "f", "description": "d", "input_schema": {"type": "object"}, "cache_control": {}});
    let offered =
        json!([{"type": "function", "function": {"name": "f", "description": "d", "parameters": {"type": "object"}}}]);
    for (messages, chat, noted) in [
        (json!({}), base(json!({})), vec![]),
        (
            json!({"stream": true}),
            base(json!({"stream": true, "stream_options": {"include_usage": true}})),
            vec![],
        ),
        (
            json!({"system": [{"type": "text", "text": "a", "cache_control": {}}, {"type": "text", "text": "b"}]}),
            base(json!({"messages": [{"role": "system", "content": "a\n\nb"}, {"role": "user", "content": "hi"}]})),
            vec![],
        ),
        (
            json!({"stop_sequences": ["x"], "metadata": {"user_id": "u"}, "temperature": 0.5, "top_k": 3, "new": 1}),
            base(json!({"temperature": 0.5, "stop": ["x"], "user": "u", "new": 1})),
            vec!["top_k"],
        ),
        (
            json!({"thinking": {"type": "enabled", "budget_tokens": 1024}}),
            base(json!({"reasoning_effort": "low"})),
            vec![],
        ),
        (
            json!({"thinking": {"type": "enabled", "budget_tokens": 5000}}),
            base(json!({"reasoning_effort": "medium"})),
            vec![],
        ),
        (
            json!({"thinking": {"type": "enabled", "budget_tokens": 20_000}}),
            base(json!({"reasoning_effort": "high"})),
            vec![],
        ),
        (json!({"thinking": {"type": "disabled"}}), base(json!({})), vec![]),
        (
            json!({"thinking": {"type": "adaptive"}}),
            base(json!({})),
            vec!["thinking"],
        ),
        (
            json!({"thinking": {"type": "adaptive"}, "output_config": {"effort": "max", "format": {"type": "json_schema", "schema": {"x": 1}}}}),
            base(
                json!({"reasoning_effort": "xhigh", "response_format": {"type": "json_schema",
                "json_schema": {"name": "answer", "schema": {"x": 1}, "strict": true}}}),
            ),
            vec![],
        ),
        (
            json!({"tools": [tool], "tool_choice": {"type": "any", "disable_parallel_tool_use": true}}),
            base(json!({"tools": offered, "tool_choice": "required", "parallel_tool_calls": false})),
            vec![],
        ),
        (
            json!({"tools": [tool], "tool_choice": {"type": "tool", "name": "f"}}),
            base(json!({"tools": offered, "tool_choice": {"type": "function", "function": {"name": "f"}}})),
            vec![],
        ),
        (
            json!({"tool_choice": {"type": "none"}, "service_tier": "standard_only"}),
            base(json!({"tool_choice": "none", "service_tier": "default"})),
            vec![],
        ),
    ] {
        let mut request = object(json!({"model": "m", "max_tokens": 9, "messages": user(json!("hi"))}));
        request.extend(object(messages));
        check(anthropic::request_to_chat, Value::Object(request), &chat, &noted);
    }
}

#[test]
fn turns_become_conversations() {
    let used = json!({"type": "tool_use", "id": "c", "name": "f", "input": {"a": 1}});
    let call = json!({"id": "c", "type": "function", "function": {"name": "f", "arguments": "{\"a\":1}"}});
    let png = json!({"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AAAA"}});
    let url = json!({"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}});
    for (turns, chat, noted) in [
        (
            json!([{"role": "user", "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b", "cache_control": {}}]}]),
            user(json!("a\n\nb")),
            vec![],
        ),
        (
            json!([{"role": "user", "content": [png, {"type": "text", "text": "a"}]}, {"role": "system", "content": "s"}]),
            json!([{"role": "user", "content": [url, {"type": "text", "text": "a"}]}, {"role": "system", "content": "s"}]),
            vec![],
        ),
        (
            json!([{"role": "assistant", "content": [{"type": "thinking", "thinking": "t", "signature": "s"},
                {"type": "text", "text": "y"}, used]},
                {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "c", "is_error": true,
                    "content": [{"type": "text", "text": "1"}, png]}, {"type": "text", "text": "and"}]}]),
            json!([{"role": "assistant", "content": "y", "tool_calls": [call]},
                {"role": "tool", "tool_call_id": "c", "content": "1"},
                {"role": "user", "content": [url, {"type": "text", "text": "and"}]}]),
            vec![
                "messages[].content[].thinking",
                "messages[].content[].is_error",
                "messages[].content[].content",
            ],
        ),
        (
            json!([{"role": "assistant", "content": [used]}, {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "c"}]}]),
            json!([{"role": "assistant", "content": null, "tool_calls": [call]}, {"role": "tool", "tool_call_id": "c", "content": ""}]),
            vec![],
        ),
    ] {
        let expected = json!({"model": "m", "messages": chat});
        check(
            anthropic::request_to_chat,
            json!({"model": "m", "messages": turns}),
            &expected,
            &noted,
        );
    }
}

#[test]
fn requests_for_responses_become_chats() {
    let base = |more: Value| {
        let mut body = object(json!({"model": "m", "messages": user(json!("hi"))}));
        body.extend(object(more));
        Value::Object(body)
    };
    let call = |id: &str| json!({"type": "function_call", "call_id": id, "name": "f", "arguments": "{}"});
    let called = |id: &str| json!({"id": id, "type": "function", "function": {"name": "f", "arguments": "{}"}});
    for (request, chat, noted) in [
        (json!({}), base(json!({})), vec![]),
        (
            json!({"instructions": "i", "previous_response_id": null, "store": false, "background": false, "include": ["x"]}),
            base(json!({"messages": [{"role": "system", "content": "i"}, {"role": "user", "content": "hi"}]})),
            vec!["include"],
        ),
        (
            json!({"stream": true, "max_output_tokens": 9, "temperature": 0.5, "reasoning": {"effort": "low", "summary": "auto"}}),
            base(
                json!({"max_completion_tokens": 9, "temperature": 0.5, "stream": true, "stream_options": {"include_usage": true},
                "reasoning_effort": "low"}),
            ),
            vec!["reasoning"],
        ),
        (
            json!({"text": {"format": {"type": "json_schema", "name": "x", "schema": {}, "strict": true}, "verbosity": "low"}}),
            base(json!({"verbosity": "low", "response_format": {"type": "json_schema",
                "json_schema": {"name": "x", "schema": {}, "strict": true}}})),
            vec![],
        ),
        (
            json!({"text": {"format": {"type": "text"}}, "new": 1, "store": true}),
            base(json!({"new": 1})),
            vec!["store"],
        ),
        (
            json!({"tools": [{"type": "function", "name": "f", "parameters": {}, "strict": null}],
                "tool_choice": {"type": "function", "name": "f"}, "parallel_tool_calls": false}),
            base(
                json!({"tools": [{"type": "function", "function": {"name": "f", "parameters": {}}}],
                "tool_choice": {"type": "function", "function": {"name": "f"}}, "parallel_tool_calls": false}),
            ),
            vec![],
        ),
        (
            json!({"tools": [], "tool_choice": "auto", "parallel_tool_calls": true}),
            base(json!({})),
            vec![],
        ),
        (
            json!({"input": [
                {"role": "developer", "content": "d"},
                {"role": "user", "content": [{"type": "input_text", "text": "t"}, {"type": "input_image", "image_url": "u", "detail": "low"}]},
                {"type": "reasoning", "id": "rs", "summary": []},
                {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "a"}, {"type": "output_text", "text": "b"}]},
                call("1"), call("2"),
                {"type": "function_call_output", "call_id": "1", "output": "x"},
                {"type": "function_call_output", "call_id": "2", "output": [{"type": "input_text", "text": "y"}]},
                call("3")]}),
            base(json!({"messages": [
                {"role": "system", "content": "d"},
                {"role": "user", "content": [{"type": "text", "text": "t"}, {"type": "image_url", "image_url": {"url": "u", "detail": "low"}}]},
                {"role": "assistant", "content": "ab", "tool_calls": [called("1"), called("2")]},
                {"role": "tool", "tool_call_id": "1", "content": "x"},
                {"role": "tool", "tool_call_id": "2", "content": "y"},
                {"role": "assistant", "content": null, "tool_calls": [called("3")]}]})),
            vec!["input[].reasoning"],
        ),
        (
            json!({"input": [
                call("1"), call("2"),
                {"type": "function_call_output", "call_id": "1", "output": [{"type": "input_text", "text": "x"}, {"type": "input_image", "image_url": "u"}]},
                {"type": "function_call_output", "call_id": "2", "output": [{"type": "input_image", "image_url": "v"}]},
                {"role": "user", "content": "what is it?"}]}),
            base(json!({"messages": [
                {"role": "assistant", "content": null, "tool_calls": [called("1"), called("2")]},
                {"role": "tool", "tool_call_id": "1", "content": "x"},
                {"role": "tool", "tool_call_id": "2", "content": ""},
                {"role": "user", "content": [{"type": "image_url", "image_url": {"url": "u"}}, {"type": "image_url", "image_url": {"url": "v"}}]},
                {"role": "user", "content": "what is it?"}]})),
            vec!["input[].output"],
        ),
    ] {
        let mut body = object(json!({"model": "m", "input": "hi"}));
        body.extend(object(request));
        check(responses::request_to_chat, Value::Object(body), &chat, &noted);
    }
}

#[test]
fn what_cannot_be_said_is_refused_in_its_place() {
    let chat: fn(Object) -> _ = anthropic::request_from_chat;
    let messages: fn(Object) -> _ = anthropic::request_to_chat;
    let responses: fn(Object) -> _ = responses::request_to_chat;
    let said = |content: Value| json!({"messages": user(content)});
    for (translate, request, refusal) in [
        (chat, json!({}), "messages: required, and not given"),
        (
            chat,
            json!({"messages": [7]}),
            "messages[0]: expected an object, this is a number",
        ),
        (
            chat,
            json!({"messages": [{"role": "system", "content": "a"}]}),
            "messages: nothing is said by anybody but the system",
        ),
        (
            chat,
            json!({"messages": [{"role": "function"}]}),
            "messages[0].role: `function` is none of system, developer, user, assistant and tool",
        ),
        (
            chat,
            said(json!([{"type": "input_audio"}])),
            "messages[0].content[0].type: a part of type `input_audio` cannot be sent to this model",
        ),
        (
            chat,
            said(json!([{"type": "image_url", "image_url": {"url": "ftp://x"}}])),
            "messages[0].content[0].image_url: neither a data: nor an http:// or https:// URL",
        ),
        (
            chat,
            json!({"messages": [{"role": "assistant", "tool_calls": [{"id": "c", "function": {"name": "f", "arguments": "[1]"}}]}]}),
            "messages[0].tool_calls[0].function.arguments: not the text of a JSON object",
        ),
        (
            chat,
            json!({"messages": user(json!("a")), "tools": [{"type": "custom"}]}),
            "tools[0].type: a tool of type `custom` cannot be offered to this model",
        ),
        (
            chat,
            json!({"messages": user(json!("a")), "reasoning_effort": "some"}),
            "reasoning_effort: `some` is none of none, minimal, low, medium, high, xhigh",
        ),
        (
            chat,
            json!({"messages": user(json!("a")), "functions": []}),
            "functions: no longer understood: say `tools` and `tool_choice`",
        ),
        (
            chat,
            json!({"messages": user(json!("a")), "stop": ["a", 7]}),
            "stop[1]: expected a string, this is a number",
        ),
        (
            messages,
            said(json!([{"type": "image", "source": {"type": "file", "file_id": "x"}}])),
            "messages[0].content[0].source.type: an image from `file` cannot be sent to this model",
        ),
        (
            messages,
            json!({"messages": [], "tools": [{"type": "web_search_20250305", "name": "web_search"}]}),
            "tools[0].type: a tool of type `web_search_20250305` runs at Anthropic and cannot be offered to this model",
        ),
        (
            messages,
            json!({"messages": [], "mcp_servers": [{}]}),
            "mcp_servers: this model cannot reach MCP servers by itself",
        ),
        (
            messages,
            json!({"messages": [], "system": [{"type": "image"}]}),
            "system[0].type: the system says text, not `image`",
        ),
        (responses, json!({}), "input: required, and not given"),
        (
            responses,
            json!({"input": "a", "previous_response_id": "resp_1"}),
            "previous_response_id: responses are not kept here: send the whole conversation as `input`",
        ),
        (
            responses,
            json!({"input": "a", "background": true}),
            "background: answers are given at once, not in the background",
        ),
        (
            responses,
            json!({"input": "a", "tools": [{"type": "web_search"}]}),
            "tools[0].type: a tool of type `web_search` is not offered here: only functions are",
        ),
        (
            responses,
            json!({"input": [{"type": "item_reference", "id": "x"}]}),
            "input[0].type: items are not kept here: send the item itself",
        ),
        (
            responses,
            json!({"input": [{"type": "computer_call"}]}),
            "input[0].type: an item of type `computer_call` cannot be sent to this model",
        ),
    ] {
        let refused = translate(object(request.clone())).expect_err(&request.to_string());
        assert_eq!(refused.to_string(), refusal, "{request}");
    }
}

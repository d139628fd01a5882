//! Answers in the words of OpenAI and of Anthropic.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures_util::{StreamExt as _, stream};
use serde_json::{Value, json};

use crate::Provider;
use crate::manner::Manner;

/// What it has to say.
const TEXT: &str = "All is well that ends well";
/// What it thinks before.
const THOUGHT: &str = "That is easy.";
/// How many tokens that took, in and out.
const USED: (u64, u64) = (11, 7);

/// A request that is to be answered.
struct Asked {
    manner: Manner,
    model: String,
    body: Value,
    is_streamed: bool,
    way: crate::seen::UnderWay,
}

impl Asked {
    /// The first tool there is, if one is to be called and none was yet.
    fn tool(&self) -> Option<String> {
        let was_called = self.body["messages"].to_string().contains("\"tool_");
        let first = &self.body["tools"][0];
        let name = first["function"]["name"].as_str().or(first["name"].as_str());
        name.filter(|_| self.manner.calls && !was_called).map(str::to_owned)
    }
}

async fn asked(provider: &Provider, headers: &HeaderMap, body: &Bytes) -> Result<Asked, Response> {
    let text = |name: &str| {
        headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
    };
    let key = text("authorization")
        .strip_prefix("Bearer ")
        .unwrap_or(text("x-api-key"));
    if provider.key.as_deref().is_some_and(|expected| expected != key) {
        provider.seen.refused();
        let message = format!("the key {key} is not known");
        return Err(refusal(StatusCode::UNAUTHORIZED, &message));
    }
    let body: Value = serde_json::from_slice(body).map_err(|_| refusal(StatusCode::BAD_REQUEST, "no JSON"))?;
    let model = body["model"].as_str().unwrap_or_default().to_owned();
    let manner = Manner::of(&model);
    let told = || {
        let headers: Value = headers
            .iter()
            .map(|(name, value)| (name.to_string(), json!(value.to_str().unwrap_or_default())))
            .collect::<serde_json::Map<_, _>>()
            .into();
        json!({"headers": headers, "body": body})
    };
    let before = provider.seen.asked(&model, told);
    let way = provider.seen.begin();
    tokio::time::sleep(manner.late).await;
    let status = manner.status.or((before < manner.flaky).then_some(503));
    if let Some(status) = status.and_then(|status| StatusCode::from_u16(status).ok()) {
        let shown = if manner.echoes {
            format!(" to the key {key}")
        } else {
            String::new()
        };
        return Err(refusal(status, &format!("this model answers {status}{shown}")));
    }
    if manner.fails_late {
        return Err(late_error(key));
    }
    if manner.is_page {
        return Err(axum::response::Html("<h1>Welcome</h1>").into_response());
    }
    Ok(Asked {
        is_streamed: body["stream"] == true && !manner.is_whole,
        manner,
        model,
        body,
        way,
    })
}

fn refusal(status: StatusCode, message: &str) -> Response {
    // As both of them word it.
    let body =
        json!({"type": "error", "error": {"message": message, "type": "mock_error", "param": null, "code": null}});
    let mut response = (status, axum::Json(body)).into_response();
    if status == StatusCode::TOO_MANY_REQUESTS {
        response.headers_mut().insert(header::RETRY_AFTER, 1.into());
    }
    response
}

/// A stream that begins, and tells then that the key is not known, in two pieces.
fn late_error(key: &str) -> Response {
    let message = format!("the key {key} is not known any more");
    let event = format!(
        ": begun\n\ndata: {}\n\n",
        json!({"error": {"message": message, "type": "mock_error"}})
    );
    let (begin, end) = event.split_at(event.find(key).unwrap_or_default() + key.len() / 2);
    let pieces = [begin, end].map(|piece| Ok::<_, Infallible>(Bytes::copy_from_slice(piece.as_bytes())));
    let paused = stream::iter(pieces).then(|piece| async move {
        tokio::time::sleep(Duration::from_millis(50)).await;
        piece
    });
    ([(header::CONTENT_TYPE, "text/event-stream")], Body::from_stream(paused)).into_response()
}

/// The text in so many pieces.
fn pieces(count: usize) -> Vec<String> {
    let words: Vec<&str> = TEXT.split_inclusive(' ').collect();
    (0..count)
        .map(|number| words[number % words.len()].to_owned())
        .collect()
}

/// Sends events, as the manner has it.
fn streamed(asked: Asked, events: Arc<[Bytes]>) -> Response {
    let Manner {
        pause, breaks, silent, ..
    } = asked.manner;
    let all = events.len() - usize::from(asked.manner.is_unmarked);
    let last = silent.or(breaks).unwrap_or(all).min(all);
    let sent = (0..last).map(move |number| Ok::<_, Infallible>(events[number].clone()));
    let sent = stream::iter(sent);
    let paused = sent.then(move |event| async move {
        if pause > Duration::ZERO {
            tokio::time::sleep(pause).await;
        }
        event.map_err(|never| match never {})
    });
    let way = asked.way;
    let end = stream::once(async move {
        if silent.is_some() {
            std::future::pending::<()>().await;
        }
        drop(way);
        match breaks {
            Some(_) => Err(std::io::Error::other("cut")),
            None => Ok(Bytes::new()),
        }
    });
    let body = Body::from_stream(paused.chain(end).filter(|event| {
        let is_empty = event.as_ref().is_ok_and(Bytes::is_empty);
        std::future::ready(!is_empty)
    }));
    ([(header::CONTENT_TYPE, "text/event-stream")], body).into_response()
}

fn usage_of_chat() -> Value {
    let (input, output) = USED;
    json!({
        "prompt_tokens": input, "completion_tokens": output, "total_tokens": input + output,
        "prompt_tokens_details": {"cached_tokens": 4},
    })
}

/// OpenAI's chat completions.
pub(crate) async fn chat(State(provider): State<Arc<Provider>>, headers: HeaderMap, body: Bytes) -> Response {
    let asked = match asked(&provider, &headers, &body).await {
        Ok(asked) => asked,
        Err(refusal) => return refusal,
    };
    if asked.is_streamed {
        let tells_usage = asked.body["stream_options"]["include_usage"] == true;
        let events = provider
            .kept
            .get(&asked.model, tells_usage, || chunks(&asked, tells_usage));
        return streamed(asked, events);
    }
    axum::Json(completion(&asked)).into_response()
}

/// Why it ends.
fn reason(asked: &Asked) -> &'static str {
    match (asked.tool(), asked.manner.truncated) {
        (Some(_), _) => "tool_calls",
        (None, true) => "length",
        (None, false) => "stop",
    }
}

/// What a tool is called with.
fn arguments() -> String {
    json!({"message": "hello"}).to_string()
}

/// An answer as a whole.
fn completion(asked: &Asked) -> Value {
    let mut message = json!({"role": "assistant", "content": pieces(asked.manner.chunks).concat()});
    if let Some(spelling) = asked.manner.reasoning {
        message[spelling] = json!(THOUGHT);
    }
    if let Some(name) = asked.tool() {
        message["content"] = Value::Null;
        message["tool_calls"] =
            json!([{"id": "call_1", "type": "function", "function": {"name": name, "arguments": arguments()}}]);
    }
    let mut completion = json!({
        "id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": asked.model,
        "choices": [{"index": 0, "message": message, "finish_reason": reason(asked), "logprobs": null}],
        "unheard_of": {"kept": true},
    });
    if !asked.manner.is_uncounted {
        completion["usage"] = usage_of_chat();
    }
    completion
}

/// The same in pieces.
fn chunks(asked: &Asked, tells_usage: bool) -> Vec<Bytes> {
    let chunk = |delta: Value, reason: Option<&str>| {
        let chunk = json!({
            "id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": asked.model,
            "choices": [{"index": 0, "delta": delta, "finish_reason": reason}],
        });
        format!("data: {chunk}\n\n")
    };
    let mut events = vec![chunk(json!({"role": "assistant", "content": ""}), None)];
    if let Some(spelling) = asked.manner.reasoning {
        events.push(chunk(json!({spelling: THOUGHT}), None));
    }
    match asked.tool() {
        Some(name) => {
            let call =
                json!({"index": 0, "id": "call_1", "type": "function", "function": {"name": name, "arguments": ""}});
            events.push(chunk(json!({"tool_calls": [call]}), None));
            let arguments = arguments();
            let (first, second) = arguments.split_at(arguments.len() / 2);
            for part in [first, second] {
                let more = json!({"index": 0, "function": {"arguments": part}});
                events.push(chunk(json!({"tool_calls": [more]}), None));
            }
        }
        None => events.extend(
            pieces(asked.manner.chunks)
                .iter()
                .map(|piece| chunk(json!({"content": piece}), None)),
        ),
    }
    events.push(chunk(json!({}), Some(reason(asked))));
    if tells_usage && !asked.manner.is_uncounted {
        let last = json!({
            "id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": asked.model,
            "choices": [], "usage": usage_of_chat(),
        });
        events.push(format!("data: {last}\n\n"));
    }
    events.push("data: [DONE]\n\n".to_owned());
    events.into_iter().map(Bytes::from).collect()
}

/// OpenAI's embeddings.
pub(crate) async fn embeddings(State(provider): State<Arc<Provider>>, headers: HeaderMap, body: Bytes) -> Response {
    let asked = match asked(&provider, &headers, &body).await {
        Ok(asked) => asked,
        Err(refusal) => return refusal,
    };
    let count = asked.body["input"].as_array().map_or(1, Vec::len);
    let data: Vec<Value> = (0..count)
        .map(|index| json!({"object": "embedding", "index": index, "embedding": [0.25, -0.5, 1.0]}))
        .collect();
    let usage = json!({"prompt_tokens": USED.0, "total_tokens": USED.0});
    axum::Json(json!({"object": "list", "data": data, "model": asked.model, "usage": usage})).into_response()
}

/// Anthropic's Messages.
pub(crate) async fn messages(State(provider): State<Arc<Provider>>, headers: HeaderMap, body: Bytes) -> Response {
    let asked = match asked(&provider, &headers, &body).await {
        Ok(asked) => asked,
        Err(refusal) => return refusal,
    };
    let tool = asked.tool();
    let reason = match (&tool, asked.manner.truncated) {
        (Some(_), _) => "tool_use",
        (None, true) => "max_tokens",
        (None, false) => "end_turn",
    };
    let (input, output) = USED;
    let mut blocks = Vec::new();
    if asked.manner.reasoning.is_some() {
        blocks.push(json!({"type": "thinking", "thinking": THOUGHT, "signature": "c2lnbmVk"}));
    }
    blocks.push(match &tool {
        Some(name) => json!({"type": "tool_use", "id": "toolu_1", "name": name, "input": {"message": "hello"}}),
        None => json!({"type": "text", "text": pieces(asked.manner.chunks).concat()}),
    });
    let message = |content: &[Value], reason: Option<&str>, usage: Value| {
        json!({
            "id": "msg_1", "type": "message", "role": "assistant", "model": asked.model, "content": content,
            "stop_reason": reason, "stop_sequence": null, "usage": usage,
        })
    };
    if !asked.is_streamed {
        let usage = json!({"input_tokens": input - 4, "cache_read_input_tokens": 4, "output_tokens": output});
        return axum::Json(message(&blocks, Some(reason), usage)).into_response();
    }
    let event = |event: Value| {
        format!(
            "event: {}\ndata: {event}\n\n",
            event["type"].as_str().unwrap_or_default()
        )
    };
    let usage = json!({"input_tokens": input - 4, "cache_read_input_tokens": 4, "output_tokens": 1});
    let mut events = vec![event(
        json!({"type": "message_start", "message": message(&[], None, usage)}),
    )];
    events.push(event(json!({"type": "ping"})));
    for (index, block) in blocks.iter().enumerate() {
        let (empty, deltas): (Value, Vec<Value>) = match block["type"].as_str() {
            Some("thinking") => (
                json!({"type": "thinking", "thinking": "", "signature": ""}),
                vec![
                    json!({"type": "thinking_delta", "thinking": THOUGHT}),
                    json!({"type": "signature_delta", "signature": "c2lnbmVk"}),
                ],
            ),
            Some("tool_use") => {
                let mut empty = block.clone();
                empty["input"] = json!({});
                let text = block["input"].to_string();
                let (first, second) = text.split_at(text.len() / 2);
                let part = |part: &str| json!({"type": "input_json_delta", "partial_json": part});
                (empty, vec![part(""), part(first), part(second)])
            }
            _ => (
                json!({"type": "text", "text": ""}),
                pieces(asked.manner.chunks)
                    .iter()
                    .map(|piece| json!({"type": "text_delta", "text": piece}))
                    .collect(),
            ),
        };
        events.push(event(
            json!({"type": "content_block_start", "index": index, "content_block": empty}),
        ));
        events.extend(
            deltas
                .into_iter()
                .map(|delta| event(json!({"type": "content_block_delta", "index": index, "delta": delta}))),
        );
        events.push(event(json!({"type": "content_block_stop", "index": index})));
    }
    events.push(event(json!({
        "type": "message_delta", "delta": {"stop_reason": reason, "stop_sequence": null}, "usage": {"output_tokens": output},
    })));
    events.push(event(json!({"type": "message_stop"})));
    streamed(asked, events.into_iter().map(Bytes::from).collect())
}

/// The models there are: any.
pub(crate) async fn models(State(provider): State<Arc<Provider>>, headers: HeaderMap) -> Response {
    let listing = provider.seen.listed();
    tokio::time::sleep(Duration::from_millis(listing.late)).await;
    let given = headers.get(header::AUTHORIZATION).or(headers.get("x-api-key"));
    let given = given.and_then(|value| value.to_str().ok()).unwrap_or_default();
    let key = given.strip_prefix("Bearer ").unwrap_or(given);
    if provider.key.as_deref().is_some_and(|expected| expected != key) {
        provider.seen.refused();
        return refusal(StatusCode::UNAUTHORIZED, &format!("the key {key} is not known"));
    }
    match StatusCode::from_u16(listing.status) {
        Ok(status) if !status.is_success() => refusal(status, "no models today"),
        Ok(_) | Err(_) => {
            axum::Json(json!({"object": "list", "data": [{"id": "any", "object": "model"}]})).into_response()
        }
    }
}

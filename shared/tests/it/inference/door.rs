//! What a relay reads of a request and changes in it, and nothing else.

use orch_shared::inference::request::{Body, add_extra, name_limit};
use orch_shared::inference::usage::UsageChunk;
use orch_shared::inference::{Dialect, anthropic};
use orch_shared::kinds::llm::Provider;
use serde_json::{Value, json};

use super::object;

#[test]
fn what_is_read() {
    let passed = UsageChunk::Passed;
    let cut = UsageChunk::CutOut;
    for (dialect, body, streamed, usage_chunk, limit, input) in [
        (
            Dialect::Chat,
            r#"{"model":"m","messages":["abcdefgh"],"user":"not counted"}"#,
            false,
            cut,
            None,
            2,
        ),
        (
            Dialect::Chat,
            r#"{"model":"m","stream":true,"stream_options":{"include_usage":true}}"#,
            true,
            passed,
            None,
            0,
        ),
        (
            Dialect::Chat,
            r#"{"model":"m","stream":null,"stream_options":null,"max_tokens":null}"#,
            false,
            cut,
            None,
            0,
        ),
        (
            Dialect::Chat,
            r#"{"model":"m","max_tokens":7,"max_completion_tokens":9}"#,
            false,
            cut,
            Some(9),
            0,
        ),
        (
            Dialect::Responses,
            r#"{"model":"m","input":"abcd","max_output_tokens":3}"#,
            false,
            cut,
            Some(3),
            1,
        ),
        (
            Dialect::Embeddings,
            r#"{"model":"m","input":["abcd","abcd"]}"#,
            false,
            cut,
            None,
            2,
        ),
        (
            Dialect::Messages,
            r#"{"model":"m","system":"abcd","messages":[],"max_tokens":1}"#,
            false,
            cut,
            Some(1),
            1,
        ),
    ] {
        let read = Body::read(dialect, body.as_bytes()).expect(body);
        let found = (
            read.is_streamed(),
            read.usage_chunk(),
            read.output_bound(None).length,
            read.input_estimate(),
        );
        assert_eq!(found, (streamed, usage_chunk, limit, input), "{body}");
        assert_eq!((read.model(), read.to_json().as_str()), ("m", body));
    }
}

#[test]
fn what_is_refused() {
    for (body, said) in [
        ("", "the body is not JSON: EOF while parsing a value at line 1 column 0"),
        ("[]", "the body is not a JSON object"),
        ("{}", "model: required, and not given"),
        (r#"{"model":null}"#, "model: required, and not given"),
        (r#"{"model":7}"#, "model: expected a string"),
        (r#"{"model":"a","model":"b"}"#, "model: given more than once"),
        (
            r#"{"model":"a","Model":"b"}"#,
            "Model: this is spelled `model`; some models would take it for that",
        ),
        (
            r#"{"model":"a","ſtream":true}"#,
            "[\"ſtream\"]: this is spelled `stream`; some models would take it for that",
        ),
        (r#"{"model":"a","stream":1}"#, "stream: expected true or false"),
        (
            r#"{"model":"a","stream_options":[]}"#,
            "stream_options: expected an object",
        ),
        (
            r#"{"model":"a","stream_options":{"include_usage":"yes"}}"#,
            "stream_options.include_usage: expected true or false",
        ),
        (
            r#"{"model":"a","n":"100"}"#,
            "n: expected a whole number that is not negative",
        ),
        (
            r#"{"model":"a","n":1e2}"#,
            "n: expected a whole number that is not negative",
        ),
        (r#"{"model":"a","n":100,"n":1}"#, "n: given more than once"),
        (
            r#"{"model":"a","N":100}"#,
            "N: this is spelled `n`; some models would take it for that",
        ),
        (
            r#"{"model":"a","max_tokens":-1}"#,
            "max_tokens: expected a whole number that is not negative",
        ),
    ] {
        let refused = Body::read(Dialect::Chat, body.as_bytes()).expect_err(body);
        assert_eq!(refused.to_string(), said, "{body}");
    }
    assert!(Body::read(Dialect::Chat, b"\xff").is_err());
}

#[test]
fn thoughts_that_nobody_has_signed_are_left_out() {
    let said = |messages: Value| json!({"model": "m", "messages": messages}).to_string();
    let own = json!({"type": "thinking", "thinking": "t", "signature": "s"});
    let other = json!({"type": "thinking", "thinking": "hm", "signature": ""});
    let text = json!({"type": "text", "text": "\"signature\": \"\""});
    let turn = |blocks: Value| json!({"role": "assistant", "content": blocks});
    let user = json!({"role": "user", "content": "x"});
    for (dialect, given, kept) in [
        (
            Dialect::Messages,
            json!([
                user,
                turn(json!([other, text])),
                turn(json!([own, text])),
                turn(json!([other])),
                user
            ]),
            json!([user, turn(json!([text])), turn(json!([own, text])), user]),
        ),
        (
            Dialect::Messages,
            json!([turn(json!([])), turn(json!([text]))]),
            json!([turn(json!([])), turn(json!([text]))]),
        ),
        (
            Dialect::Chat,
            json!([turn(json!([other]))]),
            json!([turn(json!([other]))]),
        ),
    ] {
        let given = said(given);
        let mut body = Body::read(dialect, given.as_bytes()).expect("a body");
        body.leave_out_unsigned();
        assert_eq!(body.to_json(), said(kept), "{given}");
    }
}

#[test]
fn what_is_changed_and_what_stays() {
    let extra = object(json!({
        "top_k": 5, "temperature": 0.5, "max_tokens": 10, "model": "other", "stream": true, "stream_options": {},
    }));
    for (body, changed) in [
        (
            r#"{"odd" :  1.50,"model":"m","messages":[ 1,  2 ],"big":123456789012345678901234567890}"#,
            r#"{"odd":1.50,"model":"n","messages":[ 1,  2 ],"big":123456789012345678901234567890,"top_k":5,"temperature":0.5,"max_tokens":10}"#,
        ),
        (
            r#"{"model":"m","temperature":null,"max_completion_tokens":7}"#,
            r#"{"model":"n","temperature":null,"max_completion_tokens":7,"top_k":5}"#,
        ),
        (
            r#"{"model":"m","stream":true,"top_k":1,"temperature":1,"max_tokens":1}"#,
            r#"{"model":"n","stream":true,"top_k":1,"temperature":1,"max_tokens":1,"stream_options":{"include_usage":true}}"#,
        ),
        (
            r#"{"stream_options":{"x":1,"include_usage":false},"model":"m","stream":true,"top_k":1,"temperature":1,"max_tokens":1}"#,
            r#"{"stream_options":{"x":1,"include_usage":true},"model":"n","stream":true,"top_k":1,"temperature":1,"max_tokens":1}"#,
        ),
    ] {
        let mut read = Body::read(Dialect::Chat, body.as_bytes()).expect(body);
        read.set_model("n");
        read.add_extra(&extra);
        read.ask_usage();
        assert_eq!(read.to_json(), changed);
        assert_eq!(read.model(), "n");
    }
    // Who is not asked in chat completions is not asked.
    let body = r#"{"model":"m","stream":true}"#;
    let mut read = Body::read(Dialect::Messages, body.as_bytes()).expect(body);
    read.ask_usage();
    assert_eq!(read.to_json(), body);

    let mut translated = object(json!({"model": "m", "max_completion_tokens": 7}));
    add_extra(&mut translated, &extra);
    assert_eq!(
        json!(translated),
        json!({"model": "m", "max_completion_tokens": 7, "top_k": 5, "temperature": 0.5})
    );
    name_limit(&mut translated, Provider::Openai);
    assert_eq!(translated.get("max_completion_tokens"), Some(&json!(7)));
    name_limit(&mut translated, Provider::Vllm);
    assert_eq!(
        (translated.get("max_completion_tokens"), translated.get("max_tokens")),
        (None, Some(&json!(7)))
    );
}

#[test]
fn tokens_are_counted_roughly() {
    let request = object(json!({
        "model": "m", "system": "abcdefgh", "messages": [{"role": "user", "content": "abcd"}], "metadata": {"user_id": "x"},
    }));
    // Two for the system; six for the message with its names; three for its being one.
    assert_eq!(anthropic::count_tokens(&request), 2 + 5 + 3);
    assert_eq!(anthropic::count_tokens(&object(json!({}))), 0);
}

//! A relay passes on what came, but for one chunk, and finds the usage, however the stream is cut.

use orch_shared::inference::usage::{Scan, UsageChunk};
use orch_shared::inference::{Dialect, Usage};
use proptest::prelude::*;
use proptest::sample::select;

use super::{cuts, pieces};
use crate::manifest::many;

/// What is found in a stream that comes in pieces, and what goes on.
fn scanned(dialect: Dialect, usage_chunk: UsageChunk, pieces: &[&[u8]]) -> (Vec<u8>, Found) {
    let mut scan = Scan::new(dialect, usage_chunk);
    let mut out = Vec::new();
    for piece in pieces {
        let passed = scan.push(piece);
        out.extend(&passed.kept);
        for part in passed.parts {
            assert!(!part.is_empty());
            out.extend(&piece[part]);
        }
    }
    out.extend(scan.finish());
    let found = Found {
        usage: scan.watch().usage(),
        finish: scan.watch().finish_reason().map(str::to_owned),
        end: scan.watch().end_seen(),
        error: scan.watch().error_seen(),
        content: scan.watch().first_content_seen(),
    };
    (out, found)
}

#[derive(Debug, Clone, PartialEq, Default)]
struct Found {
    usage: Option<Usage>,
    finish: Option<String>,
    end: bool,
    error: bool,
    content: bool,
}

const USAGE: &str = r#"{"id":"x","choices":[],"usage":{"prompt_tokens":9,"completion_tokens":4,"total_tokens":13,"prompt_tokens_details":{"cached_tokens":5},"completion_tokens_details":{"reasoning_tokens":2}}}"#;

/// Chunks, and whether they are cut out.
const CHUNKS: &[(&str, bool)] = &[
    (
        r#"{"choices":[{"delta":{"role":"assistant","content":""},"finish_reason":null}],"usage":null}"#,
        false,
    ),
    (r#"{"choices":[{"delta":{"content":"a \"usage\": {} b"}}]}"#, false),
    (r#"{"choices":[{"delta":{"content":"usage"}}],"usage":null}"#, false),
    (r#"{"choices":[],"prompt_filter_results":[]}"#, false),
    (r#"{"choices":[],"usage":null}"#, false),
    (
        r#"{"choices":[{"delta":{},"finish_reason":"stop"}],"usage":{"prompt_tokens":1}}"#,
        false,
    ),
    (
        r#"{"choices":[{"delta":{"tool_calls":[{"index":0,"function":{"name":"usage","arguments":""}}]}}]}"#,
        false,
    ),
    ("[DONE]", false),
    ("no json \"usage\": 7", false),
    (USAGE, true),
];

fn chunks() -> impl Strategy<Value = (Vec<u8>, Vec<u8>)> {
    let end = || select(vec!["\n\n", "\r\n\r\n", "\r\r", "\n\r\n", "\n\n\n"]);
    let chunk = (select(CHUNKS), select(vec!["data: ", "data:", ": x\ndata: "]), end());
    prop::collection::vec(chunk, 0..6).prop_map(|chunks| {
        let (mut all, mut passed) = (Vec::new(), Vec::new());
        for ((data, is_cut), before, end) in chunks {
            let text = [before, data, end].concat();
            all.extend(text.bytes());
            if !is_cut {
                passed.extend(text.bytes());
            } else if end == "\n\n\n" {
                passed.push(b'\n');
            }
        }
        (all, passed)
    })
}

proptest! {
    #![proptest_config(many())]

    #[test]
    fn only_the_usage_chunk_is_cut_out((all, passed) in chunks(), cuts in cuts()) {
        let whole = scanned(Dialect::Chat, UsageChunk::CutOut, &[&all]);
        prop_assert_eq!(String::from_utf8_lossy(&whole.0), String::from_utf8_lossy(&passed));
        prop_assert_eq!(&scanned(Dialect::Chat, UsageChunk::CutOut, &pieces(&all, &cuts)), &whole);
        let watched = scanned(Dialect::Chat, UsageChunk::Passed, &pieces(&all, &cuts));
        prop_assert_eq!(&watched.0, &all);
        prop_assert_eq!(&watched.1, &whole.1);
    }

    #[test]
    fn anything_goes_on_as_it_came(
        bytes in prop::collection::vec(any::<u8>(), 0..64), cuts in cuts(), dialect in select(&Dialect::ALL[..]),
    ) {
        for usage_chunk in [UsageChunk::Passed, UsageChunk::CutOut] {
            prop_assert_eq!(&scanned(dialect, usage_chunk, &pieces(&bytes, &cuts)).0, &bytes);
        }
    }

    #[test]
    fn cuts_make_no_difference_to_what_is_found(cuts in cuts(), which in 0..STREAMS.len()) {
        let (dialect, text, _) = &STREAMS[which];
        let whole = scanned(*dialect, UsageChunk::Passed, &[text.as_bytes()]);
        prop_assert_eq!(scanned(*dialect, UsageChunk::Passed, &pieces(text.as_bytes(), &cuts)), whole);
    }
}

/// Streams, and what is found in them: input, output, cached, cache written, reasoning; finish, end, error, content.
type Known = ([u64; 5], Option<&'static str>, bool, bool, bool);

const STREAMS: &[(Dialect, &str, Known)] = &[
    (
        Dialect::Messages,
        "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"usage\":{\"input_tokens\":10,\"cache_creation_input_tokens\":3,\"cache_read_input_tokens\":7,\"output_tokens\":1}}}\n\n\
         event: ping\ndata: {\"type\":\"ping\"}\n\n\
         event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":\"message_stop\"}}\n\n\
         event: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"max_tokens\"},\"usage\":{\"output_tokens\":12,\"output_tokens_details\":{\"thinking_tokens\":4}}}\n\n\
         event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n",
        ([20, 12, 7, 3, 4], Some("max_tokens"), true, false, true),
    ),
    (
        Dialect::Messages,
        "data: {\"type\":\"message_start\",\"message\":{\"usage\":{\"input_tokens\":1}}}\n\n\
         event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\",\"message\":\"x\"}}\n\n",
        ([1, 0, 0, 0, 0], None, false, true, false),
    ),
    (
        Dialect::Responses,
        "event: response.created\ndata: {\"type\":\"response.created\",\"response\":{\"status\":\"in_progress\",\"usage\":null}}\n\n\
         event: response.output_text.delta\ndata: {\"type\":\"response.output_text.delta\",\"delta\":\"a\"}\n\n\
         event: response.completed\ndata: {\"type\":\"response.completed\",\"response\":{\"status\":\"completed\",\"usage\":{\"input_tokens\":8,\"input_tokens_details\":{\"cached_tokens\":6},\"output_tokens\":5,\"output_tokens_details\":{\"reasoning_tokens\":3}}}}\n\n",
        ([8, 5, 6, 0, 3], Some("completed"), true, false, true),
    ),
    (
        Dialect::Responses,
        "data: {\"type\":\"response.failed\",\"response\":{\"status\":\"failed\",\"usage\":null}}\n\n",
        ([0, 0, 0, 0, 0], Some("failed"), true, true, false),
    ),
    (
        Dialect::Chat,
        "data: {\"choices\":[{\"delta\":{\"reasoning\":\"x\"}}]}\n\ndata: {\"choices\":[{\"delta\":{},\"finish_reason\":\"length\"}]}\n\n\
         data: {\"choices\":[],\"usage\":{\"prompt_tokens\":3,\"completion_tokens\":2,\"prompt_cache_hit_tokens\":1}}\n\ndata: [DONE]",
        ([3, 2, 1, 0, 0], Some("length"), true, false, true),
    ),
    (
        Dialect::Chat,
        "data: {\"choices\":[{\"delta\":{\"role\":\"assistant\",\"content\":\"\"}}]}\n\ndata: {\"error\":{\"message\":\"x\"}}\n\n",
        ([0, 0, 0, 0, 0], None, false, true, false),
    ),
];

#[test]
fn what_is_found_in_streams() {
    for (dialect, text, (counts, finish, end, error, content)) in STREAMS {
        let [input, output, cached, cache_written, reasoning] = *counts;
        let usage = Usage {
            input,
            output,
            cached,
            cache_written,
            reasoning,
        };
        let found = Found {
            usage: Some(usage).filter(|usage| *usage != Usage::default()),
            finish: finish.map(str::to_owned),
            end: *end,
            error: *error,
            content: *content,
        };
        let bytes = text.as_bytes();
        assert_eq!(
            scanned(*dialect, UsageChunk::Passed, &[bytes]),
            (bytes.to_vec(), found),
            "{text}"
        );
    }
}

#[test]
fn usage_is_written_as_it_is_read() {
    let usage = Usage {
        input: 20,
        output: 9,
        cached: 7,
        cache_written: 3,
        reasoning: 4,
    };
    for dialect in [Dialect::Chat, Dialect::Responses, Dialect::Messages] {
        let value = usage.to_value(dialect);
        assert_eq!(Usage::of(dialect, &value), Some(usage), "{value}");
        let body = serde_json::json!({"x": 1, "usage": value}).to_string();
        assert_eq!(Usage::of_body(dialect, body.as_bytes()), Some(usage), "{body}");
    }
    let embeddings = br#"{"data":[],"usage":{"prompt_tokens":8,"total_tokens":8}}"#;
    let read = Usage::of_body(Dialect::Embeddings, embeddings);
    assert_eq!(read.map(|usage| (usage.input, usage.output)), Some((8, 0)));
    assert_eq!(Usage::of_body(Dialect::Chat, br#"{"usage":null}"#), None);
    assert_eq!(Usage::of_body(Dialect::Chat, b"x"), None);
}

/// Whether it is read out of text or out of values, what is odd counts for the same.
#[test]
fn odd_figures_count_alike() {
    for (usage, expected) in [
        (r#"{"prompt_tokens":3,"completion_tokens":4}"#, (3, 4, 0)),
        (r#"{"prompt_tokens":-3,"completion_tokens":4.0}"#, (0, 0, 0)),
        (r#"{"prompt_tokens":"3","completion_tokens":null}"#, (0, 0, 0)),
        (r#"{"prompt_tokens":1,"prompt_tokens":3}"#, (3, 0, 0)),
        (
            r#"{"prompt_tokens":3,"prompt_tokens_details":7,"prompt_cache_hit_tokens":2}"#,
            (3, 0, 2),
        ),
        (
            r#"{"prompt_tokens_details":{"cached_tokens":2},"prompt_cache_hit_tokens":9}"#,
            (0, 0, 2),
        ),
        (
            r#"{"prompt_tokens":18446744073709551616,"completion_tokens": 5 }"#,
            (0, 5, 0),
        ),
        ("{}", (0, 0, 0)),
    ] {
        let counted = |usage: Usage| (usage.input, usage.output, usage.cached);
        let body = format!(r#"{{"id":"x","usage":{usage},"choices":[{{"usage":1}}]}}"#);
        let value: serde_json::Value = serde_json::from_str(usage).expect("JSON");
        assert_eq!(Usage::of(Dialect::Chat, &value).map(counted), Some(expected), "{usage}");
        assert_eq!(
            Usage::of_body(Dialect::Chat, body.as_bytes()).map(counted),
            Some(expected),
            "{usage}"
        );
    }
    for usage in ["null", "[]", "7"] {
        assert_eq!(
            Usage::of_body(Dialect::Chat, format!(r#"{{"usage":{usage}}}"#).as_bytes()),
            None,
            "{usage}"
        );
    }
}

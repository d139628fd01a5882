//! Between the words of a client and those of a provider: what is sent, and what comes back.
//!
//! Where both use the same, bytes are passed on, and only looked at for what was used. Where they do not, what is said is put
//! into the other's words, both ways.

use std::collections::VecDeque;

use axum::body::Bytes;
use axum::http::StatusCode;
use orch_shared::inference::errors::{Fault, message_in};
use orch_shared::inference::request::{Body, add_extra, name_limit};
use orch_shared::inference::responses::Echo;
use orch_shared::inference::stream::{Client, Translation, Upstream};
use orch_shared::inference::usage::{Scan, Watch};
use orch_shared::inference::{Dialect, Note, Object, Stamp, Translated, Usage, anthropic, responses};
use orch_shared::kinds::llm::{Llm, Provider};
use serde_json::{Value, json};

use super::choice::Model;
use super::refused::Refused;
use super::relay::Passage;

/// How long an answer may be, in the words of Messages, and in the older ones of chat.
const LIMIT: &str = "max_tokens";

/// What lies between a client and a model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Bridge {
    /// Nothing: both use the same words.
    Passing(Dialect),
    /// A translation between the client's words and those of the provider.
    Translating(Dialect, Upstream),
    /// The model answers from its script.
    Scripted(Dialect),
}

impl Bridge {
    /// What lies between; or why there is no way, in a clause.
    pub(super) fn between(dialect: Dialect, spec: &Llm) -> Result<Self, String> {
        Ok(match (spec.provider, dialect) {
            (Provider::Scripted | Provider::Anthropic, Dialect::Embeddings) => {
                return Err("it makes no embeddings".to_owned());
            }
            (Provider::Scripted, _) => Self::Scripted(dialect),
            (Provider::Anthropic, Dialect::Messages) => Self::Passing(dialect),
            (Provider::Anthropic, Dialect::Chat | Dialect::Responses) => Self::Translating(dialect, Upstream::Messages),
            // These have OpenAI's newer words as well.
            (Provider::Openai | Provider::Vllm | Provider::Ollama, Dialect::Responses) => Self::Passing(dialect),
            (
                Provider::Openai | Provider::Deepseek | Provider::Vllm | Provider::Ollama | Provider::OpenaiCompatible,
                Dialect::Chat | Dialect::Embeddings,
            ) => Self::Passing(dialect),
            (
                Provider::Openai | Provider::Deepseek | Provider::Vllm | Provider::Ollama | Provider::OpenaiCompatible,
                Dialect::Messages | Dialect::Responses,
            ) => Self::Translating(dialect, Upstream::Chat),
        })
    }

    /// Where the provider is asked.
    pub(super) const fn path(&self) -> &'static str {
        match self {
            Self::Passing(dialect) | Self::Scripted(dialect) => dialect.path(),
            Self::Translating(_, Upstream::Chat) => Dialect::Chat.path(),
            Self::Translating(_, Upstream::Messages) => Dialect::Messages.path(),
        }
    }

    /// The request, in the provider's words, and what it does not say any more.
    pub(super) fn outgoing(&self, body: &Body<'_>, spec: &Llm) -> Result<(Bytes, Vec<Note>), Refused> {
        let extra = spec.extra.as_ref();
        match self {
            Self::Passing(_) | Self::Scripted(_) => {
                let mut body = body.clone();
                body.set_model(&spec.model);
                if let Some(extra) = extra {
                    body.add_extra(extra);
                }
                body.ask_usage();
                body.leave_out_unsigned();
                Ok((body.to_json().into(), Vec::new()))
            }
            Self::Translating(dialect, upstream) => {
                let Translated {
                    body: mut said,
                    mut notes,
                } = in_chat(*dialect, body)?;
                if *upstream == Upstream::Messages {
                    // The limit is part of what is translated: what is thought has to fit into it.
                    let declared = extra.and_then(|extra| extra.get(LIMIT));
                    if let Some(limit) = declared.filter(|_| !body.is_limited()) {
                        said.insert(LIMIT.to_owned(), limit.clone());
                    }
                    let translated = anthropic::request_from_chat(said).map_err(Refused::untranslatable)?;
                    said = translated.body;
                    notes.extend(translated.notes);
                }
                said.insert("model".to_owned(), json!(spec.model));
                if let Some(extra) = extra {
                    add_extra(&mut said, extra);
                }
                if *upstream == Upstream::Chat {
                    name_limit(&mut said, spec.provider);
                    if body.is_streamed() {
                        said.insert("stream_options".to_owned(), json!({"include_usage": true}));
                    }
                }
                Ok((Value::Object(said).to_string().into(), notes))
            }
        }
    }

    /// An answer that is there whole, in the client's words, and what was used.
    pub(super) fn whole(&self, body: &Body<'_>, stamp: &Stamp, status: StatusCode, answer: Bytes) -> (Bytes, Usage) {
        let (dialect, upstream) = match self {
            Self::Passing(dialect) | Self::Scripted(dialect) => {
                let usage = Usage::of_body(*dialect, &answer).unwrap_or_default();
                return (answer, usage);
            }
            Self::Translating(dialect, upstream) => (*dialect, *upstream),
        };
        if !status.is_success() {
            let message =
                message_in(&answer).unwrap_or_else(|| format!("the provider answers HTTP {}", status.as_u16()));
            return (told(dialect, status, &message), Usage::default());
        }
        let Ok(said) = serde_json::from_slice::<Object>(&answer) else {
            return (
                told(
                    dialect,
                    StatusCode::BAD_GATEWAY,
                    "the provider's answer is no JSON object",
                ),
                Usage::default(),
            );
        };
        let usage = Usage::of_answer(dialect_of(upstream), &said).unwrap_or_default();
        let said = match upstream {
            Upstream::Chat => said,
            Upstream::Messages => anthropic::response_to_chat(&said, stamp),
        };
        let said = from_chat(dialect, body, said, stamp);
        (Value::Object(said).to_string().into(), usage)
    }

    /// What makes of a stream of the provider's one for the client.
    pub(super) fn passage(&self, body: &Body<'_>, stamp: &Stamp) -> Box<dyn Passage> {
        match self {
            Self::Passing(dialect) | Self::Scripted(dialect) => Box::new(Watched {
                dialect: *dialect,
                scan: Scan::new(*dialect, body.usage_chunk()),
            }),
            Self::Translating(dialect, upstream) => {
                Box::new(InOtherWords(Translation::new(*upstream, client(*dialect, body), stamp)))
            }
        }
    }
}

const fn dialect_of(upstream: Upstream) -> Dialect {
    match upstream {
        Upstream::Chat => Dialect::Chat,
        Upstream::Messages => Dialect::Messages,
    }
}

/// A request in the words of chat completions.
pub(super) fn chat(dialect: Dialect, body: &Body<'_>) -> Result<Object, Refused> {
    in_chat(dialect, body).map(|translated| translated.body)
}

fn in_chat(dialect: Dialect, body: &Body<'_>) -> Result<Translated, Refused> {
    let said = body.to_object().map_err(Refused::untranslatable)?;
    let translated = match dialect {
        Dialect::Chat | Dialect::Embeddings => Ok(Translated {
            body: said,
            notes: Vec::new(),
        }),
        Dialect::Messages => anthropic::request_to_chat(said),
        Dialect::Responses => responses::request_to_chat(said),
    };
    translated.map_err(Refused::untranslatable)
}

/// A whole answer of chat completions, in the client's words.
pub(super) fn from_chat(dialect: Dialect, body: &Body<'_>, said: Object, stamp: &Stamp) -> Object {
    match dialect {
        Dialect::Chat | Dialect::Embeddings => said,
        Dialect::Messages => anthropic::response_from_chat(&said, stamp),
        Dialect::Responses => responses::response_from_chat(&said, &echo(body), stamp),
    }
}

/// What a client is streamed.
pub(super) fn client(dialect: Dialect, body: &Body<'_>) -> Client {
    match dialect {
        Dialect::Chat | Dialect::Embeddings => Client::Chat(body.usage_chunk()),
        Dialect::Messages => Client::Messages(body.input_estimate()),
        Dialect::Responses => Client::Responses(echo(body)),
    }
}

fn echo(body: &Body<'_>) -> Echo {
    Echo::of(&body.to_object().unwrap_or_default())
}

fn told(dialect: Dialect, status: StatusCode, message: &str) -> Bytes {
    let fault = Fault {
        status: status.as_u16(),
        message,
        param: None,
        code: None,
    };
    fault.body(dialect).to_string().into()
}

/// Whether an answer has come to its end: whichever way that is told.
fn is_complete(watch: &Watch) -> bool {
    watch.end_seen() || watch.error_seen() || watch.finish_reason().is_some()
}

/// Bytes that pass, watched.
struct Watched {
    dialect: Dialect,
    scan: Scan,
}

impl Passage for Watched {
    fn push(&mut self, chunk: Bytes, out: &mut VecDeque<Bytes>) {
        let passed = self.scan.push(&chunk);
        if !passed.kept.is_empty() {
            out.push_back(passed.kept.into());
        }
        out.extend(passed.parts.into_iter().map(|part| chunk.slice(part)));
    }

    fn end(&mut self, out: &mut VecDeque<Bytes>) -> bool {
        let rest = self.scan.finish();
        if !rest.is_empty() {
            out.push_back(rest.into());
        }
        if !is_complete(self.watch()) {
            return false;
        }
        // A provider that leaves out the mark of the end has said all the same why it stopped.
        if !self.watch().end_seen() && !self.watch().error_seen() {
            let mark: &[u8] = match self.dialect {
                Dialect::Chat | Dialect::Embeddings => b"\n\ndata: [DONE]\n\n",
                Dialect::Messages => b"\n\nevent: message_stop\ndata: {\"type\":\"message_stop\"}\n\n",
                Dialect::Responses => b"",
            };
            out.push_back(Bytes::from_static(mark));
        }
        true
    }

    fn broke_off(&mut self, message: &str, out: &mut VecDeque<Bytes>) {
        let fault = Fault {
            status: StatusCode::BAD_GATEWAY.as_u16(),
            message,
            param: None,
            code: Some("provider_failed"),
        };
        // What was begun is ended first, so that the error is an event of its own.
        let mut event = b"\n\n".to_vec();
        fault.event(self.dialect).write(&mut event);
        out.push_back(event.into());
    }

    fn watch(&self) -> &Watch {
        self.scan.watch()
    }
}

/// Events that are translated.
struct InOtherWords(Translation);

impl Passage for InOtherWords {
    fn push(&mut self, chunk: Bytes, out: &mut VecDeque<Bytes>) {
        let mut said = Vec::new();
        if let Err(error) = self.0.push(&chunk, &mut said) {
            self.0
                .fail(StatusCode::BAD_GATEWAY.as_u16(), &error.to_string(), &mut said);
        }
        if !said.is_empty() {
            out.push_back(said.into());
        }
    }

    fn end(&mut self, out: &mut VecDeque<Bytes>) -> bool {
        let mut said = Vec::new();
        self.0.finish(&mut said);
        if !said.is_empty() {
            out.push_back(said.into());
        }
        is_complete(self.watch())
    }

    fn broke_off(&mut self, message: &str, out: &mut VecDeque<Bytes>) {
        let mut said = Vec::new();
        self.0.fail(StatusCode::BAD_GATEWAY.as_u16(), message, &mut said);
        if !said.is_empty() {
            out.push_back(said.into());
        }
    }

    fn watch(&self) -> &Watch {
        self.0.watch()
    }
}

/// The stamp of an answer that is made here.
pub(super) fn stamp(model: &Model, uid: String, created: i64) -> Stamp {
    let mut id = uid;
    id.retain(|character| character != '-');
    Stamp {
        id,
        created: u64::try_from(created / 1000).unwrap_or_default(),
        model: model.name().to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lies_between() {
        use Dialect::{Chat, Embeddings, Messages, Responses};
        let llm = |provider: Provider| -> Llm {
            serde_json::from_value(json!({"provider": provider, "model": "m"})).expect("a model")
        };
        for (provider, dialect, expected) in [
            (Provider::Openai, Chat, Some(Bridge::Passing(Chat))),
            (Provider::Openai, Responses, Some(Bridge::Passing(Responses))),
            (Provider::Openai, Embeddings, Some(Bridge::Passing(Embeddings))),
            (
                Provider::Openai,
                Messages,
                Some(Bridge::Translating(Messages, Upstream::Chat)),
            ),
            (
                Provider::Deepseek,
                Responses,
                Some(Bridge::Translating(Responses, Upstream::Chat)),
            ),
            (Provider::Anthropic, Messages, Some(Bridge::Passing(Messages))),
            (
                Provider::Anthropic,
                Chat,
                Some(Bridge::Translating(Chat, Upstream::Messages)),
            ),
            (Provider::Anthropic, Embeddings, None),
            (Provider::Scripted, Chat, Some(Bridge::Scripted(Chat))),
            (Provider::Scripted, Embeddings, None),
        ] {
            assert_eq!(
                Bridge::between(dialect, &llm(provider)).ok(),
                expected,
                "{provider:?} {dialect:?}"
            );
        }
    }
}

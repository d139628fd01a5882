//! The few members of a request that a relay reads or sets; everything else stays as it came, byte for byte.

use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::fields::{Placed as _, refused};
use super::{Dialect, Object, Refused, estimate};
use crate::jsonrpc::{Members, raw};
use crate::kinds::llm::Provider;

/// Members that are the client's and the relay's business and never a default's.
pub const NEVER_EXTRA: [&str; 3] = ["model", "stream", "stream_options"];

/// How many answers are asked for.
const ANSWERS: &str = "n";

/// Other parameters of answers, which embeddings do not have.
const OF_ANSWERS: [&str; 17] = [
    "frequency_penalty",
    "logit_bias",
    "logprobs",
    "parallel_tool_calls",
    "presence_penalty",
    "reasoning",
    "reasoning_effort",
    "response_format",
    "seed",
    "stop",
    "temperature",
    "thinking",
    "tool_choice",
    "tools",
    "top_k",
    "top_logprobs",
    "top_p",
];

/// The names under which the length of an answer is limited. Models refuse two of them at once, so they are one parameter.
const LIMITS: [&str; 3] = ["max_tokens", "max_completion_tokens", "max_output_tokens"];

/// The body of a request, read one level deep.
#[derive(Debug, Clone)]
pub struct Body<'m> {
    dialect: Dialect,
    size: usize,
    members: Members<'m>,
    model: String,
    is_streamed: bool,
    wants_usage: bool,
    limit: Option<u64>,
    answers: Option<u64>,
}

/// How much output a request may lead to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OutputBound {
    /// Tokens of one answer at most, where that is bounded.
    pub length: Option<u64>,
    /// How many answers are asked for.
    pub answers: u64,
}

impl<'m> Body<'m> {
    /// Reads a body.
    ///
    /// # Errors
    /// What is no JSON object, names no model, says one of the members that are read here twice or in another case (the next
    /// reader might take the other one), or says them in a type that they do not have.
    pub fn read(dialect: Dialect, body: &'m [u8]) -> Result<Self, Refused> {
        let text = std::str::from_utf8(body).map_err(|error| refused(format!("the body is no text: {error}")))?;
        let value: &RawValue =
            serde_json::from_str(text).map_err(|error| refused(format!("the body is not JSON: {error}")))?;
        let members = Members::of(value).ok_or_else(|| refused("the body is not a JSON object"))?;
        // They are read here: whoever is behind must not read another one.
        let ambiguous = members.ambiguous(&NEVER_EXTRA).or_else(|| members.ambiguous(&LIMITS));
        match ambiguous.or_else(|| members.ambiguous(&[ANSWERS])) {
            None => {}
            Some((written, name)) if written == name => return Err(refused("given more than once").at(name)),
            Some((written, name)) => {
                return Err(
                    refused(format!("this is spelled `{name}`; some models would take it for that")).at(written),
                );
            }
        }
        let model = match given(&members, "model") {
            None => return Err(refused("required, and not given").at("model")),
            Some(model) => read(model, "a string").at("model")?,
        };
        let is_streamed = match given(&members, "stream") {
            None => false,
            Some(stream) => read(stream, "true or false").at("stream")?,
        };
        let wants_usage = match given(&members, "stream_options") {
            None => false,
            Some(options) => {
                let options = Members::of(options).ok_or_else(|| refused("expected an object").at("stream_options"))?;
                match given(&options, "include_usage") {
                    None => false,
                    Some(include) => read(include, "true or false")
                        .at("include_usage")
                        .at("stream_options")?,
                }
            }
        };
        let mut limit = None;
        for name in LIMITS {
            if let Some(value) = given(&members, name) {
                limit = Some(read(value, "a whole number that is not negative").at(name)?).max(limit);
            }
        }
        let answers = match given(&members, ANSWERS) {
            None => None,
            Some(answers) => Some(read(answers, "a whole number that is not negative").at(ANSWERS)?),
        };
        Ok(Self {
            dialect,
            size: body.len(),
            members,
            model,
            is_streamed,
            wants_usage,
            limit,
            answers,
        })
    }

    /// The model that is asked.
    #[must_use]
    pub fn model(&self) -> &str {
        &self.model
    }

    /// Whether the answer is to be streamed.
    #[must_use]
    pub const fn is_streamed(&self) -> bool {
        self.is_streamed
    }

    /// What becomes of the chunk that tells the usage: it is for the client only when it said
    /// `stream_options.include_usage`.
    #[must_use]
    pub const fn usage_chunk(&self) -> super::usage::UsageChunk {
        if self.wants_usage {
            super::usage::UsageChunk::Passed
        } else {
            super::usage::UsageChunk::CutOut
        }
    }

    /// How long the answers may be and how many may come, where the request does not say it by what `extra` adds.
    #[must_use]
    pub fn output_bound(&self, extra: Option<&Map<String, Value>>) -> OutputBound {
        let added = |name: &str| extra.and_then(|extra| extra.get(name)).and_then(Value::as_u64);
        OutputBound {
            length: self
                .limit
                .or_else(|| LIMITS.iter().filter_map(|name| added(name)).max()),
            answers: self.answers.or_else(|| added(ANSWERS)).unwrap_or(1).max(1),
        }
    }

    /// Whether it says itself how long the answer may be.
    #[must_use]
    pub const fn is_limited(&self) -> bool {
        self.limit.is_some()
    }

    /// The dialect that it is of.
    #[must_use]
    pub const fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// How many bytes the request has.
    #[must_use]
    pub const fn size(&self) -> usize {
        self.size
    }

    /// How many tokens the input has, roughly (see [`estimate`]): of the members that a model reads.
    #[must_use]
    pub fn input_estimate(&self) -> u64 {
        let read: &[&str] = match self.dialect {
            Dialect::Chat => &["messages", "tools", "response_format"],
            Dialect::Responses => &["instructions", "input", "tools", "text"],
            Dialect::Embeddings => &["input"],
            Dialect::Messages => &["system", "messages", "tools"],
        };
        let given = read.iter().filter_map(|name| self.members.get(name));
        given.map(|value| estimate::of_json(value.get())).sum()
    }

    /// Asks another model.
    pub fn set_model(&mut self, model: &str) {
        self.members.set("model", raw(model));
        model.clone_into(&mut self.model);
    }

    /// Adds parameters that the request does not set itself. See [`add_extra`]. Those that are about answers are nothing to
    /// embeddings.
    pub fn add_extra(&mut self, extra: &Map<String, Value>) {
        let set = |name: &str| self.members.get(name).is_some();
        let is_fit = |name: &str| self.dialect != Dialect::Embeddings || !is_about_answers(name);
        let added = extra.iter().filter(|(name, _)| is_fit(name) && may_be_added(name, set));
        let added: Vec<_> = added.collect();
        for (name, value) in added {
            self.members.set(name, raw(value));
        }
    }

    /// Asks for the usage of a streamed chat completion, whatever the client said; the rest of its `stream_options` stays.
    /// Other dialects tell it unasked, and are left as they are.
    pub fn ask_usage(&mut self) {
        if self.dialect != Dialect::Chat || !self.is_streamed || self.wants_usage {
            return;
        }
        let mut options = self.members.members("stream_options").unwrap_or_default();
        options.set("include_usage", raw(&true));
        let options = options.to_raw();
        self.members.set("stream_options", options);
    }

    /// Leaves out thoughts of earlier turns that nobody has signed, of a request in the words of Messages: they are of a model
    /// that stood in for the one that is asked, which would refuse the whole request for them.
    pub fn leave_out_unsigned(&mut self) {
        if self.dialect != Dialect::Messages || !self.members.get("messages").is_some_and(may_hold_unsigned) {
            return;
        }
        let messages = self.members.get("messages").map(RawValue::get);
        let Some(Value::Array(mut messages)) = messages.and_then(|messages| serde_json::from_str(messages).ok()) else {
            return;
        };
        messages.retain_mut(|message| {
            let Some(blocks) = message["content"].as_array_mut() else {
                return true;
            };
            let before = blocks.len();
            blocks.retain(|block| block["type"] != "thinking" || block["signature"] != "");
            !blocks.is_empty() || before == 0
        });
        self.members.set("messages", raw(&messages));
    }

    /// The body as JSON text.
    #[must_use]
    pub fn to_json(&self) -> String {
        String::from(Box::<str>::from(self.members.to_raw()))
    }

    /// The body as a value, to be translated.
    ///
    /// # Errors
    /// What is nested deeper than is read, or holds a number that no number can hold.
    pub fn to_object(&self) -> Result<Object, Refused> {
        serde_json::from_str(&self.to_json()).map_err(|error| refused(format!("the body cannot be read: {error}")))
    }
}

/// Whether an empty signature may stand there, without reading it all.
fn may_hold_unsigned(messages: &RawValue) -> bool {
    let mut parts = messages.get().split("\"signature\"").skip(1);
    parts.any(|rest| {
        let value = rest.trim_start().strip_prefix(':').map(str::trim_start);
        value.is_some_and(|value| value.starts_with("\"\""))
    })
}

fn given<'g>(members: &'g Members<'_>, name: &str) -> Option<&'g RawValue> {
    members.get(name).filter(|value| value.get() != "null")
}

fn read<'r, T: serde::Deserialize<'r>>(value: &'r RawValue, expected: &str) -> Result<T, Refused> {
    serde_json::from_str(value.get()).map_err(|_| refused(format!("expected {expected}")))
}

fn is_about_answers(name: &str) -> bool {
    LIMITS.contains(&name) || name == ANSWERS || OF_ANSWERS.contains(&name)
}

fn may_be_added(name: &str, is_set: impl Fn(&str) -> bool) -> bool {
    let is_limited = || LIMITS.contains(&name) && LIMITS.iter().any(|other| is_set(other));
    !NEVER_EXTRA.contains(&name) && !is_set(name) && !is_limited()
}

/// Adds parameters to a request that does not set them itself, `null` being set. `model`, `stream` and `stream_options` are
/// never added, and no second limit of the answer's length beside one of another name.
pub fn add_extra(body: &mut Object, extra: &Map<String, Value>) {
    let added: Vec<_> = extra
        .iter()
        .filter(|(name, _)| may_be_added(name, |name| body.contains_key(name)))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    body.extend(added);
}

/// Names the limit of a chat completion as its provider knows it: translated requests say `max_completion_tokens`, which
/// OpenAI's reasoning models insist on, and others have never heard of.
pub fn name_limit(body: &mut Object, provider: Provider) {
    match provider {
        Provider::Openai | Provider::Anthropic | Provider::Scripted => {}
        Provider::Deepseek | Provider::Vllm | Provider::Ollama | Provider::OpenaiCompatible => {
            if let Some(limit) = body.shift_remove("max_completion_tokens") {
                body.entry("max_tokens").or_insert(limit);
            }
        }
    }
}

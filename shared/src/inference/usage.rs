//! What an answer cost in tokens, in the words of every dialect.
//!
//! [`Usage`] is read from the `usage` object of an answer, or found by [`Scan`] in one that is streamed, and written again
//! in any dialect.

mod scan;

use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::{Dialect, Object};
use crate::jsonrpc::Members;

pub use scan::{Passed, Scan, UsageChunk, Watch};

/// Tokens of one answer. In every dialect `input` is all input, whether it came from a cache, went to one, or neither, and
/// `output` is all output: the other three are parts of these two.
///
/// OpenAI counts so; Anthropic's `input_tokens` leave out what was read from the cache and written to it, which are added.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Usage {
    /// All input.
    pub input: u64,
    /// All output, reasoning included.
    pub output: u64,
    /// Of the input, what was read from a cache.
    pub cached: u64,
    /// Of the input, what was written to a cache.
    pub cache_written: u64,
    /// Of the output, what was reasoning.
    pub reasoning: u64,
}

impl Usage {
    /// Reads the `usage` object of a dialect; nothing when it is no object. Counts that are missing or no counts are 0.
    #[must_use]
    pub fn of(dialect: Dialect, usage: &Value) -> Option<Self> {
        let usage = usage.as_object()?;
        let mut counts = Counts::default();
        counts.add(dialect, usage);
        Some(counts.usage())
    }

    /// Reads the usage out of a whole answer of a dialect.
    #[must_use]
    pub fn of_answer(dialect: Dialect, answer: &Object) -> Option<Self> {
        Self::of(dialect, answer.get("usage")?)
    }

    /// The same out of the text of an answer.
    #[must_use]
    pub fn of_body(dialect: Dialect, body: &[u8]) -> Option<Self> {
        #[derive(serde::Deserialize)]
        struct Answer<'a> {
            #[serde(borrow)]
            usage: &'a RawValue,
        }
        // A handful of figures: a tree of values would take as long as all the rest of the answer.
        let answer: Answer<'_> = serde_json::from_slice(body).ok()?;
        let mut counts = Counts::default();
        counts.add(dialect, &Members::of(answer.usage)?);
        Some(counts.usage())
    }

    /// The `usage` object of a dialect.
    #[must_use]
    pub fn to_value(self, dialect: Dialect) -> Value {
        let Self {
            input,
            output,
            cached,
            cache_written,
            reasoning,
        } = self;
        let total = input.saturating_add(output);
        match dialect {
            Dialect::Chat => json!({
                "prompt_tokens": input,
                "completion_tokens": output,
                "total_tokens": total,
                "prompt_tokens_details": {"cached_tokens": cached, "cache_write_tokens": cache_written},
                "completion_tokens_details": {"reasoning_tokens": reasoning},
            }),
            Dialect::Responses => json!({
                "input_tokens": input,
                "input_tokens_details": {"cached_tokens": cached, "cache_write_tokens": cache_written},
                "output_tokens": output,
                "output_tokens_details": {"reasoning_tokens": reasoning},
                "total_tokens": total,
            }),
            Dialect::Embeddings => json!({"prompt_tokens": input, "total_tokens": total}),
            Dialect::Messages => {
                let mut usage = json!({
                    "input_tokens": input.saturating_sub(cached).saturating_sub(cache_written),
                    "cache_creation_input_tokens": cache_written,
                    "cache_read_input_tokens": cached,
                    "output_tokens": output,
                });
                if reasoning > 0 {
                    usage["output_tokens_details"] = json!({"thinking_tokens": reasoning});
                }
                usage
            }
        }
    }
}

/// An object that holds figures.
pub(super) trait Figures {
    /// The figure at a path of names, where there is one that is whole and not negative.
    fn figure(&self, path: &[&str]) -> Option<u64>;
}

impl Figures for Object {
    fn figure(&self, path: &[&str]) -> Option<u64> {
        let (first, rest) = path.split_first()?;
        let value = rest.iter().try_fold(self.get(*first)?, |value, name| value.get(name))?;
        value.as_u64()
    }
}

impl Figures for Members<'_> {
    fn figure(&self, path: &[&str]) -> Option<u64> {
        match path {
            [] => None,
            [name] => self.get(name)?.get().parse().ok(),
            [first, rest @ ..] => self.members(first)?.figure(rest),
        }
    }
}

/// Counts as they come, in one object or in several, the last one of each being right.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Counts {
    dialect: Option<Dialect>,
    input: u64,
    output: u64,
    cached: u64,
    cache_written: u64,
    reasoning: u64,
}

impl Counts {
    pub(super) fn add(&mut self, dialect: Dialect, usage: &impl Figures) {
        self.dialect = Some(dialect);
        let set = |place: &mut u64, spellings: &[&[&str]]| {
            let found = spellings.iter().find_map(|path| usage.figure(path));
            *place = found.unwrap_or(*place);
        };
        match dialect {
            Dialect::Chat | Dialect::Embeddings => {
                set(&mut self.input, &[&["prompt_tokens"]]);
                set(&mut self.output, &[&["completion_tokens"]]);
                // DeepSeek counts hits of its cache beside the details.
                let cached: [&[&str]; 2] = [
                    &["prompt_tokens_details", "cached_tokens"],
                    &["prompt_cache_hit_tokens"],
                ];
                set(&mut self.cached, &cached);
                set(
                    &mut self.cache_written,
                    &[&["prompt_tokens_details", "cache_write_tokens"]],
                );
                set(
                    &mut self.reasoning,
                    &[&["completion_tokens_details", "reasoning_tokens"]],
                );
            }
            Dialect::Responses => {
                set(&mut self.input, &[&["input_tokens"]]);
                set(&mut self.output, &[&["output_tokens"]]);
                set(&mut self.cached, &[&["input_tokens_details", "cached_tokens"]]);
                set(
                    &mut self.cache_written,
                    &[&["input_tokens_details", "cache_write_tokens"]],
                );
                set(&mut self.reasoning, &[&["output_tokens_details", "reasoning_tokens"]]);
            }
            Dialect::Messages => {
                set(&mut self.input, &[&["input_tokens"]]);
                set(&mut self.output, &[&["output_tokens"]]);
                set(&mut self.cached, &[&["cache_read_input_tokens"]]);
                set(&mut self.cache_written, &[&["cache_creation_input_tokens"]]);
                set(&mut self.reasoning, &[&["output_tokens_details", "thinking_tokens"]]);
            }
        }
    }

    pub(super) fn usage(self) -> Usage {
        let beside = match self.dialect {
            Some(Dialect::Messages) => self.cached.saturating_add(self.cache_written),
            Some(Dialect::Chat | Dialect::Responses | Dialect::Embeddings) | None => 0,
        };
        Usage {
            input: self.input.saturating_add(beside),
            output: self.output,
            cached: self.cached,
            cache_written: self.cache_written,
            reasoning: self.reasoning,
        }
    }
}

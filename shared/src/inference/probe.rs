//! Asking a provider how it is: what is sent, and what its answer means.
//!
//! The list of models is what costs nothing anywhere. Anthropic's is no proof that messages may be sent, so that a key is
//! proved there by the smallest message there is.

use serde_json::{Value, json};

use super::Dialect;
use super::errors::message_in;
use crate::kinds::llm::{Llm, Provider};

/// Where the models of a provider are listed, below a base URL.
const MODELS: &str = "/v1/models";

/// What is to be known of a provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Probe {
    /// Whether it takes the key. This may cost a token.
    Key,
    /// Whether it answers. This costs nothing.
    Health,
}

impl Probe {
    /// Where that is asked, below a base URL.
    #[must_use]
    pub const fn path(self, provider: Provider) -> &'static str {
        match (self, provider) {
            (Self::Key, Provider::Anthropic) => Dialect::Messages.path(),
            (
                Self::Key | Self::Health,
                Provider::Openai
                | Provider::Anthropic
                | Provider::Deepseek
                | Provider::Vllm
                | Provider::Ollama
                | Provider::OpenaiCompatible
                | Provider::Scripted,
            ) => MODELS,
        }
    }

    /// What is posted there; nothing where it is a GET.
    #[must_use]
    pub fn body(self, spec: &Llm) -> Option<Value> {
        match (self, spec.provider) {
            (Self::Key, Provider::Anthropic) => Some(json!({
                "model": spec.model,
                "max_tokens": 1,
                "messages": [{"role": "user", "content": "ping"}],
            })),
            (
                Self::Key | Self::Health,
                Provider::Openai
                | Provider::Anthropic
                | Provider::Deepseek
                | Provider::Vllm
                | Provider::Ollama
                | Provider::OpenaiCompatible
                | Provider::Scripted,
            ) => None,
        }
    }
}

/// How a provider was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// It answers as it should.
    Well,
    /// It does not take the key: the status, and its words.
    KeyRefused(u16, Option<String>),
    /// It wants a key, and none is declared: the status, and its words.
    KeyMissing(u16, Option<String>),
    /// It answers that it is in trouble itself: the status, and its words.
    Failing(u16, Option<String>),
    /// It answers something else, from which nothing follows: the status, and its words.
    Odd(u16, Option<String>),
    /// There is no answer: why, in a clause.
    Unreachable(String),
    /// It cannot be asked as it is declared, or its key cannot be had: why, in a clause.
    Unfit(String),
}

impl Found {
    /// What an answer means. Of the body, the provider's words are kept: on one line, printable, and not long.
    #[must_use]
    pub fn of(status: u16, body: &[u8], has_key: bool) -> Self {
        let said = || message_in(body);
        match status {
            200..=299 => Self::Well,
            401 | 403 if has_key => Self::KeyRefused(status, said()),
            401 | 403 => Self::KeyMissing(status, said()),
            500.. => Self::Failing(status, said()),
            _ => Self::Odd(status, said()),
        }
    }

    /// In one word, as conditions have it.
    #[must_use]
    pub const fn reason(&self) -> &'static str {
        match self {
            Self::Well => "Answers",
            Self::KeyRefused(..) => "KeyRefused",
            Self::KeyMissing(..) => "KeyMissing",
            Self::Failing(..) => "ProviderFails",
            Self::Odd(..) => "OddAnswer",
            Self::Unreachable(_) => "Unreachable",
            Self::Unfit(_) => "CannotBeAsked",
        }
    }

    /// The rest of a sentence that begins with the provider.
    #[must_use]
    pub fn clause(&self) -> String {
        let told = |what: &str, status: &u16, said: &Option<String>| match said {
            Some(said) => format!("{what} (HTTP {status}): {said}"),
            None => format!("{what} (HTTP {status})"),
        };
        match self {
            Self::Well => "answers".to_owned(),
            Self::KeyRefused(status, said) => told("does not take the key", status, said),
            Self::KeyMissing(status, said) => told("wants a key, and none is declared", status, said),
            Self::Failing(status, said) => told("is in trouble", status, said),
            Self::Odd(status, said) => told("does not say whether it takes requests", status, said),
            Self::Unreachable(why) => format!("cannot be reached: {why}"),
            Self::Unfit(why) => format!("cannot be asked: {why}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn llm(provider: Provider) -> Llm {
        serde_json::from_value(json!({"provider": provider, "model": "m"})).expect("a model")
    }

    #[test]
    fn only_a_key_of_anthropic_costs_anything() {
        for provider in [
            Provider::Openai,
            Provider::Ollama,
            Provider::Anthropic,
            Provider::OpenaiCompatible,
        ] {
            assert_eq!(Probe::Health.path(provider), "/v1/models");
            assert_eq!(Probe::Health.body(&llm(provider)), None);
            assert_eq!(
                Probe::Key.body(&llm(provider)).is_some(),
                Probe::Key.path(provider) == "/v1/messages",
                "{provider:?}"
            );
        }
        let asked = Probe::Key.body(&llm(Provider::Anthropic)).expect("a message");
        assert_eq!((&asked["max_tokens"], &asked["model"]), (&json!(1), &json!("m")));
    }

    #[test]
    fn answers_mean_something() {
        let said = Some("no".to_owned());
        for (status, has_key, expected) in [
            (200, true, Found::Well),
            (204, false, Found::Well),
            (401, true, Found::KeyRefused(401, said.clone())),
            (403, true, Found::KeyRefused(403, said.clone())),
            (401, false, Found::KeyMissing(401, said.clone())),
            (404, true, Found::Odd(404, said.clone())),
            (302, true, Found::Odd(302, said.clone())),
            (429, true, Found::Odd(429, said.clone())),
            (503, true, Found::Failing(503, said.clone())),
        ] {
            let found = Found::of(status, br#"{"error": {"message": "no"}}"#, has_key);
            assert_eq!(found, expected, "{status} {has_key}");
            assert_eq!(found.clause().ends_with(": no"), found != Found::Well);
        }
        let loud = Found::of(401, "\u{1b}[31m".repeat(400).as_bytes(), true).clause();
        assert!(loud.chars().count() < 4000 && !loud.contains('\u{1b}'), "{loud}");
    }
}

//! Llm: a language model behind one of the known providers.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::inference::request;
use crate::kind::{Action, Cell, Column, Kind, Maker, Meta, Reference, Removal, Report, ScopeType, Spec};
use crate::money::{USUAL, is_currency};
use crate::name::Name;
use crate::publishing::PublishedStatus;
use crate::quantity::Span;
use crate::value::SecretKeyRef;

/// A language model: where it answers, what it costs, and what may be asked of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Llm {
    /// What the model is for, in a sentence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Whose wire format it speaks.
    pub provider: Provider,
    /// The model's name at the provider.
    pub model: String,
    /// Base URL. Default: the provider's own; a trailing `/v1` is accepted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// What it is fit for. Default: fast.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tier: Option<Tier>,
    /// The Secret key that holds the API key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api_key_ref: Option<SecretKeyRef>,
    /// Parameters passed through to the provider with every request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub extra: Option<Map<String, Value>>,
    /// What tokens cost.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pricing: Option<Pricing>,
    /// How much may be asked of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limits: Option<Limits>,
    /// Llms to ask when this one does not answer, in order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fallbacks: Option<Vec<Name>>,
    /// How long an answer may take. Default: 120s.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout: Option<Span>,
    /// How many tokens a request and its answer may have together. Threads of agents that become longer are summed up.
    /// Default: as many as the provider takes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1))]
    pub context_window: Option<u64>,
    /// What a `scripted` model answers, turn by turn.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub script: Option<Vec<ScriptedTurn>>,
    /// Whether a client publishes it from where it runs (`orchctl provide`), and passes on what it is asked. Default: no.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub published: Option<bool>,
}

/// Whose wire format a model speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Provider {
    /// OpenAI.
    Openai,
    /// Anthropic.
    Anthropic,
    /// DeepSeek.
    Deepseek,
    /// A vLLM server.
    Vllm,
    /// An Ollama server.
    Ollama,
    /// Anything else that speaks OpenAI's chat completions.
    OpenaiCompatible,
    /// Answers from `script`; for tests and demonstrations.
    Scripted,
}

impl Provider {
    /// The word it goes by in manifests.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Openai => "openai",
            Self::Anthropic => "anthropic",
            Self::Deepseek => "deepseek",
            Self::Vllm => "vllm",
            Self::Ollama => "ollama",
            Self::OpenaiCompatible => "openai-compatible",
            Self::Scripted => "scripted",
        }
    }
}

/// What a model is fit for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Tier {
    /// Quick and cheap: selection, summaries, gating.
    Fast,
    /// Slow and able: the work itself.
    Heavy,
}

/// What tokens cost.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Pricing {
    /// Price of a million input tokens.
    #[schemars(range(min = 0.0))]
    pub input_per_million: f64,
    /// Price of a million input tokens that the provider had cached. Default: the price of input tokens.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0.0))]
    pub cached_input_per_million: Option<f64>,
    /// Price of a million output tokens.
    #[schemars(range(min = 0.0))]
    pub output_per_million: f64,
    /// ISO 4217 code of the currency. Default: USD.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub currency: Option<String>,
}

/// How much may be asked of a model. Its schema is called unlike that of a Server's limits, which are others.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[schemars(rename = "ModelLimits")]
pub struct Limits {
    /// Requests in a minute.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1))]
    pub requests_per_minute: Option<u32>,
    /// Tokens in a minute.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1))]
    pub tokens_per_minute: Option<u64>,
    /// Requests at the same time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1))]
    pub concurrent: Option<u32>,
}

/// One answer of a scripted model. Exactly one of `text`, `toolCalls` and `error` is given.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct ScriptedTurn {
    /// Text to answer with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// Reasoning to show before it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reasoning: Option<String>,
    /// Tools to call.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tool_calls: Option<Vec<ScriptedCall>>,
    /// Error to fail with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<ScriptedError>,
    /// How long to wait first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delay: Option<Span>,
}

/// One tool call of a scripted model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct ScriptedCall {
    /// The tool: `<server>__<tool>`.
    pub name: String,
    /// Its arguments.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub arguments: Option<Map<String, Value>>,
}

/// The error a scripted model fails with.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct ScriptedError {
    /// HTTP status.
    #[schemars(range(min = 400, max = 599))]
    pub status: u16,
    /// Message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

impl Spec for Llm {
    type Status = PublishedStatus;

    const META: Meta = Meta {
        singular: "llm",
        plural: "llms",
        short: &[],
        scopes: &[ScopeType::Cluster],
        maker: Maker::User,
        columns: &[
            Column::new("STATUS", Cell::Field("status.phase")),
            Column::new("PROVIDER", Cell::Field("spec.provider")),
            Column::new("MODEL", Cell::Field("spec.model")),
            Column::new("TIER", Cell::Field("spec.tier")),
            Column::wide("URL", Cell::Field("spec.url")),
            Column::wide("PUBLISHED", Cell::Field("status.publication.state")),
            Column::wide("SET", Cell::Field("status.applySet")),
            Column::new("", Cell::Trouble),
        ],
        actions: &[Action::Rollback],
        removal: Removal::AtOnce,
        name_max: Name::MAX,
        refers_to: &[Kind::Secret, Kind::Llm],
    };

    fn validate(&self, report: &mut Report) {
        if self.model.trim().is_empty() {
            report.invalid("model", "the model has no name");
        }
        if let Some(url) = &self.url
            && !["http://", "https://"]
                .iter()
                .any(|scheme| url.strip_prefix(scheme).is_some_and(|rest| !rest.is_empty()))
        {
            report.invalid("url", format!("`{url}` is not an http:// or https:// URL"));
        } else if let Some(url) = self.url.as_ref().filter(|url| url.contains(char::is_whitespace)) {
            report.invalid("url", format!("`{url}` holds blanks, which no URL does"));
        }
        let needs_url = matches!(self.provider, Provider::Vllm | Provider::OpenaiCompatible);
        // Where it is, and its key, are known to its publisher alone.
        let is_published = self.published == Some(true);
        for (field, is_given) in [
            ("url", self.url.is_some()),
            ("apiKeyRef", self.api_key_ref.is_some()),
            ("script", self.script.is_some()),
        ] {
            if is_published && is_given {
                report.invalid(
                    field,
                    "a published model has none: its publisher knows where it is, and its key",
                );
            }
        }
        if is_published && self.provider == Provider::Scripted {
            report.invalid("provider", "a scripted model is not published: declare it");
        }
        if needs_url && self.url.is_none() && !is_published {
            report.missing("", "this provider has no address of its own: `url` is required");
        }
        match (self.provider == Provider::Scripted, &self.script) {
            (true, None) => {
                report.missing("", "a scripted model needs a `script`");
            }
            (false, Some(_)) => {
                report
                    .invalid("script", "only a scripted model has a script")
                    .hint("provider: scripted");
            }
            (true, Some(_)) | (false, None) => {}
        }
        for (index, turn) in self.script.iter().flatten().enumerate() {
            let given = [turn.text.is_some(), turn.tool_calls.is_some(), turn.error.is_some()];
            if given.iter().filter(|given| **given).count() != 1 {
                report.invalid(
                    &format!("script[{index}]"),
                    "a turn has exactly one of `text`, `toolCalls` and `error`",
                );
            }
        }
        for name in request::NEVER_EXTRA {
            if self.extra.as_ref().is_some_and(|extra| extra.contains_key(name)) {
                let message = format!("`{name}` is said by each request, and never added to one");
                report.invalid(&format!("extra.{name}"), message);
            }
        }
        if self
            .timeout
            .as_ref()
            .is_some_and(|timeout| timeout.duration().is_zero())
        {
            report
                .invalid("timeout", "nothing is answered in no time at all")
                .hint("such as 30s or 2m");
        }
        if let Some(currency) = self.pricing.as_ref().and_then(|pricing| pricing.currency.as_deref())
            && !is_currency(currency)
        {
            report
                .invalid("pricing.currency", format!("`{currency}` is not a currency code"))
                .hint("such as USD or EUR");
        }
    }

    fn references(&self) -> Vec<Reference> {
        let key = self.api_key_ref.iter().map(|key| key.reference("apiKeyRef"));
        let fallbacks = self.fallbacks.iter().flatten().enumerate();
        key.chain(fallbacks.map(|(index, name)| Reference::to(Kind::Llm, name, &format!("fallbacks[{index}]"))))
            .collect()
    }

    fn effective(&self) -> Self {
        let mut full = self.clone();
        full.tier.get_or_insert(Tier::Fast);
        full.timeout.get_or_insert_with(|| Span::seconds(120));
        if let Some(pricing) = &mut full.pricing {
            pricing.currency.get_or_insert_with(|| USUAL.to_owned());
            pricing
                .cached_input_per_million
                .get_or_insert(pricing.input_per_million);
        }
        full
    }
}

//! What was asked of models: one row for each call, how rows are summed up, and what a call costs.
//!
//! A row holds who asked whom and how much it took. It never holds what was said.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::allowance::{Amount, Spender};
use crate::audit::{UnknownWord, words};
use crate::kinds::llm::Pricing;
use crate::money::{Money, USUAL, nanos};
use crate::resource::Timestamp;

/// The most that one call is written down with: what a provider says is not always so, and no sum is to run over.
const MOST_TOKENS: i64 = 1_000_000_000_000;
/// The most that one call costs, in billionths: a million units.
const MOST_COST: i64 = 1_000_000_000_000_000;

/// One call of a model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Inference {
    /// When it ended.
    pub at: Timestamp,
    /// Who asked.
    pub principal: String,
    /// The name of the token that was shown; `project/name` of one that lives in a project.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
    /// The project that it was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project: Option<String>,
    /// The agent that asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent: Option<String>,
    /// The thread that it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thread: Option<String>,
    /// The Llm that answered.
    pub llm: String,
    /// Its provider, as in manifests.
    pub provider: String,
    /// The model's name at the provider.
    pub model: String,
    /// What the request is called in the log and in its answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// What it took.
    #[serde(flatten)]
    pub tokens: Tokens,
    /// What it cost; absent when the Llm has no price.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost: Option<Money>,
    /// How long it took until the answer was complete, in microseconds.
    pub latency_us: i64,
    /// How long it took until the first token of a stream, in microseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_token_us: Option<i64>,
    /// The HTTP status that whoever asked was given. A stream that broke off has that of its error, from 400 on.
    pub status: u16,
    /// Whether the answer was a stream.
    pub streamed: bool,
}

/// How many tokens a call took.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Tokens {
    /// Tokens of the question, with those that the provider had cached.
    #[serde(rename = "inputTokens")]
    pub input: i64,
    /// How many of these the provider had cached.
    #[serde(rename = "cachedTokens")]
    pub cached: i64,
    /// Tokens of the answer, reasoning included.
    #[serde(rename = "outputTokens")]
    pub output: i64,
}

impl Tokens {
    /// Within what is possible: none below zero, no more cached than there were, nothing without end.
    #[must_use]
    pub fn bounded(self) -> Self {
        let input = self.input.clamp(0, MOST_TOKENS);
        Self {
            input,
            cached: self.cached.clamp(0, input),
            output: self.output.clamp(0, MOST_TOKENS),
        }
    }

    /// What a budget counts: in and out.
    #[must_use]
    pub fn total(self) -> i64 {
        let Self { input, output, .. } = self.bounded();
        input + output
    }

    /// What they cost at those prices: exact, and rounded once, to the nearest billionth.
    #[must_use]
    pub fn cost(self, pricing: &Pricing) -> Money {
        let Self { input, cached, output } = self.bounded();
        let cached_price = pricing.cached_input_per_million.unwrap_or(pricing.input_per_million);
        let priced = |tokens: i64, per_million: f64| i128::from(tokens) * i128::from(nanos(per_million).max(0));
        let millionths = priced(input - cached, pricing.input_per_million)
            + priced(cached, cached_price)
            + priced(output, pricing.output_per_million);
        let nanos = (millionths + 500_000) / 1_000_000;
        Money {
            nanos: i64::try_from(nanos).unwrap_or(MOST_COST).min(MOST_COST),
            currency: pricing.currency.clone().unwrap_or_else(|| USUAL.to_owned()),
        }
    }
}

impl Inference {
    /// Whether it came to nothing.
    #[must_use]
    pub const fn is_failed(&self) -> bool {
        self.status >= 400
    }

    /// Whose spending it counts as.
    pub fn spenders(&self) -> impl Iterator<Item = Spender> {
        let token = self.token.clone().map(Spender::Token);
        let project = self.project.clone().map(Spender::Project);
        token.into_iter().chain(project)
    }

    /// What was spent.
    #[must_use]
    pub fn amount(&self) -> Amount {
        Amount {
            tokens: self.tokens.total(),
            cost: self.cost.clone().map(|cost| Money {
                nanos: cost.nanos.clamp(0, MOST_COST),
                ..cost
            }),
        }
    }
}

words! {
    /// What calls are summed up by.
    By {
        /// Who asked.
        User = "user",
        /// With which token.
        Token = "token",
        /// For which project.
        Project = "project",
        /// Which Llm answered.
        Llm = "llm",
        /// Which agent asked.
        Agent = "agent",
        /// On which day, in UTC.
        Day = "day",
    }
}

impl By {
    /// Reads several, with commas between: `user,llm`. What comes twice counts once.
    ///
    /// # Errors
    /// The first word that is none.
    pub fn list(text: &str) -> Result<Vec<Self>, UnknownWord> {
        let mut list = Vec::new();
        for word in text.split(',').map(str::trim).filter(|word| !word.is_empty()) {
            let by = word.parse()?;
            if !list.contains(&by) {
                list.push(by);
            }
        }
        Ok(list)
    }
}

/// The query of `GET /api/v1/usage`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Parameters {
    /// What to sum up by: `user`, `token`, `project`, `llm`, `agent`, `day`, several with commas between. Default: nothing,
    /// so that there is the total alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// Only what this principal asked for. Others than oneself need the operation `usage`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// Only what was asked with the token of this name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
    /// Only what was asked for this project.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project: Option<String>,
    /// Only what this Llm answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub llm: Option<String>,
    /// Only what this agent asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent: Option<String>,
    /// Only from then on: a duration ago (`2h`), or an RFC 3339 instant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// Only before then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
    /// At most so many groups: those of the newest days, and of them those that took most tokens. Default 1000, at most
    /// 10000.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

/// The answer of `GET /api/v1/usage`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Usage {
    /// What the groups are summed up by.
    pub by: Vec<By>,
    /// Whose calls these are, when only somebody's are told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// The groups: by day, oldest first, then by tokens, most first.
    pub items: Vec<Group>,
    /// Everything that fits, also what no group tells.
    pub total: Sums,
    /// How many groups are left out.
    pub left_out: i64,
}

/// What calls have in common, and their sums.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Group {
    /// What they have in common.
    #[serde(flatten)]
    pub key: Key,
    /// The sums.
    #[serde(flatten)]
    pub sums: Sums,
}

/// What the calls of a group have in common. Absent is what they are not summed up by, and what they do not have.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Key {
    /// The day, in UTC: `2026-11-21`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub day: Option<String>,
    /// Who asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// With which token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
    /// For which project.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project: Option<String>,
    /// Which Llm answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub llm: Option<String>,
    /// Which agent asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent: Option<String>,
}

impl Key {
    /// What it says of that.
    #[must_use]
    pub fn of(&self, by: By) -> Option<&str> {
        match by {
            By::User => self.user.as_deref(),
            By::Token => self.token.as_deref(),
            By::Project => self.project.as_deref(),
            By::Llm => self.llm.as_deref(),
            By::Agent => self.agent.as_deref(),
            By::Day => self.day.as_deref(),
        }
    }

    /// The place of what it says of that.
    pub fn place(&mut self, by: By) -> &mut Option<String> {
        match by {
            By::User => &mut self.user,
            By::Token => &mut self.token,
            By::Project => &mut self.project,
            By::Llm => &mut self.llm,
            By::Agent => &mut self.agent,
            By::Day => &mut self.day,
        }
    }
}

/// Calls, summed up.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Sums {
    /// How many there were.
    pub requests: i64,
    /// How many of them failed.
    pub failed: i64,
    /// What they took.
    #[serde(flatten)]
    pub tokens: Tokens,
    /// What they cost, for each currency.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cost: Vec<Money>,
    /// How long those that did not fail took; absent when all did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latency: Option<Latency>,
    /// How long the streams among them took until their first token; absent when there was none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_token: Option<Latency>,
}

/// How long calls took, by nearest rank: each figure is that of a call that was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Latency {
    /// Half of them took at most so long, in microseconds.
    pub p50_us: i64,
    /// Nineteen of twenty took at most so long.
    pub p95_us: i64,
    /// None took longer.
    pub max_us: i64,
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn pricing(input: f64, cached: Option<f64>, output: f64) -> Pricing {
        Pricing {
            input_per_million: input,
            cached_input_per_million: cached,
            output_per_million: output,
            currency: None,
        }
    }

    #[test]
    fn calls_cost_what_their_tokens_do() {
        for (input, cached, output, prices, nanos) in [
            (0, 0, 0, pricing(3.0, None, 15.0), 0),
            (1_000_000, 0, 1_000_000, pricing(3.0, None, 15.0), 18_000_000_000),
            (1000, 0, 500, pricing(0.15, None, 0.6), 450_000),
            // Those that were cached are input, and at the price of input when they have none of their own.
            (1000, 800, 0, pricing(3.0, None, 15.0), 3_000_000),
            (1000, 800, 0, pricing(3.0, Some(0.3), 15.0), 840_000),
            (1000, 800, 0, pricing(3.0, Some(0.0), 15.0), 600_000),
            // Rounded once, at the end.
            (1, 0, 1, pricing(0.000_4, None, 0.000_4), 1),
            (1, 0, 0, pricing(0.000_4, None, 0.000_4), 0),
            // What cannot be is no reason to be wrong by more.
            (10, 99, -5, pricing(1.0, Some(0.5), 1.0), 5_000),
            (i64::MAX, 0, i64::MAX, pricing(1e300, None, 1e300), MOST_COST),
        ] {
            let tokens = Tokens { input, cached, output };
            let expected = Money {
                nanos,
                currency: "USD".to_owned(),
            };
            assert_eq!(tokens.cost(&prices), expected, "{tokens:?} {prices:?}");
        }
        let euros = Pricing {
            currency: Some("EUR".to_owned()),
            ..pricing(1.0, None, 1.0)
        };
        assert_eq!(Tokens::default().cost(&euros).currency, "EUR");
    }

    #[test]
    fn what_to_sum_up_by_is_read() {
        for (text, expected) in [
            ("", Some(vec![])),
            ("user", Some(vec![By::User])),
            ("day, llm,day", Some(vec![By::Day, By::Llm])),
            ("user,modle", None),
        ] {
            assert_eq!(By::list(text).ok(), expected, "{text}");
        }
        let mut key = Key::default();
        for by in By::ALL {
            *key.place(*by) = Some(by.to_string());
            assert_eq!(key.of(*by), Some(by.as_str()));
        }
    }

    proptest! {
        #[test]
        fn more_tokens_never_cost_less(
            input in 0_i64..10_000_000, output in 0_i64..10_000_000, more in 0_i64..1000,
            prices in (0.0..100.0_f64, 0.0..100.0_f64, 0.0..100.0_f64),
        ) {
            let prices = pricing(prices.0, Some(prices.1), prices.2);
            let cost = |input, output| Tokens { input, cached: 0, output }.cost(&prices).nanos;
            prop_assert!(cost(input + more, output) >= cost(input, output));
            prop_assert!(cost(input, output + more) >= cost(input, output));
        }

        /// Parts are rounded on their own, and so may be off by half a billionth each.
        #[test]
        fn calls_together_cost_what_each_does(
            parts in proptest::collection::vec((0_i64..100_000, 0_i64..100_000), 1..20),
            prices in (0.0..100.0_f64, 0.0..100.0_f64),
        ) {
            let prices = pricing(prices.0, None, prices.1);
            let cost = |input, output| Tokens { input, cached: 0, output }.cost(&prices).nanos;
            let each: i64 = parts.iter().map(|(input, output)| cost(*input, *output)).sum();
            let whole = cost(parts.iter().map(|part| part.0).sum(), parts.iter().map(|part| part.1).sum());
            prop_assert!((each - whole).unsigned_abs() <= parts.len() as u64);
        }
    }
}
